//! `/api/v1/queries`: raised by checks and people, answered, closed and reopened; lists, metrics, pages.

mod checks;
mod lists;
mod people;

use serde_json::Value;
use support::{client::Client, records};

const CASE: &str = "FIG-0001";
const PATH: &str = "/api/v1/queries";

fn listed(client: &Client, filter: &str) -> Vec<Value> {
    let answer = client.get(&format!("{PATH}{filter}")).expect(200).json();
    answer["queries"].as_array().expect("queries").clone()
}

fn id(query: &Value) -> String {
    query["id"].as_str().expect("an id").to_owned()
}

fn ids(queries: &[Value]) -> Vec<String> {
    queries.iter().map(id).collect()
}

/// A case with warnings about its scans, and the findings that warn.
fn stored(client: &Client) -> (Value, Vec<Value>) {
    let body = records::figure_1(CASE);
    let answer = client
        .put(&format!("/api/v1/cases/{CASE}"), &[], &body)
        .expect(201)
        .json();
    let findings = answer["findings"].as_array().expect("findings").iter();
    let warns = |f: &&Value| f["severity"] == "warning" && !f["rule"].is_null();
    (body, findings.filter(warns).cloned().collect())
}
