//! The guideline's rules: versions, open questions with what was decided on them, and previews of changes.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::Role;
use registry_core::guideline::questions::{Decision, Questions, Ruling};
use registry_core::guideline::{Guideline, MeasureKind};

use super::preview::Preview;
use super::{Frame, html, words};
use crate::guard::{Allowed, Anyone, NoQuery, Policy, ReadsResults};
use crate::problem::{Kind, Problem};
use crate::results::{Hidden, View};
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "rules.html")]
struct Page {
    frame: Frame,
    versions: Vec<Version>,
    open: Vec<Asked>,
    decided: Vec<Asked>,
    /// The version whose thresholds are listed.
    in_force: String,
    parameters: Vec<Parameter>,
    /// `None` for a reader who sees no result.
    previews: Option<Vec<Preview>>,
    office: bool,
}

struct Version {
    title: String,
    number: String,
    status: &'static str,
    measures: usize,
    digest: String,
}

struct Asked {
    id: String,
    title: String,
    severity: String,
    measures: Vec<String>,
    problem: String,
    proposal: String,
    effect: String,
    /// What stands in the way of computing it at once.
    written: &'static str,
    decision: String,
}

struct Parameter {
    label: String,
    name: String,
    value: String,
    measures: Vec<String>,
    decision: String,
}

pub(super) async fn page(
    caller: Allowed<Anyone>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Rules", "/rules", &caller);
    let page = blocking(move || {
        let mut frame = frame;
        let guidelines = state.judge.guidelines(&state.schemas.current().version);
        let reads_results = ReadsResults::ROLES.contains(&caller.scope.role());
        let previews: Option<Vec<Preview>> = if reads_results {
            Some(match View::open(&state, &caller.scope, None) {
                Ok(view) => {
                    let guideline = view.guideline();
                    let avoided = |measure: &str| {
                        let found = guideline.and_then(|guideline| guideline.measure(measure));
                        found.is_some_and(|(_, found)| found.kind == MeasureKind::Avoidance)
                    };
                    let previews = view.previews()?;
                    previews.iter().map(|one| Preview::of(one, avoided)).collect()
                }
                Err(problem) if problem.kind == Kind::NotFound => Vec::new(),
                Err(problem) => return Err(problem),
            })
        } else {
            None
        };
        if let Some(previews) = previews.as_ref().filter(|all| !all.is_empty()) {
            let all = previews.iter().map(|preview| preview.hidden);
            frame = frame.with_hidden(all.fold(Hidden::default(), Hidden::and));
        }
        let guideline = state.engine.guideline().map_err(Problem::internal)?;
        let questions = Questions::of(&state.schemas, &guideline.id).map_err(Problem::internal)?;
        let (decided, open) = questions
            .questions
            .iter()
            .filter_map(|question| asked(&questions, &question.id))
            .partition(|asked: &Asked| !asked.decision.is_empty());
        Ok(Page {
            frame,
            versions: guidelines.iter().map(version).collect(),
            open,
            decided,
            in_force: guideline.version.clone(),
            parameters: unratified(guideline, &questions),
            previews,
            office: caller.scope.role() == Role::Coordinator,
        })
    })
    .await?;
    html(&page)
}

fn version(guideline: &Guideline) -> Version {
    Version {
        title: guideline.title.clone(),
        number: guideline.version.clone(),
        status: guideline.status.as_str(),
        measures: guideline.measures.len(),
        digest: guideline.digest.chars().take(12).collect(),
    }
}

fn asked(questions: &Questions, id: &str) -> Option<Asked> {
    let question = questions.question(id)?;
    Some(Asked {
        id: question.id.clone(),
        title: question.title.clone(),
        severity: question.severity.clone(),
        measures: question.measures.clone(),
        problem: words::spoken(&question.problem),
        proposal: words::spoken(&question.proposal),
        effect: question.effect.as_deref().map(words::spoken).unwrap_or_default(),
        written: match (&question.needs_element, question.changes.is_empty()) {
            (Some(_), _) => "needs a new element",
            (None, true) => "to be written",
            (None, false) => "written, can be previewed",
        },
        decision: questions.decision(id).map(decision).unwrap_or_default(),
    })
}

fn decision(decision: &Decision) -> String {
    let verdict = match decision.decision {
        Ruling::Adopted => "Adopted",
        Ruling::Rejected => "Rejected",
    };
    let version = decision
        .version
        .as_ref()
        .map(|version| format!(", carried by version {version}"));
    format!(
        "{verdict} {} by {}{}: {}",
        decision.decided,
        decision.by,
        version.unwrap_or_default(),
        decision.reason
    )
}

/// Parameters the source does not fix and the committee has not ratified, with the measures that rest on them.
fn unratified(guideline: &Guideline, questions: &Questions) -> Vec<Parameter> {
    let assumed = guideline.parameters.values().filter(|p| !p.is_ratified());
    assumed
        .map(|parameter| Parameter {
            name: parameter.name.clone(),
            label: guideline.label(&parameter.name).to_owned(),
            value: parameter.value.to_string(),
            measures: guideline
                .resting_on(&parameter.name)
                .into_iter()
                .map(str::to_owned)
                .collect(),
            decision: questions
                .decision(&format!("${}", parameter.name))
                .map(decision)
                .unwrap_or_default(),
        })
        .collect()
}
