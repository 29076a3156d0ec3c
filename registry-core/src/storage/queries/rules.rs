//! Queries that edit checks raise: one for each finding identity, going with the finding from version to version.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use super::rows::{self, QueryRecord, REGISTRY};
use super::{QueryClosing, QueryState, QueryStep, RaisedBy};
use crate::storage::StoreError;
use crate::storage::cases::{CaseRecord, CaseStatus, StoredFinding, StoredSeverity};
use crate::storage::connection::on_conn;
use crate::storage::identifiers::new_id;
use crate::storage::tables::{findings as fired, queries};
use crate::storage::transaction::{Event, Tx};
use crate::validation::MAX_FINDINGS;

/// The findings that query the record: those of edit checks of severity warning. Which checks those are is data (`schema/checks`).
fn querying(findings: &[StoredFinding]) -> BTreeMap<&str, &StoredFinding> {
    let warns = |f: &&StoredFinding| f.severity == StoredSeverity::Warning && f.rule.is_some();
    let mut one_each = BTreeMap::new();
    for finding in findings.iter().filter(warns) {
        one_each.entry(finding.identity.as_str()).or_insert(finding);
    }
    one_each
}

fn raised(tx: &Tx<'_>, case: &CaseRecord, finding: &StoredFinding, answered: bool) -> QueryRecord {
    let state = if answered {
        QueryState::Answered
    } else {
        QueryState::Open
    };
    QueryRecord {
        centre_id: case.centre_id.clone(),
        query_id: new_id(tx.now, tx.entropy),
        case_id: case.case_id.clone(),
        raised: RaisedBy::Rule.as_str().to_owned(),
        identity: Some(finding.identity.clone()),
        rule: finding.rule.clone(),
        rule_version: finding.rule_version.clone(),
        pointer: None,
        elements: serde_json::to_string(&finding.elements).unwrap_or_else(|_| "[]".to_owned()),
        version: case.version,
        last_version: None,
        state: state.as_str().to_owned(),
        reopened: 0,
        opened_at: tx.now,
        opened_by: REGISTRY.to_owned(),
        asked_at: tx.now,
        answered_at: None,
        closed_at: None,
        closed_by: None,
        closing: None,
        messages: 0,
        updated_at: tx.now,
    }
}

/// The queries of a new case's first version. A draft raises none.
pub(crate) fn raised_by_checks(
    tx: &Tx<'_>,
    case: &CaseRecord,
    status: CaseStatus,
    findings: &[StoredFinding],
) -> Vec<QueryRecord> {
    if status == CaseStatus::Draft {
        return Vec::new();
    }
    let all = querying(findings).into_values();
    all.map(|finding| raised(tx, case, finding, false)).collect()
}

/// What a new version makes of the queries of a case.
#[derive(Default)]
struct Change {
    new: Vec<QueryRecord>,
    changed: Vec<QueryRecord>,
    entries: Vec<rows::MessageRecord>,
    closed: usize,
    came_back: usize,
}

/// Brings the rules' queries of a case up to its new version: raises what fires for the first time, closes what no longer fires, opens again
/// what fires once more. What people have settled stays settled for as long as the finding is the same.
pub(crate) struct Following<'a> {
    /// The case at its new version.
    pub(crate) case: &'a CaseRecord,
    /// The version before.
    pub(crate) before: i64,
    pub(crate) findings: &'a [StoredFinding],
    /// Identities that the centre has answered.
    pub(crate) answered: &'a BTreeSet<String>,
}

impl Following<'_> {
    pub(crate) fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        if self.case.status()? == CaseStatus::Draft {
            return Ok(());
        }
        let of_rules = queries::table
            .filter(queries::centre_id.eq(&self.case.centre_id))
            .filter(queries::case_id.eq(&self.case.case_id))
            .filter(queries::identity.is_not_null())
            .order(queries::query_id);
        let there = on_conn!(tx.conn()?, c => of_rules.load::<QueryRecord>(c))?;
        let change = self.change(tx, there)?;
        if change.new.is_empty() && change.changed.is_empty() {
            return Ok(());
        }
        rows::insert(tx, &change.new)?;
        rows::write(tx, &change.changed, &change.entries)?;
        tx.audit(
            Event::new("query.follow")
                .case(&self.case.centre_id, &self.case.case_id)
                .versions(Some(self.before), Some(self.case.version))
                .detail("raised", change.new.len())
                .detail("closed", change.closed)
                .detail("came_back", change.came_back),
        );
        Ok(())
    }

    fn change(&self, tx: &Tx<'_>, there: Vec<QueryRecord>) -> Result<Change, StoreError> {
        let mut change = Change::default();
        let mut fires = querying(self.findings);
        // A verdict lists so many findings and counts the rest: what is not listed may fire all the same.
        let all_listed = self.findings.len() < MAX_FINDINGS;
        for mut query in there {
            let identity = query.identity.clone().unwrap_or_default();
            let standing = query.standing()?;
            match (fires.remove(identity.as_str()), query.last_version) {
                (Some(_), None) => continue,
                (Some(_), Some(_)) => {
                    query.last_version = None;
                    if standing.closing == Some(QueryClosing::Resolved) {
                        query.open_again(tx.now);
                        if self.answered.contains(&identity) {
                            query.state = QueryState::Answered.as_str().to_owned();
                        }
                        let entry = query.entry_of_the_registry(tx.now, QueryStep::CameBack);
                        change.entries.push(entry);
                        change.came_back += 1;
                    }
                }
                (None, last) => {
                    let closes = all_listed && standing.state != QueryState::Closed;
                    if last.is_some() && !closes {
                        continue;
                    }
                    query.last_version = last.or(Some(self.before));
                    if closes {
                        query.close(tx.now, REGISTRY, QueryClosing::Resolved);
                        let entry = query.entry_of_the_registry(tx.now, QueryStep::Resolved);
                        change.entries.push(entry);
                        change.closed += 1;
                    }
                }
            }
            change.changed.push(query);
        }
        let new = fires.into_iter();
        change.new = new
            .map(|(identity, finding)| raised(tx, self.case, finding, self.answered.contains(identity)))
            .collect();
        Ok(change)
    }
}

/// Closes every query of a case whose patient has withdrawn consent.
pub(crate) fn close_for_consent(tx: &mut Tx<'_>, case: &CaseRecord) -> Result<(), StoreError> {
    let last = fired::table
        .filter(fired::centre_id.eq(&case.centre_id))
        .filter(fired::case_id.eq(&case.case_id))
        .group_by(fired::identity)
        .select((fired::identity, diesel::dsl::max(fired::version)));
    let all = rows::of_case(tx.conn()?, &case.centre_id, &case.case_id)?;
    if all.is_empty() {
        return Ok(());
    }
    let last = on_conn!(tx.conn()?, c => last.load::<(String, Option<i64>)>(c))?;
    let last: BTreeMap<String, Option<i64>> = last.into_iter().collect();
    let (mut changed, mut entries) = (Vec::new(), Vec::new());
    for mut query in all {
        let fires = query.identity.is_some() && query.last_version.is_none();
        if fires && let Some(identity) = &query.identity {
            query.last_version = last.get(identity).copied().flatten();
        }
        if query.state()? != QueryState::Closed {
            query.close(tx.now, REGISTRY, QueryClosing::ConsentWithdrawn);
            entries.push(query.entry_of_the_registry(tx.now, QueryStep::ConsentWithdrawn));
        }
        changed.push(query);
    }
    rows::write(tx, &changed, &entries)
}
