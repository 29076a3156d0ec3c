//! What a viewer sees of a run: the published one, through disclosure control, other centres as letters.

mod behind;
mod card;
mod follow_up;
mod hidden;
mod indicators;
mod letters;
mod own;
mod signals;
mod silence;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use behind::{Behind, UnitBehind, run_of_own};
pub use card::{Card, Domain, HalfYear, OverTime, Pooled, Standing};
pub use follow_up::{FollowUp, Listed, Unlisted};
pub use hidden::Hidden;
pub use indicators::IndicatorResult;
pub(crate) use indicators::in_force as indicators_in_force;
pub use own::Which;
pub use signals::Signal;
pub use silence::{Silence, SilentCentre, SilentHalf};

use registry_core::access::{Role, Scope};
use registry_core::guideline::Guideline;
use registry_core::storage::{Run, RunStatus};
use registry_etl::disclosure::{Audience, CentreLetters};
use registry_etl::measures::{Family, funnels_within};
use registry_etl::results::completeness::NETWORK;
use registry_etl::results::over_time::{OverTime as CompletenessOverTime, Part};
use registry_etl::results::{
    AdherenceRow, AdherenceTable, By, CaseMix, CentreAccrual, CentrePoint, Comparison, Completeness, Funnel,
    Funnels, MeasureHead, Overview, POOLED, Quality, Sensitivity, SurvivalResult, Trend,
};
use registry_etl::runs::{Reader, RunError};
use serde::Serialize;
use serde_json::Value;

use crate::problem::{Kind, Problem};
use crate::state::AppState;

/// What the names of parts that are centres begin with, of a survival endpoint.
const CENTRES: &str = "centres/";

/// A run as one viewer sees it.
pub struct View<'a> {
    state: &'a AppState,
    scope: &'a Scope,
    /// The run.
    pub run: Run,
    audience: Audience,
    letters: CentreLetters,
    own_run: Option<own::OwnRun>,
}

impl<'a> View<'a> {
    /// The run asked for, or the published one. Who is not the coordinating office sees published runs only.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such run for this viewer.
    pub fn open(state: &'a AppState, scope: &'a Scope, asked: Option<i64>) -> Result<Self, Problem> {
        let office = scope.role() == Role::Coordinator;
        let run = match asked {
            Some(number) => state.store.run(scope, number)?,
            None => match state.store.published_run(scope)? {
                Some(run) => run,
                None if office => state.store.latest_run(scope)?.ok_or_else(nothing_yet)?,
                None => return Err(nothing_yet()),
            },
        };
        if run.status != RunStatus::Finished || (run.published_at.is_none() && !office) {
            return Err(Problem::new(Kind::NotFound));
        }
        Self::on(state, scope, run)
    }

    /// This run, whoever may see it.
    fn on(state: &'a AppState, scope: &'a Scope, run: Run) -> Result<Self, Problem> {
        let letters = letters::of_run(state, scope, &run)?;
        let audience = match (scope.role(), scope.centre()) {
            (Role::Coordinator, _) => Audience::Exact,
            (_, Some(centre)) => Audience::Centre(centre.to_owned()),
            (Role::Committee | Role::System, _) => Audience::Committee,
            // Researchers among them: no agreement of theirs covers results. What a contract opens is their request's bundle.
            _ => Audience::Public,
        };
        Ok(Self {
            state,
            scope,
            run,
            audience,
            letters,
            own_run: None,
        })
    }

