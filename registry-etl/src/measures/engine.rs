//! One case document through derivation, edit checks, blocks and guideline: the same parts, in the same order, as the
//! verdict on a submission.

use super::evaluation::{CaseEvaluation, CaseFacts};
use super::holding::Holding;
use super::read_case::{Held, ReadCase};
use crate::quality::{QualityFacts, QualityShare, Subject, Submission, Versions};
use crate::results::MeasureHead;
use chrono::{DateTime, NaiveDate, Utc};
use registry_core::guideline::{Composite, ENGINE_VERSION, Guideline, SYNCHRONOUS, UnitOutcome};
use registry_core::quality::QualityRules;
use registry_core::record::{CentreTable, Record, day_number};
use registry_core::rules::{CheckSet, FiredCheck, RuleErrors, Severity};
use registry_core::storage::{CaseDocument, CaseHeader, CaseStatus, Run};
use registry_core::validation::{Envelope, Judge};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// Changes whenever this crate could make another evaluation of the same outcomes and dates, or other results of the same evaluations.
const EVALUATION_VERSION: &str = "10";
/// Kind of a composite among the measures of a run.
pub const COMPOSITE: &str = "composite";

/// A case cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("the current case schema version has no guideline")]
    NoGuideline,
    #[error("there is no version {0} of the guideline")]
    NoGuidelineVersion(String),
    #[error(
        "run {run} was made by version {version} of the guideline, which is not here any more as it was then"
    )]
    OtherGuideline { run: i64, version: String },
    #[error(transparent)]
    Rules(#[from] RuleErrors),
    #[error("case schema version {0} is not evaluated by this program any more")]
    SchemaVersion(String),
    #[error("the record id of a case is not an identifier")]
    RecordId,
}

/// Evaluates cases. Made once per run, shared by its threads.
pub struct Engine {
    judge: Arc<Judge>,
    schema_version: String,
    /// Id and version of the guideline that is evaluated.
    guideline: (String, String),
    /// Elements any of its measures is broken down by.
    stratifiers: Vec<String>,
    rules: String,
    /// Phases and limits of the worklist, by the version of the case schema that documents are read in.
    quality: Arc<BTreeMap<String, QualityRules>>,
    /// Compiled with other values of some parameters, by the version of the case schema that documents are read in.
    replaced: BTreeMap<String, Guideline>,
    /// Days between diagnosis and presentation up to which a presentation counts as synchronous, when timing is derived.
    synchronous_days: Option<f64>,
}

impl Engine {
    /// The engine over a judge's compiled checks and the guideline version in force.
    ///
    /// # Errors
    /// [`EngineError::NoGuideline`] when the current schema version has none.
    pub fn new(judge: Arc<Judge>) -> Result<Self, EngineError> {
        let current = judge.store().current().version.clone();
        let in_force = judge.in_force(&current).ok_or(EngineError::NoGuideline)?;
        let version = in_force.version.clone();
        Self::with_version(judge, &version)
    }

    /// The engine over a judge's compiled checks and a certain version of the guideline, in force or not.
    ///
    /// # Errors
    /// [`EngineError::NoGuidelineVersion`] when it is not among those the judge compiled.
    pub fn with_version(judge: Arc<Judge>, version: &str) -> Result<Self, EngineError> {
        let store = judge.store();
        let schema_version = store.current().version.clone();
        let guideline = judge
            .guidelines(&schema_version)
            .iter()
            .find(|guideline| guideline.version == version)
            .ok_or_else(|| EngineError::NoGuidelineVersion(version.to_owned()))?;
        // The checks read the windows of the version in force, whichever version is evaluated.
        let in_force = judge
            .in_force(&schema_version)
            .map(|active| active.digest.clone());
        let mut rules = Sha256::new();
        for part in [
            &guideline.digest,
            &in_force.unwrap_or_default(),
            &store.files().digest_below("checks/"),
            &store.files().digest_below("codelists/"),
            &store.files().digest_below("adjudication/"),
            &store.files().digest_below("quality/"),
        ] {
            rules.update(part.as_bytes());
        }
        let mut quality = BTreeMap::new();
        for version in judge.forms() {
            if let Some(layout) = judge.layout(version) {
                quality.insert(version.to_owned(), QualityRules::of(store, layout)?);
            }
        }
        Ok(Self {
            rules: hex::encode(rules.finalize()),
            quality: Arc::new(quality),
            guideline: (guideline.id.clone(), guideline.version.clone()),
            stratifiers: stratifiers(guideline),
            replaced: BTreeMap::new(),
            synchronous_days: None,
            schema_version,
            judge,
        })
    }

