//! Answers as REDCap gives them: a table as CSV or JSON, an error in the form that was asked for.

use std::io;
use std::pin::Pin;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use futures_util::Stream;
use registry_core::exchange::{RedcapFormat, RedcapTable};
use serde_json::Value;

use crate::problem::Problem;
use crate::routes::streamed::{Pieces, streamed};

/// CSV or JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format(pub(super) RedcapFormat);

impl Format {
    pub(super) fn of(text: &str) -> Option<Self> {
        match text {
            "csv" => Some(Self(RedcapFormat::Csv)),
            "json" => Some(Self(RedcapFormat::Json)),
            _ => None,
        }
    }

    /// A table in this form.
    pub(super) fn table(self, header: &[impl AsRef<str>], rows: &[Vec<String>]) -> Result<Answer, Problem> {
        let header = header.iter().map(|name| name.as_ref().to_owned()).collect();
        let mut bytes = Vec::new();
        let written = || -> io::Result<()> {
            let mut table = RedcapTable::begin(self.0, header, &mut bytes)?;
            rows.iter().try_for_each(|row| table.row(row))?;
            table.finish().map(|_| ())
        };
        written().map_err(Problem::internal)?;
        Ok(Answer {
            media_type: self.media_type(),
            body: Body::Text(String::from_utf8(bytes).map_err(Problem::internal)?),
        })
    }

    /// What `write` writes, in this form, while it is sent.
    pub(super) fn streamed(
        self,
        write: impl FnOnce(Pieces) -> io::Result<()> + Send + 'static,
    ) -> Result<Answer, Problem> {
        Ok(Answer {
            media_type: self.media_type(),
            body: Body::Stream(Box::pin(streamed(write)?)),
        })
    }

    fn media_type(self) -> &'static str {
        match self.0 {
            RedcapFormat::Csv => "text/csv; charset=utf-8",
            RedcapFormat::Json => "application/json",
        }
    }
}

/// A body with its type.
pub(super) struct Answer {
    media_type: &'static str,
    body: Body,
}

enum Body {
    Text(String),
    Stream(Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>),
}

impl Answer {
    pub(super) fn text(body: String) -> Self {
        Self {
            media_type: "text/plain; charset=utf-8",
            body: Body::Text(body),
        }
    }

    /// Of a project REDCap's interface answers with one object.
    pub(super) fn first(mut self) -> Self {
        if let Body::Text(text) = &mut self.body
            && let Ok(Value::Array(mut all)) = serde_json::from_str(text)
            && !all.is_empty()
        {
            *text = all.swap_remove(0).to_string();
        }
        self
    }
}

impl From<Answer> for HttpResponse {
    fn from(answer: Answer) -> Self {
        let mut response = Self::Ok();
        response.content_type(answer.media_type);
        match answer.body {
            Body::Text(text) => response.body(text),
            Body::Stream(pieces) => response.streaming(pieces),
        }
    }
}

/// An error, in the form that clients look for.
pub(super) fn refused(problem: &Problem, format: Option<Format>) -> HttpResponse {
    let (status, text) = problem.told_to_redcap();
    let mut response = HttpResponse::build(status);
    match format.map(|format| format.0) {
        Some(RedcapFormat::Json) => response.json(serde_json::json!({ "error": text })),
        Some(RedcapFormat::Csv) => response
            .content_type("text/csv; charset=utf-8")
            .body(format!("ERROR: {text}")),
        None => response.content_type("text/xml; charset=utf-8").body(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" ?><hash><error>{text}</error></hash>"
        )),
    }
}
