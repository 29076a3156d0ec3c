//! Worklist, completeness and adjudication: who sees whose, by which name, and in which form.

use serde_json::{Value, json};
use support::{client::Client, records, service::Service};

mod over_time;

fn send(service: &Service, centre: &str, example: &str, pseudonym: &str) {
    let body = records::example(example, pseudonym);
    let answer = service
        .submitter(centre)
        .put(&format!("/api/v1/cases/{pseudonym}"), &[], &body);
    answer.expect(201);
}

fn html(client: &Client, path: &str) -> String {
    client
        .get_with(path, &[("accept", "text/html")])
        .expect(200)
        .text()
}

#[test]
fn a_worklist_is_the_centres_own() {
    let service = Service::start();
    send(&service, "C01", "metachronous-lung", "OWN-1");
    send(&service, "C02", "minimal", "OTHER-1");
    let own = service.submitter("C01");
    own.get("/api/v1/worklist").expect(404);
    service.published_run("2026-11-01");

    let list = own.get("/api/v1/worklist").expect(200).json();
    assert_eq!(list["centre"], json!("C01"));
    assert!(!list.to_string().contains("OTHER-1"));
    let kinds = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().expect("items");
        items
            .iter()
            .map(|i| i["kind"].as_str().expect("a kind").to_owned())
            .collect()
    };
    // Last seen cleared on 14 September 2026, 48 days before the cut-off.
    assert!(!kinds(&list).contains(&"follow_up".to_owned()), "{list:#}");

    // Seen once, on 1 September 2025: 426 days, 183 allowed; nothing is attested.
    let other = service.submitter("C02");
    let list = other.get("/api/v1/worklist").expect(200).json();
    // Behind what can still be done in time.
    let items = list["items"].as_array().expect("items");
    let overdue = items
        .iter()
        .find(|item| item["kind"] != "care_gap")
        .expect("an item of the run");
    assert_eq!(
        (
            &overdue["kind"],
            &overdue["case"],
            &overdue["days"],
            &overdue["since"]
        ),
        (
            &json!("follow_up"),
            &json!("OTHER-1"),
            &json!(243),
            &json!("2025-09-01")
        )
    );
    assert!(kinds(&list).contains(&"section".to_owned()));
    assert!(
        list["unlocks"]
            .as_array()
            .is_some_and(|unlocks| !unlocks.is_empty())
    );
    assert!(overdue.get("case_id").is_none(), "the record id is the service's");

    // Another centre is no such centre; the office names one, and reads how much each has without.
    own.get("/api/v1/worklist?centre=C02").expect(404);
    let office = service.client("coordinator", None);
    office.get("/api/v1/worklist?centre=C99").expect(404);
    let named = office.get("/api/v1/worklist?centre=C02").expect(200).json();
    assert_eq!(named["items"], list["items"]);
    let loads = office.get("/api/v1/worklist").expect(200).json();
    let loads = loads["centres"].as_array().expect("centres");
    assert_eq!(loads.len(), 6);
    assert_eq!(loads[1]["items"]["follow_up"], json!(1));
    let kinds = |items: &Value, kind: &str| {
        let items = items.as_array().expect("items").iter();
        items.filter(|item| item["kind"] == kind).count()
    };
    for (kind, count) in loads[1]["items"].as_object().expect("counts") {
        assert_eq!(count.as_u64(), Some(kinds(&list["items"], kind) as u64), "{kind}");
    }
    // Who read which cases is in the trail: the list of a centre, not the counts.
    let reads = office
        .get("/api/v1/audit?action=worklist.read")
        .expect(200)
        .json();
    let reads = reads["events"].as_array().expect("events");
    let of = |centre: &str| reads.iter().filter(|event| event["subject"] == centre).count();
    assert_eq!((of("C01"), of("C02"), reads.len()), (1, 2, 3), "{reads:?}");
    assert!(
        reads.iter().all(|event| event["details"]["cases"] == 1),
        "{reads:?}"
    );
    office.get("/api/v1/adjudications").expect(200);
    let reads = office
        .get("/api/v1/audit?action=adjudication.read")
        .expect(200)
        .json();
    assert_eq!(reads["events"].as_array().map(Vec::len), Some(1));
    for role in ["committee", "researcher", "admin"] {
        service.client(role, None).get("/api/v1/worklist").expect(403);
    }
    service.anonymous().get("/api/v1/worklist").expect(401);
}

