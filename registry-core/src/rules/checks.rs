mod asked;
mod described;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::compile::{Compiler, Parameter, Role, Shared, WindowDays, parse_at};
use super::evaluate::Evaluation;
use super::files::{RuleFile, parameters, tables, window_days};
use super::program::Cond;
use super::{RuleError, RuleErrors, Severity};
use crate::record::{CellRef, Layout, Record};
use crate::versions::SchemaStore;

/// Who judges an edit check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvaluatedBy {
    /// The engine, from its expression.
    Rule,
    /// The service: it needs what a record does not hold.
    Service,
}

/// One edit check, as its file describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// As `E-005`, or `R-005` for an element the dictionary requires under a condition.
    pub id: String,
    pub version: String,
    pub severity: Severity,
    /// The entity whose rows are checked one by one, or `record`.
    pub scope: String,
    pub evaluated_by: EvaluatedBy,
    pub rule_in_words: String,
    /// What is said when it fires.
    pub message: String,
    /// Where the check comes from, in words; every published check says it.
    pub provenance: Option<String>,
    /// The violation condition as written; the check fires when it is T.
    pub expression: Option<String>,
    /// `entity.element`, `*.element` (in every entity) or `*` (the whole record is refused).
    pub blocks: Vec<String>,
    /// The element the check is about, where that is not the one it blocks: a finding points at it in the row that was judged.
    pub about: Option<String>,
    pub parameters: Vec<String>,
    pub note: Option<String>,
}

/// The edit checks, compiled.
pub struct CheckSet {
    checks: Vec<Check>,
    programs: Vec<Option<Program>>,
    layout: Arc<Layout>,
    windows: WindowDays,
    parameters: BTreeMap<String, Parameter>,
}

struct Program {
    /// `None` when the whole record is judged at once.
    scope: Option<u16>,
    violated: Cond,
    blocks: Vec<Block>,
    about: Option<Block>,
    /// Elements whose presence it tests.
    asks: Vec<Block>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Block {
    entity: u16,
    element: u16,
}

/// An edit check that fired on one row, or on the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiredCheck {
    /// Position in [`CheckSet::checks`].
    pub check: usize,
    /// The scoped row: entity and position in its array. `None` when the scope is the record.
    pub row: Option<(u16, u32)>,
    /// The cells that were read to decide, in the order of the dictionary.
    pub read: Vec<CellRef>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckFile {
    id: Spanned<String>,
    version: Option<String>,
    severity: Spanned<String>,
    scope: Spanned<String>,
    evaluated_by: Spanned<String>,
    rule_in_words: String,
    message: String,
    provenance: Option<String>,
    expression: Option<Spanned<String>>,
    #[serde(default)]
    blocks: Vec<Spanned<String>>,
    about: Option<Spanned<String>>,
    parameters: Option<Spanned<Vec<String>>>,
    note: Option<String>,
}

impl CheckSet {
    /// Compiles `checks/*.toml` with `checks/parameters.toml` and `checks/tables.toml`. Windows (PRE, FT) read the parameters of the
    /// guideline version in force when the checks have none of their own.
    ///
    /// # Errors
    /// Every fault in every file, with line and column.
    pub fn of(store: &SchemaStore, layout: &Arc<Layout>) -> Result<CheckSet, RuleErrors> {
        let paths = store
            .files()
            .below("checks/")
            .filter(|path| path.ends_with(".toml"));
        let files: Vec<(&str, &str)> = paths.filter_map(|path| Some((path, store.file(path)?))).collect();
        let in_force = crate::guideline::Guideline::folder_in_force(store);
        let path = in_force.map(|folder| format!("guideline/{folder}/parameters.toml"));
        let windows = path.as_deref().and_then(|path| Some((path, store.file(path)?)));
        CheckSet::compile(&files, windows, layout)
    }

