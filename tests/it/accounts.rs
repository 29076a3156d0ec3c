//! `/invitation`, `/sign-in/password`, `/account`, `/users`, `/api/v1/users`: accounts of people.

use registry_core::access::{TotpSecret, code_at};
use serde_json::{Value, json};
use support::client::{Answer, Client};
use support::database::Database;
use support::service::Service;

use crate::session::{FORM, cookie, signed_in};

const LOGIN: &str = "li@hospital.example";
const PASSWORD: &str = "tin lantern, seven oars";

/// A browser: it keeps its cookie.
struct Browser<'a> {
    service: &'a Service,
    client: Client,
    cookie: String,
}

impl<'a> Browser<'a> {
    fn new(service: &'a Service) -> Self {
        Self {
            client: service.anonymous(),
            service,
            cookie: String::new(),
        }
    }

    fn page(&self, path: &str) -> Answer {
        let headers = [("cookie", self.cookie.as_str()), ("accept", "text/html")];
        self.client.get_with(path, &headers)
    }

    /// Sends a form with the token of a page of the session, if there is one.
    fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send_from(path, fields, "same-origin")
    }

    fn send_from(&mut self, path: &str, fields: &[(&str, &str)], site: &str) -> Answer {
        let csrf = match self.cookie.as_str() {
            "" => String::new(),
            _ => between(&self.page("/account").text(), "name=\"csrf\" value=\"", "\""),
        };
        let mut all = fields.to_vec();
        all.push(("csrf", &csrf));
        let body = serde_urlencoded::to_string(&all).expect("a form");
        let headers = [
            FORM,
            ("cookie", self.cookie.as_str()),
            ("accept", "text/html"),
            ("sec-fetch-site", site),
        ];
        let answer = self.client.send("POST", path, &headers, Some(body.as_bytes()));
        if answer.header("set-cookie").is_some() {
            self.cookie = cookie(&answer);
        }
        answer
    }

    fn sign_in(&mut self, password: &str, code: &str) -> Answer {
        let fields = [("login", LOGIN), ("password", password), ("code", code)];
        self.send("/sign-in/password", &fields)
    }

    fn set_up(&mut self, token: &str, password: &str) -> Answer {
        let code = code_at(&secret(self.service, token), self.service.now());
        let fields = [
            ("token", token),
            ("password", password),
            ("again", password),
            ("code", code.as_str()),
        ];
        self.send("/invitation", &fields)
    }
}

fn between(text: &str, before: &str, after: &str) -> String {
    let rest = text.split(before).nth(1).unwrap_or_default();
    rest.split(after).next().unwrap_or_default().to_owned()
}

fn secret(service: &Service, token: &str) -> TotpSecret {
    service.state().store.enrolment(token).expect("a link").secret
}

/// Invites somebody through the API; answers the id and the token of the link.
fn invite(service: &Service) -> (String, String) {
    let wanted = json!({"login": LOGIN, "name": "Li Wei", "role": "submitter", "centre": "C01"});
    let made = service
        .client("coordinator", None)
        .post("/api/v1/users", &[], &wanted)
        .expect(201);
    made_of(&made.json())
}

fn made_of(made: &Value) -> (String, String) {
    let link = made["link"].as_str().expect("a link");
    let (_, token) = link.split_once("/invitation?token=").expect("a token");
    let id = made["user"]["person_id"].as_str().expect("an id");
    (id.to_owned(), token.to_owned())
}

