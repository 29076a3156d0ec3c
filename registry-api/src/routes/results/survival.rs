//! Which part of an endpoint is asked for, and which comparison is refused.

use registry_etl::cohorts::Definition;
use registry_etl::cohorts::landmark::MONTHS;
use registry_etl::results::SurvivalResult;
use serde::Deserialize;

use crate::problem::{Kind, Problem};

/// Treatments that come after the origin: whoever has them has lived long enough to.
const AFTER_THE_ORIGIN: [&str; 4] = ["metastasectomy", "ablation", "local_treatment", "systemic"];
/// Known only after the origin, and never dated.
const NEVER_DATED: &str = "response";

/// Which table of an endpoint a CSV is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Every step of every curve; of a share or a change, its rows.
    #[default]
    Curves,
    /// Numbers at risk at 0, 12, 24, 36, 48 and 60 months.
    AtRisk,
    /// Exclusions by reason.
    Flow,
    /// Centres by deaths observed over expected.
    Centres,
    /// Each curve in a line: patients, events, median, follow-up.
    Summary,
    /// Tests between the groups of a breakdown; with a landmark asked for, the hazard ratios from it.
    Tests,
}

/// Which curves of an endpoint.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curves {
    /// `by` is what the contract and the other results call it.
    #[serde(alias = "by")]
    pub(super) stratum: Option<String>,
    /// Months from the origin.
    pub(super) landmark: Option<u32>,
    #[serde(default)]
    pub(super) table: Table,
    pub(super) run: Option<i64>,
    /// Of a table, separated by commas.
    pub(super) columns: Option<String>,
}

impl Curves {
    /// Refuses what is no stratum of the endpoint, and says why when it would mislead.
    pub(super) fn check(&self, definition: &Definition) -> Result<(), Problem> {
        check(definition, self.stratum.as_deref(), self.landmark)
    }

    /// Keeps what was asked for, beside the estimate of all.
    pub(super) fn keep(&self, result: &mut SurvivalResult) {
        keep(result, self.stratum.as_deref(), self.landmark);
    }
}

/// Whether a stratum, with or without a landmark, may be shown for an endpoint.
///
/// # Errors
/// [`Kind::MisleadingComparison`] for what is known only after the origin, [`Kind::BadQuery`] for what the endpoint is not broken down by
/// and for another landmark than 6 or 12 months.
pub fn check(definition: &Definition, stratum: Option<&str>, landmark: Option<u32>) -> Result<(), Problem> {
    let landmarked = |by: &str| definition.landmarks.iter().any(|one| one.as_str() == by);
    if landmark.is_some_and(|months| !MONTHS.contains(&months)) {
        return Err(Problem::with(
            Kind::BadQuery,
            "landmarks: 6 and 12 months".to_owned(),
        ));
    }
    let Some(stratum) = stratum else {
        return match landmark {
            Some(_) if definition.landmarks.is_empty() => Err(Problem::with(
                Kind::BadQuery,
                format!("landmark: {} has no comparison from a landmark", definition.id),
            )),
            _ => Ok(()),
        };
    };
    let known = definition.strata.iter().any(|known| known.as_str() == stratum);
    if landmark.is_some() && landmarked(stratum) || landmark.is_none() && known {
        return Ok(());
    }
    if stratum == NEVER_DATED {
        return Err(Problem::with(
            Kind::MisleadingComparison,
            format!(
                "`{stratum}` is not known at the origin of {}, and the record holds no date of a response: patients who respond lived \
                 long enough to (immortal time), and no landmark can be set.",
                definition.id
            ),
        ));
    }
    if AFTER_THE_ORIGIN.contains(&stratum) && !(landmark.is_some() && known) {
        let instead = if landmarked(stratum) {
            format!("Ask with landmark=6 or landmark=12 (months): ?stratum={stratum}&landmark=6.")
        } else {
            "Such a comparison needs a landmark, with the treatment classified before it, or a time-dependent covariate: \
             see landmark=6 and landmark=12 of S1."
                .to_owned()
        };
        return Err(Problem::with(
            Kind::MisleadingComparison,
            format!(
                "`{stratum}` is not known at the origin of {}: patients who have it lived long enough to have it, and that time \
                 would be counted in its favour (immortal time). {instead}",
                definition.id
            ),
        ));
    }
    let known: Vec<&str> = definition.strata.iter().map(|known| known.as_str()).collect();
    let landmarks: Vec<&str> = definition.landmarks.iter().map(|known| known.as_str()).collect();
    Err(Problem::with(
        Kind::BadQuery,
        format!(
            "strata of {}: {}; from a landmark: {}",
            definition.id,
            known.join(", "),
            if landmarks.is_empty() {
                "none".to_owned()
            } else {
                landmarks.join(", ")
            }
        ),
    ))
}

/// Keeps the breakdown and the landmark asked for, beside the estimate of all.
pub fn keep(result: &mut SurvivalResult, stratum: Option<&str>, landmark: Option<u32>) {
    if let Some(stratum) = stratum {
        let asked = |by: &str| by == "all" || by == stratum;
        result.curves.retain(|one| asked(&one.by));
        result.incidence.retain(|one| asked(&one.by));
        result.tests.retain(|one| asked(&one.by));
        result.proportions.retain(|one| asked(&one.by));
        result.landmark_comparisons.retain(|one| one.by == stratum);
    }
    if let Some(months) = landmark {
        result
            .landmark_comparisons
            .retain(|one| one.landmark_months == months);
    }
}
