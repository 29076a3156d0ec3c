//! One record's way in: judged, then stored. A REST submission, a batch item and the demo's cohort all come through here.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use registry_core::access::Scope;
use registry_core::record::CentreTable;
use registry_core::storage::{
    CaseStatus, Derived, FindingState, FrozenRows, Precondition, PutCase, PutOutcome, StoredFinding,
    Withdraw, WithdrawOutcome, Withdrawal, WithdrawalMode,
};
use registry_core::validation::{Envelope, Finding, Judge, Severity, UnattestedSection, Verdict};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::problem::Problem;
use crate::releases::discard_with;
use crate::routes::{AssessmentLine, Idempotent, Reply, gaps, lines};
use crate::state::AppState;

/// A record on its way in.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Pseudonym of the path.
    pub pseudonym: String,
    /// The document.
    pub body: Value,
    /// What the request says about the version it replaces.
    pub precondition: Precondition,
    /// Why (`Change-Reason`).
    pub reason: Option<String>,
    /// Whether it is kept for the centre, out of runs; where nobody says so, a draft that is there stays one and anything else is submitted.
    pub draft: Option<bool>,
    /// Answer with the assessment of the case as well.
    pub assess: bool,
    /// Replay key.
    pub idempotent: Option<Idempotent>,
}

/// Judges a record as this scope's centre would submit it now. Stores nothing.
pub fn judge(state: &AppState, scope: &Scope, body: &Value, centres: &CentreTable) -> Verdict {
    state.judge.judge(body, &envelope(state, scope), centres)
}

pub(crate) fn envelope(state: &AppState, scope: &Scope) -> Envelope {
    let now = state.ports.clock.now();
    Envelope {
        record_id: Uuid::nil(),
        centre_id: scope.centre().unwrap_or_default().to_owned(),
        submitted_at: now,
        data_cutoff_date: now.date_naive(),
    }
}

/// What the guideline in force says of a record that was not refused, as answered: which statements are met, not met or cannot be assessed,
/// and the care gaps.
fn assessment(
    state: &AppState,
    body: &Value,
    envelope: &Envelope,
    centres: &CentreTable,
    verdict: &Verdict,
) -> Value {
    let version = verdict.schema_version.as_deref().unwrap_or_default();
    let (Some(guideline), Some(assessment)) = (state.judge.in_force(version), verdict.assessments.first())
    else {
        return json!(AssessmentOfSubmission::default());
    };
    let open = state
        .judge
        .care_gaps(body, envelope, centres, &assessment.outcomes);
    json!(AssessmentOfSubmission {
        lines: lines(guideline, &assessment.outcomes),
        care_gaps: gaps(guideline, &open),
    })
}

/// What the guideline says of a record, in the answer to its submission.
#[derive(Default, Serialize, utoipa::ToSchema)]
struct AssessmentOfSubmission<'a> {
    lines: Vec<AssessmentLine<'a>>,
    care_gaps: Vec<AssessmentLine<'a>>,
}

/// Judges and, unless refused, makes what the store takes.
///
/// # Errors
/// [`crate::problem::Kind::InvalidRecord`] with every finding.
pub fn admit(
    state: &AppState,
    scope: &Scope,
    incoming: Incoming,
    centres: &CentreTable,
) -> Result<Admitted, Problem> {
    let envelope = envelope(state, scope);
    let verdict = state.judge.judge(&incoming.body, &envelope, centres);
    let outcome = check(&incoming.pseudonym, &incoming.body, &verdict);
    state.metrics.submitted(outcome.is_ok());
    outcome?;
    if verdict.withdrawal {
        let today = state.ports.clock.now().date_naive();
        let date = withdrawal_date(&incoming.body);
        let dated = date.map_or(Dated::Taken(today), Dated::Sent);
        let date = date.unwrap_or(today);
        let schema_version = verdict.schema_version.clone().unwrap_or_default();
        return Ok(Admitted::Withdrawal(
            Box::new(Withdraw {
                pseudonym: incoming.pseudonym,
                centre: scope.centre().map(str::to_owned),
                mode: WithdrawalMode::NoFurtherUse,
                date,
                reason: incoming.reason,
                document: Some((incoming.body, schema_version)),
                precondition: incoming.precondition,
                idempotency: incoming.idempotent.map(|given| {
                    given.with_answer(move |outcome: &WithdrawOutcome| withdrawn(outcome, dated))
                }),
            }),
            dated,
        ));
    }
    let pseudonym = incoming.pseudonym.clone();
    let assessment = incoming
        .assess
        .then(|| assessment(state, &incoming.body, &envelope, centres, &verdict));
    let for_render = (verdict.clone(), assessment.clone());
    let idempotent = incoming.idempotent.clone();
    let mut put = to_store(state, incoming, &verdict);
    put.idempotency = idempotent.map(|given| {
        given.with_answer(move |outcome: &PutOutcome| {
            accepted(&pseudonym, outcome, &for_render.0, for_render.1.as_ref())
        })
    });
    Ok(Admitted::Case(Box::new(put), Box::new(verdict), assessment))
}

