//! What `cases.csv` holds: elements of the primary and of presentation 1 as recorded, and what follows from the course of a case.
//!
//! Every column names all elements it rests on: a bundle has it only where all of them may leave.

use registry_core::dictionary::Dictionary;
use serde_json::Value;

use super::described::Holds;
use super::entities::truth;
use crate::cohorts::CaseSummary;
use crate::cohorts::endpoint::DAYS_PER_MONTH;
use crate::measures::CaseFacts;

/// Elements taken over as recorded, with their words and absence codes; those of presentations from presentation 1.
pub(super) const TAKEN: [&str; 11] = [
    "primary.histology_code",
    "primary.eligibility_class",
    "primary.organ_of_origin",
    "primary.fnclcc_grade",
    "primary.size_mm",
    "primary.resection_status",
    "presentation.timing",
    "presentation.disease_pattern",
    "presentation.total_lesion_count",
    "presentation.largest_size_mm",
    "presentation.resectability",
];
/// Tells presentations apart.
pub(super) const PRESENTATION: &str = "presentation.seq";

/// A case as its row is written.
pub(super) struct Seen<'a> {
    pub(super) facts: &'a CaseFacts,
    pub(super) summary: &'a CaseSummary,
    pub(super) document: &'a Value,
}

/// A column that follows from the facts a run keeps of a case.
pub(super) struct Computed {
    pub(super) name: &'static str,
    pub(super) holds: Holds,
    pub(super) meaning: &'static str,
    /// What it rests on, as `entity.element`; of a code the first is the element whose list it is of, unless `code_lists` has one for it.
    pub(super) elements: &'static [&'static str],
    /// The field; `None` where it is not known.
    pub(super) value: fn(&Seen<'_>) -> Option<String>,
}

const DIAGNOSIS: [&str; 2] = ["presentation.date_detected", PRESENTATION];
const OVERALL: [&str; 9] = [
    DIAGNOSIS[0],
    DIAGNOSIS[1],
    "consent.status",
    "primary.eligibility_class",
    "patient.registration_date",
    "patient.ascertainment",
    "followup.date",
    "followup.vital_status",
    "followup.death_date",
];
const SECTION: &str = "section_attestation.section";
const STATUS: &str = "section_attestation.status";

