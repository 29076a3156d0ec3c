//! Centres from the page's forms: added, changed, ended, and their table by year, whose elements the dictionary names.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::dictionary::{Absence, Element, ElementKind};
use registry_core::storage::{CentreYear, NewCentre};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::to;
use crate::guard::{Administers, Allowed, AllowedForm, Fields, NoQuery};
use crate::pages::{Frame, Sent, html};
use crate::problem::{Kind, Problem};
use crate::routes::centres::reference_row;
use crate::state::{AppState, blocking};

/// Elements that the address of a year gives.
const KEYS: [&str; 2] = ["centre_id", "effective_year"];

#[derive(Template)]
#[template(path = "admin_centre.html")]
struct Page {
    frame: Frame,
    csrf: String,
    id: String,
    name: String,
    country: String,
    active: bool,
    since: String,
    /// What the columns of the table are, with the elements' names.
    columns: Vec<(String, String)>,
    rows: Vec<Row>,
    /// The year of the form, and its fields as they stand.
    year: i32,
    known: bool,
    fields: Vec<Field>,
}

/// A year of the table.
struct Row {
    year: i32,
    changed: String,
    cells: Vec<String>,
}

/// An element of the form.
struct Field {
    name: String,
    label: String,
    unit: String,
    /// Yes or no, not typed.
    closed: bool,
    value: String,
    /// Code and words of why there is no value, and whether that is so.
    absences: Vec<(&'static str, String, bool)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Wanted {
    /// Year of the form; this year without it.
    year: Option<i32>,
}

/// Elements of the table, without those that the address gives.
pub(in crate::pages) fn elements(state: &AppState) -> impl Iterator<Item = &Element> {
    let entity = state.schemas.current().dictionary.entity("centre");
    let all = entity.into_iter().flat_map(|entity| &entity.elements);
    all.filter(|element| !KEYS.contains(&element.name.as_str()))
}

/// What an element is, without the sentence on its absence codes and without when a yes is true: the form offers both.
fn label(element: &Element) -> String {
    let text = element.description.split(" Absence:").next().unwrap_or_default();
    let text = text.trim_end_matches('.');
    match text.strip_prefix("True when ") {
        Some(said) => {
            let mut letters = said.chars();
            letters
                .next()
                .map(|first| first.to_uppercase().chain(letters).collect())
                .unwrap_or_default()
        }
        None => text.to_owned(),
    }
}

/// A stored value as the form types it, and why there is none.
fn typed(value: Option<&Value>) -> (String, Option<&str>) {
    match value {
        None | Some(Value::Null) => (String::new(), None),
        Some(Value::String(text)) => (text.clone(), None),
        Some(Value::Object(absent)) => (String::new(), absent.get("absent").and_then(Value::as_str)),
        Some(other) => (other.to_string(), None),
    }
}

fn cell(value: Option<&Value>) -> String {
    match typed(value) {
        (_, Some(absent)) => absent.replace('_', " "),
        (text, _) => match text.as_str() {
            "" => "–".to_owned(),
            "true" => "yes".to_owned(),
            "false" => "no".to_owned(),
            _ => text,
        },
    }
}

fn field(element: &Element, row: Option<&CentreYear>) -> Field {
    let (value, absent) = typed(row.and_then(|row| row.values.get(&element.name)));
    let absences = element.absence.iter().map(|one| {
        let code = one.as_str();
        (code, code.replace('_', " "), absent == Some(code))
    });
    Field {
        name: element.name.clone(),
        label: label(element),
        unit: element.unit.clone().unwrap_or_default(),
        closed: element.kind == ElementKind::Boolean,
        absences: absences.collect(),
        value,
    }
}

/// One centre: what it is, its table by year, and the form of one year.
pub(in crate::pages) async fn page(
    caller: Allowed<Administers>,
    id: web::Path<String>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Centre by year", "/admin", &caller);
    let page = blocking(move || {
        let centre = state.store.centre(&caller.scope, &id)?;
        let years = state.store.centre_years(&caller.scope, Some(&id))?;
        let today = state.ports.clock.now().date_naive();
        let year = wanted.year.unwrap_or_else(|| chrono::Datelike::year(&today));
        let of_form = years.iter().find(|row| row.year == year);
        let rows = years.iter().rev().map(|row| Row {
            year: row.year,
            changed: row.updated_at.date_naive().to_string(),
            cells: elements(&state)
                .map(|element| cell(row.values.get(&element.name)))
                .collect(),
        });
        let columns = elements(&state).map(|element| (label(element), element.name.clone()));
        Ok(Page {
            csrf: frame.csrf(),
            frame,
            columns: columns.collect(),
            rows: rows.collect(),
            year,
            known: of_form.is_some(),
            fields: elements(&state).map(|element| field(element, of_form)).collect(),
            id: centre.centre_id,
            name: centre.name,
            country: centre.country.unwrap_or_default(),
            active: centre.active,
            since: centre.created_at.date_naive().to_string(),
        })
    })
    .await?;
    html(&page)
}

/// Name and country of a form.
fn filled(id: String, fields: &Fields, active: bool) -> NewCentre {
    let country = fields.get("country").trim().to_ascii_uppercase();
    NewCentre {
        centre_id: id,
        name: fields.get("name").trim().to_owned(),
        country: Some(country).filter(|code| !code.is_empty()),
        active,
    }
}

/// Adds a centre and leads to its page, where its first year is entered.
pub(in crate::pages) async fn create(
    form: AllowedForm<Administers>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let answer: Result<HttpResponse, Problem> = async move {
        let made = blocking(move || {
            let centre = filled(form.fields.get("centre_id").trim().to_owned(), &form.fields, true);
            Ok(state.store.create_centre(&form.scope, centre)?)
        })
        .await?;
        Ok(to(&format!("/admin/centres/{}", made.centre_id)))
    }
    .await;
    sent.answered(
        answer,
        &[
            ("centre id", "centre_id"),
            ("name already", "centre_id"),
            ("name", "name"),
            ("country", "country"),
        ],
        |caller| super::page(caller, NoQuery, again),
    )
    .await
}

/// Changes a centre: its name, its country, whether it takes part.
pub(in crate::pages) async fn change(
    form: AllowedForm<Administers>,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let (centre, wanted) = (id.to_string(), Wanted { year: None });
    let answer: Result<HttpResponse, Problem> = async move {
        let changed = blocking(move || {
            let active = match form.fields.get("takes_part") {
                "yes" => true,
                "no" => false,
                _ => return Err(Problem::with(Kind::InvalidValue, "Takes part: yes or no.")),
            };
            // One that is not there is not added by changing it.
            state.store.centre(&form.scope, &id)?;
            let centre = filled(id.into_inner(), &form.fields, active);
            Ok(state.store.upsert_centre(&form.scope, centre)?.0)
        })
        .await?;
        Ok(to(&format!("/admin/centres/{}", changed.centre_id)))
    }
    .await;
    sent.answered(
        answer,
        &[
            ("Takes part", "takes_part"),
            ("name", "name"),
            ("country", "country"),
        ],
        |caller| page(caller, web::Path::from(centre), web::Query(wanted), again),
    )
    .await
}

/// The row of a form: of every element its value, why there is none, or nothing.
fn row(state: &AppState, fields: &Fields) -> Result<Value, Problem> {
    let mut row = Map::new();
    for element in elements(state) {
        let name = &element.name;
        let text = fields.get(&format!("value-{name}")).trim();
        let absent = fields.get(&format!("absent-{name}"));
        let wrong = |what: &str| {
            let words = format!("{}: {what}.", label(element));
            Err(Problem::with(Kind::InvalidValue, words).at(format!("value-{name}")))
        };
        let value = match (text, Absence::from_code(absent), element.kind) {
            ("", None, _) if absent.is_empty() => continue,
            ("", Some(reason), _) => json!({ "absent": reason.as_str() }),
            (_, Some(_), _) => return wrong("a value, or why there is none, not both"),
            (_, None, _) if !absent.is_empty() => return wrong("choose one of the list"),
            ("true", None, ElementKind::Boolean) => json!(true),
            ("false", None, ElementKind::Boolean) => json!(false),
            (_, None, ElementKind::Boolean) => return wrong("yes or no"),
            (_, None, ElementKind::Integer | ElementKind::Year) => match text.parse::<u32>() {
                Ok(number) => json!(number),
                Err(_) => return wrong("a whole number"),
            },
            _ => json!(text),
        };
        row.insert(name.clone(), value);
    }
    Ok(Value::Object(row))
}

/// A row that a check refused, at the element of the first finding.
fn at_element(problem: Problem) -> Problem {
    let first = problem
        .errors
        .first()
        .and_then(|finding| finding["pointer"].as_str());
    match first.and_then(|pointer| pointer.rsplit('/').next()) {
        Some(element) => {
            let field = format!("value-{element}");
            problem.at(field)
        }
        None => problem,
    }
}

/// Enters or replaces a year of a centre's table.
pub(in crate::pages) async fn put_year(
    form: AllowedForm<Administers>,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let year = sent.field("year").trim().parse().ok();
    let (centre, wanted) = (id.to_string(), Wanted { year });
    let answer: Result<HttpResponse, Problem> = async move {
        let stored = blocking(move || {
            let year: i32 = form
                .fields
                .get("year")
                .trim()
                .parse()
                .map_err(|_| Problem::with(Kind::InvalidValue, "Year: four digits."))?;
            let row = row(&state, &form.fields)?;
            let row = reference_row(&state, &id, year, row).map_err(at_element)?;
            Ok(state.store.put_centre_year(&form.scope, &id, year, row)?.0)
        })
        .await?;
        Ok(to(&format!(
            "/admin/centres/{}?year={}",
            stored.centre_id, stored.year
        )))
    }
    .await;
    sent.answered(answer, &[], |caller| {
        page(caller, web::Path::from(centre), web::Query(wanted), again)
    })
    .await
}
