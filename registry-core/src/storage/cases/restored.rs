//! What patients took back since a copy was made, told to the restored copy again.

use chrono::{Days, NaiveDate};
use diesel::prelude::*;

use super::rows::{CaseRecord, claim_by_mac, load_case, load_case_anywhere, load_version};
use super::withdraw::apply;
use super::{CaseStatus, WithdrawalMode};
use crate::storage::StoreError;
use crate::storage::connection::on_conn;
use crate::storage::tables::{cases, centres, pseudonym_claims};
use crate::storage::transaction::{Event, Tx};
use crate::storage::withdrawals::WithdrawalRecord;

const WHY: &str = "applied again after a restore";

/// What became of one line of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    Applied,
    /// In force already, or the copy has nothing that it concerns.
    Skipped,
    /// Neither the case nor its centre is in the copy.
    UnknownCentre,
}

/// Applies a withdrawal to a case by its id, at whichever centre the restored copy has it; or, when it was sent again before the ledger
/// was applied and has another id, by its pseudonym. A case that is not there is kept out from now on.
pub(crate) fn reapply(
    tx: &mut Tx<'_>,
    record: &WithdrawalRecord,
    mode: WithdrawalMode,
    mac: Option<&[u8]>,
) -> Result<Again, StoreError> {
    let case = match load_case_anywhere(tx.conn()?, &record.case_id)? {
        Some(case) => Some(case),
        None => match mac {
            Some(mac) => sent_again(tx, mac)?,
            None => return Ok(Again::Skipped),
        },
    };
    let Some(case) = case else {
        return keep_out(tx, record, mode, mac.unwrap_or_default());
    };
    let done = case
        .withdrawal()
        .is_some_and(|there| there.mode == mode || there.mode == WithdrawalMode::Erase);
    if done {
        return Ok(Again::Skipped);
    }
    apply(tx, case, mode, record.date, Some(WHY.to_owned()))?;
    Ok(Again::Applied)
}

fn sent_again(tx: &mut Tx<'_>, mac: &[u8]) -> Result<Option<CaseRecord>, StoreError> {
    match claim_by_mac(tx.conn()?, mac)? {
        Some((centre, case_id)) => load_case(tx.conn()?, &centre, &case_id),
        None => Ok(None),
    }
}

/// A withdrawn case without content, which claims its pseudonym: whoever sends it again is refused as after any withdrawal.
fn keep_out(
    tx: &mut Tx<'_>,
    record: &WithdrawalRecord,
    mode: WithdrawalMode,
    mac: &[u8],
) -> Result<Again, StoreError> {
    let known = centres::table.find(&record.centre_id).count();
    if on_conn!(tx.conn()?, c => known.get_result::<i64>(c))? == 0 {
        return Ok(Again::UnknownCentre);
    }
    let case = CaseRecord {
        centre_id: record.centre_id.clone(),
        case_id: record.case_id.clone(),
        pseudonym: None,
        status: CaseStatus::Submitted.as_str().to_owned(),
        locked_through: None,
        version: 0,
        state: 0,
        schema_version: String::new(),
        histology_code: None,
        eligibility_class: None,
        t0: None,
        errors: 0,
        warnings: 0,
        wrapped_key: None,
        created_at: tx.now,
        updated_at: tx.now,
        withdrawal_mode: Some(mode.as_str().to_owned()),
        withdrawn_on: Some(record.date),
        reuse_ended_on: None,
    };
    let claim = (
        pseudonym_claims::pseudonym_mac.eq(mac),
        pseudonym_claims::centre_id.eq(&case.centre_id),
        pseudonym_claims::case_id.eq(&case.case_id),
        pseudonym_claims::claimed_at.eq(tx.now),
    );
    on_conn!(tx.conn()?, c => {
        diesel::insert_into(cases::table).values(&case).execute(c)?;
        diesel::insert_into(pseudonym_claims::table).values(claim).execute(c)?;
    });
    tx.audit(
        Event::new("case.withdraw")
            .case(&case.centre_id, &case.case_id)
            .reason(Some(WHY.to_owned()))
            .detail("mode", mode.as_str())
            .detail("date", record.date.to_string())
            .detail("registered", "after the copy was made"),
    );
    Ok(Again::Applied)
}

/// Notes again that research reuse ended on `date`. A copy with a version submitted on a later day was made after it and knows better: reuse
/// may have been given again since.
pub(crate) fn end_reuse_again(tx: &mut Tx<'_>, case_id: &str, date: NaiveDate) -> Result<Again, StoreError> {
    let Some(mut case) = load_case_anywhere(tx.conn()?, case_id)? else {
        return Ok(Again::Skipped);
    };
    if case.withdrawal().is_some() || case.reuse_ended_on.is_some() {
        return Ok(Again::Skipped);
    }
    let submitted = load_version(tx.conn()?, &case, case.version)?.submitted_at;
    let next_day = date.checked_add_days(Days::new(1)).unwrap_or(date);
    if submitted.date() >= next_day {
        return Ok(Again::Skipped);
    }
    case.reuse_ended_on = Some(date);
    case.state += 1;
    case.updated_at = tx.now;
    let place = cases::table.find((&case.centre_id, &case.case_id));
    on_conn!(tx.conn()?, c => diesel::update(place).set(&case).execute(c))?;
    tx.audit(
        Event::new("case.reuse_ended")
            .case(&case.centre_id, &case.case_id)
            .reason(Some(WHY.to_owned()))
            .detail("date", date.to_string()),
    );
    Ok(Again::Applied)
}
