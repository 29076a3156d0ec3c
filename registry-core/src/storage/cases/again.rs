//! The current version of a case judged again: a check has changed, or the committee has decided on a histology.
//!
//! No version is made, for nobody has changed the case. Its findings, what is derived from it and the queries of its checks are brought up
//! to the new verdict; a finding it no longer fires is kept beside them as dropped, because its query still shows what it said.

use std::collections::BTreeSet;

use diesel::prelude::*;
use serde::Serialize;

use super::carried::carry;
use super::own::opened;
use super::rows::{CaseRecord, FindingRecord, finding_records, load_case_anywhere};
use super::{Derived, Formerly, OwnCase, StoredFinding, StoredSeverity, living};
use crate::access::{Role, Scope};
use crate::storage::connection::on_conn;
use crate::storage::queries::Following;
use crate::storage::store::require;
use crate::storage::tables::{case_versions, cases, findings};
use crate::storage::transaction::{Event, Tx};
use crate::storage::{Store, StoreError};

/// A fresh verdict on the stored version of a case.
pub struct Rejudged {
    /// Record id.
    pub case_id: String,
    /// The version that was judged.
    pub version: i64,
    /// Computed columns.
    pub derived: Derived,
    /// Findings of severity error and warning.
    pub findings: Vec<StoredFinding>,
    /// Under which other identities they may have been kept.
    pub formerly: Vec<Formerly>,
}

/// What judging everything again came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JudgedAgain {
    /// Cases judged.
    pub cases: usize,
    /// Of these with another verdict than the one that was stored.
    pub changed: usize,
    /// Of these changed by somebody while they were judged: left alone.
    pub overtaken: usize,
    /// Of these that would be refused if they were sent today.
    pub would_be_refused: usize,
}

impl Store {
    /// The next `batch` cases of all centres behind `after` (centre and record id), drafts included, withdrawn ones not: to be judged again.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] for anybody but the registry itself.
    pub fn newest_versions(
        &self,
        scope: &Scope,
        after: (&str, &str),
        batch: usize,
    ) -> Result<Vec<OwnCase>, StoreError> {
        require(scope, scope.role() == Role::System, "judge cases again")?;
        self.read(scope, |conn, keys| {
            let behind = cases::centre_id
                .gt(after.0)
                .or(cases::centre_id.eq(after.0).and(cases::case_id.gt(after.1)));
            let query = cases::table
                .filter(cases::withdrawal_mode.is_null())
                .filter(behind)
                .order((cases::centre_id, cases::case_id))
                .limit(i64::try_from(batch).unwrap_or(i64::MAX));
            let records = on_conn!(conn, c => query.load::<CaseRecord>(c))?;
            opened(conn, keys, records)
        })
    }

    /// Brings cases up to fresh verdicts on their stored versions, in one commit; of each whether anything changed, `None` when it has
    /// another version or is withdrawn meanwhile. Audited where something changed.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] for anybody but the registry itself.
    pub fn rejudge(&self, scope: &Scope, judged: Vec<Rejudged>) -> Result<Vec<Option<bool>>, StoreError> {
        require(scope, scope.role() == Role::System, "judge cases again")?;
        self.write(scope, move |tx| {
            judged.iter().map(|one| rejudged(tx, one)).collect()
        })
    }

    /// Puts on record that everything was judged again, and what came of it.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] for anybody but the registry itself.
    pub fn record_judging(&self, scope: &Scope, came_to: JudgedAgain) -> Result<(), StoreError> {
        require(scope, scope.role() == Role::System, "judge cases again")?;
        self.record_reading(
            scope,
            Event::new("case.rejudge_all")
                .detail("cases", came_to.cases)
                .detail("changed", came_to.changed)
                .detail("overtaken", came_to.overtaken)
                .detail("would_be_refused", came_to.would_be_refused),
        )
    }
}

fn rejudged(tx: &mut Tx<'_>, judged: &Rejudged) -> Result<Option<bool>, StoreError> {
    let case = load_case_anywhere(tx.conn()?, &judged.case_id)?;
    let current = |case: &CaseRecord| case.version == judged.version && case.withdrawal().is_none();
    let Some(case) = case.filter(current) else {
        return Ok(None);
    };
    let events = tx.events();
    judged_again(tx, case, (&judged.derived, &judged.findings, &judged.formerly))?;
    Ok(Some(tx.case_since(events).is_some()))
}

