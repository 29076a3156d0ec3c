//! `demo`: an embedded registry with a synthetic cohort that came in like REST submissions.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use registry_core::access::{Role, Scope};
use registry_core::crypto::MasterKey;
use registry_core::intake;
use registry_core::storage::{
    DataAccess, NewCentre, NewDataRequest, NewKey, Precondition, SignInLink, Store,
};
use registry_core::synthetic::{self, CohortPlan};
use serde_json::json;

use super::serve::{serve_until_stopped, write_new_secret};
use super::{Failure, progress_bar, start_log};
use crate::ports::Ports;
use crate::problem::Problem;
use crate::releases::NewFreezing;
use crate::runs::Wanted;
use crate::settings::{LogFormat, Settings};
use crate::startup;
use crate::state::AppState;
use crate::submission::{Admitted, Incoming, admit};

/// Cases of one durable commit.
const CHUNK: usize = 64;

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Folder for the database and the master key; an existing demo is served again as it is.
    #[arg(long, default_value = "demo-data")]
    data: PathBuf,
    /// Port to serve on.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Synthetic cases.
    #[arg(long, default_value_t = 1260)]
    cases: u32,
}

pub(super) fn demo(args: DemoArgs, ports: Ports) -> Result<(), Failure> {
    let began = std::time::Instant::now();
    let settings = settings(&args);
    start_log(&settings.log)?;
    std::fs::create_dir_all(&args.data)?;
    let key_file = &settings.secrets.master_key_file;
    if !key_file.exists() {
        write_new_secret(key_file, &MasterKey::random(&*ports.entropy).to_file_content())?;
    }
    let store = Store::open(
        settings.store_options().creating(),
        settings.master_key()?,
        Arc::clone(&ports.clock),
        Arc::clone(&ports.entropy),
    )?;
    store.migrate()?;
    drop(store);
    let state = startup::assemble(settings, ports)?;
    let office = Scope::system("demo");
    if state.store.list_runs(&office)?.is_empty() {
        fill(&state, &office, args.cases)?;
    }
    let access = access(&state, &office)?;
    researcher(&state, &office, &access)?;
    let data = args.data.clone();
    let later = state.clone();
    serve_until_stopped(state, move |service| {
        announce(&access, &format!("http://{}", service.address), &data)?;
        println!("Ready after {} s. Stop with Ctrl-C.", began.elapsed().as_secs());
        // Nobody waits for these: the measure pages show them as they come.
        std::thread::spawn(move || {
            if let Err(failure) = sensitivities(&later, &office) {
                tracing::warn!(%failure, "the demo has no sensitivity analyses");
            }
        });
        Ok(())
    })
}

/// The published run with every other value the guideline names.
fn sensitivities(state: &AppState, office: &Scope) -> Result<(), Failure> {
    let Some(run) = state.store.published_run(office)? else {
        return Ok(());
    };
    let guideline = state.engine.guideline().map_err(Failure::new)?;
    for (parameter, value) in registry_etl::runs::alternatives(guideline) {
        crate::runs::sensitivity(state, office, &run, &parameter, &value, |_, _| {})?;
    }
    Ok(())
}

fn settings(args: &DemoArgs) -> Settings {
    let mut settings = Settings::default();
    settings.server.port = args.port;
    settings.database.url = format!("sqlite:{}", args.data.join("registry.sqlite3").display());
    settings.secrets.master_key_file = args.data.join("master.key");
    settings.releases.folder = args.data.join("releases");
    settings.log.filter = "warn".to_owned();
    settings.log.format = LogFormat::Text;
    settings
}

