//! Histologies in neither column of Table 1: which cases wait for the committee, and what it decided.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::versions::{Adjudication, EligibilityClass};

use super::{Frame, html, words};
use crate::guard::{Allowed, Coordinates, NoQuery};
use crate::problem::Problem;
use crate::state::{AppState, blocking};
use crate::work::{Waiting, adjudications};

#[derive(Template)]
#[template(path = "adjudication.html")]
struct Page {
    frame: Frame,
    waiting: Vec<Waiting>,
    decisions: Vec<Decided>,
    /// The rules are read from a folder, so that a decision can be written into it.
    folder: bool,
}

struct Decided {
    morphology: String,
    class: String,
    counts_as: String,
    decided: String,
    by: String,
    reason: String,
    /// Whether a later decision has taken its place.
    replaced: bool,
}

pub(super) async fn page(
    caller: Allowed<Coordinates>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Adjudication", "/adjudication", &caller);
    let page = blocking(move || {
        let (run, waiting) = adjudications(&state, &caller.scope)?;
        let histology = state.schemas.histology();
        let decided = |decision: &Adjudication| Decided {
            morphology: decision.morphology.clone(),
            class: match decision.eligibility_class {
                EligibilityClass::NotListed => "taken back".to_owned(),
                class => words::code(class.as_str()),
            },
            counts_as: decision
                .histology_code
                .as_deref()
                .map(words::code)
                .unwrap_or_default(),
            decided: decision.decided.to_string(),
            by: decision.by.clone(),
            reason: decision.reason.clone(),
            replaced: histology.decision(&decision.morphology) != Some(decision),
        };
        Ok(Page {
            decisions: histology.decisions.iter().rev().map(decided).collect(),
            waiting,
            folder: state.settings.schema.folder.is_some(),
            frame: match &run {
                Some(run) => frame.with_run(run),
                None => frame,
            },
        })
    })
    .await?;
    html(&page)
}