/// Brings the current version of a case up to a verdict; does nothing when it says what is stored.
pub(super) fn judged_again(
    tx: &mut Tx<'_>,
    mut case: CaseRecord,
    (derived, verdict, formerly): (&Derived, &[StoredFinding], &[Formerly]),
) -> Result<CaseRecord, StoreError> {
    carry(tx, &case, formerly, true)?;
    let rows = finding_records(tx.conn()?, &case.centre_id, &case.case_id, case.version)?;
    let stand: Vec<StoredFinding> = rows
        .iter()
        .filter(|row| row.dropped_seq.is_none())
        .map(|row| row.clone().try_into())
        .collect::<Result<_, _>>()?;
    let before = (&case.histology_code, &case.eligibility_class, &case.t0);
    let same = before == (&derived.histology_code, &derived.eligibility_class, &derived.t0);
    if same && stand == verdict {
        return Ok(case);
    }
    let fires: BTreeSet<&str> = verdict.iter().map(|finding| finding.identity.as_str()).collect();
    let gone = |row: &&FindingRecord| !fires.contains(row.identity.as_str());
    let fell = rows
        .iter()
        .filter(|row| row.dropped_seq.is_none())
        .filter(gone)
        .count();
    // What is kept beside the verdict keeps its place; the verdict stands behind it.
    let first = rows
        .iter()
        .filter(gone)
        .map(|row| row.position + 1)
        .max()
        .unwrap_or(0);
    let known: BTreeSet<&str> = stand.iter().map(|finding| finding.identity.as_str()).collect();
    let fresh = verdict
        .iter()
        .filter(|finding| !known.contains(finding.identity.as_str()));
    let answered = living::answered(tx.conn()?, &case, verdict)?;
    let open = |severity: StoredSeverity| {
        let of = verdict.iter().filter(|finding| finding.severity == severity);
        let open = of.filter(|finding| !answered.contains(&finding.identity)).count();
        i64::try_from(open).unwrap_or(i64::MAX)
    };
    case.errors = open(StoredSeverity::Error);
    case.warnings = open(StoredSeverity::Warning);
    case.histology_code.clone_from(&derived.histology_code);
    case.eligibility_class.clone_from(&derived.eligibility_class);
    case.t0.clone_from(&derived.t0);
    let seq = tx.audit(
        Event::new("case.rejudge")
            .case(&case.centre_id, &case.case_id)
            .versions(Some(case.version), Some(case.version))
            .detail("dropped", fell)
            .detail("raised", fresh.count()),
    );
    let place = usize::try_from(first).unwrap_or(0);
    let new: Vec<FindingRecord> = verdict
        .iter()
        .enumerate()
        .map(|(n, finding)| FindingRecord::of(&case, place + n, finding))
        .collect();
    let identities: Vec<&str> = fires.iter().copied().collect();
    on_conn!(tx.conn()?, c => {
        let of_version = || {
            findings::table
                .filter(findings::centre_id.eq(&case.centre_id))
                .filter(findings::case_id.eq(&case.case_id))
                .filter(findings::version.eq(case.version))
        };
        diesel::delete(of_version().filter(findings::identity.eq_any(&identities))).execute(c)?;
        diesel::update(of_version().filter(findings::dropped_seq.is_null()))
            .set(findings::dropped_seq.eq(Some(seq)))
            .execute(c)?;
        if !new.is_empty() {
            diesel::insert_into(findings::table).values(&new).execute(c)?;
        }
        diesel::update(case_versions::table.find((&case.centre_id, &case.case_id, case.version)))
            .set((
                case_versions::errors.eq(case.errors),
                case_versions::warnings.eq(case.warnings),
                case_versions::histology_code.eq(&case.histology_code),
                case_versions::eligibility_class.eq(&case.eligibility_class),
                case_versions::t0.eq(&case.t0),
            ))
            .execute(c)?;
        diesel::update(cases::table.find((&case.centre_id, &case.case_id))).set(&case).execute(c)?;
    });
    let following = Following {
        case: &case,
        before: case.version,
        findings: verdict,
        answered: &answered,
    };
    following.carry_out(tx)?;
    Ok(case)
}
