//! What a change of the rules would do, as its reader may see it.

use registry_core::guideline::Outcome;
use registry_etl::results::{CentreChange, CheckChange, Comparison, MeasureChange, Move, RateState, Side};

use super::words;
use crate::results::Hidden;

pub(super) struct Preview {
    pub(super) heading: String,
    pub(super) measures: Vec<Changed>,
    /// Check, how often it fires now and then, cases by centre.
    pub(super) checks: Vec<[String; 4]>,
    /// Whether this reader sees findings at all.
    pub(super) with_checks: bool,
    /// Of the measures that change: rates hidden now or then.
    pub(super) hidden: Hidden,
}

/// One measure that some unit has another outcome of.
pub(super) struct Changed {
    pub(super) measure: String,
    pub(super) units: String,
    pub(super) now: String,
    pub(super) then: String,
    /// From which outcome to which; or why it is not told.
    pub(super) moves: String,
    pub(super) centres: String,
}

impl Preview {
    /// `avoided`: whether a measure is of what is advised against, so that its numerator is not met but avoided.
    pub(super) fn of(comparison: &Comparison, avoided: impl Fn(&str) -> bool) -> Self {
        let measures = comparison.measures.iter().filter(|change| change.changed);
        let exact = comparison
            .measures
            .iter()
            .all(|change| change.units_changed.is_some());
        let sides = measures.clone().flat_map(|change| [&change.base, &change.other]);
        let checks = comparison.checks.iter();
        let checks = checks.filter(|check| check.base != check.other || !check.centres.is_empty());
        Self {
            heading: format!(
                "Version {} against {}, {} run {}",
                comparison.other.version,
                comparison.base.version,
                match comparison.cases {
                    Some(cases) => format!("{cases} cases of"),
                    None => "the cases of".to_owned(),
                },
                comparison.run
            ),
            measures: measures
                .map(|change| changed(change, avoided(&change.measure)))
                .collect(),
            checks: checks.map(check).collect(),
            with_checks: exact,
            hidden: Hidden::of(sides.map(|side| side.state == RateState::Suppressed)),
        }
    }
}

/// Nothing is hidden here: there is nothing to show.
const NO_RATE: &str = "there is no rate, before or after";

fn changed(change: &MeasureChange, avoidance: bool) -> Changed {
    let hidden = [&change.base, &change.other]
        .iter()
        .any(|side| side.state == RateState::Suppressed);
    let moves = match change.units_changed {
        Some(_) => {
            let moves: Vec<String> = change.moves.iter().map(|one| one_move(one, avoidance)).collect();
            moves.join("; ")
        }
        None if hidden => "hidden: it rests on few patients".to_owned(),
        None if change.base.rate.or(change.other.rate).is_none() => NO_RATE.to_owned(),
        None if change.base == change.other => "hidden by rounding: less than the rates can show".to_owned(),
        None => "shown to the coordinating office".to_owned(),
    };
    Changed {
        measure: change.measure.clone(),
        units: words::changed(change),
        now: rate(&change.base),
        then: rate(&change.other),
        moves,
        centres: centres(&change.centres),
    }
}

fn one_move(one: &Move, avoidance: bool) -> String {
    let spoken = |code: &Option<String>| match code.as_deref().and_then(Outcome::from_code) {
        None => "no unit",
        // Apart, where the page of a measure says of both that they are not counted: a unit may go from one to the other.
        Some(Outcome::Excluded) => "excluded",
        Some(Outcome::Excepted) => "excepted",
        Some(outcome) => words::outcome(outcome, avoidance).0,
    };
    format!("{} from {} to {}", one.n, spoken(&one.from), spoken(&one.to))
}

fn rate(side: &Side) -> String {
    match side.rate {
        Some(_) => words::percent(side.rate),
        None => words::without_rate(side.state).to_owned(),
    }
}

fn check(check: &CheckChange) -> [String; 4] {
    [
        check.check.clone(),
        check.base.to_string(),
        check.other.to_string(),
        centres(&check.centres),
    ]
}

