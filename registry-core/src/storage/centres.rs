//! The centres and their yearly table.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

/// A centre.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Centre {
    /// Short stable id (`C01`).
    pub centre_id: String,
    /// Name, shown to the coordinating office and to itself.
    pub name: String,
    /// ISO 3166-1 alpha-2, if known.
    pub country: Option<String>,
    /// Takes part; an inactive centre cannot submit.
    pub active: bool,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Last changed.
    pub updated_at: DateTime<Utc>,
}

/// What to know of a centre.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCentre {
    /// Short stable id: 1 to 32 of `A-Z a-z 0-9 - _`.
    pub centre_id: String,
    /// Name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Takes part.
    pub active: bool,
}

/// One year of one centre: the reference row (ratified flags, volumes, eligible seen, refused) as a JSON object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CentreYear {
    /// Centre.
    pub centre_id: String,
    /// Calendar year.
    pub year: i32,
    /// The row's elements, as the dictionary's `centre` entity names them.
    pub values: Value,
    /// Last changed.
    pub updated_at: DateTime<Utc>,
}

use super::{Store, StoreError};
use crate::access::Scope;
impl Store {
    /// Adds a centre; one with this id is [`StoreError::Duplicate`].
    pub fn create_centre(&self, scope: &Scope, centre: NewCentre) -> Result<Centre, StoreError> {
        todo!()
    }
    /// Adds or changes a centre; true when added.
    pub fn upsert_centre(&self, scope: &Scope, centre: NewCentre) -> Result<(Centre, bool), StoreError> {
        todo!()
    }
    /// One centre.
    pub fn centre(&self, scope: &Scope, centre_id: &str) -> Result<Centre, StoreError> {
        todo!()
    }
    /// All centres by id.
    pub fn list_centres(&self, scope: &Scope) -> Result<Vec<Centre>, StoreError> {
        todo!()
    }
    /// Adds or replaces one year of a centre; true when added.
    pub fn put_centre_year(
        &self,
        scope: &Scope,
        centre_id: &str,
        year: i32,
        values: Value,
    ) -> Result<(CentreYear, bool), StoreError> {
        todo!()
    }
    /// One year of a centre.
    pub fn centre_year(&self, scope: &Scope, centre_id: &str, year: i32) -> Result<CentreYear, StoreError> {
        todo!()
    }
    /// The yearly rows of all centres (or one), by centre and year: what the evaluator's centre table is made of.
    pub fn centre_years(
        &self,
        scope: &Scope,
        centre_id: Option<&str>,
    ) -> Result<Vec<CentreYear>, StoreError> {
        todo!()
    }
}
