use super::adherence::find;
use super::tests_support::*;
use super::*;
use crate::results::CaseMixState;
use crate::results::{By, Period, Position, RateState};
use registry_core::guideline::Outcome::*;
use registry_core::record::CentreTable;
use serde_json::json;

#[test]
fn by_hand() {
    // C1: met, met, not met, excepted. C2: met, not assessable (old case), excluded.
    let cases = [
        ("C1", case("2025-02-01", "lms", &[Met])),
        ("C1", case("2025-08-01", "lms", &[Met])),
        ("C1", case("2026-02-01", "ddlps", &[NotMet])),
        ("C1", case("2026-02-01", "ddlps", &[Excepted])),
        ("C2", case("2025-02-01", "ddlps", &[Met])),
        ("C2", case("2020-02-01", "ddlps", &[NotAssessable])),
        ("C2", case("2020-02-01", "ddlps", &[Excluded])),
    ];
    let table = table(&[head("1a", "patient")], &cases);
    // network x 2, centres x 2 x 2, half-years 2020-H1, 2025-H1, 2025-H2, 2026-H1, years 2020, 2025, 2026, histologies x 2,
    // timing and organ not recorded, thirds low and not recorded.
    assert_eq!(table.rows.len(), 2 + 4 + 4 + 3 + 2 + 1 + 1 + 2);
    let network = find(&table, "1a", By::Network, Period::All, "all").unwrap();
    let counts = |r: &crate::results::AdherenceRow| {
        [
            r.numerator,
            r.denominator,
            r.excluded,
            r.excepted,
            r.not_in_denominator,
            r.not_assessable,
        ]
        .map(Option::unwrap)
    };
    assert_eq!(counts(network), [3, 4, 1, 1, 0, 1]);
    assert_eq!(network.rate, Some(0.75));
    assert_eq!((network.bound_low, network.bound_high), (Some(0.6), Some(0.8)));
    assert_eq!(network.not_assessable_share, Some(0.2));
    assert_eq!(network.patients, Some(4));
    assert_eq!(
        network.not_assessable_by[0].element.as_deref(),
        Some("imaging.date")
    );
    // Wilson for 3 of 4, R: prop.test(3, 4, correct = FALSE) gives 0.3006418, 0.9544127.
    assert!((network.lower.unwrap() - 0.300_641_8).abs() < 1e-7);
    assert!((network.upper.unwrap() - 0.954_412_7).abs() < 1e-7);

    let recent = find(&table, "1a", By::Centre, Period::Last24Months, "C2").unwrap();
    assert_eq!(counts(recent), [1, 1, 0, 0, 0, 0]);
    let whole = find(&table, "1a", By::Centre, Period::All, "C2").unwrap();
    assert_eq!(counts(whole), [1, 1, 1, 0, 0, 1]);
    assert_eq!(
        (whole.state, whole.rate, whole.insufficient),
        (RateState::Insufficient, None, true)
    );
    let half = find(&table, "1a", By::HalfYear, Period::All, "2025-H1").unwrap();
    assert_eq!(counts(half), [2, 2, 0, 0, 0, 0]);
    let old = find(&table, "1a", By::HalfYear, Period::All, "2020-H1").unwrap();
    assert_eq!(
        (old.state, old.rate, old.lower),
        (RateState::NotAssessable, None, None)
    );
}

