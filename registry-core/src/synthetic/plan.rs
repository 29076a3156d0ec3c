//! What is done first, and when: drawn before the rows, because the work-up ends where treatment begins.

use chrono::NaiveDate;

use super::SyntheticCentre;
use super::course::Course;
use super::dice::{Dice, after};
use super::disease::Disease;

/// What the first treatment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Approach {
    /// No treatment was seen.
    Nothing,
    /// The primary, found together with its metastases, is resected first.
    Primary,
    /// Metastases are resected or ablated with curative intent.
    Curative,
    Systemic,
    /// Radiotherapy for symptoms.
    Palliative,
}

/// An interval without treatment, meant as such.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    pub(super) reason: &'static str,
    pub(super) start: NaiveDate,
    /// The last day of the interval, which nobody may have lived to see.
    pub(super) end: NaiveDate,
}

/// A look for a clinical trial.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screening {
    pub(super) date: NaiveDate,
    pub(super) outcome: &'static str,
    pub(super) local: bool,
    pub(super) enrolled: Option<NaiveDate>,
}

#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) approach: Approach,
    /// First treatment of metastatic disease, if the patient lived to have one.
    pub(super) first: Option<NaiveDate>,
    pub(super) wait: Option<Wait>,
    /// Whether waiting was judged unlikely to cost the resectability.
    pub(super) delay_is_safe: bool,
    /// Intent of the first systemic line.
    pub(super) intent: &'static str,
    /// Metastases go in the same operation as the primary.
    pub(super) combined: bool,
    /// After the primary, the metastases are resected too.
    pub(super) then_curative: bool,
    /// Every known site is to be cleared.
    pub(super) curative_everywhere: bool,
    pub(super) screening: Option<Screening>,
}

impl Plan {
    pub(super) fn draw(
        course: &Course,
        disease: &Disease,
        centre: &SyntheticCentre,
        dice: &mut Dice,
    ) -> Self {
        let base = course.t0.max(course.referral);
        let wait = Wait::draw(course, disease, centre, base, dice);
        let first = match (&wait, course.intraoperative(), course.emergency) {
            (_, true, _) => base,
            (_, _, true) => after(base, dice.between(0, 2)),
            (Some(wait), ..) => after(wait.end, dice.between(2, 20)),
            (None, ..) => after(base, dice.between(14, 70)),
        };
        let at_once = course.intraoperative() || course.emergency;
        let treated = at_once || (first < course.last_contact && dice.chance(0.93));
        let first = (treated && course.known(first)).then_some(first);
        let approach = if first.is_some() {
            approach(course, disease, centre, dice)
        } else {
            Approach::Nothing
        };
        let combined = approach == Approach::Curative && course.synchronous && dice.chance(0.85);
        let curative = approach == Approach::Curative;
        let intent = match (disease.resectability, disease.resectable()) {
            (_, true) => dice.pick(&[
                ("observe_biology", 3),
                ("downsizing_resection", 4),
                ("palliative", 3),
            ]),
            ("borderline", _) => dice.pick(&[
                ("downsizing_resection", 5),
                ("palliative", 4),
                ("downsizing_symptom", 1),
            ]),
            _ => dice.pick(&[
                ("palliative", 76),
                ("downsizing_symptom", 14),
                ("downsizing_resection", 10),
            ]),
        };
        let screening = Screening::draw(course, centre, first, dice);
        Self {
            approach,
            first,
            wait,
            delay_is_safe: dice.chance(centre.share("delay judged safe", 0.85)),
            intent,
            combined,
            then_curative: approach == Approach::Primary && disease.resectable() && dice.chance(0.5),
            curative_everywhere: dice.chance(if curative { 0.85 } else { 0.06 }),
            screening,
        }
    }

    /// The day the primary is resected after metastatic disease was found with it.
    pub(super) fn primary_resection(&self) -> Option<NaiveDate> {
        let resected = self.combined || self.approach == Approach::Primary;
        self.first.filter(|_| resected)
    }
}

impl Wait {
    fn draw(
        course: &Course,
        disease: &Disease,
        centre: &SyntheticCentre,
        base: NaiveDate,
        dice: &mut Dice,
    ) -> Option<Self> {
        if course.intraoperative() || course.emergency {
            return None;
        }
        let slow = disease.tempo == "indolent" || disease.low_volume();
        let (reason, days) =
            if disease.resectable() && dice.chance(centre.custom("observation of biology", 0.27)) {
                ("establish_biology", dice.between(22, 130))
            } else if slow && dice.chance(centre.custom("active surveillance", 0.38)) {
                let reason = if disease.tempo == "indolent" {
                    "indolent_disease"
                } else {
                    "limited_disease"
                };
                (reason, dice.between(50, 420))
            } else if dice.chance(0.03) {
                (
                    dice.pick(&[("patient_choice", 5), ("unfit", 5)]),
                    dice.between(30, 120),
                )
            } else {
                return None;
            };
        let start = after(base, dice.between(7, 24));
        course.known(start).then(|| Self {
            reason,
            start,
            end: after(start, days),
        })
    }
}

impl Screening {
    fn draw(
        course: &Course,
        centre: &SyntheticCentre,
        first: Option<NaiveDate>,
        dice: &mut Dice,
    ) -> Option<Self> {
        let room = (first.unwrap_or(after(course.t0, 60)).min(course.last_contact) - course.t0).num_days();
        let date = after(course.t0, dice.between(0, room.clamp(0, 40)));
        if !dice.chance(centre.share("trial screening", 0.68)) {
            return dice.chance(0.4).then_some(Self {
                date,
                outcome: "not_screened",
                local: centre.academic,
                enrolled: None,
            });
        }
        let local = dice.chance(if centre.academic { 0.75 } else { 0.2 });
        let outcome = dice.pick(if local {
            &[("enrolled", 22), ("ineligible", 66), ("eligible_declined", 12)]
        } else {
            &[("no_trial_available", 70), ("ineligible", 30), ("enrolled", 0)]
        });
        let enrolled = after(date, dice.between(3, 14));
        // Whoever dies or begins treatment before the trial does is not enrolled.
        let in_time = course.known(enrolled) && first.is_none_or(|first| enrolled <= first);
        Some(Self {
            date,
            outcome: match (outcome, in_time) {
                ("enrolled", false) => "ineligible",
                _ => outcome,
            },
            local,
            enrolled: (outcome == "enrolled" && in_time).then_some(enrolled),
        })
    }
}

fn approach(course: &Course, disease: &Disease, centre: &SyntheticCentre, dice: &mut Dice) -> Approach {
    if course.intraoperative() || (course.synchronous && course.equivocal && dice.chance(0.6)) {
        return Approach::Primary;
    }
    if course.ecog >= 3 {
        return dice.pick(&[(Approach::Palliative, 6), (Approach::Systemic, 4)]);
    }
    // Multifocal abdominal disease is left to systemic therapy, by most.
    let curative = match disease.resectability {
        _ if disease.multifocal() => {
            centre.custom("curative surgery of multifocal disease", 0.035)
                * f64::from(u8::from(!disease.widespread))
        }
        "resectable" => centre.custom("local treatment of resectable disease", 0.8),
        "borderline" => centre.custom("local treatment of borderline disease", 0.26),
        _ => 0.01,
    };
    if dice.chance(curative) {
        Approach::Curative
    } else if course.synchronous && dice.chance(0.12) {
        Approach::Primary
    } else {
        dice.pick(&[(Approach::Systemic, 92), (Approach::Palliative, 8)])
    }
}
