//! Landmark analysis: exposure is what had happened by the landmark, the clock restarts there.
//!
//! Kept: who is still under observation after the landmark `L` (`exit > L`). Exposed: exposure at or before `L`. What
//! follows starts at `L`; a later exposure is ignored, so that nobody is exposed because he lived long enough.
//! Sources: Anderson, Cain, Gelber 1983; Dafni 2011.

use super::input::{Columns, Groups, Rows, same_length};
use crate::statistics::StatisticsError;

/// Labels of the two groups.
const LABELS: [&str; 2] = ["unexposed", "exposed"];

/// The cohort at the landmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Landmark {
    /// Time counted from the landmark.
    pub rows: Rows,
    /// Position of each kept row in the rows given.
    pub kept: Vec<usize>,
    /// By the landmark, for each kept row.
    pub exposed: Vec<bool>,
    /// Left out: any event at or before the landmark.
    pub events_before: usize,
    /// Left out: censored at or before the landmark.
    pub censored_before: usize,
}

/// The rows still observed after `time`, classified by exposure (`None`: never) up to `time`.
///
/// # Errors
/// Exposures of another length than the rows; an exposure or a landmark that is not a finite number of at least 0; nobody
/// left after the landmark.
pub fn landmark(rows: &Rows, exposure: &[Option<f64>], time: f64) -> Result<Landmark, StatisticsError> {
    same_length("exposures", exposure.len(), rows.len())?;
    if !(time.is_finite() && time >= 0.0) {
        return Err(StatisticsError::Horizon);
    }
    let bad = |e: &Option<f64>| e.is_some_and(|t| !t.is_finite() || t < 0.0);
    if let Some(index) = exposure.iter().position(bad) {
        return Err(StatisticsError::Time {
            index,
            what: "exposure",
        });
    }
    let all = rows.as_slice();
    let kept: Vec<usize> = (0..all.len()).filter(|i| all[*i].exit > time).collect();
    let column = |of: fn(&super::input::Row, f64) -> f64| -> Vec<f64> {
        kept.iter().map(|i| of(&all[*i], time)).collect()
    };
    let event: Vec<i64> = kept
        .iter()
        .map(|i| i64::try_from(all[*i].code).unwrap_or(i64::MAX))
        .collect();
    let entry = column(|r, time| (r.entry - time).max(0.0));
    let late = entry.iter().any(|e| *e > 0.0);
    let events_before = all.iter().filter(|r| r.exit <= time && r.code > 0).count();
    Ok(Landmark {
        rows: Rows::new(
            Columns {
                exit: &column(|r, time| r.exit - time),
                event: &event,
                entry: late.then_some(&entry),
                weight: Some(&column(|r, _| r.weight)),
            },
            rows.causes(),
        )?,
        exposed: kept
            .iter()
            .map(|i| exposure[*i].is_some_and(|e| e <= time))
            .collect(),
        events_before,
        censored_before: all.len() - kept.len() - events_before,
        kept,
    })
}

impl Landmark {
    /// The kept rows in two groups, `unexposed` first.
    ///
    /// # Errors
    /// [`StatisticsError::EmptyGroup`] when nobody, or everybody, is exposed by the landmark.
    pub fn groups(&self) -> Result<Groups, StatisticsError> {
        let label = |e: &bool| LABELS[usize::from(*e)];
        Groups::declared(&self.exposed.iter().map(label).collect::<Vec<_>>(), &LABELS)
    }

    /// The exposure as a covariate, 0 or 1.
    pub fn covariate(&self) -> Vec<Vec<f64>> {
        self.exposed
            .iter()
            .map(|e| vec![f64::from(u8::from(*e))])
            .collect()
    }
}
