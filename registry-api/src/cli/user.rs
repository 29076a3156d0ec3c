//! Accounts of people at the terminal.

use clap::Subcommand;
use registry_core::access::Role;
use registry_core::storage::{Invited, NewPerson, Person, Store};

use super::Failure;
use super::administer::{open, operator};
use crate::ports::Ports;
use crate::routes::users::link;
use crate::settings::Settings;

#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Make an account and print its one-time link, good for 72 hours.
    #[command(
        after_help = "Example:\n  registry user add office@example.org 'Anna Rossi' --role admin\n  registry user add li@hospital.example 'Li Wei' --role submitter --centre C07"
    )]
    Add {
        /// Sign-in name, a mail address as a rule.
        login: String,
        /// Name.
        name: String,
        /// submitter, centre_lead, researcher, committee, coordinator or admin.
        #[arg(long)]
        role: Role,
        /// The centre, for a role of one centre.
        #[arg(long)]
        centre: Option<String>,
    },
    /// List the accounts.
    #[command(after_help = "Example:\n  registry user list")]
    List,
    /// End an account: its sessions, its links, its password and second factor.
    #[command(after_help = "Example:\n  registry user disable li@hospital.example")]
    Disable {
        /// Sign-in name.
        login: String,
    },
    /// Take password, second factor and sessions away and print a new one-time link.
    #[command(after_help = "Example:\n  registry user reset li@hospital.example")]
    Reset {
        /// Sign-in name.
        login: String,
    },
}

pub(super) fn user(command: User, settings: Settings, ports: Ports) -> Result<(), Failure> {
    let (store, scope, address) = (open(&settings, ports)?, operator(), settings.address());
    match command {
        User::Add {
            login,
            name,
            role,
            centre,
        } => {
            let person = NewPerson {
                login,
                name,
                role,
                centre,
            };
            told(&store.invite_person(&scope, person)?, &address);
        }
        User::List => {
            for person in store.list_people(&scope)? {
                println!("{}", line(person));
            }
        }
        User::Disable { login } => {
            let person = store.disable_person(&scope, &found(&store, &login)?)?;
            println!("disabled {}", person.login);
        }
        User::Reset { login } => {
            let id = found(&store, &login)?;
            told(&store.reset_person(&scope, &id)?, &address);
        }
    }
    Ok(())
}

/// The id of the account with this sign-in name.
fn found(store: &Store, login: &str) -> Result<String, Failure> {
    let wanted = login.trim().to_lowercase();
    let all = store.list_people(&operator())?;
    let person = all.into_iter().find(|person| person.login == wanted);
    person
        .map(|person| person.person_id)
        .ok_or_else(|| Failure::new("there is no account with this sign-in name: see `registry user list`"))
}

fn told(made: &Invited, address: &str) {
    let person = &made.person;
    eprintln!(
        "{} ({}), the link is shown once and good once, for 72 hours:",
        person.login, person.role
    );
    println!("{}", link(address, made));
}

fn line(person: Person) -> String {
    let seen = person.last_sign_in_at.map(|at| at.date_naive().to_string());
    [
        person.login,
        person.state.as_str().to_owned(),
        person.role.to_string(),
        person.centre.unwrap_or_default(),
        person.name,
        seen.unwrap_or_default(),
    ]
    .join("\t")
}
