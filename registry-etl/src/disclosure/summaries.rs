//! Overview and data quality.

use super::suppression::{Cell, Family, Sum};
use super::{Audience, Thresholds, few};
use crate::results::{CentreAccrual, CentreQuality, LevelCount, Overview, Quality, Suppression};

/// The overview as an audience may see it. Takes the exact overview of a run.
pub fn overview(exact: &Overview, audience: &Audience, thresholds: &Thresholds) -> Overview {
    let threshold = thresholds.of(audience);
    if threshold == 0 {
        return exact.clone();
    }
    let mut shown = exact.clone();
    let total = exact.cases.unwrap_or(0);
    let others = |own: &CentreAccrual| total - own.cases.unwrap_or(0);
    let own = match audience {
        Audience::Centre(id) => exact.by_centre.iter().find(|c| c.centre == *id),
        _ => None,
    };
    let hide_total = few(total, threshold) || own.is_some_and(|own| few(others(own), threshold));
    shown.cases = exact.cases.filter(|_| !hide_total);
    for levels in [
        &mut shown.accrual,
        &mut shown.by_histology,
        &mut shown.by_eligibility,
        &mut shown.by_timing,
    ] {
        protect_levels(levels, total, threshold);
    }
    let deaths = exact.deaths.unwrap_or(0);
    shown.deaths = exact
        .deaths
        .filter(|_| !few(deaths, threshold) && !few(total - deaths.min(total), threshold));
    shown.follow_up_completeness = exact.follow_up_completeness.filter(|_| !hide_total);
    protect_centres(&mut shown.by_centre, total, threshold);
    if let Audience::Centre(_) = audience {
        shown.by_centre = own.cloned().into_iter().collect();
    }
    shown
}

/// A breakdown of all cases; cases in no level are a part nobody publishes.
fn protect_levels(levels: &mut [LevelCount], cases: u32, threshold: u32) {
    let mut family = Family::default();
    let total = family.add(Cell::of(cases));
    let mut parts: Vec<usize> = levels
        .iter()
        .map(|l| family.add(Cell::of(l.n.unwrap_or(0))))
        .collect();
    let listed: u32 = levels.iter().filter_map(|l| l.n).sum();
    parts.push(family.add(Cell::implied(cases.saturating_sub(listed))));
    family.sums.push(Sum { total, parts });
    let hidden = family.protect(threshold);
    for (level, hidden) in levels.iter_mut().zip(hidden.iter().skip(1)) {
        level.suppressed = *hidden;
        level.n = level.n.filter(|_| hidden.is_none());
    }
}

/// Cases per centre, of them the last 24 months, of them those in years with a known number seen.
fn protect_centres(centres: &mut [CentreAccrual], cases: u32, threshold: u32) {
    let mut family = Family::default();
    let total = family.add(Cell::of(cases));
    let mut places = Vec::new();
    for centre in centres.iter() {
        let all = centre.cases.unwrap_or(0);
        let whole = family.add(Cell::of(all));
        let mut part = |n: Option<u32>| {
            let part = family.add(Cell::of(n.unwrap_or(0)));
            let rest = family.add(Cell::implied(all - n.unwrap_or(0).min(all)));
            family.sums.push(Sum {
                total: whole,
                parts: vec![part, rest],
            });
            part
        };
        let recent = part(centre.cases_last_24_months);
        let in_years = centre.registered_in_those_years.map(|n| part(Some(n)));
        places.push((whole, recent, in_years));
    }
    let parts = places.iter().map(|p| p.0).collect();
    family.sums.push(Sum { total, parts });
    let hidden = family.protect(threshold);
    for (centre, (whole, recent, in_years)) in centres.iter_mut().zip(places) {
        centre.suppressed = hidden[whole];
        centre.cases = centre.cases.filter(|_| hidden[whole].is_none());
        centre.cases_last_24_months = centre.cases_last_24_months.filter(|_| hidden[recent].is_none());
        let keep = in_years.is_some_and(|cell| hidden[cell].is_none());
        centre.registered_in_those_years = centre.registered_in_those_years.filter(|_| keep);
    }
}

/// Data quality as an audience may see it. Takes the exact document of a run.
pub fn quality(exact: &Quality, audience: &Audience, thresholds: &Thresholds) -> Quality {
    let threshold = thresholds.of(audience);
    if threshold == 0 {
        return exact.clone();
    }
    let mut shown = exact.clone();
    let hidden = protect_counts(exact, threshold, |c| c.cases.unwrap_or(0));
    let errors = protect_counts(exact, threshold, |c| c.cases_with_errors.unwrap_or(0));
    for (at, centre) in std::iter::once(&mut shown.network)
        .chain(&mut shown.centres)
        .enumerate()
    {
        centre.cases_with_errors = centre.cases_with_errors.filter(|_| errors[at].is_none());
        centre.lacking.retain(|l| l.n >= threshold);
        if let Some(why) = hidden[at] {
            *centre = CentreQuality {
                centre: std::mem::take(&mut centre.centre),
                cases: None,
                cases_with_errors: None,
                not_assessable_share: None,
                lacking: Vec::new(),
                suppressed: Some(why),
            };
        }
    }
    if let Audience::Centre(own) = audience {
        shown.centres = exact
            .centres
            .iter()
            .filter(|c| c.centre == *own)
            .cloned()
            .collect();
    }
    shown
}

/// Network first, then centres.
fn protect_counts(
    exact: &Quality,
    threshold: u32,
    count: fn(&CentreQuality) -> u32,
) -> Vec<Option<Suppression>> {
    let mut family = Family::default();
    let total = family.add(Cell::of(count(&exact.network)));
    let parts = exact
        .centres
        .iter()
        .map(|c| family.add(Cell::of(count(c))))
        .collect();
    family.sums.push(Sum { total, parts });
    family.protect(threshold)
}
