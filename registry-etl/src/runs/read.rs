//! Results of a run, as an audience may see them.

use super::counted::collector;
use super::{MADE_AS, RunError};
use crate::disclosure::{self, Audience, Thresholds};
use crate::measures::{CaseEvaluation, Engine, adherence::AggregateError, funnels, visible_case_mix};
use crate::quality::{Undecided, Worklist, undecided};
use crate::results::completeness::NETWORK;
use crate::results::over_time::{OverTimeRows, Part};
use crate::results::{
    AdherenceTable, CaseMix, CaseMixTable, CentreHalfYears, CentresOfRun, Comparison, Completeness, Funnels,
    OverTime, Overview, Quality, Sensitivity, SurvivalResult, WorkLoads, kind,
};
use rayon::prelude::*;
use registry_core::access::Scope;
use registry_core::storage::{ResultKey, Run, RunEvaluation, Store, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Evaluations read together.
pub(super) const BATCH: usize = 500;

/// Reads the results of one run. The audience is the caller's decision from the scope; hiding is done here and nowhere
/// else.
pub struct Reader<'a> {
    pub(super) store: &'a Store,
    pub(super) scope: &'a Scope,
    pub(super) run: &'a Run,
    thresholds: Thresholds,
}

impl<'a> Reader<'a> {
    /// A reader of `run`, with the thresholds the run was made with.
    pub fn new(store: &'a Store, scope: &'a Scope, run: &'a Run) -> Self {
        let thresholds = run.parameters.get("thresholds").cloned();
        let thresholds = thresholds
            .and_then(|t| serde_json::from_value(t).ok())
            .unwrap_or_default();
        Self {
            store,
            scope,
            run,
            thresholds,
        }
    }

