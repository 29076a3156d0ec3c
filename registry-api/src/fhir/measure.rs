//! A measure of a guideline version as `Measure`.

use registry_core::guideline::{Composite, Guideline, GuidelineStatus, Measure};
use registry_etl::measures::engine::COMPOSITE;
use registry_etl::results::By;
use serde_json::{Value, json};

use super::names::Edition;
use super::population::Population;
use super::{concept, extension, improvement, terms};

/// Media type of expressions in the registry's rule language.
const RULE: &str = "text/x-registry-rule";
const PROSE: &str = "text/plain";

const GUIDANCE: &str = "Criteria are in the registry's rule language, in which an answer may be true, false or not to be told. They are judged in \
     the order population, denominator, exclusion, numerator, exception, and the first that decides gives the outcome. A unit that \
     cannot be told is not assessable and never counted as not met.";

/// The ways every network report is broken down, besides the elements a measure names.
const COMMON_STRATIFIERS: [By; 6] = [
    By::HalfYear,
    By::Year,
    By::Histology,
    By::Timing,
    By::Organ,
    By::VolumeTertile,
];

/// Every measure of a guideline version, then its composites.
pub fn all(guideline: &Guideline) -> Vec<Value> {
    let measures = guideline.measures.iter().map(|m| of_measure(guideline, m));
    let composites = guideline.composites.iter().map(|c| of_composite(guideline, c));
    measures.chain(composites).collect()
}

/// The guideline version that ids and addresses are made from.
pub fn edition(guideline: &Guideline) -> Edition<'_> {
    Edition {
        guideline: &guideline.id,
        version: &guideline.version,
    }
}

/// What measures and composites share.
struct Common<'a> {
    guideline: &'a Guideline,
    id: &'a str,
    statement: u16,
    title: &'a str,
    grade: &'a str,
    kind: &'a str,
    unit: &'a str,
    /// Whose rows are judged one by one; `None` for the patient.
    entity: Option<&'a str>,
}

impl Common<'_> {
    fn json(&self) -> Value {
        let guideline = self.guideline;
        let edition = edition(guideline);
        let status = match guideline.status {
            GuidelineStatus::Draft => "draft",
            GuidelineStatus::Active => "active",
            GuidelineStatus::Superseded => "retired",
        };
        let mut measure = json!({
            "resourceType": "Measure",
            "id": edition.id(self.id),
            "extension": [
                extension("measure-kind", "Code", self.kind),
                extension("level-and-grade", "String", self.grade),
                extension("unit", "String", self.unit),
            ],
            "url": edition.canonical(self.id),
            "identifier": [{ "system": format!("urn:rps-registry:guideline:{}", guideline.id), "value": self.id }],
            "version": guideline.version,
            "name": format!("Measure_{}", self.id.replace(|c: char| !c.is_ascii_alphanumeric(), "_")),
            "title": self.title,
            "subtitle": format!("Statement {}, level of evidence and grade of recommendation: {}", self.statement, self.grade),
            "status": status,
            "subjectCodeableConcept": concept("http://hl7.org/fhir/resource-types", "Patient", "Patient"),
            "publisher": "RPS registry",
            "scoring": concept("http://terminology.hl7.org/CodeSystem/measure-scoring", "proportion", "Proportion"),
            "type": [concept("http://terminology.hl7.org/CodeSystem/measure-type", "process", "Process")],
            "relatedArtifact": [{
                "type": "citation",
                "label": format!("Statement {}", self.statement),
                "citation": format!("{}; statement {}", guideline.source, self.statement),
            }],
        });
        if let Some(direction) = improvement(self.kind) {
            measure["improvementNotation"] = direction;
        }
        measure
    }

    /// The population every measure begins with.
    fn initial(&self) -> Value {
        let text = match self.entity {
            None => "Every patient of the registry.".to_owned(),
            Some(entity) => format!(
                "Every row of `{entity}` of every patient of the registry, up to the cut-off. Unit: {}.",
                self.unit
            ),
        };
        population(Population::Initial, &text, RULE, "true")
    }
}

fn population(which: Population, text: &str, language: &str, expression: &str) -> Value {
    json!({
        "code": which.concept(),
        "description": text,
        "criteria": { "description": text, "language": language, "expression": expression.trim() },
    })
}

/// The two populations that no rule describes.
fn told_apart() -> [Value; 2] {
    let cannot = "Units of which population, denominator, exclusion, numerator or exception cannot be told from what is recorded; they \
                  are in no population but the initial one.";
    let can = "Units of the denominator that are neither excluded nor excepted: the denominator of the rate.";
    [
        population(Population::NotAssessable, cannot, PROSE, cannot),
        population(Population::Assessable, can, PROSE, can),
    ]
}

