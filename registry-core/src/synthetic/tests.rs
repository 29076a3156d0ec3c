//! The cohort against what was intended, read from the bodies and the plan alone.

use std::collections::HashMap;

use super::*;

fn plan() -> CohortPlan {
    CohortPlan {
        seed: 7,
        cases: 1_500,
        centres: 35,
        as_of: NaiveDate::from_ymd_opt(2026, 11, 23).expect("a date"),
    }
}

#[test]
fn the_same_plan_gives_the_same_case_and_another_seed_another() {
    let plan = plan();
    assert_eq!(case(&plan, 41), case(&plan, 41));
    assert_ne!(
        case(&plan, 41).body,
        case(&CohortPlan { seed: 8, ..plan }, 41).body
    );
    assert_eq!(centres(&plan), centres(&plan));
}

#[test]
fn the_mix_and_the_spread_are_as_intended() {
    let plan = plan();
    let mut morphologies: HashMap<String, u32> = HashMap::new();
    let mut by_centre: HashMap<String, u32> = HashMap::new();
    for index in 0..plan.cases {
        let case = case(&plan, index);
        *by_centre.entry(case.centre_id).or_default() += 1;
        *morphologies
            .entry(case.body["primary"]["icdo_morphology"].to_string())
            .or_default() += 1;
    }
    assert_eq!(by_centre.len(), 35, "every centre has cases");
    let share = |m: &str| f64::from(morphologies[&format!("\"{m}\"")]) / f64::from(plan.cases);
    assert!(
        (0.35..0.45).contains(&share("8858/3")),
        "dedifferentiated liposarcoma {}",
        share("8858/3")
    );
    assert!(
        (0.26..0.36).contains(&share("8890/3")),
        "leiomyosarcoma {}",
        share("8890/3")
    );
}

/// The hazard is counted from registration, where the patient was known to live: deaths over patient-months.
#[test]
fn deaths_per_patient_month_give_a_median_near_sixteen_months() {
    let plan = plan();
    let (mut deaths, mut months) = (0.0, 0.0);
    for index in 0..plan.cases {
        let body = case(&plan, index).body;
        let day = |v: &Value| {
            v.as_str()
                .and_then(|t| t.parse::<NaiveDate>().ok())
                .expect("an exact date")
        };
        if body["patient"]["ascertainment"] == "retrospective" {
            continue;
        }
        let last = body["followup"]
            .as_array()
            .and_then(|rows| rows.last())
            .expect("a last contact");
        months +=
            (day(&last["date"]) - day(&body["patient"]["registration_date"])).num_days() as f64 / 30.4375;
        deaths += f64::from(u8::from(last["vital_status"] == "dead"));
    }
    let median = std::f64::consts::LN_2 / (deaths / months);
    assert!((13.5..18.5).contains(&median), "{median}");
}

/// The product-limit estimate with late entry, as the survival page draws it: 16 months, 5 to 10 % at five years, and
/// enough patients at risk on the first day.
#[test]
fn survival_counted_from_metastatic_diagnosis_is_the_one_intended() {
    let plan = CohortPlan::demo(plan().as_of);
    let mut lives: Vec<(i64, i64, bool)> = Vec::new();
    for index in 0..plan.cases {
        let body = case(&plan, index).body;
        let day = |value: &Value| value.as_str().and_then(|t| t.parse::<NaiveDate>().ok());
        let last = body["followup"].as_array().and_then(|rows| rows.last());
        let last = last.expect("a last contact");
        let t0 = day(&body["presentation"][0]["date_detected"]).expect("an exact date");
        let since = |value: &Value| (day(value).expect("an exact date") - t0).num_days();
        if body["patient"]["ascertainment"] == "prospective" {
            let entry = since(&body["patient"]["registration_date"]);
            lives.push((entry, since(&last["date"]), last["vital_status"] == "dead"));
        }
    }
    let at_risk = |day: i64| {
        let inside = |(entry, exit, _): &&(i64, i64, bool)| *entry < day && *exit >= day;
        lives.iter().filter(inside).count() as f64
    };
    let mut deaths: Vec<i64> = lives.iter().filter(|life| life.2).map(|life| life.1).collect();
    deaths.sort_unstable();
    let alive = |months: f64| -> f64 {
        let until = deaths.iter().filter(|day| **day as f64 <= months * 30.4375);
        until.map(|day| 1.0 - 1.0 / at_risk(*day)).product()
    };
    assert!((0.45..0.55).contains(&alive(16.0)), "{}", alive(16.0));
    assert!((0.05..0.10).contains(&alive(60.0)), "{}", alive(60.0));
    let first = at_risk(1) / lives.len() as f64;
    assert!((0.36..0.48).contains(&first), "{first} at risk on day 1");
}

