//! `GET /api/v1/queries`: a page of queries, or all that match as a table.

use actix_web::{HttpRequest, web};
use chrono::{DateTime, Utc};
use registry_core::access::Scope;
use registry_core::storage::{DataQuery, QueryFilter, QuerySide, QueryState, RaisedBy};
use serde::{Deserialize, Serialize};

use crate::guard::{Allowed, SeesCases};
use crate::problem::{Kind, Problem};
use crate::routes::Reply;
use crate::routes::quality::worklist::given;
use crate::routes::results::written;
use crate::routes::wants_csv;
use crate::state::{AppState, blocking};

/// Largest page.
const LARGEST: usize = 500;

/// Which queries are wanted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    #[serde(default, deserialize_with = "given")]
    pub centre: Option<String>,
    /// Pseudonym.
    #[serde(default, deserialize_with = "given")]
    pub case: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub state: Option<States>,
    #[serde(default, deserialize_with = "given")]
    pub raised_by: Option<Askers>,
    /// Whose turn it is.
    #[serde(default, deserialize_with = "given")]
    pub waits_for: Option<QuerySide>,
    #[serde(default, deserialize_with = "given")]
    pub rule: Option<String>,
    /// An element, or a section.
    #[serde(default, deserialize_with = "given")]
    pub element: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub updated_since: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "given")]
    pub cursor: Option<String>,
    pub limit: Option<usize>,
}

/// States to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum States {
    Open,
    Answered,
    Closed,
    /// Open or answered.
    Unsettled,
    All,
}

impl States {
    /// Each with its code and name.
    pub const ALL: [(States, &'static str, &'static str); 5] = [
        (States::Unsettled, "unsettled", "Not settled"),
        (States::Open, "open", "Open"),
        (States::Answered, "answered", "Answered"),
        (States::Closed, "closed", "Closed"),
        (States::All, "all", "All"),
    ];

    fn states(self) -> Vec<QueryState> {
        match self {
            States::Open => vec![QueryState::Open],
            States::Answered => vec![QueryState::Answered],
            States::Closed => vec![QueryState::Closed],
            States::Unsettled => vec![QueryState::Open, QueryState::Answered],
            States::All => Vec::new(),
        }
    }
}

/// Askers to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Askers {
    Rule,
    /// Office or centre.
    Person,
    Office,
    Centre,
}

impl Askers {
    /// Each with its code and name.
    pub const ALL: [(Askers, &'static str, &'static str); 4] = [
        (Askers::Rule, "rule", "An edit check"),
        (Askers::Person, "person", "A person"),
        (Askers::Office, "office", "The coordinating office"),
        (Askers::Centre, "centre", "The centre"),
    ];

    fn askers(self) -> Vec<RaisedBy> {
        match self {
            Askers::Rule => vec![RaisedBy::Rule],
            Askers::Person => vec![RaisedBy::Office, RaisedBy::Centre],
            Askers::Office => vec![RaisedBy::Office],
            Askers::Centre => vec![RaisedBy::Centre],
        }
    }
}

impl Wanted {
    /// As the store takes it.
    pub fn filter(&self) -> QueryFilter {
        QueryFilter {
            centre: self.centre.clone(),
            case: self.case.clone(),
            states: self.state.map(States::states).unwrap_or_default(),
            raised_by: self.raised_by.map(Askers::askers).unwrap_or_default(),
            waits_for: self.waits_for,
            rule: self.rule.clone(),
            element: self.element.clone(),
            updated_since: self.updated_since,
        }
    }
}

/// Every query that is wanted, page by page.
///
/// # Errors
/// As the store's list.
pub fn every(state: &AppState, scope: &Scope, filter: &QueryFilter) -> Result<Vec<DataQuery>, Problem> {
    let mut all = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = state
            .store
            .list_queries(scope, filter, cursor.as_deref(), LARGEST)?;
        all.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(all),
        }
    }
}

/// One line per query.
///
/// # Errors
/// None in practice.
pub fn csv(queries: &[DataQuery]) -> Result<String, Problem> {
    let header = [
        "id",
        "centre",
        "case",
        "state",
        "waits_for",
        "raised_by",
        "rule",
        "elements",
        "pointer",
        "version",
        "question",
        "opened_at",
        "opened_by",
        "asked_at",
        "answered_at",
        "closed_at",
        "closed_by",
        "closing",
        "reopened",
        "updated_at",
    ];
    let rows = queries.iter().map(|query| {
        // As in JSON; a list of elements with spaces between.
        let value = serde_json::to_value(query).unwrap_or_default();
        let cell = |name: &&str| match *name {
            "elements" => query.elements.join(" "),
            name => match &value[name] {
                serde_json::Value::Null => String::new(),
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            },
        };
        header.iter().map(cell).collect()
    });
    written(&header, rows)
}

/// A page of queries.
#[derive(Serialize, utoipa::ToSchema)]
struct Queries {
    queries: Vec<DataQuery>,
    next: Option<String>,
}

/// One page of queries, longest there first; `Link: rel="next"` leads on. `Accept: text/csv` answers all that match as a table. A query an edit
/// check raised lives as long as its finding; its `question` is what the check says.
#[utoipa::path(get, path = "/api/v1/queries", tag = "queries",
    params(("centre" = Option<String>, Query, description = "For the coordinating office"), ("case" = Option<String>, Query, description = "Pseudonym"),
        ("state" = Option<String>, Query, description = "open, answered, closed, unsettled (open or answered) or all; without it all"),
        ("raised_by" = Option<String>, Query, description = "rule, person, office or centre"), ("waits_for" = Option<String>, Query, description = "Whose turn it is: centre or office"),
        ("rule" = Option<String>, Query, description = "Edit check"), ("element" = Option<String>, Query, description = "An element (`imaging.date`) or a section (`imaging`)"),
        ("updated_since" = Option<String>, Query,), ("cursor" = Option<String>, Query,), ("limit" = Option<usize>, Query,)),
    responses((status = 200, description = "queries, next", body = Queries), (status = 400, description = "A filter cannot be used")), security(("key" = [])))]
pub(in crate::routes) async fn list(
    caller: Allowed<SeesCases>,
    request: HttpRequest,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let limit = wanted.limit.unwrap_or(100);
    if limit == 0 || limit > LARGEST {
        return Err(Problem::with(Kind::BadQuery, format!("limit: 1 to {LARGEST}")));
    }
    let as_csv = wants_csv(&request);
    let cursor = wanted.cursor.clone();
    let page = blocking(move || {
        let filter = wanted.filter();
        if as_csv {
            let text = csv(&every(&state, &caller.scope, &filter)?)?;
            return Ok(Err(Reply::text("text/csv; charset=utf-8", text)
                .header("content-disposition", "attachment; filename=\"queries.csv\"")));
        }
        let listed = state
            .store
            .list_queries(&caller.scope, &filter, cursor.as_deref(), limit);
        Ok(Ok(listed?))
    })
    .await?;
    match page {
        Err(table) => Ok(table),
        Ok(page) => {
            let next = page.next.clone();
            let answer = Queries {
                queries: page.items,
                next: page.next,
            };
            Ok(Reply::json(200, &answer)?.next_page(&request, next.as_deref()))
        }
    }
}
