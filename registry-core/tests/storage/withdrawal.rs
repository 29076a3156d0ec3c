//! Withdrawal of consent: nothing more is accepted, runs lose the case, erasure leaves nothing to read or to guess.

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use registry_core::access::Scope;
use registry_core::storage::{
    CaseFilter, Precondition, PutCase, Store, StoreError, StoredSeverity, TakenBack, Withdraw,
    WithdrawalMode, WithdrawalRecord,
};
use serde_json::json;

use crate::support::{Dialect, TestStore, document, entropy, finding, master_key, on_both, put, system};

fn asked(pseudonym: &str, mode: WithdrawalMode) -> Withdraw {
    Withdraw {
        pseudonym: pseudonym.to_owned(),
        centre: None,
        mode,
        date: "2026-11-20".parse().unwrap(),
        reason: Some("letter of 20 November".to_owned()),
        document: None,
        precondition: Precondition::Whatever,
        idempotency: None,
    }
}

fn at_watermark(test: &TestStore) -> usize {
    let mut count = 0;
    test.store
        .for_each_case_at::<StoreError>(&Scope::system("run"), i64::MAX, 10, |headers| {
            count += headers.len();
            Ok(())
        })
        .unwrap();
    count
}

/// The log that SQLite writes ahead keeps pages as they were: an erasure empties it.
#[test]
fn an_erasure_leaves_nothing_in_the_log_of_sqlite() {
    let test = TestStore::new(Dialect::Sqlite).unwrap();
    let centre = test.submitter("C01");
    test.store.put_case(&centre, put("P-ERASED", 1)).unwrap();
    let holds = |ending: &str| {
        let bytes = std::fs::read(format!("{}{ending}", test.file().display())).unwrap_or_default();
        bytes.windows(8).any(|some| some == b"P-ERASED")
    };
    assert!(holds("-wal"));
    test.store
        .withdraw(&centre, asked("P-ERASED", WithdrawalMode::Erase))
        .unwrap();
    assert!(!holds("-wal") && !holds(""));
}

/// Who reads keeps the log: the erasure stands, and the log goes once the reader has gone.
#[test]
fn an_erasure_beside_a_reader_empties_the_log_after_it() {
    let test = TestStore::new(Dialect::Sqlite).unwrap();
    let centre = test.submitter("C01");
    test.store.put_case(&centre, put("P-ERASED", 1)).unwrap();
    let holds = || {
        let bytes = std::fs::read(format!("{}-wal", test.file().display())).unwrap_or_default();
        bytes.windows(8).any(|some| some == b"P-ERASED")
    };
    let mut reader = SqliteConnection::establish(test.file().to_str().unwrap()).unwrap();
    reader.batch_execute("BEGIN; SELECT count(*) FROM cases").unwrap();
    test.store
        .withdraw(&centre, asked("P-ERASED", WithdrawalMode::Erase))
        .unwrap();
    assert!(holds() && test.store.log_is_due());
    reader.batch_execute("COMMIT").unwrap();
    assert_eq!(test.store.write_back(), Ok(true));
    assert!(!holds() && !test.store.log_is_due());
    // Writing goes on with the patience it had.
    test.store.put_case(&centre, put("P-2", 1)).unwrap();
}

