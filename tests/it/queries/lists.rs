//! Lists, metrics and pages.

use serde_json::{Value, json};
use support::service::Service;

use super::{CASE, PATH, id, ids, listed, stored};

#[test]
fn lists_page_filter_and_come_as_a_table() {
    let service = Service::start();
    let (centre, office) = (service.submitter("C01"), service.client("coordinator", None));
    stored(&centre);
    for n in 0..3 {
        office
            .post(
                PATH,
                &[],
                &json!({"case": CASE, "text": format!("Question {n}, \"quoted\"?")}),
            )
            .expect(201);
    }
    let all = ids(&listed(&office, ""));
    let (mut seen, mut path) = (Vec::new(), format!("{PATH}?limit=2"));
    loop {
        let answer = office.get(&path).expect(200);
        seen.extend(ids(answer.json()["queries"].as_array().expect("queries")));
        let Some(link) = answer.header("link") else { break };
        path = link
            .trim_start_matches('<')
            .split('>')
            .next()
            .expect("an address")
            .to_owned();
    }
    assert_eq!(seen, all);
    assert_eq!(listed(&office, "?raised_by=person").len(), 3);
    assert_eq!(listed(&office, "?raised_by=person&waits_for=office").len(), 0);
    assert_eq!(
        listed(&office, &format!("?case={CASE}&centre=C01")).len(),
        all.len()
    );
    service.advance_days(2);
    let last = &listed(&office, "?raised_by=person")[2];
    let answered = centre
        .post(
            &format!("{PATH}/{}/messages", id(last)),
            &[],
            &json!({"text": "yes"}),
        )
        .expect(200)
        .json();
    let since = answered["updated_at"].as_str().expect("a time").to_owned();
    assert_eq!(
        ids(&listed(&office, &format!("?updated_since={since}"))),
        [id(last)]
    );
    for bad in [
        "?state=none",
        "?raised_by=me",
        "?waits_for=x",
        "?limit=0",
        "?limit=501",
        "?nothing=1",
        "?updated_since=x",
    ] {
        assert_eq!(
            office.get(&format!("{PATH}{bad}")).expect(400).code(),
            "bad_query",
            "{bad}"
        );
    }
    assert_eq!(
        office.get(&format!("{PATH}?cursor=x")).expect(400).code(),
        "bad_query"
    );
    let table = office
        .get_with(&format!("{PATH}?raised_by=person"), &[("accept", "text/csv")])
        .expect(200);
    assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8"));
    let mut reader = csv::Reader::from_reader(table.body.as_slice());
    let at = reader
        .headers()
        .expect("a header")
        .iter()
        .position(|name| name == "question")
        .expect("a column");
    let questions: Vec<String> = reader
        .records()
        .map(|row| row.expect("a row")[at].to_owned())
        .collect();
    assert_eq!(questions[0], "Question 0, \"quoted\"?");
    assert_eq!(questions.len(), 3);
}

