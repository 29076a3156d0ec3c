//! New cases of a transaction that are not written yet, and what was looked up for them.
//!
//! A first submission needs two answers (is the pseudonym free, does the centre take part) and four rows. Asked and
//! written case by case, the round trips cost more than everything else on PostgreSQL; here the submissions that share
//! a transaction share its questions and its statements too.

use std::collections::{BTreeSet, HashMap};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::StoreError;
use super::cases::rows::{CaseRecord, FindingRecord, VersionRecord};
use super::connection::{Conn, on_conn};
use super::keyring::Keyring;
use super::queries::QueryRecord;
use super::tables::{case_versions, cases, centres, findings, pseudonym_claims, queries};
use super::transaction::context;

/// Cases written by one statement: at most 19 columns each, below SQLite's 32,766 parameters; also the most kept back.
const CASES_A_STATEMENT: usize = 500;
/// Findings written by one statement: 13 columns each.
const FINDINGS_A_STATEMENT: usize = 2_000;
/// Queries written by one statement: 22 columns each.
const QUERIES_A_STATEMENT: usize = 1_000;

/// The first version of a case, with everything that makes it one.
pub(crate) struct NewCase {
    pub(crate) case: CaseRecord,
    pub(crate) version: VersionRecord,
    pub(crate) findings: Vec<FindingRecord>,
    pub(crate) queries: Vec<QueryRecord>,
}

/// New cases in the order they were filed.
#[derive(Default)]
pub(crate) struct Filed {
    written: usize,
    waiting: Vec<NewCase>,
}

impl Filed {
    pub(crate) fn push(&mut self, new: NewCase) {
        self.waiting.push(new);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= CASES_A_STATEMENT
    }

    /// Where the list stands, to come back to with [`Filed::forget_after`] or to [`Filed::write`] up to.
    pub(crate) fn mark(&self) -> usize {
        self.written + self.waiting.len()
    }

    /// Drops the cases filed after `mark`. Those written already were undone by the savepoint made before them.
    pub(crate) fn forget_after(&mut self, mark: usize) {
        if mark < self.written {
            self.written = mark;
            self.waiting.clear();
        } else {
            self.waiting.truncate(mark - self.written);
        }
    }

    /// Writes the cases filed before `mark`; false when there was none. On PostgreSQL in a context of its own: row-level
    /// security lets it add rows of the centres whose submissions these are, and see nothing.
    pub(crate) fn write(&mut self, conn: &mut Conn, keys: &Keyring, mark: usize) -> Result<bool, StoreError> {
        let count = mark.saturating_sub(self.written).min(self.waiting.len());
        if count == 0 {
            return Ok(false);
        }
        let new: Vec<NewCase> = self.waiting.drain(..count).collect();
        self.written += count;
        let named: BTreeSet<&str> = new.iter().map(|new| new.case.centre_id.as_str()).collect();
        let named = named.into_iter().collect::<Vec<_>>().join(",");
        let filing = context(conn, "filing", Some(&named));
        if !filing.is_empty() {
            conn.run(&filing)?;
        }
        for some in new.chunks(CASES_A_STATEMENT) {
            insert(conn, keys, some)?;
        }
        Ok(true)
    }
}

fn insert(conn: &mut Conn, keys: &Keyring, new: &[NewCase]) -> Result<(), StoreError> {
    let claims: Vec<_> = new
        .iter()
        .map(|NewCase { case, .. }| {
            (
                pseudonym_claims::pseudonym_mac.eq(mac(keys, case)),
                pseudonym_claims::centre_id.eq(&case.centre_id),
                pseudonym_claims::case_id.eq(&case.case_id),
                pseudonym_claims::claimed_at.eq(case.created_at),
            )
        })
        .collect();
    let rows: Vec<_> = new.iter().map(|new| &new.case).collect();
    let versions: Vec<_> = new.iter().map(|new| &new.version).collect();
    let found: Vec<_> = new.iter().flat_map(|new| &new.findings).collect();
    let raised: Vec<_> = new.iter().flat_map(|new| &new.queries).collect();
    on_conn!(conn, c => {
        diesel::insert_into(pseudonym_claims::table).values(&claims).execute(c)?;
        diesel::insert_into(cases::table).values(rows).execute(c)?;
        diesel::insert_into(case_versions::table).values(versions).execute(c)?;
        for some in found.chunks(FINDINGS_A_STATEMENT) {
            diesel::insert_into(findings::table).values(some.to_vec()).execute(c)?;
        }
        for some in raised.chunks(QUERIES_A_STATEMENT) {
            diesel::insert_into(queries::table).values(some.to_vec()).execute(c)?;
        }
    });
    Ok(())
}

fn mac(keys: &Keyring, case: &CaseRecord) -> Vec<u8> {
    keys.pseudonym_mac(case.pseudonym.as_deref().unwrap_or_default())
        .to_vec()
}

/// Where a pseudonym is registered: `(centre, case id)`.
type Claim = (String, String);

/// Answers fetched for all submissions of a transaction at once. The audit head is locked before they are asked, so no
/// other writer can make them untrue.
#[derive(Default)]
pub(crate) struct Known {
    claims: HashMap<Vec<u8>, Option<Claim>>,
    active: HashMap<String, bool>,
}

impl Known {
    /// Asks where these pseudonyms (keyed hashes) are registered and which centres take part.
    pub(crate) fn look_up(conn: &mut Conn, macs: &[Vec<u8>]) -> Result<Self, StoreError> {
        let mut known = Self::default();
        for some in macs.chunks(CASES_A_STATEMENT) {
            // The literal keeps the statement from being prepared once for all: the writer's connection lives long, and PostgreSQL's
            // plan from when the table was empty would read it whole for every group.
            let query = pseudonym_claims::table
                .filter(sql::<Bool>("TRUE").and(pseudonym_claims::pseudonym_mac.eq_any(some)))
                .select((
                    pseudonym_claims::pseudonym_mac,
                    pseudonym_claims::centre_id,
                    pseudonym_claims::case_id,
                ));
            let found = on_conn!(conn, c => query.load::<(Vec<u8>, String, String)>(c))?;
            known.claims.extend(some.iter().map(|mac| (mac.clone(), None)));
            let claims = found
                .into_iter()
                .map(|(mac, centre, case)| (mac, Some((centre, case))));
            known.claims.extend(claims);
        }
        if !macs.is_empty() {
            let query = centres::table.select((centres::centre_id, centres::active));
            let all = on_conn!(conn, c => query.load::<(String, bool)>(c))?;
            known.active.extend(all);
        }
        Ok(known)
    }

    /// Before work that may change the answers.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn claimed(&mut self, keys: &Keyring, case: &CaseRecord) {
        let claim = (case.centre_id.clone(), case.case_id.clone());
        self.claims.insert(mac(keys, case), Some(claim));
    }

    /// The claim on a pseudonym; `None` when nobody asked.
    pub(crate) fn claim(&self, mac: &[u8]) -> Option<Option<Claim>> {
        self.claims.get(mac).cloned()
    }

    /// Whether the centre takes part; `None` when nobody asked.
    pub(crate) fn is_active(&self, centre: &str) -> Option<bool> {
        self.active.get(centre).copied()
    }
}
