//! A researcher asks, the office opens less or nothing, exactly that is delivered until the last day, and a withdrawal names who held the case.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{client::Client, records, service::Service};

/// Six patients as in Figure 1 at one centre, two as in Figure 2 at another, frozen as release `R`.
struct Frozen {
    service: Service,
    office: Client,
    researcher: Client,
}

impl Frozen {
    fn new() -> Self {
        let service = Service::start();
        for (n, (source, centre)) in std::iter::repeat_n(("figure-1", "C01"), 6)
            .chain(std::iter::repeat_n(("figure-2", "C02"), 2))
            .enumerate()
        {
            let name = format!("FIG-{n:04}");
            let body = records::example(source, &name);
            let address = format!("/api/v1/cases/{name}");
            service.submitter(centre).put(&address, &[], &body).expect(201);
        }
        let run = service.published_run("2026-11-01");
        let office = service.client("coordinator", None);
        office
            .post("/api/v1/releases", &[], &json!({ "run": run, "release": "R" }))
            .expect(201);
        let researcher = service.client("researcher", None);
        Self {
            service,
            office,
            researcher,
        }
    }

    fn file(&self, change: Value) -> String {
        let mut body = json!({
            "release": "R", "title": "Sites and survival", "purpose": "A doctoral thesis", "files": ["patient.csv", "survival_s1.csv"],
            "elements": ["patient.sex", "patient.birth_year", "presentation.timing"],
        });
        for (name, value) in change.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let filed = self
            .researcher
            .post("/api/v1/data-requests", &[], &body)
            .expect(201)
            .json();
        assert_eq!(
            (&filed["status"], &filed["open"]),
            (&json!("submitted"), &json!(false))
        );
        filed["request_id"].as_str().expect("an id").to_owned()
    }

    fn approve(&self, id: &str, body: &Value) {
        let address = format!("/api/v1/data-requests/{id}:approve");
        let approved = self.office.post(&address, &[], body).expect(200).json();
        assert_eq!(
            (&approved["status"], &approved["open"]),
            (&json!("approved"), &json!(true))
        );
    }

    /// A file of a request by the researcher: header and rows.
    fn rows(&self, id: &str, file: &str) -> (Vec<String>, Vec<Vec<String>>) {
        let answer = self
            .researcher
            .get(&format!("/api/v1/data-requests/{id}/files/{file}"))
            .expect(200);
        let mut reader = csv::Reader::from_reader(answer.body.as_slice());
        let header = reader
            .headers()
            .expect("a header")
            .iter()
            .map(str::to_owned)
            .collect();
        let rows = reader
            .records()
            .map(|row| row.expect("a row").iter().map(str::to_owned).collect());
        (header, rows.collect())
    }

    fn manifest(&self, id: &str) -> Value {
        self.researcher
            .get(&format!("/api/v1/data-requests/{id}/manifest.json"))
            .expect(200)
            .json()
    }

    /// The data package of a request's bundle is that of the tables which are in it, as they are in it.
    fn is_described(&self, id: &str, manifest: &Value) {
        let address = format!("/api/v1/data-requests/{id}/files/datapackage.json");
        let package = self.researcher.get(&address).expect(200).json();
        let told = |files: &Value, name: &str, digest: &str| -> BTreeSet<(String, String)> {
            let files = files.as_array().expect("a list").iter();
            files
                .map(|file| [name, digest].map(|key| file[key].as_str().expect("text").to_owned()))
                .map(|[name, digest]| (name, digest.trim_start_matches("sha256:").to_owned()))
                .filter(|(name, _)| name.ends_with(".csv"))
                .collect()
        };
        assert_eq!(
            told(&package["resources"], "path", "hash"),
            told(&manifest["files"], "name", "sha256")
        );
        let patients = package["resources"].as_array().expect("a list").iter();
        let patients = patients.filter(|one| one["path"] == "patient.csv");
        let fields: Vec<&Value> = patients
            .flat_map(|one| one["schema"]["fields"].as_array().expect("fields"))
            .collect();
        let field = |name: &str| {
            fields
                .iter()
                .find(|field| field["name"] == name)
                .expect("a field")
        };
        assert_eq!(field("age_at_diagnosis")["type"], "string");
        let reasons = field("sex__absent")["constraints"]["enum"]
            .as_array()
            .expect("reasons");
        assert!(reasons.contains(&json!("withheld")), "{reasons:?}");
    }
}

