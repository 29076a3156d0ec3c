//! Data requests: a researcher asks for files and elements of a release; the coordinating office opens all or fewer of them until a day, or
//! declines; what was opened can be revoked. A bundle is recorded when it is first built, with the cases it holds; every download counts.

mod decide;
mod deliver;
mod withdrawn;

pub use withdrawn::HeldWithdrawn;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::centres::{canonical_text, stored_json};
use super::connection::{Conn, on_conn};
use super::identifiers::{is_text, new_id, utc};
use super::owners;
use super::store::require;
use super::tables::{data_requests, delivered_cases, releases};
use super::transaction::{Event, Tx};
use super::{Store, StoreError};
use crate::access::{Role, Scope};

/// What a request opens of its release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DataAccess {
    /// Files by name: of an entity's file everything any release holds, of any other file the whole.
    #[serde(default)]
    pub files: Vec<String>,
    /// Elements as `entity.element`, those that need to be named included.
    #[serde(default)]
    pub elements: Vec<String>,
    /// The recipient signed a contract: small groups are reported. Without one they are made larger.
    #[serde(default)]
    pub contracted: bool,
    /// The metastatic diagnosis in bands of calendar years.
    #[serde(default)]
    pub calendar_years: bool,
    /// Centres by their id.
    #[serde(default)]
    pub centre_unmasked: bool,
}

impl DataAccess {
    /// Opens nothing that `other` does not. An approval for an open recipient of what was asked under contract is no wider.
    pub fn within(&self, other: &Self) -> bool {
        let all = |mine: &[String], theirs: &[String]| mine.iter().all(|one| theirs.contains(one));
        all(&self.files, &other.files)
            && all(&self.elements, &other.elements)
            && self.contracted <= other.contracted
            && self.calendar_years <= other.calendar_years
            && self.centre_unmasked <= other.centre_unmasked
    }
}

/// What a researcher files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDataRequest {
    /// The release asked of.
    pub release_id: String,
    /// Title, at most 200 bytes.
    pub title: String,
    /// What for, at most 4,000 bytes.
    pub purpose: String,
    /// An earlier request of the same researcher whose pseudonyms go on.
    pub continues: Option<String>,
    /// What is asked.
    pub asked: DataAccess,
}

/// Where a request is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    /// Waits for the coordinating office.
    Submitted,
    /// Opened until its last day.
    Approved,
    /// Refused, with a reason.
    Declined,
    /// Opened once, closed again, with a reason.
    Revoked,
}

impl RequestStatus {
    /// The name in the database and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            RequestStatus::Submitted => "submitted",
            RequestStatus::Approved => "approved",
            RequestStatus::Declined => "declined",
            RequestStatus::Revoked => "revoked",
        }
    }

    fn of(text: &str) -> Result<Self, StoreError> {
        [
            RequestStatus::Submitted,
            RequestStatus::Approved,
            RequestStatus::Declined,
            RequestStatus::Revoked,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
        .ok_or_else(|| StoreError::Internal("a stored state of a data request does not read".to_owned()))
    }
}

/// The bundle of a request, as it was first built.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveredBundle {
    /// SHA-256 (hexadecimal).
    pub sha256: String,
    /// Length in bytes.
    pub bytes: i64,
    /// Its manifest.
    pub manifest: Value,
}

/// A data request.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct DataRequest {
    /// Id (UUIDv7).
    pub request_id: String,
    /// The first of the requests it continues; its own id when it continues none. One line has one set of pseudonyms.
    pub line: String,
    /// The release asked of.
    pub release_id: String,
    /// Title.
    pub title: String,
    /// What for.
    pub purpose: String,
    /// What was asked.
    pub asked: DataAccess,
    /// State.
    pub status: RequestStatus,
    /// When filed.
    pub filed_at: DateTime<Utc>,
    /// By whom.
    pub filed_by: String,
    /// What was opened.
    pub approved: Option<DataAccess>,
    /// Last day of the approval (UTC).
    pub expires_on: Option<NaiveDate>,
    /// When decided.
    pub decided_at: Option<DateTime<Utc>>,
    /// By whom.
    pub decided_by: Option<String>,
    /// Why declined.
    pub reason: Option<String>,
    /// When revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// By whom.
    pub revoked_by: Option<String>,
    /// Why revoked.
    pub revoked_for: Option<String>,
    /// How often something was downloaded.
    pub downloads: i64,
    /// Its bundle, once built.
    #[serde(skip)]
    pub bundle: Option<DeliveredBundle>,
}

