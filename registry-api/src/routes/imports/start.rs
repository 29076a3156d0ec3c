//! `POST /api/v1/imports`: takes the files, answers with a job.

use std::io::Cursor;
use std::sync::mpsc;

use actix_web::{HttpRequest, web};
use registry_core::access::Scope;
use registry_core::exchange::{Mapping, Rebuilt};
use registry_core::intake::ndjson::Item;
use registry_core::storage::{Job, JobCounts};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::at_work::Turn;
use crate::guard::{Allowed, RawBody, Submits};
use crate::imports::{self, BATCH, Files, Format, Line};
use crate::problem::{Kind, Problem};
use crate::routes::cases::{batch, validate};
use crate::routes::{Idempotent, Reply, header_text};
use crate::state::AppState;

/// A zip may hold this many times the bytes a body may have.
const UNPACKED: u64 = 8;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    pub(crate) format: Option<Format>,
    /// Name of a mapping the centre keeps.
    pub(crate) mapping: Option<String>,
    /// Judge everything and store nothing.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Answer when the job has ended, not when it has begun.
    #[serde(default)]
    pub(crate) wait: bool,
}

/// Cases from a CSV bundle (zip) or a REDCap flat export, as a job. The same files again leave what was stored as it is.
#[utoipa::path(post, path = "/api/v1/imports", tag = "imports",
    params(("format" = String, Query, description = "`bundle` (or `csv`, as the export calls it), `redcap-csv` or `redcap-json`"),
        ("mapping" = Option<String>, Query, description = "Of a REDCap project built otherwise: name of a kept mapping"),
        ("dry_run" = Option<bool>, Query,), ("wait" = Option<bool>, Query, description = "Answer when the job has ended"), ("Idempotency-Key" = Option<String>, Header,),
        ("Change-Reason" = Option<String>, Header, description = "Why; for every case that is verified or locked")),
    request_body(content = String, content_type = "application/octet-stream", description = "The zip, or the export"),
    responses((status = 200, description = "The job, ended (with `wait`)", body = Job), (status = 202, description = "Begun: see the job", body = Job), (status = 404, description = "No such mapping"),
        (status = 409, description = "Another job of the centre is under way"),
        (status = 422, description = "The files cannot be read: every fault with file, line and column")), security(("key" = [])))]
pub(in crate::routes) async fn start(
    caller: Allowed<Submits>,
    request: HttpRequest,
    options: web::Query<Options>,
    state: web::Data<AppState>,
    body: RawBody,
) -> Result<Reply, Problem> {
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let reason = header_text(&request, "change-reason")?;
    let (scope, shared) = (caller.scope.clone(), state.clone());
    Idempotent::once(idempotent, &state, &scope, move || {
        let import = Import::open(shared, caller.scope, &options, reason, &body.bytes)?;
        if options.wait {
            return Reply::json(200, &import.carry_through()?);
        }
        let job = import.in_background()?;
        Ok(Reply::json(202, &job)?.header("location", format!("/api/v1/jobs/{}", job.job_id)))
    })
    .await
}

/// Takes the files of somebody who hands them in on a page; the job goes on by itself.
///
/// # Errors
/// As `POST /api/v1/imports`: of files that cannot be read every fault with its place.
pub(crate) fn begin(
    state: web::Data<AppState>,
    scope: Scope,
    options: &Options,
    reason: Option<String>,
    file: &web::Bytes,
) -> Result<Job, Problem> {
    Import::open(state, scope, options, reason, file)?.in_background()
}

/// What is to be read, and for whom.
struct Import {
    state: web::Data<AppState>,
    scope: Scope,
    format: Format,
    mapping: Option<Mapping>,
    files: Files,
    dry_run: bool,
    /// Held while the files are.
    turn: Option<Turn>,
    /// Why, for cases that are verified or locked.
    reason: Option<String>,
}

impl Import {
    fn open(
        state: web::Data<AppState>,
        scope: Scope,
        options: &Options,
        reason: Option<String>,
        file: &web::Bytes,
    ) -> Result<Self, Problem> {
        let turn = state.at_work.begin(&scope)?;
        let format = options
            .format
            .ok_or_else(|| Problem::with(Kind::BadQuery, "format: bundle, redcap-csv or redcap-json"))?;
        let mapping = match &options.mapping {
            None => None,
            Some(_) if format == Format::Bundle => {
                return Err(Problem::with(Kind::BadQuery, "mapping: for REDCap exports only"));
            }
            Some(name) => {
                let text = state.store.mapping(&scope, name)?;
                let mapping = imports::mapping(&state.schemas, &text);
                Some(mapping.map_err(|why| Problem::with(Kind::InvalidValue, why))?)
            }
        };
        let files = match format {
            Format::Bundle => {
                let most = UNPACKED * state.settings.limits.batch_bytes as u64;
                imports::unzip(Cursor::new(file), most)
                    .map_err(|why| Problem::with(Kind::UnreadableFiles, why))?
            }
            Format::RedcapCsv => vec![("export.csv".to_owned(), file.to_vec())],
            Format::RedcapJson => vec![("export.json".to_owned(), file.to_vec())],
        };
        Ok(Self {
            format,
            dry_run: options.dry_run,
            turn: Some(turn),
            reason,
            mapping,
            files,
            state,
            scope,
        })
    }