#[test]
fn every_error_that_stands_is_work_and_items_name_measures_and_changed_cases() {
    let service = Service::start();
    let client = service.submitter("C01");
    let mut wrong = records::example("minimal", "ERR-1");
    wrong["patient"]["birth_year"] = json!(1899);
    let path = "/api/v1/cases/ERR-1";
    client.put(path, &[], &wrong).expect(201);
    client
        .put("/api/v1/cases/ERR-2?draft=true", &[], &{
            let mut draft = wrong.clone();
            draft["patient"]["pseudonym_id"] = json!("ERR-2");
            draft
        })
        .expect(201);
    send(&service, "C01", "minimal", "MIN-1");
    service.published_run("2026-11-01");
    let items = |query: &str| -> Vec<Value> {
        let list = client.get(&format!("/api/v1/worklist{query}")).expect(200).json();
        list["items"].as_array().expect("items").clone()
    };
    let errors = items("?kind=error");
    assert_eq!(errors.len(), 1, "of drafts nobody asks anything: {errors:?}");
    assert_eq!(
        (&errors[0]["case"], &errors[0]["what"]),
        (&json!("ERR-1"), &json!("patient.birth_year"))
    );
    assert!(
        errors[0]["why"]
            .as_str()
            .is_some_and(|why| why.starts_with("E-007: ")),
        "{errors:?}"
    );
    let listed = |query: &str| -> usize {
        let cases = client.get(&format!("/api/v1/cases?{query}")).expect(200).json();
        cases["cases"].as_array().map(Vec::len).expect("cases")
    };
    assert_eq!((listed("has_errors=true"), listed("has_errors=false")), (2, 1));
    assert!(html(&client, "/cases?has_findings=errors").contains("ERR-1"));
    assert!(!html(&client, "/cases?has_findings=errors").contains("MIN-1"));
    let sections = items("?kind=section&case=ERR-1");
    let named = sections
        .iter()
        .find(|item| item["measures"].as_u64() > Some(0))
        .expect("a section worth something");
    assert_eq!(
        named["unlocks"].as_array().map(Vec::len),
        named["measures"].as_u64().map(|n| n as usize)
    );
    assert_eq!(named["changed_since_run"], false);
    // By check: the draft's is nobody's, and of one patient the committee is told nothing.
    let by_check = |client: &Client| -> Vec<String> {
        let text = client.get("/quality/checks.csv").expect(200).text();
        text.lines()
            .filter(|line| line.contains(",error,"))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(by_check(&client), ["E-007,error,,1,,"]);
    assert_eq!(
        by_check(&service.client("coordinator", None)),
        ["E-007,error,,1,,"]
    );
    assert!(by_check(&service.submitter("C02")).is_empty());
    let committee = service.client("committee", None);
    assert!(by_check(&committee).is_empty());
    assert!(html(&client, "/quality").contains("<td>error</td>"));
    assert!(!html(&committee, "/quality").contains("E-007"));
    // Corrected: no error any more, and what the run says of the case may be done already.
    wrong["patient"]["birth_year"] = json!(1960);
    client.put(path, &[("if-match", "*")], &wrong).expect(200);
    assert_eq!(items("?kind=error"), Vec::<Value>::new());
    assert!(by_check(&client).is_empty());
    assert!(
        items("?kind=section&case=ERR-1")
            .iter()
            .all(|item| item["changed_since_run"] == true)
    );
    assert!(html(&client, "/worklist?case=ERR-1").contains("changed since the run"));
}

#[test]
fn a_worklist_is_filtered_sorted_and_downloaded() {
    let service = Service::start();
    send(&service, "C01", "minimal", "MIN-1");
    send(&service, "C01", "every-absence-code", "ABS-1");
    service.published_run("2026-11-01");
    let client = service.submitter("C01");
    let items = |query: &str| -> Vec<Value> {
        let list = client.get(&format!("/api/v1/worklist{query}")).expect(200).json();
        list["items"].as_array().expect("items").clone()
    };
    let all = items("").len();
    let sections = items("?kind=section&case=MIN-1");
    assert!(!sections.is_empty() && sections.len() < all);
    assert!(
        sections
            .iter()
            .all(|i| i["kind"] == "section" && i["case"] == "MIN-1")
    );
    let by_worth: Vec<u64> = items("?sort=measures")
        .iter()
        .map(|i| i["measures"].as_u64().expect("n"))
        .collect();
    assert!(by_worth.is_sorted_by(|a, b| a >= b), "{by_worth:?}");
    let of_imaging = items("?what=imaging");
    assert!(!of_imaging.is_empty());
    assert!(
        of_imaging
            .iter()
            .all(|i| i["what"].as_str().is_some_and(|w| w.starts_with("imaging")))
    );
    // What is no code of the list is looked for in what the page says.
    let elements = of_imaging.iter().filter(|i| i["what"] != "imaging");
    assert_eq!(items("?what=imAGing%3A"), elements.cloned().collect::<Vec<_>>());
    assert!(items("?what=no%20such%20thing").is_empty());
    let none = html(&client, "/worklist?what=no+such+thing");
    assert!(
        none.contains("No item has all of these.") && !none.contains("Nothing to do."),
        "{none}"
    );
    let page = html(&client, "/worklist");
    assert!(
        page.contains("days counted up to its last day of data, 2026-11-01"),
        "{page}"
    );
    // The end of a running line is pending by nature.
    assert!(
        items("?kind=pending")
            .iter()
            .all(|i| i["what"] != "systemic.stop_date")
    );
    client.get("/api/v1/worklist?kind=no_such").expect(400);

    let csv = client
        .get_with("/api/v1/worklist?kind=section", &[("accept", "text/csv")])
        .expect(200);
    assert!(
        csv.header("content-disposition")
            .is_some_and(|d| d.contains("worklist-C01-run-1.csv"))
    );
    let text = csv.text();
    assert!(
        text.starts_with(
            "kind,case,what,why,pointer,since,days,measures,units,until,unlocks,changed_since_run\n"
        ),
        "{text}"
    );
    assert_eq!(text.lines().count(), items("?kind=section").len() + 1);
    // The form sends what is left empty; the page keeps the filters in its address.
    let page = html(&client, "/worklist?kind=section&what=&case=MIN-1&sort=");
    assert!(page.contains("MIN-1") && !page.contains("ABS-1"), "{page}");
    assert!(
        page.contains("/worklist.csv?kind=section&amp;case=MIN-1")
            || page.contains("/worklist.csv?kind=section&#38;case=MIN-1"),
        "{page}"
    );
    assert_eq!(
        client.get("/worklist.csv?kind=section").expect(200).text(),
        text,
        "the page's download is the API's"
    );
    let office = html(&service.client("coordinator", None), "/worklist");
    assert!(office.contains("/worklist?centre=C01"));
}

/// Detected three weeks before the service's day (2026-11-23), nothing done yet, everything attested so far.
fn recent(pseudonym: &str) -> Value {
    let mut body = records::example("minimal", pseudonym);
    body["patient"]["registration_date"] = json!("2026-11-05");
    body["consent"]["date"] = json!("2026-11-05");
    body["primary"]["diagnosis_date"] = json!("2026-10-20");
    body["presentation"] = json!([{
        "seq": 1, "date_detected": "2026-11-01", "detection_basis": "imaging", "staging_exception": [],
        "emergency_treatment": false
    }]);
    body["followup"] = json!([{"date": "2026-11-20", "vital_status": "alive"}]);
    body["section_attestation"] = json!([
        {"section": "all", "status": "complete_through", "complete_through": "2026-11-23"}
    ]);
    body
}

/// What can still be done is of today and of the case as it stands now: it is there before a run has seen the case, leaves when it is done, and
/// when its last day has passed.
#[test]
fn care_that_can_still_be_given_comes_first_and_leaves_when_it_is_given_or_too_late() {
    let service = Service::start();
    send(&service, "C02", "minimal", "OTHER-1");
    service.published_run("2026-11-01");
    let own = service.submitter("C01");
    own.put("/api/v1/cases/GAP-1", &[], &recent("GAP-1")).expect(201);
    let gaps = |client: &Client| -> Vec<(String, Value)> {
        let list = client.get("/api/v1/worklist?kind=care_gap").expect(200).json();
        let items = list["items"].as_array().expect("items").clone();
        items
            .iter()
            .map(|item| {
                (
                    item["what"].as_str().expect("a measure").to_owned(),
                    item["until"].clone(),
                )
            })
            .collect()
    };
    let open = gaps(&own);
    let until = |open: &[(String, Value)], measure: &str| {
        let found = open.iter().find(|(what, _)| what == measure);
        found.map(|(_, until)| until.clone())
    };
    // Chest CT counts until 90 days after the presentation, palliative care for 56 days: as the case's own assessment says.
    assert_eq!(until(&open, "6"), Some(json!("2027-01-30")), "{open:?}");
    assert_eq!(until(&open, "21"), Some(json!("2026-12-27")), "{open:?}");
    let days: Vec<String> = open
        .iter()
        .map(|(_, day)| day.as_str().unwrap_or("9").to_owned())
        .collect();
    assert!(days.is_sorted(), "the nearest first: {days:?}");
    let first = own.get("/api/v1/worklist").expect(200).json()["items"][0].clone();
    assert_eq!(
        (&first["kind"], &first["case"]),
        (&json!("care_gap"), &json!("GAP-1"))
    );
    assert!(
        gaps(&service.submitter("C02"))
            .iter()
            .all(|(what, _)| what != "6")
    );
    let shown = html(&own, "/worklist?kind=care_gap");
    assert!(
        shown.contains("Still in time") && shown.contains("<a href=\"/measures/6\">"),
        "{shown}"
    );
    let csv = own.get("/worklist.csv?kind=care_gap&what=21").expect(200).text();
    assert!(
        csv.lines()
            .nth(1)
            .is_some_and(|line| line.contains(",2026-12-27,")),
        "{csv}"
    );
    let office = service.client("coordinator", None);
    let named = office
        .get("/api/v1/worklist?centre=C01&kind=care_gap")
        .expect(200)
        .json();
    assert_eq!(named["items"].as_array().map(Vec::len), Some(open.len()));
    // The chest CT that measure 6 asks for.
    let chest = json!({"imaging": [{"date": "2026-11-10", "modality": "ct", "region": ["chest"], "purpose": "staging"}]});
    own.patch("/api/v1/cases/GAP-1", &[("if-match", "*")], &chest)
        .expect(200);
    assert_eq!(until(&gaps(&own), "6"), None);
    assert!(until(&gaps(&own), "21").is_some());
    // 23 November + 34 days = 27 December, the last day; then it is past.
    service.advance_days(34);
    assert!(until(&gaps(&own), "21").is_some());
    service.advance_days(1);
    assert_eq!(until(&gaps(&own), "21"), None);
}

/// Nothing can be done any more for a patient who is dead.
#[test]
fn a_patient_who_is_dead_has_no_care_gap() {
    let service = Service::start();
    let own = service.submitter("C01");
    let mut body = recent("DEAD-1");
    body["followup"] = json!([{"date": "2026-11-20", "vital_status": "dead", "death_date": "2026-11-20"}]);
    own.put("/api/v1/cases/DEAD-1", &[], &body).expect(201);
    service.published_run("2026-11-22");
    let list = own.get("/api/v1/worklist?kind=care_gap").expect(200).json();
    assert_eq!(list["items"], json!([]));
}

#[test]
fn a_case_withdrawn_since_the_run_is_on_no_worklist() {
    let service = Service::start();
    send(&service, "C01", "minimal", "MIN-1");
    service.published_run("2026-11-01");
    let client = service.submitter("C01");
    assert!(
        client
            .get("/api/v1/worklist")
            .expect(200)
            .text()
            .contains("MIN-1")
    );
    client
        .put(
            "/api/v1/cases/MIN-1",
            &[("if-match", "*")],
            &records::withdrawal("MIN-1"),
        )
        .expect(200);
    assert_eq!(
        client.get("/api/v1/worklist").expect(200).json()["items"],
        json!([])
    );
}

#[test]
fn completeness_is_exact_for_the_own_centre_and_rounded_for_others() {
    let service = Service::start();
    for n in 0..6 {
        send(&service, "C01", "figure-1", &format!("FIG-{n}"));
    }
    for n in 0..6 {
        send(&service, "C02", "minimal", &format!("MIN-{n}"));
    }
    send(&service, "C03", "minimal", "ONE-1");
    service.published_run("2026-11-01");
    let levels = |client: &Client| -> Vec<Value> {
        let answer = client.get("/api/v1/quality/completeness").expect(200).json();
        answer["levels"].as_array().expect("levels").clone()
    };
    let element = |level: &Value, name: &str| -> Value {
        let elements = level["elements"].as_array().expect("elements");
        elements
            .iter()
            .find(|e| e["element"] == name)
            .expect("the element")
            .clone()
    };
    let office = levels(&service.client("coordinator", None));
    let names: Vec<&str> = office
        .iter()
        .map(|l| l["level"].as_str().expect("a level"))
        .collect();
    assert_eq!(names, ["all", "C01", "C02", "C03"]);
    // Thirteen patients have a sex that is known or not, one each.
    let sex = element(&office[0], "patient.sex");
    assert_eq!(sex["patients"], json!(13));
    let own = levels(&service.submitter("C02"));
    let names: Vec<&str> = own
        .iter()
        .map(|l| l["level"].as_str().expect("a level"))
        .collect();
    assert_eq!(names, ["all", "C02"]);
    assert_eq!(own[1], office[2]);
    assert_eq!(element(&own[0], "patient.sex")["counts"], json!(null));

    let committee = levels(&service.client("committee", None));
    assert_eq!(committee.len(), 4);
    let told = Value::from(committee.clone()).to_string();
    assert!(
        !told.contains("C01") && told.contains("Centre "),
        "centres are letters"
    );
    for level in &committee {
        assert_eq!(element(level, "patient.sex")["counts"], json!(null));
        assert_eq!(element(level, "patient.sex")["patients"], json!(null));
    }
    let hidden: Vec<bool> = committee
        .iter()
        .map(|level| element(level, "patient.sex")["suppressed"] == json!("few_patients"))
        .collect();
    assert_eq!(
        hidden.iter().filter(|hidden| **hidden).count(),
        1,
        "the centre with one patient"
    );
    assert!(!hidden[0]);

    let client = service.submitter("C01");
    let csv = client
        .get_with(
            "/api/v1/quality/completeness?section=primary&centre=C01",
            &[("accept", "text/csv")],
        )
        .expect(200)
        .text();
    let mut lines = csv.lines();
    let width = lines.next().expect("a header").split(',').count();
    assert!(
        lines.clone().count() > 5 && lines.all(|line| line.split(',').count() == width),
        "{csv}"
    );
    assert!(csv.contains("C01,element,,primary.side,R,6,6,"), "{csv}");
    let page = html(&client, "/quality");
    assert!(page.contains("/quality?section=primary") && page.contains("Completeness of follow-up"));
    let page = html(&client, "/quality?section=primary");
    assert!(
        page.contains(">Side</a>") && !page.contains(">primary.side<") && page.contains("6 of 6"),
        "{page}"
    );
    assert!(
        client
            .get("/quality.csv")
            .expect(200)
            .text()
            .starts_with("level,of,period,name,")
    );
    service
        .client("admin", None)
        .get("/api/v1/quality/completeness")
        .expect(403);
    service
        .anonymous()
        .get("/api/v1/quality/completeness")
        .expect(401);
}

#[test]
fn histologies_that_are_not_listed_wait_for_the_committee() {
    let service = Service::start();
    send(&service, "C01", "not-listed-histology", "PLS-1");
    send(&service, "C02", "minimal", "MIN-1");
    let office = service.client("coordinator", None);
    let before = office.get("/api/v1/adjudications").expect(200).json();
    assert_eq!(before, json!({"run": null, "waiting": [], "decisions": []}));
    service.published_run("2026-11-01");
    let waiting = office.get("/api/v1/adjudications").expect(200).json();
    let waiting = waiting["waiting"].as_array().expect("a list");
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0]["morphology"], json!("8854/3"));
    assert_eq!(waiting[0]["cases"], json!([{"centre": "C01", "case": "PLS-1"}]));
    assert_eq!(waiting[0]["decided"], json!(false));
    let page = html(&office, "/adjudication");
    assert!(page.contains("PLS-1"));
    assert!(
        page.contains("<code>schema.folder</code> is not set"),
        "no decision can reach it: {page}"
    );
    assert!(page.contains("registry cases rejudge"), "{page}");
    for client in [service.submitter("C01"), service.client("committee", None)] {
        client.get("/api/v1/adjudications").expect(403);
    }
}

