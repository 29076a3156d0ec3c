//! Runs that start themselves.

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