const THROUGH: &str = "2026-12-31";

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
            "patient.csv",
            "presentation.csv"
        ])
    );
    here.is_described(&id, &manifest);
    let (header, rows) = here.rows(&id, "presentation.csv");
    assert_eq!(header, ["patient_id", "row", "timing", "timing__absent"]);
    assert_eq!(rows.len(), 6 * 4 + 2);
    let (header, rows) = here.rows(&id, "patient.csv");
    assert_eq!(
        header[..7],
        [
            "patient_id",
            "centre",
            "diagnosis_years",
            "age_at_diagnosis",
            "age_at_diagnosis__absent",
            "sex",
            "sex__absent"
        ]
    );
    assert!(
        !header
            .iter()
            .any(|name| name.contains("birth_year") || name.contains("pseudonym"))
    );
    let told = |row: &Vec<String>| row[1..7].join("|");
    // Born 1960, diagnosed in December 2019; born 1958, diagnosed in February 2024.
    let expected = [
        ("C01|2015-2019|55-59||female|", 6),
        ("C02|2020-2024|65-69|||unknown", 2),
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

#[test]
fn without_a_contract_small_groups_are_made_larger_or_withheld() {
    let here = Frozen::new();
    let id = here.file(json!({ "calendar_years": true }));
    here.approve(&id, &json!({ "expires_on": THROUGH }));
    // Two patients differ from six whatever is done: all eight are withheld, the two would be known by it otherwise.
    let (header, rows) = here.rows(&id, "patient.csv");
    assert_eq!(
        header[..4],
        ["patient_id", "centre", "diagnosis_years", "age_at_diagnosis"]
    );
    assert_eq!(rows.len(), 8);
    for row in &rows {
        assert_eq!(row[1..7], ["", "", "", "withheld", "", "withheld"], "{row:?}");
    }
    let k = here.manifest(&id)["request"]["k_anonymity"].clone();
    assert_eq!(
        [
            &k["enforced"],
            &k["k_achieved"],
            &k["rows_below_k_before"],
            &k["rows_below_k"],
            &k["rows_withheld"]
        ],
        [&json!(true), &json!(8), &json!(2), &json!(0), &json!(8)]
    );
    assert_eq!(k["generalised"].as_array().map(Vec::len), Some(4));
    let text = String::from_utf8(
        here.researcher
            .get(&format!("/api/v1/data-requests/{id}/files/patient.csv"))
            .expect(200)
            .body,
    );
    let text = text.expect("UTF-8");
    assert!(!text.contains("C01") && !text.contains("female"));
}

#[test]
fn a_line_of_requests_keeps_its_pseudonyms_and_no_other_shares_them() {
    let here = Frozen::new();
    let patients = |id: &str| -> BTreeSet<String> {
        here.approve(id, &json!({ "expires_on": THROUGH }));
        let (_, rows) = here.rows(id, "survival_s1.csv");
        rows.into_iter().map(|row| row[0].clone()).collect()
    };
    let (first, other) = (here.file(json!({})), here.file(json!({})));
    let (one, two) = (patients(&first), patients(&other));
    assert_eq!((one.len(), two.len()), (8, 8));
    assert!(one.is_disjoint(&two));
    let next = here.file(json!({ "continues": first }));
    assert_eq!(patients(&next), one);
    let release = here
        .office
        .get("/api/v1/releases/R/files/survival_s1.csv")
        .expect(200)
        .text();
    assert!(
        one.iter()
            .chain(&two)
            .all(|patient| !release.contains(patient.as_str()))
    );
}

#[test]
fn a_request_is_its_filers_and_open_between_approval_and_last_day() {
    let here = Frozen::new();
    let id = here.file(json!({}));
    let address = format!("/api/v1/data-requests/{id}");
    let bundle = format!("{address}/bundle.zip");
    assert_eq!(
        here.researcher.get(&bundle).expect(403).code(),
        "request_not_open"
    );
    // Another researcher's is no such request; other roles have none.
    let stranger = here.service.client("researcher", None);
    for path in [&address, &bundle] {
        stranger.get(path).expect(404);
    }
    assert_eq!(
        stranger.get("/api/v1/data-requests").expect(200).json()["requests"],
        json!([])
    );
    here.service.client("committee", None).get(&address).expect(403);
    here.office
        .post("/api/v1/data-requests", &[], &json!({}))
        .expect(403);
    // No wider than asked, not for a day that is past.
    let wide = json!({ "expires_on": THROUGH, "access": { "files": ["patient.csv"], "elements": ["hereditary.syndrome"] } });
    here.office
        .post(&format!("{address}:approve"), &[], &wide)
        .expect(422);
    here.office
        .post(
            &format!("{address}:approve"),
            &[],
            &json!({ "expires_on": "2026-11-22" }),
        )
        .expect(422);
    here.researcher
        .post(
            &format!("{address}:approve"),
            &[],
            &json!({ "expires_on": THROUGH }),
        )
        .expect(403);
    here.approve(&id, &json!({ "expires_on": "2026-11-24" }));
    here.researcher.get(&bundle).expect(200);
    here.office
        .post(&format!("{address}:decline"), &[], &json!({ "reason": "late" }))
        .expect(409);
    here.service.advance_days(1);
    here.researcher.get(&bundle).expect(200);
    here.service.advance_days(1);
    assert_eq!(
        here.researcher.get(&bundle).expect(403).code(),
        "request_not_open"
    );

    let (revoked, declined) = (here.file(json!({})), here.file(json!({})));
    here.approve(&revoked, &json!({ "expires_on": THROUGH }));
    here.researcher
        .get(&format!("/api/v1/data-requests/{revoked}/bundle.zip"))
        .expect(200);
    let because = json!({ "reason": "the contract ended" });
    here.office
        .post(
            &format!("/api/v1/data-requests/{revoked}:revoke"),
            &[],
            &json!({ "reason": " " }),
        )
        .expect(422);
    let told = here
        .office
        .post(&format!("/api/v1/data-requests/{revoked}:revoke"), &[], &because)
        .expect(200)
        .json();
    assert_eq!(
        (&told["status"], &told["revoked_for"]),
        (&json!("revoked"), &because["reason"])
    );
    here.researcher
        .get(&format!("/api/v1/data-requests/{revoked}/manifest.json"))
        .expect(403);
    here.office
        .post(
            &format!("/api/v1/data-requests/{declined}:decline"),
            &[],
            &json!({ "reason": "no plan" }),
        )
        .expect(200);
    let seen = here
        .researcher
        .get(&format!("/api/v1/data-requests/{declined}"))
        .expect(200)
        .json();
    assert_eq!(
        (&seen["status"], &seen["reason"]),
        (&json!("declined"), &json!("no plan"))
    );
    here.service.verify_audit();
}

#[test]
fn what_no_bundle_holds_cannot_be_asked() {
    let here = Frozen::new();
    let asked = json!({ "release": "R", "title": "t", "purpose": "p", "files": ["patient.csv", "secret.csv"],
        "elements": ["consent.date", "patient.pseudonym_id", "patient.canary", "record.record_id", "systemic.line"] });
    let refused = here
        .researcher
        .post("/api/v1/data-requests", &[], &asked)
        .expect(422);
    let detail = refused.json()["detail"].as_str().expect("a detail").to_owned();
    for place in [
        "files[1]: no such file",
        "elements[0]: never leaves",
        "elements[1]: identifies",
        "elements[2]: no such element",
        "elements[3]: ",
    ] {
        assert!(detail.contains(place), "{place} in {detail}");
    }
    assert!(!detail.contains("files[0]") && !detail.contains("canary"));
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

#[test]
fn a_withdrawal_names_the_releases_and_requests_that_held_the_case() {
    let here = Frozen::new();
    let (delivered, unread) = (here.file(json!({})), here.file(json!({})));
    for id in [&delivered, &unread] {
        here.approve(id, &json!({ "expires_on": THROUGH }));
    }
    let bundle = format!("/api/v1/data-requests/{delivered}/bundle.zip");
    here.researcher.get(&bundle).expect(200);
    let withdrawn = here
        .service
        .submitter("C01")
        .post(
            "/api/v1/cases/FIG-0001:withdraw",
            &[],
            &json!({"mode": "erase", "date": "2026-11-20", "reason": "asked for"}),
        )
        .expect(200)
        .json();
    assert_eq!(withdrawn["releases_that_held_the_case"], json!(["R"]));
    assert_eq!(withdrawn["data_requests_that_held_the_case"], json!([delivered]));
    let record = withdrawn["record_id"].as_str().expect("an id");
    let address = format!("/api/v1/withdrawals/{record}/recipients");
    let told = here.office.get(&address).expect(200).json();
    assert_eq!(told["releases"], json!(["R"]));
    let recipients = told["recipients"].as_array().expect("a list");
    assert_eq!(recipients.len(), 1);
    assert_eq!(
        (&recipients[0]["request_id"], &recipients[0]["downloads"]),
        (&json!(delivered), &json!(1))
    );
    assert!(
        recipients[0]["filed_by"]
            .as_str()
            .is_some_and(|who| who.starts_with("key:"))
    );
    here.service.submitter("C01").get(&address).expect(403);
    let events = here
        .office
        .get("/api/v1/audit?action=case.withdraw")
        .expect(200)
        .json();
    assert!(
        events.to_string().contains(&delivered),
        "the event names the request"
    );
    // What was delivered is not handed out again, though its file is there; what is built from now on holds the case no more.
    let refused = here.researcher.get(&bundle).expect(410).json();
    let why = refused["detail"].as_str().expect("a reason");
    assert!(why.contains("withdrawn since"), "{why}");
    let (_, rows) = here.rows(&unread, "survival_s1.csv");
    assert_eq!(rows.len(), 7);
    here.service.verify_audit();
}