/// The recovery codes of a page that shows them.
fn codes_of(page: &Answer) -> Vec<String> {
    let text = page.text();
    let items = text.split("<li><code>").skip(1);
    items
        .map(|item| item.split('<').next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn an_invited_person_sets_up_signs_in_and_signs_out_everywhere() {
    let service = Service::start();
    let (_, token) = invite(&service);
    let mut browser = Browser::new(&service);
    for _ in 0..2 {
        let page = browser
            .page(&format!("/invitation?token={token}"))
            .expect(200)
            .text();
        let grouped = between(&page, "Key: <code>", "<");
        assert_eq!(grouped.replace(' ', ""), secret(&service, &token).base32());
        assert!(page.contains(LOGIN) && page.contains("otpauth://totp/"), "{page}");
    }
    // What is wrong is said, and nothing is used up.
    let weak = browser.set_up(&token, "Password20261!").expect(422).text();
    assert!(weak.contains("too common"), "{weak}");
    let fields = [
        ("token", token.as_str()),
        ("password", PASSWORD),
        ("again", "x"),
        ("code", "1"),
    ];
    let different = browser.send("/invitation", &fields).expect(422).text();
    assert!(different.contains("not the same") && !different.contains(PASSWORD));
    let fields = [
        ("token", token.as_str()),
        ("password", PASSWORD),
        ("again", PASSWORD),
        ("code", "1"),
    ];
    browser.send("/invitation", &fields).expect(422);

    let done = browser.set_up(&token, PASSWORD).expect(200);
    let codes = codes_of(&done);
    assert_eq!(codes.len(), 10);
    assert_eq!(done.header("cache-control"), Some("no-store"));
    assert!(
        browser
            .page("/cases")
            .expect(200)
            .text()
            .contains("Data manager, C01")
    );
    Browser::new(&service)
        .page(&format!("/invitation?token={token}"))
        .expect(403);

    let mut elsewhere = Browser::new(&service);
    elsewhere.sign_in(PASSWORD, &codes[0]).expect(303);
    elsewhere.page("/cases").expect(200);
    let account = elsewhere.page("/account").expect(200).text();
    assert!(
        account.contains("another browser") && account.contains("9 left"),
        "{account}"
    );
    elsewhere.send("/account/sign-out-everywhere", &[]).expect(303);
    browser.page("/cases").expect(401);
    assert_eq!(elsewhere.cookie, "registry_session=", "the browser forgets it");
    browser.sign_in(PASSWORD, &codes[1]).expect(303);
    browser.page("/cases").expect(200);
    service.verify_audit();
}

#[test]
fn the_code_of_the_app_signs_in_once() {
    let service = Service::start();
    let (_, token) = invite(&service);
    let secret = secret(&service, &token);
    Browser::new(&service).set_up(&token, PASSWORD).expect(200);
    let used = code_at(&secret, service.now());
    Browser::new(&service).sign_in(PASSWORD, &used).expect(403);
    service.advance_minutes(1);
    let code = code_at(&secret, service.now());
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    Browser::new(&service).sign_in(PASSWORD, &spaced).expect(303);
    Browser::new(&service).sign_in(PASSWORD, &code).expect(403);
}

#[test]
fn whatever_was_wrong_the_answer_is_the_same() {
    let service = Service::start();
    let (_, token) = invite(&service);
    let codes = codes_of(&Browser::new(&service).set_up(&token, PASSWORD).expect(200));
    let attempt = |login: &str, password: &str, code: &str| {
        let fields = [("login", login), ("password", password), ("code", code)];
        let answer = Browser::new(&service)
            .send("/sign-in/password", &fields)
            .expect(403);
        assert_eq!(answer.header("set-cookie"), None);
        answer.text()
    };
    let unknown = attempt("nobody@hospital.example", PASSWORD, &codes[0]);
    assert!(!unknown.contains("nobody"));
    for (login, password, code) in [
        (LOGIN, "wrong", codes[0].as_str()),
        (LOGIN, PASSWORD, "000000"),
        (LOGIN, "", ""),
        ("", "", ""),
        ("'; DROP TABLE people; --", "\u{0}", "<script>"),
    ] {
        assert_eq!(attempt(login, password, code), unknown, "{login}");
    }
    Browser::new(&service).sign_in(PASSWORD, &codes[0]).expect(303);
}

#[test]
fn a_session_has_a_new_id_and_ends_when_idle_and_at_its_end() {
    let service = Service::start_with(Database::sqlite(), |settings| {
        settings.server.public_url = Some("https://registry.example.org".to_owned());
        settings.sessions.idle_minutes = 10;
        settings.sessions.absolute_hours = 1;
    });
    let (_, token) = invite(&service);
    let mut browser = Browser::new(&service);
    let done = browser.set_up(&token, PASSWORD).expect(200);
    let set = done.header("set-cookie").expect("a cookie");
    for part in [
        "__Host-registry_session=",
        "HttpOnly",
        "Secure",
        "Path=/",
        "SameSite=Lax",
    ] {
        assert!(set.contains(part), "{part}: {set}");
    }
    assert!(!set.contains("Domain"), "{set}");
    let codes = codes_of(&done);
    let first = browser.cookie.clone();
    browser.sign_in(PASSWORD, &codes[0]).expect(303);
    let second = std::mem::replace(&mut browser.cookie, first.clone());
    assert_ne!(first, second);
    browser.page("/cases").expect(401);
    browser.cookie = second;
    // A request now and then keeps it, and the end comes all the same.
    for _ in 0..6 {
        browser.page("/cases").expect(200);
        service.advance_minutes(9);
    }
    browser.page("/cases").expect(200);
    service.advance_minutes(9);
    browser.page("/cases").expect(401);
    browser.sign_in(PASSWORD, &codes[1]).expect(303);
    service.advance_minutes(11);
    browser.page("/cases").expect(401);
}

#[test]
fn another_sites_page_signs_nobody_in() {
    let service = Service::start();
    let (_, token) = invite(&service);
    let codes = codes_of(&Browser::new(&service).set_up(&token, PASSWORD).expect(200));
    for site in ["cross-site", "same-site"] {
        let fields = [
            ("login", LOGIN),
            ("password", PASSWORD),
            ("code", codes[0].as_str()),
        ];
        let mut browser = Browser::new(&service);
        browser.send_from("/sign-in/password", &fields, site).expect(403);
        assert_eq!(browser.cookie, "");
        browser.send_from("/invitation", &fields, site).expect(403);
        browser.send_from("/sign-in", &fields, site).expect(403);
    }
    let mut browser = Browser::new(&service);
    browser.sign_in(PASSWORD, &codes[0]).expect(303);
    let headers = [FORM, ("cookie", browser.cookie.as_str())];
    for path in [
        "/account/password",
        "/account/recovery-codes",
        "/account/sign-out-everywhere",
    ] {
        let answer = browser
            .client
            .send("POST", path, &headers, Some(b"csrf=guess"))
            .expect(403);
        assert_eq!(answer.code(), "csrf_token_missing");
    }
    browser.page("/cases").expect(200);
}

#[test]
fn an_address_tries_so_many_passwords_a_minute() {
    let service = Service::start_with(Database::sqlite(), |settings| {
        settings.limits.sign_ins_per_minute = std::num::NonZeroU32::new(3).expect("three");
    });
    let attempts: Vec<u16> = (0..4)
        .map(|_| Browser::new(&service).sign_in("wrong", "000000").status)
        .collect();
    assert_eq!(attempts, [403, 403, 403, 429]);
    Browser::new(&service).page("/sign-in").expect(200);
}

#[test]
fn the_password_and_the_recovery_codes_are_changed_with_the_present_password() {
    let service = Service::start();
    let (_, token) = invite(&service);
    let mut browser = Browser::new(&service);
    let codes = codes_of(&browser.set_up(&token, PASSWORD).expect(200));
    let mut other = Browser::new(&service);
    other.sign_in(PASSWORD, &codes[0]).expect(303);
    let wanted = "eleven grey herons, one pond";
    let change = |present, wanted, again| [("present", present), ("wanted", wanted), ("again", again)];
    for (fields, said) in [
        (change("wrong", wanted, wanted), "not right"),
        (change(PASSWORD, wanted, "other"), "not the same"),
        (
            change(PASSWORD, "li@hospital.example", "li@hospital.example"),
            "not made of",
        ),
    ] {
        let page = browser.send("/account/password", &fields).expect(422).text();
        assert!(page.contains(said), "{said}");
        assert!(
            !page.contains(wanted) && !page.contains(PASSWORD),
            "no password is echoed"
        );
    }
    other.page("/account").expect(200);
    let before = browser.cookie.clone();
    browser
        .send("/account/password", &change(PASSWORD, wanted, wanted))
        .expect(303);
    assert_ne!(browser.cookie, before);
    browser.page("/account").expect(200);
    other.page("/account").expect(401);
    browser
        .send("/account/recovery-codes", &[("password", PASSWORD)])
        .expect(422);
    let renewed = codes_of(
        &browser
            .send("/account/recovery-codes", &[("password", wanted)])
            .expect(200),
    );
    assert_eq!(renewed.len(), 10);
    other.sign_in(wanted, &codes[1]).expect(403);
    other.sign_in(wanted, &renewed[0]).expect(303);
    // Who came through a sign-in link has no account to change.
    let mut link = Browser::new(&service);
    link.cookie = signed_in(&service);
    assert!(link.page("/account").expect(200).text().contains("no account"));
    link.send("/account/sign-out-everywhere", &[]).expect(409);
}

#[test]
fn the_office_invites_changes_resets_and_disables_by_page() {
    let service = Service::start();
    let mut office = Browser::new(&service);
    office.cookie = signed_in(&service);
    assert!(
        office
            .page("/users")
            .expect(200)
            .text()
            .contains("Nobody has been invited yet")
    );
    let hostile = "<b>Li</b>";
    let person = [
        ("login", LOGIN),
        ("name", hostile),
        ("role", "submitter"),
        ("centre", "C01"),
    ];
    let made = office.send("/users", &person).expect(200).text();
    let token = between(&made, "/invitation?token=", "<");
    assert!(
        made.contains(&format!("{}/invitation?token=", service.base())),
        "{made}"
    );
    assert!(
        !made.contains(hostile) && made.contains("&#60;b&#62;Li"),
        "{made}"
    );
    assert!(!office.page("/users").text().contains(&token), "shown once");
    office.send("/users", &person).expect(409);
    office
        .send(
            "/users",
            &[("login", "x y"), ("name", "X"), ("role", "committee")],
        )
        .expect(422);
    office
        .send(
            "/users",
            &[("login", "new@x.org"), ("name", "X"), ("role", "king")],
        )
        .expect(422);
    let mut li = Browser::new(&service);
    li.set_up(&token, PASSWORD).expect(200);
    let id = between(&office.page("/users").text(), "action=\"/users/", "/");

    office
        .send(
            &format!("/users/{id}/assign"),
            &[("role", "committee"), ("centre", "C01")],
        )
        .expect(303);
    li.page("/cases").expect(401);
    assert!(office.page("/users").text().contains("Steering committee"));
    let reset = office.send(&format!("/users/{id}/reset"), &[]).expect(200).text();
    let again = between(&reset, "/invitation?token=", "<");
    assert_ne!(again, token);
    li.set_up(&again, PASSWORD).expect(200);
    li.page("/runs").expect(200);
    li.page("/users").expect(403);
    office.send(&format!("/users/{id}/disable"), &[]).expect(303);
    li.page("/runs").expect(401);
    assert!(office.page("/users").text().contains("disabled"));
    office.send("/users/none/reset", &[]).expect(404);
    service.verify_audit();
}

#[test]
fn the_api_shows_no_secret_and_answers_the_office_only() {
    let service = Service::start();
    let (id, token) = invite(&service);
    let mut li = Browser::new(&service);
    li.set_up(&token, PASSWORD).expect(200);
    let office = service.client("admin", None);
    let listed = office.get("/api/v1/users").expect(200);
    let person = &listed.json()["users"][0];
    assert_eq!(
        (
            &person["login"],
            &person["role"],
            &person["centre"],
            &person["state"]
        ),
        (
            &json!(LOGIN),
            &json!("submitter"),
            &json!("C01"),
            &json!("active")
        )
    );
    for secret in [token.as_str(), "argon2", "totp", "password"] {
        assert!(!listed.text().contains(secret), "{secret}");
    }
    let path = |action: &str| format!("/api/v1/users/{id}:{action}");
    for role in ["researcher", "committee"] {
        let client = service.client(role, None);
        client.get("/api/v1/users").expect(403);
        for action in ["assign", "reset", "disable"] {
            client.post(&path(action), &[], &json!({})).expect(403);
        }
    }
    service.submitter("C01").get("/api/v1/users").expect(403);
    office
        .post("/api/v1/users", &[], &json!({"login": "x@y.org"}))
        .expect(422);
    let unknown = json!({"login": "x@y.org", "name": "X", "role": "committee", "state": "active"});
    office.post("/api/v1/users", &[], &unknown).expect(422);
    office
        .post(
            &path("assign"),
            &[],
            &json!({"role": "committee", "centre": "C01"}),
        )
        .expect(422);
    let moved = office
        .post(
            &path("assign"),
            &[],
            &json!({"role": "submitter", "centre": "C02"}),
        )
        .expect(200);
    assert_eq!(moved.json()["centre"], "C02");
    li.page("/cases").expect(401);
    let reset = office.post(&path("reset"), &[], &json!({})).expect(201);
    assert_eq!(reset.json()["user"]["state"], "invited");
    let (_, again) = made_of(&reset.json());
    office.post(&path("disable"), &[], &json!({})).expect(200);
    li.page(&format!("/invitation?token={again}")).expect(403);
    office
        .post("/api/v1/users/none:disable", &[], &json!({}))
        .expect(404);

    // A person of the office with an account, through the API with a session: not their own account.
    let wanted = json!({"login": "office@example.org", "name": "Office", "role": "coordinator"});
    let (own, token) = made_of(&office.post("/api/v1/users", &[], &wanted).expect(201).json());
    let mut browser = Browser::new(&service);
    browser.set_up(&token, PASSWORD).expect(200);
    let csrf = between(&browser.page("/account").text(), "name=\"csrf\" value=\"", "\"");
    let headers = [
        ("cookie", browser.cookie.as_str()),
        ("x-csrf-token", csrf.as_str()),
    ];
    let client = service.anonymous();
    client
        .post(
            &format!("/api/v1/users/{own}:assign"),
            &headers,
            &json!({"role": "admin"}),
        )
        .expect(409);
    client
        .post(&format!("/api/v1/users/{own}:reset"), &headers, &json!({}))
        .expect(409);
}
