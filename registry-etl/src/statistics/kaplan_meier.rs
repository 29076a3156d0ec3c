//! Survival by Kaplan-Meier, with delayed entry.
//!
//! At each distinct time `t` with `d` events and `n` subjects at risk (`entry < t <= exit`):
//! `S(t) = prod (1 - d/n)`; Greenwood `var(log S) = sum d / (n (n - d))`.
//! Log-log interval `S^exp(-+ z se / log S)`, log interval `exp(log S -+ z se)` capped at 1,
//! plain interval `S (1 -+ z se)`.
//! Before the first event the interval is \[1, 1\]; at `S = 0` it is undefined. Deaths come before censorings at the same
//! time. A quantile that S meets exactly on a plateau is the plateau's midpoint, as in R `survfit`.
//! Sources: Kaplan, Meier 1958; Kalbfleisch, Prentice 2002; Tsai, Jewell, Wang 1987 (delayed entry).

use super::survival::input::{Span, canonical, last_whole};
use super::{StatisticsError, normal};

/// How close S must be to a quantile to count as equal to it, as R's `quantile.survfit`.
const SAME_SURVIVAL: f64 = 1.490_116_119_384_765_6e-8;

/// One subject under observation from `entry` (exclusive; `None`: from the beginning) through `exit`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Subject {
    pub entry: Option<f64>,
    pub exit: f64,
    /// Whether the event happened at `exit`; otherwise censored there.
    pub event: bool,
    /// Case weight, 1 for the registry's own curves.
    pub weight: f64,
}

impl Subject {
    /// Observed from the beginning through `exit`.
    pub fn new(exit: f64, event: bool) -> Self {
        Self {
            entry: None,
            exit,
            event,
            weight: 1.0,
        }
    }

    /// Enters the risk set after `entry`.
    #[must_use]
    pub fn entering_at(mut self, entry: f64) -> Self {
        self.entry = Some(entry);
        self
    }
}

/// Subjects from parallel columns (times, events coded 0 and 1).
///
/// # Errors
/// Columns of different length, an event code other than 0 and 1.
pub fn subjects(times: &[f64], events: &[i64]) -> Result<Vec<Subject>, StatisticsError> {
    if times.len() != events.len() {
        return Err(StatisticsError::Lengths {
            times: times.len(),
            events: events.len(),
        });
    }
    let code = |(index, (time, event)): (usize, (&f64, &i64))| match event {
        0 | 1 => Ok(Subject::new(*time, *event == 1)),
        _ => Err(StatisticsError::EventCode { index }),
    };
    times.iter().zip(events).enumerate().map(code).collect()
}

/// How the pointwise interval is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    /// On the scale of `log(-log S)`: the registry's choice.
    LogLog,
    /// On the scale of `log S`: R's default.
    Log,
    /// On the scale of S, kept within 0 and 1: for comparison with older reports.
    Plain,
}

/// The estimate from one distinct time until the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    pub time: f64,
    /// Weight at risk just before `time`, counted exactly.
    pub at_risk: f64,
    pub events: f64,
    pub censored: f64,
    pub survival: f64,
    /// Greenwood standard error of `log S`; `None` at `S = 0`.
    pub std_err_log: Option<f64>,
    /// Pointwise interval; `None` at `S = 0`.
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// A quantile of the survival time with the interval read off the band; either end may be open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantile {
    pub time: f64,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// The estimate at a time of interest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtTime {
    pub time: f64,
    /// Weight at risk, `entry < time <= exit`.
    pub at_risk: f64,
    pub survival: f64,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Whether `time` lies past the last exit: S is then only carried forward.
    pub beyond: bool,
}

/// An estimated survival curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// One step per distinct exit time, ascending.
    pub steps: Vec<Step>,
    /// Subjects (weights not counted).
    pub subjects: usize,
    /// (entry, exit, weight) of every subject, entries by the same canonical times as the steps.
    spans: Vec<(f64, f64, f64)>,
}

/// Kaplan-Meier of `subjects`, interval at `level` (0.95).
///
/// # Errors
/// [`StatisticsError`] for an empty group, a time that is negative, infinite or NaN, an entry at or after the exit, a
/// weight that is not positive, a level outside (0, 1).
pub fn kaplan_meier(subjects: &[Subject], level: f64, band: Band) -> Result<Curve, StatisticsError> {
    let z = normal::two_sided(level)?;
    let spans = canonical(subjects.iter().map(|s| Span {
        entry: s.entry,
        exit: s.exit,
        weight: s.weight,
    }))?;

    let ticks = match last_whole(spans.iter().map(|span| span.1), spans.len()) {
        Some(last) => counted(&spans, subjects, last),
        None => sorted(&spans, subjects),
    };
    let mut steps = Vec::with_capacity(ticks.len());
    let (mut entered, mut left) = (0.0, 0.0);
    let (mut survival, mut variance) = (1.0, 0.0);
    for tick in ticks {
        let Tick {
            time,
            events,
            censored,
            ..
        } = tick;
        entered += tick.entering;
        let at_risk: f64 = entered - left;
        left += events + censored;
        if events > 0.0 {
            survival = if events >= at_risk {
                0.0
            } else {
                survival * (1.0 - events / at_risk)
            };
            variance += events / (at_risk * (at_risk - events));
        }
        let (std_err_log, lower, upper) = interval(survival, variance, z, band);
        steps.push(Step {
            time,
            at_risk,
            events,
            censored,
            survival,
            std_err_log,
            lower,
            upper,
        });
    }
    Ok(Curve {
        steps,
        subjects: subjects.len(),
        spans,
    })
}

