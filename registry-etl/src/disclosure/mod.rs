//! Decides what a viewer may see of a count, a rate, a curve or a table. Pages, the results API and releases all go
//! through here; nothing else hides or shows a number. Funnels are computed from the table that comes out, never from the exact
//! one, so overdispersion and q-values rest on shown centres only.
//!
//! What is thresholded is the number of patients behind a shown value: the denominator of a rate, a group of a curve, a cell of a table; for
//! the public also the numerator and its complement. The tables of a run are a fixed family; what is hidden must not
//! follow from what is shown: not from totals, from complements, from the last 24 months within all cases, nor less the years within them, nor from the steps of a
//! curve (steps are merged until each rests on the threshold, and the curve ends when fewer are at risk).
//!
//! A centre sees its own rows exactly and the network's as the committee does, never another centre's; a network row is hidden from
//! it when the other centres' part of it is small.
//!
//! A run that is not the first published is shown beside those before it: what has changed by few patients since stays as it was shown
//! then ([`adherence_beside`] and its neighbours).

mod additive;
mod adherence;
mod agreement;
mod beside;
mod centres;
mod comparison;
mod completeness;
mod echelon;
mod endpoints;
mod flows;
mod letters;
mod nothing;
mod order;
mod reach;
mod summaries;
pub(crate) mod suppression;
mod survival;

pub use adherence::{adherence, adherence_for_centre};
pub use agreement::agreement;
pub use beside::{Published, adherence_beside, overview_beside, quality_beside, survival_beside};
pub use comparison::comparison;
pub use completeness::{completeness, over_time};
pub use flows::withhold;
pub use letters::CentreLetters;
pub use order::{groups_in_place, rows_in_place};
pub use summaries::{overview, overview_for_centre, quality, quality_for_centre};
pub use survival::{survival, survival_for_centre};

/// Who is looking, and so from how many patients on a value is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Anybody, researchers included: thresholds on the denominator, the numerator and its complement.
    Public,
    /// Steering committee (under its confidentiality agreement), coordinating office reading aggregates of all centres.
    Committee,
    /// A centre: its own rows exactly, the network's rows as the committee sees them, no other centre's.
    Centre(String),
    /// Nothing is hidden: the computation itself, and the coordinating office's data management.
    Exact,
}

/// From how many patients on a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Thresholds {
    pub public: u32,
    /// Committee (under its confidentiality agreement), and what adds up over centres for a centre.
    pub committee: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            public: 11,
            committee: 5,
        }
    }
}

impl Thresholds {
    /// The threshold of an audience; 0 hides nothing.
    pub fn of(&self, audience: &Audience) -> u32 {
        match audience {
            Audience::Public => self.public,
            Audience::Committee | Audience::Centre(_) => self.committee,
            Audience::Exact => 0,
        }
    }
}

/// Why a value is hidden that few patients are behind.
const FEW: crate::results::Suppression = crate::results::Suppression::FewPatients;

/// A count that stands by itself and rests on some patients; `None` when they are few.
pub fn told(n: u32, patients: u32, audience: &Audience, thresholds: &Thresholds) -> Option<u32> {
    (!few(patients, thresholds.of(audience))).then_some(n)
}

/// As [`told`], of a count that is read again and again while it changes: to the nearest multiple of the threshold, so that one more or less is
/// not told by what stood there before.
pub fn told_about(n: u32, patients: u32, audience: &Audience, thresholds: &Thresholds) -> Option<u32> {
    let step = thresholds.of(audience).max(1);
    let about = |n: u32| (n + step / 2) / step * step;
    told(n, patients, audience, thresholds).map(about)
}

/// Steps in which [`told_since`] tells.
pub const STEPS: u64 = 10;

/// A count of patients whose earlier values stay readable beside it, for the public: in steps of ten rounded down, and not told below the
/// threshold, 0 neither. It stays as it was told in `before`, the value told last (the outer `None`: never yet), until it has moved by the
/// threshold from every count that may have been told so then: one more or less never makes the difference between two values that are read
/// beside each other, unless many more came before.
pub fn told_since(n: u64, before: Option<Option<u64>>, thresholds: &Thresholds) -> Option<u64> {
    let threshold = u64::from(thresholds.public);
    let anew = (n >= threshold).then_some(n / STEPS * STEPS);
    let Some(told) = before else {
        return anew;
    };
    let (from, to) = told.map_or((0, threshold.saturating_sub(1)), |told| (told, told + STEPS - 1));
    let moved = n >= to + threshold || n + threshold <= from;
    if moved { anew } else { told }
}

/// Whether a count of patients is neither nobody nor enough.
fn few(patients: u32, threshold: u32) -> bool {
    (1..threshold).contains(&patients)
}

#[cfg(test)]
mod tests;
