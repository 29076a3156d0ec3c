//! Entering a sampled case again, once and by another person; and setting it back.

use diesel::prelude::*;
use serde_json::Value;

use super::{CaseRecord, SampledCase, label, load_sampled, sampled};
use crate::access::{Role, Scope};
use crate::storage::cases::rows::{self, CaseRecord as StoredRecord, Packed};
use crate::storage::cases::{locate, sealed_reason};
use crate::storage::connection::{Conn, on_conn};
use crate::storage::identifiers::is_text;
use crate::storage::owners;
use crate::storage::store::require;
use crate::storage::tables::{audit_events, case_versions, verification_cases};
use crate::storage::transaction::{Event, Tx, set_context};
use crate::storage::{Store, StoreError};

impl Store {
    /// A case of a draw, and why the caller may not enter it again, if so. Shows nothing of what is stored.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a case that is not of the draw; [`StoreError::Withdrawn`].
    pub fn sampled_case(
        &self,
        scope: &Scope,
        verification: &str,
        pseudonym: &str,
    ) -> Result<(SampledCase, Option<&'static str>), StoreError> {
        self.read(scope, |conn, keys| {
            let case = rows::current(locate(conn, keys, scope, pseudonym)?)?;
            let record = load_sampled(conn, &case.centre_id, verification, &case.case_id)?;
            let why_not = why_not(conn, scope, &record)?;
            Ok((sampled(&record, case)?, why_not))
        })
    }

    /// Keeps what another person entered from the source for a case of a draw. It is no version of the case. `submitter`, `centre_lead`.
    ///
    /// # Errors
    /// [`StoreError::InvalidState`] when it was entered again before, or the caller entered a version of it up to the draw or has read it since;
    /// [`StoreError::NotFound`] for a case that is not of the draw; [`StoreError::Withdrawn`].
    pub fn reenter_case(
        &self,
        scope: &Scope,
        verification: &str,
        pseudonym: &str,
        document: &Value,
    ) -> Result<SampledCase, StoreError> {
        require(scope, scope.role().needs_centre(), "enter cases again")?;
        let packed = Packed::new(document)?;
        let (verification, pseudonym) = (verification.to_owned(), pseudonym.to_owned());
        self.write(scope, move |tx| {
            let (case, mut record) = find(tx, &verification, &pseudonym)?;
            let scope = tx.scope.clone();
            if let Some(why) = why_not(tx.conn()?, &scope, &record)? {
                return Err(StoreError::InvalidState(why));
            }
            let key = case.key(tx.keys)?;
            let sealed = key.seal(tx.entropy, &label(&record), &record.case_id, &packed.compressed)?;
            record.document = Some(sealed);
            record.reentered_at = Some(tx.now);
            record.reentered_by = Some(scope.actor().to_owned());
            store(tx, &record)?;
            tx.audit(
                Event::new("verification.reenter")
                    .case(&record.centre_id, &record.case_id)
                    .versions(Some(record.version), None)
                    .subject(&verification)
                    .detail(
                        "content_hash",
                        hex::encode(key.content_hash("", &packed.canonical)),
                    ),
            );
            sampled(&record, case)
        })
    }

    /// Takes back what was entered again for a case of a draw, so that it can be entered once more. `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] without a reason; [`StoreError::InvalidState`] when nothing was entered again; [`StoreError::NotFound`].
    pub fn reset_reentry(
        &self,
        scope: &Scope,
        verification: &str,
        pseudonym: &str,
        reason: &str,
    ) -> Result<SampledCase, StoreError> {
        let may = matches!(scope.role(), Role::Coordinator | Role::System);
        require(scope, may, "set back what was entered again")?;
        if reason.trim().is_empty() || !is_text(reason, 2000) {
            return Err(StoreError::Invalid(
                "setting back needs a reason, in at most 2,000 bytes and without NUL",
            ));
        }
        let (verification, pseudonym) = (verification.to_owned(), pseudonym.to_owned());
        let reason = reason.trim().to_owned();
        self.write(scope, move |tx| {
            let (case, mut record) = find(tx, &verification, &pseudonym)?;
            if record.document.is_none() {
                return Err(StoreError::InvalidState(
                    "this case was not entered again: there is nothing to set back",
                ));
            }
            let key = case.key(tx.keys)?;
            let reason = sealed_reason(tx, &key, &case, &reason)?;
            record.document = None;
            record.reentered_at = None;
            record.reentered_by = None;
            store(tx, &record)?;
            tx.audit(
                Event::new("verification.reset")
                    .case(&record.centre_id, &record.case_id)
                    .subject(&verification)
                    .reason(Some(reason)),
            );
            sampled(&record, case)
        })
    }
}

