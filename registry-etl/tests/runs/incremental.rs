//! Only what has changed is evaluated; the lock holds; a run is reproducible.

use crate::registry::{Registry, as_of, judge, system};
use chrono::Days;
use registry_core::storage::{CaseStatus, Run, RunStatus, StartRun, StoreError, Withdraw, WithdrawalMode};
use registry_core::synthetic;
use registry_etl::runs::{Phase, RunError};
use serde_json::{Value, json};

fn counts(run: &Run) -> [u64; 3] {
    let summary = run.summary.as_ref().expect("finished");
    ["cases", "evaluated", "reused"].map(|name| summary[name].as_u64().expect("a count"))
}

/// The results of a run without its number.
fn results(registry: &Registry, run: &Run) -> Vec<(String, String, Value)> {
    let keys = registry
        .store
        .run_results(&system(), run.number)
        .expect("results");
    keys.into_iter()
        .map(|k| {
            let text = registry
                .store
                .run_result(&system(), run.number, &k.kind, &k.key)
                .expect("a result");
            let mut body: Value = serde_json::from_str(&text).expect("JSON");
            body["run"]["run"] = json!(0);
            (k.kind, k.key, body)
        })
        .collect()
}

#[test]
fn the_second_run_evaluates_nothing_and_says_the_same() {
    let registry = Registry::with(40, 4);
    let first = registry.run();
    assert_eq!((counts(&first), first.status), ([40, 40, 0], RunStatus::Finished));
    let second = registry.run();
    assert_eq!(counts(&second), [40, 0, 40]);
    assert_eq!(results(&registry, &first), results(&registry, &second));

    // One case sent again with a change, one new draft, one withdrawn.
    let mut case = synthetic::case(&registry.plan, 3);
    case.body["primary"]["size_mm"] = json!(77);
    registry
        .put(&case.centre_id, &case.pseudonym, case.body, CaseStatus::Submitted)
        .expect("stored");
    let draft = synthetic::case(
        &synthetic::CohortPlan {
            seed: 99,
            ..registry.plan
        },
        900,
    );
    registry
        .put(&draft.centre_id, &draft.pseudonym, draft.body, CaseStatus::Draft)
        .expect("stored");
    let gone = synthetic::case(&registry.plan, 5);
    let withdraw = Withdraw {
        pseudonym: gone.pseudonym,
        centre: Some(gone.centre_id),
        mode: WithdrawalMode::NoFurtherUse,
        date: as_of(),
        reason: None,
        document: None,
        precondition: registry_core::storage::Precondition::Whatever,
        idempotency: None,
    };
    registry.store.withdraw(&system(), withdraw).expect("withdrawn");
    let third = registry.run();
    assert_eq!(
        counts(&third),
        [39, 1, 38],
        "drafts and withdrawn cases never enter"
    );
}

#[test]
fn a_later_cut_off_evaluates_only_cases_it_can_change() {
    let registry = Registry::with(10, 2);
    // The cases are submitted on 2026-11-23: a cut-off from that day on is never the earlier of the two.
    let later = |days| as_of().checked_add_days(Days::new(days)).expect("a date");
    let first = registry.try_run(later(1), |_| ()).expect("a run");
    let second = registry.try_run(later(30), |_| ()).expect("a run");
    assert_eq!((counts(&first), counts(&second)), ([10, 10, 0], [10, 0, 10]));
    let earlier = registry.try_run(as_of(), |_| ()).expect("a run");
    assert_eq!(counts(&earlier), [10, 10, 0]);
}

#[test]
fn a_changed_centre_table_evaluates_everything() {
    let registry = Registry::with(6, 2);
    registry.run();
    let row = json!({"is_specialised_sarcoma_centre": true, "annual_rps_volume": 1, "eligible_seen": 1,
        "consent_refused": 0, "annual_metastasectomy_volume": 0, "mis_metastasectomy_programme": false,
        "academic_trial_centre": false});
    registry
        .store
        .put_centre_year(&system(), "C01", 2030, row)
        .expect("a year");
    assert_eq!(counts(&registry.run()), [6, 6, 0]);
}

#[test]
fn one_run_at_a_time_and_a_failed_one_frees_the_lock() {
    let registry = Registry::with(3, 2);
    let open = registry
        .store
        .start_run(
            &system(),
            StartRun {
                cutoff_date: as_of(),
                parameters: json!({}),
            },
        )
        .expect("started");
    let refused = registry.try_run(as_of(), |_| ());
    assert!(matches!(refused, Err(RunError::Store(StoreError::RunActive(n))) if n == open.number));
    registry
        .store
        .fail_run(&system(), open.number, "test")
        .expect("failed");
    assert_eq!(registry.run().number, open.number + 1);
}

#[test]
fn progress_is_told_and_ends_complete() {
    let registry = Registry::with(7, 2);
    let mut told = Vec::new();
    registry.run_told(|p| told.push(p));
    assert!(
        told.windows(2)
            .all(|w| w[0].phase != w[1].phase || w[0].done <= w[1].done)
    );
    for phase in [Phase::Evaluating, Phase::Aggregating] {
        let last = told.iter().rfind(|p| p.phase == phase).expect("told");
        assert_eq!((last.done, last.total), (7, 7));
    }
}

#[test]
fn a_run_says_of_a_case_what_the_verdict_on_its_submission_said() {
    let registry = Registry::with(12, 3);
    let run = registry.run();
    let judge = judge();
    let guideline = &judge.guidelines("1.0.0")[0];
    let mut compared = 0;
    registry
        .store
        .for_each_run_evaluation::<StoreError>(&system(), run.number, 5, |batch| {
            for evaluation in batch {
                let got = registry_etl::measures::CaseEvaluation::from_payload(&evaluation.payload)
                    .expect("payload");
                let document = &registry.store.case_documents(
                    &system(),
                    run.watermark,
                    std::slice::from_ref(&evaluation.case),
                )?[0];
                let body = &document.as_ref().expect("there").document;
                let verdict = registry.verdict(&evaluation.case.centre_id, body);
                let assessment = verdict
                    .assessments
                    .iter()
                    .find(|a| a.guideline == guideline.id)
                    .expect("assessed");
                let composites = guideline.composite_outcomes(&assessment.outcomes);
                let expected: Vec<registry_etl::measures::UnitResult> = assessment
                    .outcomes
                    .iter()
                    .chain(&composites)
                    .cloned()
                    .map(Into::into)
                    .collect();
                assert!(got.outcomes == expected, "the run and the verdict differ");
                compared += expected.len();
            }
            Ok(())
        })
        .expect("read");
    assert!(compared > 100);
}
