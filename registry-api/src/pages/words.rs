//! Numbers and codes as a person reads them.

use registry_core::guideline::Outcome;
use registry_etl::results::{AdherenceRow, MeasureChange, Position, RateState};
use serde_json::Value;

use crate::results::Hidden;

/// A whole percent, `87 %`; an en dash where there is none.
pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |s| format!("{:.0} %", s * 100.0))
}

/// A share with one decimal, `99.5 %`; what is not all is never spoken as all, and what is something never as nothing.
pub(super) fn exact_percent(share: f64) -> String {
    let shown = share * 100.0;
    let shown = if share < 1.0 { shown.min(99.9) } else { shown };
    let shown = if share > 0.0 { shown.max(0.1) } else { shown };
    format!("{shown:.1} %")
}

/// A count, or what stands for a hidden one.
pub(super) fn count(n: Option<u32>) -> String {
    n.map_or_else(|| "not shown".to_owned(), |n| n.to_string())
}

/// `79 to 93 %`.
pub(super) fn interval(lower: Option<f64>, upper: Option<f64>) -> String {
    match (lower, upper) {
        (Some(l), Some(u)) => format!("{:.0} to {:.0} %", l * 100.0, u * 100.0),
        _ => String::new(),
    }
}

/// The rate if none, and if all, of the units that cannot be assessed had been met: `60 to 85 %`.
pub(super) fn bounds(row: &AdherenceRow) -> String {
    interval(row.bound_low, row.bound_high)
}

/// What bounds are, in a sentence.
pub(super) const BOUNDS: &str = "Small, below what cannot be assessed: the rate if none, and if all, of those units were in the numerator.";

/// The same where they stand beside it.
pub(super) const SMALL_BOUNDS: &str =
    "Small: the rate if none, and if all, of the units that cannot be assessed were in the numerator.";

/// Months with an interval whose ends may be open.
pub(super) fn months_interval(lower: Option<f64>, upper: Option<f64>) -> String {
    let end = |v: Option<f64>| v.map_or_else(|| "not reached".to_owned(), |m| format!("{m:.1}"));
    format!("{} to {}", end(lower), end(upper))
}

/// A p-value: `0.034`, `< 0.001`.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.001 {
        "< 0.001".to_owned()
    } else {
        format!("{p:.3}")
    }
}

/// The size of a file: `812 B`, `1.4 MB`.
pub(super) fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if n < 1000 {
        return format!("{n} B");
    }
    let mut size = n as f64 / 1000.0;
    let mut unit = 0;
    // What would be rounded to 1000 of a unit is one of the next.
    while size >= 999.95 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// What stands in a cell of the rate.
pub(super) fn rate(row: &AdherenceRow) -> String {
    match row.state {
        RateState::Rate => percent(row.rate),
        state => without_rate(state).to_owned(),
    }
}

/// What stands where a rate would stand and is none.
pub(super) fn without_rate(state: RateState) -> &'static str {
    match state {
        RateState::Rate => "–",
        RateState::NotAssessable => "not assessable",
        RateState::Insufficient => "insufficient data",
        RateState::Suppressed => "not shown",
    }
}

/// How many units changed; that some did, where the number is not told.
pub(super) fn changed(change: &MeasureChange) -> String {
    match (change.units_changed, change.changed) {
        (Some(n), _) => n.to_string(),
        (None, true) => "some, number not shown".to_owned(),
        (None, false) => "none".to_owned(),
    }
}

/// `34 of 39`; `34 of 39, as of run 2`.
pub(super) fn fraction(row: &AdherenceRow) -> String {
    let fraction = match (row.numerator, row.denominator) {
        (Some(n), Some(d)) => format!("{n} of {d}"),
        (None, Some(d)) => format!("of {d}"),
        _ => "not shown".to_owned(),
    };
    dated(fraction, row.as_of)
}

/// A number with the earlier run it is of, where it stands for a newer one.
pub(super) fn dated(number: String, as_of: Option<i64>) -> String {
    match as_of {
        Some(run) => format!("{number}, as of run {run}"),
        None => number,
    }
}

/// What a number said to be of an earlier run means.
pub(super) const STAYS: &str =
    "A number said to be of an earlier run has changed by few patients, or not at all, since.";

/// How much of a page its reader does not see.
pub(super) fn hidden(of: Hidden) -> String {
    if of.hidden == 0 {
        return format!("All {} numbers behind this page are shown to you.", of.all);
    }
    let share = exact_percent(f64::from(of.hidden) / f64::from(of.all.max(1)));
    format!(
        "{} of the {} numbers behind this page are not shown to you ({share}): few patients are behind them.",
        of.hidden, of.all
    )
}

