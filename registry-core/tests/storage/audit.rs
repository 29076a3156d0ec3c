//! The audit trail: what it records, and that nobody edits it unseen.

use registry_core::access::Role;
use registry_core::audit::{ChainHead, TamperKind, Tampered};
use registry_core::storage::{AuditFilter, LifeCycle, PutCase, StoreError};

use crate::support::{Dialect, TestStore, on_both, put};

/// Ten events about cases, after those of setting up.
fn with_history(test: &TestStore) -> i64 {
    let centre = test.submitter("C01");
    for number in 0..10 {
        test.store
            .put_case(&centre, put(&format!("P-{number}"), number))
            .unwrap();
    }
    test.store.verify_audit(None).unwrap().events
}

/// Edits the trail as someone with every right on the database would.
fn tamper(test: &TestStore, sql: &str) {
    if test.dialect == Dialect::Sqlite {
        test.raw("DROP TRIGGER IF EXISTS audit_events_are_not_changed; DROP TRIGGER IF EXISTS audit_events_are_not_deleted");
    }
    test.raw(sql);
}

fn found(test: &TestStore, anchor: Option<ChainHead>) -> (i64, TamperKind) {
    match test.store.verify_audit(anchor) {
        Err(StoreError::Tampered(Tampered { seq, kind })) => (seq, kind),
        other => panic!("expected tampering to be found, got {other:?}"),
    }
}

const COLUMNS: &str = "at, actor, role, action, centre_id, case_id, subject, old_version, new_version, reason, request_id, details, previous_hash, hash";

