//! A case in words: what its sections, elements and codes are called, from the form file and the code lists.

use serde_json::Value;

use super::file::FormFile;
use super::{Forms, major};
use crate::dictionary::{Dictionary, Element, ElementKind};

/// The names of one version of the case.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    form: &'a FormFile,
    dictionary: &'a Dictionary,
}

impl Forms {
    /// The words of one version; `None` when its major number has no form.
    pub fn words<'a>(&'a self, dictionary: &'a Dictionary) -> Option<Words<'a>> {
        let form = self.by_major.get(major(&dictionary.version))?;
        Some(Words { form, dictionary })
    }
}

impl Words<'_> {
    /// What a section is called: `Intervals without treatment`.
    pub fn entity(&self, name: &str) -> String {
        let known = self.form.entities.iter().find(|entity| entity.name == name);
        known.map_or_else(|| spelled(name), |entity| entity.title.clone())
    }

    /// What one row of a section is called: `interval`.
    pub fn row(&self, name: &str) -> String {
        let known = self.form.entities.iter().find(|entity| entity.name == name);
        let one = known.and_then(|entity| entity.one.clone());
        one.unwrap_or_else(|| self.entity(name))
    }

    /// What tells a row from others of its section, as a folded row of the form shows it: `2025-03-01, CT, Chest`.
    pub fn gist(&self, entity: &str, row: &Value) -> String {
        let known = self.form.entities.iter().find(|known| known.name == entity);
        let elements = known.map(|known| known.gist.as_slice()).unwrap_or_default();
        let said = elements
            .iter()
            .map(|element| self.value(&format!("{entity}.{element}"), &row[element.as_str()]));
        let said: Vec<String> = said.filter(|text| !text.is_empty()).collect();
        said.join(", ")
    }

    /// What an element (`entity.element`) is called beside its section: `Regions`.
    pub fn element(&self, path: &str) -> String {
        let name = path.split_once('.').map_or(path, |(_, element)| element);
        self.form
            .labels
            .get(path)
            .cloned()
            .unwrap_or_else(|| spelled(name))
    }

    /// What an element is called alone, `Imaging: regions`; of a section its title.
    pub fn place(&self, path: &str) -> String {
        match path.split_once('.') {
            Some((entity, _)) => format!("{}: {}", self.entity(entity), lowered(&self.element(path))),
            None => self.entity(path),
        }
    }

    /// Where a JSON Pointer leads: `Imaging, row 1: date` of `/imaging/0/date`. Nothing for the whole case.
    pub fn at(&self, pointer: &str) -> String {
        let mut tokens = pointer.split('/').skip(1);
        let Some(entity) = tokens.next().filter(|entity| !entity.is_empty()) else {
            return String::new();
        };
        let mut rest = tokens.peekable();
        let row = rest.next_if(|token| token.bytes().all(|byte| byte.is_ascii_digit()));
        let row = row.and_then(|row| row.parse::<usize>().ok());
        let row = row.map_or_else(String::new, |row| format!(", row {}", row + 1));
        let element = rest.next().map_or_else(String::new, |element| {
            format!(": {}", lowered(&self.element(&format!("{entity}.{element}"))))
        });
        format!("{}{row}{element}", self.entity(entity))
    }

    /// Whether the case has an element of this path.
    pub fn has(&self, path: &str) -> bool {
        self.dictionary.element(path).is_some()
    }

    /// A value of an element as a person reads it: the label of its code, `Yes`, a number with its unit, why there is none. Nothing for
    /// nothing.
    pub fn value(&self, path: &str, value: &Value) -> String {
        let element = self.dictionary.element(path);
        match value {
            Value::Null => String::new(),
            Value::Object(fields) => {
                let code = fields.get("absent").and_then(Value::as_str).unwrap_or_default();
                let named = self.form.absence.get(code);
                named.cloned().unwrap_or_else(|| spelled(code))
            }
            Value::Array(items) if items.is_empty() => "None".to_owned(),
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.value(path, item)).collect();
                items.join(", ")
            }
            Value::Bool(true) => "Yes".to_owned(),
            Value::Bool(false) => "No".to_owned(),
            Value::Number(number) => self.coded(path, element, &number.to_string(), true),
            Value::String(text) => self.coded(path, element, text, false),
        }
    }

    fn coded(&self, path: &str, element: Option<&Element>, text: &str, number: bool) -> String {
        // A section is called what it is called everywhere.
        if path == self.attestation_path() && text != self.form.attestation.all {
            return self.entity(text);
        }
        if let Some(list) = element.and_then(|element| element.codes.as_ref())
            && let Some(code) = list.index_of(text).and_then(|at| list.codes.get(at as usize))
        {
            return code.label.clone().unwrap_or_else(|| spelled(text));
        }
        if let Some(word) = self.instead_of_a_key(path, text) {
            return word;
        }
        let unit = element.and_then(|element| element.unit.as_deref());
        match (element.map(|element| element.kind), unit) {
            (Some(ElementKind::Code | ElementKind::CodeSet), _) if !number => spelled_code(text),
            (_, Some(unit)) if number => format!("{text} {unit}"),
            _ => text.to_owned(),
        }
    }

    /// What a word means that stands where a row is named.
    fn instead_of_a_key(&self, path: &str, text: &str) -> Option<String> {
        let mut links = self.form.links.iter();
        let link = links.find(|link| link.elements.iter().any(|element| element == path))?;
        link.also.get(text).cloned()
    }

    fn attestation_path(&self) -> String {
        let attestation = &self.form.attestation;
        format!("{}.{}", attestation.entity, attestation.section)
    }
}

