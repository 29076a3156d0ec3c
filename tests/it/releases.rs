//! A release is frozen, read by a researcher's tools, and byte-identical when built again.

use registry_api::releases::discard_withdrawn;
use serde_json::json;
use std::process::Command;
use support::{records, service::Service, skip::skipped};

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
# Figure 1 is 4 of the 7 cases: a reason instead of a value in every presentation, and 7 of its 8 scans known to the month.
assert (presentation["disease_tempo__absent"] == "unknown").all() and presentation["disease_tempo"].isna().all(), "reasons"
imaging = pd.read_csv(folder / "imaging.csv")
days = imaging["date_day_max"] - imaging["date_day_min"]
assert (imaging["date__precision"] == "month").sum() == 4 * 7, imaging["date__precision"].value_counts()
assert (days[imaging["date__precision"] == "month"] == 68).all(), "a month as any other, so that it tells no calendar"
assert (days[imaging["date__precision"] == "day"] == 0).all(), "a day is one day"
assert set(imaging["date__precision"]) == {"day", "month"}, set(imaging["date__precision"])
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
fn the_office_alone_downloads_a_release_twice_alike_and_it_reads_back_in_pandas() {
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
    assert_eq!(bundle.body, again.body, "the same file; built anew: below");
    // A researcher's data come through a data request.
    for role in ["committee", "researcher"] {
        for file in ["bundle.zip", "files/patient.csv"] {
            let address = format!("/api/v1/releases/{number}/{file}");
            service.client(role, None).get(&address).expect(403);
        }
    }

    if !pandas_is_here() {
        skipped("reading a release back, because pandas is not installed");
        return;
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
    assert!(!file.exists(), "who is erased is in no kept bundle");
    let gone = office.get(&address).expect(410);
    assert_eq!(gone.code(), "release_gone");
    let why = gone.json()["detail"].as_str().expect("words").to_owned();
    assert!(why.contains("withdrawn since"), "{why}");
    assert!(!why.contains("program") && !why.contains("FIG-"), "{why}");
    assert!(!file.exists(), "nothing else is put in its place");
}

/// A bundle kept through a withdrawal that the service did not see (a restored backup, a killed process) goes at the next start, and is refused before.
#[test]
fn a_bundle_that_outlived_a_withdrawal_is_refused_and_removed() {
    let (service, office) = frozen();
    let folder = &service.state().settings.releases.folder;
    let kept = folder.join("F.zip");
    let bytes = std::fs::read(&kept).expect("kept");
    let withdraw = |case: &str| {
        let body = json!({"mode": "no_further_use", "date": "2026-11-20", "reason": "asked for"});
        let address = format!("/api/v1/cases/{case}:withdraw");
        service.submitter("C01").post(&address, &[], &body).expect(200);
    };
    withdraw("FIG-0001");
    std::fs::write(&kept, &bytes).expect("there again");
    for path in ["bundle.zip", "files/patient.csv", "manifest.json"] {
        let address = format!("/api/v1/releases/F/{path}");
        assert_eq!(office.get(&address).expect(410).code(), "release_gone");
    }
    assert!(!kept.exists(), "refused and removed");
    std::fs::write(&kept, &bytes).expect("there again");
    discard_withdrawn(&service.state().store, folder).expect("removed");
    assert!(!kept.exists(), "as at a start");
    // Another release is not touched.
    let run = service.published_run("2026-11-02");
    office
        .post("/api/v1/releases", &[], &json!({ "run": run, "release": "G" }))
        .expect(201);
    discard_withdrawn(&service.state().store, folder).expect("nothing to remove");
    assert!(folder.join("G.zip").exists());
    office.get("/api/v1/releases/G/bundle.zip").expect(200);
}

/// Who was never in a release takes nothing away from it.
#[test]
fn a_withdrawal_of_somebody_without_consent_to_reuse_leaves_the_release() {
    let service = Service::start();
    let centre = service.submitter("C01");
    for (name, reuse) in [("FIG-0000", true), ("FIG-0001", true), ("FIG-0002", false)] {
        let mut body = records::figure_1(name);
        body["consent"]["research_reuse"] = json!(reuse);
        centre
            .put(&format!("/api/v1/cases/{name}"), &[], &body)
            .expect(201);
    }
    let run = service.published_run("2026-11-01");
    let office = service.client("coordinator", None);
    office
        .post("/api/v1/releases", &[], &json!({ "run": run, "release": "F" }))
        .expect(201);
    let body = json!({"mode": "erase", "date": "2026-11-20", "reason": "asked for"});
    centre
        .post("/api/v1/cases/FIG-0002:withdraw", &[], &body)
        .expect(200);
    office.get("/api/v1/releases/F/bundle.zip").expect(200);
}

/// What the committee has not seen published is in no release.
#[test]
fn a_run_that_is_not_published_cannot_be_frozen() {
    let service = Service::start();
    service
        .submitter("C01")
        .put("/api/v1/cases/FIG-0001", &[], &records::figure_1("FIG-0001"))
        .expect(201);
    let system = registry_core::access::Scope::system("test");
    let wanted = registry_api::runs::Wanted::up_to("2026-11-01".parse().expect("a day"));
    let run = registry_api::runs::execute(service.state(), &system, &wanted, |_| {})
        .expect("a run")
        .number;
    let office = service.client("coordinator", None);
    for wait in [true, false] {
        let body = json!({ "run": run, "release": "F", "wait": wait });
        let refused = office.post("/api/v1/releases", &[], &body).expect(409);
        assert!(refused.text().contains("publish it first"), "{}", refused.text());
    }
    // As the command line does.
    let new = registry_api::releases::NewFreezing {
        run,
        id: Some("F".to_owned()),
        title: None,
    };
    let refused = registry_api::releases::freeze(service.state(), &system, new.clone(), |_, _| ());
    assert_eq!(refused.expect_err("refused").kind.code(), "invalid_state");
    registry_api::runs::publish(service.state(), &system, run).expect("published");
    registry_api::releases::freeze(service.state(), &system, new, |_, _| ()).expect("frozen");
}

/// Two releases with one patient between them: what is open to every researcher tells neither that patient's rows nor that there is one.
#[test]
fn a_researcher_reads_of_two_releases_nothing_of_the_patient_between_them() {
    fn keys<'v>(value: &'v serde_json::Value, into: &mut Vec<&'v str>) {
        match value {
            serde_json::Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                into.push(key);
                keys(value, into);
            }),
            serde_json::Value::Array(items) => items.iter().for_each(|item| keys(item, into)),
            _ => {}
        }
    }
    let service = Service::start();
    let centre = service.submitter("C01");
    let submit = |from: usize, to: usize| {
        for n in from..to {
            let name = format!("FIG-{n:04}");
            let mut body = records::figure_1(&name);
            // Six of them refuse research reuse, and one of the two who come last: that is one more, and not told either.
            body["consent"]["research_reuse"] = json!(!(3..9).contains(&n) && n != 32);
            centre
                .put(&format!("/api/v1/cases/{name}"), &[], &body)
                .expect(201);
        }
    };
    let office = service.client("coordinator", None);
    let freeze = |id: &str| {
        let run = service.published_run("2026-11-01");
        let body = json!({ "run": run, "release": id, "title": "T" });
        office.post("/api/v1/releases", &[], &body).expect(201);
    };
    submit(0, 20);
    freeze("E");
    submit(20, 32);
    freeze("F");
    submit(32, 34);
    freeze("G");
    let researcher = service.client("researcher", None);
    let manifest = |id: &str| {
        let answer = researcher
            .get(&format!("/api/v1/releases/{id}/manifest.json"))
            .expect(200);
        assert!(answer.header("etag").is_some() && answer.header("repr-digest").is_some());
        answer.json()
    };
    let (before, after) = (manifest("F"), manifest("G"));
    let mut told = Vec::new();
    keys(&after, &mut told);
    for hidden in ["rows", "bytes", "sha256", "watermark"] {
        assert!(!told.contains(&hidden), "{hidden}");
    }
    // 16 cases in E were told as 10, which may have been 19: 26 and 27 are not eleven more than that.
    assert_eq!(
        (&before["cases_about"], &after["cases_about"]),
        (&json!(10), &json!(10))
    );
    assert_eq!(before["files"], after["files"]);
    assert!(
        before["files"][0]["columns"]
            .as_array()
            .is_some_and(|all| all.len() > 3)
    );
    assert_eq!(before["withheld"], after["withheld"]);
    assert_eq!(before["accounting"]["left_out"], after["accounting"]["left_out"]);
    let reasons = before["accounting"]["left_out"].as_array().expect("reasons");
    let refused = reasons
        .iter()
        .find(|one| one["reason"] == "no consent to research reuse");
    assert_eq!(
        refused.expect("told")["about"],
        json!(null),
        "six and seven are too few to be told"
    );
    // 12 were added to E; 1 to F.
    assert_eq!(before["accounting"]["changes"]["added"], json!(10));
    assert_eq!(after["accounting"]["changes"]["added"], json!(null));
    // Nor the list, nor one release, nor the pages.
    let exact = office.get("/api/v1/releases/G").expect(200).json();
    let (sha256, bytes) = (
        exact["sha256"].as_str().expect("a digest"),
        exact["bytes"].as_i64().expect("bytes"),
    );
    assert_eq!(exact["cases"], json!(27));
    for path in [
        "/api/v1/releases",
        "/api/v1/releases/G",
        "/releases",
        "/releases/G",
        "/requests?release=G",
    ] {
        let html = [("accept", "text/html")];
        let text = match path.starts_with("/api") {
            true => researcher.get(path).expect(200).text(),
            false => researcher.get_with(path, &html).expect(200).text(),
        };
        assert!(
            !text.contains(sha256) && !text.contains(&bytes.to_string()),
            "{path}"
        );
        assert!(
            !text.contains("\"cases\":27") && !text.contains("<dd>27</dd>"),
            "{path}"
        );
    }
    // The office reads it as it is in the bundle.
    let whole = office.get("/api/v1/releases/G/manifest.json").expect(200).json();
    assert!(whole["watermark"].is_i64() && whole["files"][0]["sha256"].is_string());
    assert_eq!(whole["cases"], json!(27));
    let exact = whole["accounting"]["left_out"].as_array().expect("reasons");
    assert!(exact.iter().any(|one| one["cases"] == json!(7)), "{exact:?}");
    // 27 patients alike but for their calendar year, which the whole release does not hold: one group, and only measured.
    let k = &whole["k_anonymity"];
    assert_eq!(
        (&k["k_achieved"], &k["groups"], &k["rows_below_k"], &k["enforced"]),
        (&json!(27), &json!(1), &json!(0), &json!(false)),
        "{k}"
    );
    assert!(after["k_anonymity"].is_null(), "smallest groups are the office's");
}

