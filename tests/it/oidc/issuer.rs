//! A provider on a port of its own, with keys of its own: it does as a provider must, with whatever token a test puts into it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Made for this test with `openssl genpkey`; guards nothing.
const RSA_KEY: &[u8] = include_bytes!("../../support/rsa-test-key.der");

pub(super) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The provider's keys.
pub(super) struct Keys {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
}

impl Keys {
    pub(super) fn new() -> Self {
        let random = SystemRandom::new();
        let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let ed = Ed25519KeyPair::generate_pkcs8(&random).expect("a key");
        Self {
            rsa: RsaKeyPair::from_der(RSA_KEY).expect("a key"),
            ec: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, ec.as_ref(), &random)
                .expect("a key"),
            ed: Ed25519KeyPair::from_pkcs8(ed.as_ref()).expect("a key"),
        }
    }

    /// As the provider publishes them, under names that begin with `prefix`.
    pub(super) fn published(&self, prefix: &str) -> Value {
        let rsa = RsaPublicKeyComponents::<Vec<u8>>::from(self.rsa.public());
        let point = self.ec.public_key().as_ref();
        json!({"keys": [
            {"kty": "RSA", "kid": format!("{prefix}rsa"), "use": "sig", "n": b64(&rsa.n), "e": b64(&rsa.e)},
            {"kty": "EC", "kid": format!("{prefix}ec"), "crv": "P-256", "alg": "ES256", "x": b64(&point[1..33]), "y": b64(&point[33..])},
            {"kty": "OKP", "kid": format!("{prefix}ed"), "crv": "Ed25519", "x": b64(self.ed.public_key().as_ref())},
            {"kty": "oct", "kid": format!("{prefix}oct"), "k": b64("a shared secret of no use here")},
            {"kind": "of a later standard"},
        ]})
    }

    /// A token with this header and these claims, signed as `alg` says (or by the algorithm named in `sign`, to lie).
    pub(super) fn token(&self, header: &Value, claims: &Value, sign: &str) -> String {
        let signed = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
        let random = SystemRandom::new();
        let rsa = |scheme: &'static dyn RsaEncoding| {
            let mut signature = vec![0; self.rsa.public().modulus_len()];
            self.rsa
                .sign(scheme, &random, signed.as_bytes(), &mut signature)
                .expect("signed");
            signature
        };
        let signature = match sign {
            "RS256" => rsa(&RSA_PKCS1_SHA256),
            "PS256" => rsa(&RSA_PSS_SHA256),
            "ES256" => self
                .ec
                .sign(&random, signed.as_bytes())
                .expect("signed")
                .as_ref()
                .to_vec(),
            "EdDSA" => self.ed.sign(signed.as_bytes()).as_ref().to_vec(),
            // The public key as if it were a secret.
            "HS256" => {
                let public = self.rsa.public().as_ref();
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, public);
                ring::hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
            "none" => Vec::new(),
            other => panic!("{other}"),
        };
        format!("{signed}.{}", b64(signature))
    }
}

/// What the provider answers and has seen.
#[derive(Default)]
pub(super) struct Told {
    pub(super) metadata: Value,
    pub(super) keys: Value,
    /// Code: challenge of the sign-in it was made for, ID token.
    codes: HashMap<String, (String, String)>,
    pub(super) asked: Vec<String>,
}

/// A provider on a port of its own.
pub(super) struct Issuer {
    pub(super) base: String,
    told: Arc<Mutex<Told>>,
    pub(super) keys: Keys,
}

impl Issuer {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let keys = Keys::new();
        let told = Arc::new(Mutex::new(Told {
            metadata: json!({
                "issuer": base, "authorization_endpoint": format!("{base}/auth"), "token_endpoint": format!("{base}/token"),
                "jwks_uri": format!("{base}/jwks"), "response_types_supported": ["code"],
            }),
            keys: keys.published(""),
            ..Told::default()
        }));
        let shared = told.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &shared);
            }
        });
        Self { base, told, keys }
    }

    pub(super) fn told<T>(&self, change: impl FnOnce(&mut Told) -> T) -> T {
        change(&mut self.told.lock().expect("no poison"))
    }

    /// A code for this sign-in.
    pub(super) fn grant(&self, code: &str, challenge: &str, token: String) {
        self.told(|told| told.codes.insert(code.to_owned(), (challenge.to_owned(), token)));
    }

    pub(super) fn asked(&self, path: &str) -> usize {
        self.told(|told| told.asked.iter().filter(|asked| *asked == path).count())
    }
}

fn serve(mut stream: TcpStream, told: &Mutex<Told>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or_default() == 0 || line == "\r\n" {
            break;
        }
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().expect("a length");
        }
        head.push(line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let path = head
        .first()
        .and_then(|line| line.split(' ').nth(1))
        .unwrap_or_default()
        .to_owned();
    let mut told = told.lock().expect("no poison");
    told.asked.push(path.clone());
    let (status, answer) = match path.as_str() {
        "/.well-known/openid-configuration" => (200, told.metadata.clone()),
        "/jwks" => (200, told.keys.clone()),
        "/token" => granted(&mut told, &head, &body),
        _ => (404, json!({})),
    };
    let answer = answer.to_string();
    let whole = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
        answer.len()
    );
    drop(stream.write_all(whole.as_bytes()));
}

/// As a provider must: a code works once, for who began the sign-in and knows the client's secret.
fn granted(told: &mut Told, head: &[String], body: &[u8]) -> (u16, Value) {
    let fields: HashMap<String, String> = serde_urlencoded::from_bytes(body).expect("a form");
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let credentials = STANDARD.encode("registry:client+secret%3A+100%25");
    let basic = format!("authorization: basic {}", credentials.to_ascii_lowercase());
    assert!(
        head.iter().any(|line| line.trim().to_ascii_lowercase() == basic),
        "{head:?}"
    );
    assert_eq!(field("grant_type"), "authorization_code");
    assert_eq!(field("redirect_uri"), "http://registry.test/sign-in/callback");
    let found = told.codes.remove(field("code"));
    let challenge = b64(Sha256::digest(field("code_verifier")));
    match found {
        Some((wanted, token)) if wanted == challenge && field("code_verifier").len() >= 43 => (
            200,
            json!({"access_token": "unused", "token_type": "Bearer", "id_token": token}),
        ),
        _ => (400, json!({"error": "invalid_grant"})),
    }
}
