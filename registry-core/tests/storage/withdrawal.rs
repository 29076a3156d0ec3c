//! Withdrawal of consent: nothing more is accepted, runs lose the case, erasure leaves nothing to read or to guess.

use registry_core::access::Scope;
use registry_core::storage::{
    CaseFilter, Precondition, PutCase, StoreError, StoredSeverity, Withdraw, WithdrawalMode,
};
use serde_json::json;

use crate::support::{Dialect, TestStore, document, finding, on_both, put};

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
        // The event of the reason is there; what it said is not.
        let filter = registry_core::storage::AuditFilter { case_id: Some(before.case_id), ..Default::default() };
        let events = test.store.list_audit(&test.coordinator(), &filter, None, 100).unwrap().items;
        let created = events.iter().find(|e| e.action == "case.create").unwrap();
        assert!(created.reason.is_none() && created.reason_sealed);
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

#[test]
fn a_restored_backup_gets_its_withdrawals_again() {
    let test = TestStore::new(Dialect::Sqlite).unwrap();
    let centre = test.submitter("C01");
    test.store.put_case(&centre, put("P-1", 1)).unwrap();
    test.store.put_case(&centre, put("P-2", 1)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("backup.db");
    let system = crate::support::system();
    test.store.backup_to(&system, &copy).unwrap();
    test.store
        .withdraw(&centre, asked("P-1", WithdrawalMode::Erase))
        .unwrap();
    let ledger = test.store.withdrawals(&system).unwrap();
    assert_eq!(ledger.len(), 1);

    let mut options = test.options.clone();
    options.url = format!("sqlite:{}", copy.display());
    let restored = registry_core::storage::Store::open(
        options,
        crate::support::master_key(),
        test.clock.clone(),
        crate::support::entropy(3),
    )
    .unwrap();
    assert!(
        restored.get_case(&centre, "P-1").is_ok(),
        "the copy was made before the withdrawal"
    );
    assert_eq!(restored.reapply_withdrawals(&system, &ledger).unwrap(), 1);
    assert_eq!(restored.reapply_withdrawals(&system, &ledger).unwrap(), 0);
    assert_eq!(
        restored.get_case(&centre, "P-1").err(),
        Some(StoreError::Withdrawn { erased: true })
    );
    assert!(restored.get_case(&centre, "P-2").is_ok());
    restored.verify_audit(None).unwrap();
}
