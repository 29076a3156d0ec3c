//! Care gaps on submission, and why a measure says what it says.

use serde_json::{Value, json};
use support::{records, service::Service};

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

#[test]
fn a_submission_answers_the_care_gaps_still_open_in_time_first() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let plain = centre
        .put("/api/v1/cases/GAP-1", &[], &recent("GAP-1"))
        .expect(201)
        .json();
    assert!(plain.get("assessment").is_none(), "only when asked for");
    let answer = centre
        .put("/api/v1/cases/GAP-2?assess=true", &[], &recent("GAP-2"))
        .expect(201)
        .json();
    let gaps = answer["assessment"]["care_gaps"].as_array().expect("gaps");
    let of = |measure: &str| {
        gaps.iter()
            .find(|gap| gap["measure"] == measure)
            .unwrap_or_else(|| panic!("{measure} is a gap"))
    };
    // Chest CT counts until 90 days after the presentation as long as nothing is treated: 1 November + 90 days.
    assert_eq!(of("6")["state"], "open");
    assert_eq!(of("6")["in_time_through"], "2027-01-30");
    // Palliative care counts as early for 56 days.
    assert_eq!(of("21")["in_time_through"], "2026-12-27");
    let ranks: Vec<u8> = gaps
        .iter()
        .map(|gap| match gap["state"].as_str() {
            Some("open") => 0,
            Some("past") => 1,
            _ => 2,
        })
        .collect();
    assert!(ranks.is_sorted(), "open first: {ranks:?}");
    let days: Vec<&str> = gaps
        .iter()
        .filter_map(|gap| gap["in_time_through"].as_str())
        .collect();
    assert!(
        days.is_sorted() && days.len() >= 3,
        "the nearest day first: {days:?}"
    );
    assert!(
        gaps.iter()
            .all(|gap| gap["kind"] != "utilisation" && gap["kind"] != "avoidance"),
        "no direction, or nothing that could be done: no gap"
    );
}

#[test]
fn a_submission_answers_what_is_met_what_is_not_and_which_element_is_missing() {
    let service = Service::start();
    let centre = service.submitter("C01");
    // Nobody says whether a board met: neither rows nor an attestation that there are none.
    let mut body = records::figure_1("ASS-1");
    let record = body.as_object_mut().expect("a record");
    record.remove("mdt");
    record.remove("section_attestation");
    let put = centre.put("/api/v1/cases/ASS-1?assess=true", &[], &body);
    let told = put.expect(201).json()["assessment"].clone();
    let lines = told["lines"].as_array().expect("lines");
    let outcomes = |line: &&Value| line["outcome"] == "NOT_ASSESSABLE";
    let missing: Vec<&Value> = lines.iter().filter(outcomes).collect();
    assert!(!missing.is_empty(), "{told}");
    for line in &missing {
        assert!(line["reason"].is_string(), "{line}");
    }
    let board = missing
        .iter()
        .find(|line| line["measure"] == "1a")
        .expect("1a rests on the board");
    assert!(
        board["element"]
            .as_str()
            .is_some_and(|element| element.starts_with("mdt")),
        "{board}"
    );
    // The same as the address of the assessment says afterwards, the summaries of several measures included.
    let read = centre.get("/api/v1/cases/ASS-1/assessment").expect(200).json();
    assert_eq!(told["lines"], read["assessment"]);
    assert_eq!(told["care_gaps"], read["care_gaps"]);
    assert!(lines.iter().any(|line| line["kind"] == "composite"), "{told}");
    let plain = centre
        .get("/api/v1/cases/ASS-1")
        .expect(200)
        .header("etag")
        .expect("a tag")
        .to_owned();
    let again = centre
        .put("/api/v1/cases/ASS-1", &[("if-match", &plain)], &body)
        .expect(200);
    assert!(again.json().get("assessment").is_none(), "only when asked for");
}

#[test]
fn a_patch_answers_the_care_gaps_that_remain() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let open = |answer: &Value| -> Vec<String> {
        let gaps = answer["assessment"]["care_gaps"].as_array().expect("gaps");
        let open = gaps.iter().filter(|gap| gap["state"] == "open");
        open.filter_map(|gap| gap["measure"].as_str().map(str::to_owned))
            .collect()
    };
    let put = centre
        .put("/api/v1/cases/GAP-3?assess=true", &[], &recent("GAP-3"))
        .expect(201);
    let etag = put.header("etag").expect("an ETag").to_owned();
    let before = open(&put.json());
    assert!(before.contains(&"6".to_owned()), "{before:?}");
    // The chest CT that measure 6 asks for.
    let chest = json!({"imaging": [{"date": "2026-11-10", "modality": "ct", "region": ["chest"], "purpose": "staging"}]});
    let patched = centre
        .patch("/api/v1/cases/GAP-3?assess=true", &[("if-match", &etag)], &chest)
        .expect(200);
    let after = open(&patched.json());
    assert!(
        !after.contains(&"6".to_owned()) && after.contains(&"21".to_owned()),
        "{after:?}"
    );
}

