//! Survival: any endpoint, its definition, flow, curves and strata.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_etl::cohorts::Definition;
use registry_etl::cohorts::definition::Event;
use registry_etl::cohorts::landmark::MONTHS;
use registry_etl::results::{Analysis, CurveState, LandmarkValue, SurvivalCurve, SurvivalResult};
use serde::Deserialize;

use super::of_run::OfRun;
use super::survival_beside::{self as published, Published};
use super::survival_tables::{self as tables, Tabled};
use super::{Frame, download, html, survival_centres as centres, words};
use crate::charts;
use crate::guard::{Allowed, ReadsPublished};
use crate::problem::{Kind, Problem};
use crate::results::{Hidden, View};
use crate::routes::results::survival::{Table, check, keep};
use crate::routes::results::written;
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "survival.html")]
struct Page {
    frame: Frame,
    /// The pages of the committee's choice, and all others.
    usual: Vec<Link>,
    others: Vec<Link>,
    of_run: OfRun,
    data: Option<Data>,
}

/// Endpoints whose pages stand first.
pub(super) const USUAL: [&str; 3] = ["S1", "S4-lung", "S5"];

/// Another endpoint, or another breakdown, one click away.
struct Link {
    id: String,
    title: String,
    here: bool,
}

/// Which endpoint.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default = "first_endpoint")]
    endpoint: String,
    /// A treatment after the origin, compared from `landmark` months on.
    stratum: Option<String>,
    landmark: Option<u32>,
    /// Of the CSV.
    #[serde(default)]
    table: Table,
    run: Option<i64>,
}

impl Asked {
    /// The same from the parameters of another address.
    pub(super) fn of(endpoint: &Option<String>, stratum: &Option<String>, landmark: Option<u32>) -> Self {
        Self {
            endpoint: endpoint.clone().unwrap_or_else(first_endpoint),
            stratum: stratum.clone(),
            landmark,
            table: Table::default(),
            run: None,
        }
    }

    fn definition<'a>(&self, state: &'a AppState) -> Result<&'a Definition, Problem> {
        let definition = state.endpoints.iter().find(|one| one.id == self.endpoint);
        let definition = definition.ok_or(Problem::new(Kind::NotFound))?;
        check(definition, self.stratum.as_deref(), self.landmark)?;
        Ok(definition)
    }

    /// The address of this page's charts, without the number of the chart.
    fn pictures(&self) -> String {
        let mut address = format!("/charts/survival.svg?endpoint={}", self.endpoint);
        address.push_str(&self.group());
        address.push_str(&OfRun(self.run).more());
        address + "&part="
    }

    /// The stratum and the landmark, as they stand in an address.
    fn group(&self) -> String {
        let stratum = self.stratum.as_ref().map(|stratum| format!("&stratum={stratum}"));
        let landmark = self.landmark.map(|months| format!("&landmark={months}"));
        stratum.into_iter().chain(landmark).collect()
    }

    fn of_landmark(&self) -> String {
        self.landmark.map(|_| self.group()).unwrap_or_default()
    }
}

fn first_endpoint() -> String {
    "S1".to_owned()
}

struct Data {
    hidden: Hidden,
    endpoint: String,
    /// Where the charts are as files, without the number: the first one, those of the tables, of the centres, of the published figures.
    pictures: String,
    /// What the address of a table of the landmark ends with; empty without one.
    landmark: String,
    title: String,
    remark: String,
    lead: String,
    median: String,
    median_interval: String,
    landmarks: Vec<(String, String, String)>,
    chart_title: String,
    chart: Option<String>,
    no_chart: String,
    /// Months, at risk, survival, interval: the chart's numbers.
    numbers: Vec<[String; 4]>,
    smallest: String,
    follow_up: String,
    lost: String,
    /// The breakdowns there are, the one shown marked.
    strata: Vec<Link>,
    /// Whether there is a Kaplan-Meier curve to speak of.
    curves: bool,
    /// Whether any breakdown has a test, or a reason why it has none.
    tested: bool,
    tables: Vec<Tabled>,
    landmarks_of: Vec<(String, u32, String)>,
    flow: Vec<(String, String, bool)>,
    sensitivities: Vec<(String, String, String, String)>,
    centres: Option<centres::Section>,
    published: Published,
}

