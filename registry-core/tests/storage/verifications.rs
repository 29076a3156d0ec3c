//! Samples for source-data verification: who draws, which cases, who may enter them again, and what stays of it.

use chrono::{Duration, NaiveDate};
use registry_core::access::{Role, Scope};
use registry_core::storage::{
    CaseStatus, LifeCycle, NewKey, NewVerification, PutCase, ReenteredCase, StoreError, Verification,
    Withdraw, WithdrawalMode,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{TestStore, document, on_both, put, system};

/// The clock's first day.
fn today() -> NaiveDate {
    "2026-11-23".parse().unwrap()
}

fn wanted(share: f64) -> NewVerification {
    NewVerification {
        seed: Some("2026".to_owned()),
        share,
        through: today(),
    }
}

fn draw(test: &TestStore, share: f64) -> Verification {
    test.store
        .draw_verification(&test.coordinator(), wanted(share))
        .unwrap()
}

fn pseudonyms(test: &TestStore, scope: &Scope, draw: &Verification) -> Vec<String> {
    let cases = test.store.sampled_cases(scope, &draw.verification_id).unwrap();
    cases.into_iter().map(|case| case.pseudonym).collect()
}

fn reentered(test: &TestStore, scope: &Scope, draw: &Verification) -> Vec<ReenteredCase> {
    let mut all = Vec::new();
    test.store
        .for_each_reentered::<StoreError>(scope, &draw.verification_id, |case| {
            all.push(case);
            Ok(())
        })
        .unwrap();
    all
}

fn withdraw(test: &TestStore, scope: &Scope, pseudonym: &str, mode: WithdrawalMode) {
    let asked = Withdraw {
        pseudonym: pseudonym.to_owned(),
        centre: None,
        mode,
        date: "2026-11-20".parse().unwrap(),
        reason: None,
        document: None,
        precondition: registry_core::storage::Precondition::Whatever,
        idempotency: None,
    };
    test.store.withdraw(scope, asked).unwrap();
}

/// One case of C01, drawn, and somebody else of C01.
fn one(test: &TestStore) -> (Scope, Scope, Verification) {
    let (author, other) = (test.submitter("C01"), test.submitter("C01"));
    test.store.put_case(&author, put("P-1", 1)).unwrap();
    let draw = draw(test, 1.0);
    (author, other, draw)
}

on_both! {
    fn a_draw_takes_the_first_of_every_centre_in_the_order_of_its_seed(test) {
        let mut expected = Vec::new();
        for (centre, cases) in [("C01", 21), ("C02", 3)] {
            let scope = test.submitter(centre);
            let mut order: Vec<([u8; 32], String)> = (0..cases)
                .map(|n| {
                    let pseudonym = format!("{centre}-{n}");
                    let case = test.store.put_case(&scope, put(&pseudonym, n)).unwrap();
                    (Sha256::digest(format!("2026\n{}", case.case_id)).into(), pseudonym)
                })
                .collect();
            order.sort();
            // 5 % of 21 is 2 when rounded up, of 3 it is 1.
            expected.extend(order.into_iter().take(if cases == 21 { 2 } else { 1 }).map(|(_, pseudonym)| pseudonym));
        }
        let office = test.coordinator();
        let first = draw(&test, 0.05);
        assert_eq!((first.share, first.seed.as_str(), first.cases, first.reentered), (0.05, "2026", 3, 0));
        let mut drawn = pseudonyms(&test, &office, &first);
        drawn.sort();
        expected.sort();
        assert_eq!(drawn, expected);
        assert_eq!(pseudonyms(&test, &office, &draw(&test, 0.05)), pseudonyms(&test, &office, &first), "the same again");
        let own = pseudonyms(&test, &test.submitter("C02"), &first);
        assert!(own.len() == 1 && own[0].starts_with("C02-"), "{own:?}");
        assert_eq!(test.store.verification(&test.submitter("C02"), &first.verification_id).unwrap().cases, 1);
        // Without a seed one is made, and kept.
        let free = test.store.draw_verification(&office, NewVerification { seed: None, ..wanted(0.05) }).unwrap();
        assert_eq!((free.seed.len(), free.cases), (16, 3));
        assert_eq!(test.store.list_verifications(&office).unwrap().len(), 3);
        assert_eq!(test.store.list_verifications(&office).unwrap()[0], free);
        test.store.verify_audit(None).unwrap();
    }

    fn drafts_withdrawn_and_later_cases_are_not_drawn(test) {
        let (centre, lead) = (test.submitter("C01"), test.scope(Role::CentreLead, Some("C01")));
        test.store.put_case(&centre, PutCase { status: CaseStatus::Draft, ..put("DRAFT", 1) }).unwrap();
        let refused = test.store.draw_verification(&test.coordinator(), wanted(1.0)).err();
        assert!(matches!(refused, Some(StoreError::InvalidState(_))), "{refused:?}");
        for pseudonym in ["SENT", "VERIFIED", "LOCKED", "WITHDRAWN"] {
            test.store.put_case(&centre, put(pseudonym, 1)).unwrap();
        }
        test.store.move_case(&lead, "VERIFIED", LifeCycle::Verify, None).unwrap();
        test.store.move_case(&lead, "LOCKED", LifeCycle::Lock { through: today() }, Some("closing")).unwrap();
        withdraw(&test, &centre, "WITHDRAWN", WithdrawalMode::NoFurtherUse);
        test.clock.jump(Duration::days(1));
        test.store.put_case(&centre, put("LATER", 1)).unwrap();
        let mut drawn = pseudonyms(&test, &centre, &draw(&test, 1.0));
        drawn.sort();
        assert_eq!(drawn, ["LOCKED", "SENT", "VERIFIED"]);
    }

    fn what_cannot_be_drawn_is_refused(test) {
        test.store.put_case(&test.submitter("C01"), put("P-1", 1)).unwrap();
        let office = test.coordinator();
        let refused = |new: NewVerification| test.store.draw_verification(&office, new).err();
        for share in [0.0, -0.1, 1.5, 0.000_01, f64::NAN] {
            assert!(matches!(refused(wanted(share)), Some(StoreError::Invalid(_))), "{share}");
        }
        for seed in ["", "two words", "ä", &"x".repeat(65)] {
            let new = NewVerification { seed: Some(seed.to_owned()), ..wanted(0.05) };
            assert!(matches!(refused(new), Some(StoreError::Invalid(_))), "{seed}");
        }
        let tomorrow = NewVerification { through: today().succ_opt().unwrap(), ..wanted(0.05) };
        assert!(matches!(refused(tomorrow), Some(StoreError::Invalid(_))));
        for scope in [test.submitter("C01"), test.scope(Role::CentreLead, Some("C01")), test.scope(Role::Committee, None), test.scope(Role::Admin, None)] {
            let refused = test.store.draw_verification(&scope, wanted(0.05)).err();
            assert!(matches!(refused, Some(StoreError::Forbidden { .. })), "{refused:?}");
        }
        assert!(test.store.list_verifications(&office).unwrap().is_empty());
    }

    fn another_person_enters_a_case_again_once(test) {
        let (author, other, draw) = one(&test);
        let id = &draw.verification_id;
        let again = |scope: &Scope, pseudonym: &str| test.store.reenter_case(scope, id, pseudonym, &document(9)).err();
        // Who entered the case knows it; so does who changed it before the draw.
        assert!(matches!(again(&author, "P-1"), Some(StoreError::InvalidState(why)) if why.contains("somebody else")));
        assert!(test.store.sampled_case(&author, id, "P-1").unwrap().1.is_some());
        assert_eq!(test.store.sampled_case(&other, id, "P-1").unwrap().1, None);
        assert_eq!(again(&test.submitter("C02"), "P-1"), Some(StoreError::NotFound));
        assert_eq!(again(&other, "P-2"), Some(StoreError::NotFound));
        assert_eq!(test.store.reenter_case(&other, "none", "P-1", &document(9)).err(), Some(StoreError::NotFound));
        assert!(matches!(again(&test.coordinator(), "P-1"), Some(StoreError::Forbidden { .. })));
        assert!(reentered(&test, &other, &draw).is_empty());
        assert_eq!(test.store.reentered_case(&other, id, "P-1").err(), Some(StoreError::NotFound));

        // A version stored after the draw changes nothing: what was drawn is compared.
        test.store.put_case(&author, PutCase { precondition: registry_core::storage::Precondition::IfMatchAny, ..put("P-1", 2) }).unwrap();
        let done = test.store.reenter_case(&other, id, "P-1", &document(9)).unwrap();
        assert_eq!((done.version, done.reentered_by.as_deref()), (1, Some(other.actor())));
        assert!(matches!(again(&other, "P-1"), Some(StoreError::InvalidState(why)) if why.contains("again already")));
        assert!(matches!(again(&test.submitter("C01"), "P-1"), Some(StoreError::InvalidState(_))));
        assert_eq!(test.store.versions(&author, "P-1").unwrap().len(), 2, "no version of the case");
        assert_eq!(test.store.get_case(&author, "P-1").unwrap().document, document(2));
        let all = reentered(&test, &author, &draw);
        assert_eq!((all.len(), &all[0].stored, &all[0].reentered), (1, &document(1), &document(9)));
        assert_eq!(test.store.reentered_case(&author, id, "P-1").unwrap(), all[0]);
        assert_eq!(test.store.verification(&author, id).unwrap().reentered, 1);
        assert!(reentered(&test, &test.submitter("C02"), &draw).is_empty());
        test.store.verify_audit(None).unwrap();
    }

    fn a_rotated_key_is_not_another_person(test) {
        let key = NewKey { label: "ward".to_owned(), role: Role::Submitter, centre: Some("C01".to_owned()), expires_at: None };
        let first = test.store.create_key(&system(), key).unwrap();
        let author = test.store.authenticate(first.key.reveal()).unwrap();
        test.store.put_case(&author, put("P-1", 1)).unwrap();
        let draw = draw(&test, 1.0);
        let next = test.store.rotate_key(&system(), &first.info.key_id, Duration::zero()).unwrap();
        let successor = test.store.authenticate(next.key.reveal()).unwrap();
        let id = &draw.verification_id;
        assert!(test.store.sampled_case(&successor, id, "P-1").unwrap().1.is_some());
        let refused = test.store.reenter_case(&successor, id, "P-1", &document(9)).err();
        assert!(matches!(refused, Some(StoreError::InvalidState(why)) if why.contains("somebody else")), "{refused:?}");
        test.store.reenter_case(&test.submitter("C01"), id, "P-1", &document(9)).unwrap();
    }

    fn the_office_sets_a_re_entry_back_with_a_reason(test) {
        let (author, other, draw) = one(&test);
        let id = &draw.verification_id;
        let office = test.coordinator();
        let reset = |scope: &Scope, reason: &str| test.store.reset_reentry(scope, id, "P-1", reason).err();
        assert!(matches!(reset(&office, "wrong patient"), Some(StoreError::InvalidState(_))), "nothing to set back");
        test.store.reenter_case(&other, id, "P-1", &document(9)).unwrap();
        assert!(matches!(reset(&office, " "), Some(StoreError::Invalid(_))));
        assert!(matches!(reset(&author, "x"), Some(StoreError::Forbidden { .. })));
        let back = test.store.reset_reentry(&office, id, "P-1", "wrong patient's file").unwrap();
        assert_eq!((back.reentered_at, back.reentered_by), (None, None));
        assert!(reentered(&test, &other, &draw).is_empty());
        test.store.reenter_case(&other, id, "P-1", &document(10)).unwrap();
        assert_eq!(reentered(&test, &other, &draw)[0].reentered, document(10));
        let events = test.store.list_audit(&office, &Default::default(), None, 100).unwrap().items;
        let event = events.iter().find(|e| e.action == "verification.reset").unwrap();
        assert_eq!(event.reason.as_deref(), Some("wrong patient's file"));
    }

    fn what_was_entered_again_is_sealed_and_goes_with_the_case(test) {
        let (author, other, draw) = one(&test);
        let id = &draw.verification_id;
        test.store.put_case(&author, put("P-2", 1)).unwrap();
        test.store.reenter_case(&other, id, "P-1", &document("canary of a re-entry")).unwrap();
        assert!(!crate::secrecy::everything_in(&test).contains("canary of a re-entry"));
        assert!(test.export().contains("canary of a re-entry"), "the export is in clear");
        withdraw(&test, &author, "P-1", WithdrawalMode::NoFurtherUse);
        assert!(reentered(&test, &author, &draw).is_empty());
        assert!(pseudonyms(&test, &author, &draw).is_empty());
        assert_eq!(test.store.sampled_case(&author, id, "P-1").err(), Some(StoreError::Withdrawn { erased: false }));
        withdraw(&test, &author, "P-1", WithdrawalMode::Erase);
        let export = test.export();
        assert!(!export.contains("canary of a re-entry") && !export.contains("\"_\":\"verification_cases\""), "{export}");
        assert!(export.contains("\"_\":\"verifications\""));
        assert_eq!(test.raw_texts("SELECT CAST(count(*) AS TEXT) AS line FROM verification_cases"), ["0"]);
        test.store.verify_audit(None).unwrap();
    }

    fn many_cases_are_read_in_batches(test) {
        let (author, other) = (test.submitter("C01"), test.submitter("C01"));
        let all: Vec<PutCase> = (0..120).map(|n| put(&format!("P-{n:03}"), n)).collect();
        test.store.put_cases(&author, all, false).unwrap();
        let draw = draw(&test, 1.0);
        assert_eq!(draw.cases, 120);
        for n in 0..110 {
            test.store.reenter_case(&other, &draw.verification_id, &format!("P-{n:03}"), &document(format!("again {n}"))).unwrap();
        }
        let mut seen: Vec<Value> = reentered(&test, &test.coordinator(), &draw).into_iter().map(|c| c.reentered).collect();
        seen.sort_by_key(Value::to_string);
        seen.dedup();
        assert_eq!(seen.len(), 110);
        let progress = test.store.verification(&author, &draw.verification_id).unwrap();
        assert_eq!((progress.cases, progress.reentered), (120, 110));
    }

    fn the_committee_knows_of_draws_and_of_no_case(test) {
        let (_, _, draw) = one(&test);
        let committee = test.scope(Role::Committee, None);
        let listed = test.store.list_verifications(&committee).unwrap();
        assert_eq!((listed.len(), listed[0].cases), (1, 0));
        let id = &draw.verification_id;
        assert!(matches!(test.store.sampled_cases(&committee, id).err(), Some(StoreError::Forbidden { .. })));
        assert!(matches!(test.store.sampled_case(&committee, id, "P-1").err(), Some(StoreError::Forbidden { .. })));
        let nobody = test.scope(Role::Researcher, None);
        assert!(matches!(test.store.list_verifications(&nobody).err(), Some(StoreError::Forbidden { .. })));
        test.store.put_case(&test.submitter("C02"), put("P-9", 1)).unwrap();
        assert_eq!(test.store.sampled_case(&test.submitter("C02"), id, "P-9").err(), Some(StoreError::NotFound), "not of the draw");
    }
}
