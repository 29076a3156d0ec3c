//! Both dialects behind one enum, and the pool that makes connections.

use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::{Connection, ConnectionError, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};
use rustix::fs::StatVfsMountFlags;

use super::error::{Outage, StoreError};
use super::faults::outage_of;
use super::options::{OptionsError, StoreOptions};
use super::target::Target;
use super::transaction::Limits;

/// A connection in either dialect.
pub(crate) enum Conn {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Runs the same diesel expression on whichever dialect the connection speaks.
macro_rules! on_conn {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::storage::connection::Conn::Sqlite($c) => $body,
            $crate::storage::connection::Conn::Postgres($c) => $body,
        }
    };
}
pub(crate) use on_conn;

impl Conn {
    /// Runs SQL without parameters.
    pub(crate) fn run(&mut self, sql: &str) -> Result<(), StoreError> {
        on_conn!(self, c => c.batch_execute(sql)).map_err(StoreError::from)
    }

    /// Moves the write-ahead log of SQLite into the file and empties it; false when somebody still reads it.
    pub(crate) fn checkpoint(&mut self) -> Result<bool, StoreError> {
        match self {
            Conn::Sqlite(conn) => {
                let done =
                    diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result::<Checkpoint>(conn)?;
                Ok(done.busy == 0)
            }
            Conn::Postgres(_) => Ok(true),
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Conn::Postgres(_))
    }
}

/// A pooled connection. Once a transaction on it could not be ended, it is not used again.
pub(crate) struct Link {
    pub(crate) conn: Conn,
    pub(crate) broken: bool,
    file: Option<FileIdentity>,
}

/// Which file a SQLite connection has open: a file deleted or replaced meanwhile must not be written to.
#[derive(PartialEq, Eq)]
struct FileIdentity {
    path: PathBuf,
    device_and_inode: Option<(u64, u64)>,
}

impl FileIdentity {
    fn of(path: &Path) -> Result<Self, StoreError> {
        let metadata = std::fs::metadata(path).map_err(|_| StoreError::Unavailable(Outage::Missing))?;
        #[cfg(unix)]
        let device_and_inode = {
            use std::os::unix::fs::MetadataExt;
            Some((metadata.dev(), metadata.ino()))
        };
        #[cfg(not(unix))]
        let device_and_inode = {
            let _ = metadata;
            None
        };
        Ok(Self {
            path: path.to_owned(),
            device_and_inode,
        })
    }

    fn still_there(&self) -> Result<(), StoreError> {
        match Self::of(&self.path) {
            Ok(now) if now == *self => Ok(()),
            _ => Err(StoreError::Unavailable(Outage::Missing)),
        }
    }
}

/// Refuses a file that is marked read-only, or lies on a disk that is mounted so: Linux does that to a disk that fails, and `SQLite` then tells
/// of no more than an input or output error. Whoever has a marked file open could still write to it, and root could open it: the mark counts.
fn writable(path: &Path) -> Result<(), StoreError> {
    let marked = std::fs::metadata(path).is_ok_and(|file| file.permissions().readonly());
    let disk = rustix::fs::statvfs(path);
    let mounted = disk.is_ok_and(|disk| disk.f_flag.contains(StatVfsMountFlags::RDONLY));
    match marked || mounted {
        true => Err(StoreError::Unavailable(Outage::ReadOnly)),
        false => Ok(()),
    }
}

impl Link {
    /// Whether the database may be changed now; nothing is written to find out.
    ///
    /// # Errors
    /// [`Outage::ReadOnly`]: a marked file, a disk that is mounted so, or a server whose transactions are read-only, as those of a standby are.
    pub(crate) fn takes_changes(&mut self) -> Result<(), StoreError> {
        match (&mut self.conn, &self.file) {
            (Conn::Postgres(conn), _) => {
                let query = "SELECT NOT current_setting('transaction_read_only')::boolean AS yes";
                match diesel::sql_query(query).get_result::<Answer>(conn)?.yes {
                    true => Ok(()),
                    false => Err(StoreError::Unavailable(Outage::ReadOnly)),
                }
            }
            (Conn::Sqlite(_), Some(file)) => writable(&file.path),
            (Conn::Sqlite(_), None) => Ok(()),
        }
    }
}

