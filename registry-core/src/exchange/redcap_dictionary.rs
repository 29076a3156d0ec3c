//! REDCap's data dictionary, from which a centre builds its project.

use super::branching::{Asked, Branching};
use super::columns::{Layout, Part, Section, Style, missing_code};
use super::redcap::{RECORD, about_the_case};
use crate::dictionary::{CodeList, Dictionary, Element, ElementKind, Entity, Requirement, Visibility};
use crate::form::Forms;
use crate::record::Absence;

/// The 18 columns of a REDCap data dictionary, in REDCap's order.
const COLUMNS: [&str; 18] = [
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
    "Text Validation Min",
    "Text Validation Max",
    "Identifier?",
    "Branching Logic (Show field only if...)",
    "Required Field?",
    "Custom Alignment",
    "Question Number (surveys only)",
    "Matrix Group Name",
    "Matrix Ranking?",
    "Field Annotation",
];

/// One line of it.
#[derive(Default)]
struct Field {
    name: String,
    form: String,
    header: String,
    kind: &'static str,
    label: String,
    choices: String,
    note: String,
    validation: &'static str,
    identifier: bool,
    branching: String,
    required: bool,
    annotation: String,
}

impl Field {
    fn line(self) -> [String; 18] {
        let yes = |flag: bool| if flag { "y" } else { "" }.to_owned();
        let mut line: [String; 18] = Default::default();
        let filled = [
            (0, self.name),
            (1, self.form),
            (2, self.header),
            (3, self.kind.to_owned()),
            (4, self.label),
            (5, self.choices),
            (6, self.note),
            (7, self.validation.to_owned()),
            (10, yes(self.identifier)),
            (11, self.branching),
            (12, yes(self.required)),
            (17, self.annotation),
        ];
        for (at, text) in filled {
            if let Some(cell) = line.get_mut(at) {
                *cell = text;
            }
        }
        line
    }
}

