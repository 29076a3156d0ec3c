//! `registry release`: a run is frozen, listed, shown and taken out at the terminal; nothing is written over, nothing half.

use std::io::Read;

use registry_core::access::Role;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{JSON, Registry, case, send};

/// A registry with three cases and one published run.
fn with_a_run() -> Registry {
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let mut served = registry.serve();
    for n in 0..3 {
        let name = format!("REL-{n:04}");
        let body = case(&name).to_string();
        let path = format!("/api/v1/cases/{name}");
        let stored = send(&served.base, Some(&key), "PUT", &path, &[JSON], Some(&body)).expect("an answer");
        assert_eq!(stored.status, 201, "{}", stored.text);
    }
    served.kill();
    let ran = registry.run(&["run", "--publish"]);
    assert!(ran.success, "{}", ran.err);
    registry
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[test]
fn a_run_is_frozen_listed_shown_and_taken_out() {
    let registry = with_a_run();
    let release = |arguments: &[&str]| registry.run(&[&["release"], arguments].concat());
    let made = release(&["create", "1", "--release", "2026-1", "--title", "First of 2026"]);
    assert!(made.success, "{}", made.err);
    assert!(
        made.out.starts_with("2026-1 frozen from run 1: 3 cases, "),
        "{}",
        made.out
    );
    let digest = made.out.lines().nth(1).expect("a second line");
    let digest = digest.strip_prefix("sha256 ").expect("a digest");

    let listed = release(&["list"]);
    assert!(listed.success && listed.out.lines().count() == 1, "{listed:?}");
    for words in ["2026-1\trun 1\t", "\t3 cases up to ", digest, "First of 2026"] {
        assert!(listed.out.contains(words), "{words}: {}", listed.out);
    }
    let line: Value = serde_json::from_str(&release(&["list", "--json"]).out).expect("one line of JSON");
    assert_eq!(
        (&line["release"], &line["sha256"]),
        (&"2026-1".into(), &digest.into())
    );

    let shown = release(&["show", "2026-1"]);
    assert!(shown.success, "{}", shown.err);
    for words in [
        digest,
        "left out, withdrawn: 0",
        "\npatient.csv\t3 rows\t",
        "\nparquet/patient.parquet\t3 rows\t",
    ] {
        assert!(shown.out.contains(words), "{words}: {}", shown.out);
    }
    let manifest: Value = serde_json::from_str(&release(&["show", "2026-1", "--json"]).out).expect("JSON");
    assert_eq!(
        (&manifest["release"], &manifest["cases"]),
        (&"2026-1".into(), &3.into())
    );

    let taken = release(&["download", "2026-1"]);
    assert!(taken.success, "{}", taken.err);
    let path = registry.folder().join("rps-registry-2026-1.zip");
    let bundle = std::fs::read(&path).expect("written");
    assert_eq!(sha256(&bundle), digest);
    // Never over what is there.
    std::fs::write(&path, "mine").expect("written");
    let again = release(&["download", "2026-1"]);
    assert!(
        !again.success && again.err.contains("rps-registry-2026-1.zip"),
        "{again:?}"
    );
    assert_eq!(std::fs::read(&path).expect("there"), b"mine");

    let listed = |name: &str| {
        let files = manifest["files"].as_array().expect("files").iter();
        let mut found = files.filter(|file| file["name"] == name);
        found.next().expect("listed")["sha256"]
            .as_str()
            .expect("a digest")
            .to_owned()
    };
    for (asked, name) in [
        ("patient.csv", "patient.csv"),
        ("patient.parquet", "parquet/patient.parquet"),
    ] {
        let one = release(&["download", "2026-1", "--file", asked]);
        assert!(one.success, "{}", one.err);
        let bytes = std::fs::read(registry.folder().join(asked)).expect("written");
        assert_eq!(sha256(&bytes), listed(name), "{asked}");
    }
    let excel = release(&[
        "download",
        "2026-1",
        "--file",
        "patient.csv",
        "--excel",
        "--output",
        "mine.csv",
    ]);
    assert!(excel.success, "{}", excel.err);
    let text = std::fs::read_to_string(registry.folder().join("mine.csv")).expect("text");
    assert!(text.starts_with("\u{feff}patient_id;centre"), "{text}");
    // Each of the four is in the trail.
    let events = registry
        .open(false)
        .list_audit(
            &registry_core::access::Scope::system("test"),
            &Default::default(),
            None,
            500,
        )
        .expect("the trail");
    let downloads = events
        .items
        .iter()
        .filter(|event| event.action == "release.download");
    assert_eq!(downloads.count(), 5, "one of them came to nothing");
}

#[test]
fn what_cannot_be_done_says_why_and_leaves_nothing_behind() {
    let registry = with_a_run();
    let release = |arguments: &[&str]| registry.run(&[&["release"], arguments].concat());
    let refused = |arguments: &[&str], why: &str| {
        let ended = release(arguments);
        assert!(
            !ended.success && ended.out.is_empty(),
            "{arguments:?}: {}",
            ended.out
        );
        assert!(ended.err.contains(why), "{arguments:?}: {}", ended.err);
    };
    refused(&["create", "7"], "there is no run 7");
    refused(
        &["create", "1", "--release", "synthetic"],
        "a release id is not synthetic",
    );
    assert!(
        release(&["create", "1"]).success,
        "by default under the run's number"
    );
    refused(&["create", "1"], "a release of this id exists already");
    refused(&["show", "2026-9"], "there is no release 2026-9");
    refused(&["download", "2026-9"], "there is no release 2026-9");
    refused(&["download", "run-1", "--file", "secret.csv"], "no such file");
    refused(
        &["download", "run-1", "--file", "README.md", "--excel"],
        "only a CSV file",
    );
    refused(&["download", "run-1", "--excel"], "--file");

    // A copy that is not what was frozen is not handed out.
    let path = registry.folder().join("releases/run-1.zip");
    let mut bytes = Vec::new();
    std::fs::File::open(&path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .expect("the service's copy");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).expect("damaged");
    refused(&["download", "run-1"], "its SHA-256 is another");
    assert!(!registry.folder().join("rps-registry-run-1.zip").exists());
    // Built again without the damaged copy.
    std::fs::remove_file(&path).expect("removed");
    let taken = release(&["download", "run-1", "--output", "whole.zip"]);
    assert!(taken.success, "{}", taken.err);
    let listed: Value = serde_json::from_str(&release(&["list", "--json"]).out).expect("one line");
    let whole = std::fs::read(registry.folder().join("whole.zip")).expect("written");
    assert_eq!(listed["sha256"], sha256(&whole).as_str());
}
