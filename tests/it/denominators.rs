//! Every number of a page says of how many, and a rate stands with what cannot be assessed and the bounds that leaves.

use serde_json::{Value, json};
use support::client::Client;
use support::{records, service::Service};

const HTML: (&str, &str) = ("accept", "text/html");
const CSV: (&str, &str) = ("accept", "text/csv");

fn page(client: &Client, path: &str) -> String {
    client.get_with(path, &[HTML]).expect(200).text()
}

/// Twelve patients at each of four centres. Of three at each nobody says whether a board met; the other nine of C01 were seen by none, those of
/// the others by one. The network: 27 of 36, and 12 that cannot be assessed.
fn with_gaps() -> Service {
    let service = Service::start();
    for (centre, seen) in [("C01", false), ("C02", true), ("C03", true), ("C04", true)] {
        let client = service.submitter(centre);
        for n in 0..12 {
            let name = format!("{centre}-{n:04}");
            let mut body = records::example("observation-only", &name);
            if !seen || n < 3 {
                body["mdt"] = json!([]);
            }
            if n < 3 {
                let closed = body["section_attestation"].as_array_mut().expect("attestations");
                closed.retain(|one| one["section"] != "mdt");
            }
            client
                .put(&format!("/api/v1/cases/{name}"), &[], &body)
                .expect(201);
        }
    }
    service.published_run("2026-11-01");
    service
}

/// The row of a table that begins with a measure, or with a centre.
fn row<'t>(text: &'t str, after: &str, with: &str) -> &'t str {
    let (_, rest) = text
        .split_once(after)
        .unwrap_or_else(|| panic!("{after}: {text}"));
    let found = rest.split("<tr").find(|row| row.contains(with));
    found.unwrap_or_else(|| panic!("{with}: {rest}"))
}

#[test]
fn bounds_stand_beside_what_cannot_be_assessed_wherever_a_rate_does() {
    let service = with_gaps();
    let (committee, own) = (service.client("committee", None), service.submitter("C01"));
    // 27 of 48 to 39 of 48.
    let network = "12 (25 %)<small>56 to 81 %</small>";
    let overview = page(&committee, "/");
    assert!(row(&overview, "<h2>Indicators", "/measures/1a").contains(network));
    // 0 of 12 to 3 of 12.
    let ours = "3 (25 %)<small>0 to 25 %</small>";
    let of_centre = page(&own, "/");
    let line = row(&of_centre, "<h2>Indicators", "/measures/1a");
    assert!(line.contains(network) && line.contains(ours), "{line}");
    let card = page(&own, "/centre");
    assert!(row(&card, "<h2>Indicators", "/measures/1a").contains(ours));
    let report = page(&committee, "/report");
    let line = row(&report, "id=\"indicators\"><details", "<span class=\"id\">1a<");
    assert!(line.contains("12 (25 %)<br><small>56 to 81 %</small>"), "{line}");
    for (text, after) in [
        (page(&committee, "/signals"), "<h1>Signals"),
        (report, "id=\"signals\"><details"),
    ] {
        let line = row(&text, after, "<span class=\"id\">1a<");
        assert!(
            line.contains("25 %<br><small>0 to 25 %</small>")
                && line.contains("75 %<br><small>27 of 36</small>"),
            "{line}"
        );
    }
    let matrix = page(&committee, "/adherence?detail=full");
    let line = row(&matrix, "<tbody", "/measures/1a");
    // Wilson, 27 of 36: 0.589 to 0.863.
    assert!(
        line.contains("<small>36 · 12</small><small>59 to 86 %</small><small>56 to 81 %</small>"),
        "{line}"
    );
    let plain = page(&committee, "/adherence");
    assert!(!plain.contains("<small>56 to 81 %</small>") && plain.contains("title=\"59 to 86 %\""));
    let table = committee
        .get_with("/overview.csv?table=indicators", &[CSV])
        .expect(200)
        .text();
    let line = table.lines().find(|line| line.contains(",1a,")).expect("1a");
    assert!(
        line.contains(",27,36,0.75,") && line.contains(",0.5625,0.8125,"),
        "{line}"
    );
}

