//! Who the patient is and the dates that carry a case, drawn first so that every row can be placed in order.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::CohortPlan;
use super::dice::{Dice, after};

/// Mean survival from metastatic diagnosis in days: an exponential with a median near 16 months, 7 % at five years.
const MEAN_SURVIVAL_DAYS: f64 = 16.0 * 30.4375 / std::f64::consts::LN_2;

/// Six years of accrual, so that somebody is still at risk at five years.
const ACCRUAL_DAYS: i64 = 6 * 365;

/// Share of the registrations that lie at most `days` back; [`Course::draw`] draws them so.
pub(super) fn accrued(days: i64) -> f64 {
    let part = days.clamp(0, ACCRUAL_DAYS) as f64 / ACCRUAL_DAYS as f64;
    0.5 * part + 0.5 * (1.0 - (1.0 - part).powi(2))
}

/// How far back a centre enters its patients of the years before the registry: within the centre table.
const FARTHEST_BACK_DAYS: i64 = 3_700;

/// Histology with its ICD-O-3 morphology and share of the cohort.
pub(super) const HISTOLOGIES: &[(Histology, u32)] = &[
    (histology("ddlps", "8858/3", 1.1, 0.72), 391),
    (histology("lms", "8890/3", 0.92, 0.15), 300),
    (histology("wdlps", "8851/3", 0.68, 0.85), 85),
    (histology("sft", "8815/3", 0.8, 0.35), 65),
    (histology("ups", "8802/3", 1.5, 0.4), 45),
    (histology("mpnst", "9540/3", 1.6, 0.3), 35),
    (histology("ss", "9040/3", 1.1, 0.2), 40),
    (histology("pecoma", "8714/3", 1.0, 0.4), 19),
    (histology("imt", "8825/1", 0.7, 0.5), 13),
    (histology("not_listed", "8852/3", 1.0, 0.5), 7),
];

/// A histology of the cohort.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Histology {
    /// Local code; says nothing to the service, which derives its own.
    pub(super) code: &'static str,
    pub(super) morphology: &'static str,
    /// Hazard of death relative to the whole.
    pub(super) hazard: f64,
    /// Share with intra-abdominal rather than distant disease.
    pub(super) abdominal: f64,
}

const fn histology(code: &'static str, morphology: &'static str, hazard: f64, abdominal: f64) -> Histology {
    Histology {
        code,
        morphology,
        hazard,
        abdominal,
    }
}

/// One patient.
#[derive(Debug, Clone)]
pub(super) struct Course {
    pub(super) histology: Histology,
    pub(super) birth_year: i32,
    pub(super) synchronous: bool,
    pub(super) retrospective: bool,
    pub(super) grade: i64,
    /// How kind the disease is, 0 to 1: the quantile of the survival drawn. Kind disease is oftener limited, slow and
    /// resected, so that the resected live longer without the resection being the cause.
    pub(super) biology: f64,
    /// ECOG performance status before the first treatment.
    pub(super) ecog: i64,
    pub(super) contraindication: &'static str,
    pub(super) lung_compromised: bool,
    /// Relevance of another malignancy before this one, if there was one.
    pub(super) prior_malignancy: Option<bool>,
    pub(super) syndrome: Option<&'static str>,
    /// Intra-abdominal disease, alone or with distant metastases.
    pub(super) abdominal: bool,
    /// Every suspected lesion is indeterminate on imaging.
    pub(super) equivocal: bool,
    /// Relations to vessels and nerves decide what can be removed.
    pub(super) neurovascular: bool,
    /// Treatment had to start within three days.
    pub(super) emergency: bool,
    pub(super) detection: &'static str,
    /// First histological diagnosis of the primary.
    pub(super) diagnosis: NaiveDate,
    /// Definitive resection of the primary before metastatic disease, if there was one.
    pub(super) resection: Option<NaiveDate>,
    /// First metastatic or multifocal recurrent disease.
    pub(super) t0: NaiveDate,
    pub(super) referral: NaiveDate,
    pub(super) registration: NaiveDate,
    pub(super) death: Option<NaiveDate>,
    pub(super) lost: bool,
    /// Last day anything is known.
    pub(super) last_contact: NaiveDate,
    /// When the record was last sent.
    pub(super) submitted_at: DateTime<Utc>,
}

/// When the patient fell ill, came, and died.
struct Calendar {
    retrospective: bool,
    t0: NaiveDate,
    referral: NaiveDate,
    registration: NaiveDate,
    biology: f64,
    death: Option<NaiveDate>,
    lost: bool,
    last_contact: NaiveDate,
}

