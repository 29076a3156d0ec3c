//! Findings as they live: open while a check fires on the current version, answered when the centre has said why a warning stands,
//! resolved once a version no longer fires it.
//!
//! One finding is one identity: the hash of its check and of the elements it read. Rows that change places leave it what it is; a changed
//! element makes another finding of it, and an answer silences nothing but what it was given to.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;

use super::put::{open_reason, sealed_reason};
use super::read::locate;
use super::rows::{CaseRecord, FindingRecord};
use super::{CaseStatus, StoredFinding, StoredSeverity};
use crate::access::{Role, Scope};
use crate::storage::connection::{Conn, on_conn};
use crate::storage::holders::Authors;
use crate::storage::identifiers::{is_text, utc};
use crate::storage::keyring::CaseKey;
use crate::storage::queries;
use crate::storage::store::require;
use crate::storage::tables::{cases, finding_answers, findings};
use crate::storage::transaction::{Event, Tx};
use crate::storage::{Store, StoreError};

/// Where a finding is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// The current version fires it, and nobody has said why that is right.
    Open,
    /// The current version fires it, and the centre has said why it stands.
    Answered,
    /// The current version no longer fires it.
    Resolved,
}

impl FindingState {
    /// As written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            FindingState::Open => "open",
            FindingState::Answered => "answered",
            FindingState::Resolved => "resolved",
        }
    }
}

/// A finding with its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LivingFinding {
    /// As the last version that fired it had it; its pointer leads into that version.
    #[serde(flatten)]
    pub finding: StoredFinding,
    /// Where it is in its life.
    pub state: FindingState,
    /// The first version that fired it.
    pub first_version: i64,
    /// The last version that fired it.
    pub last_version: i64,
    /// Why it stands, if the centre has said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<FindingAnswer>,
}

/// Why a warning stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FindingAnswer {
    /// In the centre's words.
    pub reason: String,
    /// By whom.
    pub actor: String,
    /// When.
    pub answered_at: DateTime<Utc>,
}

#[derive(Clone, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = finding_answers, treat_none_as_default_value = false)]
pub(crate) struct AnswerRecord {
    pub(crate) centre_id: String,
    pub(crate) case_id: String,
    pub(crate) identity: String,
    pub(crate) version: i64,
    pub(crate) reason: String,
    pub(crate) actor: String,
    pub(crate) answered_at: NaiveDateTime,
}

/// The answers given for a case, by the identity of what they answer.
fn answers(conn: &mut Conn, case: &CaseRecord) -> Result<BTreeMap<String, AnswerRecord>, StoreError> {
    let query = finding_answers::table
        .filter(finding_answers::centre_id.eq(&case.centre_id))
        .filter(finding_answers::case_id.eq(&case.case_id));
    let rows = on_conn!(conn, c => query.load::<AnswerRecord>(c))?;
    Ok(rows.into_iter().map(|row| (row.identity.clone(), row)).collect())
}

/// Which of these findings the centre has answered. Asks the database only when there is a warning.
pub(crate) fn answered(
    conn: &mut Conn,
    case: &CaseRecord,
    findings: &[StoredFinding],
) -> Result<BTreeSet<String>, StoreError> {
    if !findings.iter().any(|f| f.severity == StoredSeverity::Warning) {
        return Ok(BTreeSet::new());
    }
    let given = answers(conn, case)?;
    let answered = findings.iter().filter(|f| given.contains_key(&f.identity));
    Ok(answered.map(|f| f.identity.clone()).collect())
}

fn living(
    conn: &mut Conn,
    scope: &Scope,
    case: &CaseRecord,
    key: &CaseKey,
) -> Result<Vec<LivingFinding>, StoreError> {
    let query = findings::table
        .filter(findings::centre_id.eq(&case.centre_id))
        .filter(findings::case_id.eq(&case.case_id))
        .order((findings::version.desc(), findings::position));
    let mut rows = on_conn!(conn, c => query.load::<FindingRecord>(c))?;
    // Of one version first what it fires, then what it fired before it was judged again.
    rows.sort_by_key(|row| (std::cmp::Reverse(row.version), row.dropped_seq.is_some()));
    let given = answers(conn, case)?;
    let authors = Authors::of(conn, scope, case)?;
    let mut found: Vec<LivingFinding> = Vec::new();
    let mut at: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows {
        let version = row.version;
        if let Some(known) = at.get(&row.identity).and_then(|at| found.get_mut(*at)) {
            known.first_version = version;
            continue;
        }
        let answer = given.get(&row.identity).map(|answer| FindingAnswer {
            reason: open_reason(Some(key), &case.centre_id, &case.case_id, &answer.reason)
                .unwrap_or_default(),
            actor: authors.shown(answer.actor.clone(), answer.answered_at),
            answered_at: utc(answer.answered_at),
        });
        let state = match (version == case.version && row.dropped_seq.is_none(), &answer) {
            (false, _) => FindingState::Resolved,
            (true, Some(_)) => FindingState::Answered,
            (true, None) => FindingState::Open,
        };
        at.insert(row.identity.clone(), found.len());
        found.push(LivingFinding {
            finding: row.try_into()?,
            state,
            first_version: version,
            last_version: version,
            answer,
        });
    }
    Ok(found)
}

