//! Deliveries of data requests: the bundle, its downloads, and whose bundles held a case.

use diesel::prelude::*;

use super::{DataRequest, DeliveredBundle, Recipient, RequestStatus, load, require_reader, store};
use crate::access::{Role, Scope};
use crate::storage::cases::taken_back;
use crate::storage::centres::canonical_text;
use crate::storage::connection::on_conn;
use crate::storage::owners;
use crate::storage::releases::refuse_withdrawn;
use crate::storage::store::require;
use crate::storage::tables::{cases, data_requests, delivered_cases};
use crate::storage::transaction::Event;
use crate::storage::{Store, StoreError};

impl Store {
    /// Records the bundle of an approved request when it is first built, with the record ids of its cases. The registry itself.
    ///
    /// # Errors
    /// [`StoreError::InvalidState`] when the request is not approved any more, another bundle was recorded, or a case withdrawn meanwhile.
    pub fn record_delivery(
        &self,
        scope: &Scope,
        request_id: &str,
        bundle: &DeliveredBundle,
        cases: &[String],
    ) -> Result<(), StoreError> {
        require(scope, scope.role() == Role::System, "record deliveries")?;
        let (request_id, bundle) = (request_id.to_owned(), bundle.clone());
        let rows: Vec<(String, String)> = cases
            .iter()
            .map(|case| (case.clone(), request_id.clone()))
            .collect();
        self.write(scope, move |tx| {
            let scope = tx.scope.clone();
            let mut row = load(tx.conn()?, &scope, &request_id)?;
            match &row.sha256 {
                Some(known) if *known == bundle.sha256 => return Ok(()),
                Some(_) => return Err(StoreError::InvalidState("another bundle was recorded meanwhile")),
                None => {}
            }
            if row.status != RequestStatus::Approved.as_str() {
                return Err(StoreError::InvalidState("the request is not approved"));
            }
            let held: Vec<String> = rows.iter().map(|(case, _)| case.clone()).collect();
            refuse_withdrawn(tx.conn()?, &held)?;
            row.sha256 = Some(bundle.sha256.clone());
            row.bytes = Some(bundle.bytes);
            row.manifest = Some(canonical_text(&bundle.manifest));
            store(tx, &row)?;
            for batch in rows.chunks(200) {
                let values: Vec<_> = batch
                    .iter()
                    .map(|(case, request)| {
                        (
                            delivered_cases::case_id.eq(case.clone()),
                            delivered_cases::request_id.eq(request.clone()),
                        )
                    })
                    .collect();
                on_conn!(tx.conn()?, c => diesel::insert_into(delivered_cases::table).values(values).execute(c))?;
            }
            tx.audit(
                Event::new("data_request.build")
                    .subject(&row.request_id)
                    .detail("sha256", bundle.sha256.as_str())
                    .detail("cases", rows.len()),
            );
            Ok(())
        })
    }

    /// Whether consent to a case of the delivered bundle, or to its reuse, has been withdrawn since. The registry itself.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`].
    pub fn delivery_holds_withdrawn(&self, scope: &Scope, request_id: &str) -> Result<bool, StoreError> {
        require(scope, scope.role() == Role::System, "look into deliveries")?;
        let withdrawn = delivered_cases::table
            .inner_join(cases::table.on(cases::case_id.eq(delivered_cases::case_id)))
            .filter(delivered_cases::request_id.eq(request_id))
            .filter(taken_back())
            .count();
        self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => withdrawn.get_result::<i64>(c))? > 0)
        })
    }

    /// Counts a download of a file and puts it into the trail, in one transaction. The registry reads in the filer's place.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::InvalidState`] when the request is not open today, or read in the place of a filer who has no
    /// access any more.
    pub fn count_download(&self, scope: &Scope, request_id: &str, file: &str) -> Result<(), StoreError> {
        require_reader(scope)?;
        let (request_id, file) = (request_id.to_owned(), file.to_owned());
        self.write(scope, move |tx| {
            let scope = tx.scope.clone();
            let row = load(tx.conn()?, &scope, &request_id)?;
            let request = DataRequest::try_from(row.clone())?;
            if request.open_on(tx.now.date()).is_none() {
                return Err(StoreError::InvalidState("the request is not open"));
            }
            if scope.role() == Role::System {
                owners::require_live(tx, &row.filed_by, Role::Researcher)?;
            }
            tx.as_registry(|tx| {
                let place = data_requests::table.find(&row.request_id);
                let change = data_requests::downloads.eq(data_requests::downloads + 1);
                on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
                Ok(())
            })?;
            tx.audit(
                Event::new("data_request.download")
                    .subject(&row.request_id)
                    .detail("release", row.release_id.as_str())
                    .detail("file", file.as_str()),
            );
            Ok(())
        })
    }

    /// Whose delivered bundles held a case, by record id. `coordinator`. Also after its withdrawal or erasure.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`].
    pub fn recipients_of(&self, scope: &Scope, case_id: &str) -> Result<Vec<Recipient>, StoreError> {
        require(scope, scope.role().sees_all_cases(), "see who held a case")?;
        let query = delivered_cases::table
            .inner_join(data_requests::table.on(data_requests::request_id.eq(delivered_cases::request_id)))
            .filter(delivered_cases::case_id.eq(case_id))
            .order(data_requests::request_id)
            .select((
                data_requests::request_id,
                data_requests::title,
                data_requests::release_id,
                data_requests::filed_by,
                data_requests::downloads,
            ));
        let rows = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => query.load::<(String, String, String, String, i64)>(c))?)
        })?;
        let recipient = |(request_id, title, release_id, filed_by, downloads)| Recipient {
            request_id,
            title,
            release_id,
            filed_by,
            downloads,
        };
        Ok(rows.into_iter().map(recipient).collect())
    }
}
