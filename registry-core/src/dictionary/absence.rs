//! Which reasons for the absence of a value an element accepts.

use crate::record::Absence;

/// The absence codes an element accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AbsenceSet(u8);

impl AbsenceSet {
    /// Accepts none.
    pub const EMPTY: AbsenceSet = AbsenceSet(0);

    /// Whether this reason is accepted.
    pub fn contains(self, absence: Absence) -> bool {
        self.0 & (1 << absence as u8) != 0
    }

    /// Whether none is accepted.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The accepted reasons, in the order of the case record's table.
    pub fn iter(self) -> impl Iterator<Item = Absence> {
        Absence::ALL.into_iter().filter(move |a| self.contains(*a))
    }
}

impl FromIterator<Absence> for AbsenceSet {
    fn from_iter<I: IntoIterator<Item = Absence>>(reasons: I) -> Self {
        AbsenceSet(reasons.into_iter().fold(0, |set, a| set | 1 << a as u8))
    }
}
