//! The measures the committee looks at first: the list there is, and every way to write a wrong one.

use registry_core::guideline::Guideline;
use registry_core::guideline::indicators::Indicator;

use super::support::{NEWEST, STORE};

const PATH: &str = "guideline/g/indicators.toml";

fn in_force() -> Guideline {
    Guideline::all(&STORE, &NEWEST)
        .unwrap_or_else(|errors| panic!("{errors}"))
        .into_iter()
        .find(Guideline::is_active)
        .expect("one is in force")
}

fn entry(measure: &str, reason: &str) -> String {
    format!("[[indicator]]\nmeasure = \"{measure}\"\nreason = \"{reason}\"\n")
}

#[test]
fn the_list_of_the_guideline_in_force_reads() {
    let chosen = Indicator::all(&STORE, &in_force()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(chosen.len(), 10);
    assert_eq!(chosen[0].measure, "1a");
    assert!(chosen.iter().all(|one| one.reason.ends_with('.')));
}

#[test]
fn a_wrong_list_is_refused_with_its_place() {
    let guideline = in_force();
    let many: String = guideline
        .measures
        .iter()
        .filter(|measure| measure.kind.as_str() != "utilisation")
        .take(13)
        .map(|measure| entry(&measure.id, "Chosen."))
        .collect();
    let cases = [
        (entry("99z", "Chosen."), "unknown_measure", 2),
        (entry("1b", "Chosen."), "judges_nobody", 2),
        (entry("1a", "Chosen.") + &entry("1a", "Again."), "twice", 5),
        (entry("1a", "  "), "no_reason", 3),
        (entry("1a", "Chosen.") + "colour = 1\n", "unreadable", 4),
        (many, "too_many", 38),
    ];
    for (text, code, line) in cases {
        let error = Indicator::read(PATH, &text, &guideline).expect_err(code);
        assert_eq!((error.code, error.line), (code, line), "{error}");
        assert_eq!(error.file, PATH);
    }
    assert_eq!(Indicator::read(PATH, "", &guideline), Ok(Vec::new()));
}
