//! What the coordinating office does with a data request.

use chrono::NaiveDate;

use super::{DataAccess, DataRequest, RequestStatus, a_reason, access_text, load, store, stored_access};
use crate::access::Scope;
use crate::storage::centres::stored_json;
use crate::storage::store::require;
use crate::storage::transaction::Event;
use crate::storage::{Store, StoreError};

impl Store {
    /// Opens what is approved through `expires_on`. `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for more than was asked, nothing, or a day that is past; [`StoreError::InvalidState`] when it is decided.
    pub fn approve_data_request(
        &self,
        scope: &Scope,
        request_id: &str,
        approved: DataAccess,
        expires_on: NaiveDate,
    ) -> Result<DataRequest, StoreError> {
        require(scope, scope.role().sees_all_cases(), "approve data requests")?;
        if approved.files.is_empty() && approved.elements.is_empty() {
            return Err(StoreError::Invalid("an approval names files or elements"));
        }
        let request_id = request_id.to_owned();
        self.write(scope, move |tx| {
            if expires_on < tx.now.date() {
                return Err(StoreError::Invalid("an approval lasts through today at least"));
            }
            let scope = tx.scope.clone();
            let mut row = load(tx.conn()?, &scope, &request_id)?;
            if row.status != RequestStatus::Submitted.as_str() {
                return Err(StoreError::InvalidState("the request is decided"));
            }
            if !approved.within(&stored_access(&row.asked)?) {
                return Err(StoreError::Invalid("an approval opens no more than was asked"));
            }
            row.status = RequestStatus::Approved.as_str().to_owned();
            row.approved = Some(access_text(&approved)?);
            row.expires_on = Some(expires_on);
            row.decided_at = Some(tx.now);
            row.decided_by = Some(scope.actor().to_owned());
            store(tx, &row)?;
            tx.audit(
                Event::new("data_request.approve")
                    .subject(&row.request_id)
                    .detail("release", row.release_id.as_str())
                    .detail("expires_on", expires_on.to_string())
                    .detail("approved", stored_json(&access_text(&approved)?)?),
            );
            row.try_into()
        })
    }

    /// Declines a request with a reason. `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] without a reason; [`StoreError::InvalidState`] when it is decided.
    pub fn decline_data_request(
        &self,
        scope: &Scope,
        request_id: &str,
        reason: &str,
    ) -> Result<DataRequest, StoreError> {
        require(scope, scope.role().sees_all_cases(), "decline data requests")?;
        let (request_id, reason) = (request_id.to_owned(), a_reason(reason)?);
        self.write(scope, move |tx| {
            let scope = tx.scope.clone();
            let mut row = load(tx.conn()?, &scope, &request_id)?;
            if row.status != RequestStatus::Submitted.as_str() {
                return Err(StoreError::InvalidState("the request is decided"));
            }
            row.status = RequestStatus::Declined.as_str().to_owned();
            row.decided_at = Some(tx.now);
            row.decided_by = Some(scope.actor().to_owned());
            row.reason = Some(reason.clone());
            store(tx, &row)?;
            tx.audit(Event::new("data_request.decline").subject(&row.request_id));
            row.try_into()
        })
    }

    /// Closes an approved request with a reason. `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] without a reason; [`StoreError::InvalidState`] when it is not approved.
    pub fn revoke_data_request(
        &self,
        scope: &Scope,
        request_id: &str,
        reason: &str,
    ) -> Result<DataRequest, StoreError> {
        require(scope, scope.role().sees_all_cases(), "revoke data requests")?;
        let (request_id, reason) = (request_id.to_owned(), a_reason(reason)?);
        self.write(scope, move |tx| {
            let scope = tx.scope.clone();
            let mut row = load(tx.conn()?, &scope, &request_id)?;
            if row.status != RequestStatus::Approved.as_str() {
                return Err(StoreError::InvalidState(
                    "only an approved request can be revoked",
                ));
            }
            row.status = RequestStatus::Revoked.as_str().to_owned();
            row.revoked_at = Some(tx.now);
            row.revoked_by = Some(scope.actor().to_owned());
            row.revoked_for = Some(reason.clone());
            store(tx, &row)?;
            tx.audit(Event::new("data_request.revoke").subject(&row.request_id));
            row.try_into()
        })
    }
}
