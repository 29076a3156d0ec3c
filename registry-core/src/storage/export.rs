//! The canonical export: everything the registry knows, decrypted, one JSON line a row, in one order on both databases.
//!
//! Two databases that went through the same operations, with the same clock and entropy, have the same export; so have
//! a database and its restored backup. Not in it: sealed bytes (their content is), and the time a session was last seen.

use std::collections::HashMap;
use std::io::Write;

use diesel::prelude::*;
use serde_json::{Value, json};

use super::cases::{AnswerRecord, CaseRecord, StoredFinding, VersionRecord, finding_records, open_reason};
use super::centres::stored_json;
use super::connection::{Conn, on_conn};
use super::holders::transfers_of;
use super::keyring::{CaseKey, Keyring};
use super::queries;
use super::runs::opened_payload;
use super::store::require;
use super::tables::{
    api_keys, audit_events, case_versions, cases, centre_years, centres, data_requests, delivered_cases,
    evaluations, finding_answers, freezings, idempotency, import_mappings, indicator_lists, job_reports,
    jobs, people, person_links, pseudonym_claims, recovery_codes, released_cases, releases, results,
    run_evaluations, runs, sessions, sign_in_links, signal_steps, tasks, verification_cases, verifications,
};
use super::transaction::{Event, EventRow};
use super::verifications::{CaseRecord as SampleRecord, opened_reentry};
use super::{Store, StoreError};
use crate::access::{Role, Scope};
use crate::audit::ChainedEvent;
use crate::intake::canonical;

const BATCH: i64 = 500;

struct Lines<'a> {
    out: &'a mut dyn Write,
    count: u64,
}

impl Lines<'_> {
    fn put(&mut self, kind: &str, mut row: Value) -> Result<(), StoreError> {
        if let Value::Object(object) = &mut row {
            object.insert("_".to_owned(), kind.into());
        }
        let mut line = canonical::to_bytes(&row);
        line.push(b'\n');
        self.count += 1;
        self.out
            .write_all(&line)
            .map_err(|_| StoreError::Internal("the export could not be written".to_owned()))
    }
}

/// Loads a whole (small) table in the order of its key and writes a line per row.
macro_rules! whole_table {
    ($lines:expr, $conn:expr, $table:ident, $key:expr, ($($column:ident : $type:ty),+ $(,)?)) => {{
        let query = $table::table.order($key).select(($($table::$column,)+));
        let rows = on_conn!($conn, c => query.load::<($($type,)+)>(c))?;
        for ($($column,)+) in rows {
            $lines.put(stringify!($table), json!({ $(stringify!($column): shown(&$column)),+ }))?;
        }
    }};
}

/// How a column is written: bytes as hexadecimal, times as RFC 3339, the rest as itself.
trait Shown {
    fn shown(&self) -> Value;
}

fn shown(value: &impl Shown) -> Value {
    value.shown()
}

macro_rules! shown_as_itself {
    ($($type:ty),+) => {$(impl Shown for $type { fn shown(&self) -> Value { json!(self) } })+};
}
shown_as_itself!(String, i64, i32, bool);

impl Shown for chrono::NaiveDate {
    fn shown(&self) -> Value {
        json!(self.to_string())
    }
}

impl Shown for chrono::NaiveDateTime {
    fn shown(&self) -> Value {
        json!(
            self.and_utc()
                .to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
        )
    }
}

impl Shown for Vec<u8> {
    fn shown(&self) -> Value {
        json!(hex::encode(self))
    }
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> Value {
        self.as_ref().map_or(Value::Null, Shown::shown)
    }
}

type Time = chrono::NaiveDateTime;

