//! A case changes hands: every row of it, sealed anew for its place, in one transaction.
//!
//! | goes along | how |
//! |---|---|
//! | the current row with its key, every version, its findings and the answers to them, its queries with what was said | sealed anew |
//! | its place in samples for verification, and what was entered again | sealed anew; a draw names the case whoever holds it |
//! | evaluations, and what runs and so releases refer to | sealed anew; a run's stored results stay as they are |
//! | the claim on the pseudonym | so that the earlier centre's next `PUT` is refused as anybody's |
//! | earlier transfers | the history of holders is the case's |
//!
//! | stays or goes | why |
//! |---|---|
//! | stored answers of the earlier centre that name the case | deleted: a repeated request must not say that the case is there |
//! | answers to batches, jobs and reports of imports | stay: they say what was answered to many lines of its own that day |
//! | open tasks | those of the receiving centre are closed, the others name the new holder |
//! | events of the trail | stay as they are: they are what happened |

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::etag;
use super::put::{open_reason, sealed_reason};
use super::rows::{CaseRecord, VersionRecord, load_case};
use super::{AnswerRecord, CaseStatus, Precondition, WithdrawalMode};
use crate::access::Scope;
use crate::storage::connection::{Conn, on_conn};
use crate::storage::holders::{TransferRecord, transfers_of};
use crate::storage::identifiers::{is_text, is_visible};
use crate::storage::keyring::CaseKey;
use crate::storage::queries;
use crate::storage::runs::{end_interrupted, opened_payload, sealed_payload};
use crate::storage::store::require;
use crate::storage::tables::{
    case_versions, cases, evaluations, finding_answers, findings, idempotency, pseudonym_claims,
    run_evaluations, transfers,
};
use crate::storage::tasks;
use crate::storage::transaction::{Event, Tx};
use crate::storage::{Store, StoreError, verifications};

/// What the coordinating office asks for.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// The pseudonym.
    pub pseudonym: String,
    /// The centre that holds the case.
    pub from: String,
    /// The centre that takes it over.
    pub to: String,
    /// The day from which on the case is with the other centre.
    pub on: NaiveDate,
    /// Why; sealed with the case's key.
    pub reason: String,
    /// What the request says about the version it means; [`Precondition::Whatever`] when it says nothing.
    pub precondition: Precondition,
}

/// What became of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Transferred)]
pub struct TransferOutcome {
    /// Record id; stays.
    pub case_id: String,
    /// The centre the case was with.
    pub from: String,
    /// The centre it is with.
    pub to: String,
    /// From which day on.
    pub on: NaiveDate,
    /// Status; stays, and so does a lock.
    pub status: CaseStatus,
    /// Version; stays.
    pub version: i64,
    /// The new ETag.
    pub etag: String,
    /// Tasks that were closed by it.
    pub tasks_closed: usize,
}

impl Store {
    /// Transfers a case to another centre with its whole history. `coordinator`.
    ///
    /// Drafts, verified and locked cases go as they are; the centre they come from may have ended its part, the one they go to may not. What
    /// is dated before `on` counts for the earlier centre in every later run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Invalid`] without a reason, for an unknown centre, for the centre the case is with, for a day
    /// to come or before an earlier transfer; [`StoreError::InvalidState`] when the case is not with `from`, or when `to` does not take part
    /// any more; [`StoreError::Withdrawn`]; [`StoreError::PreconditionFailed`]; [`StoreError::RunActive`] while a run reads the cases.
    pub fn transfer_case(&self, scope: &Scope, asked: Transfer) -> Result<TransferOutcome, StoreError> {
        require(scope, scope.role().sees_all_cases(), "transfer cases")?;
        if !is_visible(&asked.pseudonym, 64) {
            return Err(StoreError::NotFound);
        }
        if asked.reason.trim().is_empty() || !is_text(&asked.reason, 2000) {
            return Err(StoreError::Invalid(
                "a transfer says why, in at most 2,000 bytes and without NUL",
            ));
        }
        if asked.from == asked.to {
            return Err(StoreError::Invalid(
                "a case is transferred from one centre to another: `from` and `to` are the same",
            ));
        }
        self.write(scope, move |tx| transfer(tx, &asked))
    }
}

