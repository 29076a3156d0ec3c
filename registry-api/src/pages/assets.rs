//! The stylesheet, the script and the icon: compiled in, versioned by the program.

use actix_web::{HttpResponse, web};

use crate::problem::{Kind, Problem};

macro_rules! modules {
    ($($name:literal,)+) => {
        &[$(($name, include_str!(concat!("../../assets/", $name)))),+]
    };
}

/// The modules of the entry form, as they import each other.
const MODULES: &[(&str, &str)] = modules![
    "entry-main.js",
    "entry-model.js",
    "entry-dates.js",
    "entry-conditions.js",
    "entry-suggest.js",
    "entry-controls.js",
    "entry-field.js",
    "entry-rows.js",
    "entry-attest.js",
    "entry-findings.js",
    "entry-save.js",
    "entry-again.js",
    "entry-conflict.js",
    "entry-server.js",
    "entry-form.js",
    "entry-text.js",
];

/// A file of the pages.
pub(super) async fn show(name: web::Path<String>) -> Result<HttpResponse, Problem> {
    let mut keep = "public, max-age=3600";
    let (media_type, body) = match name.as_str() {
        "style.css" => ("text/css; charset=utf-8", include_str!("../../assets/style.css")),
        "enhance.js" => (
            "text/javascript; charset=utf-8",
            include_str!("../../assets/enhance.js"),
        ),
        "icon.svg" => ("image/svg+xml", include_str!("../../assets/icon.svg")),
        name => match MODULES.iter().find(|(module, _)| *module == name) {
            Some((_, body)) => {
                // All of one edition: a module kept from before an upgrade does not fit the others.
                keep = "no-cache";
                ("text/javascript; charset=utf-8", *body)
            }
            None => return Err(Problem::new(Kind::NotFound)),
        },
    };
    Ok(HttpResponse::Ok()
        .content_type(media_type)
        .insert_header(("cache-control", keep))
        .body(body))
}
