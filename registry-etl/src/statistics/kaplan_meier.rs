//! Survival by Kaplan-Meier, with delayed entry.
//!
//! At each distinct time `t` with `d` events and `n` subjects at risk (`entry < t <= exit`):
//! `S(t) = prod (1 - d/n)`; Greenwood `var(log S) = sum d / (n (n - d))`.
//! Log-log interval `S^exp(-+ z se / log S)`, log interval `exp(log S -+ z se)` capped at 1,
//! plain interval `S (1 -+ z se)`.
//! Before the first event the interval is \[1, 1\]; at `S = 0` it is undefined. Deaths come before censorings at the same
//! time. A quantile that S meets exactly on a plateau is the plateau's midpoint, as in R `survfit`.
//! Sources: Kaplan, Meier 1958; Kalbfleisch, Prentice 2002; Tsai, Jewell, Wang 1987 (delayed entry).

use super::survival::input::{Span, canonical, last_counted, whole_day};
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
    /// (time, weight) of those who enter at each distinct time, ascending, by the same canonical times as the steps; minus infinity:
    /// from the beginning.
    entries: Vec<(f64, f64)>,
}

/// Kaplan-Meier of `subjects`, interval at `level` (0.95).
///
/// # Errors
/// [`StatisticsError`] for an empty group, a time that is negative, infinite or NaN, an entry at or after the exit, a
/// weight that is not positive, a level outside (0, 1).
pub fn kaplan_meier(subjects: &[Subject], level: f64, band: Band) -> Result<Curve, StatisticsError> {
    kaplan_meier_of(subjects.iter().copied(), level, band)
}

/// The same of subjects as an iterator makes them, from columns for instance.
///
/// # Errors
/// As [`kaplan_meier`].
pub fn kaplan_meier_of(
    subjects: impl Iterator<Item = Subject> + Clone,
    level: f64,
    band: Band,
) -> Result<Curve, StatisticsError> {
    let z = normal::two_sided(level)?;
    let Course {
        ticks,
        entries,
        subjects,
    } = match counted(subjects.clone()) {
        Some(course) => course,
        None => sorted(subjects)?,
    };
    let mut steps = Vec::with_capacity(ticks.len());
    let (mut next_entry, mut entered, mut left) = (0, 0.0, 0.0);
    let (mut survival, mut variance) = (1.0, 0.0);
    for Tick {
        time,
        events,
        censored,
    } in ticks
    {
        while let Some((_, weight)) = entries.get(next_entry).filter(|(entry, _)| *entry < time) {
            entered += weight;
            next_entry += 1;
        }
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
        subjects,
        entries,
    })
}

/// What a curve is estimated from: everything that happens, by time.
struct Course {
    /// Ascending, one per distinct exit time.
    ticks: Vec<Tick>,
    /// Weight entering at each distinct entry time, ascending; minus infinity: observed from the beginning.
    entries: Vec<(f64, f64)>,
    subjects: usize,
}

/// Weight that leaves at one distinct exit time, with the event and censored.
struct Tick {
    time: f64,
    events: f64,
    censored: f64,
}

/// By counting at each whole time up to the last exit, in one pass: `O(n)`. The registry's own times are whole days.
/// `None` where a time is not whole, or so late that sorting is cheaper, or something is wrong, which [`sorted`] names.
fn counted(subjects: impl Iterator<Item = Subject>) -> Option<Course> {
    /// Weight with the event, censored, and entering at one time.
    type Day = [f64; 3];
    let most = last_counted(subjects.size_hint().0);
    let mut days: Vec<Day> = Vec::new();
    let (mut from_the_beginning, mut number) = (0.0, 0);
    for one in subjects {
        let exit = whole_day(one.exit, most)?;
        if days.len() <= exit {
            days.resize(exit + 1, [0.0; 3]);
        }
        if !(one.weight > 0.0 && one.weight.is_finite()) {
            return None;
        }
        match one.entry {
            None => from_the_beginning += one.weight,
            Some(entry) => {
                let entry = whole_day(entry, most).filter(|entry| *entry < exit)?;
                days[entry][2] += one.weight;
            }
        }
        days[exit][usize::from(!one.event)] += one.weight;
        number += 1;
    }
    if number == 0 {
        return None;
    }
    let mut course = Course {
        ticks: Vec::new(),
        entries: Vec::new(),
        subjects: number,
    };
    if from_the_beginning > 0.0 {
        course.entries.push((f64::NEG_INFINITY, from_the_beginning));
    }
    for (day, [events, censored, entering]) in days.into_iter().enumerate() {
        let time = day as f64;
        if events + censored > 0.0 {
            course.ticks.push(Tick {
                time,
                events,
                censored,
            });
        }
        if entering > 0.0 {
            course.entries.push((time, entering));
        }
    }
    Some(course)
}

