//! What the logic of measures says, for a person: `guideline/<id>/words.toml`, beside the versions and no part of them, so that an edit
//! changes what is shown, and no result and no digest.
//!
//! Words are bound to the text of the expression they speak for, and to the lets and definitions it names. Where a version has another text
//! they do not apply: pages then name the elements that are read, rather than say what is not so any more. A text of a denominator or a
//! numerator that speaks in terms of the rule language is said in plain words in the same way, bound to that text.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Guideline, Measure};
use crate::rules::RuleError;
use crate::rules::files::RuleFile;
use crate::versions::SchemaStore;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WordsFile {
    /// The definitions by which the words hold.
    #[serde(default)]
    definitions: BTreeMap<String, String>,
    /// What each parameter is.
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    #[serde(default)]
    exclusion: Vec<Said>,
    #[serde(default)]
    exception: Vec<Said>,
    #[serde(default)]
    text: Vec<Reworded>,
}

/// A denominator's or a numerator's text in plain words.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reworded {
    /// The text as the measure's file has it.
    is: String,
    /// With `{NAME}` for the value of a parameter.
    says: String,
}

/// Words for an expression.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    /// With `{NAME}` for the value of a parameter.
    says: String,
    expression: String,
    #[serde(default)]
    r#let: BTreeMap<String, String>,
}

impl Guideline {
    /// With the words that stand beside its versions; as it is where there are none.
    ///
    /// # Errors
    /// A file that does not read, with its place.
    pub(super) fn with_words(mut self, store: &SchemaStore) -> Result<Self, RuleError> {
        let path = format!("guideline/{}/words.toml", self.id);
        let Some(text) = store.file(&path) else {
            return Ok(self);
        };
        let mut errors = Vec::new();
        let read = RuleFile::new(&path, text).read::<WordsFile>(&mut errors);
        if let Some(error) = errors.pop() {
            return Err(error);
        }
        let Some(words) = read else { return Ok(self) };
        let mut measures = std::mem::take(&mut self.measures);
        for measure in &mut measures {
            let find = |field: &str, all: &[Said]| {
                let said = all
                    .iter()
                    .find(|said| self.speaks(measure, field, said, &words))?;
                Some(self.filled(&said.says))
            };
            let exclusion = find("exclusion", &words.exclusion);
            let exception = find("exception", &words.exception);
            measure.exclusion_in_words = exclusion;
            measure.exception_in_words = exception;
            for text in [&mut measure.denominator_in_words, &mut measure.numerator_in_words] {
                if let Some(plain) = words.text.iter().find(|plain| plain.is == *text) {
                    *text = self.filled(&plain.says);
                }
            }
        }
        self.measures = measures;
        self.labels = words.parameters;
        Ok(self)
    }

    /// What a parameter is called; its name where nobody has said.
    pub fn label<'a>(&'a self, parameter: &'a str) -> &'a str {
        self.labels.get(parameter).map_or(parameter, String::as_str)
    }

    /// Whether words speak for a field of a measure: for its expression, with what the names in it stand for.
    fn speaks(&self, measure: &Measure, field: &str, said: &Said, words: &WordsFile) -> bool {
        let Some(expression) = measure.expressions.get(field) else {
            return false;
        };
        let unchanged = |now: Option<&String>, then: Option<&String>| match (now, then) {
            (None, _) => true,
            (Some(now), Some(then)) => same(now, then),
            (Some(_), None) => false,
        };
        same(expression, &said.expression)
            && names(expression).all(|name| {
                unchanged(self.definitions.get(name), words.definitions.get(name))
                    && unchanged(
                        measure.expressions.get(&format!("let.{name}")),
                        said.r#let.get(name),
                    )
            })
    }

    /// With the values of the parameters that are named.
    fn filled(&self, says: &str) -> String {
        let named = self.parameters.iter();
        named.fold(says.to_owned(), |text, (name, parameter)| {
            text.replace(&format!("{{{name}}}"), &parameter.value.to_string())
        })
    }
}

