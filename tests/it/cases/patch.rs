//! `PATCH /api/v1/cases/{pseudonym}`: RFC 7396 merge patch under `If-Match`.

use serde_json::json;
use support::{records, service::Service};

#[test]
fn a_merge_patch_changes_what_it_names_and_nothing_else() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let body = records::figure_1("FIG-0001");
    let etag = centre
        .put("/api/v1/cases/FIG-0001", &[], &body)
        .expect(201)
        .header("etag")
        .expect("an ETag")
        .to_owned();

    let patch = json!({"patient": {"sex": {"absent": "withheld"}}});
    assert_eq!(
        centre
            .patch("/api/v1/cases/FIG-0001", &[], &patch)
            .expect(428)
            .code(),
        "precondition_required"
    );
    centre
        .patch("/api/v1/cases/FIG-0001", &[("if-match", &etag)], &patch)
        .expect(200);
    let mut expected = body;
    expected["patient"]["sex"] = json!({"absent": "withheld"});
    assert_eq!(
        centre.get("/api/v1/cases/FIG-0001").expect(200).json()["case"],
        expected
    );
    assert_eq!(
        centre
            .patch("/api/v1/cases/FIG-0001", &[("if-match", &etag)], &patch)
            .expect(412)
            .code(),
        "precondition_failed"
    );
}

#[test]
fn a_patch_that_breaks_the_record_is_refused_whole() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let body = records::figure_1("FIG-0001");
    let etag = centre
        .put("/api/v1/cases/FIG-0001", &[], &body)
        .expect(201)
        .header("etag")
        .expect("an ETag")
        .to_owned();
    let patch = json!({"patient": {"sex": "male"}, "primary": {"nonsense": 1}});
    centre
        .patch("/api/v1/cases/FIG-0001", &[("if-match", &etag)], &patch)
        .expect(422);
    assert_eq!(
        centre.get("/api/v1/cases/FIG-0001").expect(200).json()["case"],
        body
    );
}