#[test]
fn nothing_happens_after_death_or_after_today() {
    let plan = plan();
    for index in 0..400 {
        let body = case(&plan, index).body;
        let last = body["followup"]
            .as_array()
            .and_then(|rows| rows.last())
            .expect("a last contact")["date"]
            .clone();
        for entity in [
            "imaging",
            "mdt",
            "systemic",
            "local_treatment",
            "progression",
            "pro",
            "palliative_care",
            "assessment",
            "symptom",
            "biopsy",
            "radiotherapy",
            "observation",
            "trial",
            "goals_of_care",
        ] {
            for row in body[entity].as_array().into_iter().flatten() {
                for date in [
                    "date",
                    "start_date",
                    "stop_date",
                    "end_date",
                    "onset_date",
                    "referral_date",
                    "enrolment_date",
                    "first_contact_date",
                ]
                .iter()
                .filter_map(|k| row[*k].as_str())
                {
                    assert!(
                        date <= last.as_str().expect("a date"),
                        "case {index} {entity} {date} after {last}"
                    );
                    assert!(date <= "2026-11-23");
                }
            }
        }
    }
}

/// Survival is drawn from one hazard per histology, so its shape follows from the table without an estimator.
#[test]
fn half_are_dead_at_sixteen_months_and_five_to_ten_in_a_hundred_live_five_years() {
    let total: u32 = course::HISTOLOGIES.iter().map(|(_, weight)| weight).sum();
    let alive = |months: f64| -> f64 {
        course::HISTOLOGIES
            .iter()
            .map(|(histology, weight)| {
                f64::from(*weight) / f64::from(total) * 0.5_f64.powf(months / 16.0 * histology.hazard)
            })
            .sum()
    };
    assert!((0.48..0.53).contains(&alive(16.0)), "{}", alive(16.0));
    assert!((0.05..0.10).contains(&alive(60.0)), "{}", alive(60.0));
}

#[test]
fn synchronous_means_within_ninety_days_of_the_primary() {
    let plan = plan();
    let (mut synchronous, mut checked) = (0, 0);
    for index in 0..plan.cases {
        let body = case(&plan, index).body;
        let day = |pointer: &str| {
            body.pointer(pointer)
                .and_then(Value::as_str)
                .and_then(|t| t.parse::<NaiveDate>().ok())
        };
        let (Some(primary), Some(t0)) = (
            day("/primary/diagnosis_date"),
            day("/presentation/0/date_detected"),
        ) else {
            continue;
        };
        checked += 1;
        let said = body["presentation"][0]["timing"] == "synchronous";
        synchronous += u32::from(said);
        // The deliberate mistakes say the opposite; they are few.
        checked -= u32::from(said != ((t0 - primary).num_days() <= 90));
    }
    assert!(checked > plan.cases * 94 / 100, "{checked}");
    let share = f64::from(synchronous) / f64::from(plan.cases);
    assert!((0.25..0.42).contains(&share), "{share}");
}

#[test]
fn late_retrospective_lost_and_poor_are_few_and_two_in_five_are_registered_at_once() {
    let plan = plan();
    let (mut retrospective, mut late, mut lost, mut second, mut at_once) = (0, 0, 0, 0, 0);
    for index in 0..plan.cases {
        let body = case(&plan, index).body;
        let day = |value: &Value| value.as_str().and_then(|t| t.parse::<NaiveDate>().ok());
        let known = (
            day(&body["patient"]["registration_date"]),
            day(&body["presentation"][0]["date_detected"]),
        );
        let is_retrospective = body["patient"]["ascertainment"] == "retrospective";
        retrospective += u32::from(is_retrospective);
        if let (Some(registration), Some(t0)) = known {
            at_once += u32::from(registration == t0);
            late += u32::from(!is_retrospective && (registration - t0).num_days() >= 60);
        }
        let last = body["followup"].as_array().and_then(|rows| rows.last()).cloned();
        lost += u32::from(last.is_some_and(|row| row["vital_status"] == "lost"));
        second += u32::from(body["presentation"].as_array().is_some_and(|rows| rows.len() > 1));
    }
    for (what, count) in [
        ("retrospective", retrospective),
        ("late", late),
        ("lost", lost),
        ("second presentation", second),
    ] {
        let share = f64::from(count) / f64::from(plan.cases);
        assert!((0.01..0.12).contains(&share), "{what}: {share}");
    }
    let share = f64::from(at_once) / f64::from(plan.cases);
    assert!((0.36..0.44).contains(&share), "registered on day 0: {share}");
    let poor = centres(&plan)
        .iter()
        .filter(|c| c.quality == Quality::Poor)
        .count();
    assert_eq!(poor, 4);
}

#[test]
fn nothing_is_sent_before_it_is_known_or_after_today() {
    let plan = plan();
    for index in 0..plan.cases {
        let case = case(&plan, index);
        let sent = case.submitted_at.date_naive();
        assert!(sent <= plan.as_of, "case {index}");
        let registered = case.body["patient"]["registration_date"]
            .as_str()
            .unwrap_or_default();
        assert!(registered <= sent.to_string().as_str(), "case {index}");
        for row in case.body["followup"].as_array().into_iter().flatten() {
            assert!(
                row["date"].as_str() <= Some(sent.to_string().as_str()),
                "case {index}"
            );
        }
    }
}
