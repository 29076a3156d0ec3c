//! Verified, locked, unlocked.

use diesel::prelude::*;

use super::put::sealed_reason;
use super::read::locate;
use super::rows::CaseRecord;
use super::steps::before_the_lock;
use super::{CaseRow, CaseStatus, LifeCycle};
use crate::access::{Role, Scope};
use crate::storage::connection::on_conn;
use crate::storage::identifiers::is_text;
use crate::storage::store::require;
use crate::storage::tables::cases;
use crate::storage::transaction::{Event, Tx};
use crate::storage::{Store, StoreError};

impl Store {
    /// Takes a case one step on. `centre_lead`, `coordinator`. The ETag changes, the version does not.
    ///
    /// # Errors
    /// [`StoreError::InvalidState`] when the step does not start at the case's status; [`StoreError::StepReasonRequired`]
    /// for locking or unlocking without a reason.
    pub fn move_case(
        &self,
        scope: &Scope,
        pseudonym: &str,
        step: LifeCycle,
        reason: Option<&str>,
    ) -> Result<CaseRow, StoreError> {
        let may = matches!(scope.role(), Role::CentreLead | Role::Coordinator | Role::System);
        require(scope, may, "verify, lock or unlock cases")?;
        if reason.is_some_and(|reason| !is_text(reason, 2000)) {
            return Err(StoreError::Invalid("a reason has at most 2,000 bytes and no NUL"));
        }
        let pseudonym = pseudonym.to_owned();
        let reason = reason
            .map(str::to_owned)
            .filter(|reason| !reason.trim().is_empty());
        self.write(scope, move |tx| {
            let scope = tx.scope.clone();
            let keys = tx.keys;
            let case = locate(tx.conn()?, keys, &scope, &pseudonym)?;
            step_on(tx, case, step, reason.as_deref())?.try_into()
        })
    }
}

fn step_on(
    tx: &mut Tx<'_>,
    mut case: CaseRecord,
    step: LifeCycle,
    reason: Option<&str>,
) -> Result<CaseRecord, StoreError> {
    if let Some(withdrawal) = case.withdrawal() {
        return Err(StoreError::Withdrawn {
            erased: withdrawal.mode == super::WithdrawalMode::Erase,
        });
    }
    let from = case.status()?;
    let (to, action) = match (step, from) {
        (LifeCycle::Verify, CaseStatus::Submitted) => (CaseStatus::Verified, "case.verify"),
        (LifeCycle::Verify, _) => {
            return Err(StoreError::InvalidState("only a submitted case can be verified"));
        }
        (LifeCycle::Lock { through }, _) if through > tx.now.date() => {
            return Err(StoreError::Invalid(
                "a case is locked through a day that has come: what is dated later cannot be frozen yet",
            ));
        }
        (LifeCycle::Lock { through }, CaseStatus::Submitted | CaseStatus::Verified | CaseStatus::Locked) => {
            if case.locked_through.is_some_and(|earlier| through < earlier) {
                return Err(StoreError::InvalidState(
                    "a lock moves forward only; unlock the case first",
                ));
            }
            if reason.is_none() {
                return Err(StoreError::StepReasonRequired("locked"));
            }
            case.locked_through = Some(through);
            (CaseStatus::Locked, "case.lock")
        }
        (LifeCycle::Lock { .. }, CaseStatus::Draft) => {
            return Err(StoreError::InvalidState("a draft cannot be locked"));
        }
        (LifeCycle::Unlock, CaseStatus::Locked) => {
            if reason.is_none() {
                return Err(StoreError::StepReasonRequired("unlocked"));
            }
            case.locked_through = None;
            let scope = tx.scope.clone();
            (before_the_lock(tx.conn()?, &scope, &case)?, "case.unlock")
        }
        (LifeCycle::Unlock, _) => return Err(StoreError::InvalidState("only a locked case can be unlocked")),
    };
    case.status = to.as_str().to_owned();
    case.state += 1;
    case.updated_at = tx.now;
    let key = case.key(tx.keys)?;
    let reason = reason
        .map(|reason| sealed_reason(tx, &key, &case, reason))
        .transpose()?;
    let place = cases::table.find((&case.centre_id, &case.case_id));
    on_conn!(tx.conn()?, c => diesel::update(place).set(&case).execute(c))?;
    let mut event = Event::new(action)
        .case(&case.centre_id, &case.case_id)
        .versions(Some(case.version), Some(case.version))
        .reason(reason)
        .detail("from", from.as_str())
        .detail("to", to.as_str());
    if let Some(through) = case.locked_through {
        event = event.detail("through", through.to_string());
    }
    tx.audit(event);
    Ok(case)
}