/// The cohort, one published run and one release.
fn fill(state: &AppState, office: &Scope, cases: u32) -> Result<(), Failure> {
    let today = state.ports.clock.now().date_naive();
    let plan = CohortPlan {
        cases,
        ..CohortPlan::demo(today)
    };
    for centre in synthetic::centres(&plan) {
        let new = NewCentre {
            centre_id: centre.id.clone(),
            name: centre.name,
            country: Some(centre.country.to_owned()),
            active: true,
        };
        state.store.upsert_centre(office, new)?;
        for (year, row) in centre.years {
            state.store.put_centre_year(office, &centre.id, year, row)?;
        }
    }
    submit_all(state, &plan)?;
    let bar = progress_bar("run", 0);
    let run = crate::runs::execute(state, office, &Wanted::up_to(today), |progress| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
    })?;
    bar.finish_and_clear();
    crate::runs::publish(state, office, run.number)?;
    let bar = progress_bar("freezing a release", 0);
    let new = NewFreezing {
        run: run.number,
        id: Some("demo-1".to_owned()),
        title: Some("Synthetic cohort".to_owned()),
    };
    crate::releases::freeze(state, office, new, |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    Ok(())
}

/// A body as the centre's system sends it: those of even number have moved on to the newest version of the case schema.
fn sent(state: &AppState, centre: &str, body: serde_json::Value) -> serde_json::Value {
    let moved_on = centre
        .strip_prefix('C')
        .and_then(|number| number.parse::<u32>().ok())
        .is_some_and(|number| number % 2 == 0);
    let today = state.ports.clock.now().date_naive();
    let accepted = |version: &str| state.judge.accepted_on(today).any(|one| one == version);
    match body.get("schema_version").and_then(serde_json::Value::as_str) {
        Some(version) if moved_on || !accepted(version) => state.schemas.newest(&body, version).into_owned(),
        _ => body,
    }
}

/// The body as the door reads it: what a centre sends is text, in which a number without fraction has one spelling.
fn read(state: &AppState, body: &serde_json::Value) -> Result<serde_json::Value, Problem> {
    let text = serde_json::to_vec(body).map_err(Problem::internal)?;
    let limits = intake::Limits::bytes(state.settings.limits.record_bytes);
    Ok(intake::parse(&text, &limits)?)
}

/// Judges on every core and stores in chunks, each chunk one durable commit; the same functions a REST batch runs.
fn submit_all(state: &AppState, plan: &CohortPlan) -> Result<(), Failure> {
    let bar = progress_bar("submitting", plan.cases.into());
    let centres = state.centre_table()?;
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let next = std::sync::atomic::AtomicU32::new(0);
    let work = || -> Result<u32, Problem> {
        let mut refused = 0;
        let mut waiting: std::collections::BTreeMap<String, Vec<_>> = std::collections::BTreeMap::new();
        loop {
            let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let last = index >= plan.cases;
            if !last {
                let case = synthetic::case(plan, index);
                let scope = Scope::system_for_centre("demo", case.centre_id.clone());
                let incoming = Incoming {
                    pseudonym: case.pseudonym,
                    body: read(state, &sent(state, &case.centre_id, case.body))?,
                    precondition: Precondition::Whatever,
                    reason: None,
                    draft: Some(false),
                    assess: false,
                    idempotent: None,
                };
                match admit(state, &scope, incoming, &centres) {
                    Ok(Admitted::Case(put, _, _)) => waiting.entry(case.centre_id).or_default().push(*put),
                    Ok(Admitted::Withdrawal(..)) | Err(_) => refused += 1,
                }
                bar.inc(1);
            }
            for (centre, puts) in &mut waiting {
                if last || puts.len() >= CHUNK {
                    let scope = Scope::system_for_centre("demo", centre.clone());
                    for outcome in state.store.put_cases(&scope, std::mem::take(puts), false)? {
                        outcome?;
                    }
                }
            }
            if last {
                return Ok(refused);
            }
        }
    };
    let refused = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut refused = 0;
        for handle in handles {
            refused += handle
                .join()
                .map_err(|_| Failure::new("a submitting thread panicked"))??;
        }
        Ok::<u32, Failure>(refused)
    })?;
    bar.finish_and_clear();
    if refused > 0 {
        return Err(Failure::new(format!(
            "{refused} synthetic cases were refused: the generator and the schema disagree"
        )));
    }
    Ok(())
}