    fn reader(&self) -> Reader<'_> {
        Reader::new(&self.state.store, self.scope, &self.run)
    }

    /// How a centre is called before this viewer: the office reads ids, a centre its own id, everybody else letters.
    pub fn name_of(&self, centre: &str) -> String {
        match &self.audience {
            Audience::Exact => centre.to_owned(),
            Audience::Centre(own) if own == centre => centre.to_owned(),
            _ => format!("Centre {}", self.letters.of(centre).unwrap_or("?")),
        }
    }

    /// The guideline version the run was made by; `None` when this service has it not, or not any more as it was then.
    pub fn guideline(&self) -> Option<&'a Guideline> {
        crate::runs::guideline_of(self.state, &self.run)
    }

    /// Number of the guideline version the run was made by.
    pub fn guideline_version(&self) -> &str {
        let version = self.run.parameters.get("guideline_version");
        version.and_then(Value::as_str).unwrap_or("?")
    }

    /// That the run was made by another version of the guideline than the one in force, in a sentence.
    pub fn other_version(&self) -> Option<String> {
        let in_force = self.state.engine.guideline().ok()?;
        let own = self.state.engine.made(&self.run).is_ok();
        (!own).then(|| {
            format!(
                "Run {} was made by version {} of the guideline; version {} is in force now.",
                self.run.number,
                self.guideline_version(),
                in_force.version
            )
        })
    }

    /// The table as stored for this viewer. What a measure rests on is said anew: runs made before it was kept do not say it.
    fn table(&self) -> Result<AdherenceTable, Problem> {
        let mut table = Arc::unwrap_or_clone(self.stored_table()?);
        self.say_unratified(&mut table.measures);
        Ok(table)
    }

    fn stored_table(&self) -> Result<Arc<AdherenceTable>, Problem> {
        self.reader().adherence(&self.audience).map_err(from_run)
    }

    fn say_unratified<'h>(&self, heads: impl IntoIterator<Item = &'h mut MeasureHead>) {
        let Some(guideline) = self.guideline() else { return };
        for head in heads {
            let names = guideline.unratified(&head.id);
            head.unratified = names.into_iter().map(str::to_owned).collect();
        }
    }

    /// Adherence as this viewer may see it.
    ///
    /// # Errors
    /// A run without this result.
    pub fn adherence(&self) -> Result<AdherenceTable, Problem> {
        let shown = self.table()?;
        let mut shown = self.with_own_adherence(shown)?;
        let order: HashMap<String, usize> = shown.measures.iter().map(|m| m.id.clone()).zip(0..).collect();
        for row in shown.rows.iter_mut().filter(|r| r.by == By::Centre) {
            row.level = self.name_of(&row.level);
        }
        let mut rows: Vec<_> = shown
            .rows
            .into_iter()
            .map(|row| (order.get(&row.measure).copied(), row))
            .collect();
        rows.sort_by(|(place, a), (other, b)| place.cmp(other).then_with(|| level_order(a, b)));
        shown.rows = rows.into_iter().map(|(_, row)| row).collect();
        Ok(shown)
    }

    /// Everything about one measure: its rows, funnel, trend and case mix, drawn from what this viewer may see.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for an unknown measure.
    pub fn measure(&self, measure: &str) -> Result<MeasureResults, Problem> {
        let all = self.stored_table()?;
        let mut table = AdherenceTable {
            run: all.run.clone(),
            last_24_months_from: all.last_24_months_from.clone(),
            measures: all.measures.iter().filter(|m| m.id == measure).cloned().collect(),
            centre_tertiles: BTreeMap::new(),
            window_edges: Vec::new(),
            rows: all
                .rows
                .iter()
                .filter(|r| r.measure == measure)
                .cloned()
                .collect(),
            rows_suppressed: all.rows_suppressed,
            rows_total: all.rows_total,
        };
        if table.measures.is_empty() {
            return Err(Problem::new(Kind::NotFound));
        }
        self.say_unratified(&mut table.measures);
        let mut case_mix = self.reader().case_mix(measure, &table).map_err(from_run)?;
        for centre in case_mix.iter_mut().flat_map(|mix| &mut mix.centres) {
            centre.centre = self.name_of(&centre.centre);
        }
        for row in table.rows.iter_mut().filter(|r| r.by == By::Centre) {
            row.level = self.name_of(&row.level);
        }
        table.rows.sort_by(level_order);
        let funnels = match self.audience {
            Audience::Centre(_) => {
                // q-values hold within the tests of all measures.
                let family = Family::of(&all).map_err(Problem::internal)?;
                funnels_within(&table, &family).map_err(Problem::internal)?
            }
            _ => self.stored_funnels(&[measure])?,
        };
        let rows: Vec<&AdherenceRow> = table.rows.iter().collect();
        let trend = registry_etl::measures::trend(&rows).map_err(Problem::internal)?;
        Ok(MeasureResults {
            head: table
                .measures
                .first()
                .cloned()
                .ok_or(Problem::new(Kind::NotFound))?,
            funnel: funnels
                .funnels
                .first()
                .cloned()
                .ok_or(Problem::new(Kind::NotFound))?,
            funnels,
            trend,
            case_mix,
            table,
        })
    }

    /// The funnels of some measures as the run stores them for this viewer; none of a measure it does not have.
    ///
    /// # Errors
    /// A run without this result.
    pub fn stored_funnels(&self, measures: &[&str]) -> Result<Funnels, Problem> {
        let all = self.reader().funnels(&self.audience).map_err(from_run)?;
        let of = |measure: &&str| all.funnels.iter().find(|funnel| funnel.measure == **measure);
        let mut funnels: Vec<Funnel> = measures.iter().filter_map(of).cloned().collect();
        for funnel in &mut funnels {
            for point in &mut funnel.points {
                point.centre = self.name_of(&point.centre);
            }
            for point in &mut funnel.not_assessable_funnel.points {
                point.centre = self.name_of(&point.centre);
            }
            let place = |centre: &str| (centre.len(), centre.to_owned());
            funnel.points.sort_by_key(|point| place(&point.centre));
            let silent = &mut funnel.not_assessable_funnel.points;
            silent.sort_by_key(|point| place(&point.centre));
        }
        Ok(Funnels {
            run: all.run.clone(),
            last_24_months_from: all.last_24_months_from.clone(),
            family: all.family,
            funnels,
        })
    }

    /// A survival endpoint as this viewer may see it.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for an unknown endpoint.
    pub fn survival(&self, endpoint: &str) -> Result<SurvivalResult, Problem> {
        let mut shown = self
            .reader()
            .survival(endpoint, &self.audience)
            .map_err(from_run)?;
        // A part that stays as an earlier run showed it is named as the part itself is.
        for one in &mut shown.as_of {
            if let Some(centre) = one.part.strip_prefix(CENTRES).filter(|centre| *centre != POOLED) {
                one.part = format!("{CENTRES}{}", self.name_of(centre));
            }
        }
        if let Some(comparison) = &mut shown.centres {
            let named = comparison.centres.iter_mut().filter(|one| one.centre != POOLED);
            named.for_each(|one| one.centre = self.name_of(&one.centre));
            comparison.centres.sort_by(|a, b| {
                let rank = |one: &CentrePoint| (one.centre == POOLED, one.centre.len());
                rank(a).cmp(&rank(b)).then_with(|| a.centre.cmp(&b.centre))
            });
        }
        Ok(shown)
    }

    /// The overview as this viewer may see it.
    ///
    /// # Errors
    /// A run without this result.
    pub fn overview(&self) -> Result<Overview, Problem> {
        let shown = self.reader().overview(&self.audience).map_err(from_run)?;
        let mut shown = self.with_own_overview(shown)?;
        for row in &mut shown.by_centre {
            row.centre = self.name_of(&row.centre);
        }
        shown
            .by_centre
            .sort_by(|a, b| (a.centre.len(), &a.centre).cmp(&(b.centre.len(), &b.centre)));
        Ok(shown)
    }

    /// Registered against eligible patients seen, for the network (`all`) and by centre, as this viewer may see it.
    ///
    /// # Errors
    /// A run without this result.
    pub fn registration(&self) -> Result<Vec<Registration>, Problem> {
        let overview = self.overview()?;
        let told: Vec<_> = overview
            .by_centre
            .iter()
            .filter(|centre| centre.eligible_seen.is_some())
            .collect();
        let sum = |of: fn(&CentreAccrual) -> Option<u32>| -> Option<u32> {
            let all = told.iter().map(|centre| of(centre)).sum::<Option<u32>>();
            // A centre that sees itself only would read its own numbers as the network's.
            all.filter(|_| !told.is_empty() && !matches!(self.audience, Audience::Centre(_)))
        };
        let network = Registration::new(
            "all".to_owned(),
            sum(|centre| centre.eligible_seen),
            sum(|centre| centre.registered_in_those_years),
        );
        let centres = overview.by_centre.iter().map(|centre| {
            Registration::new(
                centre.centre.clone(),
                centre.eligible_seen,
                centre.registered_in_those_years,
            )
        });
        Ok(std::iter::once(network).chain(centres).collect())
    }

    /// Data quality as this viewer may see it.
    ///
    /// # Errors
    /// A run without this result.
    pub fn quality(&self) -> Result<Quality, Problem> {
        let shown = self.reader().quality(&self.audience).map_err(from_run)?;
        let mut shown = self.with_own_quality(shown)?;
        for row in &mut shown.centres {
            row.centre = self.name_of(&row.centre);
        }
        shown
            .centres
            .sort_by(|a, b| (a.centre.len(), &a.centre).cmp(&(b.centre.len(), &b.centre)));
        Ok(shown)
    }

    /// Completeness and timeliness as this viewer may see them: the network, then centres in the order of their names.
    ///
    /// # Errors
    /// A run without this result.
    pub fn completeness(&self) -> Result<Vec<Completeness>, Problem> {
        let shown = self.reader().completeness(&self.audience).map_err(from_run)?;
        let mut shown = Arc::unwrap_or_clone(shown);
        for level in &mut shown {
            level.level = self.level_of(&level.level);
        }
        shown.sort_by(|a, b| level_rank(&a.level).cmp(&level_rank(&b.level)));
        Ok(shown)
    }

    /// A part of it by half-year, in the same order; of `centre` (as named to this viewer, or `all`) when one is given.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn completeness_over_time(
        &self,
        centre: Option<&str>,
        part: Part<'_>,
    ) -> Result<Vec<CompletenessOverTime>, Problem> {
        let wanted = |level: &str| centre.is_none_or(|centre| self.level_of(level) == centre);
        let shown = self.reader().over_time(&self.audience, part, wanted);
        let mut shown = shown.map_err(from_run)?;
        for level in &mut shown {
            level.level = self.level_of(&level.level);
        }
        shown.sort_by(|a, b| level_rank(&a.level).cmp(&level_rank(&b.level)));
        Ok(shown)
    }

    /// How a level of completeness is called before this viewer.
    fn level_of(&self, level: &str) -> String {
        match level {
            NETWORK => NETWORK.to_owned(),
            centre => self.name_of(centre),
        }
    }

    /// Sensitivity analyses as this viewer may see them.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn sensitivities(&self) -> Result<Vec<Sensitivity>, Problem> {
        self.reader().sensitivities(&self.audience).map_err(from_run)
    }

    /// Previews of rule changes as this viewer may see them.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn previews(&self) -> Result<Vec<Comparison>, Problem> {
        self.reader().previews(&self.audience).map_err(from_run)
    }

    /// Whether centres are named by their ids, not by letters.
    pub fn names_centres(&self) -> bool {
        self.audience == Audience::Exact
    }

    /// The viewer's own centre as the tables name it.
    pub fn own(&self) -> Option<&str> {
        self.scope.centre()
    }
}

