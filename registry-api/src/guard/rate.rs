//! How often a caller may ask: per key or user, and per address for requests without accepted credentials.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use crate::problem::{Kind, Problem};

/// Token buckets per caller and per address.
pub struct RateLimiter {
    callers: DefaultKeyedRateLimiter<String>,
    addresses: DefaultKeyedRateLimiter<String>,
    sign_ins: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
    checks: AtomicU32,
}

impl RateLimiter {
    /// `per_caller` and `per_address` requests a second, with a burst of ten seconds' worth; `sign_ins` attempts a minute and address.
    pub fn new(per_caller: NonZeroU32, per_address: NonZeroU32, sign_ins: NonZeroU32) -> Self {
        let quota = |n: NonZeroU32| Quota::per_second(n).allow_burst(n.saturating_mul(TEN));
        Self {
            callers: DefaultKeyedRateLimiter::keyed(quota(per_caller)),
            addresses: DefaultKeyedRateLimiter::keyed(quota(per_address)),
            sign_ins: DefaultKeyedRateLimiter::keyed(Quota::per_minute(sign_ins)),
            clock: DefaultClock::default(),
            checks: AtomicU32::new(0),
        }
    }

    /// Counts a request of a known caller.
    ///
    /// # Errors
    /// [`Kind::RateLimited`] with `Retry-After` when the bucket is empty.
    pub fn check_caller(&self, actor: &str) -> Result<(), Problem> {
        self.check(&self.callers, actor)
    }

    /// Counts a request of an address without accepted credentials.
    ///
    /// # Errors
    /// As [`RateLimiter::check_caller`].
    pub fn check_address(&self, address: &str) -> Result<(), Problem> {
        self.check(&self.addresses, address)
    }

    /// Counts an attempt of an address to sign in with a password, right or wrong.
    ///
    /// # Errors
    /// As [`RateLimiter::check_caller`].
    pub fn check_sign_in(&self, address: &str) -> Result<(), Problem> {
        self.check(&self.sign_ins, address)
    }

    fn check(&self, limiter: &DefaultKeyedRateLimiter<String>, key: &str) -> Result<(), Problem> {
        // Full buckets are forgotten now and then: addresses that came once take no memory for ever.
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        limiter.check_key(&key.to_owned()).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now()).as_secs() + 1;
            Problem::new(Kind::RateLimited).header("retry-after", wait.to_string())
        })
    }
}

const SWEEP_EVERY: u32 = 10_000;

const TEN: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
