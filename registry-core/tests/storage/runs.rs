//! Runs: one at a time, reproducible from a watermark, evaluations stored once.

use chrono::Duration;
use registry_core::access::{Role, Scope};
use registry_core::storage::{
    CaseRef, CaseStatus, EvaluationRef, FinishRun, NewEvaluation, NewRelease, Precondition, Publication,
    PutCase, RunProgress, RunResult, RunStatus, StartRun, StoreError, StoredSeverity, Withdraw,
    WithdrawalMode,
};
use serde_json::json;

use crate::support::{TestStore, document, finding, on_both, put, replacing};

fn wanted() -> StartRun {
    StartRun {
        cutoff_date: "2026-10-31".parse().unwrap(),
        parameters: json!({"guideline": "g-1", "engine": "1"}),
    }
}

fn done() -> FinishRun {
    FinishRun {
        summary: json!({"cases": 2}),
        results: vec![
            RunResult {
                kind: "adherence".to_owned(),
                key: String::new(),
                body: "[1]".to_owned(),
            },
            RunResult {
                kind: "survival".to_owned(),
                key: "S1".to_owned(),
                body: "{}".to_owned(),
            },
        ],
    }
}

fn etl() -> Scope {
    Scope::system("etl")
}

fn cases_at(test: &TestStore, watermark: i64) -> Vec<CaseRef> {
    let mut all = Vec::new();
    test.store
        .for_each_case_at::<StoreError>(&etl(), watermark, 2, |headers| {
            all.extend(headers.into_iter().map(|h| h.case));
            Ok(())
        })
        .unwrap();
    all
}

fn evaluations(test: &TestStore, run: i64) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    test.store
        .for_each_run_evaluation::<StoreError>(&etl(), run, 2, |some| {
            all.extend(some.into_iter().map(|e| (e.key, e.payload)));
            Ok(())
        })
        .unwrap();
    all
}

