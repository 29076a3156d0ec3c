//! What a reader gets.

use crate::registry::{Registry, system};
use registry_core::storage::CaseStatus;
use registry_core::synthetic;
use registry_etl::disclosure::Audience;
use registry_etl::results::{AdherenceRow, By, CurveState, Period, RateState};
use registry_etl::runs::{Reader, publish};
use std::collections::HashSet;

#[test]
fn every_audience_reads_its_own_view() {
    let registry = Registry::with(260, 6);
    let run = registry.run();
    let scope = system();
    let reader = Reader::new(&registry.store, &scope, &run);
    let exact = reader.adherence(&Audience::Exact).expect("exact");
    assert_eq!(exact.measures.len(), 98 + 8, "98 measures and 8 composites");
    assert!(
        exact
            .rows
            .iter()
            .all(|r| r.suppressed.is_none() && r.basis.is_none())
    );
    assert!(exact.rows.iter().any(|r| r.state == RateState::Rate));
    let network = exact
        .rows
        .iter()
        .find(|r| r.measure == "1a" && r.by == By::Network && r.period == Period::All);
    let network = network.expect("a row");
    let units = [
        network.denominator,
        network.not_assessable,
        network.excluded,
        network.excepted,
        network.not_in_denominator,
    ];
    assert_eq!(
        units.iter().map(|n| n.expect("exact")).sum::<u32>(),
        260,
        "one unit per patient"
    );

    let committee = reader.adherence(&Audience::Committee).expect("committee");
    let public = reader.adherence(&Audience::Public).expect("public");
    assert!(committee.rows_suppressed > 0 && public.rows_suppressed > committee.rows_suppressed);
    for (table, threshold) in [(&committee, 5), (&public, 11)] {
        for measure in &table.measures {
            let left = beside_the_years(&table.rows, &measure.id);
            assert!(
                left.is_none_or(|n| n == 0 || n >= threshold),
                "{}: {left:?}",
                measure.id
            );
        }
    }
    let own = reader.adherence(&Audience::Centre("C01".into())).expect("own");
    assert!(
        own.rows
            .iter()
            .filter(|r| r.by == By::Centre)
            .all(|r| r.level == "C01" && r.suppressed.is_none())
    );

    let funnels = reader.funnels(&Audience::Committee).expect("funnels");
    assert_eq!(funnels.funnels.len(), 106);
    assert!(
        funnels
            .funnels
            .iter()
            .any(|f| f.target.is_some() && !f.limits.is_empty())
    );

    let survival = reader.survival("S1", &Audience::Exact).expect("survival");
    let all = &survival.curves[0];
    assert_eq!(all.state, CurveState::Shown);
    let flow = &survival.flow;
    let left: u32 = flow.left_out.iter().map(|s| s.n.expect("exact")).sum();
    assert_eq!(flow.cases.expect("exact"), left + flow.analysed.expect("exact"));
    assert_eq!(all.patients, flow.analysed);
    let months = all.median.expect("reached").months;
    assert!(
        (8.0..30.0).contains(&months),
        "the plan aims at 16 months, got {months}"
    );
    let overview = reader.overview(&Audience::Committee).expect("overview");
    assert_eq!((overview.cases, overview.centres), (Some(260), 6));
    assert_eq!(
        reader.quality(&Audience::Exact).expect("quality").centres.len(),
        6
    );
}

/// What the years 2025 and 2026 leave of the last 24 months, which began in November 2024, where all three are shown.
fn beside_the_years(rows: &[AdherenceRow], measure: &str) -> Option<u32> {
    let patients = |by: By, period: Period, level: &str| {
        let mut rows = rows.iter().filter(|row| row.measure == measure && row.by == by);
        let found = rows.find(|row| row.period == period && row.level == level);
        found.and_then(|row| row.patients)
    };
    let years = ["2025", "2026"].map(|year| patients(By::Year, Period::All, year));
    let all = patients(By::Network, Period::Last24Months, "all")?;
    Some(all - years[0]? - years[1]?)
}

