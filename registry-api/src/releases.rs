//! Frozen releases: built once into the release folder, served from there, and built again when the file is gone.

mod fictitious;
mod freeze;

pub use fictitious::{Fictitious, fictitious_bundle};
pub use freeze::{NewFreezing, freeze, freeze_in_background};

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use registry_core::access::Scope;
use registry_core::storage::{DataAccess, DataRequest, DeliveredBundle, Release, Store};
use registry_etl::releases::{
    Accounting, Approved, Manifest, Outline, ReleaseError, ReleaseOptions, told_cases,
};
use serde::Deserialize;
use serde_json::Value;
use zip::ZipArchive;

use crate::guard::request_id;
use crate::problem::{Kind, Problem};
use crate::runs::engine_of;
use crate::state::AppState;

impl From<ReleaseError> for Problem {
    fn from(error: ReleaseError) -> Self {
        match error {
            ReleaseError::Store(error) => error.into(),
            ReleaseError::NotFinished(_) => {
                Problem::with(Kind::InvalidState, "only a finished run can be frozen")
            }
            moved @ ReleaseError::Transferred => Problem::with(Kind::InvalidState, moved.to_string()),
            full @ ReleaseError::Full => {
                tracing::error!(request_id = %request_id::current(), error = %full, "folder of releases");
                Problem::with(
                    Kind::StorageFull,
                    "the folder of releases is full: nothing of the bundle is kept; ask again when there is room",
                )
            }
            other => Problem::internal(other),
        }
    }
}

/// A release and the file with its bundle; the bundle is built again when the file is missing.
///
/// # Errors
/// [`Kind::NotFound`]; [`Kind::ReleaseGone`] when it holds a case withdrawn since, or cannot be built again as it was.
pub fn bundle(state: &AppState, scope: &Scope, id: &str) -> Result<(Release, PathBuf), Problem> {
    let release = state.store.release(scope, id)?;
    let path = path_of(state, &release.release_id);
    let registry = Scope::system("release");
    if state
        .store
        .release_holds_withdrawn(&registry, &release.release_id)?
    {
        discard(&path)?;
        return Err(gone_because(&[WITHDRAWN.to_owned()]));
    }
    let whole = |file: std::fs::Metadata| i64::try_from(file.len()) == Ok(release.bytes);
    if std::fs::metadata(&path).is_ok_and(whole) {
        return Ok((release, path));
    }
    let run = state.store.run(&registry, release.run)?;
    let engine = engine_of(state, &run).map_err(|problem| Problem {
        kind: Kind::ReleaseGone,
        ..problem
    })?;
    let mut draft = Draft::begin(state)?;
    let options = ReleaseOptions {
        accounting: accounting(&release),
        ..options(state, &release.release_id, &release.title)
    };
    let built =
        registry_etl::releases::build(&state.store, &registry, &engine, &run, &options, &mut draft.out)?;
    if built.sha256 != release.sha256 {
        return Err(gone(&release.manifest, &built.manifest));
    }
    draft.keep(&path)?;
    Ok((release, path))
}