fn transfer(tx: &mut Tx<'_>, asked: &Transfer) -> Result<TransferOutcome, StoreError> {
    let (holder, case_id) = tx.claim_of(&asked.pseudonym)?.ok_or(StoreError::NotFound)?;
    let case = load_case(tx.conn()?, &holder, &case_id)?.ok_or(StoreError::NotFound)?;
    let moves = check(tx, asked, &case)?;
    let key = case.key(tx.keys)?;
    let mut moved = CaseRecord {
        centre_id: asked.to.clone(),
        wrapped_key: Some(tx.keys.wrap_case_key(tx.entropy, &asked.to, &case_id, &key)?),
        updated_at: tx.now,
        ..case.clone()
    };
    moved.state += 1;
    postpone_references(tx.conn()?, true)?;
    move_case(tx, &case, &moved, &key)?;
    queries::transfer(tx, &case, &moved.centre_id, &key)?;
    verifications::transfer(tx, &case, &moved.centre_id, &key)?;
    move_evaluations(tx, &case, &moved, &key)?;
    for earlier in &moves {
        let place = transfers::table.find((&earlier.centre_id, &earlier.case_id, earlier.number));
        let reason = resealed(tx, &key, &case, &moved, &earlier.reason)?;
        let change = (
            transfers::centre_id.eq(&moved.centre_id),
            transfers::reason.eq(reason),
        );
        on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
    }
    record(tx, asked, &moved, &key, moves.len())?;
    postpone_references(tx.conn()?, false)?;
    forget_answers(tx, &case)?;
    let tasks_closed = tasks::settle(tx, &moved, asked.on)?;
    Ok(TransferOutcome {
        from: case.centre_id,
        to: moved.centre_id.clone(),
        on: asked.on,
        status: moved.status()?,
        version: moved.version,
        etag: moved.etag(),
        tasks_closed,
        case_id,
    })
}

/// Everything that speaks against it; the earlier transfers of the case when nothing does.
fn check(tx: &mut Tx<'_>, asked: &Transfer, case: &CaseRecord) -> Result<Vec<TransferRecord>, StoreError> {
    if let Some(withdrawal) = case.withdrawal() {
        return Err(StoreError::Withdrawn {
            erased: withdrawal.mode == WithdrawalMode::Erase,
        });
    }
    if case.centre_id != asked.from {
        return Err(StoreError::InvalidState(
            "the case is not with the centre that the transfer names as `from`",
        ));
    }
    etag::check(&asked.precondition, Some(&case.etag()))?;
    tx.require_active(&asked.to).map_err(|error| match error {
        StoreError::NotFound => {
            StoreError::Invalid("the centre that the transfer names as `to` is not known")
        }
        other => other,
    })?;
    if asked.on > tx.now.date() {
        return Err(StoreError::Invalid(
            "a case is transferred as of a day that has come",
        ));
    }
    let moves = transfers_of(tx.conn()?, &case.centre_id, &case.case_id)?;
    if moves.last().is_some_and(|last| asked.on < last.effective_on) {
        return Err(StoreError::Invalid(
            "a case cannot leave a centre before the day it came there",
        ));
    }
    // A run lists the cases first and reads them afterwards: one that moves in between would be missed.
    end_interrupted(tx)?;
    Ok(moves)
}

/// Rows that refer to each other move one table after the other; what they refer to is checked when all have.
fn postpone_references(conn: &mut Conn, on: bool) -> Result<(), StoreError> {
    let sql = match (&conn, on) {
        (Conn::Sqlite(_), true) => "PRAGMA defer_foreign_keys = ON",
        (Conn::Sqlite(_), false) => "PRAGMA defer_foreign_keys = OFF",
        (Conn::Postgres(_), true) => "SET CONSTRAINTS ALL DEFERRED",
        (Conn::Postgres(_), false) => "SET CONSTRAINTS ALL IMMEDIATE",
    };
    conn.run(sql)
}

/// A text sealed for the place the case came from, sealed for the one it goes to.
fn resealed(
    tx: &Tx<'_>,
    key: &CaseKey,
    case: &CaseRecord,
    moved: &CaseRecord,
    stored: &str,
) -> Result<String, StoreError> {
    let plain = open_reason(Some(key), &case.centre_id, &case.case_id, stored)
        .ok_or_else(|| StoreError::Unreadable(case.case_id.clone()))?;
    sealed_reason(tx, key, moved, &plain)
}

