//! `/sign-in/provider`, `/sign-in/callback`: signing in with a provider, against one made here that can be told to lie.

mod issuer;

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use registry_core::access::Scope;
use registry_core::storage::NewPerson;
use serde_json::{Value, json};
use support::client::Answer;
use support::database::Database;
use support::service::Service;

use issuer::{Issuer, Keys, b64};

const CLIENT: &str = "registry";
const SECRET: &str = "client secret: 100%";
const SUBJECT: &str = "subject-1";

fn with_issuer(issuer: &Issuer) -> (Service, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret");
    std::fs::write(&file, format!("{SECRET}\n")).expect("written");
    let service = Service::start_with(Database::sqlite(), |settings| {
        settings.server.public_url = Some("http://registry.test".to_owned());
        settings.oidc.issuer = Some(issuer.base.clone());
        settings.oidc.client_id = Some(CLIENT.to_owned());
        settings.oidc.client_secret_file = Some(file);
        settings.oidc.name = Some("the hospital".to_owned());
    });
    (service, folder)
}

/// A sign-in on its way: what the provider was asked, and what the browser keeps.
struct Away {
    cookie: String,
    asked: HashMap<String, String>,
}

impl Away {
    fn begin(service: &Service, invitation: Option<&str>) -> Self {
        let answer = match invitation {
            None => service.anonymous().get("/sign-in/provider").expect(303),
            Some(token) => bind(service, token, "same-origin").expect(200),
        };
        // A form may not lead to another site: from an invitation the browser goes on by itself.
        let refresh = answer.header("refresh").and_then(|to| to.strip_prefix("0; url="));
        let location = answer.header("location").or(refresh).expect("an address");
        let (_, query) = location.split_once("/auth?").expect("the provider's address");
        let set = answer.header("set-cookie").expect("a cookie");
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
        Self {
            asked: serde_urlencoded::from_str(query).expect("a query"),
            cookie: set.split(';').next().unwrap_or_default().to_owned(),
        }
    }

    fn of(&self, name: &str) -> &str {
        self.asked.get(name).map(String::as_str).unwrap_or_default()
    }

    fn claims(&self, service: &Service, issuer: &Issuer) -> Value {
        let now = service.now().timestamp();
        json!({"iss": issuer.base, "sub": SUBJECT, "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": self.of("nonce")})
    }

    fn back(&self, service: &Service, code: &str) -> Answer {
        self.back_with(
            service,
            &format!("code={code}&state={}&session_state=x", self.of("state")),
        )
    }

    fn back_with(&self, service: &Service, query: &str) -> Answer {
        let headers = [
            ("cookie", self.cookie.as_str()),
            ("sec-fetch-site", "cross-site"),
            ("accept", "text/html"),
        ];
        service
            .anonymous()
            .get_with(&format!("/sign-in/callback?{query}"), &headers)
    }
}

/// The form of an invitation's page, sent from a page of this site or of another.
fn bind(service: &Service, token: &str, site: &str) -> Answer {
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", site),
    ];
    let body = format!("token={token}");
    service
        .anonymous()
        .send("POST", "/sign-in/provider", &headers, Some(body.as_bytes()))
}

fn session_of(answer: &Answer) -> Option<String> {
    let set = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    let mut values = set.map(|(_, value)| value.split(';').next().unwrap_or_default().to_owned());
    values.find(|value| value.starts_with("registry_session=") && value.len() > 20)
}

fn invited(service: &Service, login: &str) -> String {
    let person = NewPerson {
        login: login.to_owned(),
        name: "Li Wei".to_owned(),
        role: registry_core::access::Role::Submitter,
        centre: Some("C01".to_owned()),
    };
    let made = service
        .state()
        .store
        .invite_person(&Scope::system("test"), person)
        .expect("invited");
    made.link.reveal().to_owned()
}

/// Binds the account of an invitation to [`SUBJECT`].
fn bound(service: &Service, issuer: &Issuer) {
    let token = invited(service, "li@hospital.example");
    let page = service
        .anonymous()
        .get(&format!("/invitation?token={token}"))
        .expect(200)
        .text();
    assert!(page.contains("Sign in with the hospital"), "{page}");
    // Neither a link nor another site's form begins it.
    service
        .anonymous()
        .get(&format!("/sign-in/provider?invitation={token}"))
        .expect(400);
    bind(service, &token, "cross-site").expect(403);
    let away = Away::begin(service, Some(&token));
    let id = issuer.keys.token(
        &json!({"alg": "EdDSA", "kid": "ed"}),
        &away.claims(service, issuer),
        "EdDSA",
    );
    issuer.grant("binding", away.of("code_challenge"), id);
    let done = away.back(service, "binding").expect(303);
    let session = session_of(&done).expect("a session");
    let account = service
        .anonymous()
        .get_with("/account", &[("cookie", session.as_str())])
        .expect(200)
        .text();
    assert!(account.contains("sign in with an account elsewhere"), "{account}");
    bind(service, &token, "same-origin").expect(403);
}

