//! A form that is refused comes back with what was typed and says at the field what is wrong; every other problem keeps the reader's menu.

use registry_core::access::Role;
use serde_json::json;
use support::{records, service::Service};

use crate::browser::Browser;

const CASE: &str = "FIG-0001";

/// The tag of the field that the page says is wrong, with the form it stands in.
fn wrong(page: &str) -> (String, String) {
    let (before, after) = page.split_once("id=\"refusal\"").expect("a refusal");
    let opens = before.rfind("<form ").expect("its form");
    let form = before[opens..].to_owned() + after.split("</form>").next().unwrap_or_default();
    let invalid = form.split('<').find(|tag| tag.contains("aria-invalid=\"true\""));
    (invalid.unwrap_or_default().to_owned(), form)
}

/// Sends a form that has to be refused: what was typed stands in it again, and what is wrong stands at `field`.
fn refused(browser: &Browser<'_>, path: &str, fields: &[(&str, &str)], field: &str, says: &str) {
    let answer = browser.send(path, fields);
    let page = answer.text();
    assert!(
        (409..=422).contains(&answer.status),
        "{path}: {} {page}",
        answer.status
    );
    assert!(page.contains("<nav aria-label=\"Main\">"), "{path}: no menu");
    assert!(page.contains("<title>Refused: "), "{path}: {page}");
    let (tag, form) = wrong(&page);
    assert!(form.contains(says), "{path}: {form}");
    assert!(
        tag.contains(&format!("name=\"{field}\"")),
        "{path}: <{tag}> in {form}"
    );
    assert!(tag.contains("aria-describedby=\"refusal"), "{path}: <{tag}>");
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        let place = form
            .split('<')
            .find(|tag| tag.contains(&format!("name=\"{name}\"")))
            .unwrap_or_else(|| panic!("{path}: no field {name} in {form}"));
        let stands = place.contains(&format!("value=\"{value}\""))
            || place.contains(&format!(">{value}"))
            || form.contains(&format!("value=\"{value}\" selected"))
            || form.contains(&format!("value=\"{value}\" checked"))
            || form.contains(&format!("value=\"{value}\"{}", " checked"));
        assert!(stands, "{path}: {name} lost {value:?} in {form}");
    }
}

#[test]
fn forms_of_the_administration_come_back_as_they_were_typed() {
    let service = Service::start();
    let office = Browser::of(&service, Role::Coordinator, None);
    let typed = [
        ("label", "night"),
        ("role", "submitter"),
        ("centre", ""),
        ("days", "30"),
    ];
    refused(
        &office,
        "/admin/keys",
        &typed,
        "centre",
        "This role needs a centre.",
    );
    let typed = [("label", "night"), ("role", "researcher"), ("days", "0")];
    refused(
        &office,
        "/admin/keys",
        &typed,
        "days",
        "Days until it ends: a whole number from 1 to 3650.",
    );
    let typed = [("centre_id", "C 37"), ("name", "North"), ("country", "IT")];
    refused(
        &office,
        "/admin/centres",
        &typed,
        "centre_id",
        "A centre id has 1 to 32",
    );
    let typed = [("centre_id", "C37"), ("name", "North"), ("country", "ITA")];
    refused(
        &office,
        "/admin/centres",
        &typed,
        "country",
        "A country is two capital letters",
    );
    let typed = [("name", "North"), ("country", "I"), ("takes_part", "no")];
    refused(
        &office,
        "/admin/centres/C01",
        &typed,
        "country",
        "A country is two capital letters",
    );
    let typed = [
        ("year", "2024"),
        ("value-annual_rps_volume", "forty"),
        ("value-is_specialised_sarcoma_centre", "true"),
    ];
    refused(
        &office,
        "/admin/centres/C01/years",
        &typed,
        "value-annual_rps_volume",
        "a whole number.",
    );
    let typed = [("login", "me"), ("name", "Anna Rossi"), ("role", "committee")];
    refused(&office, "/users", &typed, "login", "A sign-in name has 3 to 100");
    let typed = [("login", "rossi"), ("name", "Anna Rossi"), ("role", "submitter")];
    refused(&office, "/users", &typed, "centre", "This role needs a centre.");
    refused(
        &office,
        "/audit/verify",
        &[("anchor", "nothing")],
        "anchor",
        "Head noted earlier",
    );
}

