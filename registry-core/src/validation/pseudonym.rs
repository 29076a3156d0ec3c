//! Pseudonyms that are none: what a person could be known by is refused before it is stored.
//!
//! Looked at is the whole pseudonym, without regard to case; hyphens and underscores separate its parts. Refused are
//!
//! - digits alone, with or without separators: hospital and insurance numbers, and dates written in digits in any order;
//! - a date with the month in words (`04MAR1961`, `MAR-04-1961`);
//! - a hospital number with the prefix it is usually written with ([`NUMBERED`]);
//! - a name: two to four words of letters alone, each of three letters or more.
//!
//! The rule for names is narrow on purpose. A first part of one or two letters, as project codes have it (`EX-LOST`), a single word and
//! five or more groups (`RPS-` and Base32, as `registry pseudonymise` issues them) are no names; so a name with such a part gets past it.
//! A trusted party that issues groups of random letters has to put a digit into each pseudonym.

use serde_json::Value;

use super::breach::{Breach, code};

/// Where the pseudonym of a body stands.
const POINTER: &str = "/patient/pseudonym_id";

/// What hospital and insurance numbers are prefixed with.
const NUMBERED: [&str; 8] = ["MRN", "NHS", "SSN", "PID", "HN", "UHID", "URN", "NHI"];

const MONTHS: [&str; 12] = [
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
];

/// The breach, where the pseudonym of a body identifies. It names the rule, never the value.
pub(super) fn breach(body: &Value) -> Option<Breach> {
    let rule = identifies(body.pointer(POINTER)?.as_str()?)?;
    Some(Breach {
        code: code::IDENTIFYING_PSEUDONYM,
        pointer: POINTER.to_owned(),
        message: format!(
            "`patient.pseudonym_id` is issued by the trusted party and identifies nobody. This one is refused: {rule}."
        ),
        element: Some("patient.pseudonym_id".to_owned()),
    })
}

/// Whether an answer or a report may repeat what was sent as a pseudonym: it is spelled as one, and identifies nobody.
pub fn may_be_repeated(pseudonym: &str) -> bool {
    let spelled = |c: char| c.is_ascii_alphanumeric() || is_separator(c);
    (3..=40).contains(&pseudonym.len()) && pseudonym.chars().all(spelled) && identifies(pseudonym).is_none()
}

/// The rule a pseudonym falls under, in words; `None` for one that says nothing about a person.
fn identifies(pseudonym: &str) -> Option<&'static str> {
    let upper = pseudonym.to_ascii_uppercase();
    if upper
        .chars()
        .any(|c| !c.is_ascii_alphanumeric() && !is_separator(c))
    {
        // Not spelled as a pseudonym: the schema says so.
        return None;
    }
    let parts = parts(&upper);
    if !parts.is_empty() && parts.iter().all(|part| is_number(part)) {
        return Some("it is digits alone, as hospital numbers and dates of birth are");
    }
    if is_date(&parts) {
        return Some("it is a calendar date, as dates of birth are");
    }
    if is_hospital_number(&parts) {
        return Some("it is a number behind the prefix of hospital or insurance numbers");
    }
    if is_name(&upper) {
        return Some(
            "it is two to four words of letters alone, as names are; a pseudonym with a digit in it is taken",
        );
    }
    None
}

fn is_separator(c: char) -> bool {
    c == '-' || c == '_'
}

/// The runs of letters and of digits.
fn parts(upper: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for group in upper.split(is_separator) {
        let mut rest = group;
        while let Some(first) = rest.chars().next() {
            let digits = first.is_ascii_digit();
            let end = rest
                .find(|c: char| c.is_ascii_digit() != digits)
                .unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            parts.push(part);
            rest = after;
        }
    }
    parts
}

fn is_number(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_digit())
}

/// A date whose month is in words; those in digits are digits alone.
fn is_date(parts: &[&str]) -> bool {
    match parts {
        [first, month, last] if is_month(month) => {
            is_day(first) && (is_year(last) || is_short_year(last)) || is_year(first) && is_day(last)
        }
        [month, day, year] if is_month(month) => is_day(day) && is_year(year),
        [month, both] if is_month(month) && is_number(both) && both.len() > 4 => {
            let (day, year) = both.split_at(both.len() - 4);
            is_day(day) && is_year(year)
        }
        _ => false,
    }
}

