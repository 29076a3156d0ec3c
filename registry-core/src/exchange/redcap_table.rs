//! A table as REDCap exports it, written row by row: CSV, or an array of objects.

use std::io::{self, Write};

use serde_json::{Map, Value};

/// Which instance of an instrument a row is: the only field whose value is a number.
pub(super) const INSTANCE: &str = "redcap_repeat_instance";

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedcapFormat {
    /// Comma-separated values.
    Csv,
    /// An array of objects whose values are texts, but for the number of a repeated instance.
    Json,
}

/// A table on its way out.
pub struct RedcapTable<W: Write> {
    header: Vec<String>,
    out: Sink<W>,
}

enum Sink<W: Write> {
    Csv(Box<csv::Writer<W>>),
    /// And whether a row has been written.
    Json(W, bool),
}

impl<W: Write> RedcapTable<W> {
    /// Begins a table with these columns.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn begin(format: RedcapFormat, header: Vec<String>, mut sink: W) -> io::Result<Self> {
        let out = match format {
            RedcapFormat::Csv => {
                let mut csv = csv::Writer::from_writer(sink);
                csv.write_record(&header)?;
                Sink::Csv(Box::new(csv))
            }
            RedcapFormat::Json => {
                sink.write_all(b"[")?;
                Sink::Json(sink, false)
            }
        };
        Ok(Self { header, out })
    }

    /// Adds a row, its fields in the order of the columns.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn row(&mut self, row: &[String]) -> io::Result<()> {
        match &mut self.out {
            Sink::Csv(csv) => Ok(csv.write_record(row)?),
            Sink::Json(out, begun) => {
                out.write_all(if *begun { b",\n" } else { b"\n" })?;
                *begun = true;
                let fields = self.header.iter().zip(row);
                let fields = fields.map(|(name, value)| (name.clone(), of_field(name, value)));
                Ok(serde_json::to_writer(out, &fields.collect::<Map<_, _>>())?)
            }
        }
    }

    /// Ends the table.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn finish(self) -> io::Result<W> {
        match self.out {
            Sink::Csv(csv) => csv.into_inner().map_err(csv::IntoInnerError::into_error),
            Sink::Json(mut out, _) => {
                out.write_all(b"\n]\n")?;
                Ok(out)
            }
        }
    }
}

fn of_field(name: &str, value: &str) -> Value {
    match value.parse::<u64>() {
        Ok(number) if name == INSTANCE => number.into(),
        _ => value.into(),
    }
}
