//! Bodies: bounded before they are read, and JSON only through the strict door.

use std::pin::Pin;
use std::time::Duration;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use futures_util::StreamExt;
use registry_core::intake::{self, Limits};
use serde_json::Value;

use super::caller::{identity_of, state_of};
use crate::problem::{Kind, Problem};

/// The bytes of a body with its media type (without parameters, lower case).
#[derive(Debug, Clone)]
pub struct RawBody {
    /// As received.
    pub bytes: web::Bytes,
    /// `application/json`, or empty when none was named.
    pub media_type: String,
}

/// A JSON document that came through the door.
#[derive(Debug, Clone)]
pub struct Json {
    /// The document.
    pub value: Value,
    /// The bytes it was read from.
    pub bytes: web::Bytes,
}

fn media_type(request: &HttpRequest) -> String {
    let value = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// A body may take this many times as long as the request's head.
const SLOWEST: u32 = 20;

/// Reads a body of a known caller: nothing is read for anybody else.
async fn read(request: HttpRequest, payload: Payload, limit: usize) -> Result<RawBody, Problem> {
    identity_of(&request).await?;
    receive(&request, payload, limit).await
}

/// A body as it came, with its media type; bounded as in [`bounded`].
pub(super) async fn receive(
    request: &HttpRequest,
    payload: Payload,
    limit: usize,
) -> Result<RawBody, Problem> {
    Ok(RawBody {
        bytes: bounded(request, payload, limit).await?,
        media_type: media_type(request),
    })
}

/// Refuses a body that is compressed: what it would take unpacked is not known before it is.
fn as_it_is(request: &HttpRequest) -> Result<(), Problem> {
    let encoded = |value: &HeaderValue| {
        let mut names = value
            .as_bytes()
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii);
        names.any(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity"))
    };
    if request.headers().get_all(CONTENT_ENCODING).any(encoded) {
        let what = "send the body as it is: no Content-Encoding is taken";
        return Err(Problem::with(Kind::UnsupportedMediaType, what).header("accept-encoding", "identity"));
    }
    Ok(())
}

/// Reads a body: nothing beyond `limit`, and nothing for ever.
pub(super) async fn bounded(
    request: &HttpRequest,
    mut payload: Payload,
    limit: usize,
) -> Result<web::Bytes, Problem> {
    as_it_is(request)?;
    let patience = Duration::from_secs(state_of(request)?.settings.server.client_timeout_seconds.max(1));
    let too_large = || {
        Problem::with(
            Kind::BodyTooLarge,
            format!("at most {limit} bytes are taken here"),
        )
    };
    let announced = request
        .headers()
        .get("content-length")
        .and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|n| n > limit as u64) {
        return Err(too_large().header("connection", "close"));
    }
    let mut bytes = web::BytesMut::new();
    let late = |_| Problem::new(Kind::RequestTimeout).header("connection", "close");
    let end = tokio::time::Instant::now() + patience * SLOWEST;
    loop {
        let next = tokio::time::timeout(patience, payload.next());
        let Some(chunk) = tokio::time::timeout_at(end, next)
            .await
            .map_err(late)?
            .map_err(late)?
        else {
            return Ok(bytes.freeze());
        };
        let chunk =
            chunk.map_err(|_| Problem::with(Kind::NotJson, "the body ended before its announced length"))?;
        if bytes.len() + chunk.len() > limit {
            return Err(too_large().header("connection", "close"));
        }
        bytes.extend_from_slice(&chunk);
    }
}

impl FromRequest for RawBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let limit = state_of(&request)?.settings.limits.batch_bytes;
            read(request, payload, limit).await
        })
    }
}

impl FromRequest for Json {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let limit = state_of(&request)?.settings.limits.record_bytes;
            let body = read(request, payload, limit).await?;
            if !matches!(
                body.media_type.as_str(),
                "application/json" | "application/merge-patch+json"
            ) {
                return Err(Problem::with(Kind::UnsupportedMediaType, "send application/json"));
            }
            let value = intake::parse(&body.bytes, &Limits::bytes(limit))?;
            Ok(Json {
                value,
                bytes: body.bytes,
            })
        })
    }
}
