//! Same key, same request: one effect, one answer.

use std::sync::{Arc, Barrier};

use chrono::Duration;
use registry_core::storage::{
    Answer, Claim, Idempotency, PutCase, PutOutcome, QueryThread, StoreError, Withdraw, WithdrawalMode,
};

use crate::support::{on_both, put};

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
        assert_eq!(test.store.claim(&scope, "k", [1; 32]).unwrap(), Claim::Proceed);
        assert_eq!(test.store.claim(&scope, "k", [1; 32]).err(), Some(StoreError::IdempotencyInFlight));
        assert_eq!(test.store.claim(&scope, "k", [2; 32]).err(), Some(StoreError::IdempotencyReused));
        test.store.release_claim(&scope, "k").unwrap();
        assert_eq!(test.store.claim(&scope, "k", [1; 32]).unwrap(), Claim::Proceed);
        test.clock.jump(Duration::minutes(6));
        assert_eq!(test.store.claim(&scope, "k", [1; 32]).unwrap(), Claim::Proceed);
        test.store.answer_claim(&scope, "k", &answer).unwrap();
        assert_eq!(test.store.claim(&scope, "k", [1; 32]).unwrap(), Claim::Replay(answer));
        test.store.release_claim(&scope, "k").unwrap();
        assert!(matches!(test.store.claim(&scope, "k", [1; 32]).unwrap(), Claim::Replay(_)));
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
        test.store.claim(&centre, "batch", [3; 32]).unwrap();
        test.store.answer_claim(&centre, "batch", &Answer { status: 200, headers: Vec::new(), body: "both".to_owned() }).unwrap();
        test.store.withdraw(&centre, Withdraw {
            pseudonym: "P-1".to_owned(), centre: None, mode: WithdrawalMode::Erase, date: "2026-11-20".parse().unwrap(),
            reason: None, document: None, precondition: registry_core::storage::Precondition::Whatever, idempotency: None,
        }).unwrap();
        assert_eq!(test.raw_texts("SELECT idempotency_key AS line FROM idempotency ORDER BY 1"), ["k-2"]);
    }
}