/// A service with a few cases, one release `F` of them, and its office.
fn frozen() -> (Service, support::client::Client) {
    let service = Service::start();
    let centre = service.submitter("C01");
    for n in 0..3 {
        let name = format!("FIG-{n:04}");
        centre
            .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
            .expect(201);
    }
    let run = service.published_run("2026-11-01");
    let office = service.client("coordinator", None);
    office
        .post("/api/v1/releases", &[], &json!({ "run": run, "release": "F" }))
        .expect(201);
    (service, office)
}

#[test]
fn one_file_comes_for_excel_when_asked_and_as_parquet_by_its_name() {
    let (_service, office) = frozen();
    let file = |name: &str| office.get(&format!("/api/v1/releases/F/files/{name}"));
    let plain = file("presentation.csv").expect(200);
    let excel = file("presentation.csv?variant=excel").expect(200);
    let (plain_text, excel_text) = (plain.text(), excel.text());
    assert!(excel_text.starts_with("\u{feff}patient_id;row;seq;"));
    assert!(!plain_text.starts_with('\u{feff}') && plain_text.starts_with("patient_id,row,seq,"));
    let fields = |text: &str, delimiter: u8| -> Vec<csv::StringRecord> {
        let mut reader = csv::ReaderBuilder::new();
        let mut reader = reader
            .delimiter(delimiter)
            .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        reader.records().map(|row| row.expect("a row")).collect()
    };
    assert_eq!(fields(&excel_text, b';'), fields(&plain_text, b','));
    assert_eq!(fields(&plain_text, b',').len(), 3 * 4);
    // It is not what the digest is of.
    assert!(plain.header("repr-digest").is_some() && plain.header("accept-ranges").is_some());
    assert!(excel.header("repr-digest").is_none() && excel.header("accept-ranges").is_none());
    let tag = excel.header("etag").expect("a tag").to_owned();
    assert_ne!(plain.header("etag"), Some(tag.as_str()));
    assert!(tag.ends_with("-excel\""), "{tag}");
    let known = [("if-none-match", tag.as_str())];
    office
        .get_with("/api/v1/releases/F/files/presentation.csv?variant=excel", &known)
        .expect(304);
    assert!(
        excel
            .header("content-disposition")
            .is_some_and(|one| one.contains("presentation-excel.csv"))
    );
    // Of tables only, and no other form.
    for name in ["README.md", "cases.parquet"] {
        file(&format!("{name}?variant=excel")).expect(422);
    }
    assert_eq!(file("cases.csv?variant=pdf").expect(400).code(), "bad_query");

    let manifest = office.get("/api/v1/releases/F/manifest.json").expect(200).json();
    let parquet = file("cases.parquet").expect(200);
    assert!(parquet.body.starts_with(b"PAR1") && parquet.body.ends_with(b"PAR1"));
    let files = manifest["files"].as_array().expect("files");
    let listed = files
        .iter()
        .find(|one| one["name"] == "parquet/cases.parquet")
        .expect("listed");
    let digest = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&parquet.body));
    assert_eq!(listed["sha256"], digest);
    assert_eq!(listed["rows"], 3);
    let part = office
        .get_with(
            "/api/v1/releases/F/files/cases.parquet",
            &[("range", "bytes=0-3")],
        )
        .expect(206);
    assert_eq!(part.body, b"PAR1");
}

