//! A database of a test's own, gone when the test ends.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use tempfile::TempDir;

use crate::skip::skipped;

/// A fresh, empty database.
pub struct Database {
    url: String,
    postgres: Option<(String, String)>,
    _folder: Option<TempDir>,
}

impl Database {
    /// A new SQLite file.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("registry.sqlite3").display());
        Self {
            url,
            postgres: None,
            _folder: Some(folder),
        }
    }

    /// A new database on the server of `REGISTRY_TEST_POSTGRES`; `None` (said on standard error) where there is none,
    /// which in CI is a failure.
    pub fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var("REGISTRY_TEST_POSTGRES") else {
            skipped("tests on PostgreSQL, because REGISTRY_TEST_POSTGRES is not set");
            return None;
        };
        let name = format!("registry_it_{}", uuid());
        psql(&server, &format!("CREATE DATABASE {name}"));
        let (base, _) = server.rsplit_once('/').expect("a URL with a database");
        Some(Self {
            url: format!("{base}/{name}"),
            postgres: Some((server, name)),
            _folder: None,
        })
    }

    /// Makes it read-only or takes that back: a file is marked; a PostgreSQL server is as one that became a standby, open connections end.
    pub fn set_read_only(&self, read_only: bool) {
        let Some((server, name)) = &self.postgres else {
            let file = self.url.strip_prefix("sqlite:").expect("a file");
            let mode = if read_only { 0o400 } else { 0o600 };
            return std::fs::set_permissions(file, Permissions::from_mode(mode)).expect("marked");
        };
        let setting = if read_only { "on" } else { "off" };
        psql(
            server,
            &format!("ALTER DATABASE {name} SET default_transaction_read_only = {setting}"),
        );
        psql(
            server,
            &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
        );
    }

    /// What the settings take.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.postgres {
            psql(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

fn psql(server: &str, statement: &str) {
    let out = Command::new("psql")
        .args([server, "-qXc", statement])
        .output()
        .expect("psql runs");
    assert!(
        out.status.success(),
        "{statement}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
}

fn uuid() -> String {
    let mut bytes = [0u8; 8];
    rand::fill(&mut bytes[..]);
    hex::encode(bytes)
}
