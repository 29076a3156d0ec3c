//! Concordance of predicted risk and survival (Harrell's C), `O(n log n)`.
//!
//! Pairs within a stratum of a row with the event at `t` and a row at risk that outlives `t` (or is censored at `t`):
//! concordant when the first has the higher linear predictor, half when equal. The variance is the infinitesimal jackknife:
//! the derivative of C by a row's weight is `(its concordant pairs + half its ties - C its pairs) / all pairs`.
//! Sources: Harrell et al. 1982; Therneau, Watson 2015 (infinitesimal jackknife).

use super::design::Design;

/// Share of concordant pairs, 0.5 without discrimination.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Concordance {
    pub c: f64,
    pub std_err: f64,
    /// Comparable pairs (products of weights).
    pub pairs: f64,
}

/// Sums by rank (a binary indexed tree).
struct Ranks {
    tree: Vec<f64>,
    total: f64,
}

impl Ranks {
    fn new(n: usize) -> Self {
        Self {
            tree: vec![0.0; n + 1],
            total: 0.0,
        }
    }

    fn add(&mut self, rank: usize, weight: f64) {
        self.total += weight;
        let mut i = rank + 1;
        while i < self.tree.len() {
            self.tree[i] += weight;
            i += i & i.wrapping_neg();
        }
    }

    /// Sum over the ranks below `rank`.
    fn below(&self, rank: usize) -> f64 {
        let (mut i, mut sum) = (rank, 0.0);
        while i > 0 {
            sum += self.tree[i];
            i &= i - 1;
        }
        sum
    }

    /// Weight below, at and above `rank`.
    fn around(&self, rank: usize) -> [f64; 3] {
        let (below, through) = (self.below(rank), self.below(rank + 1));
        [below, through - below, self.total - through]
    }
}

/// `None` without a comparable pair. `cluster_of` takes the caller's position of a row.
pub(super) fn concordance(
    design: &Design,
    eta: &[f64],
    cluster_of: impl Fn(usize) -> usize,
    clusters: usize,
) -> Option<Concordance> {
    // Weight of each row's concordant, tied and discordant partners.
    let mut partners = vec![[0.0; 3]; eta.len()];
    for (stratum, range) in design.strata.iter().enumerate() {
        let mut values: Vec<f64> = eta[range.clone()].to_vec();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let rank = |i: usize| values.partition_point(|v| *v < eta[i]);
        let (width, leaving) = (values.len(), &design.leaving[stratum]);

        // From the last time down: whom does each event meet at risk?
        let mut at_risk = Ranks::new(width);
        let (mut next, mut left) = (range.start, 0);
        while next < range.end {
            let (time, first) = (design.exit[next], next);
            while next < range.end && design.exit[next] == time {
                next += 1;
            }
            for i in (first..next).filter(|i| !design.event[*i]) {
                at_risk.add(rank(i), design.weight[i]);
            }
            while left < leaving.len() && design.entry[leaving[left]] >= time {
                let i = leaving[left];
                at_risk.add(rank(i), -design.weight[i]);
                left += 1;
            }
            for i in (first..next).filter(|i| design.event[*i]) {
                let [below, tied, above] = at_risk.around(rank(i));
                partners[i] = [below, tied, above];
            }
            for i in (first..next).filter(|i| design.event[*i]) {
                at_risk.add(rank(i), design.weight[i]);
            }
        }

        // From the first time up: whose events does each row outlive? Those before its entry are taken off.
        let mut happened = Ranks::new(width);
        let (mut left, mut end) = (leaving.len(), range.end);
        while end > range.start {
            let time = design.exit[end - 1];
            while left > 0 && design.entry[leaving[left - 1]] < time {
                left -= 1;
                let i = leaving[left];
                meet(&mut partners[i], happened.around(rank(i)), -1.0);
            }
            let last = end;
            while end > range.start && design.exit[end - 1] == time {
                end -= 1;
            }
            for i in (end..last).filter(|i| design.event[*i]) {
                meet(&mut partners[i], happened.around(rank(i)), 1.0);
            }
            for i in (end..last).filter(|i| design.event[*i]) {
                happened.add(rank(i), design.weight[i]);
            }
            for i in (end..last).filter(|i| !design.event[*i]) {
                meet(&mut partners[i], happened.around(rank(i)), 1.0);
            }
        }
    }
    // Every pair is counted from both sides.
    let (mut agreeing, mut pairs) = (0.0, 0.0);
    for (i, [concordant, tied, discordant]) in partners.iter().enumerate() {
        agreeing += design.weight[i] * (concordant + tied / 2.0) / 2.0;
        pairs += design.weight[i] * (concordant + tied + discordant) / 2.0;
    }
    if pairs <= 0.0 {
        return None;
    }
    let c = agreeing / pairs;
    let mut sums = vec![0.0; clusters];
    for (i, [concordant, tied, discordant]) in partners.iter().enumerate() {
        let off = concordant + tied / 2.0 - c * (concordant + tied + discordant);
        sums[cluster_of(design.source[i])] += design.weight[i] * off / pairs;
    }
    Some(Concordance {
        c,
        std_err: sums.iter().map(|s| s * s).sum::<f64>().sqrt(),
        pairs,
    })
}

/// A survivor is concordant with the events of higher rank.
fn meet(partners: &mut [f64; 3], [below, tied, above]: [f64; 3], factor: f64) {
    partners[0] += factor * above;
    partners[1] += factor * tied;
    partners[2] += factor * below;
}
