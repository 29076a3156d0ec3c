//! The roles and what each may do with cases.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a person or a machine is to the registry.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sends and corrects the cases of one centre.
    Submitter,
    /// Answers for the cases of one centre: verifies, locks, withdraws.
    CentreLead,
    /// Reads published aggregates and approved releases.
    Researcher,
    /// Reads the aggregates of all centres.
    Committee,
    /// Manages data of all centres.
    Coordinator,
    /// Manages keys, users and centres; sees no case.
    Admin,
    /// The registry itself: command line, ETL, sign-in. Never given to a key or a session.
    System,
}

impl Role {
    /// Every role that a key or a session may carry.
    pub const GRANTABLE: [Role; 6] = [
        Role::Submitter,
        Role::CentreLead,
        Role::Researcher,
        Role::Committee,
        Role::Coordinator,
        Role::Admin,
    ];

    /// The name in the database, in answers and in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Submitter => "submitter",
            Role::CentreLead => "centre_lead",
            Role::Researcher => "researcher",
            Role::Committee => "committee",
            Role::Coordinator => "coordinator",
            Role::Admin => "admin",
            Role::System => "system",
        }
    }

    /// The role belongs to exactly one centre.
    pub fn needs_centre(self) -> bool {
        matches!(self, Role::Submitter | Role::CentreLead)
    }

    /// The role sees the cases of every centre.
    pub fn sees_all_cases(self) -> bool {
        matches!(self, Role::Coordinator | Role::System)
    }

    /// The role sees cases at all (its own centre's, or all).
    pub fn sees_cases(self) -> bool {
        self.needs_centre() || self.sees_all_cases()
    }

    /// The role manages keys, centres and sign-in links.
    pub fn administers(self) -> bool {
        matches!(self, Role::Admin | Role::Coordinator | Role::System)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a role that may be granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown role: expected one of submitter, centre_lead, researcher, committee, coordinator, admin")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    /// Reads the name of a grantable role; `system` is not one.
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Role::GRANTABLE
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownRole)
    }
}
