//! Data requests on both databases: who files, reads, decides; what is recorded of a delivery; who held a case.

use chrono::NaiveDate;
use registry_core::access::{Role, Scope};
use registry_core::storage::{
    DataAccess, DataRequest, DeliveredBundle, FinishRun, NewDataRequest, NewRelease, RequestStatus, StartRun,
    StoreError, Withdraw, WithdrawalMode,
};
use serde_json::json;

use crate::support::{TestStore, on_both, put, system};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn release(test: &TestStore) {
    let wanted = StartRun {
        cutoff_date: day("2026-10-31"),
        parameters: json!({}),
    };
    let run = test.store.start_run(&system(), wanted).unwrap().number;
    let finished = FinishRun {
        summary: json!({}),
        results: Vec::new(),
    };
    test.store.finish_run(&system(), run, finished).unwrap();
    let release = NewRelease {
        release_id: "R".to_owned(),
        run,
        title: "First".to_owned(),
        manifest: json!({}),
        sha256: "ab".repeat(32),
        bytes: 1,
        cases: Vec::new(),
    };
    test.store.create_release(&test.coordinator(), release).unwrap();
}

fn access(files: &[&str]) -> DataAccess {
    DataAccess {
        files: files.iter().map(|file| (*file).to_owned()).collect(),
        ..DataAccess::default()
    }
}

fn file(test: &TestStore, scope: &Scope, continues: Option<&str>) -> Result<DataRequest, StoreError> {
    let new = NewDataRequest {
        release_id: "R".to_owned(),
        title: "Öffnung".to_owned(),
        purpose: "It's for a thesis".to_owned(),
        continues: continues.map(str::to_owned),
        asked: access(&["patient.csv", "lesion.csv"]),
    };
    test.store.file_data_request(scope, new)
}

/// Consent to a case taken back in full.
fn asked(pseudonym: &str) -> Withdraw {
    Withdraw {
        pseudonym: pseudonym.to_owned(),
        centre: None,
        mode: WithdrawalMode::Erase,
        date: day("2026-11-20"),
        reason: None,
        document: None,
        precondition: registry_core::storage::Precondition::Whatever,
        idempotency: None,
    }
}

fn bundle() -> DeliveredBundle {
    DeliveredBundle {
        sha256: "cd".repeat(32),
        bytes: 7,
        manifest: json!({ "files": [] }),
    }
}

