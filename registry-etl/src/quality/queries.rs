//! Data queries added up: how many are open, answered and closed, and how many days answering and closing took.
//!
//! Days are calendar days (UTC) since a query was raised or, once it was reopened, since it was last reopened; each query counts once.
//! Closed counts for the time to close when the answer was accepted or a corrected case no longer fired the check: what was taken back
//! or ended with a withdrawal of consent says nothing about the centre. Quantiles as `quantiles` has them (type 7).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Utc};
use registry_core::storage::{QueryClosing, QueryState, QueryTimes, RaisedBy};
use serde::Serialize;

use super::quantiles::quantiles;

/// Median and 90th percentile of the days that `n` queries took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = DaysTaken)]
pub struct Days {
    pub n: usize,
    pub median: f64,
    pub p90: f64,
}

/// Counts and times of some queries.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct QueryFigures {
    /// All of them.
    pub raised: usize,
    pub open: usize,
    pub answered: usize,
    pub closed: usize,
    /// Opened again at least once.
    pub reopened: usize,
    /// Days until the first answer, of those answered.
    pub days_to_answer: Option<Days>,
    /// Days until closed, of those settled.
    pub days_to_close: Option<Days>,
    /// Days that the longest open one waits for an answer.
    pub oldest_open_days: Option<i32>,
}

/// The queries about one check; without one, those of people that name none.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct RuleFigures {
    pub rule: Option<String>,
    #[serde(flatten)]
    pub figures: QueryFigures,
}

/// The queries of one centre, or of all.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct CentreQueries {
    /// `None` for all centres together.
    pub centre: Option<String>,
    /// What the centre was asked: by checks and by the coordinating office.
    #[serde(flatten)]
    pub asked: QueryFigures,
    /// The same by check.
    pub by_rule: Vec<RuleFigures>,
    /// What the centre asked the coordinating office.
    pub questions: QueryFigures,
}

/// All centres together, then each of `centres` by name, as of `now`.
pub fn query_metrics(times: &[QueryTimes], centres: &[String], now: DateTime<Utc>) -> Vec<CentreQueries> {
    let mut by_centre: BTreeMap<&str, Vec<&QueryTimes>> = centres
        .iter()
        .map(|centre| (centre.as_str(), Vec::new()))
        .collect();
    for one in times {
        by_centre.entry(&one.centre).or_default().push(one);
    }
    let all = query_metrics_of_all(times, now);
    let each = by_centre
        .into_iter()
        .map(|(centre, times)| of(Some(centre.to_owned()), &times, now));
    std::iter::once(all).chain(each).collect()
}

/// The same of all centres together.
pub fn query_metrics_of_all(times: &[QueryTimes], now: DateTime<Utc>) -> CentreQueries {
    of(None, &times.iter().collect::<Vec<_>>(), now)
}

/// Of every check, how many cases it asked about.
pub fn cases_by_rule(times: &[QueryTimes]) -> BTreeMap<&str, u32> {
    let mut cases: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in times {
        if let Some(rule) = &one.rule {
            cases.entry(rule).or_default().insert(&one.case_id);
        }
    }
    let counted = |(rule, cases): (_, BTreeSet<&str>)| (rule, u32::try_from(cases.len()).unwrap_or(u32::MAX));
    cases.into_iter().map(counted).collect()
}

/// What checks asked in one month, and what was settled of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MonthOfQueries {
    /// `2026-03`.
    pub month: String,
    /// Raised (or last reopened) in it.
    pub raised: u32,
    /// Closed in it.
    pub closed: u32,
}

/// Queries raised by checks, month by month from the first to `now`, the latest `most` of them; a month without any has zeros.
pub fn findings_by_month(times: &[QueryTimes], now: DateTime<Utc>, most: usize) -> Vec<MonthOfQueries> {
    let of_checks = || times.iter().filter(|one| one.raised_by == RaisedBy::Rule);
    let count = |at: DateTime<Utc>| (at.year(), at.month0());
    let mut raised: BTreeMap<(i32, u32), u32> = BTreeMap::new();
    let mut closed: BTreeMap<(i32, u32), u32> = BTreeMap::new();
    for one in of_checks() {
        *raised.entry(count(one.asked_at)).or_default() += 1;
        if let Some(at) = one.closed_at {
            *closed.entry(count(at)).or_default() += 1;
        }
    }
    let Some(first) = raised.keys().chain(closed.keys()).min().copied() else {
        return Vec::new();
    };
    let next = |(year, month): (i32, u32)| {
        if month == 11 {
            (year + 1, 0)
        } else {
            (year, month + 1)
        }
    };
    let last = count(now);
    let months = std::iter::successors(Some(first), |month| Some(next(*month)));
    let all: Vec<MonthOfQueries> = months
        .take_while(|month| *month <= last)
        .map(|month| MonthOfQueries {
            month: format!("{}-{:02}", month.0, month.1 + 1),
            raised: raised.get(&month).copied().unwrap_or(0),
            closed: closed.get(&month).copied().unwrap_or(0),
        })
        .collect();
    all.into_iter().rev().take(most).rev().collect()
}

