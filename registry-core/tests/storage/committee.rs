//! What the committee does, on both databases: signals followed up step by step, letters looked up, measures chosen.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl};
use registry_core::access::Role;
use registry_core::storage::{
    AuditFilter, ChosenFor, ClosedFor, FinishRun, RevealedFor, SignalRef, SignalStatus, SignalStep, StartRun,
    StoreError,
};
use serde_json::json;

use crate::support::{Dialect, TestStore, on_both, system};

fn finished_run(test: &TestStore) -> i64 {
    let wanted = StartRun {
        cutoff_date: "2026-10-31".parse().unwrap(),
        parameters: json!({}),
    };
    let run = test.store.start_run(&system(), wanted).unwrap().number;
    let finished = FinishRun {
        summary: json!({}),
        results: Vec::new(),
    };
    test.store.finish_run(&system(), run, finished).unwrap();
    run
}

fn signal(run: i64) -> SignalRef {
    SignalRef {
        measure: "10c2".to_owned(),
        centre_id: "C02".to_owned(),
        run,
    }
}

fn owned(measures: &[&str]) -> Vec<String> {
    measures.iter().map(|one| (*one).to_owned()).collect()
}

/// Action, centre and details of what the trail holds of these actions, oldest first.
fn audited(test: &TestStore, prefix: &str) -> Vec<(String, Option<String>, String)> {
    let filter = AuditFilter::default();
    let rows = test
        .store
        .list_audit(&system(), &filter, None, 500)
        .unwrap()
        .items;
    let mut found: Vec<_> = rows
        .into_iter()
        .filter(|row| row.action.starts_with(prefix))
        .map(|row| (row.seq, row.action, row.centre_id, row.details.to_string()))
        .collect();
    found.sort();
    found
        .into_iter()
        .map(|(_, action, centre, details)| (action, centre, details))
        .collect()
}

