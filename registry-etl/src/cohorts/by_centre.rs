//! What each centre has in an endpoint. A centre knows its own patients, so disclosure control asks what is left without them.

use super::endpoint::count;
use super::units::{Cohort, Unit};
use crate::results::CentrePart;
use std::collections::BTreeMap;

/// Rows, rows analysed, patients analysed and patients with the event by centre, ordered by its name; nothing where the cases do not tell their
/// centres. `outcome` says of the row at a position whether it has the event, `None` when it is not analysed.
pub(super) fn by_centre(
    units: &[Unit<'_>],
    cohort: &Cohort<'_>,
    outcome: impl Fn(usize) -> Option<bool>,
) -> Vec<CentrePart> {
    let mut parts: BTreeMap<&str, (CentrePart, BTreeMap<usize, bool>)> = BTreeMap::new();
    for (at, unit) in units.iter().enumerate() {
        let Some(centre) = cohort.centre_of(unit.at) else {
            return Vec::new();
        };
        let (part, patients) = parts.entry(centre).or_default();
        part.cases += 1;
        if let Some(event) = outcome(at) {
            part.analysed += 1;
            *patients.entry(unit.at).or_default() |= event;
        }
    }
    let of = |(centre, (part, patients)): (&str, (CentrePart, BTreeMap<usize, bool>))| CentrePart {
        centre: centre.to_owned(),
        patients: count(patients.len()),
        events: count(patients.values().filter(|event| **event).count()),
        ..part
    };
    parts.into_iter().map(of).collect()
}
