//! Data requests on both databases: who files, reads, decides; what is recorded of a delivery; who held a case.

use chrono::{Duration, NaiveDate};
use registry_core::access::{Role, Scope, code_at};
use registry_core::clock::Clock;
use registry_core::storage::{
    DataAccess, DataRequest, DeliveredBundle, FinishRun, NewDataRequest, NewKey, NewPerson, NewRelease,
    RequestStatus, SignInLink, StartRun, StoreError, Withdraw, WithdrawalMode,
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

    fn a_request_stays_its_filers_when_the_key_is_rotated(test) {
        release(&test);
        let key = NewKey { label: "notebook".to_owned(), role: Role::Researcher, centre: None, expires_at: None };
        let first = test.store.create_key(&system(), key).unwrap();
        let scope = test.store.authenticate(first.key.reveal()).unwrap();
        let filed = file(&test, &scope, None).unwrap();
        test.store.approve_data_request(&test.coordinator(), &filed.request_id, access(&["patient.csv"]), day("2026-12-31")).unwrap();
        let mut key_id = first.info.key_id;
        for _ in 0..2 {
            let next = test.store.rotate_key(&system(), &key_id, Duration::zero()).unwrap();
            let scope = test.store.authenticate(next.key.reveal()).unwrap();
            assert_eq!(test.store.data_request(&scope, &filed.request_id).unwrap().request_id, filed.request_id);
            assert!(test.store.list_data_requests(&scope).unwrap().iter().any(|one| one.request_id == filed.request_id));
            test.store.count_download(&scope, &filed.request_id, "bundle.zip").unwrap();
            assert_eq!(file(&test, &scope, Some(&filed.request_id)).unwrap().line, filed.line);
            assert!(test.store.has_access(&system(), &filed.filed_by, Role::Researcher).unwrap());
            assert!(!test.store.has_access(&system(), &filed.filed_by, Role::Committee).unwrap());
            test.store.count_download(&system(), &filed.request_id, "redcap record").unwrap();
            key_id = next.info.key_id;
        }
        assert!(test.store.list_data_requests(&test.scope(Role::Researcher, None)).unwrap().is_empty());
        test.store.revoke_key(&system(), &key_id).unwrap();
        assert!(!test.store.has_access(&system(), &filed.filed_by, Role::Researcher).unwrap());
        // Nobody reads in the place of who has no access any more.
        let late = test.store.count_download(&system(), &filed.request_id, "redcap record");
        assert!(matches!(late, Err(StoreError::InvalidState(_))), "{late:?}");
        assert!(matches!(test.store.has_access(&test.coordinator(), &filed.filed_by, Role::Researcher), Err(StoreError::Forbidden { .. })));
    }

    fn access_ends_with_the_account_and_with_the_link(test) {
        let live = |actor: &str| test.store.has_access(&system(), actor, Role::Researcher).unwrap();
        assert!(!live("user:nobody") && !live("key:none") && !live("redcap interface"));
        let person = NewPerson { login: "ada".to_owned(), name: "Ada".to_owned(), role: Role::Researcher, centre: None };
        let invited = test.store.invite_person(&system(), person).unwrap();
        assert!(!live("user:ada"), "invited only");
        let secret = test.store.enrolment(invited.link.reveal()).unwrap().secret;
        let code = code_at(&secret, test.clock.now());
        test.store.enrol_person(invited.link.reveal(), "tin lantern, seven oars", &code).unwrap();
        assert!(live("user:ada"));
        test.store.assign_person(&system(), &invited.person.person_id, Role::Committee, None).unwrap();
        assert!(!live("user:ada"), "another role");
        test.store.assign_person(&system(), &invited.person.person_id, Role::Researcher, None).unwrap();
        assert!(live("user:ada"));
        test.store.disable_person(&system(), &invited.person.person_id).unwrap();
        assert!(!live("user:ada"), "disabled");
        let link = |reusable| SignInLink {
            user: "guest".to_owned(),
            role: Role::Researcher,
            centre: None,
            expires_at: test.clock.now() + Duration::hours(1),
            reusable,
        };
        test.store.create_sign_in_link(&system(), link(true)).unwrap();
        assert!(live("user:guest"));
        test.clock.jump(Duration::hours(2));
        assert!(!live("user:guest"));
        let once = test.store.create_sign_in_link(&system(), link(false)).unwrap();
        let session = test.store.redeem_sign_in_link(once.reveal()).unwrap();
        assert!(live("user:guest"), "signed in");
        test.store.end_session(session.token.reveal()).unwrap();
        assert!(!live("user:guest"));
    }

    fn a_delivery_says_who_held_a_case_after_its_erasure_too(test) {
        release(&test);
        let case = test.store.put_case(&test.submitter("C01"), put("P-1", 1)).unwrap();
        let researcher = test.scope(Role::Researcher, None);
        let id = file(&test, &researcher, None).unwrap().request_id;
        let another = test.store.put_case(&test.submitter("C01"), put("P-9", 1)).unwrap();
        let cases = [case.case_id.clone(), another.case_id];
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
                (of_nobody.case_id.as_str(), Some("P-2"), Some(WithdrawalMode::NoFurtherUse), &[][..]),
                (case.case_id.as_str(), None, Some(WithdrawalMode::Erase), held.as_slice()),
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

    fn research_reuse_taken_back_counts_as_withdrawn_until_it_is_given_again(test) {
        release(&test);
        let with_reuse = |n: u64, reuse: bool| {
            let mut new = put("P-1", n);
            new.precondition = registry_core::storage::Precondition::Whatever;
            new.document["consent"] = json!({"status": "consented", "research_reuse": reuse});
            new
        };
        let centre = test.submitter("C01");
        let case = test.store.put_case(&centre, with_reuse(1, true)).unwrap();
        let other = test.store.put_case(&centre, put("P-9", 1)).unwrap();
        assert!(!case.reuse_ended && !other.reuse_ended, "one that never gave it has nothing to take back");
        let researcher = test.scope(Role::Researcher, None);
        let id = file(&test, &researcher, None).unwrap().request_id;
        test.store.approve_data_request(&test.coordinator(), &id, access(&["patient.csv"]), day("2026-12-31")).unwrap();
        let cases = [case.case_id.clone(), other.case_id.clone()];
        test.store.record_delivery(&system(), &id, &bundle(), &cases).unwrap();
        assert!(!test.store.delivery_holds_withdrawn(&system(), &id).unwrap());
        let held = test.store.bundles_with(&system(), &case.case_id).unwrap();
        assert_eq!((held.releases.len(), held.requests.as_slice()), (0, std::slice::from_ref(&id)));
        assert!(matches!(test.store.bundles_with(&researcher, &case.case_id), Err(StoreError::Forbidden { .. })));

        assert!(test.store.put_case(&centre, with_reuse(2, false)).unwrap().reuse_ended);
        assert!(!test.store.put_case(&centre, with_reuse(3, false)).unwrap().reuse_ended, "once");
        assert!(test.store.delivery_holds_withdrawn(&system(), &id).unwrap());
        assert_eq!(test.store.requests_holding_withdrawn(&test.coordinator()).unwrap(), std::slice::from_ref(&id));
        let listed = test.store.withdrawn_and_held(&test.coordinator(), 10).unwrap();
        let told: Vec<_> = listed.iter().map(|one| (one.case_id.as_str(), one.mode, one.recipients.len())).collect();
        assert_eq!(told, [(case.case_id.as_str(), None, 1)]);
        // A bundle that was begun before is not recorded with it.
        let late = file(&test, &researcher, None).unwrap().request_id;
        test.store.approve_data_request(&test.coordinator(), &late, access(&["patient.csv"]), day("2026-12-31")).unwrap();
        assert!(matches!(test.store.record_delivery(&system(), &late, &bundle(), &cases), Err(StoreError::InvalidState(_))));

        test.store.put_case(&centre, with_reuse(4, true)).unwrap();
        assert!(!test.store.delivery_holds_withdrawn(&system(), &id).unwrap());
        assert!(test.store.withdrawn_and_held(&test.coordinator(), 10).unwrap().is_empty());
        test.store.verify_audit(None).unwrap();
    }
}
