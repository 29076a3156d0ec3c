//! Care that can still be given in time, case by case.
//!
//! Asked of the cases as they stand now and not of a run: a run counts up to its cut-off, and what is open is open today. What the guideline
//! would say later is worked out once for each version of a case and kept in memory while guideline and centre table stay the same.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use chrono::NaiveDate;
use registry_core::access::Scope;
use registry_core::guideline::Measure;
use registry_core::record::{CentreTable, day_number};
use registry_core::storage::{CaseRow, CaseStatus, OwnCase};
use registry_core::validation::{CareGap, Envelope, GapState};
use registry_etl::cohorts::SurvivalFacts;
use registry_etl::quality::{WorkItem, WorkKind};
use serde_json::Value;

use crate::parallel;
use crate::problem::Problem;
use crate::state::AppState;

/// Versions kept at most; beyond them it is begun anew.
const MOST: usize = 50_000;

/// A record id and a version.
type Version = (String, i64);

/// What was found open, by version.
type Found = HashMap<Version, Arc<[Open]>>;

/// What was found open in versions of cases, and by which rules.
#[derive(Debug, Default)]
pub struct CareGapsKnown(RwLock<(String, Found)>);

/// A measure that could still be met when the version was submitted.
#[derive(Debug)]
struct Open {
    measure: String,
    title: String,
    pointer: Option<String>,
    until: Option<NaiveDate>,
}

impl CareGapsKnown {
    fn of(&self, rules: &str, version: &Version) -> Option<Arc<[Open]>> {
        let known = self.0.read().ok()?;
        let (of, by_version) = &*known;
        by_version.get(version).filter(|_| of == rules).cloned()
    }

    fn keep(&self, rules: &str, found: &[(Version, Arc<[Open]>)]) {
        let Ok(mut known) = self.0.write() else { return };
        let (of, by_version) = &mut *known;
        if of != rules || by_version.len() + found.len() > MOST {
            rules.clone_into(of);
            by_version.clear();
        }
        by_version.extend(found.iter().cloned());
    }
}

/// What is open today in these cases of a centre, drafts left out: the nearest last day first, those without a known one last.
///
/// # Errors
/// The database does not answer.
pub(super) fn open(
    state: &AppState,
    scope: &Scope,
    centre: &str,
    rows: &[CaseRow],
) -> Result<Vec<WorkItem>, Problem> {
    let rules = rules(state)?;
    let mut found: Vec<(Version, Arc<[Open]>)> = Vec::new();
    let mut wanted = Vec::new();
    for row in rows.iter().filter(|row| row.status != CaseStatus::Draft) {
        let version = (row.case_id.clone(), row.version);
        match state.care_gaps.of(&rules, &version) {
            Some(known) => found.push((version, known)),
            None => wanted.push(row.case_id.clone()),
        }
    }
    if !wanted.is_empty() {
        let centres = state.centre_table()?;
        let cases = state.store.current_cases(scope, centre, &wanted)?;
        let new = parallel::in_order(cases, |case| asked(state, &centres, &case));
        state.care_gaps.keep(&rules, &new);
        found.extend(new);
    }
    let today = state.ports.clock.now().date_naive();
    let mut items: Vec<WorkItem> = found
        .iter()
        .flat_map(|((case_id, _), open)| open.iter().map(move |one| (case_id, one)))
        .filter(|(_, one)| one.until.is_none_or(|day| day >= today))
        .map(|(case_id, one)| item(case_id, one))
        .collect();
    items.sort_by_cached_key(|item| {
        let day = item.until.unwrap_or(NaiveDate::MAX);
        (day, item.what.clone(), item.case_id.clone(), item.pointer.clone())
    });
    Ok(items)
}

/// By what the answer would be another: the guidelines in force and the centre table.
fn rules(state: &AppState) -> Result<String, Problem> {
    let revision = state.store.centre_revision(&Scope::system("care gaps"))?;
    let guidelines = state.judge.guidelines(&state.schemas.current().version);
    let digests = guidelines.iter().filter(|one| one.is_active());
    let digests: Vec<&str> = digests.map(|one| one.digest.as_str()).collect();
    Ok(format!("{revision} {}", digests.join(" ")))
}

fn item(case_id: &str, open: &Open) -> WorkItem {
    WorkItem {
        kind: WorkKind::CareGap,
        case_id: case_id.to_owned(),
        what: open.measure.clone(),
        why: open.title.clone(),
        pointer: open.pointer.clone(),
        since: None,
        days: None,
        until: open.until,
        measures: 1,
        units: 1,
        waiting: Vec::new(),
        judged_version: None,
    }
}

/// Judges a case as of its submission, as its own page does.
fn asked(state: &AppState, centres: &CentreTable, case: &OwnCase) -> (Version, Arc<[Open]>) {
    let envelope = Envelope {
        record_id: case.case_id.parse().unwrap_or_default(),
        centre_id: case.centre_id.clone(),
        submitted_at: case.submitted_at,
        data_cutoff_date: case.submitted_at.date_naive(),
    };
    let version = case.document.get("schema_version").and_then(Value::as_str);
    let sent_in = version.unwrap_or_default();
    let judge = &state.judge;
    let gaps = judge.in_force(sent_in).and_then(|guideline| {
        let (record, _) = judge.read(&case.document, &envelope, centres)?;
        // Nothing can still be done in time for a patient who has died.
        if SurvivalFacts::read(&record, day_number(envelope.data_cutoff_date)).is_dead() {
            return None;
        }
        let results = guideline.evaluate(&record);
        let gaps = judge.care_gaps(&case.document, &envelope, centres, &results);
        let open = gaps.iter().filter_map(|gap| {
            let measure = guideline.measures.get(usize::from(gap.result.measure))?;
            still_open(state, measure, gap, sent_in)
        });
        Some(open.collect::<Vec<Open>>())
    });
    let key = (case.case_id.clone(), case.version);
    (key, gaps.unwrap_or_default().into())
}

fn still_open(state: &AppState, measure: &Measure, gap: &CareGap, sent_in: &str) -> Option<Open> {
    let GapState::OpenThrough(until) = gap.state else {
        return None;
    };
    let pointer = measure.unit_entity.as_ref().map(|entity| {
        let pointer = format!("/{entity}/{}", gap.result.unit_index);
        state.schemas.as_sent(&pointer, sent_in)
    });
    Some(Open {
        measure: measure.id.clone(),
        title: measure.title.clone(),
        pointer,
        until,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_of_one_version_and_of_the_same_rules() {
        let known = CareGapsKnown::default();
        let version = |n| ("a".to_owned(), n);
        let found: Arc<[Open]> = vec![Open {
            measure: "6".to_owned(),
            title: String::new(),
            pointer: None,
            until: None,
        }]
        .into();
        known.keep("1 x", &[(version(1), found)]);
        let measures = |rules: &str, n| {
            let open = known.of(rules, &version(n))?;
            Some(open.iter().map(|one| one.measure.clone()).collect::<Vec<_>>())
        };
        assert_eq!(measures("1 x", 1), Some(vec!["6".to_owned()]));
        assert_eq!(measures("1 x", 2), None, "another version");
        assert_eq!(measures("2 x", 1), None, "another centre table");
        known.keep("2 x", &[]);
        assert_eq!(measures("1 x", 1), None, "begun anew");
    }
}