    /// The engine over the guideline version a run was made by, in force or not.
    ///
    /// # Errors
    /// [`EngineError::OtherGuideline`] when that version is not there, or its files are not what they were.
    pub fn of_run(judge: Arc<Judge>, run: &Run) -> Result<Self, EngineError> {
        let engine = Self::with_version(judge, guideline_version(run));
        let engine = engine.map_err(|_| EngineError::other_guideline(run))?;
        engine.made(run)?;
        Ok(engine)
    }

    /// Results of a run name measures by their place in the guideline: only its own guideline, file by file, tells which they are.
    ///
    /// # Errors
    /// [`EngineError::OtherGuideline`] when this engine's guideline is another.
    pub fn made(&self, run: &Run) -> Result<(), EngineError> {
        let guideline = self.guideline()?;
        let is = |name: &str, value: &str| run.parameters.get(name).and_then(Value::as_str) == Some(value);
        if is("guideline", &guideline.id) && is("guideline_digest", &guideline.digest) {
            return Ok(());
        }
        Err(EngineError::other_guideline(run))
    }

    /// The same engine with other values of some parameters (a sensitivity analysis). With `SYNC_WINDOW_DAYS` among them
    /// `presentation.timing` is derived from the dates where both are known.
    ///
    /// # Errors
    /// [`EngineError::Rules`] for a parameter that is not there or a value that does not fit its type.
    pub fn with_parameters(&self, values: &BTreeMap<String, Value>) -> Result<Self, EngineError> {
        let mut replaced = BTreeMap::new();
        for version in self.judge.forms() {
            let (Some(guideline), Some(layout)) = (self.guideline_on(version), self.judge.layout(version))
            else {
                continue;
            };
            let store = self.judge.store();
            let other = Guideline::with_parameters(store, &guideline.folder, layout, values)?;
            replaced.insert(version.to_owned(), other);
        }
        Ok(Self {
            judge: Arc::clone(&self.judge),
            schema_version: self.schema_version.clone(),
            guideline: self.guideline.clone(),
            stratifiers: self.stratifiers.clone(),
            rules: self.rules.clone(),
            quality: Arc::clone(&self.quality),
            replaced,
            synchronous_days: values.get(SYNCHRONOUS).and_then(Value::as_f64),
        })
    }

    /// The guideline that is evaluated.
    ///
    /// # Errors
    /// [`EngineError::NoGuideline`]; not after the engine was made.
    pub fn guideline(&self) -> Result<&Guideline, EngineError> {
        self.guideline_on(&self.schema_version)
            .ok_or(EngineError::NoGuideline)
    }

    /// Whether a case read by one engine is what the other would read: they differ in their measures only.
    pub(crate) fn reads_as(&self, other: &Engine) -> bool {
        Arc::ptr_eq(&self.judge, &other.judge) && self.synchronous_days == other.synchronous_days
    }

    /// The same guideline version, as documents of a version of the case schema are put to it.
    pub(crate) fn guideline_on(&self, schema_version: &str) -> Option<&Guideline> {
        let form = self.judge.store().form_of(schema_version)?;
        if let Some(replaced) = self.replaced.get(form) {
            return Some(replaced);
        }
        let (id, version) = &self.guideline;
        let mut all = self.judge.guidelines(schema_version).iter();
        all.find(|guideline| guideline.id == *id && guideline.version == *version)
    }

    /// The judge behind it.
    pub fn judge(&self) -> &Arc<Judge> {
        &self.judge
    }

    /// Phases and limits of the worklist, as documents of a version of the case schema are put to them.
    pub fn quality_rules(&self, schema_version: &str) -> Option<&QualityRules> {
        self.quality.get(self.judge.store().form_of(schema_version)?)
    }

    /// The versions of the case schema that quality facts may speak of.
    pub fn versions(&self) -> Versions {
        let store = self.judge.store();
        let forms = self.judge.forms().filter_map(|version| {
            let layout = Arc::clone(self.judge.layout(version)?);
            Some((
                version.to_owned(),
                layout,
                Arc::clone(store.case_schema(version)?),
            ))
        });
        Versions::new(Arc::clone(store), forms)
    }

    /// Version of the case schema that is current.
    pub fn schema_version(&self) -> &str {
        &self.schema_version
    }

    /// Version of the code that evaluates.
    pub fn version(&self) -> String {
        format!("{ENGINE_VERSION}+{EVALUATION_VERSION}")
    }