    /// Compiles the checks of some files (path and text); `parameters.toml` and `tables.toml` hold what they read,
    /// `windows` the parameters of the guideline.
    ///
    /// # Errors
    /// Every fault in every file, with line and column.
    pub fn compile(
        files: &[(&str, &str)],
        windows: Option<(&str, &str)>,
        layout: &Arc<Layout>,
    ) -> Result<CheckSet, RuleErrors> {
        let mut errors = Vec::new();
        let all: Vec<RuleFile> = files
            .iter()
            .map(|(path, text)| RuleFile::new(path, text))
            .collect();
        let named = |name: &str| all.iter().find(|file| file.name() == name);
        let own = named("parameters.toml");
        let nothing = BTreeMap::new();
        let of_checks = own
            .map(|file| parameters(file, &nothing, &mut errors))
            .unwrap_or_default();
        let written = named("tables.toml")
            .and_then(|file| file.read(&mut errors))
            .unwrap_or_default();
        let of_guideline = windows
            .map(|(path, text)| parameters(&RuleFile::new(path, text), &nothing, &mut errors))
            .unwrap_or_default();
        let windows = window_days(&of_checks).or_else(|| window_days(&of_guideline));
        let shared = Shared {
            layout: Arc::clone(layout),
            parameters: of_checks,
            definitions: BTreeMap::new(),
            tables: tables(written),
            measures: HashMap::new(),
            windows,
        };
        let mut read = BTreeSet::new();
        let mut set = CheckSet {
            checks: Vec::new(),
            programs: Vec::new(),
            layout: Arc::clone(layout),
            windows: windows.unwrap_or(WindowDays {
                lookback: 0.0,
                cap: 0.0,
            }),
            parameters: BTreeMap::new(),
        };
        for file in all
            .iter()
            .filter(|file| !["parameters.toml", "tables.toml"].contains(&file.name()))
        {
            set.add(file, &shared, &mut read, &mut errors);
        }
        if let Some(file) = own {
            for name in shared.parameters.keys().filter(|name| !read.contains(*name)) {
                let at = file.text.find(&format!("[{name}]")).unwrap_or(0);
                errors.push(file.error(
                    at,
                    "parameter_never_read",
                    format!("no edit check reads `${name}`"),
                ));
            }
        }
        set.parameters = shared.parameters;
        if errors.is_empty() {
            Ok(set)
        } else {
            Err(RuleErrors(errors))
        }
    }

    fn add(
        &mut self,
        file: &RuleFile,
        shared: &Shared,
        read: &mut BTreeSet<String>,
        errors: &mut Vec<RuleError>,
    ) {
        let Some(written) = file.read::<CheckFile>(errors) else {
            return;
        };
        let before = errors.len();
        let mut bad = |at: &Spanned<String>, code, message: String| {
            errors.push(file.error(at.span().start, code, message))
        };
        if self.checks.iter().any(|check| check.id == *written.id.get_ref()) {
            bad(
                &written.id,
                "twice",
                format!("there are two checks `{}`", written.id.get_ref()),
            );
        }
        let severity = Severity::from_code(written.severity.get_ref());
        if severity.is_none() {
            bad(
                &written.severity,
                "unknown_severity",
                "the severity is reject, error or warning".into(),
            );
        }
        let evaluated_by = match written.evaluated_by.get_ref().as_str() {
            "rule" => Some(EvaluatedBy::Rule),
            "service" => Some(EvaluatedBy::Service),
            _ => None,
        };
        if evaluated_by.is_none() {
            bad(
                &written.evaluated_by,
                "unknown_evaluator",
                "a check is evaluated by `rule` or `service`".into(),
            );
        }
        let record = written.scope.get_ref() == "record";
        let scope = self.layout.entity(written.scope.get_ref()).filter(|_| !record);
        if scope.is_none() && !record {
            bad(
                &written.scope,
                "unknown_entity",
                "the scope is `record` or an entity".into(),
            );
        }
        let mut blocks = Vec::new();
        for block in &written.blocks {
            match block_cells(&self.layout, block.get_ref()) {
                Some(cells) => blocks.extend(cells),
                None => bad(
                    block,
                    "unknown_element",
                    format!("`{}` blocks nothing there is", block.get_ref()),
                ),
            }
        }
        let about = written.about.as_ref().and_then(|about| {
            let found = reached(&self.layout, about.get_ref(), scope);
            if found.is_none() {
                let message = format!(
                    "`{}` is no element of the scoped row or of an entity there is once",
                    about.get_ref()
                );
                bad(about, "about_no_row", message);
            }
            found
        });
        let program = match (&written.expression, evaluated_by) {
            (Some(expression), Some(EvaluatedBy::Rule)) => {
                let source = file.source(expression);
                parse_at(&source, errors).and_then(|expr| {
                    let lets = BTreeMap::new();
                    let asks = asked::asks(&expr, &self.layout, scope);
                    let mut compiler = Compiler::new(shared, Role::EditCheck, scope, &lets);
                    let violated = compiler.field(&expr, &source);
                    errors.append(&mut compiler.errors);
                    if let Some(listed) = &written.parameters
                        && violated.is_some()
                        && !compiler
                            .read
                            .iter()
                            .eq(listed.get_ref().iter().collect::<BTreeSet<_>>())
                    {
                        let message = format!(
                            "the expression reads {:?}, the list says {:?}",
                            compiler.read,
                            listed.get_ref()
                        );
                        errors.push(file.error(listed.span().start, "parameters_differ", message));
                    }
                    read.append(&mut compiler.read);
                    Some(Program {
                        scope,
                        violated: violated?,
                        blocks,
                        about,
                        asks,
                    })
                })
            }
            (None, Some(EvaluatedBy::Rule)) => {
                errors.push(file.error(
                    written.evaluated_by.span().start,
                    "no_expression",
                    "a rule needs an expression",
                ));
                None
            }
            _ => None,
        };
        if let (Some(severity), Some(evaluated_by)) = (severity, evaluated_by)
            && errors.len() == before
        {
            self.programs.push(program);
            self.checks.push(Check {
                id: written.id.into_inner(),
                version: written.version.unwrap_or_else(|| "1.0".to_owned()),
                severity,
                scope: written.scope.into_inner(),
                evaluated_by,
                rule_in_words: written.rule_in_words,
                message: written.message,
                provenance: written.provenance,
                expression: written.expression.map(Spanned::into_inner),
                blocks: written.blocks.into_iter().map(Spanned::into_inner).collect(),
                about: written.about.map(Spanned::into_inner),
                parameters: written.parameters.map(Spanned::into_inner).unwrap_or_default(),
                note: written.note,
            });
        }
    }

