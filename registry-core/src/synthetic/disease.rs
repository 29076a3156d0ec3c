//! What the metastatic disease is: its sites, how much of it, how fast, and what could be removed; and the rows that
//! say so.

use serde_json::json;

use super::course::Course;
use super::dice::Dice;
use super::draft::Draft;

/// A site of the index presentation, one row of `lesion`.
#[derive(Debug, Clone)]
pub(super) struct Lesion {
    pub(super) id: String,
    pub(super) site: &'static str,
    pub(super) count: i64,
    pub(super) mm: i64,
    /// Volume of the liver replaced, in percent.
    pub(super) liver_pct: Option<i64>,
    pub(super) pattern: &'static str,
    pub(super) unusual: bool,
    pub(super) laterality: &'static str,
    /// Proven by the biopsy that found the disease.
    pub(super) proven: bool,
}

/// The disease of the index presentation.
#[derive(Debug, Clone)]
pub(super) struct Disease {
    pub(super) lesions: Vec<Lesion>,
    /// One retroperitoneal mass and nothing else.
    pub(super) solitary: bool,
    /// Disease everywhere in the abdomen: nothing to resect.
    pub(super) widespread: bool,
    pub(super) pattern: &'static str,
    /// Number of lesions; 999 when they are too many to count.
    pub(super) count: i64,
    pub(super) largest: i64,
    pub(super) resectability: &'static str,
    pub(super) tempo: &'static str,
}

impl Disease {
    pub(super) fn draw(course: &Course, dice: &mut Dice) -> Self {
        let solitary = course.abdominal && dice.chance(0.22);
        let widespread = course.abdominal && !solitary && dice.chance(0.33);
        let limited = solitary || (!widespread && dice.chance(0.22 + 0.5 * course.biology));
        let sites = sites(course.abdominal, solitary, limited, dice);
        let lesions: Vec<Lesion> = (0..sites.len())
            .map(|n| {
                let widespread = n == 0 && widespread;
                Lesion::draw(course, n, sites[n], (solitary, limited, widespread), dice)
            })
            .collect();
        let seen: i64 = lesions.iter().map(|lesion| lesion.count).sum();
        let count = match (widespread, limited) {
            (true, _) if dice.chance(0.3) => 999,
            (_, true) => seen,
            _ => seen + dice.between(0, 4),
        };
        let resectability = match (widespread, limited) {
            (true, _) => "unresectable",
            (_, true) => dice.pick(&[("resectable", 66), ("borderline", 22), ("unresectable", 12)]),
            _ => dice.pick(&[("resectable", 18), ("borderline", 30), ("unresectable", 52)]),
        };
        let slow = 0.06 + 0.3 * course.biology + if course.grade == 1 { 0.15 } else { 0.0 };
        let tempo = if dice.chance(slow) {
            "indolent"
        } else if dice.chance(0.5 - 0.35 * course.biology) {
            "aggressive"
        } else {
            "intermediate"
        };
        Self {
            largest: lesions.iter().map(|lesion| lesion.mm).max().unwrap_or(10),
            solitary,
            widespread,
            pattern: match (course.abdominal && !solitary, sites.len()) {
                (true, 1) => "multifocal_intraabdominal",
                (true, _) => "both",
                (false, _) => "distant",
            },
            lesions,
            count,
            resectability,
            tempo,
        }
    }

    pub(super) fn has(&self, site: &str) -> bool {
        self.lesions.iter().any(|lesion| lesion.site == site)
    }

    pub(super) fn resectable(&self) -> bool {
        self.resectability == "resectable"
    }

    /// Several masses within the abdomen, with or without distant disease.
    pub(super) fn multifocal(&self) -> bool {
        self.pattern != "distant"
    }

    /// Few and small.
    pub(super) fn low_volume(&self) -> bool {
        self.count <= 3 && self.largest <= 30
    }

    /// A liver full of disease, and little elsewhere.
    pub(super) fn bulky_liver(&self) -> bool {
        let bulky = self
            .lesions
            .iter()
            .filter(|lesion| lesion.site == "liver")
            .any(|liver| liver.count >= 5 || liver.mm > 50 || liver.liver_pct >= Some(25));
        let elsewhere: i64 = self
            .lesions
            .iter()
            .filter(|lesion| lesion.site != "liver")
            .map(|lesion| lesion.count)
            .sum();
        bulky && elsewhere <= 3
    }
}

