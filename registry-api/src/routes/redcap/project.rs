//! The bundle of a request as a REDCap project: a table of patients is an instrument, repeated where a patient has several rows.
//!
//! The record is the patient. Fields are named `<instrument>_<column>`, because a name is one of the whole project; the words of codes are
//! their choices. Flags are yes and no (1 and 0).

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use registry_core::storage::DataRequest;
use registry_etl::releases::MULTISELECT;
use serde::Deserialize;
use zip::ZipArchive;

use crate::problem::Problem;

/// The record's identifier.
pub(super) const RECORD: &str = "patient_id";

/// Columns of the answers.
pub(super) const PROJECT: [&str; 6] = [
    "project_id",
    "project_title",
    "is_longitudinal",
    "has_repeating_instruments_or_events",
    "in_production",
    "project_notes",
];
pub(super) const INSTRUMENT: [&str; 2] = ["instrument_name", "instrument_label"];
pub(super) const NAMES: [&str; 3] = ["original_field_name", "choice_value", "export_field_name"];
pub(super) const METADATA: [&str; 18] = [
    "field_name",
    "form_name",
    "section_header",
    "field_type",
    "field_label",
    "select_choices_or_calculations",
    "field_note",
    "text_validation_type_or_show_slider_number",
    "text_validation_min",
    "text_validation_max",
    "identifier",
    "branching_logic",
    "required_field",
    "custom_alignment",
    "question_number",
    "matrix_group_name",
    "matrix_ranking",
    "field_annotation",
];

/// A line of `dictionary.csv`.
#[derive(Debug, Deserialize)]
struct Line {
    file: String,
    column: String,
    key: String,
    meaning: String,
    #[serde(rename = "type")]
    holds: String,
    unit: String,
    code_list: String,
}

/// A line of `codelists.csv`.
#[derive(Deserialize)]
struct CodeLine {
    code_list: String,
    code: String,
    label: String,
}

/// A column of an instrument.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    holds: String,
    label: String,
    unit: String,
    /// Codes with their words.
    choices: Vec<(String, String)>,
}

impl Field {
    /// A cell as REDCap exports it, raw or in words.
    pub(super) fn value(&self, cell: &str, label: bool) -> String {
        match (self.holds.as_str(), cell, label) {
            ("boolean", "TRUE", false) => "1",
            ("boolean", "FALSE", false) => "0",
            ("boolean", "TRUE", true) => "Yes",
            ("boolean", "FALSE", true) => "No",
            ("code", code, true) => {
                let found = self.choices.iter().find(|(known, _)| known == code);
                found.map_or(code, |(_, words)| words.as_str())
            }
            (_, other, _) => other,
        }
        .to_owned()
    }
}

/// A table of patients.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) name: String,
    /// Several rows a patient.
    pub(super) repeated: bool,
    pub(super) fields: Vec<Field>,
    /// Patient and cells, in the order of the file.
    pub(super) rows: Vec<(String, Vec<String>)>,
}

/// The bundle of a request.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) forms: Vec<Form>,
}

impl Project {
    /// Reads a bundle: its instruments, and the rows of those that are asked for.
    pub(super) fn read(path: &Path, rows_of: impl Fn(&str) -> bool) -> Result<Self, Problem> {
        let file = File::open(path).map_err(Problem::internal)?;
        let mut archive = ZipArchive::new(file).map_err(Problem::internal)?;
        let mut lists: HashMap<String, Vec<(String, String)>> = HashMap::new();
        for line in rows::<CodeLine>(&mut archive, "codelists.csv")? {
            let words = if line.label.is_empty() {
                line.code.clone()
            } else {
                line.label
            };
            lists.entry(line.code_list).or_default().push((line.code, words));
        }
        let mut files: Vec<(String, Vec<Line>)> = Vec::new();
        for line in rows::<Line>(&mut archive, "dictionary.csv")? {
            match files.last_mut() {
                Some((file, lines)) if *file == line.file => lines.push(line),
                _ => files.push((line.file.clone(), vec![line])),
            }
        }
        let mut forms = Vec::new();
        for (file, lines) in files {
            // The sets of codes are fields of their instruments already.
            if file != MULTISELECT && lines.iter().any(|line| line.column == RECORD) {
                let mut form = form(&file, &lines, &lists);
                if rows_of(&form.name) {
                    form.rows = cells(&mut archive, &file, &lines)?;
                }
                forms.push(form);
            }
        }
        Ok(Self { forms })
    }

    /// Whether a patient may have several rows of an instrument.
    pub(super) fn repeats(&self) -> bool {
        self.forms.iter().any(|form| form.repeated)
    }

    pub(super) fn about(request: &DataRequest) -> Vec<String> {
        let text = |value: &str| value.to_owned();
        vec![
            request.request_id.clone(),
            request.title.clone(),
            text("0"),
            text("1"),
            text("1"),
            format!("Release {} of the RPS registry", request.release_id),
        ]
    }