impl Store {
    /// Writes the export from one snapshot and returns the number of lines. Audited (the event is not in the export).
    /// Holds patient data: for tests of equivalence and of restores, and for moving between databases.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] for anyone but the command line; [`StoreError::Unreadable`] names a damaged case.
    pub fn canonical_export(&self, scope: &Scope, out: &mut dyn Write) -> Result<u64, StoreError> {
        require(scope, scope.role() == Role::System, "export everything")?;
        let mut lines = Lines { out, count: 0 };
        self.read(scope, |conn, keys| {
            administration(&mut lines, conn)?;
            every_case(&mut lines, conn, keys)?;
            runs_and_releases(&mut lines, conn, keys)?;
            trail(&mut lines, conn)
        })?;
        self.record_reading(scope, Event::new("export.canonical").detail("lines", lines.count))?;
        Ok(lines.count)
    }
}

fn administration(lines: &mut Lines<'_>, conn: &mut Conn) -> Result<(), StoreError> {
    whole_table!(lines, conn, centres, centres::centre_id, (
        centre_id: String, name: String, country: Option<String>, active: bool, created_at: Time, updated_at: Time,
    ));
    whole_table!(lines, conn, centre_years, (centre_years::centre_id, centre_years::year), (
        centre_id: String, year: i32, elements: String, updated_at: Time,
    ));
    whole_table!(lines, conn, api_keys, api_keys::key_id, (
        key_id: String, prefix: String, secret_sha256: Vec<u8>, label: String, role: String, centre_id: Option<String>,
        created_at: Time, created_by: String, expires_at: Option<Time>, revoked_at: Option<Time>,
        replaced_by: Option<String>,
    ));
    whole_table!(lines, conn, sign_in_links, sign_in_links::token_sha256, (
        token_sha256: Vec<u8>, user_name: String, role: String, centre_id: Option<String>, created_at: Time,
        expires_at: Time, used_at: Option<Time>,
    ));
    whole_table!(lines, conn, sessions, sessions::token_sha256, (
        token_sha256: Vec<u8>, user_name: String, role: String, centre_id: Option<String>, created_at: Time,
        expires_at: Time, ended_at: Option<Time>, person_id: Option<String>,
    ));
    // The second factor's secret is sealed.
    whole_table!(lines, conn, people, people::person_id, (
        person_id: String, login: String, name: String, role: String, centre_id: Option<String>, state: String,
        password: Option<String>, totp_step: Option<i64>, failures: i64, locked_until: Option<Time>, created_at: Time,
        created_by: String, last_sign_in_at: Option<Time>, oidc_issuer: Option<String>, oidc_subject: Option<String>,
    ));
    whole_table!(lines, conn, person_links, person_links::token_sha256, (
        token_sha256: Vec<u8>, person_id: String, created_at: Time, created_by: String, expires_at: Time,
        used_at: Option<Time>,
    ));
    whole_table!(lines, conn, recovery_codes, (recovery_codes::person_id, recovery_codes::code_sha256), (
        person_id: String, code_sha256: Vec<u8>, used_at: Option<Time>,
    ));
    whole_table!(lines, conn, pseudonym_claims, pseudonym_claims::pseudonym_mac, (
        pseudonym_mac: Vec<u8>, centre_id: String, case_id: String, claimed_at: Time,
    ));
    whole_table!(lines, conn, idempotency,
        (idempotency::centre_id, idempotency::actor, idempotency::idempotency_key), (
        centre_id: String, actor: String, idempotency_key: String, fingerprint: Vec<u8>, case_id: Option<String>,
        claimed_at: Time, expires_at: Time,
    ));
    whole_table!(lines, conn, tasks, (tasks::centre_id, tasks::task_id), (
        centre_id: String, task_id: String, kind: String, other_centre_id: String, case_id: String, occurrences: i64,
        opened_at: Time, closed_at: Option<Time>, closed_by: Option<String>, resolution: Option<String>,
    ));
    whole_table!(lines, conn, jobs, (jobs::centre_id, jobs::job_id), (
        centre_id: String, job_id: String, kind: String, dry_run: bool, state: String, counts: String,
        problem: Option<String>, actor: String, started_at: Time, told_at: Time, ended_at: Option<Time>,
    ));
    // What a report says is sealed.
    whole_table!(lines, conn, job_reports, (job_reports::centre_id, job_reports::job_id, job_reports::part), (
        centre_id: String, job_id: String, part: i64,
    ));
    whole_table!(lines, conn, import_mappings, (import_mappings::centre_id, import_mappings::name), (
        centre_id: String, name: String, content: String, updated_by: String, updated_at: Time,
    ));
    whole_table!(lines, conn, verifications, verifications::verification_id, (
        verification_id: String, seed: String, share: i64, through: chrono::NaiveDate, drawn_at: Time, drawn_by: String,
    ));
    Ok(())
}

