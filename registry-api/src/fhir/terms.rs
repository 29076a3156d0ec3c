//! The terms a measure's expressions use: its own lets, the guideline's definitions, and parameters with their values.

use std::collections::{BTreeMap, BTreeSet};

use registry_core::guideline::{Guideline, Measure};
use registry_core::rules::ParameterValue;

/// One text per parameter the results of a measure or a composite rest on, named in its file or not.
pub(super) fn parameters(guideline: &Guideline, id: &str) -> Vec<String> {
    let known = guideline.rests_on(id).into_iter();
    let parameters = known.filter_map(|name| {
        let parameter = guideline.parameters.get(name)?;
        let unit = match &parameter.value {
            ParameterValue::Days(_) => " days",
            ParameterValue::Months(_) => " months",
            _ => "",
        };
        let basis = match (parameter.is_ratified(), parameter.basis.as_str()) {
            (false, "assumption") => "an assumption, not ratified".to_owned(),
            (false, basis) => format!("basis: {basis}, not ratified"),
            (true, basis) => format!("basis: {basis}"),
        };
        Some(format!("${name} = {}{unit} ({basis})", parameter.value.to_json()))
    });
    parameters.collect()
}

/// One text per term: `NAME = ...`.
pub(super) fn of(guideline: &Guideline, measure: &Measure) -> Vec<String> {
    let lets = measure.expressions.iter().filter_map(|(field, expression)| {
        let name = field.strip_prefix("let.")?;
        Some(format!("{name} = {}", expression.trim()))
    });
    let population = guideline.populations.get(&measure.population);
    let written = measure.expressions.values().chain(population);
    let used = used(&guideline.definitions, written);
    let definitions = used.iter().filter_map(|name| {
        let expression = guideline.definitions.get(*name)?;
        Some(format!("{name} = {}", expression.trim()))
    });
    lets.chain(definitions)
        .chain(parameters(guideline, &measure.id))
        .collect()
}

/// Names of the definitions that expressions use, directly or through another definition.
fn used<'a>(
    definitions: &'a BTreeMap<String, String>,
    expressions: impl Iterator<Item = &'a String>,
) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = expressions.map(String::as_str).collect();
    while let Some(expression) = open.pop() {
        for word in expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
            if let Some((name, definition)) = definitions.get_key_value(word)
                && found.insert(name.as_str())
            {
                open.push(definition);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_followed_and_only_whole_words_count() {
        let definitions: BTreeMap<String, String> =
            [("G1", "FT = T0"), ("OUTER", "NOT G1"), ("OTHER", "true")]
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .into();
        let expression = "OUTER OR OTHERWISE = 1".to_owned();
        let names: Vec<&str> = used(&definitions, [&expression].into_iter())
            .into_iter()
            .collect();
        assert_eq!(names, ["G1", "OUTER"]);
    }
}
