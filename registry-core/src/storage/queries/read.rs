//! Reading queries: one with its history, lists, how many wait, how long they took.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDateTime};
use diesel::dsl::{count, count_star};
use diesel::prelude::*;

use super::people::find;
use super::rows::{self, MessageRecord, QueryRecord, read};
use super::steps::possible;
use super::{
    DataQuery, QueriesOfAll, QueriesWaiting, QueryClosing, QueryEntry, QueryFilter, QuerySide, QueryState,
    QueryStep, QueryThread, QueryTimes, RaisedBy,
};
use crate::access::Scope;
use crate::storage::cases::CaseRecord;
use crate::storage::connection::{Conn, on_conn};
use crate::storage::holders::Authors;
use crate::storage::identifiers::{is_visible, utc};
use crate::storage::keyring::{CaseKey, Keyring};
use crate::storage::page::place;
use crate::storage::store::require;
use crate::storage::tables::{cases, findings, queries, query_messages};
use crate::storage::transaction::Event;
use crate::storage::{Page, Store, StoreError};

/// Where the next page starts: opened, centre, id.
struct Place<'a>(NaiveDateTime, &'a str, &'a str);

impl<'a> Place<'a> {
    fn read(cursor: &'a str) -> Option<Self> {
        let mut parts = cursor.splitn(3, '/');
        let micros = parts.next()?.parse().ok()?;
        let opened = DateTime::from_timestamp_micros(micros)?.naive_utc();
        let (centre, id) = (parts.next()?, parts.next()?);
        (is_visible(centre, 64) && is_visible(id, 64)).then_some(Self(opened, centre, id))
    }

    fn after(query: &QueryRecord) -> String {
        let micros = query.opened_at.and_utc().timestamp_micros();
        format!("{micros}/{}/{}", query.centre_id, query.query_id)
    }
}

/// What stands in the stored list of elements when it names this one, or one of this section.
fn naming(element: &str) -> (String, String) {
    let literal = element
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    (format!("%\"{literal}\"%"), format!("%\"{literal}.%"))
}

impl Store {
    /// A query with its history. Audited.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also for one of another centre.
    pub fn query(&self, scope: &Scope, id: &str) -> Result<QueryThread, StoreError> {
        let found = self.read(scope, |conn, keys| {
            let (query, case) = find(conn, scope, id)?;
            thread(conn, keys, scope, query, case)
        })?;
        let event = Event::new("query.read")
            .case(&found.query.centre, &found.query.case_id)
            .subject(id);
        self.record_reading(scope, event)?;
        Ok(found)
    }