    /// The measures in the guideline's order, then the composites.
    ///
    /// # Errors
    /// [`EngineError::NoGuideline`]; not after [`Engine::new`] succeeded.
    pub fn measures(&self) -> Result<Vec<MeasureHead>, EngineError> {
        let guideline = self.guideline()?;
        let head = |m: &registry_core::guideline::Measure| MeasureHead {
            id: m.id.clone(),
            statement: m.statement.to_string(),
            title: m.title.clone(),
            grade: m.grade.clone(),
            kind: m.kind.as_str().to_owned(),
            unit: m.unit.clone(),
            domain: m.domain.clone(),
            stratifiers: m.stratifiers.clone(),
            unratified: unratified(guideline, &m.id),
        };
        let of_composite = |c: &Composite| MeasureHead {
            id: c.id.clone(),
            statement: c.statement.to_string(),
            title: c.title.clone(),
            grade: c.grade.clone(),
            kind: COMPOSITE.to_owned(),
            unit: c.unit.clone(),
            domain: c
                .parts
                .first()
                .and_then(|part| guideline.measures.get(usize::from(*part))?.domain.clone()),
            stratifiers: Vec::new(),
            unratified: unratified(guideline, &c.id),
        };
        let measures = guideline.measures.iter().map(head);
        Ok(measures
            .chain(guideline.composites.iter().map(of_composite))
            .collect())
    }

    /// The last day anything is known of a case: the earlier of the run's cut-off and the day of submission.
    pub fn effective_cut_off(cut_off: NaiveDate, submitted_at: DateTime<Utc>) -> NaiveDate {
        cut_off.min(submitted_at.date_naive())
    }

    /// What an evaluation depends on, as one hash: the centres that held the case, case version, schema versions, effective cut-off, guideline and checks, centre
    /// table, engine. Equal keys, equal evaluations.
    pub fn key(&self, header: &CaseHeader, cut_off: NaiveDate, centre_table: &str) -> String {
        self.key_by(&self.version(), header, cut_off, centre_table)
    }

    /// [`Engine::key`] as that version of the code makes it.
    fn key_by(&self, version: &str, header: &CaseHeader, cut_off: NaiveDate, centre_table: &str) -> String {
        let mut hash = Sha256::new();
        let of_case = header.case.version.to_string();
        let effective = Self::effective_cut_off(cut_off, header.submitted_at).to_string();
        let holders = header.holders.fingerprint();
        let parts = [
            holders.as_str(),
            &header.case.case_id,
            &of_case,
            &header.content_hash,
            &header.schema_version,
            // A document is upgraded to it, and published steps are frozen.
            &self.schema_version,
            &effective,
            &self.rules,
            centre_table,
            version,
        ];
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hex::encode(hash.finalize())
    }

    /// Evaluates one case as of `cut_off`. `earlier` holds the versions before it, oldest first: they tell when what was submitted, and
    /// nothing else.
    ///
    /// # Errors
    /// [`EngineError`]; record ids and versions only, no value of the case.
    pub fn evaluate(
        &self,
        case: &CaseDocument,
        earlier: &[CaseDocument],
        cut_off: NaiveDate,
        centres: &CentreTable,
    ) -> Result<CaseEvaluation, EngineError> {
        let opened = self.open(case, cut_off, centres)?;
        let quality = self.quality_facts(case, earlier, &opened, None)?;
        let by_centre = self.quality_by_centre(case, earlier, &opened)?;
        let read = self.without_blocked(case, opened, cut_off, centres)?;
        let mut outcomes = read.outcomes(read.guideline, |_| true);
        outcomes.extend(read.guideline.composite_outcomes(&outcomes));
        let effective = Self::effective_cut_off(cut_off, case.header.submitted_at);
        let blocked = read
            .fired
            .iter()
            .filter(|(_, severity)| *severity == Severity::Error);
        let blocked = blocked.count() as u32;
        let facts = CaseFacts::read(&read.record, &self.stratifiers, blocked, day_number(effective));
        let shares = read.held.map(|held| {
            let of = |unit: &UnitOutcome| held.holding.unit(read.guideline, &read.record, unit);
            let units = outcomes.iter().map(of).collect();
            held.holding.shares(units, by_centre)
        });
        Ok(CaseEvaluation {
            outcomes: outcomes.into_iter().map(Into::into).collect(),
            facts,
            quality,
            shares,
        })
    }

    /// What each centre of a transferred case answered; empty for any other.
    fn quality_by_centre(
        &self,
        case: &CaseDocument,
        earlier: &[CaseDocument],
        opened: &Opened<'_>,
    ) -> Result<Vec<QualityShare>, EngineError> {
        let Some(holding) = &opened.holding else {
            return Ok(Vec::new());
        };
        let of = |centre: usize| {
            let counts = |entity: u16, row: u32| holding.row(entity, row) == centre;
            Ok(self.quality_facts(case, earlier, opened, Some(&counts))?.share())
        };
        (0..holding.centres.len()).map(of).collect()
    }

