//! One case on a measure as `MeasureReport` of type `individual`: what the assessment of the case says, as of its submission.

use chrono::{DateTime, SecondsFormat, Utc};
use registry_core::guideline::{Guideline, UnitOutcome};
use registry_core::storage::StoredCase;
use registry_etl::measures::engine::COMPOSITE;
use serde_json::{Value, json};

use super::measure::edition;
use super::names::of_case;
use super::population::Counts;
use super::summary::centre;
use super::{extension_url, improvement, unratified};

/// An assessed case.
pub struct Individuals<'a> {
    pub stored: &'a StoredCase,
    pub pseudonym: &'a str,
    pub guideline: &'a Guideline,
    /// Of its measures, then of its composites.
    pub results: &'a [UnitOutcome],
    /// When the reports are written.
    pub now: DateTime<Utc>,
}

/// Position of a measure among the measures and composites of a guideline, its id and its kind.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    at: u16,
    pub id: &'a str,
    kind: &'a str,
}

/// Every measure of a guideline, then its composites.
pub fn places(guideline: &Guideline) -> impl Iterator<Item = Place<'_>> {
    let measures = guideline.measures.iter().map(|m| (&m.id, m.kind.as_str()));
    let composites = guideline.composites.iter().map(|c| (&c.id, COMPOSITE));
    measures
        .chain(composites)
        .zip(0..)
        .map(|((id, kind), at)| Place { at, id, kind })
}

impl Individuals<'_> {
    /// The report on a measure. It has no score: of one case the counts say everything.
    pub fn json(&self, of: Place<'_>) -> Value {
        let stamp = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let units: Vec<&UnitOutcome> = self.results.iter().filter(|r| r.measure == of.at).collect();
        let outcomes: Vec<Value> = units.iter().map(|unit| unit_outcome(unit)).collect();
        let mut group = json!({ "population": Counts::of(&units).json() });
        if !outcomes.is_empty() {
            group["extension"] = json!(outcomes);
        }
        let mut report = json!({
            "resourceType": "MeasureReport",
            "id": of_case(of.id, self.pseudonym),
            "status": "complete",
            "type": "individual",
            "measure": edition(self.guideline).versioned(of.id),
            "subject": { "type": "Patient", "identifier": { "system": "urn:rps-registry:pseudonym", "value": self.pseudonym } },
            "date": stamp(self.now),
            "reporter": centre(&self.stored.row.centre_id),
            "period": { "end": self.stored.submitted_at.date_naive() },
            "group": [group],
        });
        let assumed = unratified(self.guideline.unratified(of.id));
        if !assumed.is_empty() {
            report["extension"] = json!(assumed);
        }
        if let Some(direction) = improvement(of.kind) {
            report["improvementNotation"] = direction;
        }
        report
    }
}

/// The outcome of one unit, and what was missing where it is not assessable.
fn unit_outcome(unit: &UnitOutcome) -> Value {
    let mut parts = vec![
        json!({ "url": "unit-index", "valueInteger": unit.unit_index }),
        json!({ "url": "outcome", "valueCode": unit.outcome.as_str() }),
        json!({ "url": "decided-by", "valueCode": unit.step.as_str() }),
    ];
    if let Some(reason) = unit.reason {
        parts.push(json!({ "url": "reason", "valueCode": reason.as_str() }));
    }
    if let Some(element) = &unit.element {
        parts.push(json!({ "url": "element", "valueString": element }));
    }
    json!({ "url": extension_url("unit-outcome"), "extension": parts })
}
