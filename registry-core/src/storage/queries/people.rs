//! Queries that people raise, and what they do to any.

use diesel::prelude::*;

use super::read::thread;
use super::rows::{self, QueryRecord};
use super::steps;
use super::{
    NewQuery, QueryAction, QueryClosing, QueryMove, QuerySide, QueryState, QueryStep, QueryThread, RaisedBy,
};
use crate::access::Scope;
use crate::intake::is_plain;
use crate::storage::cases::{
    CaseRecord, CaseStatus, WithdrawalMode, answer_in, load_case, load_version, locate, take_answer_back,
};
use crate::storage::connection::{Conn, on_conn};
use crate::storage::idempotency::{self, Earlier};
use crate::storage::identifiers::{is_text, is_visible, new_id};
use crate::storage::keyring::CaseKey;
use crate::storage::store::require;
use crate::storage::tables::queries;
use crate::storage::transaction::{Event, Tx};
use crate::storage::{Store, StoreError};

/// Text as it is kept: on one line, without what cannot be seen.
fn words(text: &str) -> Result<String, StoreError> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !is_text(&line, 2000) || !is_plain(&line) {
        return Err(StoreError::Invalid(
            "a text has at most 2,000 bytes and no control characters",
        ));
    }
    Ok(line)
}

/// The query of this id, if the scope may see its case.
pub(super) fn find(
    conn: &mut Conn,
    scope: &Scope,
    id: &str,
) -> Result<(QueryRecord, CaseRecord), StoreError> {
    require(scope, scope.role().sees_cases(), "see queries")?;
    if !is_visible(id, 64) {
        return Err(StoreError::NotFound);
    }
    let place = queries::table.filter(queries::query_id.eq(id));
    let query = on_conn!(conn, c => place.first::<QueryRecord>(c)).optional()?;
    let query = query
        .filter(|query| scope.covers(&query.centre_id))
        .ok_or(StoreError::NotFound)?;
    let case = load_case(conn, &query.centre_id, &query.case_id)?.ok_or(StoreError::NotFound)?;
    Ok((query, case))
}

fn still_takes_part(case: &CaseRecord) -> Result<(), StoreError> {
    match case.withdrawal() {
        None => Ok(()),
        Some(withdrawal) => Err(StoreError::Withdrawn {
            erased: withdrawal.mode == WithdrawalMode::Erase,
        }),
    }
}

impl Store {
    /// Raises a query on a case: the coordinating office asks the centre, a centre the office. Audited.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::InvalidState`] for a draft; [`StoreError::Withdrawn`]; [`StoreError::Invalid`] without a
    /// text, or for a pointer to a row that the case does not have.
    pub fn raise_query(&self, scope: &Scope, new: NewQuery) -> Result<QueryThread, StoreError> {
        require(scope, scope.role().sees_cases(), "raise queries")?;
        let text = words(&new.text)?;
        if text.is_empty() {
            return Err(StoreError::Invalid(
                "a query says what is asked, in 1 to 2,000 bytes",
            ));
        }
        for (given, longest) in [(&new.pointer, 200), (&new.element, 100), (&new.rule, 64)] {
            if given.as_ref().is_some_and(|given| !is_visible(given, longest)) {
                return Err(StoreError::Invalid(
                    "pointer, element and rule are visible ASCII: at most 200, 100 and 64 characters",
                ));
            }
        }
        self.write(scope, move |tx| raise_in(tx, &new, &text))
    }

    /// Says something in a query, closes it or reopens it. Words of the centre on a rule's query also answer its finding; reopening one takes
    /// that answer back. Audited.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::InvalidState`] says what can be done instead; [`StoreError::Invalid`] where words are needed.
    pub fn move_query(&self, scope: &Scope, id: &str, asked: QueryMove) -> Result<QueryThread, StoreError> {
        require(scope, scope.role().sees_cases(), "answer queries")?;
        let text = words(asked.text.as_deref().unwrap_or_default())?;
        let id = id.to_owned();
        self.write(scope, move |tx| move_in(tx, &id, &asked, &text))
    }
}

fn raise_in(tx: &mut Tx<'_>, new: &NewQuery, text: &str) -> Result<QueryThread, StoreError> {
    if let Some(given) = &new.idempotency
        && let Some(Earlier { outcome, answer }) = idempotency::earlier::<_, QueryThread>(tx, given)?
    {
        return Ok(QueryThread {
            replay: Some(answer),
            ..outcome
        });
    }
    let (scope, keys) = (tx.scope.clone(), tx.keys);
    let case = locate(tx.conn()?, keys, &scope, &new.pseudonym)?;
    still_takes_part(&case)?;
    if case.status()? == CaseStatus::Draft {
        return Err(StoreError::InvalidState(
            "a draft is its centre's own: raise the query once the case is submitted",
        ));
    }
    let key = case.key(keys)?;
    if let Some(pointer) = &new.pointer {
        has_row(tx, &case, &key, pointer)?;
    }
    let raised = match QuerySide::of(scope.role()) {
        QuerySide::Centre => RaisedBy::Centre,
        QuerySide::Office => RaisedBy::Office,
    };
    let mut query = QueryRecord {
        centre_id: case.centre_id.clone(),
        query_id: new_id(tx.now, tx.entropy),
        case_id: case.case_id.clone(),
        raised: raised.as_str().to_owned(),
        identity: None,
        rule: new.rule.clone(),
        rule_version: None,
        pointer: new.pointer.clone(),
        elements: serde_json::to_string(&new.element.iter().collect::<Vec<_>>())
            .map_err(|_| StoreError::Internal("writing the elements of a query".to_owned()))?,
        version: case.version,
        last_version: None,
        state: QueryState::Open.as_str().to_owned(),
        reopened: 0,
        opened_at: tx.now,
        opened_by: scope.actor().to_owned(),
        asked_at: tx.now,
        answered_at: None,
        closed_at: None,
        closed_by: None,
        closing: None,
        messages: 0,
        updated_at: tx.now,
    };
    let entry = query.entry(tx, QueryStep::Raised, Some((&key, text)))?;
    rows::insert(tx, std::slice::from_ref(&query))?;
    rows::write(tx, &[], &[entry])?;
    audit(tx, "query.raise", &query, QueryStep::Raised);
    finish(tx, query, case, new.idempotency.as_ref())
}