#[test]
fn forms_of_the_office_come_back_as_they_were_typed() {
    let service = Service::start();
    let one = service.submitter("C01");
    one.put(&format!("/api/v1/cases/{CASE}"), &[], &records::figure_1(CASE))
        .expect(201);
    let again = service
        .submitter("C02")
        .put(&format!("/api/v1/cases/{CASE}"), &[], &records::figure_1(CASE));
    assert_eq!(again.status, 409);
    let run = service.published_run("2026-06-30").to_string();
    let office = Browser::of(&service, Role::Coordinator, None);
    refused(
        &office,
        "/runs",
        &[("cut_off", "2999-01-01")],
        "cut_off",
        "Data up to: a day that has come.",
    );
    let typed = [
        ("run", run.as_str()),
        ("release", "two words"),
        ("title", "First"),
    ];
    refused(
        &office,
        "/releases",
        &typed,
        "release",
        "A release id has 1 to 32",
    );
    let typed = [("through", "2026-06-30"), ("share", "0"), ("seed", "s1")];
    refused(&office, "/verification", &typed, "share", "A share lies above 0");
    let typed = [("through", "2999-01-01"), ("share", "5"), ("seed", "s1")];
    refused(
        &office,
        "/verification",
        &typed,
        "through",
        "up to a day that has come",
    );
    let typed = [("place-6", "first"), ("place-7", "2"), ("reason", "reached")];
    refused(
        &office,
        "/indicators",
        &typed,
        "place-6",
        "The place of measure 6 is a whole number",
    );

    let api = service.client("coordinator", None);
    let tasks = api.get("/api/v1/tasks").expect(200).json();
    let task = tasks["tasks"][0]["task_id"].as_str().expect("a task").to_owned();
    let long = "x".repeat(2_001);
    refused(
        &office,
        &format!("/tasks/{task}/close"),
        &[("resolution", &long)],
        "resolution",
        "A task is closed with what came of it",
    );
    let transfer = format!("/cases/{CASE}/transfer");
    let typed = [
        ("from", "C01"),
        ("to", "C02"),
        ("on", "2999-01-01"),
        ("reason", "moved"),
    ];
    refused(&office, &transfer, &typed, "on", "as of a day that has come");
    // The same from the case's own page, which names the version that was seen.
    let etag = api.get(&format!("/api/v1/cases/{CASE}")).expect(200);
    let etag = etag.header("etag").expect("an etag").to_owned();
    let page = office.send(
        &transfer,
        &[
            ("from", "C01"),
            ("to", "C02"),
            ("on", "2999-01-01"),
            ("reason", "moved"),
            ("etag", &etag),
        ],
    );
    let page = page.expect(422).text();
    assert!(
        page.contains("id=\"findings\"") && wrong(&page).0.contains("name=\"on\""),
        "{page}"
    );
}

#[test]
fn forms_of_a_case_come_back_as_they_were_typed() {
    let service = Service::start();
    service
        .submitter("C01")
        .put(&format!("/api/v1/cases/{CASE}"), &[], &records::figure_1(CASE))
        .expect(201);
    let lead = Browser::of(&service, Role::CentreLead, Some("C01"));
    let at = |path: &str| format!("/cases/{CASE}/{path}");
    let typed = [("step", "lock"), ("through", "2999-01-01"), ("reason", "closed")];
    refused(
        &lead,
        &at("life-cycle"),
        &typed,
        "through",
        "locked through a day that has come",
    );
    let long = "x".repeat(2_001);
    refused(
        &lead,
        &at("queries"),
        &[("text", &long), ("about", "imaging.date")],
        "text",
        "2,000 bytes",
    );
    let asked = json!({"case": CASE, "text": "Which scan?", "element": "imaging.date"});
    let office = service.client("coordinator", None);
    let query = office.post("/api/v1/queries", &[], &asked).expect(201).json();
    let step = format!("/queries/{}/step", query["id"].as_str().expect("an id"));
    refused(
        &lead,
        &step,
        &[("action", "message"), ("text", &long)],
        "text",
        "2,000 bytes",
    );
    let page = lead.text(&format!("/cases/{CASE}"));
    let identity = page
        .split("name=\"identity\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let typed = [
        ("identity", identity.expect("a warning")),
        ("reason", long.as_str()),
    ];
    refused(
        &lead,
        &at("answer"),
        &typed,
        "reason",
        "An answer says why the finding stands",
    );
    // What stands on the page no more is answered with what happened, and the way back to the case.
    let page = lead
        .send(&at("life-cycle"), &[("step", "unlock"), ("reason", "because")])
        .expect(409)
        .text();
    assert!(page.contains("Only a locked case can be unlocked."), "{page}");
    assert!(
        page.contains(&format!("<a class=\"button\" href=\"/cases/{CASE}\">Back</a>")),
        "{page}"
    );
}

#[test]
fn a_problem_keeps_the_menu_and_a_way_back_and_speaks_no_code() {
    let service = Service::start();
    let lead = Browser::of(&service, Role::CentreLead, Some("C01"));
    let missing = lead.page("/cases/NOBODY-1").expect(404).text();
    assert!(
        missing.contains("<nav aria-label=\"Main\">") && missing.contains("href=\"/cases\" aria-current"),
        "{missing}"
    );
    assert!(
        missing.contains("<a class=\"button\" href=\"/cases\">Back</a>") && !missing.contains("NOBODY-1"),
        "{missing}"
    );
    let forbidden = lead.page("/admin").expect(403).text();
    assert!(
        forbidden.contains("The role \u{201c}Centre lead\u{201d} may not administer."),
        "{forbidden}"
    );
    assert!(
        !forbidden.contains("centre_lead") && forbidden.contains("<nav aria-label=\"Main\">"),
        "{forbidden}"
    );
    let unknown = lead.page("/nowhere").expect(404).text();
    assert!(unknown.contains("<nav aria-label=\"Main\">"), "{unknown}");
    // A program is told the same by a document.
    let told = service
        .client("centre_lead", Some("C01"))
        .get("/api/v1/keys")
        .expect(403)
        .json();
    assert_eq!(
        told["detail"],
        "the role \u{201c}Centre lead\u{201d} may not administer"
    );
}

#[test]
fn a_refused_form_sent_by_no_browser_is_a_document() {
    let service = Service::start();
    let office = Browser::of(&service, Role::Coordinator, None);
    let csrf = office.csrf();
    let body = format!("csrf={csrf}&label=&role=researcher&days=30");
    let answer = office.send_plain("/admin/keys", body.as_bytes()).expect(422);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
}
