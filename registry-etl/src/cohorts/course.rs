//! What endpoints after the first read of one case: treatments, lines, progressions, imaging, and the disease they met.

use super::facts::RecordedDate;
use registry_core::record::{Cell, Record, RowView};
use serde::{Deserialize, Serialize};

/// Stable disease of more months counts as a response before resection.
const LASTING_MONTHS: f64 = 6.0;

/// A local treatment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LocalTreatment {
    pub date: RecordedDate,
    pub modality: Option<String>,
    pub site: Option<String>,
    /// `presentation_seq`.
    pub presentation: Option<u32>,
    pub completeness: Option<String>,
    /// `intent` is curative.
    pub curative: bool,
    /// `all_disease_cleared` is true.
    pub cleared: bool,
    pub clavien_dindo: Option<String>,
    pub death_within_90d: Option<bool>,
}

/// A systemic line of the metastatic setting.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Line {
    pub number: Option<u32>,
    pub start: RecordedDate,
    pub stop: RecordedDate,
    /// Still given: `stop_reason` is `ongoing`.
    pub ongoing: bool,
    pub progression: RecordedDate,
    /// Ended by, or best response, progression.
    pub progressed: bool,
    /// `best_response`.
    pub response: Option<String>,
    /// Stable for more than six months.
    pub lasting: bool,
    pub regimen: Option<String>,
}

/// A progression or recurrence.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progression {
    pub date: RecordedDate,
    /// After all disease had been cleared.
    pub recurrence: bool,
    pub sites: Vec<String>,
}

/// What a presentation looked like.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Disease {
    pub seq: Option<u32>,
    pub detected: RecordedDate,
    pub lesions: Option<u32>,
    pub largest_mm: Option<u32>,
    pub resectability: Option<String>,
}

/// The dates of a case that endpoints count from or to, and what stratifies them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CourseFacts {
    pub locals: Vec<LocalTreatment>,
    pub lines: Vec<Line>,
    pub progressions: Vec<Progression>,
    /// `imaging.date`.
    pub imaging: Vec<RecordedDate>,
    /// `observation.start_date`.
    pub observations: Vec<RecordedDate>,
    pub presentations: Vec<Disease>,
    /// `assessment.date` and `ecog`.
    pub ecog: Vec<(RecordedDate, u8)>,
    /// `pro.date` and `summary_score` in hundredths.
    pub scores: Vec<(RecordedDate, i32)>,
    /// `primary.treatment_completion_date`.
    pub completed: RecordedDate,
    /// Whether the primary was removed macroscopically completely.
    pub primary_cleared: Option<bool>,
    pub grade: Option<u8>,
    /// `followup.cause_of_death`; none when unknown or when rows differ.
    pub cause_of_death: Option<String>,
    /// Starts of the treatments that are neither among `locals` nor `lines`: radiotherapy, and systemic therapy of the primary.
    pub others: Vec<RecordedDate>,
}

impl CourseFacts {
    /// Reads the course of a record whose blocked cells are marked.
    pub fn read(record: &Record) -> Self {
        let grade = record.single("primary.fnclcc_grade").as_number();
        Self {
            locals: record.rows("local_treatment").map(local).collect(),
            lines: record
                .rows("systemic")
                .filter(|row| is(row, "setting", "metastatic"))
                .map(line)
                .collect(),
            progressions: record.rows("progression").map(progression).collect(),
            imaging: record.rows("imaging").map(|row| date(&row, "date")).collect(),
            observations: record
                .rows("observation")
                .map(|row| date(&row, "start_date"))
                .collect(),
            presentations: record.rows("presentation").map(disease).collect(),
            ecog: record
                .rows("assessment")
                .filter_map(|row| Some((date(&row, "date"), whole(&row, "ecog")? as u8)))
                .collect(),
            scores: record
                .rows("pro")
                .filter_map(|row| {
                    let score = row.get("summary_score").as_number()?;
                    Some((date(&row, "date"), (score * 100.0).round() as i32))
                })
                .collect(),
            completed: RecordedDate::of(&record.single("primary.treatment_completion_date")),
            primary_cleared: primary_cleared(record),
            grade: grade.map(|grade| grade as u8),
            cause_of_death: cause(record),
            others: others(record),
        }
    }

    /// When every treatment began; the first of them is the first treatment.
    pub fn treatments(&self) -> impl Iterator<Item = RecordedDate> {
        let locals = self.locals.iter().map(|one| one.date);
        let lines = self.lines.iter().map(|one| one.start);
        locals.chain(lines).chain(self.others.iter().copied())
    }
}

fn is(row: &RowView<'_>, element: &str, code: &str) -> bool {
    row.get(element).as_text() == Some(code)
}

fn text(row: &RowView<'_>, element: &str) -> Option<String> {
    row.get(element).as_text().map(str::to_owned)
}

fn date(row: &RowView<'_>, element: &str) -> RecordedDate {
    RecordedDate::of(&row.get(element))
}

fn whole(row: &RowView<'_>, element: &str) -> Option<u32> {
    row.get(element).as_number().map(|n| n as u32)
}

fn set(row: &RowView<'_>, element: &str) -> Option<Vec<String>> {
    match row.get(element) {
        Cell::Set(set) => Some(set.iter().map(str::to_owned).collect()),
        _ => None,
    }
}

