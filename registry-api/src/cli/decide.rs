//! `rules decide`: a person records what the committee decided on a proposal; adoption makes a draft of the next guideline
//! version.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use registry_core::guideline::Guideline;
use registry_core::guideline::questions::{Change, Questions, Ruling};
use registry_core::validation::Judge;
use registry_core::versions::{SchemaStore, number};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use super::{Failure, rules};
use crate::ports::Ports;

/// A file and its new text.
pub(super) type Edit = (PathBuf, String);

#[derive(Debug, Args)]
pub(super) struct DecideArgs {
    /// Id of the question (`Q07`), or of a parameter the source does not fix (`$ECOG_OK`).
    question: String,
    #[arg(value_enum)]
    decision: Choice,
    /// Who decided.
    #[arg(long)]
    by: String,
    /// Why, in a sentence.
    #[arg(long)]
    reason: String,
    /// The day of the decision; today unless given.
    #[arg(long)]
    date: Option<NaiveDate>,
    /// Number of the guideline version that carries an adopted proposal; a draft of it is made unless there is one.
    #[arg(long, required_if_eq("decision", "adopt"))]
    version: Option<String>,
    /// Schema folder to write to.
    #[arg(long, default_value = "schema")]
    schema: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Choice {
    Adopt,
    Reject,
}

/// Records the decision. An adopted proposal is written into the draft first and compiled there: the decision is recorded only
/// when the draft holds it without fault.
pub(super) fn decide(args: &DecideArgs, ports: &Ports) -> Result<(), Failure> {
    complete(&args.by, &args.reason, args.date, ports)?;
    let store = rules::schemas(Some(&args.schema))?;
    let guideline = active(&store)?;
    let questions = Questions::of(&store, &guideline.id).map_err(Failure::new)?;
    let parameter = args.question.strip_prefix('$');
    let known = match parameter {
        Some(name) => guideline.parameters.get(name).is_some_and(|p| !p.is_ratified()),
        None => questions.question(&args.question).is_some(),
    };
    if !known {
        return Err(Failure::new(format!(
            "there is no open question `{}`: see guideline/{}/questions.toml, or the parameters whose basis is an assumption, if only in part",
            args.question, guideline.id
        )));
    }
    let home = args.schema.join("guideline").join(&guideline.id);
    let record = decision(&home, args, ports)?;
    let changes = questions.question(&args.question).map_or(&[][..], |q| &q.changes);
    match (args.decision, &args.version) {
        (Choice::Adopt, Some(version)) => {
            let draft = Draft::of(&args.schema, &guideline, version)?;
            if let Err(failure) = draft.adopt(parameter, changes, &args.schema) {
                draft.unmake()?;
                return Err(failure);
            }
        }
        _ => {
            let adopted = questions.decision(&args.question);
            let adopted = adopted.filter(|before| before.decision == Ruling::Adopted);
            if let Some(version) = adopted.and_then(|before| before.version.as_deref()) {
                not_carried(&args.schema, &guideline, version, (parameter, changes))?;
            }
        }
    }
    write(&record)?;
    if let (Choice::Adopt, Some(version)) = (args.decision, &args.version) {
        println!(
            "next: registry rules preview {0}; then registry rules publish {version} --schema {0}",
            args.schema.display()
        );
    }
    Ok(())
}

/// A decision has somebody who made it, a reason, and a day that has come.
///
/// # Errors
/// What is lacking.
pub(super) fn complete(
    by: &str,
    reason: &str,
    date: Option<NaiveDate>,
    ports: &Ports,
) -> Result<(), Failure> {
    for (name, text) in [("--by", by), ("--reason", reason)] {
        if text.trim().is_empty() {
            return Err(Failure::new(format!("{name} is empty")));
        }
    }
    match date.filter(|date| *date > ports.clock.now().date_naive()) {
        Some(date) => Err(Failure::new(format!("--date {date} lies in the future"))),
        None => Ok(()),
    }
}

/// What was adopted and is rejected now must not stay in the version that carries it.
fn not_carried(
    schema: &Path,
    guideline: &Guideline,
    version: &str,
    (parameter, changes): (Option<&str>, &[Change]),
) -> Result<(), Failure> {
    let draft = Draft::at(schema, guideline, version);
    if !draft.folder.exists() {
        return Ok(());
    }
    if read(&draft.head())?.get("status").and_then(Item::as_str) != Some("draft") {
        return Err(Failure::new(format!(
            "version {version} carries it and is published: raise a question against it"
        )));
    }
    let mut files: Vec<String> = Vec::new();
    if let Some(name) = parameter {
        let parameters = read(&draft.folder.join("parameters.toml"))?;
        let basis = parameters.get(name).and_then(|p| p.get("basis")?.as_str());
        files.extend((basis == Some("committee")).then(|| "parameters.toml".to_owned()));
    }
    for change in changes {
        let file = format!("measures/{}.toml", change.measure);
        let text = draft.text(&draft.folder, change)?;
        if text == change.expression.trim() && text != draft.text(&draft.published, change)? {
            files.push(file);
        }
    }
    if !files.is_empty() {
        return Err(Failure::new(format!(
            "it was adopted, and the draft {} holds it in {}: put back there what version {} has, then reject",
            draft.folder.display(),
            files.join(", "),
            guideline.version
        )));
    }
    if parameter.is_none() && changes.is_empty() {
        println!(
            "it was adopted and written by hand: see that {} does not hold it any more",
            draft.folder.display()
        );
    }
    Ok(())
}

/// Writes a file and says so.
pub(super) fn write((path, text): &Edit) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|e| Failure::new(format!("{}: {e}", path.display())))?;
    println!("wrote {}", path.display());
    Ok(())
}

