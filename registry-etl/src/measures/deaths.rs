//! Deaths by centre: a centre knows its own, so disclosure control asks how many are left without them.

use super::columns::CaseColumns;
use crate::cohorts::settle::{DateReading, settle};
use crate::results::CentreAccrual;
use std::collections::BTreeMap;

/// Counts the deaths among the cases each centre registered, as the overview counts those of all. `cut_off` is a day number.
pub(super) fn by_centre(centres: &mut [CentreAccrual], columns: &CaseColumns, cut_off: i32) {
    let mut deaths: BTreeMap<&str, u32> = BTreeMap::new();
    for (case, facts) in columns.cases.iter().zip(&columns.facts) {
        let settled = settle(&facts.survival, cut_off, DateReading::Fifteenth, false);
        if settled.is_ok_and(|settled| settled.event) {
            *deaths.entry(columns.centres.name(case.registered)).or_default() += 1;
        }
    }
    for centre in centres {
        centre.deaths = Some(deaths.get(centre.centre.as_str()).copied().unwrap_or(0));
    }
}
