//! Counts per measure and level, over columns.
//!
//! The units of a case are summed first (so that patients can be counted and their units treated as a cluster), then the
//! cases of each level of a breakdown. A case that was transferred is several by centre: its units at one level are summed there.

use super::columns::{CLASSES, CaseColumns, CaseRow, Sums};
use crate::results::{By, PatientBasis, Period};
use polars::prelude::*;
use registry_core::guideline::Outcome;
use std::collections::{BTreeMap, HashSet};

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

    /// Whether its levels are centres or made of centres.
    fn is_of_centres(self) -> bool {
        matches!(self.by, By::Centre | By::VolumeTertile)
    }

    /// The level of what counts for a centre, where levels are made of centres.
    fn level_of_centre(self, columns: &CaseColumns, centre: u32) -> u32 {
        match self.by {
            By::VolumeTertile => columns.third(centre),
            _ => centre,
        }
    }

    /// The level of every case, and how many levels there are.
    fn levels_of(self, columns: &CaseColumns) -> (Vec<u32>, u32) {
        let of = |level: &dyn Fn(&CaseRow) -> u32| columns.cases.iter().map(level).collect();
        match (self.by, self.levels) {
            (By::Centre, _) => (of(&|case| case.centre), columns.centres.all().len() as u32),
            (_, Some(at)) => (
                of(&|case| case.levels.get(at).copied().unwrap_or_default()),
                columns
                    .levels
                    .get(at)
                    .map_or(1, |levels| levels.names.all().len() as u32),
            ),
            _ => (vec![0; columns.cases.len()], 1),
        }
    }
}

/// What is counted over: one row per case and measure, and one per unit that is not assessable.
pub(crate) struct Frames<'a> {
    columns: &'a CaseColumns,
    sums: DataFrame,
    lacking: DataFrame,
    /// Case and centre of each row of `lacking`.
    lacking_case: Vec<u32>,
    lacking_centre: Vec<u32>,
}

/// Rows with their case and their level.
struct Rows {
    frame: DataFrame,
    cases: Vec<u32>,
    level: Vec<u32>,
    levels: u32,
}

const COUNTS: [&str; 6] = [
    "numerator",
    "complement",
    "excluded",
    "excepted",
    "not_in_denominator",
    "not_assessable",
];

impl<'a> Frames<'a> {
    /// Builds the frames of a run.
    pub(crate) fn build(columns: &'a CaseColumns) -> PolarsResult<Self> {
        let sums = frame_of(&columns.sums, &[])?;
        let lacks: Vec<usize> = (0..columns.unit_case.len())
            .filter(|unit| columns.unit_outcome[*unit] == Outcome::NotAssessable as u32)
            .collect();
        let of = |column: &[u32]| -> Vec<u32> { lacks.iter().map(|unit| column[*unit]).collect() };
        let what = |unit: &usize| packed(columns.unit_reason[*unit], columns.unit_element[*unit]);
        let lacking = DataFrame::new(
            lacks.len(),
            vec![
                Column::new("measure".into(), of(&columns.unit_measure)),
                Column::new("what".into(), lacks.iter().map(what).collect::<Vec<u64>>()),
            ],
        )?;
        Ok(Self {
            columns,
            sums,
            lacking,
            lacking_case: of(&columns.unit_case),
            lacking_centre: of(&columns.unit_centre),
        })
    }