/// A local code as words.
pub(super) fn code(text: &str) -> String {
    match text {
        "all" => "All".to_owned(),
        "ddlps" => "Dedifferentiated liposarcoma".to_owned(),
        "wdlps" => "Well-differentiated liposarcoma".to_owned(),
        "lms" => "Leiomyosarcoma".to_owned(),
        "sft" => "Solitary fibrous tumour".to_owned(),
        "mpnst" => "Malignant peripheral nerve sheath tumour".to_owned(),
        "ss" => "Synovial sarcoma".to_owned(),
        "ups" => "Undifferentiated pleomorphic sarcoma".to_owned(),
        "pecoma" => "Malignant PEComa".to_owned(),
        "imt" => "Inflammatory myofibroblastic tumour".to_owned(),
        "dfi" => "Disease-free interval".to_owned(),
        "low_volume" => "Number and size of lesions".to_owned(),
        "volume" => "Volume of the centre".to_owned(),
        "ecog" => "ECOG performance status".to_owned(),
        "prior_operation" => "Other operations".to_owned(),
        "observation" => "Interval without treatment".to_owned(),
        "waiver" => "Legal basis without consent".to_owned(),
        other => {
            let spaced = other.replace('_', " ");
            let mut letters = spaced.chars();
            letters
                .next()
                .map(|c| c.to_uppercase().chain(letters).collect())
                .unwrap_or_default()
        }
    }
}

/// What a measure counts, as a person calls it.
pub(super) fn unit(unit: &str) -> &str {
    match unit {
        "mdt" => "tumour board",
        other => other,
    }
}

/// Words within a sentence: the first letter small, unless it begins an abbreviation (`MDM2`, `R0`).
pub(super) fn inside(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(_), Some(second)) if second.is_uppercase() || second.is_ascii_digit() => text.to_owned(),
        (Some(first), _) => first.to_lowercase().chain(text.chars().skip(1)).collect(),
        (None, _) => String::new(),
    }
}

/// An outcome as spoken, and its class.
pub(super) fn outcome(outcome: Outcome, avoidance: bool) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Met if avoidance => ("avoided", "in"),
        Outcome::Met => ("met", "in"),
        Outcome::NotMet if avoidance => ("not avoided", "out"),
        Outcome::NotMet => ("not met", "out"),
        Outcome::Used => ("used", "used"),
        Outcome::NotUsed => ("not used", "used"),
        Outcome::NotAssessable => ("cannot be assessed", "unknown"),
        Outcome::Excluded => ("not counted", "aside"),
        Outcome::Excepted => ("not counted", "aside"),
        Outcome::NotInDenom => ("does not apply", "aside"),
    }
}

/// A text of the rules with its outcome codes as they are spoken: `Some NOT_MET become NOT_ASSESSABLE.` as `Some "not met" become "cannot be assessed".`
pub(super) fn spoken(text: &str) -> String {
    let of_a_code = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !of_a_code(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        match called(word) {
            Some(words) => said.extend(["\"", words, "\""]),
            None => said.push_str(word),
        }
        let next = after.find(of_a_code).unwrap_or(after.len());
        said.push_str(&after[..next]);
        rest = &after[next..];
    }
    said
}

/// An outcome's code as it is spoken.
fn called(code: &str) -> Option<&'static str> {
    Some(match code {
        "MET" => "met",
        "NOT_MET" => "not met",
        "USED" => "used",
        "NOT_USED" => "not used",
        "NOT_ASSESSABLE" => "cannot be assessed",
        "EXCLUDED" => "excluded",
        "EXCEPTED" => "excepted",
        "NOT_IN_DENOM" => "does not apply",
        _ => return None,
    })
}

/// Where a centre lies.
pub(super) fn position(position: Option<Position>) -> &'static str {
    match position {
        None => "",
        Some(Position::Within) => "within the limits",
        Some(Position::Above95) => "above 95 %",
        Some(Position::Above998) => "above 99.8 %",
        Some(Position::Below95) => "below 95 %",
        Some(Position::Below998) => "below 99.8 %",
    }
}

/// A leaf of a record as text; what is absent is said.
pub(super) fn leaf(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(leaf).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => fields
            .get("absent")
            .and_then(Value::as_str)
            .map(code)
            .unwrap_or_default(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, spoken};

    #[test]
    fn outcome_codes_within_a_text_are_spoken() {
        for (text, said) in [
            (
                "Some NOT_MET become NOT_ASSESSABLE.",
                "Some \"not met\" become \"cannot be assessed\".",
            ),
            ("(USED, MET)", "(\"used\", \"met\")"),
            ("NOT_IN_DENOM", "\"does not apply\""),
            (
                "HAS_MET and METASTASIS stay, as does é.",
                "HAS_MET and METASTASIS stay, as does é.",
            ),
            ("", ""),
        ] {
            assert_eq!(spoken(text), said);
        }
    }

    #[test]
    fn a_size_has_the_unit_that_keeps_it_short() {
        for (n, words) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_940, "999.9 kB"),
            (999_960, "1.0 MB"),
            (1_400_000, "1.4 MB"),
            (2_000_000_000_000_000, "2000.0 TB"),
        ] {
            assert_eq!(bytes(n), words);
        }
    }
}
