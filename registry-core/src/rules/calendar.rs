//! Calendar arithmetic on day numbers; infinite days stay infinite.

use chrono::{Datelike, Months, NaiveDate};

use crate::record::{day_number, day_of};

fn date(day: f64) -> Option<NaiveDate> {
    // Day numbers are whole and far inside i32.
    if day.is_finite() && day.abs() < f64::from(i32::MAX) {
        day_of(day as i32)
    } else {
        None
    }
}

/// The same day so many months later, or the last of the month when it has no such day.
pub(crate) fn add_months(day: f64, months: f64) -> f64 {
    let Some(from) = date(day) else { return day };
    if months.is_infinite() {
        return months;
    }
    let count = Months::new(months.abs().trunc() as u32);
    let moved = if months < 0.0 {
        from.checked_sub_months(count)
    } else {
        from.checked_add_months(count)
    };
    moved.map_or(f64::INFINITY.copysign(months), |moved| {
        f64::from(day_number(moved))
    })
}

/// Completed months from one day to another; negative when the second is earlier.
pub(crate) fn months_between(from: f64, to: f64) -> f64 {
    let (Some(first), Some(second)) = (date(from), date(to)) else {
        return if to == from { 0.0 } else { to - from };
    };
    if second < first {
        return -months_between(to, from);
    }
    let whole = (second.year() - first.year()) * 12 + second.month() as i32 - first.month() as i32;
    let reached = first
        .checked_add_months(Months::new(whole as u32))
        .is_some_and(|reached| reached <= second);
    f64::from(whole - i32::from(!reached))
}

/// The calendar year a day lies in.
pub(crate) fn year(day: f64) -> f64 {
    date(day).map_or(day, |date| f64::from(date.year()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::PartialDate;

    fn day(text: &str) -> f64 {
        f64::from(PartialDate::parse(text).unwrap().first())
    }

    #[test]
    fn months_clip_the_day() {
        assert_eq!(add_months(day("2023-01-31"), 1.0), day("2023-02-28"));
        assert_eq!(add_months(day("2024-01-31"), 1.0), day("2024-02-29"));
        assert_eq!(add_months(day("2024-03-31"), -1.0), day("2024-02-29"));
        assert_eq!(add_months(f64::INFINITY, 3.0), f64::INFINITY);
        assert_eq!(add_months(f64::NEG_INFINITY, 3.0), f64::NEG_INFINITY);
    }

    #[test]
    fn only_completed_months_count() {
        assert_eq!(months_between(day("2024-01-10"), day("2025-02-13")), 13.0);
        assert_eq!(months_between(day("2024-01-10"), day("2024-02-09")), 0.0);
        assert_eq!(months_between(day("2024-01-10"), day("2024-02-10")), 1.0);
        assert_eq!(months_between(day("2023-01-31"), day("2023-02-28")), 1.0);
        assert_eq!(months_between(day("2024-02-10"), day("2024-01-10")), -1.0);
        assert_eq!(months_between(day("2024-02-10"), f64::INFINITY), f64::INFINITY);
    }
}
