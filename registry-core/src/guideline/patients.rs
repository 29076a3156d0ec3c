//! Test patients of a guideline: small documents with the expected result of one measure, written by clinicians.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::{Guideline, Measure, MeasureKind, Outcome, UnitOutcome};
use crate::record::{CentreTable, CentreTableError, Record};
use crate::versions::{SchemaError, SchemaFiles, SchemaStore};

/// The centre table all test patients of a guideline are judged with.
const CENTRES: &str = "centres.json";

/// One test patient (`guideline/<id>/<version>/patients/<patient>.json`).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestPatient {
    /// Unique; the file's name.
    pub id: String,
    /// The measure it is about.
    pub measure: String,
    /// What is special, in words.
    pub title: String,
    /// Position of the unit row in its array; 0 for the patient.
    #[serde(default)]
    pub unit_index: u32,
    /// Written before the program is run on it.
    pub expected: Expected,
    /// Taken as given: envelope and derived elements stand in it. In its newest form, once read.
    pub document: Value,
}

/// What a measure is to say.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub outcome: String,
    /// Only of a result that is not assessable.
    pub reason: Option<String>,
    /// `entity.element`, or the name of a section.
    pub element: Option<String>,
}

impl Expected {
    /// The result of a unit in the same words.
    pub fn of(result: &UnitOutcome) -> Expected {
        Expected {
            outcome: result.outcome.as_str().to_owned(),
            reason: result.reason.map(|reason| reason.as_str().to_owned()),
            element: result.element.clone(),
        }
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.outcome)?;
        for part in [&self.reason, &self.element].into_iter().flatten() {
            write!(f, " {part}")?;
        }
        Ok(())
    }
}

/// Test patients cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PatientsError {
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error("{file}: {source}")]
    Shape { file: String, source: serde_json::Error },
    #[error("{CENTRES}: {0}")]
    Centres(#[from] CentreTableError),
}

/// The test patients of a guideline and the centre table they are judged with.
#[derive(Debug, Clone, Default)]
pub struct TestPatients {
    /// Ordered by file name.
    pub patients: Vec<TestPatient>,
    pub centres: CentreTable,
}

impl TestPatients {
    /// Those beside a guideline of the schema.
    ///
    /// # Errors
    /// A file that is no test patient.
    pub fn of(store: &SchemaStore, guideline: &Guideline) -> Result<TestPatients, PatientsError> {
        let mut all = read(
            store.files(),
            &format!("guideline/{}/patients/", guideline.folder),
        )?;
        all.upgrade(store);
        Ok(all)
    }

    /// Outcomes of measures that can occur and that no patient expects: the measure's id and the outcome. The order is that of the guideline.
    pub fn lacking(&self, guideline: &Guideline) -> Vec<(String, Outcome)> {
        let mut lacking = Vec::new();
        for measure in &guideline.measures {
            let expected: Vec<&str> = self
                .patients
                .iter()
                .filter(|patient| patient.measure == measure.id)
                .map(|patient| patient.expected.outcome.as_str())
                .collect();
            let open = possible(measure).into_iter();
            let open = open.filter(|outcome| !expected.contains(&outcome.as_str()));
            lacking.extend(open.map(|outcome| (measure.id.clone(), outcome)));
        }
        lacking
    }

    /// Those of a folder.
    ///
    /// # Errors
    /// A folder that cannot be read, or a file that is no test patient.
    pub fn in_folder(store: &SchemaStore, folder: &Path) -> Result<TestPatients, PatientsError> {
        let mut all = read(&SchemaFiles::from_dir(folder)?, "")?;
        all.upgrade(store);
        Ok(all)
    }

    /// Brings the documents into the form the measures read.
    fn upgrade(&mut self, store: &SchemaStore) {
        for patient in &mut self.patients {
            let version = patient.document.pointer("/record/schema_version");
            if let Some(version) = version.and_then(Value::as_str).map(str::to_owned) {
                patient.document = store.newest(&patient.document, &version).into_owned();
            }
        }
    }
}

/// The outcomes a measure can have: nobody is excluded or excepted where the file says `false`, and nobody is anything where nobody is in
/// the denominator.
fn possible(measure: &Measure) -> Vec<Outcome> {
    let never = |field: &str| {
        measure
            .expressions
            .get(field)
            .is_none_or(|text| text.trim() == "false")
    };
    if never("denominator") {
        return vec![Outcome::NotInDenom];
    }
    let mut all = match measure.kind {
        MeasureKind::Utilisation => vec![Outcome::Used, Outcome::NotUsed],
        _ => vec![Outcome::Met, Outcome::NotMet],
    };
    all.extend([Outcome::NotAssessable, Outcome::NotInDenom]);
    all.extend((!never("exclusion")).then_some(Outcome::Excluded));
    all.extend((!never("exception")).then_some(Outcome::Excepted));
    all
}

fn read(files: &SchemaFiles, folder: &str) -> Result<TestPatients, PatientsError> {
    let mut all = TestPatients::default();
    for path in files.below(folder).filter(|path| path.ends_with(".json")) {
        let shape = |source| PatientsError::Shape {
            file: path.to_owned(),
            source,
        };
        let text = files.text(path)?;
        if path.ends_with(CENTRES) {
            let rows: Vec<Value> = serde_json::from_str(text).map_err(shape)?;
            all.centres = CentreTable::from_rows(rows)?;
        } else {
            all.patients.push(serde_json::from_str(text).map_err(shape)?);
        }
    }
    Ok(all)
}

impl TestPatient {
    /// What the guideline says of this patient; `None` when it has no such measure or the patient no such unit.
    pub fn judged(&self, guideline: &Guideline, centres: &CentreTable) -> Option<Expected> {
        let (measure, _) = guideline.measure(&self.measure)?;
        let record = Record::read(&self.document, guideline.layout(), centres);
        let results = guideline.evaluate(&record);
        let found = results
            .iter()
            .find(|result| (result.measure, result.unit_index) == (measure, self.unit_index))?;
        Some(Expected::of(found))
    }
}
