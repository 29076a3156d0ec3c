//! Survival endpoints: curves, who is behind them, and what stands for whom.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    AdjustedModel, CentreComparison, ChangeRow, GroupTest, IncidenceCurve, LandmarkComparison, ProportionRow,
    Repeated, RunIdentity, Suppression,
};

/// How a curve treats what the specification lets vary.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Analysis {
    /// Prospective cases, entering the risk set when registered.
    Primary,
    /// Retrospective cases too, followed from the origin (they were registered afterwards).
    WithRetrospective,
    /// Prospective cases as if registered at the origin: biased, shown for comparison only.
    IgnoringLateEntry,
    /// Year-month dates read as the first day of the month.
    PartialDatesEarliest,
    /// Year-month dates read as the last day of the month.
    PartialDatesLatest,
    /// Progression-free survival: another treatment begun without progression counts as the event.
    NewTreatmentAsEvent,
    /// Recurrence-free survival: followed to the last imaging only.
    CensoredAtLastImaging,
    /// Every death of unknown cause counted as of the sarcoma: the upper bound.
    UnknownCauseAsSarcoma,
    /// Every death of unknown cause counted as of another cause: the lower bound.
    UnknownCauseAsOther,
}

impl Analysis {
    /// What stands beside the curve.
    pub fn label(self) -> &'static str {
        match self {
            Self::Primary => "Prospective cases, entering when registered",
            Self::WithRetrospective => "Sensitivity: with retrospective cases",
            Self::IgnoringLateEntry => "Sensitivity: late registration ignored (biased)",
            Self::PartialDatesEarliest => "Sensitivity: partial dates at their earliest",
            Self::PartialDatesLatest => "Sensitivity: partial dates at their latest",
            Self::NewTreatmentAsEvent => "Sensitivity: another treatment counts as the event",
            Self::CensoredAtLastImaging => "Sensitivity: censored at the last imaging",
            Self::UnknownCauseAsSarcoma => "Upper bound: unknown causes counted as sarcoma",
            Self::UnknownCauseAsOther => "Lower bound: unknown causes counted as others",
        }
    }
}

/// Why a curve is not drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CurveState {
    Shown,
    /// Nobody in the group.
    Empty,
    /// Fewer than 10 patients: not reliable.
    FewPatients,
    /// The estimate falls to 0 while people are still to enter: the early risk set was too small.
    ZeroBeforeLastEntry,
    /// Hidden by disclosure control.
    Suppressed,
}

/// Why there is no median.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MedianState {
    Shown,
    /// Survival has not fallen to one half.
    NotReached,
    /// Fewer than 5 events: not reliable.
    FewEvents,
    /// The curve itself is not shown.
    NoCurve,
}

/// One step of a curve: valid from `days` until the next step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CurveStep {
    pub days: f64,
    pub months: f64,
    /// Patients at risk just before this time.
    pub at_risk: u32,
    pub events: u32,
    pub censored: u32,
    pub survival: f64,
    /// Pointwise log-log 95 % interval; `None` where it is undefined (survival 0).
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// Number at risk, and the estimate, at a fixed time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LandmarkValue {
    pub months: f64,
    pub days: f64,
    /// Patients entered before and still followed at this time; `None` when hidden.
    pub at_risk: Option<u32>,
    /// `None` past the end of follow-up, or hidden.
    pub survival: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// A time with its interval; either end may be open.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TimeEstimate {
    pub days: f64,
    pub months: f64,
    pub lower_months: Option<f64>,
    pub upper_months: Option<f64>,
}

/// The fewest patients at risk at any event before the last entry, and when.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SmallestRiskSet {
    pub at_risk: u32,
    pub months: f64,
}

