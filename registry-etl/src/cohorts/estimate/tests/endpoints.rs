//! Endpoints with competing events, shares, changes, repeats and landmarks, by hand.

use super::*;
use crate::results::{CurveState, RateState};

/// Entry, exit and cause of the case's only row.
fn cause(id: &str, case: &CaseFacts) -> Result<(i32, u8), LeftOut> {
    let cases = [case.clone()];
    let definition = endpoint(id);
    let units = units(&definition, &cases);
    let cut_off = number("2026-06-30");
    settle_course(
        &case.survival,
        &units[0].course,
        cut_off,
        DateReading::Fifteenth,
        false,
    )
    .map(|(_, settled)| (settled.exit, settled.cause))
}

fn at_site(date: &str, site: &str) -> Progression {
    Progression {
        recurrence: false,
        sites: vec![site.to_owned()],
        date: on(date),
    }
}

#[test]
fn an_unknown_cause_of_death_is_a_cause_of_its_own_with_both_bounds() {
    // Ten patients from 10 January 2024; one death each on days 100, 200, 300, of the sarcoma, another and an unknown cause.
    let mut cases = Vec::new();
    for at in 0..10 {
        let mut one = case();
        one.survival.origin = on("2024-01-10");
        one.survival.registration = on("2024-01-10");
        if at < 3 {
            let day = number("2024-01-10") + 100 * (at + 1);
            one.survival.contacts[0].date = RecordedDate::Between(day, day);
            one.survival.contacts[0].vital = Vital::Dead;
            one.survival.contacts[0].death = RecordedDate::Between(day, day);
            // Contacts alive are needed only without a death.
            one.course.cause_of_death =
                [Some("sarcoma"), Some("treatment"), None][at as usize].map(str::to_owned);
        }
        cases.push(one);
    }
    let got = estimated("S1b", &cases);
    let at_a_year = |n: usize| -> Vec<f64> {
        let values = got.incidence[n]
            .causes
            .iter()
            .map(|one| one.values[0].incidence.unwrap());
        values.map(|value| (value * 1e9).round() / 1e9).collect()
    };
    assert_eq!(at_a_year(0), [0.1, 0.1, 0.1]);
    let of = |analysis| {
        got.incidence
            .iter()
            .position(|one| one.analysis == analysis)
            .unwrap()
    };
    assert_eq!(at_a_year(of(Analysis::UnknownCauseAsSarcoma)), [0.2, 0.1, 0.0]);
    assert_eq!(at_a_year(of(Analysis::UnknownCauseAsOther)), [0.1, 0.2, 0.0]);
    // Ten at the origin, seven after a year; followed to day 710.
    let at_risk: Vec<_> = got.incidence[0].at_risk.iter().map(|at| at.at_risk).collect();
    assert_eq!(at_risk, [Some(10), Some(7), Some(0), Some(0), Some(0), Some(0)]);
    assert_eq!(
        got.incidence[0].causes[0].values[1].incidence, None,
        "nobody seen for two years"
    );
    assert!(got.curves.is_empty());
}

#[test]
fn s3_ends_with_progression_and_is_censored_where_another_treatment_begins() {
    let mut one = case();
    one.course.lines = vec![line(1, "2025-02-01")];
    assert_eq!(cause("S3-line-1", &one), Ok((322, 0)), "last contact");
    one.course.lines.push(line(2, "2025-05-02"));
    assert_eq!(
        cause("S3-line-1", &one),
        Ok((90, 0)),
        "the second line censors the first"
    );
    one.course.locals = vec![operation("2025-04-02", "lung", "R0", true)];
    assert_eq!(
        cause("S3-line-1", &one),
        Ok((60, 0)),
        "and so does an earlier curative operation"
    );
    one.course.lines[0].progression = on("2025-04-02");
    assert_eq!(
        cause("S3-line-1", &one),
        Ok((60, 1)),
        "progression on the same day comes first"
    );
    one.course.progressions = vec![at_site("2025-03-03", "liver"), at_site("2025-01-20", "liver")];
    assert_eq!(cause("S3-line-1", &one), Ok((30, 1)), "the first after the start");
    let mut undated = case();
    undated.course.lines = vec![Line {
        progressed: true,
        ..line(1, "2025-02-01")
    }];
    assert_eq!(cause("S3-line-1", &undated), Err(LeftOut::EventDateUnknown));
}

