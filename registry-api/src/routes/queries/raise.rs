//! `POST /api/v1/queries`: a question about a case, tied to an element and an edit check of the case's schema version.

use actix_web::{HttpRequest, web};
use registry_core::access::Scope;
use registry_core::dictionary::{Dictionary, Entity, EntityKind};
use registry_core::storage::{Idempotency, NewQuery, QueryThread};
use serde::Deserialize;

use super::steps::{reply, stored};
use crate::guard::{Allowed, Json, SeesCases};
use crate::problem::{Kind, Problem};
use crate::routes::cases::not_found;
use crate::routes::{Idempotent, Reply};
use crate::state::{AppState, blocking};

/// What is asked, as it is sent.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[schema(as = NewQuery)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Pseudonym.
    pub case: String,
    pub text: String,
    /// RFC 6901 pointer into the current version.
    pub pointer: Option<String>,
    /// `entity.element`.
    pub element: Option<String>,
    /// An edit check.
    pub rule: Option<String>,
}

/// Raises a query after looking up what it is about.
///
/// # Errors
/// [`Kind::NotFound`] for a case that is not there, [`Kind::InvalidValue`] for what the dictionary and the checks do not know.
pub fn ask(
    state: &AppState,
    scope: &Scope,
    question: Question,
    idempotency: Option<Idempotency<QueryThread>>,
) -> Result<QueryThread, Problem> {
    let refused = |what: String| Problem::with(Kind::InvalidValue, what);
    let row = state.store.case_row(scope, &question.case).map_err(not_found)?;
    let schema = state
        .schemas
        .case_schema(&row.schema_version)
        .unwrap_or_else(|| state.schemas.current());
    let named = question
        .pointer
        .as_deref()
        .map(|pointer| about(&schema.dictionary, pointer).map_err(&refused))
        .transpose()?;
    let element = match (question.element, named) {
        (Some(given), Some(named)) if given != named => {
            return Err(refused(format!("element: the pointer leads to {named}")));
        }
        (Some(given), _) => {
            let of_case = |name: &str| section(&schema.dictionary, name).is_some();
            let known = match given.split_once('.') {
                Some((entity, _)) => of_case(entity) && schema.dictionary.element(&given).is_some(),
                None => of_case(&given),
            };
            if !known {
                return Err(refused(
                    "element: not an element (entity.element) or a section of the case's schema version"
                        .to_owned(),
                ));
            }
            Some(given)
        }
        (None, named) => named,
    };
    if let Some(rule) = &question.rule {
        let known = |version: &str| {
            state
                .judge
                .checks(version)
                .is_some_and(|set| set.check(rule).is_some())
        };
        if !known(&row.schema_version) && !known(&state.schemas.current().version) {
            return Err(refused("rule: no edit check has this id".to_owned()));
        }
    }
    let new = NewQuery {
        pseudonym: question.case,
        text: question.text,
        pointer: question.pointer,
        element,
        rule: question.rule,
        idempotency,
    };
    state.store.raise_query(scope, new).map_err(not_found)
}

fn section<'d>(dictionary: &'d Dictionary, name: &str) -> Option<&'d Entity> {
    dictionary
        .entity(name)
        .filter(|entity| entity.kind == EntityKind::Case)
}

/// The element or section that a pointer leads to.
fn about(dictionary: &Dictionary, pointer: &str) -> Result<String, String> {
    let parts: Vec<&str> = pointer.strip_prefix('/').unwrap_or_default().split('/').collect();
    let entity = parts.first().and_then(|name| section(dictionary, name));
    let entity = entity.ok_or_else(|| {
        "pointer: begins with a section of the case's schema version (/imaging, /imaging/0, /imaging/0/date)"
            .to_owned()
    })?;
    let rest = parts.get(1..).unwrap_or_default();
    let within = match rest {
        [row, within @ ..] if entity.repeated() => {
            if row.is_empty() || row.len() > 6 || !row.bytes().all(|b| b.is_ascii_digit()) {
                return Err(format!("pointer: {} has rows: /{}/0", entity.name, entity.name));
            }
            within
        }
        within => within,
    };
    match within {
        [] => Ok(entity.name.clone()),
        [element] if entity.element(element).is_some() => Ok(format!("{}.{element}", entity.name)),
        [_] => Err(format!("pointer: {} has no such element", entity.name)),
        [..] => Err("pointer: goes no deeper than an element".to_owned()),
    }
}

/// Ask about a case: `{"case": "..", "text": ".."}` with, as far as it is tied to something, `element` or `pointer`, and `rule`. The coordinating
/// office asks the centre; a centre asks the office about a case of its own.
#[utoipa::path(post, path = "/api/v1/queries", tag = "queries", params(("Idempotency-Key" = Option<String>, Header,)),
    request_body = Question,
    responses((status = 201, description = "The query with its history and what the caller may do", body = QueryThread), (status = 404, description = "No such case here"),
        (status = 409, description = "A draft, or consent was withdrawn"), (status = 422, description = "Without words, or about what the dictionary does not know")), security(("key" = [])))]
pub(in crate::routes) async fn raise(
    caller: Allowed<SeesCases>,
    request: HttpRequest,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let question: Question = serde_json::from_value(body.value).map_err(|_| {
        Problem::with(
            Kind::InvalidValue,
            "send {\"case\": pseudonym, \"text\": text} and, as it fits, \"pointer\", \"element\", \"rule\"",
        )
    })?;
    let idempotency = stored(Idempotent::read(&request, &body.bytes)?, 201);
    blocking(move || reply(&ask(&state, &caller.scope, question, idempotency)?, 201)).await
}
