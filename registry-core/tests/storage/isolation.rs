//! Row-level security as the second wall: queries run as the service's role with the application's own filter removed.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};
use registry_core::storage::{JobCounts, NewVerification, PutCase, StartRun, StoreError, StoredSeverity};
use serde_json::json;

use crate::support::{Dialect, TestStore, finding, put, system};

/// Tables with rows of centres. A table with a `centre_id` that is not here must be named in `UNWALLED`.
const WALLED: &[&str] = &[
    "cases",
    "case_versions",
    "findings",
    "finding_answers",
    "transfers",
    "queries",
    "query_messages",
    "evaluations",
    "run_evaluations",
    "jobs",
    "job_reports",
    "import_mappings",
    "verification_cases",
];

/// Tables with a `centre_id` whose rows other roles may see, and why.
const UNWALLED: &[(&str, &str)] = &[
    ("centres", "reference data: who takes part"),
    ("centre_years", "reference data"),
    ("api_keys", "administrators only, by role"),
    ("sign_in_links", "administrators only, by role"),
    ("sessions", "the registry only, by role"),
    ("people", "administrators only, by role"),
    ("audit_events", "administrators only, by role"),
    ("pseudonym_claims", "keyed hashes; must know every centre's"),
    ("idempotency", "by centre and actor, with a policy of its own"),
    ("tasks", "coordinating office only, by role"),
    ("signal_steps", "committee and coordinating office only, by role"),
];

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

fn count(conn: &mut PgConnection, table: &str) -> i64 {
    let row: Count = diesel::sql_query(format!("SELECT count(*) AS n FROM {table}"))
        .get_result(conn)
        .unwrap();
    row.n
}

/// Two centres with a case that came from a third, an answered finding with its query, an evaluation, a job and a mapping each; both cases
/// drawn for verification.
fn with_rows() -> Option<(TestStore, PgConnection)> {
    let test = TestStore::new(Dialect::Postgres)?;
    for (centre, pseudonym) in [("C01", "P-1"), ("C02", "P-2")] {
        let scope = test.submitter(centre);
        let case = PutCase {
            findings: vec![finding("E-1", StoredSeverity::Warning)],
            ..put(pseudonym, 1)
        };
        test.store
            .put_case(
                &test.submitter("C03"),
                PutCase {
                    idempotency: crate::idempotency::keyed("k", 1),
                    ..case
                },
            )
            .unwrap();
        test.store
            .transfer_case(
                &test.coordinator(),
                crate::transfer::asked(pseudonym, "C03", centre, "2026-09-01"),
            )
            .unwrap();
        test.store
            .answer_finding(&scope, pseudonym, "id-E-1", "so it is")
            .unwrap();
        let job = test.store.start_job(&scope, "import", false, 1).unwrap();
        let counts = JobCounts::default();
        test.store.tell_job(&scope, &job.job_id, counts, "{}\n").unwrap();
        test.store.put_mapping(&scope, "ours", "").unwrap();
    }
    let draw = NewVerification {
        seed: None,
        share: 1.0,
        through: "2026-11-23".parse().unwrap(),
    };
    test.store.draw_verification(&test.coordinator(), draw).unwrap();
    let run = StartRun {
        cutoff_date: "2026-10-31".parse().unwrap(),
        parameters: json!({}),
    };
    let run = test.store.start_run(&system(), run).unwrap();
    test.store
        .for_each_case_at::<StoreError>(&system(), run.watermark, 10, |headers| {
            let all = headers
                .into_iter()
                .map(|h| registry_core::storage::NewEvaluation {
                    case: h.case,
                    key: "k".to_owned(),
                    payload: Some(vec![1]),
                });
            test.store.put_evaluations(&system(), run.number, all.collect())
        })
        .unwrap();
    let mut conn = PgConnection::establish(&test.options.url).unwrap();
    conn.batch_execute("SET ROLE registry_app").unwrap();
    Some((test, conn))
}

