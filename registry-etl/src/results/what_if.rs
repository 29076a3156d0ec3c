//! The cases of a run by other rules: comparisons and sensitivity analyses.

use serde::{Deserialize, Serialize};

use super::RateState;

/// A guideline version, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RuleSet {
    pub guideline: String,
    pub version: String,
    /// SHA-256 (hex) over its files and replaced parameters.
    pub digest: String,
}

/// The cases of a run by two sets of rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RuleComparison)]
pub struct Comparison {
    pub run: i64,
    pub cut_off: String,
    /// Cases of the run; `None` when not shown.
    pub cases: Option<u32>,
    pub base: RuleSet,
    pub other: RuleSet,
    /// Every measure compared, in the order of the guideline, then the all-or-none summaries.
    pub measures: Vec<MeasureChange>,
    /// Every check that fired under either.
    pub checks: Vec<CheckChange>,
}

/// One measure under two sets of rules, the whole network, all diagnoses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MeasureChange {
    pub measure: String,
    pub base: Side,
    pub other: Side,
    /// Whether any unit has another outcome; told to everybody, where the numbers are not.
    pub changed: bool,
    /// Units with another outcome, and the patients they are of; `None` when not shown.
    pub units_changed: Option<u32>,
    pub patients_changed: Option<u32>,
    /// From which outcome to which.
    pub moves: Vec<Move>,
    /// Units changed by centre.
    pub centres: Vec<CentreChange>,
}

/// Counts and rate under one set of rules; `None` when not shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = MeasureSide)]
pub struct Side {
    pub numerator: Option<u32>,
    pub denominator: Option<u32>,
    pub not_assessable: Option<u32>,
    pub excluded: Option<u32>,
    pub excepted: Option<u32>,
    /// Patients with an assessable unit.
    pub patients: Option<u32>,
    /// What stands where the rate would stand.
    pub state: RateState,
    /// With its Wilson 95 % interval.
    pub rate: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// Units that went from one outcome to another; `None` stands for no such unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = OutcomeMove)]
pub struct Move {
    pub from: Option<String>,
    pub to: Option<String>,
    pub n: u32,
}

/// What changed at a centre: units of a measure, or cases of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CentreChange {
    pub centre: String,
    pub n: u32,
}

/// An edit check under two sets of rules: how often it fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CheckChange {
    pub check: String,
    pub base: u32,
    pub other: u32,
    /// Cases on which it fires a different number of times, by centre.
    pub centres: Vec<CentreChange>,
}

/// A run's measures with another value of one parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Sensitivity {
    pub parameter: String,
    /// The value the run was computed with.
    pub base: serde_json::Value,
    /// The other value.
    pub value: serde_json::Value,
    pub comparison: Comparison,
}