    fn quality_facts(
        &self,
        case: &CaseDocument,
        earlier: &[CaseDocument],
        opened: &Opened<'_>,
        of: Option<&dyn Fn(u16, u32) -> bool>,
    ) -> Result<QualityFacts, EngineError> {
        let sent_as = &case.header.schema_version;
        let unknown = || EngineError::SchemaVersion(sent_as.clone());
        let store = self.judge.store();
        let form = store.form_of(sent_as).ok_or_else(unknown)?;
        let submissions = earlier.iter().chain(std::iter::once(case)).map(|version| {
            let header = &version.header;
            Submission {
                day: header.submitted_at.date_naive(),
                draft: header.status == CaseStatus::Draft,
                body: store.newest(&version.document, &header.schema_version),
            }
        });
        Ok(QualityFacts::read(&Subject {
            form,
            sent_as,
            dictionary: &store.case_schema(form).ok_or_else(unknown)?.dictionary,
            checks: opened.checks,
            rules: self.quality.get(form).ok_or_else(unknown)?,
            record: &opened.record,
            submissions: &submissions.collect::<Vec<_>>(),
            of,
        }))
    }

    /// A case read for the measures: derived elements in place, edit checks run, what they keep out kept out.
    ///
    /// # Errors
    /// As [`Engine::evaluate`].
    pub fn read(
        &self,
        case: &CaseDocument,
        cut_off: NaiveDate,
        centres: &CentreTable,
    ) -> Result<ReadCase<'_>, EngineError> {
        let opened = self.open(case, cut_off, centres)?;
        self.without_blocked(case, opened, cut_off, centres)
    }

    /// A case with derived elements in place and edit checks run: as one of the centre that held it at the metastatic diagnosis, whose
    /// years the checks ask for.
    fn open(
        &self,
        case: &CaseDocument,
        cut_off: NaiveDate,
        centres: &CentreTable,
    ) -> Result<Opened<'_>, EngineError> {
        let version = &case.header.schema_version;
        let unknown = || EngineError::SchemaVersion(version.clone());
        let checks = self.judge.checks(version).ok_or_else(unknown)?;
        let holders = &case.header.holders;
        let mut record = self.record(case, holders.now(), cut_off, centres)?;
        let holding = Holding::of(&record, holders);
        if let Some(centre) = holding.as_ref().map(Holding::patient)
            && centre != holders.now()
        {
            record = self.record(case, centre, cut_off, centres)?;
        }
        let fired = checks.run(&record);
        Ok(Opened {
            checks,
            record,
            fired,
            holding,
        })
    }

    /// The record of a case as one of a centre.
    fn record(
        &self,
        case: &CaseDocument,
        centre: &str,
        cut_off: NaiveDate,
        centres: &CentreTable,
    ) -> Result<Record, EngineError> {
        let header = &case.header;
        let version = &header.schema_version;
        let unknown = || EngineError::SchemaVersion(version.clone());
        let layout = self.judge.layout(version).ok_or_else(unknown)?;
        let envelope = Envelope {
            record_id: Uuid::parse_str(&header.case.case_id).map_err(|_| EngineError::RecordId)?,
            centre_id: centre.to_owned(),
            submitted_at: header.submitted_at,
            data_cutoff_date: Self::effective_cut_off(cut_off, header.submitted_at),
        };
        let document = self.judge.document(&case.document, version, &envelope);
        Ok(match self.synchronous_days {
            None => Record::read(&document, layout, centres),
            Some(days) => {
                let mut altered = document.to_value();
                derive_timing(&mut altered, days);
                Record::read(&altered, layout, centres)
            }
        })
    }

    /// Keeps out of an opened case what its checks keep out.
    fn without_blocked(
        &self,
        case: &CaseDocument,
        opened: Opened<'_>,
        cut_off: NaiveDate,
        centres: &CentreTable,
    ) -> Result<ReadCase<'_>, EngineError> {
        let Opened {
            checks,
            mut record,
            fired,
            holding,
        } = opened;
        let held = match holding {
            None => None,
            Some(holding) => {
                let mut elsewhere = Vec::new();
                for (at, centre) in holding.others() {
                    let mut record = self.record(case, centre, cut_off, centres)?;
                    checks.block(&mut record, &fired);
                    elsewhere.push((at, record));
                }
                Some(Held { holding, elsewhere })
            }
        };
        checks.block(&mut record, &fired);
        let named = |fired: &FiredCheck| {
            let check = checks.checks().get(fired.check)?;
            Some((check.id.clone(), check.severity))
        };
        let version = &case.header.schema_version;
        let unknown = || EngineError::SchemaVersion(version.clone());
        Ok(ReadCase {
            guideline: self.guideline_on(version).ok_or_else(unknown)?,
            fired: fired.iter().filter_map(named).collect(),
            centre: case.header.holders.now().to_owned(),
            record,
            held,
        })
    }
}

