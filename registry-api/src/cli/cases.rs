//! `cases rejudge`: the newest version of every case, judged by the checks and decisions of today.

use chrono::{DateTime, Utc};
use clap::Subcommand;
use registry_core::access::Scope;
use registry_core::record::CentreTable;
use registry_core::storage::{JudgedAgain, OwnCase, Rejudged};
use registry_core::validation::Envelope;
use uuid::Uuid;

use super::{Failure, progress_bar, start_log};
use crate::parallel::in_order;
use crate::ports::Ports;
use crate::settings::Settings;
use crate::startup;
use crate::state::AppState;
use crate::submission::{derived, kept};

/// Cases judged together.
const BATCH: usize = 100;

#[derive(Debug, Subcommand)]
pub(super) enum Cases {
    /// Judge the newest version of every case again, as of the day it was submitted: after a change of checks, or a decision of the
    /// committee on a histology. Findings, queries and what lists show follow; no case gets a new version.
    #[command(after_help = "Example:\n  registry cases rejudge --config registry.toml")]
    Rejudge,
}

pub(super) fn cases(command: &Cases, settings: Settings, ports: Ports) -> Result<(), Failure> {
    match command {
        Cases::Rejudge => {
            start_log(&settings.log)?;
            let state = startup::assemble(settings, ports)?;
            let bar = progress_bar("judging", 0);
            let came_to = rejudge(&state, |done| bar.set_position(done as u64))?;
            bar.finish_and_clear();
            println!(
                "{} cases judged again: {} with another verdict, {} changed by somebody meanwhile",
                came_to.cases, came_to.changed, came_to.overtaken
            );
            if came_to.would_be_refused > 0 {
                println!(
                    "{} of them would be refused if they were sent today; they stay, with their other findings",
                    came_to.would_be_refused
                );
            }
            println!("next: start a run, so that results follow");
            Ok(())
        }
    }
}

/// Judges everything again; tells after each stretch how many cases are done.
pub(crate) fn rejudge(state: &AppState, mut told: impl FnMut(usize)) -> Result<JudgedAgain, Failure> {
    let scope = Scope::system("command line");
    let centres = state.centre_table()?;
    let mut came_to = JudgedAgain::default();
    let mut after = (String::new(), String::new());
    loop {
        let some = state.store.newest_versions(&scope, (&after.0, &after.1), BATCH)?;
        let Some(last) = some.last() else { break };
        after = (last.centre_id.clone(), last.case_id.clone());
        came_to.cases += some.len();
        let judged = in_order(some, |case| judge(state, &case, &centres));
        let (verdicts, refused): (Vec<_>, Vec<_>) = judged.into_iter().flatten().unzip();
        came_to.would_be_refused += refused.into_iter().filter(|refused| *refused).count();
        for one in state.store.rejudge(&scope, verdicts)? {
            match one {
                Some(changed) => came_to.changed += usize::from(changed),
                None => came_to.overtaken += 1,
            }
        }
        told(came_to.cases);
    }
    state.store.record_judging(&scope, came_to)?;
    Ok(came_to)
}

/// A fresh verdict on a stored version, as of its day; and whether it would be refused.
fn judge(state: &AppState, case: &OwnCase, centres: &CentreTable) -> Option<(Rejudged, bool)> {
    let envelope = envelope(case.centre_id.clone(), case.submitted_at);
    let verdict = state.judge.judge_again(&case.document, &envelope, centres)?;
    let rejudged = Rejudged {
        case_id: case.case_id.clone(),
        version: case.version,
        derived: derived(&verdict),
        findings: kept(&verdict),
        formerly: verdict.formerly.clone(),
    };
    Some((rejudged, verdict.rejected()))
}

fn envelope(centre_id: String, submitted_at: DateTime<Utc>) -> Envelope {
    Envelope {
        record_id: Uuid::nil(),
        centre_id,
        submitted_at,
        data_cutoff_date: submitted_at.date_naive(),
    }
}
