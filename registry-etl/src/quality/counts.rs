//! How expected elements were answered, and how the counts are packed.

use registry_core::record::{Absence, Cell};
use serde::{Deserialize, Serialize};

/// How an expected element was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// With a value (one that a check keeps out of the measures is one, too).
    Known,
    /// Not at all.
    Missing,
    Absent(Absence),
}

impl Answer {
    /// What a cell says.
    pub fn of(cell: &Cell<'_>) -> Self {
        match cell {
            Cell::Missing => Self::Missing,
            Cell::Absent(absence) => Self::Absent(*absence),
            _ => Self::Known,
        }
    }
}

/// Kinds of answers.
const KINDS: usize = 7;

/// Answers to expected elements: `known + missing` and the five absence codes are what was expected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = AnswerCounts)]
pub struct Counts {
    pub known: u32,
    pub missing: u32,
    pub unknown: u32,
    pub not_done: u32,
    pub not_applicable: u32,
    pub pending: u32,
    pub withheld: u32,
}

impl Counts {
    /// Adds `n` answers of one kind.
    pub fn add(&mut self, answer: Answer, n: u32) {
        let count = match answer {
            Answer::Known => &mut self.known,
            Answer::Missing => &mut self.missing,
            Answer::Absent(Absence::Unknown) => &mut self.unknown,
            Answer::Absent(Absence::NotDone) => &mut self.not_done,
            Answer::Absent(Absence::NotApplicable) => &mut self.not_applicable,
            Answer::Absent(Absence::Pending) => &mut self.pending,
            Answer::Absent(Absence::Withheld) => &mut self.withheld,
        };
        *count += n;
    }

    /// Adds all answers of another count.
    pub fn add_all(&mut self, other: &Counts) {
        let mut sums = self.in_order();
        for (sum, more) in sums.iter_mut().zip(other.in_order()) {
            *sum += more;
        }
        *self = Self::from_order(sums);
    }

    /// How often an answer was expected.
    pub fn expected(&self) -> u32 {
        self.in_order().iter().sum()
    }

    /// Answered with a value or with a code that says why there is none, over expected: 1 when nothing is missing or still pending. `None`
    /// when nothing was expected.
    pub fn answered_share(&self) -> Option<f64> {
        let expected = self.expected();
        (expected > 0).then(|| f64::from(expected - self.missing - self.pending) / f64::from(expected))
    }

    /// A value, over what could have one (`not_applicable` left out). `None` when nothing could.
    pub fn known_share(&self) -> Option<f64> {
        let possible = self.expected() - self.not_applicable;
        (possible > 0).then(|| f64::from(self.known) / f64::from(possible))
    }

    /// Known, missing, unknown, not done, not applicable, pending, withheld, without the zeros at the end.
    pub fn packed(&self) -> Vec<u32> {
        let all = self.in_order();
        all[..Self::used(&all)].to_vec()
    }

    /// The counts behind [`Counts::packed`].
    pub fn unpacked(packed: &[u32]) -> Self {
        let mut all = [0; KINDS];
        for (count, packed) in all.iter_mut().zip(packed) {
            *count = *packed;
        }
        Self::from_order(all)
    }

    /// How many there are before the zeros at the end.
    fn used(all: &[u32; KINDS]) -> usize {
        all.iter()
            .rposition(|count| *count > 0)
            .map_or(0, |last| last + 1)
    }

    fn in_order(&self) -> [u32; KINDS] {
        [
            self.known,
            self.missing,
            self.unknown,
            self.not_done,
            self.not_applicable,
            self.pending,
            self.withheld,
        ]
    }

    fn from_order(all: [u32; KINDS]) -> Self {
        let [
            known,
            missing,
            unknown,
            not_done,
            not_applicable,
            pending,
            withheld,
        ] = all;
        Self {
            known,
            missing,
            unknown,
            not_done,
            not_applicable,
            pending,
            withheld,
        }
    }
}

/// How one expected element of a case was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Positions in the layout.
    pub entity: u16,
    pub element: u16,
    #[serde(with = "packed")]
    pub counts: Counts,
}

/// Counts as evaluations are stored with them: [`Counts::packed`], read without a list of their own, for a case has hundreds.
mod packed {
    use std::fmt;

    use serde::de::{Error, SeqAccess, Visitor};
    use serde::{Deserializer, Serialize, Serializer};

    use super::{Counts, KINDS};

    pub(crate) fn serialize<S: Serializer>(counts: &Counts, serializer: S) -> Result<S::Ok, S::Error> {
        let all = counts.in_order();
        all[..Counts::used(&all)].serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Counts, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Counts;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "at most {KINDS} counts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut counts: A) -> Result<Counts, A::Error> {
                let mut all = [0; KINDS];
                for count in &mut all {
                    match counts.next_element()? {
                        Some(next) => *count = next,
                        None => return Ok(Counts::from_order(all)),
                    }
                }
                match counts.next_element::<u32>()? {
                    Some(_) => Err(A::Error::invalid_length(KINDS + 1, &self)),
                    None => Ok(Counts::from_order(all)),
                }
            }
        }

        deserializer.deserialize_seq(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_leave_out_what_cannot_have_a_value() {
        // 10 expected: 5 values, 1 missing, 1 unknown, 2 not applicable, 1 pending.
        let counts = Counts {
            known: 5,
            missing: 1,
            unknown: 1,
            not_applicable: 2,
            pending: 1,
            ..Counts::default()
        };
        assert_eq!(counts.expected(), 10);
        assert_eq!(counts.known_share(), Some(5.0 / 8.0));
        assert_eq!(counts.answered_share(), Some(0.8));
        assert_eq!(Counts::default().known_share(), None);
        let nowhere = Counts {
            not_applicable: 3,
            ..Counts::default()
        };
        assert_eq!(
            (nowhere.known_share(), nowhere.answered_share()),
            (None, Some(1.0))
        );
    }

    #[test]
    fn packed_counts_come_back() {
        let counts = Counts {
            known: 2,
            unknown: 4,
            ..Counts::default()
        };
        assert_eq!(counts.packed(), [2, 0, 4]);
        assert_eq!(Counts::unpacked(&counts.packed()), counts);
        let back = |written: &[u32]| {
            let bytes = postcard::to_allocvec(&(1, 2, written)).unwrap();
            postcard::from_bytes::<Answered>(&bytes).map(|answered| answered.counts)
        };
        assert_eq!(back(&counts.packed()), Ok(counts));
        assert_eq!(back(&[]), Ok(Counts::default()));
        assert!(back(&[1; 8]).is_err());
        let answered = |counts| Answered {
            entity: 1,
            element: 2,
            counts,
        };
        assert_eq!(
            postcard::to_allocvec(&answered(counts)),
            postcard::to_allocvec(&(1u16, 2u16, counts.packed()))
        );
        let mut twice = counts;
        twice.add_all(&counts);
        assert_eq!(twice.packed(), [4, 0, 8]);
    }
}
