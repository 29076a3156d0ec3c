//! What a run keeps of one case: the outcome of every measure on every unit, and the facts results are broken down by.
//!
//! Stored once per evaluation key as an opaque payload (the store encrypts it with the case's own key), in the postcard encoding: every run reads
//! every case's, and names and texts of numbers would be most of the work. Fields are known by their order: whoever changes one changes the number
//! of the format.

use super::holding::Shares;
use crate::cohorts::{CourseFacts, RecordedDate, SurvivalFacts};
use crate::quality::QualityFacts;
use chrono::{Datelike, NaiveDate};
use registry_core::guideline::{Outcome, UnitOutcome};
use registry_core::record::{Record, RowView, day_of};
use registry_core::rules::Reason;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// First byte of a payload; another format gets another number (and another engine version).
const FORMAT: u8 = 6;
/// Stands where rows of one case differ.
pub const SEVERAL: &str = "several";
/// A longer interval is known to the year only.
const MONTH: i32 = 31;

/// A stored payload cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    #[error("the payload of an evaluation is of format {0}, this program reads format {FORMAT}")]
    Format(u8),
    #[error("the payload of an evaluation is damaged")]
    Damaged(#[from] postcard::Error),
    #[error("the payload of an evaluation names an outcome or reason that this program does not know")]
    Vocabulary,
}

/// One measure on one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitResult {
    /// Position of the measure in the guideline.
    pub measure: u16,
    /// Position of the unit row in its submitted array; 0 for the patient.
    pub unit: u32,
    pub outcome: Outcome,
    /// Only with [`Outcome::NotAssessable`].
    pub reason: Option<Reason>,
    /// Only with [`Outcome::NotAssessable`]: `entity.element`, or a section's name.
    pub element: Option<String>,
}

impl From<UnitOutcome> for UnitResult {
    fn from(unit: UnitOutcome) -> Self {
        Self {
            measure: unit.measure,
            unit: unit.unit_index,
            outcome: unit.outcome,
            reason: unit.reason,
            element: unit.element,
        }
    }
}

/// What results are broken down by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CaseFacts {
    pub histology: Option<String>,
    pub eligibility: Option<String>,
    /// `presentation.timing` of presentation 1.
    pub timing: Option<String>,
    /// Site of the lesions of presentation 1; [`SEVERAL`] when they differ.
    pub organ: Option<String>,
    /// Age at the metastatic diagnosis, in years of the calendar.
    pub age: Option<u16>,
    /// Elements that measures name as stratifiers, with their code; [`SEVERAL`] when rows differ.
    pub strata: BTreeMap<String, String>,
    /// `consent.research_reuse` is true: the case may enter releases.
    pub research_reuse: bool,
    /// Elements kept out by error-severity edits.
    pub blocked: u32,
    pub survival: SurvivalFacts,
    pub course: CourseFacts,
}

impl CaseFacts {
    /// Reads the facts of a record whose blocked cells are marked; `cut_off` is a day number.
    pub fn read(record: &Record, stratifiers: &[String], blocked: u32, cut_off: i32) -> Self {
        let text = |path: &str| record.single(path).as_text().map(str::to_owned);
        let first = record
            .rows("presentation")
            .find(|p| p.get("seq").as_number() == Some(1.0));
        Self {
            histology: text("primary.histology_code"),
            eligibility: text("primary.eligibility_class"),
            timing: first.and_then(|p| p.get("timing").as_text().map(str::to_owned)),
            organ: organ(record),
            age: first.and_then(|p| age(record, p)),
            strata: stratifiers
                .iter()
                .filter_map(|path| Some((path.clone(), stratum(record, path)?)))
                .collect(),
            research_reuse: record.single("consent.research_reuse").as_boolean() == Some(true),
            blocked,
            survival: SurvivalFacts::read(record, cut_off),
            course: CourseFacts::read(record),
        }
    }

    /// Day number of the metastatic diagnosis, first possible day; `None` when unknown, blocked or known to the year only.
    pub fn diagnosis_day(&self) -> Option<i32> {
        match self.survival.origin {
            RecordedDate::Between(first, last) if last - first < MONTH => Some(first),
            _ => None,
        }
    }

    /// Calendar year of the metastatic diagnosis.
    pub fn year(&self) -> Option<String> {
        Some(day_of(self.diagnosis_day()?)?.year().to_string())
    }

    /// Half-year of the metastatic diagnosis, `2025-H1`.
    pub fn half_year(&self) -> Option<String> {
        Some(half_year_of(day_of(self.diagnosis_day()?)?))
    }

    /// Month of registration, `2025-03`.
    pub fn registration_month(&self) -> Option<String> {
        Some(self.registration_day()?.format("%Y-%m").to_string())
    }

    /// Whether the patient was certainly registered after a day (a day number).
    pub fn registered_after(&self, day: i32) -> bool {
        matches!(self.survival.registration, RecordedDate::Between(first, _) if first > day)
    }

