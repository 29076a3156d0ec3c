//! Settings: defaults, then a TOML file, then the environment (`REGISTRY_*`). A wrong value stops the start with its key.

mod sign_in;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use registry_core::crypto::MasterKey;
use registry_core::storage::StoreOptions;
use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::LevelFilter;

pub use sign_in::{Oidc, Sessions};

/// Everything the service can be told.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where to listen and what the outside calls us.
    pub server: Server,
    /// Where the data live.
    pub database: Database,
    /// Secrets, as files.
    pub secrets: Secrets,
    /// Case schema, checks and guideline.
    pub schema: Schema,
    /// How much a request may be.
    pub limits: Limits,
    /// How long people stay signed in.
    pub sessions: Sessions,
    /// A provider with which people may sign in.
    pub oidc: Oidc,
    /// The ETL inside `serve`.
    pub runs: Runs,
    /// Where frozen releases are kept.
    pub releases: Releases,
    /// Disclosure thresholds, in patients.
    pub disclosure: Disclosure,
    /// The log.
    pub log: Log,
}

/// Where to listen.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address to bind.
    pub host: String,
    /// Port; 0 takes a free one.
    pub port: u16,
    /// What browsers call the service; `https://` makes cookies secure.
    pub public_url: Option<String>,
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// Worker threads for HTTP.
    pub workers: usize,
    /// Seconds a client may take to send its request's head.
    pub client_timeout_seconds: u64,
    /// Seconds that running requests get when the service stops.
    pub shutdown_seconds: u64,
    /// Token for `/metrics`; without one `/metrics` answers the local machine only.
    pub metrics_token_file: Option<PathBuf>,
}

/// Where the data live.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite:<path>` or `postgres://..`; may hold a password.
    pub url: String,
    /// Connections for reading.
    pub pool_size: u32,
    /// PostgreSQL: the role the service takes on.
    pub app_role: String,
}

/// Secrets, as files.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// File with the master key (64 hexadecimal digits).
    pub master_key_file: PathBuf,
}

/// Case schema, checks and guideline.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// Folder to read them from at the start; without it, what was compiled in.
    pub folder: Option<PathBuf>,
}

/// How much a request may be.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of one record.
    pub record_bytes: usize,
    /// Bytes of a batch.
    pub batch_bytes: usize,
    /// Items of a batch.
    pub batch_items: usize,
    /// A batch of more items than this is a job.
    pub batch_job_items: usize,
    /// Requests a second of one key or user.
    pub requests_per_second: NonZeroU32,
    /// Requests a second of one address without accepted credentials.
    pub anonymous_per_second: NonZeroU32,
    /// Attempts a minute to sign in with a password, of one address.
    pub sign_ins_per_minute: NonZeroU32,
}

/// The ETL inside `serve`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runs {
    /// Hours between scheduled runs; 0 for none.
    pub every_hours: u64,
}

/// Where frozen releases are kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Releases {
    /// Folder of the bundles; they hold case data without encryption, so only the service may read it.
    pub folder: PathBuf,
}

/// Disclosure thresholds, in patients.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// For the public.
    pub public: u32,
    /// For the committee and consortium releases.
    pub committee: u32,
}

/// The log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// `info`, `warn`, `registry_api=debug`, ...
    pub filter: String,
    /// `json` or `text`.
    pub format: LogFormat,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For a person at a terminal.
    Text,
}

