//! A case changes hands: the new centre has all of it, the earlier one nothing, and runs made before stay what they were.

use chrono::{Duration, NaiveDate};
use registry_core::access::{Role, Scope};
use registry_core::storage::{
    AuditFilter, CaseFilter, CaseStatus, FindingState, FinishRun, HeldBy, Holders, LifeCycle, NewCentre,
    NewEvaluation, NewRelease, NewVerification, Precondition, PutCase, QueryAction, QueryMove, StartRun,
    Store, StoreError, StoredSeverity, Transfer, TransferOutcome, Withdraw, WithdrawalMode,
};
use serde_json::json;

use crate::queries::new_query;
use crate::support::{
    Dialect, TestStore, document, entropy, export, finding, master_key, new_centre, on_both, put, replacing,
    system,
};

/// Tables whose rows of a case go along.
const MOVED: &[&str] = &[
    "case_versions",
    "cases",
    "evaluations",
    "finding_answers",
    "findings",
    "pseudonym_claims",
    "queries",
    "run_evaluations",
    "transfers",
    "verification_cases",
];

/// Tables that name a case and whose rows stay where they are, and why.
const STAY: &[(&str, &str)] = &[
    ("audit_events", "what happened stays what happened"),
    ("idempotency", "stored answers that name the case are deleted"),
    (
        "tasks",
        "rows of the centre that sent the pseudonym: closed, or told the new holder",
    ),
];

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) fn asked(pseudonym: &str, from: &str, to: &str, on: &str) -> Transfer {
    Transfer {
        pseudonym: pseudonym.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
        on: day(on),
        reason: "the patient moved to Lyon".to_owned(),
        precondition: Precondition::Whatever,
    }
}

fn moved(test: &TestStore, pseudonym: &str, from: &str, to: &str, on: &str) -> TransferOutcome {
    test.store
        .transfer_case(&test.coordinator(), asked(pseudonym, from, to, on))
        .unwrap()
}

fn run_over_all(store: &Store) -> i64 {
    let wanted = StartRun {
        cutoff_date: day("2026-10-31"),
        parameters: json!({}),
    };
    let run = store.start_run(&system(), wanted).unwrap();
    store
        .for_each_case_at::<StoreError>(&system(), run.watermark, 10, |headers| {
            let all = headers.into_iter().map(|header| NewEvaluation {
                key: header.holders.fingerprint(),
                payload: Some(b"outcome".to_vec()),
                case: header.case,
            });
            store.put_evaluations(&system(), run.number, all.collect())
        })
        .unwrap();
    let done = FinishRun {
        summary: json!({}),
        results: Vec::new(),
    };
    store.finish_run(&system(), run.number, done).unwrap();
    run.number
}

/// Key, payload and holders of the evaluations of a run.
fn evaluations(test: &TestStore, scope: &Scope, run: i64, centre: &str) -> Vec<(String, Vec<u8>, Holders)> {
    let mut all = Vec::new();
    test.store
        .for_each_run_evaluation_of::<StoreError>(scope, run, centre, 10, |some| {
            all.extend(some.into_iter().map(|e| (e.key, e.payload, e.holders)));
            Ok(())
        })
        .unwrap();
    all
}

fn holders_at(test: &TestStore, watermark: i64) -> Vec<Holders> {
    let mut all = Vec::new();
    test.store
        .for_each_case_at::<StoreError>(&system(), watermark, 10, |headers| {
            all.extend(headers.into_iter().map(|header| header.holders));
            Ok(())
        })
        .unwrap();
    all
}

/// Names of the tables with a column `centre_id` and a column `case_id`.
fn tables_of_cases(test: &TestStore) -> Vec<String> {
    test.raw_texts(match test.dialect {
        Dialect::Sqlite => {
            "SELECT m.name AS line FROM sqlite_master m WHERE m.type = 'table' \
             AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE name = 'case_id') \
             AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE name = 'centre_id') ORDER BY 1"
        }
        Dialect::Postgres => {
            "SELECT one.table_name::text AS line FROM information_schema.columns one \
             JOIN information_schema.columns two USING (table_schema, table_name) \
             WHERE one.table_schema = 'public' AND one.column_name = 'case_id' AND two.column_name = 'centre_id' ORDER BY 1"
        }
    })
}