/// Makes connections, for the pool and outside it.
pub(crate) struct Dialer {
    target: Target,
    options: StoreOptions,
}

/// What a connection is for, and whose rights it has (PostgreSQL).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rights {
    /// The service: the application role, under row-level security.
    Service,
    /// Opening and the migrations: the role of the URL.
    Owner,
}

impl Dialer {
    pub(crate) fn new(options: &StoreOptions) -> Result<Self, StoreError> {
        let role = &options.app_role;
        let plain = !role.is_empty()
            && role.len() <= 63
            && role
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !plain {
            return Err(OptionsError::Role.into());
        }
        Ok(Self {
            target: Target::parse(&options.url)?,
            options: options.clone(),
        })
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// How long a connection waits for another's lock.
    pub(crate) fn patience(&self) -> std::time::Duration {
        self.options.busy_timeout
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            idempotency_kept: self.options.idempotency_kept,
            lease: self.options.lease,
            session_idle: self.options.session_idle,
            session_absolute: self.options.session_absolute,
        }
    }

    /// Opens a connection outside the pool.
    pub(crate) fn dial(&self, rights: Rights) -> Result<Link, StoreError> {
        match &self.target {
            Target::Sqlite(path) => {
                // Those of the service read on; the writer asks before each change.
                if rights == Rights::Owner {
                    writable(path)?;
                }
                self.open_file(path)
            }
            Target::Postgres(url) => self.open_server(url, rights),
        }
    }

    fn open_file(&self, path: &Path) -> Result<Link, StoreError> {
        if !self.options.create && !path.is_file() {
            return Err(StoreError::Unavailable(Outage::Missing));
        }
        if self.options.create && !path.exists() {
            new_file(path)?;
        }
        let mode = if self.options.create { "rwc" } else { "rw" };
        let mut conn = SqliteConnection::establish(&file_uri(path, mode)?).map_err(cannot_connect)?;
        let pages = self
            .options
            .max_page_count
            .map(|pages| format!("PRAGMA max_page_count = {pages};"))
            .unwrap_or_default();
        conn.batch_execute(&format!(
            "PRAGMA busy_timeout = {};
             PRAGMA foreign_keys = ON;
             PRAGMA synchronous = FULL;
             PRAGMA trusted_schema = OFF;
             PRAGMA secure_delete = ON;
             {pages}",
            self.options.busy_timeout.as_millis()
        ))?;
        Ok(Link {
            conn: Conn::Sqlite(conn),
            broken: false,
            file: Some(FileIdentity::of(path)?),
        })
    }

    fn open_server(&self, url: &str, rights: Rights) -> Result<Link, StoreError> {
        let url = if url.contains("connect_timeout=") {
            url.to_owned()
        } else {
            let joint = if url.contains('?') { '&' } else { '?' };
            format!("{url}{joint}connect_timeout=5")
        };
        let mut conn = PgConnection::establish(&url).map_err(cannot_connect)?;
        conn.batch_execute(&format!(
            "SET client_min_messages = warning;
             SET timezone = 'UTC';
             SET lock_timeout = {};
             SET idle_in_transaction_session_timeout = '60s'",
            self.options.busy_timeout.as_millis()
        ))?;
        if rights == Rights::Service {
            take_role(&mut conn, &self.options.app_role)?;
        }
        Ok(Link {
            conn: Conn::Postgres(conn),
            broken: false,
            file: None,
        })
    }
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    busy: i32,
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    yes: bool,
}

