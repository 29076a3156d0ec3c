//! A page's form with a file: `multipart/form-data` (RFC 7578), as browsers send it.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use registry_core::access::Scope;
use registry_core::storage::Session;

use super::body::receive;
use super::caller::{Via, is_foreign, refused, session_of, state_of};
use super::{Fields, Policy};
use crate::problem::{Kind, Problem};

/// Most parts of a form.
const MOST_PARTS: usize = 32;
/// Most bytes of a part that is no file.
const LARGEST_FIELD: usize = 16 * 1024;
/// Bytes of a body beside its file.
const BESIDE: usize = 64 * 1024;

/// A form with a file, sent from one of our pages by a caller whose role passes policy `P`. Nothing of it is read for anybody else.
#[derive(Debug, Clone)]
pub struct AllowedUpload<P> {
    /// Who sent it.
    pub scope: Scope,
    /// What was filled in.
    pub fields: Fields,
    /// The content of the file, of the part called `file`; what it is called on the sender's machine is not kept.
    pub file: web::Bytes,
    /// The session it was sent in.
    pub session: Session,
    policy: PhantomData<P>,
}

impl<P: Policy> FromRequest for AllowedUpload<P> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let state = state_of(&request)?;
            let session = session_of(&state, &request)
                .await?
                .ok_or(Problem::new(Kind::Unauthenticated))?;
            state.limiter.check_caller(session.scope.actor())?;
            super::request_id::known(&session.scope, &Via::Session(session.clone()));
            if is_foreign(&request) {
                return Err(Problem::new(Kind::CsrfTokenMissing));
            }
            let role = session.scope.role();
            if !P::ROLES.contains(&role) {
                return Err(refused::<P>(role));
            }
            let boundary = boundary(&request).ok_or_else(unreadable)?;
            let limit = state.settings.limits.batch_bytes + BESIDE;
            let body = receive(&request, payload, limit).await?.bytes;
            let parts = parts(&body, boundary.as_bytes()).ok_or_else(unreadable)?;
            let (fields, file) = sorted(parts).ok_or_else(unreadable)?;
            if fields.get("csrf") != session.csrf {
                return Err(Problem::new(Kind::CsrfTokenMissing));
            }
            let scope = session.scope.clone();
            Ok(Self {
                scope: scope.with_request(super::request_id::current()),
                fields,
                file,
                session,
                policy: PhantomData,
            })
        })
    }
}

fn unreadable() -> Problem {
    Problem::with(
        Kind::InvalidValue,
        "the form cannot be read: send it as multipart/form-data",
    )
}

/// What separates the parts of a form.
fn boundary(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    let mut parameters = value.split(';').map(str::trim);
    if !parameters.next()?.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters
        .find_map(|one| one.strip_prefix("boundary="))?
        .trim_matches('"');
    (1..=70).contains(&boundary.len()).then(|| boundary.to_owned())
}

