//! A form that was refused: its page once more, with what was typed, and what is wrong said at the field it is about.

use actix_web::body::to_bytes;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpResponse, ResponseError};
use registry_core::access::Scope;
use registry_core::storage::Session;

use super::error;
use super::refill::{Refusal, filled};
use crate::guard::{Allowed, AllowedForm, AllowedUpload, Fields, Policy, request_id};
use crate::problem::Problem;

/// Who sent a form, and what was in it: kept while it is dealt with.
pub(super) struct Sent {
    fields: Fields,
    scope: Scope,
    session: Session,
}

impl Sent {
    pub(super) fn of<P>(form: &AllowedForm<P>) -> Self {
        Self {
            fields: form.fields.clone(),
            scope: form.scope.clone(),
            session: form.session.clone(),
        }
    }

    pub(super) fn upload<P>(form: &AllowedUpload<P>) -> Self {
        Self {
            fields: form.fields.clone(),
            scope: form.scope.clone(),
            session: form.session.clone(),
        }
    }

    /// A field's text as it was sent.
    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.get(name)
    }

    /// What a form was answered with; where that is a refusal, the page it stands on with the form filled in again. `at` says which words of a
    /// refusal are about which field.
    ///
    /// # Errors
    /// The problem, when it is no refusal of what was typed, or the page does not have the form any more.
    pub(super) async fn answered<Q: Policy, F>(
        self,
        answer: Result<HttpResponse, Problem>,
        at: &[(&str, &str)],
        page: impl FnOnce(Allowed<Q>) -> F,
    ) -> Result<HttpResponse, Problem>
    where
        F: Future<Output = Result<HttpResponse, Problem>>,
    {
        let problem = match answer {
            Err(problem) if is_refusal(&problem) => problem.about(at),
            other => return other,
        };
        match self.again(&problem, page).await {
            Some(page) => Ok(page),
            None => Err(problem),
        }
    }

    async fn again<Q: Policy, F>(
        self,
        problem: &Problem,
        page: impl FnOnce(Allowed<Q>) -> F,
    ) -> Option<HttpResponse>
    where
        F: Future<Output = Result<HttpResponse, Problem>>,
    {
        if !request_id::request().page {
            return None;
        }
        let caller = Allowed::within(self.scope, self.session).ok()?;
        told(page(caller).await.ok()?, &self.fields, problem).await
    }
}

/// A page with its form filled in again, and what is wrong said at the field it is about; `None` when the page does not have the form.
pub(super) async fn told(shown: HttpResponse, fields: &Fields, problem: &Problem) -> Option<HttpResponse> {
    let body = to_bytes(shown.into_body()).await.ok()?;
    let words = error::words(problem);
    let refusal = Refusal {
        action: &request_id::request().path,
        sent: fields,
        field: problem.field.as_deref(),
        words: &words,
    };
    let html = filled(std::str::from_utf8(&body).ok()?, &refusal)?;
    Some(
        HttpResponse::build(problem.status_code())
            .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
            .body(html),
    )
}

/// Whether somebody can mend what was typed, or sees on the page that it is too late.
fn is_refusal(problem: &Problem) -> bool {
    matches!(
        problem.status_code(),
        StatusCode::CONFLICT
            | StatusCode::PRECONDITION_FAILED
            | StatusCode::UNPROCESSABLE_ENTITY
            | StatusCode::PRECONDITION_REQUIRED
    )
}