/// The bundle of an approved request, built when it is asked for first: what was recorded of it, and its file.
///
/// # Errors
/// [`Kind::NotFound`], also for another researcher's request; [`Kind::RequestNotOpen`]; [`Kind::ReleaseGone`] when it holds a case withdrawn
/// since, or cannot be built again as it was.
pub fn request_bundle(
    state: &AppState,
    scope: &Scope,
    id: &str,
) -> Result<(DataRequest, DeliveredBundle, PathBuf), Problem> {
    let request = state.store.data_request(scope, id)?;
    let today = state.ports.clock.now().date_naive();
    let Some(access) = request.open_on(today) else {
        return Err(Problem::new(Kind::RequestNotOpen));
    };
    let registry = Scope::system("release");
    let path = path_of_request(state, &request.request_id);
    if let Some(known) = &request.bundle {
        if state
            .store
            .delivery_holds_withdrawn(&registry, &request.request_id)?
        {
            discard(&path)?;
            return Err(gone_because(&[WITHDRAWN.to_owned()]));
        }
        let whole = |file: std::fs::Metadata| i64::try_from(file.len()) == Ok(known.bytes);
        if std::fs::metadata(&path).is_ok_and(whole) {
            return Ok((request.clone(), known.clone(), path));
        }
    }
    let release = state.store.release(&registry, &request.release_id)?;
    let run = state.store.run(&registry, release.run)?;
    let engine = engine_of(state, &run).map_err(|problem| Problem {
        kind: Kind::ReleaseGone,
        ..problem
    })?;
    let options = ReleaseOptions {
        release_id: release.release_id.clone(),
        title: release.title.clone(),
        key: state.release_key.of_request(&request.line),
        approved: Some(approved(&request.request_id, access)),
        // Told on the page of the release, through disclosure control.
        accounting: None,
        fictitious: false,
        spool: state.settings.releases.folder.clone(),
    };
    let mut draft = Draft::begin(state)?;
    let built =
        registry_etl::releases::build(&state.store, &registry, &engine, &run, &options, &mut draft.out)?;
    let bundle = DeliveredBundle {
        sha256: built.sha256,
        bytes: i64::try_from(built.bytes).unwrap_or(i64::MAX),
        manifest: serde_json::to_value(&built.manifest).map_err(Problem::internal)?,
    };
    if let Some(known) = &request.bundle
        && known.sha256 != bundle.sha256
    {
        return Err(gone(&known.manifest, &built.manifest));
    }
    state
        .store
        .record_delivery(&registry, &request.request_id, &bundle, &built.case_ids)?;
    draft.keep(&path)?;
    Ok((request, bundle, path))
}

/// What is opened of a release, as its bundle is cut.
pub(crate) fn approved(request_id: &str, access: &DataAccess) -> Approved {
    Approved {
        request_id: request_id.to_owned(),
        files: access.files.iter().cloned().collect(),
        elements: access.elements.iter().cloned().collect(),
        contracted: access.contracted,
        calendar_years: access.calendar_years,
        centre_unmasked: access.centre_unmasked,
    }
}

const WITHDRAWN: &str = "cases it held, or consent to their reuse, have been withdrawn since";

/// Removes the bundles that are kept of a case that was withdrawn, or whose research reuse was taken back. The withdrawal stands whatever comes of
/// it: who asks for such a bundle is refused, and what could not be removed is at the next start.
pub fn discard_with(state: &AppState, case_id: &str) {
    let holding = state.store.bundles_with(&Scope::system("release"), case_id);
    let removed = holding.map_err(Problem::from).and_then(|holding| {
        let releases = holding.releases.iter().map(|id| path_of(state, id));
        let requests = holding.requests.iter().map(|id| path_of_request(state, id));
        releases.chain(requests).try_for_each(|path| discard(&path))
    });
    if let Err(problem) = removed {
        tracing::error!(
            record = case_id,
            code = problem.kind.code(),
            "bundles that hold a withdrawn case could not be removed"
        );
    }
}

/// Removes the bundles kept in a folder that hold a withdrawn case: of withdrawals while the service did not run, or restored with a backup.
///
/// # Errors
/// The store's; a file that cannot be removed.
pub fn discard_withdrawn(store: &Store, folder: &Path) -> Result<(), Problem> {
    let registry = Scope::system("release");
    for id in store.releases_holding_withdrawn(&registry)? {
        discard(&in_folder(folder, &id))?;
    }
    for id in store.requests_holding_withdrawn(&registry)? {
        discard(&in_folder(folder, &of_request(&id)))?;
    }
    Ok(())
}

/// Removes a kept bundle, where there is one.
fn discard(path: &Path) -> Result<(), Problem> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Problem::internal(error)),
        _ => Ok(()),
    }
}

