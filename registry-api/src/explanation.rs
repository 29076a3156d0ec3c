//! Why a measure says what it says of a case: the steps that were judged, what each read, and the dates windows rest on.

use std::collections::BTreeMap;

use registry_core::form::Words;
use registry_core::guideline::{Explanation, Guideline, Outcome, Step};
use registry_core::record::{Record, day_of};
use registry_core::rules::{Scalar, Truth};
use registry_core::versions::SchemaStore;
use serde::Serialize;
use serde_json::Value;

/// A case ready to be explained: its record, and the document (envelope and derived elements in place) values are shown from.
pub struct Explained<'a> {
    pub guideline: &'a Guideline,
    pub record: &'a Record,
    pub document: &'a Value,
    pub schemas: &'a SchemaStore,
    /// Version of the schema the document was sent in: pointers lead into the document as sent.
    pub sent_in: &'a str,
}

/// One step in words.
pub struct StepInWords {
    /// As `Denominator`.
    pub step: &'static str,
    /// `holds`, `does not hold`, or what is missing to tell.
    pub truth: String,
    /// Place and value of every element that was read.
    pub read: Vec<(String, String)>,
}

/// Why a measure says what it says of a unit.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Explanation)]
pub struct ToldExplanation {
    /// The step.
    decided_by: &'static str,
    /// A sentence.
    because: String,
    steps: Vec<ToldStep>,
    /// By name, what windows rest on.
    dates: BTreeMap<&'static str, String>,
}

/// A step that was judged.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = ExplainedStep)]
struct ToldStep {
    step: &'static str,
    /// `true`, `false` or `unknown`.
    truth: &'static str,
    /// Why it cannot be told, and the element.
    reason: Option<&'static str>,
    element: Option<String>,
    read: Vec<ReadElement>,
}

/// An element that a step read.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct ReadElement {
    /// Into the document as sent.
    pointer: String,
    value: Option<Value>,
}