/// How often a check of severity error fires on cases as they stand now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorsOfCheck {
    pub check: String,
    /// Findings, several to a case.
    pub findings: i64,
    /// Cases that have one.
    pub cases: i64,
}

impl Store {
    /// The findings of severity error by check that the newest versions of the cases within the scope fire, by the check's id; drafts and
    /// withdrawn cases left out, and what no check says. Not audited: it holds counts.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] for a role that sees no case.
    pub fn errors_by_check(&self, scope: &Scope) -> Result<Vec<ErrorsOfCheck>, StoreError> {
        require(scope, scope.role().sees_cases(), "count findings")?;
        let needs_centre = scope.role().needs_centre();
        let own = needs_centre.then(|| scope.centre().unwrap_or_default());
        let counted = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => {
                let current = cases::centre_id
                    .eq(findings::centre_id)
                    .and(cases::case_id.eq(findings::case_id))
                    .and(cases::version.eq(findings::version));
                let mut query = findings::table
                    .inner_join(cases::table.on(current))
                    .filter(findings::severity.eq(StoredSeverity::Error.as_str()))
                    .filter(findings::dropped_seq.is_null())
                    .filter(cases::withdrawal_mode.is_null())
                    .filter(cases::status.ne(CaseStatus::Draft.as_str()))
                    .select((findings::rule, findings::case_id))
                    .into_boxed();
                if let Some(centre) = own {
                    query = query.filter(findings::centre_id.eq(centre));
                }
                query.load::<(Option<String>, String)>(c)
            })?)
        })?;
        let mut found: BTreeMap<String, (i64, BTreeSet<String>)> = BTreeMap::new();
        for (check, case) in counted {
            let Some(check) = check else { continue };
            let (findings, cases) = found.entry(check).or_default();
            *findings += 1;
            cases.insert(case);
        }
        let of_check = |(check, (findings, cases)): (String, (i64, BTreeSet<String>))| ErrorsOfCheck {
            check,
            findings,
            cases: cases.len() as i64,
        };
        Ok(found.into_iter().map(of_check).collect())
    }

    /// Every finding of severity error that the newest versions of a centre's cases fire, with the record id; drafts and withdrawn cases
    /// left out. Not audited: it names elements and says nothing of what stands in them.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] for another centre's.
    pub fn errors_of(&self, scope: &Scope, centre: &str) -> Result<Vec<(String, StoredFinding)>, StoreError> {
        let may = scope.role().sees_cases() && scope.covers(centre);
        require(scope, may, "read the findings of this centre")?;
        let rows = self.read(scope, |conn, _| {
            let current = cases::centre_id
                .eq(findings::centre_id)
                .and(cases::case_id.eq(findings::case_id))
                .and(cases::version.eq(findings::version));
            let query = findings::table
                .inner_join(cases::table.on(current))
                .filter(findings::centre_id.eq(centre))
                .filter(findings::severity.eq(StoredSeverity::Error.as_str()))
                .filter(findings::dropped_seq.is_null())
                .filter(cases::withdrawal_mode.is_null())
                .filter(cases::status.ne(CaseStatus::Draft.as_str()))
                .order((findings::case_id, findings::position))
                .select(findings::all_columns);
            Ok(on_conn!(conn, c => query.load::<FindingRecord>(c))?)
        })?;
        let told = |row: FindingRecord| Ok((row.case_id.clone(), row.try_into()?));
        rows.into_iter().map(told).collect()
    }

    /// The findings of a case with their lives: those of the current version in the order of its verdict, then the resolved ones,
    /// latest first. Audited.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Withdrawn`] once the case is erased.
    pub fn findings(&self, scope: &Scope, pseudonym: &str) -> Result<Vec<LivingFinding>, StoreError> {
        let (case, found) = self.read(scope, |conn, keys| {
            let case = locate(conn, keys, scope, pseudonym)?;
            let key = case.key(keys)?;
            let found = living(conn, scope, &case, &key)?;
            Ok((case, found))
        })?;
        self.record_reading(
            scope,
            Event::new("case.findings").case(&case.centre_id, &case.case_id),
        )?;
        Ok(found)
    }

    /// Says why a warning of the current version stands: it counts no longer until an element it rests on changes. A later answer takes
    /// the place of an earlier one. `submitter`, `centre_lead`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a finding the current version does not fire; [`StoreError::InvalidState`] for one of severity error;
    /// [`StoreError::Invalid`] without a reason; [`StoreError::Withdrawn`].
    pub fn answer_finding(
        &self,
        scope: &Scope,
        pseudonym: &str,
        identity: &str,
        reason: &str,
    ) -> Result<LivingFinding, StoreError> {
        let may = scope.role().needs_centre() || scope.role() == Role::System;
        require(scope, may, "answer findings")?;
        if reason.trim().is_empty() || !is_text(reason, 2000) {
            return Err(StoreError::Invalid(
                "an answer says why the finding stands, in at most 2,000 bytes and without NUL",
            ));
        }
        let (pseudonym, identity) = (pseudonym.to_owned(), identity.to_owned());
        let reason = reason.trim().to_owned();
        self.write(scope, move |tx| {
            let (scope, keys) = (tx.scope.clone(), tx.keys);
            let case = locate(tx.conn()?, keys, &scope, &pseudonym)?;
            if let Some(withdrawal) = case.withdrawal() {
                return Err(StoreError::Withdrawn {
                    erased: withdrawal.mode == super::WithdrawalMode::Erase,
                });
            }
            let key = case.key(keys)?;
            answer_in(tx, &case, &key, &identity, &reason)
        })
    }
}

