//! Every error answer of the service: RFC 9457 problems with a stable code. One catalogue, one mapping from the store.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use registry_core::intake::{IntakeError, Refusal};
use registry_core::storage::{Outage, StoreError};
use registry_core::validation::Finding;
use serde::Serialize;
use serde_json::{Value, json};

use crate::fhir;
use crate::guard::{headers, request_id};
use crate::imports::Line;
use crate::routes::cases::batch::ItemFault;

macro_rules! catalogue {
    ($($variant:ident = $status:literal $code:literal $title:literal,)+) => {
        /// What went wrong, by stable code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind { $(#[doc = $title] $variant,)+ }

        impl Kind {
            /// Every problem the service can answer with.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)+];

            /// HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Kind::$variant => $status,)+ }
            }

            /// Stable code, snake_case.
            pub fn code(self) -> &'static str {
                match self { $(Kind::$variant => $code,)+ }
            }

            /// What it means, for a person.
            pub fn title(self) -> &'static str {
                match self { $(Kind::$variant => $title,)+ }
            }
        }
    };
}

catalogue! {
    NotJson = 400 "not_json" "The body is not JSON",
    NotUtf8 = 400 "not_utf8" "The body is not UTF-8",
    TooDeep = 400 "too_deep" "The body is nested too deeply",
    DuplicateKey = 400 "duplicate_key" "An object has the same key twice",
    ControlCharacter = 400 "control_character" "A text holds a control character",
    LoneSurrogate = 400 "lone_surrogate" "A text holds half a surrogate pair",
    ByteOrderMark = 400 "byte_order_mark" "The body begins with a byte order mark",
    NotANumber = 400 "not_a_number" "NaN and Infinity are not JSON",
    IntegerTooLarge = 400 "integer_too_large" "An integer is beyond 2^53 - 1",
    TrailingBytes = 400 "trailing_bytes" "Something follows the JSON document",
    BadQuery = 400 "bad_query" "A query parameter cannot be used",
    BadHeader = 400 "bad_header" "A header cannot be used",
    Unauthenticated = 401 "unauthenticated" "Credentials are missing or not accepted",
    Forbidden = 403 "forbidden" "The role may not do this",
    CsrfTokenMissing = 403 "csrf_token_missing" "A change from a browser session needs its token",
    RequestNotOpen = 403 "request_not_open" "The data request is not open: not approved, past its last day, or revoked",
    NotFound = 404 "not_found" "There is no such thing here",
    MethodNotAllowed = 405 "method_not_allowed" "This address does not take this method",
    NotAcceptable = 406 "not_acceptable" "The answer is not to be had in this form",
    RequestTimeout = 408 "request_timeout" "The request did not arrive in time",
    PseudonymRegistered = 409 "pseudonym_registered" "The pseudonym is registered elsewhere; the coordinating office has been told",
    CaseWithdrawn = 409 "case_withdrawn" "Consent was withdrawn for this case; nothing more is accepted",
    InvalidState = 409 "invalid_state" "This cannot be done in the present state",
    RowFrozen = 409 "row_frozen" "The case is locked: rows dated up to the lock stay as they are",
    Duplicate = 409 "duplicate" "Something with this name exists already",
    IdempotencyInFlight = 409 "idempotency_in_flight" "A request with this idempotency key is being handled",
    RunActive = 409 "run_active" "Another run is active",
    ReleaseGone = 410 "release_gone" "The bundle cannot be built again as it was: cases or rules it rests on are gone; ask for a new release",
    PreconditionFailed = 412 "precondition_failed" "The case is not at the version the request names",
    BodyTooLarge = 413 "body_too_large" "The body is too large",
    UnsupportedMediaType = 415 "unsupported_media_type" "The body's media type is not taken here",
    InvalidRecord = 422 "invalid_record" "The record was refused",
    MisleadingComparison = 422 "misleading_comparison" "This comparison would mislead",
    InvalidValue = 422 "invalid_value" "A value cannot be stored",
    UnreadableFiles = 422 "unreadable_files" "The files cannot be read; nothing was stored",
    BatchRefused = 422 "batch_refused" "The batch was refused; nothing of it was stored",
    IdempotencyKeyReused = 422 "idempotency_key_reused" "The idempotency key was used with another request",
    ChangeReasonRequired = 422 "change_reason_required" "A change to a verified or locked case, locking and unlocking need a Change-Reason",
    PreconditionRequired = 428 "precondition_required" "The case exists: send If-Match",
    RateLimited = 429 "rate_limited" "Too many requests",
    Internal = 500 "internal" "The service failed",
    Unavailable = 503 "unavailable" "The database does not answer",
    ReadOnly = 503 "read_only" "The database is read-only: nothing was stored, reading goes on",
    StorageFull = 507 "storage_full" "The service has no space left to store this",
}

