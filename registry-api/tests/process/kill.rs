//! `kill -9` while batches and single cases are written: what was acknowledged is there, an atomic batch is there whole or
//! not at all, the chain is whole, and a retry under the same key ends in exactly one copy.

use std::sync::atomic::{AtomicUsize, Ordering};

use registry_core::access::{Role, Scope};
use registry_core::storage::StoreError;

use crate::support::{JSON, Registry, case, send};

/// Deaths per run of this test.
const KILLS: usize = 12;
/// Cases of one atomic batch.
const BATCH: usize = 25;

fn batch(name: &str) -> String {
    (0..BATCH)
        .map(|n| format!("{}\n", case(&format!("{name}-{n:03}"))))
        .collect()
}

fn post_batch(base: &str, key: &str, name: &str) -> Option<u16> {
    let headers = [
        ("content-type", "application/x-ndjson"),
        ("idempotency-key", name),
    ];
    let body = batch(name);
    send(
        base,
        Some(key),
        "POST",
        "/api/v1/cases:batch?atomic=true",
        &headers,
        Some(&body),
    )
    .map(|a| a.status)
}

#[test]
fn nothing_acknowledged_is_lost_and_no_atomic_batch_is_half_stored() {
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let scope = Scope::system("test");
    let mut unacknowledged: Vec<String> = Vec::new();
    for round in 0..KILLS {
        let mut served = registry.serve();
        let acknowledged = AtomicUsize::new(0);
        let base = served.base.clone();
        let (batches, singles) = std::thread::scope(|threads| {
            let (acknowledged, key, base) = (&acknowledged, key.as_str(), base.as_str());
            let batches = threads.spawn(move || {
                let mut outcomes = Vec::new();
                for n in 0.. {
                    let name = format!("B{round:02}-{n:02}");
                    let status = post_batch(base, key, &name);
                    acknowledged.fetch_add(usize::from(status.is_some()), Ordering::SeqCst);
                    let over = status.is_none();
                    outcomes.push((name, status));
                    if over {
                        break;
                    }
                }
                outcomes
            });
            let singles = threads.spawn(move || {
                let mut outcomes = Vec::new();
                for n in 0.. {
                    let name = format!("S{round:02}-{n:03}");
                    let path = format!("/api/v1/cases/{name}");
                    let body = case(&name).to_string();
                    let status = send(base, Some(key), "PUT", &path, &[JSON], Some(&body)).map(|a| a.status);
                    acknowledged.fetch_add(usize::from(status.is_some()), Ordering::SeqCst);
                    let over = status.is_none();
                    outcomes.push((name, status));
                    if over {
                        break;
                    }
                }
                outcomes
            });
            // Another point of the work in every round, never a time.
            while acknowledged.load(Ordering::SeqCst) < round {
                std::thread::yield_now();
            }
            served.kill();
            (batches.join().expect("batches"), singles.join().expect("singles"))
        });

        let store = registry.open(false);
        let stored = |name: &str| match store.case_row(&scope, name) {
            Ok(_) => true,
            Err(StoreError::NotFound) => false,
            Err(other) => panic!("{other}"),
        };
        for (name, status) in batches {
            let count = (0..BATCH).filter(|n| stored(&format!("{name}-{n:03}"))).count();
            match status {
                Some(status) => assert_eq!((status, count), (200, BATCH), "{name}"),
                None => {
                    assert!(
                        count == 0 || count == BATCH,
                        "{name} is half stored: {count} of {BATCH}"
                    );
                    unacknowledged.push(name);
                }
            }
        }
        for (name, status) in singles {
            if let Some(status) = status {
                assert_eq!((status, stored(&name)), (201, true), "{name}");
            }
        }
        store.verify_audit(None).expect("the chain is whole");
    }

    // A retry under the same key, on whatever the death left.
    let served = registry.serve();
    for name in &unacknowledged {
        let status = post_batch(&served.base, &key, name);
        assert!(matches!(status, Some(200 | 409)), "{name}: {status:?}");
        if status == Some(409) {
            // The dead process had claimed the key; the claim is free again when its lease ends. Without a key the
            // same content makes no second version.
            let headers = [("content-type", "application/x-ndjson")];
            let again = send(
                &served.base,
                Some(&key),
                "POST",
                "/api/v1/cases:batch?atomic=true",
                &headers,
                Some(&batch(name)),
            );
            assert_eq!(again.expect("an answer").status, 200, "{name}");
        }
    }
    drop(served);
    let store = registry.open(false);
    for name in &unacknowledged {
        for n in 0..BATCH {
            let row = store.case_row(&scope, &format!("{name}-{n:03}")).expect("stored");
            assert_eq!(row.version, 1, "exactly one copy");
        }
    }
    store.verify_audit(None).expect("the chain is whole");
}
