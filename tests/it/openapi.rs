//! `/openapi.json` against what is answered: every shape that the document gives is that of an answer, and repeats are what it says they are.

use std::collections::BTreeSet;

use registry_api::routes::endpoints;
use serde_json::{Value, json};
use support::client::{Answer, Client};
use support::{records, service::Service};

/// Whether a value has the shape: no field that is not described, none missing that is always there.
fn agrees(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().expect("a name");
        let schema = &document["components"]["schemas"][name];
        return agrees(document, schema, value, &format!("{place}<{name}>"));
    }
    if let Some(options) = schema["oneOf"].as_array() {
        let known = options.iter().find(|one| one.get("$ref").is_some());
        if let (Some(schema), false) = (known, value.is_null()) {
            agrees(document, schema, value, place);
        }
        return;
    }
    if let (Some(rows), Some(items)) = (value.as_array(), schema.get("items")) {
        for row in rows {
            agrees(document, items, row, &format!("{place}[]"));
        }
    }
    let Some(fields) = schema["properties"].as_object() else {
        return;
    };
    let object = value.as_object().unwrap_or_else(|| panic!("{place}: {value}"));
    for (name, value) in object {
        let schema = fields.get(name);
        let schema = schema.unwrap_or_else(|| panic!("{place}.{name} is answered and not described"));
        agrees(document, schema, value, &format!("{place}.{name}"));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().expect("a name");
        assert!(
            object.contains_key(name),
            "{place}.{name} is described and not answered"
        );
    }
}

struct Compared {
    document: Value,
    seen: BTreeSet<String>,
}

impl Compared {
    fn answer(&mut self, method: &str, path: &str, answer: &Answer) {
        let described = &self.document["paths"][path][method.to_lowercase()]["responses"];
        let described = &described[answer.status.to_string()];
        assert!(described.is_object(), "{method} {path}: {}", answer.status);
        let media_type = answer.header("content-type").expect("a media type");
        let content = &described["content"][media_type];
        let schema = content.get("schema");
        let schema = schema.unwrap_or_else(|| panic!("{method} {path} {}: no shape", answer.status));
        agrees(&self.document, schema, &answer.json(), path);
        self.seen.insert(format!("{method} {path} {}", answer.status));
    }

    fn get(&mut self, client: &Client, path: &str, address: &str) -> Value {
        let answer = client.get(address);
        self.answer("GET", path, &answer);
        answer.json()
    }

    fn post(&mut self, client: &Client, path: &str, address: &str, body: &Value) -> Value {
        let answer = client.post(address, &[("change-reason", "checked")], body);
        self.answer("POST", path, &answer);
        answer.json()
    }
}

const CASE: &str = "/api/v1/cases/{pseudonym}";

fn of_case(tail: &str) -> (String, String) {
    (format!("{CASE}{tail}"), format!("/api/v1/cases/FIG-0001{tail}"))
}

