//! `validate` and `submit`: case files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use registry_core::intake::{self, Limits};
use registry_core::record::CentreTable;
use registry_core::validation::{Envelope, Judge};
use registry_core::versions::SchemaStore;
use serde_json::Value;
use uuid::Uuid;

use super::Failure;
use crate::ports::Ports;

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// Case files (JSON).
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print the verdicts as JSON lines.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct SubmitArgs {
    /// Case files (JSON); each goes to its own pseudonym.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The registry.
    #[arg(long)]
    url: String,
    /// The API key; better given by the environment than on the command line.
    #[arg(long, env = "REGISTRY_KEY", hide_env_values = true)]
    key: String,
}

fn read(path: &Path) -> Result<Value, Failure> {
    let bytes = std::fs::read(path).map_err(|e| Failure::new(format!("{}: {e}", path.display())))?;
    intake::parse(&bytes, &Limits::default()).map_err(|e| Failure::new(format!("{}: {e}", path.display())))
}

pub(super) fn validate(args: &ValidateArgs, ports: &Ports) -> Result<ExitCode, Failure> {
    let schemas = Arc::new(SchemaStore::embedded().map_err(Failure::new)?);
    let judge = Judge::new(schemas).map_err(Failure::new)?;
    let now = ports.clock.now();
    let envelope = Envelope {
        record_id: Uuid::nil(),
        centre_id: String::new(),
        submitted_at: now,
        data_cutoff_date: now.date_naive(),
    };
    let mut refused = 0;
    for path in &args.files {
        let body = match read(path) {
            Ok(body) => body,
            Err(failure) => {
                eprintln!("{failure}");
                refused += 1;
                continue;
            }
        };
        let verdict = judge.judge(&body, &envelope, &CentreTable::default());
        // Without a registry at hand there is no centre table: the check that reads it says nothing here.
        let findings: Vec<_> = verdict.findings.iter().filter(|f| f.code != "E-002").collect();
        if args.json {
            println!(
                "{}",
                serde_json::json!({ "file": path, "accepted": !verdict.rejected(), "findings": findings })
            );
        } else {
            println!(
                "{}: {}",
                path.display(),
                if verdict.rejected() { "refused" } else { "accepted" }
            );
            for f in findings {
                println!("  {} {} {}: {}", f.severity, f.code, f.pointer, f.message);
            }
        }
        refused += usize::from(verdict.rejected());
    }
    Ok(if refused == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

pub(super) fn submit(args: &SubmitArgs) -> Result<ExitCode, Failure> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut refused = 0;
    for path in &args.files {
        let body = read(path)?;
        let pseudonym = body
            .pointer("/patient/pseudonym_id")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let url = format!("{}/api/v1/cases/{pseudonym}", args.url.trim_end_matches('/'));
        let send = |precondition: Option<&str>| {
            let mut request = agent
                .put(&url)
                .header("authorization", format!("Bearer {}", args.key));
            if let Some(tag) = precondition {
                request = request.header("if-match", tag);
            }
            request.content_type("application/json").send(body.to_string())
        };
        // A case that is there already is replaced: this push owns it.
        let mut response = send(None).map_err(Failure::new)?;
        if response.status().as_u16() == 428 {
            response = send(Some("*")).map_err(Failure::new)?;
        }
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().map_err(Failure::new)?;
        println!("{}: {status}", path.display());
        if status >= 300 {
            refused += 1;
            println!("{text}");
        }
    }
    Ok(if refused == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