/// `MAR`, `MARCH`.
fn is_month(part: &str) -> bool {
    part.len() >= 3
        && MONTHS
            .iter()
            .any(|month| *month == part || month.get(..3) == Some(part))
}

fn is_day(part: &str) -> bool {
    part.len() <= 2 && part.parse().is_ok_and(|day: u32| (1..=31).contains(&day))
}

fn is_year(part: &str) -> bool {
    part.len() == 4 && part.parse().is_ok_and(|year: u32| (1900..=2100).contains(&year))
}

fn is_short_year(part: &str) -> bool {
    part.len() == 2 && is_number(part)
}

fn is_hospital_number(parts: &[&str]) -> bool {
    match parts {
        [prefix, number @ ..] => {
            NUMBERED.contains(prefix) && !number.is_empty() && number.iter().all(|part| is_number(part))
        }
        [] => false,
    }
}

fn is_name(upper: &str) -> bool {
    let is_word = |word: &str| word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let words: Vec<&str> = upper.split(is_separator).collect();
    (2..=4).contains(&words.len()) && words.into_iter().all(is_word)
}

#[cfg(test)]
mod tests {
    use super::{identifies, may_be_repeated};

    #[test]
    fn what_a_person_could_be_known_by_is_refused() {
        for (word, pseudonyms) in [
            (
                "digits alone",
                &[
                    "1961-03-04",
                    "04-03-1961",
                    "03_04_1961",
                    "04-03-61",
                    "19610304",
                    "04031961",
                    "610304",
                    "1234567890",
                    "943-476-5919",
                    "007",
                ][..],
            ),
            (
                "calendar date",
                &[
                    "04-MAR-1961",
                    "4mar1961",
                    "04MAR61",
                    "1961-Mar-04",
                    "MAR-04-1961",
                    "March041961",
                    "4-september-1961",
                ][..],
            ),
            (
                "prefix",
                &[
                    "MRN1234567",
                    "mrn-123-4567",
                    "NHS_9434765919",
                    "SSN123-45-6789",
                    "PID42",
                    "HN0001",
                ][..],
            ),
            (
                "letters alone",
                &[
                    "SMITH-JOHN",
                    "john_smith",
                    "Anna-Maria-Schmidt",
                    "JOHN-VAN-DEN-BERG",
                ][..],
            ),
        ] {
            for pseudonym in pseudonyms {
                let rule = identifies(pseudonym);
                assert!(
                    rule.is_some_and(|rule| rule.contains(word)),
                    "{pseudonym}: {rule:?}"
                );
            }
        }
    }

    #[test]
    fn pseudonyms_are_taken() {
        for pseudonym in [
            "SYN-000123",
            "FIGURE-1",
            "P-0001",
            "P1",
            "C01-0000",
            "C01-1961-03-04",
            "EX-LOST",
            "EX-EVERY-ABSENCE-CODE",
            "FIG_0-1",
            "ASKED",
            "NHS-A12",
            "MRN",
            "MAR-0001",
            "JUN-123456",
            "SEP-12",
            "M4X7-KQ2P",
            "RPS-ABCD-EFGH-IJKL-MNOP-QRST-UVWX",
            "LI-WEI",
            "8f14e45f-ceea-467f-a8b1-0d2a3c4b5e6f",
        ] {
            assert_eq!(identifies(pseudonym), None, "{pseudonym}");
            assert_eq!(may_be_repeated(pseudonym), pseudonym.len() > 2, "{pseudonym}");
        }
        for sent in [
            "SMITH-JOHN",
            "1961-03-04",
            "Jane Doe 1961",
            "",
            "P1",
            &"P1".repeat(21),
        ] {
            assert!(!may_be_repeated(sent), "{sent}");
        }
        // The schema's business.
        assert_eq!(identifies("Jane Doe 1961"), None);
        assert_eq!(identifies(""), None);
    }
}
