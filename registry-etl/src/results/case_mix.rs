//! Centres given their case mix, and a measure over time.

use super::{FunnelLimits, Position, RateState, RunIdentity};
use serde::{Deserialize, Serialize};

/// Centres given their case mix, every measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseMixTable {
    pub run: RunIdentity,
    pub measures: Vec<CaseMix>,
}

/// Centres of one measure given the case mix of their assessable units, all diagnoses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CaseMix {
    pub measure: String,
    pub state: CaseMixState,
    /// Units in the model, and assessable ones left out because a covariate is not recorded; `None` when not shown.
    pub units: Option<u32>,
    pub left_out: Option<u32>,
    /// Area under the ROC curve: how well the covariates tell units apart, 0.5 not at all.
    pub concordance: Option<f64>,
    /// Covariates that vary among the units.
    pub coefficients: Vec<Coefficient>,
    /// By id (or letter).
    pub centres: Vec<AdjustedCentre>,
}

/// Whether there is a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "code", content = "why")]
pub enum CaseMixState {
    Modelled,
    /// Fewer than ten units with, or without, the event per covariate.
    TooFew,
    /// The model has no estimate, and why.
    NoEstimate(String),
    /// Hidden by disclosure control.
    Suppressed,
}

/// One covariate of a logistic model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Coefficient {
    pub covariate: String,
    pub log_odds_ratio: f64,
    pub std_error: f64,
}

/// A centre's units in the numerator against those expected from its case mix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AdjustedCentre {
    pub centre: String,
    pub units: u32,
    pub observed: u32,
    pub expected: f64,
    /// Observed over expected with its 95 % score interval.
    pub ratio: f64,
    pub lower: f64,
    pub upper: f64,
    /// The same drawn towards the mean of all centres, with its 95 % posterior interval; `None` where centres differ by no more than chance.
    pub shrunk: f64,
    pub shrunk_lower: Option<f64>,
    pub shrunk_upper: Option<f64>,
}

/// A measure over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Trend {
    /// The rate of all half-years together.
    pub target: Option<f64>,
    pub points: Vec<TrendPoint>,
    /// Two-sided, Cochran-Armitage; `None` when there is nothing to test.
    pub p: Option<f64>,
}

/// One half-year of diagnosis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrendPoint {
    /// `2025-H1`.
    pub level: String,
    pub state: RateState,
    pub numerator: Option<u32>,
    pub denominator: Option<u32>,
    pub rate: Option<f64>,
    /// Limits around the target at this denominator.
    pub limits: Option<FunnelLimits>,
    pub position: Option<Position>,
    /// As [`super::FunnelPoint::as_of`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<i64>,
}
