//! Frozen releases: what each holds, leaves out and changed, how it is cited; for the office its files and the form that freezes a run.

use std::collections::HashMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::{Role, Scope};
use registry_core::storage::{Freezing, FreezingState, Release, Run};
use registry_etl::releases::{Accounting, FileEntry, Manifest, Outline, Withheld};
use serde::Deserialize;
use serde_json::Value;

use super::requests::{self, Row as Request};
use super::who::People;
use super::{Frame, Sent, html, words};
use crate::guard::{Allowed, AllowedForm, Coordinates, NoQuery, ReadsReleases};
use crate::problem::{Kind, Problem};
use crate::releases::{NewFreezing, cases, cases_about, freeze_in_background};
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "releases.html")]
struct ListPage {
    frame: Frame,
    /// A release is being frozen now.
    under_way: bool,
    csrf: String,
    /// The reader freezes.
    office: bool,
    /// Published runs, newest first: number and words.
    runs: Vec<(i64, String)>,
    /// Being frozen, or came to nothing.
    begun: Vec<Begun>,
    rows: Vec<Head>,
}

struct Begun {
    id: String,
    title: String,
    run: i64,
    since: String,
    by: String,
    state: &'static str,
    running: bool,
    done: i64,
    /// 0 before the cases are counted.
    total: i64,
    problem: String,
}

/// What a list says of a release.
struct Head {
    id: String,
    title: String,
    run: i64,
    cut_off: String,
    frozen: String,
    cases: String,
    size: String,
    sha256: String,
}

pub(super) async fn list(
    caller: Allowed<ReadsReleases>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Releases", "/releases", &caller);
    let page = blocking(move || {
        let (store, scope) = (&state.store, &caller.scope);
        let office = scope.role() == Role::Coordinator;
        let (mut runs, mut begun) = (Vec::new(), Vec::new());
        if office {
            runs = store.list_runs(scope)?;
            runs.retain(|run| run.published_at.is_some());
            begun = store.list_freezings(scope)?;
        }
        let people = People::of(&state)?;
        Ok(ListPage {
            under_way: begun.iter().any(|one| one.state == FreezingState::Running),
            csrf: frame.csrf(),
            frame,
            office,
            runs: runs.iter().map(of_run).collect(),
            begun: begun
                .into_iter()
                .map(|one| Begun {
                    by: people.who(&one.started_by),
                    ..Begun::from(one)
                })
                .collect(),
            rows: Heads::of(&state, scope)?.all(&people),
        })
    })
    .await?;
    html(&page)
}

fn of_run(run: &Run) -> (i64, String) {
    let words = format!("run {}, data up to {}", run.number, run.cutoff_date);
    (run.number, words)
}

impl From<Freezing> for Begun {
    fn from(one: Freezing) -> Self {
        Self {
            id: one.release_id,
            title: one.title,
            run: one.run,
            since: one.started_at.format("%Y-%m-%d %H:%M UTC").to_string(),
            by: String::new(),
            state: match one.state {
                FreezingState::Running => "being frozen",
                FreezingState::Failed => "came to nothing",
                FreezingState::Interrupted => "interrupted",
            },
            running: one.state == FreezingState::Running,
            done: one.done,
            total: one.total,
            problem: match one.state {
                FreezingState::Interrupted => {
                    "The service was stopped meanwhile. Freeze it again under the same id.".to_owned()
                }
                _ => one.problem.unwrap_or_default(),
            },
        }
    }
}

/// All releases, with what is told of their cases: to the office exactly, to others without what two releases together would tell of a
/// patient.
struct Heads {
    releases: Vec<Release>,
    office: bool,
    about: HashMap<String, Option<u64>>,
}

impl Heads {
    fn of(state: &AppState, scope: &Scope) -> Result<Self, Problem> {
        let releases = state.store.list_releases(scope)?;
        Ok(Self {
            office: scope.role() == Role::Coordinator,
            about: cases_about(state, &releases),
            releases,
        })
    }

    fn all(&self, people: &People) -> Vec<Head> {
        self.releases.iter().map(|one| self.head(one, people)).collect()
    }

    fn cases(&self, release: &Release) -> String {
        if self.office {
            return cases(release).map_or_else(String::new, |cases| cases.to_string());
        }
        let about = self.about.get(&release.release_id).copied().flatten();
        about.map_or_else(|| "few".to_owned(), |cases| format!("about {cases}"))
    }

    fn head(&self, release: &Release, people: &People) -> Head {
        let told = |name: &str| release.manifest.get(name);
        Head {
            id: release.release_id.clone(),
            title: release.title.clone(),
            run: release.run,
            cut_off: told("cut_off")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            frozen: format!(
                "{} by {}",
                release.created_at.date_naive(),
                people.who(&release.created_by)
            ),
            cases: self.cases(release),
            size: words::bytes(release.bytes.unsigned_abs()),
            sha256: release.sha256.clone(),
        }
    }
}

/// Freezes a published run from the page's form; the page then says how far it is.
pub(super) async fn freeze(
    form: AllowedForm<Coordinates>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let answer: Result<HttpResponse, Problem> = async move {
        let choose = |_| Problem::with(Kind::InvalidValue, "Run: choose a published one.").at("run");
        let run = form.fields.get("run").parse().map_err(choose)?;
        let text = |name| Some(form.fields.get(name).trim().to_owned()).filter(|text| !text.is_empty());
        let new = NewFreezing {
            run,
            id: text("release"),
            title: text("title"),
        };
        blocking(move || freeze_in_background(state, form.scope, new)).await?;
        Ok(HttpResponse::SeeOther()
            .insert_header(("location", "/releases"))
            .finish())
    }
    .await;
    sent.answered(
        answer,
        &[
            ("release id", "release"),
            ("name", "release"),
            ("title", "title"),
            ("run", "run"),
        ],
        |caller| list(caller, NoQuery, again),
    )
    .await
}

