//! One job: how far it is, what it reports line by line, and the cases it stored.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::Scope;
use registry_core::storage::{CaseFilter, Job};
use serde::Deserialize;
use serde_json::Value;

use super::Shown;
use crate::guard::{Allowed, SeesCases};
use crate::imports::{Became, OUTCOME};
use crate::pages::checks::CheckLink;
use crate::pages::who::People;
use crate::pages::{Frame, html, pieces};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

/// Cases that a page names as stored; the list of cases has all.
const MOST_STORED: usize = 100;

#[derive(Template)]
#[template(path = "import.html")]
struct Page {
    frame: Frame,
    job: Shown,
    /// Reads the jobs of every centre.
    office: bool,
    dry_run: bool,
    interrupted: bool,
    /// The part of the report that is shown; none while the job is under way, unless it was asked for.
    report: Option<Part>,
    stored: Vec<Stored>,
    /// More were stored than are named.
    more: bool,
}

/// A part of the report.
struct Part {
    number: i64,
    /// A line, the check that it names, and where in the case.
    lines: Vec<(Line, CheckLink, String)>,
    last: bool,
}

/// A line of the report.
struct Line {
    /// Pseudonym; none where the line is about the files.
    case: Option<String>,
    severity: String,
    code: String,
    /// File, line and column; of a batch the item.
    place: String,
    /// Where in the case, as JSON Pointer.
    pointer: String,
    message: String,
    /// The case was stored, and has a page.
    linked: bool,
}

