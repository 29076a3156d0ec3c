//! `/releases`: what there is, what it holds and leaves out, how it is frozen from the page; and withdrawn cases that had left in one.

use registry_core::access::{Role, Scope};
use serde_json::{Value, json};
use support::{records, service::Service};

use crate::session::Browser;

/// Six cases of one centre, two of another, and a published run of them.
fn with_a_run() -> (Service, i64) {
    let service = Service::start();
    for n in 0..8 {
        let name = format!("FIG-{n:04}");
        let centre = if n < 6 { "C01" } else { "C02" };
        let body = records::figure_1(&name);
        let address = format!("/api/v1/cases/{name}");
        service.submitter(centre).put(&address, &[], &body).expect(201);
    }
    let run = service.published_run("2026-11-01");
    (service, run)
}

#[test]
fn the_list_is_for_researchers_and_the_office_and_says_when_there_is_nothing() {
    let service = Service::start();
    let office = Browser::of(&service, Role::Coordinator);
    let text = office.open("/releases").expect(200).text();
    assert!(text.contains("No release has been frozen yet."), "{text}");
    assert!(text.contains("No run has been published yet"), "{text}");
    let researcher = Browser::of(&service, Role::Researcher);
    let text = researcher.open("/releases").expect(200).text();
    assert!(text.contains("No release has been frozen yet.") && !text.contains("Freeze a run"));
    let in_menu = |role| {
        let home = Browser::of(&service, role).open("/schema").expect(200).text();
        home.contains("href=\"/releases\"")
    };
    for role in [Role::Coordinator, Role::Researcher] {
        assert!(in_menu(role), "{role}");
    }
    for role in [Role::Submitter, Role::CentreLead, Role::Committee, Role::Admin] {
        Browser::of(&service, role).open("/releases").expect(403);
        assert!(!in_menu(role), "{role}");
    }
    service
        .anonymous()
        .get_with("/releases", &[("accept", "text/html")])
        .expect(401);
    researcher.open("/releases/R").expect(404);
    assert_eq!(
        researcher.open("/releases?colour=canary").status,
        400,
        "an unknown parameter is refused"
    );
}

#[test]
fn the_page_of_a_release_says_what_its_manifest_says() {
    let (service, run) = with_a_run();
    let api = service.client("coordinator", None);
    for (id, title) in [("R1", "The first"), ("R2", "The second")] {
        api.post(
            "/api/v1/releases",
            &[],
            &json!({ "run": run, "release": id, "title": title }),
        )
        .expect(201);
    }
    let head = api.get("/api/v1/releases/R2").expect(200).json();
    let manifest = api.get("/api/v1/releases/R2/manifest.json").expect(200).json();
    let (office, researcher) = (
        Browser::of(&service, Role::Coordinator),
        Browser::of(&service, Role::Researcher),
    );
    let told = |value: &Value| value.as_str().expect("text").to_owned();
    for browser in [&office, &researcher] {
        let list = browser.open("/releases").expect(200).text();
        for words in ["href=\"/releases/R1\"", "href=\"/releases/R2\"", "The second"] {
            assert!(list.contains(words), "{words}: {list}");
        }
        // Digests are the office's: two releases would tell by them of the patients between.
        let digests = std::ptr::eq(browser, &office);
        assert_eq!(list.contains(&told(&head["sha256"])), digests);
        let page = browser.open("/releases/R2").expect(200).text();
        for file in manifest["files"].as_array().expect("files") {
            assert_eq!(page.contains(&told(&file["sha256"])), digests, "{}", file["name"]);
        }
        for withheld in manifest["withheld"].as_array().expect("a list") {
            let words = [told(&withheld["element"]), told(&withheld["reason"])];
            for words in words.map(|words| words.replace('\'', "&#39;").replace('"', "&#34;")) {
                assert!(page.contains(&words), "{words}");
            }
        }
        // To others than the office nobody and few are the same.
        let none = if digests {
            "0"
        } else {
            "not told: it is, or was, fewer than 11"
        };
        for left_out in manifest["accounting"]["left_out"].as_array().expect("a list") {
            let row = format!(
                "<th scope=\"row\">{}</th><td class=\"n\">{none}</td>",
                told(&left_out["reason"])
            );
            assert!(page.contains(&row), "{row}");
        }
        // All eight are as they were: 0 new, 0 in another version, 0 gone.
        let changes = "Since release <a href=\"/releases/R1\">R1</a>";
        let gone = format!("<th scope=\"row\">no longer in it</th><td class=\"n\">{none}</td>");
        assert!(page.contains(changes) && page.contains(&gone), "{gone}");
        let cite = format!(
            "RPS registry. The second. Release R2, data up to 2026-11-01: run {run}, case schema {}, guideline {}.",
            told(&manifest["versions"]["schema_version"]),
            told(&manifest["versions"]["guideline_version"])
        );
        assert!(page.contains(&cite), "{cite}");
        assert!(page.contains("href=\"/api/v1/releases/synthetic/bundle.zip\""));
    }
    // The office takes the files out in every form; a researcher asks for them.
    let page = office.open("/releases/R2").expect(200).text();
    let links: Vec<&str> = page
        .split("href=\"/api/v1/releases/R2/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    for wanted in [
        "bundle.zip",
        "manifest.json",
        "files/patient.csv",
        "files/patient.csv?variant=excel",
        "files/patient.parquet",
        "files/load.R",
    ] {
        assert!(links.contains(&wanted), "{wanted}: {links:?}");
    }
    for link in links {
        api.get(&format!("/api/v1/releases/R2/{link}")).expect(200);
    }
    let page = researcher.open("/releases/R2").expect(200).text();
    assert!(!page.contains("/api/v1/releases/R2/files/") && !page.contains("/api/v1/releases/R2/bundle.zip"));
    assert!(page.contains("href=\"/requests?release=R2#ask\""));
}