on_both! {
    fn a_request_lives_from_filing_to_revocation(test) {
        release(&test);
        let office = test.coordinator();
        let (one, other) = (test.scope(Role::Researcher, None), test.scope(Role::Researcher, None));
        let filed = file(&test, &one, None).unwrap();
        assert_eq!((filed.status, &filed.line), (RequestStatus::Submitted, &filed.request_id));
        assert_eq!(filed.open_on(day("2026-11-23")), None);
        assert!(matches!(file(&test, &office, None), Err(StoreError::Forbidden { .. })));
        // Another researcher's is no such request, not even to continue it.
        assert!(matches!(test.store.data_request(&other, &filed.request_id), Err(StoreError::NotFound)));
        assert!(matches!(file(&test, &other, Some(&filed.request_id)), Err(StoreError::NotFound)));
        assert!(test.store.list_data_requests(&other).unwrap().is_empty());
        assert!(matches!(test.store.list_data_requests(&test.submitter("C01")), Err(StoreError::Forbidden { .. })));
        let wide = access(&["patient.csv", "imaging.csv"]);
        let last = day("2026-12-31");
        let id = filed.request_id.as_str();
        assert!(matches!(test.store.approve_data_request(&office, id, wide, last), Err(StoreError::Invalid(_))));
        let narrow = access(&["patient.csv"]);
        let past = day("2026-11-01");
        assert!(matches!(test.store.approve_data_request(&office, id, narrow.clone(), past), Err(StoreError::Invalid(_))));
        assert!(matches!(test.store.approve_data_request(&one, id, narrow.clone(), last), Err(StoreError::Forbidden { .. })));
        let approved = test.store.approve_data_request(&office, id, narrow.clone(), last).unwrap();
        assert_eq!(approved.open_on(last), Some(&narrow));
        assert_eq!(approved.open_on(day("2027-01-01")), None);
        assert!(matches!(test.store.decline_data_request(&office, id, "late"), Err(StoreError::InvalidState(_))));

        test.store.count_download(&one, id, "bundle.zip").unwrap();
        assert_eq!(test.store.data_request(&one, id).unwrap().downloads, 1);
        assert!(matches!(test.store.count_download(&other, id, "bundle.zip"), Err(StoreError::NotFound)));
        assert!(matches!(test.store.revoke_data_request(&office, id, " "), Err(StoreError::Invalid(_))));
        let revoked = test.store.revoke_data_request(&office, id, "over").unwrap();
        assert_eq!(revoked.open_on(day("2026-11-23")), None);
        assert!(matches!(test.store.count_download(&one, id, "bundle.zip"), Err(StoreError::InvalidState(_))));
        let next = file(&test, &one, Some(id)).unwrap();
        assert_eq!(next.line, filed.line);
        let declined = test.store.decline_data_request(&office, &next.request_id, "no plan").unwrap();
        assert_eq!((declined.status, declined.reason.as_deref()), (RequestStatus::Declined, Some("no plan")));
        let ids: Vec<String> = test.store.list_data_requests(&office).unwrap().into_iter().map(|one| one.request_id).collect();
        assert_eq!(ids, [next.request_id, filed.request_id]);
        test.store.verify_audit(None).unwrap();
    }

    fn a_delivery_says_who_held_a_case_after_its_erasure_too(test) {
        release(&test);
        let case = test.store.put_case(&test.submitter("C01"), put("P-1", 1)).unwrap();
        let researcher = test.scope(Role::Researcher, None);
        let id = file(&test, &researcher, None).unwrap().request_id;
        let cases = [case.case_id.clone(), "another".to_owned()];
        assert!(matches!(test.store.record_delivery(&system(), &id, &bundle(), &cases), Err(StoreError::InvalidState(_))));
        test.store.approve_data_request(&test.coordinator(), &id, access(&["patient.csv"]), day("2026-12-31")).unwrap();
        assert!(matches!(test.store.record_delivery(&researcher, &id, &bundle(), &cases), Err(StoreError::Forbidden { .. })));
        test.store.record_delivery(&system(), &id, &bundle(), &cases).unwrap();
        // Once: the same again changes nothing, another is refused.
        test.store.record_delivery(&system(), &id, &bundle(), &cases).unwrap();
        let other = DeliveredBundle { sha256: "ef".repeat(32), ..bundle() };
        assert!(matches!(test.store.record_delivery(&system(), &id, &other, &cases), Err(StoreError::InvalidState(_))));
        assert_eq!(test.store.data_request(&researcher, &id).unwrap().bundle, Some(bundle()));

        let outcome = test.store.withdraw(&test.submitter("C01"), asked("P-1")).unwrap();
        assert_eq!(outcome.requests, std::slice::from_ref(&id));
        let held = test.store.recipients_of(&test.coordinator(), &case.case_id).unwrap();
        assert_eq!(held.len(), 1);
        assert_eq!((held[0].request_id.as_str(), held[0].filed_by.as_str()), (id.as_str(), researcher.actor()));
        assert!(matches!(test.store.recipients_of(&researcher, &case.case_id), Err(StoreError::Forbidden { .. })));
        // The same for every withdrawn case at once; the run of the release held none of them.
        let of_nobody = test.store.put_case(&test.submitter("C02"), put("P-2", 1)).unwrap();
        let later = Withdraw { mode: WithdrawalMode::NoFurtherUse, date: day("2026-11-21"), ..asked("P-2") };
        test.store.withdraw(&test.submitter("C02"), later).unwrap();
        let all = test.store.withdrawn_and_held(&test.coordinator(), 10).unwrap();
        let told: Vec<_> = all.iter().map(|one| (one.case_id.as_str(), one.pseudonym.as_deref(), one.mode, one.recipients.as_slice())).collect();
        assert_eq!(
            told,
            [
                (of_nobody.case_id.as_str(), Some("P-2"), WithdrawalMode::NoFurtherUse, &[][..]),
                (case.case_id.as_str(), None, WithdrawalMode::Erase, held.as_slice()),
            ]
        );
        assert!(all.iter().all(|one| one.releases.is_empty()));
        assert_eq!(test.store.withdrawn_and_held(&test.coordinator(), 1).unwrap().len(), 1);
        assert_eq!(test.store.requests_holding_withdrawn(&test.coordinator()).unwrap(), std::slice::from_ref(&id));
        assert!(matches!(test.store.requests_holding_withdrawn(&researcher), Err(StoreError::Forbidden { .. })));
        for scope in [&researcher, &test.submitter("C01")] {
            assert!(matches!(test.store.withdrawn_and_held(scope, 10), Err(StoreError::Forbidden { .. })));
        }
        let export = test.export();
        assert_eq!(export.matches("\"_\":\"delivered_cases\"").count(), 2);
        assert_eq!(export.matches("\"_\":\"data_requests\"").count(), 1);
        test.store.verify_audit(None).unwrap();
    }
}