/// One group's curve under one analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SurvivalCurve {
    pub analysis: Analysis,
    /// `all`, `histology`.
    pub by: String,
    pub level: String,
    pub state: CurveState,
    pub suppressed: Option<Suppression>,
    pub patients: Option<u32>,
    pub events: Option<u32>,
    pub steps: Vec<CurveStep>,
    /// At 0, 12, 24, 36, 48 and 60 months.
    pub landmarks: Vec<LandmarkValue>,
    pub median: Option<TimeEstimate>,
    pub median_state: MedianState,
    /// Median follow-up by reverse Kaplan-Meier.
    pub follow_up: Option<TimeEstimate>,
    pub smallest_risk_set: Option<SmallestRiskSet>,
    /// Observed over potential follow-up to the cut-off (deaths count as complete), 0 to 1.
    pub follow_up_completeness: Option<f64>,
    /// Patients recorded as lost, and their share; over 10 % is printed beside the curve.
    pub lost: Option<u32>,
    pub lost_share: Option<f64>,
    pub lost_over_10_percent: bool,
    /// Where a patient may count several times: patients and events above are patients, the steps count episodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated: Option<Repeated>,
}

/// How many cases fell out of an endpoint, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FlowStep {
    /// Stable code, see [`crate::cohorts::LeftOut`].
    pub reason: String,
    /// The same in words.
    pub label: String,
    pub n: Option<u32>,
}

/// From all cases of the run to those in the primary estimate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Flow {
    pub cases: Option<u32>,
    pub left_out: Vec<FlowStep>,
    pub analysed: Option<u32>,
    /// What is not told of it, worked out over all endpoints of the run; kept with the exact result only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Withheld>,
}

/// Reasons (and `analysed`) whose counts an audience does not see.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = WithheldCounts)]
pub struct Withheld {
    pub committee: BTreeSet<String>,
    pub public: BTreeSet<String>,
}

/// A part of a result that an earlier run shows, because it has changed by few patients, or not at all, since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AsOf {
    /// `curves/primary/histology/lms`, `incidence/..`, `proportions/all/all`, `changes/6`, `landmarks/..`, `models/standard`,
    /// `centres/C01`, `flow`.
    pub part: String,
    /// Number of that run.
    pub run: i64,
}

/// What one centre has in a survival endpoint, by the centre of the metastatic diagnosis.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CentrePart {
    pub centre: String,
    /// Rows of the flow, and those of them analysed.
    pub cases: u32,
    pub analysed: u32,
    /// Patients in the primary estimate, and those of them with an event.
    pub patients: u32,
    pub events: u32,
}

/// A survival endpoint of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SurvivalResult {
    pub run: RunIdentity,
    /// `S1`.
    pub endpoint: String,
    pub title: String,
    pub origin: String,
    pub event: String,
    pub flow: Flow,
    /// Of those analysed: entered after the origin (delayed entry).
    pub entered_late: Option<u32>,
    /// `Primary`/`all` first, then the sensitivities of `all`, then primary by each stratum.
    pub curves: Vec<SurvivalCurve>,
    /// In the same order, where events compete.
    #[serde(default)]
    pub incidence: Vec<IncidenceCurve>,
    /// The test of every stratum (log-rank, or Gray's where events compete), or why there is none.
    #[serde(default)]
    pub tests: Vec<GroupTest>,
    /// Shares: all patients first.
    #[serde(default)]
    pub proportions: Vec<ProportionRow>,
    /// Changes since the baseline.
    #[serde(default)]
    pub changes: Vec<ChangeRow>,
    /// Comparisons by a treatment after the origin, each from a landmark on.
    #[serde(default)]
    pub landmark_comparisons: Vec<LandmarkComparison>,
    /// The standard adjustment set.
    #[serde(default)]
    pub models: Vec<AdjustedModel>,
    /// Centres given their case mix, where the endpoint compares them.
    #[serde(default)]
    pub centres: Option<CentreComparison>,
    /// Parts that stay as an earlier run showed them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub as_of: Vec<AsOf>,
    /// What each centre has in it: what disclosure control subtracts before that centre. In the exact document only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_centre: Vec<CentrePart>,
}

impl SurvivalResult {
    /// The earlier run a part is of.
    pub fn part_as_of(&self, part: &str) -> Option<i64> {
        let found = self.as_of.iter().find(|one| one.part == part);
        found.map(|one| one.run)
    }
}