/// The data dictionary of one version as CSV: a form per entity. Forms of repeated entities have to be made repeating
/// instruments in the project's setup, and the absence codes its missing-data codes; the first field says so. A field is asked when the entry form
/// would ask it, as far as REDCap's branching logic can tell; what it cannot stands in the field's note.
pub fn redcap_dictionary(dictionary: &std::sync::Arc<Dictionary>, forms: &Forms) -> String {
    let branching = Branching::of(dictionary, forms);
    let layout = Layout::new(Style::Redcap, std::slice::from_ref(dictionary));
    let mut fields = Vec::new();
    for section in &layout.sections {
        if let Some(entity) = dictionary.entity(&section.name) {
            form(&layout, section, (entity, &branching), &mut fields);
        }
    }
    if let Some(at) = fields.iter().position(|f| f.name == RECORD) {
        // REDCap takes the very first field as the record's identifier.
        let record = fields.remove(at);
        fields.insert(0, record);
    }
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut written = csv.write_record(COLUMNS);
    for field in fields {
        written = written.and_then(|()| csv.write_record(field.line()));
    }
    // A vector takes everything.
    let bytes = written
        .ok()
        .and_then(|()| csv.into_inner().ok())
        .unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn form(
    layout: &Layout,
    section: &Section,
    (entity, branching): (&Entity, &Branching<'_>),
    fields: &mut Vec<Field>,
) {
    if section.envelope {
        fields.push(Field {
            name: RECORD.to_owned(),
            form: section.name.clone(),
            kind: "text",
            label: "Pseudonym of the patient".to_owned(),
            note: setup(layout),
            required: true,
            ..Field::default()
        });
    }
    let mut header = entity.description.clone();
    for (_, group) in section.groups() {
        let Some(element) = group.first().and_then(|c| entity.element(&c.element)) else {
            continue;
        };
        let name = format!("{}_{}", entity.name, element.name);
        let before = fields.len();
        let asked = branching.of_element(entity, element);
        fields.push(field(&name, section, element, &asked));
        for column in group {
            let (label, choices) = match column.part {
                Part::State if element.kind == ElementKind::String => {
                    ("the text is meant as it stands", "value, as it stands")
                }
                Part::State => (
                    "when nothing is chosen",
                    "empty, none of these | value, as it stands",
                ),
                Part::Order => ("order of the codes, if it matters", ""),
                _ => continue,
            };
            let shown = column.part == Part::State && element.kind != ElementKind::String;
            fields.push(Field {
                name: column.name.clone(),
                form: section.name.clone(),
                kind: if choices.is_empty() { "text" } else { "dropdown" },
                label: format!("{}: {label}", element.name),
                choices: choices.to_owned(),
                branching: asked.logic.clone(),
                annotation: if shown { "" } else { "@HIDDEN" }.to_owned(),
                ..Field::default()
            });
        }
        if let Some(first) = fields.get_mut(before) {
            first.header = std::mem::take(&mut header);
        }
    }
    if section.envelope {
        let labels = [
            "Sections sent as empty lists, separated by blanks",
            "Version of the case in the registry that this was taken from",
            "Status of the case in the registry: draft, submitted, verified, locked",
        ];
        fields.extend(
            about_the_case(layout)
                .into_iter()
                .zip(labels)
                .map(|(name, label)| Field {
                    name,
                    form: section.name.clone(),
                    kind: "text",
                    label: label.to_owned(),
                    annotation: "@HIDDEN".to_owned(),
                    ..Field::default()
                }),
        );
    }
}

fn setup(layout: &Layout) -> String {
    let repeating: Vec<&str> = layout
        .sections
        .iter()
        .filter(|s| s.repeated)
        .map(|s| s.name.as_str())
        .collect();
    let codes: Vec<String> = Absence::ALL
        .into_iter()
        .map(|a| format!("{}, {}", missing_code(a), a.as_str().replace('_', " ")))
        .collect();
    format!(
        "Set up these forms as repeating instruments: {}. Missing-data codes: {}",
        repeating.join(", "),
        codes.join(" | ")
    )
}

fn field(name: &str, section: &Section, element: &Element, asked: &Asked) -> Field {
    let list = |list: &CodeList| {
        let choice = |c: &crate::dictionary::Code| {
            let label = c.label.clone().unwrap_or_else(|| c.code.replace('_', " "));
            // A bar ends a choice.
            format!("{}, {}", c.code, label.replace('|', "/"))
        };
        list.codes.iter().map(choice).collect::<Vec<_>>().join(" | ")
    };
    let choices = element.codes.as_deref().map(list);
    let (kind, choices, validation) = match (element.kind, choices) {
        (ElementKind::CodeSet, choices) => ("checkbox", choices.unwrap_or_default(), ""),
        (ElementKind::Code, Some(choices)) => ("dropdown", choices, ""),
        (ElementKind::Boolean, _) => ("yesno", String::new(), ""),
        (ElementKind::Integer | ElementKind::Year, None) => ("text", String::new(), "integer"),
        (ElementKind::Number | ElementKind::Percent, None) => ("text", String::new(), "number"),
        (
            ElementKind::Integer | ElementKind::Number | ElementKind::Year | ElementKind::Percent,
            Some(choices),
        ) => ("dropdown", choices, ""),
        (ElementKind::Date, _) if element.exact_date => ("text", String::new(), "date_ymd"),
        _ => ("text", String::new(), ""),
    };
    let partial = element.kind == ElementKind::Date && !element.exact_date;
    let notes = [
        element.unit.clone(),
        partial.then(|| "YYYY-MM-DD, or YYYY-MM or YYYY".to_owned()),
        element.condition.clone().map(|c| format!("when {c}")),
        element.constraint.clone(),
        (!asked.untold.is_empty()).then(|| {
            format!(
                "needed only where {}, which REDCap's logic cannot tell",
                asked.untold.join(" or ")
            )
        }),
    ];
    Field {
        name: name.to_owned(),
        form: section.name.clone(),
        kind,
        label: match element.description.as_str() {
            "" => element.name.replace('_', " "),
            described => described.to_owned(),
        },
        choices,
        note: notes.into_iter().flatten().collect::<Vec<_>>().join("; "),
        validation,
        branching: asked.logic.clone(),
        identifier: matches!(element.visibility, Visibility::Restricted | Visibility::Internal),
        required: element.requirement == Requirement::Required && !section.envelope,
        annotation: if section.envelope {
            "@HIDDEN".to_owned()
        } else {
            String::new()
        },
        ..Field::default()
    }
}