struct Stored {
    pseudonym: String,
    version: i64,
    errors: i64,
    warnings: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Wanted {
    /// Part of the report, from 1.
    part: Option<i64>,
}

/// `patient.csv, line 3, column 2 (sex)`.
pub(super) fn place(place: &Value) -> String {
    let file = place["file"].as_str().unwrap_or_default();
    let number = |name: &str| place[name].as_u64();
    let mut words = match number("line") {
        Some(line) => format!("{file}, line {line}"),
        None => file.to_owned(),
    };
    if let Some(column) = number("column") {
        words.push_str(&format!(", column {column}"));
    }
    if let Some(name) = place["name"].as_str() {
        words.push_str(&format!(" ({name})"));
    }
    words
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The lines of a part: of an import one a finding, of a batch one an item with its findings inside. `outcomes`: with a line
/// for each case that says what became of it.
fn lines(part: &str, dry_run: bool, outcomes: bool) -> Vec<Line> {
    let mut all = Vec::new();
    for line in part.lines() {
        // The store gives back what was told; a line that is none is left out.
        let Ok(line) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let case = line["case"].as_str().map(str::to_owned);
        let Some(result) = line.get("result") else {
            let severity = text(&line["severity"]);
            if severity == OUTCOME && !outcomes {
                continue;
            }
            all.push(Line {
                linked: !dry_run && case.is_some() && severity != "reject",
                case,
                code: text(&line["code"]),
                place: place(&line["place"]),
                pointer: String::new(),
                message: text(&line["message"]),
                severity,
            });
            continue;
        };
        let stored = result["status"].as_u64().is_some_and(|status| status < 300);
        let item = line["item"].as_u64().map(|n| format!("item {}", n + 1));
        let found = ["findings", "errors"].map(|name| result[name].as_array());
        let found: Vec<&Value> = found.into_iter().flatten().flatten().collect();
        let as_line = |severity: String, code: &Value, pointer: &Value, message: &Value| Line {
            case: case.clone(),
            severity,
            code: text(code),
            place: item.clone().unwrap_or_default(),
            pointer: text(pointer),
            message: text(message),
            linked: stored && case.is_some(),
        };
        for one in &found {
            let severity = one["severity"].as_str().unwrap_or("reject").to_owned();
            all.push(as_line(severity, &one["code"], &one["pointer"], &one["message"]));
        }
        if !stored && found.is_empty() {
            let refused = as_line(
                "reject".to_owned(),
                &result["code"],
                &Value::Null,
                &result["title"],
            );
            all.push(refused);
        }
        if outcomes {
            let became = Became::of(result).as_str().into();
            all.push(as_line(OUTCOME.to_owned(), &became, &Value::Null, &Value::Null));
        }
    }
    all
}

/// A part of the report, from 1; empty when there is none.
fn part_of(state: &AppState, scope: &Scope, job: &Job, number: i64) -> Result<Part, Problem> {
    if number < 1 {
        return Err(Problem::with(Kind::BadQuery, "part: from 1"));
    }
    let called = state.words()?;
    let told = state.store.job_report(scope, &job.job_id, number)?;
    if number > 1 {
        // The store records whoever reads a report from its first part on; here any part may be the first that somebody reads.
        let part = serde_json::json!({ "part": number });
        state
            .store
            .record_access(scope, "job.report", Some(&job.job_id), part)?;
    }
    let last = told.is_none() || state.store.job_report(scope, &job.job_id, number + 1)?.is_none();
    Ok(Part {
        number,
        lines: told
            .map(|part| lines(&part, job.dry_run, false))
            .unwrap_or_default()
            .into_iter()
            .map(|line| {
                let (check, at) = (CheckLink::of(state, &line.code), called.at(&line.pointer));
                (line, check, at)
            })
            .collect(),
        last,
    })
}

/// Cases of the job's centre that were stored while it ran, and whether there are more.
fn stored(state: &AppState, scope: &Scope, job: &Job) -> Result<(Vec<Stored>, bool), Problem> {
    if job.dry_run || job.counts.created + job.counts.changed == 0 {
        return Ok((Vec::new(), false));
    }
    let filter = CaseFilter {
        centre: Some(job.centre_id.clone()),
        updated_since: Some(job.started_at),
        ..CaseFilter::default()
    };
    let cases = state.store.list_cases(scope, &filter, None, MOST_STORED)?;
    let while_it_ran = |at| job.ended_at.is_none_or(|end| at <= end);
    let named = cases
        .items
        .into_iter()
        .filter(|case| while_it_ran(case.updated_at));
    let named = named.filter_map(|case| {
        Some(Stored {
            pseudonym: case.pseudonym?,
            version: case.version,
            errors: case.errors,
            warnings: case.warnings,
        })
    });
    Ok((named.collect(), cases.next.is_some()))
}

/// The page of a job. While it is under way the report is read only when it is asked for: every reading is on record, and the page looks again.
pub(in crate::pages) async fn page(
    caller: Allowed<SeesCases>,
    job: web::Path<String>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Import", "/imports", &caller);
    let page = blocking(move || {
        let scope = &caller.scope;
        let job = state.store.job(scope, &job)?;
        let shown = Shown::of(&job, &People::of(&state)?);
        let asked = wanted.part.or((!shown.running).then_some(1));
        let (stored, more) = if shown.running {
            (Vec::new(), false)
        } else {
            stored(&state, scope, &job)?
        };
        Ok(Page {
            frame,
            office: !scope.role().needs_centre(),
            dry_run: job.dry_run,
            interrupted: job.state == registry_core::storage::JobState::Interrupted,
            report: asked
                .map(|number| part_of(&state, scope, &job, number))
                .transpose()?,
            job: shown,
            stored,
            more,
        })
    })
    .await?;
    html(&page)
}

const HEADER: [&str; 5] = ["case", "severity", "code", "place", "message"];

/// The whole report as CSV, for the link on the page.
pub(in crate::pages) async fn csv(
    caller: Allowed<SeesCases>,
    job: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let job = job.into_inner();
    pieces::csv("report.csv", 1, move |part: i64| {
        let (state, scope, job) = (state.clone(), caller.scope.clone(), job.clone());
        blocking(move || {
            let job = state.store.job(&scope, &job)?;
            let told = state.store.job_report(&scope, &job.job_id, part)?;
            let next = told.is_some().then_some(part + 1);
            let lines = told
                .map(|told| lines(&told, job.dry_run, true))
                .unwrap_or_default();
            let rows = lines.into_iter().map(|line| {
                let case = line.case.unwrap_or_default();
                let place = [line.place, line.pointer].join(" ");
                vec![
                    case,
                    line.severity,
                    line.code,
                    place.trim_end().to_owned(),
                    line.message,
                ]
            });
            Ok((pieces::part(&HEADER, part > 1, rows)?, next))
        })
    })
    .await
}
