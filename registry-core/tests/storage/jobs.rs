//! Jobs and mappings of a centre.

use chrono::Duration;
use registry_core::access::Role;
use registry_core::storage::{JobCounts, JobState, Precondition, StoreError, Withdraw, WithdrawalMode};

use crate::support::{on_both, put};

fn counts(created: u64, refused: u64) -> JobCounts {
    JobCounts {
        total: 3,
        created,
        refused,
        ..JobCounts::default()
    }
}

on_both! {
    fn a_job_tells_how_far_it_is_and_keeps_its_report(test) {
        let (scope, store) = (test.submitter("C01"), &test.store);
        let job = store.start_job(&scope, "import", false, 3).unwrap();
        assert_eq!((job.state, job.counts), (JobState::Running, counts(0, 0)));
        store.tell_job(&scope, &job.job_id, counts(1, 1), "{\"case\":\"P-1\"}\n").unwrap();
        store.tell_job(&scope, &job.job_id, counts(2, 1), "").unwrap();
        store.tell_job(&scope, &job.job_id, counts(2, 1), "{\"case\":\"P-3\"}\n").unwrap();
        assert_eq!(store.job(&scope, &job.job_id).unwrap().counts.done(), 3);
        store.end_job(&scope, &job.job_id, counts(2, 1), None).unwrap();
        let done = store.job(&scope, &job.job_id).unwrap();
        assert_eq!((done.state, done.counts), (JobState::Done, counts(2, 1)));
        let report = |part| store.job_report(&scope, &job.job_id, part).unwrap();
        assert_eq!(report(1).as_deref(), Some("{\"case\":\"P-1\"}\n"));
        assert_eq!(report(2).as_deref(), Some("{\"case\":\"P-3\"}\n"));
        assert_eq!(report(3), None);
        let late = store.tell_job(&scope, &job.job_id, counts(3, 0), "");
        assert_eq!(late, Err(StoreError::InvalidState("the job is not running any more")));
        assert_eq!(store.list_jobs(&scope, None, 10).unwrap().items, [done]);
    }

    fn a_job_is_its_centres_alone(test) {
        let (scope, other, store) = (test.submitter("C01"), test.submitter("C02"), &test.store);
        let job = store.start_job(&scope, "import", true, 3).unwrap();
        assert_eq!(store.job(&other, &job.job_id), Err(StoreError::NotFound));
        assert_eq!(store.job_report(&other, &job.job_id, 1), Err(StoreError::NotFound));
        assert!(store.tell_job(&other, &job.job_id, counts(1, 0), "").is_err());
        assert!(store.list_jobs(&other, None, 10).unwrap().items.is_empty());
        let committee = test.scope(Role::Committee, None);
        assert!(matches!(store.start_job(&committee, "import", true, 3), Err(StoreError::Forbidden { .. })));
    }

    fn the_coordinating_office_reads_the_jobs_of_every_centre_and_hands_in_none(test) {
        let (first, second, store) = (test.submitter("C01"), test.submitter("C02"), &test.store);
        let one = store.start_job(&first, "import", false, 3).unwrap();
        store.tell_job(&first, &one.job_id, counts(1, 0), "{\"case\":\"P-1\"}\n").unwrap();
        let two = store.start_job(&second, "import", true, 3).unwrap();
        let office = test.scope(Role::Coordinator, None);
        let listed = store.list_jobs(&office, None, 10).unwrap().items;
        let ids: Vec<&str> = listed.iter().map(|job| job.job_id.as_str()).collect();
        assert_eq!(ids, [two.job_id.as_str(), one.job_id.as_str()], "newest first");
        assert_eq!(store.job(&office, &one.job_id).unwrap().centre_id, "C01");
        assert_eq!(store.job_report(&office, &one.job_id, 1).unwrap().as_deref(), Some("{\"case\":\"P-1\"}\n"));
        assert!(matches!(store.start_job(&office, "import", false, 3), Err(StoreError::Forbidden { .. })));
        let others = [Role::Admin, Role::Committee, Role::Researcher].map(|role| test.scope(role, None));
        for scope in others {
            assert!(matches!(store.list_jobs(&scope, None, 10), Err(StoreError::Forbidden { .. })));
            assert!(matches!(store.job(&scope, &one.job_id), Err(StoreError::Forbidden { .. })));
        }
    }

    fn a_centre_has_one_job_at_a_time(test) {
        let (scope, store) = (test.submitter("C01"), &test.store);
        let first = store.start_job(&scope, "import", false, 3).unwrap();
        let again = || store.start_job(&scope, "batch", false, 3);
        assert!(matches!(again(), Err(StoreError::InvalidState(_))));
        store.start_job(&test.submitter("C02"), "batch", false, 3).unwrap();
        store.end_job(&scope, &first.job_id, counts(3, 0), None).unwrap();
        again().unwrap();
        // The process of the second was killed: it does not stand in the way for ever.
        assert!(again().is_err());
        test.clock.jump(Duration::minutes(6));
        again().unwrap();
    }

    fn a_job_without_a_sign_of_life_was_interrupted_and_goes_after_a_month(test) {
        let (scope, store) = (test.submitter("C01"), &test.store);
        let job = store.start_job(&scope, "import", false, 3).unwrap();
        store.tell_job(&scope, &job.job_id, counts(1, 0), "{}\n").unwrap();
        test.clock.jump(Duration::minutes(6));
        assert_eq!(store.job(&scope, &job.job_id).unwrap().state, JobState::Interrupted);
        assert_eq!(store.purge_jobs().unwrap(), 0);
        test.clock.jump(Duration::days(31));
        assert_eq!(store.purge_jobs().unwrap(), 1);
        assert_eq!(store.job(&scope, &job.job_id), Err(StoreError::NotFound));
    }

    fn erasing_a_case_takes_the_reports_of_its_centre_along(test) {
        let (scope, store) = (test.submitter("C01"), &test.store);
        store.put_case(&scope, put("P-1", 1)).unwrap();
        let job = store.start_job(&scope, "import", false, 3).unwrap();
        store.tell_job(&scope, &job.job_id, counts(1, 0), "{\"case\":\"P-1\"}\n").unwrap();
        let erase = Withdraw {
            pseudonym: "P-1".to_owned(),
            centre: None,
            mode: WithdrawalMode::Erase,
            date: "2026-06-30".parse().unwrap(),
            reason: None,
            document: None,
            precondition: Precondition::Whatever,
            idempotency: None,
        };
        store.withdraw(&scope, erase).unwrap();
        assert_eq!(store.job_report(&scope, &job.job_id, 1).unwrap(), None);
        assert_eq!(store.job(&scope, &job.job_id).unwrap().counts, counts(1, 0));
    }

    fn a_mapping_is_kept_by_name_and_replaced(test) {
        let (scope, store) = (test.submitter("C01"), &test.store);
        store.put_mapping(&scope, "ours", "a = 1").unwrap();
        store.put_mapping(&scope, "ours", "a = 2").unwrap();
        assert_eq!(store.mapping(&scope, "ours").unwrap(), "a = 2");
        assert_eq!(store.mapping(&test.submitter("C02"), "ours"), Err(StoreError::NotFound));
        assert!(store.put_mapping(&scope, "../x y", "").is_err());
        let names: Vec<_> = store.list_mappings(&scope).unwrap().into_iter().map(|m| m.name).collect();
        assert_eq!(names, ["ours"]);
    }
}