#[test]
fn metrics_tell_how_many_and_how_soon() {
    let service = Service::start();
    let (centre, office) = (service.submitter("C01"), service.client("coordinator", None));
    let (_, warnings) = stored(&centre);
    let ask = |text: &str| {
        id(&office
            .post(PATH, &[], &json!({"case": CASE, "text": text}))
            .expect(201)
            .json())
    };
    let (first, second) = (ask("first"), ask("second"));
    let answer = |id: &str| {
        centre
            .post(&format!("{PATH}/{id}/messages"), &[], &json!({"text": "so"}))
            .expect(200)
    };
    service.advance_days(2);
    answer(&first);
    service.advance_days(4);
    answer(&second);
    office
        .post(&format!("{PATH}/{first}:close"), &[], &json!({}))
        .expect(200);
    centre
        .post(PATH, &[], &json!({"case": CASE, "text": "And this?"}))
        .expect(201);

    let own = centre.get(&format!("{PATH}/metrics")).expect(200).json();
    let levels = own["levels"].as_array().expect("levels");
    assert_eq!(levels.len(), 1);
    let level = &levels[0];
    assert_eq!(
        (
            &level["centre"],
            &level["open"],
            &level["answered"],
            &level["closed"]
        ),
        (&json!("C01"), &json!(warnings.len()), &json!(1), &json!(1))
    );
    assert_eq!(
        level["days_to_answer"],
        json!({"n": 2, "median": 4.0, "p90": 5.6})
    );
    assert_eq!(level["days_to_close"], json!({"n": 1, "median": 6.0, "p90": 6.0}));
    assert_eq!(
        (&level["oldest_open_days"], &level["questions"]["open"]),
        (&json!(6), &json!(1))
    );
    let all = office.get(&format!("{PATH}/metrics")).expect(200).json();
    let names: Vec<&Value> = all["levels"]
        .as_array()
        .expect("levels")
        .iter()
        .map(|level| &level["centre"])
        .take(3)
        .collect();
    assert_eq!(names, [&Value::Null, &json!("C01"), &json!("C02")]);
    assert_eq!(all["levels"][2]["raised"], json!(0));
    let table = office
        .get_with(&format!("{PATH}/metrics"), &[("accept", "text/csv")])
        .expect(200)
        .text();
    assert!(
        table.starts_with("centre,of,rule,raised,")
            && table.contains("\nC01,people,,2,0,1,1,0,2,4,5.6,1,6,6,\n"),
        "{table}"
    );
}

#[test]
fn pages_show_queries_where_they_are_looked_for() {
    let service = Service::start();
    let (centre, office) = (service.submitter("C01"), service.client("coordinator", None));
    stored(&centre);
    let query = office
        .post(PATH, &[], &json!({"case": CASE, "text": "<b>Which</b> scan?"}))
        .expect(201)
        .json();
    for (client, path) in [
        (&centre, "/queries".to_owned()),
        (&office, "/queries?centre=C01&raised_by=office".to_owned()),
        (&centre, format!("/queries/{}", id(&query))),
        (&office, format!("/cases/{CASE}")),
    ] {
        let page = client.get(&path).expect(200).text();
        assert!(
            page.contains("&#60;b&#62;Which&#60;/b&#62; scan?") && !page.contains("<b>Which"),
            "{path}: {page}"
        );
    }
    assert!(
        !centre
            .get("/queries?raised_by=rule")
            .expect(200)
            .text()
            .contains("Which")
    );
    let overview = centre.get("/").expect(200).text();
    let waiting = listed(&centre, "?waits_for=centre").len();
    assert!(
        overview.contains(&format!("{waiting} wait for you")),
        "{overview}"
    );
    assert!(office.get("/").expect(200).text().contains("0 wait for you"));
    // The committee reads how many there are of all centres, unless few patients are behind it.
    let committee = service.client("committee", None).get("/").expect(200).text();
    assert!(
        committee.contains("Data queries of all centres: number not shown")
            && !committee.contains("wait for you"),
        "{committee}"
    );
    service.published_run("2026-11-01");
    let list = centre.get("/worklist").expect(200).text();
    assert!(list.contains(&format!("{waiting} wait for the centre")), "{list}");
    let work = centre.get("/api/v1/worklist").expect(200).json();
    assert_eq!(work["queries"]["for_centre"], json!(waiting));
    let loads = office.get("/api/v1/worklist").expect(200).json();
    assert_eq!(loads["centres"][0]["queries"]["unsettled"], json!(waiting));
    office.get("/worklist").expect(200);
    for (client, path) in [
        (&office, "/queries/metrics"),
        (&centre, "/queries/metrics"),
        (&office, "/queries.csv?state=all"),
        (&office, "/queries/metrics.csv"),
    ] {
        assert!(client.get(path).expect(200).text().contains("C01"), "{path}");
    }
}
