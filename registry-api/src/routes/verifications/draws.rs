//! Drawing a sample, and what was drawn.

use actix_web::{HttpRequest, web};
use chrono::NaiveDate;
use registry_core::storage::{NewVerification, SampledCase, Store, Verification};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::guard::{Allowed, Coordinates, Json, NoQuery, ReadsVerifications};
use crate::problem::{Kind, Problem};
use crate::routes::{Asked, Idempotent, Reply, Since};
use crate::state::{AppState, blocking};
use crate::verification;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = Draw)]
#[serde(deny_unknown_fields)]
struct Draw {
    /// Text or a number; without it one is made.
    seed: Option<Value>,
    /// Above 0 and up to 1; without it the usual share.
    share: Option<f64>,
    /// Cases submitted up to this day.
    through: NaiveDate,
}

impl Draw {
    fn wanted(self, usual: f64) -> Result<NewVerification, Problem> {
        let seed = match self.seed {
            None => None,
            Some(Value::String(seed)) => Some(seed),
            Some(Value::Number(seed)) => Some(seed.to_string()),
            Some(_) => return Err(unreadable()),
        };
        Ok(NewVerification {
            seed,
            share: self.share.unwrap_or(usual),
            through: self.through,
        })
    }
}

fn unreadable() -> Problem {
    Problem::with(
        Kind::InvalidValue,
        "send {\"through\": date, \"share\": number?, \"seed\": text or number?}",
    )
}

/// Draw a sample of every centre's cases for source-data verification: `ceil(share * cases)` of those submitted, verified or locked, not
/// withdrawn and first stored up to `through`, in the order of SHA-256 over the seed, a line feed and the record id. The same seed and the
/// same cases give the same sample; without a seed one is made and told. What is compared later is the version current now.
#[utoipa::path(post, path = "/api/v1/verifications", tag = "verifications", params(("Idempotency-Key" = Option<String>, Header,)),
    request_body = Draw,
    responses((status = 201, description = "The draw", body = Verification), (status = 409, description = "There is no case to draw from"), (status = 422, description = "A share, seed or day that cannot be used")),
    security(("key" = [])))]
pub(in crate::routes) async fn draw(
    caller: Allowed<Coordinates>,
    request: HttpRequest,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let draw: Draw = serde_json::from_value(body.value).map_err(|_| unreadable())?;
    let wanted = draw.wanted(state.verifier.share())?;
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let scope = caller.scope.clone();
    let change = move |store: &Store| {
        store
            .draw_verification(&caller.scope, wanted)
            .map_err(Problem::from)
    };
    let told = |draw: &Verification| {
        let place = format!("/api/v1/verifications/{}", draw.verification_id);
        Ok(Reply::json(201, draw)?.header("location", place))
    };
    Idempotent::change(idempotent, &state, &scope, change, told).await
}

/// A page of draws.
#[derive(Serialize, utoipa::ToSchema)]
struct Verifications {
    verifications: Vec<Verification>,
    next: Option<String>,
}

/// A draw and its cases.
#[derive(Serialize, utoipa::ToSchema)]
struct Sample {
    #[serde(flatten)]
    draw: Verification,
    /// For those who see cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<Vec<SampledCase>>,
}

/// The draws, newest first, with how many cases were entered again: of the own centre, or of all.
#[utoipa::path(get, path = "/api/v1/verifications", tag = "verifications", params(("updated_since" = Option<String>, Query,), ("cursor" = Option<String>, Query,), ("limit" = Option<usize>, Query,)),
    responses((status = 200, description = "The draws", body = Verifications)), security(("key" = [])))]
pub(in crate::routes) async fn list(
    caller: Allowed<ReadsVerifications>,
    request: HttpRequest,
    since: web::Query<Since>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let asked = Asked::of(&request);
    blocking(move || {
        let mut draws = verification::draws(&state, &caller.scope)?;
        draws.retain(|draw| since.takes(&[Some(draw.drawn_at)]));
        let id = |draw: &Verification| draw.verification_id.clone();
        since.page(&asked, draws, id, |verifications, next| Verifications {
            verifications,
            next,
        })
    })
    .await
}

/// One draw. A centre reads which of its cases are in the sample, and nothing of what they hold; the committee reads no case.
#[utoipa::path(get, path = "/api/v1/verifications/{verification}", tag = "verifications", params(("verification" = String, Path,)),
    responses((status = 200, description = "The draw, and its cases: centre, pseudonym, version at the draw, entered again when and by whom", body = Sample), (status = 404, description = "No such draw")),
    security(("key" = [])))]
pub(in crate::routes) async fn show(
    caller: Allowed<ReadsVerifications>,
    _: NoQuery,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    blocking(move || {
        let draws = verification::draws(&state, &caller.scope)?;
        let draw = draws.into_iter().find(|draw| draw.verification_id == *id);
        let draw = draw.ok_or(Problem::new(Kind::NotFound))?;
        let sample = match caller.scope.role().sees_cases() {
            true => Some(state.store.sampled_cases(&caller.scope, &id)?),
            false => None,
        };
        Reply::json(200, &Sample { draw, sample })
    })
    .await
}
