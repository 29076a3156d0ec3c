//! The measures the committee looks at first: `guideline/<id>/indicators.toml`, beside the versions and no part of them, so that an edit
//! changes what is shown and no result.

use serde::Deserialize;
use toml::Spanned;

use super::{Guideline, MeasureKind};
use crate::rules::RuleError;
use crate::rules::files::RuleFile;
use crate::versions::SchemaStore;

/// More do not fit the brief, and would be no choice.
const MOST: usize = 12;

/// A measure with the reason why it was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indicator {
    /// Id of a measure of the guideline in force.
    pub measure: String,
    /// One sentence.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IndicatorsFile {
    #[serde(default, rename = "indicator")]
    indicators: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    measure: Spanned<String>,
    reason: Spanned<String>,
}

impl Indicator {
    /// The chosen measures of a guideline, in the order of the file; none where it has no such file.
    ///
    /// # Errors
    /// A file that does not read; a measure the guideline has not, that judges nobody, that is named twice or without a reason; more than
    /// twelve. With the place in the file.
    pub fn all(store: &SchemaStore, guideline: &Guideline) -> Result<Vec<Indicator>, RuleError> {
        let path = format!("guideline/{}/indicators.toml", guideline.id);
        match store.file(&path) {
            Some(text) => Indicator::read(&path, text, guideline),
            None => Ok(Vec::new()),
        }
    }

    /// As [`Indicator::all`], of a text.
    ///
    /// # Errors
    /// As there.
    pub fn read(path: &str, text: &str, guideline: &Guideline) -> Result<Vec<Indicator>, RuleError> {
        let file = RuleFile::new(path, text);
        let mut errors = Vec::new();
        let written = file.read::<IndicatorsFile>(&mut errors);
        if let Some(error) = errors.pop() {
            return Err(error);
        }
        let mut chosen: Vec<Indicator> = Vec::new();
        for one in written.map(|file| file.indicators).unwrap_or_default() {
            let id = one.measure.get_ref().as_str();
            let wrong = |code, message: String| Err(file.error(one.measure.span().start, code, message));
            let Some((_, measure)) = guideline.measure(id) else {
                let version = &guideline.version;
                return wrong(
                    "unknown_measure",
                    format!("version {version} of the guideline has no measure `{id}`"),
                );
            };
            if measure.kind == MeasureKind::Utilisation {
                return wrong(
                    "judges_nobody",
                    format!("`{id}` counts the use of an option: there is no better or worse in it"),
                );
            }
            if chosen.iter().any(|other| other.measure == id) {
                return wrong("twice", format!("`{id}` is there already"));
            }
            if chosen.len() == MOST {
                return wrong("too_many", format!("at most {MOST} measures can be shown"));
            }
            if one.reason.get_ref().trim().is_empty() {
                return Err(file.error(
                    one.reason.span().start,
                    "no_reason",
                    "say in a sentence why it was chosen",
                ));
            }
            chosen.push(Indicator {
                measure: id.to_owned(),
                reason: one.reason.into_inner(),
            });
        }
        Ok(chosen)
    }
}
