use std::collections::BTreeMap;

/// What a rate of the measure says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MeasureKind {
    /// What the source asks for was done.
    Adherence,
    /// What the source advises against did not happen.
    Avoidance,
    /// A judgement or consideration was recorded.
    Documentation,
    /// How often something permitted is used; no direction.
    Utilisation,
}

impl MeasureKind {
    pub const ALL: [MeasureKind; 4] = [
        MeasureKind::Adherence,
        MeasureKind::Avoidance,
        MeasureKind::Documentation,
        MeasureKind::Utilisation,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            MeasureKind::Adherence => "adherence",
            MeasureKind::Avoidance => "avoidance",
            MeasureKind::Documentation => "documentation",
            MeasureKind::Utilisation => "utilisation",
        }
    }

    pub fn from_code(code: &str) -> Option<MeasureKind> {
        MeasureKind::ALL.into_iter().find(|kind| kind.as_str() == code)
    }
}

/// Everything about a measure but its compiled expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// As `10b2`.
    pub id: String,
    /// Number of the consensus statement.
    pub statement: u16,
    /// Version of the measure.
    pub version: String,
    /// What part of care it is about, as `imaging`.
    pub domain: Option<String>,
    /// Level of evidence and grade of recommendation, as `IVA`.
    pub grade: String,
    pub kind: MeasureKind,
    /// The unit in words, as `imaging study`.
    pub unit: String,
    /// The entity whose rows are judged one by one; `None` for the patient.
    pub unit_entity: Option<String>,
    /// Name of the initial population.
    pub population: String,
    pub title: String,
    /// The statement in the registry's own words.
    pub statement_in_words: String,
    pub denominator_in_words: String,
    pub numerator_in_words: String,
    /// Who is left out of the denominator, and who does not count against the measure; nothing where it has none, or nobody has said it in words.
    /// No part of the measure's file, nor of its digest.
    pub exclusion_in_words: Option<String>,
    pub exception_in_words: Option<String>,
    pub rationale: String,
    pub review_note: Option<String>,
    /// Elements the rate is broken down by, besides the common ones.
    pub stratifiers: Vec<String>,
    /// Example situation per outcome, in words.
    pub examples: BTreeMap<String, String>,
    /// Parameters the expressions read, directly or through lets and definitions.
    pub parameters: Vec<String>,
    /// Every parameter a result of the measure rests on, named in its file or not: see [`super::Guideline::rests_on`].
    pub(super) rests_on: Vec<String>,
    /// Day of writing, of the last review and of the next one due, as written in the file.
    pub authored: Option<String>,
    pub reviewed: Option<String>,
    pub next_review: Option<String>,
    /// The expressions as written, by field: `denominator`, `exclusion`, `exception`, `numerator`, and each `let.NAME`.
    pub expressions: BTreeMap<String, String>,
}
