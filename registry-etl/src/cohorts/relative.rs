//! Dates of a case as a release tells them: how far from the metastatic diagnosis, and nothing of the calendar.
//!
//! How far the first of a month, or of a year, is from the diagnosis would tell the day of the month, or of the year, it was made on. Where
//! a date is known to the month or the year, what is told is therefore how many months or years of the calendar lie between the two, each of
//! them as long as they are on average.

use chrono::Datelike;
use registry_core::record::day_of;

use super::course::CourseFacts;
use super::endpoint::DAYS_PER_MONTH;
use super::facts::{RecordedDate, SurvivalFacts};
use super::settle::{MONTH, TO_FIFTEENTH};
use crate::measures::CaseFacts;

const DAYS_PER_YEAR: f64 = 365.25;
/// A date is at most so far from where a month, or a year, of average length puts it: a whole one either way, and what the calendar's differ.
const MONTH_EITHER_WAY: i32 = 34;
const YEAR_EITHER_WAY: i32 = 367;

/// How well a date is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    Day,
    Month,
    Year,
}

fn known((first, last): (i32, i32)) -> Known {
    match last - first {
        0 => Known::Day,
        days if days < MONTH => Known::Month,
        _ => Known::Year,
    }
}

/// Days from a date to another at least and at most, both between their first and last possible day; `None` outside the calendar.
pub fn days_between(from: (i32, i32), to: (i32, i32)) -> Option<(i32, i32)> {
    let around = |days: i32, either_way: i32| (days - either_way, days + either_way);
    Some(match known(from).max(known(to)) {
        Known::Day => (to.0 - from.0, to.0 - from.0),
        Known::Month if known(to) == Known::Day => (to.0 - from.0 - (MONTH - 1), to.0 - from.0),
        Known::Month => around(months_between(from, to)?, MONTH_EITHER_WAY),
        Known::Year => around(years_between(from, to)?, YEAR_EITHER_WAY),
    })
}

/// Calendar months between two days, in days.
fn months_between(from: (i32, i32), to: (i32, i32)) -> Option<i32> {
    let month = |day: i32| Some(day_of(day)?.year() * 12 + i32::try_from(day_of(day)?.month0()).ok()?);
    let months = month(to.0)? - month(from.0)?;
    Some((f64::from(months) * DAYS_PER_MONTH).round() as i32)
}

/// Calendar years between two days, in days.
fn years_between(from: (i32, i32), to: (i32, i32)) -> Option<i32> {
    let years = day_of(to.0)?.year() - day_of(from.0)?.year();
    Some((f64::from(years) * DAYS_PER_YEAR).round() as i32)
}

/// A date where the calendar's distance from the origin puts it, read as [`super::settle`] reads dates: the day of an origin known to
/// the month is its 15th.
fn moved(date: RecordedDate, origin: (i32, i32)) -> RecordedDate {
    let RecordedDate::Between(first, last) = date else {
        return date;
    };
    let own = (first, last);
    let day = match known(origin) {
        Known::Day => origin.0,
        Known::Month => origin.0 + TO_FIFTEENTH,
        // Nothing is counted from it.
        Known::Year => return date,
    };
    let to = match known(own) {
        Known::Day => None,
        Known::Month => months_between(origin, own).map(|days| {
            let first = day + days - TO_FIFTEENTH;
            (first, first + MONTH - 1)
        }),
        Known::Year => years_between(origin, own).map(|days| around_a_year(day + days)),
    };
    to.map_or(date, |(first, last)| RecordedDate::Between(first, last))
}

fn around_a_year(day: i32) -> (i32, i32) {
    (day - YEAR_EITHER_WAY, day + YEAR_EITHER_WAY)
}

impl CaseFacts {
    /// The facts as a release tells them: days count from the metastatic diagnosis and tell nothing of the calendar, and nobody's observation
    /// ends on the cut-off.
    #[must_use]
    pub fn as_released(mut self) -> Self {
        self.survival.as_seen = true;
        let RecordedDate::Between(first, last) = self.survival.origin else {
            return self;
        };
        for date in dates(&mut self) {
            *date = moved(*date, (first, last));
        }
        self
    }
}

