//! Browser sessions and one-time sign-in links.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::connection::on_conn;
use super::error::AuthFailure;
use super::identifiers::{is_text, now, utc};
use super::keys::{check_grant, stored_role};
use super::store::require;
use super::tables::{sessions, sign_in_links};
use super::transaction::{Event, Tx};
use super::{Store, StoreError};
use crate::access::{Role, Scope, Token, at_rest};

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
    /// The account of the person; none for who came through a sign-in link.
    pub account: Option<AccountOf>,
}

/// Whose account a session is, and which of its sessions. Comes from a session alone, so that nobody acts for another's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountOf {
    pub(super) person_id: String,
    pub(super) session: Vec<u8>,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = sign_in_links, treat_none_as_default_value = false)]
struct LinkRecord {
    token_sha256: Vec<u8>,
    user_name: String,
    role: String,
    centre_id: Option<String>,
    created_at: NaiveDateTime,
    created_by: String,
    expires_at: NaiveDateTime,
    reusable: bool,
    used_at: Option<NaiveDateTime>,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
struct SessionRecord {
    token_sha256: Vec<u8>,
    user_name: String,
    role: String,
    centre_id: Option<String>,
    created_at: NaiveDateTime,
    last_seen_at: NaiveDateTime,
    expires_at: NaiveDateTime,
    ended_at: Option<NaiveDateTime>,
    person_id: Option<String>,
}

/// Whom a session is for.
pub(super) struct Bearer {
    pub(super) user_name: String,
    pub(super) role: String,
    pub(super) centre_id: Option<String>,
    /// The person, when it is one with an account.
    pub(super) person_id: Option<String>,
}

/// A session's last request is noted at most this often.
const NOTED_EVERY: Duration = Duration::from_secs(60);

fn refused(failure: AuthFailure) -> StoreError {
    StoreError::Unauthenticated(failure)
}

/// Expected from forms: follows from the cookie's token, so that nothing more has to be kept.
fn csrf(token: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(b"rps-registry csrf v1 ");
    digest.update(token.as_bytes());
    hex::encode(digest.finalize())
}

fn established(row: &SessionRecord, token: &str) -> Result<Session, StoreError> {
    let scope = Scope::from_credentials(
        format!("user:{}", row.user_name),
        stored_role(&row.role)?,
        row.centre_id.clone(),
    )
    .ok_or(refused(AuthFailure::Unknown))?;
    Ok(Session {
        scope,
        csrf: csrf(token),
        expires_at: utc(row.expires_at),
        account: row.person_id.clone().map(|person_id| AccountOf {
            person_id,
            session: row.token_sha256.clone(),
        }),
    })
}

fn redeem(tx: &mut Tx<'_>, token: &str) -> Result<NewSession, StoreError> {
    let place = sign_in_links::table.find(at_rest(token));
    let link = on_conn!(tx.conn()?, c => place.first::<LinkRecord>(c))
        .optional()?
        .ok_or(refused(AuthFailure::Unknown))?;
    if link.expires_at <= tx.now {
        return Err(refused(AuthFailure::Expired));
    }
    if link.used_at.is_some() && !link.reusable {
        return Err(refused(AuthFailure::Used));
    }
    let place = sign_in_links::table.find(link.token_sha256);
    let used = sign_in_links::used_at.eq(Some(tx.now));
    on_conn!(tx.conn()?, c => diesel::update(place).set(used).execute(c))?;
    let bearer = Bearer {
        user_name: link.user_name,
        role: link.role,
        centre_id: link.centre_id,
        person_id: None,
    };
    begin(tx, bearer)
}

/// A new session with a new id.
pub(super) fn begin(tx: &mut Tx<'_>, bearer: Bearer) -> Result<NewSession, StoreError> {
    let cookie = Token::random(tx.entropy);
    let row = SessionRecord {
        token_sha256: at_rest(cookie.reveal()),
        user_name: bearer.user_name,
        role: bearer.role,
        centre_id: bearer.centre_id,
        created_at: tx.now,
        last_seen_at: tx.now,
        expires_at: tx.now + tx.limits.session_absolute,
        ended_at: None,
        person_id: bearer.person_id,
    };
    on_conn!(tx.conn()?, c => diesel::insert_into(sessions::table).values(&row).execute(c))?;
    let subject = format!("user:{}", row.user_name);
    let mut event = Event::new("session.begin")
        .subject(&subject)
        .detail("role", row.role.as_str());
    event.centre = row.centre_id.as_deref();
    tx.audit(event);
    Ok(NewSession {
        session: established(&row, cookie.reveal())?,
        token: cookie,
    })
}

/// Ends every session of a person; returns how many.
pub(super) fn end_all_of(tx: &mut Tx<'_>, person_id: &str) -> Result<usize, StoreError> {
    tx.as_registry(|tx| end_all(tx, person_id))
}

/// [`end_all_of`] where the registry acts already.
pub(super) fn end_all(tx: &mut Tx<'_>, person_id: &str) -> Result<usize, StoreError> {
    let alive = sessions::table
        .filter(sessions::person_id.eq(Some(person_id.to_owned())))
        .filter(sessions::ended_at.is_null());
    let ended = sessions::ended_at.eq(Some(tx.now));
    Ok(on_conn!(tx.conn()?, c => diesel::update(alive).set(ended).execute(c))?)
}

impl Store {
    /// Makes a sign-in link's token (the page's URL carries it once). `coordinator`, `admin`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when role and centre do not go together.
    pub fn create_sign_in_link(&self, scope: &Scope, link: SignInLink) -> Result<Token, StoreError> {
        require(scope, scope.role().administers(), "make sign-in links")?;
        if link.user.is_empty() || !is_text(&link.user, 200) {
            return Err(StoreError::Invalid("a user's name has 1 to 200 bytes"));
        }
        self.write(scope, move |tx| {
            check_grant(tx.conn()?, link.role, link.centre.as_deref())?;
            let token = Token::random(tx.entropy);
            let row = LinkRecord {
                token_sha256: at_rest(token.reveal()),
                user_name: link.user.clone(),
                role: link.role.as_str().to_owned(),
                centre_id: link.centre.clone(),
                created_at: tx.now,
                created_by: tx.scope.actor().to_owned(),
                expires_at: link.expires_at.naive_utc().trunc_subsecs(6),
                reusable: link.reusable,
                used_at: None,
            };
            on_conn!(tx.conn()?, c => diesel::insert_into(sign_in_links::table).values(&row).execute(c))?;
            let subject = format!("user:{}", row.user_name);
            let mut event = Event::new("sign_in_link.create")
                .subject(&subject)
                .detail("role", row.role.as_str());
            event.centre = row.centre_id.as_deref();
            tx.audit(event);
            Ok(token)
        })
    }

