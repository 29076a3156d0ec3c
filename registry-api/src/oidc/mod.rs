//! Signing in with a provider of the centres' choice: OpenID Connect, authorisation code flow with PKCE (S256), state and nonce.
//!
//! Only the configured issuer is ever contacted: the addresses that it names in its metadata must be its own, and no redirect is
//! followed. Identities are issuer and subject, never a mail address; which account they belong to is settled by an invitation.

mod flow;
mod token;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use flow::{Flow, LASTS_SECONDS};
pub use token::Refusal;
use token::{Expected, Jwk};

use crate::settings::{Settings, SettingsError};

/// Bytes of an answer of the issuer, at most.
const LARGEST: u64 = 256 * 1024;
/// Metadata and keys are asked for again after this long.
const FRESH: chrono::Duration = chrono::Duration::hours(1);
/// For a token that names a key not known yet, the keys are asked for again, at most so often.
const REFETCH: chrono::Duration = chrono::Duration::seconds(30);

/// Why nobody could be signed in with the issuer. For the log: names of what failed, never a value of the answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It cannot be reached, or answers with an error.
    #[error("{what} of the issuer: {why}")]
    Unreachable {
        /// Metadata, keys or token endpoint.
        what: &'static str,
        /// In a word.
        why: String,
    },
    /// Its metadata name another issuer, or addresses that are not its own.
    #[error("the issuer's metadata: {0}")]
    Metadata(&'static str),
    /// The code is not taken: used before, another's, too old.
    #[error("the issuer refuses the code")]
    Code,
    /// What it answered is not believed.
    #[error(transparent)]
    Token(#[from] Refusal),
}

#[derive(Debug, Clone, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Granted {
    id_token: String,
}

/// The configured issuer, with what it said of itself.
pub struct Provider {
    issuer: String,
    client_id: String,
    client_secret: Option<String>,
    redirect_uri: String,
    agent: ureq::Agent,
    metadata: Mutex<Option<(DateTime<Utc>, Metadata)>>,
    keys: Mutex<Option<(DateTime<Utc>, Vec<Jwk>)>>,
}