#[test]
fn the_office_freezes_a_published_run_from_the_page() {
    let (service, run) = with_a_run();
    let wanted = registry_api::runs::Wanted::up_to("2026-11-02".parse().expect("a day"));
    let hidden = registry_api::runs::execute(service.state(), &Scope::system("test"), &wanted, |_| {})
        .expect("a run")
        .number;
    let office = Browser::of(&service, Role::Coordinator);
    let page = office.open("/releases").expect(200).text();
    let option = |run: i64| format!("<option value=\"{run}\">run {run}, data up to");
    assert!(
        page.contains(&option(run)) && !page.contains(&option(hidden)),
        "{page}"
    );
    let (run, hidden) = (run.to_string(), hidden.to_string());
    let send = |run: &str, id: &str| {
        let fields = [("run", run), ("release", id), ("title", "Second & last")];
        office.send("/releases", "/releases", &fields)
    };
    send(&hidden, "R").expect(409);
    send("soon", "R").expect(422);
    send(&run, "two words").expect(422);
    send("99", "R").expect(404);
    // Not by a researcher, not without the form's token.
    let researcher = Browser::of(&service, Role::Researcher);
    let fields = [("run", run.as_str()), ("release", "R"), ("title", "t")];
    researcher.send("/releases", "/releases", &fields).expect(403);
    assert!(
        service
            .state()
            .store
            .list_freezings(&Scope::system("test"))
            .expect("a list")
            .is_empty()
    );

    assert_eq!(send(&run, "R").expect(303).header("location"), Some("/releases"));
    // It is on the page at once, being frozen or there.
    let page = office.open("/releases").expect(200).text();
    assert!(page.contains("Second &#38; last"), "{page}");
    let store = &service.state().store;
    while store.release(&Scope::system("test"), "R").is_err() {
        let begun = store.list_freezings(&Scope::system("test")).expect("a list");
        assert!(begun.iter().all(|one| one.problem.is_none()), "{begun:?}");
        std::thread::yield_now();
    }
    let page = office.open("/releases").expect(200).text();
    assert!(
        page.contains("href=\"/releases/R\"") && !page.contains("Not there yet"),
        "{page}"
    );
    send(&run, "R").expect(409);
    let events = service
        .client("admin", None)
        .get("/api/v1/audit?action=release.begin")
        .expect(200)
        .json();
    let begun = &events["events"][0];
    assert_eq!(
        (&begun["subject"], &begun["actor"]),
        (&json!("R"), &json!("user:test")),
        "{events}"
    );
    service.verify_audit();
}