on_both! {
    fn no_further_use_leaves_runs_and_lists_and_takes_nothing_more(test) {
        let centre = test.submitter("C01");
        test.store.put_case(&centre, put("P-1", 1)).unwrap();
        assert_eq!(at_watermark(&test), 1);
        let done = test.store.withdraw(&centre, asked("P-1", WithdrawalMode::NoFurtherUse)).unwrap();
        assert!(!done.created && !done.unchanged);
        assert_eq!(at_watermark(&test), 0);
        assert!(test.store.list_cases(&centre, &CaseFilter::default(), None, 10).unwrap().items.is_empty());
        let kept = CaseFilter { include_withdrawn: true, ..Default::default() };
        assert_eq!(test.store.list_cases(&centre, &kept, None, 10).unwrap().items.len(), 1);
        assert_eq!(
            test.store.put_case(&centre, PutCase { precondition: Precondition::IfMatchAny, ..put("P-1", 2) }).err(),
            Some(StoreError::Withdrawn { erased: false })
        );
        assert_eq!(test.store.get_case(&centre, "P-1").unwrap().document, document(1));
        assert!(test.store.withdraw(&centre, asked("P-1", WithdrawalMode::NoFurtherUse)).unwrap().unchanged);
        test.store.withdraw(&centre, asked("P-1", WithdrawalMode::Erase)).unwrap();
        assert_eq!(
            test.store.withdraw(&centre, asked("P-1", WithdrawalMode::NoFurtherUse)).err(),
            Some(StoreError::Withdrawn { erased: true })
        );
    }

    fn erasure_destroys_what_can_be_read_and_the_chain_still_verifies(test) {
        let centre = test.submitter("C01");
        test.store.put_case(&centre, PutCase {
            findings: vec![finding("E-011", StoredSeverity::Warning)],
            reason: Some("reason that names the patient".to_owned()),
            ..put("P-1", "secret-marker")
        }).unwrap();
        let before = test.store.case_row(&centre, "P-1").unwrap();
        test.store.withdraw(&centre, asked("P-1", WithdrawalMode::Erase)).unwrap();
        assert_eq!(test.store.get_case(&centre, "P-1").err(), Some(StoreError::Withdrawn { erased: true }));
        assert_eq!(test.store.get_version(&centre, "P-1", 1).err(), Some(StoreError::Withdrawn { erased: true }));
        assert_eq!(test.store.findings(&centre, "P-1").err(), Some(StoreError::Withdrawn { erased: true }));
        let history = test.store.versions(&centre, "P-1").unwrap();
        assert_eq!((history.len(), history[0].reason.as_deref()), (1, None));
        assert_eq!(
            test.store.put_case(&centre, put("P-1", 2)).err(),
            Some(StoreError::Withdrawn { erased: true })
        );
        let texts = test.raw_texts(
            "SELECT coalesce(pseudonym, '-') || coalesce(t0, '-') || coalesce(histology_code, '-') || \
             CASE WHEN wrapped_key IS NULL THEN '-' ELSE 'key' END AS line FROM cases",
        );
        assert_eq!(texts, ["----"]);
        assert_eq!(test.raw_texts("SELECT CAST(count(*) AS TEXT) AS line FROM case_versions WHERE document IS NOT NULL"), ["0"]);
        let export = test.export();
        assert!(!export.contains("secret-marker") && !export.contains("names the patient"));
        assert!(!export.contains("P-1\""), "the pseudonym is still there");
        // The event of the reason is there; what it said is not. Of the withdrawal, a code is kept and words are not.
        let filter = registry_core::storage::AuditFilter { case_id: Some(before.case_id), ..Default::default() };
        let events = test.store.list_audit(&test.coordinator(), &filter, None, 100).unwrap().items;
        let created = events.iter().find(|e| e.action == "case.create").unwrap();
        assert!(created.reason.is_none() && created.reason_sealed);
        let withdrawn = events.iter().find(|e| e.action == "case.withdraw").unwrap();
        assert!(withdrawn.reason.is_none() && withdrawn.reason_sealed);
        test.store.put_case(&centre, put("P-2", 1)).unwrap();
        let coded = Withdraw { reason: Some("patient_asked".to_owned()), ..asked("P-2", WithdrawalMode::Erase) };
        test.store.withdraw(&centre, coded).unwrap();
        let events = test.store.list_audit(&test.coordinator(), &registry_core::storage::AuditFilter::default(), None, 100).unwrap().items;
        let reasons: Vec<_> = events.iter().filter(|e| e.action == "case.withdraw").filter_map(|e| e.reason.as_deref()).collect();
        assert_eq!(reasons, ["patient_asked"]);
        test.store.verify_audit(None).unwrap();
    }

    fn a_put_of_refused_consent_registers_an_unknown_patient_as_withdrawn(test) {
        let centre = test.submitter("C01");
        let consent = json!({"schema_version": "1.0.0", "consent": {"status": "refused"}});
        let unknown = test.store.withdraw(&centre, asked("P-9", WithdrawalMode::NoFurtherUse));
        assert_eq!(unknown.err(), Some(StoreError::NotFound));
        let with_document = || Withdraw {
            document: Some((consent.clone(), "1.0.0".to_owned())),
            precondition: Precondition::None,
            ..asked("P-9", WithdrawalMode::NoFurtherUse)
        };
        assert!(test.store.withdraw(&centre, with_document()).unwrap().created);
        assert_eq!(test.store.put_case(&centre, put("P-9", 1)).err(), Some(StoreError::Withdrawn { erased: false }));
        assert_eq!(at_watermark(&test), 0);
        assert_eq!(
            test.store.withdraw(&test.submitter("C02"), with_document()).err(),
            Some(StoreError::PseudonymRegistered)
        );
        assert_eq!(
            test.store.withdraw(&test.submitter("C02"), asked("P-9", WithdrawalMode::Erase)).err(),
            Some(StoreError::NotFound)
        );
    }
}

