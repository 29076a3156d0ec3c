//! `validate` and `submit`: case files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use registry_core::intake::{self, Limits};
use registry_core::record::CentreTable;
use registry_core::validation::{Envelope, Judge};
use serde_json::Value;
use uuid::Uuid;

use super::Failure;
use super::rules::schemas;
use crate::ports::Ports;
use crate::settings::Settings;

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

pub(super) fn validate(args: &ValidateArgs, settings: &Settings, ports: &Ports) -> Result<ExitCode, Failure> {
    let judge = Judge::new(schemas(settings.schema.folder.as_deref())?).map_err(Failure::new)?;
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
                serde_json::json!({ "file": path, "accepted": !verdict.rejected(), "findings": findings,
                    "further_findings": verdict.further_findings })
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
            if verdict.further_findings > 0 {
                println!("  and {} more", verdict.further_findings);
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
        match send(&agent, args, path) {
            Ok((status, text)) => {
                println!("{}: {status}", path.display());
                if status >= 300 {
                    refused += 1;
                    println!("{text}");
                }
            }
            Err(failure) => {
                refused += 1;
                eprintln!("{failure}");
            }
        }
    }
    Ok(if refused == 0 {
        ExitCode::SUCCESS
    } else {
        eprintln!("{refused} of {} not accepted", args.files.len());
        ExitCode::FAILURE
    })
}

/// One file: the status of the answer and its text.
fn send(agent: &ureq::Agent, args: &SubmitArgs, path: &Path) -> Result<(u16, String), Failure> {
    let body = read(path)?;
    let pseudonym = body
        .pointer("/patient/pseudonym_id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let base = args.url.trim_end_matches('/');
    let url = format!("{base}/api/v1/cases/{}", in_path(pseudonym));
    let put = |precondition: Option<&str>| {
        let mut request = agent
            .put(&url)
            .header("authorization", format!("Bearer {}", args.key));
        if let Some(tag) = precondition {
            request = request.header("if-match", tag);
        }
        request
            .content_type("application/json")
            .send(body.to_string())
            // Its own words may repeat the address, and with it the pseudonym.
            .map_err(|error| {
                Failure::new(format!(
                    "{}: {base} does not answer ({})",
                    path.display(),
                    kind(&error)
                ))
            })
    };
    // A case that is there already is replaced: this push owns it.
    let mut response = put(None)?;
    if response.status().as_u16() == 428 {
        response = put(Some("*"))?;
    }
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().map_err(|error| {
        Failure::new(format!(
            "{}: the answer is cut off ({})",
            path.display(),
            kind(&error)
        ))
    })?;
    Ok((status, text))
}

fn kind(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => error.kind().to_string(),
        ureq::Error::HostNotFound => "no such host".to_owned(),
        ureq::Error::Timeout(_) => "it took too long".to_owned(),
        _ => "no answer that can be read".to_owned(),
    }
}

/// A pseudonym as one segment of an address (RFC 3986): whatever else is in it is percent-encoded.
fn in_path(pseudonym: &str) -> String {
    let mut segment = String::with_capacity(pseudonym.len());
    for byte in pseudonym.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::in_path;

    #[test]
    fn a_pseudonym_is_one_segment_of_an_address() {
        assert_eq!(in_path("FIGURE-1_a.~"), "FIGURE-1_a.~");
        assert_eq!(in_path("A/B ?#%\u{e9}"), "A%2FB%20%3F%23%25%C3%A9");
    }
}
