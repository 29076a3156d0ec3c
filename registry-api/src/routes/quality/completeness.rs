//! `GET /api/v1/quality/completeness`: how completely and how soon centres report.

use actix_web::{HttpRequest, web};
use registry_etl::results::Completeness;
use registry_etl::results::completeness::{Answers, Timeliness};
use serde::Deserialize;
use serde_json::json;

use super::wants_csv;
use crate::guard::{Allowed, ReadsResults};
use crate::problem::Problem;
use crate::results::View;
use crate::routes::Reply;
use crate::routes::results::written;
use crate::state::{AppState, blocking};

/// Which part of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// `all` for the network, or a centre as the answer names it.
    pub centre: Option<String>,
    pub section: Option<String>,
    pub run: Option<i64>,
}

/// The levels a viewer may see, as far as they are wanted.
///
/// # Errors
/// No run for this viewer.
pub fn levels(view: &View<'_>, wanted: &Wanted) -> Result<Vec<Completeness>, Problem> {
    let mut levels = view.completeness()?;
    levels.retain(|level| wanted.centre.as_ref().is_none_or(|centre| level.level == *centre));
    if let Some(section) = wanted.section.as_ref().filter(|section| !section.is_empty()) {
        for level in &mut levels {
            level.sections.retain(|found| found.section == *section);
            level.elements.retain(|found| found.section == *section);
            level.periods.retain(|found| found.section == *section);
            level.timeliness.retain(|found| found.section == *section);
        }
    }
    Ok(levels)
}

/// One line per level and element, section, period, and time to submission.
///
/// # Errors
/// None in practice.
pub fn csv(levels: &[Completeness]) -> Result<String, Problem> {
    let header = [
        "level",
        "of",
        "period",
        "name",
        "requirement",
        "patients",
        "expected",
        "known",
        "missing",
        "unknown",
        "not_done",
        "not_applicable",
        "pending",
        "withheld",
        "known_share",
        "answered_share",
        "closed_share",
        "rows",
        "lower_quartile_days",
        "median_days",
        "upper_quartile_days",
        "follow_up_index",
        "suppressed",
    ];
    let mut rows = Vec::new();
    for level in levels {
        let line = |of: &str, period: &str, name: &str| Line {
            start: vec![
                level.level.clone(),
                of.to_owned(),
                period.to_owned(),
                name.to_owned(),
            ],
            ..Line::default()
        };
        let follow_up = &level.follow_up;
        rows.push(
            Line {
                index: number(follow_up.index),
                patients: number(follow_up.patients),
                suppressed: reason(follow_up.suppressed.is_some()),
                ..line("follow_up", "", "")
            }
            .finish(),
        );
        for section in &level.sections {
            let closed = number(section.closed_share);
            let line = line("section", "", &section.section).answers(&section.answers);
            rows.push(Line { closed, ..line }.finish());
        }
        for element in &level.elements {
            let line = line("element", "", &element.element).answers(&element.answers);
            let requirement = element.requirement.clone();
            rows.push(Line { requirement, ..line }.finish());
        }
        for period in &level.periods {
            let line = line(period.by.as_str(), &period.period, &period.section);
            rows.push(line.answers(&period.answers).finish());
        }
        for times in std::iter::once(&level.registration).chain(&level.timeliness) {
            rows.push(line("timeliness", "", &times.section).times(times).finish());
        }
        for period in &level.registration_periods {
            let times = &period.times;
            rows.push(
                line("timeliness", &period.period, &times.section)
                    .times(times)
                    .finish(),
            );
        }
    }
    written(&header, rows.into_iter())
}

/// A line in the making: its parts in the order of the header.
#[derive(Default)]
struct Line {
    start: Vec<String>,
    requirement: String,
    patients: String,
    counts: Vec<String>,
    shares: Vec<String>,
    closed: String,
    times: Vec<String>,
    index: String,
    suppressed: String,
}

impl Line {
    fn answers(self, answers: &Answers) -> Self {
        let counts = answers.counts.map(|c| {
            let all = [
                c.expected(),
                c.known,
                c.missing,
                c.unknown,
                c.not_done,
                c.not_applicable,
                c.pending,
                c.withheld,
            ];
            all.iter().map(u32::to_string).collect()
        });
        Self {
            patients: number(answers.patients),
            counts: counts.unwrap_or_default(),
            shares: vec![number(answers.known_share), number(answers.answered_share)],
            suppressed: reason(answers.suppressed.is_some()),
            ..self
        }
    }

    fn times(self, times: &Timeliness) -> Self {
        Self {
            patients: number(times.patients),
            times: vec![
                number(times.rows),
                number(times.lower_quartile),
                number(times.median),
                number(times.upper_quartile),
            ],
            suppressed: reason(times.suppressed.is_some()),
            ..self
        }
    }

    fn finish(mut self) -> Vec<String> {
        self.counts.resize(8, String::new());
        self.shares.resize(2, String::new());
        self.times.resize(4, String::new());
        let mut row = self.start;
        row.extend([self.requirement, self.patients]);
        row.extend(self.counts);
        row.extend(self.shares);
        row.push(self.closed);
        row.extend(self.times);
        row.extend([self.index, self.suppressed]);
        row
    }
}

fn number(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn reason(hidden: bool) -> String {
    if hidden {
        "few_patients".to_owned()
    } else {
        String::new()
    }
}

/// Answers to the elements that are expected (known, absent by code, missing), by element, section, half-year of the metastatic diagnosis and
/// month of first submission; days from event to first submission; completeness of follow-up (Clark's C). The own centre exactly, other
/// centres under letters and the network as rounded shares.
#[utoipa::path(get, path = "/api/v1/quality/completeness", tag = "quality",
    params(("centre" = Option<String>, Query, description = "`all`, or a centre as the answer names it"), ("section" = Option<String>, Query,), ("run" = Option<i64>, Query,)),
    responses((status = 200, description = "run, levels: the network first, then the centres this viewer may see; `Accept: text/csv` for a table"), (status = 404, description = "No run for this viewer")), security(("key" = [])))]
pub(in crate::routes) async fn show(
    caller: Allowed<ReadsResults>,
    request: HttpRequest,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let as_csv = wants_csv(&request);
    blocking(move || {
        let view = View::open(&state, &caller.scope, wanted.run)?;
        let levels = levels(&view, &wanted)?;
        if as_csv {
            let name = format!(
                "attachment; filename=\"completeness-run-{}.csv\"",
                view.run.number
            );
            return Ok(
                Reply::text("text/csv; charset=utf-8", csv(&levels)?).header("content-disposition", name)
            );
        }
        Reply::json(
            200,
            &json!({"run": view.run.number, "cut_off": view.run.cutoff_date, "levels": levels}),
        )
    })
    .await
}
