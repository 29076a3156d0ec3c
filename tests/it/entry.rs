//! `/cases/new`, `/cases/{pseudonym}/edit`: the entry form saves with a browser session, and only from its own page.

use registry_core::access::{Role, Scope};
use registry_core::storage::SignInLink;
use serde_json::json;
use support::client::{Answer, Client};
use support::records;
use support::service::Service;

/// A browser that is signed in as a submitter of `centre`.
struct Browser {
    client: Client,
    cookie: String,
    csrf: String,
}

impl Browser {
    fn of(service: &Service, role: Role, centre: Option<&str>) -> Self {
        let state = service.state();
        let link = SignInLink {
            user: "test".to_owned(),
            role,
            centre: centre.map(str::to_owned),
            expires_at: state.ports.clock.now() + chrono::Duration::hours(1),
            reusable: false,
        };
        let token = state
            .store
            .create_sign_in_link(&Scope::system("test"), link)
            .expect("a link");
        let client = service.anonymous();
        let form = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "text/html"),
        ];
        let body = format!("token={}", token.reveal());
        let signed_in = client
            .send("POST", "/sign-in", &form, Some(body.as_bytes()))
            .expect(303);
        let set = signed_in.header("set-cookie").expect("a cookie");
        let mut browser = Self {
            client,
            cookie: set.split(';').next().unwrap_or_default().to_owned(),
            csrf: String::new(),
        };
        let page = browser.page("/schema").status;
        assert_eq!(page, 200);
        browser.csrf = attribute(&browser.page("/cases/new").text(), "data-csrf").unwrap_or_default();
        browser
    }

    fn page(&self, path: &str) -> Answer {
        self.client
            .get_with(path, &[("cookie", &self.cookie), ("accept", "text/html")])
    }

    fn put(&self, path: &str, more: &[(&str, &str)], body: &serde_json::Value) -> Answer {
        let headers = [&[("cookie", self.cookie.as_str())], more].concat();
        self.client.put(path, &headers, body)
    }
}

fn attribute(page: &str, name: &str) -> Option<String> {
    let rest = page.split(&format!("{name}=\"")).nth(1)?;
    rest.split('"').next().map(str::to_owned)
}

#[test]
fn a_data_manager_saves_and_corrects_with_the_session_of_the_page() {
    let service = Service::start();
    let browser = Browser::of(&service, Role::Submitter, Some("C01"));
    let new = browser.page("/cases/new").expect(200).text();
    let current = &service.state().schemas.current().version;
    assert_eq!(attribute(&new, "data-version").as_deref(), Some(current.as_str()));
    assert!(new.contains("<noscript>") && !new.contains("data-case"));

    let token = ("x-csrf-token", browser.csrf.as_str());
    let body = records::figure_1("FIG-0001");
    let verdict = browser
        .client
        .post(
            "/api/v1/cases:validate",
            &[("cookie", &browser.cookie), token],
            &body,
        )
        .expect(200)
        .json();
    assert_eq!(verdict["results"][0]["accepted"], true);
    let created = browser
        .put(
            "/api/v1/cases/FIG-0001",
            &[token, ("if-none-match", "*"), ("sec-fetch-site", "same-origin")],
            &body,
        )
        .expect(201);
    let etag = created.header("etag").expect("a tag").to_owned();

    let edit = browser.page("/cases/FIG-0001/edit").expect(200).text();
    assert_eq!(attribute(&edit, "data-case").as_deref(), Some("FIG-0001"));
    // The newest version, whatever the record was sent in; and it says so.
    assert_eq!(
        attribute(&edit, "data-version").as_deref(),
        Some(current.as_str())
    );
    assert!(
        edit.contains("This case was sent in version 1.0.0 of the case schema"),
        "{edit}"
    );
    let newest = browser.client.get_with(
        "/api/v1/cases/FIG-0001?form=newest",
        &[("cookie", &browser.cookie)],
    );
    let newest = newest.expect(200).json();
    assert_eq!(newest["case"]["schema_version"], current.as_str());
    assert_eq!(newest["envelope"]["schema_version"], "1.0.0");

    let mut corrected = body.clone();
    corrected["patient"]["birth_year"] = json!(1950);
    browser
        .put(
            "/api/v1/cases/FIG-0001",
            &[token, ("if-match", &etag)],
            &corrected,
        )
        .expect(200);
    let late = browser
        .put("/api/v1/cases/FIG-0001", &[token, ("if-match", &etag)], &body)
        .expect(412);
    assert_eq!(late.code(), "precondition_failed");
}

