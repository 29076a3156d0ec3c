//! Durable single submissions by 35 concurrent clients, and a batch of 10,000, against bare inserts of the same bytes into
//! the same database with the same durability. In the process: HTTP is not part of it.
//!
//! `REGISTRY_TEST_POSTGRES=postgres://user@localhost/postgres cargo bench -p registry-core --features benches --bench submissions`
//! (without the variable, SQLite only)

#[path = "measured.rs"]
#[expect(dead_code, reason = "shared by several benches, each of which needs a part")]
mod measured;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{Binary, Text};
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection, sql_query};
use measured::{Failure, cohort, judge, line, median, newest_case, put, store};
use registry_core::access::Scope;
use registry_core::intake::{self, Limits};
use registry_core::record::CentreTable;
use registry_core::storage::{PutCase, Store};
use registry_core::synthetic::CohortPlan;
use registry_core::validation::{Envelope, Judge};
use registry_core::versions::SchemaStore;
use uuid::Uuid;

const CLIENTS: u32 = 35;
const EACH: u32 = 40;
const ROUNDS: usize = 3;
const BATCH: u32 = 10_000;

/// A body on its way in: pseudonym and bytes.
type Sent = (String, Vec<u8>);

struct Registry {
    judge: Judge,
    centres: CentreTable,
    plan: CohortPlan,
}

impl Registry {
    fn new() -> Result<Self, Failure> {
        let plan = cohort(CLIENTS * EACH)?;
        let (judge, centres) = judge(&plan)?;
        Ok(Self { judge, centres, plan })
    }

    fn admit(&self, (pseudonym, bytes): &Sent, centre: &str) -> Result<PutCase, Failure> {
        let body = intake::parse(bytes, &Limits::default())?;
        let envelope = Envelope {
            record_id: Uuid::nil(),
            centre_id: centre.to_owned(),
            submitted_at: chrono::Utc::now(),
            data_cutoff_date: self.plan.as_of,
        };
        let verdict = self.judge.judge(&body, &envelope, &self.centres);
        if verdict.rejected() {
            return Err(format!("refused: {:?}", verdict.findings).into());
        }
        Ok(put(pseudonym.clone(), body, &verdict))
    }
}

fn main() -> Result<(), Failure> {
    let registry = Registry::new()?;
    let sent: Vec<Vec<Sent>> = (0..CLIENTS)
        .map(|client| bodies(registry.judge.store(), &registry.plan, client * EACH, EACH))
        .collect();
    let count = (CLIENTS * EACH) as usize;
    println!("{CLIENTS} clients with {EACH} cases each, {ROUNDS} rounds, the median\n");

    println!("SQLite (WAL, synchronous=FULL)");
    let mut bare = Vec::new();
    let mut full = Vec::new();
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("bare.db").display().to_string();
        bare.push(timed(|| bare_sqlite(&path, &sent))?);
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite:{}", folder.path().join("registry.db").display());
        let store = store(url, &registry.plan)?;
        full.push(timed(|| clients(&registry, &store, &sent))?);
    }
    report(bare, full, count);
    let folder = tempfile::tempdir()?;
    batch(
        &registry,
        &store(
            format!("sqlite:{}", folder.path().join("registry.db").display()),
            &registry.plan,
        )?,
    )?;

    let Some(server) = std::env::var("REGISTRY_TEST_POSTGRES")
        .ok()
        .filter(|url| !url.is_empty())
    else {
        println!("\nPostgreSQL: not measured, REGISTRY_TEST_POSTGRES names no server");
        return Ok(());
    };
    println!("\nPostgreSQL (synchronous_commit=on)");
    let mut bare = Vec::new();
    let mut full = Vec::new();
    for _ in 0..ROUNDS {
        let url = new_database(&server)?;
        bare.push(timed(|| bare_postgres(&url, &sent))?);
        let store = store(new_database(&server)?, &registry.plan)?;
        full.push(timed(|| clients(&registry, &store, &sent))?);
    }
    report(bare, full, count);
    batch(&registry, &store(new_database(&server)?, &registry.plan)?)
}

