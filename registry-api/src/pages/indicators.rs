//! The measures the committee looks at first, as lines of a table: on the overview and in the brief.

use std::collections::HashMap;

use registry_etl::results::{AdherenceRow, RateState};

use super::words;
use crate::results::{Hidden, IndicatorResult};

/// A measure with its numbers, spoken.
pub(super) struct Line {
    pub(super) id: String,
    pub(super) title: String,
    /// Why it was chosen.
    pub(super) reason: String,
    /// That its rate rests on a value nobody has ratified.
    pub(super) unratified: bool,
    pub(super) network: Numbers,
    pub(super) own: Numbers,
}

/// Of the network, or of one centre.
pub(super) struct Numbers {
    pub(super) rate: String,
    pub(super) interval: String,
    /// Assessable units.
    pub(super) n: String,
    /// Units that cannot be assessed, and their share.
    pub(super) not_assessable: String,
    /// The rate whatever they are.
    pub(super) bounds: String,
}

pub(super) fn lines(results: &[IndicatorResult]) -> Vec<Line> {
    let line = |one: &IndicatorResult| Line {
        id: one.head.id.clone(),
        title: one.head.title.clone(),
        reason: one.reason.clone(),
        unratified: !one.head.unratified.is_empty(),
        network: numbers(one.network.as_ref()),
        own: numbers(one.own.as_ref()),
    };
    results.iter().map(line).collect()
}

/// The same, each with how far the network's rate has moved since an earlier run.
pub(super) fn since(now: &[IndicatorResult], earlier: Option<&[IndicatorResult]>) -> Vec<(Line, String)> {
    let mut moved = changes(now, earlier.unwrap_or_default());
    let beside = |line: Line| {
        let by = moved.remove(&line.id).unwrap_or_else(|| "–".to_owned());
        (line, by)
    };
    lines(now).into_iter().map(beside).collect()
}

/// How many of their counts are hidden.
pub(super) fn hidden(results: &[IndicatorResult]) -> Hidden {
    let rows = results.iter().flat_map(|one| one.network.iter().chain(&one.own));
    Hidden::of_rows(rows)
}

pub(super) fn numbers(row: Option<&AdherenceRow>) -> Numbers {
    let Some(row) = row else {
        return Numbers {
            rate: "no unit".to_owned(),
            interval: String::new(),
            n: String::new(),
            not_assessable: String::new(),
            bounds: String::new(),
        };
    };
    let shown = row.state == RateState::Rate && row.rate.is_some();
    Numbers {
        rate: words::rate(row),
        interval: if shown {
            words::interval(row.lower, row.upper)
        } else {
            String::new()
        },
        n: words::dated(words::count(row.denominator), row.as_of),
        not_assessable: match (row.not_assessable, row.not_assessable_share) {
            (Some(n), Some(share)) => format!("{n} ({:.0} %)", share * 100.0),
            (n, _) => words::count(n),
        },
        bounds: words::bounds(row),
    }
}

/// By measure, how many percentage points the network's rate moved since an earlier run: only where both runs show one, and the newer one
/// shows one of its own.
fn changes(now: &[IndicatorResult], then: &[IndicatorResult]) -> HashMap<String, String> {
    let stays = |one: &IndicatorResult| one.network.as_ref().is_some_and(|row| row.as_of.is_some());
    let rate = |one: &IndicatorResult| {
        let row = one.network.as_ref();
        row.filter(|row| row.state == RateState::Rate)?.rate
    };
    let earlier: HashMap<&str, f64> = then
        .iter()
        .filter_map(|one| Some((one.head.id.as_str(), rate(one)?)))
        .collect();
    now.iter()
        .filter(|one| !stays(one))
        .filter_map(|one| {
            let before = earlier.get(one.head.id.as_str())?;
            Some((one.head.id.clone(), points(rate(one)?, *before)))
        })
        .collect()
}

/// The difference of two shares as they are printed, so that the three numbers agree: `+3 points`.
pub(super) fn points(now: f64, then: f64) -> String {
    let whole = |share: f64| (share * 100.0).round() as i64;
    signed(whole(now) - whole(then), "points")
}

/// `+3 cases`, `unchanged`.
pub(super) fn signed(difference: i64, unit: &str) -> String {
    match difference {
        0 => "unchanged".to_owned(),
        up if up > 0 => format!("+{up} {unit}"),
        down => format!("−{} {unit}", down.unsigned_abs()),
    }
}

#[cfg(test)]
mod tests {
    use registry_etl::results::{By, Period, Suppression};

    use super::*;

    fn row(state: RateState, shown: Option<(u32, u32)>) -> AdherenceRow {
        let rate = shown.map(|(n, of)| f64::from(n) / f64::from(of));
        AdherenceRow {
            measure: "1a".to_owned(),
            by: By::Network,
            level: "all".to_owned(),
            period: Period::Last24Months,
            state,
            suppressed: shown.is_none().then_some(Suppression::FewPatients),
            numerator: shown.map(|(n, _)| n),
            denominator: shown.map(|(_, of)| of),
            excluded: None,
            excepted: None,
            not_in_denominator: None,
            not_assessable: shown.map(|_| 10),
            not_assessable_by: Vec::new(),
            patients: None,
            patients_all_met: None,
            rate,
            lower: rate.map(|rate| rate - 0.1),
            upper: rate.map(|rate| rate + 0.1),
            clustered_lower: None,
            clustered_upper: None,
            bound_low: shown.map(|(n, of)| f64::from(n) / f64::from(of + 10)),
            bound_high: shown.map(|(n, of)| f64::from(n + 10) / f64::from(of + 10)),
            not_assessable_share: shown.map(|(_, of)| 10.0 / f64::from(10 + of)),
            insufficient: false,
            as_of: None,
            basis: None,
        }
    }

    fn spoken(row: Option<&AdherenceRow>) -> [String; 5] {
        let numbers = numbers(row);
        [
            numbers.rate,
            numbers.interval,
            numbers.n,
            numbers.not_assessable,
            numbers.bounds,
        ]
    }

    #[test]
    fn what_is_hidden_is_said_to_be_and_a_rate_has_its_denominator() {
        assert_eq!(
            spoken(Some(&row(RateState::Suppressed, None))),
            ["not shown", "", "not shown", "not shown", ""]
        );
        assert_eq!(
            spoken(Some(&row(RateState::Rate, Some((24, 30))))),
            ["80 %", "70 to 90 %", "30", "10 (25 %)", "60 to 85 %"]
        );
        // Too much cannot be assessed: no rate and no interval, whatever the row carries.
        assert_eq!(
            spoken(Some(&row(RateState::Insufficient, Some((24, 30))))),
            ["insufficient data", "", "30", "10 (25 %)", "60 to 85 %"]
        );
        assert_eq!(spoken(None), ["no unit", "", "", "", ""]);
    }

    #[test]
    fn a_change_is_the_difference_of_what_is_printed() {
        // 0.794 prints as 79 %, 0.805 as 81 % (both to the nearest): two points, though the shares differ by 1.1.
        assert_eq!(points(0.8051, 0.794), "+2 points");
        assert_eq!(points(0.794, 0.806), "−2 points");
        assert_eq!(points(0.804, 0.796), "unchanged");
        assert_eq!(signed(12, "cases"), "+12 cases");
    }
}
