//! Every route of the service: guarded, or on the excused list with its reason; refused to nobody and to every role that is
//! not named; described in the OpenAPI document as it is.

use std::collections::BTreeMap;

use actix_web::http::Method;
use registry_api::routes::{Access, Endpoint, endpoints, openapi};
use registry_api::startup;
use registry_core::access::Role;
use serde_json::Value;

use crate::support::{Answer, JSON, Registry, ports, send};

/// Routes that anyone may call, and why.
const EXCUSED: &[(&str, &str, &str)] = &[
    ("GET", "/health/live", "probes have no credentials"),
    ("GET", "/health/ready", "probes have no credentials"),
    ("GET", "/metrics", "its own token, or the local machine"),
    ("GET", "/openapi.json", "how to talk to the service is public"),
    ("GET", "/docs", "how to talk to the service is public"),
    ("GET", "/api/v1/schemas", "what to send is public"),
    ("GET", "/api/v1/schemas/case/{version}", "what to send is public"),
    (
        "GET",
        "/api/v1/schemas/case/{version}/dictionary",
        "what to send is public",
    ),
    (
        "GET",
        "/api/v1/schemas/case/{version}/changes",
        "what to send is public",
    ),
    (
        "GET",
        "/api/v1/schemas/case/{version}/form",
        "what to send is public",
    ),
    ("GET", "/api/v1/codelists/{name}", "what to send is public"),
    ("GET", "/api/v1/codelists", "what to send is public"),
    ("GET", "/api/v1/checks", "what is checked is public"),
    (
        "GET",
        "/api/v1/guidelines/{id}/measures",
        "what is measured is public",
    ),
    (
        "GET",
        "/api/v1/guidelines/{id}/measures/{measure}",
        "what is measured is public",
    ),
    (
        "GET",
        "/api/v1/releases/synthetic/bundle.zip",
        "a generator made the cases",
    ),
    ("GET", "/fhir/metadata", "how to talk to the service is public"),
    ("GET", "/fhir/Measure", "what is measured is public"),
    ("GET", "/fhir/Measure/{id}", "what is measured is public"),
    ("GET", "/schema", "what to send is public"),
    ("GET", "/checks", "what is checked is public"),
    ("GET", "/checks.csv", "what is checked is public"),
    ("GET", "/codelists", "what to send is public"),
    ("GET", "/codelists.csv", "what to send is public"),
    ("GET", "/sign-in", "nobody is signed in yet"),
    ("POST", "/sign-in", "the link's token is the credential"),
    (
        "POST",
        "/redcap/api/",
        "the data request's token in the form is the credential",
    ),
    (
        "POST",
        "/sign-in/password",
        "name, password and code are the credentials",
    ),
    ("GET", "/sign-in/provider", "nobody is signed in yet"),
    ("POST", "/sign-in/provider", "the link's token is the credential"),
    (
        "GET",
        "/sign-in/callback",
        "the provider's code is the credential",
    ),
    ("GET", "/invitation", "the link's token is the credential"),
    ("POST", "/invitation", "the link's token is the credential"),
    ("GET", "/assets/{name}", "style and script hold no data"),
];

pub(crate) fn filled(path: &str) -> String {
    let mut text = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (_, tail) = after.split_once('}').expect("a closed name");
        text.push('1');
        rest = tail;
    }
    text + rest
}

fn call(base: &str, key: Option<&str>, endpoint: &Endpoint) -> Answer {
    let path = filled(endpoint.path);
    let method = endpoint.method.as_str();
    let body = (!endpoint.method.is_safe()).then_some("{}");
    let patch = [("content-type", "application/merge-patch+json")];
    let headers: &[(&str, &str)] = match (method, body) {
        ("PATCH", _) => &patch,
        (_, Some(_)) => &[JSON],
        _ => &[],
    };
    send(base, key, method, &path, headers, body).expect("an answer")
}

/// Runs `work` against a service in this process.
pub(crate) fn with_service(registry: &Registry, work: impl FnOnce(&str) + Send) {
    serving(registry.settings(), work);
}

pub(crate) fn serving(settings: registry_api::settings::Settings, work: impl FnOnce(&str) + Send) {
    let state = startup::assemble(settings, ports()).expect("the parts");
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let service = startup::run(state).expect("a free port");
                tell.send((service.address, service.handle()))
                    .expect("the test waits");
                service.serve().await.expect("it ends well");
            });
        });
        let (address, handle) = told.recv().expect("it starts");
        let stop = Stop(handle);
        work(&format!("http://{address}"));
        drop(stop);
    });
}

struct Stop(actix_web::dev::ServerHandle);

impl Drop for Stop {
    fn drop(&mut self) {
        drop(self.0.stop(false));
    }
}

