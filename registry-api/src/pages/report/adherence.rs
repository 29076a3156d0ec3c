//! Adherence in the report: every measure by domain for the network, uses of options apart, and what each measure counts.

use std::collections::HashMap;

use registry_core::form::Words;
use registry_etl::measures::engine::COMPOSITE;
use registry_etl::results::{AdherenceRow, AdherenceTable, By, MeasureHead, Period, RateState};

use crate::pages::definition::Definition;
use crate::pages::indicators::numbers;
use crate::pages::words;
use crate::results::View;

/// The measures of a part of care.
pub(in crate::pages) struct Domain {
    pub(in crate::pages) title: String,
    pub(in crate::pages) rows: Vec<Measured>,
}

/// A measure with its numbers.
pub(in crate::pages) struct Measured {
    pub(in crate::pages) id: String,
    pub(in crate::pages) title: String,
    pub(in crate::pages) grade: String,
    pub(in crate::pages) note: &'static str,
    pub(in crate::pages) rate: String,
    pub(in crate::pages) interval: String,
    pub(in crate::pages) n: String,
    pub(in crate::pages) not_assessable: String,
    pub(in crate::pages) bounds: String,
    /// The rate of all diagnoses, of how many units.
    pub(in crate::pages) all: String,
    /// Centres with a rate, and the range of their rates.
    pub(in crate::pages) centres: String,
}

/// What a measure counts.
pub(in crate::pages) struct Defined {
    pub(in crate::pages) id: String,
    pub(in crate::pages) title: String,
    pub(in crate::pages) statement: String,
    pub(in crate::pages) denominator: String,
    pub(in crate::pages) numerator: String,
    pub(in crate::pages) excluded: String,
    pub(in crate::pages) excepted: String,
}

/// Measures that have a direction, and uses of options, each by domain in the order of the guideline.
pub(super) fn domains(table: &AdherenceTable) -> (Vec<Domain>, Vec<Domain>) {
    let mut network: HashMap<(&str, Period), &AdherenceRow> = HashMap::new();
    let mut centres: HashMap<&str, Vec<f64>> = HashMap::new();
    for row in &table.rows {
        if row.by == By::Network {
            network.insert((&row.measure, row.period), row);
        }
        let shown =
            row.by == By::Centre && row.period == Period::Last24Months && row.state == RateState::Rate;
        if let Some(rate) = row.rate.filter(|_| shown) {
            centres.entry(&row.measure).or_default().push(rate);
        }
    }
    let (mut judged, mut options) = (Vec::new(), Vec::new());
    let mut heads: Vec<&MeasureHead> = table.measures.iter().collect();
    heads.sort_by_key(|head| head.statement.parse::<u16>().unwrap_or(u16::MAX));
    for head in heads {
        let of = |period| network.get(&(head.id.as_str(), period)).copied();
        let recent = numbers(of(Period::Last24Months));
        let row = Measured {
            id: head.id.clone(),
            title: head.title.clone(),
            grade: head.grade.clone(),
            note: match (head.kind == COMPOSITE, head.unratified.is_empty()) {
                (true, _) => "all or none",
                (false, false) => "threshold not ratified",
                (false, true) => "",
            },
            rate: recent.rate,
            interval: recent.interval,
            n: recent.n,
            not_assessable: recent.not_assessable,
            bounds: recent.bounds,
            all: of(Period::All).map_or_else(|| "–".to_owned(), rate_of),
            centres: range(centres.get(head.id.as_str())),
        };
        let list = if head.kind == "utilisation" {
            &mut options
        } else {
            &mut judged
        };
        push(list, words::code(head.domain.as_deref().unwrap_or("other")), row);
    }
    (judged, options)
}

/// `62 %, of 120`: the denominator where it is told.
fn rate_of(row: &AdherenceRow) -> String {
    match (row.rate, row.denominator) {
        (Some(_), Some(n)) if row.state == RateState::Rate => format!("{}, of {n}", words::rate(row)),
        _ => words::rate(row),
    }
}

fn push(list: &mut Vec<Domain>, title: String, row: Measured) {
    match list.iter_mut().find(|domain| domain.title == title) {
        Some(domain) => domain.rows.push(row),
        None => list.push(Domain {
            title,
            rows: vec![row],
        }),
    }
}

/// `14: 62 to 95 %`; a dash where no centre has a rate to show.
fn range(rates: Option<&Vec<f64>>) -> String {
    let Some(rates) = rates else {
        return "–".to_owned();
    };
    let low = rates.iter().copied().fold(f64::INFINITY, f64::min);
    let high = rates.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{}: {}", rates.len(), words::interval(Some(low), Some(high)))
}

/// Every measure of the guideline version the run was made by; none when this service has it not.
pub(super) fn definitions(view: &View<'_>, called: Words<'_>) -> Vec<Defined> {
    let Some(guideline) = view.guideline() else {
        return Vec::new();
    };
    let ids = guideline.measures.iter().map(|measure| measure.id.as_str());
    ids.filter_map(|id| Definition::of(guideline, id, called))
        .map(|one| Defined {
            id: one.id,
            title: one.title,
            statement: one.statement_in_words,
            denominator: one.denominator,
            numerator: one.numerator,
            excluded: one.excluded,
            excepted: one.excepted,
        })
        .collect()
}
