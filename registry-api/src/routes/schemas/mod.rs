//! `/api/v1/schemas`: what to send.

use actix_web::http::Method;
use actix_web::web;
use registry_core::dictionary::DescribedDictionary;
use registry_core::versions::{CaseSchema, Change, Status, Upgrade};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::openapi::answers::JsonSchema;
use super::{Endpoint, Reply, open};
use crate::guard::NoQuery;
use crate::problem::{Kind, Problem};
use crate::state::AppState;

const WHY: &str = "what to send is public";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        open(Method::GET, "/api/v1/schemas", WHY, list),
        open(Method::GET, "/api/v1/schemas/case/{version}", WHY, show),
        open(
            Method::GET,
            "/api/v1/schemas/case/{version}/dictionary",
            WHY,
            dictionary,
        ),
        open(
            Method::GET,
            "/api/v1/schemas/case/{version}/changes",
            WHY,
            changes,
        ),
        open(Method::GET, "/api/v1/schemas/case/{version}/form", WHY, form),
        open(Method::GET, "/api/v1/codelists/{name}", WHY, codelist),
    ]
}

/// A version of the case schema.
#[derive(Serialize, utoipa::ToSchema)]
struct SchemaVersion<'a> {
    version: &'a str,
    status: Status,
    /// Days.
    published: Option<&'a str>,
    accepted_through: Option<&'a str>,
    retired: Option<&'a str>,
}

impl<'a> SchemaVersion<'a> {
    fn of(schema: &'a CaseSchema) -> Self {
        Self {
            version: &schema.version,
            status: schema.status,
            published: schema.published.as_deref(),
            accepted_through: schema.accepted_through.as_deref(),
            retired: schema.retired.as_deref(),
        }
    }
}

/// What there is to send.
#[derive(Serialize, utoipa::ToSchema)]
struct Schemas<'a> {
    case: Vec<SchemaVersion<'a>>,
    /// The version in force.
    current: &'a str,
    /// Names.
    codelists: Vec<&'a str>,
}

/// The JSON Schema files of a version, by name.
#[derive(Serialize, utoipa::ToSchema)]
struct SchemaFiles<'a> {
    version: &'a str,
    status: Status,
    #[schema(value_type = std::collections::BTreeMap<String, JsonSchema>)]
    schemas: Map<String, Value>,
}

/// What is different from the version before.
#[derive(Serialize, utoipa::ToSchema)]
struct SchemaChanges<'a> {
    #[serde(flatten)]
    of: SchemaVersion<'a>,
    /// The version before.
    from: Option<&'a str>,
    changes: &'a [Change],
    upgrade: Option<&'a Upgrade>,
}

/// The versions of the case schema with their status.
#[utoipa::path(get, path = "/api/v1/schemas", tag = "schemas", responses((status = 200, description = "Versions and code lists", body = Schemas)))]
pub(super) async fn list(_: NoQuery, state: web::Data<AppState>) -> Result<Reply, Problem> {
    let schemas = Schemas {
        case: state
            .schemas
            .case_schemas()
            .iter()
            .map(|one| SchemaVersion::of(one))
            .collect(),
        current: &state.schemas.current().version,
        codelists: state.schemas.codelists().map(|c| c.name.as_str()).collect(),
    };
    Reply::json(200, &schemas)
}

/// The JSON Schema files of one version, by name; `case` is the root.
#[utoipa::path(get, path = "/api/v1/schemas/case/{version}", tag = "schemas", params(("version" = String, Path,)),
    responses((status = 200, description = "JSON Schema 2020-12 documents", body = SchemaFiles), (status = 404, description = "No such version")))]
pub(super) async fn show(
    _: NoQuery,
    state: web::Data<AppState>,
    version: web::Path<String>,
) -> Result<Reply, Problem> {
    let schema = state
        .schemas
        .case_schema(&version)
        .ok_or(Problem::new(Kind::NotFound))?;
    let folder = format!("case/{}/", schema.version);
    let mut files = Map::new();
    for path in state.schemas.files().below(&folder) {
        let Some(name) = path
            .strip_prefix(&folder)
            .and_then(|n| n.strip_suffix(".schema.json"))
        else {
            continue;
        };
        files.insert(
            name.to_owned(),
            state.schemas.files().json(path).map_err(Problem::internal)?,
        );
    }
    let answer = SchemaFiles {
        version: &schema.version,
        status: schema.status,
        schemas: files,
    };
    Reply::json(200, &answer)
}

