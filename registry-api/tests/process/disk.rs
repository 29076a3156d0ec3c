//! A full disk: refused with 503 or 507, reading goes on, nothing is corrupt, and it recovers.

use std::process::Command;

use registry_core::access::{Role, Scope};

use crate::support::{BINARY, JSON, Registry, Served, case, send};

#[test]
fn a_full_disk_refuses_writes_and_keeps_what_was_acknowledged() {
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let size = std::fs::metadata(registry.database()).expect("a file").len();
    // No file may grow beyond a little more than the database has now; the signal that comes with it is ignored.
    let blocks = size / 512 + 64;
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"{BINARY}\" serve");
    let mut command = Command::new("sh");
    registry.configure(&mut command);
    command.args(["-c", &script]);
    let mut served = Served::spawn(command);
    let mut acknowledged = Vec::new();
    let refused = (0..2000).find_map(|n| {
        let name = format!("FULL-{n:04}");
        let body = case(&name).to_string();
        let path = format!("/api/v1/cases/{name}");
        let answer = send(&served.base, Some(&key), "PUT", &path, &[JSON], Some(&body)).expect("an answer");
        if answer.status == 201 {
            acknowledged.push(name);
            return None;
        }
        Some(answer)
    });
    let refused = refused.expect("the disk is full before 2,000 cases");
    assert!(
        matches!(refused.status, 503 | 507),
        "{} {}",
        refused.status,
        refused.text
    );
    assert!(refused.header("retry-after").is_some());
    let first = acknowledged.first().expect("one case at least");
    let read = send(
        &served.base,
        Some(&key),
        "GET",
        &format!("/api/v1/cases/{first}"),
        &[],
        None,
    )
    .expect("an answer");
    assert_eq!(read.status, 200, "reading goes on: {}", read.text);
    served.kill();

    let store = registry.open(false);
    for name in &acknowledged {
        store
            .case_row(&Scope::system("test"), name)
            .expect("nothing acknowledged is lost");
    }
    store.verify_audit(None).expect("the chain is whole");
    drop(store);
    let served = registry.serve();
    let body = case("FULL-AFTER-1").to_string();
    let after = send(
        &served.base,
        Some(&key),
        "PUT",
        "/api/v1/cases/FULL-AFTER-1",
        &[JSON],
        Some(&body),
    )
    .expect("an answer");
    assert_eq!(after.status, 201, "with room again it goes on: {}", after.text);
}
