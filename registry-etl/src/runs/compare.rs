//! What if: the cases of a run by two sets of rules, and where they differ.
//!
//! A sensitivity analysis is the run's guideline against the same with another value of one parameter; a preview is the
//! rules in force against rules not yet published. Cases are streamed: memory does not grow with their number.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use registry_core::access::Scope;
use registry_core::guideline::{Guideline, Outcome, UnitOutcome};
use registry_core::record::CentreTable;
use registry_core::storage::{CaseDocument, CaseRef, Run, Store};

use super::RunError;
use crate::cohorts::endpoint::LEVEL;
use crate::measures::Engine;
use crate::measures::adherence::state_of;
use crate::results::{CentreChange, CheckChange, Comparison, MeasureChange, Move, RateState, RuleSet, Side};
use crate::statistics::wilson;

/// Cases read at once.
const BATCH: usize = 200;

/// One measure under both sets of rules.
#[derive(Default)]
struct Tally {
    sides: [[u32; Outcome::ALL.len()]; 2],
    patients: [u32; 2],
    moves: BTreeMap<(Option<Outcome>, Option<Outcome>), u32>,
    patients_changed: u32,
    centres: BTreeMap<String, u32>,
}

/// Compares two engines on the cases of a finished run, as of its cut-off. `wanted` picks measures and all-or-none summaries by id.
///
/// `progress` is told cases done and their number after every batch.
///
/// # Errors
/// [`RunError`], as for a run.
pub fn compare(
    store: &Store,
    scope: &Scope,
    run: &Run,
    centres: &CentreTable,
    [base, other]: [&Engine; 2],
    wanted: impl Fn(&str) -> bool,
    mut progress: impl FnMut(usize, usize),
) -> Result<Comparison, RunError> {
    let still = store.last_transfer(scope)?;
    let mut cases: Vec<CaseRef> = Vec::new();
    store.for_each_case_at::<RunError>(scope, run.watermark, BATCH, |batch| {
        cases.extend(batch.into_iter().map(|header| header.case));
        Ok(())
    })?;
    let mut work = Work {
        engines: [base, other],
        wanted: [of_interest(base, &wanted)?, of_interest(other, &wanted)?],
        cut_off: run.cutoff_date,
        centres,
        measures: BTreeMap::new(),
        checks: BTreeMap::new(),
    };
    let mut seen = 0;
    for (at, batch) in cases.chunks(BATCH).enumerate() {
        for document in store
            .case_documents(scope, run.watermark, batch)?
            .iter()
            .flatten()
        {
            work.case(document)?;
            seen += 1;
        }
        progress((at * BATCH + batch.len()).min(cases.len()), cases.len());
    }
    if store.last_transfer(scope)? != still {
        return Err(RunError::Transferred);
    }
    Ok(Comparison {
        run: run.number,
        cut_off: run.cutoff_date.to_string(),
        cases: Some(seen),
        base: rule_set(base)?,
        other: rule_set(other)?,
        measures: work.measure_changes()?,
        checks: work.check_changes(),
    })
}

/// What is wanted of one guideline.
struct OfInterest {
    /// Ids of measures and of all-or-none summaries.
    ids: BTreeSet<String>,
    /// Ids of the measures that are judged for them: a summary needs all its parts.
    judged: BTreeSet<String>,
}

fn of_interest(engine: &Engine, wanted: &impl Fn(&str) -> bool) -> Result<OfInterest, RunError> {
    let guideline = engine.guideline()?;
    let measures = guideline.measures.iter().map(|measure| &measure.id);
    let measures = measures.filter(|id| wanted(id));
    let composites = guideline.composites.iter();
    let composites = composites.filter(|composite| wanted(&composite.id));
    let parts = composites
        .clone()
        .flat_map(|composite| guideline.parts(composite));
    let parts = parts.map(|measure| &measure.id);
    let summaries = composites.map(|composite| &composite.id);
    Ok(OfInterest {
        ids: measures.clone().chain(summaries).cloned().collect(),
        judged: measures.chain(parts).cloned().collect(),
    })
}

