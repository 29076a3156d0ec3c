//! How far a sample agrees with what was entered again.

use actix_web::{HttpRequest, web};
use registry_core::storage::{SampledCase, Verification};
use registry_core::verification::Kind as Became;
use registry_etl::quality::{Agreement, AgreementLevel};
use serde::Serialize;
use serde_json::Value;

use super::cases::{AgreementOfCase, told};
use crate::guard::{Allowed, NoQuery, ReadsVerifications};
use crate::problem::Problem;
use crate::routes::Reply;
use crate::routes::results::written;
use crate::routes::wants_csv;
use crate::state::{AppState, blocking};
use crate::verification::{self, Found};

/// How far a sample agrees with what was entered again.
#[derive(Serialize, utoipa::ToSchema)]
struct AgreementOfSample<'a> {
    verification: &'a Verification,
    /// The share from which a case may be verified.
    verify_from: f64,
    /// An element that so many measures rest on is critical.
    critical_measures: usize,
    /// The network, then centres.
    levels: &'a [AgreementLevel],
    /// For those who see cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    cases: Option<Vec<ComparedCase<'a>>>,
}

/// A case of a sample that was entered again.
#[derive(Serialize, utoipa::ToSchema)]
struct ComparedCase<'a> {
    #[serde(flatten)]
    case: &'a SampledCase,
    agreement: AgreementOfCase<'a>,
}

/// Agreement per element (critical elements first) with its Wilson interval and, for elements with a closed list of answers, Cohen's kappa. The office
/// reads the network, every centre and the differences of every case; a centre its own; the committee the network, in whole percent.
#[utoipa::path(get, path = "/api/v1/verifications/{verification}/agreement", tag = "verifications", params(("verification" = String, Path,)),
    responses((status = 200, description = "verification, levels: elements with compared, agreeing, share, interval, kappa, kinds of difference; cases: pointers and kinds; `Accept: text/csv` for the elements as a table", body = AgreementOfSample),
        (status = 404, description = "No such draw")), security(("key" = [])))]
pub(in crate::routes) async fn show(
    caller: Allowed<ReadsVerifications>,
    _: NoQuery,
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let as_csv = wants_csv(&request);
    blocking(move || {
        let found = verification::agreement(&state, &caller.scope, &id)?;
        if as_csv {
            let name = format!("attachment; filename=\"{}\"", file_name(&found));
            let text = csv(&found.levels)?;
            return Ok(Reply::text("text/csv; charset=utf-8", text).header("content-disposition", name));
        }
        let cases = found.cases.iter().map(|compared| ComparedCase {
            case: &compared.case,
            agreement: told(&state, compared),
        });
        let answer = AgreementOfSample {
            verification: &found.draw,
            verify_from: state.verifier.verify_from(),
            critical_measures: state.verifier.critical_measures(),
            levels: &found.levels,
            cases: caller.scope.role().sees_cases().then(|| cases.collect()),
        };
        Reply::json(200, &answer)
    })
    .await
}

/// Name of the table as a file.
pub(crate) fn file_name(found: &Found) -> String {
    let drawn = found.draw.drawn_at.format("%Y-%m-%d");
    format!(
        "agreement-{drawn}-{}.csv",
        found.draw.seed.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
    )
}

/// A line per level and element; `*` stands for all elements of a level.
///
/// # Errors
/// None in practice.
pub(crate) fn csv(levels: &[AgreementLevel]) -> Result<String, Problem> {
    let differing: Vec<Became> = Became::ALL
        .into_iter()
        .filter(|kind| kind.is_compared() && !kind.agrees())
        .collect();
    let mut header = vec![
        "level",
        "element",
        "critical",
        "measures",
        "cases",
        "compared",
        "agreeing",
        "share",
        "lower",
        "upper",
        "kappa",
        "both_missing",
    ];
    header.extend(differing.iter().map(|kind| kind.as_str()));
    header.push("suppressed");
    let mut rows = Vec::new();
    for level in levels {
        let mut total = vec![level.level.clone(), "*".to_owned(), String::new(), String::new()];
        total.extend(numbers(&level.total));
        total.resize(header.len(), String::new());
        rows.push(total);
        for element in &level.elements {
            let mut row = vec![
                level.level.clone(),
                element.element.clone(),
                element.critical.to_string(),
                element.measures.to_string(),
            ];
            row.extend(numbers(&element.agreement));
            row.extend([text(element.kappa), text(element.both_missing)]);
            let count = |kind: &Became| {
                let counted = element
                    .both_missing
                    .map(|_| element.differing.get(kind.as_str()).copied().unwrap_or(0));
                text(counted)
            };
            row.extend(differing.iter().map(count));
            row.push(if element.suppressed { "few_patients" } else { "" }.to_owned());
            rows.push(row);
        }
    }
    written(&header, rows.into_iter())
}

fn numbers(agreement: &Agreement) -> [String; 6] {
    [
        text(agreement.cases),
        text(agreement.compared),
        text(agreement.agreeing),
        text(agreement.share),
        text(agreement.lower),
        text(agreement.upper),
    ]
}

fn text(value: Option<impl Into<Value>>) -> String {
    value
        .map(|value| Value::to_string(&value.into()))
        .unwrap_or_default()
}
