//! A file whose bytes never change under their digest: whole or a range, streamed from where it is kept.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use actix_web::body::{BoxBody, SizedStream};
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::DeflateDecoder;
use registry_etl::releases::Excel;
use serde_json::Value;
use sha2::{Digest, Sha256};
use zip::{CompressionMethod, ZipArchive};

use super::{header_text, lists};
use crate::problem::{Kind, Problem};

/// Bytes read and sent at a time.
const CHUNK: usize = 64 * 1024;

/// Where the bytes are.
#[derive(Debug, Clone)]
enum Source {
    /// In memory: the manifest.
    Memory(Vec<u8>),
    /// A file as it is.
    Whole(PathBuf),
    /// An entry of a zip: from where, how many bytes there, deflated or as they are.
    Entry(PathBuf, u64, u64, bool),
}

/// Bytes that never change under their digest.
#[derive(Debug)]
pub(super) struct Frozen {
    source: Source,
    length: u64,
    digest: Vec<u8>,
    media_type: &'static str,
    name: String,
    /// Sent as Excel opens it.
    excel: bool,
}

impl Frozen {
    /// A bundle, with the digest that was recorded of it.
    pub(super) fn bundle(path: PathBuf, length: i64, sha256: &str, name: String) -> Result<Self, Problem> {
        Ok(Self {
            source: Source::Whole(path),
            length: u64::try_from(length).map_err(Problem::internal)?,
            digest: hex::decode(sha256).map_err(Problem::internal)?,
            media_type: "application/zip",
            name,
            excel: false,
        })
    }

    /// A document that is made when it is asked for.
    pub(super) fn document(name: &str, bytes: Vec<u8>) -> Self {
        Self {
            length: bytes.len() as u64,
            digest: Sha256::digest(&bytes).to_vec(),
            source: Source::Memory(bytes),
            media_type: "application/json",
            name: name.to_owned(),
            excel: false,
        }
    }

    /// A file of a bundle. Its digest is the manifest's; the manifest, which cannot hold its own, is read.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub(super) fn entry(path: &Path, name: &str, manifest: &Value) -> Result<Self, Problem> {
        let mut archive =
            ZipArchive::new(File::open(path).map_err(Problem::internal)?).map_err(Problem::internal)?;
        // The Parquet files have a folder; a path of the address has none.
        let inside = match name.ends_with(".parquet") && !name.contains('/') {
            true => format!("parquet/{name}"),
            false => name.to_owned(),
        };
        let name = inside.as_str();
        let mut entry = archive.by_name(name).map_err(|_| Problem::new(Kind::NotFound))?;
        let files = manifest.get("files").and_then(Value::as_array);
        let listed = files.and_then(|files| {
            files
                .iter()
                .find(|file| file.get("name").is_some_and(|one| one == name))
        });
        let sha256 = listed.and_then(|file| file.get("sha256")?.as_str());
        let length = entry.size();
        let (source, digest) = match (sha256, entry.compression(), entry.data_start()) {
            (Some(sha256), CompressionMethod::Deflated, Some(from)) => (
                Source::Entry(path.to_owned(), from, entry.compressed_size(), true),
                hex::decode(sha256).map_err(Problem::internal)?,
            ),
            (Some(sha256), CompressionMethod::Stored, Some(from)) => (
                Source::Entry(path.to_owned(), from, entry.compressed_size(), false),
                hex::decode(sha256).map_err(Problem::internal)?,
            ),
            _ => {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).map_err(Problem::internal)?;
                let digest = Sha256::digest(&bytes).to_vec();
                (Source::Memory(bytes), digest)
            }
        };
        Ok(Self {
            source,
            length,
            digest,
            media_type: match name.rsplit('.').next() {
                Some("json") => "application/json",
                Some("csv") => "text/csv; charset=utf-8",
                Some("parquet") => "application/vnd.apache.parquet",
                _ => "text/plain; charset=utf-8",
            },
            name: name.rsplit('/').next().unwrap_or(name).to_owned(),
            excel: false,
        })
    }

    /// The same table as Excel opens it. What is sent is not what the digest is of: it has no digest, and no ranges.
    ///
    /// # Errors
    /// [`Kind::InvalidValue`] for what is no CSV file.
    pub(super) fn for_excel(self) -> Result<Self, Problem> {
        let Some(stem) = self.name.strip_suffix(".csv") else {
            return Err(Problem::with(
                Kind::InvalidValue,
                "variant: only a CSV file has one for Excel",
            ));
        };
        Ok(Self {
            name: format!("{stem}-excel.csv"),
            excel: true,
            ..self
        })
    }

    /// Length in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }
}

