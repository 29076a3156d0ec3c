//! Stored results: aggregates as the text that was given.

use diesel::prelude::*;

use super::{ResultKey, RunResult, RunStatus};
use crate::access::Scope;
use crate::storage::connection::on_conn;
use crate::storage::store::require;
use crate::storage::tables::results;
use crate::storage::transaction::Event;
use crate::storage::{Store, StoreError};

/// Kinds of results that are computed on demand: other values of a parameter, other rules.
const ON_DEMAND: [&str; 2] = ["sensitivity", "preview"];

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

    /// Adds a result to a finished run: what was computed on demand from its cases.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::InvalidState`] for a run that is not finished, or a kind of the run's own;
    /// [`StoreError::Duplicate`] when it has one of this kind and key.
    pub fn add_run_result(&self, scope: &Scope, run: i64, result: RunResult) -> Result<(), StoreError> {
        require(scope, scope.role().sees_all_cases(), "add results to runs")?;
        if !ON_DEMAND.contains(&result.kind.as_str()) {
            return Err(StoreError::InvalidState(
                "a result of the run itself stays as it is",
            ));
        }
        self.write(scope, move |tx| {
            if super::life::status(tx.conn()?, run)? != RunStatus::Finished {
                return Err(StoreError::InvalidState(
                    "only a finished run takes further results",
                ));
            }
            let row = (
                results::run.eq(run),
                results::kind.eq(&result.kind),
                results::result_key.eq(&result.key),
                results::body.eq(&result.body),
            );
            let place = results::table
                .find((run, &result.kind, &result.key))
                .select(results::run);
            let known = on_conn!(tx.conn()?, c => place.first::<i64>(c)).optional()?;
            if known.is_some() {
                return Err(StoreError::Duplicate("result of the run"));
            }
            on_conn!(tx.conn()?, c => diesel::insert_into(results::table).values(row).execute(c))?;
            let subject = run.to_string();
            tx.audit(
                Event::new("run.add_result")
                    .subject(&subject)
                    .detail("kind", result.kind.as_str())
                    .detail("key", result.key.as_str()),
            );
            Ok(())
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
