//! The strict input of every survival estimator: checked rows and groups.
//!
//! A fault names its row, counted from 0 in the order given; no row is dropped or repaired. Times that differ by rounding
//! only (`0.1 + 0.2` and `0.3`) become one time, so that ties are ties.

use crate::statistics::StatisticsError;
use crate::statistics::kaplan_meier::Subject;
use std::collections::HashMap;

/// Times closer than this share of their size are one time.
const SAME_TIME: f64 = 1e-12;

/// Parallel columns as a file or a cohort gives them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Columns<'a> {
    /// End of observation, at least 0.
    pub exit: &'a [f64],
    /// What happened at `exit`: 0 censored, 1, 2, ... the events.
    pub event: &'a [i64],
    /// Start of observation, exclusive; without it everybody is observed from the beginning.
    pub entry: Option<&'a [f64]>,
    /// Case weights above 0; without them 1.
    pub weight: Option<&'a [f64]>,
}

/// One checked row: under observation over `(entry, exit]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Minus infinity when observed from the beginning.
    pub entry: f64,
    pub exit: f64,
    /// 0 censored, else the event.
    pub code: usize,
    pub weight: f64,
}

/// Checked rows, in the order given.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    rows: Vec<Row>,
    causes: usize,
}

impl Rows {
    /// Checks `columns`, whose event codes run from 0 to `causes`.
    ///
    /// # Errors
    /// No row; columns of different length; a time that is negative, infinite or NaN; an entry at or after the exit; an
    /// event code outside its set; a weight that is not a finite number above 0.
    pub fn new(columns: Columns<'_>, causes: usize) -> Result<Self, StatisticsError> {
        let n = columns.exit.len();
        same_length("events", columns.event.len(), n)?;
        same_length("entries", columns.entry.map_or(n, <[f64]>::len), n)?;
        same_length("weights", columns.weight.map_or(n, <[f64]>::len), n)?;
        Self::checked(
            (0..n).map(|i| Span {
                entry: columns.entry.map(|e| e[i]),
                exit: columns.exit[i],
                weight: columns.weight.map_or(1.0, |w| w[i]),
            }),
            columns.event,
            causes,
        )
    }

    fn checked(
        spans: impl Iterator<Item = Span> + Clone,
        event: &[i64],
        causes: usize,
    ) -> Result<Self, StatisticsError> {
        let code = |event: &i64| usize::try_from(*event).ok().filter(|code| *code <= causes);
        // Whole times, and nothing wrong: one pass is enough.
        let at_once = spans.clone().zip(event).map(|(span, event)| {
            let (entry, exit, weight) = span.whole()?;
            let code = code(event)?;
            Some(Row {
                entry,
                exit,
                code,
                weight,
            })
        });
        if let Some(rows) = at_once
            .collect::<Option<Vec<Row>>>()
            .filter(|rows| !rows.is_empty())
        {
            return Ok(Self { rows, causes });
        }
        let row = |(index, ((entry, exit, weight), event)): (usize, ((f64, f64, f64), &i64))| {
            let code = code(event).ok_or(StatisticsError::StateCode { index, causes })?;
            Ok(Row {
                entry,
                exit,
                code,
                weight,
            })
        };
        let rows: Result<Vec<Row>, StatisticsError> = canonical(spans)?
            .into_iter()
            .zip(event)
            .enumerate()
            .map(row)
            .collect();
        Ok(Self { rows: rows?, causes })
    }

    /// Rows of weight 1 of which some are observed from the beginning (no entry) and others enter late.
    ///
    /// # Errors
    /// As [`Rows::new`].
    pub fn entering(
        exit: &[f64],
        event: &[i64],
        entry: &[Option<f64>],
        causes: usize,
    ) -> Result<Self, StatisticsError> {
        let n = exit.len();
        same_length("events", event.len(), n)?;
        same_length("entries", entry.len(), n)?;
        let span = |i: usize| Span {
            entry: entry[i],
            exit: exit[i],
            weight: 1.0,
        };
        Self::checked((0..n).map(span), event, causes)
    }

