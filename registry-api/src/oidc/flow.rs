//! One sign-in on its way: what the browser keeps while it is at the issuer. State, nonce and code verifier follow from one secret in a
//! cookie, so that the service keeps nothing, and several processes need not share anything.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use registry_core::clock::Entropy;
use sha2::{Digest, Sha256};

/// How long a person may take at the issuer.
pub const LASTS_SECONDS: i64 = 600;

/// A sign-in on its way.
#[derive(Clone)]
pub struct Flow {
    secret: String,
    invitation: Option<String>,
}

impl Flow {
    /// A new one; with the token of an invitation, when an account is to be set up.
    pub fn begin(entropy: &dyn Entropy, invitation: Option<String>) -> Self {
        let mut secret = [0u8; 32];
        entropy.fill(&mut secret);
        Self {
            secret: URL_SAFE_NO_PAD.encode(secret),
            invitation,
        }
    }

    /// What the browser keeps.
    pub fn cookie(&self) -> String {
        format!(
            "{}.{}",
            self.secret,
            self.invitation.as_deref().unwrap_or_default()
        )
    }

    /// From what the browser kept, for the state that came back: `None` when it is another sign-in's.
    pub fn resume(cookie: &str, state: &str) -> Option<Self> {
        let (secret, invitation) = cookie.split_once('.')?;
        let flow = Self {
            secret: secret.to_owned(),
            invitation: (!invitation.is_empty()).then(|| invitation.to_owned()),
        };
        let whole = secret.len() == 43 && flow.state() == state;
        whole.then_some(flow)
    }

    /// The token of the invitation that brought the person here.
    pub fn invitation(&self) -> Option<&str> {
        self.invitation.as_deref()
    }

    /// Comes back with the browser: the answer is to the question that this browser asked. Bound to the invitation, too.
    pub fn state(&self) -> String {
        let invitation = self.invitation.as_deref().unwrap_or_default();
        self.derived("state", invitation)
    }

    /// Comes back in the ID token: it was made for this sign-in.
    pub fn nonce(&self) -> String {
        self.derived("nonce", "")
    }

    /// Proves to the token endpoint who asked for the code (RFC 7636).
    pub fn verifier(&self) -> String {
        self.derived("verifier", "")
    }

    /// The verifier's SHA-256, which goes ahead of it.
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier()))
    }

    fn derived(&self, purpose: &str, with: &str) -> String {
        let mut digest = Sha256::new();
        for part in ["rps-registry sign-in v1", purpose, self.secret.as_str(), with] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        URL_SAFE_NO_PAD.encode(digest.finalize())
    }
}
