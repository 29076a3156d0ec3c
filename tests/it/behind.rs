//! `/api/v1/runs/{run}/measures/{measure}/cases`, the list on the page of a measure and its file: a centre's own cases and nobody else's.

use serde_json::{Value, json};
use support::{client::Client, records, service::Service};

const HTML: (&str, &str) = ("accept", "text/html");
const CSV: (&str, &str) = ("accept", "text/csv");

fn send(service: &Service, centre: &str, example: &str, pseudonym: &str) {
    let body = records::example(example, pseudonym);
    service
        .submitter(centre)
        .put(&format!("/api/v1/cases/{pseudonym}"), &[], &body)
        .expect(201);
}

/// Cases of two centres and a published run.
fn two_centres() -> Service {
    let service = Service::start();
    for (example, name) in [
        ("figure-1", "OWN-1"),
        ("metachronous-lung", "OWN-2"),
        ("minimal", "OWN-3"),
        ("observation-only", "OWN-4"),
    ] {
        send(&service, "C01", example, name);
    }
    for n in 0..5 {
        send(&service, "C02", "observation-only", &format!("OTHER-{n}"));
    }
    service.published_run("2026-11-01");
    service
}

fn listed(client: &Client, path: &str) -> Value {
    client.get(path).expect(200).json()
}

fn units(answer: &Value) -> &[Value] {
    answer["cases"].as_array().expect("cases")
}

#[test]
fn the_cases_listed_are_those_the_own_row_counts_for_every_measure_and_period() {
    let service = two_centres();
    let own = service.submitter("C01");
    // Every measure over all diagnoses, some of them in the last 24 months.
    for (period, every) in [("all", 1), ("last24_months", 9)] {
        let table = listed(&own, &format!("/api/v1/adherence?by=centre&period={period}"));
        let rows = table["rows"].as_array().expect("rows");
        assert!(!rows.is_empty());
        let mut some = 0;
        for row in rows.iter().step_by(every) {
            let id = row["measure"].as_str().expect("an id");
            let path = format!("/api/v1/runs/1/measures/{id}/cases?period={period}");
            let answer = listed(&own, &path);
            let count = |outcomes: &[&str]| {
                let of = units(&answer).iter();
                let of = of.filter(|unit| outcomes.contains(&unit["outcome"].as_str().expect("an outcome")));
                json!(of.count())
            };
            let classes: [(&str, &[&str]); 6] = [
                ("numerator", &["MET", "USED"]),
                ("denominator", &["MET", "USED", "NOT_MET", "NOT_USED"]),
                ("not_assessable", &["NOT_ASSESSABLE"]),
                ("excluded", &["EXCLUDED"]),
                ("excepted", &["EXCEPTED"]),
                ("not_in_denominator", &["NOT_IN_DENOM"]),
            ];
            for (name, outcomes) in classes {
                assert_eq!(count(outcomes), row[name], "{id} {name} {period}");
            }
            assert_eq!(answer["not_listed"], 0, "{id}");
            some += units(&answer).len();
            for unit in units(&answer) {
                assert!(unit["case"].as_str().is_some_and(|case| case.starts_with("OWN-")));
                // Whatever cannot be assessed says why.
                assert_eq!(
                    unit["outcome"] == "NOT_ASSESSABLE",
                    unit["reason"].is_string(),
                    "{unit}"
                );
            }
        }
        assert!(some > 0, "{period}");
    }
}

#[test]
fn another_centres_cases_are_nobodys_but_its_own_and_the_offices() {
    let service = two_centres();
    let path = "/api/v1/runs/1/measures/1a/cases";
    let own = service.submitter("C01");
    assert!(!own.get(path).expect(200).text().contains("OTHER-"));
    own.get(&format!("{path}?centre=C02")).expect(404);
    own.get(&format!("{path}?centre=C99")).expect(404);
    own.get("/measures/1a/cases.csv?centre=C02").expect(404);
    let page = own
        .get_with("/measures/1a?period=all", &[HTML])
        .expect(200)
        .text();
    assert!(
        page.contains("/cases/OWN-1#m1a-0") && !page.contains("OTHER-"),
        "{page}"
    );
    for role in ["committee", "researcher", "admin"] {
        service.client(role, None).get(path).expect(403);
        service
            .client(role, None)
            .get("/measures/1a/cases.csv")
            .expect(403);
    }
    service.anonymous().get(path).expect(401);
    let office = service.client("coordinator", None);
    office.get(path).expect(422);
    let other = listed(&office, &format!("{path}?centre=C02&period=all"));
    assert_eq!(other["centre"], "C02");
    assert!(units(&other).iter().all(|unit| {
        unit["case"]
            .as_str()
            .is_some_and(|case| case.starts_with("OTHER-"))
    }));
    // The committee's page names no case; neither does the office's, which belongs to no centre.
    for client in [&service.client("committee", None), &office] {
        let page = client.get_with("/measures/1a", &[HTML]).expect(200).text();
        assert!(
            !page.contains("Your own cases") && !page.contains("OWN-"),
            "{page}"
        );
    }
    own.get("/api/v1/runs/1/measures/99z/cases").expect(404);
    own.get("/api/v1/runs/7/measures/1a/cases").expect(404);
    own.get(&format!("{path}?outcome=canary")).expect(400);
}

