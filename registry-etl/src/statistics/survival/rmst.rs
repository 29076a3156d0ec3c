//! Restricted mean survival time and its comparison between two groups.
//!
//! `mu(tau)`: area under the Kaplan-Meier curve up to `tau`; variance `sum (area from t to tau)^2 d / (n (n - d))` over the
//! event times up to `tau` (Greenwood). Difference `mu_2 - mu_1`, normal; ratio on the log scale with
//! `se^2 = se_1^2 / mu_1^2 + se_2^2 / mu_2^2`.
//! Sources: Klein, Moeschberger 2003, section 4.5; Royston, Parmar 2013; Uno et al. 2014.

use super::input::{Groups, Rows};
use crate::statistics::kaplan_meier::{Band, Curve, kaplan_meier};
use crate::statistics::{StatisticsError, normal};

/// Mean time lived within `tau`, in the unit of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RestrictedMean {
    pub tau: f64,
    pub mean: f64,
    pub std_err: f64,
    pub lower: f64,
    pub upper: f64,
}

/// A contrast with its interval and two-sided p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    pub estimate: f64,
    /// Of the difference, or of the log of the ratio.
    pub std_err: f64,
    pub lower: f64,
    pub upper: f64,
    /// `None` where neither group varies.
    pub p: Option<f64>,
}

/// Two groups compared at the same `tau`.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoGroups {
    /// In the order of the labels.
    pub groups: [RestrictedMean; 2],
    /// Second less first.
    pub difference: Contrast,
    /// Second over first; `None` when a mean is 0.
    pub ratio: Option<Contrast>,
}

/// The restricted mean of an estimated curve, interval at `level`.
///
/// # Errors
/// A `tau` that is not a finite number above 0, or lies past the last exit while somebody still survives there; a level
/// outside (0, 1).
pub fn restricted_mean(curve: &Curve, tau: f64, level: f64) -> Result<RestrictedMean, StatisticsError> {
    let z = normal::two_sided(level)?;
    if !(tau.is_finite() && tau > 0.0) {
        return Err(StatisticsError::Horizon);
    }
    if curve
        .steps
        .last()
        .is_none_or(|s| tau > s.time && s.survival > 0.0)
    {
        return Err(StatisticsError::HorizonBeyond);
    }
    // From the last step back, the area still ahead of each time is at hand.
    let (mut ahead, mut until, mut variance) = (0.0, tau, 0.0);
    let within = curve.steps.partition_point(|s| s.time <= tau);
    for s in curve.steps[..within].iter().rev() {
        ahead += s.survival * (until - s.time);
        until = s.time;
        if s.events > 0.0 && s.survival > 0.0 {
            variance += ahead * ahead * s.events / (s.at_risk * (s.at_risk - s.events));
        }
    }
    let (mean, std_err) = (ahead + until, variance.sqrt());
    Ok(RestrictedMean {
        tau,
        mean,
        std_err,
        lower: mean - z * std_err,
        upper: mean + z * std_err,
    })
}

/// Compares the restricted means of two groups.
///
/// # Errors
/// As [`restricted_mean`]; other than two groups; case weights; delayed entry (the weak start of a truncated curve would
/// enter the area unseen).
pub fn restricted_mean_difference(
    rows: &Rows,
    groups: &Groups,
    tau: f64,
    level: f64,
) -> Result<TwoGroups, StatisticsError> {
    let z = normal::two_sided(level)?;
    if groups.labels().len() != 2 {
        return Err(StatisticsError::TwoGroups);
    }
    rows.refuse_weights("the difference of restricted means")?;
    rows.refuse_delayed_entry(
        "the difference of restricted means",
        "few are at risk at the start of a truncated curve and its area carries their chance",
    )?;
    let mean = |group| {
        let curve = kaplan_meier(&groups.rows(rows, group)?.subjects(), level, Band::LogLog)?;
        restricted_mean(&curve, tau, level)
    };
    let [first, second] = [mean(0)?, mean(1)?];
    let estimate = second.mean - first.mean;
    let std_err = first.std_err.hypot(second.std_err);
    let p = |estimate: f64, se: f64| (se > 0.0).then(|| normal::two_sided_p(estimate / se));
    let ratio = (first.mean > 0.0 && second.mean > 0.0).then(|| {
        let log = (second.mean / first.mean).ln();
        let se = (first.std_err / first.mean).hypot(second.std_err / second.mean);
        Contrast {
            estimate: second.mean / first.mean,
            std_err: se,
            lower: (log - z * se).exp(),
            upper: (log + z * se).exp(),
            p: p(log, se),
        }
    });
    Ok(TwoGroups {
        groups: [first, second],
        difference: Contrast {
            estimate,
            std_err,
            lower: estimate - z * std_err,
            upper: estimate + z * std_err,
            p: p(estimate, std_err),
        },
        ratio,
    })
}