/// Why the settings cannot be used. Names the key, never a secret.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A key is unknown, missing or of another type.
    #[error("setting {key}: {why}")]
    Key {
        /// Dotted name.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// A named file cannot be read.
    #[error("setting {key}: {path}: {why}")]
    File {
        /// Dotted name.
        key: &'static str,
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
}

impl Default for Settings {
    fn default() -> Self {
        let number = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        Self {
            server: Server {
                host: "127.0.0.1".to_owned(),
                port: 8080,
                public_url: None,
                trusted_proxies: Vec::new(),
                workers: 2,
                client_timeout_seconds: 15,
                shutdown_seconds: 20,
                metrics_token_file: None,
            },
            database: Database {
                url: "sqlite:registry.sqlite3".to_owned(),
                pool_size: 8,
                app_role: "registry_app".to_owned(),
            },
            secrets: Secrets {
                master_key_file: PathBuf::from("master.key"),
            },
            schema: Schema::default(),
            limits: Limits {
                record_bytes: 2 << 20,
                batch_bytes: 64 << 20,
                batch_items: 10_000,
                batch_job_items: 5_000,
                requests_per_second: number(100),
                anonymous_per_second: number(10),
                sign_ins_per_minute: number(20),
            },
            sessions: Sessions {
                idle_minutes: 30,
                absolute_hours: 12,
            },
            oidc: Oidc::default(),
            runs: Runs { every_hours: 0 },
            releases: Releases {
                folder: PathBuf::from("releases"),
            },
            disclosure: Disclosure {
                public: 11,
                committee: 5,
            },
            log: Log {
                filter: "info".to_owned(),
                format: LogFormat::Json,
            },
        }
    }
}

impl Settings {
    /// Reads `file` (if given, or `registry.toml` when it is there) and the environment (`REGISTRY_SERVER__PORT=8080`).
    ///
    /// # Errors
    /// The first key that cannot be used.
    pub fn load(file: Option<&Path>) -> Result<Self, SettingsError> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        match file {
            Some(path) if !path.exists() => {
                return Err(SettingsError::File {
                    key: "--config",
                    path: path.display().to_string(),
                    why: "no such file".to_owned(),
                });
            }
            Some(path) => figment = figment.merge(Toml::file_exact(path)),
            None if Path::new("registry.toml").exists() => {
                figment = figment.merge(Toml::file_exact("registry.toml"));
            }
            None => {}
        }
        let figment = figment.merge(
            Env::prefixed("REGISTRY_")
                .filter(|key| !key.starts_with("test_") && key != "key")
                .split("__"),
        );
        let settings: Self = figment.extract().map_err(|error| unreadable(&error))?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), SettingsError> {
        let wrong = |key: &str, why: &str| {
            Err(SettingsError::Key {
                key: key.to_owned(),
                why: why.to_owned(),
            })
        };
        // What the server library takes.
        if !(1..=512).contains(&self.server.workers) {
            return wrong("server.workers", "1 to 512");
        }
        // Without one nothing would end a connection whose request never comes.
        if !(1..=3600).contains(&self.server.client_timeout_seconds) {
            return wrong("server.client_timeout_seconds", "1 to 3600");
        }
        if self.server.shutdown_seconds > 3600 {
            return wrong("server.shutdown_seconds", "0 to 3600");
        }
        if self.runs.every_hours > 8784 {
            return wrong("runs.every_hours", "0 to 8784 (a year)");
        }
        if self.server.host.trim().is_empty() || self.server.host.contains(['/', ' ', '@']) {
            return wrong("server.host", "an address or a name, without a scheme or a port");
        }
        for (key, value) in [
            ("limits.record_bytes", self.limits.record_bytes),
            ("limits.batch_bytes", self.limits.batch_bytes),
            ("limits.batch_items", self.limits.batch_items),
            ("limits.batch_job_items", self.limits.batch_job_items),
        ] {
            if value == 0 {
                return wrong(key, "at least 1");
            }
        }
        if self.limits.batch_bytes < self.limits.record_bytes {
            return wrong("limits.batch_bytes", "at least as much as limits.record_bytes");
        }
        self.sessions.check()?;
        self.oidc.check(self.server.public_url.is_some())?;
        let schemes = ["sqlite:", "postgres://", "postgresql://"];
        if !schemes.iter().any(|scheme| self.database.url.starts_with(scheme)) {
            // The URL may hold a password: it is not repeated.
            return wrong("database.url", "begins with sqlite: or postgres://");
        }
        if self.schema.folder.as_ref().is_some_and(|folder| !folder.is_dir()) {
            return wrong("schema.folder", "no such folder");
        }
        if self.database.pool_size == 0 {
            return wrong("database.pool_size", "at least 1");
        }
        if self.disclosure.committee < 2 {
            return wrong("disclosure.committee", "at least 2");
        }
        if self.disclosure.public < self.disclosure.committee {
            return wrong("disclosure.public", "at least as much as disclosure.committee");
        }
        if self
            .server
            .public_url
            .as_deref()
            .is_some_and(|url| !is_origin(url))
        {
            return wrong(
                "server.public_url",
                "http:// or https:// and a host, without a path: https://registry.example.org",
            );
        }
        if !is_filter(&self.log.filter) {
            return wrong(
                "log.filter",
                "a level (`info`), or levels by part (`info,registry_core=debug`)",
            );
        }
        if let Some(bad) = self
            .server
            .trusted_proxies
            .iter()
            .find(|p| p.parse::<std::net::IpAddr>().is_err())
        {
            return wrong("server.trusted_proxies", &format!("`{bad}` is not an IP address"));
        }
        Ok(())
    }

    /// What the store opens.
    pub fn store_options(&self) -> StoreOptions {
        let mut options = StoreOptions::new(self.database.url.clone());
        options.pool_size = self.database.pool_size;
        options.app_role.clone_from(&self.database.app_role);
        options.session_idle = Duration::from_secs(self.sessions.idle_minutes * 60);
        options.session_absolute = Duration::from_secs(self.sessions.absolute_hours * 3600);
        options
    }

    /// The master key from its file.
    ///
    /// # Errors
    /// A file that is missing or holds no key.
    pub fn master_key(&self) -> Result<MasterKey, SettingsError> {
        let text = read_secret("secrets.master_key_file", &self.secrets.master_key_file)?;
        MasterKey::parse(&text).map_err(|e| SettingsError::File {
            key: "secrets.master_key_file",
            path: self.secrets.master_key_file.display().to_string(),
            why: e.to_string(),
        })
    }

    /// The token for `/metrics`, if one is set.
    ///
    /// # Errors
    /// A file that cannot be read or is empty.
    pub fn metrics_token(&self) -> Result<Option<String>, SettingsError> {
        let file = self.server.metrics_token_file.as_deref();
        file.map(|path| read_token("server.metrics_token_file", path))
            .transpose()
    }

    /// Makes the folder of releases and proves that it can be written to.
    ///
    /// # Errors
    /// A folder that cannot be made or written to.
    pub fn check_releases_folder(&self) -> Result<(), SettingsError> {
        let folder = &self.releases.folder;
        let probe = folder.join(format!(".{}.probe", std::process::id()));
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&probe, b""))
            .and_then(|()| std::fs::remove_file(&probe))
            .map_err(|e| SettingsError::File {
                key: "releases.folder",
                path: folder.display().to_string(),
                why: e.to_string(),
            })
    }

    /// What browsers call the service, as far as the settings say: for links that are handed to people.
    pub fn address(&self) -> String {
        let named = self
            .server
            .public_url
            .as_deref()
            .map(|url| url.trim_end_matches('/'));
        named.map_or_else(
            || format!("http://{}:{}", self.server.host, self.server.port),
            str::to_owned,
        )
    }

    /// Whether browsers reach the service over HTTPS.
    pub fn is_https(&self) -> bool {
        self.server
            .public_url
            .as_deref()
            .is_some_and(|u| u.starts_with("https://"))
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = self.database.url.split(':').next().unwrap_or_default();
        f.debug_struct("Settings")
            .field("server", &self.server)
            .field("database", &format!("{scheme}:(redacted)"))
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Whether an address is a scheme and a host, with a port or without.
fn is_origin(url: &str) -> bool {
    let Ok(uri) = url.parse::<actix_web::http::Uri>() else {
        return false;
    };
    let web = matches!(uri.scheme_str(), Some("http" | "https"));
    let host = uri.authority().is_some_and(|authority| {
        let sound = authority
            .host()
            .starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
        let bare = authority.as_str() == authority.host();
        sound && (bare || authority.port_u16().is_some()) && !authority.as_str().contains('@')
    });
    web && host && uri.path() == "/" && uri.query().is_none() && !url.contains('#')
}

/// Whether a filter says what is logged: anything that is no level would be taken for the name of a part, and nothing else be logged.
fn is_filter(filter: &str) -> bool {
    let reads = tracing_subscriber::EnvFilter::try_new(filter).is_ok();
    let part = |part: &str| part.contains(['=', '[']) || part.parse::<LevelFilter>().is_ok();
    reads && !filter.is_empty() && filter.split(',').all(part)
}

/// What cannot be read of the settings, by its key; of a file that is no TOML the place. Nothing of its lines is repeated.
fn unreadable(error: &figment::Error) -> SettingsError {
    use figment::error::Kind;
    let mut path = error.path.clone();
    if let Kind::UnknownField(name, _) = &error.kind
        && path.last() != Some(name)
    {
        path.push(name.clone());
    }
    let why = error.kind.to_string();
    if !path.is_empty() {
        return SettingsError::Key {
            key: path.join("."),
            why,
        };
    }
    // The lines between the place and the reason show the file's own.
    let lines: Vec<&str> = why
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let why = match (lines.first(), lines.last()) {
        (Some(place), Some(reason)) if lines.len() > 1 => format!("{place}: {reason}"),
        (Some(all), _) => (*all).to_owned(),
        _ => "the settings cannot be read".to_owned(),
    };
    let source = error
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.source.as_ref());
    SettingsError::File {
        key: "--config",
        path: source.map_or_else(|| "registry.toml".to_owned(), ToString::to_string),
        why,
    }
}

/// A secret that is sent as it is: without the white space around it, and not empty.
fn read_token(key: &'static str, path: &Path) -> Result<String, SettingsError> {
    let text = read_secret(key, path)?;
    match text.trim() {
        "" => Err(SettingsError::File {
            key,
            path: path.display().to_string(),
            why: "the file is empty".to_owned(),
        }),
        token => Ok(token.to_owned()),
    }
}

fn read_secret(key: &'static str, path: &Path) -> Result<String, SettingsError> {
    std::fs::read_to_string(path).map_err(|e| SettingsError::File {
        key,
        path: path.display().to_string(),
        why: e.to_string(),
    })
}

#[cfg(test)]
mod tests;
