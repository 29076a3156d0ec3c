//! Cumulative incidence of competing events by Aalen and Johansen, with delayed entry.
//!
//! With `d_c` events of cause c (`d` of any) among `n` at risk at `t`: `dF_c = S(t-) d_c / n`, `S(t) = prod (1 - d/n)`.
//! Variance: infinitesimal jackknife, the sum over rows of the squared derivative of `F_c(t)` by the row's weight. With
//! `B(t) = sum d / (n (n - d))` and `C_c(t) = sum (B(s-) - 1/n) dF_c(s)` the derivative of a row under observation since `e`
//! is `C_c(t) - C_c(e) - B(e) (F_c(t) - F_c(e))`; at its exit it gains `S(t-)/n` if its event is c and from then on moves by
//! `D dF_c`, `D = B(exit) - B(e) - 1{event} / (n - d)`. The squares are polynomials in `F_c`, `C_c`, `B`, so running sums
//! give every step in `O(n log n)`.
//! Intervals on the scale of `log(-log F)`, `log F` or F; at `F = 0` \[0, 0\], at `F = 1` none.
//! Sources: Aalen, Johansen 1978; Jaeckel 1972 and Efron 1982 (infinitesimal jackknife); Therneau, Grambsch 2000.

use super::input::{Row, Rows};
use crate::statistics::kaplan_meier::Band;
use crate::statistics::{StatisticsError, normal};

/// Events that leave less than this share of the risk set leave nobody.
const NOBODY: f64 = 1e-12;

/// How close an incidence must be to 1 to be 1: its steps are sums, which miss it by rounding.
const SAME_AS_ONE: f64 = 1e-12;

/// What happened at one distinct exit time.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidenceStep {
    pub time: f64,
    /// Weight at risk just before `time`, counted exactly.
    pub at_risk: f64,
    /// Weight of the events of each cause, cause 1 first.
    pub events: Vec<f64>,
    pub censored: f64,
    /// Free of any event.
    pub survival: f64,
    /// Of each cause, cause 1 first.
    pub causes: Vec<CumulativeIncidence>,
}

/// Cumulative incidence of one cause.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CumulativeIncidence {
    pub incidence: f64,
    /// Infinitesimal jackknife.
    pub std_err: f64,
    /// `None` at an incidence of 1.
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// Cumulative incidence of every cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Incidence {
    /// One step per distinct exit time, ascending.
    pub steps: Vec<IncidenceStep>,
    /// Rows (weights not counted).
    pub n: usize,
    causes: usize,
}

/// Estimates the incidence of every cause of `rows`, interval at `level`.
///
/// # Errors
/// A level outside (0, 1).
pub fn aalen_johansen(rows: &Rows, level: f64, band: Band) -> Result<Incidence, StatisticsError> {
    let z = normal::two_sided(level)?;
    let all = rows.as_slice();
    let order = rows.by_exit();
    let mut entering: Vec<usize> = (0..all.len()).collect();
    entering.sort_by(|a, b| all[*a].entry.total_cmp(&all[*b].entry));
    let mut state = State::new(rows.causes(), all.len());
    let mut steps = Vec::new();
    let (mut next, mut entered) = (0, 0);
    while let Some(first) = order.get(next) {
        let time = all[*first].exit;
        while let Some(i) = entering.get(entered).filter(|i| all[**i].entry < time) {
            state.enter(*i, all[*i].weight);
            entered += 1;
        }
        let begin = next;
        while order.get(next).is_some_and(|i| all[*i].exit == time) {
            next += 1;
        }
        steps.push(state.step(time, all, &order[begin..next], z, band));
    }
    Ok(Incidence {
        steps,
        n: all.len(),
        causes: rows.causes(),
    })
}

/// Sums of squares and products, with squared weights, that give the variance of one cause.
#[derive(Clone, Default)]
struct Squares {
    incidence: f64,
    /// `C_c`.
    slope: f64,
    /// Of those at risk, with `k = B(e) F(e) - C(e)`: k, k B(e), k^2.
    k: f64,
    k_b: f64,
    k_k: f64,
    /// Of those gone, whose derivative is `alpha + D F`: alpha^2, alpha D.
    alpha_alpha: f64,
    alpha_d: f64,
}

struct State {
    at_risk: f64,
    survival: f64,
    /// `B`.
    hazard: f64,
    /// Of those at risk: squared weight, times `B(e)`, times its square.
    one: f64,
    b: f64,
    b_b: f64,
    /// Of those gone: D^2.
    d_d: f64,
    causes: Vec<Squares>,
    /// `B(e)` of each row, and its `k` of each cause.
    entered: Vec<f64>,
    constants: Vec<f64>,
}

impl State {
    fn new(causes: usize, n: usize) -> Self {
        Self {
            at_risk: 0.0,
            survival: 1.0,
            hazard: 0.0,
            one: 0.0,
            b: 0.0,
            b_b: 0.0,
            d_d: 0.0,
            causes: vec![Squares::default(); causes],
            entered: vec![0.0; n],
            constants: vec![0.0; n * causes],
        }
    }