/// Why a bundle is not what it was, from the manifest it had and the one it would have now; without numbers, which could point at a patient.
fn gone(was: &Value, now: &Manifest) -> Problem {
    let (cases, program) = (was["cases"].as_u64(), was["program"].as_str());
    let mut why = Vec::new();
    if cases.is_some_and(|cases| cases > now.cases) {
        why.push(WITHDRAWN.to_owned());
    }
    if program != Some(now.program.as_str()) {
        let made = program.map_or_else(|| "another version".to_owned(), |made| format!("version {made}"));
        why.push(format!(
            "it was made by {made} of the program, and this is version {}",
            now.program
        ));
    }
    if was["format"].as_str() != Some(now.format.as_str()) {
        why.push("bundles have another form by now".to_owned());
    }
    if why.is_empty() {
        return Problem::new(Kind::ReleaseGone);
    }
    gone_because(&why)
}

fn gone_because(why: &[String]) -> Problem {
    let detail = format!(
        "The bundle cannot be built again as it was: {}; ask for a new release",
        why.join(", and ")
    );
    Problem::with(Kind::ReleaseGone, detail)
}

fn options(state: &AppState, id: &str, title: &str) -> ReleaseOptions {
    ReleaseOptions {
        release_id: id.to_owned(),
        title: title.to_owned(),
        key: state.release_key.clone(),
        approved: None,
        accounting: None,
        fictitious: false,
        spool: state.settings.releases.folder.clone(),
    }
}

/// What is told of the cases around a release to who is not of the coordinating office; none where nothing was counted.
///
/// # Errors
/// The database does not answer.
pub fn around(state: &AppState, scope: &Scope, release: &Release) -> Result<Option<Outline>, Problem> {
    let Some(counted) = accounting(release) else {
        return Ok(None);
    };
    // Newest first, as they are listed.
    let all = state.store.list_releases(scope)?;
    let earlier: Vec<Accounting> = all
        .iter()
        .skip_while(|one| one.release_id != release.release_id)
        .skip(1)
        .filter_map(accounting)
        .collect();
    let thresholds = crate::runs::thresholds(state);
    Ok(Some(counted.outline(earlier.iter().rev(), &thresholds)))
}

/// What is told of the number of cases of each release (by its id) to who is not of the coordinating office; `all` as they are listed.
pub fn cases_about(state: &AppState, all: &[Release]) -> HashMap<String, Option<u64>> {
    let cases = |one: &Release| Some((one.release_id.clone(), cases(one)?));
    // Newest first.
    let (ids, cases): (Vec<String>, Vec<u64>) = all.iter().rev().filter_map(cases).unzip();
    let told = told_cases(cases, &crate::runs::thresholds(state));
    ids.into_iter().zip(told).collect()
}

/// Cases in a release.
pub fn cases(release: &Release) -> Option<u64> {
    release.manifest.get("cases").and_then(Value::as_u64)
}

/// What was counted when the release was frozen.
fn accounting(release: &Release) -> Option<Accounting> {
    let kept = release.manifest.get("accounting")?;
    Accounting::deserialize(kept).ok()
}

/// Meaning and type of a column.
pub type Explained = (String, String);

