//! Clients of different versions of the case schema, side by side.

use serde_json::{Value, json};
use support::{records, repository, service::Service};

/// The other side of a pair that proves the step from 1.0.0 to 1.1.0, under `pseudonym`.
fn upgraded(name: &str, pseudonym: &str) -> Value {
    let path = repository::root().join(format!("schema/examples/1.1.0/upgraded/{name}.after.json"));
    let text = std::fs::read_to_string(path).expect("a file");
    let mut body: Value = serde_json::from_str(&text).expect("JSON");
    body["patient"]["pseudonym_id"] = json!(pseudonym);
    body
}

const PATH: &str = "/api/v1/cases/FIG-0001";

#[test]
fn a_client_of_1_0_0_reads_what_it_sent_and_patches_it() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let mut body = records::example("very-long-course", "FIG-0001");
    let etag = centre.put(PATH, &[], &body).expect(201);
    let etag = etag.header("etag").expect("an ETag").to_owned();
    let read = centre.get(PATH).expect(200).json();
    assert_eq!(read["case"], body);
    assert_eq!(read["envelope"]["schema_version"], "1.0.0");

    // The patch speaks of the element by the name it has in 1.0.0.
    let mut assessments = body["assessment"].clone();
    assessments[0]["egfr_ml_min"] = json!({"absent": "not_done"});
    let patch = json!({ "assessment": assessments });
    let answer = centre.patch(PATH, &[("if-match", &etag)], &patch).expect(200);
    body["assessment"] = assessments.clone();
    assert_eq!(centre.get(PATH).expect(200).json()["case"], body);
    // By its newer name it is no element of 1.0.0.
    assessments[0]["egfr_ml_min_1_73m2"] = json!(50);
    let etag = answer.header("etag").expect("an ETag").to_owned();
    let refused = centre.patch(
        PATH,
        &[("if-match", &etag)],
        &json!({ "assessment": assessments }),
    );
    let refused = refused.expect(422).json();
    assert_eq!(
        refused["errors"][0]["pointer"],
        "/assessment/0/egfr_ml_min_1_73m2"
    );
    assert_eq!(refused["errors"][0]["code"], "unknown_property");
}

/// Takes the pointers out of explanations; gives them back.
fn without_pointers(lines: &mut Value) -> Vec<String> {
    let mut pointers = Vec::new();
    for line in lines.as_array_mut().expect("lines") {
        let steps = line["explanation"]["steps"].as_array_mut();
        for cell in steps
            .into_iter()
            .flatten()
            .filter_map(|step| step["read"].as_array_mut())
            .flatten()
        {
            let cell = cell.as_object_mut().expect("a cell");
            let pointer = cell.remove("pointer").expect("a pointer");
            pointers.push(pointer.as_str().expect("text").to_owned());
        }
    }
    pointers
}

#[test]
fn the_same_patient_in_both_versions_is_assessed_alike() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let assessment = |body: &Value, headers: &[(&str, &str)], status: u16| {
        let answer = centre.put(PATH, headers, body).expect(status).json();
        let assessed = centre
            .get(&format!("{PATH}/assessment?explain=true"))
            .expect(200)
            .json();
        let identities: Vec<String> = answer["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .map(|finding| finding["identity"].as_str().expect("an identity").to_owned())
            .collect();
        let mut lines = assessed["assessment"].clone();
        let pointers = without_pointers(&mut lines);
        ((lines, assessed["care_gaps"].clone(), identities), pointers)
    };
    let (old, as_sent) = assessment(&records::example("very-long-course", "FIG-0001"), &[], 201);
    let new = upgraded("very-long-course", "FIG-0001");
    let (after, renamed) = assessment(&new, &[("if-match", "*")], 200);
    assert_eq!(old, after);
    // The same cells, each by its name in the document it was read from.
    assert_eq!(as_sent.len(), renamed.len());
    let reviewed = |pointers: &[String], name: &str| pointers.iter().any(|pointer| pointer.ends_with(name));
    assert!(reviewed(&renamed, "/specimen_site") && !reviewed(&as_sent, "/specimen_site"));
    // Both versions of the case are kept as they were sent.
    let version = |n: u32| centre.get(&format!("{PATH}/versions/{n}")).expect(200).json();
    assert_eq!(
        version(1)["case"],
        records::example("very-long-course", "FIG-0001")
    );
    assert_eq!(version(2)["case"], new);
    let sent_in = |n: u32| version(n)["envelope"]["schema_version"].clone();
    assert_eq!([sent_in(1), sent_in(2)], ["1.0.0", "1.1.0"]);
}

