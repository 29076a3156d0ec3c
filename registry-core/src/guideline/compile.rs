//! From files to a guideline.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::files::{GuidelineFile, MeasureFile};
use super::rests::{MeasureReads, Reads, parameters_of};
use super::{Composite, Guideline, GuidelineStatus, Measure, MeasureKind, Program};
use crate::record::Layout;
use crate::rules::compile::{Compiler, Definition, Role, Shared, WindowDays, parse_at};
use crate::rules::files::{RuleFile, definitions, parameters, tables, window_days};
use crate::rules::program::Cond;
use crate::rules::{RuleError, RuleErrors};
use crate::versions::SchemaStore;

/// Read by the engine itself (windows), or by sensitivity runs that derive `presentation.timing` again.
const READ_ELSEWHERE: [&str; 3] = ["LOOKBACK_DAYS", "PRE_CAP_DAYS", super::SYNCHRONOUS];

impl Guideline {
    /// Folders of the guideline versions below `schema/guideline/`, as `tarpswg-metastatic-rps/1.1.0`.
    pub fn folders(store: &SchemaStore) -> Vec<String> {
        let paths = store.files().below("guideline/");
        let folders =
            paths.filter_map(|path| path.strip_prefix("guideline/")?.strip_suffix("/guideline.toml"));
        folders.map(str::to_owned).collect()
    }

    /// The folder of the version in force, found without compiling it; the first in order when several guidelines have one.
    pub(crate) fn folder_in_force(store: &SchemaStore) -> Option<String> {
        store.catalogue().guideline_in_force()
    }

    /// Compiles every guideline version, the active one of each guideline before the others.
    ///
    /// # Errors
    /// Every fault in every file, with line and column; two active versions of one guideline.
    pub fn all(store: &SchemaStore, layout: &Arc<Layout>) -> Result<Vec<Guideline>, RuleErrors> {
        let (mut all, mut errors) = (Vec::<Guideline>::new(), Vec::new());
        for folder in Guideline::folders(store) {
            match Guideline::of(store, &folder, layout) {
                Ok(guideline) => {
                    let taken = all.iter().any(|other| {
                        other.id == guideline.id
                            && (other.version == guideline.version
                                || (other.is_active() && guideline.is_active()))
                    });
                    if taken {
                        errors.push(
                            RuleFile::new(&format!("guideline/{folder}/guideline.toml"), "").error(
                                0,
                                "twice",
                                "another version of this guideline is active too, or has the same number",
                            ),
                        );
                    }
                    all.push(guideline);
                }
                Err(RuleErrors(more)) => errors.extend(more),
            }
        }
        if !errors.is_empty() {
            return Err(RuleErrors(errors));
        }
        all.sort_by_key(|guideline| (guideline.id.clone(), !guideline.is_active()));
        Ok(all)
    }

    /// Compiles the guideline version of a folder: `guideline.toml`, `parameters.toml` and `measures/*.toml`.
    ///
    /// # Errors
    /// Every fault in every file, with line and column.
    pub fn of(store: &SchemaStore, folder: &str, layout: &Arc<Layout>) -> Result<Guideline, RuleErrors> {
        Guideline::with_parameters(store, folder, layout, &BTreeMap::new())
    }

    /// As [`Guideline::of`], with the values of some parameters replaced (a sensitivity run); the digest tells them apart.
    ///
    /// # Errors
    /// As [`Guideline::of`], and a replaced parameter that is not there or does not fit its type.
    pub fn with_parameters(
        store: &SchemaStore,
        folder: &str,
        layout: &Arc<Layout>,
        replaced: &BTreeMap<String, Value>,
    ) -> Result<Guideline, RuleErrors> {
        let listed = store.catalogue().guideline(folder).map(|listed| listed.status);
        let folder = format!("guideline/{folder}/");
        let paths = store
            .files()
            .below(&folder)
            .filter(|path| path.ends_with(".toml"));
        let (mut files, mut errors) = (Vec::new(), Vec::new());
        for path in paths {
            match store.file(path) {
                Some(text) => files.push((path, text)),
                // Left out it would be a measure less, and nobody told.
                None => errors.push(RuleFile::new(path, "").error(0, "unreadable", "the file is not UTF-8")),
            }
        }
        match Guideline::compile(&files, layout, replaced) {
            Ok(guideline) if errors.is_empty() => {
                let guideline = Guideline {
                    status: listed.unwrap_or(guideline.status),
                    ..guideline
                };
                guideline
                    .with_words(store)
                    .map_err(|error| RuleErrors(vec![error]))
            }
            Ok(_) => Err(RuleErrors(errors)),
            Err(RuleErrors(more)) => {
                errors.extend(more);
                Err(RuleErrors(errors))
            }
        }
    }

