//! An approved data request read as a REDCap project: by its token, while it is open, and nothing beside it.

use serde_json::{Value, json};
use support::client::{Answer, Client};
use support::{records, service::Service};

const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];

/// Three patients as in Figure 1, a release, and a researcher's request for its presentations, approved through the next day.
fn opened() -> (Service, Client, String) {
    let service = Service::start();
    for n in 0..3 {
        let name = format!("FIG-{n:04}");
        service
            .submitter("C01")
            .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
            .expect(201);
    }
    let run = service.published_run("2026-11-01");
    let office = service.client("coordinator", None);
    office
        .post("/api/v1/releases", &[], &json!({ "run": run, "release": "R" }))
        .expect(201);
    let researcher = service.client("researcher", None);
    let body =
        json!({ "release": "R", "title": "Sites", "purpose": "A thesis", "files": ["presentation.csv"] });
    let filed = researcher
        .post("/api/v1/data-requests", &[], &body)
        .expect(201)
        .json();
    let id = filed["request_id"].as_str().expect("an id").to_owned();
    assert!(filed.get("redcap_token").is_none(), "not before it is open");
    office
        .post(
            &format!("/api/v1/data-requests/{id}:approve"),
            &[],
            &json!({ "expires_on": "2026-11-24" }),
        )
        .expect(200);
    (service, researcher, id)
}

fn asked(service: &Service, form: &str) -> Answer {
    Client::new(service.base(), None).send("POST", "/redcap/api/", &FORM, Some(form.as_bytes()))
}

#[test]
fn a_token_opens_its_request_and_nothing_else_until_the_last_day() {
    let (service, researcher, id) = opened();
    let address = format!("/api/v1/data-requests/{id}");
    let token = researcher.get(&address).expect(200).json()["redcap_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    assert_eq!(token.len(), 32);
    let office = service
        .client("coordinator", None)
        .get(&address)
        .expect(200)
        .json();
    assert!(office.get("redcap_token").is_none(), "its filer's alone");
    let ask = |rest: &str| asked(&service, &format!("token={token}&{rest}"));

    let flat = ask("content=record&format=json&type=flat&forms=presentation")
        .expect(200)
        .json();
    let flat = flat.as_array().expect("rows");
    // A row for what stands once of each patient, and four presentations of each.
    assert_eq!(flat.len(), 3 * (1 + 4));
    let first = &flat[1];
    assert_eq!(
        (
            &first["redcap_repeat_instrument"],
            &first["redcap_repeat_instance"]
        ),
        (&json!("presentation"), &json!(1))
    );
    assert_eq!(first["presentation_seq"], "1");
    assert_eq!(first["presentation_complete"], "2");
    let timing = "presentation_timing";
    let raw = first[timing].as_str().expect("a code").to_owned();
    let words = ask(&format!(
        "content=record&format=json&fields[0]={timing}&rawOrLabel=label"
    ))
    .expect(200)
    .json();
    let codes = service
        .client("researcher", None)
        .get("/api/v1/codelists/presentation_timing")
        .expect(200)
        .json();
    assert!(codes.to_string().contains(&raw));
    assert_ne!(words[1][timing], json!(raw));
    let csv = ask("content=record&format=csv&type=eav&fields=presentation_seq")
        .expect(200)
        .text();
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some("record,redcap_repeat_instrument,redcap_repeat_instance,field_name,value")
    );
    assert_eq!(lines.count(), 3 * (1 + 4));
    // Everything, in every form: as a client asks that names nothing. All rows are there, whatever their form.
    let everything = |form: &str| ask(&format!("content=record&{form}")).expect(200);
    let csv = everything("format=csv&type=flat").text();
    let json = everything("format=json&type=flat").json();
    let json = json.as_array().expect("rows");
    assert_eq!(csv.lines().count(), 1 + json.len());
    assert_eq!(json.len(), flat.len(), "presentations are all that is repeated");
    let long = everything("format=json&type=eav").json();
    assert_eq!(long[0]["field_name"], "patient_id");
    // What a client sends with every call and changes nothing is no hindrance.
    let usual = "exportSurveyFields=False&exportDataAccessGroups=false&exportCheckboxLabel=false&rawOrLabelHeaders=raw&eventName=label&returnFormat=json";
    ask(&format!("content=metadata&format=json&{usual}")).expect(200);
    // Downloads are counted; reading the dictionary is none.
    ask("content=metadata&format=json").expect(200);
    assert_eq!(researcher.get(&address).expect(200).json()["downloads"], 6);

    // Reading only, and what it is not asked for.
    for wrong in [
        "content=record&format=json&data=[]",
        "content=user&format=json",
        "content=record&format=json&type=tall",
        // What REDCap would narrow the answer by, and this interface does not, is said and not passed over.
        "content=record&format=json&dateRangeBegin=2026-01-01%2000:00:00",
        "content=record&format=json&exportDataAccessGroups=true",
        "content=record&format=json&events[0]=event_1_arm_1",
        "content=metadata&format=json&rawOrLabelHeaders=label",
        // A name of nothing would look like no data.
        "content=record&format=json&fields[0]=nothing",
        "content=record&format=json&forms[0]=nothing",
    ] {
        let refused = ask(wrong).expect(422);
        assert!(
            refused.json()["error"]
                .as_str()
                .is_some_and(|why| !why.is_empty())
        );
    }
    assert!(
        ask("content=record&format=xml")
            .expect(422)
            .text()
            .contains("<error>")
    );

    service.advance_days(1);
    ask("content=metadata&format=csv").expect(200);
    service.advance_days(1);
    let late = ask("content=metadata&format=csv").expect(403);
    assert!(late.text().starts_with("ERROR: "), "{}", late.text());
    service.verify_audit();
}