impl DataRequest {
    /// What is open on this day; `None` before the approval, after its last day and after a revocation.
    pub fn open_on(&self, today: NaiveDate) -> Option<&DataAccess> {
        let lasts = self.expires_on.is_some_and(|last| today <= last);
        self.approved
            .as_ref()
            .filter(|_| self.status == RequestStatus::Approved && lasts)
    }
}

/// Who held a case: a delivered request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Recipient {
    /// The request.
    pub request_id: String,
    /// Its title.
    pub title: String,
    /// Its release.
    pub release_id: String,
    /// Who filed it.
    pub filed_by: String,
    /// How often something was downloaded.
    pub downloads: i64,
}

#[derive(Clone, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = data_requests, treat_none_as_default_value = false, treat_none_as_null = true)]
struct Record {
    request_id: String,
    line: String,
    release_id: String,
    title: String,
    purpose: String,
    asked: String,
    status: String,
    filed_at: NaiveDateTime,
    filed_by: String,
    approved: Option<String>,
    expires_on: Option<NaiveDate>,
    decided_at: Option<NaiveDateTime>,
    decided_by: Option<String>,
    reason: Option<String>,
    revoked_at: Option<NaiveDateTime>,
    revoked_by: Option<String>,
    revoked_for: Option<String>,
    downloads: i64,
    sha256: Option<String>,
    bytes: Option<i64>,
    manifest: Option<String>,
}

fn access_text(access: &DataAccess) -> Result<String, StoreError> {
    let value = serde_json::to_value(access)
        .map_err(|_| StoreError::Internal("a data request does not write".to_owned()))?;
    Ok(canonical_text(&value))
}

fn stored_access(text: &str) -> Result<DataAccess, StoreError> {
    serde_json::from_str(text)
        .map_err(|_| StoreError::Internal("a stored data request does not read".to_owned()))
}

impl TryFrom<Record> for DataRequest {
    type Error = StoreError;

    fn try_from(row: Record) -> Result<Self, StoreError> {
        let bundle = match (row.sha256, row.bytes, row.manifest) {
            (Some(sha256), Some(bytes), Some(manifest)) => Some(DeliveredBundle {
                sha256,
                bytes,
                manifest: stored_json(&manifest)?,
            }),
            _ => None,
        };
        Ok(Self {
            asked: stored_access(&row.asked)?,
            status: RequestStatus::of(&row.status)?,
            approved: row.approved.as_deref().map(stored_access).transpose()?,
            request_id: row.request_id,
            line: row.line,
            release_id: row.release_id,
            title: row.title,
            purpose: row.purpose,
            filed_at: utc(row.filed_at),
            filed_by: row.filed_by,
            expires_on: row.expires_on,
            decided_at: row.decided_at.map(utc),
            decided_by: row.decided_by,
            reason: row.reason,
            revoked_at: row.revoked_at.map(utc),
            revoked_by: row.revoked_by,
            revoked_for: row.revoked_for,
            downloads: row.downloads,
            bundle,
        })
    }
}

/// The requests whose delivered bundle held the case, by id; whoever asks.
pub(crate) fn holding(tx: &mut Tx<'_>, case_id: &str) -> Result<Vec<String>, StoreError> {
    tx.as_registry(|tx| {
        let query = delivered_cases::table
            .filter(delivered_cases::case_id.eq(case_id))
            .order(delivered_cases::request_id)
            .select(delivered_cases::request_id);
        Ok(on_conn!(tx.conn()?, c => query.load::<String>(c))?)
    })
}

/// Who may know of requests: researchers of their own, the office of all.
fn require_reader(scope: &Scope) -> Result<(), StoreError> {
    let may = scope.role() == Role::Researcher || scope.role().sees_all_cases();
    require(scope, may, "read data requests")
}

/// A request the scope may see; another researcher's is no such request.
fn load(conn: &mut Conn, scope: &Scope, request_id: &str) -> Result<Record, StoreError> {
    let query = data_requests::table.find(request_id);
    let row = on_conn!(conn, c => query.first::<Record>(c))?;
    if !scope.role().sees_all_cases() && !owners::names_of(conn, scope)?.contains(&row.filed_by) {
        return Err(StoreError::NotFound);
    }
    Ok(row)
}

