//! Tasks of the coordinating office.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;

use super::cases::{CaseRecord, load_case_anywhere};
use super::connection::{Conn, on_conn};
use super::identifiers::{is_text, new_id, utc};
use super::page::place;
use super::store::require;
use super::tables::{cases, tasks};
use super::transaction::{Event, Tx};
use super::{Page, Store, StoreError};
use crate::access::Scope;

/// What has to be sorted out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Task {
    /// Id (UUIDv7).
    pub task_id: String,
    /// What it is about.
    pub kind: TaskKind,
    /// The centre that caused it.
    pub centre_id: String,
    /// The centre that held the case when the task was last changed.
    pub other_centre_id: String,
    /// The case concerned.
    pub case_id: String,
    /// Its pseudonym; `None` once it is erased.
    pub pseudonym: Option<String>,
    /// The centre that holds it now.
    pub held_by: Option<String>,
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

impl TaskRecord {
    fn shown(self, case: Option<&CaseRecord>) -> Task {
        Task {
            task_id: self.task_id,
            kind: TaskKind::PseudonymRegistered,
            centre_id: self.centre_id,
            other_centre_id: self.other_centre_id,
            case_id: self.case_id,
            pseudonym: case.and_then(|case| case.pseudonym.clone()),
            held_by: case.map(|case| case.centre_id.clone()),
            occurrences: self.occurrences,
            opened_at: utc(self.opened_at),
            closed_at: self.closed_at.map(utc),
            closed_by: self.closed_by,
            resolution: self.resolution,
        }
    }
}

/// The cases of these tasks, wherever they are now.
fn cases_of(conn: &mut Conn, rows: &[TaskRecord]) -> Result<HashMap<String, CaseRecord>, StoreError> {
    let wanted: Vec<&String> = rows.iter().map(|row| &row.case_id).collect();
    let query = cases::table.filter(cases::case_id.eq_any(wanted));
    let found = on_conn!(conn, c => query.load::<CaseRecord>(c))?;
    Ok(found
        .into_iter()
        .map(|case| (case.case_id.clone(), case))
        .collect())
}

/// What a transfer means for the open tasks about the case: those of the centre that has it now are done, the others name that centre.
/// Returns how many it closed.
pub(crate) fn settle(tx: &mut Tx<'_>, moved: &CaseRecord, on: NaiveDate) -> Result<usize, StoreError> {
    let open = tasks::table
        .filter(tasks::case_id.eq(&moved.case_id))
        .filter(tasks::closed_at.is_null())
        .order(tasks::task_id);
    let mut closed = 0;
    for row in on_conn!(tx.conn()?, c => open.load::<TaskRecord>(c))? {
        if row.centre_id == moved.centre_id {
            close(
                tx,
                row,
                format!("the case was transferred to this centre as of {on}"),
            )?;
            closed += 1;
            continue;
        }
        let place = tasks::table.find((&row.centre_id, &row.task_id));
        let holder = tasks::other_centre_id.eq(&moved.centre_id);
        on_conn!(tx.conn()?, c => diesel::update(place).set(holder).execute(c))?;
    }
    Ok(closed)
}

fn close(tx: &mut Tx<'_>, mut row: TaskRecord, resolution: String) -> Result<TaskRecord, StoreError> {
    row.closed_at = Some(tx.now);
    row.closed_by = Some(tx.scope.actor().to_owned());
    row.resolution = Some(resolution);
    let change = (
        tasks::closed_at.eq(row.closed_at),
        tasks::closed_by.eq(&row.closed_by),
        tasks::resolution.eq(&row.resolution),
    );
    let place = tasks::table.find((&row.centre_id, &row.task_id));
    on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
    tx.audit(
        Event::new("task.close")
            .centre(&row.centre_id)
            .subject(&row.task_id),
    );
    Ok(row)
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
    /// [`StoreError::Forbidden`]; [`StoreError::BadCursor`].
    pub fn list_tasks(
        &self,
        scope: &Scope,
        open_only: bool,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Task>, StoreError> {
        self.list_tasks_since(scope, open_only, None, cursor, limit)
    }

    /// [`Store::list_tasks`], those opened or closed at an instant or later. `coordinator`.
    ///
    /// # Errors
    /// As [`Store::list_tasks`].
    pub fn list_tasks_since(
        &self,
        scope: &Scope,
        open_only: bool,
        updated_since: Option<DateTime<Utc>>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Task>, StoreError> {
        require(scope, scope.role().sees_all_cases(), "see the tasks")?;
        let after = place(cursor)?;
        let (rows, cases) = self.read(scope, |conn, _| {
            let rows = on_conn!(conn, c => {
                let mut query = tasks::table
                    .order(tasks::task_id)
                    .limit(Page::<Task>::fetch(limit))
                    .into_boxed();
                if open_only {
                    query = query.filter(tasks::closed_at.is_null());
                }
                if let Some(since) = updated_since.map(|since| since.naive_utc()) {
                    let closed = tasks::closed_at.ge(since);
                    query = query.filter(tasks::opened_at.ge(since).nullable().or(closed));
                }
                if let Some(after) = &after {
                    query = query.filter(tasks::task_id.gt(after));
                }
                query.load::<TaskRecord>(c)
            })?;
            let cases = cases_of(conn, &rows)?;
            Ok((rows, cases))
        })?;
        let page = Page::cut(rows, limit, |row| row.task_id.clone());
        Ok(page.map(|row| {
            let case = cases.get(&row.case_id);
            row.shown(case)
        }))
    }

    /// How many tasks are open. `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`].
    pub fn open_tasks(&self, scope: &Scope) -> Result<i64, StoreError> {
        require(scope, scope.role().sees_all_cases(), "see the tasks")?;
        let open = tasks::table.filter(tasks::closed_at.is_null()).count();
        self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => open.get_result::<i64>(c))?)
        })
    }

    /// Closes a task with its outcome. `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Invalid`] without an outcome; [`StoreError::InvalidState`] when it is closed.
    pub fn close_task(&self, scope: &Scope, task_id: &str, resolution: &str) -> Result<Task, StoreError> {
        require(scope, scope.role().sees_all_cases(), "close tasks")?;
        if resolution.trim().is_empty() || !is_text(resolution, 2000) {
            return Err(StoreError::Invalid(
                "a task is closed with what came of it, in at most 2,000 bytes and without NUL",
            ));
        }
        let (task_id, resolution) = (task_id.to_owned(), resolution.trim().to_owned());
        self.write(scope, move |tx| {
            let place = tasks::table.filter(tasks::task_id.eq(&task_id));
            let row = on_conn!(tx.conn()?, c => place.first::<TaskRecord>(c))?;
            if row.closed_at.is_some() {
                return Err(StoreError::InvalidState("the task is closed"));
            }
            let row = close(tx, row, resolution.clone())?;
            let case = load_case_anywhere(tx.conn()?, &row.case_id)?;
            Ok(row.shown(case.as_ref()))
        })
    }
}
