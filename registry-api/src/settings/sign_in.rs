//! How people sign in: how long they stay signed in, and a provider with which they may.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{SettingsError, read_token};

fn wrong(key: &str, why: &str) -> Result<(), SettingsError> {
    Err(SettingsError::Key {
        key: key.to_owned(),
        why: why.to_owned(),
    })
}

/// How long people stay signed in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// Minutes without a request after which a session ends.
    pub idle_minutes: u64,
    /// Hours after which it ends whatever happens.
    pub absolute_hours: u64,
}

impl Sessions {
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        if !(1..=24 * 30).contains(&self.absolute_hours) {
            return wrong("sessions.absolute_hours", "1 to 720");
        }
        if self.idle_minutes == 0 || self.idle_minutes > self.absolute_hours * 60 {
            return wrong(
                "sessions.idle_minutes",
                "at least 1, and no longer than sessions.absolute_hours",
            );
        }
        Ok(())
    }
}

/// A provider with which people may sign in (OpenID Connect); none without an issuer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// Its address, as its metadata write it.
    pub issuer: Option<String>,
    /// What it calls this registry.
    pub client_id: Option<String>,
    /// File with the secret that it gave this registry; without one the registry is a public client.
    pub client_secret_file: Option<PathBuf>,
    /// What people call it.
    pub name: Option<String>,
}

impl Oidc {
    /// What pages call the provider, when there is one.
    pub fn shown(&self) -> Option<String> {
        self.issuer.as_ref()?;
        Some(self.name.clone().unwrap_or_else(|| "your institution".to_owned()))
    }

    /// The secret that the provider gave this registry, if one is set.
    ///
    /// # Errors
    /// A file that cannot be read or is empty.
    pub fn client_secret(&self) -> Result<Option<String>, SettingsError> {
        let file = self.client_secret_file.as_deref();
        file.map(|path| read_token("oidc.client_secret_file", path))
            .transpose()
    }

    pub(super) fn check(&self, public_url: bool) -> Result<(), SettingsError> {
        let Some(issuer) = &self.issuer else {
            let alone = [
                ("oidc.client_id", self.client_id.is_some()),
                ("oidc.client_secret_file", self.client_secret_file.is_some()),
                ("oidc.name", self.name.is_some()),
            ];
            return match alone.into_iter().find(|(_, there)| *there) {
                Some((key, _)) => wrong(key, "is of no use without oidc.issuer"),
                None => Ok(()),
            };
        };
        let here = ["http://127.0.0.1:", "http://localhost:"];
        if !issuer.starts_with("https://") && !here.iter().any(|start| issuer.starts_with(start)) {
            return wrong("oidc.issuer", "begins with https://");
        }
        if self.client_id.as_deref().unwrap_or_default().is_empty() {
            return wrong("oidc.client_id", "needed with oidc.issuer");
        }
        if !public_url {
            return wrong(
                "server.public_url",
                "needed with oidc.issuer, which sends people back there",
            );
        }
        Ok(())
    }
}