fn every_case(lines: &mut Lines<'_>, conn: &mut Conn, keys: &Keyring) -> Result<(), StoreError> {
    let mut after = (String::new(), String::new());
    loop {
        let query = cases::table
            .filter(
                cases::centre_id
                    .gt(&after.0)
                    .or(cases::centre_id.eq(&after.0).and(cases::case_id.gt(&after.1))),
            )
            .order((cases::centre_id, cases::case_id))
            .limit(BATCH);
        let page = on_conn!(conn, c => query.load::<CaseRecord>(c))?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = (last.centre_id.clone(), last.case_id.clone());
        for case in page {
            one_case(lines, conn, keys, &case)?;
        }
    }
}

fn one_case(
    lines: &mut Lines<'_>,
    conn: &mut Conn,
    keys: &Keyring,
    case: &CaseRecord,
) -> Result<(), StoreError> {
    let key = case.wrapped_key.is_some().then(|| case.key(keys)).transpose()?;
    lines.put(
        "cases",
        json!({
            "centre_id": case.centre_id, "case_id": case.case_id, "pseudonym": case.pseudonym,
            "status": case.status, "locked_through": shown(&case.locked_through), "version": case.version,
            "state": case.state, "schema_version": case.schema_version, "histology_code": case.histology_code,
            "eligibility_class": case.eligibility_class, "t0": case.t0, "errors": case.errors,
            "warnings": case.warnings, "has_key": key.is_some(), "created_at": shown(&case.created_at),
            "updated_at": shown(&case.updated_at), "withdrawal_mode": case.withdrawal_mode,
            "withdrawn_on": shown(&case.withdrawn_on), "reuse_ended_on": shown(&case.reuse_ended_on),
        }),
    )?;
    let query = case_versions::table
        .filter(case_versions::centre_id.eq(&case.centre_id))
        .filter(case_versions::case_id.eq(&case.case_id))
        .order(case_versions::version);
    for version in on_conn!(conn, c => query.load::<VersionRecord>(c))? {
        one_version(lines, conn, key.as_ref(), &version)?;
    }
    for query in queries::exported(conn, case, key.as_ref())? {
        lines.put("queries", query)?;
    }
    let query = finding_answers::table
        .filter(finding_answers::centre_id.eq(&case.centre_id))
        .filter(finding_answers::case_id.eq(&case.case_id))
        .order(finding_answers::identity);
    for answer in on_conn!(conn, c => query.load::<AnswerRecord>(c))? {
        let reason = open_reason(key.as_ref(), &case.centre_id, &case.case_id, &answer.reason);
        lines.put(
            "finding_answers",
            json!({
                "centre_id": answer.centre_id, "case_id": answer.case_id, "identity": answer.identity,
                "version": answer.version, "reason": reason, "actor": answer.actor,
                "answered_at": shown(&answer.answered_at),
            }),
        )?;
    }
    for transfer in transfers_of(conn, &case.centre_id, &case.case_id)? {
        let reason = open_reason(key.as_ref(), &case.centre_id, &case.case_id, &transfer.reason);
        lines.put(
            "transfers",
            json!({
                "centre_id": transfer.centre_id, "case_id": transfer.case_id, "number": transfer.number,
                "from_centre": transfer.from_centre, "to_centre": transfer.to_centre,
                "effective_on": shown(&transfer.effective_on), "transferred_at": shown(&transfer.transferred_at),
                "change_seq": transfer.change_seq, "reason": reason, "actor": transfer.actor,
            }),
        )?;
    }
    let query = verification_cases::table
        .filter(verification_cases::centre_id.eq(&case.centre_id))
        .filter(verification_cases::case_id.eq(&case.case_id))
        .order(verification_cases::verification_id);
    for sampled in on_conn!(conn, c => query.load::<SampleRecord>(c))? {
        let document = match &key {
            Some(key) => opened_reentry(key, &sampled)?,
            None => None,
        };
        lines.put(
            "verification_cases",
            json!({
                "centre_id": sampled.centre_id, "verification_id": sampled.verification_id,
                "case_id": sampled.case_id, "version": sampled.version, "document": document,
                "reentered_at": shown(&sampled.reentered_at), "reentered_by": sampled.reentered_by,
            }),
        )?;
    }
    Ok(())
}