/// The bytes from `from` on.
fn reader(source: Source, from: u64) -> io::Result<Box<dyn Read + Send>> {
    let at = |path: &Path, place: u64| {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(place))?;
        Ok::<_, io::Error>(file)
    };
    match source {
        Source::Memory(bytes) => {
            let mut bytes = io::Cursor::new(bytes);
            bytes.set_position(from);
            Ok(Box::new(bytes))
        }
        Source::Whole(path) => Ok(Box::new(at(&path, from)?)),
        Source::Entry(path, place, packed, false) => Ok(Box::new(
            at(&path, place + from)?.take(packed.saturating_sub(from)),
        )),
        Source::Entry(path, place, packed, true) => {
            let mut plain = DeflateDecoder::new(at(&path, place)?.take(packed));
            io::copy(&mut plain.by_ref().take(from), &mut io::sink())?;
            Ok(Box::new(plain))
        }
    }
}

/// What is left to send.
enum Left {
    Unopened(Source, u64),
    Open(Box<dyn Read + Send>),
}

/// `length` bytes from `from` on, read on the blocking threads a chunk at a time.
fn stream(
    source: Source,
    from: u64,
    length: u64,
) -> SizedStream<impl futures_util::Stream<Item = Result<web::Bytes, io::Error>>> {
    let begin = (Left::Unopened(source, from), length);
    let chunks = futures_util::stream::try_unfold(begin, |(left, wanted)| async move {
        if wanted == 0 {
            return Ok(None);
        }
        let read = web::block(move || {
            let mut reader = match left {
                Left::Unopened(source, from) => reader(source, from)?,
                Left::Open(reader) => reader,
            };
            let mut chunk = Vec::with_capacity(CHUNK);
            reader
                .by_ref()
                .take(wanted.min(CHUNK as u64))
                .read_to_end(&mut chunk)?;
            if chunk.is_empty() {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            Ok((reader, chunk))
        });
        let (reader, chunk) = read.await.map_err(io::Error::other)??;
        let rest = wanted - chunk.len() as u64;
        Ok::<_, io::Error>(Some((web::Bytes::from(chunk), (Left::Open(reader), rest))))
    });
    SizedStream::new(length, Box::pin(chunks))
}

/// A table for Excel, made while it is sent.
fn excel(source: Source) -> impl futures_util::Stream<Item = Result<web::Bytes, io::Error>> {
    enum At {
        Unopened(Source),
        Open(Excel<Box<dyn Read + Send>>),
    }
    futures_util::stream::try_unfold(At::Unopened(source), |at| async move {
        let read = web::block(move || {
            let mut table = match at {
                At::Unopened(source) => Excel::new(reader(source, 0)?),
                At::Open(table) => table,
            };
            let mut chunk = Vec::with_capacity(CHUNK);
            table.by_ref().take(CHUNK as u64).read_to_end(&mut chunk)?;
            Ok::<_, io::Error>((table, chunk))
        });
        let (table, chunk) = read.await.map_err(io::Error::other)??;
        Ok((!chunk.is_empty()).then(|| (web::Bytes::from(chunk), At::Open(table))))
    })
}

impl Responder for Frozen {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let form = if self.excel { "-excel" } else { "" };
        let etag = format!("\"{}{form}\"", hex::encode(&self.digest));
        let mut headers = vec![
            ("etag", etag.clone()),
            (
                "content-disposition",
                format!("attachment; filename=\"{}\"", self.name),
            ),
        ];
        if !self.excel {
            let digest = format!("sha-256=:{}:", STANDARD.encode(&self.digest));
            headers.extend([("repr-digest", digest), ("accept-ranges", "bytes".to_owned())]);
        }
        let text = |name| header_text(request, name).ok().flatten();
        let total = self.length;
        let mut response = if text("if-none-match").is_some_and(|tags| lists(&tags, &etag)) {
            HttpResponse::NotModified().finish()
        } else if self.excel {
            HttpResponse::Ok()
                .insert_header(("content-encoding", "identity"))
                .streaming(Box::pin(excel(self.source)))
        } else {
            let asked = text("range").filter(|_| text("if-range").is_none_or(|tag| tag == etag));
            match asked.as_deref().map(|range| part(range, total)) {
                Some(Part::Of(from, to)) => HttpResponse::PartialContent()
                    .insert_header(("content-range", format!("bytes {from}-{}/{total}", to - 1)))
                    .insert_header(("content-encoding", "identity"))
                    .body(stream(self.source, from, to - from)),
                Some(Part::Beyond) => HttpResponse::RangeNotSatisfiable()
                    .insert_header(("content-range", format!("bytes */{total}")))
                    .finish(),
                Some(Part::Whole) | None => HttpResponse::Ok()
                    .insert_header(("content-encoding", "identity"))
                    .body(stream(self.source, 0, total)),
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
    Of(u64, u64),
    /// Starts behind the end.
    Beyond,
    /// Several ranges, or another unit: the whole is answered, as RFC 9110 allows.
    Whole,
}

fn part(range: &str, total: u64) -> Part {
    let Some((first, last)) = range
        .strip_prefix("bytes=")
        .filter(|set| !set.contains(','))
        .and_then(|one| one.split_once('-'))
    else {
        return Part::Whole;
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
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
