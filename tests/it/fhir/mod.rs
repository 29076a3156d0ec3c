//! `/fhir`: the same numbers and the same doors as the API, written as FHIR R4.

mod cases;
mod doors;
mod editions;
mod scores;

use serde_json::Value;
use support::client::{Answer, Client};

const DATA_ABSENT_REASON: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

/// Every resource of a search, page after page.
fn every(client: &Client, path: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut next = Some(path.to_owned());
    let mut total = None;
    while let Some(path) = next {
        let bundle = fhir(client.get(&path).expect(200));
        assert_eq!(bundle["type"], "searchset");
        total = bundle["total"].as_u64();
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        all.extend(entries.into_iter().map(|mut entry| entry["resource"].take()));
        let links = bundle["link"].as_array().expect("links");
        let link = links.iter().find(|link| link["relation"] == "next");
        next = link.map(|link| {
            let url = link["url"].as_str().expect("an address");
            url[url.find("/fhir/").expect("below /fhir/")..].to_owned()
        });
    }
    assert_eq!(total, Some(all.len() as u64), "{path}");
    all
}

/// The body of an answer that says it is FHIR.
fn fhir(answer: Answer) -> Value {
    let media_type = answer.header("content-type").unwrap_or_default();
    assert!(media_type.starts_with("application/fhir+json"), "{media_type}");
    answer.json()
}

/// An error: its status, and the stable code of the problem.
#[track_caller]
fn refused(answer: Answer, status: u16, code: &str) -> Value {
    let outcome = fhir(answer.expect(status));
    assert_eq!(outcome["resourceType"], "OperationOutcome");
    assert_eq!(outcome["issue"][0]["severity"], "error");
    assert_eq!(outcome["issue"][0]["details"]["coding"][0]["code"], code);
    outcome
}

/// The population of a group or stratum by its code.
#[track_caller]
fn population<'a>(scored: &'a Value, code: &str) -> &'a Value {
    let populations = scored["population"].as_array().expect("populations");
    let is = |p: &&Value| p["code"]["coding"][0]["code"] == code;
    populations.iter().find(is).expect("a population of that code")
}

#[track_caller]
fn count(scored: &Value, code: &str) -> Option<i64> {
    population(scored, code)["count"].as_i64()
}

/// The last part of a measure's address: the registry's own id.
fn own_id(measure: &Value) -> &str {
    let address = measure.as_str().expect("an address");
    let address = address.split('|').next().expect("an address");
    address.rsplit(':').next().expect("an id")
}

fn extension<'a>(of: &'a Value, name: &str) -> Option<&'a Value> {
    let url = format!("urn:rps-registry:fhir:extension:{name}");
    let extensions = of["extension"].as_array()?;
    extensions
        .iter()
        .find(|extension| extension["url"] == url.as_str())
}
