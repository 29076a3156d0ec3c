//! Pages and the files behind their links, as a browser asks for them.

use registry_core::access::{Role, Scope};
use registry_core::storage::SignInLink;
use serde_json::{Value, json};
use support::client::{Answer, Client};
use support::{records, service::Service};

const HTML: (&str, &str) = ("accept", "text/html");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn submitted(client: &Client, prefix: &str, n: usize) {
    for n in 0..n {
        let name = format!("{prefix}-{n:04}");
        client
            .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
            .expect(201);
    }
}

fn page(client: &Client, path: &str) -> Answer {
    client.get_with(path, &[HTML])
}

/// Rows of a CSV by column name.
fn csv_rows(answer: &Answer) -> Vec<Value> {
    let mut reader = csv::Reader::from_reader(answer.body.as_slice());
    let header = reader.headers().expect("a header").clone();
    reader
        .records()
        .map(|row| {
            let row = row.expect("a row");
            header
                .iter()
                .zip(row.iter())
                .map(|(name, cell)| (name.to_owned(), json!(cell)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        })
        .collect()
}

#[test]
fn a_wrong_parameter_is_refused_by_name_and_its_value_is_not_repeated() {
    let service = Service::start();
    submitted(&service.submitter("C01"), "FIG", 1);
    service.published_run("2026-11-01");
    let office = service.client("coordinator", None);
    for (path, name) in [
        ("/adherence?kind=canary", "kind"),
        ("/adherence?domain=canary", "domain"),
        ("/adherence?grade=canary", "grade"),
        ("/adherence?by=canary", "by"),
        ("/adherence?run=canary", "run"),
        ("/adherence?sort=canary", "sort"),
        ("/charts/survival.svg?part=canary", "part"),
        ("/charts/survival.svg?colour=canary", "colour"),
        ("/adherence?colour=canary", "colour"),
        ("/adherence.csv?kind=canary", "kind"),
        ("/?colour=canary", "colour"),
        ("/runs?colour=canary", "colour"),
        ("/rules?colour=canary", "colour"),
        ("/cases?colour=canary", "colour"),
        ("/cases/FIG-0000?colour=canary", "colour"),
        ("/measures/1a?colour=canary", "colour"),
        ("/schema?colour=canary", "colour"),
        ("/admin?colour=canary", "colour"),
        ("/sign-in?colour=canary", "colour"),
        ("/survival?landmark=canary", "landmark"),
        ("/quality?colour=canary", "colour"),
        ("/worklist?colour=canary", "colour"),
    ] {
        let answer = page(&office, path).expect(400);
        let text = answer.text();
        assert!(
            answer
                .header("content-type")
                .is_some_and(|t| t.starts_with("text/html")),
            "{path}"
        );
        assert!(text.contains(&format!("{name}:")), "{path}: {text}");
        assert!(!text.contains("canary"), "{path}");
    }
    let problem = office.get("/api/v1/adherence?by=canary").expect(400).json();
    assert_eq!(
        (&problem["code"], &problem["detail"]),
        (&json!("bad_query"), &json!("by: this value cannot be read"))
    );
    let problem = office.get("/api/v1/adherence?colour=canary").expect(400).json();
    assert_eq!(problem["detail"], "colour: no such parameter here");
}

#[test]
fn the_links_called_csv_lead_to_csv_with_the_filters_of_the_page() {
    let service = Service::start();
    submitted(&service.submitter("C01"), "FIG", 12);
    let run = service.published_run("2026-11-01");
    let office = service.client("coordinator", None);
    let shown = page(&office, "/adherence?kind=utilisation&by=half_year")
        .expect(200)
        .text();
    assert!(
        shown.contains("href=\"/adherence.csv?kind=utilisation&#38;by=half_year\""),
        "{shown}"
    );
    let answer = office
        .get("/adherence.csv?kind=utilisation&by=half_year")
        .expect(200);
    assert!(
        answer
            .header("content-type")
            .is_some_and(|t| t.starts_with("text/csv"))
    );
    let rows = csv_rows(&answer);
    assert!(rows.iter().any(|row| row["by"] == "half_year") && rows.iter().all(|row| row["by"] != "centre"));
    let measures = office.get("/api/v1/adherence").expect(200).json()["measures"].clone();
    let kind = |id: &str| {
        let found = measures
            .as_array()
            .expect("measures")
            .iter()
            .find(|m| m["id"] == id);
        found.map(|m| m["kind"].clone())
    };
    for row in rows.iter().filter(|row| row["measure"] != "registration") {
        assert_eq!(
            kind(row["measure"].as_str().expect("an id")),
            Some(json!("utilisation"))
        );
        assert_eq!(
            (&row["run"], &row["period"]),
            (&json!(run.to_string()), &json!("all"))
        );
        assert!(!row["guideline_version"].as_str().expect("a version").is_empty());
    }

    let of_measure = page(&office, "/measures/1a").expect(200).text();
    assert!(of_measure.contains("href=\"/measures/1a/funnel.csv\""));
    let rows = csv_rows(&office.get("/adherence.csv?measure=1a&by=centre_all").expect(200));
    let own = rows
        .iter()
        .find(|row| row["level"] == "C01" && row["measure"] == "1a")
        .expect("the centre");
    let row = |by: &str| -> Value {
        let all = office
            .get(&format!("/api/v1/adherence?measure=1a&by={by}&period=all"))
            .expect(200)
            .json();
        all["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .find(|row| row["level"] == "C01" || by == "network")
            .expect("a row")
            .clone()
    };
    let json_row = row("centre");
    for name in [
        "patients",
        "patients_all_met",
        "numerator",
        "denominator",
        "not_assessable",
    ] {
        assert_eq!(own[name], json!(json_row[name].to_string()), "{name}");
    }
    let registration = rows
        .iter()
        .find(|row| row["measure"] == "registration" && row["level"] == "C01")
        .expect("registration");
    assert_eq!(
        (&registration["numerator"], &registration["denominator"]),
        (&json!("12"), &json!("108"))
    );
    office.get("/adherence.csv?measure=99z").expect(404);
}

/// One centre registers more than it said it saw: that is said, not a share above one.
#[test]
fn more_registered_than_seen_is_said_in_words() {
    let service = Service::start();
    let office = Scope::system("test");
    for year in 2018..=2026 {
        let row = json!({"centre_id": "C01", "effective_year": year, "eligible_seen": 0});
        service
            .state()
            .store
            .put_centre_year(&office, "C01", year, row)
            .expect("a year");
    }
    let row = json!({"centre_id": "C01", "effective_year": 2026, "eligible_seen": 2});
    service
        .state()
        .store
        .put_centre_year(&office, "C01", 2026, row)
        .expect("a year");
    submitted(&service.submitter("C01"), "FIG", 5);
    service.published_run("2026-11-01");
    let shown = page(&service.client("coordinator", None), "/adherence")
        .expect(200)
        .text();
    assert!(
        shown.contains("more than seen") && shown.contains("5 registered, 2 seen"),
        "{shown}"
    );
    assert!(!shown.contains("250 %"));
}

/// A centre sees its own cases by the latest run, and of nobody else anything that was not published.
#[test]
fn a_centre_sees_the_latest_run_of_its_own_cases_and_no_more() {
    let service = Service::start();
    let (own, other) = (service.submitter("C01"), service.submitter("C02"));
    submitted(&own, "OWN", 6);
    submitted(&other, "OTH", 7);
    let read =
        |client: &Client, query: &str| client.get(&format!("/api/v1/adherence?measure=1a&period=all{query}"));
    let counted = |answer: &Value, by: &str| -> Vec<(Value, Value)> {
        let rows = answer["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .filter(|row| row["by"] == by);
        rows.map(|row| (row["level"].clone(), row["patients"].clone()))
            .collect()
    };
    let system = Scope::system("test");
    let run = |cut_off: &str| {
        let wanted = registry_api::runs::Wanted::up_to(cut_off.parse().expect("a day"));
        registry_api::runs::execute(service.state(), &system, &wanted, |_| {})
            .expect("a run")
            .number
    };
    // Before anything is published a centre sees itself alone.
    let first = run("2026-11-01");
    read(&own, "").expect(404);
    let alone = read(&own, "&run=latest").expect(200).json();
    assert_eq!(alone["own_run"], first);
    assert!(
        alone["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .all(|row| row["by"] == "centre" && row["level"] == "C01")
    );
    assert_eq!(alone["registration"][0]["registered"], json!(null));

    registry_api::runs::publish(service.state(), &system, first).expect("published");
    let published = read(&own, "").expect(200).json();
    submitted(&own, "NEW", 2);
    submitted(&other, "LATE", 5);
    let second = run("2026-11-01");
    let latest = read(&own, "&run=latest").expect(200).json();
    assert_eq!(
        (&latest["run"]["run"], &latest["own_run"]),
        (&json!(first), &json!(second))
    );
    let mine = |answer: &Value| counted(answer, "centre");
    assert_eq!(mine(&published).len(), 1);
    let grown = latest["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["by"] == "centre")
        .expect("own");
    let before = published["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["by"] == "centre")
        .expect("own");
    let units = |row: &Value| {
        [
            "denominator",
            "not_assessable",
            "excluded",
            "not_in_denominator",
            "excepted",
        ]
        .iter()
        .filter_map(|n| row[*n].as_u64())
        .sum::<u64>()
    };
    assert_eq!((units(before), units(grown)), (6, 8), "the own two new cases");
    // Nothing else differs from what was published.
    let others = |answer: &Value| -> Vec<Value> {
        answer["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .filter(|row| row["by"] != "centre")
            .cloned()
            .collect()
    };
    assert_eq!(others(&latest), others(&published));
    // The run itself stays closed, and there is no latest one for those who have no cases.
    read(&own, &format!("&run={second}")).expect(404);
    read(&service.client("committee", None), "&run=latest").expect(404);
    read(&service.client("researcher", None), "&run=latest").expect(403);
    assert_eq!(
        read(&service.client("coordinator", None), "&run=latest")
            .expect(200)
            .json()["run"]["run"],
        second
    );
    let quality = own.get("/api/v1/quality?run=latest").expect(200).json();
    let of = |answer: &Value| answer["centres"][0]["cases"].clone();
    assert_eq!(
        (quality["centres"][0]["centre"].clone(), of(&quality)),
        (json!("C01"), json!(8))
    );
    assert_eq!(
        quality["network"],
        own.get("/api/v1/quality").expect(200).json()["network"]
    );
    let shown = page(&own, "/adherence").expect(200).text();
    assert!(shown.contains("/adherence?run=latest"), "{shown}");
    let shown = page(&own, "/adherence?run=latest").expect(200).text();
    assert!(
        shown.contains(&format!("Your own column is of run {second}")),
        "{shown}"
    );
    let rows = csv_rows(
        &own.get("/adherence.csv?run=latest&measure=1a&by=centre_all")
            .expect(200),
    );
    let run_of = |by: &str| {
        rows.iter()
            .find(|row| row["by"] == by && row["measure"] == "1a")
            .map(|row| row["run"].clone())
    };
    assert_eq!(
        (run_of("centre"), run_of("network")),
        (Some(json!(second.to_string())), Some(json!(first.to_string())))
    );
}

fn signed_in(service: &Service, role: Role) -> (Client, String, Answer) {
    let state = service.state();
    let link = SignInLink {
        user: "test".to_owned(),
        role,
        centre: None,
        expires_at: state.ports.clock.now() + chrono::Duration::hours(1),
        reusable: false,
    };
    let token = state
        .store
        .create_sign_in_link(&Scope::system("test"), link)
        .expect("a link");
    let browser = service.anonymous();
    let body = format!("token={}", token.reveal());
    let answer = browser
        .send("POST", "/sign-in", &[FORM, HTML], Some(body.as_bytes()))
        .expect(303);
    let cookie = answer
        .header("set-cookie")
        .expect("a cookie")
        .split(';')
        .next()
        .unwrap_or_default()
        .to_owned();
    (browser, cookie, answer)
}

#[test]
fn an_administrator_starts_on_a_page_with_a_menu_and_a_way_out() {
    let service = Service::start();
    let (browser, cookie, answer) = signed_in(&service, Role::Admin);
    assert_eq!(answer.header("location"), Some("/admin"));
    let get = |path: &str| browser.get_with(path, &[HTML, ("cookie", &cookie)]);
    for path in ["/admin", "/schema"] {
        let text = get(path).expect(200).text();
        assert!(text.contains("class=\"brand\" href=\"/admin\""), "{path}");
        assert!(
            text.contains("Sign out") && text.contains(">Administration</a>"),
            "{path}"
        );
    }
    // Whatever leads to the start leads there.
    assert_eq!(get("/").expect(303).header("location"), Some("/admin"));
    get("/adherence").expect(403);
    let text = get("/admin").text();
    assert!(text.contains("C06") && text.contains("Centre C06"), "{text}");
    page(&service.client("committee", None), "/admin").expect(403);
}

#[test]
fn the_office_starts_a_run_on_its_page_and_sees_what_became_of_it() {
    let service = Service::start();
    submitted(&service.submitter("C01"), "FIG", 2);
    let (browser, cookie, _) = signed_in(&service, Role::Coordinator);
    let shown = || {
        browser
            .get_with("/runs", &[HTML, ("cookie", &cookie)])
            .expect(200)
            .text()
    };
    let text = shown();
    assert!(text.contains("Start a run"), "{text}");
    let token = text
        .split("name=\"csrf\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a token")
        .to_owned();
    let post = |fields: &str| {
        let body = format!("csrf={token}&{fields}");
        browser.send(
            "POST",
            "/runs",
            &[FORM, HTML, ("cookie", &cookie)],
            Some(body.as_bytes()),
        )
    };
    post("cut_off=2027-01-01").expect(422);
    post("cut_off=soon").expect(422);
    assert_eq!(
        post("cut_off=2026-11-01").expect(303).header("location"),
        Some("/runs")
    );
    // It is on the page at once, running or finished, and waits for nobody.
    let text = shown();
    assert!(
        text.contains("2026-11-01") && (text.contains("running") || text.contains("finished")),
        "{text}"
    );
    let finished = loop {
        let run = service
            .state()
            .store
            .run(&Scope::system("test"), 1)
            .expect("the run");
        if run.status != registry_core::storage::RunStatus::Running {
            break run;
        }
        std::thread::yield_now();
    };
    assert_eq!(finished.progress, None);
    assert!(shown().contains("2 cases: 2 evaluated, 0 unchanged"));
    let committee = page(&service.client("committee", None), "/runs")
        .expect(200)
        .text();
    assert!(!committee.contains("Start a run"));
}

#[test]
fn a_run_says_how_far_it_is() {
    let service = Service::start();
    submitted(&service.submitter("C01"), "FIG", 2);
    let office = service.client("coordinator", None);
    let mut heard = Vec::new();
    let wanted = registry_api::runs::Wanted::up_to("2026-11-01".parse().expect("a day"));
    registry_api::runs::execute(service.state(), &Scope::system("test"), &wanted, |progress| {
        let answer = office
            .get(&format!("/api/v1/runs/{}", progress.run))
            .expect(200)
            .json();
        assert_eq!(
            (&answer["status"], &answer["summary"]),
            (&json!("running"), &json!(null))
        );
        let words = page(&office, "/runs").expect(200).text();
        let bar = format!("<progress max=\"2\" value=\"{}\"", answer["progress"]["done"]);
        let told = words.contains("of 2 cases") && words.contains(&bar) && words.contains("data-under-way");
        heard.push((answer["progress"].clone(), told));
    })
    .expect("a run");
    let told = |phase: &str, done: u32| (json!({"phase": phase, "done": done, "total": 2}), true);
    assert_eq!(
        heard,
        [
            told("evaluating", 0),
            told("evaluating", 2),
            told("aggregating", 2),
            told("summarising", 2)
        ]
    );
    let answer = office.get("/api/v1/runs/1").expect(200).json();
    assert_eq!(
        (&answer["status"], answer.get("progress")),
        (&json!("finished"), None)
    );
}

/// Rows of the adherence table by measure, in the order of the page.
fn measures_of(text: &str) -> Vec<String> {
    let table = text
        .split("<div class=\"scroll matrix\">")
        .nth(1)
        .expect("a table");
    let rows = table.split("<th scope=\"row\"><a href=\"/measures/").skip(1);
    rows.filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_adherence_table_is_searched_sorted_and_keeps_uses_of_options_apart() {
    let service = Service::start();
    let centre = service.submitter("C01");
    for n in 0..12 {
        let name = format!("OBS-{n:04}");
        let body = records::example("observation-only", &name);
        centre
            .put(&format!("/api/v1/cases/{name}"), &[], &body)
            .expect(201);
    }
    service.published_run("2026-11-01");
    let office = service.client("coordinator", None);
    let answer = office
        .get("/api/v1/adherence?by=network&period=last24_months")
        .expect(200)
        .json();
    let all = answer["measures"].as_array().expect("measures").clone();
    let text_of = |path: &str| page(&office, path).expect(200).text();
    let shown = measures_of(&text_of("/adherence"));
    assert_eq!(shown.len(), all.len());
    let is_use = |id: &String| {
        all.iter()
            .any(|one| one["id"] == id.as_str() && one["kind"] == "utilisation")
    };
    let first_use = shown.iter().position(&is_use).expect("some");
    assert!(shown[first_use..].iter().all(is_use), "{shown:?}");

    // A word of the statement that the title has not.
    let of_1a = service
        .client("committee", None)
        .get("/api/v1/guidelines/tarpswg-metastatic-rps/measures/1a")
        .expect(200)
        .text();
    assert!(of_1a.contains("are to be seen by a team") && !of_1a.contains("\"title\":\"are"));
    let found = measures_of(&text_of("/adherence?q=SEEN+team"));
    assert!(
        found.contains(&"1a".to_owned()) && found.len() < shown.len(),
        "{found:?}"
    );
    let none = text_of("/adherence?q=zebra");
    assert!(none.contains("No measure has all of these.") && measures_of(&none).is_empty());
    let hostile = text_of("/adherence?q=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E");
    assert!(!hostile.contains("<script>alert"), "{hostile}");
    assert!(
        hostile.contains("/adherence.csv?q=%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E"),
        "{hostile}"
    );
    page(&office, &format!("/adherence?q={}", "x".repeat(101))).expect(400);
    let rows = csv_rows(&office.get("/adherence.csv?q=SEEN+team").expect(200));
    assert!(rows.iter().all(|row| row["measure"] == "registration"
        || found.contains(&row["measure"].as_str().expect("an id").to_owned())));

    // Within a group the order is the network's; what has no rate comes last.
    let rate = |id: &String| {
        let rows = answer["rows"].as_array().expect("rows").iter();
        let mut row = rows
            .filter(|row| row["measure"] == id.as_str() && row["by"] == "network" && row["state"] == "rate");
        row.next()
            .and_then(|row| row["rate"].as_f64())
            .unwrap_or(f64::INFINITY)
    };
    let mut told_apart = 0;
    for domain in [
        "assessment",
        "imaging",
        "pathology",
        "local",
        "systemic",
        "palliative",
    ] {
        let sorted = measures_of(&text_of(&format!(
            "/adherence?sort=rate&kind=adherence&domain={domain}"
        )));
        let rates: Vec<f64> = sorted.iter().map(rate).collect();
        assert!(rates.is_sorted(), "{domain}: {sorted:?} {rates:?}");
        told_apart += usize::from(rates.first() < rates.last());
    }
    assert!(told_apart > 0);
}

/// The same numbers as the page: what a reader may not see is in no chart either.
#[test]
fn a_chart_is_a_file_of_its_own_with_a_fixed_name() {
    let service = Service::start();
    submitted(&service.submitter("C01"), "FIG", 12);
    let run = service.published_run("2026-11-01");
    let committee = service.client("committee", None);
    let overview = page(&committee, "/").expect(200).text();
    assert!(
        overview.contains("href=\"/charts/registrations.svg\"")
            && overview.contains("href=\"/charts/registrations.csv\"")
    );
    let answer = committee.get("/charts/registrations.svg").expect(200);
    let header = |name: &str| answer.header(name).unwrap_or_default().to_owned();
    assert_eq!(header("content-type"), "image/svg+xml");
    assert_eq!(
        header("content-disposition"),
        format!("attachment; filename=\"registrations-run-{run}.svg\"")
    );
    let svg = answer.text();
    assert!(svg.contains("<title>2019-12: 12 registered</title>"), "{svg}");
    assert!(!svg.contains("class=") && !svg.contains("var("), "{svg}");
    let rows = csv_rows(&committee.get("/charts/registrations.csv").expect(200));
    assert!(
        rows.iter()
            .any(|row| row["month"] == "2019-12" && row["registered"] == "12")
    );
    let survival = page(&committee, "/survival").expect(200).text();
    assert!(
        survival.contains("/charts/survival.svg?endpoint=S1&#38;part="),
        "{survival}"
    );
    let curve = committee.get("/charts/survival.svg?endpoint=S1&part=0");
    assert!([200, 404].contains(&curve.status), "{}", curve.status);
    for path in [
        "/charts/none.svg",
        "/charts/registrations.pdf",
        "/charts/funnel.svg?measure=no-such",
        "/charts/survival.svg?part=99",
        "/charts/survival.svg?endpoint=S99",
    ] {
        committee.get(path).expect(404);
    }
    committee.get("/charts/funnel.svg").expect(400);
    service
        .client("admin", None)
        .get("/charts/registrations.svg")
        .expect(403);
    service.anonymous().get("/charts/registrations.svg").expect(401);
}
