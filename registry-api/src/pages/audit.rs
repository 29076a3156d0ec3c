//! The audit trail: who did what and when, with its filters in the address, the same as a table, and the check of its chain.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use registry_core::access::{Role, Scope};
use registry_core::audit::ChainHead;
use registry_core::storage::{AuditFilter, AuditRow, StoreError};
use serde::Deserialize;

use super::frame::role_name;
use super::who::People;
use super::{Frame, Sent, audit_words, html, pieces, words};
use crate::guard::{Allowed, AllowedForm, ReadsAudit};
use crate::problem::{Kind, Problem};
use crate::routes::quality::worklist::given;
use crate::state::{AppState, blocking};

/// Events on one page.
const A_PAGE: usize = 100;
/// Events of one piece of the table for download.
const A_PIECE: usize = 1000;

const TITLE: &str = "Audit trail";

/// Which events are wanted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default, deserialize_with = "given")]
    actor: Option<String>,
    #[serde(default, deserialize_with = "given")]
    action: Option<String>,
    #[serde(default, deserialize_with = "given")]
    centre: Option<String>,
    /// Its id; for the office the pseudonym, too.
    #[serde(default, deserialize_with = "given")]
    case: Option<String>,
    /// First day (UTC).
    #[serde(default, deserialize_with = "given")]
    from: Option<NaiveDate>,
    /// Last day (UTC).
    #[serde(default, deserialize_with = "given")]
    to: Option<NaiveDate>,
    #[serde(default, deserialize_with = "given")]
    cursor: Option<String>,
}

impl Wanted {
    /// The filter; who sees cases may name one by its pseudonym.
    fn filter(&self, state: &AppState, scope: &Scope) -> Result<AuditFilter, Problem> {
        let start = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let case_id = match &self.case {
            Some(named) if scope.role().sees_all_cases() => match state.store.case_row(scope, named) {
                Ok(row) => Some(row.case_id),
                Err(StoreError::NotFound) => Some(named.clone()),
                Err(other) => return Err(other.into()),
            },
            named => named.clone(),
        };
        let after = self
            .to
            .map(|day| day.checked_add_days(Days::new(1)).unwrap_or(day));
        Ok(AuditFilter {
            actor: self.actor.clone(),
            action: self.action.clone(),
            centre: self.centre.clone(),
            case_id,
            since: self.from.map(start),
            until: after.map(start),
        })
    }

    /// The address of a view with the same filters.
    fn address(&self, path: &str, cursor: Option<&str>) -> String {
        let (from, to) = (self.from.map(|d| d.to_string()), self.to.map(|d| d.to_string()));
        let parts = [
            ("actor", self.actor.as_deref()),
            ("action", self.action.as_deref()),
            ("centre", self.centre.as_deref()),
            ("case", self.case.as_deref()),
            ("from", from.as_deref()),
            ("to", to.as_deref()),
            ("cursor", cursor),
        ];
        address(
            path,
            parts.into_iter().filter_map(|(name, value)| Some((name, value?))),
        )
    }

    fn day(day: Option<NaiveDate>) -> String {
        day.map(|day| day.to_string()).unwrap_or_default()
    }
}

fn address<'a>(path: &str, parts: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let given: Vec<(&str, &str)> = parts.collect();
    if given.is_empty() {
        return path.to_owned();
    }
    // Texts always encode.
    format!(
        "{path}?{}",
        serde_urlencoded::to_string(given).unwrap_or_default()
    )
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Page {
    frame: Frame,
    csrf: String,
    /// Cases can be named by their pseudonym, and reasons given with cases are read.
    office: bool,
    /// What the chain's check just found.
    checked: Option<Checked>,
    wanted: Wanted,
    from: String,
    to: String,
    csv: String,
    filtered: bool,
    rows: Vec<Line>,
    next: Option<String>,
}

/// What a check of the chain found.
enum Checked {
    /// How many events, and the head to note outside.
    Whole(i64, ChainHead),
    Broken(String),
}

struct Line {
    seq: i64,
    at: String,
    actor: String,
    actor_link: String,
    who: String,
    role: String,
    action: String,
    /// What was done.
    done: String,
    action_link: String,
    centre: Option<(String, String)>,
    /// The beginning of the id, and the events of this case.
    case: Option<(String, String)>,
    subject: String,
    versions: String,
    reason: Option<String>,
    sealed: bool,
    details: Vec<(String, String)>,
    hash: String,
}

/// A stored role as pages call it.
fn role(text: &str) -> String {
    match text.parse::<Role>() {
        Ok(role) => role_name(role).to_owned(),
        Err(_) => words::code(text),
    }
}

fn versions(row: &AuditRow) -> String {
    match (row.old_version, row.new_version) {
        (Some(old), Some(new)) => format!("{old} to {new}"),
        (None, Some(new)) => new.to_string(),
        (Some(old), None) => old.to_string(),
        (None, None) => String::new(),
    }
}

