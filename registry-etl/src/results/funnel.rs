//! Funnels: centres around the network.

use super::{RateState, RunIdentity, Suppression};
use serde::{Deserialize, Serialize};

/// Where a centre lies on a funnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = FunnelPosition)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    Within,
    Above95,
    Above998,
    Below95,
    Below998,
}

/// Control limits around the target for one denominator, each between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FunnelLimits {
    pub n: u32,
    pub lower95: f64,
    pub upper95: f64,
    pub lower998: f64,
    pub upper998: f64,
}

/// One centre on a funnel. All that follows from its rate is `None` when it has no rate to place, or may not be shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FunnelPoint {
    pub centre: String,
    pub state: RateState,
    pub suppressed: Option<Suppression>,
    pub numerator: Option<u32>,
    pub denominator: Option<u32>,
    pub patients: Option<u32>,
    pub not_assessable: Option<u32>,
    pub rate: Option<f64>,
    /// Exact limits at this centre's denominator.
    pub limits: Option<FunnelLimits>,
    /// By the exact binomial tail.
    pub position: Option<Position>,
    /// Distance from the target in standard errors; `None` around a target of 0 or 1.
    pub z: Option<f64>,
    /// The same allowing for overdispersion (additive); `None`, as the next two, when the funnel has no `tau2`.
    pub z_adjusted: Option<f64>,
    pub limits_adjusted: Option<FunnelLimits>,
    /// Never further out than `position`.
    pub position_adjusted: Option<Position>,
    /// Two-sided exact p-value of the network rate.
    pub p: Option<f64>,
    /// Benjamini-Hochberg q-value within the family of [`Funnels::family`]; `None` for measures of utilisation.
    pub q: Option<f64>,
    /// The earlier run its counts are of, because they have changed by few patients, or not at all, since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<i64>,
}

/// A measure's centres around the network rate, metastatic diagnosis in the last 24 months.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Funnel {
    pub measure: String,
    /// The network rate; `None` when nothing is assessable (or it is hidden): there is no funnel then.
    pub target: Option<f64>,
    /// Overdispersion factor (mean square of the winsorised z-scores) of the points shown; `None` with fewer than two of
    /// them, or around a target of 0 or 1.
    pub phi: Option<f64>,
    /// Variance between the centres shown, beyond chance.
    pub tau2: Option<f64>,
    /// Exact limits for drawing, ascending n from 1 to the largest centre, at most 200 values.
    pub limits: Vec<FunnelLimits>,
    pub points: Vec<FunnelPoint>,
    pub not_assessable_funnel: NotAssessableFunnel,
}

/// A measure's centres around the network by the share of units that could not be assessed, in the same period: who documents
/// less than the others, whatever the rate is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NotAssessableFunnel {
    /// The network's share; `None` when there is no unit (or it is hidden).
    pub target: Option<f64>,
    /// As [`Funnel::limits`].
    pub limits: Vec<FunnelLimits>,
    pub points: Vec<NotAssessablePoint>,
}

/// One centre's not-assessable share; the numbers are `None` when it has no unit, or they may not be shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NotAssessablePoint {
    pub centre: String,
    pub suppressed: Option<Suppression>,
    /// Units not assessable.
    pub numerator: Option<u32>,
    /// Units assessable or not assessable.
    pub denominator: Option<u32>,
    pub share: Option<f64>,
    pub limits: Option<FunnelLimits>,
    /// By the exact binomial tail; above: more is missing than elsewhere.
    pub position: Option<Position>,
}

/// All funnels of a run.
///
/// What follows from several points (`phi`, `tau2`, `q`) rests on the points of this document alone: for a viewer from whom
/// some are hidden it is computed from those that are shown, so that nothing hidden follows from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Funnels {
    pub run: RunIdentity,
    pub last_24_months_from: String,
    /// Tests in the Benjamini-Hochberg family ([`crate::measures::Family`]): every centre of every measure of this run that
    /// has a p-value, measures of utilisation left out.
    pub family: u32,
    pub funnels: Vec<Funnel>,
}
