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
const FORMAT: u8 = 8;
/// Stands where rows of one case differ.
pub const SEVERAL: &str = "several";
/// Organ of the peritoneum and the retroperitoneum.
pub const INTRA_ABDOMINAL: &str = "intra_abdominal";
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
    /// Organ of the lesions of presentation 1 that were not refuted, a site or [`INTRA_ABDOMINAL`]; [`SEVERAL`] when they differ.
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

/// The organ all lesions of presentation 1 have in common, without those that turned out to be none.
fn organ(record: &Record) -> Option<String> {
    let sites = record
        .rows("lesion")
        .filter(|lesion| lesion.get("presentation_seq").as_number() == Some(1.0))
        .filter(|lesion| lesion.get("status").as_text() != Some("refuted"))
        .filter_map(|lesion| lesion.get("site").as_text().map(organ_of));
    in_common(sites.map(str::to_owned))
}

/// What a site counts as: the abdomen is one.
fn organ_of(site: &str) -> &str {
    match site {
        "peritoneum" | "retroperitoneum" => INTRA_ABDOMINAL,
        other => other,
    }
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

/// The first part of a payload, of which one measure is read without the rest: outcomes as indexes, element names once.
#[derive(Serialize, Deserialize)]
struct Judged {
    /// Day number of the metastatic diagnosis, as [`CaseFacts::diagnosis_day`] has it.
    diagnosed: Option<i32>,
    shares: Option<Shares>,
    elements: Vec<String>,
    units: Vec<PackedUnit>,
}

/// The second part.
#[derive(Serialize, Deserialize)]
struct Known {
    facts: CaseFacts,
    quality: QualityFacts,
}

/// Measure, unit index, outcome, reason, element.
type PackedUnit = (u16, u32, u8, Option<u8>, Option<u16>);

impl Judged {
    /// The first part, and the bytes of the second.
    fn read(payload: &[u8]) -> Result<(Self, &[u8]), PayloadError> {
        let (format, body) = payload.split_first().ok_or(PayloadError::Format(0))?;
        if *format != FORMAT {
            return Err(PayloadError::Format(*format));
        }
        Ok(postcard::take_from_bytes(body)?)
    }

    fn unit(&self, packed: PackedUnit) -> Result<UnitResult, PayloadError> {
        let (measure, unit, outcome, reason, element) = packed;
        let unknown = || PayloadError::Vocabulary;
        let known_reason = |at: u8| Reason::ALL.get(usize::from(at)).copied().ok_or_else(unknown);
        let name = |at: u16| self.elements.get(usize::from(at)).cloned().ok_or_else(unknown);
        Ok(UnitResult {
            measure,
            unit,
            outcome: *Outcome::ALL.get(usize::from(outcome)).ok_or_else(unknown)?,
            reason: reason.map(known_reason).transpose()?,
            element: element.map(name).transpose()?,
        })
    }
}

/// What some measures say of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SomeOutcomes {
    /// With their positions among all outcomes of the case.
    pub outcomes: Vec<(usize, UnitResult)>,
    /// Day number of the metastatic diagnosis, as [`CaseFacts::diagnosis_day`] has it.
    pub diagnosed: Option<i32>,
    pub shares: Option<Shares>,
}

impl SomeOutcomes {
    /// Reads what a stored payload says of the measures at these positions of the guideline.
    ///
    /// # Errors
    /// [`PayloadError`] for another format, or damage of this part.
    pub fn from_payload(bytes: &[u8], wanted: impl Fn(u16) -> bool) -> Result<Self, PayloadError> {
        let (judged, _) = Judged::read(bytes)?;
        let units = judged.units.iter().copied().enumerate();
        let outcomes = units
            .filter(|(_, packed)| wanted(packed.0))
            .map(|(at, packed)| Ok((at, judged.unit(packed)?)))
            .collect::<Result<_, PayloadError>>()?;
        Ok(Self {
            outcomes,
            diagnosed: judged.diagnosed,
            shares: judged.shares,
        })
    }

