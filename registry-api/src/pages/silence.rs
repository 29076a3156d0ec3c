//! The part of the data quality page about what cannot be assessed: by centre, one measure as a funnel, over time; and findings by check.

use registry_core::access::Scope;
use registry_etl::disclosure::{self, Audience};
use registry_etl::quality::{MonthOfQueries, cases_by_rule, findings_by_month, query_metrics_of_all};

use super::checks::said_when_it_fires;
use super::words;
use crate::charts;
use crate::problem::Problem;
use crate::results::{Hidden, Silence, View, indicators_in_force};
use crate::routes::results::written;
use crate::state::AppState;

/// Checks of one severity listed at most.
const MOST_CHECKS: usize = 25;

/// Months of findings drawn at most.
const MOST_MONTHS: usize = 24;

/// What a check has found.
pub(super) struct Check {
    pub(super) id: String,
    /// What it says when it fires; nothing of a check that is not in force.
    pub(super) says: String,
    pub(super) found: Found,
}

/// Counted by what becomes of a finding.
pub(super) enum Found {
    /// Open findings: an error is corrected, nobody is asked about it.
    Errors(u32),
    /// Queries raised, open, answered, settled.
    Warnings([u32; 4]),
}

impl Check {
    pub(super) fn severity(&self) -> &'static str {
        match self.found {
            Found::Errors(_) => "error",
            Found::Warnings(_) => "warning",
        }
    }

    /// Whether there are queries to look at.
    pub(super) fn asks(&self) -> bool {
        matches!(self.found, Found::Warnings(_))
    }

    /// Raised, open, answered, settled; nothing but what is open of errors.
    pub(super) fn counts(&self) -> [Option<u32>; 4] {
        match self.found {
            Found::Errors(open) => [None, Some(open), None, None],
            Found::Warnings(counts) => counts.map(Some),
        }
    }

    /// What the table is ordered by: how often it has fired.
    fn weight(&self) -> u32 {
        self.counts().into_iter().flatten().max().unwrap_or_default()
    }
}

/// Findings by check.
pub(super) struct Checks {
    /// Errors first, then most raised first.
    pub(super) rows: Vec<Check>,
    /// Of all centres, before a reader who sees no case: rounded, and without a way to the queries.
    pub(super) rounded: bool,
    /// Checks that found something in too few cases to be told.
    pub(super) hidden: usize,
}

impl Checks {
    fn push(&mut self, check: &str, found: Found, state: &AppState) {
        self.rows.push(Check {
            id: check.to_owned(),
            says: said_when_it_fires(state, check).unwrap_or_default(),
            found,
        });
    }
}

