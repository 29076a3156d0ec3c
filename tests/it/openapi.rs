//! `/openapi.json` against what is served: repeats are what it says they are, and bodies that are sent have a shape.

use std::collections::BTreeSet;

use registry_api::routes::endpoints;
use serde_json::json;
use support::{records, service::Service};

/// `POST`s that are never replayed, and why.
const NEVER_REPLAYED: [(&str, &str); 5] = [
    ("/api/v1/cases:validate", "nothing is stored"),
    ("/api/v1/keys", "the answer holds a secret"),
    ("/api/v1/keys/{key_id}:rotate", "the answer holds a secret"),
    ("/api/v1/users", "the answer holds a link that lets somebody in"),
    (
        "/api/v1/users/{person_id}:reset",
        "the answer holds a link that lets somebody in",
    ),
];

#[test]
fn every_post_takes_an_idempotency_key_or_says_why_not() {
    let service = Service::start();
    let document = service.anonymous().get("/openapi.json").expect(200).json();
    for endpoint in endpoints() {
        if endpoint.method.as_str() != "POST" || !endpoint.path.starts_with("/api/") {
            continue;
        }
        let parameters = document["paths"][endpoint.path]["post"]["parameters"].as_array();
        let takes = parameters
            .into_iter()
            .flatten()
            .any(|one| one["name"] == "Idempotency-Key");
        let excused = NEVER_REPLAYED.iter().any(|(path, _)| *path == endpoint.path);
        assert_ne!(takes, excused, "{}", endpoint.path);
    }
}

/// `tests/proxy.sh` shows that the proxy's log holds no pseudonym: it asks for every address that can hold one.
#[test]
fn every_address_with_a_pseudonym_is_asked_for_through_the_proxy() {
    let script =
        std::fs::read_to_string(support::repository::root().join("tests/proxy.sh")).expect("a script");
    let missing: BTreeSet<&str> = endpoints()
        .into_iter()
        .map(|endpoint| endpoint.path)
        .filter(|path| path.contains("{pseudonym}"))
        .filter(|path| !script.contains(&format!("\"{}\"", as_asked(path))))
        .collect();
    assert!(missing.is_empty(), "not in tests/proxy.sh: {missing:#?}");
}

/// A path as the script writes it: `$name` for the pseudonym, a number for everything else.
fn as_asked(path: &str) -> String {
    let mut asked = path.replace("{pseudonym}", "$name");
    while let (Some(from), Some(to)) = (asked.find('{'), asked.find('}')) {
        asked.replace_range(from..=to, "7");
    }
    asked
}

#[test]
fn the_same_key_with_another_body_is_refused_and_with_the_same_replayed() {
    let service = Service::start();
    let (centre, lead) = (
        service.submitter("C01"),
        service.client("centre_lead", Some("C01")),
    );
    let office = service.client("coordinator", None);
    centre
        .put("/api/v1/cases/FIG-0001", &[], &records::figure_1("FIG-0001"))
        .expect(201);
    let key = json!({"label": "push", "role": "submitter", "centre": "C02"});
    let key = office.post("/api/v1/keys", &[], &key).expect(201).json();
    let key = key["info"]["key_id"].as_str().expect("an id");
    let person = json!({"login": "ada", "name": "Ada", "role": "researcher"});
    let person = office.post("/api/v1/users", &[], &person).expect(201).json();
    let person = person["user"]["person_id"].as_str().expect("an id");
    let run = registry_api::runs::execute(
        service.state(),
        &registry_core::access::Scope::system("test"),
        &registry_api::runs::Wanted::up_to("2026-11-01".parse().expect("a date")),
        |_| {},
    )
    .expect("a run");
    let (assigned, elsewhere) = (json!({"role": "committee"}), json!({"role": "researcher"}));
    let (locked, later) = (json!({"through": "2020-01-01"}), json!({"through": "2020-01-02"}));
    let case = "/api/v1/cases/FIG-0001";
    let nothing = json!({});
    let publish = format!("/api/v1/runs/{}:publish", run.number);
    for (n, (client, address, body, other)) in [
        (&lead, format!("{case}:verify"), &nothing, &later),
        (&lead, format!("{case}:lock"), &locked, &later),
        (&lead, format!("{case}:unlock"), &nothing, &later),
        (&office, publish, &nothing, &later),
        (&office, format!("/api/v1/keys/{key}:revoke"), &nothing, &later),
        (
            &office,
            format!("/api/v1/users/{person}:assign"),
            &assigned,
            &elsewhere,
        ),
        (
            &office,
            format!("/api/v1/users/{person}:disable"),
            &nothing,
            &later,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("step-{n}");
        let headers = [("idempotency-key", name.as_str()), ("change-reason", "checked")];
        let first = client.post(&address, &headers, body).expect(200);
        assert!(first.header("idempotent-replayed").is_none(), "{address}");
        let again = client.post(&address, &headers, body).expect(200);
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{address}");
        assert_eq!(again.text(), first.text(), "{address}");
        let other = client.post(&address, &headers, other);
        assert_eq!(other.expect(422).code(), "idempotency_key_reused", "{address}");
    }
    service.verify_audit();
}

/// Whoever writes a client knows what to send: an object with its keys, or a reference to what says so.
#[test]
fn every_json_body_that_is_sent_has_a_shape() {
    let service = Service::start();
    let document = service.anonymous().get("/openapi.json").expect(200).json();
    let mut bodies = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let content = operation["requestBody"]["content"].as_object();
            for (media_type, described) in content.into_iter().flatten() {
                if !media_type.contains("json") {
                    continue;
                }
                bodies += 1;
                let schema = &described["schema"];
                let schema = match schema["type"] == json!("array") {
                    true => &schema["items"],
                    false => schema,
                };
                let name = schema["$ref"]
                    .as_str()
                    .unwrap_or_default()
                    .rsplit('/')
                    .next()
                    .expect("a part");
                let shape = &document["components"]["schemas"][name];
                assert_eq!(
                    shape["type"],
                    json!("object"),
                    "{method} {path} {media_type}: {schema}"
                );
                let keys = shape["properties"].as_object().map_or(0, serde_json::Map::len);
                let elsewhere = shape["description"]
                    .as_str()
                    .is_some_and(|text| text.contains("/api/v1/schemas/") || text.contains("RFC 7396"));
                assert!(keys > 0 || elsewhere, "{method} {path}: {name} has no key");
            }
        }
    }
    assert_eq!(bodies, 33, "bodies of JSON");
}