/// The network first, then centres in the order of their names: B before AA.
fn level_rank(level: &str) -> (bool, usize, &str) {
    (level != NETWORK, level.len(), level)
}

/// Rows of one measure as a reader looks for them: centres A, B, .. Z, AA.
fn level_order(a: &AdherenceRow, b: &AdherenceRow) -> std::cmp::Ordering {
    let length = |row: &AdherenceRow| if row.by == By::Centre { row.level.len() } else { 0 };
    (a.by, a.period, length(a), &a.level).cmp(&(b.by, b.period, length(b), &b.level))
}

/// How many of the eligible patients a centre saw are in the registry: rates speak for those only.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Registration {
    /// `all` or a centre.
    pub level: String,
    /// Eligible patients seen, over the years the centre table tells; `None` when it tells none.
    pub eligible_seen: Option<u32>,
    /// Cases registered in those years; `None` when unknown or too few to show.
    pub registered: Option<u32>,
    /// The one of the other; above 1 when earlier diagnoses were registered late.
    pub completeness: Option<f64>,
}

impl Registration {
    fn new(level: String, eligible_seen: Option<u32>, registered: Option<u32>) -> Self {
        let completeness = registered
            .zip(eligible_seen.filter(|seen| *seen > 0))
            .map(|(registered, seen)| f64::from(registered) / f64::from(seen));
        Self {
            level,
            eligible_seen,
            registered,
            completeness,
        }
    }
}

/// One measure of a run, for one viewer.
pub struct MeasureResults {
    /// What it is.
    pub head: MeasureHead,
    /// Of this measure only.
    pub table: AdherenceTable,
    pub funnel: Funnel,
    /// The funnel with the run it is of.
    pub funnels: Funnels,
    pub trend: Trend,
    pub case_mix: Option<CaseMix>,
}

fn nothing_yet() -> Problem {
    Problem::with(Kind::NotFound, "no run has been published yet")
}

/// What a run's failure is to a caller.
pub(crate) fn from_run(error: RunError) -> Problem {
    match error {
        RunError::Store(error) => error.into(),
        moved @ RunError::Transferred => Problem::with(Kind::InvalidState, moved.to_string()),
        other => Problem::internal(other),
    }
}
