//! The steps of a case's life as the trail has them: who took them, when and why.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::Serialize;

use super::put::open_reason;
use super::read::locate;
use super::rows::CaseRecord;
use super::{CaseStatus, stored_status};
use crate::access::{Role, Scope};
use crate::audit::ChainedEvent;
use crate::storage::centres::stored_json;
use crate::storage::connection::{Conn, on_conn};
use crate::storage::holders::Authors;
use crate::storage::tables::audit_events;
use crate::storage::transaction::{EventRow, set_context};
use crate::storage::{Store, StoreError};

/// What the steps are called in the trail.
const STEPS: [&str; 4] = ["case.verify", "case.lock", "case.unlock", "case.withdraw"];

/// One step of a case's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LifeStep {
    /// `case.verify`, `case.lock`, `case.unlock`, `case.withdraw`.
    pub action: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// In which role.
    pub role: String,
    /// Why, if said.
    pub reason: Option<String>,
    /// The version it was taken at.
    pub version: Option<i64>,
    /// The status before; none of a withdrawal.
    pub from: Option<CaseStatus>,
    /// The status after; none of a withdrawal.
    pub to: Option<CaseStatus>,
    /// Through which day a lock reaches.
    pub through: Option<NaiveDate>,
}

impl Store {
    /// The steps of a case's life, oldest first: verified, locked, unlocked, withdrawn. Not audited: it says who did what, and nothing of
    /// the case.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn life_of(&self, scope: &Scope, pseudonym: &str) -> Result<Vec<LifeStep>, StoreError> {
        self.read(scope, |conn, keys| {
            let case = locate(conn, keys, scope, pseudonym)?;
            let key = case.wrapped_key.is_some().then(|| case.key(keys)).transpose()?;
            let events = events_of(conn, scope, &case, &STEPS)?;
            let authors = Authors::of(conn, scope, &case)?;
            let step = |chained: ChainedEvent| {
                let event = chained.event;
                let details = stored_json(&event.details)?;
                let said = |name: &str| details[name].as_str();
                // An event keeps the centre of its day, and so does the seal of its reason; the case may have been transferred since.
                let centre = event.centre_id.as_deref().unwrap_or(&case.centre_id);
                let open = |stored: &String| open_reason(key.as_ref(), centre, &case.case_id, stored);
                Ok(LifeStep {
                    reason: event.reason.as_ref().and_then(open),
                    actor: authors.shown(event.actor, event.at.naive_utc()),
                    at: event.at,
                    role: event.role,
                    action: event.action,
                    version: event.new_version,
                    from: said("from").map(stored_status).transpose()?,
                    to: said("to").map(stored_status).transpose()?,
                    through: said("through").and_then(|day| day.parse().ok()),
                })
            };
            events.into_iter().map(step).collect()
        })
    }
}

/// Where an unlocked case is: where it was before it was locked, unless it was changed under the lock. Then nobody has looked at it since.
pub(super) fn before_the_lock(
    conn: &mut Conn,
    scope: &Scope,
    case: &CaseRecord,
) -> Result<CaseStatus, StoreError> {
    for chained in events_of(conn, scope, case, &["case.lock"])?.into_iter().rev() {
        let details = stored_json(&chained.event.details)?;
        let from = details["from"].as_str().map(stored_status).transpose()?;
        // A lock moved forward was there before.
        if let Some(from) = from.filter(|from| *from != CaseStatus::Locked) {
            let unchanged = chained.event.new_version == Some(case.version);
            return Ok(if unchanged { from } else { CaseStatus::Submitted });
        }
    }
    Ok(CaseStatus::Submitted)
}

/// Events of a case, oldest first. The trail is the office's to read; what it says of a case's own life is its centre's too.
pub(crate) fn events_of(
    conn: &mut Conn,
    scope: &Scope,
    case: &CaseRecord,
    actions: &[&str],
) -> Result<Vec<ChainedEvent>, StoreError> {
    set_context(conn, Role::System, None)?;
    let query = audit_events::table
        .filter(audit_events::case_id.eq(&case.case_id))
        .filter(audit_events::action.eq_any(actions))
        .order(audit_events::seq);
    let rows = on_conn!(conn, c => query.load::<EventRow>(c))?;
    set_context(conn, scope.role(), scope.centre())?;
    Ok(rows.into_iter().map(ChainedEvent::from).collect())
}
