//! `/imports`: files from a page, the jobs they become, and what these report.

use registry_core::access::{Role, Scope};
use registry_core::storage::{AuditFilter, JobCounts, JobState};
use serde_json::{Value, json};
use support::client::{Answer, Client};
use support::database::Database;
use support::{records, service::Service};

use crate::browser::{Browser, HTML};

const BOUNDARY: &str = "----WebKitFormBoundaryq1W2e3R4";

/// A form with a file, as browsers send it.
fn send(centre: &Browser<'_>, path: &str, body: &[u8], site: &str) -> Answer {
    let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
    centre.send_body(path, ("content-type", &media_type), body, site)
}

/// The form of `/imports` with a file.
fn upload(centre: &Browser<'_>, fields: &[(&str, &str)], file: &[u8]) -> Answer {
    let csrf = centre.csrf();
    let mut all = vec![("csrf", csrf.as_str())];
    all.extend_from_slice(fields);
    send(centre, "/imports", &form(&all, file), "same-origin")
}

/// Waits until a job has ended.
fn ended(service: &Service, id: &str) {
    let store = &service.state().store;
    while store.job(&Scope::system("test"), id).expect("the job").state == JobState::Running {
        std::thread::yield_now();
    }
}

/// Hands a file in and waits until its job has ended; the address of its page.
fn handed_in(centre: &Browser<'_>, fields: &[(&str, &str)], file: &[u8]) -> String {
    let answer = upload(centre, fields, file).expect(303);
    let page = answer.header("location").expect("a job").to_owned();
    ended(centre.service, page.strip_prefix("/imports/").expect("a job"));
    page
}

