//! Runs, adherence, survival and releases: from submitted cases to published numbers.

use std::collections::BTreeMap;

use registry_core::synthetic::{self, CohortPlan};
use serde_json::json;
use support::records;
use support::service::{CENTRES, Service};

#[test]
fn a_run_is_started_published_and_read_by_role() {
    let service = Service::start();
    let centre = service.submitter("C01");
    for n in 0..12 {
        let name = format!("FIG-{n:04}");
        centre
            .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
            .expect(201);
    }
    let coordinator = service.client("coordinator", None);
    let committee = service.client("committee", None);
    committee
        .post("/api/v1/runs", &[("idempotency-key", "r-0")], &json!({}))
        .expect(403);
    let started = coordinator.post(
        "/api/v1/runs",
        &[("idempotency-key", "r-1")],
        &json!({"cut_off": "2026-11-01", "wait": true}),
    );
    let number = started.expect(201).json()["run"].as_i64().expect("a run number");

    assert_eq!(
        committee.get("/api/v1/adherence").status,
        404,
        "nothing is published yet"
    );
    coordinator
        .post(
            &format!("/api/v1/runs/{number}:publish"),
            &[("idempotency-key", "p-1")],
            &json!({}),
        )
        .expect(200);
    let adherence = committee
        .get("/api/v1/adherence?measure=1a&by=network")
        .expect(200)
        .json();
    let rows = adherence["rows"].as_array().expect("rows").clone();
    assert_eq!(rows.len(), 1, "{adherence:#}");
    let csv = committee
        .get_with(
            "/api/v1/adherence?measure=1a&by=network",
            &[("accept", "text/csv")],
        )
        .expect(200);
    assert!(
        csv.header("content-type")
            .is_some_and(|t| t.starts_with("text/csv"))
    );
    let preferring = |accept: &str| committee.get_with("/api/v1/adherence?measure=1a", &[("accept", accept)]);
    for (accept, media_type) in [
        ("text/csv;q=0.1, application/json", "application/json"),
        ("text/csv, application/json;q=0.9", "text/csv; charset=utf-8"),
    ] {
        let answer = preferring(accept).expect(200);
        assert_eq!(answer.header("content-type"), Some(media_type), "{accept}");
    }
    // Breakdowns are over all diagnoses: nothing is told apart from no rows.
    for by in [
        "histology",
        "half_year",
        "year",
        "organ",
        "timing",
        "volume_tertile",
        "stratum",
    ] {
        let path = format!("/api/v1/adherence?by={by}&period=");
        let refused = committee.get(&format!("{path}last24_months")).expect(400).json();
        assert_eq!(refused["code"], "bad_query");
        assert!(
            refused["detail"].as_str().is_some_and(|told| told.contains(by)),
            "{refused}"
        );
        committee.get(&format!("{path}all")).expect(200);
    }
    for by in ["network", "centre"] {
        committee
            .get(&format!("/api/v1/adherence?by={by}&period=last24_months"))
            .expect(200);
    }
    committee.get("/api/v1/adherence/1a/funnel").expect(200);
    // Of a table the columns asked for, in that order; the rows are the same.
    let table = |path: &str| committee.get_with(path, &[("accept", "text/csv")]);
    let lines = |text: &str| text.lines().count();
    for (path, columns, header) in [
        (
            "/api/v1/adherence?measure=1a&by=network",
            "rate,measure",
            "rate,measure",
        ),
        (
            "/api/v1/adherence/1a/funnel?",
            "centre,rate,lower95",
            "centre,rate,lower95",
        ),
        ("/api/v1/survival/S1?table=flow", "n,%20reason", "n,reason"),
        (
            "/api/v1/survival/S1/centres?",
            "centre,observed",
            "centre,observed",
        ),
    ] {
        let whole = table(path).expect(200).text();
        let chosen = table(&format!("{path}&columns={columns}")).expect(200).text();
        assert_eq!(chosen.lines().next(), Some(header), "{path}");
        assert_eq!(lines(&chosen), lines(&whole), "{path}");
        for wrong in ["nobody", "rate,rate", ""] {
            let refused = table(&format!("{path}&columns={wrong}")).expect(400);
            assert_eq!(refused.code(), "bad_query");
            let told = refused.json()["detail"].as_str().expect("words").to_owned();
            let known = header.split(',').next().expect("one");
            assert!(told.contains(known) && !told.contains("nobody"), "{told}");
        }
        // Of a table only.
        committee.get(&format!("{path}&columns={columns}")).expect(400);
    }
    let packed = committee
        .get_with(
            "/api/v1/adherence",
            &[("accept", "text/csv"), ("accept-encoding", "gzip")],
        )
        .expect(200);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let survival = committee.get("/api/v1/survival/S1").expect(200).json();
    let beside = &survival["benchmarks"][0];
    assert_eq!(beside["group"], "all");
    assert_eq!(beside["published"][0]["median_months"], 16.0);
    assert_eq!(beside["published"][1]["survival_pct"], 5.0);
    let listed = committee.get("/api/v1/survival").expect(200).json();
    let ids: Vec<&str> = listed["endpoints"]
        .as_array()
        .expect("endpoints")
        .iter()
        .filter_map(|one| one["id"].as_str())
        .collect();
    assert_eq!(ids[0], "S1");
    for id in ids {
        let one = committee
            .get(&format!("/api/v1/survival/{id}"))
            .expect(200)
            .json();
        assert_eq!(one["definition"]["id"], id);
        committee
            .get_with(&format!("/survival?endpoint={id}"), &[("accept", "text/html")])
            .expect(200);
    }
    let refused = committee
        .get("/api/v1/survival/S1?stratum=metastasectomy")
        .expect(422)
        .json();
    assert!(
        refused["detail"]
            .as_str()
            .expect("a reason")
            .contains("immortal time")
    );
    assert!(
        refused["detail"]
            .as_str()
            .expect("a reason")
            .contains("landmark=6")
    );
    for months in [6, 12] {
        let asked = format!("stratum=metastasectomy&landmark={months}");
        let found = committee
            .get(&format!("/api/v1/survival/S1?{asked}"))
            .expect(200)
            .json();
        let compared = found["landmark_comparisons"].as_array().expect("comparisons");
        assert_eq!(compared.len(), 1);
        assert_eq!(compared[0]["landmark_months"], months);
        assert!(
            compared[0]["remark"]
                .as_str()
                .is_some_and(|remark| remark.contains("Selected patients; association"))
        );
        committee
            .get_with(
                &format!("/survival?endpoint=S1&{asked}"),
                &[("accept", "text/html")],
            )
            .expect(200);
    }
    committee
        .get("/api/v1/survival/S1?stratum=metastasectomy&landmark=9")
        .expect(400);
    let undated = committee
        .get("/api/v1/survival/S3-line-1?stratum=response")
        .expect(422)
        .json();
    assert!(
        undated["detail"]
            .as_str()
            .is_some_and(|why| why.contains("no date of a response"))
    );
    for (id, table, head) in [
        ("S1b", "curves", "analysis,by,level,cause,"),
        ("S1b", "at_risk", "analysis,by,level,months,at_risk"),
        ("S1", "flow", "reason,label,n"),
        ("S3r-line-1", "curves", "by,level,state,"),
        ("S9", "curves", "months,suppressed,baseline,"),
        (
            "S1",
            "centres",
            "centre,pooled,suppressed,patients,observed,expected,ratio,",
        ),
    ] {
        let csv = committee
            .get_with(
                &format!("/api/v1/survival/{id}?table={table}"),
                &[("accept", "text/csv")],
            )
            .expect(200);
        assert!(csv.text().starts_with(head), "{id} {table}");
    }
    let timing = committee
        .get("/api/v1/survival/S4-lung?stratum=timing")
        .expect(200)
        .json();
    let curves = timing["curves"].as_array().expect("curves");
    assert!(curves.iter().all(|c| c["by"] == "all" || c["by"] == "timing"));
    committee
        .get("/api/v1/survival/S1?stratum=completeness")
        .expect(400);
    let unknown = committee.get("/api/v1/survival/S99").expect(404);
    assert_eq!(unknown.status, 404);
}

