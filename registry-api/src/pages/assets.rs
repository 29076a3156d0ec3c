//! The stylesheet, the script and the icon: compiled in, versioned by the program.

use actix_web::{HttpResponse, web};

use crate::problem::{Kind, Problem};

/// A file of the pages.
pub(super) async fn show(name: web::Path<String>) -> Result<HttpResponse, Problem> {
    let (media_type, body) = match name.as_str() {
        "style.css" => ("text/css; charset=utf-8", include_str!("../../assets/style.css")),
        "enhance.js" => (
            "text/javascript; charset=utf-8",
            include_str!("../../assets/enhance.js"),
        ),
        "icon.svg" => ("image/svg+xml", include_str!("../../assets/icon.svg")),
        _ => return Err(Problem::new(Kind::NotFound)),
    };
    Ok(HttpResponse::Ok()
        .content_type(media_type)
        .insert_header(("cache-control", "public, max-age=3600"))
        .body(body))
}