#[test]
fn a_centre_reads_its_own_rate_and_bounds_first_and_finds_itself_in_the_funnel() {
    let service = with_gaps();
    let own = page(&service.submitter("C01"), "/measures/1a");
    let (_, rest) = own.split_once("<h2>C01, last 24 months</h2>").expect("its own");
    let (headline, rest) = rest.split_once("</section>").expect("an end");
    for said in [
        "<dd>0 %</dd>",
        "<dd>0 of 9</dd>",
        "<dd>3 (25 %)</dd>",
        "rate between 0 % and 25 % whatever they are",
    ] {
        assert!(headline.contains(said), "{said}: {headline}");
    }
    assert!(
        rest.contains("<tr class=\"own\"><th scope=\"row\">C01</th>"),
        "{rest}"
    );
    assert_eq!(rest.matches("class=\"own\"").count(), 1);
    for client in [
        service.client("committee", None),
        service.client("coordinator", None),
    ] {
        let text = page(&client, "/measures/1a");
        assert!(
            !text.contains("class=\"own\"") && !text.contains("<h2>C01"),
            "{text}"
        );
    }
    let all = page(&service.submitter("C01"), "/measures/1a?period=all");
    assert!(all.contains("<h2>C01, all diagnoses</h2>"));
}

#[test]
fn the_overview_says_of_which_run_it_is_and_of_how_many_patients() {
    let service = with_gaps();
    let text = page(&service.client("committee", None), "/");
    let (_, main) = text.split_once("<h1>Overview</h1>").expect("a page");
    assert!(
        main.trim_start()
            .starts_with("<p class=\"lead\">Run 1, data up to 2026-11-01."),
        "{main}"
    );
    assert!(main.contains("A dot at the axis: not shown"));
    let (_, figure) = main
        .split_once("<dt>Completeness of follow-up</dt>")
        .expect("a figure");
    let (figure, _) = figure.split_once("</div>").expect("an end");
    let patients = service
        .client("committee", None)
        .get("/api/v1/survival/S1")
        .expect(200)
        .json()["curves"][0]["patients"]
        .clone();
    if patients.is_null() {
        assert!(!figure.contains("patients"), "{figure}");
    } else {
        assert!(figure.contains(&format!("of {patients} patients")), "{figure}");
    }
}

#[test]
fn silence_says_of_how_many_units_and_cases() {
    let service = with_gaps();
    let committee = service.client("committee", None);
    let text = page(&committee, "/quality");
    let line = row(&text, "id=\"silence\"", "<th scope=\"row\">Centre ");
    assert!(line.contains("<td class=\"n\">12</td>"), "{line}");
    let table = committee.get("/quality/silence.csv").expect(200).text();
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(
        table
            .lines()
            .skip(1)
            .all(|line| line.starts_with("Centre ") && line.contains(",12,"))
    );
    let halves = committee.get("/charts/silence.csv").expect(200).text();
    let mut lines = halves.lines();
    assert_eq!(
        lines.next(),
        Some("half_year,not_assessable,units,not_assessable_share")
    );
    let cells: Vec<f64> = lines
        .next()
        .expect("a half-year")
        .split(',')
        .skip(1)
        .map(|cell| cell.parse().expect("a number"))
        .collect();
    assert!(
        cells[0] > 0.0 && (cells[0] / cells[1] - cells[2]).abs() < 1e-12,
        "{cells:?}"
    );
    committee.get("/quality/canary.csv").expect(404);
    committee.get("/quality/checks.csv?run=1").expect(404);
}

/// What is shown of a half-year with few patients is not all of it: its sum would be another number.
#[test]
fn silence_of_a_half_year_with_few_patients_is_not_told() {
    let service = with_gaps();
    let client = service.submitter("C01");
    for n in 0..3 {
        let name = format!("FEW-{n:04}");
        client
            .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
            .expect(201);
    }
    let run = service.published_run("2026-11-01");
    let halves = |role: &str| {
        let path = format!("/charts/silence.csv?run={run}");
        service.client(role, None).get(&path).expect(200).text()
    };
    let line = |text: &str| {
        let found = text.lines().find(|line| line.starts_with("2019-H2,"));
        found.unwrap_or_else(|| panic!("no line in {text}")).to_owned()
    };
    let exact = line(&halves("coordinator"));
    assert_eq!(line(&halves("committee")), "2019-H2,,,");
    assert!(exact.split(',').all(|cell| !cell.is_empty()), "{exact}");
}

