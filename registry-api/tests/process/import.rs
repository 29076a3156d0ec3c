//! The way out and in again: a centre's bundle, the import command, and what a second import changes.

use std::io::Write;

use registry_core::access::Role;

use crate::support::{Registry, case, send};

#[test]
fn a_centre_takes_its_cases_home_and_the_bundle_imports_back_unchanged() {
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let served = registry.serve();
    std::fs::write(registry.folder().join("key.txt"), format!("{key}\n")).unwrap();
    let mut sent = Vec::new();
    for n in 0..150 {
        let body = case(&format!("OWN-{n:04}"));
        sent.push(body);
    }
    let lines: String = sent.iter().map(|body| format!("{body}\n")).collect();
    let headers = [("content-type", "application/x-ndjson")];
    let stored = send(
        &served.base,
        Some(&key),
        "POST",
        "/api/v1/cases:batch",
        &headers,
        Some(&lines),
    )
    .unwrap();
    assert_eq!(stored.status, 200);

    let export = |query: &str| {
        let path = format!("/api/v1/cases/export{query}");
        send(&served.base, Some(&key), "GET", &path, &[], None).unwrap()
    };
    let home = export("");
    assert_eq!(home.header("content-type"), Some("application/x-ndjson"));
    let mut home: Vec<serde_json::Value> = home
        .text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    home.sort_by_key(|body| body["patient"]["pseudonym_id"].as_str().unwrap().to_owned());
    assert_eq!(home, sent, "more than a page, every case once");
    assert_eq!(export("?format=xml").status, 400);

    let agent: ureq::Agent = ureq::Agent::config_builder().build().into();
    let mut zip = agent
        .get(format!("{}/api/v1/cases/export", served.base))
        .header("authorization", format!("Bearer {key}"))
        .header("accept", "application/zip")
        .call()
        .unwrap();
    assert!(
        zip.headers().get("content-length").is_none(),
        "sent while it is made"
    );
    let bytes = zip.body_mut().read_to_vec().unwrap();
    std::fs::write(registry.folder().join("own.zip"), bytes).unwrap();
    let import = |path: &str, format: &str, more: &[&str]| {
        let mut arguments = vec![
            "import",
            path,
            "--format",
            format,
            "--url",
            &served.base,
            "--key-file",
            "key.txt",
        ];
        arguments.extend(more);
        registry.run(&arguments)
    };
    let again = import("own.zip", "bundle", &[]);
    assert!(again.success, "{again:?}");
    assert!(
        again
            .out
            .ends_with("0 created, 0 changed, 150 unchanged, 0 refused\n"),
        "{}",
        again.out
    );
}

#[test]
fn a_faulty_row_is_reported_by_its_cell_and_spoils_only_its_case() {
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let served = registry.serve();
    std::fs::write(registry.folder().join("key.txt"), &key).unwrap();
    let folder = registry.folder().join("bundle");
    std::fs::create_dir(&folder).unwrap();
    let file = |name: &str, text: &str| {
        let mut file = std::fs::File::create(folder.join(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    file("record.csv", "patient_id\nIMP-1\nIMP-2\nIMP-3\n");
    file("hereditary.csv", "patient_id\nIMP-1\nIMP-2\nIMP-3\n");
    file(
        "patient.csv",
        "patient_id,registration_date,ascertainment\nIMP-1,2025-03-10,prospective\nIMP-2,2025-03-10,SECRET\nIMP-3,2025-03-10,prospective\n",
    );
    file(
        "consent.csv",
        "patient_id,status,date,research_reuse\nIMP-1,consented,2025-03-10,TRUE\nIMP-2,consented,2025-03-10,TRUE\nIMP-3,consented,2025-03-10,TRUE\n",
    );
    file(
        "primary.csv",
        "patient_id,icdo_morphology,icdo_topography,diagnosis_date\nIMP-1,8890/3,C48.0,2023-05-02\nIMP-2,8890/3,C48.0,2023-05-02\nIMP-3,8936/3,C48.0,2023-05-02\n",
    );
    file(
        "presentation.csv",
        "patient_id,row,seq,date_detected\nIMP-1,1,1,2025-03-03\nIMP-2,1,1,2025-03-03\nIMP-3,1,1,2025-03-03\n",
    );
    file(
        "followup.csv",
        "patient_id,row,date,vital_status\nIMP-1,1,2025-09-01,alive\nIMP-2,1,2025-09-01,alive\nIMP-3,1,2025-09-01,alive\n",
    );
    let import = |more: &[&str]| {
        let mut arguments = vec![
            "import",
            "bundle",
            "--format",
            "bundle",
            "--url",
            &served.base,
            "--key-file",
            "key.txt",
        ];
        arguments.extend(more);
        registry.run(&arguments)
    };
    let there = || {
        send(&served.base, Some(&key), "GET", "/api/v1/cases/IMP-1", &[], None)
            .unwrap()
            .status
    };
    let dry = import(&["--dry-run"]);
    assert!(
        dry.out
            .ends_with("Nothing was stored. It would be: 1 created, 0 changed, 0 unchanged, 2 refused\n"),
        "{dry:?}"
    );
    assert_eq!(there(), 404, "a dry run stores nothing");
    let done = import(&[]);
    assert!(!done.success);
    assert!(
        done.out
            .ends_with("1 created, 0 changed, 0 unchanged, 2 refused\n"),
        "{}",
        done.out
    );
    assert_eq!(there(), 200);
    assert!(
        done.out
            .contains("patient.csv, line 3, column 3 (ascertainment): reject code_not_in_list"),
        "{}",
        done.out
    );
    // E-011: the histology is excluded; the judge's finding leads back to its cell.
    assert!(
        done.out
            .contains("primary.csv, line 4, column 2 (icdo_morphology): reject E-011"),
        "{}",
        done.out
    );
    assert!(!done.out.contains("SECRET") && !done.err.contains("SECRET"));
    let broken = folder.join("lesion.csv");
    std::fs::write(broken, "patient_id;row\n").unwrap();
    let nothing = import(&[]);
    assert!(
        nothing.out.starts_with("lesion.csv, line 1, column 1"),
        "{}",
        nothing.out
    );
    assert!(nothing.err.contains("nothing was sent"), "{}", nothing.err);
}