fn find(
    tx: &mut Tx<'_>,
    verification: &str,
    pseudonym: &str,
) -> Result<(StoredRecord, CaseRecord), StoreError> {
    let (scope, keys) = (tx.scope.clone(), tx.keys);
    let case = rows::current(locate(tx.conn()?, keys, &scope, pseudonym)?)?;
    let record = load_sampled(tx.conn()?, &case.centre_id, verification, &case.case_id)?;
    Ok((case, record))
}

fn store(tx: &mut Tx<'_>, record: &CaseRecord) -> Result<(), StoreError> {
    let place = verification_cases::table.find((&record.centre_id, &record.verification_id, &record.case_id));
    let change = (
        verification_cases::document.eq(&record.document),
        verification_cases::reentered_at.eq(&record.reentered_at),
        verification_cases::reentered_by.eq(&record.reentered_by),
    );
    on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
    Ok(())
}

/// Why the caller may not enter this case again; `None` when another person may.
fn why_not(conn: &mut Conn, scope: &Scope, record: &CaseRecord) -> Result<Option<&'static str>, StoreError> {
    if record.document.is_some() {
        return Ok(Some(
            "this case was entered again already; the coordinating office can set that back, with a reason",
        ));
    }
    let names = owners::names_of(conn, scope)?;
    let own = case_versions::table
        .filter(case_versions::centre_id.eq(&record.centre_id))
        .filter(case_versions::case_id.eq(&record.case_id))
        .filter(case_versions::version.le(record.version))
        .filter(case_versions::actor.eq_any(&names))
        .count();
    let own = on_conn!(conn, c => own.get_result::<i64>(c))?;
    if own > 0 {
        return Ok(Some(
            "you entered this case, or changed it before it was drawn: somebody else of your centre enters it again from the source",
        ));
    }
    Ok(has_read(conn, scope, record, &names)?.then_some(
        "you have read this case, or your centre's cases as a file, since it was drawn: somebody who has not seen what is stored enters it \
         again from the source",
    ))
}

/// Readings that show what is stored: of the case, or of all cases of the centre in a file.
const READ: [&str; 2] = ["case.read", "verification.compare"];
const READ_ALL: &str = "case.export";

/// Whether one of these actors has read the case since it was drawn, as the trail has it.
fn has_read(
    conn: &mut Conn,
    scope: &Scope,
    record: &CaseRecord,
    names: &[String],
) -> Result<bool, StoreError> {
    set_context(conn, Role::System, None)?;
    let drawn = audit_events::table
        .filter(audit_events::action.eq("verification.draw"))
        .filter(audit_events::subject.eq(&record.verification_id))
        .select(audit_events::seq);
    let drawn = on_conn!(conn, c => drawn.first::<i64>(c))
        .optional()?
        .unwrap_or(0);
    let this = audit_events::case_id
        .eq(&record.case_id)
        .and(audit_events::action.eq_any(READ))
        .assume_not_null();
    let all = audit_events::centre_id
        .eq(&record.centre_id)
        .and(audit_events::action.eq(READ_ALL))
        .assume_not_null();
    let readings = audit_events::table
        .filter(audit_events::seq.gt(drawn))
        .filter(audit_events::actor.eq_any(names))
        .filter(this.or(all))
        .count();
    let readings = on_conn!(conn, c => readings.get_result::<i64>(c))?;
    set_context(conn, scope.role(), scope.centre())?;
    Ok(readings > 0)
}
