//! The dates that carry a case, drawn first so that every row can be placed in order.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::dice::{Dice, after};
use super::{CohortPlan, SyntheticCentre};

/// Mean survival from metastatic diagnosis in days: an exponential with a median near 16 months, 7 % at five years.
const MEAN_SURVIVAL_DAYS: f64 = 16.0 * 30.4375 / std::f64::consts::LN_2;

/// Histology with its ICD-O-3 morphology, share of the cohort, and hazard of death relative to the whole.
pub(super) const HISTOLOGIES: &[(Histology, u32)] = &[
    (
        Histology {
            code: "ddlps",
            morphology: "8858/3",
            hazard: 1.15,
            abdominal: 0.72,
        },
        400,
    ),
    (
        Histology {
            code: "lms",
            morphology: "8890/3",
            hazard: 0.85,
            abdominal: 0.15,
        },
        310,
    ),
    (
        Histology {
            code: "wdlps",
            morphology: "8851/3",
            hazard: 0.6,
            abdominal: 0.85,
        },
        90,
    ),
    (
        Histology {
            code: "sft",
            morphology: "8815/3",
            hazard: 0.75,
            abdominal: 0.35,
        },
        60,
    ),
    (
        Histology {
            code: "ups",
            morphology: "8802/3",
            hazard: 1.5,
            abdominal: 0.4,
        },
        45,
    ),
    (
        Histology {
            code: "mpnst",
            morphology: "9540/3",
            hazard: 1.6,
            abdominal: 0.3,
        },
        35,
    ),
    (
        Histology {
            code: "ss",
            morphology: "9040/3",
            hazard: 1.1,
            abdominal: 0.2,
        },
        35,
    ),
    (
        Histology {
            code: "pecoma",
            morphology: "8714/3",
            hazard: 1.0,
            abdominal: 0.4,
        },
        9,
    ),
    (
        Histology {
            code: "imt",
            morphology: "8825/1",
            hazard: 0.7,
            abdominal: 0.5,
        },
        6,
    ),
    (
        Histology {
            code: "not_listed",
            morphology: "8852/3",
            hazard: 1.0,
            abdominal: 0.5,
        },
        10,
    ),
];

/// A histology of the cohort.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Histology {
    /// Local code; says nothing to the service, which derives its own.
    pub(super) code: &'static str,
    pub(super) morphology: &'static str,
    pub(super) hazard: f64,
    /// Share with intra-abdominal rather than distant disease.
    pub(super) abdominal: f64,
}

/// One patient's dates.
#[derive(Debug, Clone)]
pub(super) struct Course {
    pub(super) histology: Histology,
    pub(super) birth_year: i32,
    pub(super) synchronous: bool,
    pub(super) retrospective: bool,
    pub(super) grade: i64,
    /// ECOG performance status before the first treatment.
    pub(super) ecog: i64,
    /// Intra-abdominal multifocal disease, alone or with distant metastases.
    pub(super) abdominal: bool,
    /// Every suspected lesion is indeterminate on imaging.
    pub(super) equivocal: bool,
    /// Relations to vessels and nerves decide what can be removed.
    pub(super) neurovascular: bool,
    /// Disease everywhere in the abdomen: nothing to resect.
    pub(super) widespread: bool,
    /// First histological diagnosis of the primary.
    pub(super) diagnosis: NaiveDate,
    /// Definitive resection of the primary before metastatic disease, if there was one.
    pub(super) resection: Option<NaiveDate>,
    /// First metastatic or multifocal recurrent disease.
    pub(super) t0: NaiveDate,
    pub(super) referral: NaiveDate,
    pub(super) registration: NaiveDate,
    /// First treatment of metastatic disease, if the patient lived to have one.
    pub(super) first_treatment: Option<NaiveDate>,
    pub(super) death: Option<NaiveDate>,
    pub(super) lost: bool,
    /// Last day anything is known.
    pub(super) last_contact: NaiveDate,
    /// When the record was last sent.
    pub(super) submitted_at: DateTime<Utc>,
}

