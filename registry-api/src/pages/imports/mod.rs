//! Cases from files: what a centre hands in, and its jobs. The coordinating office sees the jobs of every centre and hands in none.

pub(super) mod job;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use clap::ValueEnum;
use registry_core::access::Scope;
use registry_core::storage::{Job, JobState};
use serde::Deserialize;
use serde_json::Value;

use super::who::People;
use super::{Frame, Sent, html};
use crate::guard::{Allowed, AllowedUpload, Policy, SeesCases, Submits};
use crate::imports::Format;
use crate::problem::{Kind, Problem};
use crate::routes::imports::mappings::keep;
use crate::routes::imports::start::{Options, begin};
use crate::routes::quality::worklist::given;
use crate::state::{AppState, blocking};

/// Jobs on one page.
const A_PAGE: usize = 50;

const TITLE: &str = "Imports";

#[derive(Template)]
#[template(path = "imports.html")]
struct Page {
    frame: Frame,
    csrf: String,
    /// The centre's mappings, for whoever may hand in files.
    send: Option<Vec<Mapping>>,
    /// Why the files that were just sent could not be read.
    refused: Option<Refused>,
    /// A job is under way: the page looks again.
    under_way: bool,
    jobs: Vec<Shown>,
    next: Option<String>,
}

/// A mapping that the centre keeps.
struct Mapping {
    name: String,
    kept: String,
}

/// Files that cannot be read as a whole.
struct Refused {
    detail: Option<String>,
    faults: Vec<Fault>,
}

/// A place and what is wrong there.
struct Fault {
    /// File, line and column.
    place: String,
    code: String,
    message: String,
}

/// A job as pages show it.
pub(super) struct Shown {
    id: String,
    centre: String,
    what: &'static str,
    state: &'static str,
    running: bool,
    done: u64,
    total: u64,
    counts: String,
    problem: Option<String>,
    by: String,
    began: String,
    ended: String,
}

impl Shown {
    fn of(job: &Job, people: &People) -> Self {
        let minute = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d %H:%M UTC").to_string();
        let counts = &job.counts;
        Self {
            id: job.job_id.clone(),
            centre: job.centre_id.clone(),
            what: match (job.kind.as_str(), job.dry_run) {
                ("batch", _) => "Batch by API",
                (_, true) => "Dry run",
                (_, false) => "Import",
            },
            state: match job.state {
                JobState::Running => "under way",
                JobState::Done => "done",
                JobState::Failed => "failed",
                JobState::Interrupted => "interrupted",
            },
            running: job.state == JobState::Running,
            done: counts.done(),
            total: counts.total,
            counts: format!(
                "{} new, {} changed, {} unchanged, {} refused",
                counts.created, counts.changed, counts.unchanged, counts.refused
            ),
            problem: job.problem.clone(),
            by: people.who(&job.actor),
            began: minute(job.started_at),
            ended: job.ended_at.map(minute).unwrap_or_default(),
        }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default, deserialize_with = "given")]
    cursor: Option<String>,
}

fn read(
    state: &AppState,
    scope: &Scope,
    frame: Frame,
    wanted: &Wanted,
    refused: Option<Refused>,
) -> Result<Page, Problem> {
    let people = People::of(state)?;
    let listed = state.store.list_jobs(scope, wanted.cursor.as_deref(), A_PAGE)?;
    let send = if Submits::ROLES.contains(&scope.role()) {
        let mappings = state.store.list_mappings(scope)?.into_iter();
        let shown = mappings.map(|mapping| Mapping {
            kept: format!(
                "{} by {}",
                mapping.updated_at.date_naive(),
                people.who(&mapping.updated_by)
            ),
            name: mapping.name,
        });
        Some(shown.collect())
    } else {
        None
    };
    let jobs: Vec<Shown> = listed.items.iter().map(|job| Shown::of(job, &people)).collect();
    Ok(Page {
        csrf: frame.csrf(),
        frame,
        send,
        refused,
        under_way: jobs.iter().any(|job| job.running),
        jobs,
        next: listed.next,
    })
}

