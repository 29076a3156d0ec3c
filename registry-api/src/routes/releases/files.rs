//! The bytes of a release: manifest, one file, the whole bundle; each with its digest, whole or a range.

use std::fs::File;
use std::io::Read;

use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::super::header_text;
use crate::guard::{Allowed, ReadsReleases};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

/// Bytes that never change under their digest.
#[derive(Debug)]
pub(in crate::routes) struct Frozen {
    bytes: Vec<u8>,
    media_type: &'static str,
    name: String,
}

impl Responder for Frozen {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let digest = Sha256::digest(&self.bytes);
        let etag = format!("\"{}\"", hex::encode(digest));
        let headers = [
            ("etag", etag.clone()),
            ("repr-digest", format!("sha-256=:{}:", STANDARD.encode(digest))),
            ("accept-ranges", "bytes".to_owned()),
            (
                "content-disposition",
                format!("attachment; filename=\"{}\"", self.name),
            ),
        ];
        let text = |name| header_text(request, name).ok().flatten();
        let known = |tags: String| tags.split(',').any(|t| t.trim() == etag || t.trim() == "*");
        let total = self.bytes.len();
        let mut response = if text("if-none-match").is_some_and(known) {
            HttpResponse::NotModified().finish()
        } else {
            let asked = text("range").filter(|_| text("if-range").is_none_or(|tag| tag == etag));
            match asked.as_deref().map(|range| part(range, total)) {
                Some(Part::Of(from, to)) => HttpResponse::PartialContent()
                    .insert_header(("content-range", format!("bytes {from}-{}/{total}", to - 1)))
                    .insert_header(("content-encoding", "identity"))
                    .body(self.bytes[from..to].to_vec()),
                Some(Part::Beyond) => HttpResponse::RangeNotSatisfiable()
                    .insert_header(("content-range", format!("bytes */{total}")))
                    .finish(),
                Some(Part::Whole) | None => HttpResponse::Ok()
                    .insert_header(("content-encoding", "identity"))
                    .body(self.bytes),
            }
        };
        let map = response.headers_mut();
        map.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                map.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

/// What a `Range` header asks of so many bytes.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// From the first (included) to the second (excluded).
    Of(usize, usize),
    /// Starts behind the end.
    Beyond,
    /// Several ranges, or another unit: the whole is answered, as RFC 9110 allows.
    Whole,
}

fn part(range: &str, total: usize) -> Part {
    let Some((first, last)) = range
        .strip_prefix("bytes=")
        .filter(|set| !set.contains(','))
        .and_then(|one| one.split_once('-'))
    else {
        return Part::Whole;
    };
    let number = |text: &str| text.trim().parse::<usize>().ok();
    match (first.trim().is_empty(), last.trim().is_empty()) {
        (true, true) => Part::Whole,
        (true, false) => match number(last) {
            Some(0) => Part::Beyond,
            Some(n) if total > 0 => Part::Of(total.saturating_sub(n), total),
            Some(_) => Part::Beyond,
            None => Part::Whole,
        },
        (false, open) => match (number(first), number(last)) {
            (Some(from), _) if from >= total => Part::Beyond,
            (Some(from), None) if open => Part::Of(from, total),
            (Some(from), Some(to)) if to >= from => Part::Of(from, to.saturating_add(1).min(total)),
            _ => Part::Whole,
        },
    }
}

/// What the release holds: files, rows, columns, SHA-256, versions, and what is withheld.
#[utoipa::path(get, path = "/api/v1/releases/{id}/manifest.json", tag = "releases", params(("id" = String, Path,)),
    responses((status = 200, description = "The manifest, as it is in the bundle"), (status = 404, description = "No such release")), security(("key" = [])))]
pub(in crate::routes) async fn manifest(
    caller: Allowed<ReadsReleases>,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Frozen, Problem> {
    one_file(caller, id.into_inner(), "manifest.json".to_owned(), state).await
}

/// One file of the release.
#[utoipa::path(get, path = "/api/v1/releases/{id}/files/{name}", tag = "releases", params(("id" = String, Path,), ("name" = String, Path,)),
    responses((status = 200, description = "The file"), (status = 206, description = "The range asked for"), (status = 404, description = "No such release or file"),
        (status = 410, description = "Cannot be built again as it was")), security(("key" = [])))]
pub(in crate::routes) async fn file(
    caller: Allowed<ReadsReleases>,
    path: web::Path<(String, String)>,
    state: web::Data<AppState>,
) -> Result<Frozen, Problem> {
    let (id, name) = path.into_inner();
    one_file(caller, id, name, state).await
}

async fn one_file(
    caller: Allowed<ReadsReleases>,
    id: String,
    name: String,
    state: web::Data<AppState>,
) -> Result<Frozen, Problem> {
    blocking(move || {
        let (release, path) = crate::releases::bundle(&state, &caller.scope, &id)?;
        let mut archive =
            ZipArchive::new(File::open(path).map_err(Problem::internal)?).map_err(Problem::internal)?;
        let mut entry = archive.by_name(&name).map_err(|_| Problem::new(Kind::NotFound))?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(Problem::internal)?;
        let details = json!({ "file": entry.name(), "bytes": bytes.len() });
        state.store.record_access(
            &caller.scope,
            "release.download",
            Some(&release.release_id),
            details,
        )?;
        Ok(Frozen {
            bytes,
            media_type: match name.rsplit('.').next() {
                Some("json") => "application/json",
                Some("R" | "py" | "md") => "text/plain; charset=utf-8",
                _ => "text/csv; charset=utf-8",
            },
            name,
        })
    })
    .await
}

/// The whole release as a zip.
#[utoipa::path(get, path = "/api/v1/releases/{id}/bundle.zip", tag = "releases", params(("id" = String, Path,)),
    responses((status = 200, description = "The bundle"), (status = 206, description = "The range asked for"), (status = 404, description = "No such release"),
        (status = 410, description = "Cannot be built again as it was")), security(("key" = [])))]
pub(in crate::routes) async fn bundle(
    caller: Allowed<ReadsReleases>,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Frozen, Problem> {
    blocking(move || {
        let (release, path) = crate::releases::bundle(&state, &caller.scope, &id)?;
        let bytes = std::fs::read(path).map_err(Problem::internal)?;
        let details = json!({ "file": "bundle.zip", "bytes": bytes.len() });
        state.store.record_access(
            &caller.scope,
            "release.download",
            Some(&release.release_id),
            details,
        )?;
        Ok(Frozen {
            bytes,
            media_type: "application/zip",
            name: format!("rps-registry-{}.zip", release.release_id),
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::{Part, part};

    /// The examples of RFC 9110, section 14.1.2, on 10,000 bytes, and the edges.
    #[test]
    fn ranges() {
        for (range, expected) in [
            ("bytes=0-499", Part::Of(0, 500)),
            ("bytes=500-999", Part::Of(500, 1000)),
            ("bytes=-500", Part::Of(9500, 10_000)),
            ("bytes=9500-", Part::Of(9500, 10_000)),
            ("bytes=9999-20000", Part::Of(9999, 10_000)),
            ("bytes=-20000", Part::Of(0, 10_000)),
            ("bytes=10000-", Part::Beyond),
            ("bytes=-0", Part::Beyond),
            ("bytes=5-4", Part::Whole),
            ("bytes=0-0,-1", Part::Whole),
            ("lines=1-2", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=a-b", Part::Whole),
        ] {
            assert_eq!(part(range, 10_000), expected, "{range}");
        }
        assert_eq!(part("bytes=0-", 0), Part::Beyond);
    }
}
