//! The files of a guideline.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// `guideline.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GuidelineFile {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) language_version: Option<Spanned<String>>,
    pub(super) status: Spanned<String>,
    pub(super) title: String,
    pub(super) source: String,
    #[serde(default, rename = "scope")]
    _scope: Option<String>,
    #[serde(default)]
    pub(super) definitions: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    pub(super) populations: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    pub(super) tables: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    pub(super) composites: Vec<CompositeFile>,
}

/// `[[composites]]` of `guideline.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CompositeFile {
    pub(super) id: Spanned<String>,
    pub(super) title: String,
    pub(super) parts: Spanned<Vec<String>>,
}

/// `measures/<id>.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MeasureFile {
    pub(super) id: Spanned<String>,
    pub(super) version: Option<String>,
    pub(super) statement: u16,
    pub(super) grade: String,
    pub(super) kind: Spanned<String>,
    pub(super) domain: Option<String>,
    pub(super) unit: String,
    pub(super) unit_entity: Option<Spanned<String>>,
    pub(super) population: Spanned<String>,
    pub(super) title: String,
    #[serde(default)]
    pub(super) statement_in_words: String,
    pub(super) denominator_in_words: String,
    pub(super) numerator_in_words: String,
    pub(super) denominator: Spanned<String>,
    pub(super) exclusion: Spanned<String>,
    pub(super) exception: Spanned<String>,
    pub(super) numerator: Spanned<String>,
    pub(super) parameters: Spanned<Vec<String>>,
    #[serde(default)]
    pub(super) rationale: String,
    pub(super) review_note: Option<String>,
    pub(super) stratifiers: Option<Vec<String>>,
    pub(super) authored: Option<toml::value::Datetime>,
    pub(super) reviewed: Option<toml::value::Datetime>,
    pub(super) next_review: Option<toml::value::Datetime>,
    #[serde(default)]
    pub(super) r#let: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    pub(super) examples: BTreeMap<String, String>,
}