/// In the order of the file. Edit checks of severity error have kept cells out, as in every result of the run.
pub(super) static COMPUTED: [Computed; 24] = [
    Computed {
        name: "site",
        holds: Holds::Code,
        meaning: "organ of the lesions of presentation 1 that were not refuted; several when they differ",
        elements: &["lesion.site", "lesion.presentation_seq", "lesion.status"],
        value: |seen| seen.facts.organ.clone(),
    },
    Computed {
        name: "disease_free_interval",
        holds: Holds::Code,
        meaning: "from the end of the primary's treatment to presentation 1: below_12_months, 12_months_and_over, or not_defined where the primary was never cleared",
        elements: &[
            DIAGNOSIS[0],
            DIAGNOSIS[1],
            "presentation.timing",
            "primary.resection_status",
            "primary.completeness",
            "primary.treatment_completion_date",
        ],
        value: |seen| seen.summary.interval.map(str::to_owned),
    },
    Computed {
        name: "ecog",
        holds: Holds::Integer,
        meaning: "performance status nearest to metastatic diagnosis, at most 42 days from it",
        elements: &["assessment.ecog", "assessment.date", DIAGNOSIS[0], DIAGNOSIS[1]],
        value: |seen| seen.summary.ecog.map(|ecog| ecog.to_string()),
    },
    Computed {
        name: "presentations",
        holds: Holds::Integer,
        meaning: "presentations recorded",
        elements: &[PRESENTATION],
        value: |seen| some(seen.facts.course.presentations.len()),
    },
    Computed {
        name: "local_treatments",
        holds: Holds::Integer,
        meaning: "local treatments recorded; 0 only where the section says that it is complete or that there never was one",
        elements: &["local_treatment.modality", SECTION, STATUS],
        value: |seen| rows(seen, "local_treatment", seen.facts.course.locals.len()),
    },
    Computed {
        name: "metastasectomies",
        holds: Holds::Integer,
        meaning: "those that were metastasectomies; 0 as for local_treatments",
        elements: &["local_treatment.modality", SECTION, STATUS],
        value: |seen| rows(seen, "local_treatment", seen.summary.metastasectomies),
    },
    Computed {
        name: "ablations",
        holds: Holds::Integer,
        meaning: "those by radiofrequency, microwave or cold; 0 as for local_treatments",
        elements: &["local_treatment.modality", SECTION, STATUS],
        value: |seen| rows(seen, "local_treatment", seen.summary.ablations),
    },
    Computed {
        name: "first_metastasectomy_day",
        holds: Holds::Integer,
        meaning: "day of the first metastasectomy, counted from metastatic diagnosis; empty where one is undated; a date known to the month counts as so many months of average length",
        elements: &[
            "local_treatment.modality",
            "local_treatment.date",
            DIAGNOSIS[0],
            DIAGNOSIS[1],
        ],
        value: |seen| seen.summary.first_metastasectomy.map(|day| day.to_string()),
    },
    Computed {
        name: "systemic_lines",
        holds: Holds::Integer,
        meaning: "systemic lines of the metastatic setting recorded; 0 only where the section says that it is complete or that there never was one",
        elements: &["systemic.setting", SECTION, STATUS],
        value: |seen| rows(seen, "systemic", seen.facts.course.lines.len()),
    },
    Computed {
        name: "first_line_day",
        holds: Holds::Integer,
        meaning: "start of the first of them, counted from metastatic diagnosis; a date known to the month counts as so many months of average length",
        elements: &[
            "systemic.setting",
            "systemic.line_number",
            "systemic.start_date",
            DIAGNOSIS[0],
            DIAGNOSIS[1],
        ],
        value: |seen| seen.summary.first_line.map(|day| day.to_string()),
    },
    Computed {
        name: "first_line_regimen",
        holds: Holds::Code,
        meaning: "class of its agents",
        elements: &["systemic.setting", "systemic.line_number", "systemic.agents"],
        value: |seen| seen.summary.first_regimen.clone(),
    },
    Computed {
        name: "first_line_response",
        holds: Holds::Code,
        meaning: "its best response",
        elements: &[
            "systemic.best_response",
            "systemic.setting",
            "systemic.line_number",
        ],
        value: |seen| seen.summary.first_response.clone(),
    },
    Computed {
        name: "progressions",
        holds: Holds::Integer,
        meaning: "progressions and recurrences recorded; 0 only where the section says that it is complete or that there never was one",
        elements: &["progression.type", SECTION, STATUS],
        value: |seen| rows(seen, "progression", seen.facts.course.progressions.len()),
    },
    Computed {
        name: "recurrences",
        holds: Holds::Integer,
        meaning: "those that were recurrences after all disease had been cleared; 0 as for progressions",
        elements: &["progression.type", SECTION, STATUS],
        value: |seen| rows(seen, "progression", seen.summary.recurrences),
    },
    Computed {
        name: "imaging_studies",
        holds: Holds::Integer,
        meaning: "imaging studies recorded; 0 only where the section says that it is complete or that there never was one",
        elements: &["imaging.date", SECTION, STATUS],
        value: |seen| rows(seen, "imaging", seen.facts.course.imaging.len()),
    },
    Computed {
        name: "contacts",
        holds: Holds::Integer,
        meaning: "contacts recorded",
        elements: &["followup.date"],
        value: |seen| some(seen.facts.survival.contacts.len()),
    },
    Computed {
        name: "os_analysed",
        holds: Holds::Boolean,
        meaning: "whether the case is in the primary estimate of S1, overall survival",
        elements: &OVERALL,
        value: |seen| Some(truth(seen.summary.overall.is_ok()).to_owned()),
    },
    Computed {
        name: "os_left_out",
        holds: Holds::Code,
        meaning: "the first reason why it is not",
        elements: &OVERALL,
        value: |seen| Some(seen.summary.overall.as_ref().err()?.as_str().to_owned()),
    },
    Computed {
        name: "os_entry_days",
        holds: Holds::Integer,
        meaning: "registration, in days from metastatic diagnosis, when later (delayed entry)",
        elements: &OVERALL,
        value: |seen| Some(seen.summary.overall.as_ref().ok()?.entry?.to_string()),
    },
    Computed {
        name: "os_exit_days",
        holds: Holds::Integer,
        meaning: "death, or when last seen up to the cut-off, in days from metastatic diagnosis; a date known to the month counts as so many months of average length",
        elements: &OVERALL,
        value: |seen| Some(seen.summary.overall.as_ref().ok()?.exit.to_string()),
    },
    Computed {
        name: "os_months",
        holds: Holds::Number,
        meaning: "os_exit_days / 30.4375",
        elements: &OVERALL,
        value: |seen| {
            let exit = seen.summary.overall.as_ref().ok()?.exit;
            Some(format!("{:.4}", f64::from(exit) / DAYS_PER_MONTH))
        },
    },
    Computed {
        name: "os_event",
        holds: Holds::Boolean,
        meaning: "TRUE for death, FALSE for censored",
        elements: &OVERALL,
        value: |seen| Some(truth(seen.summary.overall.as_ref().ok()?.event).to_owned()),
    },
    Computed {
        name: "os_lost",
        holds: Holds::Boolean,
        meaning: "TRUE when the last contact says the patient is lost",
        elements: &OVERALL,
        value: |seen| Some(truth(seen.summary.overall.as_ref().ok()?.lost).to_owned()),
    },
    Computed {
        name: "cause_of_death",
        holds: Holds::Code,
        meaning: "what the contacts agree on",
        elements: &["followup.cause_of_death"],
        value: |seen| seen.facts.course.cause_of_death.clone(),
    },
];