    /// The rows, in the order given.
    pub fn as_slice(&self) -> &[Row] {
        &self.rows
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Never: an empty group is refused.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The largest event code that may occur.
    pub fn causes(&self) -> usize {
        self.causes
    }

    /// Whether somebody enters the risk set late.
    pub fn delayed_entry(&self) -> bool {
        self.rows.iter().any(|r| r.entry > 0.0)
    }

    /// Rows for a cause-specific analysis: other events censor.
    ///
    /// # Errors
    /// [`StatisticsError::Cause`] for a cause that is not among the codes.
    pub fn cause_specific(&self, cause: usize) -> Result<Self, StatisticsError> {
        self.check_cause(cause)?;
        let one = |r: &Row| Row {
            code: usize::from(r.code == cause),
            ..*r
        };
        Ok(Self {
            rows: self.rows.iter().map(one).collect(),
            causes: 1,
        })
    }

    /// Any event against censoring, as a Kaplan-Meier curve needs it.
    pub fn subjects(&self) -> Vec<Subject> {
        let one = |r: &Row| Subject {
            entry: r.entry.is_finite().then_some(r.entry),
            exit: r.exit,
            event: r.code > 0,
            weight: r.weight,
        };
        self.rows.iter().map(one).collect()
    }

    pub(super) fn check_cause(&self, cause: usize) -> Result<(), StatisticsError> {
        if cause == 0 || cause > self.causes {
            return Err(StatisticsError::Cause { cause });
        }
        Ok(())
    }

    pub(super) fn refuse_weights(&self, what: &'static str) -> Result<(), StatisticsError> {
        if self.rows.iter().any(|r| r.weight != 1.0) {
            return Err(StatisticsError::WeightsRefused { what });
        }
        Ok(())
    }

    pub(super) fn refuse_delayed_entry(
        &self,
        what: &'static str,
        why: &'static str,
    ) -> Result<(), StatisticsError> {
        if self.delayed_entry() {
            return Err(StatisticsError::DelayedEntryRefused { what, why });
        }
        Ok(())
    }

    /// The rows chosen, in their order.
    pub(super) fn only(&self, chosen: impl Fn(usize) -> bool) -> Self {
        let kept = self.rows.iter().enumerate().filter(|(i, _)| chosen(*i));
        Self {
            rows: kept.map(|(_, r)| *r).collect(),
            causes: self.causes,
        }
    }

    /// The last exit when all are whole, and so few that counting at each is cheaper than sorting them.
    pub(super) fn last_whole_exit(&self) -> Option<usize> {
        last_whole(self.rows.iter().map(|row| row.exit), self.rows.len())
    }

    /// Positions of the rows from the earliest exit to the latest.
    pub(super) fn by_exit(&self) -> Vec<usize> {
        if let Some(last) = self.last_whole_exit() {
            return self.counted(last);
        }
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.sort_by(|a, b| self.rows[*a].exit.total_cmp(&self.rows[*b].exit));
        order
    }
}

impl Rows {
    /// Positions by exit where these are whole: each is put where those before it end.
    fn counted(&self, last: usize) -> Vec<usize> {
        let mut next = vec![0_usize; last + 2];
        for row in &self.rows {
            next[row.exit as usize + 1] += 1;
        }
        for at in 1..next.len() {
            next[at] += next[at - 1];
        }
        let mut order = vec![0; self.rows.len()];
        for (i, row) in self.rows.iter().enumerate() {
            let place = &mut next[row.exit as usize];
            order[*place] = i;
            *place += 1;
        }
        order
    }
}

/// The last of times that are all whole, and so few that counting at each is cheaper than sorting; `None` otherwise. The registry's own
/// times are whole days.
fn last_whole(times: impl Iterator<Item = f64>, rows: usize) -> Option<usize> {
    let most = last_counted(rows);
    let mut last = 0;
    for time in times {
        last = last.max(whole_day(time, most)?);
    }
    Some(last)
}

/// Up to which time counting at each of so many rows is cheaper than sorting them.
pub(in crate::statistics) fn last_counted(rows: usize) -> f64 {
    (2 * rows + 1024) as f64
}

/// A whole time of at least 0 and at most `most`.
pub(in crate::statistics) fn whole_day(time: f64, most: f64) -> Option<usize> {
    (is_whole(time) && time <= most).then_some(time as usize)
}

fn is_whole(time: f64) -> bool {
    f64::from(time as u32) == time
}

/// Which group (or stratum, or cluster) each row belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    labels: Vec<String>,
    of: Vec<usize>,
}

impl Groups {
    /// The groups that occur, ordered by label.
    pub fn of<S: AsRef<str>>(values: &[S]) -> Self {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut of = Vec::with_capacity(values.len());
        for value in values {
            let next = places.len();
            of.push(*places.entry(value.as_ref()).or_insert(next));
        }
        let mut found: Vec<(&str, usize)> = places.into_iter().collect();
        found.sort_unstable();
        let mut by_label = vec![0; found.len()];
        for (place, (_, first_seen)) in found.iter().enumerate() {
            by_label[*first_seen] = place;
        }
        of.iter_mut().for_each(|place| *place = by_label[*place]);
        let labels = found.into_iter().map(|(label, _)| label.to_owned()).collect();
        Self { labels, of }
    }