fn rule_set(engine: &Engine) -> Result<RuleSet, RunError> {
    let guideline = engine.guideline()?;
    Ok(RuleSet {
        guideline: guideline.id.clone(),
        version: guideline.version.clone(),
        digest: guideline.digest.clone(),
    })
}

/// Measure id and unit, in the words of one guideline: positions differ between two.
type Unit = (String, u32);

struct Work<'a> {
    engines: [&'a Engine; 2],
    wanted: [OfInterest; 2],
    cut_off: NaiveDate,
    centres: &'a CentreTable,
    measures: BTreeMap<String, Tally>,
    /// Per check: places it fired at under either set of rules, and by centre how many cases changed.
    checks: BTreeMap<String, ([u32; 2], BTreeMap<String, u32>)>,
}

impl Work<'_> {
    fn case(&mut self, case: &CaseDocument) -> Result<(), RunError> {
        let mut outcomes: [BTreeMap<Unit, Outcome>; 2] = Default::default();
        // Who a unit counts for does not depend on the rules, unless they count other units.
        let mut centres: BTreeMap<Unit, String> = BTreeMap::new();
        let mut fired: [BTreeMap<String, u32>; 2] = Default::default();
        let [base, other] = self.engines;
        let first = base.read(case, self.cut_off, self.centres)?;
        let second = if other.reads_as(base) {
            None
        } else {
            Some(other.read(case, self.cut_off, self.centres)?)
        };
        for (side, engine) in [(0, base), (1, other)] {
            let read = if side == 0 {
                &first
            } else {
                second.as_ref().unwrap_or(&first)
            };
            let version = &case.header.schema_version;
            let guideline = engine.guideline_on(version).unwrap_or(read.guideline);
            let wanted = &self.wanted[side];
            let is_judged = |measure: u16| {
                let measure = guideline.measures.get(usize::from(measure));
                measure.is_some_and(|measure| wanted.judged.contains(&measure.id))
            };
            let mut results = read.outcomes(guideline, is_judged);
            results.extend(guideline.composite_outcomes(&results));
            for (unit, result) in by_unit(guideline, &results, &wanted.ids) {
                centres.insert(unit.clone(), read.centre_of(guideline, result).to_owned());
                outcomes[side].insert(unit, result.outcome);
            }
            for (check, _) in &read.fired {
                *fired[side].entry(check.clone()).or_default() += 1;
            }
        }
        self.count(&centres, &outcomes);
        for check in fired[0].keys().chain(fired[1].keys()).collect::<BTreeSet<_>>() {
            let times = [0, 1].map(|side| fired[side].get(check).copied().unwrap_or(0));
            let (totals, centres) = self.checks.entry(check.clone()).or_default();
            for side in 0..2 {
                totals[side] += times[side];
            }
            if times[0] != times[1] {
                *centres.entry(first.centre().to_owned()).or_default() += 1;
            }
        }
        Ok(())
    }

    fn count(&mut self, centres: &BTreeMap<Unit, String>, outcomes: &[BTreeMap<Unit, Outcome>; 2]) {
        let units: BTreeSet<&Unit> = outcomes[0].keys().chain(outcomes[1].keys()).collect();
        let mut assessable: [BTreeSet<&str>; 2] = Default::default();
        let mut changed: BTreeSet<&str> = BTreeSet::new();
        for unit in units {
            let (measure, pair) = (
                unit.0.as_str(),
                [0, 1].map(|side| outcomes[side].get(unit).copied()),
            );
            let tally = self.measures.entry(measure.to_owned()).or_default();
            for side in 0..2 {
                if let Some(outcome) = pair[side] {
                    tally.sides[side][outcome as usize] += 1;
                    if outcome.in_denominator() {
                        assessable[side].insert(measure);
                    }
                }
            }
            if pair[0] != pair[1] {
                *tally.moves.entry((pair[0], pair[1])).or_default() += 1;
                if let Some(centre) = centres.get(unit) {
                    *tally.centres.entry(centre.clone()).or_default() += 1;
                }
                changed.insert(measure);
            }
        }
        for (side, measures) in assessable.iter().enumerate() {
            for measure in measures {
                if let Some(tally) = self.measures.get_mut(*measure) {
                    tally.patients[side] += 1;
                }
            }
        }
        for measure in changed {
            if let Some(tally) = self.measures.get_mut(measure) {
                tally.patients_changed += 1;
            }
        }
    }

    /// In the order of the base's guideline, composites behind the measures; what only the other has comes last.
    fn measure_changes(&self) -> Result<Vec<MeasureChange>, RunError> {
        let mut order: Vec<String> = Vec::new();
        for engine in self.engines {
            for measure in engine.measures()? {
                if !order.contains(&measure.id) {
                    order.push(measure.id);
                }
            }
        }
        let mut changes = Vec::new();
        for id in order {
            let Some(tally) = self.measures.get(&id) else {
                continue;
            };
            let code = |outcome: &Option<Outcome>| outcome.map(|outcome| outcome.as_str().to_owned());
            changes.push(MeasureChange {
                base: side(&tally.sides[0], tally.patients[0])?,
                other: side(&tally.sides[1], tally.patients[1])?,
                changed: !tally.moves.is_empty(),
                units_changed: Some(tally.moves.values().sum()),
                patients_changed: Some(tally.patients_changed),
                moves: tally
                    .moves
                    .iter()
                    .map(|((from, to), n)| Move {
                        from: code(from),
                        to: code(to),
                        n: *n,
                    })
                    .collect(),
                centres: centre_changes(&tally.centres),
                measure: id,
            });
        }
        Ok(changes)
    }

    fn check_changes(&self) -> Vec<CheckChange> {
        let change = |(check, (fired, centres)): (&String, &([u32; 2], BTreeMap<String, u32>))| CheckChange {
            check: check.clone(),
            base: fired[0],
            other: fired[1],
            centres: centre_changes(centres),
        };
        self.checks.iter().map(change).collect()
    }
}

