//! One measure: what it says, how it is computed, and its numbers.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::guideline::{Guideline, Measure, MeasureKind};
use registry_core::rules::ParameterValue;
use registry_etl::results::{
    AdherenceRow, AdjustedCentre, By, CaseMix, CaseMixState, Period, RateState, Sensitivity, Side,
};

use super::adherence::unratified;
use super::{Frame, html, words};
use crate::charts;
use crate::explanation::reason;
use crate::guard::{Allowed, NoQuery, ReadsResults};
use crate::problem::{Kind, Problem};
use crate::results::{MeasureResults, View};
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "measure.html")]
struct Page {
    frame: Frame,
    m: Definition,
    data: Option<Data>,
}

struct Definition {
    id: String,
    statement: u16,
    grade: String,
    kind: String,
    title: String,
    statement_in_words: String,
    unit: String,
    denominator: String,
    numerator: String,
    unratified: String,
    expressions: Vec<(String, String)>,
    parameters: Vec<(String, String, String)>,
    rationale: String,
    review_note: Option<String>,
    provenance: String,
}

struct Data {
    rate_name: &'static str,
    rate: String,
    interval: String,
    fraction: String,
    patients: String,
    not_assessable: String,
    bounds: String,
    excluded: String,
    outside: String,
    funnel: Option<String>,
    has_own: bool,
    since: String,
    not_assessable_funnel: Option<String>,
    overdispersion: String,
    /// Centre, rate, counted, not assessable, position, position allowing for overdispersion, q.
    points: Vec<[String; 7]>,
    /// Patients all of whose units are met, of event-unit measures.
    all_met: String,
    trend: Option<String>,
    trend_test: String,
    half_years: Vec<Line>,
    breakdowns: Vec<(String, Vec<Line>)>,
    sensitivity: Vec<[String; 5]>,
    adjusted: String,
    adjusted_centres: Vec<[String; 5]>,
    lacking: Vec<(&'static str, String, u32)>,
    /// What of the units that cannot be assessed the reasons do not list, and why.
    lacking_rest: String,
}

/// Level, rate, interval, counted.
type Line = (String, String, String, String);

pub(super) async fn page(
    caller: Allowed<ReadsResults>,
    measure: web::Path<String>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let page = blocking(move || {
        let guideline = state.judge.guidelines(&state.schemas.current().version).first();
        let guideline = guideline.ok_or_else(|| Problem::internal("no guideline"))?;
        let (_, found) = guideline.measure(&measure).ok_or(Problem::new(Kind::NotFound))?;
        let frame = Frame::of(&format!("{} {}", found.id, found.title), "/adherence", &caller);
        let m = definition(guideline, found);
        let view = match View::open(&state, &caller.scope, None) {
            Ok(view) => view,
            Err(problem) if problem.kind == Kind::NotFound => return Ok(Page { frame, m, data: None }),
            Err(problem) => return Err(problem),
        };
        let results = match view.measure(&found.id) {
            Ok(results) => results,
            // The published run is of a guideline version without this measure.
            Err(problem) if problem.kind == Kind::NotFound => return Ok(Page { frame, m, data: None }),
            Err(problem) => return Err(problem),
        };
        let sensitivity = sensitivity(&view.sensitivities()?, &found.id);
        let data = data(&results, sensitivity, found, view.own());
        Ok(Page {
            frame: frame.with_run(&view.run),
            m,
            data,
        })
    })
    .await?;
    html(&page)
}

fn definition(guideline: &Guideline, measure: &Measure) -> Definition {
    let population = guideline
        .populations
        .get(&measure.population)
        .cloned()
        .unwrap_or_default();
    let mut expressions = vec![("Population".to_owned(), population.trim().to_owned())];
    let order = ["denominator", "exclusion", "numerator", "exception"];
    for name in order {
        if let Some(text) = measure.expressions.get(name) {
            expressions.push((words::code(name), text.trim().to_owned()));
        }
    }
    for (name, text) in measure
        .expressions
        .iter()
        .filter(|(name, _)| !order.contains(&name.as_str()))
    {
        expressions.push((name.trim_start_matches("let.").to_owned(), text.trim().to_owned()));
    }
    for (name, text) in &guideline.definitions {
        if measure.expressions.values().any(|e| {
            e.split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|w| w == name)
        }) {
            expressions.push((format!("Definition {name}"), text.trim().to_owned()));
        }
    }
    let parameters = measure
        .parameters
        .iter()
        .filter_map(|name| guideline.parameters.get(name))
        .map(|p| {
            let basis = if p.basis == "assumption" {
                "assumption, not ratified"
            } else {
                p.basis.as_str()
            };
            (p.name.clone(), value(&p.value), basis.to_owned())
        })
        .collect();
    let kind = match measure.kind {
        MeasureKind::Adherence => "adherence",
        MeasureKind::Avoidance => "avoidance of what the source advises against",
        MeasureKind::Documentation => "documentation of a judgement",
        MeasureKind::Utilisation => "use of an option, no direction is better",
    };
    Definition {
        id: measure.id.clone(),
        statement: measure.statement,
        grade: measure.grade.clone(),
        kind: kind.to_owned(),
        title: measure.title.clone(),
        statement_in_words: measure.statement_in_words.clone(),
        unit: format!("one result per {}", measure.unit),
        denominator: measure.denominator_in_words.clone(),
        numerator: measure.numerator_in_words.clone(),
        unratified: unratified(guideline, measure).join(", "),
        expressions,
        parameters,
        rationale: measure.rationale.clone(),
        review_note: measure.review_note.clone(),
        provenance: format!(
            "Guideline {} {}, measure version {}. Written {}, reviewed {}, next review {}.",
            guideline.id,
            guideline.version,
            measure.version,
            measure.authored.as_deref().unwrap_or("–"),
            measure.reviewed.as_deref().unwrap_or("–"),
            measure.next_review.as_deref().unwrap_or("–")
        ),
    }
}