impl Line {
    fn of(row: AuditRow, people: &People) -> Self {
        let link = |name, value: &str| address("/audit", [(name, value)].into_iter());
        let short = |id: &str| id.rsplit('-').next().unwrap_or_default().to_owned();
        Self {
            seq: row.seq,
            at: row.at.format("%Y-%m-%d %H:%M:%S").to_string(),
            actor_link: link("actor", &row.actor),
            who: people.who(&row.actor),
            role: role(&row.role),
            action_link: link("action", &row.action),
            centre: row.centre_id.as_ref().map(|id| (id.clone(), link("centre", id))),
            case: row.case_id.as_ref().map(|id| (short(id), link("case", id))),
            versions: versions(&row),
            details: audit_words::facts(&row.details),
            hash: row.hash.chars().take(12).collect(),
            subject: row.subject.unwrap_or_default(),
            actor: row.actor,
            done: audit_words::action(&row.action),
            action: row.action,
            sealed: row.reason_sealed,
            reason: row.reason,
        }
    }
}

fn read(
    state: &AppState,
    scope: &Scope,
    frame: Frame,
    wanted: Wanted,
    checked: Option<Checked>,
) -> Result<Page, Problem> {
    let filter = wanted.filter(state, scope)?;
    let cursor = wanted.cursor.as_deref();
    let page = state.store.list_audit(scope, &filter, cursor, A_PAGE)?;
    let people = People::of(state)?;
    Ok(Page {
        csrf: frame.csrf(),
        frame,
        office: scope.role().sees_all_cases(),
        checked,
        from: Wanted::day(wanted.from),
        to: Wanted::day(wanted.to),
        csv: wanted.address("/audit.csv", None),
        filtered: filter != AuditFilter::default(),
        next: page.next.map(|next| wanted.address("/audit", Some(&next))),
        wanted,
        rows: page.items.into_iter().map(|row| Line::of(row, &people)).collect(),
    })
}

pub(super) async fn page(
    caller: Allowed<ReadsAudit>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of(TITLE, "/audit", &caller);
    html(&blocking(move || read(&state, &caller.scope, frame, wanted.into_inner(), None)).await?)
}

/// Checks the chain, against a head noted earlier where one is given, and says what it found.
pub(super) async fn verify(
    form: AllowedForm<ReadsAudit>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let frame = Frame::within(TITLE, "/audit", &form.session);
    let checked = blocking(move || {
        let anchor = Some(form.fields.get("anchor").trim()).filter(|text| !text.is_empty());
        let anchor = anchor
            .map(str::parse::<ChainHead>)
            .transpose()
            .map_err(|why| Problem::with(Kind::InvalidValue, format!("Head noted earlier: {why}.")))?;
        let checked = match state.store.verify_audit(anchor) {
            Ok(report) => Checked::Whole(report.events, report.head),
            Err(StoreError::Tampered(tampered)) => Checked::Broken(tampered.to_string()),
            Err(other) => return Err(other.into()),
        };
        read(&state, &form.scope, frame, Wanted::default(), Some(checked))
    });
    let answer = checked.await.and_then(|page| html(&page));
    sent.answered(answer, &[("Head", "anchor")], |caller| {
        self::page(caller, web::Query(Wanted::default()), again)
    })
    .await
}

const HEADER: [&str; 15] = [
    "seq",
    "at",
    "actor",
    "role",
    "action",
    "centre_id",
    "case_id",
    "subject",
    "old_version",
    "new_version",
    "reason",
    "reason_sealed",
    "request_id",
    "details",
    "hash",
];

fn cells(row: AuditRow) -> Vec<String> {
    let number = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
    let at = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    vec![
        row.seq.to_string(),
        at(row.at),
        row.actor,
        row.role,
        row.action,
        row.centre_id.unwrap_or_default(),
        row.case_id.unwrap_or_default(),
        row.subject.unwrap_or_default(),
        number(row.old_version),
        number(row.new_version),
        row.reason.unwrap_or_default(),
        row.reason_sealed.to_string(),
        row.request_id.unwrap_or_default(),
        row.details.to_string(),
        row.hash,
    ]
}

/// Every event of the view as CSV, newest first, for the link on the page.
pub(super) async fn csv(
    caller: Allowed<ReadsAudit>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let wanted = wanted.into_inner();
    pieces::csv("audit.csv", None, move |cursor: Option<String>| {
        let (state, scope, wanted) = (state.clone(), caller.scope.clone(), wanted.clone());
        blocking(move || {
            let filter = wanted.filter(&state, &scope)?;
            let page = state
                .store
                .list_audit(&scope, &filter, cursor.as_deref(), A_PIECE)?;
            let rows = page.items.into_iter().map(cells);
            Ok((
                pieces::part(&HEADER, cursor.is_some(), rows)?,
                page.next.map(Some),
            ))
        })
    })
    .await
}