/// What happens at one distinct exit time: weight entering since the one before, with the event, and censored.
struct Tick {
    time: f64,
    entering: f64,
    events: f64,
    censored: f64,
}

/// By sorting: `O(n log n)`, any times.
fn sorted(spans: &[(f64, f64, f64)], subjects: &[Subject]) -> Vec<Tick> {
    let mut exits: Vec<(f64, bool, f64)> = spans
        .iter()
        .zip(subjects)
        .map(|(&(_, exit, weight), s)| (exit, s.event, weight))
        .collect();
    exits.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut entries: Vec<(f64, f64)> = spans.iter().map(|&(entry, _, weight)| (entry, weight)).collect();
    entries.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ticks = Vec::new();
    let (mut next_entry, mut i) = (0, 0);
    while i < exits.len() {
        let time = exits[i].0;
        let (mut entering, mut events, mut censored) = (0.0, 0.0, 0.0);
        while next_entry < entries.len() && entries[next_entry].0 < time {
            entering += entries[next_entry].1;
            next_entry += 1;
        }
        while i < exits.len() && exits[i].0 == time {
            *(if exits[i].1 { &mut events } else { &mut censored }) += exits[i].2;
            i += 1;
        }
        ticks.push(Tick {
            time,
            entering,
            events,
            censored,
        });
    }
    ticks
}

/// By counting at each whole time up to the last exit: `O(n)`. The registry's own times are whole days.
fn counted(spans: &[(f64, f64, f64)], subjects: &[Subject], last: usize) -> Vec<Tick> {
    /// Weight entering (exclusive), with the event and censored at one time.
    type Day = [f64; 3];
    let mut days: Vec<Day> = vec![[0.0; 3]; last + 1];
    let mut entering = 0.0;
    for (&(entry, exit, weight), subject) in spans.iter().zip(subjects) {
        // An entry is before the exit, and so before the last; some are no whole times where only exits are.
        if entry < 0.0 {
            entering += weight;
        } else {
            days[entry as usize][0] += weight;
        }
        days[exit as usize][if subject.event { 1 } else { 2 }] += weight;
    }
    let mut ticks = Vec::new();
    for (time, [entry, events, censored]) in days.into_iter().enumerate() {
        if events + censored > 0.0 {
            ticks.push(Tick {
                time: time as f64,
                entering,
                events,
                censored,
            });
            entering = 0.0;
        }
        entering += entry;
    }
    ticks
}

/// Time under potential follow-up: censoring is the event, an event censors (R `survfit(Surv(time, 1 - event) ~ 1)`:
/// a subject who dies at `t` is still counted at risk of censoring at `t`).
///
/// # Errors
/// As [`kaplan_meier`].
pub fn reverse_kaplan_meier(subjects: &[Subject], level: f64, band: Band) -> Result<Curve, StatisticsError> {
    let reversed: Vec<Subject> = subjects
        .iter()
        .map(|s| Subject {
            event: !s.event,
            ..*s
        })
        .collect();
    kaplan_meier(&reversed, level, band)
}

/// Standard error of log S, lower and upper limit.
fn interval(survival: f64, variance: f64, z: f64, band: Band) -> (Option<f64>, Option<f64>, Option<f64>) {
    if survival <= 0.0 {
        return (None, None, None);
    }
    if variance <= 0.0 {
        return (Some(0.0), Some(1.0), Some(1.0));
    }
    let (se, log) = (variance.sqrt(), survival.ln());
    let (lower, upper) = match band {
        Band::LogLog => {
            let w = z * se / log.abs();
            (survival.powf(w.exp()), survival.powf((-w).exp()))
        }
        Band::Log => ((log - z * se).exp(), (log + z * se).exp().min(1.0)),
        Band::Plain => (
            (survival * (1.0 - z * se)).max(0.0),
            (survival * (1.0 + z * se)).min(1.0),
        ),
    };
    (Some(se), Some(lower), Some(upper))
}

impl Curve {
    /// Events, weighted.
    pub fn events(&self) -> f64 {
        self.steps.iter().map(|s| s.events).sum()
    }