on_both! {
    fn a_signal_is_followed_up_forwards_and_closed_with_a_reason(test) {
        let run = finished_run(&test);
        let (committee, office) = (test.scope(Role::Committee, None), test.coordinator());
        let take = |scope, step| test.store.take_signal_step(scope, signal(run), step);
        let status = |status| SignalStep::status(status, None).unwrap();
        assert!(test.store.signal_histories(&committee).unwrap().is_empty());
        take(&committee, status(SignalStatus::Noted)).unwrap();
        take(&office, SignalStep::Revealed(RevealedFor::LetterToCentre)).unwrap();
        take(&office, status(SignalStatus::LetterSent)).unwrap();
        // Backwards, and the same again.
        for earlier in [SignalStatus::Noted, SignalStatus::LetterSent] {
            assert!(matches!(take(&office, status(earlier)), Err(StoreError::InvalidState(_))));
        }
        assert!(matches!(SignalStep::status(SignalStatus::Closed, None), Err(StoreError::Invalid(_))));
        assert!(matches!(SignalStep::status(SignalStatus::Noted, Some(ClosedFor::Explained)), Err(StoreError::Invalid(_))));
        let closed = SignalStep::status(SignalStatus::Closed, Some(ClosedFor::DataCorrected)).unwrap();
        let history = take(&committee, closed).unwrap();
        assert_eq!(history.status(), Some(SignalStatus::Closed));
        let said: Vec<_> = history.steps.iter().map(|taken| (taken.step.name(), taken.step.reason(), taken.by.as_str())).collect();
        assert_eq!(said, [
            ("noted", None, committee.actor()),
            ("revealed", Some("letter_to_centre"), office.actor()),
            ("letter_sent", None, office.actor()),
            ("closed", Some("data_corrected"), committee.actor()),
        ]);
        // What is closed can come back, and does nothing else.
        assert!(matches!(take(&office, status(SignalStatus::Answered)), Err(StoreError::InvalidState(_))));
        assert_eq!(take(&office, status(SignalStatus::Noted)).unwrap().status(), Some(SignalStatus::Noted));
        let stored = test.store.signal_histories(&office).unwrap();
        assert_eq!(stored.len(), 1);
        assert_eq!((stored[0].measure.as_str(), stored[0].centre_id.as_str(), stored[0].steps.len()), ("10c2", "C02", 5));
        let trail = audited(&test, "signal.");
        assert_eq!(trail.iter().map(|(action, ..)| action.as_str()).collect::<Vec<_>>(),
            ["signal.status", "signal.reveal", "signal.status", "signal.status", "signal.status"]);
        assert!(trail.iter().all(|(_, centre, _)| centre.as_deref() == Some("C02")));
        assert!(trail[1].2.contains("letter_to_centre"), "{}", trail[1].2);
        assert_eq!(test.export().matches("\"_\":\"signal_steps\"").count(), 5);
        test.store.verify_audit(None).unwrap();
    }

    fn who_may_not_follow_up_leaves_nothing_behind(test) {
        let run = finished_run(&test);
        let noted = SignalStep::Status(SignalStatus::Noted);
        let revealed = SignalStep::Revealed(RevealedFor::DataCheck);
        let others = [
            test.submitter("C02"), test.scope(Role::CentreLead, Some("C02")), test.scope(Role::Researcher, None), test.scope(Role::Admin, None),
        ];
        for scope in &others {
            assert!(matches!(test.store.take_signal_step(scope, signal(run), noted), Err(StoreError::Forbidden { .. })));
            assert!(matches!(test.store.signal_histories(scope), Err(StoreError::Forbidden { .. })));
            assert!(matches!(test.store.choose_indicators(scope, owned(&["1a"]), ChosenFor::Reached), Err(StoreError::Forbidden { .. })));
        }
        // Which centre it is, is the office's to look up.
        let committee = test.scope(Role::Committee, None);
        assert!(matches!(test.store.take_signal_step(&committee, signal(run), revealed), Err(StoreError::Forbidden { .. })));
        let office = test.coordinator();
        let unknown = [SignalRef { centre_id: "C99".to_owned(), ..signal(run) }, signal(run + 1)];
        for one in unknown {
            assert!(matches!(test.store.take_signal_step(&office, one, noted), Err(StoreError::NotFound)));
        }
        assert!(test.store.signal_histories(&office).unwrap().is_empty());
        assert!(audited(&test, "signal.").is_empty());
    }

    fn the_last_list_chosen_holds_and_the_earlier_ones_stay(test) {
        let (committee, office) = (test.scope(Role::Committee, None), test.coordinator());
        assert!(test.store.indicator_lists(&committee).unwrap().is_empty());
        let choose = |scope, measures: &[&str], reason| test.store.choose_indicators(scope, owned(measures), reason);
        for wrong in [&[][..], &["1a", "1a"], &["1a b"], &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13"]] {
            assert!(matches!(choose(&committee, wrong, ChosenFor::NewInterest), Err(StoreError::Invalid(_))), "{wrong:?}");
        }
        choose(&committee, &["6", "1a"], ChosenFor::YearlyReview).unwrap();
        assert!(matches!(choose(&office, &["6", "1a"], ChosenFor::Reached), Err(StoreError::Invalid(_))));
        choose(&office, &["1a", "6"], ChosenFor::TooLittleData).unwrap();
        let lists = test.store.indicator_lists(&test.submitter("C01")).unwrap();
        let said: Vec<_> = lists.iter().map(|list| (list.number, list.measures.join(" "), list.reason, list.chosen_by.as_str())).collect();
        assert_eq!(said, [
            (2, "1a 6".to_owned(), ChosenFor::TooLittleData, office.actor()),
            (1, "6 1a".to_owned(), ChosenFor::YearlyReview, committee.actor()),
        ]);
        assert_eq!(audited(&test, "indicators.").len(), 2);
        assert_eq!(test.export().matches("\"_\":\"indicator_lists\"").count(), 2);
    }
}

/// The second wall: the database itself shows a role of a centre, a researcher and an administrator no step of a signal.
#[test]
fn the_database_shows_steps_of_signals_to_the_committee_and_the_office_alone() {
    let Some(test) = TestStore::new(Dialect::Postgres) else {
        return;
    };
    let run = finished_run(&test);
    let noted = SignalStep::Status(SignalStatus::Noted);
    test.store
        .take_signal_step(&test.coordinator(), signal(run), noted)
        .unwrap();
    let mut conn = PgConnection::establish(&test.options.url).unwrap();
    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        n: i64,
    }
    for (role, centre, seen) in [
        ("committee", "", 1),
        ("coordinator", "", 1),
        ("system", "", 1),
        ("submitter", "C02", 0),
        ("centre_lead", "C02", 0),
        ("researcher", "", 0),
        ("admin", "", 0),
        ("", "", 0),
    ] {
        conn.batch_execute(&format!(
            "BEGIN; SET LOCAL ROLE registry_app; SELECT set_config('registry.role', '{role}', true), set_config('registry.centre', '{centre}', true)"
        ))
        .unwrap();
        let found: Count = diesel::sql_query("SELECT count(*) AS n FROM signal_steps")
            .get_result(&mut conn)
            .unwrap();
        assert_eq!(found.n, seen, "{role}");
        conn.batch_execute("ROLLBACK").unwrap();
    }
}
