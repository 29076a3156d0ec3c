//! `/brief` and the indicators of the overview.

use registry_core::access::Scope;
use support::client::Client;
use support::{records, service::Service};

use crate::session::{signed_in, token};

const HTML: (&str, &str) = ("accept", "text/html");

fn page(client: &Client, path: &str) -> String {
    client.get_with(path, &[HTML]).expect(200).text()
}

fn submitted(client: &Client, prefix: &str, n: usize) {
    for n in 0..n {
        let name = format!("{prefix}-{n:04}");
        client
            .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
            .expect(201);
    }
}

#[test]
fn the_brief_is_for_the_committee_and_the_office() {
    let service = Service::start();
    for role in ["committee", "coordinator"] {
        let text = page(&service.client(role, None), "/brief");
        assert!(text.contains("No run has been published yet."), "{role}");
    }
    for role in ["researcher", "admin"] {
        service.client(role, None).get_with("/brief", &[HTML]).expect(403);
    }
    service.submitter("C01").get_with("/brief", &[HTML]).expect(403);
    service.anonymous().get_with("/brief", &[HTML]).expect(401);
    let office = service.client("coordinator", None);
    office.get_with("/brief?colour=canary", &[HTML]).expect(400);

    // A run that is not published is not what a brief is of, not even for the office.
    submitted(&service.submitter("C01"), "FIG", 1);
    let wanted = registry_api::runs::Wanted::up_to("2026-11-01".parse().expect("a day"));
    registry_api::runs::execute(service.state(), &Scope::system("test"), &wanted, |_| {}).expect("a run");
    assert!(page(&office, "/brief").contains("No run has been published yet."));
}

/// What the office prints is what the committee sees: no centre by its id, no number of few patients.
#[test]
fn the_office_and_the_committee_hold_the_same_brief() {
    let service = Service::start();
    submitted(&service.submitter("C01"), "FIG", 3);
    service.published_run("2026-11-01");
    let main = |client: &Client| {
        let text = page(client, "/brief");
        let (from, to) = (
            text.find("<main").expect("a page"),
            text.find("</main>").expect("a page"),
        );
        text[from..to].to_owned()
    };
    let office = main(&service.client("coordinator", None));
    assert_eq!(office, main(&service.client("committee", None)));
    assert!(office.contains("This is the first published run"), "{office}");
    assert!(office.contains("<dt>Cases</dt><dd>not shown</dd>"), "{office}");
    assert!(!office.contains("C01"), "{office}");
}

#[test]
fn changes_stand_only_where_both_published_runs_show_a_value() {
    let service = Service::start();
    let centre = service.submitter("C01");
    submitted(&centre, "ONE", 3);
    service.published_run("2026-11-01");
    submitted(&centre, "TWO", 9);
    service.published_run("2026-11-01");
    let committee = service.client("committee", None);
    let text = page(&committee, "/brief");
    assert!(text.contains("Changes are against run 1"), "{text}");
    // 12 are shown now, 3 were not then: the difference would tell them.
    assert!(text.contains("<dt>Cases</dt><dd>12</dd></div>"), "{text}");
    submitted(&centre, "TRE", 5);
    service.published_run("2026-11-01");
    let text = page(&committee, "/brief");
    assert!(
        text.contains("<dt>Cases</dt><dd>17</dd><dd class=\"quiet\">+5 cases</dd>"),
        "{text}"
    );
}

#[test]
fn a_centre_reads_its_own_indicators_beside_the_network() {
    let service = Service::start();
    let centre = service.submitter("C01");
    submitted(&centre, "FIG", 12);
    service.published_run("2026-11-01");
    let own = page(&centre, "/");
    assert!(own.contains("<h2>Indicators</h2>"), "{own}");
    assert!(own.contains("<th scope=\"col\" class=\"n\">C01</th>"), "{own}");
    let committee = page(&service.client("committee", None), "/");
    assert!(committee.contains("<a href=\"/measures/1a\">") && committee.contains("Network</th>"));
    assert!(!committee.contains("C01"), "{committee}");
}