#[test]
fn an_empty_registry_has_results_too() {
    let registry = Registry::empty();
    let run = registry.run();
    let scope = system();
    let reader = Reader::new(&registry.store, &scope, &run);
    for audience in [
        Audience::Exact,
        Audience::Committee,
        Audience::Public,
        Audience::Centre("C01".into()),
    ] {
        let table = reader.adherence(&audience).expect("adherence");
        assert!(
            table
                .rows
                .iter()
                .all(|r| r.state == RateState::NotAssessable && r.rate.is_none())
        );
        assert_eq!(
            reader.survival("S1", &audience).expect("survival").curves[0].state,
            CurveState::Empty
        );
        assert_eq!(reader.overview(&audience).expect("overview").cases, Some(0));
        assert_eq!(reader.funnels(&audience).expect("funnels").funnels.len(), 106);
    }
    assert!(reader.survival("S11", &Audience::Exact).is_err());
}

#[test]
fn a_second_published_run_is_read_beside_the_first() {
    let registry = Registry::with(120, 4);
    let scope = system();
    let first = publish(&registry.store, &scope, registry.run().number).expect("published");
    for index in 120..122 {
        let case = synthetic::case(&registry.plan, index);
        let put = registry.put(&case.centre_id, &case.pseudonym, case.body, CaseStatus::Submitted);
        put.expect("stored");
    }
    let second = publish(&registry.store, &scope, registry.run().number).expect("published");
    assert!(
        publish(&registry.store, &scope, second.number).is_ok(),
        "twice is once"
    );
    let (then, now) = (
        Reader::new(&registry.store, &scope, &first),
        Reader::new(&registry.store, &scope, &second),
    );
    let (before, table) = (
        then.adherence(&Audience::Committee).expect("the first"),
        now.adherence(&Audience::Committee).expect("the second"),
    );
    assert!(before.rows.iter().all(|row| row.as_of.is_none()));
    let key = |row: &AdherenceRow| (row.measure.clone(), row.by, row.period, row.level.clone());
    let hidden = before.rows.iter().filter(|row| row.suppressed.is_some());
    let hidden: HashSet<_> = hidden.map(key).collect();
    let told = |row: &&AdherenceRow| row.suppressed.is_none() && row.patients != Some(0);
    for row in table
        .rows
        .iter()
        .filter(told)
        .filter(|row| !hidden.contains(&key(row)))
    {
        let of = (&row.measure, row.by, &row.level);
        assert_eq!(row.as_of, Some(first.number), "two more patients in all: {of:?}");
    }
    let network = |table: &registry_etl::results::AdherenceTable| {
        let mut rows = table.rows.iter();
        let found =
            rows.find(|row| row.measure == "1a" && row.by == By::Network && row.period == Period::All);
        found.and_then(|row| row.patients)
    };
    assert_eq!(network(&table), network(&before));
    let overview = now.overview(&Audience::Committee).expect("an overview");
    assert_eq!(
        (overview.cases, overview.cases_as_of),
        (Some(120), Some(first.number))
    );
    assert_eq!(now.overview(&Audience::Exact).expect("exact").cases, Some(122));
    let curves = |reader: &Reader<'_>| {
        let result = reader.survival("S1", &Audience::Committee).expect("S1");
        let patients: Vec<Option<u32>> = result.curves.iter().map(|one| one.patients).collect();
        (patients, result.flow)
    };
    let ((patients, flow), (patients_before, flow_before)) = (curves(&now), curves(&then));
    assert_eq!((patients.first(), flow), (patients_before.first(), flow_before));
    // A centre reads its own new patients.
    let own = |reader: &Reader<'_>, centre: &str| {
        let table = reader
            .adherence(&Audience::Centre(centre.to_owned()))
            .expect("own");
        let mut rows = table.rows.iter().cloned();
        let found = rows.find(|row| row.measure == "1a" && row.by == By::Centre && row.period == Period::All);
        let row = found.expect("a row of its own");
        let counts = [
            row.denominator,
            row.not_assessable,
            row.excluded,
            row.excepted,
            row.not_in_denominator,
        ];
        counts.iter().flatten().sum::<u32>()
    };
    let more: u32 = ["C01", "C02", "C03", "C04"]
        .map(|centre| own(&now, centre) - own(&then, centre))
        .iter()
        .sum();
    assert_eq!(more, 2, "two more patients of some centres");
}
