//! Which measures are looked at first: the committee and the coordinating office give each a place in the list, with a reason.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::guideline::indicators::MOST;
use registry_core::guideline::{Guideline, MeasureKind};
use registry_core::storage::{ChosenFor, IndicatorList};

use super::who::People;
use super::{Frame, Sent, html, words};
use crate::guard::{Allowed, AllowedForm, Fields, NoQuery, Steers};
use crate::problem::{Kind, Problem};
use crate::results::indicators_in_force;
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "indicators.html")]
struct Page {
    frame: Frame,
    csrf: String,
    most: usize,
    guideline: String,
    /// By domain, in the order of the guideline.
    domains: Vec<(String, Vec<Row>)>,
    reasons: Vec<(&'static str, &'static str)>,
    /// Number, day, by whom, why, which measures; newest first.
    earlier: Vec<[String; 5]>,
}

struct Row {
    id: String,
    title: String,
    kind: String,
    /// Its place in the list; empty when it is not in it.
    place: String,
}

fn spoken(reason: ChosenFor) -> &'static str {
    match reason {
        ChosenFor::YearlyReview => "yearly review of the list",
        ChosenFor::GuidelineChanged => "the guideline has another version",
        ChosenFor::TooLittleData => "too little data for one of them",
        ChosenFor::Reached => "one of them is reached everywhere",
        ChosenFor::NewInterest => "the committee wants to look at something else",
    }
}

fn earlier(list: &IndicatorList, people: &People) -> [String; 5] {
    [
        list.number.to_string(),
        list.chosen_at.date_naive().to_string(),
        people.who(&list.chosen_by),
        spoken(list.reason).to_owned(),
        list.measures.join(", "),
    ]
}

/// Measures that may be chosen: what judges nobody cannot be better or worse.
fn choosable(guideline: &Guideline) -> impl Iterator<Item = &registry_core::guideline::Measure> {
    let judges = |one: &&registry_core::guideline::Measure| one.kind != MeasureKind::Utilisation;
    guideline.measures.iter().filter(judges)
}

pub(super) async fn page(
    caller: Allowed<Steers>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Indicators", "/indicators", &caller);
    let page = blocking(move || {
        let guideline = state.engine.guideline().map_err(Problem::internal)?;
        let list = indicators_in_force(&state, &caller.scope)?;
        let place = |id: &str| list.iter().position(|one| one.measure == id);
        let mut domains: Vec<(String, Vec<Row>)> = Vec::new();
        for measure in choosable(guideline) {
            let row = Row {
                id: measure.id.clone(),
                title: measure.title.clone(),
                kind: words::code(measure.kind.as_str()),
                place: place(&measure.id).map_or_else(String::new, |at| (at + 1).to_string()),
            };
            let domain = words::code(measure.domain.as_deref().unwrap_or("other"));
            match domains.iter_mut().find(|(name, _)| *name == domain) {
                Some((_, rows)) => rows.push(row),
                None => domains.push((domain, vec![row])),
            }
        }
        let lists = state.store.indicator_lists(&caller.scope)?;
        let people = People::of(&state)?;
        Ok(Page {
            csrf: frame.csrf(),
            frame,
            most: MOST,
            guideline: guideline.version.clone(),
            domains,
            reasons: ChosenFor::ALL
                .iter()
                .map(|one| (one.as_str(), spoken(*one)))
                .collect(),
            earlier: lists.iter().map(|list| earlier(list, &people)).collect(),
        })
    })
    .await?;
    html(&page)
}

/// The measures of a form that have a place, in its order; equal places in the order of the guideline.
fn chosen(guideline: &Guideline, fields: &Fields) -> Result<Vec<String>, Problem> {
    let mut places: Vec<(u32, String)> = Vec::new();
    for measure in choosable(guideline) {
        let text = fields.get(&format!("place-{}", measure.id)).trim();
        if text.is_empty() {
            continue;
        }
        let place = text.parse().map_err(|_| {
            let what = format!("The place of measure {} is a whole number, or empty.", measure.id);
            Problem::with(Kind::InvalidValue, what).at(format!("place-{}", measure.id))
        })?;
        places.push((place, measure.id.clone()));
    }
    places.sort_by_key(|(place, _)| *place);
    Ok(places.into_iter().map(|(_, id)| id).collect())
}

/// Makes the list of the page's form the one that holds.
pub(super) async fn choose(
    form: AllowedForm<Steers>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let answer: Result<HttpResponse, Problem> = async move {
        blocking(move || {
            let guideline = state.engine.guideline().map_err(Problem::internal)?;
            let reason = ChosenFor::named(form.fields.get("reason"))
                .ok_or_else(|| Problem::with(Kind::InvalidValue, "Choose a reason for the change."))?;
            let measures = chosen(guideline, &form.fields)?;
            Ok(state.store.choose_indicators(&form.scope, measures, reason)?)
        })
        .await?;
        Ok(HttpResponse::SeeOther()
            .insert_header(("location", "/indicators"))
            .finish())
    }
    .await;
    sent.answered(answer, &[("reason", "reason")], |caller| {
        page(caller, NoQuery, again)
    })
    .await
}
