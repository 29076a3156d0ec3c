//! What a measure, or an all-or-none summary of several, says and how it is computed, in one version of the guideline.

use registry_core::form::Words;
use registry_core::guideline::{Composite, Guideline, Measure, MeasureKind};

use super::words;

pub(super) struct Definition {
    pub(super) id: String,
    pub(super) statement: u16,
    pub(super) grade: String,
    pub(super) kind: String,
    pub(super) title: String,
    pub(super) statement_in_words: String,
    pub(super) unit: String,
    pub(super) denominator: String,
    pub(super) numerator: String,
    /// Who is left out of the denominator, and who does not count against the measure.
    pub(super) excluded: String,
    pub(super) excepted: String,
    /// The measures a summary is made of: id and title.
    pub(super) parts: Vec<(String, String)>,
    /// What the parameters that nobody has ratified are, each with its value.
    pub(super) unratified: Vec<String>,
    pub(super) expressions: Vec<(String, String)>,
    /// What it is, name, value, basis.
    pub(super) parameters: Vec<[String; 4]>,
    pub(super) rationale: String,
    pub(super) review_note: Option<String>,
    pub(super) provenance: String,
}

impl Definition {
    /// Id and title.
    pub(super) fn heading(&self) -> String {
        format!("{} {}", self.id, self.title)
    }

    /// Of the measure or summary with this id; `None` when the guideline has none.
    pub(super) fn of(guideline: &Guideline, id: &str, called: Words<'_>) -> Option<Self> {
        match (guideline.measure(id), guideline.composite(id)) {
            (Some((_, measure)), _) => Some(of_measure(guideline, measure, called)),
            (None, Some((_, composite))) => Some(of_composite(guideline, composite)),
            (None, None) => None,
        }
    }
}

fn of_measure(guideline: &Guideline, measure: &Measure, called: Words<'_>) -> Definition {
    let kind = match measure.kind {
        MeasureKind::Adherence => "adherence",
        MeasureKind::Avoidance => "avoidance of what the source advises against",
        MeasureKind::Documentation => "documentation of a judgement",
        MeasureKind::Utilisation => "use of an option, no direction is better",
    };
    Definition {
        id: measure.id.clone(),
        statement: measure.statement,
        grade: measure.grade.clone(),
        kind: kind.to_owned(),
        title: measure.title.clone(),
        statement_in_words: measure.statement_in_words.clone(),
        unit: format!("one result per {}", words::unit(&measure.unit)),
        denominator: measure.denominator_in_words.clone(),
        numerator: measure.numerator_in_words.clone(),
        excluded: aside(measure, "exclusion", called),
        excepted: aside(measure, "exception", called),
        parts: Vec::new(),
        unratified: valued(guideline, &measure.id),
        expressions: expressions(guideline, measure),
        parameters: parameters(guideline, &measure.id),
        rationale: measure.rationale.clone(),
        review_note: measure.review_note.clone(),
        provenance: format!(
            "Guideline {} {}, measure version {}. Written {}, reviewed {}, next review {}.",
            guideline.id,
            guideline.version,
            measure.version,
            measure.authored.as_deref().unwrap_or("–"),
            measure.reviewed.as_deref().unwrap_or("–"),
            measure.next_review.as_deref().unwrap_or("–")
        ),
    }
}

/// What the parameters of a measure that nobody has ratified are called, each with its value.
fn valued(guideline: &Guideline, id: &str) -> Vec<String> {
    let named = guideline.unratified(id).into_iter();
    let said = named.map(|name| {
        let label = guideline.label(name);
        match guideline.parameters.get(name) {
            Some(parameter) => format!("{label}: {}", parameter.value),
            None => label.to_owned(),
        }
    });
    said.collect()
}

/// What parameters are called, in one line.
pub(super) fn labels<'a>(guideline: &Guideline, names: impl IntoIterator<Item = &'a str>) -> String {
    let labels = names.into_iter().map(|name| guideline.label(name).to_owned());
    labels.collect::<Vec<_>>().join("; ")
}

/// Who an expression sets aside: in words where somebody has written them, else by the elements it reads.
fn aside(measure: &Measure, field: &str, called: Words<'_>) -> String {
    let said = match field {
        "exclusion" => &measure.exclusion_in_words,
        _ => &measure.exception_in_words,
    };
    let expression = measure
        .expressions
        .get(field)
        .map(String::as_str)
        .unwrap_or_default();
    match said {
        Some(said) => said.clone(),
        None if expression == "false" => "Nobody.".to_owned(),
        None => {
            let names = expression.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.'));
            let mut read: Vec<String> = names
                .filter(|name| called.has(name))
                .map(|path| called.place(path))
                .collect();
            read.sort();
            read.dedup();
            match read.as_slice() {
                [] => "As the logic below says.".to_owned(),
                read => format!("As the logic below says, from: {}.", read.join("; ")),
            }
        }
    }
}

fn of_composite(guideline: &Guideline, composite: &Composite) -> Definition {
    let parts = guideline.parts(composite);
    Definition {
        id: composite.id.clone(),
        statement: composite.statement,
        grade: composite.grade.clone(),
        kind: "all or none of several measures".to_owned(),
        title: composite.title.clone(),
        statement_in_words:
            "Several measures as one: a part that is excluded, excepted or does not apply does not count."
                .to_owned(),
        unit: format!("one result per {}", words::unit(&composite.unit)),
        denominator: "At least one part applies, and it can be told whether all that apply are met."
            .to_owned(),
        numerator: "Every part that applies is met.".to_owned(),
        excluded: "As each part says.".to_owned(),
        excepted: "As each part says.".to_owned(),
        parts: parts.map(|part| (part.id.clone(), part.title.clone())).collect(),
        unratified: valued(guideline, &composite.id),
        expressions: Vec::new(),
        parameters: parameters(guideline, &composite.id),
        rationale: String::new(),
        review_note: None,
        provenance: format!("Guideline {} {}.", guideline.id, guideline.version),
    }
}

fn expressions(guideline: &Guideline, measure: &Measure) -> Vec<(String, String)> {
    let population = guideline
        .populations
        .get(&measure.population)
        .cloned()
        .unwrap_or_default();
    let mut expressions = vec![("Population".to_owned(), population.trim().to_owned())];
    let order = ["denominator", "exclusion", "numerator", "exception"];
    for name in order {
        if let Some(text) = measure.expressions.get(name) {
            expressions.push((words::code(name), text.trim().to_owned()));
        }
    }
    for (name, text) in measure
        .expressions
        .iter()
        .filter(|(name, _)| !order.contains(&name.as_str()))
    {
        expressions.push((name.trim_start_matches("let.").to_owned(), text.trim().to_owned()));
    }
    for (name, text) in &guideline.definitions {
        if measure.expressions.values().any(|e| {
            e.split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|w| w == name)
        }) {
            expressions.push((format!("Definition {name}"), text.trim().to_owned()));
        }
    }
    expressions
}

/// What, name, value and basis of everything its results rest on.
fn parameters(guideline: &Guideline, id: &str) -> Vec<[String; 4]> {
    let known = guideline.rests_on(id).into_iter();
    let known = known.filter_map(|name| guideline.parameters.get(name));
    known
        .map(|p| {
            let basis = if p.is_ratified() {
                p.basis.clone()
            } else {
                format!("{}, not ratified", p.basis.replace('+', " and "))
            };
            [
                guideline.label(&p.name).to_owned(),
                p.name.clone(),
                p.value.to_string(),
                basis,
            ]
        })
        .collect()
}