#[test]
fn s3_counts_another_treatment_as_event_in_its_sensitivity_only() {
    let cases: Vec<CaseFacts> = (0..12)
        .map(|at| {
            let mut one = case();
            one.course.lines = vec![line(1, "2025-02-01")];
            if at < 3 {
                one.course.lines.push(line(2, "2025-05-02"));
            }
            one
        })
        .collect();
    let got = estimated("S3-line-1", &cases);
    let events = |analysis| {
        let found = got.curves.iter().find(|one| one.analysis == analysis);
        found.unwrap().events
    };
    assert_eq!(
        (events(Analysis::Primary), events(Analysis::NewTreatmentAsEvent)),
        (Some(0), Some(3))
    );
}

#[test]
fn s3r_counts_not_evaluable_as_no_response_and_tells_the_unknown() {
    let with = |response: Option<&str>| {
        let mut one = case();
        one.course.lines = vec![Line {
            response: response.map(str::to_owned),
            ..line(1, "2025-02-01")
        }];
        one
    };
    let mut early = with(Some("PR"));
    early.survival.registration = on("2025-03-01");
    let cases = [with(Some("PR")), with(Some("NE")), with(None), early, case()];
    let got = estimated("S3r-line-1", &cases);
    let all = &got.proportions[0];
    assert_eq!(
        (all.numerator, all.denominator, all.not_assessable),
        (Some(1), Some(2), Some(1))
    );
    assert_eq!((all.rate, all.state), (Some(0.5), RateState::Insufficient));
    assert_eq!(
        (all.bound_low, all.bound_high),
        (Some(1.0 / 3.0), Some(2.0 / 3.0))
    );
    // Wilson, 1 of 2: (1/2 + z^2/4 -+ z sqrt(1/8 + z^2/16)) / (1 + z^2/2) = 0.0945 to 0.9055.
    assert!((all.lower.unwrap() - 0.0945).abs() < 1e-4 && (all.upper.unwrap() - 0.9055).abs() < 1e-4);
    let out: Vec<_> = got.flow.left_out.iter().filter(|one| one.n != Some(0)).collect();
    let codes: Vec<&str> = out.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(codes, ["not_treated", "treated_before_registration"]);
}

#[test]
fn s5_is_followed_to_the_last_imaging_in_its_sensitivity() {
    let mut one = case();
    one.course.locals = vec![operation("2025-03-01", "lung", "R0", true)];
    one.course.imaging = vec![on("2025-03-31"), on("2025-02-01")];
    let cases = vec![one; 10];
    let got = estimated("S5", &cases);
    let end = |analysis| {
        let found = got.curves.iter().find(|one| one.analysis == analysis).unwrap();
        found.steps.last().unwrap().days
    };
    assert_eq!(end(Analysis::Primary), 294.0, "the contact of 20 December");
    assert_eq!(end(Analysis::CensoredAtLastImaging), 30.0);
}

#[test]
fn s5s_tells_sites_apart_and_s6_reads_the_treated_site() {
    let mut one = case();
    one.course.locals = vec![operation("2025-03-01", "lung", "R0", true)];
    for (sites, want) in [
        (vec!["lung"], 1),
        (vec!["liver"], 2),
        (vec!["peritoneum", "retroperitoneum"], 3),
        (vec!["lung", "liver"], 4),
        (vec!["bone"], 4),
        (vec![], 4),
    ] {
        one.course.progressions = vec![Progression {
            sites: sites.into_iter().map(str::to_owned).collect(),
            ..recurrence("2025-03-31")
        }];
        assert_eq!(cause("S5s", &one), Ok((30, want)));
    }
    one.course.progressions.clear();
    died(&mut one, "2025-03-11");
    assert_eq!(cause("S5s", &one), Ok((10, 5)));
    let mut ablated = case();
    ablated.course.locals = vec![treatment("2025-03-01", "mwa", "liver")];
    ablated.course.progressions = vec![at_site("2025-03-11", "lung"), at_site("2025-03-31", "liver")];
    assert_eq!(
        cause("S6-ablation", &ablated),
        Ok((30, 1)),
        "the lung was not treated"
    );
    assert_eq!(cause("S6-sbrt", &ablated), Err(LeftOut::NotTreated));
    died(&mut ablated, "2025-03-21");
    assert_eq!(cause("S6-ablation", &ablated), Ok((20, 2)));
}