    /// The sums of a breakdown.
    fn sums_by(&self, breakdown: Breakdown) -> PolarsResult<Rows> {
        let (of_case, levels) = breakdown.levels_of(self.columns);
        let level = |case: &u32| of_case[*case as usize];
        if self.columns.split.is_empty() || !breakdown.is_of_centres() {
            let cases = self.columns.sums.case.clone();
            return Ok(Rows {
                frame: self.sums.clone(),
                level: cases.iter().map(level).collect(),
                cases,
                levels,
            });
        }
        let split: HashSet<u32> = self.columns.split.keys().map(|(case, ..)| *case).collect();
        let whole = &self.columns.sums;
        let mut sums = Sums::default();
        let mut of_row = Vec::new();
        for row in (0..whole.case.len()).filter(|row| !split.contains(&whole.case[*row])) {
            let counts: [u32; CLASSES] = std::array::from_fn(|class| whole.counts[class][row]);
            sums.push(whole.case[row], whole.measure[row], counts);
            of_row.push(level(&whole.case[row]));
        }
        let mut shared: [Vec<u32>; 3] = std::array::from_fn(|_| vec![0; of_row.len()]);
        let mut parts: BTreeMap<(u32, u32), BTreeMap<u32, [u32; CLASSES]>> = BTreeMap::new();
        for ((case, measure, centre), counts) in &self.columns.split {
            let of_case = parts.entry((*case, *measure)).or_default();
            let level = breakdown.level_of_centre(self.columns, *centre);
            let sum = of_case.entry(level).or_default();
            sum.iter_mut().zip(counts).for_each(|(sum, more)| *sum += more);
        }
        for ((case, measure), of_case) in &parts {
            for (level, counts) in of_case {
                let others = of_case.iter().filter(|(other, _)| *other != level);
                let others: Vec<&[u32; CLASSES]> = others.map(|(_, counts)| counts).collect();
                for (column, shared) in shared.iter_mut().zip(shared_by(counts, &others)) {
                    column.push(shared);
                }
                sums.push(*case, *measure, *counts);
                of_row.push(*level);
            }
        }
        Ok(Rows {
            frame: frame_of(&sums, &shared)?,
            cases: sums.case,
            level: of_row,
            levels,
        })
    }

    /// The units of a breakdown that are not assessable.
    fn lacking_by(&self, breakdown: Breakdown) -> Rows {
        let (of_case, levels) = breakdown.levels_of(self.columns);
        let rows = self.lacking_case.iter().zip(&self.lacking_centre);
        let level = |(case, centre): (&u32, &u32)| match breakdown.is_of_centres() {
            true => breakdown.level_of_centre(self.columns, *centre),
            false => of_case[*case as usize],
        };
        Rows {
            frame: self.lacking.clone(),
            level: rows.map(level).collect(),
            cases: self.lacking_case.clone(),
            levels,
        }
    }

    /// The rows within the period, with the key of measure and level.
    fn keyed(&self, rows: Rows, period: Period) -> PolarsResult<(LazyFrame, u32)> {
        let Rows {
            mut frame,
            cases,
            level,
            levels,
        } = rows;
        frame.with_column(Column::new("level".into(), level))?;
        // One key, not two: grouping by several columns costs several times as much.
        let key = (col("measure") * lit(levels) + col("level")).alias("key");
        let frame = match period {
            Period::All => frame.lazy(),
            Period::Last24Months => {
                let recent: Vec<bool> = cases
                    .iter()
                    .map(|case| self.columns.cases[*case as usize].recent)
                    .collect();
                frame.with_column(Column::new("recent".into(), recent))?;
                frame.lazy().filter(col("recent"))
            }
        };
        Ok((frame.with_column(key), levels))
    }

    /// Counts of a breakdown by measure and level. Levels without a unit are not there.
    pub(crate) fn tally(&self, breakdown: Breakdown) -> PolarsResult<BTreeMap<Key, Tally>> {
        const SUMS: [&str; 15] = [
            "denominator",
            "patients",
            "patients_all_met",
            "p_numerator",
            "p_complement",
            "p_excluded",
            "p_excepted",
            "p_not_in_denominator",
            "p_not_assessable",
            "s_assessable",
            "s_not_assessable",
            "s_set_aside",
            "xx",
            "xn",
            "nn",
        ];
        let (rows, levels) = self.keyed(self.sums_by(breakdown)?, breakdown.period)?;
        let aggregates: Vec<Expr> = COUNTS.iter().chain(&SUMS).map(|name| col(*name).sum()).collect();
        let frame = rows.group_by([col("key")]).agg(aggregates).collect()?;
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
        let keys = whole("key")?;
        let (numerator, denominator) = (whole("numerator")?, whole("denominator")?);
        let (excluded, excepted) = (whole("excluded")?, whole("excepted")?);
        let (not_in, not_assessable) = (whole("not_in_denominator")?, whole("not_assessable")?);
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
        let shared = [
            whole("s_assessable")?,
            whole("s_not_assessable")?,
            whole("s_set_aside")?,
        ];
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
                        shared: std::array::from_fn(|kind| shared[kind][i]),
                    },
                    squares: [xx[i], xn[i], nn[i]],
                    lacking: Vec::new(),
                };
                ((keys[i] / levels, keys[i] % levels), tally)
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
        let (rows, levels) = self.keyed(self.lacking_by(breakdown), breakdown.period)?;
        let packed = col("key").cast(DataType::UInt64) * lit(1u64 << 32) + col("what");
        let frame = rows
            .with_column(packed.alias("packed"))
            .group_by([col("packed")])
            .agg([len().cast(DataType::UInt32).alias("n")])
            .collect()?;
        let packed = frame
            .column("packed")?
            .u64()?
            .iter()
            .map(Option::unwrap_or_default);
        let n = frame.column("n")?.u32()?.iter().map(Option::unwrap_or_default);
        let mut lacking: BTreeMap<Key, Vec<[u32; 3]>> = BTreeMap::new();
        for (packed, n) in packed.zip(n) {
            let key = (packed >> 32) as u32;
            lacking.entry((key / levels, key % levels)).or_default().push([
                unpacked(packed >> 16),
                unpacked(packed),
                n,
            ]);
        }
        Ok(lacking)
    }
}

