//! Runs that start themselves, and those that do not start.

use registry_api::problem::Kind;
use registry_api::runs::{Wanted, execute};
use registry_core::access::Scope;
use support::database::Database;
use support::service::Service;

#[test]
fn a_scheduled_run_starts_when_due_and_not_before() {
    let service = Service::start_with(Database::sqlite(), |settings| settings.runs.every_hours = 24);
    let run = || registry_api::schedule::run_if_due(service.state()).expect("no failure");
    assert_eq!(run().map(|run| run.number), Some(1), "there was none yet");
    assert_eq!(run().map(|run| run.number), None, "one was just started");
    service.advance_days(1);
    let second = run().expect("a day later one is due");
    assert_eq!(second.number, 2);
    assert_eq!(second.started_by, "schedule");
    assert_eq!(second.cutoff_date.to_string(), "2026-11-24", "up to today");
}

/// By whatever way it was asked for: the last 24 months of such a run would lie in the future.
#[test]
fn no_run_counts_up_to_a_day_that_has_not_come() {
    let service = Service::start();
    let system = Scope::system("test");
    let up_to = |day: &str| {
        let wanted = Wanted::up_to(day.parse().expect("a day"));
        execute(service.state(), &system, &wanted, |_| ())
    };
    let refused = up_to("2026-11-24").expect_err("tomorrow");
    assert_eq!(refused.kind, Kind::InvalidValue);
    assert_eq!(
        up_to("2026-11-23").expect("today").number,
        1,
        "nothing was begun before"
    );
}
