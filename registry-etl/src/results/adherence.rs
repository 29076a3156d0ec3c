//! Adherence tables: every measure by network, centre and the other ways of [`By`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::RunIdentity;

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
    /// Of the half-years that [`Period::Last24Months`] begins and ends in, the network's counts within it, by measure: in the exact document
    /// only. Runs made before did not keep them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(ignore)]
    pub window_edges: Vec<AdherenceRow>,
    /// Ordered by measure (guideline order), `by`, `period`, `level`.
    pub rows: Vec<AdherenceRow>,
    /// Rows hidden from this viewer and rows in all; 0 of n in the exact document.
    pub rows_suppressed: u32,
    pub rows_total: u32,
}
