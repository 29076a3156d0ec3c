//! Findings over versions: one of each identity, resolved, answered, back again.

use registry_core::access::{Role, Scope};
use registry_core::storage::{
    FindingState, LivingFinding, PutCase, StoreError, StoredFinding, StoredSeverity, Withdraw, WithdrawalMode,
};

use crate::support::{TestStore, finding, on_both, put, replacing};

use FindingState::{Answered, Open, Resolved};
use StoredSeverity::{Error, Warning};

fn moved(finding: StoredFinding, row: usize) -> StoredFinding {
    StoredFinding {
        pointer: format!("/imaging/{row}/date"),
        ..finding
    }
}

fn lives(found: &[LivingFinding]) -> Vec<(&str, FindingState, i64, i64)> {
    found
        .iter()
        .map(|f| (f.finding.code.as_str(), f.state, f.first_version, f.last_version))
        .collect()
}

fn warnings(test: &TestStore) -> i64 {
    test.store
        .case_row(&test.submitter("C01"), "P-1")
        .unwrap()
        .warnings
}

on_both! {
    fn a_finding_is_one_over_all_versions_until_it_is_resolved(test) {
        let centre = test.submitter("C01");
        let sent = |findings: Vec<StoredFinding>, case: PutCase| PutCase { findings, ..case };
        let (a, b) = (finding("E-011", Warning), finding("E-020", Error));
        let first = test.store.put_case(&centre, sent(vec![a.clone(), b], put("P-1", 1))).unwrap();
        // The rows have changed places; the error was corrected.
        let second = test.store.put_case(&centre, sent(vec![moved(a.clone(), 4)], replacing("P-1", 2, &first))).unwrap();
        let found = test.store.findings(&centre, "P-1").unwrap();
        assert_eq!(lives(&found), [("E-011", Open, 1, 2), ("E-020", Resolved, 1, 1)]);
        assert_eq!(found[0].finding.pointer, "/imaging/4/date");
        let third = test.store.put_case(&centre, sent(vec![], replacing("P-1", 3, &second))).unwrap();
        assert_eq!(lives(&test.store.findings(&centre, "P-1").unwrap()), [("E-011", Resolved, 1, 2), ("E-020", Resolved, 1, 1)]);
        test.store.put_case(&centre, sent(vec![a.clone(), moved(a, 1)], replacing("P-1", 4, &third))).unwrap();
        assert_eq!(lives(&test.store.findings(&centre, "P-1").unwrap()), [("E-011", Open, 1, 4), ("E-020", Resolved, 1, 1)]);
    }

    fn errors_are_counted_by_check_and_only_those_that_stand_now(test) {
        let (one, two) = (test.submitter("C01"), test.submitter("C02"));
        let sent = |findings: Vec<StoredFinding>, case: PutCase| PutCase { findings, ..case };
        let error = || finding("E-020", Error);
        let twice = vec![finding("E-011", Warning), error(), moved(error(), 1)];
        let first = test.store.put_case(&one, sent(twice, put("P-1", 1))).unwrap();
        test.store.put_case(&one, sent(vec![error(), finding("E-021", Error)], put("P-2", 1))).unwrap();
        test.store.put_case(&two, sent(vec![error()], put("P-3", 1))).unwrap();
        let by_check = |scope: &Scope| -> Vec<(String, i64, i64)> {
            let all = test.store.errors_by_check(scope).unwrap().into_iter();
            all.map(|one| (one.check, one.findings, one.cases)).collect()
        };
        let named = |check: &str, findings, cases| (check.to_owned(), findings, cases);
        assert_eq!(by_check(&test.coordinator()), [named("E-020", 4, 3), named("E-021", 1, 1)]);
        assert_eq!(by_check(&one), [named("E-020", 3, 2), named("E-021", 1, 1)]);
        assert_eq!(by_check(&two), [named("E-020", 1, 1)]);
        test.store.put_case(&one, sent(vec![finding("E-011", Warning)], replacing("P-1", 2, &first))).unwrap();
        assert_eq!(by_check(&one), [named("E-020", 1, 1), named("E-021", 1, 1)]);
        let committee = test.scope(Role::Committee, None);
        assert!(matches!(test.store.errors_by_check(&committee), Err(StoreError::Forbidden { .. })));
    }

    fn an_answered_warning_counts_no_longer_until_what_it_rests_on_changes(test) {
        let centre = test.submitter("C01");
        let (stands, other) = (finding("E-011", Warning), finding("E-030", Warning));
        let first = test.store.put_case(&centre, PutCase { findings: vec![stands.clone(), other.clone()], ..put("P-1", 1) }).unwrap();
        assert_eq!(warnings(&test), 2);
        let answered = test.store.answer_finding(&centre, "P-1", &stands.identity, " seen on paper ").unwrap();
        assert_eq!((answered.state, answered.answer.unwrap().reason.as_str()), (Answered, "seen on paper"));
        assert_eq!(warnings(&test), 1);
        // Answered again: counted once, the later words stand.
        test.store.answer_finding(&centre, "P-1", &stands.identity, "confirmed").unwrap();
        assert_eq!(warnings(&test), 1);
        let found = test.store.findings(&test.coordinator(), "P-1").unwrap();
        assert_eq!(found[0].answer.as_ref().unwrap().reason, "confirmed");
        assert_eq!(lives(&found), [("E-011", Answered, 1, 1), ("E-030", Open, 1, 1)]);
        // Another version, the same elements: still answered, and said so.
        let second = test.store.put_case(&centre, PutCase { findings: vec![moved(stands.clone(), 2), other.clone()], ..replacing("P-1", 2, &first) }).unwrap();
        assert_eq!(second.answered.iter().collect::<Vec<_>>(), [&stands.identity]);
        assert_eq!(warnings(&test), 1);
        // An element changed: another identity, an open finding.
        let changed = StoredFinding { identity: "id-E-011-changed".to_owned(), ..stands };
        test.store.put_case(&centre, PutCase { findings: vec![changed, other], ..replacing("P-1", 3, &second) }).unwrap();
        assert_eq!(warnings(&test), 2);
        let found = test.store.findings(&centre, "P-1").unwrap();
        assert_eq!(lives(&found), [("E-011", Open, 3, 3), ("E-030", Open, 1, 3), ("E-011", Resolved, 1, 2)]);
        test.store.verify_audit(None).unwrap();
    }

    fn what_cannot_be_answered_is_refused(test) {
        let centre = test.submitter("C01");
        let (warning, error) = (finding("E-011", Warning), finding("E-020", Error));
        let first = test.store.put_case(&centre, PutCase { findings: vec![warning.clone(), error.clone()], ..put("P-1", 1) }).unwrap();
        let answer = |scope: &Scope, identity: &str, reason: &str| test.store.answer_finding(scope, "P-1", identity, reason).err();
        assert!(matches!(answer(&centre, &error.identity, "no"), Some(StoreError::InvalidState(_))));
        assert!(matches!(answer(&centre, &warning.identity, " "), Some(StoreError::Invalid(_))));
        assert_eq!(answer(&centre, "id-of-nothing", "no"), Some(StoreError::NotFound));
        assert_eq!(answer(&test.submitter("C02"), &warning.identity, "no"), Some(StoreError::NotFound));
        assert!(matches!(answer(&test.coordinator(), &warning.identity, "no"), Some(StoreError::Forbidden { .. })));
        assert!(matches!(answer(&test.scope(Role::Committee, None), &warning.identity, "no"), Some(StoreError::Forbidden { .. })));
        // Resolved: there is nothing to answer any more.
        test.store.put_case(&centre, replacing("P-1", 2, &first)).unwrap();
        assert_eq!(answer(&centre, &warning.identity, "late"), Some(StoreError::NotFound));
        assert_eq!(warnings(&test), 0);
    }

    fn an_answer_is_sealed_and_goes_with_the_case(test) {
        let centre = test.submitter("C01");
        let warning = finding("E-011", Warning);
        test.store.put_case(&centre, PutCase { findings: vec![warning.clone()], ..put("P-1", 1) }).unwrap();
        test.store.answer_finding(&centre, "P-1", &warning.identity, "canary of an answer").unwrap();
        assert!(!crate::secrecy::everything_in(&test).contains("canary of an answer"));
        test.store.withdraw(&centre, Withdraw {
            pseudonym: "P-1".to_owned(),
            centre: None,
            mode: WithdrawalMode::Erase,
            date: "2026-11-20".parse().unwrap(),
            reason: None,
            document: None,
            precondition: registry_core::storage::Precondition::Whatever,
            idempotency: None,
        }).unwrap();
        let mut export = Vec::new();
        test.store.canonical_export(&crate::support::system(), &mut export).unwrap();
        assert!(!String::from_utf8(export).unwrap().contains("finding_answers"));
    }
}
