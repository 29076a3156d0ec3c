//! Two versions of the guideline side by side: every result is read with the version its run was made by.

use std::collections::BTreeMap;

use registry_api::runs::Wanted;
use registry_core::access::Scope;
use serde_json::{Value, json};
use support::client::Client;
use support::database::Database;
use support::records;
use support::repository;
use support::service::Service;
use tempfile::TempDir;

const HOME: &str = "guideline/tarpswg-metastatic-rps";
const DRAFT: &str = "2.0.0";
const HTML: (&str, &str) = ("accept", "text/html");

/// The repository's schema with a draft beside the version in force: 1b is left out, so that every later measure has another place, and 24c
/// has another title.
fn with_draft() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for file in repository::files("schema") {
        let relative = file
            .strip_prefix(repository::root().join("schema"))
            .expect("below schema");
        let relative = relative.to_string_lossy().into_owned();
        let mut targets = vec![relative.clone()];
        if relative.contains("/1.1.0/")
            && relative.starts_with(HOME)
            && !relative.ends_with("measures/1b.toml")
        {
            targets.push(relative.replace("1.1.0", DRAFT));
        }
        for target in targets {
            let to = folder.path().join(target);
            std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
            std::fs::copy(&file, to).expect("copied");
        }
    }
    let edit = |name: &str, from: &str, to: &str| {
        let path = folder.path().join(HOME).join(DRAFT).join(name);
        let text = std::fs::read_to_string(&path).expect("a file");
        assert!(text.contains(from), "{name} has {from}");
        std::fs::write(path, text.replacen(from, to, 1)).expect("written");
    };
    edit("guideline.toml", "version = \"1.1.0\"", "version = \"2.0.0\"");
    edit("guideline.toml", "status = \"active\"", "status = \"draft\"");
    edit("measures/24c.toml", "title = \"", "title = \"Of the draft: ");
    folder
}

struct Both {
    service: Service,
    office: Client,
    /// Number of the run by the version in force, and by the draft.
    runs: [i64; 2],
    _folder: TempDir,
}

impl Both {
    fn start() -> Self {
        let folder = with_draft();
        let service = Service::start_with(Database::sqlite(), |settings| {
            settings.schema.folder = Some(folder.path().to_owned());
        });
        let centre = service.submitter("C01");
        for n in 0..6 {
            let name = format!("GV-{n:04}");
            let source = if n % 2 == 0 { "figure-1" } else { "figure-2" };
            let body = records::example(source, &name);
            centre
                .put(&format!("/api/v1/cases/{name}"), &[], &body)
                .expect(201);
        }
        let run = |version: Option<&str>| {
            let wanted = Wanted {
                cut_off: "2026-11-01".parse().expect("a date"),
                guideline_version: version.map(str::to_owned),
            };
            let scope = Scope::system("test");
            let made = registry_api::runs::execute(service.state(), &scope, &wanted, |_| {});
            made.expect("a run").number
        };
        Self {
            runs: [run(None), run(Some(DRAFT))],
            office: service.client("coordinator", None),
            service,
            _folder: folder,
        }
    }

    fn publish(&self, run: i64) {
        let published = registry_api::runs::publish(self.service.state(), &Scope::system("test"), run);
        published.expect("published");
    }
}

/// Outcomes of a release by measure, in the order of the file.
fn outcomes(both: &Both, run: i64) -> BTreeMap<String, Vec<String>> {
    let id = format!("of-{run}");
    let asked = json!({ "run": run, "release": id });
    let key = [("idempotency-key", id.as_str())];
    let made = both
        .office
        .post("/api/v1/releases", &key, &asked)
        .expect(201)
        .json();
    let id = made["release"].as_str().expect("an id").to_owned();
    let office = both.service.client("coordinator", None);
    let file = office.get(&format!("/api/v1/releases/{id}/files/adherence_units.csv"));
    let file = file.expect(200);
    let mut reader = csv::Reader::from_reader(file.body.as_slice());
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in reader.records() {
        let row = row.expect("a row");
        let rest: Vec<&str> = row
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != 1)
            .map(|(_, f)| f)
            .collect();
        all.entry(row[1].to_owned()).or_default().push(rest.join(","));
    }
    all
}

#[test]
fn a_release_names_the_measures_of_the_version_its_run_was_made_by() {
    let both = Both::start();
    let [mut in_force, draft] = both.runs.map(|run| {
        both.publish(run);
        outcomes(&both, run)
    });
    for id in ["1a", "24c", "25", "39b"] {
        assert!(in_force.contains_key(id), "{id}: {:?}", in_force.keys());
    }
    let left_out = in_force.remove("1b");
    assert!(left_out.is_some_and(|rows| !rows.is_empty()) && !draft.contains_key("1b"));
    assert_eq!(draft, in_force, "every other measure has its own outcomes");
}