/// Deaths observed over expected by centre: letters for the committee, ids for the office, a centre its own point only.
#[test]
fn centres_are_compared_given_their_case_mix() {
    let service = Service::start();
    let plan = CohortPlan {
        seed: 3,
        cases: 330,
        centres: CENTRES.len() as u32,
        as_of: "2026-11-22".parse().expect("a date"),
    };
    let clients: BTreeMap<&str, _> = CENTRES.iter().map(|id| (*id, service.submitter(id))).collect();
    for index in 0..plan.cases {
        let case = synthetic::case(&plan, index);
        let path = format!("/api/v1/cases/{}", case.pseudonym);
        clients[case.centre_id.as_str()]
            .put(&path, &[], &case.body)
            .expect(201);
    }
    service.published_run("2026-11-22");
    let path = "/api/v1/survival/S1/centres";
    let office = service.client("coordinator", None).get(path).expect(200).json();
    assert_eq!(office["centres"]["state"]["code"], "modelled", "{office:#}");
    let names = |told: &serde_json::Value| -> Vec<String> {
        let points = told["centres"]["centres"].as_array().expect("points").iter();
        points
            .map(|one| one["centre"].as_str().expect("a name").to_owned())
            .collect()
    };
    let ids = names(&office);
    assert!(
        ids.len() > 3
            && ids
                .iter()
                .all(|one| one == "pooled" || CENTRES.contains(&one.as_str()))
    );
    let sum = |name: &str| -> f64 {
        let points = office["centres"]["centres"].as_array().expect("points").iter();
        points.map(|one| one[name].as_f64().expect("a number")).sum()
    };
    assert_eq!(
        sum("observed"),
        office["centres"]["events"].as_f64().expect("events")
    );
    assert!((sum("expected") - sum("observed")).abs() < 1e-6);

    let committee = service.client("committee", None);
    let lettered = committee.get(path).expect(200).json();
    assert!(
        names(&lettered)
            .iter()
            .all(|one| one == "pooled" || one.starts_with("Centre "))
    );
    assert!(!lettered.to_string().contains("members"));
    let csv = committee.get_with(path, &[("accept", "text/csv")]).expect(200);
    assert!(
        csv.text().starts_with("centre,pooled,suppressed,") && csv.text().lines().count() == ids.len() + 1
    );
    committee.get("/api/v1/survival/S9/centres").expect(404);
    let page = committee
        .get_with("/survival", &[("accept", "text/html")])
        .expect(200)
        .text();
    assert!(page.contains("Centres given their case mix") && page.contains("no ranking"));
    // Only one breakdown stands on the page; the others are a link away.
    assert!(page.contains("By histology") && !page.contains("By organ"));
    let other = committee
        .get_with("/survival?endpoint=S1&stratum=organ", &[("accept", "text/html")])
        .expect(200)
        .text();
    assert!(other.contains("By organ") && !other.contains("By histology"));

    let large = ids.iter().find(|one| *one != "pooled").expect("a large centre");
    let own = clients[large.as_str()].get(path).expect(200).json();
    assert_eq!(names(&own), [large.as_str()]);
}