    /// The groups of `labels`, in that order.
    ///
    /// # Errors
    /// A value that is no label, a label without a row.
    pub fn declared<S: AsRef<str>>(values: &[S], labels: &[&str]) -> Result<Self, StatisticsError> {
        let place = |(index, v): (usize, &S)| {
            let found = labels.iter().position(|l| *l == v.as_ref());
            found.ok_or(StatisticsError::UnknownGroup { index })
        };
        let of: Vec<usize> = values.iter().enumerate().map(place).collect::<Result<_, _>>()?;
        let mut seen = vec![false; labels.len()];
        of.iter().for_each(|g| seen[*g] = true);
        if let Some(group) = seen.iter().position(|s| !s) {
            return Err(StatisticsError::EmptyGroup { group });
        }
        Ok(Self {
            labels: labels.iter().map(|l| (*l).to_owned()).collect(),
            of,
        })
    }

    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Group of each row, as a position in [`Self::labels`].
    pub fn as_slice(&self) -> &[usize] {
        &self.of
    }

    /// The rows of group `group`, in their order.
    ///
    /// # Errors
    /// Groups of another length than the rows; no such group.
    pub fn rows(&self, rows: &Rows, group: usize) -> Result<Rows, StatisticsError> {
        self.check(rows.len())?;
        let chosen = rows.only(|i| self.of[i] == group);
        if chosen.is_empty() {
            return Err(StatisticsError::EmptyGroup { group });
        }
        Ok(chosen)
    }

    pub(super) fn check(&self, rows: usize) -> Result<(), StatisticsError> {
        same_length("groups", self.of.len(), rows)
    }

    /// Refuses a comparison of fewer than two groups.
    pub(super) fn at_least_two(&self) -> Result<usize, StatisticsError> {
        if self.labels.len() < 2 {
            return Err(StatisticsError::OneGroup);
        }
        Ok(self.labels.len())
    }

    /// Rows of each group.
    pub(super) fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.labels.len()];
        self.of.iter().for_each(|g| sizes[*g] += 1);
        sizes
    }

    /// Positions of the rows of each group, in their order.
    pub(super) fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.labels.len()];
        for (i, g) in self.of.iter().enumerate() {
            members[*g].push(i);
        }
        members
    }
}

pub(super) fn same_length(what: &'static str, found: usize, rows: usize) -> Result<(), StatisticsError> {
    if found == rows {
        return Ok(());
    }
    Err(StatisticsError::ColumnLength { what, found, rows })
}

/// Times and weight of one row before it is checked.
pub(in crate::statistics) struct Span {
    pub(in crate::statistics) entry: Option<f64>,
    pub(in crate::statistics) exit: f64,
    pub(in crate::statistics) weight: f64,
}

impl Span {
    /// As [`canonical`] gives it, when its times are whole (such never differ by rounding only) and nothing is wrong with it.
    fn whole(&self) -> Option<(f64, f64, f64)> {
        let right = is_whole(self.exit)
            && self
                .entry
                .is_none_or(|entry| is_whole(entry) && entry < self.exit)
            && self.weight > 0.0
            && self.weight.is_finite();
        right.then(|| (self.entry.unwrap_or(f64::NEG_INFINITY), self.exit, self.weight))
    }
}

/// Checks every span and maps times that are the same within rounding onto one value: `(entry, exit, weight)`, the entry
/// minus infinity where there is none.
///
/// # Errors
/// No span; a time that is negative, infinite or NaN; an entry at or after the exit; a weight that is not above 0.
pub(in crate::statistics) fn canonical(
    spans: impl Iterator<Item = Span> + Clone,
) -> Result<Vec<(f64, f64, f64)>, StatisticsError> {
    let mut rows = 0;
    for (index, s) in spans.clone().enumerate() {
        for (what, time) in [("exit", Some(s.exit)), ("entry", s.entry)] {
            if time.is_some_and(|t| !t.is_finite() || t < 0.0) {
                return Err(StatisticsError::Time { index, what });
            }
        }
        if !s.weight.is_finite() || s.weight <= 0.0 {
            return Err(StatisticsError::Weight { index });
        }
        rows += 1;
    }
    if rows == 0 {
        return Err(StatisticsError::Empty);
    }
    let mut times: Vec<f64> = Vec::with_capacity(rows * 2);
    for s in spans.clone() {
        times.push(s.exit);
        times.extend(s.entry);
    }
    times.sort_by(f64::total_cmp);
    let mut last = f64::NEG_INFINITY;
    times.retain(|&time| {
        let other = time - last > SAME_TIME * time;
        if other {
            last = time;
        }
        other
    });
    let canonical = |time: f64| times[times.partition_point(|&t| t <= time).saturating_sub(1)];
    let checked = |(index, s): (usize, Span)| {
        let exit = canonical(s.exit);
        let entry = s.entry.map_or(f64::NEG_INFINITY, canonical);
        if entry >= exit {
            return Err(StatisticsError::EntryNotBeforeExit { index });
        }
        Ok((entry, exit, s.weight))
    };
    spans.enumerate().map(checked).collect()
}