#[test]
fn results_name_the_version_and_pages_define_by_it() {
    let both = Both::start();
    for (run, version, measures) in [(both.runs[0], "1.1.0", 98), (both.runs[1], DRAFT, 97)] {
        let table = both
            .office
            .get(&format!("/api/v1/adherence?run={run}&by=network"));
        let table = table.expect(200).json();
        assert_eq!(table["run"]["guideline_version"], version);
        let heads = table["measures"].as_array().expect("measures");
        let own = heads.iter().filter(|head| head["kind"] != "composite");
        assert_eq!(own.count(), measures, "{version}");
        let report = both
            .office
            .get(&format!("/fhir/MeasureReport?run={run}&measure=24c&by=network"));
        let report = report.expect(200).json();
        let address = report["entry"][0]["resource"]["measure"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(address.ends_with(&format!("24c|{version}")), "{address}");
        // Worklists read the latest run, which is by the draft: measures are counted by its guideline.
        both.office.get("/api/v1/worklist?centre=C01").expect(200);
    }
    let committee = both.service.client("committee", None);
    let page = |path: &str| committee.get_with(path, &[HTML]).expect(200).text();
    both.publish(both.runs[0]);
    assert!(
        !page("/measures/24c").contains("Of the draft"),
        "the run in force"
    );
    assert!(
        page("/measures/1b").contains("Cannot be assessed"),
        "it has numbers"
    );
    both.publish(both.runs[1]);
    let of_draft = page("/measures/24c");
    assert!(
        of_draft.contains("Of the draft") && of_draft.contains("version 1.1.0 is in force now"),
        "{of_draft}"
    );
    let left_out = page("/measures/1b");
    assert!(
        left_out.contains("in which there is no such measure"),
        "{left_out}"
    );
    assert!(
        !left_out.contains("Cannot be assessed"),
        "no numbers of another measure"
    );
    let table = page("/adherence");
    assert!(table.contains("Of the draft") && table.contains("version 1.1.0 is in force now"));
    committee.get_with("/measures/99z", &[HTML]).expect(404);
}

#[test]
fn the_measures_of_every_version_and_its_composites_are_told() {
    let both = Both::start();
    let anyone = both.service.anonymous();
    let base = "/api/v1/guidelines/tarpswg-metastatic-rps/measures";
    let ids = |list: &Value| -> Vec<String> {
        let all = list.as_array().expect("a list").iter();
        all.map(|one| one["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    let in_force = anyone.get(base).expect(200).json();
    let draft = anyone.get(&format!("{base}?version={DRAFT}")).expect(200).json();
    assert_eq!(
        (&in_force["version"], &draft["version"]),
        (&json!("1.1.0"), &json!(DRAFT))
    );
    assert_eq!(
        (&in_force["status"], &draft["status"]),
        (&json!("active"), &json!("draft"))
    );
    assert!(ids(&in_force["measures"]).contains(&"1b".to_owned()));
    assert!(!ids(&draft["measures"]).contains(&"1b".to_owned()));
    assert_eq!(
        ids(&in_force["composites"]),
        ["15", "16", "17", "18", "24", "25", "27", "29"]
    );
    anyone.get(&format!("{base}?version=9.9.9")).expect(404);
    anyone.get(&format!("{base}/1b")).expect(200);
    anyone.get(&format!("{base}/1b?version={DRAFT}")).expect(404);
    let composite = anyone.get(&format!("{base}/24")).expect(200).json();
    assert_eq!(composite["parts"], json!(["24a", "24b", "24c"]));
    let unratified = composite["unratified"].as_array().expect("parameters");
    assert!(unratified.contains(&json!("ECOG_OK")), "what its parts rest on");
    let measure = anyone.get(&format!("{base}/20a")).expect(200).json();
    assert_eq!(measure["unratified"], json!(["SYNC_WINDOW_DAYS"]));
    assert!(measure["stratifiers"].is_array());
}

#[test]
fn what_a_rate_rests_on_is_said_wherever_the_rate_is() {
    let both = Both::start();
    let run = both.runs[0];
    both.publish(run);
    let table = both
        .office
        .get(&format!("/api/v1/adherence?run={run}&by=network"))
        .expect(200)
        .json();
    let of = |id: &str| {
        let heads = table["measures"].as_array().expect("measures").iter();
        let head = heads.clone().find(|head| head["id"] == id).expect("a measure");
        head["unratified"].clone()
    };
    assert_eq!(of("20a"), json!(["SYNC_WINDOW_DAYS"]));
    assert_eq!(of("25"), json!(["LOOKBACK_DAYS", "SYNC_WINDOW_DAYS"]));
    assert_eq!(of("29a"), json!([]));
    let csv = both.office.get_with(
        &format!("/api/v1/adherence?run={run}&by=network&measure=25"),
        &[("accept", "text/csv")],
    );
    let csv = csv.expect(200).text();
    assert!(
        csv.lines()
            .nth(1)
            .is_some_and(|row| row.ends_with(",LOOKBACK_DAYS SYNC_WINDOW_DAYS")),
        "{csv}"
    );
    let page = |path: &str| both.office.get_with(path, &[HTML]).expect(200).text();
    let (synchronous, work_up) = (
        "Metastases found this soon after the primary tumour are synchronous",
        "How far before the presentation its work-up may begin",
    );
    assert!(page("/measures/20a").contains(&format!("<li>{synchronous}: 90 days</li>")));
    assert!(page("/measures/25").contains(&format!(
        "<li>{work_up}: 42 days</li><li>{synchronous}: 90 days</li>"
    )));
    assert!(!page("/measures/29a").contains("Threshold not ratified"));
    assert!(page("/adherence").contains(&format!("committee has ratified: {work_up}; {synchronous}")));
    let extensions = |path: &str| -> Vec<String> {
        let report = both.office.get(path).expect(200).json();
        let all = report["entry"][0]["resource"]["extension"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let of_kind = all.iter().filter(|e| {
            e["url"]
                .as_str()
                .is_some_and(|url| url.ends_with("unratified-parameter"))
        });
        of_kind
            .map(|e| e["valueString"].as_str().expect("a name").to_owned())
            .collect()
    };
    let summary = format!("/fhir/MeasureReport?run={run}&measure=25&by=network");
    assert_eq!(extensions(&summary), ["LOOKBACK_DAYS", "SYNC_WINDOW_DAYS"]);
    assert_eq!(
        extensions("/fhir/MeasureReport?subject=GV-0000&measure=20a"),
        ["SYNC_WINDOW_DAYS"]
    );
    let made = both.office.post(
        "/api/v1/releases",
        &[("idempotency-key", "m")],
        &json!({ "run": run }),
    );
    let id = made.expect(201).json()["release"]
        .as_str()
        .expect("an id")
        .to_owned();
    let office = both.service.client("coordinator", None);
    let measures = office
        .get(&format!("/api/v1/releases/{id}/files/measures.csv"))
        .expect(200)
        .text();
    let of_25 = measures
        .lines()
        .find(|line| line.starts_with("25,"))
        .expect("the composite");
    assert!(of_25.ends_with(",LOOKBACK_DAYS SYNC_WINDOW_DAYS"), "{of_25}");
}

#[test]
fn the_office_computes_an_alternative_from_the_page_and_nobody_else_is_offered_it() {
    let both = Both::start();
    both.publish(both.runs[0]);
    let page = |client: &Client| client.get_with("/measures/20a", &[HTML]).expect(200).text();
    let offer = "Compute with Metastases found this soon after the primary tumour are synchronous: 30";
    let committee = both.service.client("committee", None);
    assert!(page(&both.office).contains(offer) && !page(&committee).contains(offer));

    let browser = both.service.anonymous();
    let session = crate::session::signed_in(&both.service);
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("cookie", session.as_str()),
    ];
    let shown = browser
        .get_with("/measures/20a", &[("cookie", &session), HTML])
        .expect(200)
        .text();
    let csrf = shown
        .split("name=\"csrf\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let csrf = csrf.expect("a token in the form");
    let send = |body: String| {
        browser.send(
            "POST",
            "/measures/20a/sensitivity",
            &headers,
            Some(body.as_bytes()),
        )
    };
    let run = both.runs[0];
    send(format!("run={run}&parameter=SYNC_WINDOW_DAYS&value=30")).expect(403);
    send(format!("csrf={csrf}&run={run}&parameter=NO_SUCH&value=30")).expect(422);
    send(format!(
        "csrf={csrf}&run={run}&parameter=SYNC_WINDOW_DAYS&value=%22thirty%22"
    ))
    .expect(422);
    let done = send(format!(
        "csrf={csrf}&run={run}&parameter=SYNC_WINDOW_DAYS&value=30"
    ))
    .expect(303);
    assert_eq!(done.header("location"), Some("/measures/20a#alternatives"));
    let after = page(&both.office);
    assert!(
        !after.contains(offer) && after.contains("30 instead of 90"),
        "{after}"
    );
    assert!(
        after.contains(&offer.replace(": 30", ": 180")),
        "the other value is still to be computed"
    );
    // The same by the API, which answers what is kept.
    let asked = json!({ "parameter": "SYNC_WINDOW_DAYS", "value": 30 });
    let key = [("idempotency-key", "s")];
    let kept = both
        .office
        .post(&format!("/api/v1/runs/{run}/sensitivity"), &key, &asked)
        .expect(200)
        .json();
    let measures: Vec<&str> = kept["comparison"]["measures"]
        .as_array()
        .expect("measures")
        .iter()
        .filter_map(|change| change["measure"].as_str())
        .collect();
    assert_eq!(measures, ["20a", "20b", "25b", "25"]);
    committee
        .post(&format!("/api/v1/runs/{run}/sensitivity"), &key, &asked)
        .expect(403);
}
