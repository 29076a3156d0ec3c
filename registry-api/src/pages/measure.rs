//! One measure: what it says, how it is computed, and its numbers.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::Role;
use registry_core::form::Words;
use registry_core::guideline::MeasureKind;
use registry_etl::results::{AdherenceRow, AdjustedCentre, By, CaseMix, CaseMixState, Period, RateState};

use super::alternatives::{self, Alternative};
use super::definition::Definition;
use super::measure_cases::code;
use super::measure_tables::{Centres, Line};
use super::of_run::OfRun;
use super::{Frame, html, measure_cases, measure_period, measure_tables, words};
use crate::charts;
use crate::explanation::reason;
use crate::guard::{Allowed, ReadsResults};
use crate::problem::{Kind, Problem};
use crate::results::{Hidden, MeasureResults, View};
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "measure.html")]
struct Page {
    frame: Frame,
    csrf: String,
    m: Definition,
    /// The run the numbers are of.
    run: i64,
    /// The run asked for.
    of_run: OfRun,
    /// That the run was made by another version than the one in force.
    notice: Option<String>,
    data: Option<Data>,
    /// Why there are no numbers.
    empty: String,
    /// Thresholds the reader may have the run computed with.
    alternatives: Vec<Alternative>,
    /// The reader's own cases; for a centre's people.
    own: Option<measure_cases::Section>,
}

