//! `/signals`: the committee's list of centres far below the network.

use support::{records, service::Service};

const HTML: (&str, &str) = ("accept", "text/html");

#[test]
fn the_committee_and_the_office_read_signals_and_nobody_else() {
    let service = Service::start();
    for role in ["committee", "coordinator"] {
        let page = service
            .client(role, None)
            .get_with("/signals", &[HTML])
            .expect(200);
        assert!(page.text().contains("No run has been published yet."), "{role}");
    }
    for role in ["researcher", "admin"] {
        service
            .client(role, None)
            .get_with("/signals", &[HTML])
            .expect(403);
    }
    let centre = service.submitter("C01");
    centre.get_with("/signals", &[HTML]).expect(403);
    service.anonymous().get_with("/signals", &[HTML]).expect(401);

    // One case: the network is the centre, and nobody lies outside.
    centre
        .put("/api/v1/cases/FIG-0001", &[], &records::figure_1("FIG-0001"))
        .expect(201);
    service.published_run("2026-11-01");
    let committee = service.client("committee", None);
    let page = committee.get_with("/signals", &[HTML]).expect(200).text();
    assert!(
        page.contains("No centre that can be shown lies below the limits"),
        "{page}"
    );
    assert!(!page.contains("C01"), "{page}");
    committee.get_with("/signals?colour=canary", &[HTML]).expect(400);
}