    /// Works on a thread of its own; answers as soon as there is a job, or the files turned out to be unreadable.
    fn in_background(self) -> Result<Job, Problem> {
        let (tell, told) = mpsc::channel();
        let spawned = std::thread::Builder::new()
            .name("import".to_owned())
            .spawn(move || self.carry_out(&tell));
        spawned.map_err(Problem::internal)?;
        told.recv().map_err(Problem::internal)?
    }

    fn carry_through(self) -> Result<Job, Problem> {
        let (state, scope) = (self.state.clone(), self.scope.clone());
        let (tell, told) = mpsc::channel();
        self.carry_out(&tell);
        let job = told.recv().map_err(Problem::internal)??;
        Ok(state.store.job(&scope, &job.job_id)?)
    }

    fn carry_out(mut self, tell: &mpsc::Sender<Result<Job, Problem>>) {
        let files = std::mem::take(&mut self.files);
        let opened = imports::open(&self.state.schemas, self.format, self.mapping.as_ref(), files);
        let begun = opened
            .map_err(|complaints| Problem {
                errors: complaints
                    .iter()
                    .map(|c| json!(Line::complaint(None, c)))
                    .collect(),
                ..Problem::new(Kind::UnreadableFiles)
            })
            .and_then(|(total, cases)| {
                let store = &self.state.store;
                let job = store.start_job(&self.scope, "import", self.dry_run, total as u64)?;
                Ok((job, cases))
            });
        let (job, cases) = match begun {
            Ok(begun) => begun,
            Err(problem) => {
                drop(self.turn.take());
                // Nobody waits any more when the request was given up.
                let _ = tell.send(Err(problem));
                return;
            }
        };
        let _ = tell.send(Ok(job.clone()));
        let mut counts = job.counts;
        let problem = self.work(&job, &mut counts, cases).err();
        // Before the end is told: whoever hears of it may begin the next.
        drop(self.turn.take());
        let why = problem.as_ref().map(|problem| problem.kind.title());
        if let Err(error) = self.state.store.end_job(&self.scope, &job.job_id, counts, why) {
            tracing::warn!(job = job.job_id, error = %error, "the end of an import could not be noted");
        }
    }

    fn work(
        &self,
        job: &Job,
        counts: &mut JobCounts,
        mut cases: impl Iterator<Item = Rebuilt>,
    ) -> Result<(), Problem> {
        loop {
            let some: Vec<Rebuilt> = cases.by_ref().take(BATCH).collect();
            if some.is_empty() {
                return Ok(());
            }
            let mut report = String::new();
            let mut write = |lines: Vec<Line<'_>>| {
                for line in lines {
                    report.push_str(&json!(line).to_string());
                    report.push('\n');
                }
            };
            let (sound, unsound): (Vec<_>, Vec<_>) = some.iter().partition(|case| case.complaints.is_empty());
            for case in unsound {
                counts.refused += 1;
                let lines = case.complaints.iter();
                write(lines.map(|c| Line::complaint(Some(case), c)).collect());
                write(vec![imports::outcome(case, None)]);
            }
            let results = self.answers(&sound)?;
            for (case, result) in sound.iter().zip(&results) {
                write(imports::report(counts, case, result));
                write(vec![imports::outcome(case, Some(result))]);
            }
            self.state
                .store
                .tell_job(&self.scope, &job.job_id, *counts, &report)?;
        }
    }

    /// What the cases are answered, in order.
    fn answers(&self, cases: &[&Rebuilt]) -> Result<Vec<Value>, Problem> {
        let items = cases.iter().enumerate().map(|(n, case)| Item {
            line: n + 1,
            document: Ok(imports::item(case)),
        });
        let (items, reason) = (items.collect(), self.reason.as_deref());
        if self.dry_run {
            let verdicts = validate::verdicts(&self.state, &self.scope, items, reason)?;
            return Ok(verdicts.iter().map(|verdict| json!(verdict)).collect());
        }
        let mut room = batch::MOST_LISTED;
        let results = batch::store(&self.state, &self.scope, items, false, reason, &mut room)?;
        Ok(results.iter().map(|result| json!(result)).collect())
    }
}