/// A parameter's value as a person reads it.
pub(super) fn value(value: &ParameterValue) -> String {
    match value {
        ParameterValue::Days(n) => format!("{n} days"),
        ParameterValue::Months(n) => format!("{n} months"),
        ParameterValue::Number(n) => n.to_string(),
        ParameterValue::Date(date) => date.first_day().map(|d| d.to_string()).unwrap_or_default(),
        ParameterValue::Codes(codes) => codes.join(", "),
        ParameterValue::Pattern(pattern) => pattern.clone(),
    }
}

/// What the network's rate would be with other values of the parameters: name, value, rate, interval, counted, change.
fn sensitivity(all: &[Sensitivity], measure: &str) -> Vec<[String; 5]> {
    let row = |analysis: &Sensitivity| {
        let changes = &analysis.comparison.measures;
        let change = changes.iter().find(|change| change.measure == measure)?;
        let side = |side: &Side| match side.rate {
            Some(rate) => format!(
                "{} ({})",
                words::percent(Some(rate)),
                words::interval(side.lower, side.upper)
            ),
            None => "not shown".to_owned(),
        };
        Some([
            analysis.parameter.clone(),
            format!(
                "{} instead of {}",
                words::leaf(&analysis.value),
                words::leaf(&analysis.base)
            ),
            side(&change.other),
            side(&change.base),
            change.units_changed.map(|n| n.to_string()).unwrap_or_default(),
        ])
    };
    all.iter().filter_map(row).collect()
}

