//! All-or-none summaries: Kleene's AND over the parts that apply.

use registry_core::guideline::{Guideline, Outcome, Step, UnitOutcome};
use registry_core::rules::Reason;

use crate::support::{NEWEST, STORE};

fn guideline() -> Guideline {
    let mut all = Guideline::all(&STORE, &NEWEST).unwrap_or_else(|errors| panic!("{errors}"));
    all.swap_remove(0)
}

/// The composite 24 of 24a, 24b and 24c with these outcomes.
fn of_parts(guideline: &Guideline, outcomes: [Outcome; 3]) -> (Outcome, Option<Reason>) {
    let results: Vec<UnitOutcome> = ["24a", "24b", "24c"]
        .iter()
        .zip(outcomes)
        .map(|(id, outcome)| UnitOutcome {
            measure: guideline.measure(id).expect("a measure").0,
            unit_index: 2,
            outcome,
            reason: (outcome == Outcome::NotAssessable).then_some(Reason::Missing),
            element: None,
            step: Step::Numerator,
        })
        .collect();
    let found = guideline.composite_outcomes(&results);
    let at = guideline
        .composites
        .iter()
        .position(|composite| composite.id == "24");
    let number = (guideline.measures.len() + at.expect("composite 24")) as u16;
    let [one] = found.as_slice() else {
        panic!("one unit has one result: {found:?}");
    };
    assert_eq!((one.measure, one.unit_index), (number, 2));
    (one.outcome, one.reason)
}

#[test]
fn one_part_not_met_decides_and_parts_that_do_not_apply_do_not_count() {
    use Outcome::{Excepted, Excluded, Met, NotAssessable, NotInDenom, NotMet};
    let guideline = guideline();
    let cases = [
        ([Met, Met, Met], Met),
        ([Met, Excluded, Met], Met),
        ([Met, NotInDenom, Excepted], Met),
        ([Met, NotMet, Met], NotMet),
        ([NotAssessable, NotMet, Met], NotMet),
        ([Met, NotAssessable, Met], NotAssessable),
        ([NotInDenom, NotAssessable, Excluded], NotAssessable),
        ([Excepted, Excluded, NotInDenom], Excepted),
        ([Excluded, NotInDenom, NotInDenom], Excluded),
        ([NotInDenom; 3], NotInDenom),
    ];
    for (parts, expected) in cases {
        let (outcome, reason) = of_parts(&guideline, parts);
        assert_eq!(outcome, expected, "{parts:?}");
        assert_eq!(reason.is_some(), expected == NotAssessable, "{parts:?}");
    }
}

#[test]
fn the_composites_are_those_of_the_specification() {
    let guideline = guideline();
    let written: Vec<String> = guideline
        .composites
        .iter()
        .map(|composite| {
            let parts = composite
                .parts
                .iter()
                .map(|at| guideline.measures[usize::from(*at)].id.clone());
            format!("{} {}", composite.id, parts.collect::<Vec<_>>().join(","))
        })
        .collect();
    let expected = [
        "15 15a,15b,15c",
        "16 16a",
        "17 17a,17b,17c,17d,17e",
        "18 18a,18b,18c",
        "24 24a,24b,24c",
        "25 25a,25b,25c",
        "27 27a,27b",
        "29 29a,29b,29c",
    ];
    assert_eq!(written, expected);
}