#[test]
fn levels_add_up_to_the_network() {
    let outcomes = [Met, NotMet, NotAssessable, Excluded, Excepted, NotInDenom];
    let cases: Vec<(&str, CaseEvaluation)> = (0..60)
        .map(|i| {
            let t0 = ["2024-01-15", "2025-07-01", "2026"][i % 3];
            (
                ["C1", "C2", "C3", "C4"][i % 4],
                case(t0, ["lms", "ss"][i % 2], &[outcomes[i % 5], outcomes[i % 6]]),
            )
        })
        .collect();
    let table = table(&[head("10x", "imaging study")], &cases);
    let network = find(&table, "10x", By::Network, Period::All, "all").unwrap();
    for by in By::PARTS.into_iter().filter(|by| *by != By::Stratum) {
        let parts: Vec<_> = table
            .rows
            .iter()
            .filter(|r| r.by == by && r.period == Period::All)
            .collect();
        let sum = |of: fn(&crate::results::AdherenceRow) -> Option<u32>| -> u32 {
            parts.iter().map(|r| of(r).unwrap()).sum()
        };
        assert_eq!(sum(|r| r.denominator), network.denominator.unwrap(), "{by:?}");
        assert_eq!(sum(|r| r.patients), network.patients.unwrap(), "{by:?}");
        assert_eq!(
            sum(|r| r.not_assessable),
            network.not_assessable.unwrap(),
            "{by:?}"
        );
        assert_eq!(
            sum(|r| r.not_in_denominator),
            network.not_in_denominator.unwrap(),
            "{by:?}"
        );
    }
    assert!(
        table
            .rows
            .iter()
            .any(|r| r.by == By::HalfYear && r.level == "not_recorded"),
        "year-only T0"
    );
}

#[test]
fn thirty_percent_not_assessable_is_still_a_rate() {
    let mut cases: Vec<(&str, CaseEvaluation)> = (0..7)
        .map(|_| ("C1", case("2026-01-01", "lms", &[Met])))
        .collect();
    cases.extend((0..3).map(|_| ("C1", case("2026-01-01", "lms", &[NotAssessable]))));
    let state = |cases: &[(&str, CaseEvaluation)]| {
        let table = table(&[head("1a", "patient")], cases);
        find(&table, "1a", By::Network, Period::All, "all").unwrap().state
    };
    assert_eq!(state(&cases), RateState::Rate);
    cases.push(("C1", case("2026-01-01", "lms", &[NotAssessable])));
    assert_eq!(state(&cases), RateState::Insufficient);
}

#[test]
fn units_of_one_patient_are_a_cluster() {
    // Two patients with ten units each, all met in one, none in the other: as good as two observations.
    let cases = [
        ("C1", case("2026-01-01", "lms", &[Met; 10])),
        ("C1", case("2026-01-01", "lms", &[NotMet; 10])),
    ];
    let table = table(&[head("10x", "imaging study")], &cases);
    let row = find(&table, "10x", By::Network, Period::All, "all").unwrap();
    assert_eq!(
        (row.denominator, row.patients, row.patients_all_met),
        (Some(20), Some(2), Some(1))
    );
    // v = 2/1 * (25 + 25) / 400 = 1/4, so p (1 - p) / v = 1 effective unit.
    let one = crate::statistics::proportion::wilson_of(0.5, 1.0, 0.95).unwrap();
    assert!((row.clustered_lower.unwrap() - one.lower).abs() < 1e-12);
    assert!(row.clustered_lower < row.lower && row.clustered_upper > row.upper);
}

#[test]
fn a_measure_without_units_has_rows_all_the_same() {
    let table = table(
        &[head("1a", "patient"), head("9", "patient")],
        &[("C1", case("2026-01-01", "lms", &[Met]))],
    );
    let row = find(&table, "9", By::Centre, Period::All, "C1").unwrap();
    assert_eq!(
        (row.state, row.denominator, row.rate, row.bound_low),
        (RateState::NotAssessable, Some(0), None, None)
    );
    let empty = adherence_table(
        &run(),
        &window(),
        &[head("1a", "patient")],
        &CaseColumns::default(),
    )
    .unwrap();
    assert_eq!(empty.rows.len(), 2, "an empty registry has its network rows");
}