/// Observed over expected per centre, in the order of the ratio drawn towards the mean.
fn adjusted(mix: Option<&CaseMix>) -> (String, Vec<[String; 5]>) {
    let Some(mix) = mix else {
        return ("This run has no case-mix adjustment.".to_owned(), Vec::new());
    };
    let said = match &mix.state {
        CaseMixState::TooFew => return ("Too few units for a model.".to_owned(), Vec::new()),
        CaseMixState::NoEstimate(why) => return (format!("No estimate: {why}."), Vec::new()),
        CaseMixState::Modelled => {
            let covariates: Vec<String> = mix
                .coefficients
                .iter()
                .map(|c| format!("{} (odds ratio {:.2})", c.covariate, c.log_odds_ratio.exp()))
                .collect();
            format!(
                "Logistic model of {} units, all diagnoses; {} left out because a covariate is not recorded. Covariates: {}. Area under the curve {:.2}.",
                mix.units,
                mix.left_out,
                covariates.join(", "),
                mix.concordance.unwrap_or(0.5)
            )
        }
    };
    let mut centres: Vec<&AdjustedCentre> = mix.centres.iter().collect();
    centres.sort_by_key(|centre| (centre.centre.len(), centre.centre.clone()));
    let rows = centres
        .into_iter()
        .map(|c| {
            [
                c.centre.clone(),
                format!("{} of {}", c.observed, c.units),
                format!("{:.1}", c.expected),
                format!("{:.2} ({:.2} to {:.2})", c.ratio, c.lower, c.upper),
                format!("{:.2} ({:.2} to {:.2})", c.shrunk, c.shrunk_lower, c.shrunk_upper),
            ]
        })
        .collect();
    (said, rows)
}

/// Ways to break the network's rate down, beside time: heading and rows.
fn breakdowns(rows: &[&AdherenceRow]) -> Vec<(String, Vec<Line>)> {
    let ways = [
        (By::Year, "By year of diagnosis"),
        (By::Histology, "By histology"),
        (By::Timing, "By timing"),
        (By::Organ, "By organ"),
        (By::VolumeTertile, "By volume of the centre"),
        (By::Stratum, "By the measure's own stratifiers"),
    ];
    let line = |r: &&AdherenceRow| {
        let level = match r.level.split_once('=') {
            Some((element, code)) => format!("{element}: {}", words::code(code)),
            None => words::code(&r.level),
        };
        (
            level,
            words::rate(r),
            words::interval(r.lower, r.upper),
            words::fraction(r),
        )
    };
    ways.into_iter()
        .filter_map(|(by, heading)| {
            let of = rows.iter().filter(|r| r.by == by && r.period == Period::All);
            let lines: Vec<Line> = of.map(line).collect();
            (!lines.is_empty()).then(|| (heading.to_owned(), lines))
        })
        .collect()
}