/// A number of rows; none is no number, where there has to be one.
fn some(rows: usize) -> Option<String> {
    (rows > 0).then(|| rows.to_string())
}

/// A number of rows of a section: none recorded is 0 only where the section is closed.
fn rows(seen: &Seen<'_>, section: &str, rows: usize) -> Option<String> {
    (rows > 0 || closed(seen.document, section)).then(|| rows.to_string())
}

/// Whether a section is attested as complete or as never used: by its own attestation, or by that of `all` where it has none of its own.
fn closed(document: &Value, section: &str) -> bool {
    let rows = document.get("section_attestation").and_then(Value::as_array);
    let says = |name: &str| -> Vec<&str> {
        let named = rows.into_iter().flatten().filter(|row| row["section"] == name);
        named.filter_map(|row| row["status"].as_str()).collect()
    };
    let own = says(section);
    if own.is_empty() {
        return says("all").contains(&"complete_through");
    }
    own.iter()
        .any(|status| matches!(*status, "complete_through" | "none_ever"))
}

/// The element written `entity.element`.
pub(super) fn element<'a>(
    dictionary: &'a Dictionary,
    path: &str,
) -> Option<(
    &'a registry_core::dictionary::Entity,
    &'a registry_core::dictionary::Element,
)> {
    let (entity, element) = path.split_once('.')?;
    let entity = dictionary.entities.iter().find(|one| one.name == entity)?;
    Some((entity, entity.elements.iter().find(|one| one.name == element)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use chrono::{NaiveDate, TimeZone, Utc};
    use registry_core::record::{CentreTable, Layout, Record, day_number};
    use registry_core::synthetic::{self, CohortPlan};
    use registry_core::validation::{Envelope, Judge};
    use registry_core::versions::SchemaStore;

    use super::*;
    use crate::cohorts::definitions;

    /// A document without the elements that do not pass; rows stay.
    fn with_only(document: &Value, keep: impl Fn(&str) -> bool) -> Value {
        let mut document = document.clone();
        for (entity, rows) in document.as_object_mut().unwrap() {
            let rows = match rows {
                Value::Array(rows) => rows.iter_mut().collect(),
                row => vec![row],
            };
            for row in rows.into_iter().filter_map(Value::as_object_mut) {
                row.retain(|element, _| keep(&format!("{entity}.{element}")));
            }
        }
        document
    }

    /// What a column does not name does not change it, and what it names changes it for somebody: a request that opens these elements
    /// opens all there is to it.
    #[test]
    fn a_column_rests_on_the_elements_it_names_and_no_others() {
        let judge = Judge::new(Arc::new(SchemaStore::embedded().unwrap())).unwrap();
        let definitions = definitions(judge.store()).unwrap();
        let overall = super::super::endpoints::overall(&definitions).unwrap();
        let layout = Arc::new(Layout::of(&judge.store().current().dictionary).unwrap());
        let as_of = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        let cut_off = day_number(as_of);
        let plan = CohortPlan {
            seed: 5,
            cases: 150,
            centres: 3,
            as_of,
        };
        let envelope = Envelope {
            record_id: uuid::Uuid::nil(),
            centre_id: String::new(),
            submitted_at: Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap(),
            data_cutoff_date: as_of,
        };
        let value = |column: &Computed, document: &Value| {
            let record = Record::read(document, &layout, &CentreTable::default());
            let facts = CaseFacts::read(&record, &[], 0, cut_off);
            let summary = CaseSummary::of(overall, &facts, cut_off);
            (column.value)(&Seen {
                facts: &facts,
                summary: &summary,
                document,
            })
        };
        let mut idle: BTreeSet<(&str, &str)> = COMPUTED
            .iter()
            .flat_map(|column| column.elements.iter().map(|element| (column.name, *element)))
            .collect();
        for index in 0..plan.cases {
            let body = synthetic::case(&plan, index).body;
            let document = judge.document(&body, "1.0.0", &envelope).to_value();
            for column in &COMPUTED {
                let full = value(column, &document);
                let named = with_only(&document, |path| column.elements.contains(&path));
                assert_eq!(value(column, &named), full, "{}: case {index}", column.name);
                for element in column.elements {
                    if idle.contains(&(column.name, *element))
                        && value(column, &with_only(&document, |path| path != *element)) != full
                    {
                        idle.remove(&(column.name, *element));
                    }
                }
            }
        }
        // What shows that there is a row to count; and every case of the cohort has imaging.
        let rows_alone = [
            ("contacts", "followup.date"),
            ("imaging_studies", "imaging.date"),
            ("imaging_studies", SECTION),
            ("imaging_studies", STATUS),
            ("local_treatments", "local_treatment.modality"),
            ("presentations", PRESENTATION),
            ("progressions", "progression.type"),
        ];
        assert_eq!(idle, BTreeSet::from(rows_alone), "named, but nothing rests on it");
    }

    #[test]
    fn a_section_is_closed_by_its_own_attestation_first() {
        let closes = |rows: &[(&str, &str)]| {
            let rows: Vec<Value> = rows
                .iter()
                .map(|(section, status)| serde_json::json!({ "section": section, "status": status }))
                .collect();
            closed(&serde_json::json!({ "section_attestation": rows }), "systemic")
        };
        assert!(!closes(&[]));
        assert!(!closes(&[("imaging", "none_ever")]));
        assert!(closes(&[("systemic", "none_ever")]) && closes(&[("systemic", "complete_through")]));
        assert!(closes(&[("all", "complete_through")]));
        assert!(!closes(&[("all", "none_ever")]));
        assert!(!closes(&[
            ("all", "complete_through"),
            ("systemic", "incomplete")
        ]));
    }
}