fn store(tx: &mut Tx<'_>, row: &Record) -> Result<(), StoreError> {
    let place = data_requests::table.find(&row.request_id);
    on_conn!(tx.conn()?, c => diesel::update(place).set(row.clone()).execute(c))?;
    Ok(())
}

fn a_reason(reason: &str) -> Result<String, StoreError> {
    if reason.trim().is_empty() || !is_text(reason, 2000) {
        return Err(StoreError::Invalid(
            "a reason is needed, in at most 2,000 bytes and without NUL",
        ));
    }
    Ok(reason.trim().to_owned())
}

impl Store {
    /// Files a request. `researcher`.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`]; [`StoreError::NotFound`] for an unknown release, or an earlier request that is not the filer's own;
    /// [`StoreError::Invalid`] without title, purpose or anything asked.
    pub fn file_data_request(&self, scope: &Scope, new: NewDataRequest) -> Result<DataRequest, StoreError> {
        require(scope, scope.role() == Role::Researcher, "file data requests")?;
        let filled = |text: &str, longest| !text.trim().is_empty() && is_text(text, longest);
        if !filled(&new.title, 200) || !filled(&new.purpose, 4000) {
            return Err(StoreError::Invalid(
                "a request has a title (200 bytes) and a purpose (4,000 bytes), without NUL",
            ));
        }
        if new.asked.files.is_empty() && new.asked.elements.is_empty() {
            return Err(StoreError::Invalid("a request names files or elements"));
        }
        let asked = access_text(&new.asked)?;
        if asked.len() > 64 * 1024 {
            return Err(StoreError::Invalid(
                "a request names at most 64 KB of files and elements",
            ));
        }
        self.write(scope, move |tx| {
            let release = releases::table.find(&new.release_id).count();
            if on_conn!(tx.conn()?, c => release.get_result::<i64>(c))? == 0 {
                return Err(StoreError::NotFound);
            }
            let request_id = new_id(tx.now, tx.entropy);
            let scope = tx.scope.clone();
            let line = match &new.continues {
                Some(earlier) => load(tx.conn()?, &scope, earlier)?.line,
                None => request_id.clone(),
            };
            let row = Record {
                request_id,
                line,
                release_id: new.release_id.clone(),
                title: new.title.trim().to_owned(),
                purpose: new.purpose.trim().to_owned(),
                asked: asked.clone(),
                status: RequestStatus::Submitted.as_str().to_owned(),
                filed_at: tx.now,
                filed_by: scope.actor().to_owned(),
                approved: None,
                expires_on: None,
                decided_at: None,
                decided_by: None,
                reason: None,
                revoked_at: None,
                revoked_by: None,
                revoked_for: None,
                downloads: 0,
                sha256: None,
                bytes: None,
                manifest: None,
            };
            on_conn!(tx.conn()?, c => diesel::insert_into(data_requests::table).values(row.clone()).execute(c))?;
            let event = Event::new("data_request.file").subject(&row.request_id);
            tx.audit(event.detail("release", row.release_id.as_str()));
            row.try_into()
        })
    }

    /// The requests the scope may see (a researcher's own, all for the office), newest first.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`].
    pub fn list_data_requests(&self, scope: &Scope) -> Result<Vec<DataRequest>, StoreError> {
        require_reader(scope)?;
        let rows = self.read(scope, |conn, _| {
            let own = match scope.role().sees_all_cases() {
                true => None,
                false => Some(owners::names_of(conn, scope)?),
            };
            Ok(on_conn!(conn, c => {
                let mut query = data_requests::table
                    .order(data_requests::request_id.desc())
                    .into_boxed();
                if let Some(own) = &own {
                    query = query.filter(data_requests::filed_by.eq_any(own));
                }
                query.load::<Record>(c)
            })?)
        })?;
        rows.into_iter().map(DataRequest::try_from).collect()
    }

    /// One request.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`]; [`StoreError::NotFound`], also for another researcher's.
    pub fn data_request(&self, scope: &Scope, request_id: &str) -> Result<DataRequest, StoreError> {
        require_reader(scope)?;
        self.read(scope, |conn, _| load(conn, scope, request_id))?
            .try_into()
    }
}
