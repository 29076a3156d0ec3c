//! Centres given their case mix: deaths observed over those expected.

use super::{ModelState, Position, Suppression};
use serde::{Deserialize, Serialize};

/// The name under which small centres stand together.
pub const POOLED: &str = "pooled";

/// Centres of an endpoint around 1, the ratio all of them have together.
///
/// What follows from several points (`phi`, `tau2`, `q`, `shrunk`) rests on the points of this document alone: for a viewer from whom some
/// are hidden it is computed from those that are shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CentreComparison {
    pub state: ModelState,
    /// In the model, and with the event.
    pub patients: Option<u32>,
    pub events: Option<u32>,
    /// Of the primary estimate, without a covariate.
    pub left_out: Option<u32>,
    /// What the model takes into account, in words.
    pub covariates: Vec<String>,
    /// Covariates of the set that do not vary here.
    pub constant: Vec<String>,
    pub concordance: Option<f64>,
    /// Centres with fewer patients stand together.
    pub pooled_below: u32,
    /// Mean square of the winsorised z-scores, and variance between centres beyond chance; `None` with fewer than two points.
    pub phi: Option<f64>,
    pub tau2: Option<f64>,
    /// Exact limits for drawing, ascending.
    pub limits: Vec<RatioLimits>,
    /// By name; never by ratio.
    pub centres: Vec<CentrePoint>,
    pub remark: String,
}

/// Control limits of a ratio around 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RatioLimits {
    pub expected: f64,
    pub lower95: f64,
    pub upper95: f64,
    pub lower998: f64,
    pub upper998: f64,
}

/// One centre, or the small ones together. All that follows from its counts is `None` when they may not be shown, or nothing is expected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CentrePoint {
    /// Id or letter, or [`POOLED`].
    pub centre: String,
    /// Centres behind the point: 1, or those that stand together.
    pub pooled: u32,
    /// Whether the viewer's own centre is among those that stand together.
    pub own_among: bool,
    pub suppressed: Option<Suppression>,
    pub patients: Option<u32>,
    pub observed: Option<u32>,
    pub expected: Option<f64>,
    /// `observed / expected` with its exact 95 % interval.
    pub ratio: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Exact limits at this number of expected events.
    pub limits: Option<RatioLimits>,
    /// By the exact Poisson tail.
    pub position: Option<Position>,
    /// Allowing for overdispersion (additive): never further out than `position`.
    pub z: Option<f64>,
    pub z_adjusted: Option<f64>,
    pub limits_adjusted: Option<RatioLimits>,
    pub position_adjusted: Option<Position>,
    /// Two-sided exact p-value of a ratio of 1, and its Benjamini-Hochberg q-value among the points.
    pub p: Option<f64>,
    pub q: Option<f64>,
    /// The ratio drawn towards that of all (empirical Bayes), with its 95 % posterior interval.
    pub shrunk: Option<f64>,
    pub shrunk_lower: Option<f64>,
    pub shrunk_upper: Option<f64>,
    /// Of those that stand together, each: in the exact document only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<PoolMember>,
}

/// A small centre among those that stand together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PoolMember {
    pub centre: String,
    pub patients: u32,
    pub observed: u32,
    pub expected: f64,
}

impl CentrePoint {
    /// A point of which only the counts are known.
    pub fn counted(centre: &str, patients: u32, observed: u32, expected: f64) -> Self {
        Self {
            patients: Some(patients),
            observed: Some(observed),
            expected: Some(expected),
            ..Self::hidden(centre, None)
        }
    }

    /// A point without a number.
    pub fn hidden(centre: &str, why: Option<Suppression>) -> Self {
        Self {
            centre: centre.to_owned(),
            pooled: 1,
            own_among: false,
            suppressed: why,
            patients: None,
            observed: None,
            expected: None,
            ratio: None,
            lower: None,
            upper: None,
            limits: None,
            position: None,
            z: None,
            z_adjusted: None,
            limits_adjusted: None,
            position_adjusted: None,
            p: None,
            q: None,
            shrunk: None,
            shrunk_lower: None,
            shrunk_upper: None,
            members: Vec::new(),
        }
    }
}
