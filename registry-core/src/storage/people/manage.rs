//! What the coordinating office does with accounts.

use chrono::Duration;
use diesel::prelude::*;

use super::{Invited, NewPerson, Person, PersonRecord, PersonState, find};
use crate::access::{Role, Scope, Token, at_rest};
use crate::storage::connection::on_conn;
use crate::storage::identifiers::{is_text, new_id};
use crate::storage::keys::check_grant;
use crate::storage::sessions::end_all_of;
use crate::storage::store::require;
use crate::storage::tables::{people, person_links, recovery_codes};
use crate::storage::transaction::{Event, Tx};
use crate::storage::{Store, StoreError};

/// How long a link is good for.
const LINK_HOURS: i64 = 72;

fn is_login(text: &str) -> bool {
    (3..=100).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-@+".contains(&b))
}

/// The account, unless it is that of who asks: nobody takes their own access away, or gives themselves another role.
fn find_other(tx: &mut Tx<'_>, person_id: &str) -> Result<PersonRecord, StoreError> {
    let person = find(tx, person_id)?;
    if tx.scope.actor() == format!("user:{}", person.login) {
        return Err(StoreError::InvalidState(
            "this account is your own: somebody else of the office changes it",
        ));
    }
    Ok(person)
}

/// A new link; those of earlier are used up.
fn new_link(tx: &mut Tx<'_>, person_id: &str) -> Result<Token, StoreError> {
    let earlier = person_links::table
        .filter(person_links::person_id.eq(person_id))
        .filter(person_links::used_at.is_null());
    let used = person_links::used_at.eq(Some(tx.now));
    on_conn!(tx.conn()?, c => diesel::update(earlier).set(used).execute(c))?;
    let token = Token::random(tx.entropy);
    let row = (
        person_links::token_sha256.eq(at_rest(token.reveal())),
        person_links::person_id.eq(person_id.to_owned()),
        person_links::created_at.eq(tx.now),
        person_links::created_by.eq(tx.scope.actor().to_owned()),
        person_links::expires_at.eq(tx.now + Duration::hours(LINK_HOURS)),
    );
    on_conn!(tx.conn()?, c => diesel::insert_into(person_links::table).values(&row).execute(c))?;
    Ok(token)
}

fn audit(tx: &mut Tx<'_>, action: &str, person: &Person) {
    let subject = format!("user:{}", person.login);
    let mut event = Event::new(action)
        .subject(&subject)
        .detail("person", person.person_id.as_str())
        .detail("role", person.role.as_str());
    event.centre = person.centre.as_deref();
    tx.audit(event);
}

/// Puts the account into a state in which nothing proves who somebody is, and ends its sessions.
fn strip(tx: &mut Tx<'_>, person_id: &str, state: PersonState) -> Result<Person, StoreError> {
    find_other(tx, person_id)?;
    let change = (
        people::state.eq(state.as_str()),
        people::password.eq(None::<String>),
        people::totp_secret.eq(None::<Vec<u8>>),
        people::totp_step.eq(None::<i64>),
        people::oidc_issuer.eq(None::<String>),
        people::oidc_subject.eq(None::<String>),
        people::failures.eq(0),
        people::locked_until.eq(None::<chrono::NaiveDateTime>),
    );
    let place = people::table.find(person_id.to_owned());
    on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
    let codes = recovery_codes::table.filter(recovery_codes::person_id.eq(person_id));
    on_conn!(tx.conn()?, c => diesel::delete(codes).execute(c))?;
    end_all_of(tx, person_id)?;
    find(tx, person_id)?.try_into()
}

