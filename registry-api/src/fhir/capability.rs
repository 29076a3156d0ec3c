//! What is offered, as `CapabilityStatement`.

use serde_json::{Value, json};

/// Day of the last change to what is offered.
const CHANGED: &str = "2026-11-23";

/// The statement of the service at `base` (`https://registry.example.org/fhir`).
pub fn statement(base: &str) -> Value {
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": CHANGED,
        "kind": "instance",
        "software": { "name": "RPS registry", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": "Measures of the consensus on metastatic and multifocally recurrent retroperitoneal sarcoma, and their results", "url": base },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [{
            "mode": "server",
            "security": {
                "description": "Measures and this statement are for anyone. Reports need an API key (Authorization: Bearer) or a browser session; what they show \
                                depends on the role, and counts resting on few patients are masked.",
            },
            "resource": [
                {
                    "type": "Measure",
                    "documentation": "Every measure of every guideline version, and their all-or-none summaries.",
                    "interaction": [{ "code": "read" }, { "code": "search-type" }],
                    "versioning": "no-version",
                    "searchParam": [
                        param("_id", "token", "Id of the resource"),
                        param("url", "uri", "Canonical address, with or without |version"),
                        param("version", "token", "Version of the guideline"),
                        param("status", "token", "draft, active or retired"),
                        param("identifier", "token", "The registry's own id, as 10b2"),
                    ],
                },
                {
                    "type": "MeasureReport",
                    "documentation": "Summaries of a published run: the network, and each centre by its id or letter. With a subject: individual reports of one case, \
                                      for those who may read it, as of its submission.",
                    "interaction": [{ "code": "read" }, { "code": "search-type" }],
                    "versioning": "no-version",
                    "searchParam": [
                        param("measure", "reference", "The measure: address, resource id, or the registry's own id"),
                        param("subject", "reference", "The case, by pseudonym: subject:identifier=urn:rps-registry:pseudonym|P-0001"),
                        param("run", "number", "Number of the run; the published one when not given"),
                        param("by", "token", "network or centre"),
                        param("centre", "token", "One centre, as the reader knows it"),
                        param("period", "token", "all or last24_months, by the date of the metastatic diagnosis; without it all cases for the network, 24 months for a centre"),
                    ],
                },
            ],
        }],
    })
}

fn param(name: &str, of_type: &str, documentation: &str) -> Value {
    json!({ "name": name, "type": of_type, "documentation": documentation })
}