/// A case of C01 with everything a case can have: two versions with reasons, a finding answered, a run and a release, locked.
fn full(test: &TestStore) -> (Scope, i64) {
    let lead = test.scope(Role::CentreLead, Some("C01"));
    let first = PutCase {
        findings: vec![finding("E-1", StoredSeverity::Warning)],
        idempotency: crate::idempotency::keyed("k", 1),
        ..put("P-1", 1)
    };
    let first = test.store.put_case(&lead, first).unwrap();
    test.store
        .answer_finding(&lead, "P-1", "id-E-1", "so it is")
        .unwrap();
    let second = PutCase {
        findings: vec![finding("E-1", StoredSeverity::Warning)],
        reason: Some("typing error".to_owned()),
        ..replacing("P-1", 2, &first)
    };
    test.store.put_case(&lead, second).unwrap();
    test.store
        .move_case(&lead, "P-1", LifeCycle::Verify, None)
        .unwrap();
    let lock = LifeCycle::Lock {
        through: day("2026-06-30"),
    };
    test.store
        .move_case(&lead, "P-1", lock, Some("monitored"))
        .unwrap();
    let draw = NewVerification {
        seed: None,
        share: 1.0,
        through: day("2026-11-23"),
    };
    let draw = test.store.draw_verification(&test.coordinator(), draw).unwrap();
    let again = json!({"again": "from the source"});
    test.store
        .reenter_case(&test.submitter("C01"), &draw.verification_id, "P-1", &again)
        .unwrap();
    let run = run_over_all(&test.store);
    let release = NewRelease {
        release_id: "2026-1".to_owned(),
        run,
        title: "First".to_owned(),
        manifest: json!({}),
        sha256: "ab".repeat(32),
        bytes: 1,
        cases: Vec::new(),
    };
    test.store.create_release(&test.coordinator(), release).unwrap();
    (lead, run)
}