impl Lesion {
    fn draw(
        course: &Course,
        n: usize,
        site: &'static str,
        (solitary, limited, widespread): (bool, bool, bool),
        dice: &mut Dice,
    ) -> Self {
        let laterality = dice.pick(if solitary {
            &[("contralateral", 65), ("ipsilateral", 25), ("midline", 10)]
        } else {
            &[("contralateral", 3), ("ipsilateral", 5), ("midline", 2)]
        });
        let count = match (solitary, widespread, limited) {
            (true, ..) => 1,
            (_, true, _) => dice.between(12, 40),
            (.., true) => dice.between(1, 2),
            // The liver is seldom hit once.
            _ if site == "liver" => dice.between(2, 12),
            _ => dice.between(1, 7),
        };
        Self {
            id: format!("L{}", n + 1),
            site,
            count,
            mm: if limited && !solitary {
                dice.between(6, 42)
            } else {
                dice.between(10, 95)
            },
            liver_pct: (site == "liver").then(|| {
                if limited {
                    dice.between(1, 12)
                } else {
                    dice.between(4, 60)
                }
            }),
            pattern: if course.equivocal {
                "equivocal"
            } else if solitary {
                dice.pick(&[("typical", 50), ("atypical", 35), ("equivocal", 15)])
            } else {
                dice.pick(&[("typical", 78), ("atypical", 13), ("equivocal", 9)])
            },
            unusual: dice.chance(0.06),
            laterality,
            proven: n == 0 && course.detection == "biopsy",
        }
    }
}

fn sites(abdominal: bool, solitary: bool, limited: bool, dice: &mut Dice) -> Vec<&'static str> {
    let mut sites = vec![match (abdominal, solitary) {
        (_, true) => "retroperitoneum",
        (true, _) => dice.pick(&[("peritoneum", 7), ("retroperitoneum", 5)]),
        _ => dice.pick(&[
            ("lung", 58),
            ("liver", 32),
            ("bone", 7),
            ("soft_tissue", 7),
            ("lymph_node", 2),
        ]),
    }];
    if !solitary && dice.chance(if limited { 0.3 } else { 0.55 }) {
        let more = dice.pick(&[
            ("lung", 6),
            ("liver", 7),
            ("bone", 4),
            ("soft_tissue", 3),
            ("subcutaneous", 1),
            ("brain", 6),
        ]);
        if !sites.contains(&more) {
            sites.push(more);
        }
    }
    sites
}

/// The index presentation and its lesions.
pub(super) fn add(draft: &mut Draft) {
    let (course, disease, plan) = (draft.course, draft.disease, draft.plan);
    let mut exceptions = Vec::new();
    if course.emergency {
        exceptions.push("emergency");
    }
    if draft.dice.chance(0.07) {
        exceptions.push(draft.dice.pick(&[
            ("egfr_low", 5),
            ("contrast_allergy", 3),
            ("patient_declined", 3),
        ]));
    }
    let row = json!({
        "seq": 1,
        "date_detected": course.t0.to_string(),
        "detection_basis": course.detection,
        "referral_date": course.referral.to_string(),
        "referral_declined": draft.dice.chance(0.015),
        "emergency_treatment": course.emergency,
        "timing": if course.synchronous { "synchronous" } else { "metachronous" },
        "disease_pattern": disease.pattern,
        "equivocal_only": course.equivocal,
        "total_lesion_count": disease.count,
        "largest_size_mm": disease.largest,
        "resectability": disease.resectability,
        "delay_risk_to_resectability": if plan.delay_is_safe { "unlikely" } else { "likely" },
        "disease_tempo": disease.tempo,
        "neurovascular_clarification_needed": course.neurovascular,
        "staging_exception": exceptions,
        "downsizing_goal": match plan.intent {
            "downsizing_resection" => "possible_resection",
            "downsizing_symptom" => "symptom_relief",
            _ => "none",
        },
        "curative_plan_all_sites": plan.curative_everywhere,
    });
    draft.push("presentation", row);
    for lesion in &disease.lesions {
        self::lesion(draft, lesion);
    }
}

fn lesion(draft: &mut Draft, lesion: &Lesion) {
    let liver = lesion.site == "liver";
    let disease = draft.disease;
    let status = match lesion.proven {
        true => "confirmed",
        false => draft
            .dice
            .pick(&[("suspected", 60), ("confirmed", 37), ("refuted", 3)]),
    };
    let mut row = json!({
        "lesion_id": lesion.id,
        "presentation_seq": 1,
        "site": lesion.site,
        "status": status,
        "count": lesion.count,
        "largest_mm": lesion.mm,
        "laterality_vs_primary": lesion.laterality,
        "solitary": disease.solitary,
        "widespread": disease.widespread && lesion.id == "L1",
        "radiographic_pattern": lesion.pattern,
        "unusual_location": lesion.unusual,
        "nature_uncertain": draft.dice.chance(if liver { 0.3 } else { 0.12 }),
        "burden_definition_needed": draft.dice.chance(if liver { 0.35 } else { 0.15 }),
        "tissue_proven": lesion.proven,
    });
    if let Some(percent) = lesion.liver_pct {
        row["organ_involvement_pct"] = json!(percent);
    }
    draft.push("lesion", row);
}
