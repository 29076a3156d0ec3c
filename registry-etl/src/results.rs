//! What a run stores and what pages, the API and releases render: plain data, one JSON document per result kind.
//!
//! A run keeps the *exact* document. What a viewer receives went through [`crate::disclosure`] first: a count that must
//! not be shown is `None` (JSON `null`) and the row says why in `suppressed`. Times are days and months
//! (days / 30.4375), shares and rates are between 0 and 1, dates are ISO 8601.

mod adherence;
mod case_mix;
mod centres;
pub mod completeness;
mod endpoints;
mod funnel;
mod half_years;
pub mod over_time;
mod overview;
mod survival;
mod what_if;

use std::collections::BTreeMap;

pub use adherence::{
    AdherenceRow, AdherenceTable, By, Lacking, MeasureHead, PatientBasis, Period, RateState, Suppression,
};
pub use case_mix::{AdjustedCentre, CaseMix, CaseMixState, CaseMixTable, Coefficient, Trend, TrendPoint};
pub use centres::{CentreComparison, CentrePoint, POOLED, PoolMember, RatioLimits};
pub use completeness::Completeness;
pub use endpoints::{
    AdjustedModel, AtRisk, CauseIncidence, ChangeRow, GroupTest, IncidenceCurve, IncidenceStep,
    IncidenceValue, LandmarkComparison, LandmarkContrast, ModelState, ProportionRow, Ratio, Repeated,
    TestKind,
};
pub use funnel::{
    Funnel, FunnelLimits, FunnelPoint, Funnels, NotAssessableFunnel, NotAssessablePoint, Position,
};
pub use half_years::{CentreHalfYears, HalfYearCounts};
pub use over_time::OverTime;
pub use overview::{CentreAccrual, CentreQuality, LeftOutOfSurvival, LevelCount, Overview, Quality};
use serde::{Deserialize, Serialize};
pub use survival::{
    Analysis, AsOf, CentrePart, CurveState, CurveStep, Flow, FlowStep, LandmarkValue, MedianState,
    SmallestRiskSet, SurvivalCurve, SurvivalResult, TimeEstimate, Withheld,
};
pub use what_if::{CentreChange, CheckChange, Comparison, MeasureChange, Move, RuleSet, Sensitivity, Side};

/// Names under which a run stores its documents (`kind` of a stored result; `key` is empty unless said otherwise).
pub mod kind {
    /// [`super::AdherenceTable`].
    pub const ADHERENCE: &str = "adherence";
    /// [`super::Funnels`]: one funnel per measure, rolling 24 months.
    pub const FUNNELS: &str = "funnels";
    /// [`super::SurvivalResult`]; the key is the endpoint (`S1`).
    pub const SURVIVAL: &str = "survival";
    /// [`super::Overview`].
    pub const OVERVIEW: &str = "overview";
    /// [`super::Quality`].
    pub const QUALITY: &str = "quality";
    /// [`super::Completeness`], exact; the key is empty for the network, else the centre.
    pub const COMPLETENESS: &str = "completeness";
    /// [`super::over_time::OverTimeRows`], exact; the key as of `completeness`. None in a run made before it was kept.
    pub const COMPLETENESS_OVER_TIME: &str = "completeness_over_time";
    /// [`super::CentreHalfYears`], exact; the key is the centre. None in a run made before it was kept.
    pub const HALF_YEARS: &str = "half_years";
    /// [`super::CentresOfRun`]: which centres there were, whether they have cases or not.
    pub const CENTRES: &str = "centres";
    /// [`super::WorkLoads`]; for the coordinating office.
    pub const WORK: &str = "work";
    /// [`super::CaseMixTable`], exact: what a viewer receives depends on the rates shown to it.
    pub const CASE_MIX: &str = "case_mix";
    /// What an audience may see beside the runs published before, of a run that is not the first published; the key is kind and audience:
    /// `adherence/committee`.
    pub const BESIDE: &str = "beside";
    /// [`super::Sensitivity`], computed on demand; the key is `PARAMETER=value`.
    pub const SENSITIVITY: &str = "sensitivity";
    /// [`super::Comparison`] with rules not yet published, computed on demand; the key is version and digest.
    pub const PREVIEW: &str = "preview";
}

/// How much work the cases of a run bring their centres, by centre and kind of item; no item and no case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkLoads {
    pub run: RunIdentity,
    /// Items by kind, of every centre that has any.
    pub centres: BTreeMap<String, BTreeMap<String, usize>>,
}

/// Identity of the run a document belongs to; enough to compute it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunIdentity {
    /// Number of the run, counted from 1.
    pub run: i64,
    /// Administrative cut-off date; later events are not seen.
    pub cut_off: String,
    /// Schema version the run reads cases as.
    pub schema_version: String,
    /// Guideline id and version.
    pub guideline: String,
    pub guideline_version: String,
    /// Version of the code that evaluated.
    pub engine_version: String,
}

/// The centres there were when a run counted: what the letters that stand for them are dealt out to, so that a centre added later changes
/// nothing of what was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CentresOfRun {
    pub run: RunIdentity,
    /// Ids, in order.
    pub centres: Vec<String>,
}