/// A decision in the schema folder places the cases at the next run, without their being sent again.
#[test]
fn a_decision_applies_at_the_next_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = folder.path().join("schema");
    support::repository::copy_into(&support::repository::root().join("schema"), &schema);
    let decision = "[[decision]]\nmorphology = \"8854/3\"\neligibility_class = \"core\"\nhistology_code = \"ups\"\n\
        decided = 2026-11-20\nby = \"Steering committee\"\nreason = \"Treated alike\"\n";
    std::fs::write(schema.join("adjudication/decisions.toml"), decision).expect("written");
    let service = Service::start_with(support::database::Database::sqlite(), |settings| {
        settings.schema.folder = Some(schema.clone());
    });
    send(&service, "C01", "not-listed-histology", "PLS-1");
    service.published_run("2026-11-01");
    let office = service.client("coordinator", None);
    let answer = office.get("/api/v1/adjudications").expect(200).json();
    assert_eq!(answer["waiting"], json!([]));
    assert_eq!(
        answer["decisions"],
        json!([{"morphology": "8854/3", "eligibility_class": "core", "histology_code": "ups", "decided": "2026-11-20",
            "by": "Steering committee", "reason": "Treated alike"}])
    );
    let page = html(&office, "/adjudication");
    assert!(
        page.contains("Treated alike") && !page.contains("is not set"),
        "{page}"
    );
    let case = office.get("/api/v1/cases/PLS-1").expect(200).json();
    let derived = &case["derived"];
    assert_eq!(
        (&derived["histology_code"], &derived["eligibility_class"]),
        (&json!("ups"), &json!("core"))
    );
}

