//! Limits of the worklist as data: phases of the disease with the time within which the next contact is due, and how long a value may be
//! pending.
//!
//! `quality/phases.toml` lists the phases with their conditions in the rule language, `quality/parameters.toml` the days. Compiled at
//! start-up against the dictionary like every other rule.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::guideline::Guideline;
use crate::record::{Layout, Record};
use crate::rules::compile::{Compiler, Role, Shared, WindowDays, parse_at};
use crate::rules::evaluate::Evaluation;
use crate::rules::files::{RuleFile, parameters, window_days};
use crate::rules::program::Cond;
use crate::rules::{Parameter, ParameterValue, RuleError, RuleErrors};
use crate::versions::SchemaStore;

const PHASES: &str = "quality/phases.toml";
const PARAMETERS: &str = "quality/parameters.toml";
/// From which age on a pending value is on the worklist.
const PENDING_LIMIT: &str = "PENDING_LIMIT_DAYS";
/// Elements that may be pending for as long as what they end is running.
const RUNNING: &str = "PENDING_WHILE_RUNNING";

/// A phase of the disease, as far as it decides when the next contact is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// Stable code, `observed`.
    pub id: String,
    /// In words.
    pub title: String,
    /// Days after the last contact from which on the next is overdue.
    pub contact_within_days: u32,
    /// Where the phase and its limit come from.
    pub provenance: String,
}

