//! A column with what it holds: what `dictionary.csv` tells of it, loaders make of it and `datapackage.json` promises.

use std::borrow::Cow;

/// What the fields of a column are; an empty field is missing in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// TRUE or FALSE.
    Boolean,
    Integer,
    Number,
    /// A code of the column's code list.
    Code,
    /// An absence code.
    Absence,
    /// `day`, `month` or `year`.
    Precision,
    Text,
}

impl Holds {
    /// As `dictionary.csv` writes it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Holds::Boolean => "boolean",
            Holds::Integer => "integer",
            Holds::Number => "number",
            Holds::Code => "code",
            Holds::Absence => "absence",
            Holds::Precision => "precision",
            Holds::Text => "text",
        }
    }
}

/// A column of a file that is no entity's.
#[derive(Debug, Clone)]
pub(super) struct Described {
    pub(super) name: Cow<'static, str>,
    pub(super) holds: Holds,
    /// Whether it is part of the key of its file.
    pub(super) key: bool,
    pub(super) meaning: Cow<'static, str>,
    /// The code list its fields are of; empty where they are of none.
    pub(super) codes: Cow<'static, str>,
}

impl Described {
    /// A column of a fixed name and meaning.
    pub(super) const fn plain(name: &'static str, holds: Holds, meaning: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            holds,
            key: false,
            meaning: Cow::Borrowed(meaning),
            codes: Cow::Borrowed(""),
        }
    }

    /// A part of the key of its file.
    pub(super) const fn key(name: &'static str, holds: Holds, meaning: &'static str) -> Self {
        let mut column = Self::plain(name, holds, meaning);
        column.key = true;
        column
    }

    /// A column whose name or meaning depends on the data.
    pub(super) fn made(
        name: impl Into<Cow<'static, str>>,
        holds: Holds,
        meaning: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            name: name.into(),
            holds,
            key: false,
            meaning: meaning.into(),
            codes: Cow::Borrowed(""),
        }
    }

    /// A column of codes of a list.
    pub(super) const fn coded(name: &'static str, codes: &'static str, meaning: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            holds: Holds::Code,
            key: false,
            meaning: Cow::Borrowed(meaning),
            codes: Cow::Borrowed(codes),
        }
    }

    /// The same column, of a list.
    pub(super) fn of(mut self, codes: impl Into<Cow<'static, str>>) -> Self {
        self.codes = codes.into();
        self
    }
}

/// The header of a file.
pub(super) fn names(columns: &[Described]) -> Vec<String> {
    columns
        .iter()
        .map(|column| column.name.clone().into_owned())
        .collect()
}
