//! What to open.

use std::time::Duration;

/// Why the settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// Neither `sqlite:` nor `postgres:`.
    #[error("the database URL must start with `sqlite:` (a file path) or `postgres://`")]
    Scheme,
    /// An empty path.
    #[error(
        "the SQLite URL names no file: write `sqlite:registry.db` or `sqlite:///var/lib/registry/registry.db`"
    )]
    NoPath,
    /// A remote server with the client that speaks no TLS.
    #[error(
        "the built-in PostgreSQL client has no TLS and speaks to this machine only: build with --no-default-features --features postgres-tls for a remote server"
    )]
    RemoteWithoutTls,
    /// A remote server without TLS demanded.
    #[error("a remote PostgreSQL server needs `?sslmode=verify-full` (or verify-ca, require) in its URL")]
    RemoteNeedsTls,
    /// A service file or several sources of the host would hide which host is meant.
    #[error("the PostgreSQL URL may not use `service`, and its host must be written in the URL")]
    HiddenHost,
    /// The role name is not a plain identifier.
    #[error("the application role must be a plain lower-case name")]
    Role,
}

/// What to open and how. Start from [`StoreOptions::new`].
#[derive(Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// `sqlite:<path>` or `postgres://..`. May hold a password: never printed.
    pub url: String,
    /// Connections for reading (default 8); writing uses one more.
    pub pool_size: u32,
    /// Make the SQLite file if it is missing (default false: `serve` refuses a missing file; `migrate` and `demo` set it).
    pub create: bool,
    /// PostgreSQL: the role that every connection of the service takes on (`SET ROLE`); it owns nothing and row-level
    /// security applies to it. Default `registry_app`, which the migrations make.
    pub app_role: String,
    /// How long a locked database is waited for (default 5 s).
    pub busy_timeout: Duration,
    /// How long a free connection is waited for (default 5 s).
    pub connection_timeout: Duration,
    /// A browser session ends after this long without a request (default 30 min).
    pub session_idle: Duration,
    /// A browser session ends after this long whatever happens (default 12 h).
    pub session_absolute: Duration,
    /// An idempotency record is kept this long (default 24 h).
    pub idempotency_kept: Duration,
    /// A claimed idempotency key, or a run without a sign of life, is free again after this long (default 5 min).
    pub lease: Duration,
    /// SQLite: largest number of pages of the database (tests of a full disk); `None` is SQLite's own limit.
    pub max_page_count: Option<u32>,
}

impl StoreOptions {
    /// The defaults for `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            pool_size: 8,
            create: false,
            app_role: "registry_app".to_owned(),
            busy_timeout: Duration::from_secs(5),
            connection_timeout: Duration::from_secs(5),
            session_idle: Duration::from_secs(30 * 60),
            session_absolute: Duration::from_secs(12 * 3600),
            idempotency_kept: Duration::from_secs(24 * 3600),
            lease: Duration::from_secs(300),
            max_page_count: None,
        }
    }

    /// The same, making a missing SQLite file.
    #[must_use]
    pub fn creating(mut self) -> Self {
        self.create = true;
        self
    }
}

impl std::fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = self.url.split(':').next().unwrap_or_default();
        f.debug_struct("StoreOptions")
            .field("url", &format!("{scheme}:(redacted)"))
            .field("pool_size", &self.pool_size)
            .field("create", &self.create)
            .finish_non_exhaustive()
    }
}
