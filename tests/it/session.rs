//! `/sign-in`, `/sign-out`: browser sessions by one-time link, and the token that every form carries.

use registry_core::access::{Role, Scope};
use registry_core::storage::SignInLink;
use support::client::{Answer, Client};
use support::service::Service;

pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn link(service: &Service) -> String {
    link_of(service, Role::Coordinator)
}

fn link_of(service: &Service, role: Role) -> String {
    let state = service.state();
    let link = SignInLink {
        user: "test".to_owned(),
        role,
        centre: role.needs_centre().then(|| "C01".to_owned()),
        expires_at: state.ports.clock.now() + chrono::Duration::hours(1),
        reusable: false,
    };
    let token = state
        .store
        .create_sign_in_link(&Scope::system("test"), link)
        .expect("a link");
    token.reveal().to_owned()
}

fn redeem(client: &Client, token: &str) -> Answer {
    client.send(
        "POST",
        "/sign-in",
        &[FORM, ("accept", "text/html")],
        Some(format!("token={token}").as_bytes()),
    )
}

pub(crate) fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").expect("a cookie");
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
    set.split(';').next().unwrap_or_default().to_owned()
}

/// The cookie of a session of the coordinating office.
pub(crate) fn signed_in(service: &Service) -> String {
    cookie(&redeem(&service.anonymous(), &link(service)).expect(303))
}

/// The browser of somebody who has signed in.
pub(crate) struct Browser {
    client: Client,
    cookie: String,
}

impl Browser {
    pub(crate) fn of(service: &Service, role: Role) -> Self {
        let client = service.anonymous();
        let cookie = cookie(&redeem(&client, &link_of(service, role)).expect(303));
        Self { client, cookie }
    }

    pub(crate) fn open(&self, path: &str) -> Answer {
        let headers = [("cookie", self.cookie.as_str()), ("accept", "text/html")];
        self.client.get_with(path, &headers)
    }

    /// Sends fields as a form of the page `from` does, with its token.
    pub(crate) fn send(&self, from: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.open(from).expect(200).text();
        let token = page.split("name=\"csrf\" value=\"").nth(1);
        let token = token.and_then(|rest| rest.split('"').next());
        let mut all = vec![("csrf", token.expect("a token in a form"))];
        all.extend(fields);
        let body = serde_urlencoded::to_string(all).expect("a form");
        let headers = [FORM, ("cookie", self.cookie.as_str()), ("accept", "text/html")];
        self.client.send("POST", path, &headers, Some(body.as_bytes()))
    }
}

#[test]
fn opening_a_link_changes_nothing_and_using_it_uses_it_up() {
    let service = Service::start();
    let browser = service.anonymous();
    let token = link(&service);
    for _ in 0..3 {
        browser.get(&format!("/sign-in?token={token}")).expect(200);
    }
    let session = cookie(&redeem(&browser, &token).expect(303));
    browser
        .get_with("/runs", &[("cookie", &session), ("accept", "text/html")])
        .expect(200);
    redeem(&browser, &token).expect(403);
}

#[test]
fn a_form_without_its_token_is_refused() {
    let service = Service::start();
    let browser = service.anonymous();
    let session = cookie(&redeem(&browser, &link(&service)).expect(303));
    let headers = [FORM, ("cookie", session.as_str())];
    for body in ["", "csrf=", "csrf=guess"] {
        let answer = browser
            .send("POST", "/sign-out", &headers, Some(body.as_bytes()))
            .expect(403);
        assert_eq!(answer.code(), "csrf_token_missing");
    }
    let api = browser
        .post("/api/v1/runs", &[("cookie", &session)], &serde_json::json!({}))
        .expect(403);
    assert_eq!(api.code(), "csrf_token_missing");
    let page = browser
        .get_with("/runs", &[("cookie", &session), ("accept", "text/html")])
        .expect(200)
        .text();
    let token = page
        .split("name=\"csrf\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a token in the form");
    browser
        .send(
            "POST",
            "/sign-out",
            &headers,
            Some(format!("csrf={token}").as_bytes()),
        )
        .expect(303);
    browser.get_with("/runs", &[("cookie", &session)]).expect(401);
}

/// The token of the forms of a page, for the session of the cookie.
pub(crate) fn token(service: &Service, cookie: &str, path: &str) -> String {
    let page = service
        .anonymous()
        .get_with(path, &[("cookie", cookie), ("accept", "text/html")])
        .expect(200)
        .text();
    let rest = page.split("name=\"csrf\" value=\"").nth(1);
    let token = rest.and_then(|rest| rest.split('"').next());
    token.expect("a token in a form").to_owned()
}

/// The cookie of a session of a role, of a centre for the roles that have one.
pub(crate) fn signed_in_as(service: &Service, role: Role, centre: Option<&str>) -> String {
    let state = service.state();
    let link = SignInLink {
        user: format!("test {role}"),
        role,
        centre: centre.map(str::to_owned),
        expires_at: state.ports.clock.now() + chrono::Duration::hours(1),
        reusable: false,
    };
    let link = state
        .store
        .create_sign_in_link(&Scope::system("test"), link)
        .expect("a link");
    cookie(&redeem(&service.anonymous(), link.reveal()).expect(303))
}
