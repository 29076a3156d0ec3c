//! `/api/v1/checks`: the edit checks every record is put to; `/api/v1/codelists`: the codes there are.

pub mod codelists;

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use registry_core::rules::{Check, CheckSet, Parameter};
use registry_core::validation::Severity;
use registry_core::versions::SupersededCheck;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::quality::worklist::given;
use super::results::written;
use super::wants_csv;
use super::{Endpoint, Reply, open};
use crate::problem::{Kind, Problem};
use crate::state::AppState;

const WHY: &str = "what is checked is public";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        open(Method::GET, "/api/v1/checks", WHY, list),
        open(
            Method::GET,
            "/api/v1/codelists",
            "what to send is public",
            codelists::list,
        ),
    ]
}

/// Longest search, in bytes.
const LONGEST_SEARCH: usize = 100;

/// Which checks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// `reject`, `error` or `warning`.
    #[serde(default, deserialize_with = "given")]
    pub severity: Option<String>,
    /// Words that all stand in the id, the rule, the message or the elements.
    #[serde(default, deserialize_with = "given")]
    pub q: Option<String>,
}

/// A check with what its expression reads.
pub struct Described<'a> {
    pub check: &'a Check,
    pub elements: Vec<String>,
    pub parameters: Vec<&'a Parameter>,
    /// Texts it had before, oldest first.
    pub superseded: Vec<SupersededCheck<'a>>,
}

/// The edit checks of the current case schema.
///
/// # Errors
/// A service without them.
pub fn in_force(state: &AppState) -> Result<&CheckSet, Problem> {
    let version = &state.schemas.current().version;
    let checks = state.judge.checks(version);
    checks.ok_or_else(|| Problem::internal("the current case schema has no edit checks"))
}

/// The checks asked for, in the order of their ids.
///
/// # Errors
/// [`Kind::BadQuery`] for a severity there is not, or a search that is too long.
pub fn asked<'a>(state: &'a AppState, wanted: &Wanted) -> Result<Vec<Described<'a>>, Problem> {
    let checks = in_force(state)?;
    let severity = match wanted.severity.as_deref() {
        None => None,
        Some(code) => Some(
            Severity::from_code(code)
                .ok_or_else(|| Problem::with(Kind::BadQuery, "severity: reject, error or warning"))?,
        ),
    };
    let words = search(wanted.q.as_deref())?;
    let mut found: Vec<Described<'a>> = checks
        .checks()
        .iter()
        .filter(|check| severity.is_none_or(|severity| check.severity == severity))
        .map(|check| Described {
            check,
            elements: checks.elements_of(check),
            parameters: check
                .parameters
                .iter()
                .filter_map(|name| checks.parameter(name))
                .collect(),
            superseded: state.schemas.superseded_checks(&check.id),
        })
        .filter(|one| {
            let check = one.check;
            let said = [&check.id, &check.rule_in_words, &check.message, &check.scope];
            let text = said.into_iter().chain(&one.elements).chain(&check.blocks);
            let text = text.map(|text| text.to_lowercase()).collect::<Vec<_>>().join(" ");
            words.iter().all(|word| text.contains(word))
        })
        .collect();
    found.sort_by(|a, b| a.check.id.cmp(&b.check.id));
    Ok(found)
}

/// The words of a search, in lower case.
///
/// # Errors
/// [`Kind::BadQuery`] when it is too long.
fn search(text: Option<&str>) -> Result<Vec<String>, Problem> {
    let text = text.unwrap_or_default();
    if text.len() > LONGEST_SEARCH {
        return Err(Problem::with(Kind::BadQuery, "q: at most 100 bytes"));
    }
    Ok(text
        .to_lowercase()
        .split_whitespace()
        .map(str::to_owned)
        .collect())
}

/// The edit checks asked for.
#[derive(Serialize, utoipa::ToSchema)]
struct Checks<'a> {
    /// Version of the case schema they are of.
    schema_version: &'a str,
    schema_digest: &'a str,
    checks: Vec<ToldCheck<'a>>,
}

/// An edit check.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Check)]
struct ToldCheck<'a> {
    id: &'a str,
    version: &'a str,
    severity: Severity,
    scope: &'a str,
    evaluated_by: &'static str,
    rule_in_words: &'a str,
    message: &'a str,
    provenance: Option<&'a str>,
    /// In the registry's rule language.
    expression: Option<&'a str>,
    /// What it reads, `entity.element`.
    elements: &'a [String],
    /// What a finding keeps out of measures.
    blocks: &'a [String],
    about: Option<&'a str>,
    parameters: Vec<ParameterOfCheck>,
    note: Option<&'a str>,
    /// Oldest first.
    superseded: Vec<EarlierText<'a>>,
}

