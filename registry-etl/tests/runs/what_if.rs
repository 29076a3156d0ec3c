//! A run's cases by other rules: sensitivity analyses.

use std::collections::BTreeMap;

use registry_etl::disclosure::Audience;
use registry_etl::measures::EngineError;
use registry_etl::results::{By, Period};
use registry_etl::runs::{self, Reader, RunError};
use serde_json::{Value, json};

use crate::registry::{Registry, engine, system};

#[test]
fn another_value_changes_what_reads_it_and_nothing_else() {
    let registry = Registry::with(60, 3);
    let run = registry.run();
    let (engine, centres) = (engine(), registry.centres());
    let analyse = |parameter: &str, value: Value| {
        let wanted = (parameter, &value);
        runs::sensitivity(
            &registry.store,
            &system(),
            &engine,
            &run,
            &centres,
            wanted,
            |_, _| {},
        )
    };
    let same = analyse("ECOG_OK", json!(2)).expect("the value it has");
    let table = Reader::new(&registry.store, &system(), &run)
        .adherence(&Audience::Exact)
        .expect("a table");
    assert!(!same.comparison.measures.is_empty());
    for change in &same.comparison.measures {
        assert_eq!(change.base, change.other, "{}", change.measure);
        assert_eq!(change.units_changed, Some(0));
        let row = table
            .rows
            .iter()
            .find(|r| r.measure == change.measure && r.by == By::Network && r.period == Period::All)
            .expect("the run's row");
        assert_eq!(change.base.numerator, row.numerator, "{}", change.measure);
        assert_eq!(change.base.denominator, row.denominator, "{}", change.measure);
        assert_eq!(
            change.base.not_assessable, row.not_assessable,
            "{}",
            change.measure
        );
        assert_eq!(change.base.patients, row.patients, "{}", change.measure);
    }
    // A stricter limit can only take patients out of the numerator of 24c, and nothing else reads it; the summary 24 rests on it, too.
    let stricter = analyse("ECOG_OK", json!(1)).expect("an alternative");
    let measures: Vec<&str> = stricter
        .comparison
        .measures
        .iter()
        .map(|c| c.measure.as_str())
        .collect();
    assert_eq!(measures, ["24c", "24"], "and the summary it is a part of");
    let change = &stricter.comparison.measures[0];
    assert!(change.other.numerator < change.base.numerator, "{change:?}");
    let moved: u32 = change.moves.iter().map(|m| m.n).sum();
    assert_eq!(Some(moved), change.units_changed);
    assert!(moved > 0 && change.moves.iter().all(|m| m.from.as_deref() != Some("NOT_MET")));
    let by_centre: u32 = change.centres.iter().map(|c| c.n).sum();
    assert_eq!(by_centre, moved);
    // Kept with the run, and answered again.
    let kept = Reader::new(&registry.store, &system(), &run)
        .sensitivities(&Audience::Exact)
        .expect("kept");
    assert_eq!(kept.len(), 2);
    assert_eq!(analyse("ECOG_OK", json!(1)).expect("again"), stricter);
}

#[test]
fn an_unknown_parameter_or_a_value_of_another_type_is_refused() {
    let registry = Registry::with(2, 1);
    let run = registry.run();
    let (engine, centres) = (engine(), registry.centres());
    for (parameter, value) in [("NO_SUCH", json!(1)), ("ECOG_OK", json!("two"))] {
        let wanted = (parameter, &value);
        let refused = runs::sensitivity(
            &registry.store,
            &system(),
            &engine,
            &run,
            &centres,
            wanted,
            |_, _| {},
        );
        assert!(
            matches!(&refused, Err(RunError::Engine(EngineError::Rules(errors))) if errors.to_string().contains(parameter)),
            "{refused:?}"
        );
    }
}

#[test]
fn every_alternative_of_the_guideline_is_of_its_parameters_type() {
    let engine = engine();
    let guideline = engine.guideline().expect("a guideline");
    let alternatives = runs::alternatives(guideline);
    let written: Vec<String> = alternatives
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    for expected in [
        "SYNC_WINDOW_DAYS 30",
        "SYNC_WINDOW_DAYS 180",
        "ECOG_OK 1",
        "ADVERSE_MIN 1",
        "ADVERSE_MIN 3",
    ] {
        assert!(
            written.iter().any(|one| one == expected),
            "{expected} in {written:?}"
        );
    }
    for (name, value) in alternatives {
        assert!(
            !guideline.resting_on(&name).is_empty(),
            "{name} has a say in something"
        );
        engine
            .with_parameters(&BTreeMap::from([(name, value)]))
            .expect("a guideline");
    }
    let timing = guideline.resting_on("SYNC_WINDOW_DAYS");
    assert_eq!(timing, ["20a", "20b", "25b", "25"]);
}

/// The look-back of PRE is named in the file of hardly any measure that reads it.
#[test]
fn a_sensitivity_run_takes_every_measure_that_rests_on_the_parameter() {
    let registry = Registry::with(60, 3);
    let run = registry.run();
    let (engine, centres) = (engine(), registry.centres());
    let analyse = |parameter: &str, value: Value| {
        let wanted = (parameter, &value);
        let (store, scope) = (&registry.store, system());
        runs::sensitivity(store, &scope, &engine, &run, &centres, wanted, |_, _| {}).expect("an analysis")
    };
    let shorter = analyse("LOOKBACK_DAYS", json!(0)).comparison.measures;
    let of = |id: &str| shorter.iter().find(|change| change.measure == id);
    // 1a reads PRE0, 1b asks for the result of 1a, and 17 is all of 17a to 17e, of which 17a reads PRE.
    for id in ["1a", "1b", "17a", "17"] {
        assert!(of(id).is_some(), "{id} rests on the look-back");
    }
    assert!(of("20a").is_none(), "no window is read by it");
    assert!(
        shorter.iter().any(|change| change.changed),
        "what is found by looking back is not found without"
    );
    let later = analyse("SYNC_WINDOW_DAYS", json!(30)).comparison.measures;
    let ids: Vec<&str> = later.iter().map(|change| change.measure.as_str()).collect();
    assert_eq!(ids, ["20a", "20b", "25b", "25"]);
}

/// As in the run itself: a rate that too few units could be assessed for is none.
#[test]
fn a_side_with_too_much_not_assessable_has_no_rate() {
    let registry = Registry::with(60, 3);
    let run = registry.run();
    let (engine, centres) = (engine(), registry.centres());
    let table = Reader::new(&registry.store, &system(), &run)
        .adherence(&Audience::Exact)
        .expect("a table");
    let both = runs::compare(
        &registry.store,
        &system(),
        &run,
        &centres,
        [&engine, &engine],
        |_| true,
        |_, _| {},
    )
    .expect("a comparison");
    let mut without_rate = 0;
    for change in &both.measures {
        let row = table
            .rows
            .iter()
            .find(|r| r.measure == change.measure && r.by == By::Network && r.period == Period::All)
            .expect("the run's row");
        for side in [&change.base, &change.other] {
            assert_eq!(side.state, row.state, "{}", change.measure);
            assert_eq!(
                (side.rate, side.lower),
                (row.rate, row.lower),
                "{}",
                change.measure
            );
        }
        without_rate += u32::from(row.insufficient && row.denominator > Some(0));
    }
    assert!(without_rate > 0, "the cohort has measures with insufficient data");
}