fn context(conn: &mut PgConnection, role: &str, centre: &str) {
    conn.batch_execute(&format!(
        "BEGIN; SET LOCAL registry.role = '{role}'; SET LOCAL registry.centre = '{centre}'"
    ))
    .unwrap();
}

#[test]
fn without_a_context_nothing_is_seen_and_with_one_only_the_centres_rows() {
    let Some((_test, mut conn)) = with_rows() else {
        return;
    };
    for table in WALLED {
        assert_eq!(count(&mut conn, table), 0, "{table} without a context");
        context(&mut conn, "submitter", "C01");
        assert_eq!(count(&mut conn, table), 1, "{table} as C01");
        assert_eq!(
            count(&mut conn, &format!("{table} WHERE centre_id <> 'C01'")),
            0,
            "{table} as C01"
        );
        conn.batch_execute("COMMIT").unwrap();
        assert_eq!(
            count(&mut conn, table),
            0,
            "{table} after the transaction: the context is gone"
        );
        for (role, centre, seen) in [
            ("coordinator", "", 2),
            ("system", "", 2),
            ("researcher", "C01", 0),
            ("committee", "", 0),
            ("admin", "C01", 0),
            ("submitter", "", 0),
            // Both cases came from there.
            ("submitter", "C03", 0),
            ("centre_lead", "C03", 0),
        ] {
            context(&mut conn, role, centre);
            assert_eq!(count(&mut conn, table), seen, "{table} as {role}");
            conn.batch_execute("ROLLBACK").unwrap();
        }
    }
}

#[test]
fn another_centres_rows_cannot_be_changed_added_or_removed() {
    let Some((_test, mut conn)) = with_rows() else {
        return;
    };
    context(&mut conn, "submitter", "C01");
    let changed = diesel::sql_query("UPDATE cases SET status = 'draft' WHERE centre_id = 'C02'")
        .execute(&mut conn)
        .unwrap();
    assert_eq!(changed, 0);
    let removed = diesel::sql_query("DELETE FROM findings WHERE centre_id = 'C02'")
        .execute(&mut conn)
        .unwrap();
    assert_eq!(removed, 0);
    for office_only in [
        "UPDATE evaluations SET payload = payload",
        "UPDATE run_evaluations SET centre_id = centre_id",
        "UPDATE pseudonym_claims SET centre_id = 'C01'",
        "UPDATE transfers SET reason = 'x'",
    ] {
        let changed = diesel::sql_query(office_only).execute(&mut conn).unwrap();
        assert_eq!(changed, 0, "{office_only}");
    }
    conn.batch_execute("ROLLBACK").unwrap();
    for refused in [
        "UPDATE cases SET centre_id = 'C02'",
        "INSERT INTO evaluations SELECT 'C02', case_id, 'x', version, payload FROM evaluations",
        "DELETE FROM cases",
        "UPDATE pseudonym_claims SET case_id = 'x'",
        "INSERT INTO transfers SELECT centre_id, case_id, 2, from_centre, to_centre, effective_on, transferred_at, change_seq, reason, actor FROM transfers",
        "UPDATE audit_events SET actor = 'x'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "ALTER TABLE cases DISABLE ROW LEVEL SECURITY",
        "DROP POLICY by_centre ON cases",
    ] {
        context(&mut conn, "submitter", "C01");
        assert!(conn.batch_execute(refused).is_err(), "{refused}");
        conn.batch_execute("ROLLBACK").unwrap();
    }
}

