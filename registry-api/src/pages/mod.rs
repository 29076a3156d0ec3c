//! The dashboards: server-rendered, readable without JavaScript, every number through disclosure control.

mod account;
mod adherence;
mod adherence_filters;
mod adjudication;
mod admin;
mod alternatives;
mod assets;
mod audit;
mod audit_words;
mod brief;
mod case;
mod case_files;
mod cases;
mod centre;
mod checks;
mod choose;
mod codelists;
mod course;
mod definition;
mod entry;
mod error;
mod frame;
mod imports;
mod indicators;
mod invitation;
mod life_cycle;
mod lists;
mod measure;
mod measure_cases;
mod measure_period;
mod measure_tables;
mod of_run;
mod overview;
mod picker;
mod pictures;
mod pieces;
mod preview;
mod provider;
mod published;
mod quality;
mod quality_cells;
mod quality_over_time;
mod quality_tables;
mod queries;
mod query;
mod refill;
mod refused;
mod releases;
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
mod tables;
mod tasks;
mod users;
mod verification;
mod versions;
mod who;
mod withdrawal;
mod words;
mod worklist;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use crate::problem::{Kind, Problem};
use crate::routes::{Endpoint, guarded, open};
pub use error::error_page;
use frame::Frame;
use refused::Sent;