#[test]
fn another_sites_page_saves_nothing() {
    let service = Service::start();
    let browser = Browser::of(&service, Role::Submitter, Some("C01"));
    let body = records::figure_1("FIG-0001");
    let token = ("x-csrf-token", browser.csrf.as_str());
    let refused: &[&[(&str, &str)]] = &[
        &[],
        &[("x-csrf-token", "")],
        &[("x-csrf-token", "guess")],
        &[token, ("sec-fetch-site", "cross-site")],
        &[token, ("sec-fetch-site", "same-site")],
    ];
    for headers in refused {
        let answer = browser.put("/api/v1/cases/FIG-0001", headers, &body).expect(403);
        assert_eq!(answer.code(), "csrf_token_missing", "{headers:?}");
    }
    service.submitter("C01").get("/api/v1/cases/FIG-0001").expect(404);
    browser.put("/api/v1/cases/FIG-0001", &[token], &body).expect(201);
    // A key is no cookie: no browser sends it unasked.
    let key = service.submitter("C01");
    let headers = [("if-match", "*"), ("sec-fetch-site", "cross-site")];
    key.put("/api/v1/cases/FIG-0001", &headers, &body).expect(200);
}

#[test]
fn another_centres_case_has_no_form() {
    let service = Service::start();
    service
        .submitter("C01")
        .put("/api/v1/cases/FIG-0001", &[], &records::figure_1("FIG-0001"))
        .expect(201);
    let stranger = Browser::of(&service, Role::Submitter, Some("C02"));
    let (other, absent) = (
        stranger.page("/cases/FIG-0001/edit"),
        stranger.page("/cases/ABSENT-1/edit"),
    );
    assert_eq!((other.status, absent.status), (404, 404));
    assert!(!other.text().contains("FIG-0001"));
    let token = ("x-csrf-token", stranger.csrf.as_str());
    let body = records::figure_1("FIG-0001");
    let answer = stranger
        .put("/api/v1/cases/FIG-0001", &[token, ("if-none-match", "*")], &body)
        .expect(409);
    assert_eq!(answer.code(), "pseudonym_registered");
}

#[test]
fn who_does_not_submit_has_no_form() {
    let service = Service::start();
    for role in [Role::Coordinator, Role::Committee, Role::Researcher, Role::Admin] {
        let browser = Browser::of(&service, role, None);
        assert_eq!(browser.page("/cases/new").status, 403, "{role}");
        assert_eq!(browser.page("/cases/FIG-0001/edit").status, 403, "{role}");
    }
    let lead = Browser::of(&service, Role::CentreLead, Some("C01"));
    assert_eq!(lead.page("/cases/new").status, 200);
    let nobody = service
        .anonymous()
        .get_with("/cases/new", &[("accept", "text/html")]);
    assert_eq!(nobody.status, 401);
}

#[test]
fn the_form_of_a_version_is_public_and_complete() {
    let service = Service::start();
    let form = service
        .anonymous()
        .get("/api/v1/schemas/case/1.0.0/form")
        .expect(200)
        .json();
    assert_eq!(form["version"], "1.0.0");
    assert_eq!(form["form"]["identity"], "patient.pseudonym_id");
    service
        .anonymous()
        .get("/api/v1/schemas/case/9.0.0/form")
        .expect(404);
}

#[test]
fn every_module_of_the_form_is_served() {
    let service = Service::start();
    let page = service.anonymous();
    let mut wanted = vec!["entry-main.js".to_owned()];
    let mut seen = Vec::new();
    while let Some(name) = wanted.pop() {
        if seen.contains(&name) {
            continue;
        }
        let module = page.get(&format!("/assets/{name}")).expect(200);
        assert!(
            module
                .header("content-type")
                .is_some_and(|t| t.starts_with("text/javascript")),
            "{name}"
        );
        let text = module.text();
        wanted.extend(
            text.split("from \"./")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
                .map(str::to_owned),
        );
        for banned in [
            "localStorage",
            "sessionStorage",
            "indexedDB",
            "innerHTML",
            "eval(",
        ] {
            assert!(!text.contains(banned), "{name} uses {banned}");
        }
        assert!(text.lines().count() < 400, "{name} is long");
        seen.push(name);
    }
    assert_eq!(seen.len(), 16, "{seen:?}");
}

/// The form's code knows no element: what it shows comes from the dictionary and the form's data.
#[test]
fn no_module_names_an_element() {
    let service = Service::start();
    let dictionary = &service.state().schemas.current().dictionary;
    let mut names: Vec<&str> = dictionary
        .entities
        .iter()
        .flat_map(|e| &e.elements)
        .map(|e| e.name.as_str())
        .collect();
    names.extend(dictionary.entities.iter().map(|e| e.name.as_str()));
    // A word with an underscore is no English word: it can only be the dictionary's. `schema_version` is the document's own key.
    names.retain(|name| name.contains('_') && *name != "schema_version" && *name != "section_attestation");
    for file in support::repository::files("registry-api/assets") {
        let name = support::repository::shown(&file);
        if !name.contains("entry-") {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("a script");
        let named = |word: &&&str| {
            text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .any(|w| w == **word)
        };
        let found: Vec<_> = names.iter().filter(named).collect();
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}
