//! Formats the schema files name. Every format is asserted; a format nobody knows stops compilation.

use chrono::{DateTime, NaiveDate};

use crate::record::PartialDate;

/// Earliest and latest year of any date: a typing error such as 0202 or 20215 is not a date of this registry.
const YEARS: std::ops::RangeInclusive<&str> = "1800"..="2199";

/// `partial-date`: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, a day that exists.
pub(super) fn is_partial_date(text: &str) -> bool {
    PartialDate::parse(text).is_some() && year_is_plausible(text)
}

/// `date`: `YYYY-MM-DD`, a day that exists.
pub(super) fn is_date(text: &str) -> bool {
    text.len() == 10 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() && is_partial_date(text)
}

/// `date-time`: an RFC 3339 instant.
pub(super) fn is_date_time(text: &str) -> bool {
    DateTime::parse_from_rfc3339(text).is_ok() && year_is_plausible(text)
}

/// `uuid`: RFC 9562, hyphenated.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

fn year_is_plausible(text: &str) -> bool {
    text.get(..4).is_some_and(|year| YEARS.contains(&year))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_date_is_a_year_a_month_or_a_day_that_exists() {
        for good in [
            "2026",
            "2026-02",
            "2026-02-28",
            "2024-02-29",
            "1800",
            "2199-12-31",
        ] {
            assert!(is_partial_date(good), "{good}");
        }
        for bad in [
            "2026-02-30",
            "2025-02-29",
            "2026-13",
            "2026-00",
            "2026-1",
            "2026-01-1",
            "26",
            "02026",
            "1799",
            "2200",
            "",
            "2026-",
            "2026-01-",
            "2026-01-01T00:00:00Z",
            " 2026",
            "2026 ",
            "+2026",
            "-2026",
            "20-26",
            "２０２６",
        ] {
            assert!(!is_partial_date(bad), "{bad}");
        }
    }

    #[test]
    fn an_exact_date_is_a_day_that_exists() {
        assert!(is_date("2026-03-01"));
        for bad in [
            "2026",
            "2026-03",
            "2026-02-30",
            "2026-3-01",
            "2026-03-1 ",
            "1799-01-01",
        ] {
            assert!(!is_date(bad), "{bad}");
        }
    }

    #[test]
    fn an_instant_has_a_zone() {
        assert!(is_date_time("2026-03-01T10:00:00Z"));
        assert!(is_date_time("2026-03-01T10:00:00.5+01:00"));
        for bad in [
            "2026-03-01T10:00:00",
            "2026-03-01",
            "2026-02-30T10:00:00Z",
            "2026-03-01T25:00:00Z",
        ] {
            assert!(!is_date_time(bad), "{bad}");
        }
    }

    #[test]
    fn an_identifier_is_hyphenated() {
        assert!(is_uuid("0b6e2f0e-9f0c-4f0e-8f8e-5a0d8f0f0001"));
        for bad in [
            "0b6e2f0e9f0c4f0e8f8e5a0d8f0f0001",
            "{0b6e2f0e-9f0c-4f0e-8f8e-5a0d8f0f0001}",
            "",
        ] {
            assert!(!is_uuid(bad), "{bad}");
        }
    }
}
