//! What patients took back, kept outside the backups and told again to a restored copy.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::cases::{Again, WithdrawalMode, end_reuse_again, reapply};
use super::connection::on_conn;
use super::store::require;
use super::tables::{cases, pseudonym_claims};
use super::{Store, StoreError};
use crate::access::Scope;

/// What a patient took back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenBack {
    /// Consent: the case leaves every later run and release.
    NoFurtherUse,
    /// Consent, and the case is erased.
    Erase,
    /// Consent to research reuse alone: the case stays in the registry and leaves its releases.
    Reuse,
}

impl TakenBack {
    /// The withdrawal it is; `None` of research reuse alone, which a patient may give again.
    pub fn withdrawal(self) -> Option<WithdrawalMode> {
        match self {
            TakenBack::NoFurtherUse => Some(WithdrawalMode::NoFurtherUse),
            TakenBack::Erase => Some(WithdrawalMode::Erase),
            TakenBack::Reuse => None,
        }
    }
}

/// One line of the withdrawal ledger, kept outside the backups and applied again after a restore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawalRecord {
    /// Centre.
    pub centre_id: String,
    /// Record id.
    pub case_id: String,
    /// What was taken back.
    pub mode: TakenBack,
    /// Date of withdrawal; of research reuse the day the registry was told.
    pub date: NaiveDate,
    /// Keyed hash of the pseudonym, in hex: with it a copy that never had the case refuses it when it is sent again. Nobody reads the
    /// pseudonym from it without the registry's own secret. `None` in ledgers of earlier versions of this program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
}

/// What became of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reapplied {
    /// Lines that changed something.
    pub applied: usize,
    /// Centres that this copy does not know: their lines for cases it does not know either could not be kept.
    pub unknown_centres: Vec<String>,
}

/// Centre, record id, mode, date of withdrawal, end of reuse, keyed hash of the pseudonym.
type Row = (
    String,
    String,
    Option<String>,
    Option<NaiveDate>,
    Option<NaiveDate>,
    Option<Vec<u8>>,
);

impl Store {
    /// Everything that patients took back and that is in force, by centre and case. Keep the list outside the backups.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`], [`StoreError::Unavailable`].
    pub fn withdrawals(&self, scope: &Scope) -> Result<Vec<WithdrawalRecord>, StoreError> {
        require(scope, scope.role().sees_all_cases(), "list withdrawals")?;
        let query = cases::table
            .left_join(pseudonym_claims::table.on(pseudonym_claims::case_id.eq(cases::case_id)))
            .filter(
                cases::withdrawal_mode
                    .is_not_null()
                    .or(cases::reuse_ended_on.is_not_null()),
            )
            .order((cases::centre_id, cases::case_id))
            .select((
                cases::centre_id,
                cases::case_id,
                cases::withdrawal_mode,
                cases::withdrawn_on,
                cases::reuse_ended_on,
                pseudonym_claims::pseudonym_mac.nullable(),
            ));
        let rows = self.read(scope, |conn, _| Ok(on_conn!(conn, c => query.load::<Row>(c))?))?;
        let record = |(centre_id, case_id, mode, withdrawn_on, reuse_ended_on, mac): Row| {
            let (mode, date) = match mode.as_deref() {
                None => (TakenBack::Reuse, reuse_ended_on),
                Some(mode) if mode == WithdrawalMode::Erase.as_str() => (TakenBack::Erase, withdrawn_on),
                Some(_) => (TakenBack::NoFurtherUse, withdrawn_on),
            };
            Some(WithdrawalRecord {
                centre_id,
                case_id,
                mode,
                date: date?,
                claim: mac.map(hex::encode),
            })
        };
        Ok(rows.into_iter().filter_map(record).collect())
    }

    /// Applies a ledger again after a restore: also to a case that was transferred after the copy was made, and, where lines have the
    /// keyed hash of the pseudonym, to a case that was registered after it, which is refused from then on. What is in force already is
    /// skipped, and so is research reuse of a case that the copy does not know: no bundle of it was built.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`], [`StoreError::Invalid`] for a line that cannot be one, [`StoreError::Unavailable`]; nothing was applied
    /// then.
    pub fn reapply_withdrawals(
        &self,
        scope: &Scope,
        records: &[WithdrawalRecord],
    ) -> Result<Reapplied, StoreError> {
        require(scope, scope.role().sees_all_cases(), "apply withdrawals")?;
        let records = records
            .iter()
            .map(|record| Ok((record.clone(), mac(record)?)))
            .collect::<Result<Vec<_>, StoreError>>()?;
        self.write(scope, move |tx| {
            let mut done = Reapplied::default();
            for (record, mac) in &records {
                let again = match record.mode.withdrawal() {
                    Some(mode) => reapply(tx, record, mode, mac.as_deref())?,
                    None => end_reuse_again(tx, &record.case_id, record.date)?,
                };
                match again {
                    Again::Applied => done.applied += 1,
                    Again::Skipped => {}
                    Again::UnknownCentre => done.unknown_centres.push(record.centre_id.clone()),
                }
            }
            done.unknown_centres.sort();
            done.unknown_centres.dedup();
            Ok(done)
        })
    }

    /// Record ids of the cases whose consent to research reuse was taken back while they stayed in the registry.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`], [`StoreError::Unavailable`].
    pub fn without_reuse(&self, scope: &Scope) -> Result<Vec<String>, StoreError> {
        require(scope, scope.role().sees_all_cases(), "read the cases of a run")?;
        let query = cases::table
            .filter(cases::reuse_ended_on.is_not_null())
            .order(cases::case_id)
            .select(cases::case_id);
        self.read(scope, |conn, _| Ok(on_conn!(conn, c => query.load::<String>(c))?))
    }
}

fn mac(record: &WithdrawalRecord) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(claim) = &record.claim else {
        return Ok(None);
    };
    match hex::decode(claim) {
        Ok(mac) if mac.len() == 32 => Ok(Some(mac)),
        _ => Err(StoreError::Invalid(
            "the claim of a withdrawal is 64 hexadecimal digits",
        )),
    }
}
