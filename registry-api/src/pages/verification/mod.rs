//! Source-data verification: the draws, one draw with its sample and its agreement, and the form to draw another.

pub(super) mod case;

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::Role;
use registry_core::form::Words;
use registry_core::storage::{NewVerification, SampledCase, Verification};
use registry_etl::quality::{Agreement, AgreementLevel, ElementAgreement, NETWORK};

use super::{Frame, Sent, download, html, words};
use crate::guard::{Allowed, AllowedForm, Coordinates, NoQuery, ReadsVerifications};
use crate::problem::{Kind, Problem};
use crate::results::Hidden;
use crate::routes::verifications::agreement;
use crate::state::{AppState, blocking};
use crate::verification::{self, Compared};

#[derive(Template)]
#[template(path = "verifications.html")]
struct Draws {
    frame: Frame,
    csrf: String,
    draws: Vec<Draw>,
    /// Whether the reader draws samples.
    office: bool,
    /// The usual share in percent.
    share: String,
    today: String,
}

struct Draw {
    id: String,
    drawn: String,
    through: String,
    share: String,
    seed: String,
    cases: u64,
    reentered: u64,
}

impl Draw {
    fn of(draw: Verification) -> Self {
        Self {
            drawn: draw.drawn_at.format("%Y-%m-%d").to_string(),
            through: draw.through.to_string(),
            share: percent(draw.share),
            seed: draw.seed,
            cases: draw.cases,
            reentered: draw.reentered,
            id: draw.verification_id,
        }
    }
}

/// A share in percent with the decimals it has, `5 %`, `2.25 %`.
fn percent(share: f64) -> String {
    format!("{} %", (share * 10_000.0).round() / 100.0)
}

#[derive(Template)]
#[template(path = "verification.html")]
struct Page {
    frame: Frame,
    draw: Draw,
    sees_cases: bool,
    /// Whether the cases of several centres are listed.
    centres: bool,
    cases: Vec<Case>,
    total: Option<Share>,
    by_centre: Vec<Centre>,
    critical: Vec<Element>,
    further: Vec<Element>,
    /// From how many measures on an element is critical.
    critical_measures: usize,
}

struct Case {
    centre: String,
    pseudonym: String,
    stage: String,
    reentered: String,
    agreement: String,
    differences: usize,
}

struct Centre {
    name: String,
    share: Share,
}

struct Share {
    cases: String,
    compared: String,
    agreeing: String,
    share: String,
    interval: String,
}

struct Element {
    name: String,
    measures: usize,
    share: Share,
    kappa: String,
    differing: String,
    suppressed: bool,
}

pub(super) async fn list(
    caller: Allowed<ReadsVerifications>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Verification", "/verification", &caller);
    let page = blocking(move || {
        let draws = verification::draws(&state, &caller.scope)?;
        Ok(Draws {
            csrf: frame.who.as_ref().map(|who| who.csrf.clone()).unwrap_or_default(),
            frame,
            draws: draws.into_iter().map(Draw::of).collect(),
            office: caller.scope.role() == Role::Coordinator,
            share: ((state.verifier.share() * 10_000.0).round() / 100.0).to_string(),
            today: state.ports.clock.now().date_naive().to_string(),
        })
    })
    .await?;
    html(&page)
}

/// Draws the sample a form asks for.
pub(super) async fn draw(
    form: AllowedForm<Coordinates>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let answer: Result<HttpResponse, Problem> = async move {
        let invalid = |what: &str| Problem::with(Kind::InvalidValue, what);
        let percent: f64 = form
            .fields
            .get("share")
            .parse()
            .map_err(|_| invalid("The share is a number of percent."))?;
        let through = form
            .fields
            .get("through")
            .parse()
            .map_err(|_| invalid("The sample needs the day its cases were stored up to (YYYY-MM-DD)."))?;
        let seed = form.fields.get("seed").trim();
        let wanted = NewVerification {
            seed: (!seed.is_empty()).then(|| seed.to_owned()),
            share: percent / 100.0,
            through,
        };
        let draw = blocking(move || Ok(state.store.draw_verification(&form.scope, wanted)?)).await?;
        Ok(HttpResponse::SeeOther()
            .insert_header(("location", format!("/verification/{}", draw.verification_id)))
            .finish())
    }
    .await;
    sent.answered(
        answer,
        &[
            ("share", "share"),
            ("hare", "share"),
            ("day", "through"),
            ("seed", "seed"),
        ],
        |caller| list(caller, NoQuery, again),
    )
    .await
}