impl Explained<'_> {
    /// The explanation of a measure (position) on a unit; `None` when there is no such measure or unit.
    pub fn of(&self, measure: u16, unit: u32) -> Option<Explanation> {
        self.guideline.explain(self.record, measure, unit)
    }

    /// The explanation as it is answered.
    pub fn told(&self, explanation: &Explanation) -> ToldExplanation {
        let read = |cell| {
            let pointer = self.record.pointer(cell);
            ReadElement {
                value: self.document.pointer(&pointer).cloned(),
                pointer: self.as_sent(&pointer),
            }
        };
        let steps = explanation.steps.iter().map(|step| {
            let unknown = step.truth.unknown();
            ToldStep {
                step: step.step.as_str(),
                truth: truth_code(step.truth),
                reason: unknown.map(|unknown| unknown.reason.as_str()),
                element: unknown.map(|unknown| unknown.place.name(self.guideline.layout())),
                read: step.read.iter().map(|cell| read(*cell)).collect(),
            }
        });
        let dates = explanation.dates.iter();
        ToldExplanation {
            decided_by: explanation.result.step.as_str(),
            because: self.because(explanation),
            steps: steps.collect(),
            dates: dates
                .map(|(name, date)| (*name, self.date(*date, str::to_owned)))
                .collect(),
        }
    }

    /// The steps for a page, in the words of the version that rules read.
    pub fn steps(&self, explanation: &Explanation, words: Words<'_>) -> Vec<StepInWords> {
        explanation
            .steps
            .iter()
            .map(|step| StepInWords {
                step: step_name(step.step),
                truth: match step.truth {
                    Truth::True => "holds".to_owned(),
                    Truth::False => "does not hold".to_owned(),
                    Truth::Unknown(unknown) => format!(
                        "cannot be told: {} is {}",
                        words.place(&unknown.place.name(self.guideline.layout())),
                        reason(unknown.reason.as_str())
                    ),
                },
                read: step
                    .read
                    .iter()
                    .map(|cell| {
                        let pointer = self.record.pointer(*cell);
                        let value = self.document.pointer(&pointer).filter(|value| !value.is_null());
                        let value = value.map(|value| words.value(&element_at(&pointer), value));
                        let value = value.unwrap_or_else(|| "not filled in".to_owned());
                        (words.at(&self.as_sent(&pointer)), value)
                    })
                    .collect(),
            })
            .collect()
    }

    fn as_sent(&self, pointer: &str) -> String {
        self.schemas.as_sent(pointer, self.sent_in)
    }

    /// The windows' dates for a page; what does not exist is left out.
    pub fn dates(&self, explanation: &Explanation, words: Words<'_>) -> String {
        let shown: Vec<String> = explanation
            .dates
            .iter()
            .filter(|(_, date)| !matches!(date, Scalar::None(_)))
            .map(|(name, date)| {
                let date = self.date(*date, |element| words.place(element));
                format!("{} {date}", date_name(name))
            })
            .collect();
        shown.join("; ")
    }

    /// One sentence: the step that decided, and what is missing where something is.
    pub fn because(&self, explanation: &Explanation) -> String {
        self.sentence(explanation, str::to_owned)
    }

    /// The same for a page.
    pub fn because_in_words(&self, explanation: &Explanation, words: Words<'_>) -> String {
        self.sentence(explanation, |element| words.place(element))
    }

    fn sentence(&self, explanation: &Explanation, call: impl Fn(&str) -> String) -> String {
        let result = &explanation.result;
        let step = step_name(result.step).to_lowercase();
        match result.outcome {
            Outcome::NotAssessable => {
                let element = result.element.as_deref();
                let element = element.map_or_else(|| "something".to_owned(), call);
                let code = result.reason.map_or("missing", |reason| reason.as_str());
                format!("The {step} cannot be told: {element} is {}.", reason(code))
            }
            Outcome::NotInDenom => format!("The {step} does not hold: the measure does not apply."),
            Outcome::Excluded => {
                let why = self.aside(explanation, Step::Exclusion, call);
                format!("Not counted, because an exclusion holds: {why}")
            }
            Outcome::Excepted => {
                let why = self.aside(explanation, Step::Exception, call);
                format!("Not counted, because the numerator does not hold and an exception does: {why}")
            }
            Outcome::Met | Outcome::Used => "The numerator holds.".to_owned(),
            Outcome::NotMet | Outcome::NotUsed => {
                "The numerator does not hold, and no exception does.".to_owned()
            }
        }
    }

    /// Who a step sets aside, in the measure's words; where it has none, what was read to tell.
    fn aside(&self, explanation: &Explanation, step: Step, call: impl Fn(&str) -> String) -> String {
        let measure = self
            .guideline
            .measures
            .get(usize::from(explanation.result.measure));
        let said = measure.and_then(|measure| match step {
            Step::Exclusion => measure.exclusion_in_words.as_deref(),
            _ => measure.exception_in_words.as_deref(),
        });
        if let Some(said) = said {
            return said.to_owned();
        }
        let taken = explanation.steps.iter().find(|taken| taken.step == step);
        let cells = taken.into_iter().flat_map(|taken| &taken.read);
        let mut read: Vec<String> = cells
            .map(|cell| call(&element_at(&self.record.pointer(*cell))))
            .collect();
        read.sort();
        read.dedup();
        format!("from {}.", read.join("; "))
    }

    fn date(&self, date: Scalar, call: impl Fn(&str) -> String) -> String {
        let day = |number: f64| {
            if number.is_finite() {
                day_of(number as i32).map_or_else(|| "?".to_owned(), |day| day.to_string())
            } else {
                "an unknown day".to_owned()
            }
        };
        match date {
            Scalar::None(_) => "none".to_owned(),
            Scalar::Unknown(unknown) => format!(
                "unknown ({} is {})",
                call(&unknown.place.name(self.guideline.layout())),
                reason(unknown.reason.as_str())
            ),
            Scalar::Range(range) if range.is_exact() => day(range.lo),
            Scalar::Range(range) => {
                let end = if range.hi.is_finite() {
                    format!("between {} and {}", day(range.lo), day(range.hi))
                } else {
                    format!("{} or later", day(range.lo))
                };
                if range.maybe_none {
                    format!("{end}, or none")
                } else {
                    end
                }
            }
        }
    }
}

fn truth_code(truth: Truth) -> &'static str {
    match truth {
        Truth::True => "true",
        Truth::False => "false",
        Truth::Unknown(_) => "unknown",
    }
}

fn step_name(step: Step) -> &'static str {
    match step {
        Step::Population => "Population",
        Step::Denominator => "Denominator",
        Step::Exclusion => "Exclusion",
        Step::Numerator => "Numerator",
        Step::Exception => "Exception",
    }
}

fn date_name(name: &str) -> &str {
    match name {
        "T0" => "presentation detected",
        "A0" => "seen by the centre",
        "FT" => "first treatment",
        "FT0" => "first treatment since detection",
        "CUT" => "known through",
        "DEATH" => "death",
        other => other,
    }
}

/// What is wrong with an element that keeps something from being told: follows "is", or stands alone.
pub fn reason(code: &str) -> &'static str {
    match code {
        "missing" => "not filled in",
        "unknown_recorded" => "recorded as unknown",
        "section_not_attested" => "not attested as complete",
        "window_open" => "still open in time",
        "imprecise_date" => "not precise enough",
        "edit_error" => "implausible and under query",
        _ => "not readable",
    }
}

/// `imaging.date` of `/imaging/0/date`.
pub(crate) fn element_at(pointer: &str) -> String {
    let names = pointer.split('/').skip(1);
    let names: Vec<&str> = names
        .filter(|token| !token.bytes().all(|byte| byte.is_ascii_digit()))
        .collect();
    names.join(".")
}
