//! Letters that stand for centres: dealt out to the centres a run knew, so that what was published stays lettered as it was.

use registry_core::access::Scope;
use registry_core::storage::{Centre, Run};
use registry_etl::disclosure::CentreLetters;
use registry_etl::runs::Reader;

use super::from_run;
use crate::problem::Problem;
use crate::state::AppState;

/// The letters of a run's centres.
///
/// # Errors
/// The database does not answer.
pub(super) fn of_run(state: &AppState, scope: &Scope, run: &Run) -> Result<CentreLetters, Problem> {
    let kept = Reader::new(&state.store, scope, run)
        .centres()
        .map_err(from_run)?;
    let centres = match kept {
        Some(centres) => centres,
        None => before(state.store.list_centres(&Scope::system("letters"))?, run),
    };
    let ids = centres.iter().map(String::as_str);
    Ok(CentreLetters::new(&state.letters_key, ids))
}

/// Of a run that did not keep its centres: those added before it started. A centre is never removed.
fn before(centres: Vec<Centre>, run: &Run) -> Vec<String> {
    let then = centres
        .into_iter()
        .filter(|centre| centre.created_at <= run.started_at);
    then.map(|centre| centre.centre_id).collect()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Days, NaiveDate, Utc};
    use registry_core::storage::RunStatus;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_that_kept_no_centres_has_those_added_before_it_started() {
        let start: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().expect("an instant");
        let centre = |id: &str, created_at: DateTime<Utc>| Centre {
            centre_id: id.to_owned(),
            name: id.to_owned(),
            country: None,
            active: true,
            created_at,
            updated_at: start + Days::new(30),
        };
        let run = Run {
            number: 3,
            status: RunStatus::Finished,
            cutoff_date: NaiveDate::from_ymd_opt(2026, 2, 28).expect("a day"),
            watermark: 9,
            parameters: json!({}),
            summary: None,
            progress: None,
            started_at: start,
            started_by: "test".to_owned(),
            finished_at: None,
            published_at: None,
            published_by: None,
        };
        let all = vec![
            centre("C01", start - Days::new(400)),
            centre("C02", start),
            centre("C03", start + Days::new(1)),
        ];
        assert_eq!(before(all, &run), ["C01", "C02"]);
    }
}
