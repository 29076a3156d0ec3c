use crate::rules::Reason;

/// Result of one measure on one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Done, or for an avoidance measure: the discordant act did not happen.
    Met,
    /// The opposite, positively established.
    NotMet,
    /// Utilisation measures only; no judgement.
    Used,
    NotUsed,
    /// Some input is missing, unknown, imprecise, unattested, or its window is still open.
    NotAssessable,
    /// The denominator exclusion holds.
    Excluded,
    /// Not met, and the exception holds.
    Excepted,
    /// Outside the population or the denominator.
    NotInDenom,
}

impl Outcome {
    pub const ALL: [Outcome; 8] = [
        Outcome::Met,
        Outcome::NotMet,
        Outcome::Used,
        Outcome::NotUsed,
        Outcome::NotAssessable,
        Outcome::Excluded,
        Outcome::Excepted,
        Outcome::NotInDenom,
    ];

    /// The code in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Met => "MET",
            Outcome::NotMet => "NOT_MET",
            Outcome::Used => "USED",
            Outcome::NotUsed => "NOT_USED",
            Outcome::NotAssessable => "NOT_ASSESSABLE",
            Outcome::Excluded => "EXCLUDED",
            Outcome::Excepted => "EXCEPTED",
            Outcome::NotInDenom => "NOT_IN_DENOM",
        }
    }

    pub fn from_code(code: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == code)
    }

    /// Counts in the numerator of the rate.
    pub fn in_numerator(self) -> bool {
        matches!(self, Outcome::Met | Outcome::Used)
    }

    /// Counts in the denominator of the rate.
    pub fn in_denominator(self) -> bool {
        matches!(
            self,
            Outcome::Met | Outcome::NotMet | Outcome::Used | Outcome::NotUsed
        )
    }
}

/// The part of a measure that decided its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    Population,
    Denominator,
    Exclusion,
    Numerator,
    Exception,
}

impl Step {
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Population => "population",
            Step::Denominator => "denominator",
            Step::Exclusion => "exclusion",
            Step::Numerator => "numerator",
            Step::Exception => "exception",
        }
    }
}

/// One measure judged on one unit of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitOutcome {
    /// Position in [`super::Guideline::measures`].
    pub measure: u16,
    /// Position of the unit row in its submitted array; 0 for the patient.
    pub unit_index: u32,
    pub outcome: Outcome,
    /// Only with [`Outcome::NotAssessable`].
    pub reason: Option<Reason>,
    /// Only with [`Outcome::NotAssessable`]: `entity.element`, or the name of a section.
    pub element: Option<String>,
    /// What decided.
    pub step: Step,
}
