//! CSV that a person hands to a command: a file or `-` for standard input, UTF-8 with or without a byte order mark.

use std::io::Read;
use std::path::Path;

use super::Failure;

/// The bytes of the file, or of standard input for `-`.
pub(super) fn bytes_of(input: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    if input.as_os_str() == "-" {
        std::io::stdin().lock().read_to_end(&mut bytes)?;
    } else {
        bytes = std::fs::read(input).map_err(|e| Failure::new(format!("{}: {e}", input.display())))?;
    }
    Ok(bytes)
}

/// A reader over the text, its header, and the text itself (for line numbers). Rows may be of any length.
pub(super) fn open(bytes: &[u8]) -> Result<(csv::Reader<&[u8]>, csv::StringRecord, &str), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the file is not UTF-8 text".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    let header = reader
        .headers()
        .map_err(|_| "the header is not CSV".to_owned())?
        .clone();
    Ok((reader, header, text))
}
