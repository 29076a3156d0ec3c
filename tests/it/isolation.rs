//! Scope: roles see only what is theirs, credentials that are none are nobody, and every answer carries its headers.

mod matrix;

use serde_json::json;
use support::{client::Client, records, service::Service};
#[test]
fn roles_without_case_data_are_refused() {
    let service = Service::start();
    service
        .submitter("C01")
        .put("/api/v1/cases/FIG-0001", &[], &records::figure_1("FIG-0001"))
        .expect(201);
    for role in ["researcher", "committee", "admin"] {
        let client = service.client(role, None);
        for path in ["/api/v1/cases", "/api/v1/cases/FIG-0001"] {
            let status = client.get(path).status;
            assert!(matches!(status, 403 | 404), "{role} {path}: {status}");
        }
        let put = client
            .put("/api/v1/cases/FIG-0009", &[], &records::figure_1("FIG-0009"))
            .status;
        assert_eq!(put, 403, "{role} may not submit");
    }
    service
        .client("coordinator", None)
        .get("/api/v1/cases/FIG-0001")
        .expect(200);
}

#[test]
fn wrong_expired_and_revoked_keys_are_all_401() {
    let service = Service::start();
    for key in [
        "nonsense",
        "rps_0000000000000000_0000000000000000000000000000000000000000000",
        "",
    ] {
        let answer = Client::new(service.base(), Some(key))
            .get("/api/v1/cases")
            .expect(401);
        assert!(answer.header("www-authenticate").is_some());
    }
    Client::new(service.base(), None).get("/api/v1/cases").expect(401);
    let in_url = Client::new(service.base(), None).get(&format!(
        "/api/v1/cases?key={}",
        service.key("submitter", Some("C01"))
    ));
    assert_eq!(in_url.status, 401, "a key is never accepted in a URL");

    let key = service.key("submitter", Some("C01"));
    let client = Client::new(service.base(), Some(&key));
    client.get("/api/v1/cases").expect(200);
    // Revoked, it is nobody's at the next request. What may be shown of it is its second part.
    let revoked = service.key("submitter", Some("C01"));
    let ended = Client::new(service.base(), Some(&revoked));
    ended.get("/api/v1/cases").expect(200);
    let office = service.client("admin", None);
    let keys = office.get("/api/v1/keys").expect(200).json();
    let prefix = revoked.split('_').nth(1).expect("a prefix");
    let all = keys["keys"].as_array().expect("keys").iter();
    let found = all.clone().find(|one| one["prefix"] == prefix).expect("listed");
    let address = format!("/api/v1/keys/{}:revoke", found["key_id"].as_str().expect("an id"));
    office.post(&address, &[], &json!({})).expect(200);
    ended.get("/api/v1/cases").expect(401);
    client.get("/api/v1/cases").expect(200);
    service.advance_days(4000);
    client.get("/api/v1/cases").expect(401);
}

#[test]
fn security_headers_stand_on_every_answer_errors_included() {
    let service = Service::start();
    for (client, path) in [
        (Client::new(service.base(), None), "/health/live"),
        (Client::new(service.base(), None), "/api/v1/cases"),
        (service.submitter("C01"), "/api/v1/cases"),
        (service.submitter("C01"), "/api/v1/cases/NONE-0001"),
        (Client::new(service.base(), None), "/no/such/page"),
    ] {
        let answer = client.get(path);
        for header in [
            "strict-transport-security",
            "content-security-policy",
            "x-content-type-options",
            "x-request-id",
        ] {
            assert!(
                answer.header(header).is_some(),
                "{path} ({}) lacks {header}",
                answer.status
            );
        }
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(
            !policy.contains("unsafe-") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
    }
}