fn centre_changes(centres: &BTreeMap<String, u32>) -> Vec<CentreChange> {
    let change = |(centre, n): (&String, &u32)| CentreChange {
        centre: centre.clone(),
        n: *n,
    };
    centres.iter().map(change).collect()
}

/// The results of what is of interest, by unit.
fn by_unit<'a>(
    guideline: &Guideline,
    results: &'a [UnitOutcome],
    wanted: &BTreeSet<String>,
) -> Vec<(Unit, &'a UnitOutcome)> {
    let measures = guideline.measures.iter().map(|measure| &measure.id);
    let composites = guideline.composites.iter().map(|composite| &composite.id);
    let ids: Vec<&String> = measures.chain(composites).collect();
    let named = |result: &'a UnitOutcome| {
        let id = ids.get(usize::from(result.measure))?;
        let unit = ((*id).clone(), result.unit_index);
        wanted.contains(*id).then_some((unit, result))
    };
    results.iter().filter_map(named).collect()
}

fn side(counts: &[u32; Outcome::ALL.len()], patients: u32) -> Result<Side, RunError> {
    let sum = |of: fn(Outcome) -> bool| -> u32 {
        let counted = Outcome::ALL.iter().filter(|outcome| of(**outcome));
        counted.map(|outcome| counts[*outcome as usize]).sum()
    };
    let (numerator, denominator) = (sum(Outcome::in_numerator), sum(Outcome::in_denominator));
    let not_assessable = counts[Outcome::NotAssessable as usize];
    let state = state_of(denominator, not_assessable);
    // As in the run itself: no rate where too much cannot be assessed.
    let shown = state == RateState::Rate;
    let interval = wilson(u64::from(numerator), u64::from(denominator), LEVEL)?;
    let interval = interval.filter(|_| shown);
    Ok(Side {
        numerator: Some(numerator),
        denominator: Some(denominator),
        not_assessable: Some(not_assessable),
        excluded: Some(counts[Outcome::Excluded as usize]),
        excepted: Some(counts[Outcome::Excepted as usize]),
        patients: Some(patients),
        state,
        rate: shown.then(|| f64::from(numerator) / f64::from(denominator)),
        lower: interval.map(|interval| interval.lower),
        upper: interval.map(|interval| interval.upper),
    })
}
