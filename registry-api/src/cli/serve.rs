//! `serve`, `migrate`, `run`.

use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use clap::Args;
use registry_core::crypto::MasterKey;
use registry_core::storage::Store;

use super::{Failure, start_log};
use crate::ports::Ports;
use crate::runs::Wanted;
use crate::settings::Settings;
use crate::startup::{self, StartError};

#[derive(Debug, Args)]
pub(super) struct MigrateArgs {
    /// Make a missing SQLite file and a missing master key.
    #[arg(long)]
    init: bool,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Data count up to this date (default today).
    #[arg(long)]
    cut_off: Option<NaiveDate>,
    /// Version of the guideline (default the one in force).
    #[arg(long)]
    guideline_version: Option<String>,
    /// Publish the run when it is finished.
    #[arg(long)]
    publish: bool,
}

pub(super) fn serve(settings: Settings, ports: Ports) -> Result<(), Failure> {
    start_log(&settings.log)?;
    let state = startup::assemble(settings, ports)?;
    serve_until_stopped(state, |_| Ok(()))
}

/// Starts the service, says where (`ready`), and serves until it is asked to stop; running requests are let end.
pub(super) fn serve_until_stopped(
    state: actix_web::web::Data<crate::state::AppState>,
    ready: impl FnOnce(&startup::Service) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if !state.store.is_migrated().map_err(StartError::from)? {
        return Err(Failure::new(
            "the database is not migrated to this program's version: run `registry migrate`",
        ));
    }
    actix_web::rt::System::new().block_on(async move {
        let service = startup::run(state.clone())?;
        tracing::info!(address = %service.address, "serving");
        crate::schedule::start(state.clone());
        crate::schedule::keep_log_empty(state.clone());
        crate::schedule::keep_tidy(state);
        ready(&service)?;
        Ok(service.serve().await?)
    })
}

pub(super) fn migrate(settings: &Settings, ports: &Ports, args: &MigrateArgs) -> Result<(), Failure> {
    let key_file = &settings.secrets.master_key_file;
    if args.init && !key_file.exists() {
        write_new_secret(key_file, &MasterKey::random(&*ports.entropy).to_file_content())?;
        println!(
            "made {}: keep a copy apart from the database; without it no case can be read",
            key_file.display()
        );
    }
    let mut options = settings.store_options();
    options.create = args.init;
    let store = Store::open(
        options,
        settings.master_key()?,
        Arc::clone(&ports.clock),
        Arc::clone(&ports.entropy),
    )
    .map_err(StartError::from)?;
    let applied = store.migrate().map_err(StartError::from)?;
    if applied.is_empty() {
        println!("nothing to do");
    }
    for name in applied {
        println!("applied {name}");
    }
    Ok(())
}

/// Writes a secret that only its owner can read; never over an existing file.
pub(super) fn write_new_secret(path: &Path, content: &str) -> Result<(), Failure> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .open(path)
        .map_err(|e| Failure::new(format!("{}: {e}", path.display())))?;
    file.write_all(content.as_bytes())?;
    Ok(())
}

pub(super) fn run_once(settings: Settings, ports: Ports, args: &RunArgs) -> Result<(), Failure> {
    start_log(&settings.log)?;
    let state = startup::assemble(settings, ports)?;
    let bar = super::progress_bar("evaluating", 0);
    let cut_off = args
        .cut_off
        .unwrap_or_else(|| state.ports.clock.now().date_naive());
    let scope = registry_core::access::Scope::system("command line");
    let wanted = Wanted {
        cut_off,
        guideline_version: args.guideline_version.clone(),
    };
    let run = crate::runs::execute(&state, &scope, &wanted, |progress| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
    })?;
    bar.finish_and_clear();
    println!("run {} finished, cut-off {}", run.number, run.cutoff_date);
    if let Some(summary) = &run.summary {
        println!("{summary}");
    }
    if args.publish {
        crate::runs::publish(&state, &scope, run.number)?;
        println!("published");
    }
    Ok(())
}