#[test]
fn a_release_says_how_far_it_is_and_why_it_came_to_nothing() {
    let (service, run) = with_a_run();
    let office = Browser::of(&service, Role::Coordinator);
    let (store, system) = (&service.state().store, Scope::system("test"));
    let shown = || office.open("/releases").expect(200).text();
    store.begin_freezing(&system, "R", run, "Large").expect("begun");
    assert!(shown().contains("counting cases"));
    store.tell_freezing(&system, "R", 200, 450).expect("told");
    let text = shown();
    assert!(
        text.contains("<progress max=\"450\" value=\"200\"") && text.contains("200 of 450 cases"),
        "{text}"
    );
    store
        .fail_freezing(&system, "R", "The database has no space left")
        .expect("noted");
    let text = shown();
    assert!(text.contains("came to nothing") && text.contains("The database has no space left"));
    assert!(!text.contains("<progress"));
    store.begin_freezing(&system, "R", run, "Large").expect("again");
    service.advance_minutes(6);
    assert!(shown().contains("interrupted"));
    // Only the office is told.
    let researcher = Browser::of(&service, Role::Researcher);
    assert!(!researcher.open("/releases").expect(200).text().contains("Large"));
}

#[test]
fn a_withdrawal_is_told_to_the_office_with_the_releases_and_requests_that_held_the_case() {
    let (service, run) = with_a_run();
    let api = service.client("coordinator", None);
    api.post("/api/v1/releases", &[], &json!({ "run": run, "release": "R" }))
        .expect(201);
    let researcher = service.client("researcher", None);
    let file = |title: &str| {
        let body = json!({ "release": "R", "title": title, "purpose": "A thesis", "files": ["patient.csv"] });
        let filed = researcher
            .post("/api/v1/data-requests", &[], &body)
            .expect(201)
            .json();
        let id = filed["request_id"].as_str().expect("an id").to_owned();
        let approval = json!({ "expires_on": "2026-12-31" });
        api.post(&format!("/api/v1/data-requests/{id}:approve"), &[], &approval)
            .expect(200);
        id
    };
    let (read, _unread) = (file("Taken <b>out</b>"), file("Left alone"));
    researcher
        .get(&format!("/api/v1/data-requests/{read}/bundle.zip"))
        .expect(200);
    let office = Browser::of(&service, Role::Coordinator);
    let tasks = || office.open("/tasks").expect(200).text();
    assert!(tasks().contains("No withdrawn case had been in a release"));
    let withdraw = |case: &str, mode: &str| {
        let body = json!({ "mode": mode, "date": "2026-11-20", "reason": "asked for" });
        let address = format!("/api/v1/cases/{case}:withdraw");
        service
            .submitter("C01")
            .post(&address, &[], &body)
            .expect(200)
            .json()
    };
    let erased = withdraw("FIG-0001", "erase");
    withdraw("FIG-0002", "no_further_use");
    // One that no run ever had.
    let body = records::figure_1("NEW-0001");
    service
        .submitter("C01")
        .put("/api/v1/cases/NEW-0001", &[], &body)
        .expect(201);
    withdraw("NEW-0001", "erase");
    let text = tasks();
    let record = erased["record_id"].as_str().expect("an id");
    let row = |mark: &str| {
        let after = text
            .split(mark)
            .nth(1)
            .unwrap_or_else(|| panic!("{mark}: {text}"));
        after.split("</tr>").next().unwrap_or_default().to_owned()
    };
    for (row, asked) in [(row(record), "erased"), (row(">FIG-0002<br>"), "no further use")] {
        for words in [
            asked,
            "href=\"/releases/R\"",
            "Taken &#60;b&#62;out",
            // Not by the id of the key.
            "key \u{201c}test researcher\u{201d}",
            &read,
            "1 download",
            "2026-11-20",
        ] {
            assert!(row.contains(words), "{words}: {row}");
        }
        assert!(!row.contains("Left alone"));
    }
    assert!(!text.contains("FIG-0001"), "what is erased has no pseudonym");
    assert!(text.contains("1 further withdrawn case had been in no release."));
    let requests = office.open("/requests").expect(200).text();
    assert_eq!(requests.matches("held a case withdrawn since").count(), 1);
    // The researcher is not told by the page whose case it was, nor that there is one.
    Browser::of(&service, Role::Researcher).open("/tasks").expect(403);
}