/// The current row, the claim, the versions, findings and answers.
fn move_case(
    tx: &mut Tx<'_>,
    case: &CaseRecord,
    moved: &CaseRecord,
    key: &CaseKey,
) -> Result<(), StoreError> {
    let (from, to, case_id) = (&case.centre_id, &moved.centre_id, &case.case_id);
    let place = cases::table.find((from, case_id));
    on_conn!(tx.conn()?, c => diesel::update(place).set(moved).execute(c))?;
    let claim = pseudonym_claims::table.filter(pseudonym_claims::case_id.eq(case_id));
    let held = pseudonym_claims::centre_id.eq(to);
    on_conn!(tx.conn()?, c => diesel::update(claim).set(held).execute(c))?;
    let versions = case_versions::table
        .filter(case_versions::centre_id.eq(from))
        .filter(case_versions::case_id.eq(case_id));
    for version in on_conn!(tx.conn()?, c => versions.load::<VersionRecord>(c))? {
        let sealed = version
            .document
            .as_deref()
            .map(|sealed| {
                let packed = key.open_document(from, case_id, version.version, sealed)?;
                key.seal_document(tx.entropy, to, case_id, version.version, &packed)
            })
            .transpose()?;
        let reason = version.reason.as_deref();
        let reason = reason
            .map(|text| resealed(tx, key, case, moved, text))
            .transpose()?;
        let change = (
            case_versions::centre_id.eq(to),
            case_versions::document.eq(sealed),
            case_versions::reason.eq(reason),
        );
        let place = case_versions::table.find((from, case_id, version.version));
        on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
    }
    let found = findings::table
        .filter(findings::centre_id.eq(from))
        .filter(findings::case_id.eq(case_id));
    on_conn!(tx.conn()?, c => diesel::update(found).set(findings::centre_id.eq(to)).execute(c))?;
    let answers = finding_answers::table
        .filter(finding_answers::centre_id.eq(from))
        .filter(finding_answers::case_id.eq(case_id));
    for answer in on_conn!(tx.conn()?, c => answers.load::<AnswerRecord>(c))? {
        let change = (
            finding_answers::centre_id.eq(to),
            finding_answers::reason.eq(resealed(tx, key, case, moved, &answer.reason)?),
        );
        let place = finding_answers::table.find((from, case_id, &answer.identity));
        on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
    }
    Ok(())
}

/// What runs made of the case.
fn move_evaluations(
    tx: &mut Tx<'_>,
    case: &CaseRecord,
    moved: &CaseRecord,
    key: &CaseKey,
) -> Result<(), StoreError> {
    let (from, to, case_id) = (&case.centre_id, &moved.centre_id, &case.case_id);
    let stored = evaluations::table
        .filter(evaluations::centre_id.eq(from))
        .filter(evaluations::case_id.eq(case_id))
        .select((evaluations::evaluation_key, evaluations::payload));
    for (name, payload) in on_conn!(tx.conn()?, c => stored.load::<(String, Vec<u8>)>(c))? {
        let plain = opened_payload(key, from, case_id, &name, &payload)?;
        let change = (
            evaluations::centre_id.eq(to),
            evaluations::payload.eq(sealed_payload(tx, key, to, case_id, &name, &plain)?),
        );
        let place = evaluations::table.find((from, case_id, &name));
        on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
    }
    let referred = run_evaluations::table
        .filter(run_evaluations::centre_id.eq(from))
        .filter(run_evaluations::case_id.eq(case_id));
    let held = run_evaluations::centre_id.eq(to);
    on_conn!(tx.conn()?, c => diesel::update(referred).set(held).execute(c))?;
    Ok(())
}

/// The event, and the transfer it makes known.
fn record(
    tx: &mut Tx<'_>,
    asked: &Transfer,
    moved: &CaseRecord,
    key: &CaseKey,
    earlier: usize,
) -> Result<(), StoreError> {
    let reason = sealed_reason(tx, key, moved, asked.reason.trim())?;
    let change_seq = tx.audit(
        Event::new("case.transfer")
            .case(&moved.centre_id, &moved.case_id)
            .versions(Some(moved.version), Some(moved.version))
            .reason(Some(reason.clone()))
            .detail("from", asked.from.as_str())
            .detail("to", asked.to.as_str())
            .detail("on", asked.on.to_string()),
    );
    let row = TransferRecord {
        centre_id: moved.centre_id.clone(),
        case_id: moved.case_id.clone(),
        number: i64::try_from(earlier).unwrap_or(i64::MAX).saturating_add(1),
        from_centre: asked.from.clone(),
        to_centre: asked.to.clone(),
        effective_on: asked.on,
        transferred_at: tx.now,
        change_seq,
        reason,
        actor: tx.scope.actor().to_owned(),
    };
    on_conn!(tx.conn()?, c => diesel::insert_into(transfers::table).values(&row).execute(c))?;
    Ok(())
}

/// Stored answers of the earlier centre that name the case.
fn forget_answers(tx: &mut Tx<'_>, case: &CaseRecord) -> Result<(), StoreError> {
    tx.as_registry(|tx| {
        let stored = idempotency::table
            .filter(idempotency::centre_id.eq(&case.centre_id))
            .filter(idempotency::case_id.eq(&case.case_id));
        on_conn!(tx.conn()?, c => diesel::delete(stored).execute(c))?;
        Ok(())
    })
}
