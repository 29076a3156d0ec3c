//! `/api/v1/users`: people with an account. Links are shown once; what proves who a person is never.

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use registry_core::access::Role;
use registry_core::storage::{Invited, NewPerson, Person, Store};
use serde::{Deserialize, Serialize};

use super::{Asked, Endpoint, Idempotent, Reply, Since, guarded};
use crate::guard::{Administers, Allowed, Json, RawBody};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        guarded(Method::GET, "/api/v1/users", list),
        guarded(Method::POST, "/api/v1/users", create),
        guarded(Method::POST, "/api/v1/users/{person_id}:assign", assign),
        guarded(Method::POST, "/api/v1/users/{person_id}:reset", reset),
        guarded(Method::POST, "/api/v1/users/{person_id}:disable", disable),
    ]
}

/// A page of accounts.
#[derive(Serialize, utoipa::ToSchema)]
struct Users {
    users: Vec<Person>,
    next: Option<String>,
}

/// An account, and the only time its link exists.
#[derive(Serialize, utoipa::ToSchema)]
struct NewAccount<'a> {
    user: &'a Person,
    link: String,
}

/// All accounts, by sign-in name.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", params(("updated_since" = Option<String>, Query,), ("cursor" = Option<String>, Query,), ("limit" = Option<usize>, Query,)), responses((status = 200, description = "Accounts", body = Users)), security(("key" = [])))]
pub(super) async fn list(
    caller: Allowed<Administers>,
    request: HttpRequest,
    since: web::Query<Since>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let asked = Asked::of(&request);
    blocking(move || {
        let mut users = state.store.list_people(&caller.scope)?;
        users.retain(|user| since.takes(&[Some(user.created_at), user.last_sign_in_at]));
        let id = |user: &Person| user.person_id.clone();
        since.page(&asked, users, id, |users, next| Users { users, next })
    })
    .await
}

/// Who is to be invited.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = NewUser)]
#[serde(deny_unknown_fields)]
struct Wanted {
    login: String,
    name: String,
    #[schema(value_type = String, example = "submitter")]
    role: Role,
    centre: Option<String>,
}

/// The address of a one-time link.
pub(crate) fn link(address: &str, made: &Invited) -> String {
    format!("{address}/invitation?token={}", made.link.reveal())
}

fn with_link(address: &str, made: &Invited) -> Result<Reply, Problem> {
    let answer = NewAccount {
        user: &made.person,
        link: link(address, made),
    };
    Reply::json(201, &answer)
}

/// Make an account. Its one-time link, good for 72 hours, is in this answer and nowhere else, so this request is never replayed.
#[utoipa::path(post, path = "/api/v1/users", tag = "users",
    request_body = Wanted,
    responses((status = 201, description = "The account, and its link shown once", body = NewAccount), (status = 409, description = "The sign-in name is taken"),
        (status = 422, description = "Role and centre do not fit")), security(("key" = [])))]
pub(super) async fn create(
    caller: Allowed<Administers>,
    request: HttpRequest,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let wanted: Wanted = serde_json::from_value(body.value).map_err(|_| {
        Problem::with(
            Kind::InvalidValue,
            "send {\"login\": text, \"name\": text, \"role\": role, \"centre\"?: id}",
        )
    })?;
    let address = state.address_for(&request);
    blocking(move || {
        let person = NewPerson {
            login: wanted.login,
            name: wanted.name,
            role: wanted.role,
            centre: wanted.centre,
        };
        with_link(&address, &state.store.invite_person(&caller.scope, person)?)
    })
    .await
}

/// Another role or centre.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = Assignment)]
#[serde(deny_unknown_fields)]
struct Assigned {
    #[schema(value_type = String, example = "submitter")]
    role: Role,
    centre: Option<String>,
}

/// Give a person another role or centre; their sessions end.
#[utoipa::path(post, path = "/api/v1/users/{person_id}:assign", tag = "users", params(("person_id" = String, Path,), ("Idempotency-Key" = Option<String>, Header,)),
    request_body = Assigned,
    responses((status = 200, description = "The account", body = Person), (status = 404, description = "No such account"),
        (status = 409, description = "The caller's own account"), (status = 422, description = "Role and centre do not fit")), security(("key" = [])))]
pub(super) async fn assign(
    caller: Allowed<Administers>,
    request: HttpRequest,
    person_id: web::Path<String>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let to: Assigned = serde_json::from_value(body.value)
        .map_err(|_| Problem::with(Kind::InvalidValue, "send {\"role\": role, \"centre\"?: id}"))?;
    let scope = caller.scope.clone();
    let change = move |store: &Store| {
        let centre = to.centre.as_deref();
        Ok(store.assign_person(&caller.scope, &person_id, to.role, centre)?)
    };
    Idempotent::change(idempotent, &state, &scope, change, |person| {
        Reply::json(200, person)
    })
    .await
}

/// Take password, second factor, recovery codes and sessions away, and make a new link, shown once, so that this request is never replayed. Lets in again who was disabled.
#[utoipa::path(post, path = "/api/v1/users/{person_id}:reset", tag = "users", params(("person_id" = String, Path,)),
    responses((status = 201, description = "The account, and its link shown once", body = NewAccount), (status = 404, description = "No such account"),
        (status = 409, description = "The caller's own account")), security(("key" = [])))]
pub(super) async fn reset(
    caller: Allowed<Administers>,
    person_id: web::Path<String>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let address = state.address_for(&request);
    blocking(move || with_link(&address, &state.store.reset_person(&caller.scope, &person_id)?)).await
}

/// End an account, effective at the next request.
#[utoipa::path(post, path = "/api/v1/users/{person_id}:disable", tag = "users", params(("person_id" = String, Path,), ("Idempotency-Key" = Option<String>, Header,)),
    responses((status = 200, description = "The account", body = Person), (status = 404, description = "No such account"),
        (status = 409, description = "The caller's own account")), security(("key" = [])))]
pub(super) async fn disable(
    caller: Allowed<Administers>,
    request: HttpRequest,
    person_id: web::Path<String>,
    state: web::Data<AppState>,
    body: RawBody,
) -> Result<Reply, Problem> {
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let scope = caller.scope.clone();
    let change = move |store: &Store| Ok(store.disable_person(&caller.scope, &person_id)?);
    Idempotent::change(idempotent, &state, &scope, change, |person| {
        Reply::json(200, person)
    })
    .await
}