/// A copy of the database as it is now, opened as a restored registry is.
fn copied(test: &TestStore, folder: &std::path::Path) -> Store {
    let copy = folder.join("backup.db");
    test.store.backup_to(&system(), &copy).unwrap();
    let mut options = test.options.clone();
    options.url = format!("sqlite:{}", copy.display());
    Store::open(options, master_key(), test.clock.clone(), entropy(3)).unwrap()
}

#[test]
fn a_restored_backup_gets_its_withdrawals_again() {
    let test = TestStore::new(Dialect::Sqlite).unwrap();
    let centre = test.submitter("C01");
    test.store.put_case(&centre, put("P-1", 1)).unwrap();
    test.store.put_case(&centre, put("P-2", 1)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let restored = copied(&test, folder.path());
    test.store
        .withdraw(&centre, asked("P-1", WithdrawalMode::Erase))
        .unwrap();
    let ledger = test.store.withdrawals(&system()).unwrap();
    assert_eq!(ledger.len(), 1);
    assert!(
        restored.get_case(&centre, "P-1").is_ok(),
        "the copy was made before the withdrawal"
    );
    assert_eq!(
        restored.reapply_withdrawals(&system(), &ledger).unwrap().applied,
        1
    );
    assert_eq!(
        restored.reapply_withdrawals(&system(), &ledger).unwrap().applied,
        0
    );
    assert_eq!(
        restored.get_case(&centre, "P-1").err(),
        Some(StoreError::Withdrawn { erased: true })
    );
    assert!(restored.get_case(&centre, "P-2").is_ok());
    restored.verify_audit(None).unwrap();
}

/// Both patients are unknown to the copy; one of them is sent again before the ledger is applied, under another record id then.
#[test]
fn a_restored_backup_refuses_patients_registered_and_withdrawn_after_it() {
    let test = TestStore::new(Dialect::Sqlite).unwrap();
    let centre = test.submitter("C01");
    let folder = tempfile::tempdir().unwrap();
    let restored = copied(&test, folder.path());
    let asked_of = [
        ("P-7", WithdrawalMode::Erase),
        ("P-8", WithdrawalMode::NoFurtherUse),
        ("P-9", WithdrawalMode::Erase),
    ];
    for (pseudonym, mode) in asked_of {
        test.store.put_case(&centre, put(pseudonym, 1)).unwrap();
        test.store.withdraw(&centre, asked(pseudonym, mode)).unwrap();
    }
    restored.put_case(&centre, put("P-9", 1)).unwrap();
    let ledger = test.store.withdrawals(&system()).unwrap();
    let lines = serde_json::to_string(&ledger).unwrap();
    assert!(!lines.contains("P-7") && !lines.contains("P-8"), "{lines}");

    assert_eq!(
        restored.reapply_withdrawals(&system(), &ledger).unwrap().applied,
        3
    );
    assert_eq!(
        restored.reapply_withdrawals(&system(), &ledger).unwrap().applied,
        0
    );
    for (pseudonym, mode) in asked_of {
        let erased = mode == WithdrawalMode::Erase;
        let refused = restored.put_case(&centre, put(pseudonym, 1)).err();
        // Of P-8 nothing is there to be read either; that it may not be used is what was asked.
        assert_eq!(refused, Some(StoreError::Withdrawn { erased }), "{pseudonym}");
        assert_eq!(
            restored.put_case(&test.submitter("C02"), put(pseudonym, 1)).err(),
            Some(StoreError::PseudonymRegistered),
            "{pseudonym}"
        );
        let read = restored.get_case(&centre, pseudonym).err();
        assert_eq!(read, Some(StoreError::Withdrawn { erased: true }), "{pseudonym}");
    }
    // The next restore is told of them too, whatever their record ids are now.
    let claims = |ledger: &[WithdrawalRecord]| -> std::collections::BTreeSet<_> {
        ledger
            .iter()
            .map(|one| {
                (
                    one.claim.clone().unwrap(),
                    one.date,
                    one.mode.withdrawal().unwrap().as_str(),
                )
            })
            .collect()
    };
    assert_eq!(claims(&restored.withdrawals(&system()).unwrap()), claims(&ledger));
    let raised = restored
        .withdraw(&centre, asked("P-8", WithdrawalMode::Erase))
        .unwrap();
    assert_eq!(raised.withdrawal.mode, WithdrawalMode::Erase);
    restored.verify_audit(None).unwrap();
}

#[test]
fn a_ledger_names_the_centres_that_a_copy_does_not_know() {
    let test = TestStore::new(Dialect::Sqlite).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let restored = copied(&test, folder.path());
    let line = |centre: &str, case: &str, claim: &str| WithdrawalRecord {
        centre_id: centre.to_owned(),
        case_id: case.to_owned(),
        mode: TakenBack::Erase,
        date: "2026-11-20".parse().unwrap(),
        claim: Some(claim.to_owned()),
    };
    let ledger = [
        line("C77", "a", &"0a".repeat(32)),
        line("C01", "b", &"0b".repeat(32)),
    ];
    let done = restored.reapply_withdrawals(&system(), &ledger).unwrap();
    assert_eq!((done.applied, done.unknown_centres), (1, vec!["C77".to_owned()]));
    let cut = restored.reapply_withdrawals(&system(), &[line("C01", "c", "0c0c")]);
    assert!(matches!(cut, Err(StoreError::Invalid(_))), "{cut:?}");
    // An earlier version's line has no hash: what the copy does not know is passed over, as it was then.
    let earlier = r#"{"centre_id":"C01","case_id":"d","mode":"no_further_use","date":"2026-11-20"}"#;
    let earlier: WithdrawalRecord = serde_json::from_str(earlier).unwrap();
    let done = restored.reapply_withdrawals(&system(), &[earlier]).unwrap();
    assert_eq!((done.applied, done.unknown_centres.len()), (0, 0));
}

#[test]
fn a_restored_backup_is_told_of_research_reuse_taken_back() {
    let test = TestStore::new(Dialect::Sqlite).unwrap();
    let centre = test.submitter("C01");
    let consent = |reuse: bool| json!({"schema_version": "1.0.0", "consent": {"status": "given", "research_reuse": reuse}});
    let sent = |pseudonym: &str, reuse: bool, precondition: Precondition| PutCase {
        document: consent(reuse),
        precondition,
        ..put(pseudonym, 1)
    };
    test.store
        .put_case(&centre, sent("P-1", true, Precondition::None))
        .unwrap();
    test.store
        .put_case(&centre, sent("P-2", true, Precondition::None))
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let restored = copied(&test, folder.path());
    let taken = test
        .store
        .put_case(&centre, sent("P-1", false, Precondition::IfMatchAny))
        .unwrap();
    assert!(taken.reuse_ended);
    let ledger = test.store.withdrawals(&system()).unwrap();
    assert_eq!(
        ledger.iter().map(|one| one.mode).collect::<Vec<_>>(),
        [TakenBack::Reuse]
    );

    assert!(restored.without_reuse(&system()).unwrap().is_empty());
    assert_eq!(
        restored.reapply_withdrawals(&system(), &ledger).unwrap().applied,
        1
    );
    assert_eq!(
        restored.reapply_withdrawals(&system(), &ledger).unwrap().applied,
        0
    );
    assert_eq!(
        restored.without_reuse(&system()).unwrap(),
        std::slice::from_ref(&taken.case_id)
    );
    // The centre sends again what the copy has: that it was taken back stands.
    assert!(
        restored
            .put_case(&centre, sent("P-1", true, Precondition::IfMatchAny))
            .unwrap()
            .unchanged
    );
    assert_eq!(
        restored.without_reuse(&system()).unwrap(),
        std::slice::from_ref(&taken.case_id)
    );
    // Given again in a version of a later day: an older ledger does not take that back.
    test.clock.jump(chrono::Duration::days(1));
    let again = PutCase {
        document: json!({"schema_version": "1.0.0", "again": true, "consent": {"research_reuse": true}}),
        ..sent("P-1", true, Precondition::IfMatchAny)
    };
    restored.put_case(&centre, again).unwrap();
    assert!(restored.without_reuse(&system()).unwrap().is_empty());
    assert_eq!(
        restored.reapply_withdrawals(&system(), &ledger).unwrap().applied,
        0
    );
    restored.verify_audit(None).unwrap();
}
