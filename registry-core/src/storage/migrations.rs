//! The embedded migrations of both dialects, and what is put in place after them.

use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::{Conn, on_conn};
use super::error::{Outage, StoreError};
use super::faults::outage_of;
use super::keyring::{Keyring, unwrap, wrap};
use super::tables::{__diesel_schema_migrations as applied, audit_head, master_keys, secrets};
use super::writer::Context;
use crate::audit::ChainHead;
use crate::crypto::{Label, MasterKey, SealingKey};

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

fn failed(error: &(dyn std::error::Error + Send + Sync)) -> StoreError {
    match outage_of(&error.to_string()) {
        Some(outage) => StoreError::Unavailable(outage),
        None => StoreError::Internal("a migration failed and was rolled back".to_owned()),
    }
}

/// Applies what is pending, each migration in a transaction of its own.
pub(crate) fn apply(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    match conn {
        Conn::Sqlite(c) => apply_from(c, SQLITE),
        Conn::Postgres(c) => apply_from(c, POSTGRES),
    }
}

/// Applies what is pending of any source (tests interrupt a migration with one of their own).
pub(crate) fn apply_from<C, DB>(
    conn: &mut C,
    source: impl MigrationSource<DB>,
) -> Result<Vec<String>, StoreError>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
{
    conn.run_pending_migrations(source)
        .map(|done| done.iter().map(ToString::to_string).collect())
        .map_err(|error| failed(error.as_ref()))
}

/// Reverts everything, newest first.
pub(crate) fn revert(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    let reverted = match conn {
        Conn::Sqlite(c) => c.revert_all_migrations(SQLITE),
        Conn::Postgres(c) => c.revert_all_migrations(POSTGRES),
    };
    reverted
        .map(|done| done.iter().map(ToString::to_string).collect())
        .map_err(|error| failed(error.as_ref()))
}

/// Versions that this program embeds, oldest first.
fn embedded(conn: &Conn) -> Result<Vec<String>, StoreError> {
    let mut versions = match conn {
        Conn::Sqlite(_) => MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE).map(|all| {
            all.iter()
                .map(|m| m.name().version().to_string())
                .collect::<Vec<_>>()
        }),
        Conn::Postgres(_) => MigrationSource::<diesel::pg::Pg>::migrations(&POSTGRES).map(|all| {
            all.iter()
                .map(|m| m.name().version().to_string())
                .collect::<Vec<_>>()
        }),
    }
    .map_err(|error| failed(error.as_ref()))?;
    versions.sort();
    Ok(versions)
}

/// True when exactly the embedded migrations are applied and the keys are in place.
pub(crate) fn is_current(conn: &mut Conn) -> Result<bool, StoreError> {
    let expected = embedded(conn)?;
    let query = applied::table.select(applied::version).order(applied::version);
    let found = on_conn!(conn, c => query.load::<String>(c)).map_err(StoreError::from);
    let head = || audit_head::table.count();
    match found {
        Ok(found) if found == expected => Ok(on_conn!(conn, c => head().get_result::<i64>(c))? == 1),
        Ok(_) | Err(StoreError::Unavailable(Outage::NotMigrated)) => Ok(false),
        Err(error) => Err(error),
    }
}

fn check_label() -> Label {
    Label::new("master key check")
}

fn secret_label() -> Label {
    Label::new("registry secret")
}

const SECRET: &str = "registry";
const CHECK: &[u8] = b"rps-registry";

/// Opens what the master key wraps. Says which key is needed when it is the wrong one.
pub(crate) fn open_keys(conn: &mut Conn, master: &MasterKey) -> Result<Keyring, StoreError> {
    let query = master_keys::table.select((master_keys::key_id, master_keys::check_value));
    let (key_id, check) = on_conn!(conn, c => query.first::<(String, Vec<u8>)>(c))?;
    let right = key_id == master.id()
        && master
            .key()
            .open(&check_label(), &check)
            .is_ok_and(|plain| plain == CHECK);
    if !right {
        return Err(StoreError::WrongMasterKey {
            expected: key_id,
            given: master.id().to_owned(),
        });
    }
    let query = secrets::table
        .select(secrets::wrapped)
        .filter(secrets::name.eq(SECRET));
    let wrapped = on_conn!(conn, c => query.first::<Vec<u8>>(c))?;
    let secret = unwrap(master, &secret_label(), &wrapped)?
        .ok_or_else(|| StoreError::Internal("the registry's secret does not open".to_owned()))?;
    Ok(Keyring::new(master.clone(), secret))
}

/// Puts the keys and the head of an empty chain in place, once, in one transaction.
pub(crate) fn install_keys(conn: &mut Conn, context: &Context, master: &MasterKey) -> Result<(), StoreError> {
    conn.run(match conn {
        Conn::Sqlite(_) => "BEGIN IMMEDIATE",
        Conn::Postgres(_) => "BEGIN; LOCK TABLE audit_head IN EXCLUSIVE MODE",
    })?;
    let installed = install_in_transaction(conn, context, master);
    conn.run(if installed.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    installed
}

fn install_in_transaction(conn: &mut Conn, context: &Context, master: &MasterKey) -> Result<(), StoreError> {
    let there = on_conn!(conn, c => audit_head::table.count().get_result::<i64>(c))?;
    if there > 0 {
        return Ok(());
    }
    let entropy = context.entropy.as_ref();
    let secret = SealingKey::random(entropy);
    let wrapped = wrap(master, entropy, &secret_label(), &secret)?;
    on_conn!(conn, c => diesel::insert_into(secrets::table)
        .values((secrets::name.eq(SECRET), secrets::wrapped.eq(&wrapped)))
        .execute(c))?;
    let row = check_row(context, master)?;
    on_conn!(conn, c => diesel::insert_into(master_keys::table).values(&row).execute(c))?;
    let genesis = ChainHead::genesis().to_vec();
    let mac = Keyring::new(master.clone(), secret)
        .head_mac(0, &genesis)
        .to_vec();
    on_conn!(conn, c => diesel::insert_into(audit_head::table)
        .values((
            audit_head::id.eq(1),
            audit_head::seq.eq(0),
            audit_head::hash.eq(&genesis),
            audit_head::mac.eq(&mac),
        ))
        .execute(c))?;
    Ok(())
}

/// The row by which a master key is known to be the right one.
#[derive(Insertable)]
#[diesel(table_name = master_keys)]
pub(crate) struct CheckRow {
    key_id: String,
    check_value: Vec<u8>,
    since: chrono::NaiveDateTime,
}

pub(crate) fn check_row(context: &Context, master: &MasterKey) -> Result<CheckRow, StoreError> {
    let entropy = context.entropy.as_ref();
    Ok(CheckRow {
        key_id: master.id().to_owned(),
        check_value: master
            .key()
            .seal(entropy, &check_label(), CHECK)
            .map_err(|_| StoreError::Internal("sealing the key check".to_owned()))?,
        since: super::identifiers::now(context.clock.as_ref()),
    })
}

/// Wraps the registry's secret under a new master key.
pub(crate) fn rewrapped_secret(
    entropy: &dyn crate::clock::Entropy,
    keys: &Keyring,
    new: &MasterKey,
) -> Result<Vec<u8>, StoreError> {
    wrap(new, entropy, &secret_label(), keys.registry())
}
