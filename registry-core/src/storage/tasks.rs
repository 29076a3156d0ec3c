//! Tasks of the coordinating office.

use chrono::{DateTime, Utc};
use serde::Serialize;

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

use super::{Page, Store, StoreError};
use crate::access::Scope;
impl Store {
    /// Open tasks (or all), oldest first. `coordinator`.
    pub fn list_tasks(
        &self,
        scope: &Scope,
        open_only: bool,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Task>, StoreError> {
        todo!()
    }
    /// Closes a task.
    pub fn close_task(&self, scope: &Scope, task_id: &str, resolution: &str) -> Result<Task, StoreError> {
        todo!()
    }
}