    /// Half-year of the metastatic diagnosis, `2025-H1`.
    pub fn half_year(&self) -> Option<String> {
        Some(half_year_of(day_of(self.diagnosed?)?))
    }
}

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
        let judged = Judged {
            diagnosed: self.facts.diagnosis_day(),
            shares: self.shares.clone(),
            elements,
            units,
        };
        let known = Known {
            facts: self.facts.clone(),
            quality: self.quality.clone(),
        };
        let bytes = postcard::to_extend(&judged, vec![FORMAT])?;
        Ok(postcard::to_extend(&known, bytes)?)
    }

    /// Reads a stored payload.
    ///
    /// # Errors
    /// [`PayloadError`] for another format, or damage.
    pub fn from_payload(bytes: &[u8]) -> Result<Self, PayloadError> {
        let (judged, rest) = Judged::read(bytes)?;
        let (known, rest): (Known, _) = postcard::take_from_bytes(rest)?;
        if !rest.is_empty() {
            return Err(PayloadError::Damaged(postcard::Error::DeserializeBadEncoding));
        }
        let units = judged.units.iter().copied();
        let outcomes = units
            .map(|packed| judged.unit(packed))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            outcomes,
            facts: known.facts,
            quality: known.quality,
            shares: judged.shares,
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
    use crate::quality::{Answered, Counts, QualityShare};

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
                elements: vec![Answered {
                    entity: 3,
                    element: 1,
                    counts: Counts {
                        known: 2,
                        unknown: 1,
                        ..Counts::default()
                    },
                }],
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
        let written = "0801f09a5a0102014101420000010190a15a01040001010002000000000207696d6167696e670c696d6167696e672e646174\
             65040000000000010004010201000200040100010103000401030001036c6d73000000000000000002f09a5af09a5a000000\
             000000000000000000000000000005312e302e300001086f62736572766564000103010302000101040200f09a5a0001040218\
             0500";
        assert_eq!(hex::encode(&bytes), written);
    }

    #[test]
    fn some_measures_are_read_as_all_are() {
        let one = evaluation();
        let bytes = one.to_payload().unwrap();
        let some = SomeOutcomes::from_payload(&bytes, |measure| [1, 3].contains(&measure)).unwrap();
        let wanted = SomeOutcomes {
            outcomes: vec![(1, one.outcomes[1].clone()), (3, one.outcomes[3].clone())],
            diagnosed: Some(739_000),
            shares: one.shares.clone(),
        };
        assert_eq!(some, wanted);
        assert_eq!(some.half_year(), one.facts.half_year());
        let other = [&[FORMAT - 1][..], &bytes[1..]].concat();
        let other = SomeOutcomes::from_payload(&other, |_| true);
        assert!(matches!(other, Err(PayloadError::Format(7))));
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
    fn the_organ_is_that_of_the_lesions_that_are_some() {
        use registry_core::record::{CentreTable, Layout};
        use registry_core::versions::SchemaStore;
        use serde_json::json;

        let store = SchemaStore::embedded().unwrap();
        let layout = std::sync::Arc::new(Layout::of(&store.current().dictionary).unwrap());
        let of = |lesions: &[(i32, &str, &str)]| {
            let lesions = lesions.iter().map(|(presentation, site, status)| {
                json!({ "presentation_seq": presentation, "site": site, "status": status })
            });
            let case = json!({ "lesion": lesions.collect::<Vec<_>>() });
            organ(&Record::read(&case, &layout, &CentreTable::default()))
        };
        let (seen, refuted) = ("confirmed", "refuted");
        assert_eq!(of(&[]), None);
        assert_eq!(
            of(&[(1, "liver", seen), (2, "lung", seen)]).as_deref(),
            Some("liver")
        );
        assert_eq!(
            of(&[(1, "liver", seen), (1, "lung", seen)]).as_deref(),
            Some(SEVERAL)
        );
        assert_eq!(
            of(&[(1, "liver", seen), (1, "lung", refuted)]).as_deref(),
            Some("liver")
        );
        assert_eq!(of(&[(1, "lung", refuted)]), None);
        let abdomen = [(1, "peritoneum", seen), (1, "retroperitoneum", seen)];
        assert_eq!(of(&abdomen).as_deref(), Some(INTRA_ABDOMINAL));
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
