//! Same key, same request: one effect, one answer.

use std::sync::{Arc, Barrier};

use chrono::Duration;
use registry_core::access::Scope;
use registry_core::storage::{
    Answer, CaseRow, Centre, Claim, Held, Idempotency, LifeCycle, PutCase, PutOutcome, QueryThread,
    StoreError, Withdraw, WithdrawalMode,
};

use crate::support::{TestStore, new_centre, on_both, put};

/// The claim that is to be had.
/// In flight, for five minutes at most from the sign of life before (the clock of a test steps on).
fn in_flight(claim: Result<Claim, StoreError>) -> bool {
    matches!(claim, Err(StoreError::IdempotencyInFlight { seconds: 290..=300 }))
}

fn held(claim: Result<Claim, StoreError>) -> Held {
    match claim {
        Ok(Claim::Proceed(held)) => held,
        other => panic!("expected a claim, got {other:?}"),
    }
}

fn erase(test: &TestStore, scope: &Scope, pseudonym: &str) {
    let asked = Withdraw {
        pseudonym: pseudonym.to_owned(),
        centre: None,
        mode: WithdrawalMode::Erase,
        date: "2026-11-20".parse().unwrap(),
        reason: None,
        document: None,
        precondition: registry_core::storage::Precondition::Whatever,
        idempotency: None,
    };
    test.store.withdraw(scope, asked).unwrap();
}

pub(crate) fn keyed(key: &str, fingerprint: u8) -> Option<Idempotency<PutOutcome>> {
    Some(Idempotency {
        key: key.to_owned(),
        fingerprint: [fingerprint; 32],
        render: Box::new(|outcome| Answer {
            status: if outcome.created { 201 } else { 200 },
            headers: vec![("ETag".to_owned(), outcome.etag.clone())],
            body: format!("{{\"version\":{}}}", outcome.version),
        }),
    })
}

pub(crate) fn of_query(key: &str) -> Option<Idempotency<QueryThread>> {
    Some(Idempotency {
        key: key.to_owned(),
        fingerprint: [1; 32],
        render: Box::new(|thread: &QueryThread| Answer {
            status: 200,
            headers: Vec::new(),
            body: thread.query.question.clone(),
        }),
    })
}

