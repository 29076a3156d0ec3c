//! What is known of a patient at the origin, as numbers a model takes: the committee's adjustment set.
//!
//! Response is not among them, because the record does not date it.

use super::strata::{ecog, interval, treated};
use super::units::Unit;

/// Age at which the covariate is 0, and the years that are one unit of it.
const AGE: (f64, f64) = (60.0, 10.0);
/// More lesions than these count as these: 999 stands for too many to count.
const MOST_LESIONS: u32 = 64;

/// Number of covariates known at the origin.
pub(super) const KNOWN: usize = 9;
/// Code and words of each.
pub(super) const NAMES: [(&str, &str); KNOWN] = [
    ("age", "Age, per ten years"),
    ("ecog", "ECOG 2 and over against 0 and 1"),
    ("histology_lms", "Leiomyosarcoma against liposarcoma"),
    ("histology_other", "Other histology against liposarcoma"),
    ("grade", "Grade 3 against 1 and 2"),
    (
        "dfi_short",
        "Disease-free interval below 12 months against longer",
    ),
    (
        "dfi_not_defined",
        "Primary never cleared against an interval of 12 months and over",
    ),
    ("lesions", "Lesions, per doubling"),
    ("not_resectable", "Borderline or unresectable against resectable"),
];

/// Every covariate: the standard adjustment set.
pub(super) const STANDARD: [usize; KNOWN] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
/// Age, ECOG, histology, grade, disease-free interval and number of lesions: what centres are compared given.
pub(super) const CASE_MIX: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
/// The standard set without age, which a release does not hold.
pub(super) const RELEASED: [usize; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

/// Each covariate of a row, `None` where it is not recorded.
pub(super) fn known_at(unit: &Unit<'_>, origin: i32) -> [Option<f64>; KNOWN] {
    let case = unit.case;
    let is = |yes: bool| f64::from(u8::from(yes));
    let histology = case.histology.as_deref();
    let lipo = |code: &str| matches!(code, "wdlps" | "ddlps");
    let disease = treated(unit);
    let interval = interval(unit);
    let lesions = disease.and_then(|one| one.lesions);
    let resectability = disease.and_then(|one| one.resectability.as_deref());
    [
        case.age.map(|age| (f64::from(age) - AGE.0) / AGE.1),
        ecog(unit, origin).map(|ecog| is(ecog >= 2)),
        histology.map(|code| is(code == "lms")),
        histology.map(|code| is(!lipo(code) && code != "lms")),
        case.course.grade.map(|grade| is(grade == 3)),
        interval.map(|level| is(level == "below_12_months")),
        interval.map(|level| is(level == "not_defined")),
        lesions.map(|n| f64::from(n.clamp(1, MOST_LESIONS)).log2()),
        resectability.map(|code| is(code != "resectable")),
    ]
}

/// The covariates at positions `wanted`; `None` when one is not recorded.
pub(super) fn complete(unit: &Unit<'_>, origin: i32, wanted: &[usize]) -> Option<Vec<f64>> {
    let known = known_at(unit, origin);
    wanted.iter().map(|at| *known.get(*at)?).collect()
}

/// The columns that vary among `rows`.
pub(super) fn varying(rows: &[&[f64]], width: usize) -> Vec<usize> {
    let Some(first) = rows.first() else {
        return Vec::new();
    };
    let varies = |at: &usize| rows.iter().any(|row| row.get(*at) != first.get(*at));
    (0..width).filter(varies).collect()
}
