//! The guideline's rules: versions, open questions with what was decided on them, and previews of changes.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::guideline::Guideline;
use registry_core::guideline::questions::{Decision, Questions, Ruling};
use registry_etl::results::{Comparison, MeasureChange};

use super::measure::value;
use super::{Frame, html, words};
use crate::guard::{Allowed, NoQuery, ReadsResults};
use crate::problem::{Kind, Problem};
use crate::results::View;
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "rules.html")]
struct Page {
    frame: Frame,
    versions: Vec<Version>,
    open: Vec<Asked>,
    decided: Vec<Asked>,
    parameters: Vec<Parameter>,
    previews: Vec<Preview>,
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
    name: String,
    value: String,
    measures: Vec<String>,
    decision: String,
}

struct Preview {
    heading: String,
    /// Measure, units changed, rate now, rate then, moves, centres.
    measures: Vec<[String; 6]>,
    checks: Vec<[String; 3]>,
}

pub(super) async fn page(
    caller: Allowed<ReadsResults>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Rules", "/rules", &caller);
    let page = blocking(move || {
        let guidelines = state.judge.guidelines(&state.schemas.current().version);
        let previews = match View::open(&state, &caller.scope, None) {
            Ok(view) => view.previews()?.iter().map(preview).collect(),
            Err(problem) if problem.kind == Kind::NotFound => Vec::new(),
            Err(problem) => return Err(problem),
        };
        let guideline = guidelines
            .first()
            .ok_or_else(|| Problem::internal("no guideline"))?;
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
            parameters: unratified(guideline, &questions),
            previews,
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
        problem: question.problem.clone(),
        proposal: question.proposal.clone(),
        effect: question.effect.clone().unwrap_or_default(),
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

/// Parameters the source does not fix and the committee has not ratified, with the measures that read them.
fn unratified(guideline: &Guideline, questions: &Questions) -> Vec<Parameter> {
    let assumed = guideline.parameters.values().filter(|p| p.basis == "assumption");
    assumed
        .map(|parameter| Parameter {
            name: parameter.name.clone(),
            value: value(&parameter.value),
            measures: registry_etl::runs::measures_of(guideline, &parameter.name)
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

fn preview(comparison: &Comparison) -> Preview {
    let changed = |change: &&MeasureChange| change.units_changed != Some(0) && change.base != change.other;
    let row = |change: &MeasureChange| {
        let moves: Vec<String> = change
            .moves
            .iter()
            .map(|m| {
                let code = |code: &Option<String>| {
                    code.as_deref()
                        .map_or("no unit".to_owned(), words::code_of_outcome)
                };
                format!("{} from {} to {}", m.n, code(&m.from), code(&m.to))
            })
            .collect();
        let centres: Vec<String> = change
            .centres
            .iter()
            .map(|c| format!("{} {}", c.centre, c.n))
            .collect();
        [
            change.measure.clone(),
            words::count(change.units_changed),
            words::percent(change.base.rate),
            words::percent(change.other.rate),
            moves.join("; "),
            centres.join(", "),
        ]
    };
    let checks = comparison.checks.iter().filter(|check| check.base != check.other);
    Preview {
        heading: format!(
            "Version {} against {}, {} cases of run {}",
            comparison.other.version, comparison.base.version, comparison.cases, comparison.run
        ),
        measures: comparison.measures.iter().filter(changed).map(row).collect(),
        checks: checks
            .map(|check| {
                [
                    check.check.clone(),
                    check.base.to_string(),
                    check.other.to_string(),
                ]
            })
            .collect(),
    }
}
