//! A centre's own cases by the latest run: its own rows come from that run, everybody else's from the published one, so that the two runs
//! together tell of nobody but the centre itself. What a network's number was before publication is never shown beside it.

use registry_core::access::{Role, Scope};
use registry_core::storage::Run;
use registry_etl::disclosure::Audience;
use registry_etl::results::{AdherenceRow, AdherenceTable, By, Overview, Quality};
use registry_etl::runs::Reader;
use serde::Deserialize;

use super::{View, from_run, nothing_yet};
use crate::problem::{Kind, Problem};
use crate::state::AppState;

/// Which run is asked for: a number, or `latest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Which {
    /// The run of this number.
    Number(i64),
    /// The newest finished run: of all for the coordinating office, of its own cases for a centre.
    Latest,
}

impl TryFrom<String> for Which {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "latest" => Ok(Self::Latest),
            number => number
                .parse()
                .map(Self::Number)
                .map_err(|_| "a number, or latest"),
        }
    }
}

/// The run a centre's own rows are of, when it is not the one of all others.
pub(super) struct OwnRun {
    run: Run,
    /// There is no published run: own rows are all there is to see.
    alone: bool,
}

impl<'a> View<'a> {
    /// As [`View::open`]; `latest` shows a centre its own rows by the latest finished run, and the rest by the published one.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such run for this viewer: nobody but a centre and the coordinating office has a latest one.
    pub fn of(state: &'a AppState, scope: &'a Scope, asked: Option<Which>) -> Result<Self, Problem> {
        match asked {
            None => Self::open(state, scope, None),
            Some(Which::Number(number)) => Self::open(state, scope, Some(number)),
            Some(Which::Latest) => {
                let own = scope.role().needs_centre();
                if !own && scope.role() != Role::Coordinator {
                    return Err(Problem::new(Kind::NotFound));
                }
                let latest = state.store.latest_run(scope)?.ok_or_else(nothing_yet)?;
                if !own {
                    return Self::open(state, scope, Some(latest.number));
                }
                let published = state.store.published_run(scope)?;
                let alone = published.is_none();
                let mut view = Self::on(state, scope, published.unwrap_or_else(|| latest.clone()))?;
                view.own_run = Some(OwnRun { run: latest, alone });
                Ok(view)
            }
        }
    }

    /// The run the viewer's own rows are of, when another than [`View::run`] was asked for.
    pub fn own_run(&self) -> Option<&Run> {
        self.own_run.as_ref().map(|own| &own.run)
    }

    /// The latest run of the viewer's own cases, when it is newer than the one shown.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn newer(&self) -> Result<Option<Run>, Problem> {
        if !self.scope.role().needs_centre() || self.own_run.is_some() {
            return Ok(None);
        }
        let latest = self.state.store.latest_run(self.scope)?;
        Ok(latest.filter(|run| run.number > self.run.number))
    }

    /// Nothing has been published: own rows are all there is to see.
    pub(super) fn is_alone(&self) -> bool {
        self.own_run.as_ref().is_some_and(|own| own.alone)
    }

    fn own_reader(&self) -> Option<(Reader<'_>, &str, bool)> {
        let own = self.own_run.as_ref()?;
        let Audience::Centre(centre) = &self.audience else {
            return None;
        };
        Some((
            Reader::new(&self.state.store, self.scope, &own.run),
            centre,
            own.alone,
        ))
    }

    /// The own rows replaced by those of the latest run.
    pub(super) fn with_own_adherence(&self, mut shown: AdherenceTable) -> Result<AdherenceTable, Problem> {
        let Some((reader, centre, alone)) = self.own_reader() else {
            return Ok(shown);
        };
        let of_own = |row: &AdherenceRow| row.by == By::Centre && row.level == *centre;
        shown.rows.retain(|row| !alone && !of_own(row));
        let latest = reader.adherence(&self.audience).map_err(from_run)?;
        let known = |row: &AdherenceRow| shown.measures.iter().any(|measure| measure.id == row.measure);
        let own: Vec<AdherenceRow> = latest
            .rows
            .iter()
            .filter(|row| of_own(row) && known(row))
            .cloned()
            .collect();
        shown.rows.extend(own);
        shown.rows_total = shown.rows.len() as u32;
        shown.rows_suppressed = shown.rows.iter().filter(|row| row.suppressed.is_some()).count() as u32;
        Ok(shown)
    }

    /// The own line replaced by that of the latest run; alone, nothing of all others is told.
    pub(super) fn with_own_overview(&self, mut shown: Overview) -> Result<Overview, Problem> {
        let Some((reader, centre, alone)) = self.own_reader() else {
            return Ok(shown);
        };
        shown.by_centre.retain(|row| row.centre != *centre);
        if alone {
            shown = Overview {
                cases: None,
                deaths: None,
                follow_up_completeness: None,
                accrual: Vec::new(),
                by_centre: Vec::new(),
                by_histology: Vec::new(),
                by_eligibility: Vec::new(),
                by_timing: Vec::new(),
                ..shown
            };
        }
        let latest = reader.overview(&self.audience).map_err(from_run)?;
        shown
            .by_centre
            .extend(latest.by_centre.into_iter().filter(|row| row.centre == *centre));
        Ok(shown)
    }

    /// As [`View::with_own_overview`], of data quality.
    pub(super) fn with_own_quality(&self, mut shown: Quality) -> Result<Quality, Problem> {
        let Some((reader, centre, alone)) = self.own_reader() else {
            return Ok(shown);
        };
        shown.centres.retain(|row| row.centre != *centre);
        if alone {
            let network = &mut shown.network;
            (
                network.cases,
                network.cases_with_errors,
                network.not_assessable_share,
            ) = (None, None, None);
            network.lacking.clear();
        }
        let latest = reader.quality(&self.audience).map_err(from_run)?;
        shown
            .centres
            .extend(latest.centres.into_iter().filter(|row| row.centre == *centre));
        Ok(shown)
    }
}