    /// One page of queries within the scope, longest there first; those of withdrawn cases are left out. Audited: it says what is asked.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] for a role that sees no case; [`StoreError::BadCursor`]; [`StoreError::Invalid`] for a filter that is none.
    pub fn list_queries(
        &self,
        scope: &Scope,
        filter: &QueryFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<DataQuery>, StoreError> {
        require(scope, scope.role().sees_cases(), "list queries")?;
        let after = place(cursor)?;
        let after = after
            .as_deref()
            .map(|place| Place::read(place).ok_or(StoreError::BadCursor))
            .transpose()?;
        let given = [&filter.centre, &filter.case, &filter.rule, &filter.element];
        if given.into_iter().flatten().any(|text| !is_visible(text, 200)) {
            return Err(StoreError::Invalid(
                "a filter is visible ASCII, at most 200 characters",
            ));
        }
        let (items, next) = self.read(scope, |conn, keys| {
            let rows = load(conn, scope, filter, after.as_ref(), Page::<()>::fetch(limit))?;
            let page = Page::cut(rows, limit, |(query, _)| Place::after(query));
            Ok((shown(conn, keys, scope, &page.items)?, page.next))
        })?;
        self.record_reading(scope, Event::new("query.list").detail("queries", items.len()))?;
        Ok(Page { items, next })
    }

    /// How many queries wait, by centre; centres without any are not in it. Not audited: it holds counts.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] for a role that sees no case.
    pub fn queries_waiting(&self, scope: &Scope) -> Result<BTreeMap<String, QueriesWaiting>, StoreError> {
        require(scope, scope.role().sees_cases(), "count queries")?;
        let own = own(scope);
        let counted = self.read(scope, |conn, _| {
            let by = (queries::centre_id, queries::state, queries::raised);
            Ok(on_conn!(conn, c => {
                let mut all = queries::table
                    .group_by(by)
                    .select((queries::centre_id, queries::state, queries::raised, count_star()))
                    .filter(queries::state.ne(QueryState::Closed.as_str()))
                    .into_boxed();
                if let Some(centre) = own {
                    all = all.filter(queries::centre_id.eq(centre));
                }
                all.load::<(String, String, String, i64)>(c)
            })?)
        })?;
        let mut by_centre: BTreeMap<String, QueriesWaiting> = BTreeMap::new();
        for (centre, state, raised, n) in counted {
            let (state, raised) = (read(&state, QueryState::parse)?, read(&raised, RaisedBy::parse)?);
            let waiting = by_centre.entry(centre).or_default();
            waiting.unsettled += n;
            if state == QueryState::Open {
                waiting.open += n;
            }
            match state.waits_for(raised) {
                Some(QuerySide::Centre) => waiting.for_centre += n,
                Some(QuerySide::Office) => waiting.for_office += n,
                None => {}
            }
        }
        Ok(by_centre)
    }

    /// How many queries of all centres are not closed, and of how many cases they are. Not audited: it holds counts.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] for a role that does not see the cases of every centre.
    pub fn queries_of_all(&self, scope: &Scope) -> Result<QueriesOfAll, StoreError> {
        require(
            scope,
            scope.role().sees_all_cases(),
            "count the queries of all centres",
        )?;
        let (unsettled, cases) = self.read(scope, |conn, _| {
            let counted = queries::table
                .filter(queries::state.ne(QueryState::Closed.as_str()))
                .select((count_star(), count(queries::case_id).aggregate_distinct()));
            Ok(on_conn!(conn, c => counted.first::<(i64, i64)>(c))?)
        })?;
        Ok(QueriesOfAll { unsettled, cases })
    }

    /// Every query within the scope without its words, for statistics; those of withdrawn cases are left out.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] for a role that sees no case.
    pub fn query_times(&self, scope: &Scope) -> Result<Vec<QueryTimes>, StoreError> {
        require(scope, scope.role().sees_cases(), "count queries")?;
        let own = own(scope);
        let rows = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => {
                let case = cases::centre_id.eq(queries::centre_id).and(cases::case_id.eq(queries::case_id));
                let mut all = queries::table
                    .inner_join(cases::table.on(case))
                    .select(TimesRecord::as_select())
                    .filter(cases::withdrawal_mode.is_null())
                    .order((queries::centre_id, queries::query_id))
                    .into_boxed();
                if let Some(centre) = own {
                    all = all.filter(queries::centre_id.eq(centre));
                }
                all.load::<TimesRecord>(c)
            })?)
        })?;
        let times = |query: TimesRecord| {
            Ok(QueryTimes {
                raised_by: read(&query.raised, RaisedBy::parse)?,
                state: read(&query.state, QueryState::parse)?,
                closing: query
                    .closing
                    .map(|text| read(&text, QueryClosing::parse))
                    .transpose()?,
                centre: query.centre_id,
                case_id: query.case_id,
                rule: query.rule,
                reopened: query.reopened,
                asked_at: utc(query.asked_at),
                answered_at: query.answered_at.map(utc),
                closed_at: query.closed_at.map(utc),
            })
        };
        rows.into_iter().map(times).collect()
    }
}

/// The columns of a query that its times are in.
#[derive(Queryable, Selectable)]
#[diesel(table_name = queries)]
struct TimesRecord {
    centre_id: String,
    case_id: String,
    raised: String,
    rule: Option<String>,
    state: String,
    reopened: i64,
    asked_at: NaiveDateTime,
    answered_at: Option<NaiveDateTime>,
    closed_at: Option<NaiveDateTime>,
    closing: Option<String>,
}

/// A centre's scope sees its own, whatever is asked for.
fn own(scope: &Scope) -> Option<&str> {
    scope
        .role()
        .needs_centre()
        .then(|| scope.centre().unwrap_or_default())
}