#[test]
fn every_route_is_guarded_or_excused_with_a_reason() {
    for endpoint in endpoints() {
        let excused = EXCUSED
            .iter()
            .find(|(method, path, _)| *method == endpoint.method.as_str() && *path == endpoint.path);
        match (endpoint.access, excused) {
            (Access::Open(why), Some(_)) => assert!(!why.is_empty(), "{}", endpoint.path),
            (Access::Open(_), None) => {
                panic!("{} {} is open and not excused", endpoint.method, endpoint.path)
            }
            (Access::Roles(roles), None) => assert!(!roles.is_empty() && !roles.contains(&Role::System)),
            (Access::Roles(_), Some(_)) => panic!("{} is guarded and excused", endpoint.path),
        }
    }
    for (method, path, _) in EXCUSED {
        let served = endpoints()
            .iter()
            .any(|e| e.method.as_str() == *method && e.path == *path);
        assert!(served, "{method} {path} is excused and not served");
    }
}

#[test]
fn every_route_by_every_role() {
    let registry = Registry::new();
    let keys: BTreeMap<Role, String> = Role::GRANTABLE
        .into_iter()
        .map(|role| (role, registry.key(role, role.needs_centre().then_some("C01"))))
        .collect();
    with_service(&registry, |base| {
        for endpoint in endpoints() {
            let Access::Roles(roles) = endpoint.access else {
                continue;
            };
            let name = format!("{} {}", endpoint.method, endpoint.path);
            let unknown = call(base, None, &endpoint);
            assert_eq!(unknown.status, 401, "{name} by nobody: {}", unknown.text);
            let forged = call(
                base,
                Some("rps_000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
                &endpoint,
            );
            assert_eq!(forged.status, 401, "{name} with a forged key");
            for (role, key) in &keys {
                let answer = call(base, Some(key), &endpoint);
                assert!(
                    answer.status < 500,
                    "{name} by {role}: {} {}",
                    answer.status,
                    answer.text
                );
                // A page's form asks for a browser session: a key is nobody there. By sessions: roles.rs.
                let form = endpoint.method == Method::POST && !endpoint.path.starts_with("/api/");
                let refused = if form {
                    answer.status == 401
                } else {
                    answer.status == 403
                };
                let named = roles.contains(role) && !form;
                assert_eq!(
                    refused, !named,
                    "{name} by {role}: {} {}",
                    answer.status, answer.text
                );
                for header in [
                    "strict-transport-security",
                    "content-security-policy",
                    "x-content-type-options",
                    "x-request-id",
                ] {
                    assert!(answer.header(header).is_some(), "{name} by {role} lacks {header}");
                }
                assert_eq!(
                    answer.header("cache-control"),
                    Some("no-store"),
                    "{name} by {role}"
                );
            }
        }
    });
}

#[test]
fn the_openapi_document_agrees_with_the_table() {
    let document: Value = serde_json::from_str(&openapi::document().expect("JSON")).expect("JSON");
    assert!(
        document["openapi"].as_str().is_some_and(|v| v.starts_with("3.1")),
        "{}",
        document["openapi"]
    );
    let of_api = |path: &str| {
        [
            "/api/",
            "/health/",
            "/fhir/",
            "/redcap/",
            "/metrics",
            "/openapi.json",
        ]
        .iter()
        .any(|prefix| path.starts_with(prefix))
    };
    let all = endpoints();
    for endpoint in all.iter().filter(|e| of_api(e.path)) {
        let described = &document["paths"][endpoint.path][endpoint.method.as_str().to_lowercase()];
        assert!(
            described.is_object(),
            "{} {} is not described",
            endpoint.method,
            endpoint.path
        );
        let asks = described.get("security").is_some();
        assert_eq!(
            asks,
            matches!(endpoint.access, Access::Roles(_)),
            "{} {}",
            endpoint.method,
            endpoint.path
        );
    }
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let served = all
                .iter()
                .any(|e| e.path == path && e.method.as_str().eq_ignore_ascii_case(method));
            assert!(served, "{method} {path} is described and not served");
        }
    }
}

#[test]
fn nobody_makes_the_service_read_a_body() {
    use std::io::{Read, Write};
    let registry = Registry::new();
    with_service(&registry, |base| {
        let mut stream = std::net::TcpStream::connect(base.trim_start_matches("http://")).expect("connected");
        // A body of 60 MB is announced and never sent: the answer comes all the same.
        let head = "POST /api/v1/cases:batch HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\n\
                    content-length: 60000000\r\nconnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("sent");
        let mut start = [0u8; 12];
        stream.read_exact(&mut start).expect("an answer");
        assert_eq!(&start, b"HTTP/1.1 401");
    });
}