/// New cases are written in a context of their own: rows of the centres it names can be added, nothing can be seen.
#[test]
fn filing_adds_rows_of_the_named_centres_and_sees_none() {
    let Some((_test, mut conn)) = with_rows() else {
        return;
    };
    let file = |centre: &str| {
        format!(
            "INSERT INTO cases (centre_id, case_id, status, version, state, schema_version, errors, warnings, created_at, updated_at)
             VALUES ('{centre}', 'new', 'submitted', 1, 0, '1.0.0', 0, 0, now(), now())"
        )
    };
    for (named, centre, allowed) in [
        ("C01", "C01", true),
        ("C01,C02", "C02", true),
        ("C01", "C02", false),
        ("", "C01", false),
        ("C01,C03", "C02", false),
    ] {
        context(&mut conn, "filing", named);
        assert_eq!(
            conn.batch_execute(&file(centre)).is_ok(),
            allowed,
            "{centre} as {named}"
        );
        conn.batch_execute("ROLLBACK").unwrap();
    }
    for table in WALLED {
        context(&mut conn, "filing", "C01,C02");
        assert_eq!(count(&mut conn, table), 0, "{table}");
        conn.batch_execute("ROLLBACK").unwrap();
    }
    context(&mut conn, "filing", "C01");
    let changed = diesel::sql_query("UPDATE cases SET status = 'draft'")
        .execute(&mut conn)
        .unwrap();
    assert_eq!(changed, 0);
    conn.batch_execute("ROLLBACK").unwrap();
}

#[test]
fn every_table_that_names_a_centre_is_walled_or_excused() {
    let Some((_test, mut conn)) = with_rows() else {
        return;
    };
    let names = |conn: &mut PgConnection, sql: &str| -> Vec<String> {
        let rows: Vec<Name> = diesel::sql_query(sql).load(conn).unwrap();
        rows.into_iter().map(|row| row.name).collect()
    };
    let with_centre = names(
        &mut conn,
        "SELECT DISTINCT table_name::text AS name FROM information_schema.columns WHERE column_name = 'centre_id' AND table_schema = 'public' ORDER BY 1",
    );
    let mut listed: Vec<String> = WALLED
        .iter()
        .copied()
        .chain(UNWALLED.iter().map(|(t, _)| *t))
        .map(str::to_owned)
        .collect();
    listed.sort();
    assert_eq!(with_centre, listed);
    let unforced = names(
        &mut conn,
        "SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r' AND NOT c.relforcerowsecurity ORDER BY 1",
    );
    assert_eq!(
        unforced,
        [
            "__diesel_schema_migrations",
            "audit_head",
            "master_keys",
            "secrets"
        ]
    );
    let owned = names(
        &mut conn,
        "SELECT tablename::text AS name FROM pg_tables WHERE tableowner = 'registry_app'",
    );
    assert!(owned.is_empty(), "the service's role owns {owned:?}");
}

#[test]
fn a_role_that_row_level_security_does_not_hold_is_refused() {
    let Some((test, _conn)) = with_rows() else { return };
    let mut options = test.options.clone();
    options.app_role = "postgres".to_owned();
    let store = registry_core::storage::Store::open(
        options,
        crate::support::master_key(),
        test.clock.clone(),
        crate::support::entropy(5),
    )
    .unwrap();
    assert!(
        matches!(store.ping(), Err(StoreError::Unsupported(_))),
        "{:?}",
        store.ping()
    );
}

#[test]
fn a_pooled_connection_keeps_no_scope() {
    let Some(test) = TestStore::with(Dialect::Postgres, |options| options.pool_size = 1) else {
        return;
    };
    let (one, two) = (test.submitter("C01"), test.submitter("C02"));
    test.store.put_case(&one, put("P-1", 1)).unwrap();
    test.store.put_case(&two, put("P-2", 1)).unwrap();
    for _ in 0..5 {
        assert!(test.store.get_case(&one, "P-1").is_ok());
        assert_eq!(test.store.get_case(&two, "P-1").err(), Some(StoreError::NotFound));
        let seen = test
            .store
            .list_cases(&two, &registry_core::storage::CaseFilter::default(), None, 10)
            .unwrap()
            .items;
        assert_eq!(
            seen.iter().map(|row| row.centre_id.as_str()).collect::<Vec<_>>(),
            ["C02"]
        );
    }
}