/// Keeps why a warning of the current version stands, and answers its query with the same words.
pub(crate) fn answer_in(
    tx: &mut Tx<'_>,
    case: &CaseRecord,
    key: &CaseKey,
    identity: &str,
    reason: &str,
) -> Result<LivingFinding, StoreError> {
    let scope = tx.scope.clone();
    let mut finding = living(tx.conn()?, &scope, case, key)?
        .into_iter()
        .find(|found| found.finding.identity == identity && found.state != FindingState::Resolved)
        .ok_or(StoreError::NotFound)?;
    if finding.finding.severity != StoredSeverity::Warning {
        return Err(StoreError::InvalidState(
            "an error is corrected, not answered: what it blocks stays out of the results until then",
        ));
    }
    let record = AnswerRecord {
        centre_id: case.centre_id.clone(),
        case_id: case.case_id.clone(),
        identity: identity.to_owned(),
        version: case.version,
        reason: sealed_reason(tx, key, case, reason)?,
        actor: tx.scope.actor().to_owned(),
        answered_at: tx.now,
    };
    let again = finding_answers::table.find((&case.centre_id, &case.case_id, identity));
    let same = findings::table
        .filter(findings::centre_id.eq(&case.centre_id))
        .filter(findings::case_id.eq(&case.case_id))
        .filter(findings::version.eq(case.version))
        .filter(findings::dropped_seq.is_null())
        .filter(findings::identity.eq(identity));
    let place = cases::table.find((&case.centre_id, &case.case_id));
    on_conn!(tx.conn()?, c => {
        if diesel::update(again).set(&record).execute(c)? == 0 {
            diesel::insert_into(finding_answers::table).values(&record).execute(c)?;
            let silenced = same.count().get_result::<i64>(c)?;
            diesel::update(place).set(cases::warnings.eq(cases::warnings - silenced)).execute(c)?;
        }
    });
    tx.audit(
        Event::new("finding.answer")
            .case(&case.centre_id, &case.case_id)
            .versions(Some(case.version), Some(case.version))
            .reason(Some(record.reason.clone()))
            .detail("identity", identity),
    );
    queries::finding_answered(tx, case, key, identity, reason)?;
    finding.state = FindingState::Answered;
    finding.answer = Some(FindingAnswer {
        reason: reason.to_owned(),
        actor: record.actor,
        answered_at: utc(tx.now),
    });
    Ok(finding)
}

/// The answer to a finding does not settle it: the finding is open and counts again.
pub(crate) fn take_answer_back(tx: &mut Tx<'_>, case: &CaseRecord, identity: &str) -> Result<(), StoreError> {
    let given = finding_answers::table.find((&case.centre_id, &case.case_id, identity));
    let same = findings::table
        .filter(findings::centre_id.eq(&case.centre_id))
        .filter(findings::case_id.eq(&case.case_id))
        .filter(findings::version.eq(case.version))
        .filter(findings::dropped_seq.is_null())
        .filter(findings::identity.eq(identity));
    let place = cases::table.find((&case.centre_id, &case.case_id));
    on_conn!(tx.conn()?, c => {
        if diesel::delete(given).execute(c)? > 0 {
            let counted = same.count().get_result::<i64>(c)?;
            diesel::update(place).set(cases::warnings.eq(cases::warnings + counted)).execute(c)?;
        }
    });
    Ok(())
}
