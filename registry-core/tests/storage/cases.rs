//! Submissions: versions, preconditions, isolation, withdrawal.

use registry_core::access::Role;
use registry_core::storage::{
    CaseStatus, FindingState, LifeCycle, Precondition, PutCase, StoreError, StoredSeverity,
};

use crate::support::{document, finding, on_both, put, replacing};

on_both! {
    fn a_case_is_stored_read_replaced_and_kept_in_all_versions(test) {
        let centre = test.submitter("C01");
        let first = test.store.put_case(&centre, PutCase {
            findings: vec![finding("E-011", StoredSeverity::Warning), finding("E-020", StoredSeverity::Error)],
            ..put("P-1", 1)
        }).unwrap();
        assert!(first.created && !first.unchanged);
        assert_eq!(first.version, 1);

        let read = test.store.get_case(&centre, "P-1").unwrap();
        assert_eq!(read.document, document(1));
        assert_eq!((read.row.errors, read.row.warnings), (1, 1));
        assert_eq!(read.findings, vec![finding("E-011", StoredSeverity::Warning), finding("E-020", StoredSeverity::Error)]);
        assert_eq!(read.row.etag, first.etag);

        let second = test.store.put_case(&centre, replacing("P-1", 2, &first)).unwrap();
        assert_eq!((second.version, second.created), (2, false));
        assert_ne!(second.etag, first.etag);
        assert_eq!(test.store.get_case(&centre, "P-1").unwrap().document, document(2));
        assert!(test.store.findings(&centre, "P-1").unwrap().iter().all(|f| f.state == FindingState::Resolved));
        assert_eq!(test.store.get_version(&centre, "P-1", 1).unwrap().document, document(1));
        assert_eq!(test.store.get_version(&centre, "P-1", 1).unwrap().findings.len(), 2);
        assert_eq!(test.store.get_version(&centre, "P-1", 3).err(), Some(StoreError::NotFound));
        let history: Vec<_> = test.store.versions(&centre, "P-1").unwrap().into_iter().map(|v| v.version).collect();
        assert_eq!(history, [2, 1]);
    }

    fn identical_content_makes_no_version_and_keeps_the_etag(test) {
        let centre = test.submitter("C01");
        let first = test.store.put_case(&centre, put("P-1", 1)).unwrap();
        let again = test.store.put_case(&centre, replacing("P-1", 1, &first)).unwrap();
        assert!(again.unchanged && !again.created);
        assert_eq!((again.etag, again.version, again.submitted_at), (first.etag, 1, first.submitted_at));
    }

    fn preconditions(test) {
        let centre = test.submitter("C01");
        assert_eq!(
            test.store.put_case(&centre, PutCase { precondition: Precondition::IfMatchAny, ..put("P-1", 1) }).err(),
            Some(StoreError::PreconditionFailed { etag: None })
        );
        let first = test.store.put_case(&centre, PutCase { precondition: Precondition::IfNoneMatchAny, ..put("P-1", 1) }).unwrap();
        assert_eq!(
            test.store.put_case(&centre, put("P-1", 2)).err(),
            Some(StoreError::PreconditionRequired { etag: first.etag.clone() })
        );
        assert_eq!(
            test.store.put_case(&centre, PutCase { precondition: Precondition::IfNoneMatchAny, ..put("P-1", 2) }).err(),
            Some(StoreError::PreconditionFailed { etag: Some(first.etag.clone()) })
        );
        let second = test.store.put_case(&centre, PutCase { precondition: Precondition::IfMatchAny, ..put("P-1", 2) }).unwrap();
        assert_eq!(
            test.store.put_case(&centre, replacing("P-1", 3, &first)).err(),
            Some(StoreError::PreconditionFailed { etag: Some(second.etag) })
        );
    }

    fn another_centres_case_is_no_case_and_its_pseudonym_is_taken(test) {
        let (one, two) = (test.submitter("C01"), test.submitter("C02"));
        test.store.put_case(&one, put("P-1", 1)).unwrap();
        assert_eq!(test.store.get_case(&two, "P-1").err(), Some(StoreError::NotFound));
        assert_eq!(test.store.get_case(&two, "P-unknown").err(), Some(StoreError::NotFound));
        for _ in 0..2 {
            assert_eq!(test.store.put_case(&two, put("P-1", 9)).err(), Some(StoreError::PseudonymRegistered));
        }
        let batch = test.store.put_cases(&two, vec![put("P-1", 9), put("P-2", 1)], false).unwrap();
        assert_eq!(batch[0].as_ref().err(), Some(&StoreError::PseudonymRegistered));
        assert!(batch[1].is_ok());
        let atomic = test.store.put_cases(&two, vec![put("P-3", 1), put("P-1", 9)], true).unwrap();
        assert_eq!(atomic[0].as_ref().err(), Some(&StoreError::BatchRefused(1)));
        assert_eq!(atomic[1].as_ref().err(), Some(&StoreError::PseudonymRegistered));
        let tasks = test.store.list_tasks(&test.coordinator(), true, None, 10).unwrap().items;
        assert_eq!(tasks.len(), 1);
        assert_eq!((tasks[0].centre_id.as_str(), tasks[0].other_centre_id.as_str()), ("C02", "C01"));
        assert_eq!(tasks[0].occurrences, 4);
        assert_eq!(test.store.get_case(&one, "P-1").unwrap().document, document(1));
        test.store.verify_audit(None).unwrap();
    }

    fn roles_that_see_no_case(test) {
        let centre = test.submitter("C01");
        test.store.put_case(&centre, put("P-1", 1)).unwrap();
        for role in [Role::Researcher, Role::Committee, Role::Admin] {
            let scope = test.scope(role, None);
            assert!(matches!(test.store.get_case(&scope, "P-1"), Err(StoreError::Forbidden { .. })), "{role}");
            assert!(matches!(test.store.put_case(&scope, put("P-2", 1)), Err(StoreError::Forbidden { .. })), "{role}");
        }
        let coordinator = test.coordinator();
        assert_eq!(test.store.get_case(&coordinator, "P-1").unwrap().document, document(1));
        assert!(matches!(test.store.put_case(&coordinator, put("P-2", 1)), Err(StoreError::Forbidden { .. })));
    }

    fn a_change_to_a_verified_or_locked_case_needs_a_reason(test) {
        let lead = test.scope(Role::CentreLead, Some("C01"));
        let first = test.store.put_case(&lead, put("P-1", 1)).unwrap();
        let verified = test.store.move_case(&lead, "P-1", LifeCycle::Verify, None).unwrap();
        assert_eq!(verified.status, CaseStatus::Verified);
        assert_ne!(verified.etag, first.etag);
        let change = |marker: u32, etag: &str, reason: Option<&str>| PutCase {
            precondition: Precondition::IfMatch(vec![etag.to_owned()]),
            reason: reason.map(str::to_owned),
            ..put("P-1", marker)
        };
        assert_eq!(
            test.store.put_case(&lead, change(2, &verified.etag, None)).err(),
            Some(StoreError::ReasonRequired(CaseStatus::Verified))
        );
        assert_eq!(
            test.store.put_case(&lead, change(2, &verified.etag, Some("  "))).err(),
            Some(StoreError::ReasonRequired(CaseStatus::Verified))
        );
        let second = test.store.put_case(&lead, change(2, &verified.etag, Some("typing error"))).unwrap();
        assert_eq!(second.status, CaseStatus::Submitted);
        let through = "2026-06-30".parse().unwrap();
        for nothing in [None, Some("  ")] {
            assert_eq!(
                test.store.move_case(&lead, "P-1", LifeCycle::Lock { through }, nothing).err(),
                Some(StoreError::StepReasonRequired("locked"))
            );
        }
        let locked = test.store.move_case(&lead, "P-1", LifeCycle::Lock { through }, Some("closing the half-year")).unwrap();
        assert_eq!(
            test.store.put_case(&lead, change(3, &locked.etag, None)).err(),
            Some(StoreError::ReasonRequired(CaseStatus::Locked))
        );
        let third = test.store.put_case(&lead, change(3, &locked.etag, Some("follow-up"))).unwrap();
        assert_eq!(third.status, CaseStatus::Locked);
        assert_eq!(
            test.store.move_case(&lead, "P-1", LifeCycle::Unlock, None).err(),
            Some(StoreError::StepReasonRequired("unlocked"))
        );
        let reasons: Vec<_> = test.store.versions(&lead, "P-1").unwrap().into_iter().map(|v| v.reason).collect();
        assert_eq!(reasons, [Some("follow-up".to_owned()), Some("typing error".to_owned()), None]);
    }

    fn unlocking_gives_back_the_status_before_the_lock_unless_the_case_was_changed(test) {
        let lead = test.scope(Role::CentreLead, Some("C01"));
        let lock = |day: &str| LifeCycle::Lock { through: day.parse().unwrap() };
        let step = |step: LifeCycle, reason: Option<&str>| test.store.move_case(&lead, "P-1", step, reason).unwrap();
        test.store.put_case(&lead, put("P-1", 1)).unwrap();
        step(lock("2026-01-31"), Some("closing January"));
        step(lock("2026-06-30"), Some("closing the half-year"));
        assert_eq!(step(LifeCycle::Unlock, Some("side")).status, CaseStatus::Submitted, "nobody has verified it");
        step(LifeCycle::Verify, Some("every element against the source documents"));
        step(lock("2026-06-30"), Some("monitored"));
        assert_eq!(step(LifeCycle::Unlock, Some("side")).status, CaseStatus::Verified);
        let locked = step(lock("2026-06-30"), Some("again"));
        let changed = PutCase { reason: Some("follow-up".to_owned()), precondition: Precondition::IfMatch(vec![locked.etag]), ..put("P-1", 2) };
        test.store.put_case(&lead, changed).unwrap();
        assert_eq!(step(LifeCycle::Unlock, Some("side")).status, CaseStatus::Submitted, "changed since it was verified");
        let told: Vec<_> = test.store.life_of(&test.submitter("C01"), "P-1").unwrap().into_iter()
            .map(|s| (s.action, s.reason, s.from, s.to))
            .collect();
        let (submitted, verified, locked) = (Some(CaseStatus::Submitted), Some(CaseStatus::Verified), Some(CaseStatus::Locked));
        let because = |why: &str| Some(why.to_owned());
        assert_eq!(told, [
            ("case.lock".to_owned(), because("closing January"), submitted, locked),
            ("case.lock".to_owned(), because("closing the half-year"), locked, locked),
            ("case.unlock".to_owned(), because("side"), locked, submitted),
            ("case.verify".to_owned(), because("every element against the source documents"), submitted, verified),
            ("case.lock".to_owned(), because("monitored"), verified, locked),
            ("case.unlock".to_owned(), because("side"), locked, verified),
            ("case.lock".to_owned(), because("again"), verified, locked),
            ("case.unlock".to_owned(), because("side"), locked, submitted),
        ]);
        let steps = test.store.life_of(&lead, "P-1").unwrap();
        assert!(steps.iter().all(|s| s.role == "centre_lead" && s.actor == lead.actor()));
        assert_eq!(test.store.life_of(&test.submitter("C02"), "P-1").err(), Some(StoreError::NotFound));
    }

    fn lists_filter_and_page(test) {
        let centre = test.submitter("C01");
        for number in 0..7 {
            let mut case = put(&format!("P-{number}"), number);
            case.status = if number % 2 == 0 { CaseStatus::Draft } else { CaseStatus::Submitted };
            if number == 3 {
                case.findings = vec![finding("E-011", StoredSeverity::Warning)];
            }
            test.store.put_case(&centre, case).unwrap();
        }
        test.store.put_case(&test.submitter("C02"), put("Q-1", 1)).unwrap();
        let filter = registry_core::storage::CaseFilter::default();
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let page = test.store.list_cases(&centre, &filter, cursor.as_deref(), 3).unwrap();
            seen.extend(page.items.into_iter().filter_map(|row| row.pseudonym));
            cursor = page.next;
            if cursor.is_none() { break; }
        }
        assert_eq!(seen, ["P-0", "P-1", "P-2", "P-3", "P-4", "P-5", "P-6"]);
        let count = |filter: &registry_core::storage::CaseFilter| test.store.list_cases(&test.coordinator(), filter, None, 100).unwrap().items.len();
        assert_eq!(count(&filter), 8);
        assert_eq!(count(&registry_core::storage::CaseFilter { status: Some(CaseStatus::Draft), ..Default::default() }), 4);
        assert_eq!(count(&registry_core::storage::CaseFilter { has_findings: Some(true), ..Default::default() }), 1);
        assert_eq!(count(&registry_core::storage::CaseFilter { centre: Some("C02".to_owned()), ..Default::default() }), 1);
        assert_eq!(count(&registry_core::storage::CaseFilter { histology: Some("lms".to_owned()), ..Default::default() }), 0);
        let other = registry_core::storage::CaseFilter { centre: Some("C02".to_owned()), ..Default::default() };
        assert!(test.store.list_cases(&centre, &other, None, 100).unwrap().items.is_empty());
    }
}