on_both! {
    fn a_repeated_request_gets_the_stored_answer(test) {
        let centre = test.submitter("C01");
        let send = |fingerprint| test.store.put_case(&centre, PutCase { idempotency: keyed("k-1", fingerprint), ..put("P-1", 1) });
        let first = send(1).unwrap();
        assert!(first.replay.is_none());
        let again = send(1).unwrap();
        let answer = again.replay.clone().unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (201, "{\"version\":1}"));
        assert_eq!(PutOutcome { replay: None, ..again }, first);
        assert_eq!(send(2).err(), Some(StoreError::IdempotencyReused));
        // Another actor's key of the same name is another key.
        let other = test.submitter("C02");
        let sent = test.store.put_case(&other, PutCase { idempotency: keyed("k-1", 9), ..put("P-2", 1) }).unwrap();
        assert!(sent.replay.is_none());
        // Kept for a day, then forgotten.
        test.clock.jump(Duration::hours(25));
        assert!(matches!(send(2), Err(StoreError::PreconditionRequired { .. })));
        assert_eq!(test.store.purge_idempotency().unwrap(), 2);
    }

    fn a_refused_request_leaves_no_answer(test) {
        let centre = test.submitter("C01");
        test.store.put_case(&centre, put("P-1", 1)).unwrap();
        let send = || test.store.put_case(&centre, PutCase { idempotency: keyed("k-1", 1), ..put("P-1", 2) });
        assert!(matches!(send(), Err(StoreError::PreconditionRequired { .. })));
        assert!(matches!(send(), Err(StoreError::PreconditionRequired { .. })));
    }

    fn a_claim_is_exclusive_until_it_is_answered_released_or_too_old(test) {
        let scope = test.coordinator();
        let answer = Answer { status: 202, headers: Vec::new(), body: "job".to_owned() };
        let claim = |fingerprint: u8| test.store.claim(&scope, "k", [fingerprint; 32]);
        let first = held(claim(1));
        assert!(in_flight(claim(1)));
        assert_eq!(claim(2).err(), Some(StoreError::IdempotencyReused));
        test.store.release_claim(&scope, &first).unwrap();
        let second = held(claim(1));
        test.clock.jump(Duration::minutes(6));
        let third = held(claim(1));
        // Who was too slow neither answers, renews nor gives back what is another's by now.
        assert_eq!(test.store.answer_claim(&scope, &second, &answer), Err(StoreError::NotFound));
        assert_eq!(test.store.renew_claim(&scope, &second), Err(StoreError::NotFound));
        test.store.release_claim(&scope, &second).unwrap();
        assert!(in_flight(claim(1)));
        test.store.answer_claim(&scope, &third, &answer).unwrap();
        assert_eq!(claim(1).unwrap(), Claim::Replay(answer));
        test.store.release_claim(&scope, &third).unwrap();
        assert!(matches!(claim(1).unwrap(), Claim::Replay(_)));
    }

    fn a_claim_that_is_renewed_outlives_its_lease(test) {
        let scope = test.coordinator();
        let mine = held(test.store.claim(&scope, "k", [1; 32]));
        for _ in 0..3 {
            test.clock.jump(Duration::minutes(4));
            test.store.renew_claim(&scope, &mine).unwrap();
        }
        assert!(in_flight(test.store.claim(&scope, "k", [1; 32])));
    }

    fn a_change_keeps_its_answer_in_its_own_transaction(test) {
        let scope = test.coordinator();
        let given = |fingerprint: u8| -> Idempotency<Centre> {
            Idempotency {
                key: "k".to_owned(),
                fingerprint: [fingerprint; 32],
                render: Box::new(|centre| Answer { status: 201, headers: Vec::new(), body: centre.name.clone() }),
            }
        };
        let create = |store: &registry_core::storage::Store| store.create_centre(&scope, new_centre("C09"));
        // A change that is refused leaves no answer behind.
        let refused = test.store.once(given(1));
        assert!(refused.store().create_centre(&scope, new_centre("C01")).is_err());
        assert_eq!(refused.replayed(), None);
        assert_eq!(test.store.answer_before(&scope, "k", [1; 32]).unwrap(), None);

        let once = test.store.once(given(1));
        let made = create(once.store()).unwrap();
        assert_eq!(once.replayed(), None);
        let kept = Some(Answer { status: 201, headers: Vec::new(), body: made.name });
        assert_eq!(test.store.answer_before(&scope, "k", [1; 32]).unwrap(), kept);
        assert_eq!(test.store.answer_before(&scope, "k", [2; 32]), Err(StoreError::IdempotencyReused));
        // Again, by whoever did not look before: nothing is done, the answer is there.
        let again = test.store.once(given(1));
        assert!(matches!(create(again.store()), Err(StoreError::InvalidState(_))));
        assert_eq!(again.replayed(), kept);
        assert_eq!(create(test.store.once(given(2)).store()).err(), Some(StoreError::IdempotencyReused));
        // A change with another outcome than the key was given for is undone.
        let wrong = test.store.once(Idempotency { key: "w".to_owned(), ..given(1) });
        assert!(matches!(wrong.store().upsert_centre(&scope, new_centre("C10")), Err(StoreError::Internal(_))));
        assert_eq!(test.store.centre(&scope, "C10").err(), Some(StoreError::NotFound));
    }

    fn what_was_answered_about_a_case_goes_with_it_whoever_asked(test) {
        let (centre, office) = (test.submitter("C01"), test.coordinator());
        test.store.put_case(&centre, put("P-1", 1)).unwrap();
        let verify = |store: &registry_core::storage::Store| store.move_case(&office, "P-1", LifeCycle::Verify, None);
        let given: Idempotency<CaseRow> = Idempotency {
            key: "k".to_owned(),
            fingerprint: [1; 32],
            render: Box::new(|row| Answer { status: 200, headers: Vec::new(), body: row.pseudonym.clone().unwrap_or_default() }),
        };
        verify(test.store.once(given).store()).unwrap();
        assert!(test.store.answer_before(&office, "k", [1; 32]).unwrap().is_some());
        erase(&test, &centre, "P-1");
        assert_eq!(test.store.answer_before(&office, "k", [1; 32]).unwrap(), None);
    }

    fn a_retry_storm_has_one_effect_and_one_answer(test) {
        let centre = test.submitter("C01");
        let start = Arc::new(Barrier::new(50));
        let threads: Vec<_> = (0..50).map(|_| {
            let (store, centre, start) = (test.store.clone(), centre.clone(), start.clone());
            std::thread::spawn(move || {
                start.wait();
                (0..4).map(|_| store.put_case(&centre, PutCase { idempotency: keyed("storm", 1), ..put("P-1", 1) }).unwrap()).collect::<Vec<_>>()
            })
        }).collect();
        let outcomes: Vec<PutOutcome> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
        assert_eq!(outcomes.len(), 200);
        assert_eq!(outcomes.iter().filter(|o| o.replay.is_none()).count(), 1);
        let mut bodies: Vec<_> = outcomes.iter().filter_map(|o| o.replay.clone()).map(|a| (a.status, a.body)).collect();
        bodies.dedup();
        assert_eq!(bodies, [(201, "{\"version\":1}".to_owned())]);
        assert_eq!(test.store.versions(&centre, "P-1").unwrap().len(), 1);
        let created = registry_core::storage::AuditFilter { action: Some("case.create".to_owned()), ..Default::default() };
        assert_eq!(test.store.list_audit(&test.coordinator(), &created, None, 10).unwrap().items.len(), 1);
    }

    fn erasure_takes_the_stored_answers_along(test) {
        let centre = test.submitter("C01");
        test.store.put_case(&centre, PutCase { idempotency: keyed("k-1", 1), ..put("P-1", 1) }).unwrap();
        test.store.put_case(&centre, PutCase { idempotency: keyed("k-2", 2), ..put("P-2", 1) }).unwrap();
        let batch = held(test.store.claim(&centre, "batch", [3; 32]));
        test.store.answer_claim(&centre, &batch, &Answer { status: 200, headers: Vec::new(), body: "both".to_owned() }).unwrap();
        erase(&test, &centre, "P-1");
        assert_eq!(test.raw_texts("SELECT idempotency_key AS line FROM idempotency ORDER BY 1"), ["k-2"]);
    }

    fn erasure_takes_what_earlier_holders_keep_of_the_case_along(test) {
        let (first, second) = (test.submitter("C01"), test.submitter("C02"));
        test.store.put_case(&first, put("P-1", 1)).unwrap();
        let job = test.store.start_job(&first, "batch", false, 1).unwrap();
        test.store.tell_job(&first, &job.job_id, job.counts, "{\"case\":\"P-1\"}\n").unwrap();
        let batch = held(test.store.claim(&first, "batch", [3; 32]));
        test.store.answer_claim(&first, &batch, &Answer { status: 200, headers: Vec::new(), body: "P-1".to_owned() }).unwrap();
        let other = held(test.store.claim(&test.submitter("C03"), "other", [3; 32]));
        assert_ne!(other, batch);
        test.store.transfer_case(&test.coordinator(), crate::transfer::asked("P-1", "C01", "C02", "2026-09-01")).unwrap();
        assert!(test.store.job_report(&first, &job.job_id, 1).unwrap().is_some());
        erase(&test, &second, "P-1");
        assert_eq!(test.raw_texts("SELECT idempotency_key AS line FROM idempotency ORDER BY 1"), ["other"]);
        assert_eq!(test.store.job_report(&first, &job.job_id, 1).unwrap(), None);
    }
}