#[test]
fn a_release_tells_what_it_leaves_out_and_keeps_to_it() {
    let (service, office) = frozen();
    let manifest = office.get("/api/v1/releases/F/manifest.json").expect(200).json();
    assert_eq!(
        manifest["accounting"],
        json!({ "told_from": 5, "changes": null, "left_out": [
            { "reason": "no consent to research reuse", "cases": 0 },
            { "reason": "registered after the cut-off", "cases": 0 },
            { "reason": "draft, not submitted", "cases": 0 },
            { "reason": "withdrawn", "cases": 0 },
        ] })
    );
    // Three stay as they are: too few to tell that all of them did.
    let run = service.published_run("2026-11-02");
    office
        .post("/api/v1/releases", &[], &json!({ "run": run, "release": "G" }))
        .expect(201);
    let next = office.get("/api/v1/releases/G/manifest.json").expect(200).json();
    let changes = json!({ "since": "F", "added": 0, "changed": null, "left": 0 });
    assert_eq!(next["accounting"]["changes"], changes);
}

/// The release of fictitious cases is everyone's; no release can take its address.
#[test]
fn the_fictitious_release_needs_no_credentials_and_is_made_once() {
    let service = Service::start();
    let address = "/api/v1/releases/synthetic/bundle.zip";
    // Asked for by several at once, before it is there.
    let nobody = vec![service.anonymous(); 3];
    let made = support::service::at_once(nobody, |_, client| client.get(address).expect(200).body);
    let first = service.anonymous().get(address).expect(200);
    assert!(first.body.starts_with(b"PK") && first.header("repr-digest").is_some());
    assert!(made.iter().all(|one| *one == first.body));
    let digest = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&first.body));
    assert_eq!(first.header("etag"), Some(format!("\"{digest}\"").as_str()));
    for (role, centre) in [("committee", None), ("submitter", Some("C01")), ("admin", None)] {
        let again = service.client(role, centre).get(address).expect(200);
        assert!(again.body == first.body, "{role}");
    }
    let forged = support::client::Client::new(service.base(), Some("rps_nobody"));
    assert!(forged.get(address).expect(200).body == first.body);
    service
        .anonymous()
        .get(&format!("{address}?variant=excel"))
        .expect(400);
    // What it was made in is gone, and what it left is one file.
    let folder = &service.state().settings.releases.folder;
    let left: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert_eq!(left.len(), 1, "{left:?}");
    // A lost file is made again, the same.
    std::fs::remove_file(&left[0]).expect("lost");
    assert!(service.anonymous().get(address).expect(200).body == first.body);
    // Whoever has no account finds it.
    let sign_in = service
        .anonymous()
        .get_with("/sign-in", &[("accept", "text/html")]);
    assert!(
        sign_in
            .expect(200)
            .text()
            .contains(&format!("href=\"{address}\""))
    );
    let office = service.client("coordinator", None);
    let run = service.published_run("2026-11-01");
    for id in ["synthetic", "synthetic-1", "request-1"] {
        let refused = office.post("/api/v1/releases", &[], &json!({ "run": run, "release": id }));
        assert_eq!(refused.expect(422).code(), "invalid_value");
    }
}

