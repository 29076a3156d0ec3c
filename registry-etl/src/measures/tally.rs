//! Counts per measure and level, over columns.
//!
//! Units are first summed per case (so that patients can be counted and their units treated as a cluster), then per
//! level of a breakdown.

use super::columns::{CaseColumns, NONE};
use crate::results::{By, PatientBasis, Period};
use polars::prelude::*;
use registry_core::guideline::Outcome;
use std::collections::BTreeMap;

/// Outcome counts of one measure in one group of cases.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) numerator: u32,
    pub(crate) denominator: u32,
    pub(crate) excluded: u32,
    pub(crate) excepted: u32,
    pub(crate) not_in_denominator: u32,
    pub(crate) not_assessable: u32,
    pub(crate) patients: u32,
    pub(crate) patients_all_met: u32,
    pub(crate) basis: PatientBasis,
    /// Sums over patients of numerator squared, numerator times denominator, denominator squared.
    pub(crate) squares: [f64; 3],
    /// Reason, element ([`super::columns::NONE`] for none) and number of the not-assessable units.
    pub(crate) lacking: Vec<[u32; 3]>,
}

/// Measure position and level number.
pub(crate) type Key = (u32, u32);

/// One breakdown of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Breakdown {
    pub(crate) by: By,
    pub(crate) period: Period,
    /// Place among [`CaseColumns::levels`]; `None` for network and centre.
    pub(crate) levels: Option<usize>,
}

impl Breakdown {
    /// The family of tables of a run: network and centres over both periods, everything else over all cases.
    pub(crate) fn all(columns: &CaseColumns) -> Vec<Breakdown> {
        let whole = [By::Network, By::Centre].into_iter().flat_map(|by| {
            [Period::All, Period::Last24Months].map(|period| Breakdown {
                by,
                period,
                levels: None,
            })
        });
        let parts = columns.levels.iter().enumerate().map(|(at, levels)| Breakdown {
            by: levels.by,
            period: Period::All,
            levels: Some(at),
        });
        whole.chain(parts).collect()
    }

    fn level(self) -> Expr {
        match (self.by, self.levels) {
            (By::Centre, _) => col("centre"),
            (_, Some(at)) => col(level_column(at)),
            _ => col("network"),
        }
    }
}

fn level_column(at: usize) -> String {
    format!("level_{at}")
}

/// The unit columns joined to their cases, and the same summed per case and measure.
pub(crate) struct Frames {
    units: DataFrame,
    per_case: DataFrame,
}

const COUNTS: [&str; 6] = [
    "numerator",
    "denominator",
    "excluded",
    "excepted",
    "not_in_denominator",
    "not_assessable",
];

fn is_any(outcomes: &[Outcome]) -> Expr {
    outcomes
        .iter()
        .map(|o| col("outcome").eq(lit(*o as u32)))
        .reduce(Expr::or)
        .unwrap_or_else(|| lit(false))
        .cast(DataType::UInt32)
        .sum()
}

impl Frames {
    /// Builds the frames of a run.
    pub(crate) fn build(columns: &CaseColumns) -> PolarsResult<Self> {
        let case = |of: &dyn Fn(&super::columns::CaseRow) -> u32| -> Vec<u32> {
            columns
                .unit_case
                .iter()
                .filter_map(|c| columns.cases.get(*c as usize))
                .map(of)
                .collect()
        };
        let height = columns.unit_case.len();
        let units = DataFrame::new(
            height,
            vec![
                Column::new("case".into(), &columns.unit_case),
                Column::new("measure".into(), &columns.unit_measure),
                Column::new("outcome".into(), &columns.unit_outcome),
                Column::new("reason".into(), &columns.unit_reason),
                Column::new("element".into(), &columns.unit_element),
                Column::new("centre".into(), case(&|c| c.centre)),
                Column::new("network".into(), vec![0u32; height]),
                Column::new("recent".into(), case(&|c| u32::from(c.recent))),
            ]
            .into_iter()
            .chain((0..columns.levels.len()).map(|at| {
                let level = case(&|c| c.levels.get(at).copied().unwrap_or(NONE));
                Column::new(level_column(at).into(), level)
            }))
            .collect(),
        )?;
        let same = |name: &str| col(name).first();
        let levels: Vec<Expr> = (0..columns.levels.len())
            .map(|at| same(&level_column(at)))
            .collect();
        use Outcome::{Excepted, Excluded, Met, NotAssessable, NotInDenom, NotMet, NotUsed, Used};
        let per_case = units
            .clone()
            .lazy()
            .group_by([col("measure"), col("case")])
            .agg(
                [
                    is_any(&[Met, Used]).alias("numerator"),
                    is_any(&[Met, NotMet, Used, NotUsed]).alias("denominator"),
                    is_any(&[Excluded]).alias("excluded"),
                    is_any(&[Excepted]).alias("excepted"),
                    is_any(&[NotInDenom]).alias("not_in_denominator"),
                    is_any(&[NotAssessable]).alias("not_assessable"),
                    same("network"),
                    same("centre"),
                    same("recent"),
                ]
                .into_iter()
                .chain(levels)
                .collect::<Vec<Expr>>(),
            )
            .collect()?;
        Ok(Self { units, per_case })
    }

