//! Overview and data quality.

use super::suppression::{Cell, Family, Sum};
use super::{Audience, FEW, Thresholds, few};
use crate::results::{
    CentreAccrual, CentreQuality, LeftOutOfSurvival, LevelCount, Overview, Quality, Suppression,
};

/// The overview as an audience may see it. Takes the exact overview of a run.
pub fn overview(exact: &Overview, audience: &Audience, thresholds: &Thresholds) -> Overview {
    if let Audience::Centre(own) = audience {
        let committee = overview(exact, &Audience::Committee, thresholds);
        return overview_for_centre(exact, &committee, own, thresholds);
    }
    let threshold = thresholds.of(audience);
    if threshold == 0 {
        return exact.clone();
    }
    let mut shown = exact.clone();
    let total = exact.cases.unwrap_or(0);
    let hide_total = few(total, threshold);
    shown.cases = exact.cases.filter(|_| !hide_total);
    for levels in breakdowns(&mut shown) {
        protect_levels(levels, total, threshold);
    }
    let deaths = exact.deaths.unwrap_or(0);
    let left_out = std::mem::take(&mut shown.left_out_of_survival);
    let left_few = |out: &LeftOutOfSurvival| few(out.alive, threshold) || few(out.dead, threshold);
    shown.deaths = exact
        .deaths
        .filter(|_| !few(deaths, threshold) && !few(total - deaths.min(total), threshold))
        .filter(|_| !left_out.iter().any(left_few));
    shown.follow_up_completeness = exact.follow_up_completeness.filter(|_| !hide_total);
    protect_centres(&mut shown.by_centre, total, threshold);
    shown
}

/// The overview as a centre may see it, from the exact one and the committee's: its own line exactly, no other's, and no total that
/// few other cases, deaths or survivors are behind, nor what adds up to it.
pub fn overview_for_centre(
    exact: &Overview,
    committee: &Overview,
    own: &str,
    thresholds: &Thresholds,
) -> Overview {
    let own = exact.by_centre.iter().find(|one| one.centre == own);
    let own_cases = own.and_then(|one| one.cases).unwrap_or(0);
    let own_deaths = own.and_then(|one| one.deaths).unwrap_or(0);
    let (cases, deaths) = (exact.cases.unwrap_or(0), exact.deaths.unwrap_or(0));
    let others = cases.saturating_sub(own_cases);
    let died = deaths.saturating_sub(own_deaths);
    let few = |n: u32| few(n, thresholds.committee);
    let mut shown = committee.clone();
    if few(others) {
        (shown.cases, shown.follow_up_completeness) = (None, None);
        // Each adds up to all cases.
        for levels in breakdowns(&mut shown) {
            for level in levels {
                (level.n, level.as_of, level.suppressed) = (None, None, Some(FEW));
            }
        }
    }
    if few(others) || few(died) || few(others.saturating_sub(died)) {
        shown.deaths = None;
    }
    shown.by_centre = own.cloned().into_iter().collect();
    shown
}

fn breakdowns(overview: &mut Overview) -> [&mut Vec<LevelCount>; 4] {
    [
        &mut overview.accrual,
        &mut overview.by_histology,
        &mut overview.by_eligibility,
        &mut overview.by_timing,
    ]
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

/// Cases per centre, of them the last 24 months, of them those in years with a known number seen. What all centres have of each is told
/// elsewhere: cases of the last 24 months are the patients of a measure that asks every one, those in known years stand beside those seen.
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
    let mut sum_of = |parts: Vec<usize>| {
        let patients = parts.iter().map(|part| family.cells[*part].patients).sum();
        let total = family.add(Cell::of(patients));
        family.sums.push(Sum { total, parts });
        total
    };
    let all_recent = sum_of(places.iter().map(|p| p.1).collect());
    let all_in_years = sum_of(places.iter().filter_map(|p| p.2).collect());
    let mut hidden = family.protect(threshold);
    // A total that had to go is told all the same: then no part is.
    for (_, recent, in_years) in &places {
        hidden[*recent] = hidden[*recent].or(hidden[all_recent]);
        if let Some(in_years) = in_years {
            hidden[*in_years] = hidden[*in_years].or(hidden[all_in_years]);
        }
    }
    for (centre, (whole, recent, in_years)) in centres.iter_mut().zip(places) {
        centre.deaths = None;
        centre.months.clear();
        centre.suppressed = hidden[whole];
        centre.cases = centre.cases.filter(|_| hidden[whole].is_none());
        centre.cases_last_24_months = centre.cases_last_24_months.filter(|_| hidden[recent].is_none());
        let keep = in_years.is_some_and(|cell| hidden[cell].is_none());
        centre.registered_in_those_years = centre.registered_in_those_years.filter(|_| keep);
    }
}

/// Data quality as an audience may see it. Takes the exact document of a run.
pub fn quality(exact: &Quality, audience: &Audience, thresholds: &Thresholds) -> Quality {
    if let Audience::Centre(own) = audience {
        let committee = quality(exact, &Audience::Committee, thresholds);
        return quality_for_centre(exact, &committee, own, thresholds);
    }
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
            *centre = centre.hidden(why);
        }
    }
    shown
}

/// Data quality as a centre may see it, from the exact document and the committee's: its own line exactly, no other's, and no network
/// line that few other cases are behind.
pub fn quality_for_centre(
    exact: &Quality,
    committee: &Quality,
    own: &str,
    thresholds: &Thresholds,
) -> Quality {
    let own: Vec<CentreQuality> = exact
        .centres
        .iter()
        .filter(|one| one.centre == own)
        .cloned()
        .collect();
    let others = |of: fn(&CentreQuality) -> Option<u32>| {
        let own: u32 = own.iter().filter_map(of).sum();
        of(&exact.network).unwrap_or(0).saturating_sub(own)
    };
    let mut shown = committee.clone();
    if few(others(|one| one.cases), thresholds.committee) {
        shown.network = shown.network.hidden(FEW);
    }
    if few(others(|one| one.cases_with_errors), thresholds.committee) {
        shown.network.cases_with_errors = None;
    }
    shown.centres = own;
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
