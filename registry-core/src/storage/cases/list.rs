//! Lists of cases.

use diesel::prelude::*;

use super::rows::CaseRecord;
use super::{CaseFilter, CaseRow};
use crate::access::Scope;
use crate::storage::connection::on_conn;
use crate::storage::page::place;
use crate::storage::store::require;
use crate::storage::tables::cases;
use crate::storage::{Page, Store, StoreError};

impl Store {
    /// One page of cases within the scope, by centre and then oldest record first.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] for a role that sees no case; [`StoreError::BadCursor`] for a cursor that is none.
    pub fn list_cases(
        &self,
        scope: &Scope,
        filter: &CaseFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<CaseRow>, StoreError> {
        require(scope, scope.role().sees_cases(), "list cases")?;
        let after = place(cursor)?;
        let after = after
            .as_deref()
            .map(|place| place.split_once('/').ok_or(StoreError::BadCursor))
            .transpose()?;
        // A centre's scope sees its own cases, whatever the filter asks for.
        let own = scope
            .role()
            .needs_centre()
            .then(|| scope.centre().unwrap_or_default());
        let rows = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => {
                let mut query = cases::table
                    .order((cases::centre_id, cases::case_id))
                    .limit(Page::<CaseRow>::fetch(limit))
                    .into_boxed();
                for centre in own.into_iter().chain(filter.centre.as_deref()) {
                    query = query.filter(cases::centre_id.eq(centre));
                }
                if let Some(status) = filter.status {
                    query = query.filter(cases::status.eq(status.as_str()));
                }
                if let Some(histology) = &filter.histology {
                    query = query.filter(cases::histology_code.eq(histology));
                }
                if let Some(since) = filter.updated_since {
                    query = query.filter(cases::updated_at.ge(since.naive_utc()));
                }
                match filter.has_findings {
                    Some(true) => query = query.filter((cases::errors + cases::warnings).gt(0)),
                    Some(false) => query = query.filter((cases::errors + cases::warnings).eq(0)),
                    None => {}
                }
                match filter.has_errors {
                    Some(true) => query = query.filter(cases::errors.gt(0)),
                    Some(false) => query = query.filter(cases::errors.eq(0)),
                    None => {}
                }
                if !filter.include_withdrawn {
                    query = query.filter(cases::withdrawal_mode.is_null());
                }
                if let Some((centre, case_id)) = after {
                    query = query.filter(
                        cases::centre_id
                            .gt(centre)
                            .or(cases::centre_id.eq(centre).and(cases::case_id.gt(case_id))),
                    );
                }
                query.load::<CaseRecord>(c)
            })?)
        })?;
        let page = Page::cut(rows, limit, |row| format!("{}/{}", row.centre_id, row.case_id));
        let next = page.next;
        Ok(Page {
            items: page
                .items
                .into_iter()
                .map(CaseRow::try_from)
                .collect::<Result<_, _>>()?,
            next,
        })
    }
}