/// A pointer into a repeated section names a row that is there; what is missing in it may be asked for.
fn has_row(tx: &mut Tx<'_>, case: &CaseRecord, key: &CaseKey, pointer: &str) -> Result<(), StoreError> {
    let mut parts = pointer.trim_start_matches('/').split('/');
    let (Some(section), Some(row)) = (parts.next(), parts.next()) else {
        return Ok(());
    };
    if row.parse::<usize>().is_err() {
        return Ok(());
    }
    let document = load_version(tx.conn()?, case, case.version)?.open(key)?;
    match document.pointer(&format!("/{section}/{row}")) {
        Some(_) => Ok(()),
        None => Err(StoreError::Invalid(
            "pointer: the current version of the case does not have this row",
        )),
    }
}

fn move_in(tx: &mut Tx<'_>, id: &str, asked: &QueryMove, text: &str) -> Result<QueryThread, StoreError> {
    if let Some(given) = &asked.idempotency
        && let Some(Earlier { outcome, answer }) = idempotency::earlier::<_, QueryThread>(tx, given)?
    {
        return Ok(QueryThread {
            replay: Some(answer),
            ..outcome
        });
    }
    let scope = tx.scope.clone();
    let (mut query, case) = find(tx.conn()?, &scope, id)?;
    still_takes_part(&case)?;
    let standing = query.standing()?;
    let side = QuerySide::of(scope.role());
    let (state, step) = steps::step(standing, side, asked.action, !text.is_empty())?;
    let key = case.key(tx.keys)?;
    let said = (!text.is_empty()).then_some((&key, text));
    if step == QueryStep::Answered
        && let Some(identity) = query.identity.clone()
    {
        answer_in(tx, &case, &key, &identity, text)?;
        audit(tx, "query.message", &query, step);
        let (query, case) = find(tx.conn()?, &scope, id)?;
        return finish(tx, query, case, asked.idempotency.as_ref());
    }
    match state {
        QueryState::Answered => query.answer(tx.now),
        QueryState::Open if step == QueryStep::Reopened => {
            query.open_again(tx.now);
            if let Some(identity) = &query.identity {
                take_answer_back(tx, &case, identity)?;
            }
        }
        QueryState::Open => {}
        QueryState::Closed => {
            let why = if step == QueryStep::TakenBack {
                QueryClosing::TakenBack
            } else {
                QueryClosing::Accepted
            };
            query.close(tx.now, scope.actor(), why);
        }
    }
    let entry = query.entry(tx, step, said)?;
    rows::write(tx, std::slice::from_ref(&query), &[entry])?;
    let action = match asked.action {
        QueryAction::Message => "query.message",
        QueryAction::Close => "query.close",
        QueryAction::Reopen => "query.reopen",
    };
    audit(tx, action, &query, step);
    finish(tx, query, case, asked.idempotency.as_ref())
}

fn audit(tx: &mut Tx<'_>, action: &str, query: &QueryRecord, step: QueryStep) {
    tx.audit(
        Event::new(action)
            .case(&query.centre_id, &query.case_id)
            .subject(&query.query_id)
            .detail("raised_by", query.raised.as_str())
            .detail("step", step.as_str()),
    );
}

fn finish(
    tx: &mut Tx<'_>,
    query: QueryRecord,
    case: CaseRecord,
    given: Option<&idempotency::Idempotency<QueryThread>>,
) -> Result<QueryThread, StoreError> {
    let (scope, keys) = (tx.scope.clone(), tx.keys);
    let case_id = case.case_id.clone();
    let done = thread(tx.conn()?, keys, &scope, query, case)?;
    if let Some(given) = given {
        idempotency::keep(tx, given, &done, Some(&case_id))?;
    }
    Ok(done)
}

/// The centre has said why a finding stands: its query, if there is one, is answered with the same words.
pub(crate) fn finding_answered(
    tx: &mut Tx<'_>,
    case: &CaseRecord,
    key: &CaseKey,
    identity: &str,
    reason: &str,
) -> Result<(), StoreError> {
    let place = queries::table
        .filter(queries::centre_id.eq(&case.centre_id))
        .filter(queries::case_id.eq(&case.case_id))
        .filter(queries::identity.eq(identity));
    let there = on_conn!(tx.conn()?, c => place.first::<QueryRecord>(c)).optional()?;
    let Some(mut query) = there else { return Ok(()) };
    if query.state()? != QueryState::Closed {
        query.answer(tx.now);
    }
    let entry = query.entry(tx, QueryStep::Answered, Some((key, reason)))?;
    rows::write(tx, &[query], &[entry])
}
