//! `/api/v1/centres` and their yearly table.

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use registry_core::dictionary::{Absence, ElementKind};
use registry_core::storage::{Centre, CentreYear, NewCentre, Store};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Asked, Endpoint, Idempotent, Reply, Since, guarded};
use crate::guard::{Administers, Allowed, Json, NoQuery};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        guarded(Method::GET, "/api/v1/centres", list),
        guarded(Method::POST, "/api/v1/centres", create),
        guarded(Method::PUT, "/api/v1/centres/{id}", put),
        guarded(Method::GET, "/api/v1/centres/{id}/years", years),
        guarded(Method::PUT, "/api/v1/centres/{id}/years/{year}", put_year),
    ]
}

/// A page of centres.
#[derive(Serialize, utoipa::ToSchema)]
struct Centres {
    centres: Vec<Centre>,
    next: Option<String>,
}

/// All centres.
#[utoipa::path(get, path = "/api/v1/centres", tag = "centres", params(("updated_since" = Option<String>, Query,), ("cursor" = Option<String>, Query,), ("limit" = Option<usize>, Query,)), responses((status = 200, description = "Centres", body = Centres)), security(("key" = [])))]
pub(super) async fn list(
    caller: Allowed<Administers>,
    request: HttpRequest,
    since: web::Query<Since>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let asked = Asked::of(&request);
    blocking(move || {
        let mut centres = state.store.list_centres(&caller.scope)?;
        centres.retain(|centre| since.takes(&[Some(centre.updated_at)]));
        let id = |centre: &Centre| centre.centre_id.clone();
        since.page(&asked, centres, id, |centres, next| Centres { centres, next })
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = NewCentre)]
#[serde(deny_unknown_fields)]
struct Wanted {
    centre_id: String,
    name: String,
    /// ISO 3166-1 alpha-2.
    country: Option<String>,
    #[serde(default = "yes")]
    active: bool,
}

fn yes() -> bool {
    true
}

/// Add a centre.
#[utoipa::path(post, path = "/api/v1/centres", tag = "centres", params(("Idempotency-Key" = Option<String>, Header,)),
    request_body = Wanted,
    responses((status = 201, description = "Added", body = Centre), (status = 409, description = "The id is taken")), security(("key" = [])))]
pub(super) async fn create(
    caller: Allowed<Administers>,
    request: HttpRequest,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let wanted: Wanted = serde_json::from_value(body.value).map_err(|_| {
        Problem::with(
            Kind::InvalidValue,
            "send {\"centre_id\": id, \"name\": text, \"country\"?: code, \"active\"?: boolean}",
        )
    })?;
    let scope = caller.scope.clone();
    let change = move |store: &Store| {
        let centre = NewCentre {
            centre_id: wanted.centre_id,
            name: wanted.name,
            country: wanted.country,
            active: wanted.active,
        };
        store.create_centre(&caller.scope, centre).map_err(Problem::from)
    };
    Idempotent::change(idempotent, &state, &scope, change, |made| Reply::json(201, made)).await
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = ChangedCentre)]
#[serde(deny_unknown_fields)]
struct Changed {
    name: String,
    /// ISO 3166-1 alpha-2.
    country: Option<String>,
    active: bool,
}

/// Change a centre, or add it. One that takes part no more (`"active": false`) sends nothing from then on; what it has sent stays.
#[utoipa::path(put, path = "/api/v1/centres/{id}", tag = "centres", params(("id" = String, Path,)),
    request_body = Changed,
    responses((status = 200, description = "Changed", body = Centre), (status = 201, description = "Added", body = Centre), (status = 422, description = "A value cannot be kept")), security(("key" = [])))]
pub(super) async fn put(
    caller: Allowed<Administers>,
    id: web::Path<String>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let wanted: Changed = serde_json::from_value(body.value).map_err(|_| {
        Problem::with(
            Kind::InvalidValue,
            "send {\"name\": text, \"country\"?: code, \"active\": boolean}",
        )
    })?;
    blocking(move || {
        let centre = NewCentre {
            centre_id: id.into_inner(),
            name: wanted.name,
            country: wanted.country,
            active: wanted.active,
        };
        let (stored, added) = state.store.upsert_centre(&caller.scope, centre)?;
        Reply::json(if added { 201 } else { 200 }, &stored)
    })
    .await
}

