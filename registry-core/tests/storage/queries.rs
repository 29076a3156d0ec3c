//! Data queries: raised by checks, going with their findings; raised and settled by people.

use chrono::Duration;
use registry_core::access::{Role, Scope};
use registry_core::storage::{
    CaseStatus, DataQuery, FindingState, LifeCycle, NewQuery, Precondition, PutCase, QueryAction,
    QueryClosing, QueryFilter, QueryMove, QuerySide, QueryState, QueryStep, QueryThread, RaisedBy,
    StoreError, StoredFinding, StoredSeverity, Withdraw, WithdrawalMode,
};

use crate::support::{TestStore, finding, on_both, put, replacing};

use QueryAction::{Close, Message, Reopen};
use QueryState::{Answered, Closed, Open};
use StoredSeverity::{Error, Warning};

fn with(findings: Vec<StoredFinding>, case: PutCase) -> PutCase {
    PutCase { findings, ..case }
}

fn moved(finding: StoredFinding, row: usize) -> StoredFinding {
    StoredFinding {
        pointer: format!("/imaging/{row}/date"),
        ..finding
    }
}

pub(crate) fn new_query(pseudonym: &str, text: &str) -> NewQuery {
    NewQuery {
        pseudonym: pseudonym.to_owned(),
        text: text.to_owned(),
        pointer: None,
        element: None,
        rule: None,
        idempotency: None,
    }
}

fn step(
    test: &TestStore,
    scope: &Scope,
    id: &str,
    action: QueryAction,
    text: &str,
) -> Result<QueryThread, StoreError> {
    let asked = QueryMove {
        action,
        text: (!text.is_empty()).then(|| text.to_owned()),
        idempotency: None,
    };
    test.store.move_query(scope, id, asked)
}

fn listed(test: &TestStore, scope: &Scope, filter: QueryFilter) -> Vec<DataQuery> {
    test.store.list_queries(scope, &filter, None, 100).unwrap().items
}

fn all(test: &TestStore) -> Vec<DataQuery> {
    listed(test, &test.coordinator(), QueryFilter::default())
}

fn states(queries: &[DataQuery]) -> Vec<(&str, QueryState)> {
    let mut all: Vec<_> = queries
        .iter()
        .map(|q| (q.rule.as_deref().unwrap_or("-"), q.state))
        .collect();
    all.sort_by_key(|(rule, _)| *rule);
    all
}

fn steps(thread: &QueryThread) -> Vec<QueryStep> {
    thread.history.iter().map(|entry| entry.step).collect()
}

fn warnings(test: &TestStore) -> i64 {
    test.store.case_row(&test.coordinator(), "P-1").unwrap().warnings
}

fn withdraw(pseudonym: &str, mode: WithdrawalMode) -> Withdraw {
    Withdraw {
        pseudonym: pseudonym.to_owned(),
        centre: None,
        mode,
        date: "2026-11-20".parse().unwrap(),
        reason: None,
        document: None,
        precondition: Precondition::Whatever,
        idempotency: None,
    }
}

