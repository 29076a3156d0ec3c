//! People who prove elsewhere who they are (OpenID Connect): an account is bound to issuer and subject by an invitation.

use diesel::prelude::*;

use super::prove::{FAILED, acting, invited, refused, session};
use super::{PersonRecord, PersonState};
use crate::access::at_rest;
use crate::storage::connection::on_conn;
use crate::storage::error::AuthFailure;
use crate::storage::identifiers::is_text;
use crate::storage::sessions::NewSession;
use crate::storage::tables::{people, person_links};
use crate::storage::transaction::{Event, Tx};
use crate::storage::{Store, StoreError};

fn holder(tx: &mut Tx<'_>, issuer: &str, subject: &str) -> Result<Option<PersonRecord>, StoreError> {
    let query = people::table
        .filter(people::oidc_issuer.eq(Some(issuer.to_owned())))
        .filter(people::oidc_subject.eq(Some(subject.to_owned())));
    Ok(on_conn!(tx.conn()?, c => query.first::<PersonRecord>(c)).optional()?)
}

fn bind(tx: &mut Tx<'_>, token: &str, issuer: &str, subject: &str) -> Result<NewSession, StoreError> {
    let now = tx.now;
    let person = invited(tx.conn()?, token, now)?;
    if holder(tx, issuer, subject)?.is_some() {
        return Err(StoreError::Duplicate("identity at another account"));
    }
    let change = (
        people::state.eq(PersonState::Active.as_str()),
        people::oidc_issuer.eq(Some(issuer.to_owned())),
        people::oidc_subject.eq(Some(subject.to_owned())),
        people::last_sign_in_at.eq(Some(now)),
    );
    let place = people::table.find(person.person_id.clone());
    on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
    let link = person_links::table.find(at_rest(token));
    let used = person_links::used_at.eq(Some(now));
    on_conn!(tx.conn()?, c => diesel::update(link).set(used).execute(c))?;
    let user = format!("user:{}", person.login);
    tx.audit(Event::new("person.bind").subject(&user).detail("issuer", issuer));
    session(tx, person)
}

fn admit(tx: &mut Tx<'_>, issuer: &str, subject: &str) -> Result<Option<NewSession>, StoreError> {
    let found = holder(tx, issuer, subject)?.filter(|person| person.state == PersonState::Active.as_str());
    let Some(person) = found else {
        tx.audit(Event::new(FAILED).detail("issuer", issuer));
        return Ok(None);
    };
    let place = people::table.find(person.person_id.clone());
    let seen = people::last_sign_in_at.eq(Some(tx.now));
    on_conn!(tx.conn()?, c => diesel::update(place).set(seen).execute(c))?;
    session(tx, person).map(Some)
}

impl Store {
    /// Binds the account of an invitation's link to who was verified at an issuer, and signs in. The link is used up.
    ///
    /// # Errors
    /// [`StoreError::Unauthenticated`] for a link that is unknown, used or ended; [`StoreError::Duplicate`] for an identity that another
    /// account has.
    pub fn bind_identity(&self, token: &str, issuer: &str, subject: &str) -> Result<NewSession, StoreError> {
        if subject.is_empty() || !is_text(subject, 255) {
            return Err(StoreError::Invalid("an identity's subject has 1 to 255 bytes"));
        }
        let (token, issuer, subject) = (token.to_owned(), issuer.to_owned(), subject.to_owned());
        self.write(&acting(), move |tx| bind(tx, &token, &issuer, &subject))
    }

    /// Signs in who was verified at an issuer.
    ///
    /// # Errors
    /// [`StoreError::Unauthenticated`] for an identity that no active account has.
    pub fn sign_in_identity(&self, issuer: &str, subject: &str) -> Result<NewSession, StoreError> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        let admitted = self.write(&acting(), move |tx| admit(tx, &issuer, &subject))?;
        admitted.ok_or(refused(AuthFailure::Unknown))
    }
}