fn one_version(
    lines: &mut Lines<'_>,
    conn: &mut Conn,
    key: Option<&CaseKey>,
    row: &VersionRecord,
) -> Result<(), StoreError> {
    let document = match (key, &row.document) {
        (Some(key), Some(_)) => row.open(key)?,
        _ => Value::Null,
    };
    let reason = row
        .reason
        .as_deref()
        .and_then(|stored| open_reason(key, &row.centre_id, &row.case_id, stored));
    let records = finding_records(conn, &row.centre_id, &row.case_id, row.version)?;
    let (stand, dropped): (Vec<_>, Vec<_>) = records.into_iter().partition(|row| row.dropped_seq.is_none());
    let findings: Vec<StoredFinding> = stand
        .into_iter()
        .map(TryInto::try_into)
        .collect::<Result<_, _>>()?;
    let dropped: Vec<Value> = dropped
        .into_iter()
        .map(|row| {
            let since = row.dropped_seq;
            Ok(json!({ "finding": StoredFinding::try_from(row)?, "dropped_seq": since }))
        })
        .collect::<Result<_, StoreError>>()?;
    lines.put(
        "case_versions",
        json!({
            "centre_id": row.centre_id, "case_id": row.case_id, "version": row.version,
            "schema_version": row.schema_version, "status": row.status, "document": document,
            "content_hash": shown(&row.content_hash), "histology_code": row.histology_code,
            "eligibility_class": row.eligibility_class, "t0": row.t0, "errors": row.errors,
            "warnings": row.warnings, "submitted_at": shown(&row.submitted_at), "actor": row.actor,
            "reason": reason, "request_id": row.request_id, "change_seq": row.change_seq,
            "superseded_seq": row.superseded_seq, "findings": findings,
            "dropped_findings": dropped,
        }),
    )
}

fn runs_and_releases(lines: &mut Lines<'_>, conn: &mut Conn, keys: &Keyring) -> Result<(), StoreError> {
    whole_table!(lines, conn, runs, runs::number, (
        number: i64, status: String, cutoff_date: chrono::NaiveDate, watermark: i64, parameters: String,
        summary: Option<String>, started_at: Time, started_by: String, finished_at: Option<Time>,
        published_at: Option<Time>, published_by: Option<String>,
    ));
    whole_table!(lines, conn, results, (results::run, results::kind, results::result_key), (
        run: i64, kind: String, result_key: String, body: String,
    ));
    whole_table!(lines, conn, releases, releases::release_id, (
        release_id: String, run: i64, title: String, manifest: String, sha256: String, bytes: i64, created_at: Time,
        created_by: String,
    ));
    whole_table!(lines, conn, data_requests, data_requests::request_id, (
        request_id: String, line: String, release_id: String, title: String, purpose: String, asked: String, status: String,
        filed_at: Time, filed_by: String, approved: Option<String>, expires_on: Option<chrono::NaiveDate>,
        decided_at: Option<Time>, decided_by: Option<String>, reason: Option<String>, revoked_at: Option<Time>,
        revoked_by: Option<String>, revoked_for: Option<String>, downloads: i64, sha256: Option<String>,
        bytes: Option<i64>, manifest: Option<String>,
    ));
    whole_table!(lines, conn, delivered_cases, (delivered_cases::case_id, delivered_cases::request_id), (
        case_id: String, request_id: String,
    ));
    whole_table!(lines, conn, released_cases, (released_cases::case_id, released_cases::release_id), (
        case_id: String, release_id: String,
    ));
    whole_table!(lines, conn, signal_steps, (signal_steps::centre_id, signal_steps::measure, signal_steps::number), (
        centre_id: String, measure: String, number: i64, step: String, reason: Option<String>, run: i64, taken_at: Time,
        taken_by: String,
    ));
    whole_table!(lines, conn, indicator_lists, indicator_lists::number, (
        number: i64, measures: String, reason: String, chosen_at: Time, chosen_by: String,
    ));
    whole_table!(lines, conn, freezings, freezings::release_id, (
        release_id: String, run: i64, title: String, done: i64, total: i64, problem: Option<String>, started_at: Time,
        started_by: String, told_at: Time,
    ));
    every_evaluation(lines, conn, keys)?;
    whole_table!(lines, conn, run_evaluations,
        (run_evaluations::centre_id, run_evaluations::run, run_evaluations::case_id), (
        centre_id: String, run: i64, case_id: String, version: i64, evaluation_key: String,
    ));
    Ok(())
}