on_both! {
    fn a_warning_of_a_check_is_one_query_that_goes_with_its_finding(test) {
        let centre = test.submitter("C01");
        let (a, b) = (finding("E-011", Warning), finding("E-030", Warning));
        let unruled = StoredFinding { rule: None, ..finding("deprecated", Warning) };
        let sent = vec![a.clone(), moved(a.clone(), 1), b.clone(), unruled, finding("E-020", Error)];
        let first = test.store.put_case(&centre, with(sent, put("P-1", 1))).unwrap();
        let raised = all(&test);
        assert_eq!(states(&raised), [("E-011", Open), ("E-030", Open)]);
        let query = raised.iter().find(|q| q.rule.as_deref() == Some("E-011")).unwrap();
        assert_eq!((query.raised_by, query.opened_by.as_str(), query.waits_for), (RaisedBy::Rule, "registry", Some(QuerySide::Centre)));
        assert_eq!((query.question.as_str(), query.pointer.as_deref()), (a.message.as_str(), Some("/imaging/0/date")));
        assert_eq!(query.elements, ["imaging.date"]);

        // Rows in another order: the same queries, pointing to where the rows are now.
        let second = test.store.put_case(&centre, with(vec![b.clone(), moved(a.clone(), 4)], replacing("P-1", 2, &first))).unwrap();
        let again = all(&test);
        let same = again.iter().find(|q| q.id == query.id).unwrap();
        assert_eq!((again.len(), same.pointer.as_deref(), same.version, same.updated_at), (2, Some("/imaging/4/date"), 2, query.updated_at));

        // Corrected: closed by the registry. Back: the same query, open again.
        let third = test.store.put_case(&centre, with(vec![b.clone()], replacing("P-1", 3, &second))).unwrap();
        assert_eq!(states(&all(&test)), [("E-011", Closed), ("E-030", Open)]);
        let closed = test.store.query(&centre, &query.id).unwrap();
        assert_eq!((closed.query.closing, closed.query.closed_by.as_deref(), closed.query.version), (Some(QueryClosing::Resolved), Some("registry"), 2));
        assert_eq!(closed.query.question, a.message);
        assert!(closed.may.is_empty());
        test.store.put_case(&centre, with(vec![b, a], replacing("P-1", 4, &third))).unwrap();
        let back = test.store.query(&centre, &query.id).unwrap();
        assert_eq!((all(&test).len(), back.query.state, back.query.reopened, back.query.closed_at), (2, Open, 1, None));
        assert_eq!(steps(&back), [QueryStep::Raised, QueryStep::Resolved, QueryStep::CameBack]);
        test.store.verify_audit(None).unwrap();
    }

    fn what_a_full_verdict_does_not_list_is_not_settled(test) {
        let centre = test.submitter("C01");
        let first = test.store.put_case(&centre, with(vec![finding("E-011", Warning)], put("P-1", 1))).unwrap();
        let full: Vec<_> = (0..200).map(|n| finding(&format!("E-{}", 300 + n), Warning)).collect();
        let second = test.store.put_case(&centre, with(full, replacing("P-1", 2, &first))).unwrap();
        let of_first = || all(&test).into_iter().find(|q| q.rule.as_deref() == Some("E-011")).unwrap();
        assert_eq!((of_first().state, of_first().version), (Open, 1));
        assert!(!of_first().question.is_empty());
        test.store.put_case(&centre, with(vec![], replacing("P-1", 3, &second))).unwrap();
        assert_eq!((of_first().state, of_first().version), (Closed, 1));
        assert_eq!(all(&test).len(), 100);
        assert!(listed(&test, &centre, QueryFilter { states: vec![Open], ..Default::default() }).is_empty());
    }

    fn an_answer_to_the_finding_and_an_answer_to_the_query_are_one(test) {
        let (centre, office) = (test.submitter("C01"), test.coordinator());
        let (a, b) = (finding("E-011", Warning), finding("E-030", Warning));
        let first = test.store.put_case(&centre, with(vec![a.clone(), b.clone()], put("P-1", 1))).unwrap();
        let of = |rule: &str| all(&test).into_iter().find(|q| q.rule.as_deref() == Some(rule)).unwrap();
        test.store.answer_finding(&centre, "P-1", &a.identity, "seen on paper").unwrap();
        assert_eq!(of("E-011").state, Answered);
        let answered = step(&test, &centre, &of("E-030").id, Message, "  seen,\r\n too ").unwrap();
        assert_eq!((answered.query.state, answered.history[1].text.as_deref()), (Answered, Some("seen, too")));
        let found = test.store.findings(&centre, "P-1").unwrap();
        assert!(found.iter().all(|f| f.state == FindingState::Answered));
        assert_eq!((found[1].answer.as_ref().unwrap().reason.as_str(), warnings(&test)), ("seen, too", 0));

        // The office is not content: the finding is open again, what was said stays.
        let reopened = step(&test, &office, &of("E-011").id, Reopen, "which page?").unwrap();
        assert_eq!((reopened.query.state, reopened.query.reopened), (Open, 1));
        assert_eq!((warnings(&test), test.store.findings(&centre, "P-1").unwrap()[0].state), (1, FindingState::Open));
        step(&test, &office, &of("E-011").id, Message, "of the report").unwrap();
        step(&test, &centre, &of("E-011").id, Message, "page 3").unwrap();
        let closed = step(&test, &office, &of("E-011").id, Close, "").unwrap();
        assert_eq!(steps(&closed), [QueryStep::Raised, QueryStep::Answered, QueryStep::Reopened, QueryStep::Message, QueryStep::Answered, QueryStep::Accepted]);
        assert_eq!((closed.query.closing, warnings(&test)), (Some(QueryClosing::Accepted), 0));

        // Settled stays settled while the finding is the same, also when it went away and came back.
        let second = test.store.put_case(&centre, with(vec![b.clone()], replacing("P-1", 2, &first))).unwrap();
        assert!(matches!(step(&test, &office, &of("E-011").id, Reopen, "x"), Err(StoreError::InvalidState(_))));
        let third = test.store.put_case(&centre, with(vec![a, b.clone()], replacing("P-1", 3, &second))).unwrap();
        assert_eq!(of("E-011").closing, Some(QueryClosing::Accepted));
        // An answer that still holds: answered when it comes back.
        let fourth = test.store.put_case(&centre, with(vec![], replacing("P-1", 4, &third))).unwrap();
        assert_eq!(of("E-030").closing, Some(QueryClosing::Resolved));
        test.store.put_case(&centre, with(vec![b], replacing("P-1", 5, &fourth))).unwrap();
        assert_eq!((of("E-030").state, warnings(&test)), (Answered, 0));
    }

    fn a_rules_query_is_not_closed_while_nobody_has_said_why(test) {
        let (centre, office) = (test.submitter("C01"), test.coordinator());
        test.store.put_case(&centre, with(vec![finding("E-011", Warning)], put("P-1", 1))).unwrap();
        let id = all(&test)[0].id.clone();
        assert!(matches!(step(&test, &office, &id, Close, "never mind"), Err(StoreError::InvalidState(_))));
        assert!(matches!(step(&test, &centre, &id, Close, "fine"), Err(StoreError::InvalidState(_))));
        assert!(matches!(step(&test, &office, &id, Reopen, "?"), Err(StoreError::InvalidState(_))));
        assert!(matches!(step(&test, &centre, &id, Message, " "), Err(StoreError::Invalid(_))));
        assert_eq!(all(&test)[0].state, Open);
    }

    fn drafts_raise_none_until_they_are_submitted(test) {
        let (centre, office) = (test.submitter("C01"), test.coordinator());
        let found = vec![finding("E-011", Warning)];
        let draft = PutCase { status: CaseStatus::Draft, ..put("P-1", 1) };
        let first = test.store.put_case(&centre, with(found.clone(), draft)).unwrap();
        let draft = PutCase { status: CaseStatus::Draft, ..replacing("P-1", 2, &first) };
        let second = test.store.put_case(&centre, with(found.clone(), draft)).unwrap();
        assert!(all(&test).is_empty());
        assert!(matches!(test.store.raise_query(&office, new_query("P-1", "?")), Err(StoreError::InvalidState(_))));
        test.store.answer_finding(&centre, "P-1", &found[0].identity, "so it is").unwrap();
        test.store.put_case(&centre, with(found, replacing("P-1", 2, &second))).unwrap();
        assert_eq!(states(&all(&test)), [("E-011", Answered)]);
    }

    fn people_ask_answer_close_and_reopen(test) {
        let (centre, office) = (test.submitter("C01"), test.coordinator());
        test.store.put_case(&centre, put("P-1", 1)).unwrap();
        let new = NewQuery { element: Some("imaging.size_mm".to_owned()), pointer: Some("/imaging/0/size_mm".to_owned()), ..new_query("P-1", "Is it 41.5?") };
        let asked = test.store.raise_query(&office, new).unwrap();
        assert_eq!((asked.query.raised_by, asked.query.waits_for, asked.query.question.as_str()), (RaisedBy::Office, Some(QuerySide::Centre), "Is it 41.5?"));
        assert_eq!(asked.may, [Message, Close]);
        let id = asked.query.id;
        let answered = step(&test, &centre, &id, Message, "yes").unwrap();
        assert_eq!((answered.query.state, answered.query.waits_for), (Answered, Some(QuerySide::Office)));
        assert!(matches!(step(&test, &office, &id, Message, "sure?"), Err(StoreError::InvalidState(_))));
        let reopened = step(&test, &office, &id, Reopen, "in which scan?").unwrap();
        assert_eq!((reopened.query.state, reopened.query.answered_at, reopened.query.reopened), (Open, None, 1));
        step(&test, &test.scope(Role::CentreLead, Some("C01")), &id, Message, "the first").unwrap();
        let closed = step(&test, &office, &id, Close, "thank you").unwrap();
        assert_eq!(steps(&closed), [QueryStep::Raised, QueryStep::Answered, QueryStep::Reopened, QueryStep::Answered, QueryStep::Accepted]);
        assert_eq!(closed.history.iter().map(|e| e.role.as_str()).collect::<Vec<_>>(), ["coordinator", "submitter", "coordinator", "centre_lead", "coordinator"]);
        assert_eq!(closed.history[4].text.as_deref(), Some("thank you"));

        // The other way round: the centre asks, takes back, asks again and is answered.
        let mine = test.store.raise_query(&centre, new_query("P-1", "Which code?")).unwrap();
        assert_eq!((mine.query.raised_by, mine.query.waits_for), (RaisedBy::Centre, Some(QuerySide::Office)));
        assert!(matches!(step(&test, &office, &mine.query.id, Close, "no"), Err(StoreError::InvalidState(_))));
        assert!(matches!(step(&test, &centre, &mine.query.id, Close, ""), Err(StoreError::Invalid(_))));
        let back = step(&test, &centre, &mine.query.id, Close, "found it").unwrap();
        assert_eq!((back.query.state, back.query.closing), (Closed, Some(QueryClosing::TakenBack)));
        step(&test, &centre, &mine.query.id, Reopen, "not quite").unwrap();
        step(&test, &office, &mine.query.id, Message, "8858/3").unwrap();
        assert_eq!(step(&test, &centre, &mine.query.id, Close, "").unwrap().query.closing, Some(QueryClosing::Accepted));
        // A verified or locked case is asked about, too.
        test.store.move_case(&office, "P-1", LifeCycle::Verify, None).unwrap();
        test.store.move_case(&office, "P-1", LifeCycle::Lock { through: "2026-01-01".parse().unwrap() }, Some("closing")).unwrap();
        test.store.raise_query(&office, new_query("P-1", "And now?")).unwrap();
        test.store.verify_audit(None).unwrap();
    }

    fn what_cannot_be_asked_is_refused(test) {
        let (centre, office) = (test.submitter("C01"), test.coordinator());
        test.store.put_case(&centre, put("P-1", 1)).unwrap();
        let raise = |scope: &Scope, new: NewQuery| test.store.raise_query(scope, new).map(|_| ());
        assert_eq!(raise(&test.submitter("C02"), new_query("P-1", "?")), Err(StoreError::NotFound));
        assert_eq!(raise(&office, new_query("P-9", "?")), Err(StoreError::NotFound));
        for role in [Role::Committee, Role::Researcher, Role::Admin] {
            assert!(matches!(raise(&test.scope(role, None), new_query("P-1", "?")), Err(StoreError::Forbidden { .. })));
        }
        for text in ["", " \n ", "a\u{0}b", "turned \u{202e}round", &"x".repeat(2001)] {
            assert!(matches!(raise(&office, new_query("P-1", text)), Err(StoreError::Invalid(_))), "{text:?}");
        }
        for pointer in ["/imaging/1/date", "/biopsy/0", "/imäging"] {
            let new = NewQuery { pointer: Some(pointer.to_owned()), ..new_query("P-1", "?") };
            assert!(matches!(raise(&office, new), Err(StoreError::Invalid(_))), "{pointer}");
        }
        for pointer in ["/imaging/0/contrast", "/primary/grade", "/imaging"] {
            raise(&office, NewQuery { pointer: Some(pointer.to_owned()), ..new_query("P-1", "?") }).unwrap();
        }
        let id = all(&test)[0].id.clone();
        let stranger = test.submitter("C02");
        assert_eq!(step(&test, &stranger, &id, Message, "x").err(), Some(StoreError::NotFound));
        assert_eq!(test.store.query(&stranger, &id).err(), Some(StoreError::NotFound));
        assert!(matches!(test.store.query(&test.scope(Role::Committee, None), &id), Err(StoreError::Forbidden { .. })));
        assert!(listed(&test, &stranger, QueryFilter { centre: Some("C01".to_owned()), ..Default::default() }).is_empty());
    }

    fn lists_are_filtered_and_paged(test) {
        let office = test.coordinator();
        for (centre, pseudonym) in [("C01", "P-1"), ("C02", "P-2"), ("C01", "P-3")] {
            let scope = test.submitter(centre);
            let imaging = StoredFinding { elements: vec!["imaging.date".to_owned(), "primary.x".to_owned()], ..finding("E-011", Warning) };
            let biopsy = StoredFinding { elements: vec!["biopsy.date".to_owned()], ..finding("E-012", Warning) };
            test.store.put_case(&scope, with(vec![imaging, biopsy], put(pseudonym, 1))).unwrap();
            test.store.raise_query(&office, NewQuery { element: Some("imaging".to_owned()), ..new_query(pseudonym, "?") }).unwrap();
        }
        let count = |filter: QueryFilter| listed(&test, &office, filter).len();
        assert_eq!(count(QueryFilter::default()), 9);
        assert_eq!(count(QueryFilter { centre: Some("C01".to_owned()), ..Default::default() }), 6);
        assert_eq!(count(QueryFilter { case: Some("P-2".to_owned()), ..Default::default() }), 3);
        assert_eq!(count(QueryFilter { rule: Some("E-011".to_owned()), ..Default::default() }), 3);
        assert_eq!(count(QueryFilter { raised_by: vec![RaisedBy::Office, RaisedBy::Centre], ..Default::default() }), 3);
        for (element, found) in [("imaging", 6), ("imaging.date", 3), ("biopsy.date", 3), ("bio", 0), ("i%g", 0), ("im_ging", 0)] {
            assert_eq!(count(QueryFilter { element: Some(element.to_owned()), ..Default::default() }), found, "{element}");
        }
        assert_eq!(listed(&test, &test.submitter("C02"), QueryFilter::default()).len(), 3);

        test.clock.jump(Duration::hours(1));
        let id = all(&test)[0].id.clone();
        let since = step(&test, &test.submitter("C01"), &id, Message, "so").unwrap().query.updated_at;
        assert_eq!(count(QueryFilter { updated_since: Some(since), ..Default::default() }), 1);
        assert_eq!(count(QueryFilter { states: vec![Answered], ..Default::default() }), 1);
        assert_eq!(count(QueryFilter { waits_for: Some(QuerySide::Office), ..Default::default() }), 1);
        assert_eq!(count(QueryFilter { waits_for: Some(QuerySide::Centre), ..Default::default() }), 8);

        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = test.store.list_queries(&office, &QueryFilter::default(), cursor.as_deref(), 2).unwrap();
            seen.extend(page.items.into_iter().map(|q| q.id));
            let Some(next) = page.next else { break };
            cursor = Some(next);
        }
        assert_eq!(seen, all(&test).into_iter().map(|q| q.id).collect::<Vec<_>>());
        // As somebody writes one, and as this list would have: `1/C01` and `x/C01/y`.
        for cursor in ["x", "1/C01/a", "\u{0}", "ä", "MS9DMDE", "eC9DMDEveQ"] {
            let refused = test.store.list_queries(&office, &QueryFilter::default(), Some(cursor), 2);
            assert!(matches!(refused, Err(StoreError::BadCursor)), "{cursor:?}");
        }
        let of_all = test.store.queries_of_all(&office).unwrap();
        assert_eq!((of_all.unsettled, of_all.cases), (9, 3));
        for scope in [test.submitter("C01"), test.scope(Role::Committee, None)] {
            assert!(matches!(test.store.queries_of_all(&scope), Err(StoreError::Forbidden { .. })));
        }
        let waiting = test.store.queries_waiting(&office).unwrap();
        let one = &waiting["C01"];
        assert_eq!((one.unsettled, one.open, one.for_centre, one.for_office), (6, 5, 5, 1));
        assert_eq!(test.store.queries_waiting(&test.submitter("C02")).unwrap().into_keys().collect::<Vec<_>>(), ["C02"]);
        assert_eq!(test.store.query_times(&test.submitter("C02")).unwrap().len(), 3);
    }

    fn a_withdrawal_closes_and_erasure_removes(test) {
        let (centre, office) = (test.submitter("C01"), test.coordinator());
        let given = crate::idempotency::of_query("ask");
        test.store.put_case(&centre, with(vec![finding("E-011", Warning)], put("P-1", 1))).unwrap();
        test.store.raise_query(&office, NewQuery { idempotency: given, ..new_query("P-1", "canary of a question") }).unwrap();
        let id = all(&test)[0].id.clone();
        step(&test, &centre, &id, Message, "canary of an answer").unwrap();
        let dump = crate::secrecy::everything_in(&test);
        assert!(dump.contains("query.raise") && !dump.contains("canary of a"));
        assert!(test.export().contains("canary of a question"));

        test.store.withdraw(&centre, withdraw("P-1", WithdrawalMode::NoFurtherUse)).unwrap();
        assert!(all(&test).is_empty() && test.store.query_times(&office).unwrap().is_empty());
        assert!(test.store.queries_waiting(&office).unwrap().is_empty());
        assert_eq!(test.store.queries_of_all(&office).unwrap().unsettled, 0);
        let closed = test.store.query(&centre, &id).unwrap();
        assert_eq!((closed.query.closing, closed.may.len()), (Some(QueryClosing::ConsentWithdrawn), 0));
        assert_eq!(closed.query.question, "the date lies before the diagnosis");
        assert_eq!(step(&test, &office, &id, Reopen, "x").err(), Some(StoreError::Withdrawn { erased: false }));
        assert_eq!(test.store.raise_query(&office, new_query("P-1", "?")).err(), Some(StoreError::Withdrawn { erased: false }));

        test.store.withdraw(&centre, withdraw("P-1", WithdrawalMode::Erase)).unwrap();
        assert_eq!(test.store.query(&centre, &id).err(), Some(StoreError::NotFound));
        for table in ["queries", "query_messages"] {
            assert_eq!(test.raw_texts(&format!("SELECT CAST(count(*) AS TEXT) AS line FROM {table}")), ["0"], "{table}");
        }
        // The answer kept for a repeat of the request went, too.
        assert_eq!(test.raw_texts("SELECT idempotency_key AS line FROM idempotency"), Vec::<String>::new());
        assert!(!test.export().contains("canary of a"));
        test.store.verify_audit(None).unwrap();
    }

    fn the_same_key_raises_one_query_and_adds_one_message(test) {
        let (centre, office) = (test.submitter("C01"), test.coordinator());
        test.store.put_case(&centre, put("P-1", 1)).unwrap();
        let raise = || test.store.raise_query(&office, NewQuery { idempotency: crate::idempotency::of_query("k"), ..new_query("P-1", "?") }).unwrap();
        let (first, second) = (raise(), raise());
        assert!(first.replay.is_none() && second.replay.is_some());
        assert_eq!((first.query.id.as_str(), all(&test).len()), (second.query.id.as_str(), 1));
        let say = || test.store.move_query(&centre, &first.query.id, QueryMove { action: Message, text: Some("so".to_owned()), idempotency: crate::idempotency::of_query("k") }).unwrap();
        assert!(say().replay.is_none());
        assert_eq!(say().replay.map(|answer| answer.status), Some(200));
        assert_eq!(test.store.query(&office, &first.query.id).unwrap().history.len(), 2);
    }
}
