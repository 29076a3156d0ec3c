//! Pages of cases: the list with its filters, the words on the page of a case, and what changed between two versions.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{client::Client, records, service::Service};

const HTML: (&str, &str) = ("accept", "text/html");

fn page(client: &Client, path: &str) -> String {
    client.get_with(path, &[HTML]).expect(200).text()
}

/// What a reader sees: without markup, and without what is set as code (places in the document).
fn seen(html: &str) -> String {
    let from = html.find("<main").expect("a main part");
    // Who stored a version is called by the name of a key.
    let to = html.find("<h2>Versions</h2>").expect("the versions");
    let mut text = String::new();
    let mut rest = &html[from..to];
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let after = match after.strip_prefix("code>") {
            Some(code) => code.split_once("</code>").map_or("", |(_, after)| after),
            None => after.split_once('>').map_or("", |(_, after)| after),
        };
        text.push(' ');
        rest = after;
    }
    text.push_str(rest);
    text
}

/// Every coded value of a document with its label, where the two differ.
fn coded(service: &Service, document: &Value) -> BTreeSet<(String, String)> {
    let dictionary = &service.state().schemas.current().dictionary;
    let mut found = BTreeSet::new();
    for entity in &dictionary.entities {
        let rows: Vec<&Value> = match &document[entity.name.as_str()] {
            Value::Array(rows) => rows.iter().collect(),
            Value::Null => Vec::new(),
            one => vec![one],
        };
        for element in &entity.elements {
            let Some(list) = &element.codes else { continue };
            for row in &rows {
                let value = &row[element.name.as_str()];
                let values: Vec<&Value> = value.as_array().map_or(vec![value], |all| all.iter().collect());
                for code in values.into_iter().filter_map(Value::as_str) {
                    let known = list.index_of(code).and_then(|at| list.codes.get(at as usize));
                    let label = known.and_then(|known| known.label.clone()).unwrap_or_default();
                    if label != code {
                        found.insert((code.to_owned(), label));
                    }
                }
            }
        }
    }
    found
}

#[test]
fn no_code_is_shown_raw_on_the_page_of_a_case() {
    let service = Service::start();
    let centre = service.submitter("C01");
    for example in [
        "figure-1",
        "figure-2",
        "metachronous-lung",
        "observation-only",
        "every-absence-code",
        "legal-basis-without-consent",
    ] {
        let name = format!("EX-{}", example.to_uppercase());
        let body = records::example(example, &name);
        centre
            .put(&format!("/api/v1/cases/{name}"), &[], &body)
            .expect(201);
        let html = page(&centre, &format!("/cases/{name}"));
        let text = seen(&html);
        let words: BTreeSet<&str> = text
            .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-')
            .collect();
        let codes = coded(&service, &body);
        assert!(codes.len() > 5, "{example}");
        for (code, label) in codes.iter().filter(|(code, _)| code.contains('_')) {
            assert!(
                !words.contains(code.as_str()),
                "{example}: `{code}` stands for {label}"
            );
            // Nor the code with blanks for its underscores where its label says something else.
            let spaced = code.replace('_', " ");
            let text = text.split("Findings").next().expect("the course");
            let is_word = label.to_lowercase().contains(&spaced);
            assert!(
                is_word || !text.contains(&spaced),
                "{example}: `{spaced}` stands for {label}"
            );
        }
        // Names of the dictionary neither: an underscore is no part of a sentence.
        let bare: Vec<&&str> = words.iter().filter(|word| word.contains('_')).collect();
        assert!(bare.is_empty(), "{example}: {bare:?}");
    }
}

#[test]
fn who_does_not_count_is_told_why_in_the_words_of_the_measure() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let mut body = records::figure_1("ASIDE-1");
    // Without any imaging measure 6 is not met; a pregnancy on record is an exception of it.
    body["presentation"][0]["staging_exception"] = json!(["pregnancy"]);
    body["imaging"] = json!([]);
    let attested = body["section_attestation"].as_array_mut().expect("attestations");
    attested.push(json!({"section": "imaging", "status": "none_ever"}));
    centre.put("/api/v1/cases/ASIDE-1", &[], &body).expect(201);
    let html = page(&centre, "/cases/ASIDE-1");
    let six = html.split("id=\"m6-0\"").nth(1).expect("measure 6");
    let six = six.split("</tr>").next().unwrap_or_default();
    let said = "Not counted, because the numerator does not hold and an exception does: Pregnancy, the patient&#39;s refusal or an emergency";
    assert!(six.contains(said), "{six}");
    let measure = page(&centre, "/measures/6");
    for said in [
        "<dt>Excluded</dt><dd>The patient died within 30 days of the presentation, without treatment.</dd>",
        "<dt>Excepted</dt><dd>Pregnancy, the patient&#39;s refusal or an emergency",
        "Death this soon leaves no time for what is asked <small><code>EARLY_DEATH_DAYS</code></small>",
    ] {
        assert!(measure.contains(said), "{said}: {measure}");
    }
    let none = page(&centre, "/measures/8");
    assert!(none.contains("<dt>Excluded</dt><dd>Nobody.</dd>"), "{none}");
}

