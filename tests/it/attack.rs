//! Two registries that differ in one hidden number, read through every route that answers results: nobody can tell which is which.
//!
//! Two centres are too small to be shown. One patient of them is with the one in the first registry and with the other in the second: every
//! total is the same, and so is everything that may be told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use registry_api::routes::{Access, Endpoint, endpoints};
use registry_core::access::Role;
use serde_json::json;
use support::client::{Answer, Client};
use support::{records, service::Service};

const HTML: (&str, &str) = ("accept", "text/html");
const CSV: (&str, &str) = ("accept", "text/csv");
/// Measures and endpoints whose addresses are asked for; the tables and lists hold all of them.
const MEASURES: [&str; 4] = ["1a", "6", "11", "31"];
const ENDPOINTS: [&str; 4] = ["S1", "S4-lung", "S3-line-1", "S5"];
/// Pages a reader follows at most.
const MOST: usize = 150;
/// What answers no results: what is public, work on cases, people, files that are the same for everybody.
const NO_RESULTS: [&str; 21] = [
    "/api/v1/audit",
    "/api/v1/cases",
    "/api/v1/imports",
    "/api/v1/keys",
    "/api/v1/releases/synthetic",
    "/api/v1/worklist",
    "/account",
    "/admin",
    "/assets/",
    "/audit",
    "/cases",
    "/checks",
    "/codelists",
    "/docs",
    "/health",
    "/imports",
    "/metrics",
    "/openapi.json",
    "/schema",
    "/sign-in",
    "/worklist",
];

/// 20 patients of one centre, 14 of another, and five of two small ones: so many of them with the first.
fn registry(with_the_first: usize) -> Service {
    let service = Service::start_alike();
    let mut centres = vec![("C01", "ONE", 20), ("C02", "TWO", 14)];
    centres.push(("C03", "FEW", with_the_first));
    centres.push(("C04", "FEW", 5 - with_the_first));
    let mut few = 0;
    for (centre, prefix, patients) in centres {
        let client = service.submitter(centre);
        for n in 0..patients {
            let small = prefix == "FEW";
            let name = format!("{prefix}-{:04}", if small { few } else { n });
            few += usize::from(small);
            let source = if n % 3 == 1 { "figure-2" } else { "figure-1" };
            let source = if small { "figure-2" } else { source };
            client
                .put(
                    &format!("/api/v1/cases/{name}"),
                    &[],
                    &records::example(source, &name),
                )
                .expect(201);
        }
    }
    let run = service.published_run("2026-11-01");
    let office = service.client("coordinator", None);
    for id in ["R1", "R2"] {
        office
            .post("/api/v1/releases", &[], &json!({ "run": run, "release": id }))
            .expect(201);
    }
    service
}

/// What two services say differently of the same: their address, instants, random ids, who holds which key.
fn masked(text: &str, base: &str) -> String {
    let text = &text.replace(base, "<service>");
    let part = |text: &str| -> Option<&'static str> {
        let is = |at: usize, mark: u8| text.as_bytes().get(at) == Some(&mark);
        let uuid = text.len() == 36 && [8, 13, 18, 23].into_iter().all(|at| is(at, b'-'));
        match text {
            _ if uuid => Some("<id>"),
            _ if text.starts_with("key:") => Some("<key>"),
            _ if text.len() > 18 && is(4, b'-') && is(10, b'T') && is(13, b':') => Some("<instant>"),
            _ if text.len() == 5 && is(2, b':') => Some("<time>"),
            _ => None,
        }
    };
    let within = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.');
    let mut told = String::with_capacity(text.len());
    let mut rest: &str = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !within(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        told.push_str(part(word).unwrap_or(word));
        let next = after.find(within).unwrap_or(after.len());
        let (between, after) = after.split_at(next);
        told.push_str(between);
        rest = after;
    }
    told
}

/// Status, what is told of the body, the body.
type Told = (u16, Vec<Option<String>>, String);

/// Status, what is told of the body besides the body, and the body: as far as it says the same of the same.
fn told(answer: &Answer, base: &str) -> Told {
    let text = masked(&answer.text(), base);
    let length = answer.header("content-length").map(|length| {
        // What is masked has not always the same length; all that is not is counted.
        let length: usize = length.parse().expect("a length");
        (length + text.len() - answer.body.len()).to_string()
    });
    let header = |name| answer.header(name).map(|value| masked(value, base));
    let headers = vec![
        length,
        header("content-type"),
        header("content-disposition"),
        header("location"),
    ];
    (answer.status, headers, text)
}

fn asked_for(path: &str) -> bool {
    // A query has a random id, and is work on a case; what they come to is told of all together.
    let of_queries = ["/queries", "/api/v1/queries"]
        .iter()
        .filter_map(|start| path.strip_prefix(start))
        .any(|rest| !rest.starts_with("/metrics"));
    let no_results = of_queries || NO_RESULTS.iter().any(|start| path.starts_with(start));
    let of_others = path
        .strip_prefix("/measures/")
        .or_else(|| path.strip_prefix("/api/v1/adherence/"))
        .and_then(|rest| rest.split(['/', '?', '#']).next())
        .is_some_and(|measure| !MEASURES.contains(&measure));
    !no_results && !of_others
}

