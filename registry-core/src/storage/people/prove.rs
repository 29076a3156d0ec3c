//! Setting up an account through its link, and signing in with it. Hashes are computed outside the writing transaction.

use chrono::{Duration, NaiveDateTime};
use data_encoding::BASE32_NOPAD;
use diesel::prelude::*;

use super::{Enrolled, Enrolment, PersonRecord, PersonState, find, totp_label};
use crate::access::{Scope, Token, TotpSecret, at_rest, check_password};
use crate::storage::connection::{Conn, on_conn};
use crate::storage::error::AuthFailure;
use crate::storage::identifiers::{now, utc};
use crate::storage::keyring::Keyring;
use crate::storage::sessions::{Bearer, NewSession, begin};
use crate::storage::tables::{people, person_links, recovery_codes};
use crate::storage::transaction::{Event, Tx};
use crate::storage::{Store, StoreError};

const RECOVERY_CODES: usize = 10;
const RECOVERY_BYTES: usize = 10;
/// Failures before a wait begins; it doubles with each further one, from half a minute to an hour, and ends by itself.
const FREE_FAILURES: i64 = 5;
const FIRST_WAIT_SECONDS: i64 = 30;
const LONGEST_WAIT_SECONDS: i64 = 3600;
/// Each failure is one event, whether or not there is such a person: what is written does not tell either.
pub(super) const FAILED: &str = "person.sign_in_failed";

pub(super) fn refused(failure: AuthFailure) -> StoreError {
    StoreError::Unauthenticated(failure)
}

pub(super) fn acting() -> Scope {
    Scope::system("sign-in")
}

/// The second factor's secret that belongs to a link.
fn offered(keys: &Keyring, token: &str) -> Result<TotpSecret, StoreError> {
    let hash = keys
        .registry()
        .keyed("second factor of a link")
        .field(token.as_bytes())
        .finish();
    TotpSecret::from_bytes(&hash[..20]).ok_or_else(|| StoreError::Internal("a second factor".to_owned()))
}

/// Whose link it is, if it can still be used.
pub(super) fn invited(conn: &mut Conn, token: &str, now: NaiveDateTime) -> Result<PersonRecord, StoreError> {
    type Link = (String, NaiveDateTime, Option<NaiveDateTime>);
    let query = person_links::table.find(at_rest(token)).select((
        person_links::person_id,
        person_links::expires_at,
        person_links::used_at,
    ));
    let found = on_conn!(conn, c => query.first::<Link>(c)).optional()?;
    let (person_id, expires_at, used_at) = found.ok_or(refused(AuthFailure::Unknown))?;
    if used_at.is_some() {
        return Err(refused(AuthFailure::Used));
    }
    if expires_at <= now {
        return Err(refused(AuthFailure::Expired));
    }
    let place = people::table.find(person_id);
    Ok(on_conn!(conn, c => place.first::<PersonRecord>(c))?)
}

pub(super) fn session(tx: &mut Tx<'_>, person: PersonRecord) -> Result<NewSession, StoreError> {
    let bearer = Bearer {
        user_name: person.login,
        role: person.role,
        centre_id: person.centre_id,
        person_id: Some(person.person_id),
    };
    begin(tx, bearer)
}

/// Which proof besides the password was given.
enum Second {
    Step(i64),
    Recovery(Vec<u8>),
}

/// The second factor as it stands in the transaction: a code used meanwhile is none.
fn second(tx: &mut Tx<'_>, person: &PersonRecord, code: &str) -> Result<Option<Second>, StoreError> {
    if let Some(sealed) = &person.totp_secret {
        let label = totp_label(&person.person_id);
        let opened = tx.keys.registry().open(&label, sealed);
        let secret = opened.ok().and_then(|bytes| TotpSecret::from_bytes(&bytes));
        let secret = secret.ok_or_else(|| StoreError::Unreadable(person.person_id.clone()))?;
        if let Some(step) = secret.matching_step(code, utc(tx.now), person.totp_step) {
            return Ok(Some(Second::Step(step)));
        }
    }
    let hash = at_rest(&code.to_uppercase());
    let fresh = recovery_codes::table
        .filter(recovery_codes::person_id.eq(&person.person_id))
        .filter(recovery_codes::code_sha256.eq(&hash))
        .filter(recovery_codes::used_at.is_null())
        .count();
    let found = on_conn!(tx.conn()?, c => fresh.get_result::<i64>(c))?;
    Ok((found > 0).then_some(Second::Recovery(hash)))
}

