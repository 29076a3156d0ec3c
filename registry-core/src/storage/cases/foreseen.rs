//! What a submission would become: the same steps that storing it takes, without writing.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use serde::Serialize;

use super::put::Prepared;
use super::rows::{CaseRecord, claim_of, load_case, load_version};
use super::{CaseStatus, Precondition, PutCase, WithdrawalMode, etag, living};
use crate::access::Scope;
use crate::storage::centres::require_active;
use crate::storage::connection::Conn;
use crate::storage::keyring::CaseKey;
use crate::storage::{Store, StoreError};

/// What becomes of a case that is there.
pub(super) enum Step {
    /// It is what it was.
    Unchanged { submitted_at: NaiveDateTime },
    /// A next version, of this status.
    Next(CaseStatus),
}

/// What a submission would come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Foreseen {
    /// A case that is not there yet.
    New,
    /// Another version of one that is.
    Changed,
    /// Nothing: its content is the current version's.
    Unchanged,
}

/// What a submission makes of a case that is there. `key`: none of an erased case.
pub(super) fn step(
    conn: &mut Conn,
    put: &PutCase,
    canonical: &[u8],
    case: &CaseRecord,
    key: Option<&CaseKey>,
) -> Result<Step, StoreError> {
    let (None, Some(key)) = (case.withdrawal(), key) else {
        let there = case.withdrawal();
        let erased = there.is_none_or(|there| there.mode == WithdrawalMode::Erase);
        return Err(StoreError::Withdrawn { erased });
    };
    let by_file = matches!(put.precondition, Precondition::AtVersion(_));
    if !by_file {
        etag::check(&put.precondition, Some(&case.etag()))?;
    }
    let status = case.status()?;
    let asked = match (put.keep_draft, status) {
        (true, CaseStatus::Draft) => CaseStatus::Draft,
        _ => put.status,
    };
    let current = load_version(conn, case, case.version)?;
    let same = current.content_hash == key.content_hash(&put.schema_version, canonical);
    let promoted = status == CaseStatus::Draft && asked == CaseStatus::Submitted;
    if same && !promoted {
        return Ok(Step::Unchanged {
            submitted_at: current.submitted_at,
        });
    }
    if by_file {
        etag::check(&put.precondition, Some(&case.etag()))?;
    }
    if status != CaseStatus::Draft && asked == CaseStatus::Draft {
        return Err(StoreError::InvalidState(
            "a submitted case does not become a draft again",
        ));
    }
    let reason = put.reason.as_deref().filter(|reason| !reason.trim().is_empty());
    if matches!(status, CaseStatus::Verified | CaseStatus::Locked) && reason.is_none() {
        return Err(StoreError::ReasonRequired(status));
    }
    if status == CaseStatus::Locked {
        keep_frozen(put, &current.open(key)?, case)?;
        return Ok(Step::Next(CaseStatus::Locked));
    }
    Ok(Step::Next(asked))
}

/// A locked case takes later follow-up only.
fn keep_frozen(put: &PutCase, current: &serde_json::Value, case: &CaseRecord) -> Result<(), StoreError> {
    let through = case
        .locked_through
        .ok_or_else(|| StoreError::Internal("a locked case has no date of its lock".to_owned()))?;
    let findings = (put.frozen)(current, &put.document, through);
    if findings.is_empty() {
        return Ok(());
    }
    Err(StoreError::Frozen { through, findings })
}

impl Store {
    /// What each of these submissions would come to on its own, and which of its findings the centre has answered: refused as storing it
    /// would be refused, but for a pseudonym that another centre holds. Nothing is written, nobody is told of anything.
    ///
    /// # Errors
    /// The outer error is one of the whole (the database does not answer).
    #[expect(clippy::type_complexity, reason = "a result per submission")]
    pub fn foresee(
        &self,
        scope: &Scope,
        puts: Vec<PutCase>,
    ) -> Result<Vec<Result<(Foreseen, BTreeSet<String>), StoreError>>, StoreError> {
        let prepared: Vec<_> = puts.into_iter().map(|put| Prepared::new(scope, put)).collect();
        self.read(scope, |conn, keys| {
            let mut all = Vec::with_capacity(prepared.len());
            for one in &prepared {
                let one = match one {
                    Ok(one) => one,
                    Err(error) => {
                        all.push(Err(error.clone()));
                        continue;
                    }
                };
                let claim = claim_of(conn, keys, &one.put.pseudonym)?;
                // Who else holds a pseudonym is told to whoever submits it, and the coordinating office hears of it: not to whoever only asks.
                let own = claim.filter(|(holder, _)| *holder == one.centre);
                all.push(match own {
                    Some((_, case_id)) => match load_case(conn, &one.centre, &case_id)? {
                        Some(case) => of_case(conn, one, &case, case.key(keys).ok().as_ref()),
                        None => Err(StoreError::NotFound),
                    },
                    None => etag::check(&one.put.precondition, None)
                        .and_then(|()| require_active(conn, &one.centre))
                        .map(|()| (Foreseen::New, BTreeSet::new())),
                });
                if let Some(Err(StoreError::Unavailable(outage))) = all.last() {
                    return Err(StoreError::Unavailable(*outage));
                }
            }
            Ok(all)
        })
    }
}

fn of_case(
    conn: &mut Conn,
    one: &Prepared,
    case: &CaseRecord,
    key: Option<&CaseKey>,
) -> Result<(Foreseen, BTreeSet<String>), StoreError> {
    let foreseen = match step(conn, &one.put, &one.packed.canonical, case, key)? {
        Step::Unchanged { .. } => Foreseen::Unchanged,
        Step::Next(_) => Foreseen::Changed,
    };
    Ok((foreseen, living::answered(conn, case, &one.put.findings)?))
}