#[test]
fn a_funnel_places_centres_around_the_network() {
    let mut cases = Vec::new();
    for (centre, met, not_met) in [("C1", 40, 10), ("C2", 35, 15), ("C3", 5, 45), ("C4", 0, 0)] {
        cases.extend((0..met).map(|_| (centre, case("2026-01-01", "lms", &[Met]))));
        cases.extend((0..not_met).map(|_| (centre, case("2026-01-01", "lms", &[NotMet]))));
    }
    cases.push(("C4", case("2026-01-01", "lms", &[NotInDenom])));
    let funnels = funnels(&table(&[head("1a", "patient")], &cases)).unwrap();
    let funnel = &funnels.funnels[0];
    assert_eq!(funnel.target, Some(80.0 / 150.0));
    assert_eq!(funnel.limits.len(), 50);
    let of = |centre: &str| {
        funnel
            .points
            .iter()
            .find(|p| p.centre == centre)
            .unwrap()
            .position
    };
    assert_eq!(of("C3"), Some(Position::Below998));
    assert_eq!(of("C1"), Some(Position::Above998));
    assert_eq!(
        of("C2"),
        Some(Position::Above95),
        "P(R >= 35 | 50, 0.533) = 0.012"
    );
    assert_eq!(of("C4"), None, "nothing assessable: not on the funnel");
}

#[test]
fn a_funnel_allows_for_overdispersion_and_many_tests() {
    let mut cases = Vec::new();
    for (centre, met, not_met) in [("C1", 40, 10), ("C2", 35, 15), ("C3", 5, 45)] {
        cases.extend((0..met).map(|_| (centre, case("2026-01-01", "lms", &[Met]))));
        cases.extend((0..not_met).map(|_| (centre, case("2026-01-01", "lms", &[NotMet]))));
    }
    let one = table(&[head("1a", "patient")], &cases);
    // The same rows as a measure of utilisation, and as one where every centre is on the target.
    let mut many = one.clone();
    let mut utilisation = head("2", "patient");
    utilisation.kind = "utilisation".to_owned();
    many.measures.extend([utilisation, head("3", "patient")]);
    for id in ["2", "3"] {
        many.rows.extend(one.rows.iter().cloned().map(|mut row| {
            row.measure = id.to_owned();
            if id == "3" {
                row.rate = Some(0.5);
                row.numerator = row.denominator.map(|n| n / 2);
            }
            row
        }));
    }
    let funnels = funnels(&many).unwrap();
    let [first, utilisation, level] = &funnels.funnels[..] else {
        panic!("three measures")
    };
    let near = |got: Option<f64>, want: f64| {
        assert!((got.unwrap() - want).abs() < 1e-9 * want.abs(), "{got:?} {want}")
    };
    // z = 3.78, 2.36, -6.14 around 80/150, winsorised at the type 7 quantiles; computed apart.
    near(first.phi, 12.508_928_571_428_571);
    near(first.tau2, 0.088_422_222_222_222_21);
    for (point, z, adjusted, p) in [
        (
            &first.points[0],
            3.779_644_730_092_273,
            0.872_559_988_004_918_2,
            0.000_165_091_877_754_614_3,
        ),
        (
            &first.points[1],
            2.362_277_956_307_669_7,
            0.545_349_992_503_073_6,
            0.024_515_650_110_463_062,
        ),
        (
            &first.points[2],
            -6.141_922_686_399_942,
            -1.417_909_980_507_991_8,
            2.569_364_037_735_863e-10,
        ),
    ] {
        near(point.z, z);
        near(point.z_adjusted, adjusted);
        near(point.p, p);
        assert_eq!(point.position_adjusted, Some(Position::Within));
        let (exact, adjusted) = (point.limits.unwrap(), point.limits_adjusted.unwrap());
        assert!(adjusted.lower95 < exact.lower95 && adjusted.upper998 >= exact.upper998);
    }
    // Six tests in the family: three unusual ones, three of p = 1; the measure of utilisation has p and no q.
    assert_eq!(funnels.family, 6);
    near(first.points[0].q, 0.000_495_275_633_263_842_9);
    near(first.points[1].q, 0.049_031_300_220_926_13);
    near(first.points[2].q, 1.541_618_422_641_517_8e-9);
    assert!(level.points.iter().all(|p| p.q == Some(1.0)));
    assert!(utilisation.points.iter().all(|p| p.q.is_none() && p.p.is_some()));
    // One measure by itself, under other names, keeps its q-values.
    let mut alone = many.clone();
    alone.measures.retain(|m| m.id == "1a");
    alone
        .rows
        .iter_mut()
        .for_each(|r| r.level.insert_str(0, "Centre "));
    let alone = funnels_within(&alone, &Family::of(&many).unwrap()).unwrap();
    let q = |f: &crate::results::Funnel| f.points.iter().map(|p| p.q).collect::<Vec<_>>();
    assert_eq!((q(&alone.funnels[0]), alone.family), (q(first), 6));
}