pub(super) fn note_failure(tx: &mut Tx<'_>, person: &PersonRecord) -> Result<(), StoreError> {
    let failures = person.failures + 1;
    let over = u32::try_from(failures - FREE_FAILURES).ok();
    let wait = over.map(|over| {
        let doubled = FIRST_WAIT_SECONDS.saturating_mul(1 << over.min(10));
        tx.now + Duration::seconds(doubled.min(LONGEST_WAIT_SECONDS))
    });
    let change = (people::failures.eq(failures), people::locked_until.eq(wait));
    let place = people::table.find(person.person_id.clone());
    on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
    let subject = format!("user:{}", person.login);
    tx.audit(Event::new(FAILED).subject(&subject).detail("failures", failures));
    Ok(())
}

/// The person, unless the account waits after failures, is not active, or its password is not any more the one that was compared.
pub(super) fn awaited(
    tx: &mut Tx<'_>,
    person_id: &str,
    compared: &str,
) -> Result<Option<PersonRecord>, StoreError> {
    let person = find(tx, person_id)?;
    let waits = person.locked_until.is_some_and(|until| until > tx.now);
    let current =
        person.state == PersonState::Active.as_str() && person.password.as_deref() == Some(compared);
    if !waits && current {
        return Ok(Some(person));
    }
    let subject = format!("user:{}", person.login);
    tx.audit(Event::new(FAILED).subject(&subject).detail("waits", waits));
    Ok(None)
}

/// The session, or `None` for a failure that was noted (an error would undo the note).
fn admit(
    tx: &mut Tx<'_>,
    person_id: &str,
    compared: &str,
    right: bool,
    code: &str,
) -> Result<Option<NewSession>, StoreError> {
    let Some(person) = awaited(tx, person_id, compared)? else {
        return Ok(None);
    };
    let proof = if right { second(tx, &person, code)? } else { None };
    let Some(proof) = proof else {
        note_failure(tx, &person)?;
        return Ok(None);
    };
    let step = match proof {
        Second::Step(step) => Some(step),
        Second::Recovery(hash) => {
            let row = recovery_codes::table.find((person.person_id.clone(), hash));
            let used = recovery_codes::used_at.eq(Some(tx.now));
            on_conn!(tx.conn()?, c => diesel::update(row).set(used).execute(c))?;
            let subject = format!("user:{}", person.login);
            tx.audit(Event::new("person.recovery_code_used").subject(&subject));
            person.totp_step
        }
    };
    let change = (
        people::totp_step.eq(step),
        people::failures.eq(0),
        people::locked_until.eq(None::<NaiveDateTime>),
        people::last_sign_in_at.eq(Some(tx.now)),
    );
    let place = people::table.find(person_id.to_owned());
    on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
    session(tx, person).map(Some)
}

fn enrol(tx: &mut Tx<'_>, token: &str, hash: &str, code: &str) -> Result<Enrolled, StoreError> {
    let now = tx.now;
    let person = invited(tx.conn()?, token, now)?;
    let secret = offered(tx.keys, token)?;
    let step = secret
        .matching_step(code, utc(now), None)
        .ok_or(StoreError::Invalid(
            "the code is not the one that the app shows now: check that the device's clock is right",
        ))?;
    let label = totp_label(&person.person_id);
    let sealed = tx.keys.registry().seal(tx.entropy, &label, secret.bytes());
    let sealed = sealed.map_err(|_| StoreError::Internal("sealing a second factor".to_owned()))?;
    let change = (
        people::state.eq(PersonState::Active.as_str()),
        people::password.eq(Some(hash)),
        people::totp_secret.eq(Some(sealed)),
        people::totp_step.eq(Some(step)),
        people::failures.eq(0),
        people::last_sign_in_at.eq(Some(now)),
    );
    let place = people::table.find(person.person_id.clone());
    on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
    let link = person_links::table.find(at_rest(token));
    let used = person_links::used_at.eq(Some(now));
    on_conn!(tx.conn()?, c => diesel::update(link).set(used).execute(c))?;
    let codes = new_recovery_codes(tx, &person.person_id)?;
    let subject = format!("user:{}", person.login);
    tx.audit(Event::new("person.enrol").subject(&subject));
    Ok(Enrolled {
        recovery_codes: codes,
        session: session(tx, person)?,
    })
}

