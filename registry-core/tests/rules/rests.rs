//! The parameters a measure rests on, against lists made by reading its file.

use registry_core::guideline::Guideline;
use registry_core::rules::{Parameter, ParameterValue};

use crate::support::{NEWEST, STORE};

fn guideline() -> Guideline {
    let mut all = Guideline::all(&STORE, &NEWEST).unwrap_or_else(|errors| panic!("{errors}"));
    all.swap_remove(0)
}

#[test]
fn a_measure_rests_on_what_its_windows_its_terms_and_its_parts_read() {
    let guideline = guideline();
    let expected: [(&str, &[&str]); 15] = [
        // PRE0 in the numerator, FT0 in the exclusion and in G1_PRE0.
        ("1a", &["EARLY_DEATH_DAYS", "LOOKBACK_DAYS", "PRE_CAP_DAYS"]),
        // The result of 1a, and FT.
        ("1b", &["EARLY_DEATH_DAYS", "LOOKBACK_DAYS", "PRE_CAP_DAYS"]),
        // Up to the end of PRE, however far it looks back; G1 reads FT.
        ("11a", &["PRE_CAP_DAYS"]),
        ("17a", &["LOOKBACK_DAYS", "PRE_CAP_DAYS"]),
        ("18a", &["LOOKBACK_DAYS"]),
        // The timing follows from the window; no expression names it.
        ("20a", &["SYNC_WINDOW_DAYS"]),
        // The result of 23a, which reads FT.
        (
            "23b",
            &["OBS_BIOLOGY_MIN_DAYS", "OBS_WINDOW_DAYS", "PRE_CAP_DAYS"],
        ),
        ("25b", &["LOOKBACK_DAYS", "SYNC_WINDOW_DAYS"]),
        // All or none of 25a, 25b and 25c.
        ("25", &["LOOKBACK_DAYS", "SYNC_WINDOW_DAYS"]),
        // Recorded elements alone.
        ("29a", &[]),
        ("34", &["SURV_HORIZON_DAYS", "SURV_MAX_GAP_DAYS"]),
        // The result of 41a.
        ("41b", &["ANTHRACYCLINES"]),
        // The denominator of 43x.
        ("43a1", &["CONTRAINDICATION_DAYS"]),
        ("43x", &["CONTRAINDICATION_DAYS"]),
        ("no such measure", &[]),
    ];
    for (id, names) in expected {
        assert_eq!(guideline.rests_on(id), names, "{id}");
    }
}

#[test]
fn what_is_assumed_in_part_is_not_ratified() {
    let of = |basis: &str| Parameter {
        name: "P".to_owned(),
        value: ParameterValue::Days(1),
        basis: basis.to_owned(),
        note: None,
        alternatives: Vec::new(),
    };
    assert!(of("source").is_ratified() && of("committee").is_ratified());
    for basis in [
        "assumption",
        "source+assumption",
        "source + assumption",
        "",
        "somebody said so",
    ] {
        assert!(!of(basis).is_ratified(), "{basis}");
    }
    let guideline = guideline();
    // SURV_MAX_GAP_DAYS is half a year by the source and 30 days more by assumption.
    assert_eq!(
        guideline.unratified("34"),
        ["SURV_HORIZON_DAYS", "SURV_MAX_GAP_DAYS"]
    );
    assert!(
        guideline.unratified("29c").is_empty(),
        "SMOKE_DAYS is the source's"
    );
    assert_eq!(guideline.unratified("29"), ["PFT_DAYS"]);
    assert_eq!(guideline.unratified("25"), ["LOOKBACK_DAYS", "SYNC_WINDOW_DAYS"]);
    let windows = guideline.resting_on("SYNC_WINDOW_DAYS");
    assert_eq!(windows, ["20a", "20b", "25b", "25"]);
}
