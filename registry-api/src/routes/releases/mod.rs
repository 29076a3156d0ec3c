//! `/api/v1/releases`: frozen data, by checksum.

mod files;

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use chrono::{DateTime, Utc};
use registry_core::access::{Role, Scope};
use registry_core::storage::{Freezing, FreezingState, Release, StoreError};
use serde::{Deserialize, Serialize};

use super::{Asked, Endpoint, Idempotent, Reply, Since, guarded, open};
use crate::guard::{Allowed, Coordinates, Json, NoQuery, ReadsReleases};
use crate::problem::{Kind, Problem};
use crate::releases::{NewFreezing, cases, cases_about, freeze, freeze_in_background};
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

/// All releases, newest first.
pub(crate) fn heads(state: &AppState, scope: &Scope) -> Result<Vec<Head>, Problem> {
    let all = state.store.list_releases(scope)?;
    let about = cases_about(state, &all);
    let head = |one: &Release| head(one, scope, about.get(&one.release_id).copied().flatten());
    Ok(all.iter().map(head).collect())
}

/// A release, by its id.
fn found(state: &AppState, scope: &Scope, id: &str) -> Result<Head, Problem> {
    let unknown = Problem::from(StoreError::NotFound);
    let mut all = heads(state, scope)?.into_iter();
    all.find(|one| one.release == id).ok_or(unknown)
}

/// A release without its manifest, which has an address of its own. What two releases together would tell of a patient (how many cases
/// exactly, how many bytes, the digest) is the office's; others are told `about` how many cases.
fn head(release: &Release, scope: &Scope, about: Option<u64>) -> Head {
    let id = &release.release_id;
    let office = scope.role() == Role::Coordinator;
    Head {
        release: id.clone(),
        run: release.run,
        title: release.title.clone(),
        created_at: release.created_at,
        created_by: release.created_by.clone(),
        manifest: format!("/api/v1/releases/{id}/manifest.json"),
        bundle: format!("/api/v1/releases/{id}/bundle.zip"),
        sha256: office.then(|| release.sha256.clone()),
        bytes: office.then_some(release.bytes),
        cases: office.then(|| cases(release)).flatten(),
        cases_about: about.filter(|_| !office),
    }
}

/// A release.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Release)]
pub(crate) struct Head {
    pub(crate) release: String,
    pub(crate) run: i64,
    pub(crate) title: String,
    created_at: DateTime<Utc>,
    created_by: String,
    /// Addresses.
    manifest: String,
    bundle: String,
    /// To the coordinating office, as the two that follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cases: Option<u64>,
    /// To everybody else: the number of cases in steps, as the releases before told it until it has moved by many.
    #[serde(skip_serializing_if = "Option::is_none")]
    cases_about: Option<u64>,
}

/// A page of releases.
#[derive(Serialize, utoipa::ToSchema)]
struct Releases {
    releases: Vec<Head>,
    next: Option<String>,
}

/// A release, or one that is not there yet.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ReleaseOrFreezing)]
#[serde(untagged)]
enum Shown {
    Frozen(Head),
    Freezing(BeingFrozen),
}

/// A release that is not there yet.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ReleaseBeingFrozen)]
struct BeingFrozen {
    release: String,
    run: i64,
    title: String,
    freezing: Progress,
}

/// How far it is, or why it came to nothing.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = FreezingProgress)]
struct Progress {
    state: FreezingState,
    done: i64,
    total: i64,
    problem: Option<String>,
    started_at: DateTime<Utc>,
    started_by: String,
}

/// All releases, newest first; bytes, digest and the exact number of cases for the coordinating office alone.
#[utoipa::path(get, path = "/api/v1/releases", tag = "releases", params(("updated_since" = Option<String>, Query,), ("cursor" = Option<String>, Query,), ("limit" = Option<usize>, Query,)), responses((status = 200, description = "releases", body = Releases)), security(("key" = [])))]
pub(super) async fn list(
    caller: Allowed<ReadsReleases>,
    request: HttpRequest,
    since: web::Query<Since>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let asked = Asked::of(&request);
    blocking(move || {
        let mut releases = heads(&state, &caller.scope)?;
        releases.retain(|release| since.takes(&[Some(release.created_at)]));
        let id = |one: &Head| one.release.clone();
        since.page(&asked, releases, id, |releases, next| Releases { releases, next })
    })
    .await
}

/// One release; for the coordinating office also one that is being frozen: how far it is, or why it came to nothing.
#[utoipa::path(get, path = "/api/v1/releases/{id}", tag = "releases", params(("id" = String, Path,)),
    responses((status = 200, description = "The release", body = Shown), (status = 404, description = "No such release")), security(("key" = [])))]
pub(super) async fn show(
    caller: Allowed<ReadsReleases>,
    _: NoQuery,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    blocking(move || match found(&state, &caller.scope, &id) {
        Err(problem) if problem.kind == Kind::NotFound && caller.scope.role() == Role::Coordinator => {
            let all = state.store.list_freezings(&caller.scope)?;
            match all.iter().find(|one| one.release_id == *id) {
                Some(begun) => Reply::json(200, &being_frozen(begun)),
                // Unknown, or recorded between the two looks.
                None => Reply::json(200, &found(&state, &caller.scope, &id)?),
            }
        }
        head => Reply::json(200, &head?),
    })
    .await
}

fn being_frozen(begun: &Freezing) -> BeingFrozen {
    BeingFrozen {
        release: begun.release_id.clone(),
        run: begun.run,
        title: begun.title.clone(),
        freezing: Progress {
            state: begun.state,
            done: begun.done,
            total: begun.total,
            problem: begun.problem.clone(),
            started_at: begun.started_at,
            started_by: begun.started_by.clone(),
        },
    }
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
    responses((status = 201, description = "Frozen", body = Head), (status = 202, description = "Begun", body = BeingFrozen), (status = 404, description = "No such run"), (status = 409, description = "The id is taken or being frozen, or the run is not published")), security(("key" = [])))]
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
            let head = head(&release, &caller.scope, None);
            (201, Shown::Frozen(head), release.release_id)
        } else {
            let begun = freeze_in_background(shared, caller.scope, new)?;
            (202, Shown::Freezing(being_frozen(&begun)), begun.release_id)
        };
        Ok(Reply::json(status, &body)?.header("location", format!("/api/v1/releases/{id}")))
    })
    .await
}