on_both! {
    fn one_run_at_a_time_numbered_without_gaps(test) {
        let first = test.store.start_run(&etl(), wanted()).unwrap();
        assert_eq!((first.number, first.status), (1, RunStatus::Running));
        assert_eq!(test.store.start_run(&etl(), wanted()).err(), Some(StoreError::RunActive(1)));
        test.clock.jump(Duration::minutes(4));
        test.store.keep_run_alive(&etl(), 1).unwrap();
        let progress = RunProgress { phase: "evaluating".to_owned(), done: 1, total: 2 };
        test.store.note_run_progress(&etl(), 1, &progress).unwrap();
        let running = test.store.run(&etl(), 1).unwrap();
        assert_eq!((running.progress, running.summary), (Some(progress.clone()), None));
        assert!(matches!(test.store.note_run_progress(&test.submitter("C01"), 1, &progress), Err(StoreError::Forbidden { .. })));
        test.clock.jump(Duration::minutes(4));
        assert_eq!(test.store.start_run(&etl(), wanted()).err(), Some(StoreError::RunActive(1)));
        // No sign of life for longer than the lease: interrupted.
        test.clock.jump(Duration::minutes(6));
        assert_eq!(test.store.start_run(&etl(), wanted()).unwrap().number, 2);
        let failed = test.store.run(&etl(), 1).unwrap();
        assert_eq!((failed.status, failed.progress, failed.summary), (RunStatus::Failed, None, Some(json!({"failure": "interrupted"}))));
        assert!(matches!(test.store.note_run_progress(&etl(), 1, &progress), Err(StoreError::InvalidState(_))));
        assert!(matches!(test.store.finish_run(&etl(), 1, done()), Err(StoreError::InvalidState(_))));
        assert!(matches!(test.store.put_evaluations(&etl(), 1, Vec::new()), Err(StoreError::InvalidState(_))));
        assert!(test.store.fail_run(&etl(), 2, "cancelled").is_ok());
        assert_eq!(test.store.latest_run(&etl()).unwrap(), None);
        let third = test.store.start_run(&etl(), wanted()).unwrap().number;
        let finished = test.store.finish_run(&etl(), third, done()).unwrap();
        assert_eq!((finished.number, finished.status, finished.summary), (3, RunStatus::Finished, Some(json!({"cases": 2}))));
        assert_eq!(test.store.run_result(&etl(), 3, "survival", "S1").unwrap(), "{}");
        assert_eq!(test.store.run_result(&etl(), 3, "survival", "S2").err(), Some(StoreError::NotFound));
        assert_eq!(test.store.run_results(&etl(), 3).unwrap().len(), 2);
        assert_eq!(test.store.published_run(&etl()).unwrap(), None);
        assert!(matches!(test.store.publish_run(&etl(), 2, Publication::default()), Err(StoreError::InvalidState(_))));
        let coordinator = test.coordinator();
        let published = test.store.publish_run(&coordinator, 3, Publication::default()).unwrap();
        assert_eq!(published.published_by.as_deref(), Some(coordinator.actor()));
        assert_eq!(test.store.publish_run(&test.coordinator(), 3, Publication::default()).unwrap().published_at, published.published_at);
        assert_eq!(test.store.published_run(&test.scope(Role::Committee, None)).unwrap().unwrap().number, 3);
        assert_eq!(test.store.list_runs(&etl()).unwrap().iter().map(|r| r.number).collect::<Vec<_>>(), [3, 2, 1]);
        assert!(matches!(test.store.start_run(&test.submitter("C01"), wanted()), Err(StoreError::Forbidden { .. })));
        // What may be shown of a run depends on those published before: worked out beside others it does not count.
        let fourth = test.store.start_run(&etl(), wanted()).unwrap().number;
        test.store.finish_run(&etl(), fourth, done()).unwrap();
        let beside = |beside: &[i64]| Publication {
            beside: beside.to_vec(),
            results: vec![RunResult { kind: "beside".to_owned(), key: "overview/committee".to_owned(), body: "{}".to_owned() }],
        };
        assert!(matches!(test.store.publish_run(&coordinator, fourth, beside(&[])), Err(StoreError::InvalidState(_))));
        assert_eq!(test.store.published_run(&etl()).unwrap().unwrap().number, 3);
        assert_eq!(test.store.run_result(&etl(), fourth, "beside", "overview/committee").err(), Some(StoreError::NotFound));
        assert!(test.store.publish_run(&coordinator, fourth, beside(&[3])).unwrap().published_at.is_some());
        assert_eq!(test.store.run_result(&etl(), fourth, "beside", "overview/committee").unwrap(), "{}");
    }

    fn the_watermark_fixes_the_versions_that_belong_to_a_run(test) {
        let (one, two) = (test.submitter("C01"), test.submitter("C02"));
        let first = test.store.put_case(&one, PutCase { findings: vec![finding("E-1", StoredSeverity::Error)], ..put("P-1", 1) }).unwrap();
        test.store.put_case(&one, PutCase { status: CaseStatus::Draft, ..put("P-2", 1) }).unwrap();
        test.store.put_case(&two, put("P-3", 1)).unwrap();
        test.store.put_case(&two, put("P-4", 1)).unwrap();
        let run = test.store.start_run(&etl(), wanted()).unwrap();
        let before = cases_at(&test, run.watermark);
        assert_eq!(before.len(), 3, "the draft stays out");
        test.store.put_case(&one, replacing("P-1", 2, &first)).unwrap();
        test.store.put_case(&two, put("P-5", 1)).unwrap();
        assert_eq!(cases_at(&test, run.watermark), before, "later changes do not belong to the run");
        let now = cases_at(&test, i64::MAX);
        assert_eq!((now.len(), now[0].version), (4, 2));
        let documents = test.store.case_documents(&etl(), i64::MAX, &before).unwrap();
        assert_eq!(documents[0].as_ref().unwrap().document, document(1));
        assert_eq!(documents[0].as_ref().unwrap().header.errors, 1);
        assert_eq!(test.store.case_findings(&etl(), &before[..1]).unwrap()[0].len(), 1);
        let unknown = CaseRef { version: 9, ..before[0].clone() };
        assert_eq!(test.store.case_documents(&etl(), i64::MAX, &[unknown, before[1].clone()]).unwrap().iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
        assert!(matches!(test.store.case_documents(&one, i64::MAX, &before), Err(StoreError::Forbidden { .. })));
    }

    fn evaluations_are_stored_once_sealed_and_go_with_their_case(test) {
        let centre = test.submitter("C01");
        for number in 0..5 {
            test.store.put_case(&centre, put(&format!("P-{number}"), number)).unwrap();
        }
        let run = test.store.start_run(&etl(), wanted()).unwrap();
        let cases = cases_at(&test, run.watermark);
        let evaluation = |case: &CaseRef, payload: bool| NewEvaluation {
            case: case.clone(),
            key: format!("key-{}", case.case_id),
            payload: payload.then(|| format!("outcome-canary of {}", case.case_id).into_bytes()),
        };
        let wanted_keys: Vec<_> = cases.iter().map(|c| EvaluationRef { centre_id: c.centre_id.clone(), case_id: c.case_id.clone(), key: format!("key-{}", c.case_id) }).collect();
        assert_eq!(test.store.known_evaluations(&etl(), &wanted_keys).unwrap(), [false; 5]);
        test.store.put_evaluations(&etl(), run.number, cases.iter().map(|c| evaluation(c, true)).collect()).unwrap();
        assert_eq!(test.store.known_evaluations(&etl(), &wanted_keys).unwrap(), [true; 5]);
        test.store.finish_run(&etl(), run.number, done()).unwrap();
        assert_eq!(evaluations(&test, run.number).len(), 5);
        // The next run only refers to them.
        let next = test.store.start_run(&etl(), wanted()).unwrap();
        test.store.put_evaluations(&etl(), next.number, cases.iter().map(|c| evaluation(c, false)).collect()).unwrap();
        assert_eq!(evaluations(&test, next.number), evaluations(&test, run.number));
        assert_eq!(test.raw_texts("SELECT CAST(count(*) AS TEXT) AS line FROM evaluations"), ["5"]);
        test.store.create_release(&test.coordinator(), NewRelease {
            release_id: "2026-1".to_owned(), run: run.number, title: "First".to_owned(), manifest: json!({"files": 3}),
            sha256: "ab".repeat(32), bytes: 10, cases: Vec::new()
        }).unwrap();
        let withdrawn = test.store.withdraw(&centre, Withdraw {
            pseudonym: "P-0".to_owned(), centre: None, mode: WithdrawalMode::Erase, date: "2026-11-20".parse().unwrap(),
            reason: None, document: None, precondition: Precondition::Whatever, idempotency: None,
        }).unwrap();
        assert_eq!(withdrawn.releases, ["2026-1"]);
        assert_eq!(test.store.releases_with_case(&centre, "C01", &withdrawn.case_id).unwrap(), ["2026-1"]);
        assert_eq!(test.store.known_evaluations(&etl(), &wanted_keys).unwrap().iter().filter(|k| **k).count(), 4);
        assert_eq!(evaluations(&test, next.number).len(), 4);
        // One erased while its run is under way leaves it without an error.
        test.store.put_evaluations(&etl(), next.number, vec![evaluation(&cases[0], true)]).unwrap();
        assert_eq!(evaluations(&test, next.number).len(), 4);
        assert!(test.store.case_documents(&etl(), i64::MAX, &cases).unwrap()[0].is_none());
    }

    fn a_centre_reads_the_evaluations_of_its_own_cases_only(test) {
        let (one, two) = (test.submitter("C01"), test.submitter("C02"));
        for number in 0..5 {
            let scope = if number % 2 == 0 { &one } else { &two };
            test.store.put_case(scope, put(&format!("P-{number}"), number)).unwrap();
        }
        let run = test.store.start_run(&etl(), wanted()).unwrap();
        let evaluations = cases_at(&test, run.watermark).into_iter().map(|case| NewEvaluation {
            key: format!("key-{}", case.case_id), payload: Some(b"outcome".to_vec()), case,
        });
        test.store.put_evaluations(&etl(), run.number, evaluations.collect()).unwrap();
        test.store.finish_run(&etl(), run.number, done()).unwrap();
        // P-0, P-2 and P-4 are of C01, P-1 and P-3 of C02; batches of every size.
        let read = |scope: &Scope, centre: &str, batch: usize| {
            let mut all = Vec::new();
            test.store.for_each_run_evaluation_of::<StoreError>(scope, run.number, centre, batch, |some| {
                all.extend(some.into_iter().map(|e| e.case.centre_id));
                Ok(())
            }).map(|()| all)
        };
        for batch in 1..=6 {
            assert_eq!(read(&one, "C01", batch).unwrap(), ["C01"; 3]);
            assert_eq!(read(&test.coordinator(), "C01", batch).unwrap(), ["C01"; 3]);
            assert_eq!(read(&test.coordinator(), "C02", batch).unwrap(), ["C02"; 2]);
        }
        assert!(read(&test.coordinator(), "C03", 2).unwrap().is_empty());
        for (scope, centre) in [(&one, "C02"), (&test.scope(Role::Committee, None), "C01"), (&test.scope(Role::Researcher, None), "C01")] {
            assert!(matches!(read(scope, centre, 2), Err(StoreError::Forbidden { .. })));
        }
    }

    fn a_bundle_with_a_case_withdrawn_while_it_was_built_becomes_no_release(test) {
        let centre = test.submitter("C01");
        let ids: Vec<String> = (0..3)
            .map(|number| test.store.put_case(&centre, put(&format!("P-{number}"), number)).unwrap().case_id)
            .collect();
        let run = test.store.start_run(&etl(), wanted()).unwrap();
        test.store.finish_run(&etl(), run.number, done()).unwrap();
        for (number, mode) in [(0, WithdrawalMode::NoFurtherUse), (1, WithdrawalMode::Erase)] {
            test.store.withdraw(&centre, Withdraw {
                pseudonym: format!("P-{number}"), centre: None, mode, date: "2026-11-20".parse().unwrap(),
                reason: None, document: None, precondition: Precondition::Whatever, idempotency: None,
            }).unwrap();
        }
        let release = |cases: &[String]| NewRelease {
            release_id: "r".to_owned(), run: run.number, title: "t".to_owned(), manifest: json!({}), sha256: "00".repeat(32), bytes: 1,
            cases: cases.to_vec(),
        };
        let coordinator = test.coordinator();
        for held in [&ids[..], &ids[..1], &ids[1..2]] {
            let refused = test.store.create_release(&coordinator, release(held));
            assert!(matches!(refused, Err(StoreError::InvalidState(why)) if why.contains("withdrawn")), "{refused:?}");
        }
        assert!(test.store.list_releases(&coordinator).unwrap().is_empty());
        test.store.create_release(&coordinator, release(&ids[2..])).unwrap();
    }

    fn releases_are_listed_and_named_once(test) {
        let run = test.store.start_run(&etl(), wanted()).unwrap();
        let release = |id: &str| NewRelease { release_id: id.to_owned(), run: 1, title: "t".to_owned(), manifest: json!({}), sha256: "00".repeat(32), bytes: 1, cases: Vec::new() };
        let coordinator = test.coordinator();
        assert!(matches!(test.store.create_release(&coordinator, release("r-1")), Err(StoreError::InvalidState(_))));
        test.store.finish_run(&etl(), run.number, done()).unwrap();
        test.store.create_release(&coordinator, release("r-1")).unwrap();
        test.store.create_release(&coordinator, release("r-2")).unwrap();
        assert_eq!(test.store.create_release(&coordinator, release("r-1")).err(), Some(StoreError::Duplicate("release")));
        assert!(matches!(test.store.create_release(&coordinator, release("../x")), Err(StoreError::Invalid(_))));
        let researcher = test.scope(Role::Researcher, None);
        let ids: Vec<_> = test.store.list_releases(&researcher).unwrap().into_iter().map(|r| r.release_id).collect();
        assert_eq!(ids, ["r-2", "r-1"]);
        assert_eq!(test.store.release(&researcher, "r-3").err(), Some(StoreError::NotFound));
    }

    fn centres_and_their_years(test) {
        let coordinator = test.coordinator();
        assert_eq!(test.store.create_centre(&coordinator, crate::support::new_centre("C01")).err(), Some(StoreError::Duplicate("centre")));
        let mut inactive = crate::support::new_centre("C03");
        inactive.active = false;
        assert!(!test.store.upsert_centre(&coordinator, inactive).unwrap().1);
        assert!(matches!(test.store.put_case(&test.submitter("C03"), put("P-1", 1)), Err(StoreError::InvalidState(_))));
        assert!(test.store.put_centre_year(&coordinator, "C01", 2025, json!({"annual_rps_volume": 20})).unwrap().1);
        assert!(!test.store.put_centre_year(&coordinator, "C01", 2025, json!({"annual_rps_volume": 21})).unwrap().1);
        assert!(test.store.put_centre_year(&coordinator, "C02", 2024, json!({"ratified": true})).unwrap().1);
        assert_eq!(test.store.put_centre_year(&coordinator, "C99", 2024, json!({})).err(), Some(StoreError::NotFound));
        assert!(matches!(test.store.put_centre_year(&coordinator, "C01", 2024, json!([])), Err(StoreError::Invalid(_))));
        assert!(matches!(test.store.put_centre_year(&test.submitter("C01"), "C01", 2024, json!({})), Err(StoreError::Forbidden { .. })));
        assert_eq!(test.store.centre_year(&coordinator, "C01", 2025).unwrap().values, json!({"annual_rps_volume": 21}));
        assert_eq!(test.store.centre_years(&coordinator, None).unwrap().len(), 2);
        assert_eq!(test.store.centre_years(&coordinator, Some("C02")).unwrap().len(), 1);
        assert_eq!(test.store.list_centres(&coordinator).unwrap().len(), 3);
    }
}
