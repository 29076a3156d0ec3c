//! API keys: made once, shown once, kept as SHA-256.

use chrono::{DateTime, Duration, NaiveDateTime, SubsecRound, Utc};
use diesel::prelude::*;
use serde::Serialize;

use super::connection::{Conn, on_conn};
use super::error::AuthFailure;
use super::identifiers::{is_text, new_id, now, utc};
use super::store::require;
use super::tables::{api_keys, centres};
use super::transaction::{Event, Tx};
use super::{Store, StoreError};
use crate::access::{ApiKey, Role, Scope, Token};

/// How long a key and its successor may both be good.
const LONGEST_OVERLAP: Duration = Duration::days(366);

const TOO_LONG: StoreError = StoreError::Invalid("two keys overlap for a year at most");

/// What a key is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// What it is for (`nightly push`), shown in lists.
    pub label: String,
    /// The role it carries.
    pub role: Role,
    /// The centre, for a role of one centre.
    pub centre: Option<String>,
    /// When it ends; `None` never (for the demo only: give keys an end).
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Key)]
pub struct KeyInfo {
    /// Id (UUIDv7).
    pub key_id: String,
    /// The part of the key that may be shown.
    pub prefix: String,
    /// What it is for.
    pub label: String,
    /// The role it carries.
    pub role: Role,
    /// The centre, for a role of one centre.
    pub centre: Option<String>,
    /// Made when.
    pub created_at: DateTime<Utc>,
    /// Made by.
    pub created_by: String,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Replaced by this key (rotation).
    pub replaced_by: Option<String>,
}

/// A key just made: the only time its text exists.
#[derive(Clone, Debug)]
pub struct CreatedKey {
    /// As lists show it.
    pub info: KeyInfo,
    /// The whole key, to be shown once.
    pub key: Token,
}

#[derive(Queryable, Insertable, Selectable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
struct KeyRecord {
    key_id: String,
    prefix: String,
    secret_sha256: Vec<u8>,
    label: String,
    role: String,
    centre_id: Option<String>,
    created_at: NaiveDateTime,
    created_by: String,
    expires_at: Option<NaiveDateTime>,
    revoked_at: Option<NaiveDateTime>,
    replaced_by: Option<String>,
}

impl TryFrom<KeyRecord> for KeyInfo {
    type Error = StoreError;

    fn try_from(row: KeyRecord) -> Result<Self, StoreError> {
        Ok(Self {
            role: stored_role(&row.role)?,
            key_id: row.key_id,
            prefix: row.prefix,
            label: row.label,
            centre: row.centre_id,
            created_at: utc(row.created_at),
            created_by: row.created_by,
            expires_at: row.expires_at.map(utc),
            revoked_at: row.revoked_at.map(utc),
            replaced_by: row.replaced_by,
        })
    }
}

pub(crate) fn stored_role(text: &str) -> Result<Role, StoreError> {
    text.parse()
        .map_err(|_| StoreError::Internal("a stored role is unknown".to_owned()))
}

/// A role of one centre names a known centre; the others name none.
pub(crate) fn check_grant(conn: &mut Conn, role: Role, centre: Option<&str>) -> Result<(), StoreError> {
    match (role, centre) {
        (Role::System, _) => Err(StoreError::Invalid("the role system is not granted")),
        (role, None) if role.needs_centre() => Err(StoreError::Invalid("this role needs a centre")),
        (role, Some(_)) if !role.needs_centre() => Err(StoreError::Invalid("this role belongs to no centre")),
        (_, None) => Ok(()),
        (_, Some(centre)) => {
            let query = centres::table.find(centre).count();
            match on_conn!(conn, c => query.get_result::<i64>(c))? {
                0 => Err(StoreError::Invalid("there is no such centre")),
                _ => Ok(()),
            }
        }
    }
}

fn insert(tx: &mut Tx<'_>, new: &NewKey) -> Result<CreatedKey, StoreError> {
    check_grant(tx.conn()?, new.role, new.centre.as_deref())?;
    let key = ApiKey::random(tx.entropy);
    let row = KeyRecord {
        key_id: new_id(tx.now, tx.entropy),
        prefix: key.prefix().to_owned(),
        secret_sha256: key.at_rest(),
        label: new.label.clone(),
        role: new.role.as_str().to_owned(),
        centre_id: new.centre.clone(),
        created_at: tx.now,
        created_by: tx.scope.actor().to_owned(),
        expires_at: new.expires_at.map(|end| end.naive_utc().trunc_subsecs(6)),
        revoked_at: None,
        replaced_by: None,
    };
    on_conn!(tx.conn()?, c => diesel::insert_into(api_keys::table).values(&row).execute(c))?;
    let info = KeyInfo::try_from(row)?;
    let mut event = Event::new("key.create")
        .subject(&info.key_id)
        .detail("role", info.role.as_str());
    event.centre = info.centre.as_deref();
    tx.audit(event);
    Ok(CreatedKey {
        key: key.reveal(),
        info,
    })
}

fn find(conn: &mut Conn, key_id: &str) -> Result<KeyRecord, StoreError> {
    let query = api_keys::table.find(key_id);
    Ok(on_conn!(conn, c => query.first::<KeyRecord>(c))?)
}

