//! Open questions about a guideline, and what the committee has decided on them.
//!
//! `guideline/<id>/questions.toml` lists proposals; `guideline/<id>/decisions.toml` what a person decided, when and why. An
//! adopted proposal changes nothing by itself: it names the guideline version that carries it.

use serde::{Deserialize, Serialize};

use crate::rules::RuleError;
use crate::rules::files::RuleFile;
use crate::versions::SchemaStore;

/// A proposal to change measures.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// As `Q07`; unique.
    pub id: String,
    pub title: String,
    /// Measures it touches.
    pub measures: Vec<String>,
    pub raised: toml::value::Datetime,
    /// `high`, `medium`, `low`.
    pub severity: String,
    /// What goes wrong today.
    pub problem: String,
    /// What would be changed.
    pub proposal: String,
    /// Which way results would move.
    pub effect: Option<String>,
    /// An element of the case record that would have to be added first.
    pub needs_element: Option<String>,
    /// The proposal in the rule language, where it can be written with the elements there are.
    #[serde(default, rename = "change")]
    pub changes: Vec<Change>,
}

/// A new text for one field of a measure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub measure: String,
    /// `denominator`, `exclusion`, `exception`, `numerator` or `population`.
    pub field: String,
    pub expression: String,
    /// The measure's whole list, when the change reads other parameters.
    pub parameters: Option<Vec<String>>,
}

/// What was decided on a question, or on a parameter (`$NAME`) the source does not fix.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Id of the question, or `$NAME` of a parameter.
    pub question: String,
    pub decision: Ruling,
    pub decided: toml::value::Datetime,
    /// Who decided.
    pub by: String,
    pub reason: String,
    /// The guideline version that carries an adopted proposal.
    pub version: Option<String>,
}

/// Adopt or reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ruling {
    Adopted,
    Rejected,
}

/// Questions of a guideline, with the decisions on them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Questions {
    pub questions: Vec<Question>,
    pub decisions: Vec<Decision>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuestionsFile {
    #[serde(default, rename = "question")]
    questions: Vec<Question>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecisionsFile {
    #[serde(default, rename = "decision")]
    decisions: Vec<Decision>,
}

impl Questions {
    /// Those of a guideline (by id); none where it has no such files.
    ///
    /// # Errors
    /// A file that does not read, with its place; two questions of one id; a decision on a question nobody raised.
    pub fn of(store: &SchemaStore, guideline: &str) -> Result<Questions, RuleError> {
        let mut errors = Vec::new();
        let file = |name: &str| {
            let path = format!("guideline/{guideline}/{name}");
            store.file(&path).map(|text| RuleFile::new(&path, text))
        };
        let (asked, decided) = (file("questions.toml"), file("decisions.toml"));
        let questions = asked
            .as_ref()
            .and_then(|file| file.read::<QuestionsFile>(&mut errors));
        let decisions = decided
            .as_ref()
            .and_then(|file| file.read::<DecisionsFile>(&mut errors));
        if let Some(error) = errors.pop() {
            return Err(error);
        }
        let all = Questions {
            questions: questions.map(|file| file.questions).unwrap_or_default(),
            decisions: decisions.map(|file| file.decisions).unwrap_or_default(),
        };
        if let Some(file) = &asked {
            for (at, question) in all.questions.iter().enumerate() {
                if all.questions[..at].iter().any(|other| other.id == question.id) {
                    return Err(file.error(0, "twice", format!("there are two questions `{}`", question.id)));
                }
            }
        }
        if let Some(file) = &decided {
            for decision in &all.decisions {
                let raised = decision.question.starts_with('$')
                    || all
                        .questions
                        .iter()
                        .any(|question| question.id == decision.question);
                if !raised {
                    let message = format!("there is no question `{}`", decision.question);
                    return Err(file.error(0, "unknown_question", message));
                }
            }
        }
        Ok(all)
    }

    /// A question by its id.
    pub fn question(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    /// The last decision on a question, or on a parameter (`$NAME`).
    pub fn decision(&self, id: &str) -> Option<&Decision> {
        self.decisions
            .iter()
            .rev()
            .find(|decision| decision.question == id)
    }
}