/// The committee reads findings by check as everybody, of enough patients and rounded: twelve are ten, and four are nobody's business.
#[test]
fn the_committee_reads_findings_by_check_rounded_and_of_enough_patients() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let (committee, office) = (
        service.client("committee", None),
        service.client("coordinator", None),
    );
    let send = |from: usize, to: usize| {
        for n in from..to {
            let name = format!("FIG-{n:04}");
            centre
                .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
                .expect(201);
        }
    };
    // By check: warnings as queries raised, open, answered, settled; errors have open ones alone.
    let table = |client: &Client| -> Vec<(String, Vec<u32>)> {
        let text = client.get("/quality/checks.csv").expect(200).text();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("check,severity,raised,open,answered,settled"));
        let row = |line: &str| {
            let mut cells = line.split(',');
            let check = cells.next().expect("a check").to_owned();
            assert_eq!(cells.next(), Some("warning"), "the example has no error");
            (check, cells.map(|cell| cell.parse().expect("a count")).collect())
        };
        lines.map(row).collect()
    };
    send(0, 4);
    service.published_run("2026-11-01");
    assert!(table(&committee).is_empty() && !table(&office).is_empty());
    assert!(page(&committee, "/quality").contains("every check fires on few patients"));
    send(4, 12);
    let (exact, about) = (table(&office), table(&committee));
    assert_eq!(exact, table(&centre), "there is one centre");
    assert_eq!(exact.len(), about.len());
    for (check, counts) in &exact {
        let (_, told) = about.iter().find(|one| one.0 == *check).expect("the same check");
        let rounded: Vec<u32> = counts.iter().map(|n| (n + 2) / 5 * 5).collect();
        assert_eq!(*told, rounded, "{check}");
        assert!(counts[0] >= 12, "each of the twelve was asked: {counts:?}");
    }
    let text = page(&committee, "/quality");
    assert!(
        text.contains("<h2>Findings by check</h2>") && !text.contains("/queries"),
        "{text}"
    );
    assert!(page(&office, "/quality").contains("href=\"/queries?rule="));
    // Checks are named by what they say when they fire, not by the rule as it is written.
    let checks = committee.get("/api/v1/checks").expect(200).json();
    let all = checks["checks"].as_array().expect("checks");
    for (id, _) in &about {
        let check = all
            .iter()
            .find(|one| one["id"] == id.as_str())
            .expect("the check");
        let says = check["message"].as_str().expect("a message");
        let link = format!("<a class=\"says\" href=\"/checks#{id}\">{says}</a>");
        assert!(text.contains(&link), "{id} {says}: {text}");
    }
    // What each was asked stays with who sees cases.
    committee.get("/queries/metrics.csv").expect(403);
    service
        .client("researcher", None)
        .get("/quality/checks.csv")
        .expect(403);
}