#[test]
fn a_second_funnel_places_centres_by_what_they_did_not_document() {
    let mut cases = Vec::new();
    for (centre, met, missing) in [("C1", 50, 1), ("C2", 50, 2), ("C3", 50, 12), ("C4", 0, 0)] {
        cases.extend((0..met).map(|_| (centre, case("2026-01-01", "lms", &[Met]))));
        cases.extend((0..missing).map(|_| (centre, case("2026-01-01", "lms", &[NotAssessable]))));
    }
    cases.push(("C4", case("2026-01-01", "lms", &[NotInDenom])));
    let funnels = funnels(&table(&[head("1a", "patient")], &cases)).unwrap();
    let funnel = &funnels.funnels[0].not_assessable_funnel;
    assert_eq!(funnel.target, Some(15.0 / 165.0));
    assert_eq!(funnel.limits.len(), 62);
    let got: Vec<_> = funnel
        .points
        .iter()
        .map(|p| (p.numerator, p.denominator, p.position))
        .collect();
    // P(R >= 12 | 62, 1/11) = 0.0093; P(R <= 1 | 51) = 0.047.
    assert_eq!(
        got,
        [
            (Some(1), Some(51), Some(Position::Within)),
            (Some(2), Some(52), Some(Position::Within)),
            (Some(12), Some(62), Some(Position::Above95)),
            (None, None, None),
        ]
    );
    assert_eq!(funnel.points[2].share, Some(12.0 / 62.0));
    assert_eq!(funnel.points[2].limits.map(|l| l.n), Some(62));
    // Around 100 % every rate is where it must be; there is nothing to estimate variation from.
    assert_eq!(funnels.funnels[0].phi, None);
    assert_eq!(funnels.funnels[0].points[2].position, Some(Position::Within));
}

#[test]
fn the_overview_counts_every_case_once() {
    let mut columns = CaseColumns::default();
    for (centre, t0) in [("C1", "2026-01-10"), ("C1", "2026-03-10"), ("C2", "2023-01-01")] {
        columns.push(centre, &window(), &case(t0, "lms", &[Met]));
    }
    let centres = CentreTable::from_rows([
        json!({"centre_id": "C1", "effective_year": 2026, "eligible_seen": 5}),
        json!({"centre_id": "C3", "effective_year": 2026, "eligible_seen": {"absent": "unknown"}}),
    ])
    .unwrap();
    let got = overview(&run(), &window(), &columns, &centres);
    assert_eq!((got.cases, got.centres), (Some(3), 2));
    let months: u32 = got.accrual.iter().map(|m| m.n.unwrap()).sum();
    assert_eq!(
        (
            got.accrual.first().unwrap().level.as_str(),
            got.accrual.len(),
            months
        ),
        ("2023-01", 42, 3)
    );
    let c1 = &got.by_centre[0];
    assert_eq!(
        (
            c1.cases,
            c1.cases_last_24_months,
            c1.eligible_seen,
            c1.registered_in_those_years
        ),
        (Some(2), Some(2), Some(5), Some(2))
    );
    assert_eq!(got.by_centre[1].eligible_seen, None);
    let deaths: u32 = got.by_centre.iter().filter_map(|one| one.deaths).sum();
    assert_eq!(Some(deaths), got.deaths);
    let network = quality(&run(), &columns).network;
    assert_eq!(
        (network.cases, network.not_assessable_share),
        (Some(3), Some(0.0))
    );
}