/// What the store takes of a record that was judged; without its replay key.
pub(crate) fn to_store(state: &AppState, incoming: Incoming, verdict: &Verdict) -> PutCase {
    PutCase {
        pseudonym: incoming.pseudonym,
        precondition: incoming.precondition,
        document: incoming.body,
        schema_version: verdict.schema_version.clone().unwrap_or_default(),
        status: if incoming.draft == Some(true) {
            CaseStatus::Draft
        } else {
            CaseStatus::Submitted
        },
        keep_draft: incoming.draft.is_none(),
        derived: derived(verdict),
        findings: kept(verdict),
        formerly: verdict.formerly.clone(),
        reason: incoming.reason,
        frozen: frozen_rows(&state.judge),
        idempotency: None,
    }
}

/// What a verdict derives from a case.
pub(crate) fn derived(verdict: &Verdict) -> Derived {
    Derived {
        histology_code: verdict.derived.histology_code.clone(),
        eligibility_class: verdict.derived.eligibility_class.clone(),
        t0: verdict.t0.clone(),
    }
}

/// The findings that are stored with a version.
pub(crate) fn kept(verdict: &Verdict) -> Vec<StoredFinding> {
    let kept = verdict.findings.iter();
    kept.filter(|finding| finding.severity != Severity::Reject)
        .cloned()
        .collect()
}

fn frozen_rows(judge: &Arc<Judge>) -> FrozenRows {
    let judge = Arc::clone(judge);
    Arc::new(move |before, after, through| judge.frozen(before, after, through))
}

/// What the judge let through.
pub enum Admitted {
    /// A case to store, with its verdict and, when asked for, its assessment.
    Case(Box<PutCase>, Box<Verdict>, Option<Value>),
    /// A withdrawal of consent, and where its date comes from.
    Withdrawal(Box<Withdraw>, Dated),
}

/// Where the date of a withdrawal comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dated {
    /// It was sent.
    Sent(NaiveDate),
    /// None was sent in full: the day it arrived.
    Taken(NaiveDate),
}

/// Judges and stores one record.
///
/// # Errors
/// A refusal with every finding, or what the store answers.
pub fn submit(state: &AppState, scope: &Scope, incoming: Incoming) -> Result<Reply, Problem> {
    let centres = state.centre_table()?;
    let pseudonym = incoming.pseudonym.clone();
    match admit(state, scope, incoming, &centres)? {
        Admitted::Case(put, verdict, assessment) => {
            let outcome = state.store.put_case(scope, *put)?;
            if outcome.reuse_ended {
                discard_with(state, &outcome.case_id);
            }
            match outcome.replay.clone() {
                Some(answer) => Ok(Reply::replayed(answer)),
                None => accepted(&pseudonym, &outcome, &verdict, assessment.as_ref()),
            }
        }
        Admitted::Withdrawal(withdraw, dated) => {
            let outcome = state.store.withdraw(scope, *withdraw)?;
            discard_with(state, &outcome.case_id);
            told_withdrawal(outcome, dated)
        }
    }
}

/// Refuses a record that its verdict refuses, or that is of another patient than its address says.
///
/// # Errors
/// [`crate::problem::Kind::InvalidRecord`] with every finding.
pub fn check(pseudonym: &str, body: &Value, verdict: &Verdict) -> Result<(), Problem> {
    if verdict.rejected() {
        let refused = Problem::record(&verdict.findings, verdict.further_findings);
        return Err(match verdict.checked {
            true => refused,
            false => refused
                .detailed("The edit checks have not been run: they read a record that keeps to its schema."),
        });
    }
    let named = body.pointer("/patient/pseudonym_id").and_then(Value::as_str);
    if named != Some(pseudonym) {
        let finding = Finding {
            code: "pseudonym_mismatch".to_owned(),
            severity: Severity::Reject,
            pointer: "/patient/pseudonym_id".to_owned(),
            rule: None,
            rule_version: None,
            message: "The pseudonym of the body is not the one of the address.".to_owned(),
            elements: vec!["patient.pseudonym_id".to_owned()],
            identity: String::new(),
        };
        return Err(Problem::record(&[finding], 0));
    }
    Ok(())
}

fn withdrawal_date(body: &Value) -> Option<NaiveDate> {
    body.pointer("/consent/withdrawal_date")?.as_str()?.parse().ok()
}

/// A finding, and whether the centre has answered it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(crate) struct ToldFinding {
    #[serde(flatten)]
    finding: Finding,
    state: FindingState,
}

/// The findings of a verdict, each with its state: those of these identities the centre has answered.
pub(crate) fn told(verdict: &Verdict, answered: &BTreeSet<String>) -> Vec<ToldFinding> {
    let tell = |finding: &Finding| ToldFinding {
        state: match answered.contains(&finding.identity) {
            true => FindingState::Answered,
            false => FindingState::Open,
        },
        finding: finding.clone(),
    };
    verdict.findings.iter().map(tell).collect()
}