/// Sums with what is counted of patients; `shared` by row, nothing without it.
fn frame_of(sums: &Sums, shared: &[Vec<u32>]) -> PolarsResult<DataFrame> {
    const SHARED: [&str; 3] = ["s_assessable", "s_not_assessable", "s_set_aside"];
    let mut frame = vec![Column::new("measure".into(), &sums.measure)];
    frame.extend(
        COUNTS
            .iter()
            .zip(&sums.counts)
            .map(|(name, column)| Column::new((*name).into(), column)),
    );
    for (kind, name) in SHARED.into_iter().enumerate() {
        frame.push(match shared.get(kind) {
            Some(column) => Column::new(name.into(), column),
            None => Column::new_scalar(name.into(), Scalar::from(0u32), sums.case.len()),
        });
    }
    let patients = |which: Expr| which.cast(DataType::UInt32);
    let some = |name: &str| patients(col(name).gt(lit(0u32)));
    let square = |a: &str, b: &str| col(a).cast(DataType::Float64) * col(b).cast(DataType::Float64);
    DataFrame::new(sums.case.len(), frame)?
        .lazy()
        .with_column((col("numerator") + col("complement")).alias("denominator"))
        .with_columns([
            some("denominator").alias("patients"),
            patients(
                col("denominator")
                    .gt(lit(0u32))
                    .and(col("complement").eq(lit(0u32))),
            )
            .alias("patients_all_met"),
            some("numerator").alias("p_numerator"),
            some("complement").alias("p_complement"),
            some("excluded").alias("p_excluded"),
            some("excepted").alias("p_excepted"),
            some("not_in_denominator").alias("p_not_in_denominator"),
            some("not_assessable").alias("p_not_assessable"),
            square("numerator", "numerator").alias("xx"),
            square("numerator", "denominator").alias("xn"),
            square("denominator", "denominator").alias("nn"),
        ])
        .collect()
}

/// Whether a patient with these units at one level has assessable ones, ones not assessable, ones set aside (how many ways) elsewhere too.
fn shared_by(here: &[u32; CLASSES], elsewhere: &[&[u32; CLASSES]]) -> [u32; 3] {
    let both = |of: &dyn Fn(&[u32; CLASSES]) -> u32| {
        u32::from(of(here) > 0 && elsewhere.iter().any(|other| of(other) > 0))
    };
    [
        both(&|counts| counts[0] + counts[1]),
        both(&|counts| counts[5]),
        (2..5).map(|class| both(&|counts| counts[class])).sum(),
    ]
}

/// Reason and element in the lower 32 bits of one number, 0 for none: there are far fewer than 65,535 of either.
fn packed(reason: u32, element: u32) -> u64 {
    u64::from(reason.wrapping_add(1)) << 16 | u64::from(element.wrapping_add(1))
}

fn unpacked(number: u64) -> u32 {
    ((number & 0xffff) as u32).wrapping_sub(1)
}
