//! What a measure, or an all-or-none summary of several, says and how it is computed, in one version of the guideline.

use registry_core::guideline::{Composite, Guideline, Measure, MeasureKind};
use registry_core::rules::ParameterValue;

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
    /// The measures a summary is made of: id and title.
    pub(super) parts: Vec<(String, String)>,
    pub(super) unratified: String,
    pub(super) expressions: Vec<(String, String)>,
    pub(super) parameters: Vec<(String, String, String)>,
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
    pub(super) fn of(guideline: &Guideline, id: &str) -> Option<Self> {
        match (guideline.measure(id), guideline.composite(id)) {
            (Some((_, measure)), _) => Some(of_measure(guideline, measure)),
            (None, Some((_, composite))) => Some(of_composite(guideline, composite)),
            (None, None) => None,
        }
    }
}

fn of_measure(guideline: &Guideline, measure: &Measure) -> Definition {
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
        unit: format!("one result per {}", measure.unit),
        denominator: measure.denominator_in_words.clone(),
        numerator: measure.numerator_in_words.clone(),
        parts: Vec::new(),
        unratified: guideline.unratified(&measure.id).join(", "),
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
        unit: format!("one result per {}", composite.unit),
        denominator: "At least one part applies, and it can be told whether all that apply are met."
            .to_owned(),
        numerator: "Every part that applies is met.".to_owned(),
        parts: parts.map(|part| (part.id.clone(), part.title.clone())).collect(),
        unratified: guideline.unratified(&composite.id).join(", "),
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

/// Name, value and basis of everything its results rest on.
fn parameters(guideline: &Guideline, id: &str) -> Vec<(String, String, String)> {
    let known = guideline.rests_on(id).into_iter();
    let known = known.filter_map(|name| guideline.parameters.get(name));
    known
        .map(|p| {
            let basis = if p.is_ratified() {
                p.basis.clone()
            } else {
                format!("{}, not ratified", p.basis.replace('+', " and "))
            };
            (p.name.clone(), value(&p.value), basis)
        })
        .collect()
}

/// A parameter's value as a person reads it.
pub(super) fn value(value: &ParameterValue) -> String {
    match value {
        ParameterValue::Days(n) => format!("{n} days"),
        ParameterValue::Months(n) => format!("{n} months"),
        ParameterValue::Number(n) => n.to_string(),
        ParameterValue::Date(date) => date.first_day().map(|d| d.to_string()).unwrap_or_default(),
        ParameterValue::Codes(codes) => codes.join(", "),
        ParameterValue::Pattern(pattern) => pattern.clone(),
    }
}
