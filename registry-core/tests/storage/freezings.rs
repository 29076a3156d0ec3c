//! Releases being frozen, on both databases: one at a time under an id, told of until they are there or came to nothing.

use chrono::Duration;
use registry_core::access::Role;
use registry_core::storage::{Freezing, FreezingState, NewRelease, StoreError};
use serde_json::json;

use crate::support::{TestStore, on_both, system};

/// A finished run.
fn finished(test: &TestStore) -> i64 {
    let run = running(test);
    let done = registry_core::storage::FinishRun {
        summary: json!({}),
        results: Vec::new(),
    };
    test.store.finish_run(&system(), run, done).unwrap();
    run
}

fn running(test: &TestStore) -> i64 {
    let wanted = registry_core::storage::StartRun {
        cutoff_date: "2026-10-31".parse().unwrap(),
        parameters: json!({}),
    };
    test.store.start_run(&system(), wanted).unwrap().number
}

fn listed(test: &TestStore) -> Vec<(String, FreezingState, i64, i64)> {
    let all = test.store.list_freezings(&test.coordinator()).unwrap();
    let line = |one: Freezing| (one.release_id, one.state, one.done, one.total);
    all.into_iter().map(line).collect()
}

fn release(id: &str, run: i64) -> NewRelease {
    NewRelease {
        release_id: id.to_owned(),
        run,
        title: "First".to_owned(),
        manifest: json!({}),
        sha256: "ab".repeat(32),
        bytes: 1,
        cases: Vec::new(),
    }
}

on_both! {
    fn a_release_is_told_of_until_it_is_there(test) {
        let (office, run) = (test.coordinator(), finished(&test));
        let begun = test.store.begin_freezing(&office, "R-1", run, " First ").unwrap();
        assert_eq!((begun.title.as_str(), begun.run, begun.state), ("First", run, FreezingState::Running));
        assert_eq!(begun.started_by, office.actor());
        test.store.tell_freezing(&office, "R-1", 200, 450).unwrap();
        assert_eq!(listed(&test), [("R-1".to_owned(), FreezingState::Running, 200, 450)]);
        // The same once more, meanwhile and afterwards.
        assert!(matches!(test.store.begin_freezing(&system(), "R-1", run, "First"), Err(StoreError::InvalidState(_))));
        test.store.create_release(&office, release("R-1", run)).unwrap();
        assert!(listed(&test).is_empty());
        assert!(matches!(test.store.begin_freezing(&office, "R-1", run, "First"), Err(StoreError::Duplicate(_))));
        assert!(matches!(test.store.tell_freezing(&office, "R-1", 450, 450), Err(StoreError::InvalidState(_))));
        test.store.fail_freezing(&office, "R-1", "too late to fail").unwrap();
        assert!(listed(&test).is_empty());
        test.store.verify_audit(None).unwrap();
    }

    fn what_came_to_nothing_says_why_and_can_be_tried_again(test) {
        let (office, run) = (test.coordinator(), finished(&test));
        test.store.begin_freezing(&office, "R-1", run, "First").unwrap();
        test.store.tell_freezing(&office, "R-1", 7, 9).unwrap();
        test.store.fail_freezing(&office, "R-1", "the disk is full").unwrap();
        let failed = test.store.list_freezings(&office).unwrap();
        assert_eq!((failed[0].state, failed[0].problem.as_deref()), (FreezingState::Failed, Some("the disk is full")));
        assert!(matches!(test.store.tell_freezing(&office, "R-1", 8, 9), Err(StoreError::InvalidState(_))));
        assert_eq!(test.export().matches("\"_\":\"freezings\"").count(), 1);
        test.store.begin_freezing(&office, "R-1", run, "First").unwrap();
        assert_eq!(listed(&test), [("R-1".to_owned(), FreezingState::Running, 0, 0)]);
        // No sign of life: whoever made it was stopped.
        test.clock.jump(Duration::seconds(301));
        assert_eq!(listed(&test), [("R-1".to_owned(), FreezingState::Interrupted, 0, 0)]);
        test.store.begin_freezing(&office, "R-1", run, "First").unwrap();
        // After a month nobody is told any more.
        test.clock.jump(Duration::days(31));
        assert!(listed(&test).is_empty());
        test.store.begin_freezing(&office, "R-2", run, "Second").unwrap();
        assert_eq!(test.export().matches("\"_\":\"freezings\"").count(), 1);
        test.store.verify_audit(None).unwrap();
    }

    fn only_the_office_freezes_and_only_finished_runs_under_a_name(test) {
        let (office, run) = (test.coordinator(), finished(&test));
        for scope in [test.scope(Role::Researcher, None), test.scope(Role::Committee, None), test.submitter("C01")] {
            let store = &test.store;
            assert!(matches!(store.begin_freezing(&scope, "R-1", run, "First"), Err(StoreError::Forbidden { .. })));
            assert!(matches!(store.list_freezings(&scope), Err(StoreError::Forbidden { .. })));
            assert!(matches!(store.tell_freezing(&scope, "R-1", 1, 1), Err(StoreError::Forbidden { .. })));
            assert!(matches!(store.fail_freezing(&scope, "R-1", "no"), Err(StoreError::Forbidden { .. })));
        }
        let refused = |id: &str, run: i64, title: &str| test.store.begin_freezing(&office, id, run, title).unwrap_err();
        assert!(matches!(refused("two words", run, "First"), StoreError::Invalid(_)));
        assert!(matches!(refused("R-1", run, " "), StoreError::Invalid(_)));
        assert!(matches!(refused("R-1", run + 7, "First"), StoreError::NotFound));
        let unfinished = running(&test);
        assert!(matches!(refused("R-1", unfinished, "First"), StoreError::InvalidState(_)));
        assert!(listed(&test).is_empty());
    }
}