/// A name of the dictionary in words: underscores are blanks, the first letter is large.
fn spelled(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

/// A code without a list: one of a standard (`8854/3`) stays as it is.
fn spelled_code(text: &str) -> String {
    if text.contains('_') {
        spelled(text)
    } else {
        text.to_owned()
    }
}

/// The first letter small, unless the word is an abbreviation (`ECOG`, `eGFR`).
fn lowered(text: &str) -> String {
    let mut letters = text.chars();
    let (Some(first), Some(second)) = (letters.next(), letters.next()) else {
        return text.to_owned();
    };
    if second.is_uppercase() || second == '-' {
        return text.to_owned();
    }
    let rest: String = text.chars().skip(1).collect();
    format!("{}{rest}", first.to_lowercase())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::versions::SchemaStore;

    #[test]
    fn a_case_is_spoken_in_the_words_of_the_form_and_the_code_lists() {
        let store = Arc::new(SchemaStore::embedded().expect("the schema"));
        let forms = Forms::of(&store).expect("the forms");
        let words = forms.words(&store.current().dictionary).expect("words");
        assert_eq!(words.entity("observation"), "Intervals without treatment");
        assert_eq!(words.entity("prior_operation"), "Other operations");
        assert_eq!(words.row("observation"), "interval");
        assert_eq!(words.place("imaging.region"), "Imaging: regions");
        assert_eq!(
            words.place("assessment.ecog"),
            "Assessments of the patient: ECOG performance status"
        );
        assert_eq!(words.place("imaging"), "Imaging");
        for (pointer, said) in [
            ("/imaging/0/date", "Imaging, row 1: date"),
            ("/imaging/11", "Imaging, row 12"),
            ("/imaging/0/region/2", "Imaging, row 1: regions"),
            ("/prior_operation", "Other operations"),
            ("/patient/sex", "Patient: sex"),
            ("", ""),
        ] {
            assert_eq!(words.at(pointer), said);
        }
        let row = json!({"date": "2025-03-01", "modality": "ct", "region": ["chest", "soft_tissue"]});
        assert_eq!(words.gist("imaging", &row), "2025-03-01, CT, Chest, Soft tissue");
        let value = |path: &str, value: Value| words.value(path, &value);
        assert_eq!(
            value("observation.reason", json!("establish_biology")),
            "To learn how the disease behaves"
        );
        assert_eq!(value("imaging.modality", json!("fdg_pet_ct")), "FDG PET-CT");
        assert_eq!(value("primary.size_mm", json!(31)), "31 mm");
        assert_eq!(
            value("primary.size_mm", json!({"absent": "not_done"})),
            "Not done"
        );
        assert_eq!(value("consent.research_reuse", json!(true)), "Yes");
        assert_eq!(value("primary.icdo_morphology", json!("8854/3")), "8854/3");
        assert_eq!(value("imaging.region", json!([])), "None");
        assert_eq!(value("imaging.date", json!("2025-02")), "2025-02");
        assert_eq!(value("imaging.date", Value::Null), "");
        assert_eq!(
            value("section_attestation.section", json!("all")),
            "Every section without a statement of its own"
        );
        assert_eq!(
            value("section_attestation.section", json!("mdt")),
            "Tumour boards"
        );
    }

    /// Every code of every list is spoken by a label that the list gives.
    #[test]
    fn every_code_has_a_label() {
        let store = SchemaStore::embedded().expect("the schema");
        let mut bare = Vec::new();
        for entity in &store.current().dictionary.entities {
            for element in &entity.elements {
                let codes = element.codes.iter().flat_map(|list| &list.codes);
                bare.extend(
                    codes
                        .filter(|code| code.label.is_none())
                        .map(|code| format!("{}.{}: {}", entity.name, element.name, code.code)),
                );
            }
        }
        assert!(bare.is_empty(), "{bare:?}");
    }
}