#[test]
fn an_invitation_binds_an_identity_which_then_signs_in_with_every_algorithm() {
    let issuer = Issuer::start();
    let (service, _folder) = with_issuer(&issuer);
    assert!(
        service
            .anonymous()
            .get("/sign-in")
            .expect(200)
            .text()
            .contains("Sign in with the hospital")
    );
    bound(&service, &issuer);
    for (alg, kid) in [
        ("RS256", "rsa"),
        ("PS256", "rsa"),
        ("ES256", "ec"),
        ("EdDSA", "ed"),
    ] {
        let away = Away::begin(&service, None);
        assert_eq!(
            (
                away.of("code_challenge_method"),
                away.of("scope"),
                away.of("response_type")
            ),
            ("S256", "openid", "code")
        );
        let id = issuer.keys.token(
            &json!({"alg": alg, "kid": kid}),
            &away.claims(&service, &issuer),
            alg,
        );
        issuer.grant("good", away.of("code_challenge"), id);
        let session = session_of(&away.back(&service, "good").expect(303)).expect("a session");
        service
            .anonymous()
            .get_with("/cases", &[("cookie", session.as_str())])
            .expect(200);
        // The code is used up, and so is the cookie's purpose.
        away.back(&service, "good").expect(403);
    }
    assert_eq!(issuer.asked("/jwks"), 1, "keys are kept");
    assert_eq!(issuer.asked("/.well-known/openid-configuration"), 1);
    service.verify_audit();
}

/// Changes header and claims; answers by which algorithm the token is signed all the same.
type Lie = fn(&mut Value, &mut Value, i64) -> &'static str;

fn without(claims: &mut Value, name: &str) -> &'static str {
    claims.as_object_mut().expect("claims").remove(name);
    "EdDSA"
}

const LIES: &[(&str, Lie)] = &[
    ("no signature", |header, _, _| {
        header["alg"] = json!("none");
        "none"
    }),
    ("no signature, written otherwise", |header, _, _| {
        header["alg"] = json!("nOnE");
        "none"
    }),
    ("the public key as a shared secret", |header, _, _| {
        *header = json!({"alg": "HS256", "kid": "rsa"});
        "HS256"
    }),
    ("the shared key of the set", |header, _, _| {
        *header = json!({"alg": "HS256", "kid": "oct"});
        "HS256"
    }),
    ("an algorithm not on the list", |header, _, _| {
        *header = json!({"alg": "RS384", "kid": "rsa"});
        "RS256"
    }),
    ("a key of another algorithm", |header, _, _| {
        *header = json!({"alg": "RS256", "kid": "ec"});
        "RS256"
    }),
    ("another scheme of the same key", |header, _, _| {
        *header = json!({"alg": "PS256", "kid": "rsa"});
        "RS256"
    }),
    ("signed by another key", |header, _, _| {
        *header = json!({"alg": "EdDSA", "kid": "ed"});
        "ES256"
    }),
    ("an unknown key", |header, _, _| {
        header["kid"] = json!("stranger");
        "EdDSA"
    }),
    ("a header that must be understood", |header, _, _| {
        header["crit"] = json!(["exp"]);
        "EdDSA"
    }),
    ("another issuer", |_, claims, _| {
        claims["iss"] = json!("https://login.example.org");
        "EdDSA"
    }),
    ("the issuer with a slash", |_, claims, _| {
        claims["iss"] = json!(format!("{}/", claims["iss"].as_str().unwrap_or_default()));
        "EdDSA"
    }),
    ("another audience", |_, claims, _| {
        claims["aud"] = json!("other");
        "EdDSA"
    }),
    ("other audiences", |_, claims, _| {
        claims["aud"] = json!(["other", "registry2"]);
        "EdDSA"
    }),
    ("no audience", |_, claims, _| without(claims, "aud")),
    ("two audiences and no authorised party", |_, claims, _| {
        claims["aud"] = json!(["registry", "other"]);
        "EdDSA"
    }),
    ("another authorised party", |_, claims, _| {
        claims["azp"] = json!("other");
        "EdDSA"
    }),
    ("expired", |_, claims, now| {
        claims["exp"] = json!(now - 61);
        "EdDSA"
    }),
    ("no end", |_, claims, _| without(claims, "exp")),
    ("an end in words", |_, claims, now| {
        claims["exp"] = json!((now + 300).to_string());
        "EdDSA"
    }),
    ("made in the future", |_, claims, now| {
        claims["iat"] = json!(now + 120);
        "EdDSA"
    }),
    ("made long ago", |_, claims, now| {
        claims["iat"] = json!(now - 3600);
        "EdDSA"
    }),
    ("no time", |_, claims, _| without(claims, "iat")),
    ("not yet", |_, claims, now| {
        claims["nbf"] = json!(now + 120);
        "EdDSA"
    }),
    ("no nonce", |_, claims, _| without(claims, "nonce")),
    ("another nonce", |_, claims, _| {
        claims["nonce"] = json!("of another sign-in");
        "EdDSA"
    }),
    ("nobody", |_, claims, _| without(claims, "sub")),
    ("an empty subject", |_, claims, _| {
        claims["sub"] = json!("");
        "EdDSA"
    }),
    ("somebody without an account", |_, claims, _| {
        claims["sub"] = json!("subject-2");
        "EdDSA"
    }),
    ("a mail address of an account", |_, claims, _| {
        claims["sub"] = json!("li@hospital.example");
        claims["email"] = json!("li@hospital.example");
        "EdDSA"
    }),
];