/// Whether two expressions are the same, however their lines are broken.
fn same(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

/// The names in an expression.
fn names(expression: &str) -> impl Iterator<Item = &str> {
    expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::record::Layout;
    use crate::versions::SchemaFiles;

    const PATH: &str = "guideline/tarpswg-metastatic-rps/words.toml";
    const FOLDER: &str = "tarpswg-metastatic-rps/1.1.0";

    /// The published version, with other words beside it.
    fn with(words: Option<&str>) -> Guideline {
        let mut files = SchemaFiles::embedded();
        if let Some(words) = words {
            files.replace(PATH, words.as_bytes().to_vec());
        }
        let store = SchemaStore::new(files).expect("the schema");
        let layout = Arc::new(Layout::of(&store.current().dictionary).expect("the layout"));
        match Guideline::of(&store, FOLDER, &layout) {
            Ok(guideline) => guideline,
            Err(errors) => panic!("{errors}"),
        }
    }

    fn exclusion(guideline: &Guideline, measure: &str) -> Option<String> {
        guideline
            .measure(measure)
            .and_then(|(_, one)| one.exclusion_in_words.clone())
    }

    #[test]
    fn every_exclusion_and_exception_is_spoken_and_every_parameter_named() {
        let guideline = with(None);
        for measure in &guideline.measures {
            for (field, said) in [
                ("exclusion", &measure.exclusion_in_words),
                ("exception", &measure.exception_in_words),
            ] {
                let none = measure.expressions[field] == "false";
                assert_eq!(said.is_none(), none, "{} {field}", measure.id);
                let said = said.as_deref().unwrap_or_default();
                assert!(!said.contains(['{', '}']), "{} {field}: {said}", measure.id);
            }
        }
        for name in guideline.parameters.keys() {
            assert_ne!(guideline.label(name), name);
        }
        assert_eq!(
            exclusion(&guideline, "6").as_deref(),
            Some("The patient died within 30 days of the presentation, without treatment.")
        );
        assert_eq!(
            exclusion(&guideline, "40b").as_deref(),
            Some("The therapy began on 2019-01-18 or later, when the combination was no longer recommended.")
        );
    }

    #[test]
    fn denominators_and_numerators_speak_without_the_terms_of_the_rule_language() {
        let guideline = with(None);
        for measure in &guideline.measures {
            for said in [&measure.denominator_in_words, &measure.numerator_in_words] {
                let terms = ["PRE", "PRE0", "T0", "A0", "FT", "FT0", "d", "seq"];
                let term = names(said).find(|name| terms.contains(name) || name.contains('_'));
                assert_eq!(term, None, "{}: {said}", measure.id);
                assert!(
                    !said.contains(['{', '}', '=', '<', '>']),
                    "{}: {said}",
                    measure.id
                );
            }
        }
        let numerator = |guideline: &Guideline| {
            let (_, measure) = guideline.measure("1a").expect("the measure");
            measure.numerator_in_words.clone()
        };
        assert!(numerator(&guideline).contains("from 42 days before the presentation"));
        // Every text of the list is one of the version's.
        let published = with(Some(""));
        assert!(numerator(&published).contains("PRE0"));
        let files = SchemaFiles::embedded();
        let store = SchemaStore::new(files).expect("the schema");
        let text = store.file(PATH).expect("the words");
        let listed: WordsFile = toml::from_str(text).expect("the words");
        for one in &listed.text {
            let texts = |m: &Measure| m.denominator_in_words == one.is || m.numerator_in_words == one.is;
            assert!(published.measures.iter().any(texts), "{}", one.is);
        }
    }

    #[test]
    fn words_change_no_digest() {
        assert_eq!(with(None).digest, with(Some("")).digest);
        assert_eq!(exclusion(&with(Some("")), "6"), None);
    }

    #[test]
    fn words_for_another_text_or_another_definition_do_not_apply() {
        let said = |expression: &str, more: &str| {
            let words = format!("{more}\n[[exception]]\nsays = \"Said.\"\nexpression = \"{expression}\"\n");
            let guideline = with(Some(&words));
            let (_, measure) = guideline.measure("14b").expect("the measure");
            measure.exception_in_words.clone()
        };
        let g1 = &with(None).definitions["G1"];
        let definition = format!("[definitions]\nG1 = '''{g1}'''");
        assert_eq!(said("  G1 ", &definition).as_deref(), Some("Said."));
        assert_eq!(said("G1 OR G1", &definition), None);
        assert_eq!(said("G1", "[definitions]\nG1 = \"FT = T0\""), None);
        assert_eq!(said("G1", ""), None);
    }
}
