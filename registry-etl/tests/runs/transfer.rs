//! A case transferred between two of its operations: each centre answers for what happened while it had the patient.

use std::sync::Arc;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use registry_core::guideline::Outcome;
use registry_core::storage::{CaseStatus, Precondition, Run, Transfer};
use registry_etl::disclosure::{Audience, Thresholds};
use registry_etl::measures::CaseEvaluation;
use registry_etl::quality::WorkItem;
use registry_etl::releases::{self, ReleaseKey, ReleaseOptions};
use registry_etl::results::{AdherenceRow, AdherenceTable, By, Period};
use registry_etl::runs::{self, Options, Reader};
use serde_json::{Value, json};

use crate::registry::{Registry, as_of, engine, system};

const FIGURE_1: &str = include_str!("../../../schema/examples/1.0.0/valid/figure-1.json");
/// Between the first operation (2020-05-13) and the second (2022-09-14).
const ON: &str = "2021-06-01";

/// The patient of Figure 1, the operations minimally invasive and by surgeons with the expertise.
fn patient() -> Value {
    let mut body: Value = serde_json::from_str(FIGURE_1).expect("JSON");
    for row in body["local_treatment"].as_array_mut().expect("rows") {
        row["approach"] = json!("laparoscopic");
        row["surgeon_mis_expertise"] = json!(true);
    }
    body
}

struct Two {
    registry: Registry,
    /// Has a programme for minimally invasive operations; the other has none.
    one: String,
    two: String,
}

impl Two {
    fn new() -> Self {
        let registry = Registry::empty();
        let store = &registry.store;
        let mut centres: Vec<String> = Vec::new();
        for year in store.centre_years(&system(), None).expect("years") {
            if !centres.contains(&year.centre_id) {
                centres.push(year.centre_id.clone());
            }
            let mut values = year.values;
            values["mis_metastasectomy_programme"] = json!(centres.len() == 1);
            store
                .put_centre_year(&system(), &year.centre_id, year.year, values)
                .expect("a year");
        }
        let values = json!({"mis_metastasectomy_programme": true});
        store
            .put_centre_year(&system(), &centres[0], 2010, values)
            .expect("a year");
        registry
            .put(&centres[0], "P-1", patient(), CaseStatus::Submitted)
            .expect("stored");
        Self {
            one: centres[0].clone(),
            two: centres[1].clone(),
            registry,
        }
    }

    fn transfer(&self, from: &str, to: &str, on: &str) {
        let asked = Transfer {
            pseudonym: "P-1".to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            on: on.parse().expect("a day"),
            reason: "moved".to_owned(),
            precondition: Precondition::Whatever,
        };
        self.registry
            .store
            .transfer_case(&system(), asked)
            .expect("transferred");
    }

    fn reader<'a>(&'a self, run: &'a Run, scope: &'a registry_core::access::Scope) -> Reader<'a> {
        Reader::new(&self.registry.store, scope, run)
    }

    fn table(&self, run: &Run) -> AdherenceTable {
        let scope = system();
        let table = self.reader(run, &scope).adherence(&Audience::Exact);
        Arc::unwrap_or_clone(table.expect("a table"))
    }

    fn release(&self, run: &Run) -> String {
        let options = ReleaseOptions {
            release_id: "2026-1".into(),
            title: "First".into(),
            key: ReleaseKey::new([3; 32]),
            approved: None,
            accounting: None,
            fictitious: false,
            spool: std::env::temp_dir(),
        };
        let mut bytes = Vec::new();
        releases::build(
            &self.registry.store,
            &system(),
            &engine(),
            run,
            &options,
            &mut bytes,
        )
        .expect("built")
        .sha256
    }

    /// Every stored result but the run's number, by kind and key.
    fn stored(&self, run: &Run) -> BTreeMap<(String, String), Value> {
        let store = &self.registry.store;
        let keys = store.run_results(&system(), run.number).expect("results");
        let read = |kind: &str, key: &str| {
            let text = store
                .run_result(&system(), run.number, kind, key)
                .expect("a result");
            serde_json::from_str::<Value>(&text).expect("JSON")
        };
        keys.into_iter()
            .map(|key| {
                let body = read(&key.kind, &key.key);
                ((key.kind, key.key), body)
            })
            .collect()
    }

    fn again(&self, run: &Run) -> BTreeMap<(String, String), Value> {
        let options = Options {
            cut_off: as_of(),
            threads: 2,
            thresholds: Thresholds::default(),
        };
        let all = runs::again(&self.registry.store, &system(), &engine(), run, &options).expect("again");
        let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        all.into_iter()
            .map(|result| {
                let body = read(&result.body);
                ((result.kind, result.key), body)
            })
            .collect()
    }
}

fn of<'a>(table: &'a AdherenceTable, measure: &str, by: By, level: &str) -> Option<&'a AdherenceRow> {
    let mut rows = table.rows.iter();
    rows.find(|r| r.measure == measure && r.by == by && r.level == level && r.period == Period::All)
}

