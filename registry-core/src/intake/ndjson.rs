//! Newline-delimited JSON: one document a line, each through the same door.

use std::io::{self, BufRead};

use serde_json::Value;

use super::door::{Limits, parse};
use super::refusal::{IntakeError, Refusal};

/// One line of a batch.
#[derive(Debug)]
pub struct Item {
    /// Its line in the stream, from 1; blank lines are counted but yield nothing.
    pub line: usize,
    /// The document, or why it is refused. Places are counted in the stream's line and the line's bytes.
    pub document: Result<Value, IntakeError>,
}

/// Reads documents line by line and holds at most one line in memory.
///
/// A refused line does not end the stream. A line over the limit is skipped to its end without being kept.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    limits: Limits,
    line: usize,
    buffer: Vec<u8>,
}

impl<R: BufRead> Reader<R> {
    /// Reads from `source`; `limits` hold for each line.
    pub fn new(source: R, limits: Limits) -> Self {
        Reader {
            source,
            limits,
            line: 0,
            buffer: Vec::new(),
        }
    }

    /// Fills the buffer with the next line, without its end. `None` at the end; `Some(false)` for a line over the limit.
    fn next_line(&mut self) -> io::Result<Option<bool>> {
        self.buffer.clear();
        let mut fits = true;
        let mut any = false;
        loop {
            let available = match self.source.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                return Ok(any.then_some(fits));
            }
            any = true;
            let (part, used, ended) = match available.iter().position(|b| *b == b'\n') {
                Some(end) => (available.get(..end).unwrap_or_default(), end + 1, true),
                None => (available, available.len(), false),
            };
            // One byte more than the limit is kept for the carriage return of a CRLF line end.
            fits = fits && self.buffer.len() + part.len() <= self.limits.max_bytes + 1;
            if fits {
                self.buffer.extend_from_slice(part);
            }
            self.source.consume(used);
            if ended {
                return Ok(Some(fits));
            }
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = io::Result<Item>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let fits = match self.next_line() {
                Ok(Some(fits)) => fits,
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            };
            self.line += 1;
            let line = self.line;
            let bytes = self.buffer.strip_suffix(b"\r").unwrap_or(&self.buffer);
            if fits && bytes.iter().all(|b| matches!(b, b' ' | b'\t')) {
                continue;
            }
            let document = if fits {
                parse(bytes, &self.limits)
            } else {
                Err(IntakeError::at(Refusal::BodyTooLarge, &[], 0))
            };
            return Some(Ok(Item {
                line,
                document: document.map_err(|error| IntakeError { line, ..error }),
            }));
        }
    }
}
