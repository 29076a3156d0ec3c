//! What an edit check is, for whoever reads the list of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, CheckSet, EvaluatedBy};
use crate::rules::Parameter;

impl EvaluatedBy {
    /// As written in the files.
    pub fn as_str(self) -> &'static str {
        match self {
            EvaluatedBy::Rule => "rule",
            EvaluatedBy::Service => "service",
        }
    }
}

impl CheckSet {
    /// The elements an expression names, `entity.element`, sorted; what a date such as `T0` rests on is not among them. None for a check
    /// of the service.
    pub fn elements_of(&self, check: &Check) -> Vec<String> {
        let expression = check.expression.as_deref().unwrap_or_default();
        // What stands in quotes is a code.
        let outside = expression.split('\'').step_by(2);
        let words =
            outside.flat_map(|part| part.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')));
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        // `presentation AS p` makes `p.seq` an element of presentation.
        let named = words.windows(3).filter_map(|three| match three {
            [entity, "AS", name] => Some((*name, *entity)),
            _ => None,
        });
        let entities: BTreeMap<&str, &str> = named.collect();
        let path = |word: &&str| {
            let (first, element) = word.split_once('.')?;
            let path = format!("{}.{element}", entities.get(first).unwrap_or(&first));
            self.layout.path(&path).map(|_| path)
        };
        let all: BTreeSet<String> = words.iter().filter_map(path).collect();
        all.into_iter().collect()
    }

    /// A threshold or list that checks read.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.get(name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use std::sync::Arc;

    use super::*;
    use crate::record::Layout;
    use crate::versions::SchemaStore;

    #[test]
    fn a_check_names_the_elements_and_values_its_expression_reads() {
        let store = SchemaStore::embedded().unwrap();
        let layout = Arc::new(Layout::of(&store.current().dictionary).unwrap());
        let checks = CheckSet::of(&store, &layout).unwrap();
        let elements = |id: &str| checks.elements_of(checks.check(id).unwrap());
        assert_eq!(elements("E-005"), ["consent.date", "consent.status"]);
        assert_eq!(
            elements("E-002"),
            ["centre.centre_id", "centre.effective_year", "record.centre_id"]
        );
        assert_eq!(
            elements("E-029"),
            ["presentation.date_detected", "presentation.seq"],
            "by the name of a row"
        );
        assert!(elements("E-001").is_empty(), "the service judges it");
        assert_eq!(checks.check("E-001").unwrap().evaluated_by.as_str(), "service");
        let late = checks.parameter("LATE_REGISTRATION_DAYS").unwrap();
        assert_eq!(late.value.to_json(), serde_json::json!(180));
        assert!(checks.parameter("NO_SUCH").is_none());
        // Two read the age alone; every parameter that is listed is known.
        for check in checks.checks() {
            let none = check.expression.is_none() || ["E-008", "E-009"].contains(&check.id.as_str());
            assert_eq!(checks.elements_of(check).is_empty(), none, "{}", check.id);
            assert!(
                check
                    .parameters
                    .iter()
                    .all(|name| checks.parameter(name).is_some()),
                "{}",
                check.id
            );
        }
    }
}