/// The pages' routes.
pub fn endpoints() -> Vec<Endpoint> {
    let of_the_link = "the link's token is the credential";
    let stylesheet = "a stylesheet, a script and an icon hold no data";
    vec![
        guarded(Method::GET, "/", overview::page),
        guarded(Method::GET, "/overview.csv", tables::overview),
        guarded(Method::GET, "/adherence", adherence::page),
        guarded(Method::GET, "/adherence.csv", adherence_filters::csv),
        guarded(Method::GET, "/measures/{measure}", measure::page),
        guarded(Method::GET, "/measures/{measure}/cases.csv", measure_cases::csv),
        guarded(
            Method::POST,
            "/measures/{measure}/sensitivity",
            alternatives::compute,
        ),
        guarded(Method::GET, "/measures/{measure}/{table}", tables::of_measure),
        guarded(Method::GET, "/signals", signals::page),
        guarded(Method::GET, "/signals.csv", tables::signals),
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
        guarded(Method::GET, "/brief.csv", brief::csv),
        guarded(Method::GET, "/report", report::page),
        guarded(Method::GET, "/charts/{name}", pictures::show),
        guarded(Method::GET, "/rules", rules::page),
        guarded(Method::GET, "/survival", survival::page),
        guarded(Method::GET, "/survival.csv", survival::csv),
        guarded(Method::GET, "/survival/published", published::page),
        guarded(Method::GET, "/survival/beside.csv", survival::beside_csv),
        guarded(Method::GET, "/centre", centre::page),
        guarded(Method::GET, "/centre.csv", centre::csv),
        guarded(Method::GET, "/centre/over-time.svg", centre::over_time::picture),
        guarded(Method::GET, "/survival/published.csv", tables::published),
        guarded(Method::GET, "/cases", cases::page),
        guarded(Method::GET, "/cases.csv", tables::cases),
        // Before the page of a case: one whose pseudonym is `new` is reached through the API alone.
        guarded(Method::GET, "/cases/new", entry::new),
        guarded(Method::GET, "/cases/{pseudonym}", case::page),
        guarded(Method::GET, "/cases/{pseudonym}/versions", versions::page),
        guarded(Method::GET, "/cases/{pseudonym}/course.svg", case_files::picture),
        guarded(Method::GET, "/cases/{pseudonym}/course.csv", case_files::table),
        guarded(
            Method::GET,
            "/cases/{pseudonym}/findings.csv",
            case_files::findings,
        ),
        guarded(
            Method::GET,
            "/cases/{pseudonym}/assessment.csv",
            case_files::assessed,
        ),
        guarded(
            Method::GET,
            "/cases/{pseudonym}/versions.csv",
            case_files::versions,
        ),
        guarded(Method::POST, "/cases/{pseudonym}/life-cycle", life_cycle::step),
        guarded(Method::POST, "/cases/{pseudonym}/withdraw", withdrawal::withdraw),
        guarded(Method::POST, "/cases/{pseudonym}/answer", case::answer),
        guarded(Method::POST, "/cases/{pseudonym}/transfer", tasks::transfer),
        guarded(Method::GET, "/tasks", tasks::page),
        guarded(Method::GET, "/tasks.csv", lists::tasks),
        guarded(Method::POST, "/tasks/{task}/close", tasks::close),
        guarded(Method::GET, "/worklist", worklist::page),
        guarded(Method::GET, "/worklist.csv", worklist::csv),
        guarded(Method::GET, "/worklist/centres.csv", tables::loads),
        guarded(Method::POST, "/cases/{pseudonym}/queries", query::raise),
        guarded(Method::GET, "/queries", queries::page),
        guarded(Method::GET, "/queries.csv", queries::csv),
        guarded(Method::GET, "/queries/metrics", queries::metrics),
        guarded(Method::GET, "/queries/metrics.csv", queries::metrics_csv),
        guarded(Method::GET, "/queries/{id}", query::page),
        guarded(Method::POST, "/queries/{id}/step", query::step),
        guarded(Method::GET, "/quality", quality::page),
        guarded(Method::GET, "/quality.csv", quality::csv),
        guarded(Method::GET, "/quality/{table}", quality_tables::show),
        guarded(Method::GET, "/adjudication", adjudication::page),
        guarded(Method::GET, "/adjudication.csv", tables::adjudication),
        guarded(Method::GET, "/adjudication/decided.csv", lists::decided),
        guarded(Method::GET, "/admin", admin::page),
        guarded(Method::GET, "/admin/keys.csv", lists::keys),
        guarded(Method::GET, "/admin/centres.csv", lists::centres),
        guarded(Method::POST, "/admin/keys", admin::keys::create),
        guarded(Method::POST, "/admin/keys/{key}/rotate", admin::keys::rotate),
        guarded(Method::POST, "/admin/keys/{key}/revoke", admin::keys::revoke),
        guarded(Method::POST, "/admin/centres", admin::centres::create),
        guarded(Method::GET, "/admin/centres/{id}", admin::centres::page),
        guarded(Method::GET, "/admin/centres/{id}/years.csv", lists::years),
        guarded(Method::POST, "/admin/centres/{id}", admin::centres::change),
        guarded(
            Method::POST,
            "/admin/centres/{id}/years",
            admin::centres::put_year,
        ),
        guarded(Method::GET, "/audit", audit::page),
        guarded(Method::GET, "/audit.csv", audit::csv),
        guarded(Method::POST, "/audit/verify", audit::verify),
        guarded(Method::GET, "/imports", imports::page),
        guarded(Method::GET, "/imports.csv", lists::imports),
        guarded(Method::POST, "/imports", imports::send),
        guarded(Method::POST, "/imports/mappings", imports::keep_mapping),
        guarded(Method::GET, "/imports/{job}", imports::job::page),
        guarded(Method::GET, "/imports/{job}/report.csv", imports::job::csv),
        guarded(Method::GET, "/cases/{pseudonym}/edit", entry::edit),
        guarded(Method::GET, "/verification", verification::list),
        guarded(Method::GET, "/verification.csv", lists::verifications),
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
        guarded(Method::GET, "/releases", releases::list),
        guarded(Method::GET, "/releases.csv", lists::releases),
        guarded(Method::POST, "/releases", releases::freeze),
        guarded(Method::GET, "/releases/{id}", releases::page),
        guarded(Method::GET, "/extracts", requests::extracts),
        guarded(Method::GET, "/requests", requests::page),
        guarded(Method::GET, "/requests.csv", tables::requests),
        guarded(Method::POST, "/requests", requests::file),
        guarded(Method::POST, "/requests/{id}/decide", requests::decide),
        guarded(Method::GET, "/runs", runs::page),
        guarded(Method::GET, "/runs.csv", tables::runs),
        guarded(Method::POST, "/runs", runs::start),
        guarded(Method::POST, "/runs/{run}/publish", runs::publish),
        open(Method::GET, "/schema", "what is recorded is public", schema::page),
        open(Method::GET, "/checks", "what is checked is public", checks::page),
        open(
            Method::GET,
            "/checks.csv",
            "what is checked is public",
            checks::csv,
        ),
        open(
            Method::GET,
            "/codelists",
            "what is recorded is public",
            codelists::page,
        ),
        open(
            Method::GET,
            "/codelists.csv",
            "what is recorded is public",
            codelists::csv,
        ),
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
        guarded(Method::GET, "/users.csv", lists::users),
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

/// A table to be kept as a file.
fn download(name: &str, text: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header(("content-disposition", format!("attachment; filename=\"{name}\"")))
        .body(text)
}

/// What an unknown address answers.
pub fn not_found(_request: &HttpRequest) -> HttpResponse {
    Problem::new(Kind::NotFound).error_response()
}
