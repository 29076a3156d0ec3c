//! `/admin`: keys and centres, from the pages of those who administer.

use registry_core::access::{Role, Scope};
use registry_core::storage::AuditFilter;
use serde_json::json;
use support::client::Client;
use support::{records, service::Service};

use crate::browser::Browser;

fn actions(service: &Service, action: &str) -> usize {
    let filter = AuditFilter {
        action: Some(action.to_owned()),
        ..AuditFilter::default()
    };
    let store = &service.state().store;
    let page = store.list_audit(&Scope::system("test"), &filter, None, 1000);
    page.expect("events").items.len()
}

#[test]
fn a_centre_is_added_has_its_years_and_ends() {
    let service = Service::start();
    let office = Browser::of(&service, Role::Admin, None);
    let added = [
        ("centre_id", "C36"),
        ("name", "Example <Hospital>"),
        ("country", "it"),
    ];
    let answer = office.send("/admin/centres", &added).expect(303);
    assert_eq!(answer.header("location"), Some("/admin/centres/C36"));
    let text = office.text("/admin/centres/C36");
    assert!(text.contains("C36: Example &#60;Hospital&#62;"), "{text}");
    assert!(
        text.contains("No year has been entered yet") && text.contains("value=\"IT\""),
        "{text}"
    );
    office.send("/admin/centres", &added).expect(409);
    for (fields, says) in [
        (
            [("centre_id", "canary!"), ("name", "N"), ("country", "")],
            "a centre id has 1 to 32",
        ),
        (
            [("centre_id", "C37"), ("name", ""), ("country", "")],
            "name has 1 to 200",
        ),
        (
            [("centre_id", "C37"), ("name", "N"), ("country", "canary")],
            "a country is two capital letters",
        ),
    ] {
        office.refused("/admin/centres", &fields, 422, says);
    }

    let years = "/admin/centres/C36/years";
    let year = [
        ("year", "2025"),
        ("value-annual_rps_volume", "40"),
        ("value-is_specialised_sarcoma_centre", "true"),
        ("value-mis_metastasectomy_programme", "false"),
        ("absent-eligible_seen", "unknown"),
    ];
    let answer = office.send(years, &year).expect(303);
    assert_eq!(answer.header("location"), Some("/admin/centres/C36?year=2025"));
    let api = service.client("coordinator", None);
    let stored = api.get("/api/v1/centres/C36/years").expect(200).json();
    assert_eq!(
        stored["years"][0]["values"],
        json!({"centre_id": "C36", "effective_year": 2025, "annual_rps_volume": 40, "is_specialised_sarcoma_centre": true,
            "mis_metastasectomy_programme": false, "eligible_seen": {"absent": "unknown"}})
    );
    let text = office.text("/admin/centres/C36?year=2025");
    assert!(
        text.contains("Change 2025") && text.contains("name=\"value-annual_rps_volume\" value=\"40\""),
        "{text}"
    );
    assert!(text.contains("<option value=\"unknown\" selected>"), "{text}");
    assert!(office.text("/admin/centres/C36").contains("Enter 2026"));
    for (field, value, says) in [
        ("value-annual_rps_volume", "canary", ": a whole number."),
        ("value-annual_rps_volume", "-4", ": a whole number."),
        ("value-academic_trial_centre", "canary", ": yes or no."),
        ("absent-annual_rps_volume", "canary", ": choose one of the list."),
        ("absent-annual_rps_volume", "not_done", "annual_rps_volume takes"),
    ] {
        office.refused(years, &[("year", "2025"), (field, value)], 422, says);
    }
    let both = [
        ("year", "2025"),
        ("value-eligible_seen", "3"),
        ("absent-eligible_seen", "unknown"),
    ];
    office.refused(years, &both, 422, ": a value, or why there is none, not both.");
    office.refused(years, &[("year", "canary")], 422, "Year: four digits");
    office.refused(years, &[("year", "1066")], 422, "a year lies between");
    office
        .send("/admin/centres/C99/years", &[("year", "2025")])
        .expect(404);
    office.page("/admin/centres/C99").expect(404);

    let key = service.key("submitter", Some("C36"));
    let centre = Client::new(service.base(), Some(&key));
    let put = |name: &str| centre.put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(name));
    put("FIG-0001").expect(201);
    let ended = [("name", "Example"), ("country", "IT"), ("takes_part", "no")];
    office.send("/admin/centres/C36", &ended).expect(303);
    assert_eq!(put("FIG-0002").expect(409).code(), "invalid_state");
    assert!(office.text("/admin").contains("no, ended"));
    assert!(office.text("/admin/centres/C36").contains("takes part no more"));
    office.refused(
        "/admin/centres/C36",
        &[("name", "N"), ("takes_part", "canary")],
        422,
        "Takes part: yes or no",
    );
    office.send("/admin/centres/C99", &ended).expect(404);
    // The same by API.
    let again = json!({"name": "Example", "active": true});
    assert_eq!(
        api.put("/api/v1/centres/C36", &[], &again).expect(200).json()["active"],
        true
    );
    put("FIG-0002").expect(201);
    api.put("/api/v1/centres/C37", &[], &again).expect(201);
    api.put("/api/v1/centres/C37", &[], &json!({"name": "canary"}))
        .expect(422);
    centre.put("/api/v1/centres/C36", &[], &again).expect(403);

    assert_eq!(actions(&service, "centre.change"), 2);
    assert_eq!(actions(&service, "centre.year"), 6 * 9 + 1);
    service.verify_audit();
}

