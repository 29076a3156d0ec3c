//! What endpoints with competing events, shares, changes, landmarks and models come out as.

use super::{Analysis, CurveState, RateState, Suppression, SurvivalCurve};
use serde::{Deserialize, Serialize};

/// Episodes behind a curve to which a patient may contribute several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Repeated {
    pub episodes: Option<u32>,
    /// Most episodes of one patient.
    pub most_of_one_patient: u32,
}

/// Cumulative incidence of competing events in one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct IncidenceCurve {
    pub analysis: Analysis,
    pub by: String,
    pub level: String,
    pub state: CurveState,
    pub suppressed: Option<Suppression>,
    pub patients: Option<u32>,
    pub causes: Vec<CauseIncidence>,
    /// At 0, 12, 24, 36, 48 and 60 months.
    pub at_risk: Vec<AtRisk>,
    pub lost: Option<u32>,
}

/// One of the competing events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CauseIncidence {
    pub cause: String,
    pub label: String,
    pub events: Option<u32>,
    /// At 12, 24 and 60 months.
    pub values: Vec<IncidenceValue>,
    pub steps: Vec<IncidenceStep>,
}

/// The incidence at a fixed time; none past the end of follow-up, or hidden.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct IncidenceValue {
    pub months: f64,
    pub incidence: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// One step: valid from `days` until the next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct IncidenceStep {
    pub days: f64,
    pub months: f64,
    /// At risk just before.
    pub at_risk: u32,
    /// Of this cause.
    pub events: u32,
    /// Of the others, and censored.
    pub others: u32,
    pub incidence: f64,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// Number at risk at a fixed time; none when hidden.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AtRisk {
    pub months: f64,
    pub at_risk: Option<u32>,
}

/// Which test of a breakdown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TestKind {
    /// Of the incidence of an event among others. What runs of before tests between curves have.
    #[default]
    Gray,
    /// Of survival; with delayed entry the score test of the Cox model.
    LogRank,
}

/// A test between the groups of a stratum, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GroupTest {
    #[serde(default)]
    pub kind: TestKind,
    pub by: String,
    /// Of Gray's test; empty of a log-rank test.
    pub cause: String,
    /// The groups between which it is; empty of a test between all.
    #[serde(default)]
    pub groups: Vec<String>,
    pub chi_square: Option<f64>,
    pub df: Option<u32>,
    pub p: Option<f64>,
    pub refused: Option<String>,
}

/// A share of patients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProportionRow {
    pub by: String,
    pub level: String,
    pub state: RateState,
    pub suppressed: Option<Suppression>,
    /// With the outcome, and assessable.
    pub numerator: Option<u32>,
    pub denominator: Option<u32>,
    pub not_assessable: Option<u32>,
    /// With its Wilson 95 % interval.
    pub rate: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// If no, or every, patient not assessable had the outcome.
    pub bound_low: Option<f64>,
    pub bound_high: Option<f64>,
}

/// Change of a score since the baseline, at one time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChangeRow {
    pub months: f64,
    pub suppressed: Option<Suppression>,
    /// With a baseline: the sum of the four below.
    pub baseline: Option<u32>,
    /// Died before the time was over.
    pub died: Option<u32>,
    /// The time is not over at the cut-off.
    pub not_due: Option<u32>,
    pub measured: Option<u32>,
    pub missing: Option<u32>,
    /// Among those measured at both times, with its t interval.
    pub mean: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Better, and worse, by ten points or more.
    pub better: Option<u32>,
    pub worse: Option<u32>,
}

/// Patients under follow-up at a landmark, by what had been done up to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LandmarkComparison {
    /// The treatment.
    pub by: String,
    /// Months from the origin.
    pub landmark_months: u32,
    /// In the primary estimate: the sum of the three below.
    pub patients: Option<u32>,
    pub died_before: Option<u32>,
    /// Censored at or before the landmark.
    pub left_before: Option<u32>,
    pub at_landmark: Option<u32>,
    /// Counted from the landmark.
    pub curves: Vec<SurvivalCurve>,
    pub contrast: Option<LandmarkContrast>,
    /// Why there is no contrast.
    pub no_contrast: Option<String>,
    pub remark: String,
}

/// Treated before the landmark against not treated before it, unadjusted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LandmarkContrast {
    pub hazard_ratio: f64,
    pub lower: f64,
    pub upper: f64,
    /// Score test (log-rank with delayed entry).
    pub p: f64,
}

/// A Cox model of the endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AdjustedModel {
    /// `standard`, `metastasectomy`.
    pub model: String,
    pub title: String,
    pub state: ModelState,
    pub patients: Option<u32>,
    pub events: Option<u32>,
    /// Of the primary estimate, without a covariate.
    pub left_out: Option<u32>,
    pub events_per_covariate: Option<f64>,
    pub ratios: Vec<Ratio>,
    /// Score test of proportional hazards, all covariates together.
    pub proportional_p: Option<f64>,
    pub concordance: Option<f64>,
    /// Covariates of the set that do not vary here.
    pub constant: Vec<String>,
    pub remark: String,
}

/// Whether there is a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "code", content = "why")]
pub enum ModelState {
    Modelled,
    /// Fewer than ten events per covariate.
    TooFewEvents,
    /// No estimate, and why.
    NoEstimate(String),
    Suppressed,
}

/// A hazard ratio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = HazardRatio)]
pub struct Ratio {
    pub covariate: String,
    pub label: String,
    pub hazard_ratio: f64,
    pub lower: f64,
    pub upper: f64,
    pub p: f64,
    /// Score test of proportional hazards.
    pub proportional_p: Option<f64>,
}
