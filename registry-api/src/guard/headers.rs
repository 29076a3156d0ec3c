//! Headers of every answer, errors included.

use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};

/// Scripts, styles and pictures come from here and from nowhere else; nothing inline, nobody frames us.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";

const FIXED: &[(&str, &str)] = &[
    ("strict-transport-security", "max-age=63072000; includeSubDomains"),
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// Adds what every answer carries. Data are never stored by a cache unless the handler said otherwise.
pub fn harden(map: &mut HeaderMap) {
    for (name, value) in FIXED {
        map.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&super::request_id::current()) {
        map.insert(HeaderName::from_static("x-request-id"), id);
    }
    if !map.contains_key(CACHE_CONTROL) {
        map.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