on_both! {
    fn the_new_centre_has_all_of_it(test) {
        let (_, run) = full(&test);
        let before = test.store.case_row(&test.coordinator(), "P-1").unwrap();
        let done = moved(&test, "P-1", "C01", "C02", "2026-09-01");
        assert_eq!((done.case_id.as_str(), done.version, done.status), (before.case_id.as_str(), 2, CaseStatus::Locked));
        assert_ne!(done.etag, before.etag);
        let two = test.submitter("C02");
        let stored = test.store.get_case(&two, "P-1").unwrap();
        assert_eq!((stored.document, stored.row.etag.as_str()), (document(2), done.etag.as_str()));
        assert_eq!((stored.row.status, stored.row.locked_through), (CaseStatus::Locked, Some(day("2026-06-30"))));
        assert_eq!((stored.row.centre_id.as_str(), stored.row.warnings), ("C02", 0));
        assert_eq!(test.store.get_version(&two, "P-1", 1).unwrap().document, document(1));
        let versions = test.store.versions(&two, "P-1").unwrap();
        let said: Vec<_> = versions.iter().map(|v| (v.version, v.reason.as_deref(), v.actor.as_str())).collect();
        assert_eq!(said, [(2, Some("typing error"), "another centre"), (1, None, "another centre")]);
        let findings = test.store.findings(&two, "P-1").unwrap();
        let answer = findings[0].answer.clone().unwrap();
        assert_eq!((findings[0].state, answer.reason.as_str(), answer.actor.as_str()), (FindingState::Answered, "so it is", "another centre"));
        // What the run made of it is there, as the run knew it: the case was not transferred then.
        let kept = (String::from("C01"), b"outcome".to_vec(), Holders::alone("C01"));
        assert_eq!(evaluations(&test, &two, run, "C02"), std::slice::from_ref(&kept));
        assert_eq!(test.store.releases_with_case(&two, "C02", &done.case_id).unwrap(), ["2026-1"]);
        // It goes on: the lock still freezes, later follow-up is taken.
        let next = PutCase { reason: Some("contact".to_owned()), precondition: Precondition::IfMatch(vec![done.etag]), ..put("P-1", 3) };
        assert_eq!(test.store.put_case(&two, next).unwrap().version, 3);
        let actors: Vec<_> = test.store.versions(&two, "P-1").unwrap().into_iter().map(|v| v.actor).collect();
        assert_eq!(actors, [two.actor(), "another centre", "another centre"]);
        let later = run_over_all(&test.store);
        let holders = Holders::alone("C01").then(day("2026-09-01"), "C02");
        assert_eq!(evaluations(&test, &two, later, "C02"), [(holders.fingerprint(), b"outcome".to_vec(), holders)]);
        assert_eq!(evaluations(&test, &two, run, "C02"), [kept]);
        test.store.verify_audit(None).unwrap();
    }

    fn to_the_earlier_centre_there_is_no_such_case(test) {
        let (one, run) = full(&test);
        let case_id = moved(&test, "P-1", "C01", "C02", "2026-09-01").case_id;
        let store = &test.store;
        assert_eq!(store.get_case(&one, "P-1").err(), Some(StoreError::NotFound));
        assert_eq!(store.get_version(&one, "P-1", 1).err(), Some(StoreError::NotFound));
        assert_eq!(store.versions(&one, "P-1").err(), Some(StoreError::NotFound));
        assert_eq!(store.findings(&one, "P-1").err(), Some(StoreError::NotFound));
        assert_eq!(store.holders(&one, "P-1").err(), Some(StoreError::NotFound));
        assert_eq!(store.move_case(&one, "P-1", LifeCycle::Unlock, Some("x")).err(), Some(StoreError::NotFound));
        assert!(store.list_cases(&one, &CaseFilter::default(), None, 10).unwrap().items.is_empty());
        assert!(store.own_cases(&one, "", 10).unwrap().is_empty());
        assert!(evaluations(&test, &one, run, "C01").is_empty());
        for precondition in [Precondition::None, Precondition::IfMatchAny, Precondition::Whatever] {
            let sent = PutCase { precondition, reason: Some("x".to_owned()), ..put("P-1", 9) };
            assert_eq!(store.put_case(&one, sent).err(), Some(StoreError::PseudonymRegistered));
        }
        // The first request again: its answer is not kept, so that it does not say that the case is here.
        let again = PutCase { idempotency: crate::idempotency::keyed("k", 1), ..put("P-1", 1) };
        assert_eq!(store.put_case(&one, again).err(), Some(StoreError::PseudonymRegistered));
        for table in tables_of_cases(&test).iter().filter(|table| MOVED.contains(&table.as_str())) {
            let count = |centre: &str| test.raw_texts(&format!(
                "SELECT CAST(count(*) AS TEXT) AS line FROM {table} WHERE centre_id = '{centre}' AND case_id = '{case_id}'"
            ));
            assert_eq!(count("C01"), ["0"], "{table}");
            assert_ne!(count("C02"), ["0"], "{table}");
        }
        test.store.verify_audit(None).unwrap();
    }

    fn what_was_entered_again_goes_along(test) {
        let (one, _) = full(&test);
        moved(&test, "P-1", "C01", "C02", "2026-09-01");
        let two = test.submitter("C02");
        let draw = test.store.list_verifications(&two).unwrap().remove(0).verification_id;
        let sampled = test.store.sampled_cases(&two, &draw).unwrap();
        assert_eq!((sampled.len(), sampled[0].reentered_by.as_deref()), (1, Some("another centre")));
        assert!(test.store.sampled_cases(&one, &draw).unwrap().is_empty());
        let mut read = Vec::new();
        test.store.for_each_reentered::<StoreError>(&two, &draw, |case| {
            read.push((case.stored, case.reentered));
            Ok(())
        }).unwrap();
        assert_eq!(read, [(document(2), json!({"again": "from the source"}))]);
    }

    fn queries_go_along_with_what_was_said_and_without_the_names_of_the_earlier_centre(test) {
        let (one, _) = full(&test);
        let office = test.coordinator();
        let asked = test.store.raise_query(&one, new_query("P-1", "which scan counts?")).unwrap();
        let answer = QueryMove { action: QueryAction::Message, text: Some("the first".to_owned()), idempotency: None };
        test.store.move_query(&office, &asked.query.id, answer).unwrap();
        moved(&test, "P-1", "C01", "C02", "2026-09-01");
        let two = test.submitter("C02");
        let there = test.store.query(&two, &asked.query.id).unwrap();
        let said: Vec<_> = there.history.iter().map(|e| (e.text.as_deref(), e.actor.clone())).collect();
        assert_eq!(said, [
            (Some("which scan counts?"), "another centre".to_owned()),
            (Some("the first"), office.actor().to_owned()),
        ]);
        assert_eq!((there.query.centre.as_str(), there.query.opened_by.as_str()), ("C02", "another centre"));
        assert_eq!(test.store.query(&office, &asked.query.id).unwrap().query.opened_by, one.actor());
        assert_eq!(test.store.query(&one, &asked.query.id).err(), Some(StoreError::NotFound));
        test.store.verify_audit(None).unwrap();
    }

    fn the_trail_names_both_centres_and_still_reads_what_was_said(test) {
        let (_, _) = full(&test);
        let case_id = moved(&test, "P-1", "C01", "C02", "2026-09-01").case_id;
        let filter = AuditFilter { case_id: Some(case_id), ..Default::default() };
        let coordinator = test.coordinator();
        let events = test.store.list_audit(&coordinator, &filter, None, 100).unwrap().items;
        let of = |action: &str| events.iter().find(|event| event.action == action).unwrap();
        let event = of("case.transfer");
        assert_eq!(event.details, json!({"from": "C01", "to": "C02", "on": "2026-09-01"}));
        assert_eq!(event.reason.as_deref(), Some("the patient moved to Lyon"));
        assert_eq!(of("case.replace").reason.as_deref(), Some("typing error"));
        assert_eq!(of("finding.answer").reason.as_deref(), Some("so it is"));
        // Roles that see no case do not read why; the reason is nowhere in the open.
        let seen = test.store.list_audit(&test.scope(Role::Admin, None), &filter, None, 100).unwrap().items;
        assert!(seen.iter().all(|event| event.reason.is_none()));
        for column in ["(SELECT reason FROM transfers)", "(SELECT reason FROM audit_events WHERE action = 'case.transfer')"] {
            assert!(test.raw_texts(&format!("SELECT {column} AS line"))[0].starts_with("sealed:"), "{column}");
        }
        let exported = test.export();
        let line = exported.lines().find(|line| line.contains("\"_\":\"transfers\"")).unwrap();
        assert!(line.contains("\"from_centre\":\"C01\"") && line.contains("the patient moved to Lyon"), "{line}");
        test.store.verify_audit(None).unwrap();
    }

    fn what_a_reader_may_know_of_the_holders(test) {
        let (_, _) = full(&test);
        assert_eq!(test.store.holders(&test.submitter("C01"), "P-1").unwrap().len(), 1);
        moved(&test, "P-1", "C01", "C02", "2026-09-01");
        let shown = |scope: &Scope| -> Vec<(String, Option<NaiveDate>, Option<NaiveDate>)> {
            test.store.holders(scope, "P-1").unwrap().into_iter().map(|h| (h.centre, h.since, h.until)).collect()
        };
        let moment = Some(day("2026-09-01"));
        let two = test.submitter("C02");
        assert_eq!(shown(&two), [("another centre".to_owned(), None, moment), ("C02".to_owned(), moment, None)]);
        assert_eq!(shown(&test.coordinator()), [("C01".to_owned(), None, moment), ("C02".to_owned(), moment, None)]);
        let last = |scope: &Scope| -> HeldBy { test.store.holders(scope, "P-1").unwrap().pop().unwrap() };
        assert_eq!((last(&two).reason, last(&two).recorded_by), (None, None));
        assert_eq!(last(&test.coordinator()).reason.as_deref(), Some("the patient moved to Lyon"));
        assert!(last(&two).recorded_at.is_some());
    }

    fn what_is_refused_changes_nothing(test) {
        let coordinator = test.coordinator();
        let one = test.submitter("C01");
        for pseudonym in ["P-1", "P-kept", "P-erased"] {
            test.store.put_case(&one, put(pseudonym, 1)).unwrap();
        }
        for (pseudonym, mode) in [("P-kept", WithdrawalMode::NoFurtherUse), ("P-erased", WithdrawalMode::Erase)] {
            let withdraw = Withdraw {
                pseudonym: pseudonym.to_owned(), centre: None, mode, date: day("2026-11-20"), reason: None,
                document: None, precondition: Precondition::Whatever, idempotency: None,
            };
            test.store.withdraw(&one, withdraw).unwrap();
        }
        test.store.upsert_centre(&coordinator, NewCentre { active: false, ..new_centre("C03") }).unwrap();
        let before = test.export();
        let on = "2026-09-01";
        let refused = |asked: Transfer| test.store.transfer_case(&coordinator, asked).unwrap_err();
        let invalid = |asked: Transfer| assert!(matches!(refused(asked), StoreError::Invalid(_)));
        invalid(asked("P-1", "C01", "C01", on));
        invalid(asked("P-1", "C01", "C99", on));
        invalid(asked("P-1", "C01", "C02", "2026-11-24"));
        invalid(Transfer { reason: " ".to_owned(), ..asked("P-1", "C01", "C02", on) });
        assert!(matches!(refused(asked("P-1", "C01", "C03", on)), StoreError::InvalidState(_)));
        assert!(matches!(refused(asked("P-1", "C02", "C01", on)), StoreError::InvalidState(_)));
        assert_eq!(refused(asked("P-none", "C01", "C02", on)), StoreError::NotFound);
        assert_eq!(refused(asked("P-kept", "C01", "C02", on)), StoreError::Withdrawn { erased: false });
        assert_eq!(refused(asked("P-erased", "C01", "C02", on)), StoreError::Withdrawn { erased: true });
        let stale = Transfer { precondition: Precondition::IfMatch(vec!["\"1.9-00000000\"".to_owned()]), ..asked("P-1", "C01", "C02", on) };
        assert!(matches!(refused(stale), StoreError::PreconditionFailed { etag: Some(_) }));
        for role in [Role::Submitter, Role::CentreLead, Role::Admin, Role::Committee, Role::Researcher] {
            let scope = test.scope(role, role.needs_centre().then_some("C01"));
            let answer = test.store.transfer_case(&scope, asked("P-1", "C01", "C02", on));
            assert!(matches!(answer, Err(StoreError::Forbidden { .. })), "{role}");
        }
        let cases = |text: &str| text.lines().filter(|l| l.contains("\"_\":\"case") || l.contains("\"_\":\"pseudonym")).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(cases(&test.export()), cases(&before));
        let tag = test.store.case_row(&one, "P-1").unwrap().etag;
        let current = Transfer { precondition: Precondition::IfMatch(vec![tag]), ..asked("P-1", "C01", "C02", on) };
        assert!(test.store.transfer_case(&coordinator, current).is_ok());
    }

    fn there_and_back_and_on(test) {
        test.store.put_case(&test.submitter("C01"), put("P-1", 1)).unwrap();
        let watermark = |test: &TestStore| test.store.audit_head().unwrap().seq;
        let first = watermark(&test);
        moved(&test, "P-1", "C01", "C02", "2026-03-01");
        let second = watermark(&test);
        let early = test.store.transfer_case(&test.coordinator(), asked("P-1", "C02", "C01", "2026-02-28"));
        assert!(matches!(early, Err(StoreError::Invalid(_))), "it cannot leave before it came");
        moved(&test, "P-1", "C02", "C01", "2026-06-01");
        moved(&test, "P-1", "C01", "C03", "2026-06-01");
        assert_eq!(test.store.last_transfer(&system()).unwrap(), watermark(&test));
        assert!(test.store.get_case(&test.submitter("C03"), "P-1").is_ok());
        for centre in ["C01", "C02"] {
            assert_eq!(test.store.get_case(&test.submitter(centre), "P-1").err(), Some(StoreError::NotFound));
        }
        let there = Holders::alone("C01").then(day("2026-03-01"), "C02");
        let all = there.clone().then(day("2026-06-01"), "C01").then(day("2026-06-01"), "C03");
        assert_eq!(holders_at(&test, first), [Holders::alone("C01")]);
        assert_eq!(holders_at(&test, second), [there]);
        assert_eq!(holders_at(&test, i64::MAX), [all]);
        let reasons = test.store.holders(&test.coordinator(), "P-1").unwrap();
        assert!(reasons.iter().skip(1).all(|held| held.reason.as_deref() == Some("the patient moved to Lyon")));
        test.store.verify_audit(None).unwrap();
    }

    fn drafts_and_cases_of_a_centre_that_has_left_go_too(test) {
        test.store.put_case(&test.submitter("C01"), PutCase { status: CaseStatus::Draft, ..put("P-1", 1) }).unwrap();
        test.store.upsert_centre(&test.coordinator(), NewCentre { active: false, ..new_centre("C01") }).unwrap();
        assert_eq!(moved(&test, "P-1", "C01", "C02", "2026-09-01").status, CaseStatus::Draft);
        assert!(holders_at(&test, i64::MAX).is_empty(), "a draft is in no run");
        assert_eq!(test.store.get_case(&test.submitter("C02"), "P-1").unwrap().document, document(1));
    }

    fn a_run_under_way_is_waited_for(test) {
        test.store.put_case(&test.submitter("C01"), put("P-1", 1)).unwrap();
        let wanted = StartRun { cutoff_date: day("2026-10-31"), parameters: json!({}) };
        let run = test.store.start_run(&system(), wanted).unwrap();
        let asked = || asked("P-1", "C01", "C02", "2026-09-01");
        let coordinator = test.coordinator();
        assert_eq!(test.store.transfer_case(&coordinator, asked()).err(), Some(StoreError::RunActive(run.number)));
        // One without a sign of life is over, and cannot go on with cases that have moved.
        test.clock.jump(Duration::hours(1));
        assert!(test.store.transfer_case(&coordinator, asked()).is_ok());
        assert!(matches!(test.store.keep_run_alive(&system(), run.number), Err(StoreError::InvalidState(_))));
    }

    fn tasks_are_listed_settled_and_closed(test) {
        let (two, three) = (test.submitter("C02"), test.submitter("C03"));
        test.store.put_case(&test.submitter("C01"), put("P-1", 1)).unwrap();
        for scope in [&two, &two, &three] {
            assert_eq!(test.store.put_case(scope, put("P-1", 9)).err(), Some(StoreError::PseudonymRegistered));
        }
        let coordinator = test.coordinator();
        let list = |open| test.store.list_tasks(&coordinator, open, None, 10).unwrap().items;
        let open = list(true);
        let said: Vec<_> = open.iter().map(|t| (t.centre_id.as_str(), t.held_by.as_deref(), t.pseudonym.as_deref(), t.occurrences)).collect();
        assert_eq!(said, [("C02", Some("C01"), Some("P-1"), 2), ("C03", Some("C01"), Some("P-1"), 1)]);
        assert_eq!(test.store.open_tasks(&coordinator).unwrap(), 2);
        assert_eq!(moved(&test, "P-1", "C01", "C02", "2026-09-01").tasks_closed, 1);
        let left = list(true);
        assert_eq!((left.len(), left[0].centre_id.as_str(), left[0].other_centre_id.as_str()), (1, "C03", "C02"));
        let closed = list(false).into_iter().find(|task| task.closed_at.is_some()).unwrap();
        assert!(closed.resolution.unwrap().contains("2026-09-01"));
        assert_eq!((closed.centre_id.as_str(), closed.closed_by.is_some()), ("C02", true));
        let close = |id: &str, text: &str| test.store.close_task(&coordinator, id, text);
        assert!(matches!(close(&left[0].task_id, " "), Err(StoreError::Invalid(_))));
        assert_eq!(close("none", "x").err(), Some(StoreError::NotFound));
        let done = close(&left[0].task_id, "a typing error of the centre").unwrap();
        assert_eq!((done.resolution.as_deref(), done.held_by.as_deref()), (Some("a typing error of the centre"), Some("C02")));
        assert!(matches!(close(&left[0].task_id, "again"), Err(StoreError::InvalidState(_))));
        assert_eq!(test.store.open_tasks(&coordinator).unwrap(), 0);
        for role in [Role::CentreLead, Role::Admin, Role::Committee] {
            let scope = test.scope(role, role.needs_centre().then_some("C02"));
            assert!(matches!(test.store.list_tasks(&scope, true, None, 10), Err(StoreError::Forbidden { .. })), "{role}");
            assert!(matches!(test.store.open_tasks(&scope), Err(StoreError::Forbidden { .. })), "{role}");
            assert!(matches!(test.store.close_task(&scope, &left[0].task_id, "x"), Err(StoreError::Forbidden { .. })), "{role}");
        }
        // Sent once more, it is another task.
        assert_eq!(test.store.put_case(&three, put("P-1", 9)).err(), Some(StoreError::PseudonymRegistered));
        assert_eq!(list(true).len(), 1);
    }

    fn erasure_takes_the_transfers_along(test) {
        let (_, _) = full(&test);
        moved(&test, "P-1", "C01", "C02", "2026-09-01");
        let withdraw = Withdraw {
            pseudonym: "P-1".to_owned(), centre: None, mode: WithdrawalMode::Erase, date: day("2026-11-20"), reason: None,
            document: None, precondition: Precondition::Whatever, idempotency: None,
        };
        let done = test.store.withdraw(&test.submitter("C02"), withdraw).unwrap();
        assert_eq!(done.releases, ["2026-1"], "also those made while another centre held the case");
        assert_eq!(test.raw_texts("SELECT CAST(count(*) AS TEXT) AS line FROM transfers"), ["0"]);
        let exported = test.export();
        assert!(!exported.contains("Lyon") && !exported.contains("typing error"));
        test.store.verify_audit(None).unwrap();
    }

    fn every_table_with_rows_of_cases_is_moved_or_excused(test) {
        let mut listed: Vec<&str> = MOVED.iter().copied().chain(STAY.iter().map(|(table, _)| *table)).collect();
        listed.sort_unstable();
        assert_eq!(tables_of_cases(&test), listed);
    }
}