/// Rows that may have been misread are hidden until asked for; an arm of a trial stays recognisable.
#[test]
fn published_series_are_listed_with_what_they_stand_beside() {
    let service = Service::start();
    let committee = service.client("committee", None);
    let usual = committee.get("/api/v1/benchmarks").expect(200).json();
    assert_eq!(
        (usual["published"].as_array().map(Vec::len), &usual["hidden"]),
        (Some(65), &json!(8))
    );
    let all = committee
        .get("/api/v1/benchmarks?low_confidence=true")
        .expect(200)
        .json();
    assert_eq!(
        (all["published"].as_array().map(Vec::len), &all["hidden"]),
        (Some(73), &json!(0))
    );
    let nothing = all["comparisons"].as_array().expect("comparisons").iter();
    let nothing = nothing
        .filter(|one| one["rows"] == json!([]))
        .map(|one| &one["endpoint"]);
    assert_eq!(nothing.collect::<Vec<_>>(), ["S1b", "S4", "S6", "S8", "S9"]);
    service
        .submitter("C01")
        .get("/api/v1/benchmarks?low_confidence=perhaps")
        .expect(400);
}

/// The rates speak for registered patients: beside them stands how many of the eligible ones that is.
#[test]
fn registration_completeness_stands_beside_the_rates() {
    let service = Service::start();
    let (first, second) = (service.submitter("C01"), service.submitter("C02"));
    for n in 0..12 {
        let name = format!("FIG-{n:04}");
        first
            .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
            .expect(201);
    }
    for n in 0..2 {
        let name = format!("FEW-{n:04}");
        second
            .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
            .expect(201);
    }
    service.published_run("2026-11-01");
    let read = |client: &support::client::Client, query: &str| -> Vec<serde_json::Value> {
        let answer = client
            .get(&format!("/api/v1/adherence?measure=1a{query}"))
            .expect(200)
            .json();
        answer["registration"].as_array().expect("rows").clone()
    };
    // Six centres, nine years with twelve eligible patients each.
    let office = service.client("coordinator", None);
    let all = read(&office, "");
    assert_eq!(all.len(), 7);
    assert_eq!(
        all[0],
        json!({"level": "all", "eligible_seen": 648, "registered": 14, "completeness": 14.0 / 648.0})
    );
    assert_eq!(
        read(&office, "&centre=C01"),
        [json!({"level": "C01", "eligible_seen": 108, "registered": 12, "completeness": 12.0 / 108.0})]
    );
    // One without a case in the run is there all the same, for the office and for itself.
    office.get("/api/v1/adherence?centre=C05").expect(200);
    service
        .submitter("C05")
        .get("/api/v1/adherence?centre=C05")
        .expect(200);
    first.get("/api/v1/adherence?centre=C05").expect(404);
    office.get("/api/v1/adherence?centre=C99").expect(404);
    // Two patients are few: hidden, and so is the sum they would follow from.
    let committee = read(&service.client("committee", None), "");
    assert_eq!(committee[0]["registered"], json!(null), "{committee:?}");
    assert!(committee.iter().all(|row| row["registered"] != json!(2)));
    // A centre sees its own.
    let own = read(&second, "");
    assert_eq!(
        own[1],
        json!({"level": "C02", "eligible_seen": 108, "registered": 2, "completeness": 2.0 / 108.0})
    );
    assert_eq!((own.len(), &own[0]["registered"]), (2, &json!(null)));
    let page = office
        .get_with("/adherence", &[("accept", "text/html")])
        .expect(200)
        .text();
    assert!(page.contains("14 of 648") && page.contains("12 of 108"));
}

