//! Browser sessions and one-time sign-in links.

use chrono::{DateTime, Utc};

use crate::access::{Role, Scope, Token};

/// Whom a sign-in link lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInLink {
    /// Name of the person or demo account, shown on pages and in the audit trail as `user:<name>`.
    pub user: String,
    /// Role.
    pub role: Role,
    /// Centre, for a role of one centre.
    pub centre: Option<String>,
    /// Until when it can be used.
    pub expires_at: DateTime<Utc>,
    /// Can be used once (default); the demo's links may be used again until they end.
    pub reusable: bool,
}

/// A session just begun.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Goes into the cookie.
    pub token: Token,
    /// The session.
    pub session: Session,
}

/// An established session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who and what for.
    pub scope: Scope,
    /// Expected from every form and unsafe request of this session.
    pub csrf: String,
    /// Ends at the latest.
    pub expires_at: DateTime<Utc>,
}

use super::{Store, StoreError};
impl Store {
    /// Makes a sign-in link's token (the page's URL carries it once).
    pub fn create_sign_in_link(&self, scope: &Scope, link: SignInLink) -> Result<Token, StoreError> {
        todo!()
    }
    /// Uses a link: begins a session with a new id.
    pub fn redeem_sign_in_link(&self, token: &str) -> Result<NewSession, StoreError> {
        todo!()
    }
    /// Turns a cookie's token into its session; idle and absolute time-outs apply.
    pub fn session(&self, token: &str) -> Result<Session, StoreError> {
        todo!()
    }
    /// Signs out. An unknown token is fine.
    pub fn end_session(&self, token: &str) -> Result<(), StoreError> {
        todo!()
    }
}