fn form(fields: &[(&str, &str)], file: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"own.zip\"\r\nContent-Type: application/zip\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(file);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

const TRY: (&str, &str) = ("keep", "no");
const STORE: (&str, &str) = ("keep", "yes");
const BUNDLE: (&str, &str) = ("format", "bundle");
const REDCAP: (&str, &str) = ("format", "redcap-csv");

/// The bundle of a centre with three cases, from a registry of its own.
fn bundle() -> Vec<u8> {
    let service = Service::start();
    let centre = service.submitter("C01");
    for n in 0..3 {
        let name = format!("FIG-{n:04}");
        centre
            .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
            .expect(201);
    }
    centre.get("/api/v1/cases/export?format=csv").expect(200).body
}

fn tried_then_stored(database: Database) {
    let zip = bundle();
    let service = Service::start_with(database, |_| {});
    let centre = Browser::of(&service, Role::Submitter, Some("C01"));
    let text = centre.text("/imports");
    assert!(
        text.contains("enctype=\"multipart/form-data\"") && text.contains("Nothing has been handed in yet"),
        "{text}"
    );
    assert!(
        text.contains("<a href=\"/imports\" aria-current=\"page\">Imports</a>"),
        "{text}"
    );

    let page = handed_in(&centre, &[BUNDLE, TRY], &zip);
    let text = centre.text(&page);
    assert!(
        text.contains("Dry run: done") && text.contains("nothing was stored"),
        "{text}"
    );
    assert!(
        text.contains("3 of 3 cases: 3 new, 0 changed, 0 unchanged, 0 refused"),
        "{text}"
    );
    let own = service.submitter("C01");
    assert_eq!(own.get("/api/v1/cases").expect(200).json()["cases"], json!([]));
    assert!(!text.contains("href=\"/cases/FIG-0000\""), "{text}");

    let page = handed_in(&centre, &[BUNDLE, STORE], &zip);
    let text = centre.text(&page);
    assert!(
        text.contains("Import: done") && text.contains("3 new, 0 changed"),
        "{text}"
    );
    for n in 0..3 {
        let link = format!("href=\"/cases/FIG-{n:04}\"");
        assert!(text.contains(&link), "{text}");
    }
    let again = handed_in(&centre, &[BUNDLE, STORE], &zip);
    let text = centre.text(&again);
    assert!(
        text.contains("0 new, 0 changed, 3 unchanged, 0 refused"),
        "{text}"
    );
    assert_eq!(
        own.get("/api/v1/cases/FIG-0001/versions").expect(200).json()["versions"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );

    // The report says of each case what became of it; the page has the cases stored in a table of their own.
    let became = |page: &str| -> Vec<(String, String)> {
        let id = page.strip_prefix("/imports/").expect("a job");
        let told = own.get(&format!("/api/v1/jobs/{id}/report")).expect(200).text();
        let lines = told
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let lines = lines.filter(|line| line["severity"] == "info");
        let mut all: Vec<_> = lines
            .map(|line| (text(&line, "case"), text(&line, "code")))
            .collect();
        // A bundle has its cases in the order of its patients, which says nothing.
        all.sort();
        all
    };
    let all = |code: &str| -> Vec<(String, String)> {
        (0..3).map(|n| (format!("FIG-{n:04}"), code.to_owned())).collect()
    };
    assert_eq!(became(&page), all("created"));
    assert_eq!(became(&again), all("unchanged"));
    assert!(!text.contains(">info<"), "{text}");
    let csv = centre.page(&format!("{again}/report.csv")).expect(200).text();
    assert!(csv.contains("FIG-0001,info,unchanged,"), "{csv}");

    // To another centre there is no such job; the office reads it and hands in nothing; others have no such page.
    let other = Browser::of(&service, Role::CentreLead, Some("C02"));
    other.page(&page).expect(404);
    other.page(&format!("{page}/report.csv")).expect(404);
    assert!(!other.text("/imports").contains(&page));
    let office = Browser::of(&service, Role::Coordinator, None);
    let text = office.text("/imports");
    assert!(
        text.contains(&page) && text.contains("C01") && !text.contains("type=\"file\""),
        "{text}"
    );
    assert!(office.text(&page).contains("3 new, 0 changed"));
    upload(&office, &[BUNDLE, STORE], &zip).expect(403);
    for role in ["committee", "researcher", "admin"] {
        let client = service.client(role, None);
        client.get_with("/imports", &[HTML]).expect(403);
        client.get_with(&page, &[HTML]).expect(403);
    }
    service.anonymous().get_with("/imports", &[HTML]).expect(401);
    service.verify_audit();
}

#[test]
fn a_file_is_tried_then_stored() {
    tried_then_stored(Database::sqlite());
}

#[test]
fn a_file_is_tried_then_stored_on_postgresql() {
    if let Some(database) = Database::postgres() {
        tried_then_stored(database);
    }
}

#[test]
fn files_that_cannot_be_read_are_told_by_place_and_make_no_job() {
    let service = Service::start();
    let centre = Browser::of(&service, Role::Submitter, Some("C01"));
    let text = upload(&centre, &[BUNDLE, STORE], b"no zip").expect(422).text();
    assert!(
        text.contains("The files cannot be read; nothing was stored"),
        "{text}"
    );
    let file = b"record_id,canary\nX-1,2\n";
    let text = upload(&centre, &[REDCAP, STORE], file).expect(422).text();
    assert!(text.contains("export.csv, line 1, column 2"), "{text}");
    assert!(
        text.contains("Hand in a file"),
        "the form is there for another try: {text}"
    );
    for (fields, file, says) in [
        (vec![BUNDLE, STORE], "", "File: choose one"),
        (vec![("format", "canary"), STORE], "x", "Kind of file: choose one"),
        (vec![BUNDLE], "x", "What to do: try, or store"),
        (
            vec![BUNDLE, STORE, ("mapping", "ours")],
            "x",
            "Mapping: for REDCap exports only",
        ),
    ] {
        let text = upload(&centre, &fields, file.as_bytes()).expect(422).text();
        assert!(text.contains(says) && !text.contains("canary"), "{says}: {text}");
    }
    upload(&centre, &[REDCAP, STORE, ("mapping", "none")], b"record_id\n").expect(404);
    let jobs = service.state().store.list_jobs(&Scope::system("test"), None, 10);
    assert!(jobs.expect("jobs").items.is_empty());
}

#[test]
fn a_form_that_is_not_ours_hands_in_nothing() {
    let service = Service::start();
    let centre = Browser::of(&service, Role::Submitter, Some("C01"));
    let good = centre.csrf();
    let zip = bundle();
    let with = |csrf: &str| form(&[("csrf", csrf), BUNDLE, STORE], &zip);
    let send = |body: &[u8], site: &str| send(&centre, "/imports", body, site);
    send(&with("guess"), "same-origin").expect(403);
    send(&form(&[BUNDLE, STORE], &zip), "same-origin").expect(403);
    send(&with(&good), "cross-site").expect(403);
    let whole = with(&good);
    let cut = whole.get(..whole.len() - 10).expect("longer");
    let text = send(cut, "same-origin").expect(422).text();
    assert!(text.contains("The form cannot be read"), "{text}");
    send(&with(&good), "same-origin").expect(303);
    let key = service.key("submitter", Some("C01"));
    let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let headers = [("content-type", media_type.as_str())];
    Client::new(service.base(), Some(&key))
        .send("POST", "/imports", &headers, Some(&whole))
        .expect(401);
}

/// A project with fields of its own: two cases that are not whole, one of them with a code it does not know.
const PROJECT: &[u8] = b"record_id,sex\nMAP-1,1\nMAP-2,canary\n";
const MAPPING: &str = r#"
schema_version = "1.1.0"

[[field]]
from = "sex"
to = "patient.sex"
codes = { "1" = "female", "2" = "male" }
"#;

#[test]
fn a_kept_mapping_is_chosen_and_the_report_names_the_cell() {
    let service = Service::start();
    let own = service.submitter("C01");
    let centre = Browser::of(&service, Role::Submitter, Some("C01"));
    let csrf = centre.csrf();
    let keep = |name: &str, mapping: &str| {
        let body = form(&[("csrf", &csrf), ("name", name)], mapping.as_bytes());
        send(&centre, "/imports/mappings", &body, "same-origin")
    };
    let text = keep("ours", &MAPPING.replace("patient.sex", "patient.shoe"))
        .expect(422)
        .text();
    assert!(text.contains("patient.shoe"), "{text}");
    keep("no name", MAPPING).expect(422);
    assert_eq!(
        keep("ours", MAPPING).expect(303).header("location"),
        Some("/imports")
    );
    assert_eq!(
        own.get("/api/v1/imports/mappings/ours").expect(200).text(),
        MAPPING
    );
    assert!(
        centre
            .text("/imports")
            .contains("<option value=\"ours\">ours</option>")
    );
    let other = Browser::of(&service, Role::Submitter, Some("C02"));
    assert!(!other.text("/imports").contains("value=\"ours\""));
    let page = handed_in(&centre, &[REDCAP, TRY, ("mapping", "ours")], PROJECT);
    let text = centre.text(&page);
    assert!(
        text.contains("0 new, 0 changed, 0 unchanged, 2 refused"),
        "{text}"
    );
    assert!(
        text.contains("export.csv, line 3, column 2 (patient_sex)"),
        "{text}"
    );
    assert!(text.contains("MAP-2") && !text.contains("canary"), "{text}");

    let answer = centre.page(&format!("{page}/report.csv")).expect(200);
    let mut reader = csv::Reader::from_reader(answer.body.as_slice());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let id = page.strip_prefix("/imports/").expect("a job");
    let told = own.get(&format!("/api/v1/jobs/{id}/report")).expect(200).text();
    let told: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(rows.len(), told.len());
    for (row, line) in rows.iter().zip(&told) {
        let of = |name: &str| line[name].as_str().map(str::to_owned);
        assert_eq!(
            (
                Some(row[0].to_owned()),
                Some(row[1].to_owned()),
                Some(row[2].to_owned()),
                Some(row[4].to_owned())
            ),
            (of("case"), of("severity"), of("code"), of("message"))
        );
    }
    assert!(
        rows.iter()
            .any(|row| &row[3] == "export.csv, line 3, column 2 (patient_sex)")
    );
}

fn readings(service: &Service) -> usize {
    let filter = AuditFilter {
        action: Some("job.report".to_owned()),
        ..AuditFilter::default()
    };
    let page = service
        .state()
        .store
        .list_audit(&Scope::system("test"), &filter, None, 100);
    page.expect("events").items.len()
}

#[test]
fn a_job_under_way_says_how_far_it_is_and_its_report_is_read_when_asked_for() {
    let service = Service::start();
    let store = &service.state().store;
    let scope = store
        .authenticate(&service.key("submitter", Some("C01")))
        .expect("a scope");
    let job = store.start_job(&scope, "import", false, 200).expect("a job");
    let page = format!("/imports/{}", job.job_id);
    let line = |case: &str| {
        let place = json!({"file": "patient.csv", "line": 2, "column": 3, "name": "sex"});
        format!(
            "{}\n",
            json!({"case": case, "severity": "warning", "code": "E-005", "place": place, "message": "look <here>"})
        )
    };
    let counts = |created| JobCounts {
        total: 200,
        created,
        ..JobCounts::default()
    };
    store
        .tell_job(&scope, &job.job_id, counts(60), &line("P-1"))
        .expect("told");
    store
        .tell_job(&scope, &job.job_id, counts(120), &line("P-2"))
        .expect("told");
    let centre = Browser::of(&service, Role::Submitter, Some("C01"));
    for path in [page.as_str(), "/imports"] {
        let text = centre.text(path);
        assert!(
            text.contains("<progress max=\"200\" value=\"120\"") && text.contains("data-under-way"),
            "{path}: {text}"
        );
        assert!(
            text.contains("120 of 200 cases") && text.contains("Look again"),
            "{path}: {text}"
        );
        assert!(!text.contains("http-equiv"), "no page reloads by itself");
    }
    assert_eq!(readings(&service), 0, "looking how far it is reads no report");
    let text = centre.text(&format!("{page}?part=1"));
    assert!(
        text.contains("patient.csv, line 2, column 3 (sex)") && text.contains("look &#60;here&#62;"),
        "{text}"
    );
    assert!(
        text.contains("P-1") && !text.contains("P-2") && text.contains("Next part"),
        "{text}"
    );
    assert_eq!(readings(&service), 1);
    let text = centre.text(&format!("{page}?part=2"));
    assert!(
        text.contains("P-2") && !text.contains("Next part") && text.contains("Earlier part"),
        "{text}"
    );
    assert_eq!(readings(&service), 2);
    assert!(centre.text(&format!("{page}?part=9")).contains("no such part"));
    centre.page(&format!("{page}?part=0")).expect(400);
    centre.page(&format!("{page}?part=canary")).expect(400);

    service.advance_minutes(6);
    let text = centre.text(&page);
    assert!(
        text.contains("Import: interrupted") && text.contains("hand in the same file again"),
        "{text}"
    );
    assert!(!text.contains("data-under-way"), "{text}");
    assert!(text.contains("P-1"), "{text}");
}

/// What a centre's system handed in as a batch is in the same list, with a line per finding and per refused item.
#[test]
fn a_batch_that_became_a_job_is_shown_with_its_items() {
    let service = Service::start();
    let own = service.submitter("C01");
    let mut wrong = records::figure_1("FIG-0002");
    wrong["patient"]["sex"] = json!("canary");
    let lines = format!("{}\n{wrong}\n", records::figure_1("FIG-0001"));
    let headers = [
        ("content-type", "application/x-ndjson"),
        ("prefer", "respond-async"),
    ];
    let job = own
        .send("POST", "/api/v1/cases:batch", &headers, Some(lines.as_bytes()))
        .expect(202)
        .json();
    let id = job["job_id"].as_str().expect("an id").to_owned();
    ended(&service, &id);
    let centre = Browser::of(&service, Role::Submitter, Some("C01"));
    let text = centre.text(&format!("/imports/{id}"));
    assert!(
        text.contains("Batch by API: done") && text.contains("1 new, 0 changed, 0 unchanged, 1 refused"),
        "{text}"
    );
    assert!(
        text.contains("item 2 Patient: sex") && !text.contains("canary"),
        "{text}"
    );
    assert!(
        text.contains("href=\"/cases/FIG-0001\"") && !text.contains("href=\"/cases/FIG-0002\""),
        "{text}"
    );
}

/// What a centre can take along or build its project from, as the pages link it.
#[test]
fn every_download_of_the_cases_and_the_schema_page_is_there() {
    let service = Service::start();
    let own = service.submitter("C01");
    own.put("/api/v1/cases/FIG-0001", &[], &records::figure_1("FIG-0001"))
        .expect(201);
    let files = |text: &str| -> Vec<String> {
        let found = text
            .split("href=\"/api/")
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        found
            .map(|path| format!("/api/{}", path.replace("&#38;", "&")))
            .collect()
    };
    let cases = own.get_with("/cases", &[HTML]).expect(200).text();
    let linked = files(&cases);
    for wanted in [
        "/api/v1/cases/export?format=csv",
        "/api/v1/cases/export?format=ndjson",
    ] {
        assert!(linked.iter().any(|path| path == wanted), "{linked:?}");
    }
    let office = service
        .client("coordinator", None)
        .get_with("/cases", &[HTML])
        .expect(200)
        .text();
    assert_eq!(files(&office), Vec::<String>::new(), "the office is no centre");
    let anyone = service.anonymous();
    let schema = files(&anyone.get_with("/schema", &[HTML]).expect(200).text());
    for wanted in [
        "dictionary?format=csv",
        "dictionary?format=json",
        "dictionary?format=redcap",
        "/codelists/agents",
    ] {
        assert!(schema.iter().any(|path| path.ends_with(wanted)), "{wanted}");
    }
    let lists = service.state().schemas.codelists().count();
    assert_eq!(
        schema.iter().filter(|path| path.contains("/codelists/")).count(),
        lists
    );
    for path in linked {
        own.get(&path).expect(200);
    }
    for path in schema {
        anyone.get(&path).expect(200);
    }
}

#[test]
fn the_dictionary_is_served_whole_as_csv_and_as_json() {
    let service = Service::start();
    let dictionary = &service.state().schemas.current().dictionary;
    let path = |format: &str| {
        format!(
            "/api/v1/schemas/case/{}/dictionary?format={format}",
            service.state().schemas.current().version
        )
    };
    let csv = service.anonymous().get(&path("csv")).expect(200);
    assert!(
        csv.header("content-type")
            .is_some_and(|kind| kind.starts_with("text/csv"))
    );
    assert_eq!(csv.text(), dictionary.to_csv());
    let json = service.anonymous().get(&path("json")).expect(200).json();
    let entities = json["entities"].as_array().expect("entities");
    let elements: usize = entities
        .iter()
        .filter_map(|one| one["elements"].as_array())
        .map(Vec::len)
        .sum();
    assert_eq!(
        (entities.len(), elements),
        (dictionary.entities.len(), dictionary.element_count())
    );
}
