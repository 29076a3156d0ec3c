//! A case's course: every dated row of the record, for the timeline and its table.

use chrono::NaiveDate;
use registry_core::form::Words;
use registry_core::record::PartialDate;
use serde_json::Value;

use crate::charts::{Mark, MarkKind, Span, Timeline};

/// Lane, entity, first date, last date (for intervals), elements that say what.
type Lane = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static [&'static str],
);

const LANES: &[Lane] = &[
    (
        "Presentations",
        "presentation",
        "date_detected",
        None,
        &["timing", "disease_pattern"],
    ),
    (
        "Other operations",
        "prior_operation",
        "date",
        None,
        &["indication", "completeness"],
    ),
    (
        "Imaging",
        "imaging",
        "date",
        None,
        &["modality", "region", "indication"],
    ),
    ("Tumour boards", "mdt", "date", None, &["trigger", "intent"]),
    ("Biopsies", "biopsy", "date", None, &["technique", "result"]),
    (
        "Local treatment",
        "local_treatment",
        "date",
        None,
        &["modality", "site", "completeness"],
    ),
    (
        "Systemic therapy",
        "systemic",
        "start_date",
        Some("stop_date"),
        &["agents", "best_response"],
    ),
    (
        "Radiotherapy",
        "radiotherapy",
        "start_date",
        Some("end_date"),
        &["intent", "total_dose_gy"],
    ),
    (
        "Intervals without treatment",
        "observation",
        "start_date",
        Some("end_date"),
        &["reason"],
    ),
    ("Progression", "progression", "date", None, &["type", "site"]),
    (
        "Follow-up",
        "followup",
        "date",
        None,
        &["vital_status", "disease_status"],
    ),
];

/// What is dated and stands in the table alone: a lane for each would hide the others in the picture.
const IN_THE_TABLE: &[Lane] = &[
    (
        "Pathology reviews",
        "pathology_review",
        "date",
        None,
        &["specimen_site", "review_icdo_morphology", "discordance"],
    ),
    (
        "Molecular tests",
        "molecular_test",
        "date",
        None,
        &["target", "method", "result"],
    ),
    (
        "Assessments",
        "assessment",
        "date",
        None,
        &["ecog", "nutrition_risk"],
    ),
    (
        "Symptoms",
        "symptom",
        "onset_date",
        None,
        &["type", "ctcae_grade"],
    ),
    ("Goals of care", "goals_of_care", "date", None, &["priority"]),
    (
        "Palliative care, referral and first contact",
        "palliative_care",
        "referral_date",
        Some("first_contact_date"),
        &["outcome", "setting"],
    ),
    (
        "Trials, screening and enrolment",
        "trial",
        "screening_date",
        Some("enrolment_date"),
        &["outcome", "registry_id"],
    ),
    (
        "Questionnaires",
        "pro",
        "date",
        None,
        &["instrument", "timepoint", "summary_score"],
    ),
];

