//! `/report`: the annual report of a published run.

use registry_core::access::Scope;
use support::client::Client;
use support::{records, service::Service};

const HTML: (&str, &str) = ("accept", "text/html");

fn main_of(client: &Client, path: &str) -> String {
    let text = client.get_with(path, &[HTML]).expect(200).text();
    let (from, to) = (
        text.find("<main").expect("a page"),
        text.find("</main>").expect("a page"),
    );
    text[from..to].to_owned()
}

#[test]
fn the_report_is_of_a_published_run_and_the_same_for_the_committee_and_the_office() {
    let service = Service::start();
    let (committee, office) = (
        service.client("committee", None),
        service.client("coordinator", None),
    );
    for client in [&committee, &office] {
        assert!(main_of(client, "/report").contains("No run has been published yet."));
        client.get_with("/report?run=1", &[HTML]).expect(404);
    }
    for role in ["researcher", "admin"] {
        service
            .client(role, None)
            .get_with("/report", &[HTML])
            .expect(403);
    }
    let centre = service.submitter("C01");
    centre.get_with("/report", &[HTML]).expect(403);
    service.anonymous().get_with("/report", &[HTML]).expect(401);
    office.get_with("/report?run=canary", &[HTML]).expect(400);
    office.get_with("/report?colour=canary", &[HTML]).expect(400);

    // Three patients: nothing about them is told, nor who sent them.
    for n in 0..3 {
        let name = format!("ONE-{n:04}");
        centre
            .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
            .expect(201);
    }
    let first = service.published_run("2026-11-01");
    let few = main_of(&office, "/report");
    assert_eq!(few, main_of(&committee, "/report"));
    assert!(few.contains("<dt>Cases</dt><dd>not shown</dd>"), "{few}");
    assert!(!few.contains("C01"), "{few}");

    // Another run that nobody published is no run to report on, not even to the office.
    for n in 0..12 {
        let name = format!("TWO-{n:04}");
        centre
            .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
            .expect(201);
    }
    let wanted = registry_api::runs::Wanted::up_to("2026-11-01".parse().expect("a day"));
    let second = registry_api::runs::execute(service.state(), &Scope::system("test"), &wanted, |_| {})
        .expect("a run")
        .number;
    office
        .get_with(&format!("/report?run={second}"), &[HTML])
        .expect(404);
    registry_api::runs::publish(service.state(), &Scope::system("test"), second).expect("published");
    let newest = main_of(&committee, "/report");
    assert!(
        newest.contains(&format!("Run {second}, data up to 2026-11-01")),
        "{newest}"
    );
    assert!(newest.contains("<dt>Cases</dt><dd>15</dd>"), "{newest}");
    assert!(
        main_of(&committee, &format!("/report?run={first}")).contains(&format!("Run {first}, data up to"))
    );
}

/// What the contents name is there, and every measure of the guideline stands in one table of rates and in the definitions.
#[test]
fn the_contents_lead_somewhere_and_every_measure_is_reported_and_defined() {
    let service = Service::start();
    let centre = service.submitter("C01");
    for n in 0..12 {
        let name = format!("FIG-{n:04}");
        centre
            .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
            .expect(201);
    }
    service.published_run("2026-11-01");
    let committee = service.client("committee", None);
    let report = main_of(&committee, "/report");
    let targets: Vec<&str> = report
        .split("href=\"#")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(targets.len() > 15, "{targets:?}");
    for target in targets {
        assert_eq!(
            report.matches(&format!(" id=\"{target}\"")).count(),
            1,
            "{target}"
        );
    }
    let chapter = |from: &str, to: &str| {
        let start = report
            .find(&format!("id=\"{from}\"><details"))
            .expect("a chapter");
        let end = report.find(&format!("id=\"{to}\"><details")).expect("a chapter");
        &report[start..end]
    };
    let (rates, definitions) = (
        chapter("adherence", "indicators"),
        chapter("definitions", "suppression"),
    );
    let answer = committee.get("/api/v1/adherence?by=network").expect(200).json();
    for measure in answer["measures"].as_array().expect("measures") {
        let (id, kind) = (measure["id"].as_str().expect("an id"), &measure["kind"]);
        let named = format!("<th scope=\"row\"><span class=\"id\">{id}</span>");
        assert_eq!(rates.matches(&named).count(), 1, "{id}");
        assert_eq!(
            definitions.matches(&named).count(),
            usize::from(*kind != "composite"),
            "{id}"
        );
        // Uses of options stand apart from what has a direction.
        let apart = rates.find("id=\"options\"").expect("a heading") < rates.find(&named).expect("a row");
        assert_eq!(apart, *kind == "utilisation", "{id}");
    }
    // 1 of 12 months of 2019 has all twelve registrations: the chart's numbers are a table.
    assert!(report.contains("<th scope=\"row\">2019</th>"), "{report}");
}
