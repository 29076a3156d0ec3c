//! The section of a survival page that sets centres against what their case mix lets expect.

use registry_etl::cohorts::Definition;
use registry_etl::results::{CentrePoint, ModelState, POOLED, SurvivalResult};

use super::words;
use crate::charts;

/// What stands under the heading.
pub(super) struct Section {
    pub(super) chart: Option<String>,
    pub(super) said: String,
    pub(super) remark: String,
    pub(super) spread: String,
    /// Name, whether the viewer's own, and the cells: patients, observed, expected, ratio, position, the same allowing for
    /// overdispersion, drawn towards all.
    pub(super) rows: Vec<(String, bool, [String; 7])>,
}

/// The section of an endpoint; `own` is the viewer's centre by name.
pub(super) fn section(
    definition: &Definition,
    result: &SurvivalResult,
    own: Option<&str>,
) -> Option<Section> {
    let found = result.centres.as_ref()?;
    let said = match &found.state {
        ModelState::Modelled => format!(
            "Cox model of {} patients with {} deaths, without a term for the centre; without a covariate and left out: {}. Given: {}. Concordance {:.2}.",
            words::count(found.patients),
            words::count(found.events),
            words::count(found.left_out),
            found.covariates.join("; "),
            found.concordance.unwrap_or(0.5)
        ),
        ModelState::TooFewEvents => "No comparison: fewer than ten deaths per covariate.".to_owned(),
        ModelState::NoEstimate(why) => format!("No comparison: {why}."),
        ModelState::Suppressed => "Not shown: few patients.".to_owned(),
    };
    let shrinkage = "Small centres are drawn towards the ratio of all (empirical Bayes, gamma-Poisson).";
    let spread = match (found.phi, found.tau2) {
        (Some(phi), Some(tau2)) => format!(
            "Spread between centres (winsorised 10 %): phi {phi:.2}; additive variance between centres {tau2:.4}. {shrinkage}"
        ),
        _ => String::new(),
    };
    let modelled = found.state == ModelState::Modelled;
    Some(Section {
        chart: charts::ratio_funnel(
            found,
            own,
            &format!("{}: centres given their case mix", definition.title),
        ),
        said,
        remark: found.remark.clone(),
        spread,
        rows: found
            .centres
            .iter()
            .filter(|_| modelled)
            .map(|point| row(point, found.pooled_below, own))
            .collect(),
    })
}

fn row(point: &CentrePoint, below: u32, own: Option<&str>) -> (String, bool, [String; 7]) {
    let is_own = own == Some(point.centre.as_str()) || point.own_among;
    let name = match (point.centre.as_str(), point.own_among) {
        (POOLED, true) => format!(
            "{} centres below {below} patients, yours among them",
            point.pooled
        ),
        (POOLED, false) => format!("{} centres below {below} patients, together", point.pooled),
        (name, _) => name.to_owned(),
    };
    let told = |value: Option<f64>, lower: Option<f64>, upper: Option<f64>| match (value, lower, upper) {
        (Some(value), Some(lower), Some(upper)) => format!("{value:.2} ({lower:.2} to {upper:.2})"),
        _ => "–".to_owned(),
    };
    let cells = [
        words::count(point.patients),
        words::count(point.observed),
        point
            .expected
            .map_or_else(|| "not shown".to_owned(), |e| format!("{e:.1}")),
        told(point.ratio, point.lower, point.upper),
        words::position(point.position).to_owned(),
        words::position(point.position_adjusted).to_owned(),
        match (point.shrunk, point.shrunk_lower) {
            (Some(shrunk), None) => format!("{shrunk:.2}, no more than chance between centres"),
            (shrunk, lower) => told(shrunk, lower, point.shrunk_upper),
        },
    ];
    (name, is_own, cells)
}