fn of(centre: Option<String>, times: &[&QueryTimes], now: DateTime<Utc>) -> CentreQueries {
    let (questions, asked): (Vec<&QueryTimes>, Vec<&QueryTimes>) =
        times.iter().partition(|one| one.raised_by == RaisedBy::Centre);
    let mut by_rule: BTreeMap<Option<&str>, Vec<&QueryTimes>> = BTreeMap::new();
    for one in &asked {
        by_rule.entry(one.rule.as_deref()).or_default().push(one);
    }
    let by_rule = by_rule.into_iter().map(|(rule, times)| RuleFigures {
        rule: rule.map(str::to_owned),
        figures: figures(&times, now),
    });
    CentreQueries {
        centre,
        by_rule: by_rule.collect(),
        asked: figures(&asked, now),
        questions: figures(&questions, now),
    }
}

fn figures(times: &[&QueryTimes], now: DateTime<Utc>) -> QueryFigures {
    let count = |state| times.iter().filter(|one| one.state == state).count();
    let settled =
        |one: &&&QueryTimes| matches!(one.closing, Some(QueryClosing::Accepted | QueryClosing::Resolved));
    let answers = times.iter().filter_map(|one| Some(days(one, one.answered_at?)));
    let closings = times.iter().filter(settled);
    let closings = closings.filter_map(|one| Some(days(one, one.closed_at?)));
    let open = times.iter().filter(|one| one.state == QueryState::Open);
    QueryFigures {
        raised: times.len(),
        open: count(QueryState::Open),
        answered: count(QueryState::Answered),
        closed: count(QueryState::Closed),
        reopened: times.iter().filter(|one| one.reopened > 0).count(),
        days_to_answer: spread(&answers.collect::<Vec<_>>()),
        days_to_close: spread(&closings.collect::<Vec<_>>()),
        oldest_open_days: open.map(|one| days(one, now)).max(),
    }
}

fn days(one: &QueryTimes, until: DateTime<Utc>) -> i32 {
    let days = (until.date_naive() - one.asked_at.date_naive()).num_days();
    i32::try_from(days).unwrap_or(i32::MAX)
}

