//! Source-data verification: sampled cases entered again, compared, as far as a reader may see it.

use chrono::{DateTime, Utc};
use registry_core::access::{Role, Scope};
use registry_core::storage::{ReenteredCase, SampledCase, Verification};
use registry_core::validation::{Finding, Verdict};
use registry_core::verification::Comparison;
use registry_etl::disclosure;
use registry_etl::quality::{AgreementLevel, AgreementTally, NETWORK};
use serde_json::Value;

use crate::problem::{Kind, Problem};
use crate::state::AppState;
use crate::submission;

/// A draw and what its re-entries show.
pub(crate) struct Found {
    pub(crate) draw: Verification,
    /// The network and every centre for the office, the own centre for a centre, the network protected for the committee.
    pub(crate) levels: Vec<AgreementLevel>,
    /// Case by case; none for who sees no case.
    pub(crate) cases: Vec<Compared>,
}

/// A case that was entered again, compared.
pub(crate) struct Compared {
    pub(crate) case: SampledCase,
    pub(crate) comparison: Comparison,
}

impl Compared {
    pub(crate) fn of(state: &AppState, case: ReenteredCase) -> Self {
        Self {
            comparison: state.verifier.compare(&case.stored, &case.reentered),
            case: case.case,
        }
    }

    /// Whether enough agrees for the case to be marked verified.
    pub(crate) fn may_be_verified(&self, state: &AppState) -> bool {
        self.comparison
            .share()
            .is_some_and(|share| share >= state.verifier.verify_from())
    }
}

/// Whether a reader knows the network in its parts: the committee reads it added up only.
fn sees_no_case(scope: &Scope) -> bool {
    scope.role() == Role::Committee
}

/// The draws, newest first, counted as the reader may see them.
///
/// # Errors
/// The database does not answer.
pub(crate) fn draws(state: &AppState, scope: &Scope) -> Result<Vec<Verification>, Problem> {
    if sees_no_case(scope) {
        return Ok(state
            .store
            .list_verifications(&Scope::system("verification progress"))?);
    }
    Ok(state.store.list_verifications(scope)?)
}

/// Compares every case of a draw that was entered again.
///
/// # Errors
/// [`Kind::NotFound`] for an unknown draw.
pub(crate) fn agreement(state: &AppState, scope: &Scope, id: &str) -> Result<Found, Problem> {
    let aggregated = sees_no_case(scope);
    let all = Scope::system("verification agreement");
    let reader = if aggregated { &all } else { scope };
    let draw = state.store.verification(reader, id)?;
    let mut tally = AgreementTally::default();
    let mut cases = Vec::new();
    state
        .store
        .for_each_reentered::<Problem>(reader, id, |reentered| {
            let compared = Compared::of(state, reentered);
            tally.add(&compared.case.centre_id, &compared.comparison);
            if !aggregated {
                cases.push(compared);
            }
            Ok(())
        })?;
    let mut levels = tally
        .finish(&state.readers, state.verifier.critical_measures())
        .map_err(Problem::internal)?;
    if aggregated {
        levels = disclosure::agreement(&levels, state.settings.disclosure.committee);
    } else if let Some(own) = scope.centre() {
        levels.retain(|level| level.level == own && level.level != NETWORK);
    }
    Ok(Found { draw, levels, cases })
}

/// What was entered again, with what the checks found.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(crate) struct Reentered {
    verification: String,
    /// Pseudonym.
    case: String,
    reentered_at: Option<DateTime<Utc>>,
    findings: Vec<Finding>,
    further_findings: usize,
}

/// Judges what was entered again as a submission would be, and keeps it beside the case; answers the verdict with it.
///
/// # Errors
/// [`Kind::InvalidRecord`] with every finding; what the store answers.
pub(crate) fn reenter(
    state: &AppState,
    scope: &Scope,
    id: &str,
    pseudonym: &str,
    body: &Value,
) -> Result<Reentered, Problem> {
    // Before the verdict: who may not enter it again learns that first.
    let (_, why_not) = state
        .store
        .sampled_case(scope, id, pseudonym)
        .map_err(crate::routes::not_found)?;
    if let Some(why) = why_not {
        return Err(Problem::with(Kind::InvalidState, why));
    }
    let verdict: Verdict = submission::judge(state, scope, body, &state.centre_table()?);
    submission::check(pseudonym, body, &verdict)?;
    if verdict.withdrawal {
        return Err(Problem::with(
            Kind::InvalidValue,
            "a case is entered again in full; a withdrawal of consent is recorded on the case itself",
        ));
    }
    let case = state
        .store
        .reenter_case(scope, id, pseudonym, body)
        .map_err(crate::routes::not_found)?;
    Ok(Reentered {
        verification: id.to_owned(),
        case: pseudonym.to_owned(),
        reentered_at: case.reentered_at,
        findings: verdict.findings,
        further_findings: verdict.further_findings,
    })
}
