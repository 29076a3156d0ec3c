//! The synthetic cohort under the schema, the edit checks and the measures as published.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use registry_core::guideline::{Guideline, Outcome};
use registry_core::record::{CentreTable, Layout, Record};
use registry_core::rules::CheckSet;
use registry_core::synthetic::{CohortPlan, Quality, case, centres};
use registry_core::validation::{Envelope, Judge, Severity};
use registry_core::versions::SchemaStore;
use serde_json::json;
use uuid::Uuid;

/// Not assessable and assessable units of a centre and measure.
type Cells = BTreeMap<(String, String), (u32, u32)>;

struct Judged {
    /// Cases by the id of a check that fired on them.
    fired: BTreeMap<String, u32>,
    /// Cases with at least one finding of severity error.
    with_error: u32,
    cells: Cells,
}

fn plan() -> CohortPlan {
    CohortPlan::demo("2026-11-23".parse().unwrap())
}

/// Judges the whole demo cohort; a body the schema refuses fails at once.
fn judged(plan: &CohortPlan) -> Judged {
    let store = Arc::new(SchemaStore::embedded().unwrap());
    let judge = Judge::new(Arc::clone(&store)).unwrap();
    let layout = Arc::new(Layout::of(&store.current().dictionary).unwrap());
    let checks = CheckSet::of(&store, &layout).unwrap();
    let guideline = Guideline::of(&store, &Guideline::folders(&store)[0], &layout).unwrap();
    let rows = centres(plan)
        .into_iter()
        .flat_map(|centre| centre.years.into_iter().map(|(_, row)| row));
    let table = CentreTable::from_rows(rows).unwrap();
    let mut judged = Judged {
        fired: BTreeMap::new(),
        with_error: 0,
        cells: Cells::new(),
    };
    for index in 0..plan.cases {
        let case = case(plan, index);
        let envelope = Envelope {
            record_id: Uuid::from_u128(u128::from(index)),
            centre_id: case.centre_id.clone(),
            submitted_at: case.submitted_at,
            data_cutoff_date: plan.as_of,
        };
        let verdict = judge.judge(&case.body, &envelope, &table);
        assert!(
            !verdict.rejected(),
            "case {index} is refused: {:?}",
            verdict.findings
        );
        let mut document = case.body;
        document["record"] = json!({
            "record_id": envelope.record_id.to_string(),
            "schema_version": "1.0.0",
            "centre_id": case.centre_id,
            "submitted_at": envelope.submitted_at.to_rfc3339(),
            "data_cutoff_date": plan.as_of.to_string(),
        });
        let derived = judge.derive(&document);
        document["primary"]["histology_code"] = json!(derived.histology_code);
        document["primary"]["eligibility_class"] = json!(derived.eligibility_class);
        let mut record = Record::read(&document, &layout, &table);
        let fired = checks.run(&record);
        let mut error = false;
        let mut ids: Vec<&str> = fired
            .iter()
            .map(|fired| {
                let check = &checks.checks()[fired.check];
                assert_ne!(check.severity, Severity::Reject, "case {index}: {}", check.id);
                error |= check.severity == Severity::Error;
                check.id.as_str()
            })
            .collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            *judged.fired.entry(id.to_owned()).or_default() += 1;
        }
        judged.with_error += u32::from(error);
        checks.block(&mut record, &fired);
        for unit in guideline.evaluate(&record) {
            let unknown = unit.outcome == Outcome::NotAssessable;
            if unknown || unit.outcome.in_denominator() || unit.outcome == Outcome::Excepted {
                let measure = guideline.measures[usize::from(unit.measure)].id.clone();
                let cell = judged.cells.entry((case.centre_id.clone(), measure)).or_default();
                cell.0 += u32::from(unknown);
                cell.1 += 1;
            }
        }
    }
    judged
}

/// Expected before the generator was run: a few mistakes are made on purpose (at most 3 cases in 100), no body is
/// refused, and outside the deliberately poor centres at least three cells in four have at most 30 % not assessable.
#[test]
fn the_demo_cohort_is_accepted_mostly_clean_and_mostly_assessable() {
    let plan = plan();
    let judged = judged(&plan);
    let share = f64::from(judged.with_error) / f64::from(plan.cases);
    assert!(
        (0.005..=0.03).contains(&share),
        "{share} with errors: {:?}",
        judged.fired
    );
    for wanted in ["E-006", "E-016", "E-017", "E-019", "E-025", "E-027"] {
        assert!(
            judged.fired.contains_key(wanted),
            "{wanted} in {:?}",
            judged.fired
        );
    }
    let quality: HashMap<String, Quality> = centres(&plan).into_iter().map(|c| (c.id, c.quality)).collect();
    let blank = |wanted: &dyn Fn(Quality) -> bool| {
        let cells: Vec<_> = judged
            .cells
            .iter()
            .filter(|((centre, _), _)| wanted(quality[centre]))
            .collect();
        let blank = cells
            .iter()
            .filter(|(_, (unknown, all))| f64::from(*unknown) > 0.3 * f64::from(*all));
        blank.count() as f64 / cells.len() as f64
    };
    let elsewhere = blank(&|quality| quality != Quality::Poor);
    let poor = blank(&|quality| quality == Quality::Poor);
    assert!(
        elsewhere <= 0.25,
        "{elsewhere} of the cells outside the poor centres are blank"
    );
    assert!(
        poor >= 0.5,
        "only {poor} of the cells of the poor centres are blank"
    );
}

/// A demo of another seed or size is no worse: nothing is refused.
#[test]
fn no_body_of_another_seed_is_refused() {
    for seed in [1, 99] {
        let plan = CohortPlan {
            seed,
            cases: 400,
            centres: 9,
            as_of: "2031-02-28".parse().unwrap(),
        };
        let judged = judged(&plan);
        assert!(judged.with_error <= 20, "{:?}", judged.fired);
    }
}