/// A problem about to be answered.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Which.
    pub kind: Kind,
    /// What to do about it; never a value of a case, a pseudonym or a secret.
    pub detail: Option<String>,
    /// The field of a page's form that it is about.
    pub field: Option<String>,
    /// Findings of a refused record.
    pub errors: Vec<Value>,
    /// Findings beyond those listed.
    pub further_errors: usize,
    /// Headers that belong to the answer.
    pub headers: Vec<(&'static str, String)>,
}

/// An error answer (RFC 9457).
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Body<'a> {
    /// `urn:rps-registry:problem:<code>`.
    r#type: String,
    /// What it means, for a person.
    title: &'a str,
    /// HTTP status.
    status: u16,
    /// Stable, snake_case.
    code: &'a str,
    /// Names the request in the service's log.
    request_id: String,
    /// What to do about it. Never a value that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    /// Every finding of a refused record or file.
    #[serde(skip_serializing_if = "<[Value]>::is_empty")]
    #[schema(value_type = Vec<Fault>)]
    errors: &'a [Value],
    /// Findings beyond those listed.
    #[serde(skip_serializing_if = "is_zero")]
    further_errors: usize,
}

/// One of the errors: what a check or the schema says of a record, what is wrong with an item of a batch, or with a cell of a file.
#[derive(utoipa::ToSchema)]
#[serde(untagged)]
#[expect(
    dead_code,
    reason = "a problem carries them written; this says what they may be"
)]
enum Fault {
    Finding(Finding),
    Item(ItemFault),
    Cell(Line<'static>),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Problem {
    /// A problem with nothing to add to its title.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            detail: None,
            field: None,
            errors: Vec::new(),
            further_errors: 0,
            headers: Vec::new(),
        }
    }

    /// A problem and what to do about it.
    pub fn with(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..Self::new(kind)
        }
    }

    /// A refused record with its findings.
    pub fn record(findings: &[Finding], further: usize) -> Self {
        let errors = findings.iter().map(|f| json!(f)).collect();
        Self {
            errors,
            further_errors: further,
            ..Self::new(Kind::InvalidRecord)
        }
    }

    /// A failure of the program; `what` goes to the log, never to the answer.
    pub fn internal(what: impl std::fmt::Display) -> Self {
        tracing::error!(request_id = %request_id::current(), error = %what, "internal failure");
        Self::new(Kind::Internal)
    }

    /// Lists so many errors at most; those beyond are counted.
    pub fn list_at_most(&mut self, most: usize) {
        self.further_errors += self.errors.len().saturating_sub(most);
        self.errors.truncate(most);
    }

    /// Says what to do about it.
    #[must_use]
    pub fn detailed(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says which field of a form it is about.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The field whose words are in the detail, unless one is named already: of what the store refuses.
    #[must_use]
    pub fn about(mut self, words: &[(&str, &str)]) -> Self {
        let detail = self.detail.as_deref().unwrap_or_default();
        let mut all = words.iter();
        let found = all.find(|(words, _)| detail.contains(words));
        self.field = self.field.or(found.map(|(_, field)| (*field).to_owned()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// What a person is told outside of an answer: the title, and what to do about it.
    pub fn words(&self) -> String {
        match self.detail.as_deref().filter(|_| self.kind.status() != 500) {
            Some(detail) => format!("{}: {detail}", self.kind.title()),
            None => self.kind.title().to_owned(),
        }
    }

    /// The body as it is sent.
    pub fn body(&self) -> Value {
        let opaque = self.kind.status() == 500;
        json!(Body {
            r#type: format!("urn:rps-registry:problem:{}", self.kind.code()),
            title: self.kind.title(),
            status: self.kind.status(),
            code: self.kind.code(),
            request_id: request_id::current(),
            detail: self.detail.as_deref().filter(|_| !opaque),
            errors: &self.errors,
            further_errors: self.further_errors,
        })
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind.code())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let request = request_id::request();
        let page = request.page.then(|| crate::pages::error_page(self)).flatten();
        let (media_type, body) = match page {
            Some(page) => ("text/html; charset=utf-8", page),
            None if request.fhir => (fhir::MEDIA_TYPE, fhir::outcome::of(self, &request.id).to_string()),
            None => ("application/problem+json", self.body().to_string()),
        };
        let mut response = HttpResponse::build(self.status_code()).body(body);
        let map = response.headers_mut();
        map.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        match self.kind {
            Kind::Unauthenticated => {
                map.insert(
                    WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"rps-registry\""),
                );
            }
            Kind::Unavailable | Kind::StorageFull => {
                map.insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
            // Ends by the operator's hand.
            Kind::ReadOnly => {
                map.insert(RETRY_AFTER, HeaderValue::from_static("60"));
            }
            _ => {}
        }
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(*name), HeaderValue::from_str(value)) {
                map.insert(name, value);
            }
        }
        headers::harden(map);
        response
    }
}

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        let kind = match error.refusal() {
            Refusal::BodyTooLarge | Refusal::TooManyItems => Kind::BodyTooLarge,
            Refusal::TooDeep => Kind::TooDeep,
            Refusal::DuplicateKey => Kind::DuplicateKey,
            Refusal::ControlCharacter => Kind::ControlCharacter,
            Refusal::LoneSurrogate => Kind::LoneSurrogate,
            Refusal::ByteOrderMark => Kind::ByteOrderMark,
            Refusal::NotANumber => Kind::NotANumber,
            Refusal::IntegerTooLarge => Kind::IntegerTooLarge,
            Refusal::TrailingBytes => Kind::TrailingBytes,
            Refusal::NotUtf8 => Kind::NotUtf8,
            Refusal::NotJson => Kind::NotJson,
        };
        Problem::with(kind, error.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Problem::new(Kind::NotFound),
            StoreError::Forbidden { .. } => Problem::new(Kind::Forbidden),
            StoreError::PreconditionRequired { etag } => {
                Problem::new(Kind::PreconditionRequired).header("etag", etag)
            }
            StoreError::PreconditionFailed { etag } => {
                let problem = Problem::new(Kind::PreconditionFailed);
                match etag {
                    Some(etag) => problem.header("etag", etag),
                    None => problem,
                }
            }
            StoreError::PseudonymRegistered => Problem::new(Kind::PseudonymRegistered),
            StoreError::Withdrawn { .. } => Problem::new(Kind::CaseWithdrawn),
            StoreError::ReasonRequired(_) | StoreError::StepReasonRequired(_) => {
                Problem::with(Kind::ChangeReasonRequired, error.to_string())
            }
            StoreError::Frozen { through, findings } => Problem {
                errors: findings.iter().map(|finding| json!(finding)).collect(),
                ..Problem::with(
                    Kind::RowFrozen,
                    format!(
                        "The case is locked through {through}. Send the rows up to then as they are, with later follow-up; \
                         to correct one of them, have the centre's lead unlock the case with a reason."
                    ),
                )
            },
            StoreError::InvalidState(why) => Problem::with(Kind::InvalidState, why),
            StoreError::Duplicate(_) => Problem::with(Kind::Duplicate, error.to_string()),
            StoreError::BadCursor => Problem::with(Kind::BadQuery, "cursor: not one of this list"),
            StoreError::Invalid(why) => Problem::with(Kind::InvalidValue, why),
            StoreError::Weak(weakness) => Problem::with(Kind::InvalidValue, weakness.to_string()),
            StoreError::IdempotencyInFlight { seconds } => Problem::with(
                Kind::IdempotencyInFlight,
                format!(
                    "Send it again: once it is done, its answer comes. Should that request have ended half-way, \
                     the key is free again in {seconds} s at the latest."
                ),
            )
            .header("retry-after", "5"),
            StoreError::IdempotencyReused => Problem::new(Kind::IdempotencyKeyReused),
            StoreError::Unauthenticated(_) => Problem::new(Kind::Unauthenticated),
            StoreError::RunActive(_) => Problem::with(Kind::RunActive, error.to_string()),
            StoreError::Unavailable(Outage::Full) => unavailable(Kind::StorageFull, &error),
            StoreError::Unavailable(Outage::ReadOnly) => unavailable(Kind::ReadOnly, &error),
            StoreError::Unavailable(_) => unavailable(Kind::Unavailable, &error),
            StoreError::BatchRefused(_) => Problem::with(Kind::BatchRefused, error.to_string()),
            StoreError::Unsupported(why) => Problem::with(Kind::InvalidState, why),
            other => Problem::internal(other),
        }
    }
}

fn unavailable(kind: Kind, error: &StoreError) -> Problem {
    tracing::warn!(request_id = %request_id::current(), error = %error, "database unavailable");
    Problem::new(kind)
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn codes_are_unique_and_snake_case() {
        let mut seen = std::collections::HashSet::new();
        for kind in Kind::ALL {
            assert!(seen.insert(kind.code()), "{} twice", kind.code());
            assert!(
                kind.code()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            );
            assert!((400..600).contains(&kind.status()), "{}", kind.code());
        }
    }
}