/// One line of the table: date, until, kind, what.
pub(super) type Event = (String, String, &'static str, String);

/// The picture and the table of a record in its newest form, in the words of that version; intervals without an end run to the last known day.
pub(super) fn course(record: &Value, words: Words<'_>) -> (Timeline, Vec<Event>) {
    let last = record["followup"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|r| day(&r["date"]))
        .max();
    let mut timeline = Timeline::default();
    let mut events: Vec<Event> = Vec::new();
    let drawn = LANES.iter().map(|lane| (lane, true));
    let listed = IN_THE_TABLE.iter().map(|lane| (lane, false));
    for ((name, entity, start, end, says), drawn) in drawn.chain(listed) {
        let (mut spans, mut marks) = (Vec::new(), Vec::new());
        for row in record[*entity].as_array().into_iter().flatten() {
            let said = |element: &str| words.value(&format!("{entity}.{element}"), &row[element]);
            let what: Vec<String> = says.iter().map(|element| said(element)).collect();
            let what: Vec<String> = what.into_iter().filter(|text| !text.is_empty()).collect();
            let what = what.join(", ");
            let until = end.map(said).unwrap_or_default();
            events.push((said(start), until, name, what.clone()));
            let Some(from) = day(&row[*start]).filter(|_| drawn) else {
                continue;
            };
            let what = format!("{}: {what}", said(start));
            match end {
                Some(end) => {
                    let to = day(&row[*end]);
                    let open = to.is_none();
                    let to = to.or(last).unwrap_or(from).max(from);
                    spans.push(Span {
                        from,
                        to,
                        what: what.split_once(": ").map(|(_, w)| w.to_owned()).unwrap_or(what),
                        open,
                    });
                }
                None => marks.push(Mark {
                    day: from,
                    what,
                    kind: kind(entity, row),
                }),
            }
        }
        if !spans.is_empty() || !marks.is_empty() {
            timeline.lanes.push(((*name).to_owned(), spans, marks));
        }
    }
    events.sort();
    (timeline, events)
}

fn kind(entity: &str, row: &Value) -> MarkKind {
    match entity {
        "presentation" => MarkKind::Presentation,
        "progression" => MarkKind::Progression,
        "local_treatment" | "prior_operation" => MarkKind::Treatment,
        "followup" if row["vital_status"] == "dead" => MarkKind::Death,
        _ => MarkKind::Event,
    }
}

/// The first possible day of a date.
fn day(value: &Value) -> Option<NaiveDate> {
    PartialDate::parse(value.as_str()?)?.first_day()
}

#[cfg(test)]
mod tests {
    use registry_core::form::Forms;
    use registry_core::versions::SchemaStore;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_element_of_a_lane_is_recorded() {
        let store = SchemaStore::embedded().expect("the schema");
        let entities = &store.current().dictionary.entities;
        for (_, entity, start, end, says) in LANES.iter().chain(IN_THE_TABLE) {
            let found = entities.iter().find(|one| one.name == *entity).expect(entity);
            for element in std::iter::once(start).chain(end).chain(says.iter()) {
                let known = found.elements.iter().any(|one| one.name == *element);
                assert!(known, "{entity}.{element}");
            }
        }
    }

    #[test]
    fn a_course_without_dates_is_empty_and_one_with_partial_dates_is_drawn() {
        let store = SchemaStore::embedded().expect("the schema");
        let forms = Forms::of(&store).expect("the forms");
        let words = forms.words(&store.current().dictionary).expect("words");
        let (timeline, events) = course(&json!({}), words);
        assert!(timeline.lanes.is_empty() && events.is_empty());
        let record = json!({
            "presentation": [{"date_detected": "2024-02", "timing": "metachronous"}],
            "systemic": [{"start_date": "2024-03-01", "stop_date": {"absent": "pending"}, "agents": ["doxorubicin"]}],
            "observation": [{"start_date": "2024-06-01", "end_date": "2024-08-01", "reason": "establish_biology"}],
            "followup": [{"date": "2024-09-01", "vital_status": "dead"}],
        });
        let (timeline, events) = course(&record, words);
        assert_eq!(events.len(), 4);
        assert_eq!(events[0].0, "2024-02", "the date is shown as recorded");
        assert_eq!(events[1].1, "Pending", "why there is no date is said");
        assert_eq!(
            (events[2].2, events[2].3.as_str()),
            ("Intervals without treatment", "To learn how the disease behaves")
        );
        let listed = json!({
            "palliative_care": [{"referral_date": "2024-05-02", "first_contact_date": "2024-05-09", "outcome": {"absent": "unknown"}}],
            "symptom": [{"onset_date": "2024-04", "type": {"absent": "unknown"}}],
        });
        let (drawn, told) = course(&listed, words);
        assert!(drawn.lanes.is_empty(), "they stand in the table alone");
        let told: Vec<_> = told
            .iter()
            .map(|one| (one.0.as_str(), one.1.as_str(), one.2))
            .collect();
        assert_eq!(
            told,
            [
                ("2024-04", "", "Symptoms"),
                (
                    "2024-05-02",
                    "2024-05-09",
                    "Palliative care, referral and first contact"
                ),
            ]
        );
        let (_, spans, _) = timeline
            .lanes
            .iter()
            .find(|(n, ..)| n == "Systemic therapy")
            .expect("a lane");
        assert!(spans[0].open && spans[0].to.to_string() == "2024-09-01");
    }
}