    /// Compiles a guideline from its files (path and text).
    ///
    /// # Errors
    /// Every fault in every file, with line and column.
    pub fn compile(
        files: &[(&str, &str)],
        layout: &Arc<Layout>,
        replaced: &BTreeMap<String, Value>,
    ) -> Result<Guideline, RuleErrors> {
        let mut errors = Vec::new();
        let compiled = Compilation::run(files, layout, replaced, &mut errors);
        match compiled {
            Some(guideline) if errors.is_empty() => Ok(guideline),
            _ => {
                // A fault in a definition shows in every expression that reads it.
                let mut told: Vec<RuleError> = Vec::new();
                errors.retain(|error| {
                    let new = !told.contains(error);
                    if new {
                        told.push(error.clone());
                    }
                    new
                });
                Err(RuleErrors(errors))
            }
        }
    }
}

struct Compilation<'a> {
    shared: Shared,
    errors: &'a mut Vec<RuleError>,
    /// Parameters that some expression reads.
    read: BTreeSet<String>,
    /// Lets and definitions that some expression reads.
    named: BTreeSet<String>,
    /// By measure, in the order of the guideline; by population.
    measures: Vec<MeasureReads>,
    populations: Vec<Reads>,
}

/// A measure as read, before its expressions are compiled.
struct Read {
    file: RuleFile,
    written: MeasureFile,
    kind: Option<MeasureKind>,
    unit: Option<u16>,
}

impl<'a> Compilation<'a> {
    fn run(
        files: &[(&str, &str)],
        layout: &Arc<Layout>,
        replaced: &BTreeMap<String, Value>,
        errors: &'a mut Vec<RuleError>,
    ) -> Option<Guideline> {
        let all: Vec<RuleFile> = files
            .iter()
            .map(|(path, text)| RuleFile::new(path, text))
            .collect();
        let named = |name: &str| all.iter().find(|file| file.path.ends_with(name));
        let Some(main) = named("guideline.toml") else {
            errors.push(RuleFile::new("guideline.toml", "").error(
                0,
                "unreadable",
                "there is no guideline.toml",
            ));
            return None;
        };
        let head: GuidelineFile = main.read(errors)?;
        if let Some(language) = head
            .language_version
            .as_ref()
            .filter(|language| language.get_ref() != "1.0")
        {
            errors.push(main.error(
                language.span().start,
                "language_version",
                "this engine speaks version 1.0 of the language",
            ));
        }
        let parameters = named("parameters.toml")
            .map(|file| parameters(file, replaced, errors))
            .unwrap_or_default();
        let mut measures = read_measures(&all, layout, errors);
        measures.sort_by(|left, right| {
            let key = |read: &Read| (read.written.statement, read.written.id.get_ref().clone());
            key(left).cmp(&key(right))
        });
        let shared = Shared {
            layout: Arc::clone(layout),
            windows: window_days(&parameters),
            parameters,
            definitions: definitions(main, &head.definitions, errors),
            tables: tables(head.tables.clone()),
            measures: measures
                .iter()
                .enumerate()
                .map(|(at, read)| (read.written.id.get_ref().clone(), (at as u16, read.unit)))
                .collect(),
        };
        let mut compilation = Compilation {
            shared,
            errors,
            read: BTreeSet::new(),
            named: BTreeSet::new(),
            measures: Vec::new(),
            populations: Vec::new(),
        };
        let population_programs = compilation.populations(main, &head);
        let populations: Vec<&str> = head
            .populations
            .keys()
            .map(|name| name.get_ref().as_str())
            .collect();
        let status = GuidelineStatus::from_code(head.status.get_ref());
        if status.is_none() {
            let known = GuidelineStatus::ALL.map(GuidelineStatus::as_str).join(", ");
            let at = head.status.span().start;
            let message = format!("the status is one of {known}");
            compilation.errors.push(main.error(at, "unknown_status", message));
        }
        let folder = main.path.strip_prefix("guideline/");
        let folder = folder.and_then(|path| path.strip_suffix("/guideline.toml"));
        let programs: Vec<Option<(Measure, Program)>> = measures
            .iter()
            .map(|read| compilation.measure(read, &populations))
            .collect();
        compilation.refuse_cycles(&measures);
        compilation.refuse_unread(named("parameters.toml"));
        compilation.check_unread_definitions();
        let (mut measures, programs): (Vec<Measure>, Vec<Program>) = programs.into_iter().flatten().unzip();
        // With a measure left out for its faults nothing is used.
        for (at, measure) in measures.iter_mut().enumerate() {
            measure.rests_on = parameters_of(at, &compilation.measures, &compilation.populations);
        }
        let ids: BTreeSet<&str> = compilation.shared.measures.keys().map(String::as_str).collect();
        let composites = composites(main, &head, &measures, &ids, compilation.errors);
        let texts = |written: &BTreeMap<Spanned<String>, Spanned<String>>| -> BTreeMap<String, String> {
            written
                .iter()
                .map(|(name, text)| (name.get_ref().clone(), text.get_ref().trim().to_owned()))
                .collect()
        };
        Some(Guideline {
            definitions: texts(&head.definitions),
            populations: texts(&head.populations),
            id: head.id,
            version: head.version,
            title: head.title,
            source: head.source,
            folder: folder.unwrap_or_default().to_owned(),
            status: status?,
            measures,
            composites,
            labels: BTreeMap::new(),
            digest: digest(&all, replaced),
            layout: Arc::clone(layout),
            windows: compilation.shared.windows.unwrap_or(WindowDays {
                lookback: 0.0,
                cap: 0.0,
            }),
            parameters: std::mem::take(&mut compilation.shared.parameters),
            population_programs,
            programs,
        })
    }

