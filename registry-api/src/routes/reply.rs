//! Answers: JSON with the headers that belong to them, and the replay of a stored answer.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder, web};
use registry_core::access::Scope;
use registry_core::storage::{Answer, Claim, Held, Idempotency, Store, StoreError};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

/// An answer with a body.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Reply {
    /// A JSON answer.
    ///
    /// # Errors
    /// A value that JSON cannot hold.
    pub fn json(status: u16, value: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_string(value).map_err(Problem::internal)?;
        Ok(Self {
            status,
            headers: Vec::new(),
            body,
        }
        .header("content-type", "application/json"))
    }

    /// The answer to a caller that has what `etag` names: 304, without a body.
    pub fn not_modified(etag: impl Into<String>) -> Self {
        Self {
            status: 304,
            headers: Vec::new(),
            body: String::new(),
        }
        .header("etag", etag)
    }

    /// A text answer of a media type.
    pub fn text(media_type: &str, body: String) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body,
        }
        .header("content-type", media_type)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Adds `Link: <...>; rel="next"` when there is a next page: the same question, from the cursor on.
    #[must_use]
    pub fn next_page(self, request: &HttpRequest, next: Option<&str>) -> Self {
        self.next_page_of(request.path(), request.query_string(), next)
    }

    /// [`Reply::next_page`] of an address with its query.
    #[must_use]
    pub fn next_page_of(self, path: &str, query: &str, next: Option<&str>) -> Self {
        let Some(next) = next else { return self };
        let kept = query.split('&');
        let kept = kept.filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
        let cursor = format!("cursor={next}");
        let query: Vec<&str> = kept.chain([cursor.as_str()]).collect();
        let link = format!("<{path}?{}>; rel=\"next\"", query.join("&"));
        self.header("link", link)
    }

    /// As it is stored for a replay.
    pub fn to_answer(&self) -> Answer {
        Answer {
            status: self.status,
            headers: self.headers.clone(),
            body: self.body.clone(),
        }
    }

    /// An answer as it is stored with the change it tells of.
    pub fn kept(reply: Result<Self, Problem>) -> Answer {
        match reply {
            Ok(reply) => reply.to_answer(),
            Err(problem) => Answer {
                status: problem.kind.status(),
                headers: Vec::new(),
                body: Problem::new(Kind::Internal).body().to_string(),
            },
        }
    }

    /// A stored answer, marked as replayed.
    pub fn replayed(answer: Answer) -> Self {
        Self {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
        }
        .header("idempotent-replayed", "true")
    }
}

impl Responder for Reply {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = match status {
            StatusCode::NOT_MODIFIED => HttpResponse::NotModified().finish(),
            _ => HttpResponse::build(status).body(self.body),
        };
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value))
            {
                if name == CONTENT_TYPE {
                    response.headers_mut().insert(name, value);
                } else {
                    response.headers_mut().append(name, value);
                }
            }
        }
        response
    }
}

/// A header's text, if it is there.
///
/// # Errors
/// A value that is not visible ASCII.
pub fn header_text(request: &HttpRequest, name: &'static str) -> Result<Option<String>, Problem> {
    match request.headers().get(name) {
        None => Ok(None),
        Some(value) => match value.to_str() {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(_) => Err(Problem::with(
                Kind::BadHeader,
                format!("{name}: visible ASCII only"),
            )),
        },
    }
}