    /// Day of registration.
    pub fn registration_day(&self) -> Option<NaiveDate> {
        match self.survival.registration {
            RecordedDate::Between(first, last) if first == last => day_of(first),
            _ => None,
        }
    }
}

/// The site all lesions of presentation 1 have in common.
fn organ(record: &Record) -> Option<String> {
    let sites = record
        .rows("lesion")
        .filter(|lesion| lesion.get("presentation_seq").as_number() == Some(1.0))
        .filter_map(|lesion| lesion.get("site").as_text().map(str::to_owned));
    in_common(sites)
}

/// Calendar years between birth and the detection of a presentation.
fn age(record: &Record, presentation: RowView<'_>) -> Option<u16> {
    let born = record.single("patient.birth_year").as_number()?;
    let detected = presentation.get("date_detected").as_date()?.first_day()?;
    let years = f64::from(detected.year()) - born;
    (0.0..=130.0).contains(&years).then_some(years as u16)
}

/// The code of an element: of its one row, of presentation 1, or what all rows have in common.
fn stratum(record: &Record, path: &str) -> Option<String> {
    let (entity, element) = path.split_once('.')?;
    let written = |row: RowView<'_>| {
        let cell = row.get(element);
        cell.as_text()
            .map(str::to_owned)
            .or_else(|| cell.as_boolean().map(|is| is.to_string()))
    };
    let of_first = |row: &RowView<'_>| entity != "presentation" || row.get("seq").as_number() == Some(1.0);
    in_common(record.rows(entity).filter(of_first).filter_map(written))
}

fn in_common(mut codes: impl Iterator<Item = String>) -> Option<String> {
    let first = codes.next()?;
    Some(if codes.all(|other| other == first) {
        first
    } else {
        SEVERAL.to_owned()
    })
}

/// One case as a run sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaseEvaluation {
    pub outcomes: Vec<UnitResult>,
    pub facts: CaseFacts,
    pub quality: QualityFacts,
    /// Which centre what counts for; `None` for a case that has been with one centre only.
    pub shares: Option<Shares>,
}

/// Outcomes as indexes, element names once.
#[derive(Serialize, Deserialize)]
struct Payload {
    f: CaseFacts,
    q: QualityFacts,
    e: Vec<String>,
    u: Vec<PackedUnit>,
    h: Option<Shares>,
}

/// Measure, unit index, outcome, reason, element.
type PackedUnit = (u16, u32, u8, Option<u8>, Option<u16>);

impl CaseEvaluation {
    /// The payload to store.
    ///
    /// # Errors
    /// More than 65,535 different elements (no dictionary has as many).
    pub fn to_payload(&self) -> Result<Vec<u8>, PayloadError> {
        let mut elements: Vec<String> = self.outcomes.iter().filter_map(|u| u.element.clone()).collect();
        elements.sort_unstable();
        elements.dedup();
        let mut units = Vec::with_capacity(self.outcomes.len());
        for unit in &self.outcomes {
            let outcome = position(&Outcome::ALL, unit.outcome)?;
            let reason = unit.reason.map(|r| position(&Reason::ALL, r)).transpose()?;
            let element = unit.element.as_ref().and_then(|e| elements.binary_search(e).ok());
            let element = element
                .map(|at| u16::try_from(at).map_err(|_| PayloadError::Vocabulary))
                .transpose()?;
            units.push((unit.measure, unit.unit, outcome, reason, element));
        }
        let payload = Payload {
            f: self.facts.clone(),
            q: self.quality.clone(),
            e: elements,
            u: units,
            h: self.shares.clone(),
        };
        let bytes = postcard::to_extend(&payload, vec![FORMAT])?;
        Ok(bytes)
    }

    /// Reads a stored payload.
    ///
    /// # Errors
    /// [`PayloadError`] for another format, or damage.
    pub fn from_payload(bytes: &[u8]) -> Result<Self, PayloadError> {
        let (format, body) = bytes.split_first().ok_or(PayloadError::Format(0))?;
        if *format != FORMAT {
            return Err(PayloadError::Format(*format));
        }
        let (payload, rest): (Payload, _) = postcard::take_from_bytes(body)?;
        if !rest.is_empty() {
            return Err(PayloadError::Damaged(postcard::Error::DeserializeBadEncoding));
        }
        let unit = |(measure, unit, outcome, reason, element): (u16, u32, u8, Option<u8>, Option<u16>)| {
            let known = PayloadError::Vocabulary;
            let outcome = *Outcome::ALL.get(usize::from(outcome)).ok_or(known)?;
            let reason = reason
                .map(|r| {
                    Reason::ALL
                        .get(usize::from(r))
                        .copied()
                        .ok_or(PayloadError::Vocabulary)
                })
                .transpose()?;
            let element = element
                .map(|e| {
                    payload
                        .e
                        .get(usize::from(e))
                        .cloned()
                        .ok_or(PayloadError::Vocabulary)
                })
                .transpose()?;
            Ok(UnitResult {
                measure,
                unit,
                outcome,
                reason,
                element,
            })
        };
        let outcomes = payload
            .u
            .iter()
            .copied()
            .map(unit)
            .collect::<Result<_, PayloadError>>()?;
        Ok(Self {
            outcomes,
            facts: payload.f,
            quality: payload.q,
            shares: payload.h,
        })
    }
}

