use std::borrow::Cow;

use serde_json::Value;

use super::{Derived, Envelope};
use crate::record::Sections;

/// A case as the rules read it: the body in its newest form, with the envelope as `record` and the derived elements in `primary`. A
/// body sent in its newest form is not copied.
#[derive(Debug, Clone)]
pub struct Document<'a> {
    body: Cow<'a, Value>,
    record: Value,
    primary: Option<Value>,
}

impl<'a> Document<'a> {
    /// `sent_in`: the version of the case schema the body was sent in.
    pub fn new(body: Cow<'a, Value>, sent_in: &str, envelope: &Envelope, derived: &Derived) -> Document<'a> {
        let mut primary = None;
        if let Some(Value::Object(sent)) = body.get("primary") {
            let mut whole = sent.clone();
            for (element, value) in [
                ("histology_code", &derived.histology_code),
                ("eligibility_class", &derived.eligibility_class),
            ] {
                if let Some(value) = value {
                    whole.insert(element.to_owned(), Value::String(value.clone()));
                }
            }
            primary = Some(Value::Object(whole));
        }
        Document {
            record: envelope.to_record(sent_in),
            body,
            primary,
        }
    }

    /// What a JSON Pointer points at.
    pub fn pointer(&self, pointer: &str) -> Option<&Value> {
        let below = pointer.strip_prefix('/')?;
        let (name, rest) = below.split_at(below.find('/').unwrap_or(below.len()));
        self.section(name)?.pointer(rest)
    }

    /// The whole as one document of its own.
    pub fn to_value(&self) -> Value {
        let mut whole = self.body.as_ref().clone();
        if let Value::Object(sections) = &mut whole {
            sections.insert("record".to_owned(), self.record.clone());
            if let Some(primary) = &self.primary {
                sections.insert("primary".to_owned(), primary.clone());
            }
        }
        whole
    }
}

impl Sections for Document<'_> {
    fn section(&self, name: &str) -> Option<&Value> {
        match name {
            "record" => Some(&self.record),
            "primary" => self.primary.as_ref().or_else(|| self.body.get(name)),
            _ => self.body.get(name),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_document_and_its_value_say_the_same() {
        let body = json!({"primary": {"icdo_morphology": "8858/3"}, "lesion": [{"site": "lung"}], "schema_version": "1.0.0"});
        let envelope = Envelope {
            record_id: Uuid::nil(),
            centre_id: "C01".to_owned(),
            submitted_at: "2026-02-03T04:05:06Z".parse().unwrap(),
            data_cutoff_date: "2026-01-31".parse().unwrap(),
        };
        let derived = Derived {
            histology_code: Some("ddlps".to_owned()),
            eligibility_class: Some("core".to_owned()),
        };
        let document = Document::new(Cow::Borrowed(&body), "1.0.0", &envelope, &derived);
        let value = document.to_value();
        for pointer in [
            "/primary",
            "/primary/icdo_morphology",
            "/primary/histology_code",
            "/primary/eligibility_class",
            "/record/centre_id",
            "/lesion/0/site",
            "/lesion/1/site",
            "/schema_version",
            "/nothing",
        ] {
            assert_eq!(document.pointer(pointer), value.pointer(pointer), "{pointer}");
        }
        assert_eq!(
            document.pointer("/primary/eligibility_class"),
            Some(&json!("core"))
        );
        assert_eq!(document.pointer("/record/centre_id"), Some(&json!("C01")));
        assert_eq!(body.get("record"), None);
    }
}