fn centres(centres: &[CentreChange]) -> String {
    let all: Vec<String> = centres.iter().map(|c| format!("{} {}", c.centre, c.n)).collect();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use registry_etl::results::{Move, RuleSet};

    fn side(state: RateState, rate: Option<f64>) -> Side {
        Side {
            numerator: None,
            denominator: None,
            not_assessable: None,
            excluded: None,
            excepted: None,
            patients: None,
            state,
            rate,
            lower: None,
            upper: None,
        }
    }

    fn change(
        measure: &str,
        base: Side,
        other: Side,
        moves: Option<Vec<Move>>,
        changed: bool,
    ) -> MeasureChange {
        MeasureChange {
            measure: measure.to_owned(),
            base,
            other,
            changed,
            units_changed: moves.as_ref().map(|all| all.iter().map(|one| one.n).sum()),
            patients_changed: None,
            moves: moves.unwrap_or_default(),
            centres: Vec::new(),
        }
    }

    fn shown(measures: Vec<MeasureChange>) -> Preview {
        let rules = RuleSet {
            guideline: "g".to_owned(),
            version: "1".to_owned(),
            digest: String::new(),
        };
        let comparison = Comparison {
            run: 1,
            cut_off: "2026-06-30".to_owned(),
            cases: Some(100),
            base: rules.clone(),
            other: rules,
            measures,
            checks: vec![CheckChange {
                check: "E-070".to_owned(),
                base: 3,
                other: 3,
                centres: vec![CentreChange {
                    centre: "C01".to_owned(),
                    n: 2,
                }],
            }],
        };
        Preview::of(&comparison, |measure| measure == "20a")
    }

    #[test]
    fn the_committee_is_told_that_something_changes_where_it_is_not_told_what() {
        let rate = |share| side(RateState::Rate, Some(share));
        let few = || side(RateState::Suppressed, None);
        let page = shown(vec![
            change("17a", rate(0.64), rate(0.64), None, true),
            change("17d", few(), few(), None, true),
            change("6", rate(0.64), rate(0.7), None, true),
            change("7", rate(0.64), side(RateState::Insufficient, None), None, true),
            change(
                "9",
                side(RateState::NotAssessable, None),
                side(RateState::NotAssessable, None),
                None,
                true,
            ),
            change("8", rate(0.64), rate(0.64), None, false),
        ]);
        let told: Vec<(&str, &str, &str)> = page
            .measures
            .iter()
            .map(|m| (m.measure.as_str(), m.then.as_str(), m.moves.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("17a", "64 %", "hidden by rounding: less than the rates can show"),
                ("17d", "not shown", "hidden: it rests on few patients"),
                ("6", "70 %", "shown to the coordinating office"),
                ("7", "insufficient data", "shown to the coordinating office"),
                ("9", "not assessable", NO_RATE),
            ]
        );
        assert!(!page.with_checks);
    }

    #[test]
    fn the_office_sees_moves_that_cancel_out_and_checks_that_fire_elsewhere() {
        let rate = || side(RateState::Rate, Some(0.5));
        let one = |from: &str, to: &str| Move {
            from: Some(from.to_owned()),
            to: Some(to.to_owned()),
            n: 1,
        };
        let both = vec![one("MET", "NOT_MET"), one("NOT_MET", "MET")];
        let set_aside = vec![one("NOT_MET", "EXCLUDED"), one("MET", "NOT_ASSESSABLE")];
        let page = shown(vec![
            change("6", rate(), rate(), Some(both), true),
            change("20a", rate(), rate(), Some(set_aside), true),
        ]);
        assert_eq!(
            page.measures[1].moves,
            "1 from not avoided to excluded; 1 from avoided to cannot be assessed"
        );
        assert_eq!(
            page.measures[0].moves,
            "1 from met to not met; 1 from not met to met"
        );
        assert_eq!(page.measures[0].units, "2");
        assert_eq!(page.checks, [["E-070", "3", "3", "C01 2"].map(str::to_owned)]);
        assert!(page.with_checks);
    }
}
