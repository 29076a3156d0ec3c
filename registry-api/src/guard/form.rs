//! A form of a page: its fields, its session, and the token that proves the form was ours.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use registry_core::access::Scope;
use registry_core::storage::Session;

use super::Policy;
use super::body::bounded;
use super::caller::{Via, is_foreign, refused, session_of, shows_credentials, state_of};
use crate::problem::{Kind, Problem};

/// Most bytes of a form: the boxes of a whole dictionary and a purpose fit in.
const LARGEST: usize = 64 * 1024;
/// Most bytes of a form that a program sends: it may name every field of a project.
const LARGEST_OF_A_PROGRAM: usize = 256 * 1024;

/// The fields of a form.
#[derive(Debug, Clone, Default)]
pub struct Fields(BTreeMap<String, Vec<String>>);

impl Fields {
    /// Fields by name.
    pub(super) fn of(fields: BTreeMap<String, String>) -> Self {
        Self(
            fields
                .into_iter()
                .map(|(name, text)| (name, vec![text]))
                .collect(),
        )
    }

    /// Fields as a browser sends them.
    #[cfg(test)]
    pub(crate) fn sent(pairs: &[(&str, &str)]) -> Self {
        let mut fields = BTreeMap::<String, Vec<String>>::new();
        for (name, text) in pairs {
            fields
                .entry((*name).to_owned())
                .or_default()
                .push((*text).to_owned());
        }
        Self(fields)
    }

    /// A field's text, or nothing; of one that was sent more than once the last.
    pub fn get(&self, name: &str) -> &str {
        self.all(name).last().map(String::as_str).unwrap_or_default()
    }

    /// The texts of a field that may be sent more than once: the boxes that are ticked.
    pub fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// A form of somebody who has no session yet, so no token: refused when the browser says that another site's page sent it.
#[derive(Debug, Clone, Default)]
pub struct OpenForm(pub Fields);

impl FromRequest for OpenForm {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if is_foreign(request) {
            return Box::pin(async { Err(Problem::new(Kind::CsrfTokenMissing)) });
        }
        let fields = Fields::from_request(request, payload);
        Box::pin(async move { fields.await.map(Self) })
    }
}

impl FromRequest for Fields {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = bounded(&request, payload, LARGEST).await?;
            let pairs = serde_urlencoded::from_bytes::<Vec<(String, String)>>(&bytes)
                .map_err(|_| Problem::with(Kind::InvalidValue, "the form cannot be read"))?;
            let mut fields = BTreeMap::<String, Vec<String>>::new();
            for (name, text) in pairs {
                fields.entry(name).or_default().push(text);
            }
            Ok(Self(fields))
        })
    }
}

/// The parameters of a form that a program sends with its credential in it, in the order sent. Empty when it cannot be read.
#[derive(Debug, Clone, Default)]
pub struct Parameters(pub Vec<(String, String)>);

impl FromRequest for Parameters {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = bounded(&request, payload, LARGEST_OF_A_PROGRAM).await?;
            Ok(Self(serde_urlencoded::from_bytes(&bytes).unwrap_or_default()))
        })
    }
}

/// A form sent from one of our pages by a caller whose role passes policy `P`.
#[derive(Debug, Clone)]
pub struct AllowedForm<P> {
    /// Who sent it.
    pub scope: Scope,
    /// What was filled in.
    pub fields: Fields,
    /// The session it was sent in.
    pub session: Session,
    policy: PhantomData<P>,
}

impl<P: Policy> FromRequest for AllowedForm<P> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let fields = Fields::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let state = state_of(&request)?;
            let Some(session) = session_of(&state, &request).await? else {
                if shows_credentials(request.headers()) {
                    state.limiter.check_address(&state.client_address(&request))?;
                }
                return Err(Problem::new(Kind::Unauthenticated));
            };
            state.limiter.check_caller(session.scope.actor())?;
            super::request_id::known(&session.scope, &Via::Session(session.clone()));
            let fields = fields.await?;
            if fields.get("csrf") != session.csrf {
                return Err(Problem::new(Kind::CsrfTokenMissing));
            }
            if !P::ROLES.contains(&session.scope.role()) {
                return Err(refused::<P>(session.scope.role()));
            }
            let scope = session.scope.clone();
            Ok(Self {
                scope: scope.with_request(super::request_id::current()),
                session,
                fields,
                policy: PhantomData,
            })
        })
    }
}
