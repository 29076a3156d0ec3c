//! `/api/v1/verifications` and `/verification`: drawn by the office, entered again blind by another person, compared.

use serde_json::{Value, json};
use support::{client::Client, records, service::Service};

const CASE: &str = "FIG-0001";

/// One case of C01 by `author`, and a draw that takes every case.
fn drawn(service: &Service, author: &Client) -> String {
    author
        .put(&format!("/api/v1/cases/{CASE}"), &[], &records::figure_1(CASE))
        .expect(201);
    let draw = service
        .client("coordinator", None)
        .post(
            "/api/v1/verifications",
            &[],
            &json!({"through": "2026-11-23", "share": 1.0, "seed": 7}),
        )
        .expect(201);
    let id = draw.json()["verification_id"].as_str().expect("an id").to_owned();
    assert_eq!(
        draw.header("location"),
        Some(format!("/api/v1/verifications/{id}").as_str())
    );
    id
}

/// The case as another person reads the source: another sex, one scan not found, another label for a lesion.
fn again() -> Value {
    let mut body = records::figure_1(CASE);
    body["patient"]["sex"] = json!({"absent": "unknown"});
    body["imaging"].as_array_mut().expect("scans").remove(0);
    body
}

fn html(client: &Client, path: &str) -> String {
    client
        .get_with(path, &[("accept", "text/html")])
        .expect(200)
        .text()
}

