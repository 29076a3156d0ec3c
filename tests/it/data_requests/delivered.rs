//! What an approved request is given: its columns and rows, and its files whole or in part.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Frozen, THROUGH};

#[test]
fn exactly_what_was_approved_is_delivered() {
    let here = Frozen::new();
    let id = here.file(json!({ "contracted": true, "calendar_years": true, "centre_unmasked": true }));
    // Less than was asked: without the survival file.
    here.approve(
        &id,
        &json!({ "expires_on": THROUGH, "access": { "files": ["patient.csv"], "contracted": true, "calendar_years": true,
            "centre_unmasked": true, "elements": ["patient.sex", "patient.birth_year", "presentation.timing"] } }),
    );
    let manifest = here.manifest(&id);
    let names: BTreeSet<&str> = manifest["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|f| f["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(
        names,
        BTreeSet::from([
            "CITATION.cff",
            "README.md",
            "codelists.csv",
            "datapackage.json",
            "dictionary.csv",
            "load.R",
            "load.py",
            "parquet/codelists.parquet",
            "parquet/dictionary.parquet",
            "parquet/patient.parquet",
            "parquet/presentation.parquet",
            "patient.csv",
            "presentation.csv"
        ])
    );
    here.is_described(&id, &manifest);
    let (header, rows) = here.rows(&id, "presentation.csv");
    assert_eq!(
        header,
        ["patient_id", "row", "timing", "timing__label", "timing__absent"]
    );
    assert_eq!(rows.len(), 6 * 4 + 2);
    let (header, rows) = here.rows(&id, "patient.csv");
    assert_eq!(
        header[..8],
        [
            "patient_id",
            "centre",
            "diagnosis_years",
            "age_at_diagnosis",
            "age_at_diagnosis__absent",
            "sex",
            "sex__label",
            "sex__absent"
        ]
    );
    assert!(
        !header
            .iter()
            .any(|name| name.contains("birth_year") || name.contains("pseudonym"))
    );
    let told = |row: &Vec<String>| row[1..8].join("|");
    // Born 1960, diagnosed in December 2019; born 1958, diagnosed in February 2024.
    let expected = [
        ("C01|2015-2019|55-59||female|Female|", 6),
        ("C02|2020-2024|65-69||||unknown", 2),
    ];
    for (text, times) in expected {
        assert_eq!(
            rows.iter().filter(|row| told(row) == text).count(),
            times,
            "{text}"
        );
    }
    let k = &manifest["request"]["k_anonymity"];
    assert_eq!(
        [
            &k["enforced"],
            &k["k_wanted"],
            &k["k_achieved"],
            &k["rows_below_k"],
            &k["rows_withheld"]
        ],
        [&json!(false), &json!(5), &json!(2), &json!(2), &json!(0)]
    );
    // The dictionary explains these columns and no others.
    let (_, lines) = here.rows(&id, "dictionary.csv");
    let explained: BTreeSet<String> = lines
        .iter()
        .filter(|line| line[0] == "patient.csv")
        .map(|line| line[1].clone())
        .collect();
    assert_eq!(explained, header.into_iter().collect());
    assert!(lines.iter().all(|line| names.contains(line[0].as_str())));
    // What was not approved is no file of the bundle, and what is withheld is said with the reason.
    here.researcher
        .get(&format!("/api/v1/data-requests/{id}/files/survival_s1.csv"))
        .expect(404);
    let withheld = manifest["withheld"].as_array().expect("a list");
    let why = |element: &str| {
        withheld
            .iter()
            .find(|one| one["element"] == element)
            .map(|one| one["reason"].clone())
    };
    assert_eq!(why("icd10_code"), Some(json!("not part of the approved request")));
    assert_eq!(
        why("pseudonym_id"),
        Some(json!(
            "identifies outside the registry; patient_id takes its place"
        ))
    );
    // Counted: the manifest, the data package, three files (one of them not there and not counted).
    let shown = here
        .office
        .get(&format!("/api/v1/data-requests/{id}"))
        .expect(200)
        .json();
    assert_eq!(shown["downloads"], 5);
    here.service.verify_audit();
}

/// One row a case: a column comes with everything it rests on or not at all, and what it says of a patient is what `patient.csv` says.
#[test]
fn the_row_of_a_case_has_what_all_its_elements_were_approved_for() {
    let here = Frozen::new();
    let survival = [
        "presentation.seq",
        "presentation.date_detected",
        "consent.status",
        "primary.eligibility_class",
        "patient.registration_date",
        "patient.ascertainment",
        "followup.date",
        "followup.vital_status",
        "followup.death_date",
    ];
    let ask = |elements: &[&str]| {
        let mut elements: Vec<&str> = elements.to_vec();
        elements.extend([
            "patient.birth_year",
            "patient.sex",
            "presentation.timing",
            "primary.fnclcc_grade",
        ]);
        let id = here.file(json!({ "files": ["cases.csv"], "elements": elements }));
        here.approve(&id, &json!({ "expires_on": THROUGH }));
        id
    };
    let id = ask(&survival);
    let (header, rows) = here.rows(&id, "cases.csv");
    assert_eq!(
        header,
        [
            "patient_id",
            "centre",
            "age_at_diagnosis",
            "age_at_diagnosis__absent",
            "sex",
            "sex__label",
            "sex__absent",
            "eligibility_class",
            "eligibility_class__label",
            "fnclcc_grade",
            "fnclcc_grade__label",
            "fnclcc_grade__absent",
            "timing",
            "timing__label",
            "timing__absent",
            "presentations",
            "contacts",
            "os_analysed",
            "os_left_out",
            "os_left_out__label",
            "os_entry_days",
            "os_exit_days",
            "os_months",
            "os_event",
            "os_lost",
        ]
    );
    let (_, patients) = here.rows(&id, "patient.csv");
    assert_eq!((rows.len(), patients.len()), (8, 8));
    for (row, patient) in rows.iter().zip(&patients) {
        assert_eq!(row[..1], patient[..1]);
        // Two patients differ from six: withheld for all of them, here as well.
        assert_eq!(row[1..7], ["", "", "withheld", "", "", "withheld"]);
    }
    let manifest = here.manifest(&id);
    here.is_described(&id, &manifest);
    let why = |column: &str| {
        let withheld = manifest["withheld"].as_array().expect("a list").iter();
        withheld
            .filter(|one| one["entity"] == "cases" && one["element"] == column)
            .map(|one| one["reason"].as_str().expect("words").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(why("os_months"), Vec::<String>::new());
    assert_eq!(
        why("ecog"),
        ["rests on what the bundle does not hold: assessment.ecog, assessment.date"]
    );

    // One element less: no column of overall survival, and no other that rests on it.
    let less: Vec<&str> = survival
        .into_iter()
        .filter(|element| *element != "followup.vital_status")
        .collect();
    let (header, _) = here.rows(&ask(&less), "cases.csv");
    assert!(
        header.contains(&"contacts".to_owned()) && !header.iter().any(|column| column.starts_with("os_"))
    );
    // Not asked for, not there.
    let id = here.file(json!({}));
    here.approve(&id, &json!({ "expires_on": THROUGH }));
    here.researcher
        .get(&format!("/api/v1/data-requests/{id}/files/cases.csv"))
        .expect(404);
}

#[test]
fn a_file_is_streamed_whole_or_in_part_under_its_digest() {
    let here = Frozen::new();
    let id = here.file(json!({}));
    here.approve(&id, &json!({ "expires_on": THROUGH }));
    for tail in ["bundle.zip", "files/survival_s1.csv", "manifest.json"] {
        let address = format!("/api/v1/data-requests/{id}/{tail}");
        let whole = here.researcher.get(&address).expect(200);
        let digest = Sha256::digest(&whole.body);
        let etag = format!("\"{}\"", hex::encode(digest));
        assert_eq!(whole.header("etag"), Some(etag.as_str()), "{tail}");
        assert_eq!(
            whole.header("repr-digest"),
            Some(format!("sha-256=:{}:", STANDARD.encode(digest)).as_str())
        );
        let total = whole.body.len();
        assert!(total > 200, "{tail}");
        let ask = |headers: &[(&str, &str)]| here.researcher.send("GET", &address, headers, None);
        let part = ask(&[("range", "bytes=100-149")]).expect(206);
        assert_eq!(part.body, whole.body[100..150], "{tail}");
        assert_eq!(
            part.header("content-range"),
            Some(format!("bytes 100-149/{total}").as_str())
        );
        assert_eq!(
            ask(&[("range", "bytes=-7")]).expect(206).body,
            whole.body[total - 7..]
        );
        assert_eq!(
            ask(&[("range", "bytes=0-9"), ("if-range", "\"other\"")])
                .expect(200)
                .body,
            whole.body
        );
        assert_eq!(
            ask(&[("range", "bytes=0-9"), ("if-range", &etag)])
                .expect(206)
                .body,
            whole.body[..10]
        );
        ask(&[("range", &format!("bytes={total}-"))]).expect(416);
        assert!(ask(&[("if-none-match", &etag)]).expect(304).body.is_empty());
    }
}

/// The estimates of an endpoint come with its rows: alone they would be exact numbers of everybody, around disclosure control.
#[test]
fn estimates_are_those_of_the_rows_that_were_approved() {
    let here = Frozen::new();
    let alone = json!({ "release": "R", "title": "t", "purpose": "p", "files": ["patient.csv", "survival_estimates.csv"] });
    let refused = here
        .researcher
        .post("/api/v1/data-requests", &[], &alone)
        .expect(422)
        .text();
    assert!(refused.contains("files[1]: it holds the estimates"), "{refused}");
    // The files that the estimates of the whole release are of.
    let files_of = |text: &[u8]| -> BTreeSet<String> {
        let mut reader = csv::Reader::from_reader(text);
        let header = reader.headers().expect("a header").clone();
        let at = header.iter().position(|name| name == "file").expect("a column");
        reader
            .records()
            .map(|row| row.expect("a row")[at].to_owned())
            .collect()
    };
    let whole = here
        .office
        .get("/api/v1/releases/R/files/survival_estimates.csv")
        .expect(200);
    let whole = files_of(&whole.body);
    assert!(whole.len() > 1, "{whole:?}");
    let one = whole.first().expect("one").clone();
    let told = |approved: &[&str]| {
        let id =
            here.file(json!({ "files": ["patient.csv", one, "survival_estimates.csv"], "elements": [] }));
        here.approve(
            &id,
            &json!({ "expires_on": THROUGH, "access": { "files": approved } }),
        );
        let address = format!("/api/v1/data-requests/{id}/files/survival_estimates.csv");
        let files = files_of(&here.researcher.get(&address).expect(200).body);
        let manifest = here.manifest(&id);
        here.researcher
            .get(&format!("/api/v1/data-requests/{id}/files/README.md"))
            .expect(200);
        let mut listed = manifest["files"].as_array().expect("files").iter();
        let listed = listed
            .find(|file| file["name"] == "survival_estimates.csv")
            .expect("listed");
        assert_eq!(listed["rows"] == json!(0), files.is_empty());
        files
    };
    assert_eq!(
        told(&["patient.csv", &one, "survival_estimates.csv"]),
        BTreeSet::from([one.clone()])
    );
    // Approved without the rows: no line is left.
    assert_eq!(told(&["patient.csv", "survival_estimates.csv"]), BTreeSet::new());
}

/// What a bundle says of itself is of the files that it has.
#[test]
fn the_readme_of_a_bundle_names_no_file_that_is_not_there() {
    let here = Frozen::new();
    let id = here.file(json!({ "files": ["patient.csv", "survival_s1.csv"], "elements": [] }));
    here.approve(&id, &json!({ "expires_on": THROUGH }));
    let readme = |address: &str, reader: &support::client::Client| {
        let text = reader
            .get(&format!("{address}/files/README.md"))
            .expect(200)
            .text();
        let manifest = reader.get(&format!("{address}/manifest.json")).expect(200).json();
        let files = manifest["files"].as_array().expect("files").iter();
        let mut there: BTreeSet<String> = files
            .map(|file| file["name"].as_str().expect("a name").to_owned())
            .collect();
        there.insert("manifest.json".to_owned());
        let named = |part: &&str| {
            let (stem, ending) = part.rsplit_once('.').unwrap_or_default();
            let plain = !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            plain && ["csv", "json", "cff", "R", "py"].contains(&ending)
        };
        let named: BTreeSet<String> = text.split('`').filter(named).map(str::to_owned).collect();
        assert!(named.len() > 5 && named.is_subset(&there), "{named:?}");
        assert!(!text.contains("<!--"), "{text}");
        text
    };
    let own = readme(&format!("/api/v1/data-requests/{id}"), &here.researcher);
    assert!(own.contains("overall survival (S1) in R") && own.contains("Terms of use"));
    assert!(!own.contains("reproduce.R") && !own.contains("cases.csv"));
    let whole = readme("/api/v1/releases/R", &here.office);
    assert!(whole.contains("`reproduce.R`") && whole.contains("`cases.csv`"));
}