#[test]
fn the_course_is_told_in_the_words_of_the_code_lists() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let mut body = records::example("observation-only", "WORDS-1");
    let reason = body["observation"][0]["reason"].clone();
    assert!(reason.is_string(), "{body}");
    body["imaging"] = json!([{"date": "2025-05-06", "modality": "fdg_pet_ct", "region": ["chest", "soft_tissue"], "purpose": "staging"}]);
    centre.put("/api/v1/cases/WORDS-1", &[], &body).expect(201);
    let html = page(&centre, "/cases/WORDS-1");
    assert!(html.contains("<td>Intervals without treatment</td>"), "{html}");
    assert!(html.contains("FDG PET-CT, Chest, Soft tissue"), "{html}");
    let labels = &service
        .state()
        .schemas
        .codelist("observation_reason")
        .expect("the list")
        .codes;
    let label = labels
        .iter()
        .find(|code| json!(code.code) == reason)
        .and_then(|code| code.label.clone());
    assert!(html.contains(&label.expect("a label")), "{html}");
    // The prior operation of another example stands under the other operations.
    let figure = records::figure_1("WORDS-2");
    centre.put("/api/v1/cases/WORDS-2", &[], &figure).expect(201);
    let html = page(&centre, "/cases/WORDS-2");
    assert!(html.contains("<td>Other operations</td>") && !html.contains("Operations before"));
}

#[test]
fn two_versions_are_shown_element_by_element_and_rows_are_found_again() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let path = "/api/v1/cases/VER-1";
    let mut body = records::figure_1("VER-1");
    centre.put(path, &[], &body).expect(201);
    assert!(page(&centre, "/cases/VER-1/versions").contains("one version so far"));
    // Changed: the side; added: an examination; removed: the other operation. The order of the presentations says nothing.
    body["primary"]["side"] = json!("right");
    let before = body["imaging"].as_array().map_or(0, Vec::len);
    let rows = body["imaging"].as_array_mut().expect("examinations");
    rows.push(json!({"date": "2024-05-07", "modality": "fdg_pet_ct", "region": ["whole_body"], "purpose": "staging"}));
    assert_eq!(rows.len(), before + 1);
    body["prior_operation"] = json!([]);
    body["presentation"].as_array_mut().expect("rows").reverse();
    let change = [("if-match", "*"), ("change-reason", "second reading")];
    centre.put(path, &change, &body).expect(200);
    let html = page(&centre, "/cases/VER-1/versions");
    let rows: Vec<&str> = html
        .split("<h2>Differences</h2>")
        .nth(1)
        .expect("the differences")
        .split("<tr>")
        .skip(2)
        .collect();
    assert_eq!(rows.len(), 3, "{html}");
    let has = |parts: &[&str]| rows.iter().any(|row| parts.iter().all(|part| row.contains(part)));
    assert!(
        has(&[
            "Primary tumour",
            "<td>changed</td>",
            "<td>Left</td>",
            "<td>Right</td>"
        ]),
        "{html}"
    );
    assert!(
        has(&[
            "Imaging",
            "whole row",
            "<td>added</td>",
            "FDG PET-CT",
            "Whole body"
        ]),
        "{html}"
    );
    assert!(
        has(&["Other operations", "whole row", "<td>removed</td>"]),
        "{html}"
    );
    assert!(html.contains("second reading"), "who changed it why");
    // The other way round what was added is removed; a version beside itself says the same.
    let back = page(&centre, "/cases/VER-1/versions?from=2&to=1");
    assert_eq!(back.matches("<td>added</td>").count(), 1);
    assert!(page(&centre, "/cases/VER-1/versions?from=2&to=2").contains("The two versions say the same."));
    let case = page(&centre, "/cases/VER-1");
    assert!(case.contains("/cases/VER-1/versions?from=1&amp;to=2"), "{case}");
}