/// A bundle is written under a name of its own, and locked while it is.
#[test]
fn what_a_killed_process_left_of_a_bundle_is_removed_and_what_is_being_written_is_not() {
    let service = Service::start();
    service
        .submitter("C01")
        .put("/api/v1/cases/FIG-0001", &[], &records::figure_1("FIG-0001"))
        .expect(201);
    let run = service.published_run("2026-11-01");
    let folder = &service.state().settings.releases.folder;
    let registry = folder.join(".0123456789abcdef.registry");
    std::fs::create_dir_all(&registry).expect("a folder");
    std::fs::write(registry.join("fictitious.sqlite3"), "half").expect("written");
    std::fs::write(registry.with_extension("draft"), "half").expect("written");
    let living = std::fs::File::create(folder.join(".fedcba9876543210.draft")).expect("a file");
    living.lock().expect("locked");
    service
        .client("coordinator", None)
        .post("/api/v1/releases", &[], &json!({ "run": run, "release": "R" }))
        .expect(201);
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, [".fedcba9876543210.draft", "R.zip"]);
}

#[test]
fn whoever_asks_for_the_fictitious_release_too_often_waits_under_whatever_key() {
    let database = support::database::Database::sqlite();
    let service = Service::start_with(database, |settings| {
        settings.limits.anonymous_per_second = std::num::NonZeroU32::MIN;
    });
    let forged = support::client::Client::new(service.base(), Some("rps_nobody"));
    for client in [service.anonymous(), forged] {
        let refused = (0..40).find_map(|_| {
            let answer = client.get("/api/v1/releases/synthetic/bundle.zip");
            (answer.status == 429).then_some(answer)
        });
        assert!(refused.expect("refused").header("retry-after").is_some());
    }
}

