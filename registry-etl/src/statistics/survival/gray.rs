//! Gray's test: equal cumulative incidence of one cause between k groups.
//!
//! Per group r, at risk `Y`, `S` free of any event, `F` incidence of the cause: `h_r = Y_r / S_r(t-)`,
//! `R_r = h_r (1 - F_r(t-))`. Score `z_k = sum L (d_k - d R_k / R)` over the times of the cause, sums over groups without
//! index, `L = (1 - F0(t-))^rho`, pooled incidence `dF0 = d / h`.
//! Covariance under equality: an increment of the hazard of the cause in group r weighs
//! `a_kr = L h_r (1{k=r} - h_k/h) + b_kr + C_kr`, one of the other causes `b_kr = -(1 - F0)/S_r C_kr`, with `C_kr` the sum of
//! `L h_r (1{k=r} - h_k/h) dF0 / (1 - F0(t-))` over later times; their variances are `dF0 / h_r` and `dF2_r / h_r`. Events tied
//! among `m` leave the share `1 - (d - 1)/(m - 1)` of the variance (hypergeometric), `m = h S_r(t-)` for the cause and `Y_r`
//! for the others. `z' V^- z` is chi-square with k - 1 degrees of freedom.
//! Source: Gray 1988, Annals of Statistics 16:1141.

use super::input::{Groups, Rows};
use crate::statistics::cholesky::Cholesky;
use crate::statistics::{StatisticsError, gamma};

/// A test of equal cumulative incidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Gray {
    pub cause: usize,
    /// Of each group, in the order of the labels; they sum to 0.
    pub score: Vec<f64>,
    /// Covariance of the scores, k x k.
    pub variance: Vec<Vec<f64>>,
    pub chi_square: f64,
    pub df: usize,
    pub p: f64,
}

/// Tests whether `groups` differ in the incidence of `cause`; `rho` 0 weighs all times alike.
///
/// # Errors
/// No such cause; groups of another length than the rows; one group only; delayed entry; case weights; a `rho` that is
/// negative or not finite; nothing to test (no event of the cause while two groups are at risk).
pub fn gray_test(rows: &Rows, groups: &Groups, cause: usize, rho: f64) -> Result<Gray, StatisticsError> {
    rows.check_cause(cause)?;
    groups.check(rows.len())?;
    let k = groups.at_least_two()?;
    rows.refuse_weights("Gray's test")?;
    rows.refuse_delayed_entry(
        "Gray's test",
        "its variance is derived for observation from the beginning",
    )?;
    if !(rho.is_finite() && rho >= 0.0) {
        return Err(StatisticsError::Rho);
    }
    let (times, score) = forward(rows, groups, cause, rho);
    let variance = backward(&times, k);
    // One group follows from the others.
    let matrix: Vec<Vec<f64>> = (1..k).map(|a| variance[a][1..=a].to_vec()).collect();
    let factor = Cholesky::of(&matrix).ok_or(StatisticsError::NoVariation)?;
    let free = &score[1..];
    let chi_square = factor.solve(free).iter().zip(free).map(|(a, b)| a * b).sum();
    let df = k - 1;
    Ok(Gray {
        cause,
        p: gamma::chi_square_above(chi_square, df as f64),
        score,
        variance,
        chi_square,
        df,
    })
}

/// One group at one time.
struct Place {
    h: f64,
    /// Variance of an increment of the cause and of the others, ties taken off.
    own: f64,
    others: f64,
    /// `(1 - F0) / S_r` after the time; `None` when nobody of the group is left.
    ratio: Option<f64>,
}

/// One event time of any cause.
struct Moment {
    /// `L`, and `dF0 / (1 - F0(t-))`.
    weight: f64,
    hazard: f64,
    h: f64,
    places: Vec<Place>,
}

