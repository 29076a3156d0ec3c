//! Drawing a sample.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::{CaseRecord, DrawRecord, NewVerification, Verification};
use crate::access::Scope;
use crate::storage::cases::CaseStatus;
use crate::storage::connection::on_conn;
use crate::storage::identifiers::{is_visible, new_id};
use crate::storage::store::require;
use crate::storage::tables::{cases, verification_cases, verifications};
use crate::storage::transaction::{Event, Tx};
use crate::storage::{Store, StoreError};
use crate::verification::sample;

/// Cases written by one statement: 7 columns each.
const CASES_A_STATEMENT: usize = 2_000;

impl Store {
    /// Draws a sample of every centre's cases: submitted, verified or locked, not withdrawn, first stored up to a day. Which ones is decided by
    /// the seed alone ([`crate::verification`]); the version a case is at is the one it is compared with later. `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a seed or share that cannot be used and for a day to come; [`StoreError::InvalidState`] when there is no case
    /// to draw from.
    pub fn draw_verification(&self, scope: &Scope, new: NewVerification) -> Result<Verification, StoreError> {
        require(scope, scope.role().sees_all_cases(), "draw samples")?;
        let parts = sample::parts(new.share).ok_or(StoreError::Invalid(
            "a share lies above 0 and up to 1, with four decimals at most",
        ))?;
        if new.seed.as_ref().is_some_and(|seed| !is_visible(seed, 64)) {
            return Err(StoreError::Invalid("a seed has 1 to 64 visible ASCII characters"));
        }
        self.write(scope, move |tx| draw(tx, &new, parts))
    }
}

fn draw(tx: &mut Tx<'_>, new: &NewVerification, share: i64) -> Result<Verification, StoreError> {
    if new.through > tx.now.date() {
        return Err(StoreError::Invalid(
            "a sample is drawn from cases stored up to a day that has come",
        ));
    }
    let row = DrawRecord {
        verification_id: new_id(tx.now, tx.entropy),
        seed: new.seed.clone().unwrap_or_else(|| {
            let mut random = [0u8; 8];
            tx.entropy.fill(&mut random);
            hex::encode(random)
        }),
        share,
        through: new.through,
        drawn_at: tx.now,
        drawn_by: tx.scope.actor().to_owned(),
    };
    let taken = sampled(tx, &row)?;
    if taken.is_empty() {
        return Err(StoreError::InvalidState(
            "there is no case to draw from: drafts, withdrawn cases and cases stored later do not count",
        ));
    }
    on_conn!(tx.conn()?, c => {
        diesel::insert_into(verifications::table).values(&row).execute(c)?;
        for some in taken.chunks(CASES_A_STATEMENT) {
            diesel::insert_into(verification_cases::table).values(some.to_vec()).execute(c)?;
        }
    });
    let centres: BTreeMap<&str, u64> = taken.iter().fold(BTreeMap::new(), |mut counts, case| {
        *counts.entry(&*case.centre_id).or_insert(0) += 1;
        counts
    });
    tx.audit(
        Event::new("verification.draw")
            .subject(&row.verification_id)
            .detail("seed", row.seed.as_str())
            .detail("share", row.share as f64 / sample::WHOLE as f64)
            .detail("through", row.through.to_string())
            .detail("cases", taken.len())
            .detail("centres", centres.len()),
    );
    Ok(row.with((taken.len() as u64, 0)))
}

/// The cases a draw takes, centre by centre.
fn sampled(tx: &mut Tx<'_>, draw: &DrawRecord) -> Result<Vec<CaseRecord>, StoreError> {
    let end = draw
        .through
        .succ_opt()
        .and_then(|day| day.and_hms_opt(0, 0, 0))
        .ok_or(StoreError::Invalid("the day is beyond the calendar"))?;
    let query = cases::table
        .filter(cases::status.ne(CaseStatus::Draft.as_str()))
        .filter(cases::withdrawal_mode.is_null())
        .filter(cases::created_at.lt(end))
        .order((cases::centre_id, cases::case_id))
        .select((cases::centre_id, cases::case_id, cases::version));
    let all = on_conn!(tx.conn()?, c => query.load::<(String, String, i64)>(c))?;
    let mut by_centre: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
    for (centre, case_id, version) in all {
        by_centre.entry(centre).or_default().push((case_id, version));
    }
    let mut taken = Vec::new();
    for (centre, cases) in by_centre {
        let some = sample::take(&draw.seed, draw.share, cases, |(case_id, _)| case_id);
        taken.extend(some.into_iter().map(|(case_id, version)| CaseRecord {
            centre_id: centre.clone(),
            verification_id: draw.verification_id.clone(),
            case_id,
            version,
            document: None,
            reentered_at: None,
            reentered_by: None,
        }));
    }
    Ok(taken)
}
