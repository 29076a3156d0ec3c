//! The published series, by what they may be compared with.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_etl::benchmarks::{Benchmarks, Comparison, Confidence, Outcome, Published};

use super::survival_beside::reference;
use super::{Frame, html};
use crate::guard::{Allowed, ReadsPublished};
use crate::problem::Problem;
use crate::routes::results::benchmarks::Rows;
use crate::state::AppState;

#[derive(Template)]
#[template(path = "published.html")]
struct Page {
    frame: Frame,
    shown: usize,
    hidden: usize,
    low: bool,
    groups: Vec<Group>,
}

struct Group {
    heading: String,
    caveat: String,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    source: String,
    n: String,
    survival: String,
    median: String,
    pfs: String,
    response: String,
    confidence: &'static str,
    notes: String,
}

pub(super) async fn page(
    caller: Allowed<ReadsPublished>,
    wanted: web::Query<Rows>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let all = &state.benchmarks;
    let least = wanted.least();
    let shown = all.published.iter().filter(|row| row.confidence >= least).count();
    html(&Page {
        frame: Frame::of("Published series", "/survival", &caller),
        shown,
        hidden: all.published.len() - shown,
        low: least == Confidence::Low,
        groups: groups(all, least),
    })
}

fn groups(all: &Benchmarks, least: Confidence) -> Vec<Group> {
    let beside = all.comparisons.iter().map(|one| Group {
        heading: heading(&one.endpoint, &one.group),
        caveat: one.caveat.clone(),
        rows: rows(all, one, least),
    });
    let apart = all.apart.iter().map(|one| Group {
        heading: "Beside no estimate of the registry".to_owned(),
        caveat: one.caveat.clone(),
        rows: one
            .rows
            .iter()
            .filter_map(|id| all.row(id))
            .filter(|known| known.confidence >= least)
            .map(row)
            .collect(),
    });
    beside.chain(apart).collect()
}

/// What is compared, of whom, and the id of the endpoint: `Overall survival after metastasectomy: lung (S4)`.
fn heading(endpoint: &str, group: &str) -> String {
    let what = match endpoint {
        "S1" => "Overall survival from metastatic diagnosis",
        "S1b" => "Death of sarcoma from metastatic diagnosis",
        "S2" => "Overall survival from the start of a systemic line",
        "S3" => "Progression-free survival from the start of a systemic line",
        "S3r" => "Objective response to a systemic line",
        "S4" => "Overall survival after metastasectomy",
        "S5" => "Recurrence-free survival after metastasectomy",
        "S6" => "Local progression after a local treatment",
        "S8" => "90-day mortality and major morbidity",
        "S9" => "Quality of life since the baseline",
        other => return format!("{other}: {group}"),
    };
    match group {
        "all" => format!("{what} ({endpoint})"),
        group => format!("{what}: {group} ({endpoint})"),
    }
}

fn rows(all: &Benchmarks, comparison: &Comparison, least: Confidence) -> Vec<Row> {
    let found = all.beside(&comparison.endpoint, &comparison.group, least);
    found.unwrap_or_default().0.into_iter().map(row).collect()
}

fn row(row: &Published) -> Row {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let of = |outcome: Option<Outcome>| match outcome {
        Some(Outcome::DiseaseSpecific) => " (disease-specific)",
        Some(Outcome::DiseaseFree) => " (disease-free)",
        Some(Outcome::Overall) | None => "",
    };
    let source = [&Some(reference(row)), &row.institution, &row.arm]
        .into_iter()
        .flatten()
        .cloned()
        .collect::<Vec<_>>();
    let notes = [
        &row.n_note,
        &row.median_note,
        &row.rps_pct.map(|share| format!("{share} % retroperitoneal")),
        &row.rps_note,
        &row.note,
        &row.reading_note,
    ];
    Row {
        id: row.id.clone(),
        source: source.join(", "),
        n: row.n.or(row.trial_n).map_or_else(String::new, |n| n.to_string()),
        survival: match (row.survival_pct, row.survival_months) {
            (Some(share), Some(months)) => format!("{share} % at {months} months{}", of(row.survival_of)),
            _ => String::new(),
        },
        median: match row.median_months.or(row.os_months) {
            Some(months) => format!("{months}{}", of(row.median_of)),
            None => String::new(),
        },
        pfs: number(row.pfs_months),
        response: row.orr_pct.map_or_else(String::new, |share| format!("{share} %")),
        confidence: match row.confidence {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        },
        notes: notes
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join("; "),
    }
}
