//! Why a leaf holds no value. Missing (no key, or null) is not among them: it means nobody has answered.

/// A recorded reason for the absence of a value, written `{"absent": "<code>"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Absence {
    /// Looked for in the source documents and not found.
    Unknown = 0,
    /// The act or measurement was not performed.
    NotDone = 1,
    /// Cannot exist for this patient or row.
    NotApplicable = 2,
    /// Expected, not available yet.
    Pending = 3,
    /// Deliberately not shared.
    Withheld = 4,
}

impl Absence {
    /// Every reason, in the order of the case record's table.
    pub const ALL: [Absence; 5] = [
        Absence::Unknown,
        Absence::NotDone,
        Absence::NotApplicable,
        Absence::Pending,
        Absence::Withheld,
    ];

    /// The code on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Absence::Unknown => "unknown",
            Absence::NotDone => "not_done",
            Absence::NotApplicable => "not_applicable",
            Absence::Pending => "pending",
            Absence::Withheld => "withheld",
        }
    }

    /// The reason of this wire code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == code)
    }
}

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
