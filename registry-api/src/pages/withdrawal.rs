//! Withdrawal of consent from the page of a case: what is asked, since when, and a coded reason.

use actix_web::{HttpResponse, web};
use registry_core::storage::{CaseRow, Precondition, WITHDRAWAL_REASONS, Withdraw, WithdrawalMode};

use super::case::gone;
use crate::guard::{AllowedForm, SeesCases};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

/// The reasons to choose from: code and words.
pub(super) fn reasons() -> Vec<(&'static str, &'static str)> {
    WITHDRAWAL_REASONS.to_vec()
}

/// The words of a coded reason; anything else as it stands.
pub(super) fn in_words(reason: &str) -> String {
    let known = WITHDRAWAL_REASONS.iter().find(|(code, _)| *code == reason);
    known.map_or(reason, |(_, words)| words).to_owned()
}

/// What the page says of a case whose consent was withdrawn.
pub(super) fn said(row: &CaseRow) -> Option<String> {
    let withdrawal = row.withdrawal.as_ref()?;
    Some(format!(
        "Consent was withdrawn on {}: the registry uses nothing of this case any more and accepts nothing for it.",
        withdrawal.date
    ))
}

/// Withdraws as the form of the case's page asks.
pub(super) async fn withdraw(
    form: AllowedForm<SeesCases>,
    pseudonym: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let bad = |what: &str| Problem::with(Kind::InvalidValue, what);
    let pseudonym = pseudonym.into_inner();
    let mode = match form.fields.get("mode") {
        "no_further_use" => WithdrawalMode::NoFurtherUse,
        "erase" => WithdrawalMode::Erase,
        _ => return Err(bad("What is asked: no further use, or erasure")),
    };
    let date = form.fields.get("date").parse();
    let date = date.map_err(|_| bad("The withdrawal needs its day (YYYY-MM-DD)."))?;
    let reason = form.fields.get("reason");
    if !WITHDRAWAL_REASONS.iter().any(|(code, _)| *code == reason) {
        return Err(bad("Why: choose one of the reasons"));
    }
    if form.fields.get("again") != pseudonym {
        return Err(bad(
            "The pseudonym typed for confirmation is not the one of this case.",
        ));
    }
    let withdraw = Withdraw {
        pseudonym: pseudonym.clone(),
        centre: form.scope.centre().map(str::to_owned),
        mode,
        date,
        reason: Some(reason.to_owned()),
        document: None,
        precondition: Precondition::Whatever,
        idempotency: None,
    };
    blocking(move || state.store.withdraw(&form.scope, withdraw).map_err(gone)).await?;
    let page = match mode {
        WithdrawalMode::NoFurtherUse => format!("/cases/{pseudonym}"),
        WithdrawalMode::Erase => "/cases".to_owned(),
    };
    Ok(HttpResponse::SeeOther()
        .insert_header(("location", page))
        .finish())
}
