//! Completeness and timeliness. How often an element is expected can tell how many patients died, so counts are for the centre itself and the
//! coordinating office; others get shares, rounded: of the network to a hundredth, of a centre to a twentieth. Without the counts behind
//! them nothing can be subtracted.

use super::{Audience, Thresholds, few};
use crate::results::Suppression;
use crate::results::completeness::{Answers, Completeness, FollowUp, NETWORK, Timeliness};

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
    match audience {
        Audience::Exact => return Some(exact.clone()),
        Audience::Centre(centre) if exact.level == *centre => return Some(exact.clone()),
        Audience::Centre(_) | Audience::Public if !network => return None,
        _ => {}
    }
    let hide = Hide {
        threshold: thresholds.of(audience),
        step: if network { NETWORK_STEP } else { CENTRE_STEP },
    };
    // A patient whom the centre shares with another is not its own alone: what is left is not made small by leaving it out.
    let patients_of = |found: Option<&Answers>| {
        found
            .and_then(|answers| answers.apart.or(answers.patients))
            .unwrap_or(0)
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
    for period in &mut shown.periods {
        let same = own.and_then(|own| {
            own.periods.iter().find(|other| {
                (other.by, &other.period, &other.section) == (period.by, &period.period, &period.section)
            })
        });
        hide.answers(&mut period.answers, patients_of(same.map(|same| &same.answers)));
    }
    for line in &mut shown.timeliness {
        let same = own.and_then(|own| own.timeliness.iter().find(|other| other.section == line.section));
        hide.timeliness(line, same.and_then(|same| same.patients).unwrap_or(0));
    }
    for line in &mut shown.registration_periods {
        let same = own.and_then(|own| {
            let mut periods = own.registration_periods.iter();
            periods.find(|other| other.period == line.period)
        });
        let of_own = same.and_then(|same| same.times.patients).unwrap_or(0);
        hide.timeliness(&mut line.times, of_own);
    }
    Some(shown)
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