#[test]
fn what_is_answered_has_the_shape_that_is_described() {
    let service = Service::start();
    let (centre, lead) = (
        service.submitter("C01"),
        service.client("centre_lead", Some("C01")),
    );
    let office = service.client("coordinator", None);
    let document = service.anonymous().get("/openapi.json").expect(200).json();
    let mut compared = Compared {
        document,
        seen: BTreeSet::new(),
    };
    let mut body = records::figure_1("FIG-0001");
    let put = |body: &Value, headers: &[(&str, &str)]| {
        centre.put("/api/v1/cases/FIG-0001?assess=true", headers, body)
    };
    let created = put(&body, &[]);
    compared.answer("PUT", CASE, &created);
    compared.answer("PUT", CASE, &put(&body, &[]));
    compared.answer("PUT", CASE, &put(&json!({"schema_version": "0.0.0"}), &[]));
    body["patient"]["sex"] = json!({"absent": "withheld"});
    compared.answer("PUT", CASE, &put(&body, &[("if-match", "*")]));
    let patch = json!({"patient": {"sex": body["patient"]["sex"]}});
    let patched = centre.patch("/api/v1/cases/FIG-0001", &[("if-match", "*")], &patch);
    compared.answer("PATCH", CASE, &patched);

    for tail in ["", "/versions", "/findings", "/assessment"] {
        let (path, address) = of_case(tail);
        compared.get(&centre, &path, &address);
    }
    compared.get(
        &centre,
        "/api/v1/cases/{pseudonym}/versions/{version}",
        "/api/v1/cases/FIG-0001/versions/1",
    );
    compared.get(&centre, CASE, "/api/v1/cases/NONE-0001");
    compared.get(&service.anonymous(), CASE, "/api/v1/cases/FIG-0001");
    compared.get(&service.client("admin", None), CASE, "/api/v1/cases/FIG-0001");
    compared.get(&centre, "/api/v1/cases", "/api/v1/cases");
    compared.get(&centre, "/api/v1/cases", "/api/v1/cases?cursor=guess");

    let created = created.json();
    let findings = created["findings"].as_array().expect("findings");
    let warning = findings
        .iter()
        .find(|one| one["severity"] == "warning")
        .expect("a warning");
    let answer = format!(
        "/findings/{}:answer",
        warning["identity"].as_str().expect("an identity")
    );
    let path = format!("{CASE}/findings/{{identity}}:answer");
    compared.post(
        &centre,
        &path,
        &of_case(&answer).1,
        &json!({"reason": "as in the source"}),
    );
    for (step, body) in [
        (":verify", json!({})),
        (":lock", json!({"through": "2020-01-01"})),
        (":unlock", json!({})),
    ] {
        let (path, address) = of_case(step);
        compared.post(&lead, &path, &address, &body);
    }

    let batch = json!([records::example("minimal", "MIN-0001")]);
    compared.post(
        &centre,
        "/api/v1/cases:validate",
        "/api/v1/cases:validate",
        &batch,
    );
    compared.post(&centre, "/api/v1/cases:batch", "/api/v1/cases:batch", &batch);
    let headers = [("prefer", "respond-async")];
    let job = centre.post("/api/v1/cases:batch", &headers, &batch);
    compared.answer("POST", "/api/v1/cases:batch", &job);
    let id = job.json()["job_id"].as_str().expect("an id").to_owned();
    compared.get(&centre, "/api/v1/jobs", "/api/v1/jobs");
    compared.get(&centre, "/api/v1/jobs/{job}", &format!("/api/v1/jobs/{id}"));

    let asked = json!({"case": "FIG-0001", "text": "Which scanner?"});
    let query = compared.post(&office, "/api/v1/queries", "/api/v1/queries", &asked);
    let id = query["id"].as_str().expect("an id");
    compared.get(&centre, "/api/v1/queries", "/api/v1/queries");
    compared.get(&centre, "/api/v1/queries/{id}", &format!("/api/v1/queries/{id}"));
    let text = json!({"text": "The old one."});
    for (client, tail) in [
        (&centre, "/messages"),
        (&office, ":reopen"),
        (&centre, "/messages"),
        (&office, ":close"),
    ] {
        let path = format!("/api/v1/queries/{{id}}{tail}");
        compared.post(client, &path, &format!("/api/v1/queries/{id}{tail}"), &text);
    }

    let run = service.published_run("2026-11-01");
    for reader in [&office, &service.client("committee", None)] {
        compared.get(reader, "/api/v1/runs", "/api/v1/runs");
        compared.get(reader, "/api/v1/runs/{run}", &format!("/api/v1/runs/{run}"));
    }
    let release = json!({"run": run, "release": "R"});
    compared.post(&office, "/api/v1/releases", "/api/v1/releases", &release);
    compared.get(&office, "/api/v1/releases", "/api/v1/releases");
    compared.get(&office, "/api/v1/releases/{id}", "/api/v1/releases/R");

    let new = json!({"centre_id": "C40", "name": "Another"});
    compared.post(&office, "/api/v1/centres", "/api/v1/centres", &new);
    let put = office.put(
        "/api/v1/centres/C40",
        &[],
        &json!({"name": "Renamed", "active": true}),
    );
    compared.answer("PUT", "/api/v1/centres/{id}", &put);
    compared.get(&office, "/api/v1/centres", "/api/v1/centres");
    let key = json!({"label": "push", "role": "submitter", "centre": "C40"});
    let made = compared.post(&office, "/api/v1/keys", "/api/v1/keys", &key);
    compared.get(&office, "/api/v1/keys", "/api/v1/keys");
    let mut id = made["info"]["key_id"].as_str().expect("an id").to_owned();
    let address = format!("/api/v1/keys/{id}:rotate");
    let next = compared.post(
        &office,
        "/api/v1/keys/{key_id}:rotate",
        &address,
        &json!({"overlap_hours": 1}),
    );
    next["info"]["key_id"]
        .as_str()
        .expect("an id")
        .clone_into(&mut id);
    let address = format!("/api/v1/keys/{id}:revoke");
    compared.post(&office, "/api/v1/keys/{key_id}:revoke", &address, &json!({}));
    let person = json!({"login": "ada", "name": "Ada", "role": "researcher"});
    let person = office.post("/api/v1/users", &[], &person).expect(201).json();
    let id = person["user"]["person_id"].as_str().expect("an id");
    compared.get(&office, "/api/v1/users", "/api/v1/users");
    for (step, body) in [("assign", json!({"role": "committee"})), ("disable", json!({}))] {
        let path = format!("/api/v1/users/{{person_id}}:{step}");
        compared.post(&office, &path, &format!("/api/v1/users/{id}:{step}"), &body);
    }
    compared.get(&office, "/api/v1/audit", "/api/v1/audit");
    let withdrawal = json!({"mode": "no_further_use", "date": "2026-11-01"});
    let (path, address) = of_case(":withdraw");
    compared.post(&centre, &path, &address, &withdrawal);
    assert!(compared.seen.len() > 40, "{:?}", compared.seen);
}

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