impl Provider {
    /// Of the settings; `None` without `oidc.issuer`. Nothing is asked yet: the service starts while the issuer is away.
    ///
    /// # Errors
    /// A secret that cannot be read.
    pub fn of(settings: &Settings) -> Result<Option<Self>, SettingsError> {
        let Some(issuer) = settings.oidc.issuer.clone() else {
            return Ok(None);
        };
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(10)))
            .build();
        Ok(Some(Self {
            issuer,
            client_id: settings.oidc.client_id.clone().unwrap_or_default(),
            client_secret: settings.oidc.client_secret()?,
            redirect_uri: format!("{}/sign-in/callback", settings.address()),
            agent: agent.into(),
            metadata: Mutex::new(None),
            keys: Mutex::new(None),
        }))
    }

    /// The configured issuer: half of an identity.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where the browser goes to sign in.
    ///
    /// # Errors
    /// The issuer does not answer, or not as it should.
    pub fn authorization_address(&self, flow: &Flow, now: DateTime<Utc>) -> Result<String, Failure> {
        let endpoint = self.metadata(now)?.authorization_endpoint;
        let query = serde_urlencoded::to_string([
            ("response_type", "code"),
            ("scope", "openid"),
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("state", flow.state().as_str()),
            ("nonce", flow.nonce().as_str()),
            ("code_challenge", flow.challenge().as_str()),
            ("code_challenge_method", "S256"),
        ])
        .map_err(|_| Failure::Metadata("an address cannot be written"))?;
        let mark = if endpoint.contains('?') { '&' } else { '?' };
        Ok(format!("{endpoint}{mark}{query}"))
    }

    /// Turns the code into the subject of an ID token that is believed.
    ///
    /// # Errors
    /// As [`Failure`] says.
    pub fn subject(&self, flow: &Flow, code: &str, now: DateTime<Utc>) -> Result<String, Failure> {
        let id_token = self.id_token(flow, code, now)?;
        let nonce = flow.nonce();
        let expected = Expected {
            issuer: &self.issuer,
            client_id: &self.client_id,
            nonce: &nonce,
            now,
        };
        let (asked_at, keys) = self.keys(now, FRESH)?;
        match token::subject(&id_token, &keys, &expected) {
            // The issuer may have changed its keys since.
            Err(Refusal::UnknownKey) if asked_at + REFETCH <= now => {
                let (_, keys) = self.keys(now, REFETCH)?;
                Ok(token::subject(&id_token, &keys, &expected)?)
            }
            other => Ok(other?),
        }
    }

    fn id_token(&self, flow: &Flow, code: &str, now: DateTime<Utc>) -> Result<String, Failure> {
        let endpoint = self.metadata(now)?.token_endpoint;
        let verifier = flow.verifier();
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("client_id", self.client_id.as_str()),
            ("code_verifier", verifier.as_str()),
        ];
        let mut request = self.agent.post(&endpoint).header("accept", "application/json");
        if let Some(secret) = &self.client_secret {
            let credentials = format!("{}:{}", encoded(&self.client_id), encoded(secret));
            request = request.header("authorization", format!("Basic {}", STANDARD.encode(credentials)));
        }
        let answer = request
            .send_form(fields)
            .map_err(|e| not_reached("token endpoint", &e))?;
        // RFC 6749, 5.2: 400 invalid_grant, or 401 for who we are.
        if answer.status().is_client_error() {
            return Err(Failure::Code);
        }
        Ok(read::<Granted>("token endpoint", answer)?.id_token)
    }

    fn metadata(&self, now: DateTime<Utc>) -> Result<Metadata, Failure> {
        if let Ok(known) = self.metadata.lock()
            && let Some((asked_at, metadata)) = known.as_ref()
            && *asked_at + FRESH > now
        {
            return Ok(metadata.clone());
        }
        let address = format!(
            "{}/.well-known/openid-configuration",
            self.issuer.trim_end_matches('/')
        );
        let metadata: Metadata = self.get("metadata", &address)?;
        if metadata.issuer != self.issuer {
            return Err(Failure::Metadata("they name another issuer"));
        }
        for address in [
            &metadata.authorization_endpoint,
            &metadata.token_endpoint,
            &metadata.jwks_uri,
        ] {
            if origin(address).is_none() || origin(address) != origin(&self.issuer) {
                return Err(Failure::Metadata("an address is not the issuer's own"));
            }
        }
        if let Ok(mut known) = self.metadata.lock() {
            *known = Some((now, metadata.clone()));
        }
        Ok(metadata)
    }

    /// The keys, asked for again when the copy is older than `fresh`, with when they were asked for.
    fn keys(
        &self,
        now: DateTime<Utc>,
        fresh: chrono::Duration,
    ) -> Result<(DateTime<Utc>, Vec<Jwk>), Failure> {
        if let Ok(known) = self.keys.lock()
            && let Some((asked_at, keys)) = known.as_ref()
            && *asked_at + fresh > now
        {
            return Ok((*asked_at, keys.clone()));
        }
        let address = self.metadata(now)?.jwks_uri;
        let all: Jwks = self.get("keys", &address)?;
        // A key of a kind that is not known here is no reason to refuse the others.
        let keys: Vec<Jwk> = all
            .keys
            .into_iter()
            .filter_map(|key| serde_json::from_value(key).ok())
            .collect();
        if let Ok(mut known) = self.keys.lock() {
            *known = Some((now, keys.clone()));
        }
        Ok((now, keys))
    }

    fn get<T: DeserializeOwned>(&self, what: &'static str, address: &str) -> Result<T, Failure> {
        let answer = self
            .agent
            .get(address)
            .header("accept", "application/json")
            .call();
        read(what, answer.map_err(|e| not_reached(what, &e))?)
    }
}

fn not_reached(what: &'static str, error: &ureq::Error) -> Failure {
    let why = error.to_string();
    Failure::Unreachable { what, why }
}

fn read<T: DeserializeOwned>(
    what: &'static str,
    mut answer: ureq::http::Response<ureq::Body>,
) -> Result<T, Failure> {
    let failed = |why: String| Failure::Unreachable { what, why };
    if !answer.status().is_success() {
        return Err(failed(format!("status {}", answer.status().as_u16())));
    }
    let bytes = answer.body_mut().with_config().limit(LARGEST).read_to_vec();
    let bytes = bytes.map_err(|e| failed(e.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|_| failed("not the JSON that it should be".to_owned()))
}

/// `application/x-www-form-urlencoded`, as RFC 6749, 2.3.1 wants it inside Basic credentials.
fn encoded(text: &str) -> String {
    let pair = BTreeMap::from([("", text)]);
    let whole = serde_urlencoded::to_string(pair).unwrap_or_default();
    whole.trim_start_matches('=').to_owned()
}

/// Scheme, host and port of an address.
fn origin(address: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = address.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    (!host.is_empty() && !host.contains('@')).then_some((scheme, host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert_eq!(origin("https://a.example:8/x?y"), Some(("https", "a.example:8")));
        assert_eq!(origin("https://a.example#x"), Some(("https", "a.example")));
        for none in ["a.example", "https://", "https://user@a.example/", "https:///x"] {
            assert_eq!(origin(none), None, "{none}");
        }
    }

    #[test]
    fn credentials_are_encoded_as_in_forms() {
        assert_eq!(encoded("a b:c=%/ü"), "a+b%3Ac%3D%25%2F%C3%BC");
    }
}
