//! kill -9 while cases are written: nothing acknowledged is lost, no atomic batch is half stored, the chain verifies.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use registry_core::access::Scope;
use registry_core::storage::{Store, StoreOptions};

use crate::support::{Dialect, TestStore, clock, dialects, entropy, master_key, put};

const URL: &str = "REGISTRY_KILL_TEST_URL";
const ROUND: &str = "REGISTRY_KILL_TEST_ROUND";
const BATCH: usize = 7;

/// The process that is killed. Does nothing unless started by the test below.
#[test]
fn writing_process() {
    let (Ok(url), Ok(round)) = (std::env::var(URL), std::env::var(ROUND)) else {
        return;
    };
    let seed: u64 = round.parse().unwrap();
    let store = Store::open(
        StoreOptions::new(url),
        master_key(),
        clock(),
        entropy(1000 + seed),
    )
    .unwrap();
    let scope = Scope::system_for_centre("killed", "C01");
    let mut out = std::io::stdout();
    for number in 0..100_000 {
        store
            .put_case(&scope, put(&format!("S-{round}-{number}"), number))
            .unwrap();
        writeln!(out, "stored S-{round}-{number}").unwrap();
        let batch = (0..BATCH)
            .map(|i| put(&format!("B-{round}-{number}-{i}"), i))
            .collect();
        assert!(
            store
                .put_cases(&scope, batch, true)
                .unwrap()
                .iter()
                .all(Result::is_ok)
        );
        writeln!(out, "stored B-{round}-{number}-0").unwrap();
        out.flush().unwrap();
    }
}

fn killed_round(test: &TestStore, round: u64, lines: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::writing_process", "--nocapture"])
        .env(URL, &test.options.url)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    let output = BufReader::new(child.stdout.take().unwrap());
    for line in output.lines() {
        if let Some(pseudonym) = line.unwrap().strip_prefix("stored ") {
            acknowledged.push(pseudonym.to_owned());
        }
        if acknowledged.len() == lines {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged.len() >= lines, "the writing process ended by itself");
    acknowledged
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let mut random = ChaCha20Rng::seed_from_u64(42);
    for dialect in dialects() {
        let test = TestStore::new(dialect).unwrap();
        let scope = Scope::system_for_centre("test", "C01");
        for round in 0..6 {
            let acknowledged = killed_round(&test, round, random.random_range(1..25));
            for pseudonym in &acknowledged {
                assert!(
                    test.store.case_row(&scope, pseudonym).is_ok(),
                    "{dialect:?}: lost {pseudonym}"
                );
            }
            test.store.verify_audit(None).unwrap();
            // A version and its event were written together, or neither.
            let versions = test.raw_texts(
                "SELECT case_id || ' ' || CAST(version AS TEXT) AS line FROM case_versions ORDER BY line",
            );
            let events = test.raw_texts(
                "SELECT case_id || ' ' || CAST(new_version AS TEXT) AS line FROM audit_events \
                 WHERE action IN ('case.create', 'case.replace') ORDER BY line",
            );
            assert_eq!(versions, events, "{dialect:?}");
        }
        let all = test.raw_texts("SELECT pseudonym AS line FROM cases WHERE pseudonym LIKE 'B-%'");
        assert_eq!(all.len() % BATCH, 0, "{dialect:?}: half a batch is stored");
        let batches: std::collections::BTreeSet<_> = all
            .iter()
            .map(|p| p.rsplit_once('-').unwrap().0.to_owned())
            .collect();
        assert_eq!(
            batches.len() * BATCH,
            all.len(),
            "{dialect:?}: half a batch is stored"
        );
        if dialect == Dialect::Sqlite {
            assert_eq!(
                test.raw_texts("SELECT integrity_check AS line FROM pragma_integrity_check"),
                ["ok"]
            );
        }
    }
}
