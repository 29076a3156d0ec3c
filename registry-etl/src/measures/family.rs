//! The tests of a run that are corrected together: Benjamini-Hochberg over all centres and measures.
//!
//! The family is every point, centre by measure, of a run's funnels that has a p-value, of measures of every kind other than
//! utilisation (they describe and judge nobody). A q-value depends on the p-value and the family only, so one measure can be
//! shown without the funnels of the others.

use super::funnels::{centres, network, result};
use super::placement::two_sided;
use crate::results::{AdherenceRow, AdherenceTable, Period};
use crate::statistics::{StatisticsError, benjamini_hochberg, funnel::tails};
use std::collections::HashMap;

/// The kind of measure outside the family.
const UTILISATION: &str = "utilisation";

/// The p-values of a run (as far as its table shows them) with their q-values.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// Ascending.
    members: Vec<(f64, f64)>,
}

impl Family {
    /// Of an (exact or disclosed) table with all measures of the run.
    ///
    /// # Errors
    /// [`StatisticsError`] when a count is none.
    pub fn of(table: &AdherenceTable) -> Result<Self, StatisticsError> {
        let mut by_measure: HashMap<&str, Vec<&AdherenceRow>> = HashMap::new();
        for row in table.rows.iter().filter(|r| r.period == Period::Last24Months) {
            by_measure.entry(&row.measure).or_default().push(row);
        }
        let mut p = Vec::new();
        for measure in table.measures.iter().filter(|m| Self::holds(&m.kind)) {
            let rows = by_measure.get(measure.id.as_str()).map_or(&[][..], Vec::as_slice);
            let Some(target) = network(rows).and_then(|r| r.rate) else {
                continue;
            };
            for (x, n) in centres(rows).filter_map(result) {
                p.push(two_sided(tails(x, n, target)?));
            }
        }
        p.sort_by(f64::total_cmp);
        let q = benjamini_hochberg(&p)?;
        Ok(Self {
            members: p.into_iter().zip(q).collect(),
        })
    }

    /// Whether measures of this kind are in the family.
    pub fn holds(kind: &str) -> bool {
        kind != UTILISATION
    }

    /// How many tests there are.
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// The q-value of a member's p-value; `None` for one that is not in the family.
    pub fn q(&self, p: f64) -> Option<f64> {
        let at = self.members.partition_point(|m| m.0 < p);
        self.members.get(at).filter(|m| m.0 == p).map(|m| m.1)
    }
}
