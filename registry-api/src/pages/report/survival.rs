//! Survival in the report: the endpoints of the committee's choice, each with its curve, numbers, first breakdown and published figures.

use registry_etl::cohorts::Definition;

use crate::charts;
use crate::pages::survival as page;
use crate::pages::survival_beside::{self as published, Figure};
use crate::pages::survival_tables::{self as tables, Tabled};
use crate::problem::Problem;
use crate::results::View;
use crate::routes::results::survival::keep;
use crate::state::AppState;

/// An endpoint, as far as the report shows it.
pub(in crate::pages) struct Endpoint {
    pub(in crate::pages) id: String,
    pub(in crate::pages) title: String,
    pub(in crate::pages) lead: String,
    pub(in crate::pages) caveat: String,
    pub(in crate::pages) median: String,
    pub(in crate::pages) chart: Option<String>,
    pub(in crate::pages) no_chart: String,
    /// Months, at risk, survival, interval.
    pub(in crate::pages) numbers: Vec<[String; 4]>,
    pub(in crate::pages) tables: Vec<Tabled>,
    pub(in crate::pages) figures: Vec<Figure>,
    pub(in crate::pages) caveats: Vec<String>,
}

/// Those that stand first on the survival page.
pub(super) fn endpoints(state: &AppState, view: &View<'_>) -> Result<Vec<Endpoint>, Problem> {
    let all = state.endpoints.iter();
    let usual = all.filter(|one| page::USUAL.contains(&one.id.as_str()));
    usual.map(|one| endpoint(state, view, one)).collect()
}

fn endpoint(state: &AppState, view: &View<'_>, definition: &Definition) -> Result<Endpoint, Problem> {
    let mut result = view.survival(&definition.id)?;
    let beside = published::of(definition, &result, &state.benchmarks);
    let first = definition.strata.first().map_or("all", |one| one.as_str());
    keep(&mut result, Some(first), None);
    result.landmark_comparisons.clear();
    let main = page::primary(&result);
    let median = main.map_or_else(String::new, |main| {
        let interval = page::median_interval(main);
        let median = page::median_of(main);
        if interval.is_empty() {
            format!("Median {median}.")
        } else {
            format!("Median {median} (95 % interval {interval}).")
        }
    });
    Ok(Endpoint {
        id: definition.id.clone(),
        title: definition.title.clone(),
        lead: page::lead(definition, &result, main),
        caveat: definition.caveat.clone(),
        median,
        chart: main
            .filter(|main| page::shown(main))
            .map(|main| charts::survival(&[("All", main)], &definition.title)),
        no_chart: main
            .map_or("There is no estimate.", |main| page::why_no_curve(main.state))
            .to_owned(),
        numbers: main.map_or_else(Vec::new, page::numbers),
        tables: tables::of(definition, &result),
        figures: beside.figures,
        caveats: beside.caveats,
    })
}
