//! FHIR R4: measures as `Measure`, results as `MeasureReport`, errors as `OperationOutcome`. R4 only, no profile is claimed.
//!
//! Nothing is computed here. A summary report says what [`crate::results::View`] shows its reader, an individual report what
//! the assessment of the case says; both are only written down in another form.
//!
//! | file | holds |
//! |---|---|
//! | `names` | canonical addresses and resource ids |
//! | `population` | which units are in which population, and how the score follows |
//! | `measure`, `terms` | a measure of a guideline version, and the terms its expressions use |
//! | `summary`, `individual` | reports of a run, and of one case |
//! | `bundle` | one page of a search |
//! | `capability` | what is offered |
//! | `outcome` | a problem as `OperationOutcome` |

pub mod bundle;
pub mod capability;
pub mod individual;
pub mod measure;
pub mod names;
pub mod outcome;
pub mod population;
pub mod summary;
mod terms;

use serde_json::{Value, json};

/// Media type of every FHIR answer.
pub const MEDIA_TYPE: &str = "application/fhir+json; charset=utf-8";

/// Why something is not there, as HL7 codes it.
const DATA_ABSENT_REASON: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

fn extension_url(name: &str) -> String {
    format!("urn:rps-registry:fhir:extension:{name}")
}

/// An extension of the registry's own.
fn extension(name: &str, of_type: &str, value: impl Into<Value>) -> Value {
    let mut extension = json!({ "url": extension_url(name) });
    extension[format!("value{of_type}")] = value.into();
    extension
}

/// One extension per parameter that a result rests on and nobody has ratified.
fn unratified<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<Value> {
    let one = |name: &str| extension("unratified-parameter", "String", name);
    names.into_iter().map(one).collect()
}

/// Stands where a value is not.
fn absent(reason: &str) -> Value {
    json!({ "extension": [{ "url": DATA_ABSENT_REASON, "valueCode": reason }] })
}

/// A concept of one code.
fn concept(system: &str, code: &str, display: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code, "display": display }] })
}

/// In which direction a measure gets better, by its kind. The numerator of an avoidance measure counts what was avoided, so
/// more is better there too; utilisation has no direction.
fn improvement(kind: &str) -> Option<Value> {
    let system = "http://terminology.hl7.org/CodeSystem/measure-improvement-notation";
    (kind != "utilisation").then(|| concept(system, "increase", "Increased score indicates improvement"))
}