#[test]
fn a_second_run_on_the_same_cases_gives_the_same_numbers() {
    let service = Service::start();
    let centre = service.submitter("C01");
    for n in 0..6 {
        let name = format!("FIG-{n:04}");
        centre
            .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
            .expect(201);
    }
    let first = service.published_run("2026-11-01");
    let committee = service.client("coordinator", None);
    let one = committee
        .get(&format!("/api/v1/adherence?run={first}"))
        .expect(200)
        .json();
    let second = service.published_run("2026-11-01");
    assert_ne!(first, second);
    let two = committee
        .get(&format!("/api/v1/adherence?run={second}"))
        .expect(200)
        .json();
    assert_eq!(one["rows"], two["rows"]);
}

/// Who reads what, as the contract has it: researchers read survival and the published series, and nothing by measure or centre.
#[test]
fn a_researcher_reads_survival_and_no_adherence() {
    let service = Service::start();
    service
        .submitter("C01")
        .put("/api/v1/cases/FIG-1", &[], &records::figure_1("FIG-1"))
        .expect(201);
    service.published_run("2026-11-01");
    let researcher = service.client("researcher", None);
    for path in [
        "/api/v1/survival",
        "/api/v1/survival/S1",
        "/api/v1/benchmarks",
        "/survival",
        "/survival.csv?endpoint=S1",
        "/survival/published",
        "/rules",
    ] {
        researcher.get(path).expect(200);
    }
    for path in [
        "/api/v1/adherence",
        "/api/v1/adherence/1a/funnel",
        "/api/v1/quality",
        "/api/v1/quality/completeness",
        "/api/v1/runs/1/sensitivity",
        "/fhir/MeasureReport",
        "/adherence",
        "/adherence.csv",
        "/measures/1a",
        "/quality",
        "/quality.csv",
        "/charts/registrations.svg",
        "/charts/registrations.csv",
        "/charts/funnel.svg?measure=1a",
    ] {
        researcher.get(path).expect(403);
        assert_ne!(service.client("committee", None).get(path).status, 403, "{path}");
        assert_ne!(service.submitter("C01").get(path).status, 403, "{path}");
    }
    let home = researcher.get("/").expect(303);
    assert_eq!(home.header("location"), Some("/survival"));
    let page = researcher
        .get_with("/survival", &[("accept", "text/html")])
        .expect(200)
        .text();
    assert!(page.contains("href=\"/releases\"") && !page.contains("href=\"/adherence\""));
}

/// Design: 11 for the public, 5 for the committee under its confidentiality agreement. A researcher has no such agreement for live results.
#[test]
fn a_researcher_reads_survival_as_the_public_does() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let submit = |prefix: &str, n: usize| {
        for n in 0..n {
            let name = format!("{prefix}-{n:04}");
            centre
                .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
                .expect(201);
        }
    };
    let (committee, researcher) = (
        service.client("committee", None),
        service.client("researcher", None),
    );
    let told = |reader: &support::client::Client| {
        let told = reader.get("/api/v1/survival/S1").expect(200).json();
        let mut curves = told["curves"].as_array().expect("curves").iter();
        let of_all = curves.find(|curve| curve["by"] == "all" && curve["analysis"] == "primary");
        let of_all = of_all.expect("the estimate of all")["patients"].clone();
        (told["flow"]["analysed"].clone(), of_all)
    };
    submit("ONE", 7);
    service.published_run("2026-11-01");
    assert_eq!(told(&committee), (json!(7), json!(7)));
    assert_eq!(told(&researcher), (json!(null), json!(null)));
    submit("TWO", 12);
    service.published_run("2026-11-01");
    assert_eq!(told(&committee).0, json!(19));
    assert_eq!(told(&researcher).0, json!(19));
}