    fn populations(&mut self, file: &RuleFile, head: &GuidelineFile) -> Vec<Cond> {
        let lets = BTreeMap::new();
        let mut programs = Vec::new();
        for text in head.populations.values() {
            let source = file.source(text);
            let mut reads = Reads::default();
            let compiled = parse_at(&source, self.errors).and_then(|expr| {
                let mut compiler = Compiler::new(&self.shared, Role::Population, None, &lets);
                let compiled = compiler.field(&expr, &source);
                reads.take(&mut compiler);
                self.errors.append(&mut compiler.errors);
                self.read.append(&mut compiler.read);
                self.named.append(&mut compiler.named);
                compiled
            });
            self.populations.push(reads);
            // One place per population keeps positions right; with an error nothing is used.
            programs.push(compiled.unwrap_or(Cond::Constant(false)));
        }
        programs
    }

    fn measure(&mut self, read: &Read, populations: &[&str]) -> Option<(Measure, Program)> {
        let Read {
            file,
            written,
            kind,
            unit,
        } = read;
        let population = populations
            .iter()
            .position(|name| name == written.population.get_ref());
        if population.is_none() {
            let message = format!("there is no population `{}`", written.population.get_ref());
            self.errors
                .push(file.error(written.population.span().start, "unknown_population", message));
        }
        let lets = definitions(file, &written.r#let, self.errors);
        for (name, text) in &written.r#let {
            if self.shared.definitions.contains_key(name.get_ref()) {
                let message = format!("`{}` is already a definition of the guideline", name.get_ref());
                self.errors
                    .push(file.error(text.span().start, "reserved_name", message));
            }
        }
        let mut fields = BTreeMap::new();
        let mut parameters = BTreeSet::new();
        let mut reads = MeasureReads {
            population,
            ..MeasureReads::default()
        };
        let mut named = BTreeSet::new();
        for (field, text) in [
            ("denominator", &written.denominator),
            ("exclusion", &written.exclusion),
            ("exception", &written.exception),
            ("numerator", &written.numerator),
        ] {
            let source = file.source(text);
            let Some(expr) = parse_at(&source, self.errors) else {
                continue;
            };
            let mut compiler = Compiler::new(&self.shared, Role::Measure, *unit, &lets);
            if let Some(cond) = compiler.field(&expr, &source) {
                fields.insert(field, cond);
            }
            self.errors.append(&mut compiler.errors);
            match field {
                "denominator" => reads.denominator.take(&mut compiler),
                _ => reads.rest.take(&mut compiler),
            }
            parameters.append(&mut compiler.read);
            named.append(&mut compiler.named);
        }
        if fields.len() == 4 {
            refuse_unnamed(file, &written.r#let, &named, self.errors);
        }
        self.named.append(&mut named);
        let listed: BTreeSet<String> = written.parameters.get_ref().iter().cloned().collect();
        if fields.len() == 4 && parameters != listed {
            let message = format!("the expressions read {parameters:?}, the list says {listed:?}");
            self.errors
                .push(file.error(written.parameters.span().start, "parameters_differ", message));
        }
        self.read.append(&mut parameters);
        self.measures.push(reads);
        let kind = (*kind)?;
        let program = Program {
            unit: *unit,
            population: population?,
            denominator: fields.remove("denominator")?,
            exclusion: fields.remove("exclusion")?,
            exception: fields.remove("exception")?,
            numerator: fields.remove("numerator")?,
            utilisation: kind == MeasureKind::Utilisation,
        };
        Some((describe(written, kind, &lets), program))
    }

    /// MEASURE and DENOM may not lead back to where they started.
    fn refuse_cycles(&mut self, measures: &[Read]) {
        for (start, read) in measures.iter().enumerate() {
            let (mut seen, mut open) = (BTreeSet::new(), vec![start]);
            while let Some(next) = open.pop() {
                for reference in self
                    .measures
                    .get(next)
                    .into_iter()
                    .flat_map(MeasureReads::references)
                {
                    if reference == start {
                        let id = &read.written.id;
                        let message = format!(
                            "measure `{}` refers to itself through MEASURE or DENOM",
                            id.get_ref()
                        );
                        self.errors
                            .push(read.file.error(id.span().start, "recursion", message));
                        open.clear();
                        break;
                    }
                    if seen.insert(reference) {
                        open.push(reference);
                    }
                }
            }
        }
    }

    /// A draft may leave a definition unread; it is checked on its own all the same.
    fn check_unread_definitions(&mut self) {
        let lets = BTreeMap::new();
        for (name, definition) in &self.shared.definitions {
            if !self.named.contains(name) {
                let mut compiler = Compiler::new(&self.shared, Role::Measure, None, &lets);
                compiler.check(definition);
                self.errors.append(&mut compiler.errors);
            }
        }
    }

    fn refuse_unread(&mut self, file: Option<&RuleFile>) {
        let Some(file) = file else { return };
        for name in self.shared.parameters.keys() {
            if !self.read.contains(name) && !READ_ELSEWHERE.contains(&name.as_str()) {
                let at = file.text.find(&format!("[{name}]")).unwrap_or(0);
                self.errors.push(file.error(
                    at,
                    "parameter_never_read",
                    format!("no measure reads `${name}`"),
                ));
            }
        }
    }
}

/// What no expression reads is checked by none, and a reader would take it for part of the logic.
fn refuse_unnamed(
    file: &RuleFile,
    written: &BTreeMap<Spanned<String>, Spanned<String>>,
    named: &BTreeSet<String>,
    errors: &mut Vec<RuleError>,
) {
    for name in written.keys().filter(|name| !named.contains(name.get_ref())) {
        let message = format!("no expression reads `{}`", name.get_ref());
        let unread = file.error(name.span().start, "never_read", message);
        // A name that is refused anyway cannot be read.
        let place = |error: &RuleError| (error.file.clone(), error.line, error.column);
        if !errors.iter().any(|error| place(error) == place(&unread)) {
            errors.push(unread);
        }
    }
}

/// Composites with their parts resolved (`ids`: of all measures, those with faults too); parts are measures of one unit
/// and none of them utilisation.
fn composites(
    file: &RuleFile,
    head: &GuidelineFile,
    measures: &[Measure],
    ids: &BTreeSet<&str>,
    errors: &mut Vec<RuleError>,
) -> Vec<Composite> {
    let mut composites: Vec<Composite> = Vec::new();
    for written in &head.composites {
        let at = written.parts.span().start;
        if composites.iter().any(|other| other.id == *written.id.get_ref()) {
            let message = format!("there are two composites `{}`", written.id.get_ref());
            errors.push(file.error(written.id.span().start, "twice", message));
        }
        if ids.contains(written.id.get_ref().as_str()) {
            let message = format!("there is a measure `{}` already", written.id.get_ref());
            errors.push(file.error(written.id.span().start, "bad_composite", message));
        }
        let mut refuse = |message: String| errors.push(file.error(at, "bad_composite", message));
        let mut parts = Vec::new();
        for id in written.parts.get_ref() {
            match measures.iter().position(|measure| measure.id == *id) {
                Some(part) => parts.push(part as u16),
                // A measure with a fault of its own: that fault is told.
                None if ids.contains(id.as_str()) => {}
                None => refuse(format!("there is no measure `{id}`")),
            }
        }
        let known: Vec<&Measure> = parts
            .iter()
            .filter_map(|part| measures.get(usize::from(*part)))
            .collect();
        let Some(first) = known.first() else { continue };
        if known.iter().any(|part| part.unit_entity != first.unit_entity) {
            refuse("its parts judge different units".to_owned());
        }
        if known.iter().any(|part| part.kind == MeasureKind::Utilisation) {
            refuse("a utilisation measure is neither met nor not met".to_owned());
        }
        composites.push(Composite {
            id: written.id.get_ref().clone(),
            title: written.title.clone(),
            unit: first.unit.clone(),
            statement: first.statement,
            grade: first.grade.clone(),
            parts,
        });
    }
    composites
}

fn read_measures(all: &[RuleFile], layout: &Layout, errors: &mut Vec<RuleError>) -> Vec<Read> {
    let mut measures: Vec<Read> = Vec::new();
    for file in all
        .iter()
        .filter(|file| file.path.contains("/measures/") || file.path.starts_with("measures/"))
    {
        let Some(written) = file.read::<MeasureFile>(errors) else {
            continue;
        };
        let at = |text: &Spanned<String>| text.span().start;
        if measures
            .iter()
            .any(|other| other.written.id.get_ref() == written.id.get_ref())
        {
            let message = format!("there are two measures `{}`", written.id.get_ref());
            errors.push(file.error(at(&written.id), "twice", message));
        }
        let kind = MeasureKind::from_code(written.kind.get_ref());
        if kind.is_none() {
            let kinds = MeasureKind::ALL.map(MeasureKind::as_str).join(", ");
            errors.push(file.error(
                at(&written.kind),
                "unknown_kind",
                format!("the kind is one of {kinds}"),
            ));
        }
        let unit = written.unit_entity.as_ref().and_then(|name| {
            let found = layout.entity(name.get_ref());
            let rows = found.filter(|at| {
                layout
                    .entity_at(*at)
                    .is_some_and(|known| !known.single && !known.reference)
            });
            if rows.is_none() {
                let message = format!("`{}` is no entity with rows that could be units", name.get_ref());
                errors.push(file.error(at(name), "unknown_unit", message));
            }
            rows
        });
        measures.push(Read {
            file: file.clone(),
            written,
            kind,
            unit,
        });
    }
    measures
}

fn describe(written: &MeasureFile, kind: MeasureKind, lets: &BTreeMap<String, Definition>) -> Measure {
    let date = |value: &Option<toml::value::Datetime>| value.as_ref().map(ToString::to_string);
    let mut expressions: BTreeMap<String, String> = [
        ("denominator", &written.denominator),
        ("exclusion", &written.exclusion),
        ("exception", &written.exception),
        ("numerator", &written.numerator),
    ]
    .into_iter()
    .map(|(field, text)| (field.to_owned(), text.get_ref().trim().to_owned()))
    .collect();
    for (name, definition) in lets {
        expressions.insert(format!("let.{name}"), definition.source.text().trim().to_owned());
    }
    Measure {
        id: written.id.get_ref().clone(),
        statement: written.statement,
        version: written.version.clone().unwrap_or_else(|| "1.0".to_owned()),
        domain: written.domain.clone(),
        grade: written.grade.clone(),
        kind,
        unit: written.unit.clone(),
        unit_entity: written.unit_entity.as_ref().map(|name| name.get_ref().clone()),
        population: written.population.get_ref().clone(),
        title: written.title.clone(),
        statement_in_words: written.statement_in_words.clone(),
        denominator_in_words: written.denominator_in_words.clone(),
        numerator_in_words: written.numerator_in_words.clone(),
        exclusion_in_words: None,
        exception_in_words: None,
        rationale: written.rationale.clone(),
        review_note: written.review_note.clone(),
        stratifiers: written.stratifiers.clone().unwrap_or_default(),
        examples: written.examples.clone(),
        parameters: written.parameters.get_ref().clone(),
        rests_on: Vec::new(),
        authored: date(&written.authored),
        reviewed: date(&written.reviewed),
        next_review: date(&written.next_review),
        expressions,
    }
}

fn digest(files: &[RuleFile], replaced: &BTreeMap<String, Value>) -> String {
    let mut hash = Sha256::new();
    let mut sorted: Vec<&RuleFile> = files.iter().collect();
    sorted.sort_by(|left, right| left.path.cmp(&right.path));
    for file in sorted {
        hash.update(format!("{}\n{}\n{}\n", file.path, file.text.len(), file.text).as_bytes());
    }
    for (name, value) in replaced {
        hash.update(format!("${name}={value}\n").as_bytes());
    }
    hex::encode(hash.finalize())
}
