//! `/requests`: a researcher picks files and elements from the dictionary of a release; what is picked is what is asked, approved and delivered.

use std::collections::BTreeSet;

use registry_core::access::Role;
use serde_json::{Value, json};
use support::{client::Client, records, service::Service};

use crate::session::Browser;

/// Three cases frozen as release `R`, with the office and a researcher at their browsers.
struct Here {
    service: Service,
    office: Browser,
    researcher: Browser,
    api: Client,
}

impl Here {
    fn new() -> Self {
        let service = Service::start();
        for n in 0..3 {
            let name = format!("FIG-{n:04}");
            let address = format!("/api/v1/cases/{name}");
            let body = records::figure_1(&name);
            service.submitter("C01").put(&address, &[], &body).expect(201);
        }
        let run = service.published_run("2026-11-01");
        let api = service.client("coordinator", None);
        api.post("/api/v1/releases", &[], &json!({ "run": run, "release": "R" }))
            .expect(201);
        Self {
            office: Browser::of(&service, Role::Coordinator),
            researcher: Browser::of(&service, Role::Researcher),
            api,
            service,
        }
    }

    fn form(&self) -> String {
        self.researcher.open("/requests").expect(200).text()
    }

    fn send(&self, fields: &[(&str, &str)]) -> support::client::Answer {
        self.researcher.send("/requests", "/requests", fields)
    }

    /// The office approves what is ticked: everything of the form that stands in `keep`.
    fn approve(&self, id: &str, keep: impl Fn(&str) -> bool) -> support::client::Answer {
        let page = self.office.open("/requests").expect(200).text();
        let decide = format!("/requests/{id}/decide");
        let form = page.split(decide.as_str()).nth(1).expect("the form to approve");
        let form = form.split("</form>").next().expect("a form");
        let names = [
            "files",
            "elements",
            "contracted",
            "calendar_years",
            "centre_unmasked",
        ];
        let ticked: Vec<(&str, String)> = names
            .into_iter()
            .flat_map(|name| boxes(form, name).into_iter().map(move |one| (name, one)))
            .filter(|(_, one)| one.1 && keep(&one.0))
            .map(|(name, one)| (name, one.0))
            .collect();
        let mut fields = vec![("step", "approve"), ("expires_on", "2026-12-31")];
        fields.extend(ticked.iter().map(|(name, value)| (*name, value.as_str())));
        self.office.send("/requests", &decide, &fields)
    }

    /// The requests, as the API tells the office.
    fn requests(&self) -> Vec<Value> {
        let all = self.api.get("/api/v1/data-requests").expect(200).json();
        all["requests"].as_array().expect("a list").clone()
    }
}

/// The boxes of a name: value, and whether it is ticked.
fn boxes(page: &str, name: &str) -> Vec<(String, bool)> {
    let start = format!("<input type=\"checkbox\" name=\"{name}\" value=\"");
    page.split(start.as_str())
        .skip(1)
        .map(|rest| {
            let (value, rest) = rest.split_once('"').expect("a value");
            let end = rest.split('>').next().unwrap_or_default();
            (value.to_owned(), end.contains("checked"))
        })
        .collect()
}

fn names(boxes: &[(String, bool)]) -> BTreeSet<&str> {
    boxes.iter().map(|one| one.0.as_str()).collect()
}

fn listed(value: &Value) -> BTreeSet<&str> {
    let all = value.as_array().expect("a list").iter();
    all.map(|one| one.as_str().expect("a name")).collect()
}

