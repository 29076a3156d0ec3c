//! `/metrics`: whoever has the token, or without one this machine alone.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use registry_api::{guard, routes, startup};
use registry_core::access::Role;

use crate::support::{JSON, Registry, case, ports, send};

const HERE: &str = "127.0.0.1:40000";
const HERE_TOO: &str = "[::1]:40000";
const ELSEWHERE: &str = "192.0.2.7:40000";

/// From where, with which headers, and whether it is answered.
type Asked<'a> = (&'a str, &'a [(&'a str, &'a str)], bool);

fn asked(registry: &Registry, token_file: Option<&str>, all: &[Asked<'_>]) {
    use actix_web::middleware::from_fn;
    use actix_web::{App, test};
    let mut settings = registry.settings();
    settings.server.metrics_token_file = token_file.map(|name| registry.folder().join(name));
    // A proxy that is believed changes nothing: what comes through it is from elsewhere.
    settings.server.trusted_proxies = vec!["127.0.0.1".to_owned()];
    let state = startup::assemble(settings, ports()).expect("the parts");
    actix_web::rt::System::new().block_on(async {
        let app = App::new()
            .app_data(state)
            .configure(routes::register)
            .wrap(from_fn(guard::observe));
        let app = test::init_service(app).await;
        // There is nothing to tell before the first request.
        let first = test::TestRequest::get().uri("/health/live").to_request();
        assert_eq!(test::call_service(&app, first).await.status().as_u16(), 200);
        for (from, headers, answered) in all {
            let from: SocketAddr = from.parse().expect("an address");
            let mut request = test::TestRequest::get().uri("/metrics").peer_addr(from);
            for header in *headers {
                request = request.insert_header(*header);
            }
            let answer = test::call_service(&app, request.to_request()).await;
            let status = answer.status().as_u16();
            let body = test::read_body(answer).await;
            let text = String::from_utf8_lossy(&body);
            let expected = if *answered { 200 } else { 404 };
            assert_eq!(status, expected, "{from} with {headers:?}");
            assert_eq!(text.contains("registry_http_"), *answered, "{from}: {text}");
        }
    });
}

#[test]
fn without_a_token_this_machine_alone_is_answered() {
    let registry = Registry::new();
    asked(
        &registry,
        None,
        &[
            (HERE, &[], true),
            (HERE_TOO, &[], true),
            (ELSEWHERE, &[], false),
            // A proxy on this machine asks for somebody else.
            (HERE, &[("x-forwarded-for", "192.0.2.7")], false),
            (HERE, &[("x-forwarded-for", "127.0.0.1")], false),
            (ELSEWHERE, &[("x-forwarded-for", "127.0.0.1")], false),
            (ELSEWHERE, &[("authorization", "Bearer ")], false),
        ],
    );
}

#[test]
fn with_a_token_nobody_is_answered_without_it() {
    let registry = Registry::new();
    std::fs::write(registry.folder().join("token"), "the token\n").expect("written");
    let right = ("authorization", "Bearer the token");
    asked(
        &registry,
        Some("token"),
        &[
            (HERE, &[right], true),
            (ELSEWHERE, &[right], true),
            (ELSEWHERE, &[right, ("x-forwarded-for", "192.0.2.7")], true),
            (HERE, &[], false),
            (HERE, &[("authorization", "Bearer another")], false),
            (HERE, &[("authorization", "the token")], false),
            (ELSEWHERE, &[], false),
        ],
    );
}

/// What the alerts watch of the service is there, once a case was sent and a credential refused.
#[test]
fn every_metric_the_alerts_rest_on_is_told() {
    let alerts = include_str!("../../../deploy/monitoring/alerts.yml");
    // The other two are written by the scripts of backup and ledger, for the node exporter.
    let elsewhere = [
        "registry_backup_finished_timestamp_seconds",
        "registry_withdrawals_listed_timestamp_seconds",
    ];
    let names = alerts.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names: BTreeSet<&str> = names
        .filter(|name| name.starts_with("registry_") && !elsewhere.contains(name))
        .collect();
    assert!(names.contains("registry_submissions_total"), "{names:?}");
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let served = registry.serve();
    let sent = send(
        &served.base,
        Some(&key),
        "PUT",
        "/api/v1/cases/M-1",
        &[JSON],
        Some(&case("M-1").to_string()),
    );
    assert_eq!(sent.expect("an answer").status, 201);
    let refused = send(&served.base, Some("nonsense"), "GET", "/api/v1/cases", &[], None);
    assert_eq!(refused.expect("an answer").status, 401);
    let told = send(&served.base, None, "GET", "/metrics", &[], None).expect("an answer");
    let missing: Vec<&&str> = names.iter().filter(|name| !told.text.contains(**name)).collect();
    assert!(missing.is_empty(), "{missing:?} are not in {}", told.text);
}