    /// Counts of a breakdown by measure and level. Levels without a unit are not there.
    pub(crate) fn tally(&self, breakdown: Breakdown) -> PolarsResult<BTreeMap<Key, Tally>> {
        let patients = |which: Expr| which.cast(DataType::UInt32).sum();
        let some = |name: &str| patients(col(name).gt(lit(0u32)));
        let square =
            |a: &str, b: &str| (col(a).cast(DataType::Float64) * col(b).cast(DataType::Float64)).sum();
        let mut aggregates: Vec<Expr> = COUNTS.iter().map(|name| col(*name).sum()).collect();
        aggregates.extend([
            some("denominator").alias("patients"),
            patients(
                col("denominator")
                    .gt(lit(0u32))
                    .and(col("numerator").eq(col("denominator"))),
            )
            .alias("patients_all_met"),
            some("numerator").alias("p_numerator"),
            patients(col("denominator").gt(col("numerator"))).alias("p_complement"),
            some("excluded").alias("p_excluded"),
            some("excepted").alias("p_excepted"),
            some("not_in_denominator").alias("p_not_in_denominator"),
            some("not_assessable").alias("p_not_assessable"),
            square("numerator", "numerator").alias("xx"),
            square("numerator", "denominator").alias("xn"),
            square("denominator", "denominator").alias("nn"),
        ]);
        let frame = within(self.per_case.clone().lazy(), breakdown.period)
            .group_by([col("measure"), breakdown.level().alias("level")])
            .agg(aggregates)
            .collect()?;
        let whole = |name: &str| -> PolarsResult<Vec<u32>> {
            let column = frame.column(name)?.cast(&DataType::UInt32)?;
            Ok(column.u32()?.iter().map(Option::unwrap_or_default).collect())
        };
        let real = |name: &str| -> PolarsResult<Vec<f64>> {
            Ok(frame
                .column(name)?
                .f64()?
                .iter()
                .map(Option::unwrap_or_default)
                .collect())
        };
        let (measure, level) = (whole("measure")?, whole("level")?);
        let counts = COUNTS.map(whole);
        let [numerator, denominator, excluded, excepted, not_in, not_assessable] = counts;
        let (numerator, denominator, excluded) = (numerator?, denominator?, excluded?);
        let (excepted, not_in, not_assessable) = (excepted?, not_in?, not_assessable?);
        let (patients, all_met) = (whole("patients")?, whole("patients_all_met")?);
        let (p_num, p_com, p_exc) = (
            whole("p_numerator")?,
            whole("p_complement")?,
            whole("p_excluded")?,
        );
        let (p_exp, p_not, p_na) = (
            whole("p_excepted")?,
            whole("p_not_in_denominator")?,
            whole("p_not_assessable")?,
        );
        let (xx, xn, nn) = (real("xx")?, real("xn")?, real("nn")?);
        let mut tallies: BTreeMap<Key, Tally> = (0..frame.height())
            .map(|i| {
                let tally = Tally {
                    numerator: numerator[i],
                    denominator: denominator[i],
                    excluded: excluded[i],
                    excepted: excepted[i],
                    not_in_denominator: not_in[i],
                    not_assessable: not_assessable[i],
                    patients: patients[i],
                    patients_all_met: all_met[i],
                    basis: PatientBasis {
                        numerator: p_num[i],
                        complement: p_com[i],
                        excluded: p_exc[i],
                        excepted: p_exp[i],
                        not_in_denominator: p_not[i],
                        not_assessable: p_na[i],
                    },
                    squares: [xx[i], xn[i], nn[i]],
                    lacking: Vec::new(),
                };
                ((measure[i], level[i]), tally)
            })
            .collect();
        for (key, lacking) in self.lacking(breakdown)? {
            if let Some(tally) = tallies.get_mut(&key) {
                tally.lacking = lacking;
            }
        }
        Ok(tallies)
    }

    /// Not-assessable units by reason and element number.
    fn lacking(&self, breakdown: Breakdown) -> PolarsResult<BTreeMap<Key, Vec<[u32; 3]>>> {
        let frame = within(self.units.clone().lazy(), breakdown.period)
            .filter(col("outcome").eq(lit(Outcome::NotAssessable as u32)))
            .group_by([
                col("measure"),
                breakdown.level().alias("level"),
                col("reason"),
                col("element"),
            ])
            .agg([col("case").count().cast(DataType::UInt32).alias("n")])
            .collect()?;
        let whole = |name: &str| -> PolarsResult<Vec<u32>> {
            Ok(frame
                .column(name)?
                .u32()?
                .iter()
                .map(Option::unwrap_or_default)
                .collect())
        };
        let (measure, level) = (whole("measure")?, whole("level")?);
        let (reason, element, n) = (whole("reason")?, whole("element")?, whole("n")?);
        let mut lacking: BTreeMap<Key, Vec<[u32; 3]>> = BTreeMap::new();
        for i in 0..frame.height() {
            lacking
                .entry((measure[i], level[i]))
                .or_default()
                .push([reason[i], element[i], n[i]]);
        }
        Ok(lacking)
    }
}

fn within(frame: LazyFrame, period: Period) -> LazyFrame {
    match period {
        Period::All => frame,
        Period::Last24Months => frame.filter(col("recent").eq(lit(1u32))),
    }
}
