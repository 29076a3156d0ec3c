//! Deaths among all cases, and by centre: a centre knows its own, so disclosure control asks how many are left without them.

use super::columns::CaseColumns;
use crate::results::CentreAccrual;
use std::collections::BTreeMap;

/// Centre that registered each case of a patient who died up to the cut-off (a day number), whether or not an endpoint counts the case.
fn died(columns: &CaseColumns, cut_off: i32) -> impl Iterator<Item = &str> {
    let cases = columns.cases.iter().zip(&columns.facts);
    let dead = cases.filter(move |(_, facts)| {
        let survival = &facts.survival;
        survival.died_by(survival.cut_off.min(cut_off))
    });
    dead.map(move |(case, _)| columns.centres.name(case.registered))
}

/// Counts the deaths among the cases each centre registered, and of all.
pub(super) fn count(centres: &mut [CentreAccrual], columns: &CaseColumns, cut_off: i32) -> u32 {
    let mut deaths: BTreeMap<&str, u32> = BTreeMap::new();
    for centre in died(columns, cut_off) {
        *deaths.entry(centre).or_default() += 1;
    }
    for centre in centres {
        centre.deaths = Some(deaths.get(centre.centre.as_str()).copied().unwrap_or(0));
    }
    deaths.values().sum()
}
