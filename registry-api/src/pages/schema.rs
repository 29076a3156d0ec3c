//! What is recorded: the dictionary as a page.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::dictionary::{Element, EntityKind};
use registry_core::versions::CaseSchema;

use super::{Frame, html};
use crate::guard::{NoQuery, Reader};
use crate::problem::Problem;
use crate::state::AppState;

#[derive(Template)]
#[template(path = "schema.html")]
struct Page {
    frame: Frame,
    version: String,
    elements: usize,
    entities: Vec<Entity>,
    /// Name, title and number of codes of every code list.
    lists: Vec<(String, String, usize)>,
    versions: Vec<Version>,
}

/// A version and what it changed.
struct Version {
    version: String,
    /// Its status and the days that go with it.
    life: String,
    notes: String,
    /// Class, place and words of every change.
    changes: Vec<(String, String, String)>,
}

struct Entity {
    name: String,
    description: String,
    rows: Vec<(String, String, String, String, String, String)>,
}

pub(super) async fn page(
    reader: Reader,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let dictionary = &state.schemas.current().dictionary;
    let entities: Vec<Entity> = dictionary
        .entities
        .iter()
        .map(|e| Entity {
            name: e.name.clone(),
            description: match e.kind {
                EntityKind::Case => e.description.clone(),
                EntityKind::Envelope => format!("{} Set by the service.", e.description),
                EntityKind::Reference => format!("{} Kept by the coordinating office.", e.description),
            },
            rows: e.elements.iter().map(row).collect(),
        })
        .collect();
    html(&Page {
        frame: Frame::open("What is recorded", "/schema", &reader),
        version: dictionary.version.clone(),
        versions: state
            .schemas
            .case_schemas()
            .into_iter()
            .rev()
            .map(|schema| version(&state, schema))
            .collect(),
        lists: state
            .schemas
            .codelists()
            .map(|list| (list.name.clone(), list.title.clone(), list.codes.len()))
            .collect(),
        elements: entities.iter().map(|e| e.rows.len()).sum(),
        entities,
    })
}

fn version(state: &AppState, schema: &CaseSchema) -> Version {
    let mut life = schema.status.as_str().to_owned();
    for (words, day) in [
        ("published", &schema.published),
        ("accepted through", &schema.accepted_through),
        ("retired", &schema.retired),
    ] {
        if let Some(day) = day {
            life.push_str(&format!(", {words} {day}"));
        }
    }
    let diff = state.schemas.changes(&schema.version);
    let changes = diff.map(|diff| diff.changes).unwrap_or_default();
    Version {
        version: schema.version.clone(),
        life,
        notes: schema
            .upgrade
            .as_ref()
            .map(|step| step.notes.trim().to_owned())
            .unwrap_or_default(),
        changes: changes
            .into_iter()
            .map(|change| {
                let class = if change.upgraded {
                    format!("{}, upgraded by the registry", change.class)
                } else {
                    change.class.to_string()
                };
                (class, change.place, change.words)
            })
            .collect(),
    }
}

fn row(element: &Element) -> (String, String, String, String, String, String) {
    let codes = element.codes.as_ref().map(|list| {
        list.codes
            .iter()
            .map(|c| c.code.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    });
    let kind = match &element.unit {
        Some(unit) => format!("{} ({unit})", element.kind),
        None => element.kind.to_string(),
    };
    let required = match &element.condition {
        Some(condition) => format!("when {condition}"),
        None => match element.requirement {
            registry_core::dictionary::Requirement::Required => "yes".to_owned(),
            registry_core::dictionary::Requirement::Derived => "derived".to_owned(),
            _ => "no".to_owned(),
        },
    };
    let absence = element
        .absence
        .iter()
        .map(|a| a.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    (
        element.name.clone(),
        element.description.clone(),
        kind,
        codes.unwrap_or_default(),
        required,
        absence,
    )
}