/// Becomes the application role and makes sure that row-level security applies to it.
fn take_role(conn: &mut PgConnection, role: &str) -> Result<(), StoreError> {
    conn.batch_execute(&format!("SET ROLE \"{role}\"")).map_err(|error| {
        let said = error.to_string();
        if said.contains("permission denied to set role") {
            return StoreError::Unsupported(
                "the role of the database URL may not become the application role: GRANT it (registry_app) to that role",
            );
        }
        match StoreError::from(error) {
            // The migrations make the role `registry_app`, so that before them there is none.
            StoreError::Internal(_) if is_there(conn, "cases") => StoreError::Unsupported(
                "there is no such application role: the migrations make registry_app",
            ),
            StoreError::Internal(_) => StoreError::Unavailable(Outage::NotMigrated),
            other => other,
        }
    })?;
    let mighty: Answer = diesel::sql_query(
        "SELECT rolsuper OR rolbypassrls OR EXISTS (
             SELECT 1 FROM pg_class c WHERE c.relname = 'cases' AND c.relowner = r.oid
         ) AS yes FROM pg_roles r WHERE rolname = current_user",
    )
    .get_result(conn)?;
    if mighty.yes {
        return Err(StoreError::Unsupported(
            "the application role is a superuser, owns the tables, or bypasses row-level security",
        ));
    }
    Ok(())
}

/// Whether a table is there.
fn is_there(conn: &mut PgConnection, table: &str) -> bool {
    let query = "SELECT to_regclass($1) IS NOT NULL AS yes";
    let found = diesel::sql_query(query).bind::<diesel::sql_types::Text, _>(table);
    found.get_result::<Answer>(conn).is_ok_and(|answer| answer.yes)
}

fn cannot_connect(error: ConnectionError) -> StoreError {
    let said = match &error {
        ConnectionError::BadConnection(message) => outage_of(message),
        _ => None,
    };
    StoreError::Unavailable(said.unwrap_or(Outage::Unreachable))
}

/// An empty file for a database, whatever the umask: what is not sealed in it (pseudonyms, names of people) is for the service's own account.
/// SQLite gives the files it makes beside it the same permissions.
pub(crate) fn new_file(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    match options.open(path) {
        // Another process made it in between.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(_) => Err(StoreError::Unavailable(Outage::Missing)),
        Ok(_) => Ok(()),
    }
}

/// `file:` URI of a path, which is how the opening mode is said.
fn file_uri(path: &Path, mode: &str) -> Result<String, StoreError> {
    let text = path.to_str().ok_or(StoreError::Invalid(
        "the path of the SQLite file is not valid UTF-8",
    ))?;
    let mut uri = String::from("file:");
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'~') {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri.push_str("?mode=");
    uri.push_str(mode);
    Ok(uri)
}

impl r2d2::ManageConnection for Dialer {
    type Connection = Link;
    type Error = StoreError;

    fn connect(&self) -> Result<Link, StoreError> {
        self.dial(Rights::Service)
    }

    fn is_valid(&self, link: &mut Link) -> Result<(), StoreError> {
        match &link.file {
            Some(file) => file.still_there(),
            None => link.conn.run("SELECT 1"),
        }
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        link.broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Acknowledged is durable: the log is flushed at every commit (`synchronous` 2), on every connection.
    #[test]
    fn an_embedded_database_flushes_its_log_at_every_commit() {
        #[derive(QueryableByName)]
        struct Pragma {
            #[diesel(sql_type = diesel::sql_types::Integer)]
            synchronous: i32,
        }
        let folder = tempfile::tempdir().expect("a folder");
        let mut options =
            StoreOptions::new(format!("sqlite:{}", folder.path().join("registry.db").display()));
        options.create = true;
        let dialer = Dialer::new(&options).expect("a path");
        for _ in 0..2 {
            let Conn::Sqlite(mut conn) = dialer.dial(Rights::Service).expect("it opens").conn else {
                panic!("no SQLite");
            };
            let found = diesel::sql_query("PRAGMA synchronous").get_result::<Pragma>(&mut conn);
            assert_eq!(found.expect("a number").synchronous, 2);
        }
    }
}
