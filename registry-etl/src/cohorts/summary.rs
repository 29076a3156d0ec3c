//! A case in one row: the disease at the metastatic diagnosis, what was done about it, overall survival.

use super::LeftOut;
use super::course::LocalTreatment;
use super::definition::Definition;
use super::estimate::primary;
use super::facts::RecordedDate;
use super::settle::Settled;
use super::strata::{ecog, interval};
use super::units::{ablates, known, resects, units};
use crate::measures::CaseFacts;

/// One row of a case. Days count from the metastatic diagnosis; a date known to the month is read as its 15th.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseSummary {
    /// Level of the disease-free interval before presentation 1.
    pub interval: Option<&'static str>,
    /// Performance status nearest to the metastatic diagnosis.
    pub ecog: Option<u8>,
    /// Rows of local treatment by what they are.
    pub metastasectomies: usize,
    pub ablations: usize,
    /// The first metastasectomy; none where one is undated.
    pub first_metastasectomy: Option<i32>,
    /// Start, class of regimen and best response of the first line of the metastatic setting.
    pub first_line: Option<i32>,
    pub first_regimen: Option<String>,
    pub first_response: Option<String>,
    pub recurrences: usize,
    /// Overall survival as its primary estimate takes it.
    pub overall: Result<Settled, LeftOut>,
}

impl CaseSummary {
    /// Summarises a case; `overall` is the endpoint of overall survival, `run_cut_off` a day number.
    pub fn of(overall: &Definition, case: &CaseFacts, run_cut_off: i32) -> Self {
        let units = units(overall, std::slice::from_ref(case));
        let settled = primary(&units, run_cut_off).into_iter().next();
        let (unit, course) = (units.first(), &case.course);
        let origin = known(case.survival.origin);
        let since = |date: RecordedDate| Some(known(date)? - origin?);
        let resected: Vec<&LocalTreatment> = course.locals.iter().filter(|one| resects(one)).collect();
        let days: Option<Vec<i32>> = resected.iter().map(|one| since(one.date)).collect();
        let first = course.lines.iter().find(|line| line.number == Some(1));
        Self {
            interval: unit.and_then(interval),
            ecog: unit.and_then(|unit| ecog(unit, origin?)),
            metastasectomies: resected.len(),
            ablations: course.locals.iter().filter(|one| ablates(one)).count(),
            first_metastasectomy: days.and_then(|days| days.into_iter().min()),
            first_line: first.and_then(|line| since(line.start)),
            first_regimen: first.and_then(|line| line.regimen.clone()),
            first_response: first.and_then(|line| line.response.clone()),
            recurrences: course.progressions.iter().filter(|one| one.recurrence).count(),
            overall: settled.map_or(Err(LeftOut::NoOrigin), |row| row.map(|(_, settled)| settled)),
        }
    }
}
