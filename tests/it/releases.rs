//! A release is frozen, read by a researcher's tools, and byte-identical when built again.

use serde_json::json;
use std::process::Command;
use support::{records, service::Service};

/// Reads every CSV of the unpacked release with pandas and compares rows, columns and digests with the manifest.
const PANDAS: &str = r#"
import hashlib, json, pathlib, sys
import pandas as pd
folder = pathlib.Path(sys.argv[1])
manifest = json.loads((folder / "manifest.json").read_text())
assert manifest["files"], "the manifest names no file"
for entry in manifest["files"]:
    path = folder / entry["name"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"], entry["name"]
    if path.suffix != ".csv":
        continue
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert len(frame) == entry["rows"], (entry["name"], len(frame), entry["rows"])
    assert list(frame.columns) == entry["columns"], entry["name"]
presentation = pd.read_csv(folder / "presentation.csv")
assert (presentation.loc[presentation["seq"] == 1, "date_detected_day_min"] == 0).all(), "T0 is day 0"
text = "".join(p.read_text() for p in folder.glob("*.csv"))
assert "FIG-" not in text, "a submitted pseudonym is in the release"
assert "C01" not in text, "the centre is not masked"
print("ok", len(manifest["files"]))
"#;

fn pandas_is_here() -> bool {
    Command::new("python3")
        .args(["-c", "import pandas"])
        .output()
        .is_ok_and(|o| o.status.success())
}

#[test]
fn a_release_reads_back_in_pandas_and_is_rebuilt_byte_for_byte() {
    if !pandas_is_here() {
        assert!(std::env::var("CI").is_err(), "CI must have pandas");
        eprintln!("skipped: pandas is not installed");
        return;
    }
    let service = Service::start();
    let centre = service.submitter("C01");
    for n in 0..7 {
        let name = format!("FIG-{n:04}");
        let source = if n % 2 == 0 { "figure-1" } else { "figure-2" };
        centre
            .put(
                &format!("/api/v1/cases/{name}"),
                &[],
                &records::example(source, &name),
            )
            .expect(201);
    }
    let run = service.published_run("2026-11-01");
    let coordinator = service.client("coordinator", None);
    let release = |key: &str| {
        let made = coordinator.post(
            "/api/v1/releases",
            &[("idempotency-key", key)],
            &json!({ "run": run }),
        );
        made.expect(201).json()["release"]
            .as_str()
            .expect("a release id")
            .to_owned()
    };
    let number = release("rel-1");
    let bundle = coordinator
        .get(&format!("/api/v1/releases/{number}/bundle.zip"))
        .expect(200);
    let again = coordinator
        .get(&format!("/api/v1/releases/{number}/bundle.zip"))
        .expect(200);
    assert_eq!(bundle.body, again.body, "byte-identical when built again");
    // A researcher's data come through a data request.
    for role in ["committee", "researcher"] {
        for file in ["bundle.zip", "files/patient.csv"] {
            let address = format!("/api/v1/releases/{number}/{file}");
            service.client(role, None).get(&address).expect(403);
        }
    }

    let folder = tempfile::tempdir().expect("a folder");
    let zip = folder.path().join("bundle.zip");
    std::fs::write(&zip, &bundle.body).expect("the bundle is written");
    let unpack = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])";
    let unpacked = folder.path().join("release");
    let out = Command::new("python3")
        .arg("-c")
        .arg(unpack)
        .arg(&zip)
        .arg(&unpacked)
        .output()
        .expect("python3 runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let root = std::fs::read_dir(&unpacked)
        .expect("unpacked")
        .flatten()
        .map(|e| e.path())
        .collect::<Vec<_>>();
    let root = if unpacked.join("manifest.json").exists() {
        unpacked
    } else {
        root[0].clone()
    };
    let out = Command::new("python3")
        .arg("-c")
        .arg(PANDAS)
        .arg(&root)
        .output()
        .expect("python3 runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// The file is a copy of what the database can say again, as long as it can.
#[test]
fn a_lost_bundle_is_built_again_as_it_was_or_is_gone() {
    let service = Service::start();
    let centre = service.submitter("C01");
    for n in 0..3 {
        let name = format!("FIG-{n:04}");
        centre
            .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
            .expect(201);
    }
    let run = service.published_run("2026-11-01");
    let made = service.client("coordinator", None).post(
        "/api/v1/releases",
        &[("idempotency-key", "lost")],
        &json!({ "run": run, "release": "lost-1" }),
    );
    let release = made.expect(201).json()["release"]
        .as_str()
        .expect("an id")
        .to_owned();
    let address = format!("/api/v1/releases/{release}/bundle.zip");
    let file = service
        .state()
        .settings
        .releases
        .folder
        .join(format!("{release}.zip"));
    let office = service.client("coordinator", None);
    let first = office.get(&address).expect(200).body;
    assert_eq!(first, std::fs::read(&file).expect("the bundle is kept"));
    std::fs::remove_file(&file).expect("lost");
    assert_eq!(
        office.get(&address).expect(200).body,
        first,
        "built again, byte for byte"
    );
    assert_eq!(std::fs::read(&file).expect("and kept again"), first);

    // Without one of its cases it cannot be what it was.
    centre
        .post(
            "/api/v1/cases/FIG-0001:withdraw",
            &[("idempotency-key", "w-1")],
            &json!({"mode": "erase", "date": "2026-11-20", "reason": "asked for"}),
        )
        .expect(200);
    assert_eq!(
        office.get(&address).expect(200).body,
        first,
        "a kept bundle stays"
    );
    std::fs::remove_file(&file).expect("lost");
    let gone = office.get(&address).expect(410);
    assert_eq!(gone.code(), "release_gone");
    let why = gone.json()["detail"].as_str().expect("words").to_owned();
    assert!(why.contains("withdrawn since"), "{why}");
    assert!(!why.contains("program") && !why.contains("FIG-"), "{why}");
    assert!(!file.exists(), "nothing else is put in its place");
}