impl Calendar {
    fn draw(plan: &CohortPlan, hazard: f64, dice: &mut Dice) -> Self {
        let retrospective = dice.chance(0.075);
        // Accrual grows: half the days are the later of two uniform ones.
        let back = if dice.chance(0.5) {
            dice.between(45, ACCRUAL_DAYS)
        } else {
            dice.between(45, ACCRUAL_DAYS).min(dice.between(45, ACCRUAL_DAYS))
        };
        let registration = after(plan.as_of, -back);
        let (t0, lag) = if retrospective {
            // Most patients entered afterwards are those of the eighth to tenth year before.
            let near = if dice.chance(0.85) { 2_870 } else { 0 }.max(back + 200);
            let far = dice.between(near, FARTHEST_BACK_DAYS);
            (after(plan.as_of, -far), far - back)
        } else {
            // Two patients in five are registered on the day metastatic disease is found, most others within a month.
            let lag = match dice.pick(&[(0, 43), (1, 50), (2, 7)]) {
                0 => 0,
                1 => dice.between(1, 28),
                _ => dice.between(60, 320),
            };
            (after(registration, -lag), lag)
        };
        let referral = after(t0, dice.between(0, lag.clamp(0, 21)));
        // Exponential survival has no memory: whoever was registered alive lives on as from the start.
        let survives_from = if retrospective { t0 } else { registration };
        let biology = dice.unit();
        let would_die = after(
            survives_from,
            quantile(biology, MEAN_SURVIVAL_DAYS / hazard).max(1),
        );
        let lost = dice.chance(0.035);
        let censored = if lost {
            after(registration, dice.between(30, back.max(31)))
        } else {
            after(plan.as_of, -dice.between(3, 75).min(back))
        }
        .max(registration)
        .min(plan.as_of);
        let death = (would_die <= censored).then_some(would_die);
        Self {
            retrospective,
            t0,
            referral,
            registration,
            biology,
            lost: lost && death.is_none(),
            last_contact: death.unwrap_or(censored),
            death,
        }
    }
}

impl Course {
    pub(super) fn draw(plan: &CohortPlan, dice: &mut Dice) -> Self {
        let histology = dice.pick(HISTOLOGIES);
        let Calendar {
            retrospective,
            t0,
            mut referral,
            registration,
            biology,
            death,
            lost,
            last_contact,
        } = Calendar::draw(plan, histology.hazard, dice);
        let detection = dice.pick(&[
            ("imaging", 87),
            ("biopsy", 6),
            ("clinical", 4),
            ("intraoperative", 3),
        ]);
        let intraoperative = detection == "intraoperative";
        // Found at the operation of the primary: the patient was there already.
        if intraoperative {
            referral = t0;
        }
        let synchronous = intraoperative || dice.chance(if histology.code == "lms" { 0.38 } else { 0.27 });
        let diagnosis = if synchronous {
            after(t0, -dice.between(0, 60))
        } else {
            after(t0, -(150 + dice.exponential(620.0).min(5000)))
        };
        let resection = (!synchronous && dice.chance(0.94)).then(|| after(diagnosis, dice.between(20, 75)));
        Self {
            histology,
            biology,
            ecog: dice.pick(&[(0, 40), (1, 40), (2, 14), (3, 6)]),
            contraindication: dice.pick(&[
                ("none", 90),
                ("cardiac", 6),
                ("cumulative_dose", 2),
                ("other", 2),
            ]),
            lung_compromised: dice.chance(0.34),
            prior_malignancy: dice.chance(0.08).then(|| dice.chance(0.7)),
            syndrome: dice
                .chance(0.035)
                .then(|| dice.pick(&[("nf1", 6), ("li_fraumeni", 3), ("lynch", 1)])),
            abdominal: dice.chance(histology.abdominal),
            equivocal: dice.chance(if synchronous { 0.2 } else { 0.07 }),
            neurovascular: dice.chance(0.16),
            emergency: !intraoperative && dice.chance(0.03),
            detection,
            birth_year: t0.year() - i32::try_from(dice.between(34, 84)).unwrap_or(60),
            synchronous,
            retrospective,
            // Kind disease is oftener of low grade.
            grade: dice.pick(match (histology.code, biology > 0.6) {
                ("wdlps", _) => &[(1, 90), (2, 10), (3, 0)],
                (_, true) => &[(1, 17), (2, 56), (3, 27)],
                (_, false) => &[(1, 7), (2, 36), (3, 57)],
            }),
            diagnosis,
            resection,
            t0,
            referral,
            registration,
            submitted_at: submission(
                plan,
                last_contact.max(registration),
                death.is_none() && !lost,
                dice,
            ),
            lost,
            death,
            last_contact,
        }
    }

    /// Whether `date` is within what is known of the patient.
    pub(super) fn known(&self, date: NaiveDate) -> bool {
        date <= self.last_contact
    }

    pub(super) fn intraoperative(&self) -> bool {
        self.detection == "intraoperative"
    }
}

/// The day by which a share `biology` has died, of an exponential with this mean.
#[expect(clippy::cast_possible_truncation, reason = "a few thousand days at most")]
fn quantile(biology: f64, mean: f64) -> i64 {
    (-(1.0 - biology).ln() * mean).round() as i64
}

/// The record in its last form: a living patient's goes out again every night, a closed one's some weeks after the end.
/// Never before the registration, never after the plan's last day.
fn submission(plan: &CohortPlan, known_until: NaiveDate, living: bool, dice: &mut Dice) -> DateTime<Utc> {
    let closed = after(known_until, dice.between(3, 40)).min(plan.as_of);
    let day = if living { plan.as_of } else { closed };
    (day.and_time(NaiveTime::MIN) + TimeDelta::seconds(dice.between(0, 3_600))).and_utc()
}
