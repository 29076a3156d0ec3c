//! Withdrawal of consent.

use super::{Withdraw, WithdrawOutcome};
use crate::access::Scope;
use crate::storage::{Store, StoreError};

impl Store {
    /// Withdraws a case.
    pub fn withdraw(&self, scope: &Scope, withdraw: Withdraw) -> Result<WithdrawOutcome, StoreError> {
        todo!()
    }
}
