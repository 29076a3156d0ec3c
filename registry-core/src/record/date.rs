use chrono::{DateTime, Datelike, Days, Months, NaiveDate};

/// Days since 1 January of year 1 (which is day 1), proleptic Gregorian.
pub fn day_number(date: NaiveDate) -> i32 {
    date.num_days_from_ce()
}

/// The date a day number stands for; `None` outside the calendar chrono knows.
pub fn day_of(number: i32) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(number)
}

/// A date known to the day, the month or the year: the closed interval of its days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PartialDate {
    first: i32,
    last: i32,
}

impl PartialDate {
    /// A date known to the day.
    pub fn exact(date: NaiveDate) -> PartialDate {
        let day = day_number(date);
        PartialDate {
            first: day,
            last: day,
        }
    }

    /// Reads `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; `None` for anything else, an impossible day included.
    pub fn parse(text: &str) -> Option<PartialDate> {
        let bytes = text.as_bytes();
        let digits = |range: std::ops::Range<usize>| -> Option<u32> {
            let part = bytes.get(range)?;
            part.iter().all(u8::is_ascii_digit).then(|| {
                part.iter()
                    .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
            })
        };
        let year = i32::try_from(digits(0..4)?).ok()?;
        let dash = |at: usize| bytes.get(at) == Some(&b'-');
        match bytes.len() {
            4 => {
                let first = NaiveDate::from_ymd_opt(year, 1, 1)?;
                let last = NaiveDate::from_ymd_opt(year, 12, 31)?;
                Some(PartialDate {
                    first: day_number(first),
                    last: day_number(last),
                })
            }
            7 if dash(4) => {
                let first = NaiveDate::from_ymd_opt(year, digits(5..7)?, 1)?;
                let last = first
                    .checked_add_months(Months::new(1))?
                    .checked_sub_days(Days::new(1))?;
                Some(PartialDate {
                    first: day_number(first),
                    last: day_number(last),
                })
            }
            10 if dash(4) && dash(7) => {
                NaiveDate::from_ymd_opt(year, digits(5..7)?, digits(8..10)?).map(PartialDate::exact)
            }
            _ => None,
        }
    }

    /// Reads an RFC 3339 date and time as its UTC day.
    pub fn parse_datetime(text: &str) -> Option<PartialDate> {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|instant| PartialDate::exact(instant.to_utc().date_naive()))
    }

    /// First possible day, as a day number.
    pub fn first(self) -> i32 {
        self.first
    }

    /// Last possible day, as a day number.
    pub fn last(self) -> i32 {
        self.last
    }

    /// First possible day.
    pub fn first_day(self) -> Option<NaiveDate> {
        day_of(self.first)
    }

    /// Last possible day.
    pub fn last_day(self) -> Option<NaiveDate> {
        day_of(self.last)
    }

    /// Known to the day.
    pub fn is_exact(self) -> bool {
        self.first == self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(text: &str) -> Option<(String, String)> {
        let date = PartialDate::parse(text)?;
        Some((date.first_day()?.to_string(), date.last_day()?.to_string()))
    }

    fn pair(first: &str, last: &str) -> Option<(String, String)> {
        Some((first.to_owned(), last.to_owned()))
    }

    #[test]
    fn a_partial_date_is_the_interval_of_its_days() {
        assert_eq!(days("2024"), pair("2024-01-01", "2024-12-31"));
        assert_eq!(days("2024-02"), pair("2024-02-01", "2024-02-29"));
        assert_eq!(days("2023-12"), pair("2023-12-01", "2023-12-31"));
        assert_eq!(days("2024-02-29"), pair("2024-02-29", "2024-02-29"));
        assert!(PartialDate::parse("2024-02-29").unwrap().is_exact());
        assert!(!PartialDate::parse("2024-02").unwrap().is_exact());
    }

    #[test]
    fn what_is_not_a_date_is_refused() {
        for text in [
            "",
            "24",
            "2024-2",
            "2024-13",
            "2024-00",
            "2023-02-29",
            "2024-1-1",
            "2024-01-01T00:00:00Z",
            "２０２４",
            "+202",
            "2024/01/01",
        ] {
            assert_eq!(PartialDate::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_instant_is_its_utc_day() {
        let late = PartialDate::parse_datetime("2025-06-30T23:30:00-02:00").unwrap();
        assert_eq!(late.first_day().unwrap().to_string(), "2025-07-01");
        assert_eq!(PartialDate::parse_datetime("2025-06-30"), None);
    }
}