    pub(super) fn instruments(&self) -> Vec<Vec<String>> {
        let line = |form: &Form| vec![form.name.clone(), form.name.replace('_', " ")];
        self.forms.iter().map(line).collect()
    }

    /// The dictionary of these fields and instruments, of all without any.
    pub(super) fn metadata(&self, fields: &[&str], forms: &[&str]) -> Vec<Vec<String>> {
        let all = fields.is_empty() && forms.is_empty();
        let mut lines = Vec::new();
        let first = self
            .forms
            .first()
            .map(|form| form.name.as_str())
            .unwrap_or_default();
        if all || fields.contains(&RECORD) || forms.contains(&first) {
            let mut line = vec![String::new(); METADATA.len()];
            line[0] = RECORD.to_owned();
            line[1] = first.to_owned();
            line[3] = "text".to_owned();
            line[4] = "Pseudonym of the patient in this request".to_owned();
            lines.push(line);
        }
        for form in &self.forms {
            for field in &form.fields {
                if all || fields.contains(&field.name.as_str()) || forms.contains(&form.name.as_str()) {
                    lines.push(described(form, field));
                }
            }
        }
        lines
    }

    /// Names of all fields, or of one, as they are exported.
    pub(super) fn names(&self, field: &str) -> Vec<Vec<String>> {
        let fields = self.forms.iter().flat_map(|form| form.fields.iter());
        let names = fields.map(|field| field.name.clone());
        let complete = self.forms.iter().map(|form| format!("{}_complete", form.name));
        let all = std::iter::once(RECORD.to_owned()).chain(names).chain(complete);
        let wanted = all.filter(|name| field.is_empty() || name == field);
        wanted
            .map(|name| vec![name.clone(), String::new(), name])
            .collect()
    }
}

fn described(form: &Form, field: &Field) -> Vec<String> {
    let mut line = vec![String::new(); METADATA.len()];
    let (kind, validation) = match field.holds.as_str() {
        "boolean" => ("yesno", ""),
        "code" => ("radio", ""),
        "integer" => ("text", "integer"),
        "number" => ("text", "number"),
        _ => ("text", ""),
    };
    let choice = |(code, words): &(String, String)| format!("{code}, {}", words.replace('|', "/"));
    line[0] = field.name.clone();
    line[1] = form.name.clone();
    line[3] = kind.to_owned();
    line[4] = field.label.clone();
    line[5] = field.choices.iter().map(choice).collect::<Vec<_>>().join(" | ");
    line[6] = field.unit.clone();
    line[7] = validation.to_owned();
    line
}

/// The lines of a file of the bundle.
fn rows<T: for<'a> Deserialize<'a>>(archive: &mut ZipArchive<File>, name: &str) -> Result<Vec<T>, Problem> {
    let file = archive.by_name(name).map_err(Problem::internal)?;
    let lines = csv::Reader::from_reader(file).into_deserialize();
    lines.collect::<Result<_, _>>().map_err(Problem::internal)
}

/// The columns that are fields: the words of a code are its choices.
fn fields(lines: &[Line]) -> impl Iterator<Item = &Line> {
    let told = |line: &&Line| line.column != RECORD && !line.column.ends_with("__label");
    lines.iter().filter(told)
}

fn form(file: &str, lines: &[Line], lists: &HashMap<String, Vec<(String, String)>>) -> Form {
    let name = file.trim_end_matches(".csv").to_owned();
    let field = |line: &Line| Field {
        name: format!("{name}_{}", line.column),
        holds: line.holds.clone(),
        label: line.meaning.clone(),
        unit: line.unit.clone(),
        choices: match line.holds.as_str() {
            "code" => lists.get(&line.code_list).cloned().unwrap_or_default(),
            _ => Vec::new(),
        },
    };
    let keys = lines.iter().filter(|line| line.key == "TRUE").count();
    Form {
        repeated: keys > 1,
        fields: fields(lines).map(field).collect(),
        rows: Vec::new(),
        name,
    }
}

/// Patient and fields of every row.
fn cells(
    archive: &mut ZipArchive<File>,
    file: &str,
    lines: &[Line],
) -> Result<Vec<(String, Vec<String>)>, Problem> {
    let mut reader = csv::Reader::from_reader(archive.by_name(file).map_err(Problem::internal)?);
    let header = reader.headers().map_err(Problem::internal)?.clone();
    let place = |column: &str| header.iter().position(|name| name == column);
    let places: Vec<Option<usize>> = fields(lines).map(|line| place(&line.column)).collect();
    let patient = place(RECORD);
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row.map_err(Problem::internal)?;
        let cell = |at: &Option<usize>| at.and_then(|at| row.get(at)).unwrap_or_default().to_owned();
        rows.push((cell(&patient), places.iter().map(cell).collect()));
    }
    Ok(rows)
}