/// The API tells how far a release is, to the office alone, until it is there.
#[test]
fn a_release_that_is_not_waited_for_is_followed_at_its_address() {
    let (service, office) = frozen();
    let run = service.published_run("2026-11-02");
    let wanted = json!({ "run": run, "release": "G", "wait": false });
    let begun = office.post("/api/v1/releases", &[], &wanted).expect(202);
    assert_eq!(begun.header("location"), Some("/api/v1/releases/G"));
    let told = begun.json();
    assert_eq!(
        (&told["release"], &told["freezing"]["state"]),
        (&json!("G"), &json!("running"))
    );
    let there = loop {
        let told = office.get("/api/v1/releases/G").expect(200).json();
        if told.get("sha256").is_some() {
            break told;
        }
        assert_eq!(told["freezing"]["state"], "running");
        std::thread::yield_now();
    };
    assert_eq!((&there["run"], &there["cases"]), (&json!(run), &json!(3)));
    // While one is made, and after it came to nothing.
    let (store, system) = (
        &service.state().store,
        registry_core::access::Scope::system("test"),
    );
    store.begin_freezing(&system, "H", run, "Another").expect("begun");
    store.tell_freezing(&system, "H", 200, 450).expect("told");
    let again = office.post("/api/v1/releases", &[], &json!({ "run": run, "release": "H" }));
    assert_eq!(again.expect(409).code(), "invalid_state");
    let far = office.get("/api/v1/releases/H").expect(200).json();
    assert_eq!(
        (&far["freezing"]["done"], &far["freezing"]["total"]),
        (&json!(200), &json!(450))
    );
    service
        .client("researcher", None)
        .get("/api/v1/releases/H")
        .expect(404);
    store.fail_freezing(&system, "H", "no space").expect("noted");
    let failed = office.get("/api/v1/releases/H").expect(200).json();
    assert_eq!(failed["freezing"]["problem"], "no space");
    office
        .post("/api/v1/releases", &[], &json!({ "run": run, "release": "H" }))
        .expect(201);
    office.get("/api/v1/releases/H").expect(200);
    service.verify_audit();
}
