//! The centres and their yearly table.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::connection::{Conn, on_conn};
use super::identifiers::{is_centre_id, is_text, utc};
use super::store::require;
use super::tables::{centre_revision, centre_years, centres};
use super::transaction::{Event, Tx};
use super::{Store, StoreError};
use crate::access::Scope;
use crate::intake::canonical;

/// A centre.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
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
    /// Short stable id, as cases name it: 1 to 32 of `A-Z a-z 0-9 - _`, the first a letter or a digit.
    pub centre_id: String,
    /// Name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Takes part.
    pub active: bool,
}

/// One year of one centre: the reference row (ratified flags, volumes, eligible seen, refused) as a JSON object.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
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

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = centres, treat_none_as_null = true, treat_none_as_default_value = false)]
struct CentreRecord {
    centre_id: String,
    name: String,
    country: Option<String>,
    active: bool,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
}

impl From<CentreRecord> for Centre {
    fn from(row: CentreRecord) -> Self {
        Self {
            centre_id: row.centre_id,
            name: row.name,
            country: row.country,
            active: row.active,
            created_at: utc(row.created_at),
            updated_at: utc(row.updated_at),
        }
    }
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = centre_years)]
struct YearRecord {
    centre_id: String,
    year: i32,
    elements: String,
    updated_at: NaiveDateTime,
}

impl TryFrom<YearRecord> for CentreYear {
    type Error = StoreError;

    fn try_from(row: YearRecord) -> Result<Self, StoreError> {
        Ok(Self {
            centre_id: row.centre_id,
            year: row.year,
            values: stored_json(&row.elements)?,
            updated_at: utc(row.updated_at),
        })
    }
}

/// Reads JSON text that the store wrote.
pub(crate) fn stored_json(text: &str) -> Result<Value, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Internal("stored JSON does not read".to_owned()))
}

/// Canonical JSON text of a value.
pub(crate) fn canonical_text(value: &Value) -> String {
    String::from_utf8(canonical::to_bytes(value)).unwrap_or_default()
}

fn check(centre: &NewCentre) -> Result<(), StoreError> {
    if centre.name.is_empty() || !is_text(&centre.name, 200) {
        return Err(StoreError::Invalid("a centre's name has 1 to 200 bytes"));
    }
    let two_letters = |c: &String| c.len() == 2 && c.bytes().all(|b| b.is_ascii_uppercase());
    if !centre.country.as_ref().is_none_or(two_letters) {
        return Err(StoreError::Invalid(
            "a country is two capital letters (ISO 3166-1)",
        ));
    }
    Ok(())
}

fn find(conn: &mut Conn, centre_id: &str) -> Result<Option<CentreRecord>, StoreError> {
    let query = centres::table.find(centre_id);
    Ok(on_conn!(conn, c => query.first::<CentreRecord>(c)).optional()?)
}

/// The centre that is about to receive data: known and active.
pub(crate) fn require_active(conn: &mut Conn, centre_id: &str) -> Result<(), StoreError> {
    match find(conn, centre_id)? {
        None => Err(StoreError::NotFound),
        Some(row) if !row.active => Err(StoreError::InvalidState("the centre does not take part any more")),
        Some(_) => Ok(()),
    }
}

fn save(tx: &mut Tx<'_>, new: &NewCentre, replace: bool) -> Result<(Centre, bool), StoreError> {
    let known = find(tx.conn()?, &new.centre_id)?;
    if known.is_some() && !replace {
        return Err(StoreError::Duplicate("centre"));
    }
    let row = |created_at| CentreRecord {
        centre_id: new.centre_id.clone(),
        name: new.name.clone(),
        country: new.country.clone(),
        active: new.active,
        created_at,
        updated_at: tx.now,
    };
    let created = known.is_none();
    // One that is there keeps the id it has.
    if created && !is_centre_id(&new.centre_id) {
        return Err(StoreError::Invalid(
            "a centre id has 1 to 32 of A-Z a-z 0-9 - _, and begins with a letter or a digit",
        ));
    }
    let row = match known {
        None => {
            let row = row(tx.now);
            on_conn!(tx.conn()?, c => diesel::insert_into(centres::table).values(&row).execute(c))?;
            row
        }
        Some(old) => {
            let row = row(old.created_at);
            on_conn!(tx.conn()?, c => diesel::update(centres::table.find(&row.centre_id)).set(&row).execute(c))?;
            row
        }
    };
    let action = if created { "centre.create" } else { "centre.change" };
    tx.audit(
        Event::new(action)
            .centre(&new.centre_id)
            .detail("active", new.active),
    );
    Ok((row.into(), created))
}