/// How the dictionary is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Format {
    format: Option<String>,
}

/// The data dictionary of one version: element, type, unit, codes, requirement, absence, standard, visibility.
#[utoipa::path(get, path = "/api/v1/schemas/case/{version}/dictionary", tag = "schemas",
    params(("version" = String, Path,), ("format" = Option<String>, Query, description = "`json` (default), `csv`, or `redcap` (data dictionary to build a project from)")),
    responses((status = 200, description = "The dictionary", body = DescribedDictionary), (status = 404, description = "No such version")))]
pub(super) async fn dictionary(
    state: web::Data<AppState>,
    version: web::Path<String>,
    query: web::Query<Format>,
) -> Result<Reply, Problem> {
    let schema = state
        .schemas
        .case_schema(&version)
        .ok_or(Problem::new(Kind::NotFound))?;
    match query.format.as_deref() {
        None | Some("json") => Reply::json(200, &schema.dictionary.described()),
        Some("csv") => Ok(
            Reply::text("text/csv; charset=utf-8", schema.dictionary.to_csv()).header(
                "content-disposition",
                format!("attachment; filename=\"dictionary-{}.csv\"", schema.version),
            ),
        ),
        Some("redcap") => {
            let text = registry_core::exchange::redcap_dictionary(&schema.dictionary, &state.forms);
            let name = format!(
                "attachment; filename=\"redcap-dictionary-{}.csv\"",
                schema.version
            );
            Ok(Reply::text("text/csv; charset=utf-8", text).header("content-disposition", name))
        }
        Some(_) => Err(Problem::with(Kind::BadQuery, "format: json, csv or redcap")),
    }
}

/// What is different from the version before, each change cosmetic, an addition or breaking, and the step by which the registry
/// upgrades documents of the version before.
#[utoipa::path(get, path = "/api/v1/schemas/case/{version}/changes", tag = "schemas", params(("version" = String, Path,)),
    responses((status = 200, description = "The changes; none for the first version", body = SchemaChanges), (status = 404, description = "No such version")))]
pub(super) async fn changes(
    _: NoQuery,
    state: web::Data<AppState>,
    version: web::Path<String>,
) -> Result<Reply, Problem> {
    let schema = state
        .schemas
        .case_schema(&version)
        .ok_or(Problem::new(Kind::NotFound))?;
    let diff = state.schemas.changes(&schema.version);
    let answer = SchemaChanges {
        of: SchemaVersion::of(schema),
        from: diff.as_ref().map(|diff| diff.from.as_str()),
        changes: diff
            .as_ref()
            .map(|diff| diff.changes.as_slice())
            .unwrap_or_default(),
        upgrade: schema.upgrade.as_ref(),
    };
    Reply::json(200, &answer)
}

/// What an entry form of one version needs: the dictionary, and the order of its sections, when an element matters, what can be
/// worked out, presets.
#[utoipa::path(get, path = "/api/v1/schemas/case/{version}/form", tag = "schemas", params(("version" = String, Path,)),
    responses((status = 200, description = "dictionary, form", body = registry_core::form::Form), (status = 404, description = "No such version")))]
pub(super) async fn form(
    _: NoQuery,
    state: web::Data<AppState>,
    version: web::Path<String>,
) -> Result<Reply, Problem> {
    let schema = state
        .schemas
        .case_schema(&version)
        .ok_or(Problem::new(Kind::NotFound))?;
    let form = state.forms.form(&schema.dictionary);
    Reply::json(200, &form.ok_or(Problem::new(Kind::NotFound))?)
}

/// One code list with its labels.
#[utoipa::path(get, path = "/api/v1/codelists/{name}", tag = "schemas", params(("name" = String, Path,)),
    responses((status = 200, description = "The list", body = JsonSchema), (status = 404, description = "No such list")))]
pub(super) async fn codelist(
    _: NoQuery,
    state: web::Data<AppState>,
    name: web::Path<String>,
) -> Result<Reply, Problem> {
    let path = format!("codelists/{name}.json");
    if !name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    {
        return Err(Problem::new(Kind::NotFound));
    }
    state
        .schemas
        .files()
        .bytes(&path)
        .ok_or(Problem::new(Kind::NotFound))?;
    Reply::json(
        200,
        &state.schemas.files().json(&path).map_err(Problem::internal)?,
    )
}
