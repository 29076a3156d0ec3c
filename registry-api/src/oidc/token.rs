//! An ID token: whether the issuer signed it, for us, now, for this very sign-in (OpenID Connect Core 1.0, 3.1.3.7; RFC 7519, RFC 8725).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

/// How far clocks may differ.
const SKEW_SECONDS: i64 = 60;
/// A token is made while the browser is on its way: an older one belongs to no sign-in that still goes on.
const OLDEST_SECONDS: i64 = 600;
/// Longest subject (OpenID Connect Core 1.0, 2).
const LONGEST_SUBJECT: usize = 255;

/// Why a token is not believed. For the log; the outside gets one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not three parts of base64url, or not the JSON that it should be.
    #[error("the ID token cannot be read")]
    Malformed,
    /// `none`, a shared secret, or another algorithm that is not on the list.
    #[error("the ID token is signed with an algorithm that is not taken")]
    Algorithm,
    /// A header that must be understood.
    #[error("the ID token has a critical header that is not understood")]
    Critical,
    /// No key of the issuer fits.
    #[error("the ID token names a key that the issuer has not")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("the signature of the ID token is wrong")]
    Signature,
    /// `iss`.
    #[error("the ID token is another issuer's")]
    Issuer,
    /// `aud`.
    #[error("the ID token is for another client")]
    Audience,
    /// `azp`.
    #[error("the ID token was given to another client")]
    AuthorizedParty,
    /// `exp`.
    #[error("the ID token has expired")]
    Expired,
    /// `iat` or `nbf`.
    #[error("the ID token was made in the future or too long ago")]
    IssuedAt,
    /// `nonce`.
    #[error("the ID token belongs to another sign-in")]
    Nonce,
    /// `sub`.
    #[error("the ID token names nobody")]
    Subject,
}

/// A key of the issuer (RFC 7517). Other members are not needed.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Jwk {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    usage: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

/// What is known before the token is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    /// The configured issuer.
    pub(super) issuer: &'a str,
    /// Our name there.
    pub(super) client_id: &'a str,
    /// Of this sign-in.
    pub(super) nonce: &'a str,
    /// The present.
    pub(super) now: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    azp: Option<String>,
    #[serde(default)]
    nonce: Option<String>,
}

/// Algorithms that are taken: asymmetric ones alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

impl Algorithm {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "PS256" => Self::Ps256,
            "ES256" => Self::Es256,
            "EdDSA" => Self::EdDsa,
            _ => return None,
        })
    }

    /// The key is of the algorithm's kind, and meant for signatures.
    fn fits(self, name: &str, key: &Jwk) -> bool {
        let kind = match self {
            Self::Rs256 | Self::Ps256 => key.kty == "RSA",
            Self::Es256 => key.kty == "EC" && key.crv.as_deref() == Some("P-256"),
            Self::EdDsa => key.kty == "OKP" && key.crv.as_deref() == Some("Ed25519"),
        };
        kind && key.usage.as_deref().is_none_or(|usage| usage == "sig")
            && key.alg.as_deref().is_none_or(|alg| alg == name)
    }

    fn verify(self, key: &Jwk, signed: &[u8], signature: &[u8]) -> Option<bool> {
        Some(match self {
            Self::Rs256 | Self::Ps256 => {
                let (n, e) = (bytes_of(key.n.as_deref())?, bytes_of(key.e.as_deref())?);
                let key = RsaPublicKeyComponents { n, e };
                let scheme = if self == Self::Rs256 {
                    &RSA_PKCS1_2048_8192_SHA256
                } else {
                    &RSA_PSS_2048_8192_SHA256
                };
                key.verify(scheme, signed, signature).is_ok()
            }
            Self::Es256 => {
                let (x, y) = (bytes_of(key.x.as_deref())?, bytes_of(key.y.as_deref())?);
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                    .verify(signed, signature)
                    .is_ok()
            }
            Self::EdDsa => UnparsedPublicKey::new(&ED25519, bytes_of(key.x.as_deref())?)
                .verify(signed, signature)
                .is_ok(),
        })
    }
}

fn bytes_of(text: Option<&str>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?).ok()
}

fn json_of<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, Refusal> {
    let bytes = bytes_of(Some(part)).ok_or(Refusal::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Refusal::Malformed)
}

/// The subject of a token that is believed.
///
/// # Errors
/// The first [`Refusal`]; nothing of the claims is looked at before the signature holds.
pub(super) fn subject(token: &str, keys: &[Jwk], expected: &Expected<'_>) -> Result<String, Refusal> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        return Err(Refusal::Malformed);
    };
    let head: Header = json_of(header)?;
    let algorithm = Algorithm::of(&head.alg).ok_or(Refusal::Algorithm)?;
    if head.crit.is_some() {
        return Err(Refusal::Critical);
    }
    let named = |key: &&Jwk| head.kid.is_none() || key.kid == head.kid;
    let mut fitting = keys
        .iter()
        .filter(named)
        .filter(|key| algorithm.fits(&head.alg, key));
    // Without a name there must be no choice.
    let (Some(key), None) = (fitting.next(), fitting.next()) else {
        return Err(Refusal::UnknownKey);
    };
    let signed = &token[..header.len() + 1 + payload.len()];
    let signature = bytes_of(Some(signature)).ok_or(Refusal::Malformed)?;
    match algorithm.verify(key, signed.as_bytes(), &signature) {
        Some(true) => checked(json_of(payload)?, expected),
        Some(false) => Err(Refusal::Signature),
        None => Err(Refusal::UnknownKey),
    }
}

fn checked(claims: Claims, expected: &Expected<'_>) -> Result<String, Refusal> {
    if claims.iss != expected.issuer {
        return Err(Refusal::Issuer);
    }
    let audience = match &claims.aud {
        Audience::One(one) => std::slice::from_ref(one),
        Audience::Many(all) => all.as_slice(),
    };
    if !audience.iter().any(|one| one == expected.client_id) {
        return Err(Refusal::Audience);
    }
    match &claims.azp {
        Some(party) if party != expected.client_id => return Err(Refusal::AuthorizedParty),
        None if audience.len() > 1 => return Err(Refusal::AuthorizedParty),
        _ => {}
    }
    let now = expected.now.timestamp();
    if claims.exp.saturating_add(SKEW_SECONDS) <= now {
        return Err(Refusal::Expired);
    }
    let latest = now + SKEW_SECONDS;
    let oldest = now - OLDEST_SECONDS - SKEW_SECONDS;
    if !(oldest..=latest).contains(&claims.iat) || claims.nbf.is_some_and(|nbf| nbf > latest) {
        return Err(Refusal::IssuedAt);
    }
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return Err(Refusal::Nonce);
    }
    if claims.sub.is_empty() || claims.sub.len() > LONGEST_SUBJECT || claims.sub.chars().any(char::is_control)
    {
        return Err(Refusal::Subject);
    }
    Ok(claims.sub)
}