pub(super) async fn page(
    caller: Allowed<SeesCases>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of(TITLE, "/imports", &caller);
    html(&blocking(move || read(&state, &caller.scope, frame, &wanted, None)).await?)
}

/// What a form asks for. Nothing is stored unless that was chosen.
fn options(form: &AllowedUpload<Submits>) -> Result<Options, Problem> {
    let fields = &form.fields;
    let format = Format::from_str(fields.get("format"), false)
        .map_err(|_| Problem::with(Kind::InvalidValue, "Kind of file: choose one of the list."))?;
    let dry_run = match fields.get("keep") {
        "no" => true,
        "yes" => false,
        _ => return Err(Problem::with(Kind::InvalidValue, "What to do: try, or store.")),
    };
    let mapping = Some(fields.get("mapping")).filter(|name| !name.is_empty());
    if mapping.is_some() && format == Format::Bundle {
        return Err(Problem::with(
            Kind::InvalidValue,
            "Mapping: for REDCap exports only. A bundle has the registry's own names.",
        ));
    }
    if form.file.is_empty() {
        return Err(Problem::with(Kind::InvalidValue, "File: choose one."));
    }
    Ok(Options {
        format: Some(format),
        mapping: mapping.map(str::to_owned),
        dry_run,
        wait: false,
    })
}

fn faults(problem: Problem) -> Refused {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fault = |line: &Value| Fault {
        place: job::place(&line["place"]),
        code: text(&line["code"]),
        message: text(&line["message"]),
    };
    Refused {
        detail: problem.detail,
        faults: problem.errors.iter().map(fault).collect(),
    }
}

/// Takes files in and leads to their job; files that cannot be read are answered with every fault and its place.
pub(super) async fn send(
    form: AllowedUpload<Submits>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::upload(&form);
    let again = state.clone();
    let answer: Result<HttpResponse, Problem> = async move {
        let frame = Frame::within(TITLE, "/imports", &form.session);
        let outcome = blocking(move || {
            let options = options(&form)?;
            let reason = Some(form.fields.get("reason").trim()).filter(|reason| !reason.is_empty());
            let reason = reason.map(str::to_owned);
            match begin(state.clone(), form.scope.clone(), &options, reason, &form.file) {
                Ok(job) => Ok(Ok(job)),
                Err(problem) if problem.kind == Kind::UnreadableFiles => {
                    let refused = Some(faults(problem));
                    read(&state, &form.scope, frame, &Wanted::default(), refused).map(Err)
                }
                Err(other) => Err(other),
            }
        })
        .await?;
        match outcome {
            Ok(job) => Ok(HttpResponse::SeeOther()
                .insert_header(("location", format!("/imports/{}", job.job_id)))
                .finish()),
            Err(page) => {
                let mut answer = html(&page)?;
                *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
                Ok(answer)
            }
        }
    }
    .await;
    sent.answered(
        answer,
        &[
            ("Kind of file", "format"),
            ("What to do", "keep"),
            ("Mapping", "mapping"),
            ("File", "file"),
            ("reason", "reason"),
        ],
        |caller| page(caller, web::Query(Wanted::default()), again),
    )
    .await
}

/// Keeps a mapping of the page's form, in place of an earlier one of its name.
pub(super) async fn keep_mapping(
    form: AllowedUpload<Submits>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::upload(&form);
    let again = state.clone();
    let answer: Result<HttpResponse, Problem> = async move {
        blocking(move || keep(&state, &form.scope, form.fields.get("name").trim(), &form.file)).await?;
        Ok(HttpResponse::SeeOther()
            .insert_header(("location", "/imports"))
            .finish())
    }
    .await;
    sent.answered(answer, &[("name", "name"), ("mapping", "file")], |caller| {
        page(caller, web::Query(Wanted::default()), again)
    })
    .await
}
