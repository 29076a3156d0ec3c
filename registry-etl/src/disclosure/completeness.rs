//! Completeness and timeliness. How often an element is expected can tell how many patients died, so counts are for the centre itself and the
//! coordinating office; others get shares, rounded: of the network to a hundredth, of a centre to a twentieth. Without the counts behind
//! them little can be subtracted; but of whom something was expected in a half-year may be known from elsewhere (all cases of it, for an
//! element every case has), and then a hidden share would follow from the share of the whole and those of the other half-years. So the
//! patients of a series of periods are protected as parts of a sum, which is shown. Medians do not add up.

use std::collections::BTreeMap;

use super::suppression::{Cell, Family, Sum};
use super::{Audience, Thresholds, few};
use crate::results::completeness::{Answers, Completeness, FollowUp, NETWORK, PeriodTimeliness, Timeliness};
use crate::results::{OverTime, Suppression};

/// Steps shares of the network are rounded to.
const NETWORK_STEP: f64 = 0.01;
/// Steps shares of one centre are rounded to.
const CENTRE_STEP: f64 = 0.05;

/// One level as an audience may see it, `None` when not at all. `own` is the level of the centre that looks: what is left of the network
/// without it must be enough, too.
pub fn completeness(
    exact: &Completeness,
    own: Option<&Completeness>,
    audience: &Audience,
    thresholds: &Thresholds,
) -> Option<Completeness> {
    let network = exact.level == NETWORK;
    let hide = match Sight::of(&exact.level, audience, thresholds) {
        Sight::Exact => return Some(exact.clone()),
        Sight::Nothing => return None,
        Sight::Shares(hide) => hide,
    };
    let mut shown = exact.clone();
    let own_cases = own.and_then(|own| own.cases).unwrap_or(0);
    let too_few = hide.too_few(exact.cases, own_cases);
    shown.cases = exact.cases.filter(|_| network && !too_few);
    let of_own = own.and_then(|own| own.follow_up.patients).unwrap_or(0);
    hide.follow_up(&mut shown.follow_up, of_own);
    let of_own = own.and_then(|own| own.registration.patients).unwrap_or(0);
    hide.timeliness(&mut shown.registration, of_own);
    for section in &mut shown.sections {
        let same = own.and_then(|own| own.sections.iter().find(|other| other.section == section.section));
        hide.answers(&mut section.answers, patients_of(same.map(|same| &same.answers)));
        section.closed_share = section
            .closed_share
            .filter(|_| !too_few)
            .map(|share| rounded(share, hide.step));
    }
    for element in &mut shown.elements {
        let same = own.and_then(|own| own.elements.iter().find(|other| other.element == element.element));
        hide.answers(&mut element.answers, patients_of(same.map(|same| &same.answers)));
    }
    let own_periods = own.into_iter().flat_map(|own| &own.periods);
    let own_periods: BTreeMap<_, _> = own_periods
        .map(|one| ((one.by, one.section.as_str(), one.period.as_str()), &one.answers))
        .collect();
    let mut series: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (period, line) in exact.periods.iter().zip(&mut shown.periods) {
        let key = (period.by, period.section.as_str(), period.period.as_str());
        let own = patients_of(own_periods.get(&key).copied());
        let of_section = series.entry((period.by, &period.section)).or_default();
        of_section.push((&mut line.answers, own));
    }
    series
        .into_values()
        .for_each(|of_section| hide.series(of_section));
    for line in &mut shown.timeliness {
        let same = own.and_then(|own| own.timeliness.iter().find(|other| other.section == line.section));
        hide.timeliness(line, same.and_then(|same| same.patients).unwrap_or(0));
    }
    let own_periods = own.map_or(&[][..], |own| &own.registration_periods);
    hide.periods(&mut shown.registration_periods, own_periods);
    Some(shown)
}

/// Elements and times to submission of one level by half-year as an audience may see them, `None` when not at all. Takes what is exact of
/// the level, and of the centre that looks.
pub fn over_time(
    exact: OverTime,
    own: Option<&OverTime>,
    audience: &Audience,
    thresholds: &Thresholds,
) -> Option<OverTime> {
    let hide = match Sight::of(&exact.level, audience, thresholds) {
        Sight::Exact => return Some(exact),
        Sight::Nothing => return None,
        Sight::Shares(hide) => hide,
    };
    let own_elements = own.into_iter().flat_map(|own| &own.elements);
    let own_elements: BTreeMap<_, _> = own_elements
        .map(|one| ((one.element.as_str(), one.period.as_str()), &one.answers))
        .collect();
    let mut shown = exact;
    let mut series: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for one in &mut shown.elements {
        let key = (one.element.as_str(), one.period.as_str());
        let own = patients_of(own_elements.get(&key).copied());
        series
            .entry(&one.element)
            .or_default()
            .push((&mut one.answers, own));
    }
    series
        .into_values()
        .for_each(|of_element| hide.series(of_element));
    let own_periods = own.map_or(&[][..], |own| &own.timeliness);
    hide.periods(&mut shown.timeliness, own_periods);
    Some(shown)
}

