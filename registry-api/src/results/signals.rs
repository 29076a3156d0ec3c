//! Centres far below the network: what the committee writes letters about.
//!
//! A signal is a centre of a measure whose rate lies below the 99.8 % limit around the network rate of the last 24 months, by the exact
//! binomial tail. A rate counts what was met or avoided, so below is the side to ask about; measures of utilisation judge nobody and are
//! left out. Everything is taken from the funnels this viewer may see.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use registry_core::storage::RunStatus;
use registry_etl::results::{AdherenceRow, By, FunnelPoint, Funnels, MeasureHead, Period, Position};
use registry_etl::runs::Reader;

use super::{Hidden, View, from_run};
use crate::problem::Problem;

/// Signals shown at most.
const MOST: usize = 10;

const UTILISATION: &str = "utilisation";

/// A centre of a measure outside the limits.
pub struct Signal {
    pub measure: MeasureHead,
    /// The network's rate.
    pub target: Option<f64>,
    /// The rows behind both, as this viewer may see them.
    pub network: Option<AdherenceRow>,
    pub own: Option<AdherenceRow>,
    /// The centre as this viewer calls it.
    pub centre: String,
    pub point: FunnelPoint,
    /// Published runs in a row, this one among them if it is published, in which the pair was a signal.
    pub runs: u32,
}

/// The first signals of a run, and how many there are.
pub struct Signals {
    pub shown: Vec<Signal>,
    pub total: usize,
    /// Of the centres of all measures: those that few patients are behind, signal or not.
    pub hidden: Hidden,
}

impl View<'_> {
    /// The signals, most certain first: those that stay outside when overdispersion is allowed for, then by q-value, then by distance.
    ///
    /// # Errors
    /// A run without this result.
    pub fn signals(&self) -> Result<Signals, Problem> {
        let funnels = self.reader().funnels(&self.audience).map_err(from_run)?;
        let table = self.stored_table()?;
        let heads: HashMap<&str, &MeasureHead> = table
            .measures
            .iter()
            .map(|head| (head.id.as_str(), head))
            .collect();
        let row = |measure: &str, by: By, level: &str| {
            let mut rows = table.rows.iter();
            let found = rows.find(|row| {
                (row.measure.as_str(), row.by, row.level.as_str()) == (measure, by, level)
                    && row.period == Period::Last24Months
            });
            found.cloned()
        };
        let mut found = outside(&funnels);
        found.retain(|(measure, _)| heads.get(*measure).is_some_and(|head| head.kind != UTILISATION));
        let total = found.len();
        found.truncate(MOST);
        let runs = self.in_a_row(&found)?;
        let target = |measure: &str| {
            let funnel = funnels.funnels.iter().find(|funnel| funnel.measure == measure);
            funnel.and_then(|funnel| funnel.target)
        };
        let shown = found
            .into_iter()
            .zip(runs)
            .filter_map(|((measure, point), runs)| {
                Some(Signal {
                    measure: (*heads.get(measure)?).clone(),
                    target: target(measure),
                    network: row(measure, By::Network, "all"),
                    own: row(measure, By::Centre, &point.centre),
                    centre: self.name_of(&point.centre),
                    point: point.clone(),
                    runs,
                })
            });
        let mut shown: Vec<Signal> = shown.collect();
        self.say_unratified(shown.iter_mut().map(|one| &mut one.measure));
        Ok(Signals {
            shown,
            total,
            hidden: Hidden::of_funnels(&funnels),
        })
    }

    /// For each pair, the published runs in a row that show it, this one first.
    fn in_a_row(&self, pairs: &[(&str, &FunnelPoint)]) -> Result<Vec<u32>, Problem> {
        let mut counts = vec![u32::from(self.run.published_at.is_some()); pairs.len()];
        let mut going: BTreeSet<usize> = (0..pairs.len()).collect();
        let mut earlier = self.state.store.list_runs(self.scope)?;
        earlier.retain(|run| {
            run.number < self.run.number && run.status == RunStatus::Finished && run.published_at.is_some()
        });
        earlier.sort_by_key(|run| std::cmp::Reverse(run.number));
        for run in &earlier {
            if going.is_empty() {
                break;
            }
            let reader = Reader::new(&self.state.store, self.scope, run);
            let funnels = reader.funnels(&self.audience).map_err(from_run)?;
            let then: BTreeSet<(&str, &str)> = outside(&funnels)
                .into_iter()
                .map(|(measure, point)| (measure, point.centre.as_str()))
                .collect();
            going.retain(|at| {
                let (measure, point) = pairs[*at];
                then.contains(&(measure, point.centre.as_str()))
            });
            for at in &going {
                counts[*at] += 1;
            }
        }
        Ok(counts)
    }
}