    /// Uses a link: begins a session with a new id.
    ///
    /// # Errors
    /// [`StoreError::Unauthenticated`].
    pub fn redeem_sign_in_link(&self, token: &str) -> Result<NewSession, StoreError> {
        let token = token.to_owned();
        self.write(&Scope::system("sign-in"), move |tx| redeem(tx, &token))
    }

    /// Turns a cookie's token into its session; idle and absolute time-outs apply.
    ///
    /// # Errors
    /// [`StoreError::Unauthenticated`].
    pub fn session(&self, token: &str) -> Result<Session, StoreError> {
        let scope = Scope::system("sign-in");
        let place = sessions::table.find(at_rest(token));
        let row = self
            .read(&scope, |conn, _| {
                Ok(on_conn!(conn, c => place.first::<SessionRecord>(c)).optional()?)
            })?
            .ok_or(refused(AuthFailure::Unknown))?;
        let context = &self.inner.context;
        let now = now(context.clock.as_ref());
        if row.ended_at.is_some() {
            return Err(refused(AuthFailure::Revoked));
        }
        if row.expires_at <= now || row.last_seen_at + context.dialer().limits().session_idle <= now {
            return Err(refused(AuthFailure::Expired));
        }
        if row.last_seen_at + NOTED_EVERY <= now {
            let place = at_rest(token);
            let noted = self.write(&scope, move |tx| {
                let seen = sessions::last_seen_at.eq(tx.now);
                on_conn!(tx.conn()?, c => diesel::update(sessions::table.find(&place)).set(seen).execute(c))?;
                Ok(())
            });
            // A full or read-only disk must not sign people out: the idle time-out then simply comes earlier.
            if let Err(error) = noted
                && !error.is_unavailable()
            {
                return Err(error);
            }
        }
        established(&row, token)
    }

    /// Signs out. An unknown token is fine.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn end_session(&self, token: &str) -> Result<(), StoreError> {
        let place = at_rest(token);
        self.write(&Scope::system("sign-in"), move |tx| {
            let found = sessions::table.find(&place);
            let row = on_conn!(tx.conn()?, c => found.first::<SessionRecord>(c)).optional()?;
            let Some(row) = row.filter(|row| row.ended_at.is_none()) else {
                return Ok(());
            };
            let ended = sessions::ended_at.eq(Some(tx.now));
            on_conn!(tx.conn()?, c => diesel::update(found).set(ended).execute(c))?;
            let subject = format!("user:{}", row.user_name);
            tx.audit(Event::new("session.end").subject(&subject));
            Ok(())
        })
    }
}
