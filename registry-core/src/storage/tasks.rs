//! Tasks of the coordinating office.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;

use super::connection::on_conn;
use super::identifiers::{is_text, new_id, utc};
use super::store::require;
use super::tables::tasks;
use super::transaction::{Event, Tx};
use super::{Page, Store, StoreError};
use crate::access::Scope;

/// What has to be sorted out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// A centre sent a pseudonym that another centre holds.
    PseudonymRegistered,
}

impl TaskKind {
    /// The name in the database and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            TaskKind::PseudonymRegistered => "pseudonym_registered",
        }
    }
}

/// One task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Task {
    /// Id (UUIDv7).
    pub task_id: String,
    /// What it is about.
    pub kind: TaskKind,
    /// The centre that caused it.
    pub centre_id: String,
    /// The centre that holds the case.
    pub other_centre_id: String,
    /// The case concerned.
    pub case_id: String,
    /// How often it was caused since it was opened.
    pub occurrences: i64,
    /// When first.
    pub opened_at: DateTime<Utc>,
    /// When closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// By whom.
    pub closed_by: Option<String>,
    /// With what outcome.
    pub resolution: Option<String>,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = tasks, treat_none_as_default_value = false)]
struct TaskRecord {
    centre_id: String,
    task_id: String,
    kind: String,
    other_centre_id: String,
    case_id: String,
    occurrences: i64,
    opened_at: NaiveDateTime,
    closed_at: Option<NaiveDateTime>,
    closed_by: Option<String>,
    resolution: Option<String>,
}

impl From<TaskRecord> for Task {
    fn from(row: TaskRecord) -> Self {
        Self {
            task_id: row.task_id,
            kind: TaskKind::PseudonymRegistered,
            centre_id: row.centre_id,
            other_centre_id: row.other_centre_id,
            case_id: row.case_id,
            occurrences: row.occurrences,
            opened_at: utc(row.opened_at),
            closed_at: row.closed_at.map(utc),
            closed_by: row.closed_by,
            resolution: row.resolution,
        }
    }
}

/// Tells the coordinating office that `centre` sent a pseudonym that `holder` holds; counts when it was told before.
pub(crate) fn open_pseudonym_task(
    tx: &mut Tx<'_>,
    centre: &str,
    holder: &str,
    case_id: &str,
) -> Result<(), StoreError> {
    tx.as_registry(|tx| {
        let open = tasks::table
            .filter(tasks::centre_id.eq(centre))
            .filter(tasks::case_id.eq(case_id))
            .filter(tasks::kind.eq(TaskKind::PseudonymRegistered.as_str()))
            .filter(tasks::closed_at.is_null());
        let again = tasks::occurrences.eq(tasks::occurrences + 1);
        if on_conn!(tx.conn()?, c => diesel::update(open).set(again).execute(c))? > 0 {
            return Ok(());
        }
        let row = TaskRecord {
            centre_id: centre.to_owned(),
            task_id: new_id(tx.now, tx.entropy),
            kind: TaskKind::PseudonymRegistered.as_str().to_owned(),
            other_centre_id: holder.to_owned(),
            case_id: case_id.to_owned(),
            occurrences: 1,
            opened_at: tx.now,
            closed_at: None,
            closed_by: None,
            resolution: None,
        };
        on_conn!(tx.conn()?, c => diesel::insert_into(tasks::table).values(&row).execute(c))?;
        // The sender's centre and the task: the event does not tell the sender whose case it is.
        tx.audit(Event::new("task.open").centre(centre).subject(&row.task_id));
        Ok(())
    })
}

impl Store {
    /// Open tasks (or all), oldest first. `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`].
    pub fn list_tasks(
        &self,
        scope: &Scope,
        open_only: bool,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Task>, StoreError> {
        require(scope, scope.role().sees_all_cases(), "see the tasks")?;
        let rows = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => {
                let mut query = tasks::table
                    .order(tasks::task_id)
                    .limit(Page::<Task>::fetch(limit))
                    .into_boxed();
                if open_only {
                    query = query.filter(tasks::closed_at.is_null());
                }
                if let Some(after) = cursor {
                    query = query.filter(tasks::task_id.gt(after));
                }
                query.load::<TaskRecord>(c)
            })?)
        })?;
        Ok(Page::cut(rows, limit, |row| row.task_id.clone()).map(Task::from))
    }

    /// Closes a task. `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::InvalidState`] when it is closed.
    pub fn close_task(&self, scope: &Scope, task_id: &str, resolution: &str) -> Result<Task, StoreError> {
        require(scope, scope.role().sees_all_cases(), "close tasks")?;
        if !is_text(resolution, 2000) {
            return Err(StoreError::Invalid("a resolution has at most 2,000 bytes"));
        }
        let (task_id, resolution) = (task_id.to_owned(), resolution.to_owned());
        self.write(scope, move |tx| {
            let place = tasks::table.filter(tasks::task_id.eq(&task_id));
            let mut row = on_conn!(tx.conn()?, c => place.first::<TaskRecord>(c))?;
            if row.closed_at.is_some() {
                return Err(StoreError::InvalidState("the task is closed"));
            }
            row.closed_at = Some(tx.now);
            row.closed_by = Some(tx.scope.actor().to_owned());
            row.resolution = Some(resolution.clone());
            let change = (
                tasks::closed_at.eq(row.closed_at),
                tasks::closed_by.eq(&row.closed_by),
                tasks::resolution.eq(&row.resolution),
            );
            on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
            tx.audit(Event::new("task.close").centre(&row.centre_id).subject(&task_id));
            Ok(row.into())
        })
    }
}
