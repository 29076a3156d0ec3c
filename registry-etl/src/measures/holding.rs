//! Which centre each part of a case counts for, when the case has been with several.
//!
//! A row counts for the centre that held the case on the row's date: its own, else that of the presentation it belongs to, else the
//! metastatic diagnosis. So does the unit of a measure that the row is; the patient counts for the centre of the metastatic diagnosis.
//! Of a date known to the month or year the first possible day counts, as for half-years. Where not even the metastatic diagnosis is
//! dated, the day of registration stands in, and failing that the centre that had the case first.

use chrono::NaiveDate;
use registry_core::guideline::{Guideline, UnitOutcome};
use registry_core::record::{Record, day_number};
use registry_core::storage::Holders;
use serde::{Deserialize, Serialize};

use crate::quality::QualityShare;

/// The centres of a case that was transferred, with the rows each counts for.
pub(super) struct Holding {
    pub(super) centres: Vec<String>,
    /// Position of the centre of what has no date of its own.
    pub(super) patient: usize,
    registered: usize,
    now: usize,
    since: Vec<(i32, usize)>,
    /// By entity and row.
    rows: Vec<Vec<usize>>,
}

impl Holding {
    /// `None` for a case that has always been where it is.
    pub(super) fn of(record: &Record, holders: &Holders) -> Option<Self> {
        if !holders.moved() {
            return None;
        }
        let centres: Vec<String> = holders.centres().into_iter().map(str::to_owned).collect();
        let place = |centre: &str| centres.iter().position(|one| one == centre).unwrap_or(0);
        let on = |day: NaiveDate| place(holders.on(Some(day)));
        let registered = record.single("patient.registration_date").as_date();
        let registered = registered.and_then(|date| date.first_day());
        let detected = |seq: f64| {
            let mut all = record.rows("presentation");
            let row = all.find(|row| row.get("seq").as_number() == Some(seq))?;
            row.get("date_detected").as_date()?.first_day()
        };
        let diagnosed = detected(1.0);
        let patient = diagnosed.or(registered).map_or(0, on);
        let layout = record.layout();
        let row = |entity: u16, row: usize| -> usize {
            let known = layout.entity_at(entity);
            let cell = |element: Option<u16>| element.map(|element| record.cell(entity, row, element));
            let own = cell(known.and_then(|known| known.anchor_date)).and_then(|cell| cell.as_date());
            let linked = || {
                cell(known.and_then(|known| known.link))?
                    .as_number()
                    .and_then(detected)
            };
            own.and_then(|date| date.first_day())
                .or_else(linked)
                .map_or(patient, on)
        };
        let rows = (0..layout.entities().len() as u16)
            .map(|entity| (0..record.count(entity)).map(|at| row(entity, at)).collect());
        Some(Self {
            patient,
            registered: registered.or(diagnosed).map_or(0, on),
            now: place(holders.now()),
            since: holders
                .days()
                .map(|(day, centre)| (day_number(day), place(centre)))
                .collect(),
            rows: rows.collect(),
            centres,
        })
    }

    pub(super) fn centre(&self, at: usize) -> &str {
        self.centres.get(at).map_or("", String::as_str)
    }

    /// The centre of what has no date of its own.
    pub(super) fn patient(&self) -> &str {
        self.centre(self.patient)
    }

    /// The other centres, with their positions.
    pub(super) fn others(&self) -> impl Iterator<Item = (usize, &str)> {
        let all = self.centres.iter().map(String::as_str).enumerate();
        all.filter(|(at, _)| *at != self.patient)
    }

    /// The centre a row counts for; that of the patient where there is no such row.
    pub(super) fn row(&self, entity: u16, row: u32) -> usize {
        let rows = self.rows.get(usize::from(entity));
        rows.and_then(|rows| rows.get(row as usize))
            .copied()
            .unwrap_or(self.patient)
    }

    /// The centre a unit of a measure, or of a composite behind them, counts for.
    pub(super) fn unit(&self, guideline: &Guideline, record: &Record, unit: &UnitOutcome) -> usize {
        let at = usize::from(unit.measure);
        let composite = at.checked_sub(guideline.measures.len());
        let part = composite.and_then(|at| guideline.composites.get(at)?.parts.first());
        let measure = guideline.measures.get(part.map_or(at, |part| usize::from(*part)));
        let entity = measure
            .and_then(|measure| measure.unit_entity.as_ref())
            .and_then(|entity| record.layout().entity(entity));
        entity.map_or(self.patient, |entity| self.row(entity, unit.unit_index))
    }

    /// What is kept of it with the evaluation; `units` and `quality` are by outcome and by centre.
    pub(super) fn shares(self, units: Vec<usize>, quality: Vec<QualityShare>) -> Shares {
        Shares {
            centres: self.centres,
            patient: self.patient,
            registered: self.registered,
            now: self.now,
            since: self.since,
            units,
            quality,
        }
    }
}

/// The centres that parts of a case count for; numbers are positions among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares {
    pub centres: Vec<String>,
    /// The one that held the case at the metastatic diagnosis: for the patient and all that has no date.
    pub patient: usize,
    /// The one that held it on the day of registration.
    pub registered: usize,
    /// The one that holds it last: follow-up is its to do.
    pub now: usize,
    /// From which day on the case was with which centre; before, with the first.
    pub since: Vec<(i32, usize)>,
    /// Centre of each outcome, in the order of outcomes.
    pub units: Vec<usize>,
    /// What each centre answered, by centre.
    pub quality: Vec<QualityShare>,
}

impl Shares {
    /// A centre by its position.
    pub fn centre(&self, at: usize) -> &str {
        self.centres.get(at).map_or("", String::as_str)
    }

    /// The stretches with their centres, the first from the beginning of time.
    pub fn stretches(&self) -> impl Iterator<Item = (i32, &str)> {
        std::iter::once((i32::MIN, 0))
            .chain(self.since.iter().copied())
            .map(|(day, at)| (day, self.centre(at)))
    }
}
