//! The command line: one binary for the operator, the coordinating office and a centre's IT.

mod administer;
mod assess;
mod cases;
mod decide;
mod demo;
mod funnel;
mod histology;
mod import;
mod preview;
mod pseudonymise;
mod publish;
mod records;
mod recovery;
mod release;
mod requests;
mod rules;
mod schema;
mod serve;
mod survival;
mod table;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::ports::Ports;
use crate::settings::Settings;

/// A prospective registry for metastatic and multifocally recurrent retroperitoneal sarcoma.
#[derive(Debug, Parser)]
#[command(
    name = "registry",
    version,
    about,
    after_help = "Example:\n  registry demo\n  registry help validate"
)]
struct Cli {
    /// Settings file (TOML); the environment (`REGISTRY_SERVER__PORT=8081`) wins over it.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start with an embedded database and a synthetic cohort of 35 centres.
    #[command(
        after_help = "Example:\n  registry demo --port 8080\n  registry demo --data /tmp/registry-demo --cases 200"
    )]
    Demo(demo::DemoArgs),
    /// Serve the API and the pages.
    #[command(after_help = "Example:\n  registry serve --config /etc/registry/registry.toml")]
    Serve,
    /// Bring the database to this program's version (makes a missing SQLite file and a missing master key with --init).
    #[command(after_help = "Example:\n  registry migrate --init")]
    Migrate(serve::MigrateArgs),
    /// Centres.
    #[command(subcommand, after_help = "Example:\n  registry centre list")]
    Centre(administer::Centre),
    /// API keys, and the master key.
    #[command(subcommand, after_help = "Example:\n  registry key list")]
    Key(administer::Key),
    /// People with an account: the first administrator, and who has lost a password or a device.
    #[command(
        subcommand,
        after_help = "Example:\n  registry user add office@example.org 'Anna Rossi' --role admin"
    )]
    User(user::User),
    /// Judge case files without storing anything; exit code 1 when one is refused.
    #[command(after_help = "Example:\n  registry validate schema/examples/1.0.0/valid/figure-1.json")]
    Validate(records::ValidateArgs),
    /// Judge case files by the guideline, without a server or a database: one row per case, measure and unit.
    #[command(
        after_help = "Example:\n  registry assess schema/examples/1.0.0/valid --measure 24c --centre C01\n  registry assess patient.json --as-given --format json"
    )]
    Assess(assess::AssessArgs),
    /// Compare centres from a file of counts: exact and overdispersion-adjusted funnel limits, p- and q-values.
    #[command(
        after_help = "Example:\n  printf 'centre,numerator,denominator\\nC01,42,50\\nC02,17,40\\n' > counts.csv\n  registry funnel --input counts.csv --format csv\n  registry funnel --input counts.csv --format json --target 0.8"
    )]
    Funnel(funnel::FunnelArgs),
    /// Survival of a cohort file: curves, tests, models, competing events.
    #[command(
        after_help = "Example:\n  registry survival --input cohort.csv --time months --event dead --group histology --method km --at 12 24 60\n  registry survival --input cohort.csv --time months --event dead --entry registered --covariate age grade --method cox --format json"
    )]
    Survival(survival::SurvivalArgs),
    /// Make pseudonyms from what identifies patients, on the trusted party's machine: nothing is stored, no database is needed.
    #[command(
        after_help = "Example:\n  openssl rand -hex 32 > pseudonym.key\n  registry pseudonymise --input patients.csv --key-file pseudonym.key --identifier health_number --identifier birth_date:day --keep local_id"
    )]
    Pseudonymise(pseudonymise::PseudonymiseArgs),
    /// Measures and checks: compile, test.
    #[command(subcommand, after_help = "Example:\n  registry rules check schema")]
    Rules(rules::Rules),
    /// Versions of the case schema: compare, check, publish.
    #[command(subcommand, after_help = "Example:\n  registry schema diff 1.0.0 1.1.0")]
    Schema(schema::Schema),
    /// Stored cases: judge them again after a change of checks.
    #[command(subcommand, after_help = "Example:\n  registry cases rejudge")]
    Cases(cases::Cases),
    /// Send case files to a running registry; the key comes from REGISTRY_KEY.
    #[command(
        after_help = "Example:\n  REGISTRY_KEY=... registry submit case.json --url https://registry.example.org"
    )]
    Submit(records::SubmitArgs),
    /// Send the cases of a CSV bundle or of a REDCap export to a running registry.
    #[command(
        after_help = "Example:\n  registry import --format bundle cases-C01.zip --url https://registry.example.org --key-file key.txt --dry-run\n  registry import --format redcap-csv --mapping project.toml export.csv --url https://registry.example.org --key-file key.txt"
    )]
    Import(import::ImportArgs),
    /// Run the ETL once.
    #[command(after_help = "Example:\n  registry run --cut-off 2026-06-30 --publish")]
    Run(serve::RunArgs),
    /// The audit trail.
    #[command(subcommand, after_help = "Example:\n  registry audit verify")]
    Audit(administer::Audit),
    /// Copy a running SQLite registry to a new file (PostgreSQL: see deploy/).
    #[command(after_help = "Example:\n  registry backup /var/backups/registry-2026-11-23.sqlite3")]
    Backup(administer::BackupArgs),
    /// The ledger of what patients took back, kept outside the backups and applied after a restore.
    #[command(
        subcommand,
        after_help = "Example:\n  registry withdrawals list --to /srv/registry-ledger/withdrawals.jsonl"
    )]
    Withdrawals(recovery::Withdrawals),
    /// Releases: freeze a run, list, show, download.
    #[command(
        subcommand,
        after_help = "Example:\n  registry release create 12 --release 2026-2 --title 'Second release of 2026'"
    )]
    Release(release::Release),
    /// Data requests: list, approve, decline, revoke.
    #[command(subcommand, after_help = "Example:\n  registry request list")]
    Request(requests::Request),
    /// Print everything, decrypted, one JSON line a row: to compare two databases, or to move between them. Audited.
    #[command(after_help = "Example:\n  registry export | sha256sum")]
    Export,
    /// Print the OpenAPI document.
    #[command(after_help = "Example:\n  registry openapi > openapi.json")]
    Openapi,
}

