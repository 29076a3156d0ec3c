//! A route as data: what it answers to, who may, and the handler, whose first argument is the guard.

use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Responder, Route, guard};
use registry_core::access::Role;

use crate::guard::{Allowed, AllowedForm, AllowedUpload, Policy};

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone, and why that is right.
    Open(&'static str),
    /// These roles.
    Roles(&'static [Role]),
}

/// One method at one path.
pub struct Endpoint {
    /// HTTP method.
    pub method: Method,
    /// Path with `{names}`, as the OpenAPI document writes it.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// Answers `HEAD` as well: as `GET`, without the body.
    pub head: bool,
    pub(super) route: Route,
}

/// Arguments whose first is a guard.
pub trait GuardedBy {
    /// The guard's policy.
    type P: Policy;
}

macro_rules! guarded_by {
    ($($arg:ident)*) => {
        impl<P: Policy, $($arg),*> GuardedBy for (Allowed<P>, $($arg,)*) {
            type P = P;
        }
    };
}
impl<P: Policy> GuardedBy for (AllowedForm<P>,) {
    type P = P;
}

impl<P: Policy, A> GuardedBy for (AllowedForm<P>, A) {
    type P = P;
}

impl<P: Policy, A, B> GuardedBy for (AllowedForm<P>, A, B) {
    type P = P;
}

impl<P: Policy, A, B, C> GuardedBy for (AllowedForm<P>, A, B, C) {
    type P = P;
}

impl<P: Policy, A> GuardedBy for (AllowedUpload<P>, A) {
    type P = P;
}

guarded_by!();
guarded_by!(A);
guarded_by!(A B);
guarded_by!(A B C);
guarded_by!(A B C D);
guarded_by!(A B C D E);

/// A route for the roles of the policy in the handler's signature.
pub fn guarded<F, Args>(method: Method, path: &'static str, handler: F) -> Endpoint
where
    F: Handler<Args>,
    Args: FromRequest + GuardedBy + 'static,
    F::Output: Responder + 'static,
{
    let access = Access::Roles(<Args::P as Policy>::ROLES);
    Endpoint {
        route: actix_web::web::method(method.clone()).to(handler),
        method,
        path,
        access,
        head: false,
    }
}

/// A `GET` route for the roles of the policy in the handler's signature that answers `HEAD` as well. The handler must do nothing for a `HEAD`
/// that is right for a reader of the body alone, such as counting a download; the server leaves the body out.
pub fn readable<F, Args>(path: &'static str, handler: F) -> Endpoint
where
    F: Handler<Args>,
    Args: FromRequest + GuardedBy + 'static,
    F::Output: Responder + 'static,
{
    let either = guard::Any(guard::Get()).or(guard::Head());
    Endpoint {
        route: actix_web::web::route().guard(either).to(handler),
        method: Method::GET,
        path,
        access: Access::Roles(<Args::P as Policy>::ROLES),
        head: true,
    }
}

/// A route for anyone; `why` stands in the table that a test reads.
pub fn open<F, Args>(method: Method, path: &'static str, why: &'static str, handler: F) -> Endpoint
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Endpoint {
        route: actix_web::web::method(method.clone()).to(handler),
        method,
        path,
        access: Access::Open(why),
        head: false,
    }
}
