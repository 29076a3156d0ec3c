//! Centres by deaths observed over expected.
//!
//! What is thresholded is the patients behind a point (for the public also the deaths and the survivors). The points and those left out for
//! a missing covariate add up to the number analysed, which stands beside the curve: where few were left out a point is hidden
//! too, so that they do not follow. A centre sees its own point and the limits, no other's; where it stands together with others it sees
//! that point, if the others are not few. Everything else about a point is worked out anew from what is shown.

use super::suppression::{Cell, Family, Sum};
use super::{Audience, few};
use crate::cohorts::centres::place;
use crate::results::{CentreComparison, CentrePoint, ModelState};

/// The comparison as an audience may see it; `analysed` is the number in the primary estimate.
pub(super) fn shown(
    exact: &CentreComparison,
    analysed: u32,
    audience: &Audience,
    threshold: u32,
) -> CentreComparison {
    let mut shown = exact.clone();
    let (patients, events) = (exact.patients.unwrap_or(0), exact.events.unwrap_or(0));
    let left_out = exact.left_out.unwrap_or(0);
    let own = match audience {
        Audience::Centre(own) => Some(own.as_str()),
        _ => None,
    };
    let rest = own.map_or(threshold, |own| patients - own_counts(exact, own).0);
    let untold = patients < threshold
        || few(events, threshold)
        || few(patients - events, threshold)
        || few(rest, threshold);
    if untold {
        shown.centres.clear();
        shown.limits.clear();
        shown.state = ModelState::Suppressed;
        (shown.patients, shown.events, shown.left_out) = (None, None, None);
        (shown.concordance, shown.phi, shown.tau2) = (None, None, None);
        return shown;
    }
    if few(left_out, threshold) {
        (shown.patients, shown.events, shown.left_out) = (None, None, None);
    }
    let mut family = Family::default();
    let total = family.add(Cell::of(analysed));
    let points: Vec<usize> = exact
        .centres
        .iter()
        .map(|one| family.add(cell(one, audience)))
        .collect();
    let rest = family.add(Cell::implied(analysed.saturating_sub(patients)));
    let parts = points.iter().copied().chain([rest]).collect();
    family.sums.push(Sum { total, parts });
    // The number in the model stands beside the points.
    let model = family.add(Cell::of(patients));
    if shown.patients.is_some() && !points.is_empty() {
        family.sums.push(Sum {
            total: model,
            parts: points,
        });
    }
    let hidden = family.protect(threshold);
    if hidden.get(model).is_some_and(Option::is_some) {
        (shown.patients, shown.events, shown.left_out) = (None, None, None);
    }
    shown.centres = Vec::new();
    for (point, why) in exact.centres.iter().zip(hidden.iter().skip(1)) {
        let is_own = own == Some(point.centre.as_str());
        let mine = own.and_then(|own| point.members.iter().find(|one| one.centre == own));
        if own.is_some() && !is_own && mine.is_none() {
            continue;
        }
        let others = mine.map_or(threshold, |mine| {
            point.patients.unwrap_or(0).saturating_sub(mine.patients)
        });
        let counts = point.patients.zip(point.observed).zip(point.expected);
        let all_own = is_own || others == 0;
        let mut next = match counts {
            Some(((n, o), e)) if all_own || why.is_none() && !few(others, threshold) => {
                CentrePoint::counted(&point.centre, n, o, e)
            }
            _ => CentrePoint::hidden(&point.centre, why.or(Some(super::FEW))),
        };
        next.pooled = point.pooled;
        next.own_among = mine.is_some();
        shown.centres.push(next);
    }
    if place(&mut shown).is_err() {
        shown.centres.clear();
    }
    shown
}

fn cell(point: &CentrePoint, audience: &Audience) -> Cell {
    let (patients, observed) = (point.patients.unwrap_or(0), point.observed.unwrap_or(0));
    Cell {
        smallest: match audience {
            Audience::Public => patients.min(observed).min(patients - observed.min(patients)),
            _ => patients,
        },
        ..Cell::of(patients)
    }
}

/// Patients and deaths of a centre, in a point of its own or among those that stand together.
fn own_counts(exact: &CentreComparison, own: &str) -> (u32, u32) {
    let alone = exact.centres.iter().find(|one| one.centre == own);
    let alone = alone.and_then(|one| one.patients.zip(one.observed));
    let among = || {
        let mut members = exact.centres.iter().flat_map(|one| &one.members);
        let found = members.find(|one| one.centre == own);
        found.map(|one| (one.patients, one.observed))
    };
    alone.or_else(among).unwrap_or_default()
}
