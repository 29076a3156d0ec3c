//! The invented centres: size, quality, adherence, yearly reference rows.

use chrono::Datelike;
use serde_json::{Value, json};

use super::CohortPlan;
use super::course::accrued;
use super::dice::Dice;

/// How well a centre fills in its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// Hardly a gap.
    Good,
    /// Some gaps.
    Middling,
    /// Many gaps and sections left unattested; a few centres, deliberately.
    Poor,
}

/// One invented centre.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticCentre {
    /// `C01` onwards.
    pub id: String,
    /// An invented name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// How it fills in its records.
    pub quality: Quality,
    /// Share of the recommended acts that are done, 0 to 1.
    pub adherence: f64,
    /// Whether the steering committee ratified it as a specialised sarcoma centre.
    pub specialised: bool,
    /// Whether it runs interventional sarcoma trials.
    pub academic: bool,
    /// Whether it attested expertise in minimally invasive metastasectomy.
    pub minimally_invasive: bool,
    /// Relative size.
    pub weight: u32,
    /// What its own habits are drawn from.
    salt: u64,
    /// Reference rows by year, as the centre table takes them.
    pub years: Vec<(i32, Value)>,
}

/// The adherence of a centre that does what the network does.
const TYPICAL_ADHERENCE: f64 = 0.85;

impl SyntheticCentre {
    /// The share of patients for whom the centre does `act`, when the network does it for `base` of them: the odds are
    /// shifted by the centre's adherence and by a strength or weakness of its own.
    pub(super) fn share(&self, act: &str, base: f64) -> f64 {
        self.shifted(act, base, 7.0 * (self.adherence - TYPICAL_ADHERENCE), 1.8)
    }

    /// As `share`, for acts that are a matter of custom, not of adherence.
    pub(super) fn custom(&self, act: &str, base: f64) -> f64 {
        self.shifted(act, base, 0.0, 2.2)
    }

    fn shifted(&self, act: &str, base: f64, standing: f64, spread: f64) -> f64 {
        // FNV-1a over the act names the stream, so that an act added later leaves the others as they are.
        let stream = act.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        });
        let own = Dice::new(self.salt, stream).unit() - 0.5;
        let odds = (base / (1.0 - base)).ln() + standing + spread * own;
        1.0 / (1.0 + (-odds).exp())
    }
}

const COUNTRIES: &[&str] = &[
    "IT", "GB", "FR", "DE", "NL", "ES", "PL", "BE", "PT", "SE", "US", "US", "US", "US", "US", "CA", "CA",
    "CA", "US", "IT", "FR", "GB", "DE", "US", "US", "CA", "CH", "AT", "DK", "NO", "IE", "US", "FR", "IT",
    "US",
];
const TREES: &[&str] = &[
    "Alder", "Ash", "Aspen", "Beech", "Birch", "Cedar", "Cherry", "Chestnut", "Cypress", "Elder", "Elm",
    "Fir", "Hawthorn", "Hazel", "Holly", "Hornbeam", "Juniper", "Larch", "Laurel", "Lime", "Linden", "Maple",
    "Mulberry", "Oak", "Olive", "Pear", "Pine", "Plane", "Poplar", "Rowan", "Spruce", "Sycamore", "Walnut",
    "Willow", "Yew",
];

/// The centres of a plan, by id.
pub fn centres(plan: &CohortPlan) -> Vec<SyntheticCentre> {
    (0..plan.centres).map(|n| one(plan, n)).collect()
}

/// The centre of a case, drawn by size.
pub(super) fn draw(plan: &CohortPlan, dice: &mut Dice) -> SyntheticCentre {
    let weights: Vec<(u32, u32)> = (0..plan.centres).map(|n| (n, weight(n))).collect();
    let chosen = if weights.is_empty() {
        0
    } else {
        dice.pick(&weights)
    };
    one(plan, chosen)
}

/// A few large centres and a long tail.
fn weight(n: u32) -> u32 {
    60 / (n + 2) + 5
}

/// Share of the registrations that fall into a calendar year.
fn accrued_in(plan: &CohortPlan, year: i32) -> f64 {
    let back = |year: i32| {
        let first = chrono::NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or(plan.as_of);
        (plan.as_of - first).num_days()
    };
    accrued(back(year)) - accrued(back(year + 1))
}

fn one(plan: &CohortPlan, n: u32) -> SyntheticCentre {
    let mut dice = Dice::new(plan.seed ^ 0x0043_454E_5452_4553, u64::from(n) + 1);
    let place = n as usize;
    // Four deliberately poor recorders, spread over the sizes.
    let quality = match n {
        6 | 14 | 23 | 31 => Quality::Poor,
        _ if n % 3 == 1 => Quality::Middling,
        _ => Quality::Good,
    };
    let adherence = match n {
        3 | 19 => 0.55,
        _ => 0.74 + 0.22 * dice.unit(),
    };
    let specialised = !matches!(n, 27 | 33);
    let academic = n < 12 || dice.chance(0.4);
    let minimally_invasive = n < 9 || n.is_multiple_of(3);
    let all: u32 = (0..plan.centres).map(weight).sum();
    let share = f64::from(weight(n)) / f64::from(all.max(1));
    let volume = i64::from(weight(n)) * 3 + dice.between(0, 10);
    let this_year = plan.as_of.year();
    let years = (this_year - 11..=this_year)
        .map(|year| {
            let registered = f64::from(plan.cases) * share * accrued_in(plan, year);
            let eligible = (registered * (1.05 + 0.5 * dice.unit())).ceil() as i64;
            let row = json!({
                "centre_id": id(n),
                "effective_year": year,
                "is_specialised_sarcoma_centre": specialised,
                "annual_rps_volume": volume,
                // Nobody counted before the registry began.
                "eligible_seen": if registered > 0.0 { json!(eligible) } else { json!({"absent": "unknown"}) },
                "consent_refused": dice.between(0, eligible / 8),
                "annual_metastasectomy_volume": volume / 4,
                "mis_metastasectomy_programme": minimally_invasive,
                "academic_trial_centre": academic,
            });
            (year, row)
        })
        .collect();
    SyntheticCentre {
        id: id(n),
        name: format!("{} Sarcoma Centre (invented)", TREES[place % TREES.len()]),
        country: COUNTRIES[place % COUNTRIES.len()],
        quality,
        adherence,
        specialised,
        academic,
        minimally_invasive,
        weight: weight(n),
        salt: plan.seed ^ (u64::from(n) << 32),
        years,
    }
}

fn id(n: u32) -> String {
    format!("C{:02}", n + 1)
}
