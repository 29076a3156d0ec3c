//! The established scope of one request.

use super::Role;

/// Who asks, in which role, for which centre, in which request.
///
/// Fields are private: a scope comes from [`crate::storage::Store::authenticate`],
/// [`crate::storage::Store::session`], or [`Scope::system`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    actor: String,
    role: Role,
    centre: Option<String>,
    request_id: Option<String>,
}

impl Scope {
    /// A scope from verified credentials. A role of one centre without its centre, or another role with one, is refused.
    pub(crate) fn from_credentials(actor: String, role: Role, centre: Option<String>) -> Option<Self> {
        (role.needs_centre() == centre.is_some()).then_some(Self {
            actor,
            role,
            centre,
            request_id: None,
        })
    }

    /// The registry itself (command line, ETL): all centres.
    pub fn system(actor: impl Into<String>) -> Self {
        Self {
            actor: actor.into(),
            role: Role::System,
            centre: None,
            request_id: None,
        }
    }

    /// The registry acting for one centre (the demo's cohort, an operator's import): may write its cases.
    pub fn system_for_centre(actor: impl Into<String>, centre: impl Into<String>) -> Self {
        Self {
            centre: Some(centre.into()),
            ..Self::system(actor)
        }
    }

    /// The same scope, carrying the id of the request it serves (written into the audit trail).
    #[must_use]
    pub fn with_request(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }

    /// Who acts: `key:<key id>`, `user:<name>`, or the name of a command. Never a secret.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// The role acted in.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The one centre the scope belongs to, if any.
    pub fn centre(&self) -> Option<&str> {
        self.centre.as_deref()
    }

    /// The id of the request being served.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// May this scope see rows of `centre`?
    pub fn covers(&self, centre: &str) -> bool {
        self.role.sees_all_cases() || (self.role.needs_centre() && self.centre.as_deref() == Some(centre))
    }
}
