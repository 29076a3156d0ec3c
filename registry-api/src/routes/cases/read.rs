//! `GET /api/v1/cases/{pseudonym}` and its history.

use actix_web::{HttpRequest, web};
use chrono::{DateTime, NaiveDate, Utc};
use registry_core::storage::{
    CaseStatus, Derived, HeldBy, StoredCase, StoredFinding, VersionRow, Withdrawal,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::not_found;
use crate::guard::{Allowed, NoQuery, SeesCases};
use crate::problem::{Kind, Problem};
use crate::routes::openapi::answers::CaseRecord;
use crate::routes::{Asked, Reply, Since, header_text, lists};
use crate::state::{AppState, blocking};

/// In which form to answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    form: Option<Form>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    /// As the rules read it: upgraded from the version it was sent in.
    Newest,
}

/// A stored case: `case` can be edited and `PUT` back as it is.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = StoredCase)]
struct Whole {
    #[schema(value_type = CaseRecord)]
    case: Value,
    derived: Derived,
    envelope: Envelope,
    findings: Vec<StoredFinding>,
}

/// What the registry says about a case.
#[derive(Serialize, utoipa::ToSchema)]
struct Envelope {
    record_id: String,
    centre_id: String,
    version: i64,
    current_version: i64,
    status: CaseStatus,
    locked_through: Option<NaiveDate>,
    /// Of the case schema, as it was sent.
    schema_version: String,
    submitted_at: DateTime<Utc>,
    withdrawal: Option<Withdrawal>,
    /// Of the current version: the centres that held it, each with its days.
    #[serde(skip_serializing_if = "Option::is_none")]
    holders: Option<Vec<HeldBy>>,
}

/// A page of a case's history.
#[derive(Serialize, utoipa::ToSchema)]
struct Versions {
    versions: Vec<VersionRow>,
    next: Option<String>,
}

impl From<StoredCase> for Whole {
    fn from(stored: StoredCase) -> Self {
        Self {
            envelope: Envelope {
                record_id: stored.row.case_id,
                centre_id: stored.row.centre_id,
                version: stored.version,
                current_version: stored.row.version,
                status: stored.row.status,
                locked_through: stored.row.locked_through,
                schema_version: stored.schema_version,
                submitted_at: stored.submitted_at,
                withdrawal: stored.row.withdrawal,
                holders: None,
            },
            case: stored.document,
            derived: stored.derived,
            findings: stored.findings,
        }
    }
}

/// The current version of a case, as it was sent; `form=newest` gives it as the rules read it, upgraded to the newest version of the case schema
/// (`envelope.schema_version` stays the one it was sent in). `envelope.holders` are the centres that held it, each with its days; to a centre another one is `another centre`.
#[utoipa::path(get, path = "/api/v1/cases/{pseudonym}", tag = "cases",
    params(("pseudonym" = String, Path,), ("form" = Option<String>, Query, description = "`newest`"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an answer the caller has; not with `form`, whose answer changes with the schema")),
    responses((status = 200, description = "case, derived, envelope, findings", body = Whole), (status = 304, description = "The case is as it was; the findings have an address of their own, for they change with the checks"), (status = 404, description = "No such case here")), security(("key" = [])))]
pub(super) async fn current(
    caller: Allowed<SeesCases>,
    request: HttpRequest,
    options: web::Query<Options>,
    pseudonym: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let held = header_text(&request, "if-none-match")?.filter(|_| options.form.is_none());
    blocking(move || {
        let stored = state
            .store
            .get_case(&caller.scope, &pseudonym)
            .map_err(not_found)?;
        if held.is_some_and(|tags| lists(&tags, &stored.row.etag)) {
            return Ok(Reply::not_modified(stored.row.etag));
        }
        let held = state
            .store
            .holders(&caller.scope, &pseudonym)
            .map_err(not_found)?;
        let etag = stored.row.etag.clone();
        let mut answer = Whole::from(stored);
        if options.form == Some(Form::Newest) {
            let newest = state
                .schemas
                .newest(&answer.case, &answer.envelope.schema_version);
            answer.case = newest.into_owned();
        }
        answer.envelope.holders = Some(held);
        Ok(Reply::json(200, &answer)?.header("etag", etag))
    })
    .await
}

/// The history of a case, newest first.
#[utoipa::path(get, path = "/api/v1/cases/{pseudonym}/versions", tag = "cases",
    params(("pseudonym" = String, Path,), ("updated_since" = Option<String>, Query,), ("cursor" = Option<String>, Query,), ("limit" = Option<usize>, Query,)),
    responses((status = 200, description = "Versions", body = Versions), (status = 404, description = "No such case here")), security(("key" = [])))]
pub(super) async fn versions(
    caller: Allowed<SeesCases>,
    request: HttpRequest,
    since: web::Query<Since>,
    pseudonym: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let asked = Asked::of(&request);
    blocking(move || {
        let mut versions = state
            .store
            .versions(&caller.scope, &pseudonym)
            .map_err(not_found)?;
        versions.retain(|version| since.takes(&[Some(version.submitted_at)]));
        let id = |version: &VersionRow| version.version.to_string();
        since.page(&asked, versions, id, |versions, next| Versions { versions, next })
    })
    .await
}

/// One version of a case, as it was sent.
#[utoipa::path(get, path = "/api/v1/cases/{pseudonym}/versions/{version}", tag = "cases",
    params(("pseudonym" = String, Path,), ("version" = i64, Path,)),
    responses((status = 200, description = "case, derived, envelope, findings", body = Whole), (status = 404, description = "No such version here")), security(("key" = [])))]
pub(super) async fn version(
    caller: Allowed<SeesCases>,
    _: NoQuery,
    path: web::Path<(String, String)>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let (pseudonym, version) = path.into_inner();
    let version: i64 = version.parse().map_err(|_| Problem::new(Kind::NotFound))?;
    blocking(move || {
        let stored = state
            .store
            .get_version(&caller.scope, &pseudonym, version)
            .map_err(not_found)?;
        Reply::json(200, &Whole::from(stored))
    })
    .await
}