/// Ten new recovery codes; earlier ones are gone.
pub(super) fn new_recovery_codes(tx: &mut Tx<'_>, person_id: &str) -> Result<Vec<Token>, StoreError> {
    let earlier = recovery_codes::table.filter(recovery_codes::person_id.eq(person_id));
    on_conn!(tx.conn()?, c => diesel::delete(earlier).execute(c))?;
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let mut bytes = [0u8; RECOVERY_BYTES];
        tx.entropy.fill(&mut bytes);
        let code = BASE32_NOPAD.encode(&bytes);
        let row = (
            recovery_codes::person_id.eq(person_id.to_owned()),
            recovery_codes::code_sha256.eq(at_rest(&code)),
        );
        on_conn!(tx.conn()?, c => diesel::insert_into(recovery_codes::table).values(&row).execute(c))?;
        codes.push(Token::of(code));
    }
    Ok(codes)
}

/// As apps show codes and people copy them: without blanks and hyphens.
fn typed(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect()
}

impl Store {
    /// What somebody with a link is to set up. Changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Unauthenticated`] for a link that is unknown, used or ended.
    pub fn enrolment(&self, token: &str) -> Result<Enrolment, StoreError> {
        let now = now(self.inner.context.clock.as_ref());
        self.read(&acting(), |conn, keys| {
            let person = invited(conn, token, now)?;
            Ok(Enrolment {
                secret: offered(keys, token)?,
                login: person.login,
                name: person.name,
            })
        })
    }

    /// Sets password and second factor through a link, which is used up, and signs in. `code` is what the app shows for the secret of
    /// [`Store::enrolment`].
    ///
    /// # Errors
    /// [`StoreError::Unauthenticated`]; [`StoreError::Weak`] for a password that is easily guessed; [`StoreError::Invalid`] for a code that
    /// is not the app's.
    pub fn enrol_person(&self, token: &str, password: &str, code: &str) -> Result<Enrolled, StoreError> {
        let context = &self.inner.context;
        let now = now(context.clock.as_ref());
        let person = self.read(&acting(), |conn, _| invited(conn, token, now))?;
        let centre = person.centre_id.unwrap_or_default();
        check_password(password, &[person.login.as_str(), centre.as_str()])?;
        let hash = self.inner.passwords.hash(context.entropy.as_ref(), password);
        let hash = hash.ok_or_else(|| StoreError::Internal("hashing a password".to_owned()))?;
        let (token, code) = (token.to_owned(), typed(code));
        self.write(&acting(), move |tx| enrol(tx, &token, &hash, &code))
    }

    /// Signs in with name, password and the second factor's code (or a recovery code), asked together: nobody learns which of them was
    /// wrong, nor from the time it takes whether there is such a person.
    ///
    /// # Errors
    /// [`StoreError::Unauthenticated`] with [`AuthFailure::Unknown`], whatever the reason.
    pub fn sign_in(&self, login: &str, password: &str, code: &str) -> Result<NewSession, StoreError> {
        let wanted = login.trim().to_lowercase();
        let query = people::table.filter(people::login.eq(&wanted));
        let person = self.read(&acting(), |conn, _| {
            Ok(on_conn!(conn, c => query.first::<PersonRecord>(c)).optional()?)
        })?;
        let known = person.and_then(|person| Some((person.person_id, person.password?)));
        let stored = known.as_ref().map(|(_, password)| password.as_str());
        let right = self.inner.passwords.verify(password, stored);
        let code = typed(code);
        let admitted = self.write(&acting(), move |tx| match &known {
            Some((person_id, stored)) => admit(tx, person_id, stored, right, &code),
            None => {
                tx.audit(Event::new(FAILED));
                Ok(None)
            }
        })?;
        admitted.ok_or(refused(AuthFailure::Unknown))
    }

    /// Password hashes computed since the start: that an unknown name costs as much as a wrong password is shown by counting.
    pub fn password_hashes_computed(&self) -> u64 {
        self.inner.passwords.computed()
    }
}