impl Store {
    /// Makes an account and its link. `coordinator`, `admin`, command line.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a name that cannot be kept or a role and centre that do not go together;
    /// [`StoreError::Duplicate`].
    pub fn invite_person(&self, scope: &Scope, new: NewPerson) -> Result<Invited, StoreError> {
        require(scope, scope.role().administers(), "invite people")?;
        let login = new.login.trim().to_lowercase();
        if !is_login(&login) {
            return Err(StoreError::Invalid(
                "a sign-in name has 3 to 100 of the characters a-z 0-9 . _ - @ +",
            ));
        }
        if new.name.trim().is_empty() || !is_text(&new.name, 200) {
            return Err(StoreError::Invalid("a person's name has 1 to 200 bytes"));
        }
        self.write(scope, move |tx| {
            check_grant(tx.conn()?, new.role, new.centre.as_deref())?;
            let taken = people::table.filter(people::login.eq(&login)).count();
            if on_conn!(tx.conn()?, c => taken.get_result::<i64>(c))? > 0 {
                return Err(StoreError::Duplicate("sign-in name"));
            }
            let row = PersonRecord {
                person_id: new_id(tx.now, tx.entropy),
                login: login.clone(),
                name: new.name.trim().to_owned(),
                role: new.role.as_str().to_owned(),
                centre_id: new.centre.clone(),
                state: PersonState::Invited.as_str().to_owned(),
                password: None,
                totp_secret: None,
                totp_step: None,
                failures: 0,
                locked_until: None,
                created_at: tx.now,
                created_by: tx.scope.actor().to_owned(),
                last_sign_in_at: None,
                oidc_issuer: None,
                oidc_subject: None,
            };
            on_conn!(tx.conn()?, c => diesel::insert_into(people::table).values(&row).execute(c))?;
            let link = new_link(tx, &row.person_id)?;
            let person = Person::try_from(row)?;
            audit(tx, "person.invite", &person);
            Ok(Invited { person, link })
        })
    }

    /// Takes password, second factor, recovery codes and sessions away and makes a new link: for who has lost them, and to let somebody in
    /// again who was disabled. `coordinator`, `admin`, command line.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::InvalidState`] for one's own account.
    pub fn reset_person(&self, scope: &Scope, person_id: &str) -> Result<Invited, StoreError> {
        require(scope, scope.role().administers(), "reset accounts")?;
        let id = person_id.to_owned();
        self.write(scope, move |tx| {
            let person = strip(tx, &id, PersonState::Invited)?;
            let link = new_link(tx, &id)?;
            audit(tx, "person.reset", &person);
            Ok(Invited { person, link })
        })
    }

    /// Ends an account: sessions, links and what proves who somebody is are gone at once. `coordinator`, `admin`, command line.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::InvalidState`] for one's own account.
    pub fn disable_person(&self, scope: &Scope, person_id: &str) -> Result<Person, StoreError> {
        require(scope, scope.role().administers(), "disable accounts")?;
        let id = person_id.to_owned();
        self.write(scope, move |tx| {
            let person = strip(tx, &id, PersonState::Disabled)?;
            let links = person_links::table
                .filter(person_links::person_id.eq(&id))
                .filter(person_links::used_at.is_null());
            let used = person_links::used_at.eq(Some(tx.now));
            on_conn!(tx.conn()?, c => diesel::update(links).set(used).execute(c))?;
            audit(tx, "person.disable", &person);
            Ok(person)
        })
    }

    /// Gives a person another role or centre; sessions with the earlier ones end. `coordinator`, `admin`, command line.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Invalid`] for a role and centre that do not go together; [`StoreError::InvalidState`]
    /// for one's own account.
    pub fn assign_person(
        &self,
        scope: &Scope,
        person_id: &str,
        role: Role,
        centre: Option<&str>,
    ) -> Result<Person, StoreError> {
        require(scope, scope.role().administers(), "change the roles of people")?;
        let (id, centre) = (person_id.to_owned(), centre.map(str::to_owned));
        self.write(scope, move |tx| {
            let before = find_other(tx, &id)?;
            check_grant(tx.conn()?, role, centre.as_deref())?;
            let change = (
                people::role.eq(role.as_str()),
                people::centre_id.eq(centre.clone()),
            );
            let place = people::table.find(id.clone());
            on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
            end_all_of(tx, &id)?;
            let person = Person::try_from(find(tx, &id)?)?;
            let subject = format!("user:{}", person.login);
            let mut event = Event::new("person.assign")
                .subject(&subject)
                .detail("person", person.person_id.as_str())
                .detail("role_before", before.role)
                .detail("centre_before", before.centre_id)
                .detail("role", person.role.as_str());
            event.centre = person.centre.as_deref();
            tx.audit(event);
            Ok(person)
        })
    }

    /// All accounts, by sign-in name. `coordinator`, `admin`, command line.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`].
    pub fn list_people(&self, scope: &Scope) -> Result<Vec<Person>, StoreError> {
        require(scope, scope.role().administers(), "list accounts")?;
        let query = people::table.order(people::login);
        let rows = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => query.load::<PersonRecord>(c))?)
        })?;
        rows.into_iter().map(Person::try_from).collect()
    }
}
