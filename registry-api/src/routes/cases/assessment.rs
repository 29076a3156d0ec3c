//! `GET /api/v1/cases/{pseudonym}/assessment`: what the guideline says of this very case.

use actix_web::web;
use registry_core::guideline::{Guideline, UnitOutcome};
use registry_core::storage::StoredCase;
use registry_core::validation::Envelope;
use serde_json::{Value, json};

use super::not_found;
use crate::guard::{Allowed, SeesCases};
use crate::problem::Problem;
use crate::routes::Reply;
use crate::state::{AppState, blocking};

/// Outcomes of every measure and unit of a stored case, judged as of its submission.
///
/// # Errors
/// The database does not answer.
pub fn assessed<'a>(
    state: &'a AppState,
    stored: &StoredCase,
) -> Result<Vec<(&'a Guideline, UnitOutcome)>, Problem> {
    let envelope = Envelope {
        record_id: stored.row.case_id.parse().unwrap_or_default(),
        centre_id: stored.row.centre_id.clone(),
        submitted_at: stored.submitted_at,
        data_cutoff_date: stored.submitted_at.date_naive(),
    };
    let verdict = state
        .judge
        .judge(&stored.document, &envelope, &state.centre_table()?);
    let guidelines = state.judge.guidelines(&stored.schema_version);
    let mut all = Vec::new();
    for assessment in verdict.assessments {
        if let Some(guideline) = guidelines.iter().find(|g| g.id == assessment.guideline) {
            all.extend(
                assessment
                    .outcomes
                    .into_iter()
                    .map(|outcome| (guideline, outcome)),
            );
        }
    }
    Ok(all)
}

fn line(guideline: &Guideline, outcome: &UnitOutcome) -> Option<Value> {
    let measure = guideline.measures.get(usize::from(outcome.measure))?;
    Some(json!({
        "guideline": guideline.id,
        "guideline_version": guideline.version,
        "measure": measure.id,
        "statement": measure.statement,
        "title": measure.title,
        "level_and_grade": measure.grade,
        "kind": measure.kind.as_str(),
        "unit": measure.unit,
        "unit_index": outcome.unit_index,
        "outcome": outcome.outcome.as_str(),
        "reason": outcome.reason.map(|r| r.as_str()),
        "element": outcome.element,
    }))
}

/// Which statements are met, not met, or cannot be assessed, with the reason and the element.
#[utoipa::path(get, path = "/api/v1/cases/{pseudonym}/assessment", tag = "cases", params(("pseudonym" = String, Path,)),
    responses((status = 200, description = "One line per measure and unit"), (status = 404, description = "No such case here")), security(("key" = [])))]
pub(super) async fn assessment(
    caller: Allowed<SeesCases>,
    pseudonym: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    blocking(move || {
        let stored = state.store.get_case(&caller.scope, &pseudonym).map_err(not_found)?;
        let lines: Vec<Value> = assessed(&state, &stored)?.iter().filter_map(|(g, o)| line(g, o)).collect();
        Reply::json(200, &json!({ "version": stored.version, "assessed_as_of": stored.submitted_at.date_naive(), "assessment": lines }))
    })
    .await
}