#[test]
fn an_assessment_explains_itself() {
    let service = Service::start();
    let centre = service.submitter("C01");
    centre
        .put("/api/v1/cases/WHY-1", &[], &recent("WHY-1"))
        .expect(201);
    let path = "/api/v1/cases/WHY-1/assessment";
    let answer = centre
        .get(&format!("{path}?measure=6&explain=true"))
        .expect(200)
        .json();
    let lines = answer["assessment"].as_array().expect("lines");
    assert_eq!(lines.len(), 1);
    let why = &lines[0]["explanation"];
    assert_eq!(lines[0]["outcome"], "NOT_ASSESSABLE");
    assert_eq!(lines[0]["reason"], "window_open");
    assert_eq!(why["dates"]["T0"], "2026-11-01");
    assert_eq!(why["dates"]["CUT"], "2026-11-23");
    let steps: Vec<(&str, &str)> = why["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .map(|step| (step["step"].as_str().unwrap(), step["truth"].as_str().unwrap()))
        .collect();
    assert_eq!(steps[0], ("population", "true"));
    assert_eq!(steps[1], ("denominator", "true"));
    let read = |step: usize| why["steps"][step]["read"].as_array().expect("cells").clone();
    assert!(
        read(0).contains(&json!({"pointer": "/consent/status", "value": "consented"})),
        "{:?}",
        read(0)
    );
    assert!(
        why["because"]
            .as_str()
            .expect("a sentence")
            .contains("still open in time"),
        "{why}"
    );
    centre.get(&format!("{path}?measure=99z")).expect(404);
    service.submitter("C02").get(path).expect(404);
}

/// A summary stands behind its parts, says what they are, and follows from them.
#[test]
fn an_assessment_has_the_summaries_of_several_measures() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let body = records::figure_1("ALL-1");
    centre.put("/api/v1/cases/ALL-1", &[], &body).expect(201);
    let path = "/api/v1/cases/ALL-1/assessment";
    let lines = |measure: &str| -> Vec<Value> {
        let answer = centre
            .get(&format!("{path}?measure={measure}"))
            .expect(200)
            .json();
        answer["assessment"].as_array().expect("lines").clone()
    };
    let summaries = lines("24");
    assert_eq!(summaries.len(), lines("24a").len(), "one per unit of its parts");
    for summary in &summaries {
        assert_eq!(summary["kind"], "composite");
        assert_eq!(summary["parts"], json!(["24a", "24b", "24c"]));
        let of_unit = |id: &str| {
            let all = lines(id);
            let part = all
                .iter()
                .find(|part| part["unit_index"] == summary["unit_index"]);
            part.expect("a part")["outcome"]
                .as_str()
                .expect("an outcome")
                .to_owned()
        };
        let parts = ["24a", "24b", "24c"].map(of_unit);
        let decisive = [
            "NOT_MET",
            "NOT_ASSESSABLE",
            "MET",
            "EXCEPTED",
            "EXCLUDED",
            "NOT_IN_DENOM",
        ];
        let first = decisive
            .into_iter()
            .find(|outcome| parts.iter().any(|part| part == outcome));
        assert_eq!(summary["outcome"].as_str(), first, "{parts:?}");
    }
    let all = centre.get(path).expect(200).json();
    let kinds = all["assessment"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| line["kind"].clone());
    assert!(kinds.clone().any(|kind| kind == "composite"));
    let gaps = all["care_gaps"].as_array().expect("gaps");
    assert!(
        gaps.iter().all(|gap| gap["kind"] != "composite"),
        "gaps are those of the parts"
    );
    let page = centre
        .get_with("/cases/ALL-1", &[("accept", "text/html")])
        .expect(200)
        .text();
    assert!(
        page.contains("id=\"m24-") && page.contains("All or none: "),
        "{page}"
    );
}

/// A pointer of an explanation leads into the document as it was sent, also when its names have changed since.
#[test]
fn an_explanation_points_into_the_document_as_sent() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let sent = support::records::example("metachronous-lung", "WHY-2");
    assert_eq!(sent["schema_version"], "1.0.0");
    centre.put("/api/v1/cases/WHY-2", &[], &sent).expect(201);
    let answer = centre
        .get("/api/v1/cases/WHY-2/assessment?explain=true")
        .expect(200)
        .json();
    let stored = centre.get("/api/v1/cases/WHY-2").expect(200).json();
    let newer = &service.state().schemas.current().dictionary;
    let older = &service
        .state()
        .schemas
        .case_schema("1.0.0")
        .expect("the version sent")
        .dictionary;
    let mut renamed = 0;
    // A summary of several measures has the explanations of its parts.
    let lines = answer["assessment"].as_array().expect("lines");
    for line in lines.iter().filter(|line| line["kind"] != "composite") {
        for step in line["explanation"]["steps"].as_array().expect("steps") {
            for cell in step["read"].as_array().expect("cells") {
                let pointer = cell["pointer"].as_str().expect("a pointer");
                let mut tokens = pointer.split('/').skip(1);
                let entity = tokens.next().expect("an entity");
                let element = tokens.find(|token| token.parse::<usize>().is_err());
                let Some(element) = element else { continue };
                let name = format!("{entity}.{element}");
                if entity != "record" && entity != "centre" {
                    assert!(older.element(&name).is_some(), "{pointer} is no place of 1.0.0");
                }
                // What was split has another value now, read from where it was sent.
                if newer.element(&name).is_none() {
                    renamed += 1;
                } else if let Some(value) = stored["case"].pointer(pointer) {
                    assert_eq!(&cell["value"], value, "{pointer}");
                }
            }
        }
    }
    assert!(renamed > 0, "an element that has another name now was read");
}