#[test]
fn versions_are_compared_by_who_may_read_the_case() {
    let service = Service::start();
    let centre = service.submitter("C01");
    centre
        .put("/api/v1/cases/VER-2", &[], &records::figure_1("VER-2"))
        .expect(201);
    let path = "/cases/VER-2/versions";
    service
        .client("coordinator", None)
        .get_with(path, &[HTML])
        .expect(200);
    let (other, absent) = (service.submitter("C02"), "/cases/ABSENT-1/versions");
    let mask = |text: String| text.replace("VER-2", "X").replace("ABSENT-1", "X");
    let strip = |text: String| {
        let at = text.find("Reference").unwrap_or(text.len());
        mask(text[..at].to_owned())
    };
    let (foreign, nowhere) = (
        other.get_with(path, &[HTML]).expect(404).text(),
        other.get_with(absent, &[HTML]).expect(404).text(),
    );
    assert_eq!(strip(foreign), strip(nowhere));
    for role in ["committee", "researcher", "admin"] {
        service.client(role, None).get_with(path, &[HTML]).expect(403);
    }
    centre.get_with(&format!("{path}?from=7"), &[HTML]).expect(404);
    centre
        .get_with(&format!("{path}?from=canary"), &[HTML])
        .expect(400);
}

#[test]
fn the_list_is_filtered_by_its_address_and_keeps_the_filters_over_pages() {
    let service = Service::start();
    let centre = service.submitter("C01");
    for n in 0..104 {
        let name = format!("LMS-{n:04}");
        centre
            .put(
                &format!("/api/v1/cases/{name}"),
                &[],
                &records::example("minimal", &name),
            )
            .expect(201);
    }
    centre
        .put("/api/v1/cases/FIG-0001", &[], &records::figure_1("FIG-0001"))
        .expect(201);
    let listed = |path: &str| -> Vec<String> {
        let html = page(&centre, path);
        let names = html.split("<th scope=\"row\"><a href=\"/cases/").skip(1);
        names
            .filter_map(|rest| Some(rest.split('"').next()?.to_owned()))
            .collect()
    };
    let of_api = |query: &str| -> Vec<String> {
        let answer = centre
            .get(&format!("/api/v1/cases?limit=100&{query}"))
            .expect(200)
            .json();
        let cases = answer["cases"].as_array().expect("cases").clone();
        cases
            .iter()
            .map(|case| case["pseudonym"].as_str().expect("a name").to_owned())
            .collect()
    };
    let derived = |name: &str| -> String {
        let case = centre.get(&format!("/api/v1/cases/{name}")).expect(200).json();
        case["derived"]["histology_code"]
            .as_str()
            .expect("a code")
            .to_owned()
    };
    let (many, one) = (derived("LMS-0000"), derived("FIG-0001"));
    assert_ne!(many, one);
    assert_eq!(listed(&format!("/cases?histology={one}")), ["FIG-0001"]);
    for query in [
        "status=submitted",
        "status=draft",
        "has_findings=true",
        "has_findings=false",
    ] {
        assert_eq!(listed(&format!("/cases?{query}")), of_api(query), "{query}");
    }
    // A form sends what is left empty; a day is its first instant.
    assert_eq!(
        listed("/cases?status=&histology=&updated_since=2026-11-24&has_findings=").len(),
        0
    );
    assert_eq!(listed("/cases?updated_since=2026-11-23").len(), 100);
    assert!(page(&centre, "/cases?status=draft").contains("No case has all of these."));
    // The next page has the same filters, and together they are all.
    let path = format!("/cases?status=submitted&histology={many}");
    let html = page(&centre, &path);
    let next = html
        .split("class=\"more\" href=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a next page")
        .replace("&amp;", "&")
        .replace("&#38;", "&");
    assert!(
        next.contains("status=submitted") && next.contains(&format!("histology={many}")),
        "{next}"
    );
    let (first, second) = (listed(&path), listed(&next));
    assert_eq!((first.len(), second.len()), (100, 4));
    assert!(!second.contains(&"FIG-0001".to_owned()));
    for (query, name) in [
        ("status=canary", "status"),
        ("has_findings=canary", "has_findings"),
        ("updated_since=canary", "updated_since"),
    ] {
        let refused = centre
            .get_with(&format!("/cases?{query}"), &[HTML])
            .expect(400)
            .text();
        assert!(
            refused.contains(&format!("{name}:")) && !refused.contains("canary"),
            "{refused}"
        );
    }
    // Another centre's cases are not to be had by naming it.
    let other = service.submitter("C02");
    let html = page(&other, "/cases?centre=C01");
    assert!(!html.contains("LMS-0000") && html.contains("No case has all of these."));
}