/// By sorting: `O(n log n)`, any times.
fn sorted(subjects: impl Iterator<Item = Subject> + Clone) -> Result<Course, StatisticsError> {
    let spans = canonical(subjects.clone().map(|s| Span {
        entry: s.entry,
        exit: s.exit,
        weight: s.weight,
    }))?;
    let mut exits: Vec<(f64, bool, f64)> = spans
        .iter()
        .zip(subjects)
        .map(|(&(_, exit, weight), s)| (exit, s.event, weight))
        .collect();
    exits.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ticks: Vec<Tick> = Vec::new();
    for (time, event, weight) in exits {
        let (events, censored) = if event { (weight, 0.0) } else { (0.0, weight) };
        match ticks.last_mut().filter(|tick| tick.time == time) {
            Some(tick) => {
                tick.events += events;
                tick.censored += censored;
            }
            None => ticks.push(Tick {
                time,
                events,
                censored,
            }),
        }
    }
    let mut at: Vec<(f64, f64)> = spans.iter().map(|&(entry, _, weight)| (entry, weight)).collect();
    at.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut entries: Vec<(f64, f64)> = Vec::new();
    for (time, weight) in at {
        match entries.last_mut().filter(|entry| entry.0 == time) {
            Some(entry) => entry.1 += weight,
            None => entries.push((time, weight)),
        }
    }
    Ok(Course {
        ticks,
        entries,
        subjects: spans.len(),
    })
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
        let entered: f64 = self.entries.iter().take_while(|e| e.0 < time).map(|e| e.1).sum();
        let gone = self.steps.iter().take_while(|s| s.time < time);
        let left: f64 = gone.map(|s| s.events + s.censored).sum();
        let before = index.checked_sub(1).map(|i| self.steps[i]);
        AtTime {
            time,
            at_risk: (entered - left).max(0.0),
            survival: before.map_or(1.0, |s| s.survival),
            lower: before.map_or(Some(1.0), |s| s.lower),
            upper: before.map_or(Some(1.0), |s| s.upper),
            beyond: self.steps.last().is_none_or(|s| time > s.time),
        }
    }

    /// The last entry into the risk set; `None` when everybody is at risk from the beginning.
    pub fn last_entry(&self) -> Option<f64> {
        let last = self.entries.last().map(|e| e.0);
        last.filter(|entry| entry.is_finite())
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
        let (by_counting, by_sorting) = (curve(0.0), curve(0.5));
        assert_eq!(by_counting.len(), 61);
        let later = |step: &Step| Step {
            time: step.time + 0.5,
            ..*step
        };
        assert_eq!(by_counting.iter().map(later).collect::<Vec<_>>(), by_sorting);
        // An entry within a day is before the next.
        let late = [Subject::new(3.0, true).entering_at(1.5), Subject::new(2.0, true)];
        let steps = kaplan_meier(&late, 0.95, Band::LogLog).unwrap().steps;
        assert_eq!(
            steps.iter().map(|one| one.at_risk).collect::<Vec<_>>(),
            [2.0, 1.0]
        );
        // A time far away is sorted, not counted up to.
        let far = [Subject::new(1.0, true), Subject::new(1e12, true)];
        assert!(counted(far.into_iter()).is_none() && sorted(far.into_iter()).is_ok());
    }
}
