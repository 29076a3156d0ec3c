//! Completeness of elements and timeliness of sections by half-year: the API, its table, the page, its charts.

use serde_json::{Value, json};
use support::{client::Client, service::Service};

use super::{html, send};

/// Six patients of C01 diagnosed in 2019-H2, six of C02 and one of C03 in 2025-H1, whose sex nobody has recorded.
#[test]
fn elements_and_sections_are_told_by_half_year() {
    let service = Service::start();
    for n in 0..6 {
        send(&service, "C01", "figure-1", &format!("FIG-{n}"));
        send(&service, "C02", "minimal", &format!("MIN-{n}"));
    }
    send(&service, "C03", "minimal", "ONE-1");
    service.published_run("2026-11-01");
    let levels = |client: &Client, query: &str| -> Vec<Value> {
        let path = format!("/api/v1/quality/completeness{query}");
        let answer = client.get(&path).expect(200).json();
        answer["levels"].as_array().expect("levels").clone()
    };
    let of = "?by=half_year&element=patient.sex";
    let periods = |level: &Value| -> Vec<(String, Value, Value)> {
        let lines = level["element_periods"].as_array().expect("periods").iter();
        lines
            .map(|line| {
                assert_eq!(line["element"], "patient.sex");
                let period = line["period"].as_str().expect("a period").to_owned();
                (period, line["patients"].clone(), line["known_share"].clone())
            })
            .collect()
    };
    let line = |period: &str, patients: Value, share: Value| (period.to_owned(), patients, share);
    let null = Value::Null;
    let office = service.client("coordinator", None);
    let all = levels(&office, of);
    assert_eq!(
        periods(&all[0]),
        [
            line("2019-H2", json!(6), json!(1.0)),
            line("2025-H1", json!(7), json!(0.0))
        ]
    );
    assert_eq!(periods(&all[3]), [line("2025-H1", json!(1), json!(0.0))]);
    // The element, its section, and nothing else; without `by` nothing by half-year but sections.
    assert_eq!(all[0]["elements"].as_array().map(Vec::len), Some(1));
    assert!(all[0]["periods"].as_array().is_some_and(|periods| {
        periods
            .iter()
            .all(|one| one["section"] == "patient" && one["by"] == "half_year")
    }));
    assert!(
        levels(&office, "?element=patient.sex")[0]
            .get("element_periods")
            .is_none()
    );
    // The committee: six and seven are enough, of C03 one patient is not, and no count.
    let committee = levels(&service.client("committee", None), of);
    assert_eq!(
        periods(&committee[0]),
        [
            line("2019-H2", null.clone(), json!(1.0)),
            line("2025-H1", null.clone(), json!(0.0))
        ]
    );
    let hidden = committee.iter().filter(|level| {
        let lines = level["element_periods"].as_array().expect("periods");
        lines.iter().any(|line| line["suppressed"] == "few_patients")
    });
    assert_eq!(hidden.count(), 1);
    // C02 knows its six of 2025-H1: one is left, and would follow from the seven others less the six of 2019-H2.
    let own = service.submitter("C02");
    let seen = levels(&own, of);
    assert_eq!(
        periods(&seen[0]),
        [
            line("2019-H2", null.clone(), null.clone()),
            line("2025-H1", null.clone(), null.clone())
        ]
    );
    assert_eq!(periods(&seen[1]), periods(&all[2]));
    // Days to submission by section; imaging of 2025 was sent in the service's November 2026.
    let times = levels(&office, "?by=half_year&section=followup&centre=C02");
    assert_eq!(times.len(), 1);
    let lines = times[0]["timeliness_periods"].as_array().expect("times");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(
        (&lines[0]["section"], &lines[0]["period"], &lines[0]["rows"]),
        (&json!("followup"), &json!("2025-H1"), &json!(6))
    );
    assert_eq!(lines[0]["median"], times[0]["timeliness"][0]["median"]);
    for unknown in [
        "by=year",
        "section=nothing",
        "element=patient.nothing",
        "element=sex",
    ] {
        office
            .get(&format!("/api/v1/quality/completeness?{unknown}"))
            .expect(400);
    }
    for client in [&office, &own] {
        client.get("/api/v1/quality/completeness?centre=C99").expect(404);
    }

    let csv = office.get_with(
        &format!("/api/v1/quality/completeness{of}"),
        &[("accept", "text/csv")],
    );
    let csv = csv.expect(200).text();
    assert!(
        csv.contains("all,element,2025-H1,patient.sex,R,7,7,0,7,"),
        "{csv}"
    );
    assert!(
        csv.contains("C03,element,2025-H1,patient.sex,R,1,1,0,1,"),
        "{csv}"
    );
    assert_eq!(
        own.get(&format!("/quality.csv{of}"))
            .expect(200)
            .text()
            .matches("few_patients")
            .count(),
        4
    );
}

/// What is opened by its address is drawn and told, without a script.
#[test]
fn an_opened_section_or_element_shows_its_trend() {
    let service = Service::start();
    for n in 0..6 {
        send(&service, "C01", "figure-1", &format!("FIG-{n}"));
        send(&service, "C01", "minimal", &format!("MIN-{n}"));
    }
    service.published_run("2026-11-01");
    let office = service.client("coordinator", None);
    let page = html(&office, "/quality?centre=C01&element=patient.sex");
    assert!(
        page.contains("Network over time") && page.contains("C01 over time"),
        "{page}"
    );
    assert!(
        page.contains("Sex by half-year of the metastatic diagnosis"),
        "{page}"
    );
    assert!(
        page.contains("<th scope=\"row\" class=\"keep\">2019-H2</th><td class=\"n\">100 %</td><td class=\"n\">100 %</td>"),
        "{page}"
    );
    assert!(page.contains("aria-current=\"true\">Sex</a>"));
    assert_eq!(
        page.matches("<svg").count(),
        html(&office, "/quality?element=patient.sex")
            .matches("<svg")
            .count()
            + 1
    );
    let picture = "/charts/completeness.svg?centre=C01&element=patient.sex";
    assert!(
        page.contains(&picture.replace('&', "&#38;")) || page.contains(&picture.replace('&', "&amp;")),
        "{page}"
    );
    let drawn = office.get(picture).expect(200).text();
    assert!(
        drawn.contains("2019-H2: 100 %") && drawn.contains("2025-H1: 0 %"),
        "{drawn}"
    );
    assert!(page.contains("by=half_year"));

    let page = html(&office, "/quality?section=followup");
    assert!(
        page.contains("days from event to first submission by half-year"),
        "{page}"
    );
    assert!(page.contains("/quality?section=followup") && page.contains("element=followup.date"));
    office
        .get("/charts/reporting-days.svg?section=followup")
        .expect(200);
    // The page that is opened first holds no section's chart.
    assert!(!html(&office, "/quality").contains("percent with a value"));
    for wrong in [
        "/quality?element=patient.nothing",
        "/charts/completeness.svg?element=patient.nothing",
        "/charts/reporting-days.svg?section=followup&centre=C99",
    ] {
        office.get_with(wrong, &[("accept", "text/html")]).expect(404);
    }
}