/// The scores, and what the variance needs of each time.
fn forward(rows: &Rows, groups: &Groups, cause: usize, rho: f64) -> (Vec<Moment>, Vec<f64>) {
    let (all, of, order) = (rows.as_slice(), groups.as_slice(), rows.by_exit());
    let k = groups.labels().len();
    let mut at_risk: Vec<f64> = groups.members().iter().map(|m| m.len() as f64).collect();
    let (mut survival, mut incidence) = (vec![1.0; k], vec![0.0; k]);
    let mut pooled = 1.0_f64;
    let (mut times, mut score) = (Vec::new(), vec![0.0; k]);
    let mut next = 0;
    while let Some(first) = order.get(next) {
        let time = all[*first].exit;
        let (mut own, mut others, mut left) = (vec![0.0; k], vec![0.0; k], vec![0.0; k]);
        while let Some(i) = order.get(next).filter(|i| all[**i].exit == time) {
            left[of[*i]] += 1.0;
            match all[*i].code {
                0 => {}
                code if code == cause => own[of[*i]] += 1.0,
                _ => others[of[*i]] += 1.0,
            }
            next += 1;
        }
        let d: f64 = own.iter().sum();
        if d > 0.0 || others.iter().any(|d| *d > 0.0) {
            let per = |r: usize| {
                if at_risk[r] > 0.0 {
                    at_risk[r] / survival[r]
                } else {
                    0.0
                }
            };
            let h: Vec<f64> = (0..k).map(per).collect();
            let all_h: f64 = h.iter().sum();
            let reach: Vec<f64> = (0..k).map(|r| h[r] * (1.0 - incidence[r])).collect();
            let all_reach: f64 = reach.iter().sum();
            let weight = if rho == 0.0 { 1.0 } else { pooled.powf(rho) };
            let rise = d / all_h;
            let hazard = rise / pooled;
            pooled -= rise;
            let mut places = Vec::with_capacity(k);
            for r in 0..k {
                score[r] += weight * (own[r] - d * reach[r] / all_reach);
                let mut place = Place {
                    h: h[r],
                    own: 0.0,
                    others: 0.0,
                    ratio: None,
                };
                if at_risk[r] > 0.0 {
                    let before = survival[r];
                    place.own = rise / h[r] * untied(d, all_h * before);
                    place.others = before * others[r] / at_risk[r] / h[r] * untied(others[r], at_risk[r]);
                    incidence[r] += before * own[r] / at_risk[r];
                    let staying = at_risk[r] - own[r] - others[r];
                    survival[r] = before * staying / at_risk[r];
                    place.ratio = (staying > 0.0).then(|| pooled / survival[r]);
                }
                places.push(place);
            }
            times.push(Moment {
                weight,
                hazard,
                h: all_h,
                places,
            });
        }
        at_risk.iter_mut().zip(&left).for_each(|(n, left)| *n -= left);
    }
    (times, score)
}

/// The share of variance that `d` ties among `m` leave.
fn untied(d: f64, m: f64) -> f64 {
    if d <= 1.0 {
        1.0
    } else if m > 1.0 {
        (1.0 - (d - 1.0) / (m - 1.0)).max(0.0)
    } else {
        0.0
    }
}

/// The covariance of the scores, from the last time to the first.
fn backward(times: &[Moment], k: usize) -> Vec<Vec<f64>> {
    let mut variance = vec![vec![0.0; k]; k];
    let mut later = vec![vec![0.0; k]; k];
    let (mut a, mut b) = (vec![0.0; k], vec![0.0; k]);
    for time in times.iter().rev() {
        for (r, place) in time.places.iter().enumerate().filter(|(_, p)| p.h > 0.0) {
            for i in 0..k {
                let same = if i == r { 1.0 } else { 0.0 };
                let direct = time.weight * place.h * (same - time.places[i].h / time.h);
                let ahead = later[i][r];
                b[i] = place.ratio.map_or(0.0, |ratio| -ratio * ahead);
                a[i] = direct + place.ratio.map_or(0.0, |_| ahead) + b[i];
                later[i][r] += direct * time.hazard;
            }
            for i in 0..k {
                for j in 0..k {
                    variance[i][j] += a[i] * a[j] * place.own + b[i] * b[j] * place.others;
                }
            }
        }
    }
    variance
}