/// A run that is not published: a centre reads the latest of them for its own cases, as its worklist does, and no other.
#[test]
fn the_latest_run_is_read_for_the_own_cases_and_earlier_unpublished_ones_are_not() {
    let service = two_centres();
    let own = service.submitter("C01");
    let system = registry_core::access::Scope::system("test");
    let run = || {
        let wanted = registry_api::runs::Wanted::up_to("2026-11-01".parse().expect("a day"));
        registry_api::runs::execute(service.state(), &system, &wanted, |_| {})
            .expect("a run")
            .number
    };
    let second = run();
    send(&service, "C01", "minimal", "OWN-5");
    let third = run();
    let path = |run: &str| format!("/api/v1/runs/{run}/measures/1a/cases?period=all");
    let has_new = |answer: &Value| units(answer).iter().any(|unit| unit["case"] == "OWN-5");
    let latest = listed(&own, &path("latest"));
    assert_eq!((&latest["run"], has_new(&latest)), (&json!(third), true));
    assert_eq!(listed(&own, &path(&third.to_string())), latest);
    let published = listed(&own, &path("published"));
    assert_eq!((&published["run"], has_new(&published)), (&json!(1), false));
    own.get(&path(&second.to_string())).expect(404);
    service
        .client("coordinator", None)
        .get(&format!("{}&centre=C01", path(&second.to_string())))
        .expect(200);
}

#[test]
fn the_list_is_downloaded_and_a_withdrawn_case_has_left_it() {
    let service = two_centres();
    let own = service.submitter("C01");
    let path = "/api/v1/runs/1/measures/1a/cases?period=all";
    let all = listed(&own, path);
    let csv = own.get_with(path, &[CSV]).expect(200);
    assert!(
        csv.header("content-disposition")
            .is_some_and(|header| header.contains("cases-1a-C01-run-1.csv"))
    );
    let text = csv.text();
    assert!(
        text.starts_with("case,version,unit_index,outcome,reason,element,half_year\n"),
        "{text}"
    );
    assert_eq!(text.lines().count(), units(&all).len() + 1);
    assert_eq!(
        own.get("/measures/1a/cases.csv?period=all").expect(200).text(),
        text
    );
    let met = listed(&own, &format!("{path}&outcome=MET"));
    assert!(units(&met).iter().all(|unit| unit["outcome"] == "MET"));
    own.put(
        "/api/v1/cases/OWN-1",
        &[("if-match", "*")],
        &records::withdrawal("OWN-1"),
    )
    .expect(200);
    let after = listed(&own, path);
    assert!(!after.to_string().contains("OWN-1"));
    assert_eq!(after["not_listed"], 1);
    let page = own
        .get_with("/measures/1a?period=all", &[HTML])
        .expect(200)
        .text();
    assert!(
        !page.contains("OWN-1") && page.contains("1 that the run counts are not listed"),
        "{page}"
    );
}

/// The headline is of the last 24 months unless the address asks for all, and says of which.
#[test]
fn a_measure_page_is_of_the_last_24_months_by_default() {
    let service = Service::start();
    // Diagnosed in 2019: outside; in 2025: inside the 24 months before the cut-off.
    for n in 0..6 {
        send(&service, "C01", "figure-1", &format!("OLD-{n}"));
    }
    for n in 0..7 {
        send(&service, "C02", "observation-only", &format!("NEW-{n}"));
    }
    service.published_run("2026-11-01");
    let office = service.client("coordinator", None);
    let rows = |period: &str| -> Vec<(String, String)> {
        let answer = listed(&office, &format!("/api/v1/adherence?by=network&period={period}"));
        let rows = answer["rows"].as_array().expect("rows").iter();
        let counted = |row: &Value| {
            let id = row["measure"].as_str().expect("an id").to_owned();
            (id, format!("{} of {}", row["numerator"], row["denominator"]))
        };
        rows.map(counted).collect()
    };
    let (recent, all) = (rows("last24_months"), rows("all"));
    let differs = |(one, other): &(&(String, String), &(String, String))| one != other;
    let both = recent.iter().zip(&all).find(differs);
    let ((id, recent), (same, all)) = both.expect("a measure that the patients of 2019 are in");
    assert_eq!(id, same);
    let page = |path: &str| office.get_with(path, &[HTML]).expect(200).text();
    let headline = |text: &str| {
        let from = text.find("<h2>Network, ").expect("a heading");
        let to = text[from..].find("</section>").expect("its end");
        text[from..from + to].to_owned()
    };
    let default = headline(&page(&format!("/measures/{id}")));
    assert!(
        default.starts_with("<h2>Network, last 24 months</h2>"),
        "{default}"
    );
    assert!(default.contains(&format!("<dd>{recent}</dd>")), "{default}");
    assert_eq!(
        headline(&page(&format!("/measures/{id}?period=last24_months"))),
        default
    );
    let whole = headline(&page(&format!("/measures/{id}?period=all")));
    assert!(whole.starts_with("<h2>Network, all diagnoses</h2>"), "{whole}");
    assert!(whole.contains(&format!("<dd>{all}</dd>")), "{whole}");
    assert!(page(&format!("/measures/{id}")).contains("By year of diagnosis, all diagnoses"));
    let refused = office
        .get_with("/measures/1a?period=canary", &[HTML])
        .expect(400)
        .text();
    assert!(refused.contains("period:") && !refused.contains("canary"));
}