pub(super) struct Section {
    /// Centre, whether the reader's own; cases, share, measures far above of those placed.
    pub(super) centres: Vec<(String, bool, [String; 3])>,
    /// Measures to choose from: id, title, chosen.
    pub(super) measures: Vec<(String, String, bool)>,
    pub(super) hidden: Hidden,
    pub(super) measure: String,
    pub(super) funnel: Option<String>,
    /// Centre, units that cannot be assessed of all, share, position.
    pub(super) points: Vec<[String; 4]>,
    pub(super) trend: Option<String>,
    /// Half-year; units that cannot be assessed of all, share.
    pub(super) halves: Vec<(String, String, String)>,
    pub(super) checks: Checks,
    /// `None` for a reader who sees no case.
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
    let checks = checks(state, scope)?;
    Ok(Section {
        centres: silence
            .centres
            .iter()
            .map(|one| {
                let own = view.own() == Some(one.centre.as_str());
                let above = format!("{} of {}", one.above, one.placed);
                let cells = [words::count(one.cases), words::percent(one.share), above];
                (one.centre.clone(), own, cells)
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
            .map(|half| {
                let of = half.units.map(|(missing, units)| format!("{missing} of {units}"));
                (
                    half.half_year.clone(),
                    of.unwrap_or_else(|| words::count(None)),
                    words::percent(half.share()),
                )
            })
            .collect(),
        checks: Checks {
            rows: {
                let (warnings, errors): (Vec<Check>, Vec<Check>) =
                    checks.rows.into_iter().partition(Check::asks);
                let errors = errors.into_iter().take(MOST_CHECKS);
                errors.chain(warnings.into_iter().take(MOST_CHECKS)).collect()
            },
            ..checks
        },
        findings: if scope.role().sees_cases() {
            Some(Findings::of(&months(state, scope)?))
        } else {
            None
        },
    })
}

/// The network's share over the half-years as bars; `None` where fewer than two are told.
pub(super) fn trend_of(silence: &Silence) -> Option<String> {
    let bars = silence.half_years.iter();
    let bars: Vec<(String, Option<u32>)> = bars
        .map(|half| {
            (
                half.half_year.clone(),
                half.share().map(|share| (share * 100.0).round() as u32),
            )
        })
        .collect();
    let told = bars.iter().filter(|(_, share)| share.is_some()).count();
    (told > 1).then(|| charts::bars(&bars, "Percent of units that cannot be assessed", "%"))
}

/// The same as CSV.
pub(super) fn half_years(view: &View<'_>) -> Result<String, Problem> {
    let silence = view.silence()?;
    let rows = silence.half_years.iter();
    let rows = rows.map(|half| {
        let number =
            |of: fn((u32, u32)) -> u32| half.units.map(|units| of(units).to_string()).unwrap_or_default();
        let share = half.share().map(|share| share.to_string()).unwrap_or_default();
        vec![
            half.half_year.clone(),
            number(|units| units.0),
            number(|units| units.1),
            share,
        ]
    });
    written(
        &["half_year", "not_assessable", "units", "not_assessable_share"],
        rows,
    )
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

/// Errors by check as they stand, and warnings as the data queries they raised: the own centre's, of all centres together for everybody else.
/// Who sees no case is told of checks that fire on enough of them, and rounded: the numbers are of now, and one more would be read off from
/// what stood there yesterday.
pub(super) fn checks(state: &AppState, scope: &Scope) -> Result<Checks, Problem> {
    let exact = scope.role().sees_cases();
    let system = Scope::system("quality");
    let scope = if exact { scope } else { &system };
    let times = state.store.query_times(scope)?;
    let all = query_metrics_of_all(&times, state.ports.clock.now());
    let (cases, limits) = (cases_by_rule(&times), crate::runs::thresholds(state));
    let audience = if exact {
        Audience::Exact
    } else {
        Audience::Committee
    };
    let whole = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
    let mut found = Checks {
        rows: Vec::new(),
        rounded: !exact,
        hidden: 0,
    };
    for by in &all.by_rule {
        let Some(rule) = &by.rule else { continue };
        let patients = cases.get(rule.as_str()).copied().unwrap_or_default();
        let told = |n: usize| disclosure::told_about(whole(n as i64), patients, &audience, &limits);
        let figures = &by.figures;
        let counts = [figures.raised, figures.open, figures.answered, figures.closed].map(told);
        match counts {
            [Some(raised), Some(open), Some(answered), Some(closed)] => {
                found.push(rule, Found::Warnings([raised, open, answered, closed]), state);
            }
            _ => found.hidden += 1,
        }
    }
    for of in state.store.errors_by_check(scope)? {
        match disclosure::told_about(whole(of.findings), whole(of.cases), &audience, &limits) {
            Some(open) => found.push(&of.check, Found::Errors(open), state),
            None => found.hidden += 1,
        }
    }
    let rank = |check: &Check| (check.asks(), std::cmp::Reverse(check.weight()));
    found
        .rows
        .sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.id.cmp(&b.id)));
    Ok(found)
}

/// The same as CSV, every check.
pub(super) fn checks_table(checks: &Checks) -> Result<String, Problem> {
    let rows = checks.rows.iter().map(|check| {
        let counts = check.counts();
        let counts = counts.map(|n| n.map_or_else(String::new, |n| n.to_string()));
        let named = [check.id.clone(), check.severity().to_owned()];
        named.into_iter().chain(counts).collect()
    });
    written(
        &["check", "severity", "raised", "open", "answered", "settled"],
        rows,
    )
}

/// What cannot be assessed by centre as CSV.
pub(super) fn centres_table(view: &View<'_>) -> Result<String, Problem> {
    let silence = view.silence()?;
    let number = |n: Option<String>| n.unwrap_or_default();
    let rows = silence.centres.iter().map(|one| {
        vec![
            one.centre.clone(),
            number(one.cases.map(|n| n.to_string())),
            number(one.share.map(|share| share.to_string())),
            one.above.to_string(),
            one.placed.to_string(),
            if one.hidden { "few_patients" } else { "" }.to_owned(),
        ]
    });
    let header = [
        "centre",
        "cases",
        "not_assessable_share",
        "measures_far_above",
        "measures_placed",
        "suppressed",
    ];
    written(&header, rows)
}