fn active(store: &std::sync::Arc<SchemaStore>) -> Result<Guideline, Failure> {
    let layout = registry_core::record::Layout::of(&store.current().dictionary).map_err(Failure::new)?;
    let all = Guideline::all(store, &layout.into()).map_err(Failure::new)?;
    let mut active = all.into_iter().filter(Guideline::is_active);
    active
        .next()
        .ok_or_else(|| Failure::new("no guideline is active"))
}

/// Reads a TOML file that keeps its comments.
pub(super) fn read(path: &Path) -> Result<DocumentMut, Failure> {
    let failure = |e: &dyn std::fmt::Display| Failure::new(format!("{}: {e}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| failure(&e))?;
    text.parse().map_err(|e: toml_edit::TomlError| failure(&e))
}

/// `decisions.toml` with one entry more.
fn decision(home: &Path, args: &DecideArgs, ports: &Ports) -> Result<Edit, Failure> {
    let path = home.join("decisions.toml");
    let mut document = if path.exists() {
        read(&path)?
    } else {
        DocumentMut::new()
    };
    let date = args.date.unwrap_or_else(|| ports.clock.now().date_naive());
    let date: toml_edit::Datetime = date.to_string().parse().map_err(Failure::new)?;
    let mut entry = Table::new();
    entry.insert("question", value(args.question.as_str()));
    let decided = match args.decision {
        Choice::Adopt => "adopted",
        Choice::Reject => "rejected",
    };
    entry.insert("decision", value(decided));
    entry.insert("decided", value(date));
    entry.insert("by", value(args.by.as_str()));
    entry.insert("reason", value(args.reason.as_str()));
    if let (Choice::Adopt, Some(version)) = (args.decision, &args.version) {
        entry.insert("version", value(version.as_str()));
    }
    let list = document
        .entry("decision")
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let list = list
        .as_array_of_tables_mut()
        .ok_or_else(|| Failure::new(format!("{}: `decision` is no list of tables", path.display())))?;
    list.push(entry);
    Ok((path, document.to_string()))
}

/// A guideline version being written.
struct Draft {
    folder: PathBuf,
    /// The version it was copied from.
    published: PathBuf,
    /// Whether this command has made it.
    made: bool,
}

impl Draft {
    /// The draft of that number: the one that is there, or a copy of the active version.
    fn of(schema: &Path, guideline: &Guideline, version: &str) -> Result<Self, Failure> {
        let Some(wanted) = number(version) else {
            return Err(Failure::new(format!(
                "`{version}` is no version: write it as 1.2.0"
            )));
        };
        if Some(wanted) <= number(&guideline.version) {
            return Err(Failure::new(format!(
                "version {version} does not come after {}, which is in force: adopt into a new one",
                guideline.version
            )));
        }
        let mut draft = Self::at(schema, guideline, version);
        let head = draft.head();
        if head.exists() {
            if read(&head)?.get("status").and_then(Item::as_str) != Some("draft") {
                return Err(Failure::new(format!(
                    "version {version} is published: adopt into a new one"
                )));
            }
            return Ok(draft);
        }
        if draft.folder.exists() {
            return Err(Failure::new(format!(
                "{} is there and holds no guideline.toml: remove it",
                draft.folder.display()
            )));
        }
        draft.made = true;
        let copied = copy(&draft.published, &draft.folder).and_then(|()| {
            let mut document = read(&head)?;
            document["version"] = value(version);
            document["status"] = value("draft");
            Ok(std::fs::write(&head, document.to_string())?)
        });
        if let Err(failure) = copied {
            draft.unmake()?;
            return Err(failure);
        }
        println!(
            "made {} from version {}",
            draft.folder.display(),
            guideline.version
        );
        Ok(draft)
    }

    fn at(schema: &Path, guideline: &Guideline, version: &str) -> Self {
        Self {
            folder: schema.join("guideline").join(&guideline.id).join(version),
            published: schema.join("guideline").join(&guideline.folder),
            made: false,
        }
    }

    fn head(&self) -> PathBuf {
        self.folder.join("guideline.toml")
    }

    /// Removes it when this command has made it.
    fn unmake(&self) -> Result<(), Failure> {
        if self.made && self.folder.exists() {
            std::fs::remove_dir_all(&self.folder)?;
            println!("removed {}", self.folder.display());
        }
        Ok(())
    }

    /// Writes an adopted proposal: a parameter's basis, or new texts.
    fn adopt(&self, parameter: Option<&str>, changes: &[Change], schema: &Path) -> Result<(), Failure> {
        let edits = match parameter {
            Some(name) => vec![self.ratified(name)?],
            None => self.changed(changes)?,
        };
        if edits.is_empty() {
            println!(
                "the proposal is not written in the rule language: edit {} by hand",
                self.folder.display()
            );
        }
        self.write(&edits, schema)
    }

    /// The text a change is about, as a version has it.
    fn text(&self, version: &Path, change: &Change) -> Result<String, Failure> {
        let file = Path::new("measures").join(format!("{}.toml", change.measure));
        let document = read(&version.join(file))?;
        let text = document.get(&change.field).and_then(Item::as_str);
        Ok(text.unwrap_or_default().trim().to_owned())
    }

    /// `parameters.toml` with a parameter that the committee stands for.
    fn ratified(&self, parameter: &str) -> Result<Edit, Failure> {
        let path = self.folder.join("parameters.toml");
        let mut document = read(&path)?;
        document[parameter]["basis"] = value("committee");
        Ok((path, document.to_string()))
    }

    /// Writes the files, compiles the whole schema with them, and puts the old ones back when it does not.
    fn write(&self, edits: &[Edit], schema: &Path) -> Result<(), Failure> {
        let mut before: Vec<Edit> = Vec::new();
        for (path, _) in edits {
            before.push((path.clone(), std::fs::read_to_string(path)?));
        }
        edits.iter().try_for_each(write)?;
        let compiled =
            rules::schemas(Some(schema)).and_then(|store| Judge::with_drafts(store).map_err(Failure::new));
        if let Err(fault) = compiled {
            before.iter().try_for_each(write)?;
            return Err(Failure::new(format!(
                "the proposal does not compile in {}, nothing is decided:\n{fault}",
                self.folder.display()
            )));
        }
        Ok(())
    }

    /// Whether an earlier adoption has given a measure's field another text than the published version has.
    fn is_taken(&self, change: &Change) -> Result<bool, Failure> {
        let now = self.text(&self.folder, change)?;
        let published = self.text(&self.published, change)?;
        Ok(now != published && now != change.expression.trim())
    }

    /// The measures' files with their new texts.
    fn changed(&self, changes: &[Change]) -> Result<Vec<Edit>, Failure> {
        let mut edits: Vec<(PathBuf, DocumentMut)> = Vec::new();
        for change in changes {
            if self.is_taken(change)? {
                return Err(Failure::new(format!(
                    "an adopted proposal has changed the {} of {} already: merge the two in {} by hand",
                    change.field,
                    change.measure,
                    self.folder.display()
                )));
            }
            let path = self
                .folder
                .join("measures")
                .join(format!("{}.toml", change.measure));
            if edits.iter().all(|(known, _)| *known != path) {
                edits.push((path.clone(), read(&path)?));
            }
            let Some((_, document)) = edits.iter_mut().find(|(known, _)| *known == path) else {
                continue;
            };
            document[&change.field] = value(change.expression.trim());
            if let Some(parameters) = &change.parameters {
                document["parameters"] = value(
                    parameters
                        .iter()
                        .map(String::as_str)
                        .collect::<toml_edit::Array>(),
                );
            }
            let version = document.get("version").and_then(Item::as_str).unwrap_or("1.0");
            let next = version
                .split_once('.')
                .and_then(|(major, minor)| Some(format!("{major}.{}", minor.parse::<u32>().ok()? + 1)));
            document["version"] = value(next.unwrap_or_else(|| version.to_owned()));
        }
        Ok(edits
            .into_iter()
            .map(|(path, document)| (path, document.to_string()))
            .collect())
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