/// The last instant that a key may end: both databases keep years of four digits in their order.
fn latest() -> DateTime<Utc> {
    DateTime::<Utc>::from_timestamp(253_402_300_799, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn rotate(tx: &mut Tx<'_>, key_id: &str, overlap: Duration) -> Result<CreatedKey, StoreError> {
    let old = KeyInfo::try_from(find(tx.conn()?, key_id)?)?;
    if old.revoked_at.is_some()
        || old.replaced_by.is_some()
        || old.expires_at.is_some_and(|end| end <= utc(tx.now))
    {
        return Err(StoreError::InvalidState("only a key in force can be rotated"));
    }
    let lifetime = old.expires_at.map(|end| end - old.created_at);
    let next = insert(
        tx,
        &NewKey {
            label: old.label,
            role: old.role,
            centre: old.centre,
            expires_at: lifetime.map(|lifetime| {
                let end = utc(tx.now).checked_add_signed(lifetime);
                end.map_or_else(latest, |end| end.min(latest()))
            }),
        },
    )?;
    let end = tx.now.checked_add_signed(overlap).ok_or(TOO_LONG)?;
    let end = old.expires_at.map_or(end, |earlier| earlier.naive_utc().min(end));
    let change = (
        api_keys::expires_at.eq(Some(end)),
        api_keys::replaced_by.eq(Some(&next.info.key_id)),
    );
    on_conn!(tx.conn()?, c => diesel::update(api_keys::table.find(key_id)).set(change).execute(c))?;
    tx.audit(
        Event::new("key.rotate")
            .subject(key_id)
            .detail("successor", next.info.key_id.as_str()),
    );
    Ok(next)
}

impl Store {
    /// Makes a key; its text is in the answer and nowhere else. `coordinator`, `admin`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when role and centre do not go together.
    pub fn create_key(&self, scope: &Scope, key: NewKey) -> Result<CreatedKey, StoreError> {
        require(scope, scope.role().administers(), "make keys")?;
        if key.label.is_empty() || !is_text(&key.label, 200) {
            return Err(StoreError::Invalid("a key's label has 1 to 200 bytes"));
        }
        if key.expires_at.is_some_and(|end| end > latest()) {
            return Err(StoreError::Invalid("a key ends before the year 10000"));
        }
        self.write(scope, move |tx| {
            if key.expires_at.is_some_and(|end| end.naive_utc() <= tx.now) {
                return Err(StoreError::Invalid("a key ends at a time that has not come yet"));
            }
            insert(tx, &key)
        })
    }

    /// Makes a successor with the same role, centre and lifetime; the old key ends after `overlap`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::InvalidState`] for a key that has ended; [`StoreError::Invalid`] for an overlap of more than a
    /// year.
    pub fn rotate_key(
        &self,
        scope: &Scope,
        key_id: &str,
        overlap: Duration,
    ) -> Result<CreatedKey, StoreError> {
        require(scope, scope.role().administers(), "rotate keys")?;
        if overlap > LONGEST_OVERLAP {
            return Err(TOO_LONG);
        }
        let key_id = key_id.to_owned();
        self.write(scope, move |tx| {
            rotate(tx, &key_id, overlap.max(Duration::zero()))
        })
    }

    /// Revokes a key, effective at the next request. Revoking twice is fine.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn revoke_key(&self, scope: &Scope, key_id: &str) -> Result<KeyInfo, StoreError> {
        require(scope, scope.role().administers(), "revoke keys")?;
        let key_id = key_id.to_owned();
        self.write(scope, move |tx| {
            let mut row = find(tx.conn()?, &key_id)?;
            if row.revoked_at.is_none() {
                row.revoked_at = Some(tx.now);
                let change = api_keys::revoked_at.eq(row.revoked_at);
                on_conn!(tx.conn()?, c => diesel::update(api_keys::table.find(&key_id)).set(change).execute(c))?;
                tx.audit(Event::new("key.revoke").subject(&key_id));
            }
            row.try_into()
        })
    }

    /// All keys, oldest first. `coordinator`, `admin`.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`].
    pub fn list_keys(&self, scope: &Scope) -> Result<Vec<KeyInfo>, StoreError> {
        require(scope, scope.role().administers(), "list keys")?;
        let query = api_keys::table.order(api_keys::key_id);
        let rows = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => query.load::<KeyRecord>(c))?)
        })?;
        rows.into_iter().map(KeyInfo::try_from).collect()
    }

    /// Turns a presented bearer key into a scope.
    ///
    /// # Errors
    /// [`StoreError::Unauthenticated`]; the kind is for the log, the outside gets one answer.
    pub fn authenticate(&self, bearer: &str) -> Result<Scope, StoreError> {
        let unknown = StoreError::Unauthenticated(AuthFailure::Unknown);
        let Ok(presented) = ApiKey::parse(bearer) else {
            return Err(unknown);
        };
        let query = api_keys::table.filter(api_keys::prefix.eq(presented.prefix()));
        let row = self.read(&Scope::system("authentication"), |conn, _| {
            Ok(on_conn!(conn, c => query.first::<KeyRecord>(c)).optional()?)
        })?;
        let Some(row) = row.filter(|row| presented.matches(&row.secret_sha256)) else {
            return Err(unknown);
        };
        let now = now(self.inner.context.clock.as_ref());
        if row.revoked_at.is_some() {
            return Err(StoreError::Unauthenticated(AuthFailure::Revoked));
        }
        if row.expires_at.is_some_and(|end| end <= now) {
            return Err(StoreError::Unauthenticated(AuthFailure::Expired));
        }
        Scope::from_credentials(
            format!("key:{}", row.key_id),
            stored_role(&row.role)?,
            row.centre_id,
        )
        .ok_or(unknown)
    }
}