/// The yearly rows of a centre.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CentreYears)]
struct Years {
    years: Vec<CentreYear>,
}

/// The yearly rows of one centre.
#[utoipa::path(get, path = "/api/v1/centres/{id}/years", tag = "centres", params(("id" = String, Path,)),
    responses((status = 200, description = "Rows by year", body = Years), (status = 404, description = "No such centre")), security(("key" = [])))]
pub(super) async fn years(
    caller: Allowed<Administers>,
    _: NoQuery,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    blocking(move || {
        state.store.centre(&caller.scope, &id)?;
        let years = state.store.centre_years(&caller.scope, Some(&id))?;
        Reply::json(200, &Years { years })
    })
    .await
}

/// Add or replace one year of a centre: ratified flags, volumes, eligible seen, refused. Elements as the dictionary's `centre` names them.
#[utoipa::path(put, path = "/api/v1/centres/{id}/years/{year}", tag = "centres", params(("id" = String, Path,), ("year" = i32, Path,)),
    request_body(content = crate::routes::openapi::answers::RowOfCentre, description = "The reference row without centre_id and effective_year"),
    responses((status = 200, description = "Replaced", body = CentreYear), (status = 201, description = "Added", body = Centre), (status = 422, description = "An element is unknown or of the wrong type")), security(("key" = [])))]
pub(super) async fn put_year(
    caller: Allowed<Administers>,
    path: web::Path<(String, String)>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let (id, year) = path.into_inner();
    let year: i32 = year.parse().map_err(|_| Problem::new(Kind::NotFound))?;
    let row = reference_row(&state, &id, year, body.value)?;
    blocking(move || {
        let (stored, added) = state.store.put_centre_year(&caller.scope, &id, year, row)?;
        Reply::json(if added { 201 } else { 200 }, &stored)
    })
    .await
}

/// The row with its keys, checked against the schema of the reference table.
///
/// # Errors
/// [`Kind::InvalidValue`] names the element that the table has not, or whose value is of another type.
pub(crate) fn reference_row(state: &AppState, id: &str, year: i32, body: Value) -> Result<Value, Problem> {
    let Value::Object(mut row) = body else {
        return Err(Problem::with(Kind::InvalidValue, "send an object"));
    };
    for (key, value) in [("centre_id", json!(id)), ("effective_year", json!(year))] {
        if row.get(key).is_some_and(|sent| *sent != value) {
            return Err(Problem::with(
                Kind::InvalidValue,
                format!("{key} is not the one of the address"),
            ));
        }
        row.insert(key.to_owned(), value);
    }
    let row = Value::Object(row);
    let dictionary = &state.schemas.current().dictionary;
    let Some(centre) = dictionary.entity("centre") else {
        return Err(Problem::internal("the dictionary has no centre"));
    };
    for (name, value) in row.as_object().into_iter().flatten() {
        let element = centre.element(name).ok_or_else(|| {
            Problem::with(
                Kind::InvalidValue,
                "the centre table has no element of that name: see `centre` in the dictionary",
            )
        })?;
        let fits = match element.kind {
            ElementKind::Boolean => value.is_boolean(),
            ElementKind::Integer | ElementKind::Year => value.as_i64().is_some_and(|n| n >= 0),
            _ => value.is_string(),
        };
        let absent = value
            .get("absent")
            .and_then(Value::as_str)
            .and_then(Absence::from_code);
        if !fits && !absent.is_some_and(|a| element.absence.contains(a)) {
            let kind = element.kind;
            return Err(Problem::with(
                Kind::InvalidValue,
                format!("{name} takes {kind}, or an accepted absence code"),
            ));
        }
    }
    Ok(row)
}
