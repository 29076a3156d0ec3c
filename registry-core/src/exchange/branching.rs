//! When a field is asked, in REDCap's branching logic: what the entry form's data say of when an element matters.
//!
//! A field hides only what the entry form hides. REDCap reads the fields of the same instance of a repeating form and those of forms that do not
//! repeat; it cannot look into all rows of another form, nor reckon with partial dates. A condition of that kind is left out, which shows the
//! field more often, and named in the field's note.

use serde_json::Value;

use super::columns::missing_code;
use crate::dictionary::{Cardinality, Dictionary, Element, ElementKind, Entity};
use crate::form::{Condition, Forms, Show};

/// When the fields of one version are asked.
pub(super) struct Branching<'a> {
    dictionary: &'a Dictionary,
    shows: Vec<Show>,
}

/// When one field is asked.
#[derive(Default)]
pub(super) struct Asked {
    /// Empty: always.
    pub(super) logic: String,
    /// Conditions that the logic cannot tell, in words.
    pub(super) untold: Vec<String>,
}

/// A condition as logic.
enum Logic {
    Test(String),
    All(Vec<Logic>),
    Any(Vec<Logic>),
}

impl Logic {
    /// As REDCap reads it; what is joined otherwise than what stands around it is bracketed.
    fn text(&self) -> String {
        let (parts, join) = match self {
            Self::Test(test) => return test.clone(),
            Self::All(parts) => (parts, " and "),
            Self::Any(parts) => (parts, " or "),
        };
        if let [one] = parts.as_slice() {
            return one.text();
        }
        let part = |part: &Self| match part {
            Self::All(inner) | Self::Any(inner) if inner.len() > 1 => format!("({})", part.text()),
            _ => part.text(),
        };
        parts.iter().map(part).collect::<Vec<_>>().join(join)
    }
}

impl<'a> Branching<'a> {
    /// By the form of the dictionary's version; nothing is conditional in a version without one.
    pub(super) fn of(dictionary: &'a Dictionary, forms: &Forms) -> Self {
        Self {
            dictionary,
            shows: forms.shows(dictionary),
        }
    }

    /// When a field of an element is asked: by its own blocks, and by those of its whole entity.
    pub(super) fn of_element(&self, entity: &Entity, element: &Element) -> Asked {
        let path = format!("{}.{}", entity.name, element.name);
        let mut untold = Vec::new();
        let own = self.any(|show| show.elements.contains(&path), entity, &mut untold);
        let whole = self.any(|show| show.entities.contains(&entity.name), entity, &mut untold);
        untold.dedup();
        let logic: Vec<Logic> = own.into_iter().chain(whole).collect();
        Asked {
            logic: Logic::All(logic).text(),
            untold,
        }
    }

    /// Blocks are alternatives, the conditions of one hold together; `None` as soon as nothing of one can be told.
    fn any(
        &self,
        chosen: impl Fn(&Show) -> bool,
        entity: &Entity,
        untold: &mut Vec<String>,
    ) -> Option<Logic> {
        let mut alternatives = Vec::new();
        for show in self.shows.iter().filter(|show| chosen(show)) {
            let (mut told, mut words) = (Vec::new(), Vec::new());
            for condition in &show.when {
                match self.logic(condition, entity) {
                    Some(logic) => told.push(logic),
                    None => words.push(in_words(condition)),
                }
            }
            if !words.is_empty() {
                untold.push(words.join(" and "));
            }
            alternatives.push(told);
        }
        let nothing = alternatives.is_empty() || alternatives.iter().any(Vec::is_empty);
        (!nothing).then(|| Logic::Any(alternatives.into_iter().map(Logic::All).collect()))
    }

    /// A condition on a row of `entity`; `None` when REDCap cannot tell it.
    fn logic(&self, condition: &Condition, entity: &Entity) -> Option<Logic> {
        if condition.rows.is_some() || condition.before.is_some() || condition.years_before.is_some() {
            return None;
        }
        let (owner, element) = self.find(condition.element.as_deref()?)?;
        if owner.name != entity.name && owner.cardinality != Cardinality::One {
            return None;
        }
        let field = format!("{}_{}", owner.name, element.name);
        Some(match (&condition.is, &condition.not) {
            (Some(values), _) => one_of(&field, element, values),
            (None, not) => none_of(&field, element, not.as_deref().unwrap_or_default()),
        })
    }

    fn find(&self, path: &str) -> Option<(&'a Entity, &'a Element)> {
        let (entity, element) = path.split_once('.')?;
        let entity = self.dictionary.entity(entity)?;
        Some((entity, entity.element(element)?))
    }
}

/// Has one of these values; of a list, one of its members.
fn one_of(field: &str, element: &Element, values: &[Value]) -> Logic {
    let one = |value: &Value| {
        Logic::Test(match element.kind {
            ElementKind::CodeSet => format!("[{field}({})] = '1'", written(value)),
            _ => format!("[{field}] = '{}'", written(value)),
        })
    };
    Logic::Any(values.iter().map(one).collect())
}

/// Has a value, and none of these. Of a list another code is ticked, or it is said to be empty, and none of these is.
fn none_of(field: &str, element: &Element, values: &[Value]) -> Logic {
    let not: Vec<String> = values.iter().map(written).collect();
    if element.kind == ElementKind::CodeSet {
        let codes = element.codes.iter().flat_map(|list| &list.codes);
        let others = codes.filter(|code| !not.contains(&code.code));
        let others = others.map(|code| format!("[{field}({})] = '1'", code.code));
        let any = others.chain([format!("[{field}_state] = 'empty'")]);
        let none = not.iter().map(|code| format!("[{field}({code})] <> '1'"));
        let any = Logic::Any(any.map(Logic::Test).collect());
        return Logic::All([any].into_iter().chain(none.map(Logic::Test)).collect());
    }
    let absent = element.absence.iter().map(missing_code);
    let not = [String::new()].into_iter().chain(not).chain(absent);
    let not = not.map(|value| Logic::Test(format!("[{field}] <> '{value}'")));
    Logic::All(not.collect())
}

/// As REDCap stores it: yes and no as 1 and 0.
fn written(value: &Value) -> String {
    match value {
        Value::Bool(value) => u8::from(*value).to_string(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn in_words(condition: &Condition) -> String {
    let element = condition.element.as_deref().unwrap_or_default();
    let spoken = |value: &Value| match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => written(other),
    };
    let values = |values: &[Value]| values.iter().map(spoken).collect::<Vec<_>>().join(" or ");
    if let Some(entity) = &condition.rows {
        return format!("{entity} has a row");
    }
    if let Some(other) = &condition.before {
        return format!("{element} before {other}");
    }
    if let Some(other) = &condition.years_before {
        let years = condition.at_least.as_ref().map(written).unwrap_or_default();
        return format!("{element} at least {years} years before {other}");
    }
    match (&condition.is, &condition.not) {
        (Some(is), _) => format!("{element} is {}", values(is)),
        (None, Some(not)) => format!("{element} is not {}", values(not)),
        (None, None) => format!("{element} has a value"),
    }
}
