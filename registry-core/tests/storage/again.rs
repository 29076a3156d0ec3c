//! The stored version judged again: findings, queries and lists follow, no version is made; identities that changed carry their answers.

use registry_core::storage::{
    Derived, FindingState, Foreseen, Formerly, JudgedAgain, Precondition, PutCase, QueryClosing, QueryFilter,
    QueryState, Rejudged, StoreError, StoredFinding, StoredSeverity,
};

use crate::support::{TestStore, finding, on_both, put, replacing, system};

use StoredSeverity::{Error, Warning};

fn lives(test: &TestStore) -> Vec<(String, FindingState, i64, i64)> {
    let found = test.store.findings(&test.coordinator(), "P-1").unwrap();
    found
        .into_iter()
        .map(|f| (f.finding.identity, f.state, f.first_version, f.last_version))
        .collect()
}

fn queries(test: &TestStore) -> Vec<(String, QueryState, Option<QueryClosing>, String)> {
    let all = test
        .store
        .list_queries(&test.coordinator(), &QueryFilter::default(), None, 100)
        .unwrap();
    let told =
        |q: registry_core::storage::DataQuery| (q.rule.unwrap_or_default(), q.state, q.closing, q.question);
    all.items.into_iter().map(told).collect()
}

fn named(identity: &str) -> StoredFinding {
    StoredFinding {
        identity: identity.to_owned(),
        ..finding("R-026", Warning)
    }
}

fn moved(before: &str, identity: &str) -> Formerly {
    Formerly {
        identity: identity.to_owned(),
        before: before.to_owned(),
        unless: None,
        only_unchanged: false,
    }
}

