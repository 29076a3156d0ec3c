//! The filters of the adherence table, as the page and its CSV take them.

use std::collections::{HashMap, HashSet};

use actix_web::{HttpResponse, web};
use registry_etl::results::{By, MeasureHead, Period};
use serde::Deserialize;

use super::download;
use crate::guard::{Allowed, ReadsResults};
use crate::problem::{Kind, Problem};
use crate::results::{View, Which};
use crate::routes::results::adherence_csv;
use crate::state::{AppState, blocking};

/// Filters of the page and of its CSV; an empty one filters nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filters {
    /// Of the CSV: one measure only.
    #[serde(default)]
    pub(super) measure: String,
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) domain: String,
    #[serde(default)]
    pub(super) grade: String,
    #[serde(default)]
    pub(super) by: String,
    #[serde(default)]
    pub(super) period: String,
    /// Words that all stand in a measure's id, title or statement.
    #[serde(default)]
    pub(super) q: String,
    /// Of the page: the order of the measures of a group.
    #[serde(default)]
    pub(super) sort: String,
    /// Of the page: how much stands in a cell.
    #[serde(default)]
    pub(super) detail: String,
    pub(super) run: Option<Which>,
}

/// Longest search, in bytes.
const LONGEST_SEARCH: usize = 100;

/// What is searched of each measure, in lower case.
pub(super) struct Statements(HashMap<String, String>);

impl Statements {
    /// As the version of the guideline says them that made the run; titles alone where this service has it not.
    pub(super) fn of(view: &View<'_>) -> Self {
        let guideline = view.guideline();
        let measures = guideline.into_iter().flat_map(|guideline| &guideline.measures);
        let said = measures.map(|one| (one.id.clone(), one.statement_in_words.to_lowercase()));
        Self(said.collect())
    }
}

/// A way to lay out the columns: code, label, breakdown.
const COLUMNS: [(&str, &str, By); 7] = [
    ("", "Centres", By::Centre),
    ("half_year", "Half-years, network", By::HalfYear),
    ("year", "Years, network", By::Year),
    ("histology", "Histology, network", By::Histology),
    ("timing", "Timing, network", By::Timing),
    ("organ", "Organ, network", By::Organ),
    ("volume_tertile", "Centre volume, network", By::VolumeTertile),
];

/// The columns to choose from: code and label.
pub(super) const BREAKDOWNS: [(&str, &str); 7] = {
    let mut all = [("", ""); 7];
    let mut at = 0;
    while at < all.len() {
        all[at] = (COLUMNS[at].0, COLUMNS[at].1);
        at += 1;
    }
    all
};

/// Centres of all diagnoses, as addresses from before there was a period have it.
const CENTRES_OF_ALL: &str = "centre_all";

pub(super) const PERIODS: [(&str, &str); 3] = [
    ("", "Usual for the columns"),
    ("last24_months", "Last 24 months"),
    ("all", "All diagnoses"),
];

/// What stands in a cell besides its rate.
pub(super) const DETAILS: [(&str, &str); 2] = [("", "Counts"), ("full", "Counts, 95 % interval, bounds")];

pub(super) const SORTS: [(&str, &str); 4] = [
    ("", "Guideline"),
    ("rate", "Lowest rate first"),
    ("not_assessable", "Most not assessable first"),
    ("units", "Most units first"),
];

pub(super) const KINDS: [(&str, &str); 6] = [
    ("", "All kinds"),
    ("adherence", "Adherence"),
    ("avoidance", "Avoidance"),
    ("documentation", "Documentation"),
    ("composite", "All or none"),
    ("utilisation", "Use of options"),
];

pub(super) const DOMAINS: [(&str, &str); 7] = [
    ("", "All domains"),
    ("assessment", "Assessment"),
    ("imaging", "Imaging"),
    ("pathology", "Pathology"),
    ("local", "Local treatment"),
    ("systemic", "Systemic treatment"),
    ("palliative", "Palliative care"),
];

/// Grades of recommendation: the letter behind the level of evidence.
pub(super) const GRADES: [(&str, &str); 4] = [
    ("", "All grades"),
    ("A", "Grade A"),
    ("B", "Grade B"),
    ("C", "Grade C"),
];

