//! What people do with their own accounts: read them, change the password, take new recovery codes, sign out everywhere.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;

use super::prove::{awaited, new_recovery_codes, note_failure, session};
use super::{Person, PersonRecord};
use crate::access::{Scope, Token, check_password};
use crate::storage::connection::on_conn;
use crate::storage::identifiers::{now, utc};
use crate::storage::sessions::{AccountOf, NewSession, end_all, end_all_of};
use crate::storage::tables::{people, recovery_codes, sessions};
use crate::storage::transaction::{Event, Tx};
use crate::storage::{Store, StoreError};

/// An account as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAccount {
    /// Who.
    pub person: Person,
    /// Sessions that are alive, latest first.
    pub sessions: Vec<OwnSession>,
    /// Recovery codes not used yet.
    pub recovery_codes: i64,
}

/// A session of one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSession {
    /// Signed in when.
    pub began_at: DateTime<Utc>,
    /// Last request, to the minute.
    pub seen_at: DateTime<Utc>,
    /// The one that asks.
    pub current: bool,
}

const WRONG: StoreError = StoreError::Invalid(
    "the present password is not right, or it was given wrongly too often: wait, and try again",
);

/// What people may do with their accounts is not among the rights of their roles: the registry does it for them, in their name.
fn registry() -> Scope {
    Scope::system("account")
}

/// What was done, or `None` for a failure that was noted.
fn proven<T>(
    tx: &mut Tx<'_>,
    (person_id, stored, right): (&str, &str, bool),
    act: impl FnOnce(&mut Tx<'_>, PersonRecord) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    tx.as_registry(|tx| {
        let Some(person) = awaited(tx, person_id, stored)? else {
            return Ok(None);
        };
        if right {
            return act(tx, person).map(Some);
        }
        note_failure(tx, &person)?;
        Ok(None)
    })
}

impl Store {
    fn own_record(&self, account: &AccountOf) -> Result<PersonRecord, StoreError> {
        let place = people::table.find(account.person_id.clone());
        self.read(&registry(), |conn, _| {
            Ok(on_conn!(conn, c => place.first::<PersonRecord>(c))?)
        })
    }

    /// The person, their sessions, how many recovery codes are left.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn own_account(&self, account: &AccountOf) -> Result<OwnAccount, StoreError> {
        let context = &self.inner.context;
        let now = now(context.clock.as_ref());
        let idle = context.dialer().limits().session_idle;
        let person = self.own_record(account)?;
        let left = recovery_codes::table
            .filter(recovery_codes::person_id.eq(&account.person_id))
            .filter(recovery_codes::used_at.is_null())
            .count();
        let alive = sessions::table
            .filter(sessions::person_id.eq(Some(&account.person_id)))
            .filter(sessions::ended_at.is_null())
            .filter(sessions::expires_at.gt(now))
            .order((sessions::created_at.desc(), sessions::token_sha256))
            .select((
                sessions::token_sha256,
                sessions::created_at,
                sessions::last_seen_at,
            ));
        type Row = (Vec<u8>, NaiveDateTime, NaiveDateTime);
        let (left, rows) = self.read(&registry(), |conn, _| {
            let left = on_conn!(conn, c => left.get_result::<i64>(c))?;
            Ok((left, on_conn!(conn, c => alive.load::<Row>(c))?))
        })?;
        let seen = rows.into_iter().filter(|(_, _, seen)| *seen + idle > now);
        Ok(OwnAccount {
            person: person.try_into()?,
            sessions: seen
                .map(|(token, began, seen)| OwnSession {
                    began_at: utc(began),
                    seen_at: utc(seen),
                    current: token == account.session,
                })
                .collect(),
            recovery_codes: left,
        })
    }

    /// Changes one's password. Every session ends, and a new one begins.
    ///
    /// # Errors
    /// [`StoreError::Weak`]; [`StoreError::Invalid`] when the present password is not right: counted like a failed sign-in.
    pub fn change_own_password(
        &self,
        scope: &Scope,
        account: &AccountOf,
        present: &str,
        wanted: &str,
    ) -> Result<NewSession, StoreError> {
        let person = self.own_record(account)?;
        let centre = person.centre_id.as_deref().unwrap_or_default();
        check_password(wanted, &[person.login.as_str(), centre])?;
        let passwords = &self.inner.passwords;
        let right = passwords.verify(present, person.password.as_deref());
        let hash = passwords.hash(self.inner.context.entropy.as_ref(), wanted);
        let hash = hash.ok_or_else(|| StoreError::Internal("hashing a password".to_owned()))?;
        let stored = person.password.unwrap_or_default();
        let id = account.person_id.clone();
        let done = self.write(scope, move |tx| {
            proven(tx, (&id, &stored, right), |tx, person| {
                let place = people::table.find(id.clone());
                let change = people::password.eq(Some(&hash));
                on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
                end_all(tx, &id)?;
                let subject = format!("user:{}", person.login);
                tx.audit(Event::new("person.change_password").subject(&subject));
                session(tx, person)
            })
        })?;
        done.ok_or(WRONG)
    }

    /// Ten new recovery codes, shown once; the earlier ones are gone.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the password is not right: counted like a failed sign-in.
    pub fn renew_own_recovery_codes(
        &self,
        scope: &Scope,
        account: &AccountOf,
        password: &str,
    ) -> Result<Vec<Token>, StoreError> {
        let person = self.own_record(account)?;
        let right = self.inner.passwords.verify(password, person.password.as_deref());
        let stored = person.password.unwrap_or_default();
        let id = account.person_id.clone();
        let done = self.write(scope, move |tx| {
            proven(tx, (&id, &stored, right), |tx, person| {
                let codes = new_recovery_codes(tx, &id)?;
                let subject = format!("user:{}", person.login);
                tx.audit(Event::new("person.renew_recovery_codes").subject(&subject));
                Ok(codes)
            })
        })?;
        done.ok_or(WRONG)
    }

    /// Signs out everywhere, here too; returns how many sessions ended.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn end_own_sessions(&self, scope: &Scope, account: &AccountOf) -> Result<usize, StoreError> {
        let id = account.person_id.clone();
        self.write(scope, move |tx| {
            let ended = end_all_of(tx, &id)?;
            let actor = tx.scope.actor().to_owned();
            tx.audit(
                Event::new("session.end_all")
                    .subject(&actor)
                    .detail("ended", ended),
            );
            Ok(ended)
        })
    }
}