/// Numerator and denominator; `None` for a level that is not there.
fn counts(table: &AdherenceTable, measure: &str, by: By, level: &str) -> Option<(u32, u32)> {
    of(table, measure, by, level).map(|row| (row.numerator.unwrap_or(0), row.denominator.unwrap_or(0)))
}

/// Units of whatever outcome.
fn units(row: &AdherenceRow) -> u32 {
    let counts = [
        row.denominator,
        row.excluded,
        row.excepted,
        row.not_in_denominator,
        row.not_assessable,
    ];
    counts.into_iter().flatten().sum()
}

#[test]
fn each_operation_counts_for_the_centre_that_did_it_with_that_centres_years() {
    let two = Two::new();
    let before = two.registry.run();
    // Four operations, all at a centre with a programme.
    let table = two.table(&before);
    assert_eq!(counts(&table, "26b", By::Network, "all"), Some((4, 4)));
    assert_eq!(counts(&table, "26b", By::Centre, &two.one), Some((4, 4)));
    assert_eq!(counts(&table, "26b", By::Centre, &two.two), None);

    two.transfer(&two.one, &two.two, ON);
    let after = two.registry.run();
    let table = two.table(&after);
    // The one of 2020 was done at the centre with a programme, those of 2022, 2023 and 2024 at the other.
    assert_eq!(counts(&table, "26b", By::Centre, &two.one), Some((1, 1)));
    assert_eq!(counts(&table, "26b", By::Centre, &two.two), Some((0, 3)));
    assert_eq!(counts(&table, "26b", By::Network, "all"), Some((1, 4)));
    // One patient, behind both centres' rows.
    let patients = |by: By, level: &str| of(&table, "26b", by, level).and_then(|row| row.patients);
    assert_eq!(patients(By::Network, "all"), Some(1));
    assert_eq!(
        (patients(By::Centre, &two.one), patients(By::Centre, &two.two)),
        (Some(1), Some(1))
    );
}

#[test]
fn every_unit_counts_once_and_what_has_no_date_at_the_metastatic_diagnosis() {
    let two = Two::new();
    two.transfer(&two.one, &two.two, ON);
    let run = two.registry.run();
    let table = two.table(&run);
    // By hand from Figure 1, transferred on 2021-06-01. Presentations: 2019-12 | 2022-03, 2023-09, 2024-02. Lesions have no date and follow
    // their presentation: two | three. Systemic lines: 2020-01 | 2022-04, 2024-03, 2024-04.
    let expected = BTreeMap::from([
        ("patient", (1, 0)),
        ("presentation", (1, 3)),
        ("lesion", (2, 3)),
        ("systemic line", (1, 3)),
    ]);
    let mut compared = 0;
    for measure in &table.measures {
        let network = units(of(&table, &measure.id, By::Network, "all").expect("a row"));
        let at = |centre: &str| units(of(&table, &measure.id, By::Centre, centre).expect("a row"));
        let (first, second) = (at(&two.one), at(&two.two));
        assert_eq!(first + second, network, "{}", measure.id);
        if let Some(expected) = expected.get(measure.unit.as_str()) {
            assert_eq!((first, second), *expected, "{}", measure.id);
            compared += 1;
        }
    }
    assert!(compared > 40);
    let scope = system();
    let reader = two.reader(&run, &scope);
    let overview = reader.overview(&Audience::Exact).expect("an overview");
    let cases = |centre: &str| {
        overview
            .by_centre
            .iter()
            .find(|c| c.centre == centre)
            .and_then(|c| c.cases)
    };
    assert_eq!(
        (cases(&two.one), cases(&two.two)),
        (Some(1), Some(0)),
        "registered by the first"
    );
    let levels = reader.completeness(&Audience::Exact).expect("levels");
    let level = |name: &str| levels.iter().find(|level| level.level == name).expect("a level");
    let answered = |name: &str| {
        let found = level(name)
            .elements
            .iter()
            .find(|element| element.element == "local_treatment.modality");
        found
            .and_then(|element| element.answers.counts)
            .map(|counts| counts.expected())
    };
    assert_eq!(
        (answered("all"), answered(&two.one), answered(&two.two)),
        (Some(4), Some(1), Some(3))
    );
    assert_eq!((level(&two.one).cases, level(&two.two).cases), (Some(1), Some(0)));
    assert_eq!(
        (
            level(&two.one).follow_up.patients,
            level(&two.two).follow_up.patients
        ),
        (Some(0), Some(1))
    );
}