/// Whether an `If-None-Match` lists an ETag, or is `*`: the caller has what it names (RFC 9110, section 13.1.2).
pub fn lists(tags: &str, etag: &str) -> bool {
    let mut tags = tags.split(',').map(str::trim);
    tags.any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

/// The idempotency key of a request and the fingerprint of what it asks.
#[derive(Debug, Clone)]
pub struct Idempotent {
    /// The key as sent.
    pub key: String,
    /// SHA-256 over method, path with query, and body.
    pub fingerprint: [u8; 32],
}

impl Idempotent {
    /// Reads the `Idempotency-Key` header.
    ///
    /// # Errors
    /// A key that is empty, longer than 255 characters or not visible ASCII.
    pub fn read(request: &HttpRequest, body: &[u8]) -> Result<Option<Self>, Problem> {
        let Some(key) = header_text(request, "idempotency-key")? else {
            return Ok(None);
        };
        if key.is_empty() || key.len() > 255 {
            return Err(Problem::with(
                Kind::BadHeader,
                "idempotency-key: 1 to 255 characters",
            ));
        }
        let mut digest = Sha256::new();
        for part in [
            request.method().as_str().as_bytes(),
            request.uri().to_string().as_bytes(),
            body,
        ] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Ok(Some(Self {
            key,
            fingerprint: digest.finalize().into(),
        }))
    }

    /// As the store takes it: the answer is kept in the transaction of the change.
    pub fn with_answer<T>(
        self,
        told: impl Fn(&T) -> Result<Reply, Problem> + Send + Sync + 'static,
    ) -> Idempotency<T> {
        Idempotency {
            key: self.key,
            fingerprint: self.fingerprint,
            render: Box::new(move |outcome: &T| Reply::kept(told(outcome))),
        }
    }

    /// Makes one change once for this key: its answer is kept in the change's own transaction, so that a repeat after a kill finds either both
    /// or neither. `change` makes it with the store it is given and may read as it likes; `told` is the answer to its outcome.
    ///
    /// # Errors
    /// What the change answers; the key stays free after a failure.
    pub async fn change<T: 'static + Send>(
        this: Option<Self>,
        state: &web::Data<AppState>,
        scope: &Scope,
        change: impl FnOnce(&Store) -> Result<T, Problem> + Send + 'static,
        told: impl Fn(&T) -> Result<Reply, Problem> + Send + Sync + 'static,
    ) -> Result<Reply, Problem> {
        let (state, scope) = (state.clone(), scope.clone());
        blocking(move || {
            let Some(this) = this else {
                return told(&change(&state.store)?);
            };
            if let Some(answer) = state.store.answer_before(&scope, &this.key, this.fingerprint)? {
                return Ok(Reply::replayed(answer));
            }
            let told = Arc::new(told);
            let shared = told.clone();
            let once = state.store.once(this.with_answer(move |outcome| shared(outcome)));
            match (change(once.store()), once.replayed()) {
                (Ok(outcome), _) => told(&outcome),
                (Err(problem), Some(answer)) if problem.kind == Kind::InvalidState => {
                    Ok(Reply::replayed(answer))
                }
                (Err(problem), _) => Err(problem),
            }
        })
        .await
    }

    /// Does long work once for this key: a repeat is answered from the store. The key is claimed, and the claim renewed while the work goes on;
    /// who is killed leaves it to the next after the lease, so that the work is such that doing it again changes nothing more.
    ///
    /// # Errors
    /// What the work answers; the key is free again after a failure.
    pub async fn once(
        this: Option<Self>,
        state: &web::Data<AppState>,
        scope: &Scope,
        work: impl FnOnce() -> Result<Reply, Problem> + Send + 'static,
    ) -> Result<Reply, Problem> {
        let Some(Self { key, fingerprint }) = this else {
            return blocking(work).await;
        };
        let (state, scope) = (state.clone(), scope.clone());
        blocking(move || {
            let held = match state.store.claim(&scope, &key, fingerprint)? {
                Claim::Replay(answer) => return Ok(Reply::replayed(answer)),
                Claim::Proceed(held) => held,
            };
            match renewing(&state, &scope, &held, work) {
                Ok(reply) => {
                    match state.store.answer_claim(&scope, &held, &reply.to_answer()) {
                        // Somebody else took over and answers; what was done here is done.
                        Err(StoreError::NotFound) => tracing::warn!("a claimed request lost its claim"),
                        other => other?,
                    }
                    Ok(reply)
                }
                Err(problem) => {
                    if let Err(error) = state.store.release_claim(&scope, &held) {
                        tracing::warn!(error = %error, "the claim of a failed request ends with its lease");
                    }
                    Err(problem)
                }
            }
        })
        .await
    }
}

/// Does the work while another thread renews its claim, three times a lease.
fn renewing<T>(state: &AppState, scope: &Scope, held: &Held, work: impl FnOnce() -> T) -> T {
    let (end, ended) = mpsc::channel::<()>();
    std::thread::scope(move |threads| {
        threads.spawn(move || {
            let pause = state.store.lease() / 3;
            while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = state.store.renew_claim(scope, held) {
                    tracing::warn!(error = %error, "the claim of a request was not renewed");
                }
            }
        });
        // Dropped when the work is over, also by a panic: the other thread then ends.
        let _end = end;
        work()
    })
}
