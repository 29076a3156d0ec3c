//! What a run stores and what pages, the API and releases render: plain data, one JSON document per result kind.
//!
//! A run keeps the *exact* document. What a viewer receives went through [`crate::disclosure`] first: a count that must
//! not be shown is `None` (JSON `null`) and the row says why in `suppressed`. Times are days and months
//! (days / 30.4375), shares and rates are between 0 and 1, dates are ISO 8601.

mod case_mix;
mod centres;
pub mod completeness;
mod endpoints;
mod funnel;
mod half_years;
pub mod over_time;
mod what_if;

use std::collections::{BTreeMap, BTreeSet};

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
use serde::{Deserialize, Serialize};
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

/// What a row of a table is broken down by.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[schema(as = Breakdown)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// All centres together; the level is `all`.
    Network,
    /// One centre; the level is its id (or its letter after masking).
    Centre,
    /// Half-year of the metastatic diagnosis, `2025-H1`; network only.
    HalfYear,
    /// Calendar year of the metastatic diagnosis; network only.
    Year,
    /// Derived histology code; network only.
    Histology,
    /// `presentation.timing` of the first presentation; network only.
    Timing,
    /// Site of the lesions of the first presentation, `several` when they differ; network only.
    Organ,
    /// Third of the centres by yearly RPS volume: `low`, `middle`, `high`; network only.
    VolumeTertile,
    /// An element the measure names as a stratifier; the level is `entity.element=code`; network only.
    Stratum,
}

impl By {
    /// Every way but the network itself, which the others break down.
    pub const PARTS: [By; 8] = [
        By::Centre,
        By::HalfYear,
        By::Year,
        By::Histology,
        By::Timing,
        By::Organ,
        By::VolumeTertile,
        By::Stratum,
    ];

    /// The code in addresses and files.
    pub fn as_str(self) -> &'static str {
        match self {
            By::Network => "network",
            By::Centre => "centre",
            By::HalfYear => "half_year",
            By::Year => "year",
            By::Histology => "histology",
            By::Timing => "timing",
            By::Organ => "organ",
            By::VolumeTertile => "volume_tertile",
            By::Stratum => "stratum",
        }
    }
}

/// Which cases a row counts, by the date of the metastatic diagnosis.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[schema(as = ResultPeriod)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Every case of the run.
    All,
    /// Metastatic diagnosis within the 24 months before the cut-off: the default of every centre view.
    Last24Months,
}

/// Why a value is not shown to this viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Suppression {
    /// Fewer patients than the audience's threshold, or what such a value would follow from. Which of the two is not told: beside a
    /// sum it would bound both. (Runs made before said `complementary`.)
    #[serde(alias = "complementary")]
    FewPatients,
}

/// What stands where the rate would stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RateState {
    /// A rate with its interval.
    Rate,
    /// No assessable unit: print "not assessable", never 0 %.
    NotAssessable,
    /// More than 30 % not assessable: print "insufficient data"; counts and bounds are still given.
    Insufficient,
    /// Hidden by disclosure control.
    Suppressed,
}

/// Outcomes of one measure in one group of cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AdherenceRow {
    /// Measure id, e.g. `1a`.
    pub measure: String,
    pub by: By,
    pub level: String,
    pub period: Period,
    pub state: RateState,
    /// Set when the whole row is hidden.
    pub suppressed: Option<Suppression>,
    /// MET or USED units.
    pub numerator: Option<u32>,
    /// Assessable units: numerator + NOT_MET or NOT_USED.
    pub denominator: Option<u32>,
    pub excluded: Option<u32>,
    pub excepted: Option<u32>,
    pub not_in_denominator: Option<u32>,
    pub not_assessable: Option<u32>,
    /// The not-assessable units by reason and by the element that caused it, most frequent first.
    pub not_assessable_by: Vec<Lacking>,
    /// Patients with at least one assessable unit.
    pub patients: Option<u32>,
    /// Of those, patients all of whose assessable units are in the numerator.
    pub patients_all_met: Option<u32>,
    /// `numerator / denominator`, with its Wilson 95 % interval.
    pub rate: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Interval allowing for several units of one patient (event-unit measures only).
    pub clustered_lower: Option<f64>,
    pub clustered_upper: Option<f64>,
    /// The rate if no, or every, not-assessable unit were in the numerator.
    pub bound_low: Option<f64>,
    pub bound_high: Option<f64>,
    /// `not_assessable / (denominator + not_assessable)`.
    pub not_assessable_share: Option<f64>,
    /// More than 30 % not assessable.
    pub insufficient: bool,
    /// The earlier run whose numbers these are, because they have changed by few patients, or not at all, since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<i64>,
    /// Patients behind each count: what disclosure control measures. In the exact document only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<PatientBasis>,
}

/// Patients with at least one unit of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PatientBasis {
    pub numerator: u32,
    /// With a unit assessable and not in the numerator.
    pub complement: u32,
    pub excluded: u32,
    pub excepted: u32,
    pub not_in_denominator: u32,
    pub not_assessable: u32,
    /// Of the patients assessable, not assessable and set aside (by class): those who have such a unit at another level too, having been
    /// transferred. Levels that are centres or thirds of them share patients; their units are never counted twice.
    #[serde(default, skip_serializing_if = "nobody")]
    pub shared: [u32; 3],
}

