//! Answers as REDCap gives them: a table as CSV or JSON, an error in the form that was asked for.

use std::io::{self, Write};
use std::pin::Pin;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use futures_util::Stream;
use serde_json::{Map, Value};

use crate::problem::Problem;
use crate::routes::streamed::{Pieces, streamed};

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

    /// A table in this form.
    pub(super) fn table(self, header: &[impl AsRef<str>], rows: &[Vec<String>]) -> Result<Answer, Problem> {
        let header = header.iter().map(|name| name.as_ref().to_owned()).collect();
        let mut bytes = Vec::new();
        let written = || -> io::Result<()> {
            let mut table = Table::begin(self, header, &mut bytes)?;
            rows.iter().try_for_each(|row| table.row(row))?;
            table.finish()
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
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
        }
    }
}

/// A table on its way out, row by row. Every value is text but the number of a repeated instance.
pub(super) struct Table<W: Write> {
    header: Vec<String>,
    out: Out<W>,
}

enum Out<W: Write> {
    Csv(Box<csv::Writer<W>>),
    /// And whether a row has been written.
    Json(W, bool),
}

impl<W: Write> Table<W> {
    pub(super) fn begin(format: Format, header: Vec<String>, mut out: W) -> io::Result<Self> {
        let out = match format {
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(&header)?;
                Out::Csv(Box::new(writer))
            }
            Format::Json => {
                out.write_all(b"[")?;
                Out::Json(out, false)
            }
        };
        Ok(Self { header, out })
    }

    /// A row, its fields in the order of the header.
    pub(super) fn row(&mut self, row: &[String]) -> io::Result<()> {
        match &mut self.out {
            Out::Csv(writer) => Ok(writer.write_record(row)?),
            Out::Json(out, begun) => {
                let comma: &[u8] = if *begun { b"," } else { b"" };
                *begun = true;
                out.write_all(comma)?;
                let fields = self.header.iter().zip(row);
                let fields = fields.map(|(name, value)| (name.clone(), of_field(name, value)));
                serde_json::to_writer(out, &fields.collect::<Map<_, _>>())?;
                Ok(())
            }
        }
    }

    pub(super) fn finish(self) -> io::Result<()> {
        match self.out {
            Out::Csv(mut writer) => writer.flush(),
            Out::Json(mut out, _) => {
                out.write_all(b"]")?;
                out.flush()
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