/// Phases and limits, compiled for one version of the case schema.
pub struct QualityRules {
    phases: Vec<Phase>,
    conditions: Vec<Option<Cond>>,
    parameters: BTreeMap<String, Parameter>,
    pending_limit_days: u32,
    running: BTreeSet<String>,
    windows: WindowDays,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhasesFile {
    phase: Vec<PhaseFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhaseFile {
    id: Spanned<String>,
    title: String,
    contact_within: Spanned<String>,
    provenance: String,
    condition: Option<Spanned<String>>,
}

impl QualityRules {
    /// Compiles the files of a schema. Windows (PRE, FT) read the parameters of the guideline version in force.
    ///
    /// # Errors
    /// Every fault, with file, line and column.
    pub fn of(store: &SchemaStore, layout: &Arc<Layout>) -> Result<QualityRules, RuleErrors> {
        let in_force = Guideline::folder_in_force(store);
        let path = in_force.map(|folder| format!("guideline/{folder}/parameters.toml"));
        let windows = path.as_deref().and_then(|path| Some((path, store.file(path)?)));
        let text = |path: &'static str| store.file(path).unwrap_or_default();
        QualityRules::compile(text(PHASES), text(PARAMETERS), windows, layout)
    }

    /// Compiles the texts of the two files; `windows` holds the parameters of the guideline (path and text).
    ///
    /// # Errors
    /// Every fault, with file, line and column.
    pub fn compile(
        phases: &str,
        limits: &str,
        windows: Option<(&str, &str)>,
        layout: &Arc<Layout>,
    ) -> Result<QualityRules, RuleErrors> {
        let mut errors = Vec::new();
        let (phases, limits) = (RuleFile::new(PHASES, phases), RuleFile::new(PARAMETERS, limits));
        let nothing = BTreeMap::new();
        let limits_read = parameters(&limits, &nothing, &mut errors);
        let of_guideline = windows
            .map(|(path, text)| parameters(&RuleFile::new(path, text), &nothing, &mut errors))
            .unwrap_or_default();
        let windows = window_days(&of_guideline);
        let shared = Shared {
            layout: Arc::clone(layout),
            parameters: limits_read,
            definitions: BTreeMap::new(),
            tables: BTreeMap::new(),
            measures: HashMap::new(),
            windows,
        };
        let written = phases.read::<PhasesFile>(&mut errors);
        let written = written.map(|file| file.phase).unwrap_or_default();
        let mut rules = QualityRules {
            phases: Vec::new(),
            conditions: Vec::new(),
            parameters: BTreeMap::new(),
            pending_limit_days: 0,
            running: BTreeSet::new(),
            windows: windows.unwrap_or(WindowDays {
                lookback: 0.0,
                cap: 0.0,
            }),
        };
        let last = written.len().saturating_sub(1);
        for (at, phase) in written.into_iter().enumerate() {
            rules.add(&phases, phase, at == last, &shared, &mut errors);
        }
        match days(&shared.parameters, PENDING_LIMIT) {
            Some(limit) => rules.pending_limit_days = limit,
            None => errors.push(limits.error(
                0,
                "unknown_parameter",
                format!("`{PENDING_LIMIT}` is a number of days"),
            )),
        }
        if let Some(ParameterValue::Codes(paths)) = shared.parameters.get(RUNNING).map(|known| &known.value) {
            for path in paths.iter().filter(|path| layout.path(path).is_none()) {
                let at = limits.text.find(&format!("[{RUNNING}]")).unwrap_or(0);
                errors.push(limits.error(at, "unknown_element", format!("there is no element `{path}`")));
            }
            rules.running = paths.iter().cloned().collect();
        }
        rules.parameters = shared.parameters;
        if errors.is_empty() {
            Ok(rules)
        } else {
            Err(RuleErrors(errors))
        }
    }

    fn add(
        &mut self,
        file: &RuleFile,
        written: PhaseFile,
        last: bool,
        shared: &Shared,
        errors: &mut Vec<RuleError>,
    ) {
        let mut bad = |at: &Spanned<String>, code, message: String| {
            errors.push(file.error(at.span().start, code, message));
        };
        if self.phases.iter().any(|phase| phase.id == *written.id.get_ref()) {
            bad(
                &written.id,
                "twice",
                format!("there are two phases `{}`", written.id.get_ref()),
            );
        }
        // The last phase takes the rest, so that every patient is in one.
        if last != written.condition.is_none() {
            bad(
                &written.id,
                "phase_condition",
                "every phase but the last has a condition, the last has none".into(),
            );
        }
        let limit = written.contact_within.get_ref();
        let contact_within_days = days(&shared.parameters, limit);
        if contact_within_days.is_none() {
            bad(
                &written.contact_within,
                "unknown_parameter",
                format!("`{limit}` is no number of days in {PARAMETERS}"),
            );
        }
        let condition = written.condition.as_ref().and_then(|text| {
            let source = file.source(text);
            let expr = parse_at(&source, errors)?;
            let lets = BTreeMap::new();
            let mut compiler = Compiler::new(shared, Role::EditCheck, None, &lets);
            let condition = compiler.field(&expr, &source);
            errors.append(&mut compiler.errors);
            condition
        });
        if let Some(contact_within_days) = contact_within_days {
            self.conditions.push(condition);
            self.phases.push(Phase {
                id: written.id.into_inner(),
                title: written.title,
                contact_within_days,
                provenance: written.provenance,
            });
        }
    }

    /// The phases, in the order they are tried.
    pub fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// A phase by its code.
    pub fn phase(&self, id: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.id == id)
    }

    /// The phase a patient is in: the first whose condition holds for certain.
    pub fn phase_of(&self, record: &Record) -> Option<&Phase> {
        let evaluation = Evaluation::of_checks(record, self.windows);
        let holds = |condition: &Option<Cond>| {
            condition
                .as_ref()
                .is_none_or(|condition| evaluation.holds(condition))
        };
        let at = self.conditions.iter().position(holds)?;
        self.phases.get(at)
    }

    /// From which age in days on a pending value is late.
    pub fn pending_limit_days(&self) -> u32 {
        self.pending_limit_days
    }

    /// Whether an element (`entity.element`) may be pending for as long as it takes: the end of what is running.
    pub fn may_stay_pending(&self, element: &str) -> bool {
        self.running.contains(element)
    }

    /// Every limit with its basis.
    pub fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.values()
    }
}

fn days(parameters: &BTreeMap<String, Parameter>, name: &str) -> Option<u32> {
    match parameters.get(name)?.value {
        ParameterValue::Days(days) => Some(days),
        _ => None,
    }
}