/// A case on which the edit checks have run and from which nothing has been taken yet.
struct Opened<'a> {
    checks: &'a CheckSet,
    record: Record,
    fired: Vec<FiredCheck>,
    /// Of a case that was transferred.
    holding: Option<Holding>,
}

/// Timing of every presentation whose date, and the diagnosis of the primary, are known to the day.
fn derive_timing(document: &mut Value, days: f64) {
    let day = |value: Option<&Value>| value?.as_str()?.parse::<NaiveDate>().ok();
    let Some(diagnosed) = day(document.pointer("/primary/diagnosis_date")) else {
        return;
    };
    let Some(Value::Array(presentations)) = document.get_mut("presentation") else {
        return;
    };
    for presentation in presentations {
        if let Some(detected) = day(presentation.get("date_detected")) {
            let apart = detected.signed_duration_since(diagnosed).num_days() as f64;
            let timing = if apart <= days {
                "synchronous"
            } else {
                "metachronous"
            };
            presentation["timing"] = Value::from(timing);
        }
    }
}

impl EngineError {
    fn other_guideline(run: &Run) -> Self {
        Self::OtherGuideline {
            run: run.number,
            version: guideline_version(run).to_owned(),
        }
    }
}

fn guideline_version(run: &Run) -> &str {
    let version = run.parameters.get("guideline_version");
    version.and_then(Value::as_str).unwrap_or_default()
}

fn unratified(guideline: &Guideline, id: &str) -> Vec<String> {
    guideline.unratified(id).into_iter().map(str::to_owned).collect()
}

fn stratifiers(guideline: &Guideline) -> Vec<String> {
    let all: BTreeSet<&String> = guideline
        .measures
        .iter()
        .flat_map(|measure| &measure.stratifiers)
        .collect();
    all.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_evaluation_of_other_code_has_another_key() {
        use registry_core::storage::{CaseRef, Derived, Holders};
        let schemas = registry_core::versions::SchemaStore::embedded().unwrap();
        let engine = Engine::new(Arc::new(Judge::new(Arc::new(schemas)).unwrap())).unwrap();
        let header = CaseHeader {
            case: CaseRef {
                centre_id: "C07".to_owned(),
                case_id: Uuid::nil().to_string(),
                version: 1,
            },
            holders: Holders::alone("C07"),
            status: CaseStatus::Submitted,
            schema_version: "1.0.0".to_owned(),
            derived: Derived::default(),
            submitted_at: DateTime::UNIX_EPOCH,
            content_hash: String::new(),
            errors: 0,
            warnings: 0,
        };
        let day = NaiveDate::from_ymd_opt(2026, 6, 30).unwrap();
        let now = engine.key(&header, day, "");
        assert_eq!(now, engine.key_by(&engine.version(), &header, day, ""));
        for other in [
            format!("{ENGINE_VERSION}.1+{EVALUATION_VERSION}"),
            format!("{ENGINE_VERSION}+{EVALUATION_VERSION}1"),
        ] {
            assert_ne!(now, engine.key_by(&other, &header, day, ""), "{other}");
        }
    }

    #[test]
    fn timing_follows_from_dates_known_to_the_day_and_stays_as_sent_otherwise() {
        let mut document = json!({
            "primary": {"diagnosis_date": "2024-01-01"},
            "presentation": [
                {"seq": 1, "date_detected": "2024-01-31", "timing": "metachronous"},
                {"seq": 2, "date_detected": "2024-02-01", "timing": "synchronous"},
                {"seq": 3, "date_detected": "2024-02", "timing": "synchronous"},
                {"seq": 4, "date_detected": "2023-12-01"}
            ]
        });
        derive_timing(&mut document, 30.0);
        let timings: Vec<&str> = document["presentation"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["timing"].as_str().unwrap())
            .collect();
        assert_eq!(
            timings,
            ["synchronous", "metachronous", "synchronous", "synchronous"]
        );
        let mut unknown =
            json!({"primary": {"diagnosis_date": "2024"}, "presentation": [{"date_detected": "2024-01-31"}]});
        derive_timing(&mut unknown, 30.0);
        assert_eq!(unknown["presentation"][0].get("timing"), None);
    }
}