fn spread(days: &[i32]) -> Option<Days> {
    let [median, p90] = quantiles(days, [0.5, 0.9])?;
    Some(Days {
        n: days.len(),
        median,
        p90,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    fn at(day: u32) -> DateTime<Utc> {
        format!("2026-10-{day:02}T12:00:00Z").parse().unwrap()
    }

    fn asked(centre: &str, rule: Option<&str>, state: QueryState) -> QueryTimes {
        QueryTimes {
            centre: centre.to_owned(),
            case_id: "one".to_owned(),
            raised_by: if rule.is_some() {
                RaisedBy::Rule
            } else {
                RaisedBy::Office
            },
            rule: rule.map(str::to_owned),
            state,
            reopened: 0,
            asked_at: at(1),
            answered_at: None,
            closed_at: None,
            closing: None,
        }
    }

    fn closed(centre: &str, answered: Option<u32>, day: u32, closing: QueryClosing) -> QueryTimes {
        QueryTimes {
            answered_at: answered.map(at),
            closed_at: Some(at(day)),
            closing: Some(closing),
            ..asked(centre, Some("E-011"), QueryState::Closed)
        }
    }

    #[test]
    fn findings_are_counted_by_month_and_a_month_without_any_has_zeros() {
        let on = |text: &str| -> DateTime<Utc> { format!("{text}T12:00:00Z").parse().unwrap() };
        let raised = |day: &str, closed: Option<&str>| QueryTimes {
            asked_at: on(day),
            closed_at: closed.map(on),
            ..asked("C01", Some("E-011"), QueryState::Open)
        };
        let times = [
            raised("2025-11-30", Some("2026-02-01")),
            raised("2025-12-01", None),
            raised("2025-12-31", Some("2025-12-31")),
            // A person asked: no finding.
            QueryTimes {
                asked_at: on("2026-01-05"),
                ..asked("C01", None, QueryState::Open)
            },
        ];
        let counted = |most: usize| -> Vec<(String, u32, u32)> {
            let months = findings_by_month(&times, on("2026-02-10"), most);
            months
                .into_iter()
                .map(|one| (one.month, one.raised, one.closed))
                .collect()
        };
        let month = |name: &str, raised, closed| (name.to_owned(), raised, closed);
        assert_eq!(
            counted(24),
            [
                month("2025-11", 1, 0),
                month("2025-12", 2, 1),
                month("2026-01", 0, 0),
                month("2026-02", 0, 1)
            ]
        );
        assert_eq!(counted(2), [month("2026-01", 0, 0), month("2026-02", 0, 1)]);
        assert!(findings_by_month(&times[3..], on("2026-02-10"), 24).is_empty());
    }

    #[test]
    fn a_case_asked_about_twice_is_one_case() {
        let of = |case: &str, rule: Option<&str>| QueryTimes {
            case_id: case.to_owned(),
            ..asked("C01", rule, QueryState::Open)
        };
        let times = [
            of("one", Some("E-011")),
            of("one", Some("E-011")),
            of("two", Some("E-011")),
            of("two", Some("E-030")),
            of("two", None),
        ];
        let counted: Vec<_> = cases_by_rule(&times).into_iter().collect();
        assert_eq!(counted, [("E-011", 2), ("E-030", 1)]);
    }

    #[test]
    fn counts_and_days_by_centre_and_check() {
        let times = [
            asked("C01", Some("E-011"), QueryState::Open),
            QueryTimes {
                asked_at: at(11),
                reopened: 2,
                ..asked("C01", None, QueryState::Open)
            },
            QueryTimes {
                answered_at: Some(at(3)),
                ..asked("C01", Some("E-030"), QueryState::Answered)
            },
            closed("C01", Some(2), 5, QueryClosing::Accepted),
            closed("C01", None, 9, QueryClosing::Resolved),
            closed("C01", None, 30, QueryClosing::ConsentWithdrawn),
            closed("C01", None, 2, QueryClosing::TakenBack),
            QueryTimes {
                raised_by: RaisedBy::Centre,
                answered_at: Some(at(8)),
                ..asked("C01", None, QueryState::Answered)
            },
            asked("C02", Some("E-011"), QueryState::Open),
        ];
        let levels = query_metrics(&times, &["C01".to_owned(), "C03".to_owned()], at(21));
        let names: Vec<_> = levels.iter().map(|level| level.centre.as_deref()).collect();
        assert_eq!(names, [None, Some("C01"), Some("C02"), Some("C03")]);
        let one = &levels[1].asked;
        assert_eq!(
            (one.raised, one.open, one.answered, one.closed, one.reopened),
            (7, 2, 1, 4, 1)
        );
        // Answered after 2 and 1 days; closed after 4 and 8: places 0.5 and 0.9 between the two.
        assert_eq!(
            one.days_to_answer,
            Some(Days {
                n: 2,
                median: 1.5,
                p90: 1.9
            })
        );
        assert_eq!(
            one.days_to_close,
            Some(Days {
                n: 2,
                median: 6.0,
                p90: 7.6
            })
        );
        assert_eq!(one.oldest_open_days, Some(20));
        let rules: Vec<_> = levels[1]
            .by_rule
            .iter()
            .map(|r| (r.rule.as_deref(), r.figures.raised))
            .collect();
        assert_eq!(rules, [(None, 1), (Some("E-011"), 5), (Some("E-030"), 1)]);
        assert_eq!(levels[1].by_rule[0].figures.oldest_open_days, Some(10));
        assert_eq!(
            (
                levels[1].questions.raised,
                levels[1].questions.days_to_answer.unwrap().median
            ),
            (1, 7.0)
        );
        assert_eq!((levels[0].asked.open, levels[0].asked.raised), (3, 8));
        assert_eq!(levels[3].asked, QueryFigures::default());
    }
}
