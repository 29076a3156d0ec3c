//! Rows that polars counts over: cases by measure, and units that are not assessable.
//!
//! Most cases have one unit of a measure: of those its outcome says everything. The others have a row of sums. A case that was transferred
//! is several by centre: its units at one level are summed there.

use super::columns::{CLASSES, CaseColumns, Sums};
use super::tally::Breakdown;
use crate::results::Period;
use polars::prelude::*;
use registry_core::guideline::Outcome;
use std::collections::{BTreeMap, HashSet};

/// What is counted over: one row per case and measure, and one per unit that is not assessable.
pub(crate) struct Frames<'a> {
    columns: &'a CaseColumns,
    /// Measure and class of outcome of the cases with one unit, transferred ones apart.
    single: DataFrame,
    single_case: Vec<u32>,
    /// All others.
    several: Sums,
    several_frame: DataFrame,
    lacking: DataFrame,
    /// Case and centre of each row of `lacking`.
    lacking_case: Vec<u32>,
    lacking_centre: Vec<u32>,
}

/// Rows with their case and their level.
pub(super) struct Rows {
    frame: DataFrame,
    cases: Vec<u32>,
    level: Vec<u32>,
    levels: u32,
}

/// Columns of [`Sums`], by class of outcome.
pub(super) const COUNTS: [&str; CLASSES] = [
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
        let split: HashSet<u32> = columns.split.keys().map(|(case, ..)| *case).collect();
        let (mut several, mut single) = (Sums::default(), [Vec::new(), Vec::new(), Vec::new()]);
        let sums = &columns.sums;
        for (row, (case, measure)) in sums.case.iter().zip(&sums.measure).enumerate() {
            let counts: [u32; CLASSES] = std::array::from_fn(|class| sums.counts[class][row]);
            match counts.iter().position(|count| *count == 1) {
                Some(class) if counts.iter().sum::<u32>() == 1 && !split.contains(case) => {
                    for (column, value) in single.iter_mut().zip([*case, *measure, class as u32]) {
                        column.push(value);
                    }
                }
                _ => several.push(*case, *measure, counts),
            }
        }
        let [single_case, measure, class] = single;
        let single = vec![
            Column::new("measure".into(), measure),
            Column::new("class".into(), class),
        ];
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
            single: DataFrame::new(single_case.len(), single)?,
            single_case,
            several_frame: frame_of(&several, &[])?,
            several,
            lacking,
            lacking_case: of(&columns.unit_case),
            lacking_centre: of(&columns.unit_centre),
        })
    }

    /// The cases with one unit, for a breakdown.
    pub(super) fn single_by(&self, breakdown: Breakdown) -> Rows {
        let (of_case, levels) = breakdown.levels_of(self.columns);
        Rows {
            frame: self.single.clone(),
            level: self
                .single_case
                .iter()
                .map(|case| of_case[*case as usize])
                .collect(),
            cases: self.single_case.clone(),
            levels,
        }
    }

    /// The sums of the other cases.
    pub(super) fn several_by(&self, breakdown: Breakdown) -> PolarsResult<Rows> {
        let (of_case, levels) = breakdown.levels_of(self.columns);
        let level = |case: &u32| of_case[*case as usize];
        if self.columns.split.is_empty() || !breakdown.is_of_centres() {
            let cases = self.several.case.clone();
            return Ok(Rows {
                frame: self.several_frame.clone(),
                level: cases.iter().map(level).collect(),
                cases,
                levels,
            });
        }
        let split: HashSet<u32> = self.columns.split.keys().map(|(case, ..)| *case).collect();
        let whole = &self.several;
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
    pub(super) fn lacking_by(&self, breakdown: Breakdown) -> Rows {
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

    /// The rows within the period and of the measures that are broken down, with the key of measure and level; and the number of levels.
    pub(super) fn keyed(&self, rows: Rows, breakdown: Breakdown) -> PolarsResult<(LazyFrame, u32)> {
        let Rows {
            mut frame,
            cases,
            level,
            levels,
        } = rows;
        frame.with_column(Column::new("level".into(), level))?;
        // One key, not two: grouping by several columns costs several times as much.
        let key = (col("measure") * lit(levels) + col("level")).alias("key");
        let frame = match breakdown.period {
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
        let of = breakdown.levels.and_then(|at| self.columns.levels.get(at));
        let frame = match of.and_then(|levels| levels.measures.as_ref()) {
            None => frame,
            Some(measures) => {
                let measures = lit(Series::new("".into(), measures)).implode(false);
                frame.filter(col("measure").is_in(measures, false))
            }
        };
        Ok((frame.with_column(key), levels))
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
