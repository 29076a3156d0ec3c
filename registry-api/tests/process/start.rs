//! The start: what is wrong is named, with its key, and nothing is made or changed on the way.

use registry_api::ports::SystemEntropy;
use registry_core::access::Role;
use registry_core::crypto::MasterKey;

use crate::support::{JSON, Registry, case, send};

#[test]
fn a_wrong_master_key_stops_the_start_and_is_not_shown() {
    let registry = Registry::new();
    let other = MasterKey::random(&SystemEntropy).to_file_content();
    std::fs::write(registry.key_file(), &other).expect("replaced");
    let ended = registry.run(&["serve"]);
    assert!(!ended.success);
    assert!(ended.err.contains("master key"), "{}", ended.err);
    assert!(!ended.err.contains(other.trim()), "the key is not repeated");
}

#[test]
fn a_missing_database_is_not_made_by_serve() {
    let registry = Registry::new();
    std::fs::remove_file(registry.database()).expect("removed");
    let ended = registry.run(&["serve"]);
    assert!(!ended.success);
    assert!(ended.err.contains("database"), "{}", ended.err);
    assert!(!registry.database().exists(), "serve makes no database");
}

#[test]
fn an_empty_database_asks_for_migrate_and_migrate_is_enough() {
    let registry = Registry::new();
    std::fs::remove_file(registry.database()).expect("removed");
    for tail in ["-wal", "-shm"] {
        std::fs::remove_file(format!("{}{tail}", registry.database().display())).ok();
    }
    std::fs::write(registry.database(), b"").expect("an empty file");
    let ended = registry.run(&["serve"]);
    assert!(!ended.success);
    assert!(ended.err.contains("registry migrate"), "{}", ended.err);
    let migrated = registry.run(&["migrate"]);
    assert!(migrated.success, "{}", migrated.err);
    assert!(migrated.out.contains("applied"), "{}", migrated.out);
    let again = registry.run(&["migrate"]);
    assert!(again.out.contains("nothing to do"), "{}", again.out);
    let served = registry.serve();
    let ready = send(&served.base, None, "GET", "/health/ready", &[], None).expect("an answer");
    assert_eq!(ready.status, 200, "{}", ready.text);
}

#[test]
fn a_missing_key_file_and_a_wrong_setting_name_their_key() {
    let registry = Registry::new();
    let mut command = registry.command(&["serve"]);
    let out = command
        .env("REGISTRY_SERVER__WORKERS", "none")
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success() && text.contains("server.workers"), "{text}");
    std::fs::remove_file(registry.key_file()).expect("removed");
    let ended = registry.run(&["serve"]);
    assert!(
        !ended.success && ended.err.contains("secrets.master_key_file"),
        "{}",
        ended.err
    );
}

#[test]
fn a_locked_database_is_503_and_recovers_without_a_restart() {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let served = registry.serve();
    let body = case("LOCK-0001").to_string();
    let mut other = SqliteConnection::establish(&registry.database().display().to_string()).expect("opened");
    other.batch_execute("BEGIN IMMEDIATE").expect("the lock is taken");
    let put = || {
        send(
            &served.base,
            Some(&key),
            "PUT",
            "/api/v1/cases/LOCK-0001",
            &[JSON],
            Some(&body),
        )
    };
    let refused = put().expect("an answer");
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.header("retry-after").is_some());
    let live = send(&served.base, None, "GET", "/health/live", &[], None).expect("an answer");
    assert_eq!(live.status, 200);
    other.batch_execute("ROLLBACK").expect("the lock is given back");
    let stored = put().expect("an answer");
    assert_eq!(stored.status, 201, "{}", stored.text);
}

#[test]
fn every_command_shows_an_example() {
    let registry = Registry::new();
    let commands: &[&[&str]] = &[
        &["demo"],
        &["serve"],
        &["migrate"],
        &["centre", "add"],
        &["centre", "list"],
        &["key", "create"],
        &["key", "list"],
        &["key", "revoke"],
        &["validate"],
        &["submit"],
        &["run"],
        &["audit", "verify"],
        &["backup"],
        &["openapi"],
    ];
    for command in commands {
        let mut arguments = command.to_vec();
        arguments.push("--help");
        let help = registry.run(&arguments);
        assert!(help.success, "{command:?}: {}", help.err);
        assert!(help.out.contains("Example:\n  "), "{command:?}: {}", help.out);
    }
}

#[test]
fn the_office_works_from_the_command_line() {
    let registry = Registry::new();
    let added = registry.run(&["centre", "add", "C02", "Second centre", "--country", "IT"]);
    assert!(added.success, "{}", added.err);
    assert!(
        registry
            .run(&["centre", "list"])
            .out
            .contains("C02\tSecond centre\tIT\tactive")
    );
    let made = registry.run(&["key", "create", "push", "--role", "submitter", "--centre", "C02"]);
    assert!(made.success, "{}", made.err);
    let key = made.out.trim().to_owned();
    let listed = registry.run(&["key", "list"]).out;
    assert!(listed.contains("push") && !listed.contains(&key), "{listed}");

    let served = registry.serve();
    let file = registry.folder().join("case.json");
    std::fs::write(&file, case("CLI-0001").to_string()).expect("written");
    let path = file.display().to_string();
    let judged = registry.run(&["validate", &path]);
    assert!(judged.success && judged.out.contains("accepted"), "{judged:?}");
    let sent = registry
        .command(&["submit", &path, "--url", &served.base])
        .env("REGISTRY_KEY", &key)
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&sent.stdout).into_owned();
    assert!(sent.status.success() && text.contains("201"), "{text}");
    drop(served);

    let verified = registry.run(&["audit", "verify"]);
    assert!(
        verified.success && verified.out.contains("the chain is whole"),
        "{verified:?}"
    );
    let copy = registry.folder().join("copy.sqlite3");
    let backup = registry.run(&["backup", &copy.display().to_string()]);
    assert!(backup.success && copy.exists(), "{backup:?}");
    let id = listed.split('\t').next().expect("an id").to_owned();
    assert!(registry.run(&["key", "revoke", &id]).success);
}
