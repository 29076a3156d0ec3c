//! The part of the data quality page about what cannot be assessed: by centre, one measure as a funnel, over time; and findings by check.

use registry_core::access::Scope;

use super::words;
use crate::charts;
use crate::problem::Problem;
use crate::results::{View, indicators_in_force};
use crate::routes::queries::metrics::levels;
use crate::state::AppState;

/// Checks listed at most.
const MOST_CHECKS: usize = 25;

/// A check's id; queries raised, open, answered, closed.
type Check = (String, [usize; 4]);

pub(super) struct Section {
    /// Centre, whether the reader's own, share, measures far above and placed.
    pub(super) centres: Vec<(String, bool, String, String)>,
    /// Measures to choose from: id, title, chosen.
    pub(super) measures: Vec<(String, String, bool)>,
    pub(super) measure: String,
    pub(super) funnel: Option<String>,
    /// Centre, units that cannot be assessed of all, share, position.
    pub(super) points: Vec<[String; 4]>,
    pub(super) trend: Option<String>,
    pub(super) halves: Vec<(String, String)>,
    /// `None` for a reader who sees no case.
    pub(super) checks: Option<Vec<Check>>,
}

/// Of the run; the measure asked for, or the first indicator.
///
/// # Errors
/// [`crate::problem::Kind::NotFound`] for a measure the run has not.
pub(super) fn section(
    state: &AppState,
    scope: &Scope,
    view: &View<'_>,
    asked: Option<&str>,
) -> Result<Section, Problem> {
    let silence = view.silence()?;
    let has = |id: &str| silence.measures.iter().any(|head| head.id == id);
    let listed = indicators_in_force(state, scope)?;
    let first = listed.iter().map(|one| one.measure.as_str()).find(|id| has(id));
    let first = first.or(silence.measures.first().map(|head| head.id.as_str()));
    let measure = asked.or(first).unwrap_or_default().to_owned();
    let (mut funnel, mut points) = (None, Vec::new());
    if !measure.is_empty() {
        let found = view.measure(&measure)?;
        let title = format!("{}: what cannot be assessed, by centre", found.head.title);
        funnel = charts::not_assessable(&found.funnel.not_assessable_funnel, view.own(), &title);
        let all = found.funnel.not_assessable_funnel.points.iter();
        points.extend(all.map(|point| {
            let of = point.numerator.zip(point.denominator);
            [
                point.centre.clone(),
                of.map_or_else(|| "not shown".to_owned(), |(n, of)| format!("{n} of {of}")),
                words::percent(point.share),
                words::position(point.position).to_owned(),
            ]
        }));
    }
    let bars = silence.half_years.iter();
    let bars: Vec<(String, Option<u32>)> = bars
        .map(|(half, share)| (half.clone(), Some((share * 100.0).round() as u32)))
        .collect();
    Ok(Section {
        centres: silence
            .centres
            .iter()
            .map(|one| {
                let own = view.own() == Some(one.centre.as_str());
                let above = format!("{} of {}", one.above, one.placed);
                (one.centre.clone(), own, words::percent(one.share), above)
            })
            .collect(),
        measures: silence
            .measures
            .iter()
            .map(|head| {
                let title = format!("{} {}", head.id, head.title);
                (head.id.clone(), title, head.id == measure)
            })
            .collect(),
        measure,
        funnel,
        points,
        trend: (bars.len() > 1).then(|| charts::bars(&bars, "Percent of units that cannot be assessed", "%")),
        halves: silence
            .half_years
            .iter()
            .map(|(half, share)| (half.clone(), words::percent(Some(*share))))
            .collect(),
        checks: checks(state, scope)?,
    })
}

/// Warnings by check, as the data queries they raised: the own centre's, for the office all centres together.
fn checks(state: &AppState, scope: &Scope) -> Result<Option<Vec<Check>>, Problem> {
    if !scope.role().sees_cases() {
        return Ok(None);
    }
    let levels = levels(state, scope)?;
    let Some(level) = levels.first() else {
        return Ok(Some(Vec::new()));
    };
    let mut rows: Vec<Check> = level
        .by_rule
        .iter()
        .filter_map(|by| {
            let figures = &by.figures;
            let counts = [figures.raised, figures.open, figures.answered, figures.closed];
            Some((by.rule.clone()?, counts))
        })
        .collect();
    rows.sort_by(|a, b| b.1[0].cmp(&a.1[0]).then_with(|| a.0.cmp(&b.0)));
    rows.truncate(MOST_CHECKS);
    Ok(Some(rows))
}