fn of_measure(guideline: &Guideline, measure: &Measure) -> Value {
    let common = Common {
        guideline,
        id: &measure.id,
        statement: measure.statement,
        title: &measure.title,
        grade: &measure.grade,
        kind: measure.kind.as_str(),
        unit: &measure.unit,
        entity: measure.unit_entity.as_deref(),
    };
    let mut json = common.json();
    json["description"] = json!(format!(
        "Of: {} Counted: {} Unit: {}.",
        measure.denominator_in_words, measure.numerator_in_words, measure.unit
    ));
    json["clinicalRecommendationStatement"] = json!(measure.statement_in_words);
    let rationale = match &measure.review_note {
        Some(note) => format!("{}\n\nReview: {note}", measure.rationale),
        None => measure.rationale.clone(),
    };
    for (name, text) in [
        ("purpose", Some(direction(measure.kind.as_str()))),
        ("rationale", Some(rationale.as_str())),
        ("guidance", Some(GUIDANCE)),
        ("date", measure.authored.as_deref()),
        ("lastReviewDate", measure.reviewed.as_deref()),
    ] {
        if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
            json[name] = json!(text.trim());
        }
    }
    if let (Some(day), Some(extensions)) = (&measure.next_review, json["extension"].as_array_mut()) {
        extensions.push(extension("next-review", "Date", day.as_str()));
    }
    if let Some(domain) = &measure.domain {
        json["topic"] = json!([{ "text": domain }]);
    }
    let terms = terms::of(guideline, measure);
    if !terms.is_empty() {
        json["definition"] = json!(terms);
    }
    let expression = |field: &str| measure.expressions.get(field).map_or("false", String::as_str);
    let core = guideline
        .populations
        .get(&measure.population)
        .map_or("false", String::as_str);
    let denominator = format!("({})\nAND ({})", core.trim(), expression("denominator").trim());
    let denominator_text = format!(
        "{} Of the population \"{}\", and assessable.",
        measure.denominator_in_words, measure.population
    );
    let mut populations = vec![
        common.initial(),
        population(Population::Denominator, &denominator_text, RULE, &denominator),
        population(
            Population::Exclusion,
            "Units of the denominator to which the measure does not apply.",
            RULE,
            expression("exclusion"),
        ),
        population(
            Population::Exception,
            "Units not in the numerator for a reason that is accepted.",
            RULE,
            expression("exception"),
        ),
        population(
            Population::Numerator,
            &measure.numerator_in_words,
            RULE,
            expression("numerator"),
        ),
    ];
    populations.extend(told_apart());
    json["group"] = json!([{
        "description": format!("Units counted: {}", measure.unit),
        "population": populations,
        "stratifier": stratifiers(&measure.stratifiers),
    }]);
    json
}

/// All or none of several measures on the same unit.
fn of_composite(guideline: &Guideline, composite: &Composite) -> Value {
    let parts = composite
        .parts
        .iter()
        .filter_map(|part| guideline.measures.get(usize::from(*part)));
    let common = Common {
        guideline,
        id: &composite.id,
        statement: composite.statement,
        title: &composite.title,
        grade: &composite.grade,
        kind: COMPOSITE,
        unit: &composite.unit,
        entity: parts.clone().next().and_then(|part| part.unit_entity.as_deref()),
    };
    let mut json = common.json();
    json["description"] = json!(format!(
        "All or none of several measures on the same unit. Unit: {}.",
        composite.unit
    ));
    json["purpose"] = json!(direction(COMPOSITE));
    let terms = terms::parameters(guideline, &composite.id);
    if !terms.is_empty() {
        json["definition"] = json!(terms);
    }
    json["compositeScoring"] = concept(
        "http://terminology.hl7.org/CodeSystem/composite-measure-scoring",
        "all-or-nothing",
        "All-or-nothing",
    );
    let parts: Vec<Value> = parts
        .map(|part| {
            json!({
                "type": "composed-of", "display": part.title, "resource": edition(guideline).versioned(&part.id),
            })
        })
        .collect();
    if let Some(related) = json["relatedArtifact"].as_array_mut() {
        related.extend(parts);
    }
    let prose = |which: Population, text: &str| population(which, text, PROSE, text);
    let mut populations = vec![
        common.initial(),
        prose(
            Population::Denominator,
            "At least one part applies, and the parts that apply can be told: one is not met, or all are met; or no part applies and one is excluded or excepted.",
        ),
        prose(
            Population::Exclusion,
            "No part applies, and one is excluded, none excepted.",
        ),
        prose(Population::Exception, "No part applies, and one is excepted."),
        prose(Population::Numerator, "Every part that applies is met."),
    ];
    populations.extend(told_apart());
    json["group"] = json!([{
        "description": format!("Units counted: {}", composite.unit),
        "population": populations,
        "stratifier": stratifiers(&[]),
    }]);
    json
}

fn direction(kind: &str) -> &'static str {
    match kind {
        "adherence" => "How often what the consensus asks for was done.",
        "avoidance" => {
            "How often what the consensus advises against did not happen: the numerator counts what was avoided."
        }
        "documentation" => "How often a judgement or consideration was recorded.",
        "utilisation" => "How often something that is permitted is used; neither more nor less is better.",
        _ => "How often every part that applies was met.",
    }
}

/// What [`super::summary`] breaks the network's numbers down by.
fn stratifiers(elements: &[String]) -> Value {
    let common = COMMON_STRATIFIERS
        .iter()
        .map(|by| json!({ "code": by_concept(*by), "description": words(*by) }));
    let named = elements.iter().map(|element| {
        json!({
            "code": element_concept(element),
            "description": format!("The element {element}"),
            "criteria": { "language": RULE, "expression": element },
        })
    });
    common.chain(named).collect()
}

/// How a breakdown is coded in measures and reports.
pub(super) fn by_concept(by: By) -> Value {
    concept("urn:rps-registry:fhir:stratifier", by.as_str(), words(by))
}

/// How a breakdown by an element (`entity.element`) is coded in measures and reports.
pub(super) fn element_concept(element: &str) -> Value {
    concept("urn:rps-registry:element", element, element)
}

fn words(by: By) -> &'static str {
    match by {
        By::Network => "All centres",
        By::Centre => "Centre",
        By::HalfYear => "Half-year of the metastatic diagnosis",
        By::Year => "Year of the metastatic diagnosis",
        By::Histology => "Histology",
        By::Timing => "Timing of the first presentation",
        By::Organ => {
            "Organ of the lesions of the first presentation: refuted lesions are left out, peritoneum and retroperitoneum count as one organ (intra_abdominal), several when they differ"
        }
        By::VolumeTertile => "Third of the centres by yearly volume",
        By::Stratum => "An element of the case",
    }
}