#[test]
fn a_run_made_before_stays_what_it_was_also_when_computed_again() {
    let two = Two::new();
    let before = two.registry.run();
    let kept = two.stored(&before);
    assert_eq!(two.again(&before), kept);
    let bundle = two.release(&before);
    two.transfer(&two.one, &two.two, ON);
    assert_eq!(two.stored(&before), kept, "stored numbers stay");
    assert_eq!(two.again(&before), kept, "and come out again from the watermark");
    assert_eq!(two.release(&before), bundle, "so does a release");
    let after = two.registry.run();
    let moved = two.stored(&after);
    assert_eq!(two.again(&after), moved);
    let adherence = ("adherence".to_owned(), String::new());
    assert_ne!(moved[&adherence]["rows"], kept[&adherence]["rows"]);
    // The case was evaluated again because it was transferred, and only then.
    let summary = |run: &Run| run.summary.clone().expect("finished");
    assert_eq!(summary(&after)["evaluated"], 1);
    assert_eq!(summary(&two.registry.run())["reused"], 1);
}

#[test]
fn a_transfer_taken_back_as_of_its_day_leaves_nothing_with_the_other_centre() {
    let two = Two::new();
    let before = two.stored(&two.registry.run());
    two.transfer(&two.one, &two.two, ON);
    two.transfer(&two.two, &two.one, ON);
    let after = two.stored(&two.registry.run());
    let rows = |all: &BTreeMap<(String, String), Value>| {
        all[&("adherence".to_owned(), String::new())]["rows"].clone()
    };
    assert_eq!(rows(&after), rows(&before));
}

#[test]
fn the_work_is_with_the_centre_that_has_the_case() {
    let two = Two::new();
    two.transfer(&two.one, &two.two, ON);
    let run = two.registry.run();
    let scope = system();
    let reader = two.reader(&run, &scope);
    let work = |centre: &str| -> Vec<WorkItem> { reader.worklist(&engine(), centre).expect("a list").items };
    assert!(work(&two.one).is_empty());
    assert!(!work(&two.two).is_empty());
}

#[test]
fn other_rules_are_compared_by_the_centre_of_each_unit() {
    let two = Two::new();
    two.transfer(&two.one, &two.two, ON);
    let run = two.registry.run();
    let table = two.table(&run);
    let centres = two.registry.centres();
    let (store, engine) = (&two.registry.store, engine());
    let same = runs::compare(
        store,
        &system(),
        &run,
        &centres,
        [&engine, &engine],
        |_| true,
        |_, _| (),
    )
    .expect("compared");
    for change in &same.measures {
        let row = of(&table, &change.measure, By::Network, "all").expect("a row");
        assert_eq!(
            (change.base.numerator, change.base.denominator),
            (row.numerator, row.denominator),
            "{}",
            change.measure
        );
    }
}

#[test]
fn the_evaluation_says_which_centre_has_which_part() {
    let two = Two::new();
    two.transfer(&two.one, &two.two, ON);
    let run = two.registry.run();
    let mut found = Vec::new();
    two.registry
        .store
        .for_each_run_evaluation::<runs::RunError>(&system(), run.number, 10, |batch| {
            for evaluation in batch {
                found.push((
                    evaluation.holders,
                    CaseEvaluation::from_payload(&evaluation.payload)?,
                ));
            }
            Ok(())
        })
        .expect("read");
    let (holders, evaluation) = found.pop().expect("one case");
    let shares = evaluation.shares.expect("it was transferred");
    assert_eq!(shares.centres, [two.one.clone(), two.two.clone()]);
    assert_eq!((shares.patient, shares.registered, shares.now), (0, 0, 1));
    assert_eq!(shares.units.len(), evaluation.outcomes.len());
    let on: NaiveDate = ON.parse().expect("a day");
    assert_eq!(
        (holders.on(on.pred_opt()), holders.on(Some(on))),
        (two.one.as_str(), two.two.as_str())
    );
}

/// The units a centre reads one by one are those its row counts, on the cases it holds.
#[test]
fn own_units_are_those_of_the_own_row() {
    let two = Two::new();
    two.transfer(&two.one, &two.two, ON);
    let run = two.registry.run();
    let (scope, table) = (system(), two.table(&run));
    let reader = two.reader(&run, &scope);
    let mut some = 0;
    for (at, head) in (0_u16..).zip(&table.measures) {
        let units = reader.own_units(&two.two, at).expect("units");
        let count = |wanted: fn(Outcome) -> bool| {
            let of = units.iter().filter(|unit| wanted(unit.outcome));
            Some(of.count() as u32)
        };
        let counted = [
            count(Outcome::in_numerator),
            count(Outcome::in_denominator),
            count(|outcome| outcome == Outcome::NotAssessable),
            count(|outcome| outcome == Outcome::Excluded),
            count(|outcome| outcome == Outcome::Excepted),
            count(|outcome| outcome == Outcome::NotInDenom),
        ];
        let row = of(&table, &head.id, By::Centre, &two.two);
        let row = row.map_or([Some(0); 6], |row| {
            [
                row.numerator,
                row.denominator,
                row.not_assessable,
                row.excluded,
                row.excepted,
                row.not_in_denominator,
            ]
        });
        assert_eq!(counted, row, "{}", head.id);
        some += units.len();
        let gone = reader.own_units(&two.one, at).expect("units");
        assert!(gone.is_empty(), "{}: the case is with the other centre", head.id);
    }
    assert!(some > 0);
}
