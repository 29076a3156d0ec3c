//! The dashboards: server-rendered, readable without JavaScript, every number through disclosure control.

mod account;
mod adherence;
mod adherence_filters;
mod adjudication;
mod admin;
mod alternatives;
mod assets;
mod brief;
mod case;
mod cases;
mod choose;
mod course;
mod definition;
mod entry;
mod frame;
mod indicators;
mod invitation;
mod life_cycle;
mod measure;
mod overview;
mod pictures;
mod preview;
mod provider;
mod published;
mod quality;
mod queries;
mod query;
mod report;
mod requests;
mod rules;
mod runs;
mod schema;
mod sign_in;
mod signals;
mod silence;
mod survival;
mod survival_beside;
mod survival_centres;
mod survival_tables;
mod tasks;
mod users;
mod verification;
mod words;
mod worklist;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use crate::guard::request_id;
use crate::problem::{Kind, Problem};
use crate::routes::{Endpoint, guarded, open};
use frame::Frame;

/// The pages' routes.
pub fn endpoints() -> Vec<Endpoint> {
    let of_the_link = "the link's token is the credential";
    let stylesheet = "a stylesheet, a script and an icon hold no data";
    vec![
        guarded(Method::GET, "/", overview::page),
        guarded(Method::GET, "/adherence", adherence::page),
        guarded(Method::GET, "/adherence.csv", adherence_filters::csv),
        guarded(Method::GET, "/measures/{measure}", measure::page),
        guarded(
            Method::POST,
            "/measures/{measure}/sensitivity",
            alternatives::compute,
        ),
        guarded(Method::GET, "/signals", signals::page),
        guarded(
            Method::POST,
            "/signals/{measure}/{letter}/status",
            signals::status,
        ),
        guarded(
            Method::POST,
            "/signals/{measure}/{letter}/reveal",
            signals::reveal,
        ),
        guarded(Method::GET, "/indicators", choose::page),
        guarded(Method::POST, "/indicators", choose::choose),
        guarded(Method::GET, "/brief", brief::page),
        guarded(Method::GET, "/report", report::page),
        guarded(Method::GET, "/charts/{name}", pictures::show),
        guarded(Method::GET, "/rules", rules::page),
        guarded(Method::GET, "/survival", survival::page),
        guarded(Method::GET, "/survival.csv", survival::csv),
        guarded(Method::GET, "/survival/published", published::page),
        guarded(Method::GET, "/cases", cases::page),
        // Before the page of a case: one whose pseudonym is `new` is reached through the API alone.
        guarded(Method::GET, "/cases/new", entry::new),
        guarded(Method::GET, "/cases/{pseudonym}", case::page),
        guarded(Method::POST, "/cases/{pseudonym}/life-cycle", life_cycle::step),
        guarded(Method::POST, "/cases/{pseudonym}/answer", case::answer),
        guarded(Method::POST, "/cases/{pseudonym}/transfer", tasks::transfer),
        guarded(Method::GET, "/tasks", tasks::page),
        guarded(Method::POST, "/tasks/{task}/close", tasks::close),
        guarded(Method::GET, "/worklist", worklist::page),
        guarded(Method::GET, "/worklist.csv", worklist::csv),
        guarded(Method::POST, "/cases/{pseudonym}/queries", query::raise),
        guarded(Method::GET, "/queries", queries::page),
        guarded(Method::GET, "/queries.csv", queries::csv),
        guarded(Method::GET, "/queries/metrics", queries::metrics),
        guarded(Method::GET, "/queries/metrics.csv", queries::metrics_csv),
        guarded(Method::GET, "/queries/{id}", query::page),
        guarded(Method::POST, "/queries/{id}/step", query::step),
        guarded(Method::GET, "/quality", quality::page),
        guarded(Method::GET, "/quality.csv", quality::csv),
        guarded(Method::GET, "/adjudication", adjudication::page),
        guarded(Method::GET, "/admin", admin::page),
        guarded(Method::GET, "/cases/{pseudonym}/edit", entry::edit),
        guarded(Method::GET, "/verification", verification::list),
        guarded(Method::POST, "/verification", verification::draw),
        guarded(Method::GET, "/verification/{verification}", verification::page),
        // Before the page of a sampled case, as above.
        guarded(
            Method::GET,
            "/verification/{verification}/agreement.csv",
            verification::csv,
        ),
        guarded(
            Method::GET,
            "/verification/{verification}/{pseudonym}",
            verification::case::page,
        ),
        guarded(
            Method::POST,
            "/verification/{verification}/{pseudonym}/reset",
            verification::case::reset,
        ),
        guarded(Method::GET, "/requests", requests::page),
        guarded(Method::POST, "/requests", requests::file),
        guarded(Method::POST, "/requests/{id}/decide", requests::decide),
        guarded(Method::GET, "/runs", runs::page),
        guarded(Method::POST, "/runs", runs::start),
        guarded(Method::POST, "/runs/{run}/publish", runs::publish),
        open(Method::GET, "/schema", "what is recorded is public", schema::page),
        open(
            Method::GET,
            "/sign-in",
            "whoever signs in is not signed in",
            sign_in::page,
        ),
        open(Method::POST, "/sign-in", of_the_link, sign_in::redeem),
        open(
            Method::POST,
            "/sign-in/password",
            "name, password and code are the credentials",
            sign_in::with_password,
        ),
        open(
            Method::GET,
            "/sign-in/provider",
            "whoever signs in is not signed in",
            provider::leave,
        ),
        open(Method::POST, "/sign-in/provider", of_the_link, provider::bind),
        open(
            Method::GET,
            "/sign-in/callback",
            "the provider's code is the credential",
            provider::come_back,
        ),
        guarded(Method::POST, "/sign-out", sign_in::sign_out),
        open(Method::GET, "/invitation", of_the_link, invitation::page),
        open(Method::POST, "/invitation", of_the_link, invitation::accept),
        guarded(Method::GET, "/account", account::page),
        guarded(Method::POST, "/account/password", account::change_password),
        guarded(
            Method::POST,
            "/account/recovery-codes",
            account::renew_recovery_codes,
        ),
        guarded(
            Method::POST,
            "/account/sign-out-everywhere",
            account::sign_out_everywhere,
        ),
        guarded(Method::GET, "/users", users::page),
        guarded(Method::POST, "/users", users::invite),
        guarded(Method::POST, "/users/{person}/assign", users::assign),
        guarded(Method::POST, "/users/{person}/reset", users::reset),
        guarded(Method::POST, "/users/{person}/disable", users::disable),
        open(Method::GET, "/assets/{name}", stylesheet, assets::show),
    ]
}

/// A rendered page.
fn html(template: &impl Template) -> Result<HttpResponse, Problem> {
    let body = template.render().map_err(Problem::internal)?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(body))
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    frame: Frame,
    status: u16,
    heading: &'a str,
    detail: Option<&'a str>,
    request_id: String,
}

/// The page for a problem; `None` when it cannot be rendered.
pub fn error_page(problem: &Problem) -> Option<String> {
    if problem.kind == Kind::Unauthenticated {
        return sign_in::invitation();
    }
    let page = ErrorPage {
        frame: Frame::bare(problem.kind.title()),
        status: problem.kind.status(),
        heading: problem.kind.title(),
        detail: problem.detail.as_deref().filter(|_| problem.kind.status() != 500),
        request_id: request_id::current(),
    };
    page.render().ok()
}

/// What an unknown address answers.
pub fn not_found(_request: &HttpRequest) -> HttpResponse {
    Problem::new(Kind::NotFound).error_response()
}