/// How an audience sees a level.
enum Sight {
    Exact,
    Nothing,
    Shares(Hide),
}

impl Sight {
    fn of(level: &str, audience: &Audience, thresholds: &Thresholds) -> Self {
        let network = level == NETWORK;
        match audience {
            Audience::Exact => Self::Exact,
            Audience::Centre(centre) if level == centre => Self::Exact,
            Audience::Centre(_) | Audience::Public if !network => Self::Nothing,
            _ => Self::Shares(Hide {
                threshold: thresholds.of(audience),
                step: if network { NETWORK_STEP } else { CENTRE_STEP },
            }),
        }
    }
}

/// Patients of the centre that looks. One whom it shares with another is not its own alone: what is left is not made small by leaving it out.
fn patients_of(own: Option<&Answers>) -> u32 {
    own.and_then(|answers| answers.apart.or(answers.patients))
        .unwrap_or(0)
}

struct Hide {
    threshold: u32,
    step: f64,
}

impl Hide {
    /// Few patients, or few besides those of the centre that looks.
    fn too_few(&self, patients: Option<u32>, own: u32) -> bool {
        let patients = patients.unwrap_or(0);
        few(patients, self.threshold) || few(patients.saturating_sub(own), self.threshold)
    }

    fn answers(&self, answers: &mut Answers, own: u32) {
        let hidden = self.too_few(answers.patients, own);
        self.shares(answers, hidden);
    }

    /// Answers of one thing in the periods of it, each with the patients of the centre that looks. A patient is in one period only.
    fn series(&self, mut periods: Vec<(&mut Answers, u32)>) {
        let all = periods.iter().map(|(answers, _)| answers.patients.unwrap_or(0));
        let others = periods
            .iter()
            .map(|(answers, own)| answers.patients.unwrap_or(0).saturating_sub(*own));
        let hidden: Vec<bool> = self
            .parts(&all.collect::<Vec<_>>())
            .into_iter()
            .zip(self.parts(&others.collect::<Vec<_>>()))
            .map(|(of_all, of_others)| of_all || of_others)
            .collect();
        for ((answers, _), hidden) in periods.iter_mut().zip(hidden) {
            self.shares(answers, hidden);
        }
    }

    /// Which parts of a sum that is shown are hidden.
    fn parts(&self, patients: &[u32]) -> Vec<bool> {
        if !patients.iter().any(|n| few(*n, self.threshold)) {
            return vec![false; patients.len()];
        }
        let mut family = Family::default();
        let total = family.add(Cell::of(patients.iter().sum()));
        let parts = patients.iter().map(|n| family.add(Cell::of(*n))).collect();
        family.sums.push(Sum { total, parts });
        let hidden = family.protect(self.threshold);
        hidden.iter().skip(1).map(Option::is_some).collect()
    }

    fn shares(&self, answers: &mut Answers, hidden: bool) {
        let share = |share: Option<f64>| share.filter(|_| !hidden).map(|share| rounded(share, self.step));
        *answers = Answers {
            patients: None,
            apart: None,
            counts: None,
            known_share: share(answers.known_share),
            answered_share: share(answers.answered_share),
            suppressed: hidden.then_some(Suppression::FewPatients),
        };
    }

    fn follow_up(&self, follow_up: &mut FollowUp, own: u32) {
        let hidden = self.too_few(follow_up.patients, own);
        *follow_up = FollowUp {
            patients: None,
            observed_days: None,
            potential_days: None,
            index: follow_up
                .index
                .filter(|_| !hidden)
                .map(|index| rounded(index, NETWORK_STEP)),
            suppressed: hidden.then_some(Suppression::FewPatients),
        };
    }

    /// Times to submission by section and period, beside those of the centre that looks.
    fn periods(&self, shown: &mut [PeriodTimeliness], own: &[PeriodTimeliness]) {
        for line in shown {
            let same = own
                .iter()
                .find(|own| (&own.times.section, &own.period) == (&line.times.section, &line.period));
            self.timeliness(
                &mut line.times,
                same.and_then(|own| own.times.patients).unwrap_or(0),
            );
        }
    }

    fn timeliness(&self, line: &mut Timeliness, own: u32) {
        let hidden = self.too_few(line.patients, own);
        let whole = |days: Option<f64>| days.filter(|_| !hidden).map(f64::round);
        *line = Timeliness {
            section: std::mem::take(&mut line.section),
            patients: None,
            rows: None,
            lower_quartile: whole(line.lower_quartile),
            median: whole(line.median),
            upper_quartile: whole(line.upper_quartile),
            suppressed: hidden.then_some(Suppression::FewPatients),
        };
    }
}

/// To the nearest step; written so that 0.85 comes out as 0.85.
fn rounded(share: f64, step: f64) -> f64 {
    let steps = (1.0 / step).round();
    (share * steps).round() / steps
}