fn load(
    conn: &mut Conn,
    scope: &Scope,
    filter: &QueryFilter,
    after: Option<&Place<'_>>,
    fetch: i64,
) -> Result<Vec<(QueryRecord, CaseRecord)>, StoreError> {
    let side = |side: QuerySide| {
        let asked = |raised: &&RaisedBy| raised.answers() == side;
        let (answering, asking): (Vec<_>, Vec<_>) = RaisedBy::ALL.iter().partition(asked);
        let names = |all: Vec<&RaisedBy>| all.into_iter().map(|one| one.as_str()).collect::<Vec<_>>();
        (names(answering), names(asking))
    };
    Ok(on_conn!(conn, c => {
        let case = cases::centre_id.eq(queries::centre_id).and(cases::case_id.eq(queries::case_id));
        let mut query = queries::table
            .inner_join(cases::table.on(case))
            .select((queries::all_columns, cases::all_columns))
            .filter(cases::withdrawal_mode.is_null())
            .order((queries::opened_at, queries::centre_id, queries::query_id))
            .limit(fetch)
            .into_boxed();
        for centre in own(scope).into_iter().chain(filter.centre.as_deref()) {
            query = query.filter(queries::centre_id.eq(centre));
        }
        if let Some(pseudonym) = &filter.case {
            query = query.filter(cases::pseudonym.eq(pseudonym));
        }
        if !filter.states.is_empty() {
            query = query.filter(queries::state.eq_any(filter.states.iter().map(|s| s.as_str())));
        }
        if !filter.raised_by.is_empty() {
            query = query.filter(queries::raised.eq_any(filter.raised_by.iter().map(|r| r.as_str())));
        }
        if let Some((answering, asking)) = filter.waits_for.map(side) {
            let open = queries::state.eq(QueryState::Open.as_str()).and(queries::raised.eq_any(answering));
            let answered = queries::state.eq(QueryState::Answered.as_str()).and(queries::raised.eq_any(asking));
            query = query.filter(open.or(answered));
        }
        if let Some(rule) = &filter.rule {
            query = query.filter(queries::rule.eq(rule));
        }
        if let Some((itself, inside)) = filter.element.as_deref().map(naming) {
            let itself = queries::elements.like(itself).escape('\\');
            query = query.filter(itself.or(queries::elements.like(inside).escape('\\')));
        }
        if let Some(since) = filter.updated_since {
            query = query.filter(queries::updated_at.ge(since.naive_utc()));
        }
        if let Some(Place(opened, centre, id)) = after {
            let later = queries::opened_at.gt(*opened);
            let same = queries::opened_at.eq(*opened).and(
                queries::centre_id
                    .gt(*centre)
                    .or(queries::centre_id.eq(*centre).and(queries::query_id.gt(*id))),
            );
            query = query.filter(later.or(same));
        }
        query.load::<(QueryRecord, CaseRecord)>(c)
    })?)
}

/// The version that fired the finding of a rule's query.
fn fired_at(query: &QueryRecord, case: &CaseRecord) -> i64 {
    query.last_version.unwrap_or(case.version)
}

/// Where a finding is: centre, case, version, identity.
type At = (String, String, i64, String);

/// What the checks say: pointer and message of the findings behind rules' queries.
fn said_by_checks(
    conn: &mut Conn,
    rows: &[(QueryRecord, CaseRecord)],
) -> Result<HashMap<At, (String, String)>, StoreError> {
    let of_rules = rows.iter().filter(|(query, _)| query.identity.is_some());
    let wanted: Vec<_> = of_rules
        .map(|(query, case)| (query, fired_at(query, case)))
        .collect();
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let unique = |mut all: Vec<String>| {
        all.sort_unstable();
        all.dedup();
        all
    };
    let centres = unique(wanted.iter().map(|(q, _)| q.centre_id.clone()).collect());
    let ids = unique(wanted.iter().map(|(q, _)| q.case_id.clone()).collect());
    let identities = unique(wanted.iter().filter_map(|(q, _)| q.identity.clone()).collect());
    let mut versions: Vec<i64> = wanted.iter().map(|(_, version)| *version).collect();
    versions.sort_unstable();
    versions.dedup();
    let found = findings::table
        .filter(findings::centre_id.eq_any(&centres))
        .filter(findings::case_id.eq_any(&ids))
        .filter(findings::version.eq_any(&versions))
        .filter(findings::identity.eq_any(&identities))
        .order(findings::position.desc())
        .select((
            (
                findings::centre_id,
                findings::case_id,
                findings::version,
                findings::identity,
            ),
            (findings::pointer, findings::message),
        ));
    // Of equal findings the first: it is read last.
    let rows = on_conn!(conn, c => found.load::<(At, (String, String))>(c))?;
    Ok(rows.into_iter().collect())
}

