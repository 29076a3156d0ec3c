//! Many at once: one winner per version, nothing lost, the chain without a fork.

use std::sync::{Arc, Barrier};

use registry_core::storage::{Precondition, PutCase, Store, StoreError};

use crate::support::{Dialect, TestStore, document, on_both, put};

on_both! {
    fn fifty_writers_on_one_case_have_one_winner_per_version(test) {
        let centre = test.submitter("C01");
        test.store.put_case(&centre, put("P-1", 0)).unwrap();
        let start = Arc::new(Barrier::new(50));
        let threads: Vec<_> = (1..=50).map(|writer| {
            let (store, centre, start) = (test.store.clone(), centre.clone(), start.clone());
            std::thread::spawn(move || {
                start.wait();
                let mut refused = 0;
                loop {
                    let etag = store.case_row(&centre, "P-1").unwrap().etag;
                    let sent = PutCase { precondition: Precondition::IfMatch(vec![etag]), ..put("P-1", writer) };
                    match store.put_case(&centre, sent) {
                        Ok(outcome) => return (outcome.version, writer, refused),
                        Err(StoreError::PreconditionFailed { .. }) => refused += 1,
                        Err(other) => panic!("{other:?}"),
                    }
                }
            })
        }).collect();
        let mut won: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        won.sort_unstable();
        let versions: Vec<_> = won.iter().map(|(version, ..)| *version).collect();
        assert_eq!(versions, (2..=51).collect::<Vec<_>>(), "one winner per version");
        for (version, writer, _) in &won {
            assert_eq!(test.store.get_version(&centre, "P-1", *version).unwrap().document, document(writer));
        }
        assert!(matches!(test.store.put_case(&centre, put("P-1", 99)), Err(StoreError::PreconditionRequired { .. })));
        test.store.verify_audit(None).unwrap();
    }

    fn a_refused_neighbour_in_a_shared_commit_harms_nobody(test) {
        let centre = test.submitter("C01");
        test.store.put_case(&centre, put("P-taken", 0)).unwrap();
        let start = Arc::new(Barrier::new(40));
        let threads: Vec<_> = (0..40).map(|number| {
            let (store, centre, start) = (test.store.clone(), centre.clone(), start.clone());
            std::thread::spawn(move || {
                start.wait();
                let pseudonym = if number % 2 == 0 { format!("P-{number}") } else { "P-taken".to_owned() };
                (number, store.put_case(&centre, put(&pseudonym, number)))
            })
        }).collect();
        for (number, outcome) in threads.into_iter().map(|t| t.join().unwrap()) {
            if number % 2 == 0 {
                assert!(outcome.unwrap().created);
                assert_eq!(test.store.get_case(&centre, &format!("P-{number}")).unwrap().document, document(number));
            } else {
                assert!(matches!(outcome, Err(StoreError::PreconditionRequired { .. })));
            }
        }
        test.store.verify_audit(None).unwrap();
    }

    fn items_of_a_batch_see_the_ones_before_them(test) {
        let (one, two) = (test.submitter("C01"), test.submitter("C02"));
        test.store.put_case(&two, put("P-elsewhere", 0)).unwrap();
        let etag = test.store.put_case(&one, put("P-known", 0)).unwrap().etag;
        let batch = vec![
            put("P-new", 1),
            put("P-new", 2),
            put("P-elsewhere", 3),
            PutCase { precondition: Precondition::IfMatch(vec![etag]), ..put("P-known", 4) },
            put("P-new", 1),
            put("P-last", 5),
        ];
        let outcomes = test.store.put_cases(&one, batch, false).unwrap();
        assert!(outcomes[0].as_ref().unwrap().created);
        assert!(matches!(outcomes[1], Err(StoreError::PreconditionRequired { .. })));
        assert_eq!(outcomes[2], Err(StoreError::PseudonymRegistered));
        assert_eq!(outcomes[3].as_ref().unwrap().version, 2);
        assert!(matches!(outcomes[4], Err(StoreError::PreconditionRequired { .. })));
        assert!(outcomes[5].as_ref().unwrap().created);
        assert_eq!(test.store.get_case(&one, "P-new").unwrap().document, document(1));
        assert_eq!(test.store.get_case(&one, "P-known").unwrap().document, document(4));
        assert_eq!(test.store.get_case(&one, "P-last").unwrap().document, document(5));
        test.store.verify_audit(None).unwrap();
    }

    fn a_batch_beyond_one_statement_is_stored_whole(test) {
        let centre = test.submitter("C01");
        let batch = || (0..1_203).map(|n| put(&format!("P-{n}"), n)).collect::<Vec<_>>();
        let mut bad = batch();
        bad.push(put("P-7", 9_999));
        let outcomes = test.store.put_cases(&centre, bad, true).unwrap();
        assert!(matches!(outcomes[1_203], Err(StoreError::PreconditionRequired { .. })));
        assert_eq!(test.store.case_row(&centre, "P-0").err(), Some(StoreError::NotFound));
        assert!(test.store.put_cases(&centre, batch(), true).unwrap().iter().all(Result::is_ok));
        for n in [0, 499, 500, 1_202] {
            assert_eq!(test.store.get_case(&centre, &format!("P-{n}")).unwrap().document, document(n));
        }
        test.store.verify_audit(None).unwrap();
    }

    fn an_atomic_batch_is_stored_whole_or_not_at_all(test) {
        let centre = test.submitter("C01");
        test.store.put_case(&centre, put("P-250", 0)).unwrap();
        let batch = || (0..300).map(|n| put(&format!("P-{n}"), n)).collect::<Vec<_>>();
        let head = test.store.audit_head().unwrap();
        let outcomes = test.store.put_cases(&centre, batch(), true).unwrap();
        assert!(matches!(outcomes[250], Err(StoreError::PreconditionRequired { .. })));
        assert!(outcomes.iter().enumerate().all(|(n, o)| n == 250 || *o == Err(StoreError::BatchRefused(250))));
        assert_eq!(test.store.audit_head().unwrap(), head);
        assert_eq!(test.store.case_row(&centre, "P-0").err(), Some(StoreError::NotFound));
        let outcomes = test.store.put_cases(&centre, batch(), false).unwrap();
        assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 299);
        let mut rest = batch();
        rest.iter_mut().for_each(|p| p.pseudonym.insert(0, 'Q'));
        assert!(test.store.put_cases(&centre, rest, true).unwrap().iter().all(Result::is_ok));
        test.store.verify_audit(None).unwrap();
    }
}

fn two_processes_at_once(test: &TestStore) {
    let stores: Vec<Store> = vec![
        test.store.clone(),
        test.reopen().unwrap(),
        test.reopen_with(crate::support::master_key()).unwrap(),
    ];
    let scopes = [
        test.submitter("C01"),
        test.submitter("C02"),
        test.submitter("C03"),
    ];
    let threads: Vec<_> = (0..12)
        .map(|thread: usize| {
            let (store, scope) = (stores[thread % 3].clone(), scopes[thread % 2].clone());
            std::thread::spawn(move || {
                for number in 0..10 {
                    store
                        .put_case(&scope, put(&format!("P-{thread}-{number}"), number))
                        .unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
    for store in &stores {
        store.verify_audit(None).unwrap();
    }
    assert_eq!(
        test.raw_texts("SELECT CAST(count(*) AS TEXT) AS line FROM case_versions"),
        ["120"]
    );
}

#[test]
fn several_processes_share_one_chain_postgres() {
    if let Some(test) = TestStore::new(Dialect::Postgres) {
        two_processes_at_once(&test);
    }
}

#[test]
fn several_processes_share_one_chain_sqlite() {
    two_processes_at_once(&TestStore::new(Dialect::Sqlite).unwrap());
}
