//! Observed and expected events of each group, from a Cox model without the group (indirect standardisation).
//!
//! `O_g` counts the events of the group, `E_g` sums what the model expects of each of its rows ([`Cox::expected`]: delayed entry
//! respected, Efron's or Breslow's baseline hazard as fitted). Over all groups `sum O = sum E`.
//! Sources: Breslow, Day 1987, chapter 2; Therneau, Grambsch 2000, section 7.2 (person-years and expected events).

use super::cox::Cox;
use super::input::{Groups, Rows, same_length};
use crate::statistics::StatisticsError;

/// One group.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedExpected {
    pub group: String,
    pub rows: u32,
    pub observed: u32,
    pub expected: f64,
}

/// Observed and expected events of `groups`, in the order of their labels; `rows` are those `fitted` was fitted to.
///
/// # Errors
/// Groups or rows not as many as the model has; case weights.
pub fn observed_expected(
    fitted: &Cox,
    rows: &Rows,
    groups: &Groups,
) -> Result<Vec<ObservedExpected>, StatisticsError> {
    groups.check(rows.len())?;
    rows.refuse_weights("a count of observed events")?;
    let expected = fitted.expected();
    same_length("rows of the model", expected.len(), rows.len())?;
    let mut found: Vec<ObservedExpected> = groups
        .labels()
        .iter()
        .map(|group| ObservedExpected {
            group: group.clone(),
            rows: 0,
            observed: 0,
            expected: 0.0,
        })
        .collect();
    for ((row, expected), group) in rows.as_slice().iter().zip(&expected).zip(groups.as_slice()) {
        let group = &mut found[*group];
        group.rows += 1;
        group.observed += u32::from(row.code > 0);
        group.expected += expected;
    }
    Ok(found)
}
