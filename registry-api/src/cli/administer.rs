//! Centres, keys, audit, backup.

use std::path::PathBuf;

use chrono::Duration;
use clap::{Args, Subcommand};
use registry_core::access::{Role, Scope};
use registry_core::audit::ChainHead;
use registry_core::crypto::MasterKey;
use registry_core::storage::{NewCentre, NewKey, Store};

use super::Failure;
use crate::ports::Ports;
use crate::settings::Settings;
use crate::startup::StartError;

#[derive(Debug, Subcommand)]
pub(super) enum Centre {
    /// Add a centre.
    #[command(after_help = "Example:\n  registry centre add C07 'University Hospital' --country IT")]
    Add {
        /// Short stable id.
        id: String,
        /// Name.
        name: String,
        /// ISO 3166-1 alpha-2.
        #[arg(long)]
        country: Option<String>,
    },
    /// List the centres.
    #[command(after_help = "Example:\n  registry centre list")]
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// Make a key; it is printed once.
    #[command(
        after_help = "Example:\n  registry key create 'nightly push' --role submitter --centre C07 --days 365"
    )]
    Create {
        /// What it is for.
        label: String,
        /// submitter, centre_lead, researcher, committee, coordinator or admin.
        #[arg(long)]
        role: Role,
        /// The centre, for a role of one centre.
        #[arg(long)]
        centre: Option<String>,
        /// Days until it ends; 3,650 at most.
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
    },
    /// List the keys without their secret.
    #[command(after_help = "Example:\n  registry key list")]
    List,
    /// Revoke a key, effective at the next request.
    #[command(after_help = "Example:\n  registry key revoke 0193a0c2-...")]
    Revoke {
        /// Id as `key list` shows it.
        id: String,
    },
    /// Change the master key: re-wraps every case's key under a new one, in one transaction. Stop the service first, and put
    /// the new file in the old one's place afterwards: only the new key opens the database then.
    #[command(
        after_help = "Example:\n  (umask 077 && openssl rand -hex 32 > /etc/registry/master.key.new)\n  registry key rotate-master /etc/registry/master.key.new --config /etc/registry/registry.toml"
    )]
    RotateMaster {
        /// File with the new key: 64 hexadecimal digits.
        new_key_file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Check the chain: change, deletion, reordering, insertion, and truncation against an anchor noted earlier.
    #[command(after_help = "Example:\n  registry audit verify --anchor 1042:9f86d081...")]
    Verify {
        /// `<number of events>:<hash>` as printed by an earlier verification.
        #[arg(long)]
        anchor: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The new file.
    file: PathBuf,
}

pub(super) fn open(settings: &Settings, ports: Ports) -> Result<Store, Failure> {
    let options = settings.store_options();
    let opened = Store::open(options, settings.master_key()?, ports.clock, ports.entropy);
    Ok(opened.map_err(StartError::from)?)
}

pub(super) fn operator() -> Scope {
    Scope::system("command line")
}

pub(super) fn centre(command: Centre, settings: Settings, ports: Ports) -> Result<(), Failure> {
    let store = open(&settings, ports)?;
    match command {
        Centre::Add { id, name, country } => {
            let made = store.create_centre(
                &operator(),
                NewCentre {
                    centre_id: id,
                    name,
                    country,
                    active: true,
                },
            )?;
            println!("added {}", made.centre_id);
        }
        Centre::List => {
            for c in store.list_centres(&operator())? {
                println!(
                    "{}\t{}\t{}\t{}",
                    c.centre_id,
                    c.name,
                    c.country.unwrap_or_default(),
                    if c.active { "active" } else { "inactive" }
                );
            }
        }
    }
    Ok(())
}

pub(super) fn key(command: Key, settings: Settings, ports: Ports) -> Result<(), Failure> {
    let now = ports.clock.now();
    let (old, master_key_file) = (settings.master_key()?, settings.secrets.master_key_file.clone());
    let store = open(&settings, ports)?;
    match command {
        Key::Create {
            label,
            role,
            centre,
            days,
        } => {
            let expires_at = Some(now + Duration::days(days.into()));
            let made = store.create_key(
                &operator(),
                NewKey {
                    label,
                    role,
                    centre,
                    expires_at,
                },
            )?;
            eprintln!("key {} ({}), shown once:", made.info.key_id, made.info.role);
            println!("{}", made.key.reveal());
        }
        Key::List => {
            for k in store.list_keys(&operator())? {
                let end = match (k.revoked_at, k.expires_at) {
                    (Some(at), _) => format!("revoked {}", at.date_naive()),
                    (None, Some(at)) => format!("until {}", at.date_naive()),
                    (None, None) => "without end".to_owned(),
                };
                println!(
                    "{}\t{}\t{}\t{}\t{}\t{end}",
                    k.key_id,
                    k.prefix,
                    k.role,
                    k.centre.unwrap_or_default(),
                    k.label
                );
            }
        }
        Key::Revoke { id } => {
            store.revoke_key(&operator(), &id)?;
            println!("revoked {id}");
        }
        Key::RotateMaster { new_key_file } => {
            let shown = new_key_file.display();
            let text =
                std::fs::read_to_string(&new_key_file).map_err(|e| Failure::new(format!("{shown}: {e}")))?;
            let new = MasterKey::parse(&text).map_err(|e| Failure::new(format!("{shown}: {e}")))?;
            if new.id() == old.id() {
                return Err(Failure::new(format!("{shown}: this is the key in use")));
            }
            let cases = store.rotate_master_key(&operator(), new)?;
            println!(
                "{cases} case keys re-wrapped; only the key in {shown} opens the database now: put it in place of {}, keep the old one \
                 as long as a backup made under it, and start the service",
                master_key_file.display()
            );
        }
    }
    Ok(())
}

pub(super) fn audit(command: Audit, settings: Settings, ports: Ports) -> Result<(), Failure> {
    let store = open(&settings, ports)?;
    let Audit::Verify { anchor } = command;
    let anchor = anchor
        .map(|text| text.parse::<ChainHead>())
        .transpose()
        .map_err(|why| Failure::new(format!("--anchor: {why}")))?;
    let report = store.verify_audit(anchor)?;
    println!("{} events, the chain is whole", report.events);
    println!("anchor {}", report.head);
    Ok(())
}

pub(super) fn backup(args: &BackupArgs, settings: Settings, ports: Ports) -> Result<(), Failure> {
    open(&settings, ports)?.backup_to(&operator(), &args.file)?;
    println!(
        "copied to {}; the master key is not in it: keep both, apart",
        args.file.display()
    );
    Ok(())
}
