//! Consent to research reuse that is taken back while the case stays in the registry.

use chrono::NaiveDate;
use diesel::dsl;
use diesel::prelude::*;
use serde_json::Value;

use super::rows::CaseRecord;
use crate::storage::StoreError;
use crate::storage::tables::cases;

/// Of cases that no bundle built before may be handed out with: withdrawn, or without consent to research reuse any more.
#[dsl::auto_type]
pub(crate) fn taken_back() -> _ {
    cases::withdrawal_mode
        .is_not_null()
        .or(cases::reuse_ended_on.is_not_null())
}

fn gives(document: &Value) -> bool {
    document.pointer("/consent/research_reuse") == Some(&Value::Bool(true))
}

/// Notes the day on which a new version takes the consent back, and forgets it when one gives it again. Whether it was taken back with this
/// version; `before` reads the version it follows.
pub(super) fn follow(
    case: &mut CaseRecord,
    document: &Value,
    today: NaiveDate,
    before: impl FnOnce(&CaseRecord) -> Result<Value, StoreError>,
) -> Result<bool, StoreError> {
    if gives(document) {
        case.reuse_ended_on = None;
        return Ok(false);
    }
    if case.reuse_ended_on.is_some() || !gives(&before(case)?) {
        return Ok(false);
    }
    case.reuse_ended_on = Some(today);
    Ok(true)
}