/// What the dictionary of a release says of its columns, by file and column; nothing while its bundle is not at hand.
///
/// # Errors
/// A bundle that is no bundle.
pub fn explained(state: &AppState, id: &str) -> Result<BTreeMap<(String, String), Explained>, Problem> {
    #[derive(Deserialize)]
    struct Line {
        file: String,
        column: String,
        meaning: String,
        r#type: String,
    }
    let Ok(file) = File::open(path_of(state, id)) else {
        return Ok(BTreeMap::new());
    };
    let mut bundle = ZipArchive::new(file).map_err(Problem::internal)?;
    let dictionary = bundle.by_name("dictionary.csv").map_err(Problem::internal)?;
    csv::Reader::from_reader(dictionary)
        .deserialize::<Line>()
        .map(|line| {
            let line = line.map_err(Problem::internal)?;
            Ok(((line.file, line.column), (line.meaning, line.r#type)))
        })
        .collect()
}

fn path_of(state: &AppState, id: &str) -> PathBuf {
    in_folder(&state.settings.releases.folder, id)
}

fn in_folder(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.zip"))
}

fn path_of_request(state: &AppState, id: &str) -> PathBuf {
    path_of(state, &of_request(id))
}

/// The name of a request's bundle, which no release has.
fn of_request(id: &str) -> String {
    format!("request-{id}")
}

/// A bundle that is being written, under a name of its own; gone unless it is kept. Its file is locked as long as somebody writes it.
struct Draft {
    path: PathBuf,
    out: BufWriter<File>,
    kept: bool,
}

impl Draft {
    fn begin(state: &AppState) -> Result<Self, Problem> {
        let folder = &state.settings.releases.folder;
        std::fs::create_dir_all(folder).map_err(ReleaseError::from)?;
        sweep(folder);
        let mut wanted = std::fs::OpenOptions::new();
        wanted.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut wanted, 0o600);
        loop {
            let mut name = [0u8; 8];
            state.ports.entropy.fill(&mut name);
            let path = folder.join(format!(".{}.draft", hex::encode(name)));
            let file = wanted.open(&path).map_err(ReleaseError::from)?;
            // A file system without locks has no drafts swept either.
            file.lock().ok();
            // Somebody who sweeps may have found the file before it was locked.
            if path.exists() {
                return Ok(Self {
                    path,
                    out: BufWriter::new(file),
                    kept: false,
                });
            }
        }
    }

    fn keep(mut self, path: &Path) -> Result<(), Problem> {
        self.out.flush().map_err(ReleaseError::from)?;
        self.out.get_ref().sync_all().map_err(ReleaseError::from)?;
        std::fs::rename(&self.path, path).map_err(ReleaseError::from)?;
        self.kept = true;
        Ok(())
    }
}

/// Removes what a process that was killed left of a bundle: a draft that nobody writes, with the registry of a fictitious one.
fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let draft = name
            .to_str()
            .is_some_and(|name| name.starts_with('.') && name.ends_with(".draft"));
        if draft && File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            std::fs::remove_dir_all(path.with_extension("registry")).ok();
            std::fs::remove_file(&path).ok();
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing more can be done about a draft that cannot be removed; its name says what it is.
            std::fs::remove_file(&self.path).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_full_disk_is_said_to_be_one() {
        let written = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let problem = Problem::from(ReleaseError::from(written));
        assert_eq!(problem.kind, Kind::StorageFull);
        assert!(
            problem
                .detail
                .unwrap()
                .starts_with("the folder of releases is full")
        );
        let other = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        assert_eq!(Problem::from(ReleaseError::from(other)).kind, Kind::Internal);
    }

    #[test]
    fn a_bundle_that_is_gone_says_why() {
        let manifest = |cases: u64, program: &str| {
            json!({ "format": "f", "release": "r", "title": "t", "run": 1, "cut_off": "2026-01-01", "watermark": 1, "versions": {},
                "program": program, "filters": [], "cases": cases, "files": [], "withheld": [] })
        };
        let now: Manifest = serde_json::from_value(manifest(7, "2.0.0")).unwrap();
        let why = |was: &Value| gone(was, &now).detail;
        let told = |words: &str| {
            Some(format!(
                "The bundle cannot be built again as it was: {words}; ask for a new release"
            ))
        };
        let other = "it was made by version 1.0.0 of the program, and this is version 2.0.0";
        assert_eq!(why(&manifest(8, "2.0.0")), told(WITHDRAWN));
        assert_eq!(why(&manifest(7, "1.0.0")), told(other));
        assert_eq!(
            why(&manifest(8, "1.0.0")),
            told(&format!("{WITHDRAWN}, and {other}"))
        );
        let mut old = manifest(7, "");
        old.as_object_mut().unwrap().remove("program");
        let another = "it was made by another version of the program, and this is version 2.0.0";
        assert_eq!(why(&old), told(another));
        assert_eq!(why(&manifest(7, "2.0.0")), None);
        let mut other_form = manifest(7, "2.0.0");
        other_form["format"] = json!("e");
        assert_eq!(why(&other_form), told("bundles have another form by now"));
        assert_eq!(gone(&manifest(7, "2.0.0"), &now).kind, Kind::ReleaseGone);
    }
}
