//! `GET /api/v1/cases/export`: a centre's own cases in full, as NDJSON, as a CSV bundle or as REDCap's table; all of them import back.

use std::io::{self, Write};
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use registry_core::exchange::{
    BundleWriter, FlatCase, Layout, RedcapFormat, RedcapWriter, Style, WriteError,
};
use registry_core::storage::OwnCase;
use serde::Deserialize;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::guard::{Allowed, Submits};
use crate::problem::{Kind, Problem};
use crate::routes::header_text;
use crate::routes::streamed::{Pieces, streamed};
use crate::state::{AppState, blocking};

/// Cases read together.
const BATCH: usize = 100;

/// How to write.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    format: Option<String>,
    /// NDJSON with version and status beside each case.
    #[serde(default)]
    envelope: bool,
}

/// How it can be written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Ndjson,
    Bundle,
    Redcap,
}

/// The caller's centre's cases in full (drafts included, withdrawn ones not): NDJSON, the CSV bundle as a zip, or REDCap's flat table. Bundle and
/// table say of each case its version and status, so that an import replaces nothing newer and submits no draft; NDJSON does so with `envelope=true`.
#[utoipa::path(get, path = "/api/v1/cases/export", tag = "cases",
    params(("format" = Option<String>, Query, description = "`ndjson` (default), `csv` or `redcap`; else by `Accept` (`application/zip`)"),
        ("envelope" = Option<bool>, Query, description = "NDJSON: each line `{case, envelope}`, as `:batch` takes it")),
    responses((status = 200, description = "A case a line, a zip with a file per entity, or REDCap's flat export as CSV"), (status = 400, description = "No such format")),
    security(("key" = [])))]
pub(super) async fn export(
    caller: Allowed<Submits>,
    request: HttpRequest,
    options: web::Query<Options>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let accept = header_text(&request, "accept")?.unwrap_or_default();
    let form = match options.format.as_deref() {
        None if accept.contains("application/zip") => Form::Bundle,
        None | Some("ndjson") => Form::Ndjson,
        Some("csv") => Form::Bundle,
        Some("redcap") => Form::Redcap,
        Some(_) => return Err(Problem::with(Kind::BadQuery, "format: ndjson, csv or redcap")),
    };
    let scope = caller.scope.clone();
    let named = |name: &str| {
        (
            "content-disposition",
            format!(
                "attachment; filename=\"cases-{}.{name}\"",
                scope.centre().unwrap_or_default()
            ),
        )
    };
    // Read to the end before the answer begins: what cannot be written is a problem and not half an answer.
    if form == Form::Bundle {
        let files = blocking(move || collected(&state, &caller)).await?;
        return Ok(HttpResponse::Ok()
            .content_type("application/zip")
            .insert_header(named("zip"))
            .streaming(streamed(move |out| zip_into(files, out))?));
    }
    if form == Form::Redcap {
        let table = blocking(move || table(&state, &caller)).await?;
        return Ok(HttpResponse::Ok()
            .content_type("text/csv; charset=utf-8")
            .insert_header(named("csv"))
            .streaming(streamed(move |out| unpack_into(table, out))?));
    }
    // The first page before the answer begins, so that a store that is away is a problem and not half an answer.
    let first = page(&state, &caller, String::new()).await?;
    let disposition = named("ndjson");
    let enveloped = options.envelope;
    let lines = futures_util::stream::unfold(Some((first, state, caller)), move |rest| async move {
        let (cases, state, caller) = rest?;
        let last = cases.last()?.case_id.clone();
        let mut text = String::new();
        for case in &cases {
            let line = if enveloped {
                json!({ "case": case.document, "envelope": envelope(case) }).to_string()
            } else {
                case.document.to_string()
            };
            text.push_str(&line);
            text.push('\n');
        }
        let text = Ok::<_, io::Error>(web::Bytes::from(text));
        match page(&state, &caller, last).await {
            Ok(next) => Some((text, Some((next, state, caller)))),
            // The answer has begun: it is cut off, and whoever reads it sees that.
            Err(problem) => Some((Err(io::Error::other(problem.kind.title())), None)),
        }
    });
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header(disposition)
        .streaming(lines))
}

async fn page(
    state: &web::Data<AppState>,
    caller: &Allowed<Submits>,
    after: String,
) -> Result<Vec<OwnCase>, Problem> {
    let (state, scope) = (state.clone(), caller.scope.clone());
    blocking(move || Ok(state.store.own_cases(&scope, &after, BATCH)?)).await
}

/// A file of the bundle while it grows: compressed, about a tenth of its size. Not on a disk: it holds case data.
type Packed = GzEncoder<Vec<u8>>;

fn layout(state: &AppState, style: Style) -> Arc<Layout> {
    let versions: Vec<_> = state
        .schemas
        .case_schemas()
        .iter()
        .map(|s| Arc::clone(&s.dictionary))
        .collect();
    Arc::new(Layout::new(style, &versions))
}

/// Every case of the caller's centre, as flat files take it.
fn each(
    state: &AppState,
    caller: &Allowed<Submits>,
    mut take: impl FnMut(FlatCase<'_>) -> Result<(), WriteError>,
) -> Result<(), Problem> {
    let mut after = String::new();
    loop {
        let cases = state.store.own_cases(&caller.scope, &after, BATCH)?;
        let Some(last) = cases.last() else { return Ok(()) };
        after.clone_from(&last.case_id);
        for case in &cases {
            let flat = FlatCase {
                document: &case.document,
                envelope: &envelope(case),
                centre: &case.centre_id,
            };
            take(flat).map_err(Problem::internal)?;
        }
    }
}

fn packed() -> Packed {
    GzEncoder::new(Vec::new(), Compression::fast())
}

/// The files of the bundle. They grow side by side, so each is kept until the last case is in.
fn collected(state: &AppState, caller: &Allowed<Submits>) -> Result<Vec<(String, Packed)>, Problem> {
    let layout = layout(state, Style::Bundle);
    let mut writer = BundleWriter::begin(layout, |_| packed()).map_err(Problem::internal)?;
    each(state, caller, |case| writer.add(case))?;
    writer.finish().map_err(Problem::internal)
}

/// REDCap's flat table.
fn table(state: &AppState, caller: &Allowed<Submits>) -> Result<Packed, Problem> {
    let layout = layout(state, Style::Redcap);
    let mut writer = RedcapWriter::begin(layout, RedcapFormat::Csv, packed()).map_err(Problem::internal)?;
    each(state, caller, |case| writer.add(case))?;
    writer.finish().map_err(Problem::internal)
}

fn unpack_into(table: Packed, mut out: Pieces) -> io::Result<()> {
    let packed = table.finish()?;
    io::copy(&mut GzDecoder::new(&packed[..]), &mut out)?;
    out.flush()
}

fn zip_into(files: Vec<(String, Packed)>, out: Pieces) -> io::Result<()> {
    let entry = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    let mut zip = ZipWriter::new_stream(out);
    for (name, packed) in files {
        zip.start_file(name, entry)?;
        let packed = packed.finish()?;
        io::copy(&mut GzDecoder::new(&packed[..]), &mut zip)?;
    }
    zip.finish()?.into_inner().flush()
}

fn envelope(case: &OwnCase) -> Value {
    json!({
        "record_id": case.case_id,
        "centre_id": case.centre_id,
        "submitted_at": case.submitted_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        "version": case.version,
        "status": case.status,
    })
}