#[derive(Template)]
#[template(path = "release.html")]
struct Page {
    frame: Frame,
    office: bool,
    r: Head,
    /// One sentence.
    citation: String,
    /// Name and value of what the release rests on.
    versions: Vec<(&'static str, String)>,
    filters: Vec<String>,
    tables: Vec<File>,
    others: Vec<File>,
    withheld: Vec<Withheld>,
    /// Reason and number.
    left_out: Vec<(String, String)>,
    changes: Option<ChangesInWords>,
    /// What has been asked of it: the reader's own, all for the office.
    requests: Vec<Request>,
}

struct ChangesInWords {
    since: String,
    added: String,
    changed: String,
    left: String,
}

/// A file, and as Parquet where it is a table.
struct File {
    name: String,
    rows: u64,
    columns: Vec<String>,
    size: String,
    sha256: String,
    /// Name in an address, and SHA-256.
    parquet: Option<(String, String)>,
}

pub(super) async fn page(
    caller: Allowed<ReadsReleases>,
    id: web::Path<String>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let page = blocking(move || {
        let (store, scope) = (&state.store, &caller.scope);
        let release = store.release(scope, &id)?;
        let frame = Frame::of(&format!("Release {}", release.release_id), "/releases", &caller);
        let manifest = Manifest::deserialize(&release.manifest).map_err(Problem::internal)?;
        let today = state.ports.clock.now().date_naive();
        let asked = store.list_data_requests(scope)?.into_iter();
        let asked = asked.filter(|one| one.release_id == release.release_id);
        let people = People::of(&state)?;
        let office = scope.role() == Role::Coordinator;
        let around = match office {
            true => manifest.accounting.clone().map(Around::of_office),
            false => crate::releases::around(&state, scope, &release)?.map(Around::of_others),
        };
        Ok(shown(
            frame,
            &people,
            (&Heads::of(&state, scope)?, &release),
            (manifest, around.unwrap_or_default()),
            asked.map(|one| requests::row(one, today, &people)).collect(),
        ))
    })
    .await?;
    html(&page)
}

fn shown(
    frame: Frame,
    people: &People,
    (heads, release): (&Heads, &Release),
    (manifest, around): (Manifest, Around),
    requests: Vec<Request>,
) -> Page {
    let told = |name: &str| {
        let value = manifest.versions.get(name).and_then(Value::as_str);
        value.unwrap_or("not recorded").to_owned()
    };
    let (tables, others) = files(manifest.files);
    Page {
        frame,
        office: heads.office,
        r: heads.head(release, people),
        citation: format!(
            "RPS registry. {}. Release {}, data up to {}: run {}, case schema {}, guideline {}.",
            release.title,
            release.release_id,
            manifest.cut_off,
            release.run,
            told("schema_version"),
            told("guideline_version"),
        ),
        versions: vec![
            ("Case schema", told("schema_version")),
            ("Guideline", told("guideline_version")),
            ("Engine", told("engine_version")),
            ("Program", manifest.program.clone()),
            ("Form of the bundle", manifest.format.clone()),
        ],
        filters: manifest.filters,
        tables,
        others,
        withheld: manifest.withheld,
        left_out: around.left_out,
        changes: around.changes,
        requests,
    }
}

/// What is told of the cases around a release.
#[derive(Default)]
struct Around {
    left_out: Vec<(String, String)>,
    changes: Option<ChangesInWords>,
}

impl Around {
    fn of_office(accounting: Accounting) -> Self {
        let few = |count: Option<u64>| match count {
            Some(count) => count.to_string(),
            None => format!(
                "not told: fewer than {}, or such a number would follow from it",
                accounting.told_from
            ),
        };
        Self {
            left_out: accounting
                .left_out
                .iter()
                .map(|one| (one.reason.clone(), few(one.cases)))
                .collect(),
            changes: accounting.changes.as_ref().map(|changes| ChangesInWords {
                since: changes.since.clone(),
                added: few(changes.added),
                changed: few(changes.changed),
                left: few(changes.left),
            }),
        }
    }

    fn of_others(outline: Outline) -> Self {
        let about = |count: Option<u64>| match count {
            Some(count) => format!("about {count} (told in steps of {})", outline.steps_of),
            None => format!("not told: it is, or was, fewer than {}", outline.told_from),
        };
        Self {
            left_out: outline
                .left_out
                .iter()
                .map(|one| (one.reason.clone(), about(one.about)))
                .collect(),
            changes: outline.changes.as_ref().map(|changes| ChangesInWords {
                since: changes.since.clone(),
                added: about(changes.added),
                changed: about(changes.changed),
                left: about(changes.left),
            }),
        }
    }
}

/// The tables, each with its Parquet form, and the other files.
fn files(all: Vec<FileEntry>) -> (Vec<File>, Vec<File>) {
    const PARQUET: &str = "parquet/";
    let (parquet, plain): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.name.starts_with(PARQUET));
    let form = |table: &str| {
        let wanted = format!("{PARQUET}{}.parquet", table.strip_suffix(".csv")?);
        let found = parquet.iter().find(|one| one.name == wanted)?;
        let name = found.name.trim_start_matches(PARQUET).to_owned();
        Some((name, found.sha256.clone()))
    };
    plain
        .into_iter()
        .map(|one| File {
            parquet: form(&one.name),
            size: words::bytes(one.bytes),
            name: one.name,
            rows: one.rows,
            columns: one.columns,
            sha256: one.sha256,
        })
        .partition(|one| one.name.ends_with(".csv"))
}