    /// Ids of the centres there were when the run counted; `None` of a run made before they were kept with it.
    ///
    /// # Errors
    /// The store's; a document of another format.
    pub fn centres(&self) -> Result<Option<Vec<String>>, RunError> {
        match self.document::<CentresOfRun>(kind::CENTRES, "") {
            Ok(found) => Ok(Some(found.centres.clone())),
            Err(RunError::Store(StoreError::NotFound)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What counts for a centre by half-year; `None` of a centre that nothing counts for, and of a run made before this was kept. Who may
    /// see it is the caller's decision.
    ///
    /// # Errors
    /// The store's; a document of another format.
    pub fn half_years(&self, centre: &str) -> Result<Option<Arc<CentreHalfYears>>, RunError> {
        match self.document(kind::HALF_YEARS, centre) {
            Ok(found) => Ok(Some(found)),
            Err(RunError::Store(StoreError::NotFound)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// From how many patients on values are shown.
    pub fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    /// Adherence of every measure by network, centre, half-year and histology.
    ///
    /// # Errors
    /// The store's: no such run or result; a document of another format.
    pub fn adherence(&self, audience: &Audience) -> Result<Arc<AdherenceTable>, RunError> {
        let stored = self.adherence_as_stored(audience)?;
        if *audience == Audience::Exact {
            return Ok(stored);
        }
        self.shown(kind::ADHERENCE, "in place", audience, || {
            let mut table = copy(stored);
            disclosure::rows_in_place(&mut table);
            Ok(table)
        })
    }

    /// Row by row as computed, then what is listed though nobody is in it.
    pub(super) fn adherence_as_stored(&self, audience: &Audience) -> Result<Arc<AdherenceTable>, RunError> {
        match audience {
            Audience::Public => self.stored(kind::ADHERENCE, "public"),
            Audience::Committee => self.stored(kind::ADHERENCE, "committee"),
            Audience::Exact => self.shown(kind::ADHERENCE, "", audience, || {
                let exact = self.document(kind::ADHERENCE, "")?;
                Ok(disclosure::adherence(&exact, audience, &self.thresholds))
            }),
            Audience::Centre(own) => self.shown(kind::ADHERENCE, "", audience, || {
                let exact = self.document(kind::ADHERENCE, "")?;
                let committee = self.stored(kind::ADHERENCE, "committee")?;
                let limits = &self.thresholds;
                Ok(disclosure::adherence_for_centre(&exact, &committee, own, limits))
            }),
        }
    }

    /// As computed, with the patients behind each count.
    pub(super) fn exact_adherence(&self) -> Result<AdherenceTable, RunError> {
        self.document(kind::ADHERENCE, "").map(copy)
    }

    /// The funnel of every measure.
    ///
    /// # Errors
    /// As [`Reader::adherence`].
    pub fn funnels(&self, audience: &Audience) -> Result<Arc<Funnels>, RunError> {
        match audience {
            Audience::Public => self.stored(kind::FUNNELS, "public"),
            Audience::Committee => self.stored(kind::FUNNELS, "committee"),
            Audience::Exact => self.document(kind::FUNNELS, ""),
            Audience::Centre(_) => self.shown(kind::FUNNELS, "", audience, || {
                let shown = self.adherence(audience)?;
                Ok(funnels(&shown).map_err(AggregateError::from)?)
            }),
        }
    }

    /// A survival endpoint, `S1` or `S4-lung`.
    ///
    /// # Errors
    /// As [`Reader::adherence`].
    pub fn survival(&self, endpoint: &str, audience: &Audience) -> Result<SurvivalResult, RunError> {
        let mut shown = self.survival_as_stored(endpoint, audience)?;
        disclosure::groups_in_place(&mut shown);
        Ok(shown)
    }

    /// Group by group as computed, then what is listed though nobody is in it.
    pub(super) fn survival_as_stored(
        &self,
        endpoint: &str,
        audience: &Audience,
    ) -> Result<SurvivalResult, RunError> {
        let made = || {
            let exact = self.document::<SurvivalResult>(kind::SURVIVAL, endpoint)?;
            let of = format!("{}/{endpoint}", kind::SURVIVAL);
            let beside = match read_by(audience) {
                Some(key) => self.beside::<SurvivalResult>(&of, key)?,
                None => None,
            };
            Ok(match (beside, audience) {
                (Some(committee), Audience::Centre(own)) => {
                    disclosure::survival_for_centre(&exact, &committee, own, &self.thresholds)
                }
                (Some(shown), _) => copy(shown),
                (None, _) => disclosure::survival(&exact, audience, &self.thresholds),
            })
        };
        self.shown(kind::SURVIVAL, endpoint, audience, made).map(copy)
    }

    /// As computed.
    pub(super) fn exact_survival(&self, endpoint: &str) -> Result<SurvivalResult, RunError> {
        self.document(kind::SURVIVAL, endpoint).map(copy)
    }

    /// Keys of the survival endpoints of the run.
    pub(super) fn endpoint_keys(&self) -> Result<Vec<String>, RunError> {
        let keys = self.store.run_results(self.scope, self.run.number)?;
        let of_kind = keys.into_iter().filter(|key| key.kind == kind::SURVIVAL);
        Ok(of_kind.map(|key| key.key).collect())
    }

    /// Every survival endpoint of the run, by key.
    ///
    /// # Errors
    /// As [`Reader::adherence`].
    pub fn endpoints(&self, audience: &Audience) -> Result<Vec<SurvivalResult>, RunError> {
        let keys = self.endpoint_keys()?;
        keys.iter().map(|key| self.survival(key, audience)).collect()
    }

    /// The first page's numbers.
    ///
    /// # Errors
    /// As [`Reader::adherence`].
    pub fn overview(&self, audience: &Audience) -> Result<Overview, RunError> {
        let made = || {
            let exact = self.document::<Overview>(kind::OVERVIEW, "")?;
            let (Some(key), limits) = (read_by(audience), &self.thresholds) else {
                return Ok(copy(exact));
            };
            let shown = match self.beside(kind::OVERVIEW, key)? {
                Some(shown) => copy(shown),
                None => disclosure::overview(&exact, &all_of(audience), limits),
            };
            Ok(match audience {
                Audience::Centre(own) => disclosure::overview_for_centre(&exact, &shown, own, limits),
                _ => shown,
            })
        };
        self.shown(kind::OVERVIEW, "", audience, made).map(copy)
    }

    /// Data quality.
    ///
    /// # Errors
    /// As [`Reader::adherence`].
    pub fn quality(&self, audience: &Audience) -> Result<Quality, RunError> {
        let made = || {
            let exact = self.document::<Quality>(kind::QUALITY, "")?;
            let (Some(key), limits) = (read_by(audience), &self.thresholds) else {
                return Ok(copy(exact));
            };
            let shown = match self.beside(kind::QUALITY, key)? {
                Some(shown) => copy(shown),
                None => disclosure::quality(&exact, &all_of(audience), limits),
            };
            Ok(match audience {
                Audience::Centre(own) => disclosure::quality_for_centre(&exact, &shown, own, limits),
                _ => shown,
            })
        };
        self.shown(kind::QUALITY, "", audience, made).map(copy)
    }

    /// Completeness and timeliness of every level the audience may see: the network first, centres by id.
    ///
    /// # Errors
    /// As [`Reader::adherence`].
    pub fn completeness(&self, audience: &Audience) -> Result<Arc<Vec<Completeness>>, RunError> {
        self.shown(kind::COMPLETENESS, "", audience, || {
            let keys = self.levels_of(kind::COMPLETENESS, audience)?;
            let own = match own_of(audience, &keys) {
                Some(centre) => Some(self.document::<Completeness>(kind::COMPLETENESS, centre)?),
                None => None,
            };
            let mut all = Vec::new();
            for key in &keys {
                let exact = self.document::<Completeness>(kind::COMPLETENESS, key)?;
                let (own, limits) = (own.as_deref(), &self.thresholds);
                all.extend(disclosure::completeness(&exact, own, audience, limits));
            }
            if *audience != Audience::Exact {
                // One number of cases, shown in one way.
                let cases = self.overview(audience)?.cases;
                for network in all.iter_mut().filter(|level| level.level == NETWORK) {
                    network.cases = network.cases.and(cases);
                }
            }
            Ok(all)
        })
    }

    /// A part of completeness and timeliness by half-year, of every level the audience may see and `wanted` names (`all`, or the centre's id).
    /// Nothing of a run made before it was kept.
    ///
    /// # Errors
    /// As [`Reader::adherence`].
    pub fn over_time(
        &self,
        audience: &Audience,
        part: Part<'_>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<OverTime>, RunError> {
        let keys = self.levels_of(kind::COMPLETENESS_OVER_TIME, audience)?;
        let read = |key: &str| -> Result<OverTime, RunError> {
            let rows = self.document::<OverTimeRows>(kind::COMPLETENESS_OVER_TIME, key)?;
            Ok(rows.read(part))
        };
        let own = own_of(audience, &keys).map(read).transpose()?;
        let mut all = Vec::new();
        for key in &keys {
            if wanted(if key.is_empty() { NETWORK } else { key }) {
                let (exact, limits) = (read(key)?, &self.thresholds);
                all.extend(disclosure::over_time(exact, own.as_ref(), audience, limits));
            }
        }
        Ok(all)
    }

    /// Keys of the levels that an audience sees anything of, of a kind of result kept by level: empty for the network, else the centre.
    fn levels_of(&self, kind: &str, audience: &Audience) -> Result<Vec<String>, RunError> {
        let keys = self.store.run_results(self.scope, self.run.number)?;
        let visible = |key: &ResultKey| match audience {
            Audience::Centre(centre) => key.key.is_empty() || key.key == *centre,
            Audience::Public => key.key.is_empty(),
            _ => true,
        };
        let of_kind = keys.into_iter().filter(|key| key.kind == kind && visible(key));
        Ok(of_kind.map(|key| key.key).collect())
    }

    /// The work of one centre, on the cases of this run. Who may see it is the caller's decision; the store lets a centre read its own only.
    ///
    /// # Errors
    /// The store's; an evaluation of another format.
    pub fn worklist(&self, engine: &Engine, centre: &str) -> Result<Worklist, RunError> {
        engine.made(self.run)?;
        let versions = engine.versions();
        let mut work = collector(engine, &versions, self.run.cutoff_date)?;
        self.store.for_each_run_evaluation_of::<RunError>(
            self.scope,
            self.run.number,
            centre,
            BATCH,
            |batch| {
                for (evaluation, case) in batch.iter().zip(read_all(&batch)?) {
                    work.push(&evaluation.case.case_id, evaluation.case.version, &case);
                }
                Ok(())
            },
        )?;
        Ok(work.finish())
    }

    /// How much work the cases of this run bring every centre; `None` of a run made before runs kept it. Who may see it is the caller's
    /// decision.
    ///
    /// # Errors
    /// The store's; a document of another format.
    pub fn work_loads(&self) -> Result<Option<WorkLoads>, RunError> {
        match self.document(kind::WORK, "") {
            Ok(found) => Ok(Some(copy(found))),
            Err(RunError::Store(StoreError::NotFound)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Histologies that wait for the committee, with their cases, of all centres.
    ///
    /// # Errors
    /// The store's, for a scope that does not see all cases; an evaluation of another format.
    pub fn undecided(&self) -> Result<Vec<Undecided>, RunError> {
        let mut waiting = Vec::new();
        self.store
            .for_each_run_evaluation::<RunError>(self.scope, self.run.number, BATCH, |batch| {
                let cases = read_all(&batch)?;
                for (evaluation, case) in batch.into_iter().zip(cases) {
                    if case.quality.undecided_morphology.is_some() {
                        waiting.push((evaluation.case, case));
                    }
                }
                Ok(())
            })?;
        Ok(undecided(
            waiting.iter().map(|(case, evaluation)| (case, evaluation)),
        ))
    }

    /// Centres of a measure given their case mix, as far as `visible` (the audience's adherence table, centres by id) shows
    /// their rates; `None` for an unknown measure.
    ///
    /// # Errors
    /// As [`Reader::adherence`].
    pub fn case_mix(&self, measure: &str, visible: &AdherenceTable) -> Result<Option<CaseMix>, RunError> {
        let exact = self.document::<CaseMixTable>(kind::CASE_MIX, "")?;
        let found = exact.measures.iter().find(|mix| mix.measure == measure);
        Ok(found.map(|mix| visible_case_mix(mix, visible)))
    }

    /// Sensitivity analyses computed so far, by parameter and value.
    ///
    /// # Errors
    /// As [`Reader::adherence`].
    pub fn sensitivities(&self, audience: &Audience) -> Result<Vec<Sensitivity>, RunError> {
        let keys = self.store.run_results(self.scope, self.run.number)?;
        let mut all = Vec::new();
        for key in keys.iter().filter(|key| is_current(key, kind::SENSITIVITY)) {
            let exact = self.document::<Sensitivity>(kind::SENSITIVITY, &key.key)?;
            let comparison = disclosure::comparison(&exact.comparison, audience, &self.thresholds);
            all.push(Sensitivity {
                comparison,
                ..copy(exact)
            });
        }
        Ok(all)
    }

    /// Comparisons with rules not yet published, computed so far.
    ///
    /// # Errors
    /// As [`Reader::adherence`].
    pub fn previews(&self, audience: &Audience) -> Result<Vec<Comparison>, RunError> {
        let keys = self.store.run_results(self.scope, self.run.number)?;
        let of_kind = keys.iter().filter(|key| is_current(key, kind::PREVIEW));
        let read = |key: &ResultKey| {
            let exact = self.document::<Comparison>(kind::PREVIEW, &key.key)?;
            Ok(disclosure::comparison(&exact, audience, &self.thresholds))
        };
        of_kind.map(read).collect()
    }

    /// What the audience of this key may see: beside earlier runs, where the run was published beside any.
    fn stored<T: Document>(&self, of: &str, key: &str) -> Result<Arc<T>, RunError> {
        match self.beside(of, key)? {
            Some(found) => Ok(found),
            None => self.document(of, key),
        }
    }

    fn beside<T: Document>(&self, of: &str, key: &str) -> Result<Option<Arc<T>>, RunError> {
        match self.document(kind::BESIDE, &format!("{of}/{key}")) {
            Ok(found) => Ok(Some(found)),
            Err(RunError::Store(StoreError::NotFound)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What an audience sees of a result, worked out once: it follows from the stored results, of which a run gets more when it is published,
    /// and never any other.
    fn shown<T: Serialize + Send + Sync + 'static>(
        &self,
        kind: &str,
        key: &str,
        audience: &Audience,
        made: impl FnOnce() -> Result<T, RunError>,
    ) -> Result<Arc<T>, RunError> {
        let published = self.run.published_at.is_some();
        let place = format!("shown {audience:?} {published} {key}");
        self.store.derived_from_run(self.run.number, kind, &place, made)
    }

    fn document<T: Document>(&self, kind: &str, key: &str) -> Result<Arc<T>, RunError> {
        self.store.run_document(self.scope, self.run.number, kind, key)
    }
}

/// Evaluations as they were stored, read over all cores.
pub(super) fn read_all(stored: &[RunEvaluation]) -> Result<Vec<CaseEvaluation>, RunError> {
    let read = |one: &RunEvaluation| Ok(CaseEvaluation::from_payload(&one.payload)?);
    stored.par_iter().map(read).collect()
}

/// What a run stores.
trait Document: DeserializeOwned + Send + Sync + 'static {}

impl<T: DeserializeOwned + Send + Sync + 'static> Document for T {}

/// A copy to change.
fn copy<T: Clone>(document: Arc<T>) -> T {
    Arc::unwrap_or_clone(document)
}

/// Key of the documents an audience reads, a centre with lines of its own beside them; `None` for nothing hidden.
fn read_by(audience: &Audience) -> Option<&'static str> {
    match audience {
        Audience::Public => Some("public"),
        Audience::Committee | Audience::Centre(_) => Some("committee"),
        Audience::Exact => None,
    }
}

/// The centre that looks, when it has a level of its own.
fn own_of<'a>(audience: &'a Audience, keys: &[String]) -> Option<&'a str> {
    match audience {
        Audience::Centre(centre) if keys.contains(centre) => Some(centre),
        _ => None,
    }
}

/// The audience whose documents those are.
fn all_of(audience: &Audience) -> Audience {
    match audience {
        Audience::Centre(_) => Audience::Committee,
        other => other.clone(),
    }
}

/// Whether a result computed on demand is of this kind and made as it would be now.
fn is_current(key: &ResultKey, kind: &str) -> bool {
    key.kind == kind && key.key.ends_with(MADE_AS)
}