fn every_evaluation(lines: &mut Lines<'_>, conn: &mut Conn, keys: &Keyring) -> Result<(), StoreError> {
    let mut wrapped: HashMap<(String, String), Option<CaseKey>> = HashMap::new();
    let mut after = (String::new(), String::new(), String::new());
    loop {
        let query = evaluations::table
            .filter(
                evaluations::centre_id
                    .gt(&after.0)
                    .or(evaluations::centre_id.eq(&after.0).and(
                        evaluations::case_id.gt(&after.1).or(evaluations::case_id
                            .eq(&after.1)
                            .and(evaluations::evaluation_key.gt(&after.2))),
                    )),
            )
            .order((
                evaluations::centre_id,
                evaluations::case_id,
                evaluations::evaluation_key,
            ))
            .limit(BATCH);
        let page = on_conn!(conn, c => query.load::<(String, String, String, i64, Vec<u8>)>(c))?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = (last.0.clone(), last.1.clone(), last.2.clone());
        wrapped.clear();
        for (centre, case_id, key, version, payload) in page {
            let place = (centre.clone(), case_id.clone());
            if !wrapped.contains_key(&place) {
                let case = super::cases::load_case(conn, &centre, &case_id)?;
                let case_key = case
                    .filter(|c| c.wrapped_key.is_some())
                    .map(|c| c.key(keys))
                    .transpose()?;
                wrapped.insert(place.clone(), case_key);
            }
            let plain = match wrapped.get(&place).and_then(Option::as_ref) {
                Some(case_key) => Some(opened_payload(case_key, &centre, &case_id, &key, &payload)?),
                None => None,
            };
            lines.put(
                "evaluations",
                json!({
                    "centre_id": centre, "case_id": case_id, "evaluation_key": key, "version": version,
                    "payload": shown(&plain),
                }),
            )?;
        }
    }
}

fn trail(lines: &mut Lines<'_>, conn: &mut Conn) -> Result<(), StoreError> {
    let mut last = 0;
    loop {
        let query = audit_events::table
            .filter(audit_events::seq.gt(last))
            .order(audit_events::seq)
            .limit(BATCH);
        let rows = on_conn!(conn, c => query.load::<EventRow>(c))?;
        let Some(end) = rows.last().map(|row| row.seq) else {
            return Ok(());
        };
        last = end;
        for row in rows {
            let ChainedEvent { seq, event, hash, .. } = row.into();
            lines.put(
                "audit_events",
                json!({
                    "seq": seq, "at": shown(&event.at.naive_utc()), "actor": event.actor, "role": event.role,
                    "action": event.action, "centre_id": event.centre_id, "case_id": event.case_id,
                    "subject": event.subject, "old_version": event.old_version, "new_version": event.new_version,
                    "reason": event.reason, "request_id": event.request_id,
                    "details": stored_json(&event.details)?, "hash": shown(&hash),
                }),
            )?;
        }
    }
}