pub(super) async fn page(
    caller: Allowed<ReadsPublished>,
    asked: web::Query<Asked>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let mut frame = Frame::of("Survival", "/survival", &caller);
    let page = blocking(move || {
        let definition = asked.definition(&state)?;
        let link = |one: &Definition| Link {
            id: one.id.clone(),
            title: one.title.clone(),
            here: one.id == definition.id,
        };
        frame.title.clone_from(&definition.title);
        let all = state.endpoints.iter();
        let (usual, others): (Vec<Link>, Vec<Link>) =
            all.map(link).partition(|one| USUAL.contains(&one.id.as_str()));
        let view = match View::open(&state, &caller.scope, asked.run) {
            Ok(view) => view,
            Err(problem) if problem.kind == Kind::NotFound && asked.run.is_none() => {
                return Ok(Page {
                    frame,
                    usual,
                    others,
                    of_run: OfRun(None),
                    data: None,
                });
            }
            Err(problem) => return Err(problem),
        };
        let data = found(&state, &view, definition, &asked)?;
        Ok(Page {
            frame: frame.with_run(&view.run).with_hidden(data.hidden),
            usual,
            others,
            of_run: OfRun(asked.run),
            data: Some(data),
        })
    })
    .await?;
    html(&page)
}

/// What the page shows of an endpoint.
fn found(state: &AppState, view: &View<'_>, definition: &Definition, asked: &Asked) -> Result<Data, Problem> {
    let mut result = view.survival(&definition.id)?;
    // Published series stand beside any breakdown, shown on this page or not.
    let published = published::of(definition, &result, &state.benchmarks);
    // A treatment after the origin is no breakdown: it is compared from its landmark on.
    let landmark = asked.stratum.as_deref().filter(|_| asked.landmark.is_some());
    let stratum = asked.stratum.as_deref().filter(|_| asked.landmark.is_none());
    let first = definition.strata.first().map(|one| one.as_str());
    let shown = stratum.or(first).unwrap_or("all");
    let compared = std::mem::take(&mut result.landmark_comparisons);
    keep(&mut result, Some(shown), None);
    result.landmark_comparisons = compared;
    match (landmark, asked.landmark) {
        (Some(by), months) => result
            .landmark_comparisons
            .retain(|one| one.by == by && months.is_none_or(|months| one.landmark_months == months)),
        (None, Some(months)) => result
            .landmark_comparisons
            .retain(|one| one.landmark_months == months),
        (None, None) => result.landmark_comparisons.clear(),
    }
    let centres = centres::section(definition, &result, view.own());
    Ok(Data {
        hidden: Hidden::of_survival(&result),
        pictures: asked.pictures(),
        landmark: asked.of_landmark(),
        ..data(definition, &result, shown, centres, published)
    })
}

/// The endpoint's id and every chart of its page, in the order of [`Data::pictures`].
pub(super) fn drawn(
    state: &AppState,
    view: &View<'_>,
    asked: &Asked,
) -> Result<(String, Vec<Option<String>>), Problem> {
    let definition = asked.definition(state)?;
    let data = found(state, view, definition, asked)?;
    let mut charts = vec![data.chart];
    charts.extend(data.tables.into_iter().map(|table| table.chart));
    charts.push(data.centres.and_then(|centres| centres.chart));
    charts.extend(data.published.figures.into_iter().map(|figure| figure.chart));
    Ok((definition.id.clone(), charts))
}

/// The curves as CSV, for the link on the page.
pub(super) async fn csv(
    caller: Allowed<ReadsPublished>,
    asked: web::Query<Asked>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (name, text) = blocking(move || {
        asked.definition(&state)?;
        let view = View::open(&state, &caller.scope, asked.run)?;
        let mut result = view.survival(&asked.endpoint)?;
        keep(&mut result, asked.stratum.as_deref(), asked.landmark);
        let text = crate::routes::results::survival_table(&result, asked.table, asked.landmark.is_some())?;
        Ok((
            format!("survival-{}-run-{}.csv", asked.endpoint, view.run.number),
            text,
        ))
    })
    .await?;
    Ok(download(&name, text))
}

