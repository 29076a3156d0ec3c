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
    /// Why it was chosen.
    pub reason: String,
    pub network: Option<AdherenceRow>,
    /// Of the viewer's own centre.
    pub own: Option<AdherenceRow>,
}

impl<'a> View<'a> {
    /// The published run as the committee sees it, whoever asks: what the office prints for the committee names no centre.
    ///
    /// # Errors
    /// [`crate::problem::Kind::NotFound`] when nothing has been published.
    pub fn of_committee(state: &'a AppState, scope: &'a Scope) -> Result<Self, Problem> {
        let run = state.store.published_run(scope)?.ok_or_else(nothing_yet)?;
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

    /// The chosen measures that this run has, in the order of the list.
    ///
    /// # Errors
    /// A run without this result.
    pub fn indicators(&self) -> Result<Vec<IndicatorResult>, Problem> {
        if self.state.indicators.is_empty() {
            return Ok(Vec::new());
        }
        let table = self.table()?;
        Ok(chosen(&self.state.indicators, &table, self.own()))
    }
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
