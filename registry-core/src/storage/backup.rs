//! Hot copy.

use std::path::Path;

use diesel::prelude::*;

use super::connection::{Conn, Rights, new_file};
use super::store::require;
use super::transaction::Event;
use super::{Store, StoreError};
use crate::access::{Role, Scope};

impl Store {
    /// Copies a SQLite database in use into a new file: consistent, without stopping writers. The documents in it stay
    /// sealed: keep the master key elsewhere.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] on PostgreSQL (use `pg_dump`, see `deploy/`); [`StoreError::Duplicate`] when the file
    /// exists; [`StoreError::Invalid`] for a folder that does not; [`StoreError::Unavailable`] when it cannot be written.
    pub fn backup_to(&self, scope: &Scope, path: &Path) -> Result<(), StoreError> {
        require(scope, scope.role() == Role::System, "make backups")?;
        let mut link = self.inner.context.dialer().dial(Rights::Owner)?;
        let Conn::Sqlite(connection) = &mut link.conn else {
            return Err(StoreError::Unsupported(
                "a PostgreSQL database is backed up with pg_dump; deploy/ has the commands",
            ));
        };
        if path.exists() {
            return Err(StoreError::Duplicate("backup file"));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return Err(StoreError::Invalid("the folder of the backup does not exist"));
        }
        let target = path
            .to_str()
            .ok_or(StoreError::Invalid("the path of the backup is not valid UTF-8"))?;
        // Recorded first, so that the copy holds the event of its own making.
        self.write(scope, |tx| {
            tx.audit(Event::new("backup.make"));
            Ok(())
        })?;
        // SQLite takes an empty file for the copy, and would make one that everybody may read.
        new_file(path)?;
        diesel::sql_query("VACUUM INTO ?")
            .bind::<diesel::sql_types::Text, _>(target)
            .execute(connection)?;
        // SQLite leaves flushing of the new file to the system: a backup is one when it is on the disk.
        std::fs::File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(|_| StoreError::Unavailable(super::Outage::Missing))
    }
}