#[test]
fn a_token_ends_with_the_access_of_its_filer_and_outlives_a_rotation() {
    let (service, researcher, id) = opened();
    let address = format!("/api/v1/data-requests/{id}");
    let told = researcher.get(&address).expect(200).json();
    let token = told["redcap_token"].as_str().expect("a token").to_owned();
    let key = told["filed_by"]
        .as_str()
        .and_then(|who| who.strip_prefix("key:"))
        .expect("filed with a key")
        .to_owned();
    let admin = service.client("admin", None);
    let ask = || asked(&service, &format!("token={token}&content=record&format=json"));
    ask().expect(200);
    let rotated = admin
        .post(
            &format!("/api/v1/keys/{key}:rotate"),
            &[],
            &json!({ "overlap_hours": 0 }),
        )
        .expect(201)
        .json();
    researcher.get(&address).expect(401);
    ask().expect(200);
    let next = Client::new(service.base(), rotated["key"].as_str());
    assert_eq!(
        next.get(&address).expect(200).json()["redcap_token"],
        json!(token)
    );
    let next = rotated["info"]["key_id"].as_str().expect("an id");
    admin
        .post(&format!("/api/v1/keys/{next}:revoke"), &[], &json!({}))
        .expect(200);
    let refused = ask().expect(403);
    assert!(
        refused.text().contains("no open data request"),
        "{}",
        refused.text()
    );
    service.verify_audit();
}

#[test]
fn no_other_credential_opens_a_request() {
    let (service, _researcher, id) = opened();
    let key = service.key("researcher", None);
    for token in ["", &id, &key, &"0".repeat(32)] {
        let refused = asked(&service, &format!("token={token}&content=record&format=json"));
        let told: Value = refused.expect(403).json();
        let error = told["error"].as_str().expect("an error");
        assert!(error.contains("permissions") && (token.is_empty() || !error.contains(token)));
    }
    // A key is a credential of other addresses, and none here.
    let signed = Client::new(service.base(), Some(&key)).send(
        "POST",
        "/redcap/api/",
        &FORM,
        Some(b"content=record&format=json"),
    );
    signed.expect(403);
}
