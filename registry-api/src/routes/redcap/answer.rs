//! Answers as REDCap gives them: a table as CSV or JSON, an error in the form that was asked for.

use actix_web::HttpResponse;
use serde_json::{Map, Value};

use crate::problem::Problem;

/// CSV or JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Json,
}

impl Format {
    pub(super) fn of(text: &str) -> Option<Self> {
        match text {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    /// A table in this form. Every value is text but the number of a repeated instance.
    pub(super) fn table(self, header: &[impl AsRef<str>], rows: &[Vec<String>]) -> Result<Answer, Problem> {
        match self {
            Self::Csv => {
                let mut writer = csv::Writer::from_writer(Vec::new());
                let names = header.iter().map(|name| -> &str { name.as_ref() });
                writer.write_record(names).map_err(Problem::internal)?;
                for row in rows {
                    writer.write_record(row).map_err(Problem::internal)?;
                }
                let bytes = writer.into_inner().map_err(Problem::internal)?;
                let body = String::from_utf8(bytes).map_err(Problem::internal)?;
                Ok(Answer {
                    media_type: "text/csv; charset=utf-8",
                    body,
                })
            }
            Self::Json => {
                let object = |row: &Vec<String>| -> Value {
                    let fields = header.iter().zip(row).map(|(name, value)| {
                        let name: &str = name.as_ref();
                        (name.to_owned(), of_field(name, value))
                    });
                    Value::Object(fields.collect::<Map<_, _>>())
                };
                let all: Vec<Value> = rows.iter().map(object).collect();
                Ok(Answer {
                    media_type: "application/json",
                    body: serde_json::to_string(&all).map_err(Problem::internal)?,
                })
            }
        }
    }
}

fn of_field(name: &str, value: &str) -> Value {
    match value.parse::<u64>() {
        Ok(number) if name == super::records::INSTANCE => number.into(),
        _ => value.into(),
    }
}

/// A body with its type.
#[derive(Debug)]
pub(super) struct Answer {
    media_type: &'static str,
    body: String,
}

impl Answer {
    pub(super) fn text(body: String) -> Self {
        Self {
            media_type: "text/plain; charset=utf-8",
            body,
        }
    }

    /// Of a project REDCap's interface answers with one object.
    pub(super) fn first(mut self) -> Self {
        if let Ok(Value::Array(mut all)) = serde_json::from_str(&self.body)
            && !all.is_empty()
        {
            self.body = all.swap_remove(0).to_string();
        }
        self
    }
}

impl From<Answer> for HttpResponse {
    fn from(answer: Answer) -> Self {
        Self::Ok().content_type(answer.media_type).body(answer.body)
    }
}

/// An error, in the form that clients look for.
pub(super) fn refused(problem: &Problem, format: Option<Format>) -> HttpResponse {
    let (status, text) = problem.told_to_redcap();
    let mut response = HttpResponse::build(status);
    match format {
        Some(Format::Json) => response.json(serde_json::json!({ "error": text })),
        Some(Format::Csv) => response
            .content_type("text/csv; charset=utf-8")
            .body(format!("ERROR: {text}")),
        None => response.content_type("text/xml; charset=utf-8").body(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" ?><hash><error>{text}</error></hash>"
        )),
    }
}
