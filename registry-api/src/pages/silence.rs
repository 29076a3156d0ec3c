//! The part of the data quality page about what cannot be assessed: by centre, one measure as a funnel, over time; and findings by check.

use registry_core::access::Scope;
use registry_etl::quality::{MonthOfQueries, findings_by_month};

use super::checks::rule_in_words;
use super::words;
use crate::charts;
use crate::problem::Problem;
use crate::results::{Hidden, Silence, View, indicators_in_force};
use crate::routes::queries::metrics::levels;
use crate::routes::results::written;
use crate::state::AppState;

/// Checks listed at most.
const MOST_CHECKS: usize = 25;

/// Months of findings drawn at most.
const MOST_MONTHS: usize = 24;

/// A check's id, what it looks at; queries raised, open, answered, closed.
type Check = (String, String, [usize; 4]);

pub(super) struct Section {
    /// Centre, whether the reader's own, share, measures far above and placed.
    pub(super) centres: Vec<(String, bool, String, String)>,
    /// Measures to choose from: id, title, chosen.
    pub(super) measures: Vec<(String, String, bool)>,
    pub(super) hidden: Hidden,
    pub(super) measure: String,
    pub(super) funnel: Option<String>,
    /// Centre, units that cannot be assessed of all, share, position.
    pub(super) points: Vec<[String; 4]>,
    pub(super) trend: Option<String>,
    pub(super) halves: Vec<(String, String)>,
    /// `None` for a reader who sees no case.
    pub(super) checks: Option<Vec<Check>>,
    pub(super) findings: Option<Findings>,
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
    let mut hidden = Hidden::of(silence.centres.iter().map(|one| one.hidden));
    if !measure.is_empty() {
        let found = view.measure(&measure)?;
        let title = format!("{}: what cannot be assessed, by centre", found.head.title);
        funnel = charts::not_assessable(&found.funnel.not_assessable_funnel, view.own(), &title);
        let all = found.funnel.not_assessable_funnel.points.iter();
        hidden = hidden.and(Hidden::of(all.clone().map(|point| point.suppressed.is_some())));
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
        hidden,
        measure,
        funnel,
        points,
        trend: trend_of(&silence),
        halves: silence
            .half_years
            .iter()
            .map(|(half, share)| (half.clone(), words::percent(Some(*share))))
            .collect(),
        checks: checks(state, scope)?,
        findings: if scope.role().sees_cases() {
            Some(Findings::of(&months(state, scope)?))
        } else {
            None
        },
    })
}

/// The network's share over the half-years as bars; `None` with fewer than two.
pub(super) fn trend_of(silence: &Silence) -> Option<String> {
    let bars = silence.half_years.iter();
    let bars: Vec<(String, Option<u32>)> = bars
        .map(|(half, share)| (half.clone(), Some((share * 100.0).round() as u32)))
        .collect();
    (bars.len() > 1).then(|| charts::bars(&bars, "Percent of units that cannot be assessed", "%"))
}

/// The same as CSV.
pub(super) fn half_years(view: &View<'_>) -> Result<String, Problem> {
    let silence = view.silence()?;
    let rows = silence.half_years.iter();
    let rows = rows.map(|(half, share)| vec![half.clone(), share.to_string()]);
    written(&["half_year", "not_assessable_share"], rows)
}

/// Findings over time: what checks asked, month by month.
pub(super) struct Findings {
    pub(super) chart: Option<String>,
    /// Month, raised, settled.
    pub(super) months: Vec<(String, u32, u32)>,
}

impl Findings {
    fn of(months: &[MonthOfQueries]) -> Self {
        let line = |one: &MonthOfQueries| (one.month.clone(), one.raised, one.closed);
        Self {
            chart: findings_chart(months),
            months: months.iter().map(line).collect(),
        }
    }
}

/// The last months of the own centre, for the office of all centres.
pub(super) fn months(state: &AppState, scope: &Scope) -> Result<Vec<MonthOfQueries>, Problem> {
    let times = state.store.query_times(scope)?;
    Ok(findings_by_month(&times, state.ports.clock.now(), MOST_MONTHS))
}

/// Warnings raised by month as bars; `None` with fewer than two months.
pub(super) fn findings_chart(months: &[MonthOfQueries]) -> Option<String> {
    let bars = months.iter().map(|one| (one.month.clone(), Some(one.raised)));
    let bars: Vec<(String, Option<u32>)> = bars.collect();
    (bars.len() > 1).then(|| charts::bars(&bars, "Warnings raised by month", "raised"))
}

/// The same as CSV.
pub(super) fn findings_table(months: &[MonthOfQueries]) -> Result<String, Problem> {
    let rows = months
        .iter()
        .map(|one| vec![one.month.clone(), one.raised.to_string(), one.closed.to_string()]);
    written(&["month", "raised", "closed"], rows)
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
            let id = by.rule.clone()?;
            let rule = rule_in_words(state, &id).unwrap_or_default();
            Some((id, rule, counts))
        })
        .collect();
    rows.sort_by(|a, b| b.2[0].cmp(&a.2[0]).then_with(|| a.0.cmp(&b.0)));
    rows.truncate(MOST_CHECKS);
    Ok(Some(rows))
}