/// Deaths of all cases: of one no endpoint counts (not core, or retrospective) as well, of none after the cut-off.
#[test]
fn the_deaths_of_the_overview_are_those_of_all_its_cases() {
    use crate::cohorts::facts::{Ascertainment, Contact, Vital};
    let mut columns = CaseColumns::default();
    let mut push = |centre: &str, in_core, ascertainment, vital, seen: &str, death: Option<&str>| {
        let mut one = case("2025-01-10", "lms", &[Met]);
        one.facts.survival.in_core = in_core;
        one.facts.survival.ascertainment = ascertainment;
        one.facts.survival.cut_off = i32::MAX;
        one.facts.survival.contacts = vec![Contact {
            date: day(seen),
            vital,
            death: death.map_or_else(Default::default, day),
        }];
        columns.push(centre, &window(), &one);
    };
    let (now, later) = (Ascertainment::Prospective, Ascertainment::Retrospective);
    push("C1", true, now, Vital::Dead, "2025-08-01", Some("2025-07-20"));
    push("C1", true, later, Vital::Dead, "2025-08-01", Some("2025-07-20"));
    push("C1", true, now, Vital::Alive, "2025-08-01", None);
    push("C2", false, now, Vital::Dead, "2025-08-01", None);
    push("C2", true, now, Vital::Dead, "2026-07-20", Some("2026-07-01"));
    let got = overview(&run(), &window(), &columns, &CentreTable::default());
    let of_centres: Vec<Option<u32>> = got.by_centre.iter().map(|one| one.deaths).collect();
    assert_eq!((got.cases, got.deaths), (Some(5), Some(3)));
    assert_eq!(of_centres, [Some(2), Some(1)]);
}

#[test]
fn a_trend_marks_half_years_outside_the_limits() {
    let mut cases = Vec::new();
    for (t0, met, not_met) in [
        ("2024-02-01", 40, 10),
        ("2024-08-01", 35, 15),
        ("2025-02-01", 5, 45),
    ] {
        cases.extend((0..met).map(|_| ("C1", case(t0, "lms", &[Met]))));
        cases.extend((0..not_met).map(|_| ("C1", case(t0, "lms", &[NotMet]))));
    }
    cases.push(("C1", case("2025", "lms", &[Met])));
    let table = table(&[head("1a", "patient")], &cases);
    let rows: Vec<_> = table.rows.iter().collect();
    let found = trend(&rows).unwrap();
    assert_eq!(found.target, Some(81.0 / 151.0));
    let levels: Vec<&str> = found.points.iter().map(|p| p.level.as_str()).collect();
    assert_eq!(
        levels,
        ["2024-H1", "2024-H2", "2025-H1"],
        "without the case that has no half-year"
    );
    let positions: Vec<_> = found.points.iter().map(|p| p.position.unwrap()).collect();
    assert_eq!(
        positions,
        [Position::Above998, Position::Above95, Position::Below998]
    );
    assert!(found.p.unwrap() < 1e-6, "it falls: {:?}", found.p);
}

/// By hand: 8, 6 and 2 of 10 in the first, second and sixth half-year. P = 16/30 = 8/15, the mean score 2,
/// sum t (x - n P) = 1 (6 - 16/3) + 5 (2 - 16/3) = -16, variance 8/15 * 7/15 * 10 (4 + 1 + 9) = 7840/225,
/// chi-square 256 * 225 / 7840 = 360/49, p = erfc(sqrt(360/98)) = 0.0067177. One half-year apart each it would be 0.0071610.
#[test]
fn a_trend_places_half_years_by_the_calendar() {
    let mut cases = Vec::new();
    for (t0, met) in [("2023-09-01", 8), ("2024-02-01", 6), ("2026-03-01", 2)] {
        cases.extend((0..met).map(|_| ("C1", case(t0, "lms", &[Met]))));
        cases.extend((met..10).map(|_| ("C1", case(t0, "lms", &[NotMet]))));
    }
    let table = table(&[head("1a", "patient")], &cases);
    let rows: Vec<_> = table.rows.iter().collect();
    let found = trend(&rows).unwrap();
    let p = found.p.unwrap();
    assert!((p - 0.006_717_704_575_462_573).abs() < 1e-12, "{p}");
    let points: Vec<_> = found
        .points
        .iter()
        .map(|point| (point.level.as_str(), point.denominator, point.rate))
        .collect();
    assert_eq!(
        points,
        [
            ("2023-H2", Some(10), Some(0.8)),
            ("2024-H1", Some(10), Some(0.6)),
            ("2024-H2", Some(0), None),
            ("2025-H1", Some(0), None),
            ("2025-H2", Some(0), None),
            ("2026-H1", Some(10), Some(0.2)),
        ]
    );
}

