//! What a frozen release tells of the cases around it: left out by reason, changed since the release before.

use registry_core::storage::{CaseStatus, Precondition, Release, Run, Withdraw, WithdrawalMode};
use registry_core::synthetic::{self, CohortPlan};
use registry_etl::releases::{self, Accounting, ReleaseOptions};
use serde_json::json;

use crate::registry::{Registry, as_of, engine, system};
use crate::releases::options;

/// Cases of a plan by their number, as they are sent here.
struct Sent {
    registry: Registry,
    plan: CohortPlan,
}

impl Sent {
    fn put(&self, cases: std::ops::Range<u32>, reuse: bool, status: CaseStatus, size: Option<u32>) {
        for index in cases {
            let mut case = synthetic::case(&self.plan, index);
            case.body["consent"]["research_reuse"] = json!(reuse);
            if let Some(size) = size {
                case.body["primary"]["size_mm"] = json!(size);
            }
            self.registry
                .put(&case.centre_id, &case.pseudonym, case.body, status)
                .expect("stored");
        }
    }

    fn withdraw(&self, cases: std::ops::Range<u32>, mode: WithdrawalMode) {
        for index in cases {
            let case = synthetic::case(&self.plan, index);
            let withdraw = Withdraw {
                pseudonym: case.pseudonym,
                centre: Some(case.centre_id),
                mode,
                date: as_of(),
                reason: None,
                document: None,
                precondition: Precondition::Whatever,
                idempotency: None,
            };
            self.registry
                .store
                .withdraw(&system(), withdraw)
                .expect("withdrawn");
        }
    }

    fn freeze(&self, id: &str, run: &Run) -> (Release, Vec<u8>) {
        let mut bytes = Vec::new();
        let options = ReleaseOptions {
            release_id: id.into(),
            ..options(1)
        };
        let store = &self.registry.store;
        let release = releases::freeze(store, &system(), &engine(), run, &options, &mut bytes, |_, _| ())
            .expect("frozen");
        (release, bytes)
    }
}

#[test]
fn a_release_tells_what_is_not_in_it_and_what_changed_and_keeps_to_it() {
    let registry = Registry::empty();
    let plan = CohortPlan {
        cases: 60,
        ..registry.plan
    };
    let sent = Sent { registry, plan };
    sent.put(0..30, true, CaseStatus::Submitted, None);
    sent.put(30..36, false, CaseStatus::Submitted, None);
    sent.put(36..41, true, CaseStatus::Draft, None);
    let (first, _) = sent.freeze("R1", &sent.registry.run());
    assert_eq!(first.manifest["cases"], 30);
    assert_eq!(
        first.manifest["accounting"],
        json!({ "told_from": 5, "changes": null, "left_out": [
            { "reason": "no consent to research reuse", "cases": 6 },
            { "reason": "registered after the cut-off", "cases": 0 },
            { "reason": "draft, not submitted", "cases": 5 },
            { "reason": "withdrawn", "cases": 0 },
        ] })
    );

    // 9 new, 7 in another version, 6 withdrawn: three of them with everything that was known.
    sent.put(41..50, true, CaseStatus::Submitted, None);
    sent.put(0..7, true, CaseStatus::Submitted, Some(431));
    sent.withdraw(20..23, WithdrawalMode::Erase);
    sent.withdraw(23..26, WithdrawalMode::NoFurtherUse);
    let run = sent.registry.run();
    let (second, bytes) = sent.freeze("R2", &run);
    assert_eq!(second.manifest["cases"], 33);
    assert_eq!(
        second.manifest["accounting"],
        json!({ "told_from": 5, "changes": { "since": "R1", "added": 9, "changed": 7, "left": 6 }, "left_out": [
            { "reason": "no consent to research reuse", "cases": 6 },
            { "reason": "registered after the cut-off", "cases": 0 },
            { "reason": "draft, not submitted", "cases": 5 },
            { "reason": "withdrawn", "cases": 6 },
        ] })
    );

    // Somebody who was never in it withdraws: the release is the same again, its counts are those of its day.
    sent.withdraw(30..31, WithdrawalMode::Erase);
    let kept: Accounting = serde_json::from_value(second.manifest["accounting"].clone()).expect("as it was");
    let again = |accounting: Option<Accounting>| {
        let options = ReleaseOptions {
            release_id: "R2".into(),
            accounting,
            ..options(1)
        };
        let mut bytes = Vec::new();
        releases::build(
            &sent.registry.store,
            &system(),
            &engine(),
            &run,
            &options,
            &mut bytes,
        )
        .expect("built");
        bytes
    };
    assert_eq!(again(Some(kept)), bytes);
    assert_ne!(again(None), bytes);
}

#[test]
fn consent_to_reuse_taken_back_after_the_run_keeps_a_case_out_of_what_is_frozen_then() {
    let registry = Registry::empty();
    let plan = CohortPlan {
        cases: 30,
        ..registry.plan
    };
    let sent = Sent { registry, plan };
    sent.put(0..30, true, CaseStatus::Submitted, None);
    let run = sent.registry.run();
    let (first, _) = sent.freeze("R1", &run);
    assert_eq!(first.manifest["cases"], 30);
    // Another version with the same consent changes nothing; six take theirs back.
    sent.put(0..4, true, CaseStatus::Submitted, Some(431));
    sent.put(10..16, false, CaseStatus::Submitted, None);
    let (second, _) = sent.freeze("R2", &run);
    assert_eq!(second.manifest["cases"], 24);
    let accounting = &second.manifest["accounting"];
    assert_eq!(
        accounting["left_out"][0],
        json!({ "reason": "no consent to research reuse", "cases": 6 })
    );
    assert_eq!(
        accounting["changes"],
        json!({ "since": "R1", "added": 0, "changed": 0, "left": 6 })
    );
}