/// The key in the notice of a page.
fn secret(text: &str) -> String {
    let rest = text.split("<code>rps_").nth(1).expect("a key on the page");
    format!("rps_{}", rest.split('<').next().unwrap_or_default())
}

#[test]
fn a_key_is_shown_once_rotated_and_revoked() {
    let service = Service::start();
    let office = Browser::of(&service, Role::Coordinator, None);
    let status = |key: &str| Client::new(service.base(), Some(key)).get("/api/v1/cases").status;
    let wanted = [
        ("label", "nightly push"),
        ("role", "submitter"),
        ("centre", "C01"),
        ("days", "30"),
    ];
    let answer = office.send("/admin/keys", &wanted).expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let first = secret(&answer.text());
    assert_eq!(status(&first), 200);
    assert!(!office.text("/admin").contains(&first), "shown once");
    let listed = || {
        service
            .state()
            .store
            .list_keys(&Scope::system("test"))
            .expect("keys")
    };
    let of = |label: &str| {
        listed()
            .into_iter()
            .rev()
            .find(|key| key.label == label)
            .expect("the key")
    };
    let made = of("nightly push");
    let days = made.expires_at.map(|end| (end - made.created_at).num_days());
    assert!(matches!(days, Some(29 | 30)), "{days:?}");
    assert!(made.created_by.starts_with("user:"), "{}", made.created_by);

    let rotate = format!("/admin/keys/{}/rotate", made.key_id);
    office.refused(
        &rotate,
        &[("overlap_hours", "canary")],
        422,
        "Hours both are good: a whole number from 0 to 720",
    );
    let answer = office.send(&rotate, &[("overlap_hours", "2")]).expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let second = secret(&answer.text());
    assert!(
        answer
            .text()
            .contains("The key it replaces works until 2026-11-23 14:00 UTC"),
        "{}",
        answer.text()
    );
    assert_eq!((status(&first), status(&second)), (200, 200));
    office.send(&rotate, &[("overlap_hours", "2")]).expect(409);
    service.advance_minutes(121);
    assert_eq!((status(&first), status(&second)), (401, 200));

    // The session has ended by idling.
    let office = Browser::of(&service, Role::Coordinator, None);
    // Made in the same instant by the clock of the test: told apart by their ids alone.
    let follows = listed()
        .into_iter()
        .find(|key| key.label == made.label && key.key_id != made.key_id)
        .expect("the key that replaces it");
    let revoke = format!("/admin/keys/{}/revoke", follows.key_id);
    office.send(&revoke, &[]).expect(303);
    assert_eq!(status(&second), 401);
    assert!(office.text("/admin").contains("revoked"));
    for (fields, says) in [
        (
            [("label", ""), ("role", "researcher"), ("days", "30")],
            "label has 1 to 200",
        ),
        (
            [("label", "x"), ("role", "canary"), ("days", "30")],
            "Role: choose one",
        ),
        (
            [("label", "x"), ("role", "submitter"), ("days", "30")],
            "needs a centre",
        ),
        (
            [("label", "x"), ("role", "researcher"), ("days", "canary")],
            "Days until it ends",
        ),
        (
            [("label", "x"), ("role", "researcher"), ("days", "0")],
            "Days until it ends",
        ),
    ] {
        office.refused("/admin/keys", &fields, 422, says);
    }
    for path in [
        "/admin/keys",
        "/admin/centres",
        "/admin/centres/C01",
        "/admin/centres/C01/years",
        "/audit/verify",
    ] {
        office.send_with(path, &wanted, "guess").expect(403);
    }
    office.send("/admin/keys/none/revoke", &[]).expect(404);
    service.verify_audit();
}