#[test]
fn patients_seen_after_the_cut_off_are_not_expected_yet() {
    let columns = columns(&[("C1", case("2025-02-01", "lms", &[Met]))]);
    let seen = |year: i32, n: u32| json!({"centre_id": "C1", "effective_year": year, "eligible_seen": n});
    let centres = CentreTable::from_rows([seen(2025, 4), seen(2026, 2), seen(2027, 9)]).unwrap();
    let found = overview(&run(), &window(), &columns, &centres);
    let c1 = &found.by_centre[0];
    assert_eq!(
        (c1.eligible_seen, c1.registered_in_those_years),
        (Some(6), Some(1))
    );
    // A table that tells of later years only tells nothing yet.
    let later = CentreTable::from_rows([seen(2027, 9)]).unwrap();
    let found = overview(&run(), &window(), &columns, &later);
    assert_eq!(found.by_centre[0].eligible_seen, None);
}

#[test]
fn centres_are_compared_given_their_case_mix() {
    // Synchronous patients meet the measure half as often at every centre; C2 has mostly such patients.
    let person = |timing: &str, outcome| {
        let mut case = case("2025-02-01", "lms", &[outcome]);
        case.facts.timing = Some(timing.to_owned());
        case.facts.age = Some(60);
        case
    };
    let mut cases = Vec::new();
    for (centre, metachronous, synchronous) in [("C1", 100, 20), ("C2", 20, 100)] {
        for (timing, n, met) in [
            ("metachronous", metachronous, 80),
            ("synchronous", synchronous, 40),
        ] {
            let met = n * met / 100;
            cases.extend((0..met).map(|_| (centre, person(timing, Met))));
            cases.extend((met..n).map(|_| (centre, person(timing, NotMet))));
        }
    }
    let mut unknown = person("metachronous", Met);
    unknown.facts.age = None;
    cases.push(("C1", unknown));
    let measures = [head("1a", "patient")];
    let mut columns = CaseColumns::new(&measures, Default::default());
    for (centre, case) in &cases {
        columns.push(centre, &window(), case);
    }
    let mix = &case_mix(&run(), &measures, &columns).measures[0];
    assert_eq!(
        (&mix.state, mix.units, mix.left_out),
        (&CaseMixState::Modelled, Some(240), Some(1))
    );
    let names: Vec<&str> = mix.coefficients.iter().map(|c| c.covariate.as_str()).collect();
    assert_eq!(names, ["synchronous against metachronous"], "nothing else varies");
    // Odds 4 against 2/3: log odds ratio -ln 6.
    assert!((mix.coefficients[0].log_odds_ratio + 6f64.ln()).abs() < 1e-6);
    for centre in &mix.centres {
        assert!(
            (centre.ratio - 1.0).abs() < 1e-9,
            "as expected from its patients: {centre:?}"
        );
        assert!((centre.shrunk - 1.0).abs() < 1e-6);
    }
    let raw: Vec<f64> = mix
        .centres
        .iter()
        .map(|c| f64::from(c.observed) / f64::from(c.units))
        .collect();
    assert!(raw[0] > 0.7 && raw[1] < 0.5, "the raw rates differ: {raw:?}");

    let few = case_mix(&run(), &measures, &super::tests_support::columns(&cases[..5]));
    assert_eq!(few.measures[0].state, CaseMixState::TooFew);
}