on_both! {
    fn a_changed_event_is_found_in_every_column(test) {
        let last = with_history(&test);
        let columns = ["actor", "role", "action", "centre_id", "case_id", "details"];
        for column in columns {
            let kept = test.raw_texts(&format!("SELECT {column} AS line FROM audit_events WHERE seq = {last}")).remove(0);
            tamper(&test, &format!("UPDATE audit_events SET {column} = '{{\"x\":1}}' WHERE seq = {last}"));
            assert_eq!(found(&test, None), (last, TamperKind::Changed), "{column}");
            tamper(&test, &format!("UPDATE audit_events SET {column} = '{kept}' WHERE seq = {last}"));
        }
        for change in ["new_version = 9", "old_version = 1", "reason = 'x'", "request_id = 'x'", "subject = 'x'"] {
            let column = change.split(' ').next().unwrap();
            tamper(&test, &format!("UPDATE audit_events SET {change} WHERE seq = {last}"));
            assert_eq!(found(&test, None), (last, TamperKind::Changed), "{column}");
            let back = if column == "new_version" { "1" } else { "NULL" };
            tamper(&test, &format!("UPDATE audit_events SET {column} = {back} WHERE seq = {last}"));
        }
        let bytes = |hex: &str| match test.dialect {
            Dialect::Sqlite => format!("x'{hex}'"),
            Dialect::Postgres => format!("decode('{hex}', 'hex')"),
        };
        for column in ["previous_hash", "hash"] {
            let shown = match test.dialect {
                Dialect::Sqlite => format!("hex({column})"),
                Dialect::Postgres => format!("encode({column}, 'hex')"),
            };
            let kept = test.raw_texts(&format!("SELECT {shown} AS line FROM audit_events WHERE seq = {last}")).remove(0);
            tamper(&test, &format!("UPDATE audit_events SET {column} = {} WHERE seq = {last}", bytes("00")));
            assert_eq!(found(&test, None), (last, TamperKind::Changed), "{column}");
            tamper(&test, &format!("UPDATE audit_events SET {column} = {} WHERE seq = {last}", bytes(&kept)));
        }
        let kept = test.raw_texts(&format!("SELECT CAST(at AS TEXT) AS line FROM audit_events WHERE seq = {last}")).remove(0);
        tamper(&test, &format!("UPDATE audit_events SET at = '2001-01-01 00:00:00' WHERE seq = {last}"));
        assert_eq!(found(&test, None), (last, TamperKind::Changed), "at");
        tamper(&test, &format!("UPDATE audit_events SET at = '{kept}' WHERE seq = {last}"));
        test.store.verify_audit(None).unwrap();
    }

    fn a_deleted_event_is_found(test) {
        let last = with_history(&test);
        tamper(&test, &format!("DELETE FROM audit_events WHERE seq = {}", last - 4));
        assert_eq!(found(&test, None), (last - 3, TamperKind::Missing));
    }

    fn a_deleted_event_is_found_when_the_rest_closes_ranks(test) {
        let last = with_history(&test);
        tamper(&test, &format!("DELETE FROM audit_events WHERE seq = {0}; UPDATE audit_events SET seq = {0} WHERE seq = {1}", last - 1, last));
        assert_eq!(found(&test, None), (last - 1, TamperKind::Changed));
    }

    fn reordered_events_are_found(test) {
        let last = with_history(&test);
        let (a, b) = (last - 5, last - 2);
        tamper(&test, &format!(
            "UPDATE audit_events SET seq = -1 WHERE seq = {a}; UPDATE audit_events SET seq = {a} WHERE seq = {b}; UPDATE audit_events SET seq = {b} WHERE seq = -1"
        ));
        assert_eq!(found(&test, None), (a, TamperKind::Changed));
    }

    fn an_inserted_event_is_found(test) {
        let last = with_history(&test);
        tamper(&test, &format!("INSERT INTO audit_events (seq, {COLUMNS}) SELECT {}, {COLUMNS} FROM audit_events WHERE seq = {}", last + 1, last - 3));
        assert_eq!(found(&test, None), (last + 1, TamperKind::Changed));
        tamper(&test, &format!("DELETE FROM audit_events WHERE seq = {}", last + 1));
        tamper(&test, &format!("INSERT INTO audit_events (seq, {COLUMNS}) SELECT 0, {COLUMNS} FROM audit_events WHERE seq = 1"));
        assert_eq!(found(&test, None), (0, TamperKind::OutOfPlace));
    }

    fn a_chain_cut_short_is_found_by_the_recorded_head(test) {
        let last = with_history(&test);
        tamper(&test, &format!("DELETE FROM audit_events WHERE seq > {}", last - 3));
        assert_eq!(found(&test, None), (last - 3, TamperKind::Truncated));
    }

    fn a_forged_head_is_found_and_an_old_one_by_the_anchor(test) {
        let last = with_history(&test);
        let earlier = test.store.audit_head().unwrap();
        assert_eq!(earlier.seq, last);
        let old_mac = test.raw_texts(match test.dialect {
            Dialect::Sqlite => "SELECT hex(mac) AS line FROM audit_head",
            Dialect::Postgres => "SELECT encode(mac, 'hex') AS line FROM audit_head",
        }).remove(0);
        test.store.put_case(&test.submitter("C02"), put("Q-1", 1)).unwrap();
        let anchor = test.store.audit_head().unwrap();
        assert!(anchor.seq > last);
        assert_eq!(test.store.verify_audit(Some(anchor.clone())).unwrap().head, anchor);
        let bytes = |hex: &str| match test.dialect {
            Dialect::Sqlite => format!("x'{hex}'"),
            Dialect::Postgres => format!("'\\x{hex}'::bytea"),
        };
        // Cut short, with a head that is made up: not the registry's own.
        tamper(&test, &format!("DELETE FROM audit_events WHERE seq > {last}; UPDATE audit_head SET seq = {last}, hash = {}", bytes(&earlier.hash)));
        assert_eq!(found(&test, None), (last, TamperKind::Head));
        // Cut short, with the head of that time put back whole: only the anchor kept outside tells.
        tamper(&test, &format!("UPDATE audit_head SET mac = {}", bytes(&old_mac)));
        assert!(test.store.verify_audit(None).is_ok());
        assert_eq!(found(&test, Some(anchor.clone())), (last, TamperKind::Truncated));
        // Written anew by the registry itself: the anchored event is another one.
        for number in 0..5 {
            test.store.put_case(&test.submitter("C03"), put(&format!("R-{number}"), 1)).unwrap();
        }
        assert!(test.store.verify_audit(None).is_ok());
        assert_eq!(found(&test, Some(anchor.clone())), (anchor.seq, TamperKind::Rewritten));
    }

    fn who_what_when_and_why_are_recorded(test) {
        let lead = test.scope(Role::CentreLead, Some("C01")).with_request("req-7");
        let first = test.store.put_case(&lead, put("P-1", 1)).unwrap();
        test.store.move_case(&lead, "P-1", LifeCycle::Verify, None).unwrap();
        let etag = test.store.case_row(&lead, "P-1").unwrap().etag;
        test.store.put_case(&lead, PutCase {
            precondition: registry_core::storage::Precondition::IfMatch(vec![etag]),
            reason: Some("typing error".to_owned()), ..put("P-1", 2)
        }).unwrap();
        test.store.get_case(&lead, "P-1").unwrap();
        let filter = AuditFilter { case_id: Some(first.case_id), ..Default::default() };
        let coordinator = test.coordinator();
        let events = test.store.list_audit(&coordinator, &filter, None, 10).unwrap().items;
        let line: Vec<_> = events.iter().rev().map(|e| (e.action.as_str(), e.old_version, e.new_version, e.reason.as_deref())).collect();
        assert_eq!(line, [
            ("case.create", None, Some(1), None),
            ("case.verify", Some(1), Some(1), None),
            ("case.replace", Some(1), Some(2), Some("typing error")),
            ("case.read", None, Some(2), None),
        ]);
        assert!(events.iter().all(|e| e.actor == lead.actor() && e.role == "centre_lead" && e.request_id.as_deref() == Some("req-7")));
        // An administrator sees that there was a reason, not what it says.
        let admin = test.scope(Role::Admin, None);
        let seen = test.store.list_audit(&admin, &filter, None, 10).unwrap().items;
        assert!(seen.iter().any(|e| e.reason_sealed) && seen.iter().all(|e| e.reason.is_none()));
        assert!(matches!(test.store.list_audit(&lead, &filter, None, 10), Err(StoreError::Forbidden { .. })));
        // Pages go back to the first event.
        let mut count = 0;
        let mut cursor = None;
        loop {
            let page = test.store.list_audit(&coordinator, &AuditFilter::default(), cursor.as_deref(), 3).unwrap();
            count += page.items.len() as i64;
            cursor = page.next;
            if cursor.is_none() { break; }
        }
        assert_eq!(count, test.store.audit_head().unwrap().seq);
    }
}