/// Every date of a case but its origin.
fn dates(facts: &mut CaseFacts) -> Vec<&mut RecordedDate> {
    let SurvivalFacts {
        registration,
        contacts,
        ..
    } = &mut facts.survival;
    let CourseFacts {
        locals,
        lines,
        progressions,
        imaging,
        observations,
        presentations,
        ecog,
        scores,
        completed,
        primary_cleared: _,
        grade: _,
        cause_of_death: _,
        others,
    } = &mut facts.course;
    let mut all = vec![registration, completed];
    all.extend(
        contacts
            .iter_mut()
            .flat_map(|one| [&mut one.date, &mut one.death]),
    );
    all.extend(locals.iter_mut().map(|one| &mut one.date));
    let of_line = lines
        .iter_mut()
        .flat_map(|one| [&mut one.start, &mut one.stop, &mut one.progression]);
    all.extend(of_line);
    all.extend(progressions.iter_mut().map(|one| &mut one.date));
    all.extend(imaging);
    all.extend(observations);
    all.extend(presentations.iter_mut().map(|one| &mut one.detected));
    all.extend(ecog.iter_mut().map(|(date, _)| date));
    all.extend(scores.iter_mut().map(|(date, _)| date));
    all.extend(others);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use registry_core::record::PartialDate;

    fn span(text: &str) -> (i32, i32) {
        let date = PartialDate::parse(text).unwrap();
        (date.first(), date.last())
    }

    fn told(from: &str, to: &str) -> (i32, i32) {
        days_between(span(from), span(to)).unwrap()
    }

    #[test]
    fn days_known_are_told_and_the_calendar_is_not() {
        assert_eq!(told("2024-03-10", "2024-04-01"), (22, 22));
        // The same month, five months on, two years back: whatever day the diagnosis was made on.
        for day in ["01", "17", "31"] {
            let diagnosis = format!("2024-03-{day}");
            assert_eq!(told(&diagnosis, "2024-03"), (-34, 34));
            assert_eq!(told(&diagnosis, "2024-08"), (152 - 34, 152 + 34));
            assert_eq!(told(&diagnosis, "2022"), (-731 - 367, -731 + 367));
        }
        // Of a diagnosis known to the month, however long it was.
        assert_eq!(told("2023-02", "2023-03-20"), (47 - 30, 47));
        assert_eq!(told("2023-03", "2023-04-17"), (47 - 30, 47));
        assert_eq!(told("2023", "2024-12-31"), (365 - 367, 365 + 367));
    }

    /// Every day the dates can have lies within what is told, and what is told hangs on the number of months or years alone.
    #[test]
    fn what_is_told_holds_the_truth_and_only_the_distance() {
        let months: Vec<String> = (1996..2009)
            .flat_map(|year| (1..13).map(move |month| format!("{year}-{month:02}")))
            .collect();
        for (at, from) in months.iter().enumerate() {
            for (then, to) in months.iter().enumerate() {
                let (origin, date) = (span(from), span(to));
                let months = i32::try_from(then).unwrap() - i32::try_from(at).unwrap();
                let same = (f64::from(months) * DAYS_PER_MONTH).round() as i32;
                for day in [origin, (origin.0, origin.0), (origin.1, origin.1)] {
                    let (least, most) = days_between(day, date).unwrap();
                    assert_eq!((least, most), (same - 34, same + 34), "{from} {to}");
                    assert!(least <= date.0 - day.1 && date.1 - day.0 <= most, "{from} {to}");
                }
                let of_year = |text: &str| span(&text[..4]);
                let (least, most) = days_between(origin, of_year(to)).unwrap();
                let date = of_year(to);
                assert!(
                    least <= date.0 - origin.1 && date.1 - origin.0 <= most,
                    "{from} {to}"
                );
            }
        }
    }

    #[test]
    fn facts_keep_their_days_and_months_become_distances() {
        use crate::cohorts::facts::{Contact, Vital};
        use crate::cohorts::settle::{DateReading, day};

        let recorded = |text: &str| RecordedDate::from(PartialDate::parse(text).unwrap());
        let read = |date| day(date, DateReading::Fifteenth).unwrap().unwrap();
        for (diagnosis, months) in [("2024-03-01", 152), ("2024-03-31", 152)] {
            let contact = |date| Contact {
                date: recorded(date),
                vital: Vital::Alive,
                death: RecordedDate::None,
            };
            let mut facts = CaseFacts::default();
            facts.survival.origin = recorded(diagnosis);
            facts.survival.registration = recorded("2024-04-02");
            facts.survival.contacts = vec![contact("2024-08"), contact("2025-01-01"), contact("2025")];
            facts.course.others = vec![recorded("2024-08"), recorded("2024-08-09")];
            let released = facts.clone().as_released();
            assert!(released.survival.as_seen);
            let origin = read(facts.survival.origin);
            let seen = &released.survival;
            assert_eq!(
                (seen.origin, seen.registration),
                (facts.survival.origin, facts.survival.registration)
            );
            assert_eq!(read(seen.contacts[0].date) - origin, months);
            assert_eq!(seen.contacts[0].death, RecordedDate::None);
            assert_eq!(seen.contacts[1], facts.survival.contacts[1]);
            assert_eq!(read(released.course.others[0]) - origin, months);
            assert_eq!(released.course.others[1], facts.course.others[1]);
            // Still known to the year only.
            assert!(day(seen.contacts[2].date, DateReading::Fifteenth).is_err());
        }
        let nothing = CaseFacts::default().as_released();
        assert_eq!(nothing.survival.origin, RecordedDate::None);
    }
}
