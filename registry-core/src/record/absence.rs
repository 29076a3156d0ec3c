/// Why a leaf holds no value although somebody answered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Absence {
    /// Looked for in the source documents, not found.
    Unknown,
    /// The act or measurement was not performed.
    NotDone,
    /// Cannot exist for this patient or row.
    NotApplicable,
    /// Expected, not available yet.
    Pending,
    /// Deliberately not shared.
    Withheld,
}

impl Absence {
    pub const ALL: [Absence; 5] = [
        Absence::Unknown,
        Absence::NotDone,
        Absence::NotApplicable,
        Absence::Pending,
        Absence::Withheld,
    ];

    /// The wire code, as in `{"absent": "not_done"}`.
    pub fn as_str(self) -> &'static str {
        match self {
            Absence::Unknown => "unknown",
            Absence::NotDone => "not_done",
            Absence::NotApplicable => "not_applicable",
            Absence::Pending => "pending",
            Absence::Withheld => "withheld",
        }
    }

    /// The absence a wire code stands for; `None` when it is not one of the five.
    pub fn from_code(code: &str) -> Option<Absence> {
        Absence::ALL.into_iter().find(|absence| absence.as_str() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_five_codes_come_back_and_nothing_else_does() {
        for absence in Absence::ALL {
            assert_eq!(Absence::from_code(absence.as_str()), Some(absence));
        }
        for other in ["", "Unknown", "missing", "not done"] {
            assert_eq!(Absence::from_code(other), None);
        }
    }
}
