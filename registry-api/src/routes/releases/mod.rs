//! `/api/v1/releases`: frozen data, by checksum.

mod files;

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use registry_core::access::{Role, Scope};
use registry_core::storage::{Freezing, Release, StoreError};
use registry_etl::releases::at_least;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asked, Endpoint, Idempotent, Reply, Since, guarded, open};
use crate::guard::{Allowed, Coordinates, Json, NoQuery, ReadsReleases};
use crate::problem::{Kind, Problem};
use crate::releases::{NewFreezing, freeze, freeze_in_background};
use crate::state::{AppState, blocking};

pub(super) use files::Form;
pub(super) use files::{__path_bundle, __path_fictitious, __path_file, __path_manifest};
pub(super) use files::{bundle, fictitious, file, manifest};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        guarded(Method::GET, "/api/v1/releases", list),
        guarded(Method::POST, "/api/v1/releases", create),
        // Before the addresses of releases by their id.
        open(
            Method::GET,
            "/api/v1/releases/synthetic/bundle.zip",
            "a generator made the cases: no patient is behind them",
            fictitious,
        ),
        guarded(Method::GET, "/api/v1/releases/{id}", show),
        guarded(Method::GET, "/api/v1/releases/{id}/manifest.json", manifest),
        guarded(Method::GET, "/api/v1/releases/{id}/files/{name}", file),
        guarded(Method::GET, "/api/v1/releases/{id}/bundle.zip", bundle),
    ]
}

/// A release without its manifest, which has an address of its own. What two releases together would tell of a patient (how many cases
/// exactly, how many bytes, the digest) is the office's.
pub(crate) fn head(release: &Release, scope: &Scope) -> Value {
    let id = &release.release_id;
    let cases = release.manifest.get("cases").and_then(Value::as_u64);
    let mut head = json!({
        "release": id,
        "run": release.run,
        "title": release.title,
        "created_at": release.created_at,
        "created_by": release.created_by,
        "manifest": format!("/api/v1/releases/{id}/manifest.json"),
        "bundle": format!("/api/v1/releases/{id}/bundle.zip"),
    });
    if scope.role() == Role::Coordinator {
        head["sha256"] = json!(release.sha256);
        head["bytes"] = json!(release.bytes);
        head["cases"] = json!(cases);
    } else {
        head["cases_at_least"] = json!(cases.map(at_least));
    }
    head
}

/// All releases, newest first; bytes, digest and the exact number of cases for the coordinating office alone.
#[utoipa::path(get, path = "/api/v1/releases", tag = "releases", params(("updated_since" = Option<String>, Query,), ("cursor" = Option<String>, Query,), ("limit" = Option<usize>, Query,)), responses((status = 200, description = "releases")), security(("key" = [])))]
pub(super) async fn list(
    caller: Allowed<ReadsReleases>,
    request: HttpRequest,
    since: web::Query<Since>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let asked = Asked::of(&request);
    blocking(move || {
        let mut releases = state.store.list_releases(&caller.scope)?;
        releases.retain(|release| since.takes(&[Some(release.created_at)]));
        let releases: Vec<Value> = releases.iter().map(|one| head(one, &caller.scope)).collect();
        since.page(&asked, "releases", releases, |one| {
            one["release"].as_str().unwrap_or_default().to_owned()
        })
    })
    .await
}

/// One release; for the coordinating office also one that is being frozen: how far it is, or why it came to nothing.
#[utoipa::path(get, path = "/api/v1/releases/{id}", tag = "releases", params(("id" = String, Path,)),
    responses((status = 200, description = "The release"), (status = 404, description = "No such release")), security(("key" = [])))]
pub(super) async fn show(
    caller: Allowed<ReadsReleases>,
    _: NoQuery,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    blocking(move || match state.store.release(&caller.scope, &id) {
        Ok(release) => Reply::json(200, &head(&release, &caller.scope)),
        Err(StoreError::NotFound) if caller.scope.role() == Role::Coordinator => {
            let all = state.store.list_freezings(&caller.scope)?;
            match all.iter().find(|one| one.release_id == *id) {
                Some(begun) => Reply::json(200, &being_frozen(begun)),
                // Unknown, or recorded between the two looks.
                None => Reply::json(
                    200,
                    &head(&state.store.release(&caller.scope, &id)?, &caller.scope),
                ),
            }
        }
        Err(error) => Err(error.into()),
    })
    .await
}

/// A release that is not there yet: how far it is, or why it came to nothing.
fn being_frozen(begun: &Freezing) -> Value {
    json!({
        "release": begun.release_id,
        "run": begun.run,
        "title": begun.title,
        "freezing": {
            "state": begun.state,
            "done": begun.done,
            "total": begun.total,
            "problem": begun.problem,
            "started_at": begun.started_at,
            "started_by": begun.started_by,
        },
    })
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = NewRelease)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// A published run.
    run: i64,
    /// Its id; without it the run gives one.
    release: Option<String>,
    title: Option<String>,
    /// Answer when the release is there, not when it has begun.
    #[serde(default = "yes")]
    wait: bool,
}

fn yes() -> bool {
    true
}

/// Freeze a published run: one CSV per entity, adherence per unit, dictionary, manifest, in one zip. Answers 201 when it is there; with
/// `"wait": false` 202 as soon as it has begun, and its address tells the coordinating office how many cases are read.
#[utoipa::path(post, path = "/api/v1/releases", tag = "releases", params(("Idempotency-Key" = Option<String>, Header,)),
    request_body = Wanted,
    responses((status = 201, description = "Frozen"), (status = 202, description = "Begun"), (status = 404, description = "No such run"), (status = 409, description = "The id is taken or being frozen, or the run is not published")), security(("key" = [])))]
pub(super) async fn create(
    caller: Allowed<Coordinates>,
    request: HttpRequest,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let wanted: Wanted = serde_json::from_value(body.value).map_err(|_| {
        Problem::with(
            Kind::InvalidValue,
            "send {\"run\": number, \"release\"?: id, \"title\"?: text, \"wait\"?: boolean}",
        )
    })?;
    let (scope, shared) = (caller.scope.clone(), state.clone());
    Idempotent::once(idempotent, &state, &scope, move || {
        let new = NewFreezing {
            run: wanted.run,
            id: wanted.release,
            title: wanted.title,
        };
        let (status, body, id) = if wanted.wait {
            let release = freeze(&shared, &caller.scope, new, |_, _| ())?;
            (201, head(&release, &caller.scope), release.release_id)
        } else {
            let begun = freeze_in_background(shared, caller.scope, new)?;
            (202, being_frozen(&begun), begun.release_id)
        };
        Ok(Reply::json(status, &body)?.header("location", format!("/api/v1/releases/{id}")))
    })
    .await
}
