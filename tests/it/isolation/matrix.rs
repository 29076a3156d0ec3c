//! Object-level isolation, route by route: what names something of a centre is told to another centre as something that is not there.
//!
//! The routes are the service's own. Every one with a name in its address stands in one of the lists below, or the test fails.

use registry_api::routes::{Access, Endpoint, endpoints};
use registry_core::access::Role;
use serde_json::json;
use support::client::{Answer, Client};
use support::{records, service::Service};

use crate::browser::{Browser, HTML};

const CASE: &str = "FIG-0001";
const ABSENT: &str = "FIG-0002";

/// What is sent to an address.
enum Sent {
    Nothing,
    Json(&'static str),
    Patch(&'static str),
    /// The case itself, as it stands in the source.
    Record,
    /// The fields of a page's form.
    Form(&'static [(&'static str, &'static str)]),
}
use Sent::{Form, Json, Nothing, Patch, Record};

/// Addresses that name something of a centre, in an order in which each can be carried out by the centre itself.
const OF_A_CENTRE: &[(&str, &str, Sent)] = &[
    ("GET", "/api/v1/cases/{pseudonym}", Nothing),
    ("GET", "/api/v1/cases/{pseudonym}/versions", Nothing),
    ("GET", "/api/v1/cases/{pseudonym}/versions/{version}", Nothing),
    ("GET", "/api/v1/cases/{pseudonym}/findings", Nothing),
    ("GET", "/api/v1/cases/{pseudonym}/assessment", Nothing),
    ("GET", "/fhir/MeasureReport/{id}", Nothing),
    ("GET", "/cases/{pseudonym}", Nothing),
    ("GET", "/cases/{pseudonym}/versions", Nothing),
    ("GET", "/cases/{pseudonym}/course.svg", Nothing),
    ("GET", "/cases/{pseudonym}/course.csv", Nothing),
    ("GET", "/cases/{pseudonym}/findings.csv", Nothing),
    ("GET", "/cases/{pseudonym}/assessment.csv", Nothing),
    ("GET", "/cases/{pseudonym}/versions.csv", Nothing),
    ("GET", "/cases/{pseudonym}/edit", Nothing),
    ("GET", "/api/v1/queries/{id}", Nothing),
    ("GET", "/api/v1/queries/{id}/messages", Nothing),
    ("GET", "/queries/{id}", Nothing),
    ("GET", "/api/v1/jobs/{job}", Nothing),
    ("GET", "/api/v1/jobs/{job}/report", Nothing),
    ("GET", "/imports/{job}", Nothing),
    ("GET", "/imports/{job}/report.csv", Nothing),
    ("GET", "/api/v1/imports/mappings/{name}", Nothing),
    (
        "GET",
        "/api/v1/verifications/{verification}/cases/{pseudonym}",
        Nothing,
    ),
    ("GET", "/verification/{verification}/{pseudonym}", Nothing),
    (
        "PUT",
        "/api/v1/verifications/{verification}/cases/{pseudonym}",
        Record,
    ),
    (
        "POST",
        "/api/v1/cases/{pseudonym}/findings/{identity}:answer",
        Json(r#"{"reason": "as in the source"}"#),
    ),
    (
        "POST",
        "/cases/{pseudonym}/answer",
        Form(&[("identity", "{identity}"), ("reason", "as in the source")]),
    ),
    (
        "POST",
        "/api/v1/queries/{id}/messages",
        Json(r#"{"text": "as in the source"}"#),
    ),
    (
        "POST",
        "/api/v1/queries/{id}:close",
        Json(r#"{"text": "settled"}"#),
    ),
    (
        "POST",
        "/api/v1/queries/{id}:reopen",
        Json(r#"{"text": "not yet"}"#),
    ),
    (
        "POST",
        "/queries/{id}/step",
        Form(&[("action", "message"), ("text", "as in the source")]),
    ),
    (
        "POST",
        "/cases/{pseudonym}/queries",
        Form(&[("text", "Is this right?")]),
    ),
    (
        "PATCH",
        "/api/v1/cases/{pseudonym}",
        Patch(r#"{"patient": {"sex": {"absent": "withheld"}}}"#),
    ),
    ("POST", "/api/v1/cases/{pseudonym}:verify", Nothing),
    (
        "POST",
        "/api/v1/cases/{pseudonym}:lock",
        Json(r#"{"through": "2024-01-01"}"#),
    ),
    ("POST", "/api/v1/cases/{pseudonym}:unlock", Nothing),
    (
        "POST",
        "/cases/{pseudonym}/life-cycle",
        Form(&[("step", "lock"), ("through", "2024-01-02"), ("reason", "checked")]),
    ),
    (
        "POST",
        "/api/v1/cases/{pseudonym}:withdraw",
        Json(r#"{"mode": "no_further_use", "date": "2026-11-01", "reason": "asked by the patient"}"#),
    ),
    (
        "POST",
        "/cases/{pseudonym}/withdraw",
        Form(&[
            ("mode", "no_further_use"),
            ("date", "2026-11-01"),
            ("reason", "patient_asked"),
            ("again", "{pseudonym}"),
        ]),
    ),
];

/// Addresses that name something of a centre and answer another one in a way of their own; each is shown below.
const IN_A_WAY_OF_THEIR_OWN: &[(&str, &str, &str)] = &[
    (
        "PUT",
        "/api/v1/cases/{pseudonym}",
        "a pseudonym that another centre holds is 409",
    ),
    (
        "PUT",
        "/api/v1/imports/mappings/{name}",
        "each centre has names of its own",
    ),
];

/// What the other names in addresses stand for: nothing that belongs to one centre.
const OF_NO_CENTRE: &[(&str, &str)] = &[
    ("/adherence/{measure}", "a measure"),
    ("/measures/{measure}", "a measure"),
    ("/signals/{measure}/{letter}", "a letter of the published run"),
    ("/charts/{name}", "a chart, drawn for its reader"),
    ("/quality/{table}", "a table, made for its reader"),
    ("/survival/{endpoint}", "an endpoint"),
    ("/runs/{run}", "a run; what of it a centre reads is its own"),
    ("/api/v1/schemas/case/{version}", "a schema version"),
    ("/codelists/{name}", "a code list"),
    ("/guidelines/{id}", "a guideline"),
    ("/fhir/Measure/{id}", "a measure"),
    ("/centres/{id}", "a centre, for those who administer"),
    ("/keys/{key", "a key, for those who administer"),
    ("/users/{person", "a person, for those who administer"),
    ("/tasks/{task}", "a task of the coordinating office"),
    ("/releases/{id}", "a release"),
    ("/data-requests/{id}", "a researcher's request"),
    ("/requests/{id}", "a researcher's request"),
    ("/withdrawals/{record}", "for the coordinating office"),
    (
        "/verifications/{verification}",
        "a draw from every centre; what of it a centre reads is its own",
    ),
    (
        "/verification/{verification}",
        "a draw from every centre; what of it a centre reads is its own",
    ),
    ("/assets/{name}", "a file of the program"),
];

fn is(endpoint: &Endpoint, method: &str, path: &str) -> bool {
    endpoint.method.as_str() == method && endpoint.path == path
}

/// The roles of a route that act for one centre.
fn roles(endpoint: &Endpoint) -> Vec<Role> {
    match endpoint.access {
        Access::Roles(roles) => roles.iter().copied().filter(|role| role.needs_centre()).collect(),
        Access::Open(_) => Vec::new(),
    }
}

#[test]
fn every_route_with_a_name_in_its_address_is_in_the_matrix() {
    let all = endpoints();
    for endpoint in all.iter().filter(|one| one.path.contains('{')) {
        let name = format!("{} {}", endpoint.method, endpoint.path);
        let own = OF_A_CENTRE.iter().any(|(m, p, _)| is(endpoint, m, p));
        let special = IN_A_WAY_OF_THEIR_OWN.iter().any(|(m, p, _)| is(endpoint, m, p));
        // A name that a list of its own would be needed for: of a case, or of what belongs to a case or a centre.
        let of_a_centre = ["{pseudonym}", "{job}", "/queries/{id}", "/mappings/{name}"]
            .iter()
            .any(|name| endpoint.path.contains(name));
        let of_none = !of_a_centre && OF_NO_CENTRE.iter().any(|(part, _)| endpoint.path.contains(part));
        let out_of_reach = of_a_centre && roles(endpoint).is_empty();
        let places = [own, special, of_none, out_of_reach];
        assert_eq!(
            places.iter().filter(|place| **place).count(),
            1,
            "{name}: in one list of this file"
        );
    }
    for (method, path, _) in OF_A_CENTRE {
        assert!(
            all.iter().any(|one| is(one, method, path)),
            "{method} {path} is not served"
        );
    }
    for (part, why) in OF_NO_CENTRE {
        assert!(
            all.iter().any(|one| one.path.contains(part)),
            "{part} ({why}) is not served"
        );
    }
}

/// The names of what centre C01 has.
struct Own {
    identity: String,
    query: String,
    job: String,
    verification: String,
}

const MAPPING: &str = "ours";

/// A mapping of a REDCap project whose code 1 is `sex`.
fn mapping(sex: &str) -> String {
    format!(
        "schema_version = \"1.1.0\"\n\n[[field]]\nfrom = \"sex\"\nto = \"patient.sex\"\ncodes = {{ \"1\" = \"{sex}\" }}\n"
    )
}

impl Own {
    /// A case with a warning, a query about it, a draw that took it, a job and a mapping.
    fn of(service: &Service) -> Self {
        let centre = service.submitter("C01");
        let stored = centre
            .put(&format!("/api/v1/cases/{CASE}"), &[], &records::figure_1(CASE))
            .expect(201)
            .json();
        let findings = stored["findings"].as_array().expect("findings");
        let warning = findings.iter().find(|one| one["severity"] == "warning");
        let identity = warning.expect("a warning")["identity"]
            .as_str()
            .expect("an identity");
        let office = service.client("coordinator", None);
        let asked = json!({"case": CASE, "text": "Which scanner was it?"});
        let query = office.post("/api/v1/queries", &[], &asked).expect(201).json();
        let draw = json!({"through": "2026-11-23", "share": 1.0, "seed": 7});
        let draw = office
            .post("/api/v1/verifications", &[], &draw)
            .expect(201)
            .json();
        let batch = json!([records::figure_1("JOB-0001")]);
        let job = centre
            .post("/api/v1/cases:batch", &[("prefer", "respond-async")], &batch)
            .expect(202)
            .json();
        let mapping = mapping("male");
        centre
            .send(
                "PUT",
                &format!("/api/v1/imports/mappings/{MAPPING}"),
                &[],
                Some(mapping.as_bytes()),
            )
            .expect(200);
        let text = |value: &serde_json::Value| value.as_str().expect("an id").to_owned();
        Self {
            identity: identity.to_owned(),
            query: text(&query["id"]),
            job: text(&job["job_id"]),
            verification: text(&draw["verification_id"]),
        }
    }

    /// An address or a field with its names filled in: of what is there, or of something of the same kind that is not.
    fn filled(&self, text: &str, there: bool) -> String {
        let id = |known: &str| {
            let mut id = known.to_owned();
            if !there {
                let last = id.pop().expect("an id has letters");
                id.push(if last == '0' { '1' } else { '0' });
            }
            id
        };
        let case = if there { CASE } else { ABSENT };
        let of = if text.contains("/queries/") {
            id(&self.query)
        } else {
            format!("case-1a-{case}")
        };
        text.replace("{pseudonym}", case)
            .replace("{version}", "1")
            .replace("{identity}", &self.identity)
            .replace("{id}", &of)
            .replace("{job}", &id(&self.job))
            .replace("{name}", if there { MAPPING } else { "none" })
            .replace("{verification}", &self.verification)
    }
}

/// Asks as somebody of a centre: through the API and its pages with a key, through the forms of pages with a session.
fn ask(
    service: &Service,
    own: &Own,
    (role, centre): (Role, &str),
    (method, path, sent): &(&str, &str, Sent),
    there: bool,
) -> Answer {
    let address = own.filled(path, there);
    let client = service.client(role.as_str(), Some(centre));
    match sent {
        Nothing if *method == "GET" && !path.starts_with("/api/") && !path.starts_with("/fhir/") => {
            client.get_with(&address, &[HTML])
        }
        Nothing => client.send(method, &address, &[("change-reason", "checked")], None),
        Json(body) => {
            let headers = [("content-type", "application/json"), ("change-reason", "checked")];
            client.send(method, &address, &headers, Some(body.as_bytes()))
        }
        Patch(body) => {
            let headers = [
                ("content-type", "application/merge-patch+json"),
                ("if-match", "*"),
            ];
            client.send(method, &address, &headers, Some(body.as_bytes()))
        }
        Record => client.put(
            &address,
            &[],
            &records::figure_1(&own.filled("{pseudonym}", there)),
        ),
        Form(fields) => {
            let filled: Vec<(&str, String)> = fields
                .iter()
                .map(|(name, text)| (*name, own.filled(text, there)))
                .collect();
            let fields: Vec<(&str, &str)> = filled.iter().map(|(n, t)| (*n, t.as_str())).collect();
            Browser::of(service, role, Some(centre)).send(&address, &fields)
        }
    }
}

/// An answer without what differs from request to request: its id, and the name that was asked for.
fn told(answer: &Answer, address: &str) -> (u16, Vec<String>, String) {
    let mut names: Vec<String> = answer.headers.iter().map(|(name, _)| name.clone()).collect();
    names.sort();
    let id = answer.header("x-request-id").unwrap_or("none");
    let body = answer.text().replace(id, "ID").replace(address, "ADDRESS");
    // A refused form leads back to the page it was sent from: to what was asked for.
    let body = [CASE, ABSENT].iter().fold(body, |body, case| {
        body.replace(&format!("/cases/{case}"), "/cases/ASKED")
    });
    // Every session has a token of its own.
    let mut parts = body.split("name=\"csrf\" value=\"");
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        told.push_str(part.split_once('"').map_or("", |(_, after)| after));
    }
    (answer.status, names, told)
}

#[test]
fn another_centres_own_is_told_as_what_is_not_there() {
    let service = Service::start();
    let own = Own::of(&service);
    for row in OF_A_CENTRE {
        let (method, path, _) = row;
        let endpoint = endpoints().into_iter().find(|one| is(one, method, path));
        let roles = roles(&endpoint.expect("served"));
        assert!(!roles.is_empty(), "{method} {path}: no centre may");
        for role in &roles {
            let name = format!("{method} {path} by {role} of another centre");
            let stranger = (*role, "C02");
            let other = ask(&service, &own, stranger, row, true).expect(404);
            let absent = ask(&service, &own, stranger, row, false).expect(404);
            let (other, absent) = (
                told(&other, &own.filled(path, true)),
                told(&absent, &own.filled(path, false)),
            );
            assert_eq!(other, absent, "{name}");
            assert!(!other.2.contains(CASE), "{name}: {}", other.2);
        }
        // The same of its own centre is carried out, or refused for what it is and not for where it belongs.
        let role = *roles.last().expect("a role");
        let answer = ask(&service, &own, (role, "C01"), row, true);
        assert!(
            matches!(answer.status, 200 | 201 | 303 | 409),
            "{method} {path} by its own {role}: {} {}",
            answer.status,
            answer.text()
        );
    }
    service.verify_audit();
}

#[test]
fn what_answers_in_a_way_of_its_own_tells_nothing_either() {
    let service = Service::start();
    let own = Own::of(&service);
    let stranger = service.submitter("C02");
    let taken = stranger
        .put(
            &own.filled("/api/v1/cases/{pseudonym}", true),
            &[],
            &records::figure_1(CASE),
        )
        .expect(409);
    assert_eq!(taken.code(), "pseudonym_registered");
    assert!(!taken.text().contains("C01"), "{}", taken.text());
    let address = own.filled("/api/v1/imports/mappings/{name}", true);
    let before = service.submitter("C01").get(&address).expect(200).text();
    let theirs = mapping("female");
    stranger
        .send("PUT", &address, &[], Some(theirs.as_bytes()))
        .expect(200);
    assert_eq!(service.submitter("C01").get(&address).expect(200).text(), before);
    // A question about another centre's case names it in the body.
    let asked = |case: &str| {
        let answer = stranger.post("/api/v1/queries", &[], &json!({"case": case, "text": "Whose?"}));
        told(&answer.expect(404), "")
    };
    assert_eq!(asked(CASE), asked(ABSENT));
}

/// Lists: whatever can be read without naming it holds nothing of another centre's patients.
#[test]
fn no_list_holds_another_centres_case() {
    let service = Service::start();
    Own::of(&service);
    service.published_run("2026-11-01");
    let mut readable = 0;
    for role in Role::GRANTABLE
        .into_iter()
        .filter(|role| *role != Role::Coordinator)
    {
        let reader: Client = service.client(role.as_str(), role.needs_centre().then_some("C02"));
        for endpoint in endpoints() {
            if endpoint.method.as_str() != "GET" || endpoint.path.contains('{') {
                continue;
            }
            let Access::Roles(roles) = endpoint.access else {
                continue;
            };
            if !roles.contains(&role) {
                continue;
            }
            let of_a_program = ["/api/", "/fhir/"]
                .iter()
                .any(|start| endpoint.path.starts_with(start));
            let accept: &[(&str, &str)] = if of_a_program { &[] } else { &[HTML] };
            let answer = reader.get_with(endpoint.path, accept);
            readable += usize::from(answer.status == 200);
            assert!(
                !answer.text().contains(CASE),
                "{} by {role}: {}",
                endpoint.path,
                answer.text()
            );
        }
    }
    assert!(readable > 100, "{readable} lists were read");
}