fn data(
    results: &MeasureResults,
    sensitivity: Vec<[String; 5]>,
    measure: &Measure,
    own: Option<&str>,
) -> Option<Data> {
    let (table, funnel) = (&results.table, &results.funnel);
    let rows: Vec<&AdherenceRow> = table.rows.iter().collect();
    let (adjusted, adjusted_centres) = adjusted(results.case_mix.as_ref());
    let network = rows
        .iter()
        .find(|r| r.by == By::Network && r.period == Period::All)?;
    let patients = match (network.clustered_lower, network.clustered_upper) {
        (Some(l), Some(u)) => format!(
            "in {} patients; interval allowing for several units of one patient {}",
            words::count(network.patients),
            words::interval(Some(l), Some(u))
        ),
        _ => format!("in {} patients", words::count(network.patients)),
    };
    Some(Data {
        rate_name: match measure.kind {
            MeasureKind::Avoidance => "Avoided",
            MeasureKind::Utilisation => "Used",
            MeasureKind::Adherence | MeasureKind::Documentation => "Met",
        },
        rate: words::rate(network),
        interval: match network.rate {
            Some(_) => format!("95 % interval {}", words::interval(network.lower, network.upper)),
            None => without_a_rate(network).to_owned(),
        },
        fraction: words::fraction(network),
        patients,
        not_assessable: format!(
            "{} ({})",
            words::count(network.not_assessable),
            words::percent(network.not_assessable_share)
        ),
        bounds: match (network.bound_low, network.bound_high) {
            (Some(low), Some(high)) => format!(
                "rate between {} and {} whatever they are",
                words::percent(Some(low)),
                words::percent(Some(high))
            ),
            _ => String::new(),
        },
        excluded: format!(
            "{} / {}",
            words::count(network.excluded),
            words::count(network.excepted)
        ),
        outside: format!(
            "{} outside the denominator",
            words::count(network.not_in_denominator)
        ),
        funnel: charts::funnel(funnel, own, &format!("{} by centre", measure.title)),
        not_assessable_funnel: charts::not_assessable(
            &funnel.not_assessable_funnel,
            own,
            &format!("{}: what cannot be assessed, by centre", measure.title),
        ),
        overdispersion: match (funnel.phi, funnel.tau2) {
            (Some(phi), Some(tau2)) => format!(
                "Spread between centres (winsorised 10 %): phi {phi:.2}; additive variance between centres {tau2:.4}. q: Benjamini-Hochberg over {} tests of this run.",
                results.funnels.family
            ),
            _ => String::new(),
        },
        has_own: own.is_some(),
        since: table.last_24_months_from.clone(),
        points: funnel
            .points
            .iter()
            .map(|p| {
                let rate = if p.rate.is_some() {
                    words::percent(p.rate)
                } else {
                    "–".to_owned()
                };
                let fraction = match (p.numerator, p.denominator) {
                    (Some(n), Some(d)) => format!("{n} of {d}"),
                    _ => "not shown".to_owned(),
                };
                [
                    p.centre.clone(),
                    rate,
                    fraction,
                    words::count(p.not_assessable),
                    words::position(p.position).to_owned(),
                    words::position(p.position_adjusted).to_owned(),
                    p.q.map_or_else(String::new, words::p_value),
                ]
            })
            .collect(),
        trend: charts::trend(&results.trend, &format!("{} over time", measure.title)),
        trend_test: results.trend.p.map_or_else(String::new, |p| {
            let p = words::p_value(p);
            let sign = if p.starts_with('<') { "" } else { "= " };
            format!("Test of trend (Cochran-Armitage, by the calendar): p {sign}{p}.")
        }),
        half_years: results
            .trend
            .points
            .iter()
            .map(|p| {
                let fraction = match (p.numerator, p.denominator) {
                    (Some(n), Some(d)) => format!("{n} of {d}"),
                    _ => "not shown".to_owned(),
                };
                let limits = p
                    .limits
                    .map(|l| words::interval(Some(l.lower95), Some(l.upper95)));
                let rate = p
                    .rate
                    .map_or_else(|| "–".to_owned(), |rate| words::percent(Some(rate)));
                (p.level.clone(), rate, limits.unwrap_or_default(), fraction)
            })
            .collect(),
        breakdowns: breakdowns(&rows),
        sensitivity,
        adjusted,
        adjusted_centres,
        all_met: match (network.patients_all_met, network.patients) {
            (Some(met), Some(all))
                if measure.unit_entity.is_some() && measure.kind != MeasureKind::Utilisation =>
            {
                format!("every unit met in {met} of {all} patients")
            }
            _ => String::new(),
        },
        lacking_rest: lacking_rest(network),
        lacking: network
            .not_assessable_by
            .iter()
            .map(|l| (reason(&l.reason), l.element.clone().unwrap_or_default(), l.n))
            .collect(),
    })
}

/// Why there is no rate.
fn without_a_rate(network: &AdherenceRow) -> &'static str {
    match network.state {
        RateState::Rate => "",
        RateState::NotAssessable => "no unit can be assessed",
        RateState::Insufficient => "more than 30 % cannot be assessed: no rate is given",
        RateState::Suppressed => "too few patients to be shown",
    }
}

/// The units that cannot be assessed beyond those listed by reason: a reason of few units is not shown.
fn lacking_rest(network: &AdherenceRow) -> String {
    let listed: u32 = network.not_assessable_by.iter().map(|lacking| lacking.n).sum();
    match network.not_assessable {
        None => "The numbers are too small to be shown.".to_owned(),
        Some(0) => "Every unit could be assessed.".to_owned(),
        Some(all) if all > listed && listed == 0 => {
            format!("{all} cannot be assessed; each reason concerns too few of them to be shown.")
        }
        Some(all) if all > listed => format!(
            "{} of the {all} units that cannot be assessed are not listed: each of their reasons concerns too few to be shown.",
            all - listed
        ),
        Some(_) => String::new(),
    }
}