on_both! {
    fn sending_the_same_again_brings_the_findings_up_to_the_new_verdict(test) {
        let centre = test.submitter("C01");
        let (old, stays, new) = (finding("E-016", Warning), finding("E-020", Warning), finding("E-031", Error));
        let sent = |findings: Vec<StoredFinding>| PutCase { findings, precondition: Precondition::Whatever, ..put("P-1", 1) };
        let first = test.store.put_case(&centre, sent(vec![old.clone(), stays.clone()])).unwrap();
        test.store.answer_finding(&centre, "P-1", &stays.identity, "seen").unwrap();
        let mut again = sent(vec![stays.clone(), new.clone()]);
        again.derived = Derived { histology_code: Some("lms".to_owned()), ..again.derived };
        let again = test.store.put_case(&centre, again).unwrap();
        assert!(again.unchanged);
        assert_eq!((again.version, &again.etag), (1, &first.etag));
        assert_eq!(lives(&test), [
            (stays.identity.clone(), FindingState::Answered, 1, 1),
            (new.identity.clone(), FindingState::Open, 1, 1),
            (old.identity.clone(), FindingState::Resolved, 1, 1),
        ]);
        let row = test.store.case_row(&centre, "P-1").unwrap();
        assert_eq!((row.errors, row.warnings, row.version), (1, 0, 1));
        assert_eq!(row.derived.histology_code.as_deref(), Some("lms"));
        let stored = test.store.get_case(&centre, "P-1").unwrap();
        assert_eq!(stored.findings, [stays.clone(), new.clone()]);
        assert_eq!(stored.derived.histology_code.as_deref(), Some("lms"));
        // The query of what fell is closed and still says what it asked.
        let mut asked = queries(&test);
        asked.sort();
        assert_eq!(asked, [
            ("E-016".to_owned(), QueryState::Closed, Some(QueryClosing::Resolved), old.message.clone()),
            ("E-020".to_owned(), QueryState::Answered, None, stays.message.clone()),
        ]);
        // It comes back: one finding, and its query open again.
        test.store.put_case(&centre, sent(vec![old.clone(), stays.clone()])).unwrap();
        assert_eq!(lives(&test), [
            (old.identity.clone(), FindingState::Open, 1, 1),
            (stays.identity.clone(), FindingState::Answered, 1, 1),
            (new.identity, FindingState::Resolved, 1, 1),
        ]);
        assert_eq!(queries(&test).iter().filter(|q| q.1 == QueryState::Open).count(), 1);
        // The same verdict leaves nothing behind.
        let events = test.raw_texts("SELECT CAST(count(*) AS TEXT) AS line FROM audit_events WHERE action = 'case.rejudge'");
        test.store.put_case(&centre, sent(vec![old, stays])).unwrap();
        assert_eq!(test.raw_texts("SELECT CAST(count(*) AS TEXT) AS line FROM audit_events WHERE action = 'case.rejudge'"), events);
        assert_eq!(events, ["2"]);
        test.store.verify_audit(None).unwrap();
    }

    fn the_registry_judges_every_newest_version_again_and_nobody_else_does(test) {
        let centre = test.submitter("C01");
        let old = finding("E-016", Warning);
        test.store.put_case(&centre, PutCase { findings: vec![old.clone()], ..put("P-1", 1) }).unwrap();
        test.store.put_case(&test.submitter("C02"), put("Q-1", 1)).unwrap();
        assert!(matches!(test.store.newest_versions(&centre, ("", ""), 10), Err(StoreError::Forbidden { .. })));
        assert!(matches!(test.store.rejudge(&test.coordinator(), Vec::new()), Err(StoreError::Forbidden { .. })));
        let all = test.store.newest_versions(&system(), ("", ""), 10).unwrap();
        assert_eq!(all.iter().map(|c| (c.centre_id.as_str(), c.version)).collect::<Vec<_>>(), [("C01", 1), ("C02", 1)]);
        let next = test.store.newest_versions(&system(), (&all[0].centre_id, &all[0].case_id), 10).unwrap();
        assert_eq!(next.len(), 1);
        let fresh = |case: &registry_core::storage::OwnCase, version| Rejudged {
            case_id: case.case_id.clone(),
            version,
            derived: put("", 1).derived,
            findings: Vec::new(),
            formerly: Vec::new(),
        };
        let done = test.store.rejudge(&system(), vec![fresh(&all[0], 1), fresh(&all[1], 1), fresh(&all[0], 2)]).unwrap();
        assert_eq!(done, [Some(true), Some(false), None], "changed, as it was, at another version");
        assert_eq!(lives(&test), [(old.identity, FindingState::Resolved, 1, 1)]);
        assert_eq!(test.store.case_row(&centre, "P-1").unwrap().warnings, 0);
        test.store.record_judging(&system(), JudgedAgain { cases: 2, changed: 1, ..JudgedAgain::default() }).unwrap();
        test.store.verify_audit(None).unwrap();
    }

    fn an_answer_goes_along_with_its_finding_to_another_identity(test) {
        let centre = test.submitter("C01");
        let first = test.store.put_case(&centre, PutCase { findings: vec![named("old")], ..put("P-1", 1) }).unwrap();
        test.store.answer_finding(&centre, "P-1", "old", "seen on paper").unwrap();
        let second = test.store.put_case(&centre, PutCase {
            findings: vec![named("new")],
            formerly: vec![moved("old", "new")],
            ..replacing("P-1", 2, &first)
        }).unwrap();
        assert!(second.answered.contains("new"));
        assert_eq!(lives(&test), [("new".to_owned(), FindingState::Answered, 1, 2)]);
        let asked = queries(&test);
        assert_eq!(asked.len(), 1, "the same query: {asked:?}");
        assert_eq!(asked[0].1, QueryState::Answered);
    }

    fn an_answer_stays_behind_where_it_cannot_be_told_whose_it_is(test) {
        let centre = test.submitter("C01");
        let first = test.store.put_case(&centre, PutCase { findings: vec![named("old"), named("old-1")], ..put("P-1", 1) }).unwrap();
        test.store.answer_finding(&centre, "P-1", "old", "seen on paper").unwrap();
        // There were two of the name, and one is left: which of them, nobody knows.
        let doubtful = Formerly { unless: Some("old-1".to_owned()), ..moved("old", "new") };
        let second = test.store.put_case(&centre, PutCase { findings: vec![named("new")], formerly: vec![doubtful], ..replacing("P-1", 2, &first) }).unwrap();
        assert!(second.answered.is_empty());
        assert!(lives(&test).contains(&("new".to_owned(), FindingState::Open, 2, 2)));
        // By their order only where the document is the one that was judged then.
        let by_order = |before: &str, identity: &str| Formerly { only_unchanged: true, ..moved(before, identity) };
        let third = test.store.put_case(&centre, PutCase {
            findings: vec![named("x"), named("y")],
            formerly: vec![by_order("new", "x")],
            ..replacing("P-1", 3, &second)
        }).unwrap();
        test.store.answer_finding(&centre, "P-1", "x", "seen").unwrap();
        assert!(lives(&test).contains(&("new".to_owned(), FindingState::Resolved, 2, 2)));
        let same = test.store.put_case(&centre, PutCase {
            findings: vec![named("a"), named("b")],
            formerly: vec![by_order("x", "a"), by_order("y", "b")],
            ..replacing("P-1", 3, &third)
        }).unwrap();
        assert!(same.unchanged);
        assert_eq!(same.answered.iter().collect::<Vec<_>>(), ["a"]);
    }

    fn an_identity_that_another_row_had_does_not_hand_its_answer_on(test) {
        let centre = test.submitter("C01");
        let first = test.store.put_case(&centre, PutCase { findings: vec![named("bare")], ..put("P-1", 1) }).unwrap();
        test.store.answer_finding(&centre, "P-1", "bare", "of the first row").unwrap();
        // A second row like it: told apart by content from now on.
        let second = test.store.put_case(&centre, PutCase { findings: vec![named("one"), named("two")], ..replacing("P-1", 2, &first) }).unwrap();
        // The first is mended; the second is called as the first was.
        let third = test.store.put_case(&centre, PutCase {
            findings: vec![named("bare")],
            formerly: vec![moved("two", "bare")],
            ..replacing("P-1", 3, &second)
        }).unwrap();
        assert!(third.answered.is_empty(), "that was said to the other row");
        assert!(lives(&test).contains(&("bare".to_owned(), FindingState::Open, 2, 3)));
    }

    fn what_would_become_of_a_submission_is_told_without_writing(test) {
        let centre = test.submitter("C01");
        let warning = finding("E-011", Warning);
        test.store.put_case(&centre, PutCase { findings: vec![warning.clone()], ..put("P-1", 1) }).unwrap();
        test.store.answer_finding(&centre, "P-1", &warning.identity, "seen").unwrap();
        test.store.put_case(&test.submitter("C02"), put("Q-1", 1)).unwrap();
        let lead = test.scope(registry_core::access::Role::CentreLead, Some("C01"));
        test.store.put_case(&centre, put("P-2", 1)).unwrap();
        test.store.move_case(&lead, "P-2", registry_core::storage::LifeCycle::Verify, None).unwrap();
        let whatever = |pseudonym: &str, marker: u32| PutCase {
            precondition: Precondition::Whatever,
            findings: vec![warning.clone()],
            ..put(pseudonym, marker)
        };
        let at = |version, marker| PutCase { precondition: Precondition::AtVersion(version), ..whatever("P-1", marker) };
        let events = || test.raw_texts("SELECT CAST(count(*) AS TEXT) AS line FROM audit_events");
        let before = events();
        let told = test.store.foresee(&centre, vec![
            whatever("P-1", 1), whatever("P-1", 2), whatever("P-9", 1), whatever("Q-1", 1), whatever("P-2", 2),
            at(1, 2), at(7, 2), at(7, 1),
        ]).unwrap();
        assert_eq!(events(), before, "nothing is written, no office is told");
        let brief: Vec<_> = told.iter().map(|one| one.as_ref().map(|(foreseen, answered)| (*foreseen, answered.len()))).collect();
        assert_eq!(brief[0], Ok((Foreseen::Unchanged, 1)));
        assert_eq!(brief[1], Ok((Foreseen::Changed, 1)));
        assert_eq!(brief[2], Ok((Foreseen::New, 0)));
        // Another centre's: who only asks is not told of it.
        assert_eq!(brief[3], Ok((Foreseen::New, 0)));
        assert!(matches!(brief[4], Err(StoreError::ReasonRequired(_))));
        assert_eq!(brief[5], Ok((Foreseen::Changed, 1)));
        assert!(matches!(brief[6], Err(StoreError::PreconditionFailed { .. })));
        assert_eq!(brief[7], Ok((Foreseen::Unchanged, 1)), "what is there already is no change, whatever the version");
    }
}