#[test]
fn no_forged_token_signs_in() {
    let issuer = Issuer::start();
    let (service, _folder) = with_issuer(&issuer);
    bound(&service, &issuer);
    let attempt = |name: &str, forge: &dyn Fn(&Away) -> String| {
        let away = Away::begin(&service, None);
        issuer.grant("forged", away.of("code_challenge"), forge(&away));
        let answer = away.back(&service, "forged");
        assert_eq!(answer.status, 403, "{name}: {}", answer.text());
        assert_eq!(session_of(&answer), None, "{name}");
        answer
            .text()
            .split("Reference")
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let honest = |away: &Away| {
        let claims = away.claims(&service, &issuer);
        issuer
            .keys
            .token(&json!({"alg": "EdDSA", "kid": "ed"}), &claims, "EdDSA")
    };
    let mut said = std::collections::BTreeSet::new();
    for (name, lie) in LIES {
        said.insert(attempt(name, &|away| {
            let mut header = json!({"alg": "EdDSA", "kid": "ed"});
            let mut claims = away.claims(&service, &issuer);
            let sign = lie(&mut header, &mut claims, service.now().timestamp());
            issuer.keys.token(&header, &claims, sign)
        }));
    }
    said.insert(attempt("a changed signature", &|away| {
        let token = honest(away);
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).expect("bytes");
        bytes[10] ^= 1;
        format!("{signed}.{}", b64(bytes))
    }));
    said.insert(attempt("changed claims", &|away| {
        let token = honest(away);
        let parts: Vec<&str> = token.split('.').collect();
        let mut claims = away.claims(&service, &issuer);
        claims["exp"] = json!(service.now().timestamp() + 301);
        format!("{}.{}.{}", parts[0], b64(claims.to_string()), parts[2])
    }));
    said.insert(attempt("a key that the token brings along", &|away| {
        let other = Keys::new();
        let own = other
            .published("")
            .pointer("/keys/2")
            .cloned()
            .unwrap_or_default();
        let header = json!({"alg": "EdDSA", "kid": "ed", "jwk": own});
        other.token(&header, &away.claims(&service, &issuer), "EdDSA")
    }));
    said.insert(attempt(
        "no name of a key, and the signature of another",
        &|away| {
            let claims = away.claims(&service, &issuer);
            Keys::new().token(&json!({"alg": "EdDSA"}), &claims, "EdDSA")
        },
    ));
    for text in ["", "a.b", "a.b.c.d", "....", "e30.e30.e30", "not a token"] {
        said.insert(attempt(text, &|_| text.to_owned()));
    }
    assert_eq!(said.len(), 1, "one sentence for all: {said:?}");
    // The same sign-in with an honest token works: what was refused was the lie.
    let away = Away::begin(&service, None);
    issuer.grant("good", away.of("code_challenge"), honest(&away));
    away.back(&service, "good").expect(303);
}