fn local(row: RowView<'_>) -> LocalTreatment {
    LocalTreatment {
        date: date(&row, "date"),
        modality: text(&row, "modality"),
        site: text(&row, "site"),
        presentation: whole(&row, "presentation_seq"),
        completeness: text(&row, "completeness"),
        curative: is(&row, "intent", "curative"),
        cleared: row.get("all_disease_cleared").as_boolean() == Some(true),
        clavien_dindo: text(&row, "clavien_dindo"),
        death_within_90d: row.get("death_within_90d").as_boolean(),
    }
}

fn line(row: RowView<'_>) -> Line {
    let stable = row.get("stable_months").as_number();
    Line {
        number: whole(&row, "line_number"),
        start: date(&row, "start_date"),
        stop: date(&row, "stop_date"),
        ongoing: is(&row, "stop_reason", "ongoing"),
        progression: date(&row, "progression_date"),
        progressed: is(&row, "stop_reason", "progression") || is(&row, "best_response", "PD"),
        response: text(&row, "best_response"),
        lasting: stable.is_some_and(|months| months > LASTING_MONTHS),
        regimen: set(&row, "agents")
            .as_deref()
            .and_then(regimen)
            .map(str::to_owned),
    }
}

/// Classes of regimens with their words.
pub const REGIMENS: [(&str, &str); 10] = [
    ("anthracycline", "Anthracycline"),
    ("anthracycline_combination", "Anthracycline with another agent"),
    ("gemcitabine", "With gemcitabine"),
    ("trabectedin", "With trabectedin"),
    ("eribulin", "With eribulin"),
    ("antiangiogenic", "Antiangiogenic"),
    ("ifosfamide", "Ifosfamide alone"),
    ("dacarbazine", "Dacarbazine alone"),
    ("investigational", "Investigational alone"),
    ("other", "Another regimen"),
];

/// The class of a regimen by its agents, the first that applies; none without an agent.
pub fn regimen(agents: &[String]) -> Option<&'static str> {
    let any = |of: &[&str]| agents.iter().any(|agent| of.contains(&agent.as_str()));
    let only = |one: &str| agents.iter().all(|agent| agent == one);
    if agents.is_empty() {
        return None;
    }
    Some(if any(&["doxorubicin", "epirubicin", "liposomal_doxorubicin"]) {
        if agents.len() > 1 {
            "anthracycline_combination"
        } else {
            "anthracycline"
        }
    } else if any(&["gemcitabine"]) {
        "gemcitabine"
    } else if any(&["trabectedin"]) {
        "trabectedin"
    } else if any(&["eribulin"]) {
        "eribulin"
    } else if any(&["pazopanib", "sunitinib", "bevacizumab"]) {
        "antiangiogenic"
    } else if only("ifosfamide") {
        "ifosfamide"
    } else if only("dacarbazine") {
        "dacarbazine"
    } else if only("investigational") {
        "investigational"
    } else {
        "other"
    })
}

fn progression(row: RowView<'_>) -> Progression {
    Progression {
        date: date(&row, "date"),
        recurrence: is(&row, "type", "recurrence_after_clearance"),
        sites: set(&row, "site").unwrap_or_default(),
    }
}

fn disease(row: RowView<'_>) -> Disease {
    Disease {
        seq: whole(&row, "seq"),
        detected: date(&row, "date_detected"),
        lesions: whole(&row, "total_lesion_count"),
        largest_mm: whole(&row, "largest_size_mm"),
        resectability: text(&row, "resectability"),
    }
}

fn primary_cleared(record: &Record) -> Option<bool> {
    match record.single("primary.resection_status").as_text()? {
        "resected" => match record.single("primary.completeness").as_text() {
            Some("R2") => Some(false),
            Some(_) => Some(true),
            None => None,
        },
        _ => Some(false),
    }
}

fn others(record: &Record) -> Vec<RecordedDate> {
    let radiotherapy = record.rows("radiotherapy");
    let of_primary = record
        .rows("systemic")
        .filter(|row| !is(row, "setting", "metastatic"));
    let rows = radiotherapy.chain(of_primary);
    rows.map(|row| date(&row, "start_date")).collect()
}

/// The cause the rows agree on.
fn cause(record: &Record) -> Option<String> {
    let mut causes = record
        .rows("followup")
        .filter_map(|row| text(&row, "cause_of_death"));
    let first = causes.next()?;
    causes.all(|other| other == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use registry_core::record::{CentreTable, Layout, PartialDate};
    use registry_core::versions::SchemaStore;
    use serde_json::json;

    #[test]
    fn every_treatment_of_a_record_is_among_its_treatments() {
        let store = SchemaStore::embedded().unwrap();
        let layout = std::sync::Arc::new(Layout::of(&store.current().dictionary).unwrap());
        let case = json!({
            "local_treatment": [{ "date": "2025-04-01", "modality": "rfa" }],
            "systemic": [
                { "setting": "metastatic", "line_number": 1, "start_date": "2025-05-01" },
                { "setting": "adjuvant_primary", "start_date": "2025-03-01" },
            ],
            "radiotherapy": [
                { "intent": "palliative", "start_date": "2025-02-01" },
                { "intent": "definitive", "start_date": { "absent": "unknown" } },
            ],
        });
        let course = CourseFacts::read(&Record::read(&case, &layout, &CentreTable::default()));
        let on = |text: &str| RecordedDate::from(PartialDate::parse(text).unwrap());
        let all: Vec<RecordedDate> = course.treatments().collect();
        let wanted = [
            on("2025-04-01"),
            on("2025-05-01"),
            on("2025-02-01"),
            RecordedDate::None,
            on("2025-03-01"),
        ];
        assert_eq!(all, wanted);
        assert_eq!(course.lines.len(), 1, "a line is of the metastatic setting");
    }
}