/// A row counts from its event to the version that first held it, not to the latest.
#[test]
fn time_to_submission_follows_the_versions_of_a_case() {
    let service = Service::start();
    send(&service, "C01", "minimal", "MIN-1");
    service.advance_days(10);
    let mut body = records::example("minimal", "MIN-1");
    let contacts = body["followup"].as_array_mut().expect("contacts");
    contacts.push(json!({"date": "2026-11-24", "vital_status": "alive"}));
    let client = service.submitter("C01");
    client
        .put("/api/v1/cases/MIN-1", &[("if-match", "*")], &body)
        .expect(200);
    service.published_run("2026-12-03");
    let answer = client
        .get("/api/v1/quality/completeness?centre=C01&section=followup")
        .expect(200)
        .json();
    // 1 September 2025 to 23 November 2026: 448 days; 24 November to 3 December: 9.
    assert_eq!(
        answer["levels"][0]["timeliness"],
        json!([{"section": "followup", "patients": 1, "rows": 2, "lower_quartile": 118.75, "median": 228.5,
            "upper_quartile": 338.25, "suppressed": null}])
    );
    // Metastatic diagnosis on 3 March 2025, first sent 630 days later.
    assert_eq!(answer["levels"][0]["registration"]["median"], json!(630.0));
}

/// Twelve patients at each of four centres; C01 does not say whether there was a board.
#[test]
fn who_says_least_stands_first_and_by_letter_for_the_committee() {
    let service = Service::start();
    for (centre, says) in [("C01", false), ("C02", true), ("C03", true), ("C04", true)] {
        let client = service.submitter(centre);
        for n in 0..12 {
            let name = format!("{centre}-{n:04}");
            let mut body = records::example("observation-only", &name);
            if !says {
                body["mdt"] = json!([]);
                let closed = body["section_attestation"].as_array_mut().expect("attestations");
                closed.retain(|one| one["section"] != "mdt");
            }
            client
                .put(&format!("/api/v1/cases/{name}"), &[], &body)
                .expect(201);
        }
    }
    service.published_run("2026-11-01");
    let committee = service.client("committee", None);
    let rows = committee
        .get("/api/v1/adherence?measure=1a&by=centre&period=last24_months")
        .expect(200)
        .json()["rows"]
        .clone();
    let mut silent = rows
        .as_array()
        .expect("rows")
        .iter()
        .filter(|row| row["not_assessable"] == 12);
    let letter = silent.next().expect("C01 by its letter")["level"]
        .as_str()
        .expect("a name");
    let section = |text: &str| {
        let rest = text.split("id=\"silence\"").nth(1).expect("the section");
        rest.split("</tbody>").next().expect("a table").to_owned()
    };
    let shown = html(&committee, "/quality");
    let table = section(&shown);
    let first = table.split("<th scope=\"row\">").nth(1).expect("a centre");
    assert!(first.starts_with(&format!("{letter}</th>")), "{table}");
    let above = |row: &str| -> u32 {
        let cell = row.split("<td class=\"n\">").nth(3).expect("a cell");
        cell.split(" of ")
            .next()
            .and_then(|n| n.parse().ok())
            .expect("a number")
    };
    assert!(above(first) > 0, "{first}");
    for row in table.split("<th scope=\"row\">").skip(2) {
        assert_eq!(above(row), 0, "{row}");
    }
    assert!(!shown.contains("C01"), "{shown}");
    // A centre has itself, the office has names and the checks.
    let own = html(&service.submitter("C02"), "/quality");
    assert!(
        section(&own).contains(">C02</th>") && !own.contains("C01"),
        "{own}"
    );
    let office = html(&service.client("coordinator", None), "/quality?measure=1a");
    assert!(
        office.contains("Findings by check") && section(&office).contains(">C01</th>"),
        "{office}"
    );
    assert!(office.contains("<td class=\"n\">12 of 12</td>"), "{office}");
    committee
        .get_with("/quality?measure=no-such", &[("accept", "text/html")])
        .expect(404);
}
