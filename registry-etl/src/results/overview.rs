//! The first page's numbers, and how well centres report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Lacking, RunIdentity, Suppression};

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

/// Cases that an estimate of overall survival leaves out: alive and dead. Deaths of all cases less its events tell how many of them died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOutOfSurvival {
    pub alive: u32,
    pub dead: u32,
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
    /// Of the cases those whose patient died up to the cut-off, whether or not an endpoint counts them.
    pub deaths: Option<u32>,
    /// As `cases_as_of`, of `deaths`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deaths_as_of: Option<i64>,
    /// Of the exact document alone, for disclosure control: by the primary estimate, and by the one with retrospective cases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out_of_survival: Vec<LeftOutOfSurvival>,
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
