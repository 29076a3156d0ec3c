//! What a reader gets.

use crate::registry::{Registry, system};
use registry_etl::disclosure::Audience;
use registry_etl::results::{By, CurveState, Period, RateState};
use registry_etl::runs::Reader;

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