/// Why a command failed, in one sentence for a person.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    /// A failure with its reason.
    pub fn new(why: impl std::fmt::Display) -> Self {
        Self(why.to_string())
    }
}

macro_rules! failure_from {
    ($($error:ty),+ $(,)?) => { $(impl From<$error> for Failure { fn from(e: $error) -> Self { Self::new(e) } })+ };
}
failure_from!(
    crate::settings::SettingsError,
    crate::startup::StartError,
    registry_core::storage::StoreError,
    registry_core::intake::IntakeError,
    std::io::Error,
    serde_json::Error,
);

impl From<crate::problem::Problem> for Failure {
    fn from(problem: crate::problem::Problem) -> Self {
        Self(problem.words())
    }
}

/// Reads the arguments and does what they say.
pub fn main() -> ExitCode {
    leave_quietly_when_nobody_reads();
    let cli = Cli::parse();
    match dispatch(cli) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("registry: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Printing into a pipe whose reader has gone (`| head`) ends the program without a word; every other panic is told as before.
fn leave_quietly_when_nobody_reads() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let message = panic.payload().downcast_ref::<String>();
        let message = message.map(String::as_str).unwrap_or_default();
        if message.starts_with("failed printing to stdout") && message.contains("Broken pipe") {
            std::process::exit(0);
        }
        told(panic);
    }));
}

fn dispatch(cli: Cli) -> Result<ExitCode, Failure> {
    let settings = || Settings::load(cli.config.as_deref());
    let ports = Ports::system();
    match cli.command {
        Command::Demo(args) => demo::demo(args, ports)?,
        Command::Serve => serve::serve(settings()?, ports)?,
        Command::Migrate(args) => serve::migrate(&settings()?, &ports, &args)?,
        Command::Centre(command) => administer::centre(command, settings()?, ports)?,
        Command::Key(command) => administer::key(command, settings()?, ports)?,
        Command::User(command) => user::user(command, settings()?, ports)?,
        Command::Validate(args) => return records::validate(&args, &settings()?, &ports),
        Command::Assess(args) => return assess::assess(&args, &ports),
        Command::Cases(command) => cases::cases(&command, settings()?, ports)?,
        Command::Schema(command) => return schema::schema(&command, &ports),
        Command::Rules(command) => return rules::rules(&command, settings, ports),
        Command::Funnel(args) => funnel::funnel(&args)?,
        Command::Survival(args) => survival::survival(&args)?,
        Command::Pseudonymise(args) => pseudonymise::pseudonymise(&args)?,
        Command::Submit(args) => return records::submit(&args),
        Command::Import(args) => return import::import(&args),
        Command::Run(args) => serve::run_once(settings()?, ports, &args)?,
        Command::Audit(command) => administer::audit(command, settings()?, ports)?,
        Command::Backup(args) => administer::backup(&args, settings()?, ports)?,
        Command::Withdrawals(command) => recovery::withdrawals(command, settings()?, ports)?,
        Command::Release(command) => release::release(command, settings()?, ports)?,
        Command::Request(command) => requests::request(command, settings()?, ports)?,
        Command::Export => recovery::export(settings()?, ports)?,
        Command::Openapi => println!("{}", crate::routes::openapi::document()?),
    }
    Ok(ExitCode::SUCCESS)
}

/// The log goes to standard error, so that standard output stays what a command prints.
fn start_log(settings: &crate::settings::Log) -> Result<(), Failure> {
    let filter = tracing_subscriber::EnvFilter::try_new(&settings.filter)
        .map_err(|e| Failure::new(format!("setting log.filter: {e}")))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match settings.format {
        crate::settings::LogFormat::Json => builder.json().try_init(),
        crate::settings::LogFormat::Text => builder.try_init(),
    };
    started.map_err(Failure::new)
}

/// A bar with counts on the terminal; nothing when standard error is no terminal.
fn progress_bar(what: &'static str, length: u64) -> indicatif::ProgressBar {
    let bar = indicatif::ProgressBar::new(length).with_message(what);
    if let Ok(style) = indicatif::ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests;