/// `GET /survival/beside.csv`: the figures of the page that were published, and the registry's estimate of the same.
pub(super) async fn beside_csv(
    caller: Allowed<ReadsPublished>,
    asked: web::Query<Asked>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (name, text) = blocking(move || {
        let definition = asked.definition(&state)?;
        let result = View::open(&state, &caller.scope, asked.run)?.survival(&definition.id)?;
        let found = published::of(definition, &result, &state.benchmarks);
        let rows = found.figures.into_iter().flat_map(|figure| {
            let title = figure.title;
            let row = move |cells: [String; 4]| std::iter::once(title.clone()).chain(cells).collect();
            figure.rows.into_iter().map(row)
        });
        let text = written(&["figure", "source", "published", "registry", "interval"], rows)?;
        Ok((format!("published-beside-{}.csv", definition.id), text))
    })
    .await?;
    Ok(download(&name, text))
}

pub(super) fn primary(result: &SurvivalResult) -> Option<&SurvivalCurve> {
    result
        .curves
        .iter()
        .find(|c| c.analysis == Analysis::Primary && c.by == "all")
}

/// The median of the primary estimate as text.
pub(super) fn median(result: &SurvivalResult) -> String {
    primary(result).map_or_else(|| "–".to_owned(), median_of)
}

pub(super) fn median_of(curve: &SurvivalCurve) -> String {
    match (curve.median, curve.state) {
        (Some(m), _) => format!("{:.1} months", m.months),
        (None, CurveState::Shown) => "not reached".to_owned(),
        (None, CurveState::Suppressed) => "not shown".to_owned(),
        (None, _) => "–".to_owned(),
    }
}

pub(super) fn median_interval(curve: &SurvivalCurve) -> String {
    curve.median.map_or_else(String::new, |m| {
        words::months_interval(m.lower_months, m.upper_months)
    })
}

pub(super) fn why_no_curve(state: CurveState) -> &'static str {
    match state {
        CurveState::Shown => "",
        CurveState::Empty => "Nobody is in this group.",
        CurveState::FewPatients => "No curve below 10 patients.",
        CurveState::ZeroBeforeLastEntry => {
            "No curve: the estimate falls to 0 while people are still to enter the risk set."
        }
        CurveState::Suppressed => "Not shown: few patients.",
    }
}

/// What to keep in mind, and how much of it stays as an earlier run showed it.
fn remark(definition: &Definition, result: &SurvivalResult) -> String {
    match result.as_of.len() {
        0 => definition.caveat.clone(),
        parts => format!(
            "{} Of this, {parts} curves or tables are as of an earlier run. {}",
            definition.caveat,
            words::STAYS
        ),
    }
}

fn data(
    definition: &Definition,
    result: &SurvivalResult,
    shown_stratum: &str,
    centres: Option<centres::Section>,
    published: Published,
) -> Data {
    let main = primary(result);
    let at = |months: f64| main?.landmarks.iter().find(|l| (l.months - months).abs() < 0.01);
    let landmark = |label: &str, months: f64| {
        let value = at(months);
        (
            label.to_owned(),
            words::percent(value.and_then(|l| l.survival)),
            value.map(beside).unwrap_or_default(),
        )
    };
    Data {
        hidden: Hidden::default(),
        endpoint: definition.id.clone(),
        pictures: String::new(),
        landmark: String::new(),
        title: definition.title.clone(),
        remark: remark(definition, result),
        lead: lead(definition, result, main),
        median: main.map_or_else(String::new, median_of),
        median_interval: match main.map_or_else(String::new, median_interval) {
            text if text.is_empty() => text,
            text => format!("95 % interval {text}"),
        },
        landmarks: vec![
            landmark("1 year", 12.0),
            landmark("2 years", 24.0),
            landmark("3 years", 36.0),
            landmark("5 years", 60.0),
        ],
        chart_title: Analysis::Primary.label().to_owned(),
        chart: main
            .filter(|main| shown(main))
            .map(|main| charts::survival(&[("All", main)], &definition.title)),
        no_chart: main.map_or("", |main| why_no_curve(main.state)).to_owned(),
        smallest: main
            .and_then(|main| main.smallest_risk_set)
            .map(|s| {
                format!(
                    "Smallest risk set while people still enter: {} at {:.1} months.",
                    s.at_risk, s.months
                )
            })
            .unwrap_or_default(),
        follow_up: match main.and_then(|main| Some((main, main.follow_up?))) {
            Some((main, f)) => format!(
                "Median follow-up {:.1} months (reverse Kaplan-Meier); completeness of follow-up {}.",
                f.months,
                words::percent(main.follow_up_completeness)
            ),
            None => String::new(),
        },
        lost: match main.and_then(|main| main.lost_share) {
            Some(share) if main.is_some_and(|main| main.lost_over_10_percent) => {
                format!("More than 10 % were lost to follow-up ({:.0} %).", share * 100.0)
            }
            Some(share) => format!("Lost to follow-up: {:.0} %.", share * 100.0),
            None => String::new(),
        },
        numbers: main.map_or_else(Vec::new, numbers),
        strata: definition
            .strata
            .iter()
            .map(|by| Link {
                id: by.as_str().to_owned(),
                title: words::inside(&words::code(by.as_str())),
                here: by.as_str() == shown_stratum,
            })
            .collect(),
        curves: main.is_some(),
        tested: !result.tests.is_empty(),
        tables: tables::of(definition, result),
        landmarks_of: definition
            .landmarks
            .iter()
            .flat_map(|by| MONTHS.map(|months| (by.as_str().to_owned(), months, words::code(by.as_str()))))
            .collect(),
        flow: flow(result),
        sensitivities: result
            .curves
            .iter()
            .filter(|c| c.by == "all")
            .map(|c| {
                let median = c
                    .median
                    .map_or_else(|| "–".to_owned(), |m| format!("{:.1}", m.months));
                (
                    c.analysis.label().to_owned(),
                    words::count(c.patients),
                    median,
                    median_interval(c),
                )
            })
            .collect(),
        centres,
        published,
    }
}

