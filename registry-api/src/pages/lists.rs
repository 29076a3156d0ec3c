//! The office's lists as CSV: what their pages list, with whole times and ids. Whoever may read the page may keep its table, and nobody else.

use actix_web::{HttpResponse, web};
use registry_core::dictionary::Element;
use registry_core::storage::CentreYear;
use serde_json::{Value, json};

use super::admin::centres::elements;
use super::download;
use crate::guard::{
    Administers, Allowed, Coordinates, NoQuery, ReadsReleases, ReadsVerifications, SeesCases,
};
use crate::problem::Problem;
use crate::routes::releases::heads;
use crate::routes::results::{table_of, written};
use crate::state::{AppState, blocking};
use crate::verification;

/// Rows read at once.
const A_PAGE: usize = 500;

/// `GET /users.csv`: people with an account. What proves who a person is stands in no table.
pub(super) async fn users(
    caller: Allowed<Administers>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let columns = [
        "person_id",
        "login",
        "name",
        "role",
        "centre",
        "state",
        "created_at",
        "created_by",
        "last_sign_in_at",
        "issuer",
    ];
    let text = blocking(move || table_of(&columns, &state.store.list_people(&caller.scope)?)).await?;
    Ok(download("users.csv", text))
}

/// `GET /admin/keys.csv`: keys of machines by the part that may be shown.
pub(super) async fn keys(
    caller: Allowed<Administers>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let columns = [
        "key_id",
        "prefix",
        "label",
        "role",
        "centre",
        "created_at",
        "created_by",
        "expires_at",
        "revoked_at",
        "replaced_by",
    ];
    let text = blocking(move || table_of(&columns, &state.store.list_keys(&caller.scope)?)).await?;
    Ok(download("keys.csv", text))
}

/// `GET /admin/centres.csv`.
pub(super) async fn centres(
    caller: Allowed<Administers>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let columns = [
        "centre_id",
        "name",
        "country",
        "active",
        "created_at",
        "updated_at",
    ];
    let text = blocking(move || table_of(&columns, &state.store.list_centres(&caller.scope)?)).await?;
    Ok(download("centres.csv", text))
}

/// `GET /admin/centres/{id}/years.csv`: a line for each year, a column for each element and one for why it has no value.
pub(super) async fn years(
    caller: Allowed<Administers>,
    id: web::Path<String>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (name, text) = blocking(move || {
        let centre = state.store.centre(&caller.scope, &id)?.centre_id;
        let years = state.store.centre_years(&caller.scope, Some(&centre))?;
        let elements: Vec<&Element> = elements(&state).collect();
        let mut columns = vec!["centre_id".to_owned(), "year".to_owned()];
        for element in &elements {
            columns.push(element.name.clone());
            columns.extend((!element.absence.is_empty()).then(|| format!("{}_absent", element.name)));
        }
        columns.push("updated_at".to_owned());
        let rows = years.iter().map(|row| of_year(row, &elements));
        Ok((format!("centre-{centre}-years.csv"), written(&columns, rows)?))
    })
    .await?;
    Ok(download(&name, text))
}

fn of_year(row: &CentreYear, elements: &[&Element]) -> Vec<String> {
    let mut cells = vec![row.centre_id.clone(), row.year.to_string()];
    for element in elements {
        let value = row.values.get(&element.name);
        let absent = value
            .and_then(|value| value.get("absent"))
            .and_then(Value::as_str);
        cells.push(match value {
            None | Some(Value::Null | Value::Object(_)) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        });
        cells.extend((!element.absence.is_empty()).then(|| absent.unwrap_or_default().to_owned()));
    }
    cells.push(row.updated_at.to_rfc3339());
    cells
}

/// `GET /releases.csv`: to the office exactly, to others what the page tells them of each.
pub(super) async fn releases(
    caller: Allowed<ReadsReleases>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let columns = [
        "release",
        "title",
        "run",
        "created_at",
        "created_by",
        "cases",
        "cases_about",
        "bytes",
        "sha256",
    ];
    let text = blocking(move || table_of(&columns, &heads(&state, &caller.scope)?)).await?;
    Ok(download("releases.csv", text))
}

/// `GET /verification.csv`: the draws; of their cases a centre counts its own.
pub(super) async fn verifications(
    caller: Allowed<ReadsVerifications>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let columns = [
        "verification_id",
        "drawn_at",
        "through",
        "share",
        "seed",
        "cases",
        "reentered",
    ];
    let text = blocking(move || table_of(&columns, &verification::draws(&state, &caller.scope)?)).await?;
    Ok(download("verification.csv", text))
}

/// `GET /imports.csv`: every job that is kept.
pub(super) async fn imports(
    caller: Allowed<SeesCases>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let columns = [
        "job_id",
        "centre_id",
        "kind",
        "dry_run",
        "state",
        "counts.total",
        "counts.created",
        "counts.changed",
        "counts.unchanged",
        "counts.refused",
        "problem",
        "actor",
        "started_at",
        "ended_at",
    ];
    let text = blocking(move || {
        let (mut jobs, mut cursor): (Vec<_>, Option<String>) = (Vec::new(), None);
        loop {
            let page = state.store.list_jobs(&caller.scope, cursor.as_deref(), A_PAGE)?;
            jobs.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break table_of(&columns, &jobs);
            }
        }
    })
    .await?;
    Ok(download("imports.csv", text))
}

/// `GET /tasks.csv`: open and closed.
pub(super) async fn tasks(
    caller: Allowed<Coordinates>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let columns = [
        "task_id",
        "kind",
        "pseudonym",
        "centre_id",
        "held_by",
        "occurrences",
        "opened_at",
        "closed_at",
        "closed_by",
        "resolution",
    ];
    let text = blocking(move || {
        let (mut tasks, mut cursor): (Vec<_>, Option<String>) = (Vec::new(), None);
        loop {
            let page = state
                .store
                .list_tasks(&caller.scope, false, cursor.as_deref(), A_PAGE)?;
            tasks.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break table_of(&columns, &tasks);
            }
        }
    })
    .await?;
    Ok(download("tasks.csv", text))
}

/// `GET /adjudication/decided.csv`: what the committee decided on histologies, the latest first, a decision replaced later too.
pub(super) async fn decided(
    _caller: Allowed<Coordinates>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let columns = [
        "morphology",
        "eligibility_class",
        "histology_code",
        "decided",
        "by",
        "reason",
    ];
    let decisions = &state.schemas.histology().decisions;
    let rows: Vec<Value> = decisions
        .iter()
        .rev()
        .map(|one| {
            json!({
                "morphology": one.morphology, "eligibility_class": one.eligibility_class.as_str(),
                "histology_code": one.histology_code, "decided": one.decided, "by": one.by, "reason": one.reason,
            })
        })
        .collect();
    Ok(download("adjudication-decided.csv", table_of(&columns, &rows)?))
}
