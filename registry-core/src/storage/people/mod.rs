//! People with an account: invited by the office, they set a password and a second factor themselves.
//!
//! | file | holds |
//! |---|---|
//! | `identity` | signing in with a provider (OpenID Connect) |
//! | `manage` | invitation, roles, reset, disabling: the coordinating office |
//! | `own` | what a person does with their own account |
//! | `prove` | setting up through a one-time link, signing in |

mod identity;
mod manage;
mod own;
mod prove;

pub use own::{OwnAccount, OwnSession};

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;

use super::StoreError;
use super::connection::on_conn;
use super::identifiers::utc;
use super::keys::stored_role;
use super::sessions::NewSession;
use super::tables::people;
use super::transaction::Tx;
use crate::access::{Role, Token, TotpSecret};
use crate::crypto::Label;

/// Whom to invite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPerson {
    /// Sign-in name, a mail address as a rule: 3 to 100 of `a-z 0-9 . _ - @ +`, kept in lower case.
    pub login: String,
    /// Name as shown.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Centre, for a role of one centre.
    pub centre: Option<String>,
}

/// Where an account is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = UserState)]
#[serde(rename_all = "snake_case")]
pub enum PersonState {
    /// A link is out; nobody can sign in.
    Invited,
    /// Signs in.
    Active,
    /// May not sign in until the office resets the account.
    Disabled,
}

impl PersonState {
    /// The name in the database and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            PersonState::Invited => "invited",
            PersonState::Active => "active",
            PersonState::Disabled => "disabled",
        }
    }
}

/// A person as lists show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = User)]
pub struct Person {
    /// Id (UUIDv7).
    pub person_id: String,
    /// Sign-in name.
    pub login: String,
    /// Name.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Centre, for a role of one centre.
    pub centre: Option<String>,
    /// Where the account is in its life.
    pub state: PersonState,
    /// Invited when.
    pub created_at: DateTime<Utc>,
    /// Invited by.
    pub created_by: String,
    /// Last sign-in.
    pub last_sign_in_at: Option<DateTime<Utc>>,
    /// The provider with which the person signs in, instead of with a password.
    pub issuer: Option<String>,
}

/// A person with the token of a link just made: the only time its text exists.
#[derive(Clone, Debug)]
pub struct Invited {
    /// Who.
    pub person: Person,
    /// For the page where password and second factor are set; good once, for 72 hours.
    pub link: Token,
}

/// What somebody with a link is to set up.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// Sign-in name.
    pub login: String,
    /// Name.
    pub name: String,
    /// To be put into an authenticator app. Follows from the link, so that opening it keeps nothing.
    pub secret: TotpSecret,
}

/// An account just set up.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// Ten codes for who has lost the second factor: shown once.
    pub recovery_codes: Vec<Token>,
    /// Signed in at once.
    pub session: NewSession,
}

#[derive(Clone, Queryable, Insertable)]
#[diesel(table_name = people, treat_none_as_default_value = false)]
struct PersonRecord {
    person_id: String,
    login: String,
    name: String,
    role: String,
    centre_id: Option<String>,
    state: String,
    password: Option<String>,
    totp_secret: Option<Vec<u8>>,
    totp_step: Option<i64>,
    failures: i64,
    locked_until: Option<NaiveDateTime>,
    created_at: NaiveDateTime,
    created_by: String,
    last_sign_in_at: Option<NaiveDateTime>,
    oidc_issuer: Option<String>,
    oidc_subject: Option<String>,
}

impl TryFrom<PersonRecord> for Person {
    type Error = StoreError;

    fn try_from(row: PersonRecord) -> Result<Self, StoreError> {
        let states = [PersonState::Invited, PersonState::Active, PersonState::Disabled];
        Ok(Self {
            role: stored_role(&row.role)?,
            state: states
                .into_iter()
                .find(|state| state.as_str() == row.state)
                .ok_or_else(|| StoreError::Internal("a stored state of an account is unknown".to_owned()))?,
            person_id: row.person_id,
            login: row.login,
            name: row.name,
            centre: row.centre_id,
            created_at: utc(row.created_at),
            created_by: row.created_by,
            last_sign_in_at: row.last_sign_in_at.map(utc),
            issuer: row.oidc_issuer,
        })
    }
}

fn find(tx: &mut Tx<'_>, person_id: &str) -> Result<PersonRecord, StoreError> {
    let place = people::table.find(person_id.to_owned());
    Ok(on_conn!(tx.conn()?, c => place.first::<PersonRecord>(c))?)
}

fn totp_label(person_id: &str) -> Label {
    Label::new("second factor").with(person_id.as_bytes())
}