/// The interval of a value, and how many are at risk then.
fn beside(at: &LandmarkValue) -> String {
    let interval = words::interval(at.lower, at.upper);
    let at_risk = at.at_risk.map(|n| format!("{n} at risk"));
    let said = [Some(interval).filter(|one| !one.is_empty()), at_risk];
    said.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The numbers of a curve at the times of the risk table.
pub(super) fn numbers(curve: &SurvivalCurve) -> Vec<[String; 4]> {
    let row = |at: &LandmarkValue| {
        [
            format!("{:.0}", at.months),
            words::count(at.at_risk),
            words::percent(at.survival),
            words::interval(at.lower, at.upper),
        ]
    };
    curve.landmarks.iter().map(row).collect()
}

/// From the cases of the run to those analysed; reasons that left nobody out are not listed.
fn flow(result: &SurvivalResult) -> Vec<(String, String, bool)> {
    let line = |label: String, n: Option<u32>, total| (label, words::count(n), total);
    let flow = &result.flow;
    let mut lines = vec![line("Cases in the run".to_owned(), flow.cases, true)];
    if flow.left_out.iter().all(|step| step.n.is_none()) {
        let left_out = flow.cases.zip(flow.analysed).map(|(all, kept)| all - kept);
        lines.push(line(
            "left out, for reasons that are not shown".to_owned(),
            left_out,
            false,
        ));
    } else {
        let left_out = flow.left_out.iter().filter(|step| step.n != Some(0));
        lines.extend(left_out.map(|step| line(format!("left out: {}", step.label), step.n, false)));
    }
    let analysed = "In the primary estimate".to_owned();
    lines.push(line(analysed, flow.analysed, true));
    if enters_late(result) {
        let late = "of these registered after the origin (delayed entry)".to_owned();
        lines.push(line(late, result.entered_late, false));
    }
    lines
}

/// Whether the estimates of the endpoint count from the registration on.
fn enters_late(result: &SurvivalResult) -> bool {
    !result.curves.is_empty() || !result.incidence.is_empty()
}

/// Who is counted, from when, until what.
pub(super) fn lead(definition: &Definition, result: &SurvivalResult, main: Option<&SurvivalCurve>) -> String {
    let counted = match main {
        Some(main) => {
            let what = match definition.event {
                Event::RecurrenceOrDeath => "recurrences or deaths",
                Event::ProgressionOrDeath => "progressions or deaths",
                _ => "deaths",
            };
            format!(
                "{} patients, {} {what}.",
                words::count(main.patients),
                words::count(main.events)
            )
        }
        None => format!("{} patients.", words::count(result.flow.analysed)),
    };
    let late = if enters_late(result) {
        " Prospective cases count from the day they were registered."
    } else {
        ""
    };
    format!(
        "{counted} Origin: {}. Event: {}.{late}",
        result.origin, result.event
    )
}

pub(super) fn shown(curve: &SurvivalCurve) -> bool {
    curve.state == CurveState::Shown && !curve.steps.is_empty()
}
