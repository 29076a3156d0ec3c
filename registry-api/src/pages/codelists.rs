//! The code lists as a page: every list, and the codes searched for or of one list.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{Frame, html, words};
use crate::guard::Reader;
use crate::problem::Problem;
use crate::routes::checks::codelists::{Found, Wanted, asked, csv as table};
use crate::state::AppState;

#[derive(Template)]
#[template(path = "codelists.html")]
struct Page {
    frame: Frame,
    q: String,
    /// The list whose codes are shown alone.
    list: String,
    csv: String,
    /// Lists there are in all.
    all: usize,
    /// Codes are shown, not lists alone.
    with_codes: bool,
    lists: Vec<List>,
}

struct List {
    name: String,
    title: String,
    standard: String,
    elements: Vec<String>,
    /// How many codes of it are found.
    n: usize,
    codes: Vec<(String, String)>,
}

impl List {
    fn of(found: &Found<'_>, with_codes: bool) -> Self {
        let codes = found.codes.iter().filter(|_| with_codes);
        Self {
            name: found.list.name.clone(),
            title: title(&found.list.title),
            standard: found.list.standard.clone().unwrap_or_default(),
            elements: found.elements.clone(),
            n: found.codes.len(),
            codes: codes
                .map(|code| (code.code.clone(), label(&code.code, code.label.as_deref())))
                .collect(),
        }
    }
}

/// What pages call by other words than a published list does.
const SPOKEN: [&str; 3] = ["observation", "prior_operation", "waiver"];

/// A code's meaning in the words of pages.
fn label(code: &str, listed: Option<&str>) -> String {
    if SPOKEN.contains(&code) {
        words::code(code)
    } else {
        listed.unwrap_or_default().to_owned()
    }
}

/// What a list is about, likewise.
fn title(listed: &str) -> String {
    let said = [
        ("Observation ", "Interval without treatment: "),
        ("Prior operation ", "Other operations: "),
    ];
    let found = said.iter().find_map(|(listed_as, words)| {
        let rest = listed.strip_prefix(listed_as)?;
        Some(format!("{words}{rest}"))
    });
    found.unwrap_or_else(|| listed.to_owned())
}

pub(super) async fn page(
    reader: Reader,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let found = asked(&state, &wanted)?;
    let with_codes = wanted.list.is_some() || wanted.q.is_some();
    html(&Page {
        frame: Frame::open("Code lists", "/codelists", &reader),
        q: wanted.q.clone().unwrap_or_default(),
        list: wanted.list.clone().unwrap_or_default(),
        csv: address(&wanted),
        all: state.schemas.codelists().count(),
        with_codes,
        lists: found.iter().map(|found| List::of(found, with_codes)).collect(),
    })
}

/// The same choice as CSV.
fn address(wanted: &Wanted) -> String {
    let parts = [("list", &wanted.list), ("q", &wanted.q)];
    let given = parts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let given: Vec<(&str, &str)> = given.collect();
    // Texts always encode.
    let query = serde_urlencoded::to_string(given).unwrap_or_default();
    format!("/codelists.csv?{query}")
}

/// The codes of the page as CSV, for the link on it.
pub(super) async fn csv(
    _reader: Reader,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let text = table(&asked(&state, &wanted)?)?;
    Ok(super::download("codelists.csv", text))
}
