//! The steps of a case's life on its page: verify, lock through a day and unlock, the latter two with a reason.

use actix_web::{HttpResponse, web};
use chrono::NaiveDate;
use registry_core::access::Role;
use registry_core::storage::{CaseRow, CaseStatus, LifeCycle, LifeStep};

use super::case::{self, gone};
use super::{Sent, withdrawal, words};
use crate::guard::{AllowedForm, LeadsCentre, NoQuery, Policy, SeesCases};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

/// What "verified" can mean; the lead says which.
const WAYS: [&str; 4] = [
    "every element against the source documents",
    "the elements that measures and survival rest on, against the source documents",
    "entered again by another person and compared",
    "at a monitoring visit",
];

/// Where a case is in its life, and what the reader may do about it.
pub(super) struct Stage {
    pub(super) words: String,
    pub(super) verify: bool,
    pub(super) lock: bool,
    pub(super) unlock: bool,
    /// Whether the reader may record a withdrawal of consent.
    pub(super) withdraw: bool,
    /// How a case can have been held against its source.
    pub(super) ways: [&'static str; 4],
    /// What was done so far, in words.
    pub(super) steps: Vec<String>,
    /// First and last day a lock may be set to.
    pub(super) from: String,
    pub(super) to: String,
}

impl Stage {
    pub(super) fn of(row: &CaseRow, life: &[LifeStep], role: Role, today: NaiveDate) -> Self {
        let there = row.withdrawal.is_none();
        let leads = LeadsCentre::ROLES.contains(&role) && there;
        let words = match (row.status, row.locked_through) {
            (CaseStatus::Draft, _) => "A draft: kept for the centre, counted in no run.".to_owned(),
            (CaseStatus::Submitted, _) => "Submitted, and not yet checked against its source.".to_owned(),
            (CaseStatus::Verified, _) => "Verified against its source; a change needs a reason.".to_owned(),
            (CaseStatus::Locked, Some(day)) => format!(
                "Locked through {day}: rows dated up to then stay as they are. Later follow-up is accepted, with a reason."
            ),
            (CaseStatus::Locked, None) => "Locked.".to_owned(),
        };
        Self {
            words: withdrawal::said(row).unwrap_or(words),
            withdraw: SeesCases::ROLES.contains(&role) && there,
            ways: WAYS,
            steps: life.iter().map(in_words).collect(),
            verify: leads && row.status == CaseStatus::Submitted,
            lock: leads && row.status != CaseStatus::Draft,
            unlock: leads && row.status == CaseStatus::Locked,
            from: row.locked_through.map(|day| day.to_string()).unwrap_or_default(),
            to: today.to_string(),
        }
    }
}

/// A step of a case's life as a sentence: what, who, when, why.
fn in_words(step: &LifeStep) -> String {
    let what = match (step.action.as_str(), step.through, step.to) {
        ("case.verify", ..) => "verified against its source".to_owned(),
        ("case.lock", Some(day), _) => format!("locked through {day}"),
        ("case.unlock", _, Some(to)) => format!("unlocked, and {} again", to.as_str()),
        ("case.withdraw", ..) => "consent withdrawn".to_owned(),
        (other, ..) => words::code(other.trim_start_matches("case.")),
    };
    let at = step.at.format("%Y-%m-%d %H:%M UTC");
    let version = step.version.map(|n| format!(", version {n}")).unwrap_or_default();
    let role = words::code(&step.role).to_lowercase();
    let why = step.reason.as_deref().map(withdrawal::in_words);
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    format!("{at}{version}: {what} by {} ({role}){why}", step.actor)
}

/// Takes the step a form of the case's page asks for.
pub(super) async fn step(
    form: AllowedForm<LeadsCentre>,
    pseudonym: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let case = pseudonym.to_string();
    let answer: Result<HttpResponse, Problem> = async move {
        let step = match form.fields.get("step") {
            "verify" if !WAYS.contains(&form.fields.get("reason")) => {
                return Err(Problem::with(
                    Kind::InvalidValue,
                    "How it was verified: choose one of the ways.",
                ));
            }
            "verify" => LifeCycle::Verify,
            "lock" => LifeCycle::Lock {
                through: form.fields.get("through").parse().map_err(|_| {
                    Problem::with(
                        Kind::InvalidValue,
                        "The lock needs the day it reaches to (YYYY-MM-DD).",
                    )
                })?,
            },
            "unlock" => LifeCycle::Unlock,
            _ => return Err(Problem::with(Kind::InvalidValue, "step: verify, lock or unlock")),
        };
        let page = format!("/cases/{pseudonym}");
        blocking(move || {
            let reason = Some(form.fields.get("reason")).filter(|reason| !reason.trim().is_empty());
            state
                .store
                .move_case(&form.scope, &pseudonym, step, reason)
                .map_err(gone)
        })
        .await?;
        Ok(HttpResponse::SeeOther()
            .insert_header(("location", page))
            .finish())
    }
    .await;
    sent.answered(
        answer,
        &[
            ("reason", "reason"),
            ("how it was verified", "reason"),
            ("locked through", "through"),
            ("lock needs", "through"),
        ],
        |caller| case::page(caller, web::Path::from(case), NoQuery, again),
    )
    .await
}