fn nobody(patients: &[u32; 3]) -> bool {
    *patients == [0; 3]
}

/// Why units could not be assessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Lacking {
    /// `missing`, `unknown_recorded`, `section_not_attested`, `window_open`, `imprecise_date`, `edit_error`.
    pub reason: String,
    /// `entity.element`, or the entity whose section is not attested.
    pub element: Option<String>,
    pub n: u32,
}

/// What a page must know of a measure to head a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MeasureHead {
    pub id: String,
    pub statement: String,
    pub title: String,
    /// Level and grade of the statement, e.g. `VA`.
    pub grade: String,
    /// `adherence`, `avoidance`, `documentation`, `utilisation`, or `composite` (all or none of several measures).
    pub kind: String,
    /// What part of care it is about, as `imaging`.
    pub domain: Option<String>,
    /// Elements it is broken down by besides the common ones.
    #[serde(default)]
    pub stratifiers: Vec<String>,
    /// Parameters its rate rests on that neither the source fixes nor the committee has ratified.
    #[serde(default)]
    pub unratified: Vec<String>,
    /// `patient`, or the event that is counted (`lesion`, `imaging study`, ...).
    pub unit: String,
}

/// Adherence of a run: every measure by network and every way of [`By`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AdherenceTable {
    pub run: RunIdentity,
    /// First day of [`Period::Last24Months`].
    pub last_24_months_from: String,
    pub measures: Vec<MeasureHead>,
    /// Which third a centre is in by volume, `low`, `middle`, `high`: in the exact document only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub centre_tertiles: BTreeMap<String, String>,
    /// Ordered by measure (guideline order), `by`, `period`, `level`.
    pub rows: Vec<AdherenceRow>,
    /// Rows hidden from this viewer and rows in all; 0 of n in the exact document.
    pub rows_suppressed: u32,
    pub rows_total: u32,
}

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

/// Cases of one level of a breakdown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelCount {
    pub level: String,
    pub n: Option<u32>,
    pub suppressed: Option<Suppression>,
    /// The earlier run this is of, because it has changed by few patients, or not at all, since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<i64>,
}

/// Registered against seen, per centre.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CentreAccrual {
    pub centre: String,
    /// Cases in the run.
    pub cases: Option<u32>,
    /// Of those, metastatic diagnosis in the last 24 months.
    pub cases_last_24_months: Option<u32>,
    /// Eligible patients seen according to the centre table, over its years; `None` when no year is known.
    pub eligible_seen: Option<u32>,
    /// Cases registered in those years.
    pub registered_in_those_years: Option<u32>,
    /// Of its cases those among the deaths of the network; told to the centre itself and the coordinating office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deaths: Option<u32>,
    /// Its registrations by month, months without one left out; told to the centre itself and the coordinating office.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub months: BTreeMap<String, u32>,
    pub suppressed: Option<Suppression>,
    /// The earlier run this is of, because it has changed by few patients, or not at all, since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<i64>,
}

/// The first page's numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    pub run: RunIdentity,
    pub cases: Option<u32>,
    /// The earlier run `cases` is of, because it has changed by few patients, or not at all, since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cases_as_of: Option<i64>,
    pub centres: u32,
    /// By month of registration, `2025-03`, every month from the first to the cut-off.
    pub accrual: Vec<LevelCount>,
    pub by_centre: Vec<CentreAccrual>,
    pub by_histology: Vec<LevelCount>,
    pub by_eligibility: Vec<LevelCount>,
    /// `synchronous`, `metachronous`, `not_recorded`.
    pub by_timing: Vec<LevelCount>,
    pub deaths: Option<u32>,
    /// As `cases_as_of`, of `deaths`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deaths_as_of: Option<i64>,
    /// Observed over potential follow-up to the cut-off, 0 to 1.
    pub follow_up_completeness: Option<f64>,
}

/// Data quality of one centre (or of the network: `all`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CentreQuality {
    pub centre: String,
    pub cases: Option<u32>,
    /// Cases with at least one blocked element (error-severity edit).
    pub cases_with_errors: Option<u32>,
    /// Units not assessable over units assessable or not assessable, all measures together.
    pub not_assessable_share: Option<f64>,
    /// The elements that cost most units, at most ten.
    pub lacking: Vec<Lacking>,
    pub suppressed: Option<Suppression>,
    /// The earlier run this is of, because it has changed by few patients, or not at all, since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<i64>,
}

impl CentreQuality {
    /// The row of the same centre with nothing told.
    pub(crate) fn hidden(&self, why: Suppression) -> Self {
        Self {
            centre: self.centre.clone(),
            cases: None,
            cases_with_errors: None,
            not_assessable_share: None,
            lacking: Vec::new(),
            suppressed: Some(why),
            as_of: None,
        }
    }
}

/// Data quality of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Quality {
    pub run: RunIdentity,
    pub network: CentreQuality,
    pub centres: Vec<CentreQuality>,
}