fn position<T: PartialEq>(all: &[T], one: T) -> Result<u8, PayloadError> {
    let at = all
        .iter()
        .position(|other| *other == one)
        .ok_or(PayloadError::Vocabulary)?;
    u8::try_from(at).map_err(|_| PayloadError::Vocabulary)
}

/// `2025-H1`.
pub fn half_year_of(day: NaiveDate) -> String {
    let half = if day.month() <= 6 { 1 } else { 2 };
    format!("{}-H{half}", day.year())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::QualityShare;

    fn evaluation() -> CaseEvaluation {
        let unit = |measure, outcome, reason, element: Option<&str>| UnitResult {
            measure,
            unit: 0,
            outcome,
            reason,
            element: element.map(str::to_owned),
        };
        CaseEvaluation {
            outcomes: vec![
                unit(0, Outcome::Met, None, None),
                unit(
                    1,
                    Outcome::NotAssessable,
                    Some(Reason::SectionNotAttested),
                    Some("imaging"),
                ),
                unit(
                    2,
                    Outcome::NotAssessable,
                    Some(Reason::Missing),
                    Some("imaging.date"),
                ),
                unit(3, Outcome::NotAssessable, Some(Reason::WindowOpen), None),
            ],
            facts: CaseFacts {
                histology: Some("lms".to_owned()),
                survival: SurvivalFacts {
                    origin: RecordedDate::Between(739_000, 739_000),
                    ..Default::default()
                },
                ..CaseFacts::default()
            },
            quality: QualityFacts {
                schema_version: "1.0.0".to_owned(),
                phase: Some("observed".to_owned()),
                elements: vec![(3, 1, vec![2, 0, 1])],
                pending: vec![(4, 2, 0, 739_000)],
                delays: vec![(4, vec![12, -3])],
                ..QualityFacts::default()
            },
            shares: Some(Shares {
                centres: vec!["A".to_owned(), "B".to_owned()],
                patient: 0,
                registered: 0,
                now: 1,
                since: vec![(739_400, 1)],
                units: vec![0, 1, 1, 0],
                quality: vec![QualityShare::default(); 2],
            }),
        }
    }

    #[test]
    fn a_payload_comes_back_as_it_was_and_is_always_the_same() {
        let one = evaluation();
        let bytes = one.to_payload().unwrap();
        assert_eq!(CaseEvaluation::from_payload(&bytes).unwrap(), one);
        assert_eq!(bytes, one.to_payload().unwrap());
    }

    /// Fields are known by their order alone. Whoever has to change these bytes changes [`FORMAT`] and the engine's version.
    #[test]
    fn a_payload_of_this_format_is_written_as_ever() {
        let bytes = evaluation().to_payload().unwrap();
        let written = "0601036c6d73000000000000000002f09a5af09a5a0000000000000000000000000000000005312e302e300001086f627365\
             72766564000103010302000101040200f09a5a000104021805000207696d6167696e670c696d6167696e672e646174650400\
             0000000001000401020100020004010001010300040103000102014101420000010190a15a0104000101000200000000";
        assert_eq!(hex::encode(&bytes), written);
    }

    #[test]
    fn another_format_or_damage_is_said() {
        let mut bytes = evaluation().to_payload().unwrap();
        bytes.push(0);
        let longer = CaseEvaluation::from_payload(&bytes);
        bytes.truncate(bytes.len() - 3);
        let shorter = CaseEvaluation::from_payload(&bytes);
        for damaged in [longer, shorter] {
            assert!(matches!(damaged, Err(PayloadError::Damaged(_))));
        }
        bytes[0] = 9;
        assert!(matches!(
            CaseEvaluation::from_payload(&bytes),
            Err(PayloadError::Format(9))
        ));
        assert!(matches!(
            CaseEvaluation::from_payload(&[]),
            Err(PayloadError::Format(0))
        ));
    }

    #[test]
    fn half_years() {
        let on = |text: &str| CaseFacts {
            survival: SurvivalFacts {
                origin: registry_core::record::PartialDate::parse(text).unwrap().into(),
                ..Default::default()
            },
            ..CaseFacts::default()
        };
        assert_eq!(on("2025-06-30").half_year().as_deref(), Some("2025-H1"));
        assert_eq!(on("2025-07").half_year().as_deref(), Some("2025-H2"));
        assert_eq!(on("2025").half_year(), None);
        assert_eq!(CaseFacts::default().half_year(), None);
    }
}