/// Every point below the 99.8 % limit with its measure, most certain first.
fn outside(funnels: &Funnels) -> Vec<(&str, &FunnelPoint)> {
    let points = funnels
        .funnels
        .iter()
        .flat_map(|funnel| funnel.points.iter().map(|point| (funnel.measure.as_str(), point)));
    let mut found: Vec<_> = points
        .filter(|(_, point)| point.position == Some(Position::Below998))
        .collect();
    found.sort_by(|(one, a), (other, b)| rank(a, b).then_with(|| (one, &a.centre).cmp(&(other, &b.centre))));
    found
}

fn rank(a: &FunnelPoint, b: &FunnelPoint) -> Ordering {
    let inside = |point: &FunnelPoint| point.position_adjusted != Some(Position::Below998);
    let q = |point: &FunnelPoint| point.q.unwrap_or(1.0);
    let z = |point: &FunnelPoint| point.z.unwrap_or(0.0);
    inside(a)
        .cmp(&inside(b))
        .then_with(|| q(a).total_cmp(&q(b)))
        .then_with(|| z(a).total_cmp(&z(b)))
}

#[cfg(test)]
mod tests {
    use registry_etl::results::{Funnel, NotAssessableFunnel, RateState, RunIdentity};

    use super::*;

    fn point(centre: &str, position: Position, adjusted: Option<Position>, q: f64) -> FunnelPoint {
        FunnelPoint {
            centre: centre.to_owned(),
            state: RateState::Rate,
            suppressed: None,
            numerator: Some(1),
            denominator: Some(20),
            patients: Some(20),
            not_assessable: Some(0),
            rate: Some(0.05),
            limits: None,
            position: Some(position),
            z: None,
            z_adjusted: None,
            limits_adjusted: None,
            position_adjusted: adjusted,
            p: Some(q),
            q: Some(q),
            as_of: None,
        }
    }

    #[test]
    fn what_is_far_below_is_found_and_what_outlasts_overdispersion_comes_first() {
        let points = vec![
            point("C01", Position::Below998, Some(Position::Below95), 0.0001),
            point("C02", Position::Below998, Some(Position::Below998), 0.002),
            point("C03", Position::Above998, Some(Position::Above998), 0.0001),
            point("C04", Position::Below95, Some(Position::Within), 0.04),
            point("C05", Position::Below998, Some(Position::Below998), 0.001),
        ];
        let funnels = Funnels {
            run: RunIdentity {
                run: 1,
                cut_off: "2026-06-30".to_owned(),
                schema_version: "1".to_owned(),
                guideline: "g".to_owned(),
                guideline_version: "1".to_owned(),
                engine_version: "1".to_owned(),
            },
            last_24_months_from: "2024-06-30".to_owned(),
            family: 5,
            funnels: vec![Funnel {
                measure: "1a".to_owned(),
                target: Some(0.8),
                phi: None,
                tau2: None,
                limits: Vec::new(),
                points,
                not_assessable_funnel: NotAssessableFunnel {
                    target: None,
                    limits: Vec::new(),
                    points: Vec::new(),
                },
            }],
        };
        let found: Vec<&str> = outside(&funnels)
            .into_iter()
            .map(|(_, point)| point.centre.as_str())
            .collect();
        assert_eq!(found, ["C05", "C02", "C01"]);
    }
}
