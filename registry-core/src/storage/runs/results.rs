//! Stored results: aggregates as the text that was given.

use diesel::prelude::*;

use super::ResultKey;
use crate::access::Scope;
use crate::storage::connection::on_conn;
use crate::storage::tables::results;
use crate::storage::{Store, StoreError};

impl Store {
    /// One result as the JSON text that was stored. Who may read which run is decided by the caller.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn run_result(&self, scope: &Scope, run: i64, kind: &str, key: &str) -> Result<String, StoreError> {
        let query = results::table.find((run, kind, key)).select(results::body);
        self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => query.first::<String>(c))?)
        })
    }

    /// Which results a run has, by kind and key.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn run_results(&self, scope: &Scope, run: i64) -> Result<Vec<ResultKey>, StoreError> {
        let query = results::table
            .filter(results::run.eq(run))
            .order((results::kind, results::result_key))
            .select((results::kind, results::result_key));
        let rows = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => query.load::<(String, String)>(c))?)
        })?;
        Ok(rows
            .into_iter()
            .map(|(kind, key)| ResultKey { kind, key })
            .collect())
    }
}