#[test]
fn an_answer_belongs_to_the_browser_that_asked() {
    let issuer = Issuer::start();
    let (service, _folder) = with_issuer(&issuer);
    bound(&service, &issuer);
    let honest = |away: &Away| {
        let claims = away.claims(&service, &issuer);
        issuer
            .keys
            .token(&json!({"alg": "EdDSA", "kid": "ed"}), &claims, "EdDSA")
    };
    let (mine, theirs) = (Away::begin(&service, None), Away::begin(&service, None));
    assert_ne!(mine.of("state"), theirs.of("state"));
    assert_ne!(mine.of("nonce"), theirs.of("nonce"));
    issuer.grant("theirs", theirs.of("code_challenge"), honest(&theirs));
    let before = issuer.asked("/token");
    // Another's state, no state, no cookie, an answer of another issuer: refused before the provider is asked.
    let none = Away {
        cookie: String::new(),
        asked: theirs.asked.clone(),
    };
    for answer in [
        mine.back_with(&service, &format!("code=theirs&state={}", theirs.of("state"))),
        mine.back_with(&service, "code=theirs"),
        mine.back_with(
            &service,
            &format!("error=access_denied&state={}", mine.of("state")),
        ),
        mine.back_with(
            &service,
            &format!(
                "code=theirs&state={}&iss=https://login.example.org",
                mine.of("state")
            ),
        ),
        none.back(&service, "theirs"),
    ] {
        assert_eq!(session_of(&answer.expect(403)), None);
    }
    assert_eq!(issuer.asked("/token"), before);
    // Another's code with one's own state: the verifier does not belong to it, and it is used up.
    mine.back(&service, "theirs").expect(403);
    theirs.back(&service, "theirs").expect(403);
    // An invitation put into a sign-in that was not begun with it.
    let token = invited(&service, "mallory@hospital.example");
    let fresh = Away::begin(&service, None);
    let changed = Away {
        cookie: format!("{}{token}", fresh.cookie),
        asked: fresh.asked.clone(),
    };
    issuer.grant("fresh", fresh.of("code_challenge"), honest(&fresh));
    changed.back(&service, "fresh").expect(403);
    fresh.back(&service, "fresh").expect(303);
}

#[test]
fn keys_may_change_and_only_the_issuer_is_asked() {
    let issuer = Issuer::start();
    let (service, _folder) = with_issuer(&issuer);
    bound(&service, &issuer);
    issuer.told(|told| told.keys = issuer.keys.published("new-"));
    let attempt = || {
        let away = Away::begin(&service, None);
        let claims = away.claims(&service, &issuer);
        let id = issuer
            .keys
            .token(&json!({"alg": "ES256", "kid": "new-ec"}), &claims, "ES256");
        issuer.grant("new", away.of("code_challenge"), id);
        away.back(&service, "new").status
    };
    // Not asked again at once: who invents names of keys does not make the service ask.
    assert_eq!((attempt(), issuer.asked("/jwks")), (403, 1));
    service.advance_minutes(1);
    assert_eq!((attempt(), issuer.asked("/jwks")), (303, 2));

    let elsewhere = Issuer::start();
    for name in ["token_endpoint", "jwks_uri", "authorization_endpoint"] {
        service.advance_minutes(61);
        let own = issuer.told(|told| told.metadata[name].clone());
        issuer.told(|told| told.metadata[name] = json!(format!("{}/x", elsewhere.base)));
        service.anonymous().get("/sign-in/provider").expect(503);
        issuer.told(|told| told.metadata[name] = own);
    }
    let right = issuer.base.clone();
    issuer.told(|told| told.metadata["issuer"] = json!(elsewhere.base));
    service.anonymous().get("/sign-in/provider").expect(503);
    issuer.told(|told| told.metadata["issuer"] = json!(right));
    assert_eq!(elsewhere.told(|told| told.asked.len()), 0);
    service.anonymous().get("/sign-in/provider").expect(303);
}

#[test]
fn without_an_issuer_there_is_no_such_page() {
    let service = Service::start();
    service.anonymous().get("/sign-in/provider").expect(404);
    service
        .anonymous()
        .get("/sign-in/callback?code=x&state=y")
        .expect(404);
    assert!(
        !service
            .anonymous()
            .get("/sign-in")
            .expect(200)
            .text()
            .contains("/sign-in/provider")
    );
}