    /// Every check, those of the service included, in the order of the files.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// A check by id.
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// Runs every rule on every row of its scope. A check fires when its condition is certainly violated, never on
    /// unknown.
    pub fn run(&self, record: &Record) -> Vec<FiredCheck> {
        let evaluation = Evaluation::of_checks(record, self.windows);
        let mut fired = Vec::new();
        for (check, program) in self.programs.iter().enumerate() {
            let Some(program) = program else { continue };
            match program.scope {
                None => {
                    if evaluation.holds(&program.violated) {
                        fired.push(self.fired(check, program, record, None));
                    }
                }
                Some(entity) => {
                    for row in 0..record.count(entity) as u32 {
                        evaluation.enter_scope(entity, row);
                        if evaluation.holds(&program.violated) {
                            fired.push(self.fired(check, program, record, Some((entity, row))));
                        }
                    }
                }
            }
        }
        fired
    }

    /// Judges once more, noting what is read.
    fn fired(&self, check: usize, program: &Program, record: &Record, row: Option<(u16, u32)>) -> FiredCheck {
        let evaluation = Evaluation::of_checks(record, self.windows).tracing();
        if let Some((entity, row)) = row {
            evaluation.enter_scope(entity, row);
        }
        evaluation.cond(&program.violated);
        FiredCheck {
            check,
            row,
            read: evaluation.reads(),
        }
    }

    /// Keeps the elements blocked by fired checks of severity error out of the measures: those of the scoped row, or of
    /// all rows when the scope is the record or another entity.
    pub fn block(&self, record: &mut Record, fired: &[FiredCheck]) {
        for fired in fired {
            let severity = self.checks.get(fired.check).map(|check| check.severity);
            let Some(Some(program)) = self.programs.get(fired.check) else {
                continue;
            };
            if severity != Some(Severity::Error) {
                continue;
            }
            for block in &program.blocks {
                let scoped = fired
                    .row
                    .filter(|(entity, _)| *entity == block.entity)
                    .map(|(_, row)| row);
                let all = 0..record.count(block.entity) as u32;
                for row in scoped.map_or(all, |row| row..row + 1) {
                    record.block(CellRef {
                        entity: block.entity,
                        row,
                        element: block.element,
                    });
                }
            }
        }
    }
}

impl FiredCheck {
    /// The cell the check says it is about, if it says so: in the row that was judged, or of an entity there is once.
    pub fn about(&self, set: &CheckSet) -> Option<CellRef> {
        let about = set.programs.get(self.check)?.as_ref()?.about.as_ref()?;
        let row = self.row.filter(|(entity, _)| *entity == about.entity);
        Some(CellRef {
            entity: about.entity,
            row: row.map_or(0, |(_, row)| row),
            element: about.element,
        })
    }

    /// JSON Pointer of what to look at: the element the check is about, else the one it blocks in its row, else the row, else the whole
    /// document.
    pub fn pointer(&self, set: &CheckSet, record: &Record) -> String {
        if let Some(about) = self.about(set) {
            return record.pointer(about);
        }
        let layout = record.layout();
        let blocks = set
            .programs
            .get(self.check)
            .and_then(Option::as_ref)
            .map(|program| &program.blocks);
        let blocks = blocks.map(Vec::as_slice).unwrap_or_default();
        match self.row {
            Some((entity, row)) => {
                if let Some(block) = blocks.iter().find(|block| block.entity == entity) {
                    return record.pointer(CellRef {
                        entity,
                        row,
                        element: block.element,
                    });
                }
                let name = layout
                    .entity_at(entity)
                    .map(|known| (known.name.to_string(), known.single));
                name.map_or_else(String::new, |(name, single)| {
                    if single {
                        format!("/{name}")
                    } else {
                        format!("/{name}/{row}")
                    }
                })
            }
            None => match blocks {
                [block] if layout.entity_at(block.entity).is_some_and(|known| known.single) => record
                    .pointer(CellRef {
                        entity: block.entity,
                        row: 0,
                        element: block.element,
                    }),
                _ => String::new(),
            },
        }
    }

