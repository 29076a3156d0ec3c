//! The measures the committee looks at first, as one viewer may see them, and what they were in the run published before.

use std::cmp::Reverse;

use registry_core::access::Scope;
use registry_core::guideline::indicators::Indicator;
use registry_core::storage::RunStatus;
use registry_etl::disclosure::Audience;
use registry_etl::results::{AdherenceRow, AdherenceTable, By, MeasureHead, Period};

use super::{View, nothing_yet};
use crate::problem::Problem;
use crate::state::AppState;

/// One of them in a run: diagnoses of the last 24 months, as everywhere centres are looked at.
pub struct IndicatorResult {
    pub head: MeasureHead,
    /// Why it was chosen; empty when nobody wrote a sentence.
    pub reason: String,
    pub network: Option<AdherenceRow>,
    /// Of the viewer's own centre.
    pub own: Option<AdherenceRow>,
}

impl<'a> View<'a> {
    /// A published run (without a number the newest) as the committee sees it, whoever asks: what the office prints for the committee names
    /// no centre.
    ///
    /// # Errors
    /// [`crate::problem::Kind::NotFound`] when nothing has been published, or not this run.
    pub fn of_committee(state: &'a AppState, scope: &'a Scope, asked: Option<i64>) -> Result<Self, Problem> {
        let run = match asked {
            Some(number) => state.store.run(scope, number)?,
            None => state.store.published_run(scope)?.ok_or_else(nothing_yet)?,
        };
        if run.published_at.is_none() {
            return Err(nothing_yet());
        }
        let mut view = Self::on(state, scope, run)?;
        view.audience = Audience::Committee;
        Ok(view)
    }

    /// The run published before this one, for the same viewer.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn before(&self) -> Result<Option<View<'a>>, Problem> {
        let runs = self.state.store.list_runs(self.scope)?;
        let earlier = runs.into_iter().filter(|run| {
            run.number < self.run.number && run.status == RunStatus::Finished && run.published_at.is_some()
        });
        let Some(run) = earlier.min_by_key(|run| Reverse(run.number)) else {
            return Ok(None);
        };
        let mut view = Self::on(self.state, self.scope, run)?;
        view.audience = self.audience.clone();
        Ok(Some(view))
    }

    /// The chosen measures that this run has, in the order of the list that holds now.
    ///
    /// # Errors
    /// A run without this result.
    pub fn indicators(&self) -> Result<Vec<IndicatorResult>, Problem> {
        let list = in_force(self.state, self.scope)?;
        if list.is_empty() {
            return Ok(Vec::new());
        }
        let table = self.stored_table()?;
        let mut chosen = chosen(&list, &table, self.own());
        self.say_unratified(chosen.iter_mut().map(|one| &mut one.head));
        Ok(chosen)
    }
}

/// The measures looked at first: as the committee chose them last, until it has chosen any as the guideline's file lists them. The sentence
/// why is the file's; a measure that is not in it has none.
///
/// # Errors
/// The database does not answer.
pub(crate) fn in_force(state: &AppState, scope: &Scope) -> Result<Vec<Indicator>, Problem> {
    let Some(chosen) = state.store.indicator_lists(scope)?.into_iter().next() else {
        return Ok(state.indicators.clone());
    };
    let reason = |id: &str| {
        let written = state.indicators.iter().find(|one| one.measure == id);
        written.map_or_else(String::new, |one| one.reason.clone())
    };
    let indicator = |id: String| Indicator {
        reason: reason(&id),
        measure: id,
    };
    Ok(chosen.measures.into_iter().map(indicator).collect())
}

fn chosen(list: &[Indicator], table: &AdherenceTable, own: Option<&str>) -> Vec<IndicatorResult> {
    let row = |measure: &str, by: By, level: &str| {
        let mut rows = table.rows.iter();
        rows.find(|row| {
            row.measure == measure && row.by == by && row.level == level && row.period == Period::Last24Months
        })
        .cloned()
    };
    let one = |indicator: &Indicator| {
        let id = indicator.measure.as_str();
        Some(IndicatorResult {
            head: table.measures.iter().find(|head| head.id == id)?.clone(),
            reason: indicator.reason.clone(),
            network: row(id, By::Network, "all"),
            own: own.and_then(|own| row(id, By::Centre, own)),
        })
    };
    list.iter().filter_map(one).collect()
}
