//! Withdrawn cases and who held them: releases whose run had the case, delivered bundles of requests.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::Serialize;

use super::Recipient;
use crate::access::Scope;
use crate::storage::cases::{WithdrawalMode, taken_back};
use crate::storage::connection::on_conn;
use crate::storage::store::require;
use crate::storage::tables::{cases, data_requests, delivered_cases, releases, run_evaluations};
use crate::storage::{Store, StoreError};

/// A withdrawn case, or one whose consent to research reuse was taken back, and where it had gone before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldWithdrawn {
    /// The centre that has it.
    pub centre_id: String,
    /// Record id.
    pub case_id: String,
    /// Its pseudonym; `None` once it is erased.
    pub pseudonym: Option<String>,
    /// What was asked; `None` where research reuse alone was taken back: the case stays in the registry.
    pub mode: Option<WithdrawalMode>,
    /// Date of withdrawal; of research reuse the day the registry was told.
    pub date: NaiveDate,
    /// Releases whose run held it, by id.
    pub releases: Vec<String>,
    /// Requests whose delivered bundle held it, by id.
    pub recipients: Vec<Recipient>,
}

/// Centre, record id, pseudonym, mode, date.
type Row = (String, String, Option<String>, Option<String>, Option<NaiveDate>);
/// Record id; request, title, release, filer, downloads.
type Delivered = (String, String, String, String, String, i64);

impl Store {
    /// The last `limit` withdrawn cases, those without research reuse any more among them, newest first, each with the releases and delivered requests that held it. `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`].
    pub fn withdrawn_and_held(&self, scope: &Scope, limit: i64) -> Result<Vec<HeldWithdrawn>, StoreError> {
        require(scope, scope.role().sees_all_cases(), "see who held a case")?;
        let withdrawn = cases::table
            .filter(cases::withdrawal_mode.is_not_null())
            .filter(cases::withdrawn_on.is_not_null())
            .order((cases::withdrawn_on.desc(), cases::centre_id, cases::case_id))
            .limit(limit)
            .select((
                cases::centre_id,
                cases::case_id,
                cases::pseudonym,
                cases::withdrawal_mode,
                cases::withdrawn_on,
            ));
        let reuse_ended = cases::table
            .filter(cases::withdrawal_mode.is_null())
            .filter(cases::reuse_ended_on.is_not_null())
            .order((cases::reuse_ended_on.desc(), cases::centre_id, cases::case_id))
            .limit(limit)
            .select((
                cases::centre_id,
                cases::case_id,
                cases::pseudonym,
                cases::withdrawal_mode,
                cases::reuse_ended_on,
            ));
        let (rows, released, delivered) = self.read(scope, |conn, _| {
            let mut rows = on_conn!(conn, c => withdrawn.load::<Row>(c))?;
            rows.extend(on_conn!(conn, c => reuse_ended.load::<Row>(c))?);
            rows.sort_by(|a, b| b.4.cmp(&a.4).then_with(|| (&a.0, &a.1).cmp(&(&b.0, &b.1))));
            rows.truncate(usize::try_from(limit).unwrap_or_default());
            let ids: Vec<&String> = rows.iter().map(|row| &row.1).collect();
            let released = releases::table
                .inner_join(run_evaluations::table.on(run_evaluations::run.eq(releases::run)))
                .filter(run_evaluations::case_id.eq_any(ids.clone()))
                .select((run_evaluations::case_id, releases::release_id));
            let released = on_conn!(conn, c => released.load::<(String, String)>(c))?;
            let delivered = delivered_cases::table
                .inner_join(
                    data_requests::table.on(data_requests::request_id.eq(delivered_cases::request_id)),
                )
                .filter(delivered_cases::case_id.eq_any(ids))
                .order(data_requests::request_id)
                .select((
                    delivered_cases::case_id,
                    data_requests::request_id,
                    data_requests::title,
                    data_requests::release_id,
                    data_requests::filed_by,
                    data_requests::downloads,
                ));
            let delivered = on_conn!(conn, c => delivered.load::<Delivered>(c))?;
            Ok((rows, released, delivered))
        })?;
        // Of two centres, when the case was transferred between two runs.
        let mut releases: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (case, release) in released {
            releases.entry(case).or_default().insert(release);
        }
        let mut recipients: BTreeMap<String, Vec<Recipient>> = BTreeMap::new();
        for (case, request_id, title, release_id, filed_by, downloads) in delivered {
            recipients.entry(case).or_default().push(Recipient {
                request_id,
                title,
                release_id,
                filed_by,
                downloads,
            });
        }
        let held = |(centre_id, case_id, pseudonym, mode, date): Row| {
            Some(HeldWithdrawn {
                releases: releases
                    .remove(&case_id)
                    .unwrap_or_default()
                    .into_iter()
                    .collect(),
                recipients: recipients.remove(&case_id).unwrap_or_default(),
                centre_id,
                case_id,
                pseudonym,
                mode: mode.map(|mode| match mode == WithdrawalMode::Erase.as_str() {
                    true => WithdrawalMode::Erase,
                    false => WithdrawalMode::NoFurtherUse,
                }),
                date: date?,
            })
        };
        Ok(rows.into_iter().filter_map(held).collect())
    }

    /// Requests whose delivered bundle holds a case withdrawn since, by id. `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`].
    pub fn requests_holding_withdrawn(&self, scope: &Scope) -> Result<Vec<String>, StoreError> {
        require(scope, scope.role().sees_all_cases(), "see who held a case")?;
        let query = delivered_cases::table
            .inner_join(cases::table.on(cases::case_id.eq(delivered_cases::case_id)))
            .filter(taken_back())
            .order(delivered_cases::request_id)
            .select(delivered_cases::request_id)
            .distinct();
        self.read(scope, |conn, _| Ok(on_conn!(conn, c => query.load::<String>(c))?))
    }
}