impl Course {
    pub(super) fn draw(plan: &CohortPlan, _centre: &SyntheticCentre, dice: &mut Dice) -> Self {
        let histology = dice.pick(HISTOLOGIES);
        let retrospective = dice.chance(0.04);
        // Accrual grows over five years: the later of two uniform days.
        let span = 5 * 365;
        let back = dice.between(30, span).min(dice.between(30, span + 300));
        let registration = after(plan.as_of, -back);
        let late = dice.chance(0.07);
        let lag = match (retrospective, late) {
            (true, _) => dice.between(200, 1500),
            (false, true) => dice.between(60, 320),
            (false, false) => dice.between(0, 28),
        };
        let t0 = after(registration, -lag);
        let referral = after(t0, dice.between(0, lag.clamp(0, 21)));
        // Exponential survival has no memory: whoever was registered alive lives on as from the start.
        let survives_from = if retrospective { t0 } else { registration };
        let lived = dice.exponential(MEAN_SURVIVAL_DAYS / histology.hazard).max(1);
        let would_die = after(survives_from, lived);
        let lost = dice.chance(0.04);
        let censored = if lost {
            after(registration, dice.between(30, back.max(31)))
        } else {
            after(plan.as_of, -dice.between(3, 75).min(back))
        }
        .max(registration)
        .min(plan.as_of);
        let death = (would_die <= censored).then_some(would_die);
        let last_contact = death.unwrap_or(censored);
        let synchronous = dice.chance(if histology.code == "lms" { 0.4 } else { 0.28 });
        let diagnosis = if synchronous {
            after(t0, -dice.between(0, 60))
        } else {
            after(t0, -(150 + dice.exponential(620.0).min(5000)))
        };
        let resection = (!synchronous && dice.chance(0.94)).then(|| after(diagnosis, dice.between(20, 75)));
        let treatment = after(t0.max(referral), dice.between(14, 70));
        let treated = treatment < last_contact && dice.chance(0.9);
        let abdominal = dice.chance(histology.abdominal);
        Self {
            histology,
            ecog: dice.pick(&[(0, 40), (1, 40), (2, 14), (3, 6)]),
            abdominal,
            equivocal: dice.chance(0.07),
            neurovascular: dice.chance(0.14),
            widespread: abdominal && dice.chance(0.3),
            birth_year: t0.year() - i32::try_from(dice.between(34, 84)).unwrap_or(60),
            synchronous,
            retrospective,
            grade: dice.pick(if histology.code == "wdlps" {
                &[(1, 9), (2, 1), (3, 0)]
            } else {
                &[(1, 1), (2, 4), (3, 5)]
            }),
            diagnosis,
            resection,
            t0,
            referral,
            registration,
            first_treatment: treated.then_some(treatment),
            lost: lost && death.is_none(),
            death,
            last_contact,
            submitted_at: submission(
                plan,
                last_contact.max(registration),
                death.is_none() && !lost,
                dice,
            ),
        }
    }

    /// Whether `date` is within what is known of the patient.
    pub(super) fn known(&self, date: NaiveDate) -> bool {
        date <= self.last_contact
    }

    /// Day `days` after T0, the last contact at the latest.
    pub(super) fn by(&self, days: i64) -> NaiveDate {
        after(self.t0, days).min(self.last_contact).max(self.t0)
    }

    /// The day before treatment (or, untreated, `cap` days after T0), never after the last contact.
    pub(super) fn work_up_end(&self, cap: i64) -> NaiveDate {
        after(self.first_treatment.unwrap_or(after(self.t0, cap)), -1)
            .min(self.last_contact)
            .max(self.t0)
    }
}

/// The record in its last form: a living patient's goes out again every night, a closed one's some weeks after the end.
/// Never before the registration, never after the plan's last day.
fn submission(plan: &CohortPlan, known_until: NaiveDate, living: bool, dice: &mut Dice) -> DateTime<Utc> {
    let closed = after(known_until, dice.between(3, 40)).min(plan.as_of);
    let day = if living { plan.as_of } else { closed };
    (day.and_time(NaiveTime::MIN) + TimeDelta::seconds(dice.between(0, 3_600))).and_utc()
}