pub(super) async fn page(
    caller: Allowed<ReadsVerifications>,
    _: NoQuery,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Agreement of a sample", "/verification", &caller);
    let page = blocking(move || {
        let scope = &caller.scope;
        let found = verification::agreement(&state, scope, &id)?;
        let sees_cases = scope.role().sees_cases();
        let sample = if sees_cases {
            state.store.sampled_cases(scope, &id)?
        } else {
            Vec::new()
        };
        let compared: BTreeMap<&str, &Compared> = found
            .cases
            .iter()
            .map(|compared| (compared.case.pseudonym.as_str(), compared))
            .collect();
        let cases = sample
            .iter()
            .map(|case| line(case, compared.get(&*case.pseudonym).copied()));
        let main = found.levels.first();
        let elements = main.map(|level| level.elements.as_slice()).unwrap_or_default();
        let called = state.words()?;
        let of = |critical: bool| {
            elements
                .iter()
                .filter(move |e| e.critical == critical)
                .map(|e| element(e, called))
        };
        let hidden = Hidden::of(elements.iter().map(|element| element.suppressed));
        Ok(Page {
            cases: cases.collect(),
            sees_cases,
            centres: scope.centre().is_none(),
            total: main.map(|level| share(&level.total)),
            by_centre: found
                .levels
                .iter()
                .filter(|level| level.level != NETWORK)
                .map(centre)
                .collect(),
            critical: of(true).collect(),
            further: of(false).collect(),
            critical_measures: state.verifier.critical_measures(),
            draw: Draw::of(found.draw),
            frame: frame.with_hidden(hidden),
        })
    })
    .await?;
    html(&page)
}

/// The agreement of every element as CSV, for the link on the page.
pub(super) async fn csv(
    caller: Allowed<ReadsVerifications>,
    _: NoQuery,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (name, text) = blocking(move || {
        let found = verification::agreement(&state, &caller.scope, &id)?;
        Ok((agreement::file_name(&found), agreement::csv(&found.levels)?))
    })
    .await?;
    Ok(download(&name, text))
}

fn line(case: &SampledCase, compared: Option<&Compared>) -> Case {
    Case {
        centre: case.centre_id.clone(),
        pseudonym: case.pseudonym.clone(),
        stage: words::code(case.status.as_str()),
        reentered: case
            .reentered_at
            .map(|at| at.format("%Y-%m-%d").to_string())
            .unwrap_or_default(),
        agreement: compared
            .and_then(|compared| compared.comparison.share())
            .map(words::exact_percent)
            .unwrap_or_default(),
        differences: compared.map_or(0, |compared| compared.comparison.differences.len()),
    }
}

fn share(agreement: &Agreement) -> Share {
    let count = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
    Share {
        cases: count(agreement.cases),
        compared: count(agreement.compared),
        agreeing: count(agreement.agreeing),
        share: match agreement.share {
            // Told in whole percent when it is told without counts.
            Some(share) if agreement.compared.is_none() => words::percent(Some(share)),
            Some(share) => words::exact_percent(share),
            None => "not shown".to_owned(),
        },
        interval: match (agreement.lower, agreement.upper) {
            (Some(lower), Some(upper)) => format!("{:.1} to {:.1} %", lower * 100.0, upper * 100.0),
            _ => String::new(),
        },
    }
}

fn centre(level: &AgreementLevel) -> Centre {
    Centre {
        name: level.level.clone(),
        share: share(&level.total),
    }
}

fn element(element: &ElementAgreement, called: Words<'_>) -> Element {
    let kinds = element.differing.iter();
    let kinds: Vec<String> = kinds.map(|(kind, n)| format!("{} {n}", short(kind))).collect();
    Element {
        name: called.place(&element.element),
        measures: element.measures,
        share: share(&element.agreement),
        kappa: element
            .kappa
            .map(|kappa| format!("{kappa:.2}"))
            .unwrap_or_default(),
        differing: kinds.join(", "),
        suppressed: element.suppressed,
    }
}

/// A kind of difference in a few words.
fn short(kind: &str) -> &str {
    match kind {
        "values" => "other value",
        "value_absence" => "value or reason",
        "absences" => "other reason",
        "value_missing" => "answered once",
        "absence_missing" => "reason given once",
        "row_missing" => "in a row of one only",
        other => other,
    }
}
