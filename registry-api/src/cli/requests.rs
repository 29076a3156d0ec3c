//! Data requests for the coordinating office at the terminal.

use chrono::NaiveDate;
use clap::Subcommand;

use super::Failure;
use super::administer::{open, operator};
use crate::ports::Ports;
use crate::settings::Settings;

#[derive(Debug, Subcommand)]
pub(super) enum Request {
    /// Print the requests, newest first, one JSON line each.
    #[command(after_help = "Example:\n  registry request list")]
    List,
    /// Open what was asked through a day (UTC).
    #[command(after_help = "Example:\n  registry request approve 0193a0c2-... --through 2027-06-30")]
    Approve {
        /// Id as `request list` shows it.
        id: String,
        /// Last day.
        #[arg(long)]
        through: NaiveDate,
    },
    /// Decline a request.
    #[command(after_help = "Example:\n  registry request decline 0193a0c2-... --reason 'no analysis plan'")]
    Decline {
        /// Id as `request list` shows it.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Close an approved request, effective at the next download.
    #[command(after_help = "Example:\n  registry request revoke 0193a0c2-... --reason 'the contract ended'")]
    Revoke {
        /// Id as `request list` shows it.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

pub(super) fn request(command: Request, settings: Settings, ports: Ports) -> Result<(), Failure> {
    let (store, scope) = (open(&settings, ports)?, operator());
    let told = match command {
        Request::List => store.list_data_requests(&scope)?,
        Request::Approve { id, through } => {
            let asked = store.data_request(&scope, &id)?.asked;
            vec![store.approve_data_request(&scope, &id, asked, through)?]
        }
        Request::Decline { id, reason } => vec![store.decline_data_request(&scope, &id, &reason)?],
        Request::Revoke { id, reason } => vec![store.revoke_data_request(&scope, &id, &reason)?],
    };
    for request in told {
        println!("{}", serde_json::to_string(&request)?);
    }
    Ok(())
}