    /// Elements that were read, `entity.element`, sorted.
    pub fn elements(&self, layout: &Layout) -> Vec<String> {
        let paths = self
            .read
            .iter()
            .filter_map(|at| layout.element_at(at.entity, at.element));
        paths
            .map(|element| element.path.to_string())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }
}

/// An element of the scoped row or of an entity there is once. Any other row would be a guess.
fn reached(layout: &Layout, path: &str, scope: Option<u16>) -> Option<Block> {
    let (entity, element) = layout.path(path)?;
    let reached = Some(entity) == scope || layout.entity_at(entity).is_some_and(|known| known.single);
    reached.then_some(Block { entity, element })
}

/// The cells a block names; `*` (the record itself) names none.
fn block_cells(layout: &Layout, block: &str) -> Option<Vec<Block>> {
    if block == "*" {
        return Some(Vec::new());
    }
    if let Some(element) = block.strip_prefix("*.") {
        let everywhere = layout
            .entities()
            .iter()
            .enumerate()
            .filter_map(|(entity, known)| {
                let element = known.element(element).filter(|_| !known.reference)?;
                Some(Block {
                    entity: entity as u16,
                    element,
                })
            });
        let cells: Vec<Block> = everywhere.collect();
        return (!cells.is_empty()).then_some(cells);
    }
    layout
        .path(block)
        .map(|(entity, element)| vec![Block { entity, element }])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use std::borrow::Cow;

    use serde_json::Value;
    use uuid::Uuid;

    use super::*;
    use crate::record::CentreTable;
    use crate::rules::Truth;
    use crate::synthetic::{self, CohortPlan};
    use crate::validation::{Derived, Document, Envelope};

    /// Takes every seventh leaf away, beginning with leaf `from`.
    fn thin(value: &mut Value, seen: &mut usize, from: usize) {
        match value {
            Value::Object(elements) => {
                elements.retain(|_, element| {
                    if element.is_array() || element.is_object() {
                        return true;
                    }
                    *seen += 1;
                    !(*seen + from).is_multiple_of(7)
                });
                elements
                    .values_mut()
                    .for_each(|element| thin(element, seen, from));
            }
            Value::Array(rows) => rows.iter_mut().for_each(|row| thin(row, seen, from)),
            _ => {}
        }
    }

    #[test]
    fn certainty_is_the_truth_without_its_reason() {
        let store = SchemaStore::embedded().unwrap();
        let layout = Arc::new(Layout::of(&store.current().dictionary).unwrap());
        let checks = CheckSet::of(&store, &layout).unwrap();
        let plan = CohortPlan {
            cases: 40,
            ..CohortPlan::demo("2026-11-23".parse().unwrap())
        };
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for index in 0..plan.cases {
            let case = synthetic::case(&plan, index);
            let envelope = Envelope {
                record_id: Uuid::nil(),
                centre_id: case.centre_id,
                submitted_at: case.submitted_at,
                data_cutoff_date: plan.as_of,
            };
            for from in 0..7 {
                let mut body = case.body.clone();
                thin(&mut body, &mut 0, from);
                let document = Document::new(Cow::Borrowed(&body), "1.0.0", &envelope, &Derived::default());
                let record = Record::read(&document, &layout, &CentreTable::default());
                let evaluation = Evaluation::of_checks(&record, checks.windows);
                for (program, check) in checks.programs.iter().zip(&checks.checks) {
                    let Some(program) = program else { continue };
                    let rows = program.scope.map_or(1, |entity| record.count(entity) as u32);
                    for row in 0..rows {
                        if let Some(entity) = program.scope {
                            evaluation.enter_scope(entity, row);
                        }
                        let truth = evaluation.cond(&program.violated);
                        assert_eq!(
                            evaluation.holds(&program.violated),
                            truth.is_true(),
                            "{}",
                            check.id
                        );
                        assert_eq!(
                            evaluation.fails(&program.violated),
                            truth.is_false(),
                            "{}",
                            check.id
                        );
                        let name = match truth {
                            Truth::True => "true",
                            Truth::False => "false",
                            Truth::Unknown(_) => "unknown",
                        };
                        *seen.entry(name).or_default() += 1;
                    }
                }
            }
        }
        assert!(
            seen.len() == 3 && seen.values().all(|count| *count > 100),
            "{seen:?}"
        );
    }
}