#[test]
fn a_form_that_does_not_arrive_is_given_up() {
    use std::io::{Read, Write};
    let registry = Registry::new();
    let mut settings = registry.settings();
    settings.server.client_timeout_seconds = 1;
    serving(settings, |base| {
        for path in ["/sign-in/password", "/invitation", "/redcap/api/"] {
            let start = |length: usize| {
                let mut stream =
                    std::net::TcpStream::connect(base.trim_start_matches("http://")).expect("connected");
                let head = format!(
                    "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                     content-length: {length}\r\n\r\ntoken="
                );
                stream.write_all(head.as_bytes()).expect("sent");
                let mut start = [0u8; 12];
                stream.read_exact(&mut start).expect("an answer");
                String::from_utf8_lossy(&start).into_owned()
            };
            // A few bytes that never come, and many that are announced.
            assert_eq!(start(60), "HTTP/1.1 408", "{path}");
            assert_eq!(start(60_000_000), "HTTP/1.1 413", "{path}");
        }
    });
}

#[test]
fn a_panic_is_an_opaque_500_and_the_next_request_works() {
    use actix_web::middleware::from_fn;
    use actix_web::{App, test, web};
    async fn panics() -> &'static str {
        panic!("canary of a panic")
    }
    let registry = Registry::new();
    let state = startup::assemble(registry.settings(), ports()).expect("the parts");
    actix_web::rt::System::new().block_on(async {
        let app = App::new()
            .app_data(state)
            .route("/panic", web::get().to(panics))
            .configure(registry_api::routes::register)
            .wrap(from_fn(registry_api::guard::observe));
        let app = test::init_service(app).await;
        let request = test::TestRequest::get().uri("/panic").to_request();
        let failed = test::try_call_service(&app, request).await.expect_err("an error");
        let answer = failed.error_response();
        assert_eq!(answer.status(), 500);
        assert!(answer.headers().contains_key("content-security-policy"));
        let id = answer
            .headers()
            .get("x-request-id")
            .expect("an id")
            .to_str()
            .expect("text")
            .to_owned();
        let body = actix_web::body::to_bytes(answer.into_body())
            .await
            .expect("a body");
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body["code"], "internal");
        assert_eq!(body["request_id"], id.as_str());
        assert!(!body.to_string().contains("canary"));
        let request = test::TestRequest::get().uri("/health/live").to_request();
        let next = test::call_service(&app, request).await;
        assert_eq!(next.status(), 200);
    });
}

#[test]
fn a_flood_is_429_with_retry_after_and_a_spoofed_address_does_not_help() {
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let other = registry.key(Role::Submitter, Some("C01"));
    let mut settings = registry.settings();
    settings.limits.requests_per_second = std::num::NonZeroU32::MIN;
    settings.limits.anonymous_per_second = std::num::NonZeroU32::MIN;
    serving(settings, |base| {
        let refused = |key: Option<&str>| {
            (0..40).find_map(|n| {
                let address = format!("192.0.2.{n}");
                let headers = [("x-forwarded-for", address.as_str())];
                let answer =
                    send(base, key, "GET", "/api/v1/schemas/none", &headers, None).expect("an answer");
                (answer.status == 429).then_some(answer)
            })
        };
        let answer = refused(None).expect("an address is limited");
        assert!(
            answer
                .header("retry-after")
                .is_some_and(|s| s.parse::<u32>().is_ok_and(|s| s >= 1))
        );
        assert_eq!(answer.json()["code"], "rate_limited");
        // Credentials that are none do not help either, on open and on guarded routes and on those of forms.
        for (method, path) in [
            ("GET", "/api/v1/schemas"),
            ("GET", "/openapi.json"),
            ("GET", "/nowhere"),
            ("GET", "/cases"),
            ("POST", "/redcap/api/"),
            ("POST", "/sign-in"),
            ("POST", "/users"),
        ] {
            for shown in [
                ("cookie", "theme=dark"),
                ("cookie", "registry_session=guess"),
                ("authorization", "Basic eDp5"),
                ("authorization", "Bearer rps_guess"),
            ] {
                let form = ("content-type", "application/x-www-form-urlencoded");
                let limited = (0..40).any(|_| {
                    let body = (method == "POST").then_some("token=guess");
                    let answer = send(base, None, method, path, &[form, shown], body);
                    answer.expect("an answer").status == 429
                });
                assert!(limited, "{method} {path} with {shown:?}");
            }
        }
        let probe = send(base, None, "GET", "/health/live", &[("cookie", "x=y")], None);
        assert_eq!(probe.expect("an answer").status, 200);
        let list = |key: &str| {
            send(base, Some(key), "GET", "/api/v1/cases", &[], None)
                .expect("an answer")
                .status
        };
        assert!((0..40).any(|_| list(&key) == 429), "a key is limited");
        assert_eq!(list(&other), 200, "another key is not");
    });
}
