//! The level of a case in a breakdown, as known on the day of the origin.

use super::course::{Disease, Line};
use super::definition::{Definition, Origin, Stratum};
use super::units::{Cohort, Unit, ablates, known};
use chrono::{Datelike, Months};
use registry_core::record::{day_number, day_of};

/// Age from which a patient is in the older group.
const OLDER: u16 = 70;
/// Years of a calendar period.
const PERIOD: i32 = 5;
/// Months that divide the disease-free interval.
const INTERVAL: u32 = 12;
/// Days on either side of the origin within which a performance status is that of the origin.
const ECOG_DAYS: i32 = 42;

/// The level of a row; `None` when it is not recorded.
pub(super) fn level(
    stratum: Stratum,
    definition: &Definition,
    cohort: &Cohort<'_>,
    unit: &Unit<'_>,
    origin: i32,
) -> Option<String> {
    let case = unit.case;
    match stratum {
        Stratum::Histology => case.histology.clone(),
        Stratum::Timing => case.timing.clone(),
        Stratum::Organ => case.organ.clone(),
        Stratum::Age => case.age.map(|age| {
            let group = if age < OLDER { "below_70" } else { "70_and_over" };
            group.to_owned()
        }),
        Stratum::Period => day_of(origin).map(|date| {
            let first = date.year() - date.year().rem_euclid(PERIOD);
            format!("{first}-{}", first + PERIOD - 1)
        }),
        Stratum::Completeness => unit.treatment?.completeness.clone(),
        Stratum::MacroscopicCompleteness => match unit.treatment?.completeness.as_deref()? {
            "R0" | "R1" => Some("R0_or_R1".to_owned()),
            other => Some(other.to_owned()),
        },
        Stratum::Dfi => interval(unit).map(str::to_owned),
        Stratum::LowVolume => {
            let (count, mm) = cohort.low_volume?;
            let disease = treated(unit)?;
            let low = disease.lesions? <= count && disease.largest_mm? <= mm;
            Some(if low { "low" } else { "high" }.to_owned())
        }
        Stratum::TreatmentKind => {
            let presentation = unit.treatment?.presentation?;
            let ablated = case.course.locals.iter().any(|one| {
                ablates(one)
                    && one.presentation == Some(presentation)
                    && known(one.date).is_some_and(|at| at <= origin)
            });
            Some(
                if ablated {
                    "resection_and_ablation"
                } else {
                    "resection"
                }
                .to_owned(),
            )
        }
        Stratum::PriorResponse => response_before(&case.course.lines, origin).map(str::to_owned),
        Stratum::Regimen => unit.line?.regimen.clone(),
        Stratum::Grade => case.course.grade.map(|grade| format!("grade_{grade}")),
        Stratum::Ecog => ecog(unit, origin).map(|ecog| {
            let level = match ecog {
                0 => "ecog_0",
                1 => "ecog_1",
                _ => "ecog_2_and_over",
            };
            level.to_owned()
        }),
        Stratum::Volume => {
            let operated = definition.origin.is_local();
            cohort.third(unit.at, origin, operated).map(str::to_owned)
        }
        Stratum::Site => unit.treatment?.site.clone(),
        Stratum::Modality => unit.treatment?.modality.clone(),
    }
}

/// The presentation that was treated; the first where nothing local is counted from.
pub(super) fn treated<'a>(unit: &Unit<'a>) -> Option<&'a Disease> {
    let seq = match unit.treatment {
        Some(treatment) => treatment.presentation?,
        None if unit.local => return None,
        None => 1,
    };
    unit.case
        .course
        .presentations
        .iter()
        .find(|one| one.seq == Some(seq))
}

/// Performance status nearest to the origin; of two as near the earlier.
pub(super) fn ecog(unit: &Unit<'_>, origin: i32) -> Option<u8> {
    let dated = unit.case.course.ecog.iter();
    dated
        .filter_map(|(date, ecog)| Some((known(*date)?, *ecog)))
        .filter(|(at, _)| (at - origin).abs() <= ECOG_DAYS)
        .min_by_key(|(at, _)| ((at - origin).abs(), *at))
        .map(|(_, ecog)| ecog)
}

/// From the end of the primary's treatment, or from the last clearance before a later presentation, to the presentation.
pub(super) fn interval(unit: &Unit<'_>) -> Option<&'static str> {
    let case = unit.case;
    let disease = treated(unit)?;
    let detected = known(disease.detected);
    if disease.seq != Some(1) {
        let detected = detected?;
        let cleared = case.course.locals.iter().filter(|one| one.cleared);
        let last = cleared
            .filter_map(|one| known(one.date))
            .filter(|at| *at <= detected)
            .max();
        return match last {
            Some(last) => months_apart(last, detected),
            None => Some("not_defined"),
        };
    }
    match case.timing.as_deref()? {
        "synchronous" => Some("below_12_months"),
        _ => match case.course.primary_cleared {
            Some(false) => Some("not_defined"),
            _ => months_apart(known(case.course.completed)?, detected?),
        },
    }
}

/// Whether twelve calendar months lie between two days.
fn months_apart(from: i32, to: i32) -> Option<&'static str> {
    let year = day_of(from)?.checked_add_months(Months::new(INTERVAL))?;
    Some(if to < day_number(year) {
        "below_12_months"
    } else {
        "12_months_and_over"
    })
}

/// Response to the last line begun before the origin; one that goes on past it says nothing of the time before.
fn response_before(lines: &[Line], origin: i32) -> Option<&'static str> {
    let started = lines
        .iter()
        .filter_map(|line| Some((known(line.start)?, line)))
        .filter(|(at, _)| *at < origin);
    // A line without a date may be the one.
    if lines.iter().any(|line| known(line.start).is_none()) {
        return None;
    }
    let Some((_, last)) = started.max_by_key(|(at, _)| *at) else {
        return Some("no_systemic_treatment");
    };
    known(last.stop).filter(|at| *at <= origin)?;
    match last.response.as_deref()? {
        "CR" | "PR" => Some("response_or_lasting_stability"),
        "SD" if last.lasting => Some("response_or_lasting_stability"),
        _ => Some("no_response"),
    }
}

/// Whether an endpoint's rows are episodes, several of which may be of one patient.
pub(super) fn repeated(definition: &Definition) -> bool {
    definition.origin == Origin::RepeatMetastasectomy
}