#[test]
fn another_person_enters_a_sampled_case_again_blind_and_once() {
    let service = Service::start();
    let (author, other) = (service.submitter("C01"), service.submitter("C01"));
    let id = drawn(&service, &author);
    let path = format!("/api/v1/verifications/{id}/cases/{CASE}");

    // Which case, and nothing of it.
    let shown = other
        .get(&format!("/api/v1/verifications/{id}"))
        .expect(200)
        .json();
    assert_eq!(shown["sample"][0]["pseudonym"], CASE);
    assert_eq!(shown["sample"][0]["reentered_at"], Value::Null);
    let case = other.get(&path).expect(200).json();
    assert_eq!(
        (&case["agreement"], &case["not_by_you"]),
        (&Value::Null, &Value::Null)
    );
    let stored = records::figure_1(CASE);
    let said = format!("{shown}{case}");
    for value in ["icdo_morphology", "imaging", "lesion"] {
        assert!(!said.contains(value), "{said}");
    }
    assert!(!stored["imaging"].as_array().expect("scans").is_empty());

    // Who entered it is told so; whose case it is not, that there is none.
    let own = author.put(&path, &[], &again()).expect(409);
    assert_eq!(own.code(), "invalid_state");
    assert!(
        own.text().contains("somebody else of your centre"),
        "{}",
        own.text()
    );
    assert!(author.get(&path).expect(200).json()["not_by_you"].is_string());
    let stranger = service.submitter("C02").put(&path, &[], &again()).expect(404);
    assert_eq!(stranger.code(), "not_found");
    for role in ["coordinator", "committee", "researcher", "admin"] {
        service.client(role, None).put(&path, &[], &again()).expect(403);
    }

    // The same door and the same checks as a submission, every finding at once, nothing kept.
    let mut wrong = again();
    wrong["patient"]["sex"] = json!("none");
    wrong["patient"]["birth_year"] = json!("1958");
    let refused = other.put(&path, &[], &wrong).expect(422);
    assert_eq!(refused.code(), "invalid_record");
    assert_eq!(refused.json()["errors"].as_array().map(Vec::len), Some(2));
    let mut mixed_up = again();
    mixed_up["patient"]["pseudonym_id"] = json!("FIG-0002");
    let refused = other.put(&path, &[], &mixed_up).expect(422).json();
    assert_eq!(refused["errors"][0]["code"], "pseudonym_mismatch");
    let gone = json!({
        "schema_version": "1.0.0", "patient": {"pseudonym_id": CASE}, "consent": {"status": "withdrawn", "withdrawal_date": "2026-09-01"}
    });
    assert_eq!(other.put(&path, &[], &gone).expect(422).code(), "invalid_value");
    let text = [("content-type", "application/json")];
    let twice = format!(
        "{{\"schema_version\": \"1.0.0\", \"schema_version\": \"1.0.0\", \"patient\": {{\"pseudonym_id\": \"{CASE}\"}}}}"
    );
    let refused = other
        .send("PUT", &path, &text, Some(twice.as_bytes()))
        .expect(400);
    assert_eq!(refused.code(), "duplicate_key");
    assert_eq!(other.get(&path).expect(200).json()["reentered_at"], Value::Null);

    let kept = other.put(&path, &[], &again()).expect(201).json();
    assert_eq!(kept["case"], CASE);
    assert!(kept["findings"].is_array());
    for client in [&other, &author, &service.submitter("C01")] {
        assert_eq!(
            client.put(&path, &[], &again()).expect(409).code(),
            "invalid_state"
        );
    }
    // No version of the case.
    let versions = author
        .get(&format!("/api/v1/cases/{CASE}/versions"))
        .expect(200)
        .json();
    assert_eq!(versions["versions"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        author.get(&format!("/api/v1/cases/{CASE}")).expect(200).json()["case"],
        stored
    );
    service.verify_audit();
}

#[test]
fn everybody_reads_of_the_agreement_what_is_theirs() {
    let service = Service::start();
    let (author, other) = (service.submitter("C01"), service.submitter("C01"));
    let id = drawn(&service, &author);
    let path = format!("/api/v1/verifications/{id}/agreement");
    let empty = author.get(&path).expect(200).json();
    assert_eq!((&empty["levels"], &empty["cases"]), (&json!([]), &json!([])));
    other
        .put(&format!("/api/v1/verifications/{id}/cases/{CASE}"), &[], &again())
        .expect(201);

    // The own centre: its level, pointers and kinds.
    let own = author.get(&path).expect(200).json();
    let levels = own["levels"].as_array().expect("levels");
    assert_eq!(levels.len(), 1);
    assert_eq!(levels[0]["level"], "C01");
    let case = &own["cases"][0];
    assert_eq!(case["pseudonym"], CASE);
    let differences = case["agreement"]["differences"].as_array().expect("differences");
    assert!(
        differences.contains(&json!({
            "element": "patient.sex", "kind": "value_absence", "stored": "/patient/sex", "reentered": "/patient/sex"
        })),
        "{differences:#?}"
    );
    assert!(
        differences.contains(&json!({
            "element": "imaging", "kind": "row_missing", "stored": "/imaging/0", "reentered": null
        })),
        "{differences:#?}"
    );
    let (compared, agreeing) = (
        levels[0]["total"]["compared"].as_u64().expect("n"),
        levels[0]["total"]["agreeing"].as_u64().expect("n"),
    );
    assert_eq!(case["agreement"]["compared"], compared);
    assert!(agreeing < compared && agreeing > compared / 2);
    let sex = levels[0]["elements"]
        .as_array()
        .expect("elements")
        .iter()
        .find(|element| element["element"] == "patient.sex")
        .expect("compared");
    assert_eq!(
        (&sex["compared"], &sex["agreeing"], &sex["share"]),
        (&json!(1), &json!(0), &json!(0.0))
    );
    assert_eq!(sex["differing"], json!({"value_absence": 1}));
    // Critical elements stand first.
    let critical: Vec<bool> = levels[0]["elements"]
        .as_array()
        .expect("elements")
        .iter()
        .map(|element| element["critical"].as_bool().expect("told"))
        .collect();
    assert!(critical[0] && !critical[critical.len() - 1]);
    assert!(critical.is_sorted_by(|a, b| a >= b));

    // Another centre: nothing of it. The office: the network and the centres. The committee: the network without counts, and no case.
    let foreign = service.submitter("C02").get(&path).expect(200).json();
    assert_eq!((&foreign["levels"], &foreign["cases"]), (&json!([]), &json!([])));
    let office = service.client("coordinator", None).get(&path).expect(200).json();
    let names: Vec<&Value> = office["levels"]
        .as_array()
        .expect("levels")
        .iter()
        .map(|l| &l["level"])
        .collect();
    assert_eq!(names, [&json!("all"), &json!("C01")]);
    assert_eq!(
        office["cases"][0]["agreement"]["differences"],
        case["agreement"]["differences"]
    );
    let committee = service.client("committee", None).get(&path).expect(200).json();
    assert_eq!(committee["levels"].as_array().map(Vec::len), Some(1));
    assert!(committee.get("cases").is_none() && !committee.to_string().contains(CASE));
    assert_eq!(
        committee["levels"][0]["total"]["share"],
        Value::Null,
        "one patient is too few"
    );
    assert_eq!(committee["levels"][0]["elements"][0]["suppressed"], true);
    for role in ["researcher", "admin"] {
        service.client(role, None).get(&path).expect(403);
    }
    service.anonymous().get(&path).expect(401);
    author.get("/api/v1/verifications/none/agreement").expect(404);

    let csv = author.get_with(&path, &[("accept", "text/csv")]).expect(200);
    assert!(
        csv.header("content-disposition")
            .is_some_and(|d| d.contains("agreement-2026-11-23-7.csv"))
    );
    let text = csv.text();
    assert!(
        text.starts_with("level,element,critical,measures,cases,compared,agreeing,share,lower,upper,kappa,both_missing,values,"),
        "{text}"
    );
    assert!(
        text.contains(&format!("\nC01,*,,,1,{compared},{agreeing},")),
        "{text}"
    );
    assert_eq!(text.lines().count(), critical.len() + 2);
    let download = html(&author, &format!("/verification/{id}/agreement.csv"));
    assert_eq!(download, text, "the page's download is the API's");
}

#[test]
fn the_office_sets_back_and_the_case_is_entered_once_more() {
    let service = Service::start();
    let (author, other) = (service.submitter("C01"), service.submitter("C01"));
    let id = drawn(&service, &author);
    let path = format!("/api/v1/verifications/{id}/cases/{CASE}");
    let office = service.client("coordinator", None);
    let reset = format!("{path}:reset");
    let reason = json!({"reason": "the source of another patient was used"});
    assert_eq!(
        office.post(&reset, &[], &reason).expect(409).code(),
        "invalid_state"
    );
    other.put(&path, &[], &again()).expect(201);
    author.post(&reset, &[], &reason).expect(403);
    assert_eq!(
        office.post(&reset, &[], &json!({})).expect(422).code(),
        "invalid_value"
    );
    assert_eq!(
        office
            .post(&reset, &[], &json!({"reason": " "}))
            .expect(422)
            .code(),
        "invalid_value"
    );
    let key = [("idempotency-key", "back-1")];
    let back = office.post(&reset, &key, &reason).expect(200).json();
    assert_eq!(back["reentered_at"], Value::Null);
    let replayed = office.post(&reset, &key, &reason).expect(200);
    assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
    other.put(&path, &[], &records::figure_1(CASE)).expect(201);
    let case = author.get(&path).expect(200).json();
    assert_eq!(case["agreement"]["share"], 1.0);
    assert_eq!(case["agreement"]["may_be_verified"], true);
    assert_eq!(case["agreement"]["differences"], json!([]));
    service.verify_audit();
}

#[test]
fn a_draw_is_the_offices_and_repeats() {
    let service = Service::start();
    for (centre, cases) in [("C01", 5), ("C02", 1)] {
        let client = service.submitter(centre);
        for n in 0..cases {
            let pseudonym = format!("{centre}-{n}");
            client
                .put(
                    &format!("/api/v1/cases/{pseudonym}"),
                    &[],
                    &records::figure_1(&pseudonym),
                )
                .expect(201);
        }
    }
    let office = service.client("coordinator", None);
    let draw = |body: Value| office.post("/api/v1/verifications", &[], &body);
    for wrong in [
        json!({}),
        json!({"through": "yesterday"}),
        json!({"through": "2026-11-24"}),
        json!({"through": "2026-11-23", "share": 0}),
        json!({"through": "2026-11-23", "share": 1.2}),
        json!({"through": "2026-11-23", "seed": "two words"}),
        json!({"through": "2026-11-23", "seed": [1]}),
        json!({"through": "2026-11-23", "size": 3}),
    ] {
        assert_eq!(draw(wrong.clone()).expect(422).code(), "invalid_value", "{wrong}");
    }
    assert_eq!(
        draw(json!({"through": "2026-11-22"})).expect(409).code(),
        "invalid_state"
    );
    for role in ["committee", "admin", "researcher"] {
        let answer =
            service
                .client(role, None)
                .post("/api/v1/verifications", &[], &json!({"through": "2026-11-23"}));
        answer.expect(403);
    }
    // The usual share of 5 % is one case of every centre.
    let first = draw(json!({"through": "2026-11-23", "seed": "a"}))
        .expect(201)
        .json();
    assert_eq!((&first["share"], &first["cases"]), (&json!(0.05), &json!(2)));
    let second = draw(json!({"through": "2026-11-23", "seed": "a"}))
        .expect(201)
        .json();
    let sample = |draw: &Value| {
        let id = draw["verification_id"].as_str().expect("an id");
        office
            .get(&format!("/api/v1/verifications/{id}"))
            .expect(200)
            .json()["sample"]
            .clone()
    };
    assert_eq!(sample(&first), sample(&second));
    let listed = service
        .submitter("C02")
        .get("/api/v1/verifications")
        .expect(200)
        .json();
    assert_eq!(listed["verifications"][0]["cases"], 1, "the own ones are counted");
    let listed = service
        .client("committee", None)
        .get("/api/v1/verifications")
        .expect(200)
        .json();
    assert_eq!(listed["verifications"][1]["cases"], 2);
    let id = first["verification_id"].as_str().expect("an id");
    let committee = service
        .client("committee", None)
        .get(&format!("/api/v1/verifications/{id}"))
        .expect(200);
    assert!(committee.json().get("sample").is_none());
}

#[test]
fn the_pages_show_a_blank_form_first_and_the_values_to_the_centre_alone() {
    let service = Service::start();
    let (author, other) = (service.submitter("C01"), service.submitter("C01"));
    let office = service.client("coordinator", None);
    assert!(html(&office, "/verification").contains("No sample has been drawn yet"));
    let id = drawn(&service, &author);
    let page = format!("/verification/{id}/{CASE}");

    let form = html(&other, &page);
    let current = &service.state().schemas.current().version;
    assert!(
        form.contains(&format!("data-again=\"/api/v1/verifications/{id}/cases/{CASE}\"")),
        "{form}"
    );
    assert!(form.contains(&format!("data-sampled=\"{CASE}\"")) && !form.contains("data-case="));
    assert!(
        form.contains(&format!("data-version=\"{current}\"")),
        "the newest form, whatever is stored"
    );
    assert!(html(&author, &page).contains("somebody else of your centre"));
    assert!(!html(&author, &page).contains("data-again"));
    assert!(html(&office, &page).contains("Nobody has entered this case again"));
    let (strange, absent) = (
        service
            .submitter("C02")
            .get_with(&page, &[("accept", "text/html")]),
        service
            .submitter("C02")
            .get_with(&format!("/verification/{id}/ABSENT"), &[("accept", "text/html")]),
    );
    assert_eq!((strange.status, absent.status), (404, 404));

    other
        .put(&format!("/api/v1/verifications/{id}/cases/{CASE}"), &[], &again())
        .expect(201);
    assert_eq!(records::figure_1(CASE)["patient"]["sex"], "female");
    let sex = "Female";
    let own = html(&author, &page);
    assert!(
        own.contains("Patient: sex") && own.contains(&format!("<td>{sex} ")),
        "{own}"
    );
    assert!(own.contains("<td>Unknown "), "{own}");
    let of_office = html(&office, &page);
    assert!(
        of_office.contains("Patient: sex") && of_office.contains("Set back"),
        "{of_office}"
    );
    assert!(!of_office.contains(&format!("<td>{sex} ")) && !of_office.contains("<td>Unknown "));
    let overview = html(&author, &format!("/verification/{id}"));
    assert!(
        overview.contains("Critical elements") && overview.contains("Patient: sex"),
        "{overview}"
    );
    // Pages name no element, code or place as the dictionary does.
    for page in [&own, &of_office, &overview] {
        assert!(
            !page.contains("patient.sex") && !page.contains("/patient/sex"),
            "{page}"
        );
    }
    let committee = html(&service.client("committee", None), &format!("/verification/{id}"));
    assert!(
        !committee.contains(CASE) && committee.contains("not shown"),
        "{committee}"
    );
    service.client("committee", None).get(&page).expect(403);
}

#[test]
fn who_has_read_the_case_since_the_draw_does_not_enter_it_again() {
    let service = Service::start();
    let (author, reader, exporter) = (
        service.submitter("C01"),
        service.submitter("C01"),
        service.submitter("C01"),
    );
    // Whoever read it before the draw did not know that it would be drawn.
    let other = service.submitter("C01");
    author
        .put(&format!("/api/v1/cases/{CASE}"), &[], &records::figure_1(CASE))
        .expect(201);
    other.get(&format!("/api/v1/cases/{CASE}")).expect(200);
    let draw = json!({"through": "2026-11-23", "share": 1.0, "seed": 7});
    let draw = service
        .client("coordinator", None)
        .post("/api/v1/verifications", &[], &draw)
        .expect(201)
        .json();
    let path = format!(
        "/api/v1/verifications/{}/cases/{CASE}",
        draw["verification_id"].as_str().expect("an id")
    );
    reader.get(&format!("/api/v1/cases/{CASE}")).expect(200);
    exporter.get("/api/v1/cases/export").expect(200);
    for client in [&reader, &exporter] {
        let told = client.get(&path).expect(200).json();
        let why = told["not_by_you"].as_str().expect("a reason");
        assert!(why.contains("since it was drawn"), "{why}");
        assert_eq!(
            client.put(&path, &[], &again()).expect(409).code(),
            "invalid_state"
        );
    }
    assert_eq!(other.get(&path).expect(200).json()["not_by_you"], Value::Null);
    other.put(&path, &[], &again()).expect(201);
}