/// Chosen in the browser, shown to everybody, with who, when and why.
#[test]
fn the_office_chooses_the_indicators_in_its_browser_and_the_overview_and_the_brief_follow() {
    let service = Service::start();
    submitted(&service.submitter("C01"), "FIG", 12);
    service.published_run("2026-11-01");
    let committee = service.client("committee", None);
    let first = page(&committee, "/indicators");
    assert!(
        first.contains("The list is still the one that came with the guideline."),
        "{first}"
    );
    assert!(first.contains("name=\"place-1a\" value=\"1\""), "{first}");
    // Uses of options judge nobody.
    assert!(!first.contains("name=\"place-10b1\""), "{first}");
    for role in ["researcher", "admin"] {
        service
            .client(role, None)
            .get_with("/indicators", &[HTML])
            .expect(403);
    }
    service
        .submitter("C01")
        .get_with("/indicators", &[HTML])
        .expect(403);
    committee
        .get_with("/indicators?colour=canary", &[HTML])
        .expect(400);

    let session = signed_in(&service);
    let csrf = token(&service, &session, "/indicators");
    let form = [
        ("content-type", "application/x-www-form-urlencoded"),
        HTML,
        ("cookie", session.as_str()),
    ];
    let browser = service.anonymous();
    let send = |body: &str| browser.send("POST", "/indicators", &form, Some(body.as_bytes()));
    send("reason=reached&place-7=1").expect(403);
    for wrong in [
        "place-7=1",
        "reason=tired&place-7=1",
        "reason=reached",
        "reason=reached&place-7=first",
    ] {
        send(&format!("csrf={csrf}&{wrong}")).expect(422);
    }
    let thirteen: String = [
        "1a", "2", "3", "4", "5", "6", "7", "10a1", "10a2", "10b2", "10x", "11a", "11b",
    ]
    .iter()
    .map(|id| format!("&place-{id}=1"))
    .collect();
    send(&format!("csrf={csrf}&reason=reached{thirteen}")).expect(422);
    assert!(
        page(&committee, "/").contains("<a href=\"/measures/1a\">"),
        "nothing has changed"
    );
    send(&format!(
        "csrf={csrf}&reason=new_interest&place-7=1&place-2=2&place-1a="
    ))
    .expect(303);

    for path in ["/", "/brief"] {
        let text = page(&committee, path);
        // The brief is printed, and its links say of which run it is.
        let run = if path == "/brief" { "?run=1" } else { "" };
        let at = |id: &str| text.find(&format!("<a href=\"/measures/{id}{run}\">"));
        let (seven, two) = (at("7").expect("chosen"), at("2").expect("chosen"));
        assert!(seven < two && at("1a").is_none(), "{path}: {text}");
    }
    let chosen = page(&committee, "/indicators");
    assert!(
        chosen.contains("<td>test</td><td>the committee wants to look at something else</td><td>7, 2</td>"),
        "{chosen}"
    );
    let events = service
        .client("coordinator", None)
        .get("/api/v1/audit?action=indicators.choose")
        .expect(200)
        .json();
    assert_eq!(
        events["events"][0]["details"]["measures"],
        serde_json::json!(["7", "2"])
    );
    assert_eq!(events["events"].as_array().map(Vec::len), Some(1));
}

/// The brief and the report of an earlier run are one click away from the list of runs.
#[test]
fn an_earlier_published_run_has_its_brief_and_its_report() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let send = |from: usize, to: usize| {
        for n in from..to {
            let name = format!("FIG-{n:04}");
            centre
                .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
                .expect(201);
        }
    };
    send(0, 12);
    let first = service.published_run("2026-11-01");
    send(12, 30);
    let second = service.published_run("2026-11-01");
    let committee = service.client("committee", None);
    let runs = page(&committee, "/runs");
    for (run, cases) in [(first, "12"), (second, "30")] {
        for kind in ["report", "brief"] {
            let link = format!("/{kind}?run={run}");
            assert!(runs.contains(&format!("href=\"{link}\"")), "{link}: {runs}");
            let text = page(&committee, &link);
            assert!(
                text.contains(&format!("<dt>Cases</dt><dd>{cases}</dd>")),
                "{link}: {text}"
            );
        }
        let table = committee.get(&format!("/brief.csv?run={run}")).expect(200).text();
        assert!(
            table
                .lines()
                .skip(1)
                .all(|line| line.starts_with(&format!("{run},"))),
            "{table}"
        );
    }
    // What the links of an earlier brief lead to is of the same run, and so are the links there.
    let brief = page(&committee, &format!("/brief?run={first}"));
    for link in [
        format!("/measures/1a?run={first}"),
        format!("/?run={first}#registrations"),
        format!("/survival?run={first}"),
    ] {
        assert!(brief.contains(&format!("href=\"{link}\"")), "{link}: {brief}");
    }
    for (path, links) in [
        (
            "/measures/1a",
            &["/measures/1a?period=all&#38;run=", "/measures/1a/funnel.csv?run="][..],
        ),
        (
            "/",
            &["/overview.csv?table=histology&#38;run=", "/measures/1a?run="],
        ),
        (
            "/survival",
            &[
                "/survival?endpoint=S5&#38;run=",
                "/survival.csv?endpoint=S1&amp;table=flow&#38;run=",
            ],
        ),
        ("/adherence", &["/measures/1a?run=", "/adherence.csv?run="]),
    ] {
        let text = page(&committee, &format!("{path}?run={first}"));
        assert!(text.contains(&format!("Run {first}")), "{path}: {text}");
        for link in links {
            assert!(
                text.contains(&format!("href=\"{link}{first}\"")),
                "{path}: {link}: {text}"
            );
        }
    }
    let cases = page(&committee, &format!("/?run={first}"));
    assert!(cases.contains("<dt>Cases</dt><dd>12</dd>"), "{cases}");
    let kept = page(&committee, &format!("/adherence?run={first}"));
    assert!(
        kept.contains(&format!("<input type=\"hidden\" name=\"run\" value=\"{first}\">")),
        "{kept}"
    );
    for path in ["/measures/1a", "/survival", "/", "/overview.csv"] {
        committee
            .get_with(&format!("{path}?run=999"), &[HTML])
            .expect(404);
    }
    let wanted = registry_api::runs::Wanted::up_to("2026-11-01".parse().expect("a day"));
    let scope = registry_core::access::Scope::system("test");
    let third = registry_api::runs::execute(service.state(), &scope, &wanted, |_| {})
        .expect("a run")
        .number;
    let office = service.client("coordinator", None);
    assert!(!page(&office, "/runs").contains(&format!("/brief?run={third}")));
    for path in ["brief", "brief.csv"] {
        office
            .get_with(&format!("/{path}?run={third}"), &[HTML])
            .expect(404);
        centre
            .get_with(&format!("/{path}?run={first}"), &[HTML])
            .expect(403);
    }
}