#[test]
fn s7_begins_with_the_end_of_a_line_and_s10_ends_with_the_first_treatment() {
    let mut one = case();
    one.course.lines = vec![Line {
        ongoing: true,
        ..line(1, "2025-02-01")
    }];
    assert_eq!(cause("S7-line-1", &one), Err(LeftOut::NotEnded));
    one.course.lines[0].stop = on("2025-06-01");
    assert_eq!(cause("S7-line-1", &one), Ok((202, 0)));
    one.course.lines.push(line(2, "2025-06-01"));
    assert_eq!(cause("S7-line-1", &one), Ok((0, 1)), "straight on to the next");
    one.course.lines[1].start = on("2025-07-01");
    assert_eq!(cause("S7-line-1", &one), Ok((30, 1)));
    died(&mut one, "2025-06-11");
    assert_eq!(cause("S7-line-1", &one), Ok((10, 2)));
    let mut waiting = case();
    waiting.course.observations = vec![on("2025-03-01")];
    waiting.course.locals = vec![
        treatment("2025-02-01", "rfa", "liver"),
        treatment("2025-04-30", "sbrt", "lung"),
    ];
    assert_eq!(cause("S10", &waiting), Ok((60, 1)), "the ablation came before");
    waiting.course.progressions = vec![at_site("2025-03-31", "lung")];
    assert_eq!(cause("S10", &waiting), Ok((30, 1)));
}

#[test]
fn radiotherapy_ends_waiting_as_any_treatment_does() {
    let mut waiting = case();
    waiting.course.observations = vec![on("2025-03-01")];
    waiting.course.lines = vec![line(1, "2025-06-01")];
    assert_eq!(cause("S10", &waiting), Ok((92, 1)));
    waiting.course.others = vec![on("2025-03-11")];
    assert_eq!(cause("S10", &waiting), Ok((10, 1)));
    // Radiotherapy of the primary, of which the year is known, was over before.
    waiting.course.others = vec![on("2024")];
    assert_eq!(cause("S10", &waiting), Ok((92, 1)));
    waiting.course.others = vec![on("2025")];
    assert_eq!(cause("S10", &waiting), Err(LeftOut::YearOnly));
    waiting.course.others = vec![RecordedDate::None];
    assert_eq!(cause("S10", &waiting), Err(LeftOut::EventDateUnknown));
    waiting.course.others = vec![RecordedDate::Blocked];
    assert_eq!(cause("S10", &waiting), Err(LeftOut::EditError));
}

#[test]
fn s8_counts_what_is_known_of_ninety_days() {
    let with = |death, class: Option<&str>| {
        let mut one = case();
        one.course.locals = vec![LocalTreatment {
            death_within_90d: death,
            clavien_dindo: class.map(str::to_owned),
            ..treatment("2025-03-01", "metastasectomy", "lung")
        }];
        one
    };
    let cases = [
        with(Some(true), Some("V")),
        with(Some(false), Some("II")),
        with(Some(false), Some("IIIa")),
        with(None, None),
    ];
    let counts = |id: &str| {
        let got = estimated(id, &cases);
        let all = &got.proportions[0];
        (all.numerator, all.denominator, all.not_assessable)
    };
    assert_eq!(counts("S8-metastasectomy-death"), (Some(1), Some(3), Some(1)));
    assert_eq!(counts("S8-metastasectomy-morbidity"), (Some(2), Some(3), Some(1)));
    assert_eq!(counts("S8-ablation-death"), (Some(0), Some(0), Some(0)));
}

#[test]
fn every_later_operation_is_a_row_and_patients_are_counted_once() {
    let mut one = case();
    one.course.locals = vec![
        operation("2025-03-01", "lung", "R0", true),
        operation("2025-03-01", "lung", "R0", true),
        operation("2025-06-01", "lung", "R0", true),
        operation("2025-09-01", "lung", "R1", true),
        operation("2025-07-01", "liver", "R0", true),
    ];
    let mut cases = vec![one; 10];
    cases.push(case());
    let got = estimated("S4-lung-repeat", &cases);
    let all = &got.curves[0];
    let repeated = all.repeated.unwrap();
    assert_eq!(
        (all.patients, repeated.episodes, repeated.most_of_one_patient),
        (Some(10), Some(20), 2)
    );
    assert_eq!((got.flow.cases, got.flow.analysed), (Some(21), Some(20)));
    assert_eq!(all.state, CurveState::Shown);
    let few = estimated("S4-lung-repeat", &cases[..9]);
    assert_eq!(
        few.curves[0].state,
        CurveState::FewPatients,
        "eighteen episodes of nine patients"
    );
}