struct Data {
    /// Of which diagnoses the headline is, in words and in addresses.
    period: &'static str,
    period_code: &'static str,
    periods: Vec<measure_period::Choice>,
    rate_name: &'static str,
    network: Headline,
    /// The reader's own centre by name, and its numbers of the same period.
    own: Option<(String, Headline)>,
    funnel: Option<String>,
    has_own: bool,
    since: String,
    bounds: &'static str,
    not_assessable_funnel: Option<String>,
    overdispersion: String,
    centres: Centres,
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

/// The numbers of the network, or of a centre.
struct Headline {
    rate: String,
    interval: String,
    fraction: String,
    patients: String,
    not_assessable: String,
    bounds: String,
    excluded: String,
    outside: String,
}

pub(super) async fn page(
    caller: Allowed<ReadsResults>,
    measure: web::Path<String>,
    asked: web::Query<measure_period::Asked>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let page = blocking(move || {
        let called = state.words()?;
        let office = caller.scope.role() == Role::Coordinator;
        let frame = |title: &str| Frame::of(title, "/adherence", &caller);
        let all = state.judge.guidelines(&state.schemas.current().version);
        // The version in force comes first: what is not in the run is defined there, or in another.
        let elsewhere = || all.iter().find_map(|g| Some((g, Definition::of(g, &measure, called)?)));
        let view = match View::open(&state, &caller.scope, asked.run) {
            Ok(view) => view,
            Err(problem) if problem.kind == Kind::NotFound && asked.run.is_none() => {
                let (_, m) = elsewhere().ok_or(Problem::new(Kind::NotFound))?;
                let frame = frame(&m.heading());
                return Ok(Page::without_numbers(frame, m, OfRun(None), NOT_PUBLISHED.to_owned()));
            }
            Err(problem) => return Err(problem),
        };
        let of_run = view.guideline();
        let Some((guideline, m)) = of_run.and_then(|g| Some((g, Definition::of(g, &measure, called)?))) else {
            let (guideline, m) = elsewhere().ok_or(Problem::new(Kind::NotFound))?;
            let frame = frame(&m.heading()).with_run(&view.run);
            let made_by = view.guideline_version();
            let run = view.run.number;
            let why = match of_run {
                Some(_) => format!(
                    "Run {run} was made by version {made_by} of the guideline, in which there is no such measure. It is shown as version {} has it.",
                    guideline.version
                ),
                None => format!(
                    "Run {run} was made by version {made_by} of the guideline, which is not here any more as it was then: its numbers are not \
                     shown beside another definition. The measure is shown as version {} has it.",
                    guideline.version
                ),
            };
            return Ok(Page::without_numbers(frame, m, OfRun(asked.run), why));
        };
        let results = view.measure(&measure)?;
        let shown = results.table.rows.iter().filter(|row| on_page(row));
        let frame = frame(&m.heading())
            .with_run(&view.run)
            .with_hidden(Hidden::of_rows(shown));
        let sensitivities = view.sensitivities()?;
        let csrf = frame.csrf();
        let network = measure_period::headline(&results, asked.period);
        let own = match view.own().filter(|_| caller.scope.role().needs_centre()) {
            Some(centre) => {
                measure_cases::own(&state, &caller.scope, &view, centre, (&results, network), OfRun(asked.run))?
            }
            None => None,
        };
        Ok(Page {
            csrf,
            run: view.run.number,
            of_run: OfRun(asked.run),
            notice: view.other_version(),
            alternatives: if office {
                alternatives::open(guideline, &measure, &sensitivities)
            } else {
                Vec::new()
            },
            own,
            data: network.map(|network| {
                let sensitivity = alternatives::rows(guideline, &sensitivities, &measure);
                data(&results, network, sensitivity, view.own(), called)
            }),
            empty: "The run has no numbers of this measure.".to_owned(),
            frame,
            m,
        })
    })
    .await?;
    html(&page)
}

const NOT_PUBLISHED: &str = "No run has been published yet.";

impl Page {
    fn without_numbers(frame: Frame, m: Definition, of_run: OfRun, empty: String) -> Self {
        Self {
            csrf: String::new(),
            run: 0,
            of_run,
            notice: None,
            alternatives: Vec::new(),
            data: None,
            own: None,
            empty,
            frame,
            m,
        }
    }
}

/// Observed over expected per centre, in the order of the ratio drawn towards the mean.
fn adjusted(mix: Option<&CaseMix>) -> (String, Vec<[String; 5]>) {
    let Some(mix) = mix else {
        return ("This run has no case-mix adjustment.".to_owned(), Vec::new());
    };
    let said = match &mix.state {
        CaseMixState::TooFew => return ("Too few units for a model.".to_owned(), Vec::new()),
        CaseMixState::NoEstimate(why) => return (format!("No estimate: {why}."), Vec::new()),
        CaseMixState::Suppressed => {
            let said = "Not shown: the rate of all centres is hidden, or is of an earlier run.";
            return (said.to_owned(), Vec::new());
        }
        CaseMixState::Modelled => {
            let covariates: Vec<String> = mix
                .coefficients
                .iter()
                .map(|c| format!("{} (odds ratio {:.2})", c.covariate, c.log_odds_ratio.exp()))
                .collect();
            format!(
                "Logistic model of {} units, all diagnoses; {} left out because a covariate is not recorded. Covariates: {}. Area under the curve {:.2}.",
                words::count(mix.units),
                words::count(mix.left_out),
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
                match c.shrunk_lower.zip(c.shrunk_upper) {
                    Some((lower, upper)) => format!("{:.2} ({lower:.2} to {upper:.2})", c.shrunk),
                    None => format!("{:.2}, no more than chance between centres", c.shrunk),
                },
            ]
        })
        .collect();
    (said, rows)
}

/// Whether the page has the row: centres by their last 24 months, everything else over all diagnoses.
fn on_page(row: &AdherenceRow) -> bool {
    (row.by == By::Centre) == (row.period == Period::Last24Months)
}

fn data(
    results: &MeasureResults,
    network: &AdherenceRow,
    sensitivity: Vec<[String; 5]>,
    own: Option<&str>,
    called: Words<'_>,
) -> Data {
    let head = &results.head;
    let (table, funnel) = (&results.table, &results.funnel);
    let (adjusted, adjusted_centres) = adjusted(results.case_mix.as_ref());
    let (period, periods) = measure_period::choices(network.period);
    let by_event = head.unit != "patient" && head.kind != MeasureKind::Utilisation.as_str();
    let of_own = own.and_then(|own| measure_period::of_centre(results, own, network.period));
    Data {
        period,
        period_code: code(network.period),
        periods,
        rate_name: match MeasureKind::from_code(&head.kind) {
            Some(MeasureKind::Avoidance) => "Avoided",
            Some(MeasureKind::Utilisation) => "Used",
            Some(MeasureKind::Adherence | MeasureKind::Documentation) => "Met",
            None => "All met",
        },
        network: headline(network, by_event),
        own: of_own.map(|row| (row.level.clone(), headline(row, by_event))),
        funnel: charts::funnel(funnel, own, &format!("{} by centre", head.title)),
        not_assessable_funnel: charts::not_assessable(
            &funnel.not_assessable_funnel,
            own,
            &format!("{}: what cannot be assessed, by centre", head.title),
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
        bounds: words::BOUNDS,
        centres: measure_tables::centres(results, own),
        trend: charts::trend(&results.trend, &format!("{} over time", head.title)),
        trend_test: results.trend.p.map_or_else(String::new, |p| {
            let p = words::p_value(p);
            let sign = if p.starts_with('<') { "" } else { "= " };
            format!("Test of trend (Cochran-Armitage, by the calendar): p {sign}{p}.")
        }),
        half_years: measure_tables::half_years(results),
        breakdowns: measure_tables::breakdowns(results, called),
        sensitivity,
        adjusted,
        adjusted_centres,
        lacking_rest: lacking_rest(network),
        lacking: network
            .not_assessable_by
            .iter()
            .map(|l| {
                let element = l.element.as_deref().map(|path| called.place(path));
                (reason(&l.reason), element.unwrap_or_default(), l.n)
            })
            .collect(),
    }
}

/// `by_event`: several units may be of one patient, and each may be met.
fn headline(row: &AdherenceRow, by_event: bool) -> Headline {
    let mut patients = format!("in {} patients", words::count(row.patients));
    if let (Some(lower), Some(upper)) = (row.clustered_lower, row.clustered_upper) {
        patients.push_str("; interval allowing for several units of one patient ");
        patients.push_str(&words::interval(Some(lower), Some(upper)));
    }
    if let (Some(met), Some(all), true) = (row.patients_all_met, row.patients, by_event) {
        patients.push_str(&format!("; every unit met in {met} of {all} patients"));
    }
    Headline {
        rate: words::rate(row),
        interval: match row.rate {
            Some(_) => format!("95 % interval {}", words::interval(row.lower, row.upper)),
            None => without_a_rate(row).to_owned(),
        },
        fraction: words::fraction(row),
        patients,
        not_assessable: format!(
            "{} ({})",
            words::count(row.not_assessable),
            words::percent(row.not_assessable_share)
        ),
        bounds: match (row.bound_low, row.bound_high) {
            (Some(low), Some(high)) => format!(
                "rate between {} and {} whatever they are",
                words::percent(Some(low)),
                words::percent(Some(high))
            ),
            _ => String::new(),
        },
        excluded: format!("{} / {}", words::count(row.excluded), words::count(row.excepted)),
        outside: format!("{} outside the denominator", words::count(row.not_in_denominator)),
    }
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
