//! What is recorded: the dictionary as a page.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::dictionary::{Element, EntityKind};

use super::{Frame, html};
use crate::problem::Problem;
use crate::state::AppState;

#[derive(Template)]
#[template(path = "schema.html")]
struct Page {
    frame: Frame,
    version: String,
    elements: usize,
    entities: Vec<Entity>,
}

struct Entity {
    name: String,
    description: String,
    rows: Vec<(String, String, String, String, String, String)>,
}

pub(super) async fn page(state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
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
        frame: Frame::bare("What is recorded"),
        version: dictionary.version.clone(),
        elements: entities.iter().map(|e| e.rows.len()).sum(),
        entities,
    })
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
