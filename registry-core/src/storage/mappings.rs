//! Mappings that a centre keeps for its imports: how the fields and codes of its own project are called here.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;

use super::connection::on_conn;
use super::identifiers::{is_name, is_text, utc};
use super::jobs::centre_of;
use super::tables::import_mappings;
use super::transaction::Event;
use super::{Store, StoreError};
use crate::access::Scope;

/// Longest mapping, bytes.
const LONGEST: usize = 1 << 20;

/// A kept mapping, without its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Mapping)]
pub struct MappingInfo {
    /// What it is called in `?mapping=`.
    pub name: String,
    /// Who put it there.
    pub updated_by: String,
    /// When.
    pub updated_at: DateTime<Utc>,
}

impl Store {
    /// Keeps a mapping of the caller's centre under a name, in place of an earlier one. Its text is the caller's to check.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a name that is none, or a text that is too long.
    pub fn put_mapping(&self, scope: &Scope, name: &str, content: &str) -> Result<(), StoreError> {
        let centre = centre_of(scope)?;
        if !is_name(name) {
            return Err(StoreError::Invalid(
                "a mapping has a name of 1 to 32 letters, digits, - _ .",
            ));
        }
        if !is_text(content, LONGEST) {
            return Err(StoreError::Invalid("a mapping has at most 1 MiB and no NUL"));
        }
        let (name, content) = (name.to_owned(), content.to_owned());
        self.write(scope, move |tx| {
            let place = import_mappings::table.find((&centre, &name));
            let row = (
                import_mappings::content.eq(&content),
                import_mappings::updated_by.eq(tx.scope.actor().to_owned()),
                import_mappings::updated_at.eq(tx.now),
            );
            let key = (
                import_mappings::centre_id.eq(&centre),
                import_mappings::name.eq(&name),
            );
            on_conn!(tx.conn()?, c => {
                if diesel::update(place).set(row.clone()).execute(c)? == 0 {
                    diesel::insert_into(import_mappings::table).values((key, row)).execute(c)?;
                }
            });
            tx.audit(Event::new("mapping.put").centre(&centre).subject(&name));
            Ok(())
        })
    }

    /// The text of a mapping of the caller's centre.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn mapping(&self, scope: &Scope, name: &str) -> Result<String, StoreError> {
        let place = import_mappings::table
            .find((centre_of(scope)?, name.to_owned()))
            .select(import_mappings::content);
        self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => place.first::<String>(c))?)
        })
    }

    /// The mappings of the caller's centre, by name.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] without a centre.
    pub fn list_mappings(&self, scope: &Scope) -> Result<Vec<MappingInfo>, StoreError> {
        let query = import_mappings::table
            .filter(import_mappings::centre_id.eq(centre_of(scope)?))
            .order(import_mappings::name)
            .select((
                import_mappings::name,
                import_mappings::updated_by,
                import_mappings::updated_at,
            ));
        let rows = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => query.load::<(String, String, NaiveDateTime)>(c))?)
        })?;
        let info = |(name, updated_by, updated_at)| MappingInfo {
            name,
            updated_by,
            updated_at: utc(updated_at),
        };
        Ok(rows.into_iter().map(info).collect())
    }
}