/// Every address of a route that reads results, with the names that are in it.
fn addresses(route: &Endpoint) -> Vec<String> {
    let mut all = vec![route.path.to_owned()];
    let names: [(&str, &[&str]); 6] = [
        ("{measure}", &MEASURES),
        ("{endpoint}", &ENDPOINTS),
        ("{run}", &["1"]),
        ("{table}", &["reasons.csv", "case-mix.csv", "sensitivity.csv"]),
        ("{id}", &["R1", "R2"]),
        (
            "{name}",
            &[
                "registrations.svg",
                "registrations.csv",
                "silence.csv",
                "completeness.svg",
                "survival.svg?endpoint=S1",
            ],
        ),
    ];
    for (place, values) in names {
        all = all
            .into_iter()
            .flat_map(|path| match path.contains(place) {
                true => values.iter().map(|value| path.replace(place, value)).collect(),
                false => vec![path],
            })
            .collect();
    }
    all.retain(|path| !path.contains('{') && asked_for(path));
    all
}

/// Everything a reader is answered: by the routes of the table in every form, and by the pages as they lead from one to the next.
fn read(client: &Client, base: &str, role: Role) -> BTreeMap<String, Told> {
    let mut answers = BTreeMap::new();
    let mine = |one: &Endpoint| match one.access {
        Access::Roles(roles) => roles.contains(&role),
        Access::Open(_) => false,
    };
    let all = endpoints();
    let routes = all.iter().filter(|one| one.method.as_str() == "GET" && mine(one));
    let mut paths: Vec<String> = routes.flat_map(addresses).collect();
    for measure in MEASURES {
        for kind in ["funnel", "not-assessable", "trend"] {
            paths.push(format!("/charts/{kind}.svg?measure={measure}"));
        }
        paths.push(format!("/fhir/MeasureReport?measure={measure}"));
        paths.push(format!("/api/v1/adherence?measure={measure}&by=centre"));
    }
    for endpoint in ENDPOINTS {
        for part in 0..3 {
            paths.push(format!("/charts/survival.svg?endpoint={endpoint}&part={part}"));
        }
        paths.push(format!("/survival?endpoint={endpoint}"));
    }
    for path in &paths {
        let page = !path.starts_with("/api/") && !path.starts_with("/fhir/");
        let answer = client.get_with(path, if page { &[HTML] } else { &[] });
        answers.insert(path.clone(), told(&answer, base));
        if !page {
            answers.insert(
                format!("{path} as CSV"),
                told(&client.get_with(path, &[CSV]), base),
            );
        }
    }
    let start = if role == Role::Researcher {
        "/survival"
    } else {
        "/"
    };
    let mut waiting = VecDeque::from([start.to_owned()]);
    let mut seen: BTreeSet<String> = waiting.iter().cloned().collect();
    while let Some(path) = waiting.pop_front() {
        let answer = client.get_with(&path, &[HTML]);
        let is_page = answer
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"));
        if is_page {
            let text = answer.text();
            let links = ["href=\"", "src=\""].map(|mark| text.split(mark).skip(1).collect::<Vec<_>>());
            for link in links
                .into_iter()
                .flatten()
                .filter_map(|rest| rest.split('"').next())
            {
                let link = link
                    .split('#')
                    .next()
                    .unwrap_or_default()
                    .replace("&#38;", "&")
                    .replace("&amp;", "&");
                if link.starts_with('/') && asked_for(&link) && seen.len() < MOST && seen.insert(link.clone())
                {
                    waiting.push_back(link);
                }
            }
        }
        answers.insert(format!("{path} as a page"), told(&answer, base));
    }
    answers
}

#[test]
fn nobody_tells_two_registries_apart_that_differ_in_a_hidden_number() {
    let (one, other) = (registry(2), registry(3));
    // The office reads that they do differ.
    let of = |service: &Service, role: &str, centre: Option<&str>| service.client(role, centre);
    let adherence = |service: &Service| {
        let table = of(service, "coordinator", None)
            .get("/api/v1/adherence?by=centre")
            .expect(200);
        masked(&table.text(), service.base())
    };
    assert_ne!(adherence(&one), adherence(&other));
    let readers = [
        (Role::Committee, None, 120),
        (Role::Researcher, None, 20),
        (Role::Submitter, Some("C01"), 100),
        (Role::CentreLead, Some("C02"), 100),
    ];
    for (role, centre, least) in readers {
        let (first, second) = std::thread::scope(|scope| {
            let reads = [&one, &other].map(|service| {
                let client = of(service, role.as_str(), centre);
                scope.spawn(move || read(&client, service.base(), role))
            });
            let [first, second] = reads.map(|read| read.join().expect("read"));
            (first, second)
        });
        assert_eq!(
            first.keys().collect::<Vec<_>>(),
            second.keys().collect::<Vec<_>>()
        );
        let shown = first.values().filter(|answer| answer.0 == 200).count();
        assert!(shown >= least, "{role}: {shown}");
        for (path, answer) in &first {
            assert!(answer.0 < 500, "{role} {path}: {}", answer.0);
            assert_eq!(answer, &second[path], "{role} {path}");
        }
    }
}