#[test]
fn a_run_counts_both_versions() {
    let service = Service::start();
    let centre = service.submitter("C01");
    for n in 0..12 {
        let name = format!("FIG-{n:04}");
        let body = if n % 2 == 0 {
            records::example("figure-1", &name)
        } else {
            upgraded("figure-1", &name)
        };
        centre
            .put(&format!("/api/v1/cases/{name}"), &[], &body)
            .expect(201);
    }
    let number = service.published_run("2026-11-01");
    let coordinator = service.client("coordinator", None);
    let run = coordinator
        .get(&format!("/api/v1/runs/{number}"))
        .expect(200)
        .json();
    assert_eq!(run["summary"]["cases"].as_i64(), Some(12), "{run}");
}

#[test]
fn what_has_changed_is_served_and_shown() {
    let service = Service::start();
    let anyone = service.anonymous();
    let listed = anyone.get("/api/v1/schemas").expect(200).json();
    assert_eq!(listed["current"], "1.1.0");
    assert_eq!(listed["case"][0]["version"], "1.0.0");
    assert_eq!(listed["case"][1]["published"], "2026-11-24");
    let changes = anyone
        .get("/api/v1/schemas/case/1.1.0/changes")
        .expect(200)
        .json();
    assert_eq!(
        (&changes["from"], &changes["status"]),
        (&json!("1.0.0"), &json!("active"))
    );
    let renamed = changes["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .find(|change| change["what"] == "element_renamed")
        .expect("a renamed element");
    assert_eq!(renamed["class"], "breaking");
    assert_eq!(renamed["upgraded"], true);
    assert_eq!(renamed["place"], "assessment.egfr_ml_min");
    assert_eq!(changes["upgrade"]["rename"][0]["to"], "egfr_ml_min_1_73m2");
    let first = anyone
        .get("/api/v1/schemas/case/1.0.0/changes")
        .expect(200)
        .json();
    assert_eq!((&first["from"], &first["changes"]), (&json!(null), &json!([])));
    anyone.get("/api/v1/schemas/case/9.9.9/changes").expect(404);

    let page = anyone
        .get_with("/schema", &[("accept", "text/html")])
        .expect(200)
        .text();
    for told in [
        "Case schema 1.1.0: active, published 2026-11-24, 5 changes",
        "<code>assessment.egfr_ml_min</code>",
        "breaking, upgraded by the registry",
        "New codes: methylation.",
        "The first version.",
    ] {
        assert!(page.contains(told), "{told}");
    }
}

#[test]
fn a_deprecated_version_warns_and_a_retired_one_names_the_way_out() {
    use support::database::Database;
    let with_status = |status: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        for file in repository::files("schema") {
            let inside = file
                .strip_prefix(repository::root().join("schema"))
                .expect("inside");
            let to = folder.path().join(inside);
            std::fs::create_dir_all(to.parent().expect("a parent")).expect("a folder");
            std::fs::copy(file, to).expect("a copy");
        }
        let catalogue = folder.path().join("catalog.toml");
        let text = std::fs::read_to_string(&catalogue).expect("a file");
        std::fs::write(&catalogue, text.replacen("status = \"active\"", status, 1)).expect("written");
        let service = Service::start_with(Database::sqlite(), |settings| {
            settings.schema.folder = Some(folder.path().to_owned());
        });
        (folder, service)
    };
    let body = records::figure_1("FIG-0001");
    let (_folder, service) = with_status("status = \"deprecated\"\naccepted_through = \"2027-12-31\"");
    let answer = service.submitter("C01").put(PATH, &[], &body).expect(201).json();
    let warning = answer["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .find(|finding| finding["code"] == "deprecated_schema_version")
        .expect("a warning");
    assert_eq!(warning["severity"], "warning");
    assert!(
        warning["message"]
            .as_str()
            .is_some_and(|m| m.contains("2027-12-31"))
    );
    // Sent in the newer version the warning is gone.
    let newer = upgraded("figure-1", "FIG-0001");
    let answer = service
        .submitter("C01")
        .put(PATH, &[("if-match", "*")], &newer)
        .expect(200);
    assert!(!answer.text().contains("deprecated_schema_version"));

    let (_folder, service) = with_status("status = \"retired\"\nretired = \"2026-10-01\"");
    let refused = service.submitter("C01").put(PATH, &[], &body).expect(422).json();
    assert_eq!(refused["errors"][0]["code"], "retired_schema_version");
    let message = refused["errors"][0]["message"].as_str().expect("a message");
    assert!(
        message.contains("/api/v1/schemas/case/1.1.0/changes"),
        "{message}"
    );
    service.submitter("C01").put(PATH, &[], &newer).expect(201);
}
