//! Cumulative hazard by Nelson and Aalen, with delayed entry.
//!
//! `H(t) = sum d / n`, variance `sum d / n^2` over the event times up to `t`.
//! Sources: Nelson 1972; Aalen 1978; Klein, Moeschberger 2003, section 4.2.

use crate::statistics::kaplan_meier::Curve;

/// The cumulative hazard from one distinct time until the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HazardStep {
    pub time: f64,
    pub cumulative_hazard: f64,
    /// Of the cumulative hazard; of rows without weights only.
    pub std_err: f64,
}

/// The cumulative hazard at the steps of a Kaplan-Meier curve (which counted its risk sets).
pub fn nelson_aalen(curve: &Curve) -> Vec<HazardStep> {
    let (mut hazard, mut variance) = (0.0, 0.0_f64);
    let step = |s: &crate::statistics::kaplan_meier::Step| {
        if s.events > 0.0 {
            hazard += s.events / s.at_risk;
            variance += s.events / (s.at_risk * s.at_risk);
        }
        HazardStep {
            time: s.time,
            cumulative_hazard: hazard,
            std_err: variance.sqrt(),
        }
    };
    curve.steps.iter().map(step).collect()
}