#[test]
fn what_is_picked_is_what_is_asked_approved_and_delivered() {
    let here = Here::new();
    let page = here.form();
    for (name, value) in [
        ("files", "patient.csv"),
        ("files", "survival_s1.csv"),
        ("elements", "patient.sex"),
        ("elements", "presentation.timing"),
    ] {
        assert!(names(&boxes(&page, name)).contains(value), "{value} has a box");
    }
    let sent = here.send(&[
        ("release", "R"),
        ("files", "patient.csv"),
        ("files", "survival_s1.csv"),
        ("elements", "patient.sex"),
        ("elements", "presentation.timing"),
        ("title", "Sites & survival"),
        ("purpose", "A doctoral thesis"),
        ("contracted", "yes"),
        ("continues", ""),
        ("step", "file"),
    ]);
    assert_eq!(sent.expect(303).header("location"), Some("/requests"));
    let all = here.requests();
    assert_eq!(all.len(), 1);
    let (files, elements) = (
        BTreeSet::from(["patient.csv", "survival_s1.csv"]),
        BTreeSet::from(["patient.sex", "presentation.timing"]),
    );
    let asked = &all[0]["asked"];
    assert_eq!(
        (listed(&asked["files"]), listed(&asked["elements"])),
        (files.clone(), elements.clone())
    );
    assert_eq!(
        (
            &asked["contracted"],
            &asked["calendar_years"],
            &asked["centre_unmasked"]
        ),
        (&json!(true), &json!(false), &json!(false))
    );
    let id = all[0]["request_id"].as_str().expect("an id");
    // The office reads all of it and approves.
    let page = here.office.open("/requests").expect(200).text();
    for words in [
        "Sites &#38; survival",
        "patient.csv, survival_s1.csv, patient.sex, presentation.timing",
        "under contract",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    here.approve(id, |_| true).expect(303);
    let approved = &here.requests()[0];
    assert_eq!(approved["approved"], *asked);
    // Exactly that is in the bundle: the files that explain the others, the two files, and the file of the element that was named.
    let manifest = here
        .api
        .get(&format!("/api/v1/data-requests/{id}/manifest.json"))
        .expect(200)
        .json();
    assert_eq!(
        (
            listed(&manifest["request"]["files"]),
            listed(&manifest["request"]["elements"])
        ),
        (files, elements)
    );
    let tables: BTreeSet<&str> = manifest["files"]
        .as_array()
        .expect("files")
        .iter()
        .filter_map(|file| file["name"].as_str())
        .filter(|name| name.ends_with(".csv"))
        .collect();
    assert_eq!(
        tables,
        BTreeSet::from([
            "codelists.csv",
            "dictionary.csv",
            "patient.csv",
            "presentation.csv",
            "survival_s1.csv"
        ])
    );
    let page = here.researcher.open("/requests").expect(200).text();
    assert!(page.contains(&format!("href=\"/api/v1/data-requests/{id}/bundle.zip\"")));
    // And the next request can go on with its pseudonyms.
    assert!(page.contains(&format!("<option value=\"{id}\">those of Sites &#38; survival")));
    here.service.verify_audit();
}

#[test]
fn every_box_can_be_asked_for_and_what_never_leaves_has_none() {
    let here = Here::new();
    let page = here.form();
    let (files, elements) = (boxes(&page, "files"), boxes(&page, "elements"));
    assert!(
        files.iter().chain(&elements).all(|one| !one.1),
        "nothing is picked"
    );
    // Every file of the release but those that come anyway, and every element with what it is.
    let manifest = here
        .api
        .get("/api/v1/releases/R/manifest.json")
        .expect(200)
        .json();
    let anyway = [
        "dictionary.csv",
        "codelists.csv",
        "README.md",
        "load.R",
        "load.py",
        "datapackage.json",
        "CITATION.cff",
    ];
    let of_release: BTreeSet<&str> = manifest["files"]
        .as_array()
        .expect("files")
        .iter()
        .filter_map(|file| file["name"].as_str())
        .filter(|name| !name.contains('/') && !anyway.contains(name))
        .collect();
    assert_eq!(names(&files), of_release);
    assert!(elements.len() > 100, "{}", elements.len());
    for never in ["patient.pseudonym_id", "consent.date"] {
        assert!(!names(&elements).contains(never), "{never}");
        assert!(
            page.contains(&format!("<code>{never}</code></th>")),
            "{never} is there with its reason"
        );
    }
    let counted = format!(
        "{} of {} are shown",
        files.len() + elements.len(),
        files.len() + elements.len()
    );
    assert!(page.contains(&counted), "{counted}");
    let mut fields = vec![
        ("release", "R"),
        ("title", "All"),
        ("purpose", "To see whether it fits"),
        ("step", "file"),
    ];
    fields.extend(files.iter().map(|one| ("files", one.0.as_str())));
    fields.extend(elements.iter().map(|one| ("elements", one.0.as_str())));
    here.send(&fields).expect(303);
    let asked = here.requests()[0]["asked"].clone();
    assert_eq!(
        (listed(&asked["files"]), listed(&asked["elements"])),
        (names(&files), names(&elements))
    );
    // So much is told in short.
    let page = here.office.open("/requests").expect(200).text();
    assert!(page.contains(&format!(
        "<summary>{} files, {} elements</summary>",
        files.len(),
        elements.len()
    )));
}

#[test]
fn a_search_narrows_the_boxes_and_keeps_what_is_picked_and_filled_in() {
    let here = Here::new();
    let looked = here.send(&[
        ("release", "R"),
        ("q", "FNCLCC grade"),
        ("elements", "patient.sex"),
        ("files", "survival_s1.csv"),
        ("title", "Sites <b>"),
        ("purpose", "A \"doctoral\" thesis"),
        ("centre_unmasked", "yes"),
        ("step", "look"),
    ]);
    let page = looked.expect(200).text();
    assert!(here.requests().is_empty(), "looking files nothing");
    let (files, elements) = (boxes(&page, "files"), boxes(&page, "elements"));
    let of = |all: &[(String, bool)], wanted: bool| -> BTreeSet<String> {
        all.iter()
            .filter(|one| one.1 == wanted)
            .map(|one| one.0.clone())
            .collect()
    };
    assert_eq!(of(&elements, true), BTreeSet::from(["patient.sex".to_owned()]));
    assert_eq!(of(&files, true), BTreeSet::from(["survival_s1.csv".to_owned()]));
    let found = of(&elements, false);
    assert!(found.contains("primary.fnclcc_grade"), "{found:?}");
    assert!(
        !found.contains("patient.birth_year") && found.len() < 20,
        "{found:?}"
    );
    for words in [
        "value=\"FNCLCC grade\"",
        "value=\"Sites &#60;b&#62;\"",
        "A &#34;doctoral&#34; thesis</textarea>",
        "name=\"centre_unmasked\" value=\"yes\" checked",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(
        page.contains("name=\"contracted\" value=\"yes\">"),
        "what was not ticked is not"
    );
    // Nothing found, nothing lost; what this release does not have is said.
    let page = here
        .send(&[
            ("release", "R"),
            ("q", "zeppelin"),
            ("files", "secret.csv"),
            ("elements", "patient.sex"),
            ("step", "look"),
        ])
        .expect(200)
        .text();
    assert_eq!(names(&boxes(&page, "elements")), BTreeSet::from(["patient.sex"]));
    assert!(page.contains("no longer picked: secret.csv"), "{page}");
}

#[test]
fn a_request_that_cannot_be_filed_comes_back_as_it_was_with_the_reason() {
    let here = Here::new();
    let refused = here.send(&[
        ("release", "R"),
        ("elements", "patient.sex"),
        ("title", ""),
        ("purpose", "A thesis"),
        ("step", "file"),
    ]);
    let page = refused.expect(422).text();
    assert!(
        page.contains("role=\"alert\"") && page.contains("A request has a title"),
        "{page}"
    );
    assert_eq!(boxes(&page, "elements").iter().filter(|one| one.1).count(), 1);
    let page = here
        .send(&[
            ("release", "R"),
            ("title", "t"),
            ("purpose", "p"),
            ("step", "file"),
        ])
        .expect(422)
        .text();
    assert!(page.contains("A request names files or elements"), "{page}");
    let page = here
        .send(&[
            ("release", "R"),
            ("title", "t"),
            ("purpose", "p"),
            ("elements", "consent.date"),
            ("step", "file"),
        ])
        .expect(422)
        .text();
    assert!(page.contains("elements[0]: never leaves the service"), "{page}");
    assert!(here.requests().is_empty());
    here.researcher.open("/requests?release=none").expect(404);
    let office = here.office.open("/requests?release=R").expect(200).text();
    assert!(office.contains("Requests of release") && !office.contains("name=\"elements\""));
}

#[test]
fn the_office_opens_less_than_was_asked_by_unticking_it() {
    let here = Here::new();
    here.send(&[
        ("release", "R"),
        ("files", "patient.csv"),
        ("elements", "patient.birth_year"),
        ("elements", "patient.sex"),
        ("title", "t"),
        ("purpose", "p"),
        ("contracted", "yes"),
        ("step", "file"),
    ])
    .expect(303);
    let id = here.requests()[0]["request_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    // Nothing is no approval; more than was asked is none either.
    here.approve(&id, |_| false).expect(422);
    let more = [
        ("step", "approve"),
        ("expires_on", "2026-12-31"),
        ("files", "cases.csv"),
    ];
    here.office
        .send("/requests", &format!("/requests/{id}/decide"), &more)
        .expect(422);
    here.approve(&id, |box_of| !["patient.birth_year", "yes"].contains(&box_of))
        .expect(303);
    let approved = &here.requests()[0]["approved"];
    assert_eq!(
        *approved,
        json!({ "files": ["patient.csv"], "elements": ["patient.sex"], "contracted": false, "calendar_years": false, "centre_unmasked": false })
    );
    let page = here.researcher.open("/requests").expect(200).text();
    assert!(page.contains("opened:</span> patient.csv, patient.sex"), "{page}");
}