/// What is answered of a stored submission, whichever way it came.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = StoredSubmission)]
pub(crate) struct Stored {
    /// Pseudonym.
    case: String,
    record_id: String,
    version: i64,
    etag: String,
    submitted_at: DateTime<Utc>,
    /// The content was that of the current version: no new one was made.
    unchanged: bool,
    findings: Vec<ToldFinding>,
    /// Findings beyond those listed.
    further_findings: usize,
    not_attested: Vec<UnattestedSection>,
}

impl Stored {
    /// Pseudonym.
    pub(crate) fn case(&self) -> &str {
        &self.case
    }
}

/// The answer to a stored submission.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Acceptance<'a> {
    #[serde(flatten)]
    stored: Stored,
    status: CaseStatus,
    /// With `assess=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<AssessmentOfSubmission>)]
    assessment: Option<&'a Value>,
}

/// The answer to a record: stored, or a withdrawal of consent.
#[derive(utoipa::ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "either is answered; this says what it may be")]
pub(crate) enum AnswerToRecord<'a> {
    Accepted(Acceptance<'a>),
    Withdrawn(Withdrawn),
}

/// What is told of an accepted submission.
pub(crate) fn stored(pseudonym: &str, outcome: &PutOutcome, verdict: &Verdict) -> Stored {
    Stored {
        case: pseudonym.to_owned(),
        record_id: outcome.case_id.clone(),
        version: outcome.version,
        etag: outcome.etag.clone(),
        submitted_at: outcome.submitted_at,
        unchanged: outcome.unchanged,
        findings: told(verdict, &outcome.answered),
        further_findings: verdict.further_findings,
        not_attested: verdict.unattested.clone(),
    }
}

fn accepted(
    pseudonym: &str,
    outcome: &PutOutcome,
    verdict: &Verdict,
    assessment: Option<&Value>,
) -> Result<Reply, Problem> {
    let status = if outcome.created { 201 } else { 200 };
    let answer = Acceptance {
        stored: stored(pseudonym, outcome, verdict),
        status: outcome.status,
        assessment,
    };
    Ok(Reply::json(status, &answer)?
        .header("etag", outcome.etag.clone())
        .header("location", format!("/api/v1/cases/{pseudonym}")))
}

/// The answer to a withdrawal, or the one given before.
///
/// # Errors
/// None in practice.
pub fn told_withdrawal(mut outcome: WithdrawOutcome, dated: Dated) -> Result<Reply, Problem> {
    match outcome.replay.take() {
        Some(answer) => Ok(Reply::replayed(answer)),
        None => withdrawn(&outcome, dated),
    }
}

/// A withdrawal of consent that is in force.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Withdrawn {
    record_id: String,
    version: i64,
    /// `withdrawn`.
    status: &'static str,
    withdrawal: Withdrawal,
    unchanged: bool,
    releases_that_held_the_case: Vec<String>,
    data_requests_that_held_the_case: Vec<String>,
    warnings: Vec<Warning>,
}

/// What was taken for something that was not said.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = WithdrawalWarning)]
pub(crate) struct Warning {
    code: &'static str,
    severity: Severity,
    pointer: &'static str,
    message: String,
}

/// The answer to a withdrawal.
///
/// # Errors
/// None in practice.
pub fn withdrawn(outcome: &WithdrawOutcome, dated: Dated) -> Result<Reply, Problem> {
    let answer = Withdrawn {
        record_id: outcome.case_id.clone(),
        version: outcome.version,
        status: "withdrawn",
        withdrawal: outcome.withdrawal.clone(),
        unchanged: outcome.unchanged,
        releases_that_held_the_case: outcome.releases.clone(),
        data_requests_that_held_the_case: outcome.requests.clone(),
        warnings: said_of_date(outcome, dated),
    };
    Ok(Reply::json(if outcome.created { 201 } else { 200 }, &answer)?.header("etag", outcome.etag.clone()))
}

/// Says which day counts, where it is not the one that was sent.
pub(crate) fn said_of_date(outcome: &WithdrawOutcome, dated: Dated) -> Vec<Warning> {
    let there = outcome.withdrawal.date;
    let said = match dated {
        Dated::Taken(day) if !outcome.unchanged => Some((
            "withdrawal_date_taken",
            format!("No full day of withdrawal was sent: {day}, the day this arrived, counts."),
        )),
        Dated::Sent(day) if outcome.unchanged && day != there => Some((
            "withdrawal_date_kept",
            format!("Consent has been withdrawn before: {there}, the day that was told then, counts."),
        )),
        Dated::Taken(_) | Dated::Sent(_) => None,
    };
    let warning = |(code, message)| Warning {
        code,
        severity: Severity::Warning,
        pointer: "/consent/withdrawal_date",
        message: format!("{message} If consent was withdrawn on another day, tell the coordinating office."),
    };
    said.map(warning).into_iter().collect()
}