    /// The first time at which survival has fallen to `p` (0.5: the median), with its interval; `None` when it does not
    /// fall that far.
    ///
    /// # Errors
    /// [`StatisticsError::Quantile`] unless `0 < p < 1`.
    pub fn time_at_survival(&self, p: f64) -> Result<Option<Quantile>, StatisticsError> {
        if !(p > 0.0 && p < 1.0) {
            return Err(StatisticsError::Quantile);
        }
        Ok(self.crossing(p, |s| Some(s.survival)).map(|time| Quantile {
            time,
            lower: self.crossing(p, |s| s.lower),
            upper: self.crossing(p, |s| s.upper),
        }))
    }

    /// First time a step function falls to `p`; the plateau's midpoint when it equals `p` (to the last observed time when
    /// it never leaves the plateau).
    fn crossing(&self, p: f64, value: impl Fn(&Step) -> Option<f64>) -> Option<f64> {
        let known = || self.steps.iter().filter_map(|s| value(s).map(|v| (s.time, v)));
        let (time, reached) = known().find(|&(_, v)| v <= p + SAME_SURVIVAL)?;
        if (reached - p).abs() > SAME_SURVIVAL {
            return Some(time);
        }
        let end = known()
            .find(|&(_, v)| v < p - SAME_SURVIVAL)
            .or_else(|| known().last())?
            .0;
        Some(f64::midpoint(time, end))
    }

    /// The estimate at `time` (any finite time of at least 0).
    pub fn at(&self, time: f64) -> AtTime {
        let index = self.steps.partition_point(|s| s.time <= time);
        let at_risk = self
            .spans
            .iter()
            .filter(|(entry, exit, _)| *entry < time && time <= *exit)
            .map(|s| s.2)
            .sum();
        let before = index.checked_sub(1).map(|i| self.steps[i]);
        AtTime {
            time,
            at_risk,
            survival: before.map_or(1.0, |s| s.survival),
            lower: before.map_or(Some(1.0), |s| s.lower),
            upper: before.map_or(Some(1.0), |s| s.upper),
            beyond: self.steps.last().is_none_or(|s| time > s.time),
        }
    }

    /// The last entry into the risk set; `None` when everybody is at risk from the beginning.
    pub fn last_entry(&self) -> Option<f64> {
        self.spans
            .iter()
            .map(|s| s.0)
            .filter(|e| e.is_finite())
            .max_by(f64::total_cmp)
    }

    /// The event time with the fewest at risk among those up to the last entry (delayed entry's weak spot), as
    /// `(time, at risk)`; `None` without delayed entry or without such an event.
    pub fn smallest_risk_set_while_entering(&self) -> Option<(f64, f64)> {
        let last = self.last_entry()?;
        self.steps
            .iter()
            .filter(|s| s.events > 0.0 && s.time <= last)
            .map(|s| (s.time, s.at_risk))
            .min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Whether survival reaches 0 while subjects are still to enter: such a curve must not be shown.
    pub fn zero_before_last_entry(&self) -> bool {
        let zero = self.steps.iter().find(|s| s.survival <= 0.0).map(|s| s.time);
        zero.zip(self.last_entry())
            .is_some_and(|(zero, entry)| entry >= zero)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_whole_times_gives_what_sorting_does() {
        // Half a day later all of them: no time is whole, and nothing but the times may change.
        let subject = |i: u32, shift: f64| {
            let exit = f64::from(1 + (i * 7_919) % 61);
            let entry = f64::from((i * 104_729) % 40);
            let one = Subject::new(exit + shift, !i.is_multiple_of(3));
            if i.is_multiple_of(4) && entry < exit {
                one.entering_at(entry + shift)
            } else {
                one
            }
        };
        let curve = |shift: f64| {
            let all: Vec<Subject> = (0..400).map(|i| subject(i, shift)).collect();
            kaplan_meier(&all, 0.95, Band::LogLog).unwrap().steps
        };
        let (counted, sorted) = (curve(0.0), curve(0.5));
        assert_eq!(counted.len(), 61);
        let later = |step: &Step| Step {
            time: step.time + 0.5,
            ..*step
        };
        assert_eq!(counted.iter().map(later).collect::<Vec<_>>(), sorted);
        // An entry within a day is before the next.
        let late = [Subject::new(3.0, true).entering_at(1.5), Subject::new(2.0, true)];
        let steps = kaplan_meier(&late, 0.95, Band::LogLog).unwrap().steps;
        assert_eq!(
            steps.iter().map(|one| one.at_risk).collect::<Vec<_>>(),
            [2.0, 1.0]
        );
        assert!(
            last_whole([1.0, 1e12].into_iter(), 2).is_none() && last_whole([0.5].into_iter(), 1).is_none()
        );
    }
}