#[test]
fn a_withdrawal_after_a_transfer_is_applied_to_a_copy_made_before_it() {
    let test = TestStore::new(Dialect::Sqlite).unwrap();
    let (one, _) = full(&test);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("before.db");
    test.store.backup_to(&system(), &copy).unwrap();
    moved(&test, "P-1", "C01", "C02", "2026-09-01");
    let withdraw = Withdraw {
        pseudonym: "P-1".to_owned(),
        centre: None,
        mode: WithdrawalMode::Erase,
        date: day("2026-11-20"),
        reason: None,
        document: None,
        precondition: Precondition::Whatever,
        idempotency: None,
    };
    test.store.withdraw(&test.submitter("C02"), withdraw).unwrap();
    let ledger = test.store.withdrawals(&system()).unwrap();
    let mut options = test.options.clone();
    options.url = format!("sqlite:{}", copy.display());
    let restored = Store::open(options, master_key(), test.clock.clone(), entropy(9)).unwrap();
    assert!(restored.get_case(&one, "P-1").is_ok());
    assert_eq!(
        restored.reapply_withdrawals(&system(), &ledger).unwrap().applied,
        1
    );
    assert_eq!(
        restored.get_case(&one, "P-1").err(),
        Some(StoreError::Withdrawn { erased: true })
    );
    restored.verify_audit(None).unwrap();
}

#[test]
fn a_copy_made_after_a_transfer_holds_the_same() {
    let test = TestStore::new(Dialect::Sqlite).unwrap();
    full(&test);
    moved(&test, "P-1", "C01", "C02", "2026-09-01");
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("after.db");
    test.store.backup_to(&system(), &copy).unwrap();
    let mut options = test.options.clone();
    options.url = format!("sqlite:{}", copy.display());
    let restored = Store::open(options, master_key(), test.clock.clone(), entropy(9)).unwrap();
    assert_eq!(export(&restored), test.export());
    restored.verify_audit(None).unwrap();
}
