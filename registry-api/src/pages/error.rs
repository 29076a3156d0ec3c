//! The page for a problem: what went wrong in words, within the reader's menu, with a way back.

use std::sync::OnceLock;

use actix_web::http::Method;
use askama::Template;
use registry_core::access::Role;

use super::{Frame, sign_in};
use crate::guard::request_id::{self, Current};
use crate::problem::{Kind, Problem};
use crate::routes::Access;

#[derive(Template)]
#[template(path = "error.html")]
struct Page {
    frame: Frame,
    status: u16,
    heading: &'static str,
    detail: Option<String>,
    request_id: String,
    /// The page before, where there is one.
    back: Option<String>,
}

/// The page for a problem; `None` when it cannot be rendered.
pub fn error_page(problem: &Problem) -> Option<String> {
    if problem.kind == Kind::Unauthenticated {
        return sign_in::invitation();
    }
    let request = request_id::request();
    let heading = match problem.kind {
        // By a link, or by another institution.
        Kind::Forbidden if request.caller.get().is_none() => "You could not be signed in",
        kind => title(kind),
    };
    let frame = Frame::of_request(heading, &request);
    let page = Page {
        back: back(problem.kind, frame.role(), &request),
        frame,
        status: problem.kind.status(),
        heading,
        detail: detail(problem),
        request_id: request.id,
    };
    page.render().ok()
}

/// What a problem says to a person at a form.
pub(super) fn words(problem: &Problem) -> String {
    let mut words = detail(problem).unwrap_or_else(|| sentence(title(problem.kind)).unwrap_or_default());
    let found = problem
        .errors
        .iter()
        .filter_map(|finding| finding["message"].as_str());
    for said in found.take(MOST_FINDINGS).filter_map(sentence) {
        words.push(' ');
        words.push_str(&said);
    }
    words
}

/// Findings that are said beside a form.
const MOST_FINDINGS: usize = 5;

fn detail(problem: &Problem) -> Option<String> {
    let detail = problem.detail.as_deref();
    sentence(detail.filter(|_| problem.kind.status() != 500)?)
}

/// A sentence of its own, whatever the words follow in a document.
pub(super) fn sentence(words: &str) -> Option<String> {
    let mut letters = words.chars();
    let first = letters.next()?;
    // The name of a parameter stays as it is written.
    let named = words.split(' ').next().is_some_and(|word| word.ends_with(':'));
    let first = if named {
        first.to_string()
    } else {
        first.to_uppercase().to_string()
    };
    let end = if words.ends_with(['.', '!', '?', ':']) {
        ""
    } else {
        "."
    };
    Some(format!("{first}{}{end}", letters.as_str()))
}

/// What a problem is called on a page: a program's headers and media types are not a person's.
fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::BadQuery => "This address cannot be read",
        Kind::BadHeader | Kind::NotAcceptable | Kind::UnsupportedMediaType => {
            "The browser sent something unexpected"
        }
        Kind::CsrfTokenMissing => {
            "The page was open for too long: load it again, and send the form once more"
        }
        Kind::NotFound => "There is no such page, or none that you may see",
        Kind::MethodNotAllowed => "Nothing is shown at this address",
        Kind::PreconditionFailed | Kind::PreconditionRequired => {
            "The case has changed in the meantime: look at it again first"
        }
        Kind::ChangeReasonRequired => {
            "A change to a verified or locked case, locking and unlocking need a reason"
        }
        Kind::IdempotencyInFlight | Kind::IdempotencyKeyReused => "This has been sent already",
        Kind::BodyTooLarge => "What was sent is too large",
        other => other.title(),
    }
}

/// A page of ours: its address, and who has it.
type Known = (&'static str, Option<&'static [Role]>);

fn known() -> &'static [Known] {
    static KNOWN: OnceLock<Vec<Known>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let all = super::endpoints().into_iter();
        let pages = all.filter(|one| one.method == Method::GET && !one.path.contains('.'));
        let roles = |access: &Access| match access {
            Access::Roles(roles) => Some(*roles),
            _ => None,
        };
        pages.map(|one| (one.path, roles(&one.access))).collect()
    })
}

/// The nearest page above the address that was asked, or that a form was sent to. Where nothing is to be found, one that names nothing.
fn back(kind: Kind, role: Option<Role>, request: &Current) -> Option<String> {
    let role = role?;
    let named = !matches!(kind, Kind::NotFound | Kind::Forbidden);
    let mut path = request.path.as_str();
    if request.reads && (kind != Kind::BadQuery) {
        path = above(path)?;
    }
    loop {
        let mut pages = known().iter();
        let found = pages.find(|(pattern, roles)| {
            fits(pattern, path)
                && (named || !pattern.contains('{'))
                && roles.is_none_or(|roles| roles.contains(&role))
        });
        if found.is_some() {
            return Some(path.to_owned());
        }
        path = above(path)?;
    }
}

/// The address one step up; `None` at the top.
fn above(path: &str) -> Option<&str> {
    let (above, _) = path.rsplit_once('/')?;
    (!above.is_empty()).then_some(above)
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut of_pattern, mut of_path) = (pattern.split('/'), path.split('/'));
    loop {
        match (of_pattern.next(), of_path.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if one == other || (one.starts_with('{') && !other.is_empty()) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, reads: bool) -> Current {
        Current {
            path: path.to_owned(),
            reads,
            ..Current::default()
        }
    }

    #[test]
    fn the_way_back_leads_to_the_nearest_page_the_reader_has() {
        let to = |kind, role, path: &str, reads| back(kind, Some(role), &request(path, reads));
        let invalid = Kind::InvalidValue;
        for (kind, role, path, reads, expected) in [
            (invalid, Role::Coordinator, "/admin/keys", false, Some("/admin")),
            (
                invalid,
                Role::Coordinator,
                "/cases/X-1/queries",
                false,
                Some("/cases/X-1"),
            ),
            (
                invalid,
                Role::Coordinator,
                "/queries/7/step",
                false,
                Some("/queries/7"),
            ),
            (invalid, Role::Coordinator, "/runs", false, Some("/runs")),
            // Nothing that was asked for in vain is named again.
            (
                Kind::NotFound,
                Role::Coordinator,
                "/cases/X-1",
                true,
                Some("/cases"),
            ),
            (
                Kind::NotFound,
                Role::Coordinator,
                "/cases/X-1/queries",
                false,
                Some("/cases"),
            ),
            (
                Kind::BadQuery,
                Role::Committee,
                "/adherence",
                true,
                Some("/adherence"),
            ),
            // What the role does not have is no way back.
            (Kind::NotFound, Role::Committee, "/cases/X-1", true, None),
            (Kind::NotFound, Role::Coordinator, "/nowhere", true, None),
        ] {
            assert_eq!(to(kind, role, path, reads).as_deref(), expected, "{path}");
        }
        assert_eq!(back(Kind::NotFound, None, &request("/cases/X", true)), None);
    }

    #[test]
    fn no_heading_speaks_of_headers() {
        for kind in Kind::ALL {
            let title = title(*kind);
            assert!(
                !title.contains("If-Match") && !title.contains("Change-Reason"),
                "{title}"
            );
            assert!(
                !title.contains("idempotency") && !title.contains("media type"),
                "{title}"
            );
        }
    }
}