impl Filters {
    /// Refuses what is none of the choices.
    pub(super) fn check(&self) -> Result<(), Problem> {
        one_of("kind", &self.kind, &KINDS)?;
        one_of("domain", &self.domain, &DOMAINS)?;
        one_of("grade", &self.grade, &GRADES)?;
        if self.by != CENTRES_OF_ALL {
            one_of("by", &self.by, &BREAKDOWNS)?;
        }
        one_of("period", &self.period, &PERIODS)?;
        one_of("sort", &self.sort, &SORTS)?;
        one_of("detail", &self.detail, &DETAILS)?;
        if self.q.len() > LONGEST_SEARCH {
            let what = format!("q: at most {LONGEST_SEARCH} bytes");
            return Err(Problem::with(Kind::BadQuery, what));
        }
        Ok(())
    }

    /// What the columns are, and which diagnoses count: a run holds the last 24 months of the network and of centres alone.
    pub(super) fn columns(&self) -> (By, Period) {
        let chosen = COLUMNS.iter().find(|(code, ..)| *code == self.by);
        let (_, _, by) = *chosen.unwrap_or(&COLUMNS[0]);
        let all = self.by == CENTRES_OF_ALL || self.period == "all";
        if by == By::Centre && !all {
            (by, Period::Last24Months)
        } else {
            (by, Period::All)
        }
    }

    /// The last 24 months were asked for of columns that a run holds over all diagnoses only.
    pub(super) fn period_not_held(&self) -> bool {
        self.period == "last24_months" && self.columns().1 == Period::All
    }

    /// The run asked for as an address has it; empty without one.
    pub(super) fn run_text(&self) -> String {
        match self.run {
            None => String::new(),
            Some(Which::Latest) => "latest".to_owned(),
            Some(Which::Number(number)) => number.to_string(),
        }
    }

    /// The address of the same as CSV.
    pub(super) fn csv(&self) -> String {
        let run = self.run_text();
        let parts = [
            ("kind", &self.kind),
            ("domain", &self.domain),
            ("grade", &self.grade),
            ("by", &self.by),
            ("period", &self.period),
            ("q", &self.q),
            ("run", &run),
        ];
        let given: Vec<_> = parts.iter().filter(|(_, value)| !value.is_empty()).collect();
        let query = serde_urlencoded::to_string(&given).unwrap_or_default();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("/adherence.csv{mark}{query}")
    }

    pub(super) fn keep(&self, head: &MeasureHead, statements: &Statements) -> bool {
        let is = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        is(&self.kind, &head.kind)
            && is(&self.domain, head.domain.as_deref().unwrap_or_default())
            && (self.grade.is_empty() || head.grade.ends_with(&self.grade))
            && self.finds(head, statements)
    }

    fn finds(&self, head: &MeasureHead, statements: &Statements) -> bool {
        let statement = statements.0.get(&head.id).map(String::as_str).unwrap_or_default();
        let text = format!("{} {} {statement}", head.id, head.title).to_lowercase();
        let mut words = self.q.split_whitespace();
        words.all(|word| text.contains(&word.to_lowercase()))
    }
}

/// A parameter that takes the codes of a choice.
fn one_of(name: &str, given: &str, choices: &[(&str, &str)]) -> Result<(), Problem> {
    if choices.iter().any(|(code, _)| *code == given) {
        return Ok(());
    }
    let codes: Vec<&str> = choices
        .iter()
        .map(|(code, _)| *code)
        .filter(|code| !code.is_empty())
        .collect();
    Err(Problem::with(
        Kind::BadQuery,
        format!("{name}: one of {}", codes.join(", ")),
    ))
}

/// What the page shows, with every count, as CSV: for the link on the page.
pub(super) async fn csv(
    caller: Allowed<ReadsResults>,
    filters: web::Query<Filters>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (name, text) = blocking(move || {
        filters.check()?;
        let view = View::of(&state, &caller.scope, filters.run)?;
        let (by, period) = filters.columns();
        let mut table = view.adherence()?;
        let statements = Statements::of(&view);
        let of = &filters.measure;
        table
            .measures
            .retain(|head| filters.keep(head, &statements) && (of.is_empty() || head.id == *of));
        if !of.is_empty() && table.measures.is_empty() {
            return Err(Problem::new(Kind::NotFound));
        }
        let kept: HashSet<&str> = table.measures.iter().map(|head| head.id.as_str()).collect();
        table.rows.retain(|row| {
            row.period == period && [by, By::Network].contains(&row.by) && kept.contains(row.measure.as_str())
        });
        let name = format!("adherence-run-{}.csv", view.run.number);
        Ok((name, adherence_csv(&view, &table)?))
    })
    .await?;
    Ok(download(&name, text))
}
