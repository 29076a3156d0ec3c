//! Findings that have another identity than the one they were kept under: what was said to them goes along.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::Formerly;
use super::rows::CaseRecord;
use crate::storage::StoreError;
use crate::storage::connection::on_conn;
use crate::storage::tables::{finding_answers, findings, queries};
use crate::storage::transaction::{Event, Tx};

/// Moves findings, answers and queries of a case to the identities of a new verdict, where there is no doubt which finding is meant.
/// `unchanged`: the verdict is on the document that is stored. Must come before anything asks what is answered.
pub(crate) fn carry(
    tx: &mut Tx<'_>,
    case: &CaseRecord,
    formerly: &[Formerly],
    unchanged: bool,
) -> Result<usize, StoreError> {
    if formerly.is_empty() {
        return Ok(0);
    }
    let mut known = last_fired(tx, case)?;
    let mut carried = 0;
    for moved in formerly {
        let fires = |identity: &String| known.get(identity) == Some(&Some(case.version));
        let doubtful = moved.unless.as_ref().is_some_and(fires) || (moved.only_unchanged && !unchanged);
        let Some(last) = known.get(&moved.before).copied() else {
            continue;
        };
        if doubtful || fires(&moved.identity) {
            continue;
        }
        if known.remove(&moved.identity).is_some() {
            // Another row had it before; what was said to that one is not said to this one.
            rename(
                tx,
                case,
                &moved.identity,
                &format!("{}.{}", moved.identity, case.version),
            )?;
        }
        rename(tx, case, &moved.before, &moved.identity)?;
        known.remove(&moved.before);
        known.insert(moved.identity.clone(), last);
        carried += 1;
    }
    if carried > 0 {
        tx.audit(
            Event::new("finding.carry")
                .case(&case.centre_id, &case.case_id)
                .versions(Some(case.version), Some(case.version))
                .detail("findings", carried),
        );
    }
    Ok(carried)
}

/// Every identity the case has had, and the last version that fires it; none of one that this version fired before it was judged again.
fn last_fired(tx: &mut Tx<'_>, case: &CaseRecord) -> Result<BTreeMap<String, Option<i64>>, StoreError> {
    let query = findings::table
        .filter(findings::centre_id.eq(&case.centre_id))
        .filter(findings::case_id.eq(&case.case_id))
        .select((findings::identity, findings::version, findings::dropped_seq));
    let rows = on_conn!(tx.conn()?, c => query.load::<(String, i64, Option<i64>)>(c))?;
    let mut known: BTreeMap<String, Option<i64>> = BTreeMap::new();
    for (identity, version, dropped) in rows {
        let last = known.entry(identity).or_default();
        *last = (*last).max(dropped.is_none().then_some(version));
    }
    Ok(known)
}

fn rename(tx: &mut Tx<'_>, case: &CaseRecord, from: &str, to: &str) -> Result<(), StoreError> {
    let (centre, case_id) = (&case.centre_id, &case.case_id);
    on_conn!(tx.conn()?, c => {
        let found = findings::table
            .filter(findings::centre_id.eq(centre))
            .filter(findings::case_id.eq(case_id))
            .filter(findings::identity.eq(from));
        diesel::update(found).set(findings::identity.eq(to)).execute(c)?;
        diesel::update(finding_answers::table.find((centre, case_id, from)))
            .set(finding_answers::identity.eq(to))
            .execute(c)?;
        let raised = queries::table
            .filter(queries::centre_id.eq(centre))
            .filter(queries::case_id.eq(case_id))
            .filter(queries::identity.eq(from));
        diesel::update(raised).set(queries::identity.eq(to)).execute(c)?;
    });
    Ok(())
}