/// Role, centre, token of a sign-in link, key.
type Access = (Role, Option<String>, String, String);

/// A sign-in link and a key for every role.
fn access(state: &AppState, office: &Scope) -> Result<Vec<Access>, Failure> {
    let now = state.ports.clock.now();
    let mut all = Vec::new();
    for role in Role::GRANTABLE {
        let centre = role.needs_centre().then(|| "C01".to_owned());
        let link = state.store.create_sign_in_link(
            office,
            SignInLink {
                user: format!("demo {role}"),
                role,
                centre: centre.clone(),
                expires_at: now + chrono::Duration::days(1),
                reusable: true,
            },
        )?;
        let key = state.store.create_key(
            office,
            NewKey {
                label: format!("demo {role}"),
                role,
                centre: centre.clone(),
                expires_at: Some(now + chrono::Duration::days(1)),
            },
        )?;
        all.push((
            role,
            centre,
            link.reveal().to_owned(),
            key.key.reveal().to_owned(),
        ));
    }
    Ok(all)
}

/// What the researcher of the demo asks and gets: every file of the release as it is, through the demo's last day.
fn researcher(state: &AppState, office: &Scope, access: &[Access]) -> Result<(), Failure> {
    let Some((_, _, _, key)) = access.iter().find(|(role, ..)| *role == Role::Researcher) else {
        return Ok(());
    };
    let release = state.store.release(office, "demo-1")?;
    let files = release
        .manifest
        .get("files")
        .and_then(serde_json::Value::as_array);
    let name = |file: &serde_json::Value| {
        file.get("name")
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned)
    };
    let new = NewDataRequest {
        release_id: release.release_id.clone(),
        title: "Everything the demo holds".to_owned(),
        purpose: "To try the delivery of data; the patients are synthetic.".to_owned(),
        continues: None,
        asked: DataAccess {
            // Its other forms come with a table.
            files: files
                .into_iter()
                .flatten()
                .filter_map(name)
                .filter(|name| !name.contains('/'))
                .collect(),
            ..DataAccess::default()
        },
    };
    let asked = new.asked.clone();
    let scope = state.store.authenticate(key)?;
    let filed = crate::routes::data_requests::file_request(state, &scope, new)?;
    let last = (state.ports.clock.now() + chrono::Duration::days(1)).date_naive();
    state
        .store
        .approve_data_request(office, &filed.request_id, asked, last)?;
    Ok(())
}

fn announce(access: &[Access], base: &str, data: &Path) -> Result<(), Failure> {
    println!(
        "\nThe registry serves synthetic data at {base}\n\nSign in (links of this demo, good for a day):"
    );
    for (role, centre, link, _) in access {
        let of = centre.as_deref().map(|c| format!(" of {c}")).unwrap_or_default();
        println!("  {:<20} {base}/sign-in?token={link}", format!("{role}{of}"));
    }
    if let Some((_, _, _, key)) = access.iter().find(|(role, ..)| *role == Role::Submitter) {
        println!(
            "\nSubmit the patient of the source's Figure 1 (sent again, the answer says unchanged):\n  curl -sS -X POST {base}/api/v1/cases:batch -H 'Authorization: Bearer {key}' \\\n    -H 'Content-Type: application/json' --data @schema/examples/1.0.0/valid/figure-1.json"
        );
    }
    let file = data.join("access.json");
    let listed: Vec<_> = access
        .iter()
        .map(|(role, centre, link, key)| json!({ "role": role, "centre": centre, "sign_in": format!("{base}/sign-in?token={link}"), "key": key }))
        .collect();
    // Of the start before; the links and keys in it are for whoever started the demo.
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let content = serde_json::to_string_pretty(&json!({ "url": base, "access": listed }))?;
    write_new_secret(&file, &content)?;
    println!("\nThe same for programs: {}\nAPI: {base}/docs", file.display());
    Ok(())
}