/// Queries as they are shown, with what is asked.
fn shown(
    conn: &mut Conn,
    keys: &Keyring,
    scope: &Scope,
    rows: &[(QueryRecord, CaseRecord)],
) -> Result<Vec<DataQuery>, StoreError> {
    let checks = said_by_checks(conn, rows)?;
    let by_people = rows.iter().filter(|(query, _)| query.identity.is_none());
    let ids: Vec<&str> = by_people.map(|(query, _)| query.query_id.as_str()).collect();
    let mut asked: HashMap<String, MessageRecord> = HashMap::new();
    if !ids.is_empty() {
        let first = query_messages::table
            .filter(query_messages::query_id.eq_any(&ids))
            .filter(query_messages::position.eq(1));
        let first = on_conn!(conn, c => first.load::<MessageRecord>(c))?;
        asked.extend(
            first
                .into_iter()
                .map(|message| (message.query_id.clone(), message)),
        );
    }
    rows.iter()
        .map(|(query, case)| {
            let (pointer, question) = match &query.identity {
                Some(identity) => {
                    let version = fired_at(query, case);
                    let at = (
                        query.centre_id.clone(),
                        query.case_id.clone(),
                        version,
                        identity.clone(),
                    );
                    let (pointer, message) = checks.get(&at).cloned().unzip();
                    (pointer, message)
                }
                None => {
                    let message = asked.get(&query.query_id);
                    let words = message
                        .map(|message| message.open(query, &case.key(keys)?))
                        .transpose()?;
                    (query.pointer.clone(), words.flatten())
                }
            };
            let mut one = one(query, case, pointer, question.unwrap_or_default())?;
            if one.raised_by == RaisedBy::Centre {
                let authors = Authors::of(conn, scope, case)?;
                one.opened_by = authors.shown(one.opened_by, query.opened_at);
                if one.closing == Some(QueryClosing::TakenBack) {
                    let closed = one.closed_by.zip(query.closed_at);
                    one.closed_by = closed.map(|(by, at)| authors.shown(by, at));
                }
            }
            Ok(one)
        })
        .collect()
}

fn one(
    query: &QueryRecord,
    case: &CaseRecord,
    pointer: Option<String>,
    question: String,
) -> Result<DataQuery, StoreError> {
    let (state, raised) = (query.state()?, query.raised()?);
    Ok(DataQuery {
        id: query.query_id.clone(),
        centre: query.centre_id.clone(),
        case: case.pseudonym.clone().unwrap_or_default(),
        case_id: query.case_id.clone(),
        state,
        raised_by: raised,
        waits_for: state.waits_for(raised),
        rule: query.rule.clone(),
        rule_version: query.rule_version.clone(),
        pointer,
        elements: query.elements()?,
        version: if raised == RaisedBy::Rule {
            fired_at(query, case)
        } else {
            query.version
        },
        question,
        opened_at: utc(query.opened_at),
        opened_by: query.opened_by.clone(),
        asked_at: utc(query.asked_at),
        answered_at: query.answered_at.map(utc),
        closed_at: query.closed_at.map(utc),
        closed_by: query.closed_by.clone(),
        closing: query.closing()?,
        reopened: query.reopened,
        updated_at: utc(query.updated_at),
    })
}

/// A query with its history, as this scope may act on it.
pub(super) fn thread(
    conn: &mut Conn,
    keys: &Keyring,
    scope: &Scope,
    query: QueryRecord,
    case: CaseRecord,
) -> Result<QueryThread, StoreError> {
    let key: CaseKey = case.key(keys)?;
    let may = match case.withdrawal() {
        None => possible(query.standing()?, QuerySide::of(scope.role())),
        Some(_) => Vec::new(),
    };
    let rows = [(query, case)];
    let shown = shown(conn, keys, scope, &rows)?.pop();
    let [(query, case)] = &rows;
    let authors = Authors::of(conn, scope, case)?;
    let shown = shown.ok_or_else(|| StoreError::Internal("a query without a row".to_owned()))?;
    let mut history = Vec::new();
    if shown.raised_by == RaisedBy::Rule {
        history.push(QueryEntry {
            position: 0,
            step: QueryStep::Raised,
            actor: shown.opened_by.clone(),
            role: "system".to_owned(),
            at: shown.opened_at,
            text: Some(shown.question.clone()),
        });
    }
    for message in rows::messages(conn, query)? {
        history.push(message.shown(query, &key, &authors)?);
    }
    Ok(QueryThread {
        query: shown,
        history,
        may,
        replay: None,
    })
}