impl Store {
    /// Adds a centre. `coordinator`, `admin`.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] when there is one with this id.
    pub fn create_centre(&self, scope: &Scope, centre: NewCentre) -> Result<Centre, StoreError> {
        require(scope, scope.role().administers(), "add centres")?;
        check(&centre)?;
        self.write(scope, move |tx| {
            save(tx, &centre, false).map(|(centre, _)| centre)
        })
    }

    /// Adds or changes a centre; true when added. `coordinator`, `admin`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for an id, name or country that cannot be kept.
    pub fn upsert_centre(&self, scope: &Scope, centre: NewCentre) -> Result<(Centre, bool), StoreError> {
        require(scope, scope.role().administers(), "change centres")?;
        check(&centre)?;
        self.write(scope, move |tx| save(tx, &centre, true))
    }

    /// One centre.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn centre(&self, scope: &Scope, centre_id: &str) -> Result<Centre, StoreError> {
        self.read(scope, |conn, _| {
            find(conn, centre_id)?
                .map(Centre::from)
                .ok_or(StoreError::NotFound)
        })
    }

    /// All centres by id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn list_centres(&self, scope: &Scope) -> Result<Vec<Centre>, StoreError> {
        let query = centres::table.order(centres::centre_id);
        let rows = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => query.load::<CentreRecord>(c))?)
        })?;
        Ok(rows.into_iter().map(Centre::from).collect())
    }

    /// Adds or replaces one year of a centre; true when added. `coordinator`, `admin`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown centre, [`StoreError::Invalid`] when `values` is no object.
    pub fn put_centre_year(
        &self,
        scope: &Scope,
        centre_id: &str,
        year: i32,
        values: Value,
    ) -> Result<(CentreYear, bool), StoreError> {
        require(scope, scope.role().administers(), "change the centre table")?;
        if !values.is_object() {
            return Err(StoreError::Invalid("a year of a centre is a JSON object"));
        }
        if !(1900..=2200).contains(&year) {
            return Err(StoreError::Invalid("a year lies between 1900 and 2200"));
        }
        let centre_id = centre_id.to_owned();
        let elements = canonical_text(&values);
        self.write(scope, move |tx| save_year(tx, &centre_id, year, &elements))
    }

    /// One year of a centre.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn centre_year(&self, scope: &Scope, centre_id: &str, year: i32) -> Result<CentreYear, StoreError> {
        let query = centre_years::table.find((centre_id, year));
        self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => query.first::<YearRecord>(c))?)
        })?
        .try_into()
    }

    /// Changes with every change of a yearly row: whoever keeps the rows in memory asks for it before using them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn centre_revision(&self, scope: &Scope) -> Result<i64, StoreError> {
        let query = centre_revision::table.select(centre_revision::revision);
        self.read(scope, |conn, _| Ok(on_conn!(conn, c => query.first(c))?))
    }

    /// The yearly rows of all centres (or one), by centre and year: what the evaluator's centre table is made of.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn centre_years(
        &self,
        scope: &Scope,
        centre_id: Option<&str>,
    ) -> Result<Vec<CentreYear>, StoreError> {
        let rows = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => {
                let mut query = centre_years::table
                    .order((centre_years::centre_id, centre_years::year))
                    .into_boxed();
                if let Some(centre_id) = centre_id {
                    query = query.filter(centre_years::centre_id.eq(centre_id));
                }
                query.load::<YearRecord>(c)
            })?)
        })?;
        rows.into_iter().map(CentreYear::try_from).collect()
    }
}

fn save_year(
    tx: &mut Tx<'_>,
    centre_id: &str,
    year: i32,
    elements: &str,
) -> Result<(CentreYear, bool), StoreError> {
    if find(tx.conn()?, centre_id)?.is_none() {
        return Err(StoreError::NotFound);
    }
    let place = centre_years::table.find((centre_id, year));
    let change = (
        centre_years::elements.eq(elements),
        centre_years::updated_at.eq(tx.now),
    );
    let changed = on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
    let row = YearRecord {
        centre_id: centre_id.to_owned(),
        year,
        elements: elements.to_owned(),
        updated_at: tx.now,
    };
    if changed == 0 {
        on_conn!(tx.conn()?, c => diesel::insert_into(centre_years::table).values(&row).execute(c))?;
    }
    let counted = centre_revision::revision.eq(centre_revision::revision + 1);
    on_conn!(tx.conn()?, c => diesel::update(centre_revision::table).set(counted).execute(c))?;
    let year = year.to_string();
    tx.audit(Event::new("centre.year").centre(centre_id).subject(&year));
    Ok((row.try_into()?, changed == 0))
}