fn report(bare: Vec<Duration>, full: Vec<Duration>, count: usize) {
    let (bare, full) = (median(bare), median(full));
    line(
        "  baseline: bare inserts of the same bytes, one commit each",
        bare,
        count,
        None,
    );
    line(
        "  submissions: door, verdict, version, findings, audit",
        full,
        count,
        Some(bare),
    );
    println!(
        "  throughput is {:.2} x that of the baseline",
        bare.as_secs_f64() / full.as_secs_f64()
    );
}

fn timed(work: impl FnOnce() -> Result<(), Failure>) -> Result<Duration, Failure> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed())
}

fn bodies(schemas: &SchemaStore, plan: &CohortPlan, from: u32, count: u32) -> Vec<Sent> {
    (from..from + count)
        .map(|index| {
            let case = newest_case(schemas, plan, index);
            (case.pseudonym, case.body.to_string().into_bytes())
        })
        .collect()
}

/// Each client sends its cases one after the other, each acknowledged durable before the next.
fn clients(registry: &Registry, store: &Store, sent: &[Vec<Sent>]) -> Result<(), Failure> {
    together(sent, |client, sent| {
        let centre = format!("C{:02}", client + 1);
        let scope = Scope::system_for_centre("bench", centre.clone());
        for one in sent {
            store.put_case(&scope, registry.admit(one, &centre)?)?;
        }
        Ok(())
    })
}

fn together(
    sent: &[Vec<Sent>],
    client: impl Fn(usize, &[Sent]) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    std::thread::scope(|threads| {
        let handles: Vec<_> = sent
            .iter()
            .enumerate()
            .map(|(n, sent)| {
                let client = &client;
                threads.spawn(move || client(n, sent))
            })
            .collect();
        handles
            .into_iter()
            .try_for_each(|handle| handle.join().map_err(|_| Failure::from("a client panicked"))?)
    })
}

/// SQLite has one writer: the clients share one connection behind a lock, which is faster than 35 that wait for one another.
fn bare_sqlite(path: &str, sent: &[Vec<Sent>]) -> Result<(), Failure> {
    let mut connection = SqliteConnection::establish(path)?;
    connection.batch_execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE bare (pseudonym TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;",
    )?;
    let connection = Mutex::new(connection);
    together(sent, |_, sent| {
        for (pseudonym, bytes) in sent {
            let mut connection = connection.lock().map_err(|_| "poisoned")?;
            sql_query("INSERT INTO bare VALUES (?, ?)")
                .bind::<Text, _>(pseudonym)
                .bind::<Binary, _>(bytes)
                .execute(&mut *connection)?;
        }
        Ok(())
    })
}

fn bare_postgres(url: &str, sent: &[Vec<Sent>]) -> Result<(), Failure> {
    PgConnection::establish(url)?
        .batch_execute("CREATE TABLE bare (pseudonym TEXT PRIMARY KEY, body BYTEA NOT NULL)")?;
    together(sent, |_, sent| {
        let mut connection = PgConnection::establish(url)?;
        for (pseudonym, bytes) in sent {
            sql_query("INSERT INTO bare VALUES ($1, $2)")
                .bind::<Text, _>(pseudonym)
                .bind::<Binary, _>(bytes)
                .execute(&mut connection)?;
        }
        Ok(())
    })
}

/// 10,000 cases of one centre as one batch, each item on its own verdict.
fn batch(registry: &Registry, store: &Store) -> Result<(), Failure> {
    let plan = CohortPlan {
        cases: BATCH,
        ..registry.plan
    };
    let sent = bodies(registry.judge.store(), &plan, 0, BATCH);
    let scope = Scope::system_for_centre("bench", "C01");
    let took = timed(|| {
        let items = sent
            .iter()
            .map(|one| registry.admit(one, "C01"))
            .collect::<Result<Vec<_>, _>>()?;
        for outcome in store.put_cases(&scope, items, false)? {
            outcome?;
        }
        Ok(())
    })?;
    line(
        "  batch of 10,000, one thread judging",
        took,
        BATCH as usize,
        None,
    );
    Ok(())
}

/// A new database on the server; the server is the bench's own, nothing is cleaned up.
fn new_database(server: &str) -> Result<String, Failure> {
    let name = format!("registry_bench_{}", Uuid::now_v7().simple());
    PgConnection::establish(server)?.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))?;
    let (before, _) = server
        .rsplit_once('/')
        .ok_or("write the URL as postgres://user@host/database")?;
    Ok(format!("{before}/{name}"))
}