/// Choosing one thing on the page of data quality leaves the others as they were.
#[test]
fn filters_of_data_quality_keep_each_other() {
    let service = with_gaps();
    let committee = service.client("committee", None);
    // One of the four that have a case, by its letter.
    let (_, rest) = page(&committee, "/quality")
        .split_once("<option value=\"Centre ")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .expect("a centre");
    let letter = rest.split('"').next().expect("an end");
    let text = page(
        &committee,
        &format!("/quality?centre=Centre+{letter}&measure=1a&run=1"),
    );
    let link =
        format!("href=\"/quality?centre=Centre+{letter}&#38;section=imaging&#38;run=1&#38;measure=1a\"");
    assert!(text.contains(&link), "{text}");
    let kept = |name: &str, value: &str| format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
    let forms: Vec<&str> = text.split("<form class=\"filters\"").skip(1).collect();
    assert_eq!(forms.len(), 2);
    let form = |at: usize| forms[at].split("</form>").next().expect("an end");
    for (name, value, of_levels, of_measure) in [
        ("centre", &*format!("Centre {letter}"), false, true),
        ("measure", "1a", true, false),
        ("run", "1", true, true),
    ] {
        assert_eq!(
            form(0).contains(&kept(name, value)),
            of_levels,
            "{name}: {}",
            form(0)
        );
        assert_eq!(
            form(1).contains(&kept(name, value)),
            of_measure,
            "{name}: {}",
            form(1)
        );
    }
    let rows = |path: &str| -> Value { committee.get(path).expect(200).json()["rows"].clone() };
    // The page of all diagnoses leads to measures of all diagnoses, and keeps the filter in its CSV.
    let all = page(&committee, "/adherence?period=all");
    assert!(
        all.contains("href=\"/measures/1a?period=all\"")
            && all.contains("href=\"/adherence.csv?period=all\"")
    );
    assert!(page(&committee, "/adherence").contains("href=\"/measures/1a\""));
    let lines = committee
        .get("/adherence.csv?period=all&measure=1a")
        .expect(200)
        .text();
    let told = rows("/api/v1/adherence?measure=1a&by=centre&period=all");
    let lines = lines
        .lines()
        .filter(|line| line.contains(",centre,") && line.contains(",1a,"));
    assert_eq!(lines.count(), told.as_array().map_or(0, Vec::len));
    let other = page(&committee, "/adherence?by=histology&period=last24_months");
    assert!(other.contains("A run does not hold these columns for the last 24 months"));
    for wrong in ["period=canary", "detail=canary", "by=canary"] {
        committee
            .get_with(&format!("/adherence?{wrong}"), &[HTML])
            .expect(400);
    }
}

/// A centre and the office read registrations by month and centre, the committee does not: in a month they are few.
#[test]
fn registrations_by_month_and_centre_are_the_centres_own() {
    let service = with_gaps();
    let (own, office, committee) = (
        service.submitter("C01"),
        service.client("coordinator", None),
        service.client("committee", None),
    );
    let months = |client: &Client| -> Vec<Vec<String>> {
        let text = client.get("/overview.csv?table=months").expect(200).text();
        let lines = text.lines().skip(1);
        lines
            .map(|line| line.split(',').map(str::to_owned).collect())
            .collect()
    };
    let (ours, all) = (months(&own), months(&office));
    assert!(months(&committee).is_empty());
    assert!(ours.iter().all(|row| row[0] == "C01"));
    let sum = |rows: &[Vec<String>], centre: &str| -> u32 {
        let of = rows.iter().filter(|row| row[0] == centre);
        of.map(|row| row[2].parse::<u32>().expect("a count")).sum()
    };
    assert_eq!(sum(&ours, "C01"), 12);
    for centre in ["C01", "C02", "C03", "C04"] {
        assert_eq!(sum(&all, centre), 12, "{centre}");
    }
    // Every month of the network is there, and the centres add up to it.
    let network = office.get("/charts/registrations.csv").expect(200).text();
    for line in network.lines().skip(1) {
        let (month, rest) = line.split_once(',').expect("a month");
        let n: u32 = rest
            .split(',')
            .next()
            .and_then(|n| n.parse().ok())
            .expect("a count");
        let of_month: Vec<_> = all.iter().filter(|row| row[1] == month).collect();
        let counted: u32 = of_month
            .iter()
            .map(|row| row[2].parse::<u32>().expect("a count"))
            .sum();
        assert_eq!((of_month.len(), counted), (4, n), "{month}");
    }
    let said = "By month and centre, the last twelve months";
    assert!(page(&own, "/").contains(said) && page(&office, "/").contains(said));
    assert!(!page(&committee, "/").contains(said));
    // A second published run beside the first tells the committee no more.
    let client = service.submitter("C02");
    client
        .put(
            "/api/v1/cases/MORE-0001",
            &[],
            &records::example("observation-only", "MORE-0001"),
        )
        .expect(201);
    service.published_run("2026-11-01");
    assert!(months(&committee).is_empty() && sum(&months(&office), "C02") == 13);
}
