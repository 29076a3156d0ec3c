//! Random draws from a stream of its own per case.

use chrono::{Days, NaiveDate};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// Stream `stream` of `seed`.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// Uniform in [0, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with probability `p`.
    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Uniform whole number in `[low, high]`.
    #[expect(clippy::cast_possible_truncation, reason = "the range is small")]
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = high - low + 1;
        low + (self.unit() * width as f64).floor() as i64
    }

    /// Exponential with this mean, in whole units.
    #[expect(clippy::cast_possible_truncation, reason = "a few thousand days at most")]
    pub(super) fn exponential(&mut self, mean: f64) -> i64 {
        (-(1.0 - self.unit()).ln() * mean).round() as i64
    }

    /// One of the weighted choices.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[(T, u32)]) -> T {
        let total: u32 = choices.iter().map(|(_, w)| w).sum();
        let mut left = self.between(0, i64::from(total) - 1);
        for (value, weight) in choices {
            left -= i64::from(*weight);
            if left < 0 {
                return *value;
            }
        }
        choices[0].0
    }
}

/// `date` moved by `days`, which may be negative.
pub(super) fn after(date: NaiveDate, days: i64) -> NaiveDate {
    let moved = match u64::try_from(days) {
        Ok(forward) => date.checked_add_days(Days::new(forward)),
        Err(_) => date.checked_sub_days(Days::new(days.unsigned_abs())),
    };
    moved.unwrap_or(date)
}
