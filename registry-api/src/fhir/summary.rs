//! Results of a run as `MeasureReport` of type `summary`: one for the network, one per centre, as their reader may see them.

use chrono::{DateTime, SecondsFormat, Utc};
use registry_etl::results::{AdherenceRow, AdherenceTable, By, MeasureHead, Period, RateState, Suppression};
use serde_json::{Value, json};

use super::measure::{by_concept, element_concept};
use super::names::{Edition, of_run};
use super::population::Counts;
use super::{absent, extension, improvement, unratified};

/// A run's adherence as one reader sees it.
pub struct Summaries<'a> {
    /// Through disclosure control, centres named for the reader.
    pub table: &'a AdherenceTable,
    /// When the run ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// The reader's own centre.
    pub own: Option<&'a str>,
    /// Centres are named by their ids, not by letters.
    pub ids: bool,
}

/// One report to be written: its measure and its row.
#[derive(Debug, Clone, Copy)]
pub struct Summary<'a> {
    pub head: &'a MeasureHead,
    pub row: &'a AdherenceRow,
}

impl<'a> Summaries<'a> {
    /// The guideline version the run evaluated.
    pub fn edition(&self) -> Edition<'a> {
        Edition {
            guideline: &self.table.run.guideline,
            version: &self.table.run.guideline_version,
        }
    }

    /// Every report of the run, by measure, network first.
    pub fn all(&self) -> impl Iterator<Item = Summary<'a>> {
        let table = self.table;
        table.measures.iter().flat_map(move |head| {
            let rows = table.rows.iter().filter(move |row| row.measure == head.id);
            rows.filter(|row| matches!(row.by, By::Network | By::Centre))
                .map(move |row| Summary { head, row })
        })
    }

    /// The id of a report.
    pub fn id(&self, of: Summary<'_>) -> String {
        let level = (of.row.by == By::Centre).then_some(of.row.level.as_str());
        let recent = of.row.period == Period::Last24Months;
        of_run(self.table.run.run, &of.row.measure, recent, level)
    }

    /// The report.
    pub fn json(&self, of: Summary<'_>) -> Value {
        let Summary { head, row } = of;
        let run = &self.table.run;
        let mut period = json!({ "end": run.cut_off });
        if row.period == Period::Last24Months {
            period["start"] = json!(self.table.last_24_months_from);
        }
        let mut group = scored(row);
        let strata = self.stratifiers(row);
        if !strata.is_empty() {
            group["stratifier"] = json!(strata);
        }
        let mut report = json!({
            "resourceType": "MeasureReport",
            "id": self.id(of),
            "identifier": [{ "system": "urn:rps-registry:run", "value": run.run.to_string() }],
            "status": "complete",
            "type": "summary",
            "measure": self.edition().versioned(&head.id),
            "reporter": self.reporter(row),
            "period": period,
            "group": [group],
        });
        if let Some(direction) = improvement(&head.kind) {
            report["improvementNotation"] = direction;
        }
        let assumed = unratified(head.unratified.iter().map(String::as_str));
        if !assumed.is_empty() {
            report["extension"] = json!(assumed);
        }
        if let Some(finished) = self.finished_at {
            report["date"] = json!(finished.to_rfc3339_opts(SecondsFormat::Secs, true));
        }
        report
    }

    fn reporter(&self, row: &AdherenceRow) -> Value {
        match row.by {
            By::Centre if self.ids || self.own == Some(row.level.as_str()) => centre(&row.level),
            By::Centre => json!({ "type": "Organization", "display": row.level }),
            _ => json!({ "type": "Organization", "display": "All centres of the registry" }),
        }
    }

    /// The breakdowns of the network's report over all cases.
    fn stratifiers(&self, of: &AdherenceRow) -> Vec<Value> {
        if of.by != By::Network || of.period != Period::All {
            return Vec::new();
        }
        let parts = |by: By| {
            let rows = self.table.rows.iter();
            rows.filter(move |r| r.by == by && r.measure == of.measure && r.period == of.period)
        };
        let mut stratifiers: Vec<Value> = Vec::new();
        let plain = By::PARTS
            .into_iter()
            .filter(|by| !matches!(by, By::Centre | By::Stratum));
        for by in plain {
            let strata: Vec<Value> = parts(by).map(|row| stratum(row, &row.level)).collect();
            if !strata.is_empty() {
                stratifiers.push(json!({ "code": [by_concept(by)], "stratum": strata }));
            }
        }
        // Levels of an element are `entity.element=code`.
        let mut elements: Vec<(&str, Vec<Value>)> = Vec::new();
        for row in parts(By::Stratum) {
            let (element, code) = row.level.split_once('=').unwrap_or(("", &row.level));
            match elements.iter_mut().find(|(known, _)| *known == element) {
                Some((_, strata)) => strata.push(stratum(row, code)),
                None => elements.push((element, vec![stratum(row, code)])),
            }
        }
        stratifiers.extend(
            elements
                .into_iter()
                .map(|(element, strata)| json!({ "code": [element_concept(element)], "stratum": strata })),
        );
        stratifiers
    }
}

/// A centre by its id.
pub(super) fn centre(id: &str) -> Value {
    json!({ "type": "Organization", "identifier": { "system": "urn:rps-registry:centre", "value": id }, "display": id })
}

fn stratum(row: &AdherenceRow, level: &str) -> Value {
    let mut stratum = scored(row);
    stratum["value"] = json!({ "text": level });
    stratum
}

/// Counts, score, and what stands where the score would.
fn scored(row: &AdherenceRow) -> Value {
    let state = match row.state {
        RateState::Rate => "rate",
        RateState::NotAssessable => "not_assessable",
        RateState::Insufficient => "insufficient",
        RateState::Suppressed => "suppressed",
    };
    let mut extensions = vec![extension("rate-state", "Code", state)];
    if let Some(why) = row.suppressed {
        let why = match why {
            Suppression::FewPatients => "few_patients",
        };
        extensions.push(extension("suppression", "Code", why));
    }
    if let Some(run) = row.as_of {
        extensions.push(extension("as-of-run", "Integer", run));
    }
    extensions.extend(range("confidence-interval-95", row.lower, row.upper));
    extensions.extend(range("not-assessable-bounds", row.bound_low, row.bound_high));
    let mut scored = json!({ "extension": extensions, "population": Counts::from(row).json() });
    match row.state {
        RateState::Rate => {
            if let Some(rate) = row.rate {
                scored["measureScore"] =
                    json!({ "value": rate, "unit": "1", "system": "http://unitsofmeasure.org", "code": "1" });
            }
        }
        // Nobody to judge; a rate that is there but cannot be told from the data.
        RateState::NotAssessable => scored["measureScore"] = absent("not-applicable"),
        RateState::Insufficient => scored["measureScore"] = absent("unknown"),
        // The counts say that they are masked.
        RateState::Suppressed => {}
    }
    scored
}

fn range(name: &str, low: Option<f64>, high: Option<f64>) -> Option<Value> {
    let (low, high) = (low?, high?);
    Some(extension(
        name,
        "Range",
        json!({ "low": { "value": low }, "high": { "value": high } }),
    ))
}