/// A parameter that a check reads.
#[derive(Serialize, utoipa::ToSchema)]
struct ParameterOfCheck {
    name: String,
    /// A number, a day, codes or a pattern.
    value: Value,
    /// `days` or `months`.
    unit: Option<&'static str>,
    basis: String,
    note: Option<String>,
}

/// The text (TOML) of an earlier version.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = EarlierCheck)]
struct EarlierText<'a> {
    version: &'a str,
    text: &'a str,
}

impl Described<'_> {
    fn told(&self) -> ToldCheck<'_> {
        let check = self.check;
        let parameter = |parameter: &&'_ Parameter| ParameterOfCheck {
            name: parameter.name.clone(),
            value: parameter.value.to_json(),
            unit: parameter.value.unit(),
            basis: parameter.basis.clone(),
            note: parameter.note.clone(),
        };
        let superseded = self.superseded.iter().map(|before| EarlierText {
            version: &before.version,
            text: before.text,
        });
        ToldCheck {
            id: &check.id,
            version: &check.version,
            severity: check.severity,
            scope: &check.scope,
            evaluated_by: check.evaluated_by.as_str(),
            rule_in_words: &check.rule_in_words,
            message: &check.message,
            provenance: check.provenance.as_deref(),
            expression: check.expression.as_deref().map(str::trim),
            elements: &self.elements,
            blocks: &check.blocks,
            about: check.about.as_deref(),
            parameters: self.parameters.iter().map(parameter).collect(),
            note: check.note.as_deref(),
            superseded: superseded.collect(),
        }
    }

    /// `LATE_REGISTRATION_DAYS = 180 days`.
    pub fn values(&self) -> Vec<String> {
        let one = |parameter: &&Parameter| {
            let value = match parameter.value.to_json() {
                Value::String(text) => text,
                Value::Array(items) => {
                    let items = items.iter().filter_map(Value::as_str);
                    items.collect::<Vec<_>>().join(" ")
                }
                other => other.to_string(),
            };
            let unit = parameter
                .value
                .unit()
                .map_or_else(String::new, |unit| format!(" {unit}"));
            format!("{} = {value}{unit}", parameter.name)
        };
        self.parameters.iter().map(one).collect()
    }
}

/// Columns of the table: a check each.
const COLUMNS: [&str; 14] = [
    "id",
    "version",
    "severity",
    "scope",
    "evaluated_by",
    "rule_in_words",
    "message",
    "provenance",
    "expression",
    "elements",
    "blocks",
    "about",
    "parameters",
    "note",
];

/// The checks as CSV.
///
/// # Errors
/// None in practice.
pub fn csv(found: &[Described<'_>]) -> Result<String, Problem> {
    let rows = found.iter().map(|one| {
        let check = one.check;
        let optional = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
        vec![
            check.id.clone(),
            check.version.clone(),
            check.severity.as_str().to_owned(),
            check.scope.clone(),
            check.evaluated_by.as_str().to_owned(),
            check.rule_in_words.clone(),
            check.message.clone(),
            optional(&check.provenance),
            optional(&check.expression),
            one.elements.join(" "),
            check.blocks.join(" "),
            optional(&check.about),
            one.values().join("; "),
            optional(&check.note),
        ]
    });
    written(&COLUMNS, rows)
}

/// The edit checks every record is put to: what each looks at, in words and as run, what it says, what it blocks, where it comes from, and the
/// texts (TOML) of earlier versions, which older findings name;
/// `Accept: text/csv` for a table.
#[utoipa::path(get, path = "/api/v1/checks", tag = "schemas",
    params(("severity" = Option<String>, Query, description = "reject, error or warning"),
        ("q" = Option<String>, Query, description = "words that all stand in the id, the rule, the message or the elements")),
    responses((status = 200, description = "schema_version, schema_digest, checks", body = Checks), (status = 400, description = "No such severity")))]
pub(super) async fn list(
    request: HttpRequest,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let found = asked(&state, &wanted)?;
    if wants_csv(&request) {
        let name = "attachment; filename=\"checks.csv\"";
        return Ok(Reply::text("text/csv; charset=utf-8", csv(&found)?).header("content-disposition", name));
    }
    let answer = Checks {
        schema_version: &state.schemas.current().version,
        schema_digest: state.schemas.digest(),
        checks: found.iter().map(Described::told).collect(),
    };
    Reply::json(200, &answer)
}
