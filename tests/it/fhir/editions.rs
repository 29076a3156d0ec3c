//! Every version of the guideline has its measures, with the status of the version; what they say is what the files say.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use registry_api::fhir::measure;
use registry_core::validation::Judge;
use registry_core::versions::SchemaStore;
use serde_json::Value;
use support::repository::{files, root};

fn copy(to: &Path, from: &str, rename: impl Fn(&str) -> String) {
    for file in files(from) {
        let relative = file.strip_prefix(root()).expect("below the root");
        let target = to.join(rename(&relative.to_string_lossy()));
        std::fs::create_dir_all(target.parent().expect("a folder")).expect("made");
        std::fs::copy(&file, &target).expect("copied");
    }
}

#[test]
fn every_version_has_its_measures_and_its_status() {
    let folder = tempfile::tempdir().expect("a folder");
    copy(folder.path(), "schema", str::to_owned);
    let home = "schema/guideline/tarpswg-metastatic-rps";
    for (version, status) in [("1.0.0", "superseded"), ("2.0.0", "draft")] {
        copy(folder.path(), &format!("{home}/1.1.0"), |name| {
            name.replace("1.1.0", version)
        });
        let path = folder.path().join(home).join(version).join("guideline.toml");
        let text = std::fs::read_to_string(&path).expect("a guideline");
        let text = text
            .replace("version = \"1.1.0\"", &format!("version = \"{version}\""))
            .replace("status = \"active\"", &format!("status = \"{status}\""));
        std::fs::write(path, text).expect("written");
    }
    let store = Arc::new(SchemaStore::from_dir(&folder.path().join("schema")).expect("a schema"));
    let judge = Judge::new(Arc::clone(&store)).expect("it compiles");
    let guidelines = judge.guidelines(&store.current().version);
    let mut by_version: BTreeMap<String, usize> = BTreeMap::new();
    let mut ids = Vec::new();
    for guideline in guidelines {
        for measure in measure::all(guideline) {
            let text = |name: &str| measure[name].as_str().expect("text").to_owned();
            *by_version
                .entry(format!("{} {}", text("version"), text("status")))
                .or_default() += 1;
            ids.push(text("id"));
            agrees(guideline, &measure);
        }
    }
    let expected = [
        ("1.0.0 retired", 106),
        ("1.1.0 active", 106),
        ("2.0.0 draft", 106),
    ];
    assert_eq!(by_version, expected.map(|(v, n)| (v.to_owned(), n)).into());
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3 * 106, "ids are distinct");
}

/// What the resource says of direction, populations and provenance against the measure's file.
fn agrees(guideline: &registry_core::guideline::Guideline, resource: &Value) {
    let own = resource["identifier"][0]["value"].as_str().expect("an id");
    let direction = resource["improvementNotation"]["coding"][0]["code"].as_str();
    let Some((_, measure)) = guideline.measure(own) else {
        assert_eq!(
            resource["compositeScoring"]["coding"][0]["code"],
            "all-or-nothing"
        );
        assert_eq!(direction, Some("increase"));
        return;
    };
    // The numerator of an avoidance measure is what was avoided.
    let better = (measure.kind.as_str() != "utilisation").then_some("increase");
    assert_eq!(direction, better, "{own}");
    assert_eq!(resource["title"], measure.title.as_str());
    assert_eq!(resource["lastReviewDate"].as_str(), measure.reviewed.as_deref());
    let citation = resource["relatedArtifact"][0]["citation"]
        .as_str()
        .expect("a citation");
    assert!(citation.starts_with(&guideline.source), "{citation}");
    let populations = resource["group"][0]["population"]
        .as_array()
        .expect("populations");
    let codes: Vec<&str> = populations
        .iter()
        .filter_map(|p| p["code"]["coding"][0]["code"].as_str())
        .collect();
    let expected = [
        "initial-population",
        "denominator",
        "denominator-exclusion",
        "denominator-exception",
        "numerator",
        "not-assessable",
        "assessable",
    ];
    assert_eq!(codes, expected, "{own}");
    for (at, field) in [(2, "exclusion"), (3, "exception"), (4, "numerator")] {
        let expression = populations[at]["criteria"]["expression"]
            .as_str()
            .expect("an expression");
        assert_eq!(expression, measure.expressions[field].trim(), "{own} {field}");
        registry_core::rules::parse(expression).expect("it is in the rule language");
    }
    let denominator = populations[1]["criteria"]["expression"]
        .as_str()
        .expect("an expression");
    assert!(
        denominator.contains(measure.expressions["denominator"].trim()),
        "{own}"
    );
    assert!(
        denominator.contains(guideline.populations[&measure.population].trim()),
        "{own}"
    );
    registry_core::rules::parse(denominator).expect("it is in the rule language");
    let terms = resource["definition"].as_array().cloned().unwrap_or_default();
    for parameter in &measure.parameters {
        let begins = format!("${parameter} = ");
        let told = |term: &Value| term.as_str().is_some_and(|t| t.starts_with(&begins));
        assert!(terms.iter().any(told), "{own} says no value of {parameter}");
    }
}