    fn enter(&mut self, i: usize, weight: f64) {
        self.at_risk += weight;
        self.entered[i] = self.hazard;
        let many = self.causes.len();
        for (c, cause) in self.causes.iter().enumerate() {
            self.constants[i * many + c] = self.hazard * cause.incidence - cause.slope;
        }
        self.count(i, weight * weight);
    }

    /// Adds a row to the sums of those at risk, or takes it away.
    fn count(&mut self, i: usize, square: f64) {
        let (b, many) = (self.entered[i], self.causes.len());
        self.one += square;
        self.b += square * b;
        self.b_b += square * b * b;
        for (c, cause) in self.causes.iter_mut().enumerate() {
            let k = self.constants[i * many + c];
            cause.k += square * k;
            cause.k_b += square * k * b;
            cause.k_k += square * k * k;
        }
    }

    fn step(&mut self, time: f64, all: &[Row], leaving: &[usize], z: f64, band: Band) -> IncidenceStep {
        let many = self.causes.len();
        let mut by_code = vec![0.0; many + 1];
        leaving
            .iter()
            .for_each(|i| by_code[all[*i].code] += all[*i].weight);
        let (n, before) = (self.at_risk, self.survival);
        let d: f64 = by_code[1..].iter().sum();
        let staying = if n - d <= NOBODY * n { 0.0 } else { n - d };
        if d > 0.0 {
            for (cause, events) in self.causes.iter_mut().zip(&by_code[1..]) {
                let rise = before * events / n;
                cause.incidence += rise;
                cause.slope += rise * (self.hazard - 1.0 / n);
            }
            self.survival = before * staying / n;
            // Once nobody stays, nothing rises any more and B is of no account.
            if staying > 0.0 {
                self.hazard += d / (n * staying);
            }
        }
        for i in leaving {
            let row = &all[*i];
            let square = row.weight * row.weight;
            self.count(*i, -square);
            self.at_risk -= row.weight;
            let lost = if row.code > 0 && staying > 0.0 {
                1.0 / staying
            } else {
                0.0
            };
            let b = self.entered[*i];
            let slope = self.hazard - b - lost;
            self.d_d += square * slope * slope;
            for (c, cause) in self.causes.iter_mut().enumerate() {
                let own = if row.code == c + 1 { before / n } else { 0.0 };
                let derivative = cause.slope - b * cause.incidence + self.constants[i * many + c] + own;
                let alpha = derivative - slope * cause.incidence;
                cause.alpha_alpha += square * alpha * alpha;
                cause.alpha_d += square * alpha * slope;
            }
        }
        let point = |cause: &Squares| {
            let std_err = self.variance(cause).max(0.0).sqrt();
            let (lower, upper) = interval(cause.incidence, std_err, z, band);
            CumulativeIncidence {
                incidence: cause.incidence,
                std_err,
                lower,
                upper,
            }
        };
        IncidenceStep {
            time,
            at_risk: n,
            censored: by_code[0],
            survival: self.survival,
            causes: self.causes.iter().map(point).collect(),
            events: by_code.split_off(1),
        }
    }

    fn variance(&self, cause: &Squares) -> f64 {
        let (f, c) = (cause.incidence, cause.slope);
        let gone = cause.alpha_alpha + 2.0 * f * cause.alpha_d + f * f * self.d_d;
        let here = self.one * c * c + f * f * self.b_b + cause.k_k - 2.0 * c * f * self.b + 2.0 * c * cause.k
            - 2.0 * f * cause.k_b;
        gone + here
    }
}

fn interval(incidence: f64, std_err: f64, z: f64, band: Band) -> (Option<f64>, Option<f64>) {
    if incidence <= 0.0 {
        return (Some(0.0), Some(0.0));
    }
    if incidence >= 1.0 - SAME_AS_ONE {
        return (None, None);
    }
    let log = incidence.ln();
    let (lower, upper) = match band {
        Band::LogLog => {
            let w = z * std_err / (incidence * log.abs());
            (incidence.powf(w.exp()), incidence.powf((-w).exp()))
        }
        Band::Log => {
            let w = z * std_err / incidence;
            ((log - w).exp(), (log + w).exp().min(1.0))
        }
        Band::Plain => (
            (incidence - z * std_err).max(0.0),
            (incidence + z * std_err).min(1.0),
        ),
    };
    (Some(lower), Some(upper))
}

impl Incidence {
    /// The step in force at `time`; `None` before the first exit.
    pub fn at(&self, time: f64) -> Option<&IncidenceStep> {
        let after = self.steps.partition_point(|s| s.time <= time);
        after.checked_sub(1).map(|i| &self.steps[i])
    }

    /// The incidence of `cause` (from 1) at `time`: 0 with interval \[0, 0\] before the first exit.
    ///
    /// # Errors
    /// [`StatisticsError::Cause`] for a cause that is not among the codes.
    pub fn incidence_at(&self, cause: usize, time: f64) -> Result<CumulativeIncidence, StatisticsError> {
        if cause == 0 || cause > self.causes {
            return Err(StatisticsError::Cause { cause });
        }
        Ok(self.at(time).map_or(
            CumulativeIncidence {
                incidence: 0.0,
                std_err: 0.0,
                lower: Some(0.0),
                upper: Some(0.0),
            },
            |s| s.causes[cause - 1],
        ))
    }
}
