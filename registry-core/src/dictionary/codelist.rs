//! Code lists: the closed vocabularies of coded elements.

use std::collections::HashMap;

use serde_json::Value;

/// A closed list of codes, `schema/codelists/<name>.json`.
#[derive(Debug, Clone)]
pub struct CodeList {
    /// Name, as `x-codes` of an element gives it.
    pub name: String,
    /// What the list is about, in words.
    pub title: String,
    /// Code system the local codes are mapped to, if any.
    pub standard: Option<String>,
    /// Whether the codes are JSON integers (`ecog`: 0 to 4) and not strings.
    pub integer: bool,
    /// The codes, in the order of the list.
    pub codes: Vec<Code>,
    index: HashMap<String, u32>,
}

/// One code of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The code on the wire; an integer is given in decimal.
    pub code: String,
    /// What it means, in words.
    pub label: Option<String>,
}

/// Why a file is not a code list.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CodeListError {
    /// A keyword every list needs is absent or of another type.
    #[error("a code list needs `{0}`")]
    Keyword(&'static str),
    /// A code is neither a string nor an integer, or of another type than the list says.
    #[error("code number {0} of the list is not of the list's type (`string` or `integer`)")]
    CodeType(usize),
    /// The same code twice.
    #[error("code `{0}` stands in the list twice")]
    Twice(String),
    /// A label for a code that is not in the list.
    #[error("`x-labels` names `{0}`, which is not in the list")]
    StrayLabel(String),
}

impl CodeList {
    /// Reads a code list file.
    ///
    /// # Errors
    /// A missing keyword, a code of the wrong type or given twice, a label without its code.
    pub fn read(name: &str, file: &Value) -> Result<Self, CodeListError> {
        let text = |key: &str| file.get(key).and_then(Value::as_str).map(str::to_owned);
        let integer = match file.get("type").and_then(Value::as_str) {
            Some("string") => false,
            Some("integer") => true,
            _ => return Err(CodeListError::Keyword("type: string or integer")),
        };
        let labels = file.get("x-labels").and_then(Value::as_object);
        let listed = file
            .get("enum")
            .and_then(Value::as_array)
            .ok_or(CodeListError::Keyword("enum"))?;
        let mut codes = Vec::with_capacity(listed.len());
        let mut index = HashMap::with_capacity(listed.len());
        for (i, value) in listed.iter().enumerate() {
            let code = match value {
                Value::String(s) if !integer => s.clone(),
                Value::Number(n) if integer && n.is_i64() => n.to_string(),
                _ => return Err(CodeListError::CodeType(i + 1)),
            };
            let position = u32::try_from(i).map_err(|_| CodeListError::Keyword("fewer codes"))?;
            if index.insert(code.clone(), position).is_some() {
                return Err(CodeListError::Twice(code));
            }
            let label = labels
                .and_then(|l| l.get(&code))
                .and_then(Value::as_str)
                .map(str::to_owned);
            codes.push(Code { code, label });
        }
        if let Some(stray) = labels.and_then(|l| l.keys().find(|k| !index.contains_key(*k))) {
            return Err(CodeListError::StrayLabel(stray.clone()));
        }
        Ok(CodeList {
            name: name.to_owned(),
            title: text("title").ok_or(CodeListError::Keyword("title"))?,
            standard: text("x-standard").filter(|s| !s.is_empty()),
            integer,
            codes,
            index,
        })
    }

    /// Whether this code is in the list.
    pub fn contains(&self, code: &str) -> bool {
        self.index.contains_key(code)
    }

    /// Position of a code in [`CodeList::codes`].
    pub fn index_of(&self, code: &str) -> Option<u32> {
        self.index.get(code).copied()
    }

    /// The codes alone, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.codes.iter().map(|c| c.code.as_str())
    }
}