/// Where `wanted` begins in `bytes`, from `from` on.
fn find(bytes: &[u8], wanted: &[u8], mut from: usize) -> Option<usize> {
    let first = wanted.first()?;
    loop {
        let rest = bytes.get(from..)?;
        let at = from + rest.iter().position(|byte| byte == first)?;
        if bytes.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Name and content of each part; `None` for a body that does not end as it has to.
fn parts(body: &web::Bytes, boundary: &[u8]) -> Option<Vec<(String, web::Bytes)>> {
    let delimiter = [b"\r\n--", boundary].concat();
    // The first delimiter has no line before it.
    let mut at = delimiter.len() - 2;
    if !body.starts_with(delimiter.get(2..)?) {
        return None;
    }
    let mut parts = Vec::new();
    while !body.get(at..)?.starts_with(b"--") {
        if !body.get(at..)?.starts_with(b"\r\n") || parts.len() == MOST_PARTS {
            return None;
        }
        let head_end = find(body, b"\r\n\r\n", at)?;
        let head = std::str::from_utf8(body.get(at..head_end)?).ok()?;
        let content = head_end + 4;
        // A part without content ends with the line that ends its head.
        let end = find(body, &delimiter, content - 2)?;
        parts.push((name_in(head)?, body.slice(content.min(end)..end)));
        at = end + delimiter.len();
    }
    Some(parts)
}

/// The name in the head of a part.
fn name_in(head: &str) -> Option<String> {
    let disposition = head.lines().find_map(|line| {
        let (header, value) = line.split_once(':')?;
        header
            .trim()
            .eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    })?;
    let named = disposition
        .split(';')
        .find_map(|one| one.trim().strip_prefix("name=\""))?;
    named.strip_suffix('"').map(str::to_owned)
}

/// Fields and file of the parts; `None` when a field is given twice, is too long or is no text.
fn sorted(parts: Vec<(String, web::Bytes)>) -> Option<(Fields, web::Bytes)> {
    let (mut fields, mut file) = (BTreeMap::new(), None);
    for (name, content) in parts {
        let before = if name == "file" {
            file.replace(content).is_some()
        } else if content.len() > LARGEST_FIELD {
            return None;
        } else {
            let text = String::from_utf8(content.to_vec()).ok()?;
            fields.insert(name, text).is_some()
        };
        if before {
            return None;
        }
    }
    Some((Fields::of(fields), file.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use actix_web::web::Bytes;

    use super::{parts, sorted};

    const BOUNDARY: &[u8] = b"----WebKitFormBoundaryA1b2";

    fn read(body: &str) -> Option<Vec<(String, String)>> {
        let text = |content: Bytes| String::from_utf8(content.to_vec()).unwrap();
        let found = parts(&Bytes::from(body.to_owned()), BOUNDARY)?;
        Some(
            found
                .into_iter()
                .map(|(name, content)| (name, text(content)))
                .collect(),
        )
    }

    fn part(head: &str, content: &str) -> String {
        format!("------WebKitFormBoundaryA1b2\r\n{head}\r\n\r\n{content}\r\n")
    }

    fn form(parts: &[String]) -> String {
        format!("{}------WebKitFormBoundaryA1b2--\r\n", parts.concat())
    }

    #[test]
    fn what_a_browser_sends_is_read_to_the_byte() {
        let file = "record_id,sex\r\n\r\n--\r\n------WebKitFormBoundaryA1\r\nX-1,1\n";
        let body = form(&[
            part("Content-Disposition: form-data; name=\"csrf\"", "token"),
            part("Content-Disposition: form-data; name=\"mapping\"", ""),
            part(
                "Content-Disposition: form-data; name=\"file\"; filename=\"a; b.csv\"\r\nContent-Type: text/csv",
                file,
            ),
        ]);
        let named = |name: &str, content: &str| (name.to_owned(), content.to_owned());
        let expected = vec![named("csrf", "token"), named("mapping", ""), named("file", file)];
        assert_eq!(read(&body), Some(expected));
    }

    #[test]
    fn what_is_cut_short_or_has_no_names_is_refused() {
        let whole = form(&[part("Content-Disposition: form-data; name=\"csrf\"", "token")]);
        assert!(read(&whole).is_some());
        // The last line's end is all that may be missing.
        for end in 0..whole.len() - 2 {
            assert_eq!(read(&whole[..end]), None, "{end}");
        }
        assert_eq!(read(&form(&[part("Content-Type: text/csv", "x")])), None);
        assert_eq!(read("csrf=token"), None);
        let many = vec![part("Content-Disposition: form-data; name=\"a\"", "x"); 33];
        assert_eq!(read(&form(&many)), None);
    }

    #[test]
    fn a_field_given_twice_or_too_long_is_refused() {
        let one = |name: &str, length: usize| (name.to_owned(), Bytes::from(vec![b'x'; length]));
        assert!(sorted(vec![one("a", 5), one("file", 100_000)]).is_some());
        assert!(sorted(vec![one("a", 5), one("a", 5)]).is_none());
        assert!(sorted(vec![one("file", 5), one("file", 5)]).is_none());
        assert!(sorted(vec![one("a", 20_000)]).is_none());
        assert!(sorted(vec![("a".to_owned(), Bytes::from_static(b"\xff"))]).is_none());
    }
}
