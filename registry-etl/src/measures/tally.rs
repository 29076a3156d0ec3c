//! Counts per measure and level, over columns.
//!
//! The units of a case are summed first (so that patients can be counted and their units treated as a cluster), then the
//! cases of each level of a breakdown.

use super::columns::{CLASSES, CaseColumns, CaseRow};
use super::rows::{COUNTS, Frames};
use crate::results::{By, PatientBasis, Period};
use polars::prelude::*;
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

impl Tally {
    /// Counts `cases` cases whose one unit came out in `class` (of [`COUNTS`]).
    fn add_single_units(&mut self, class: u32, cases: u32) {
        let basis = &mut self.basis;
        let (units, patients) = match class {
            0 => (&mut self.numerator, &mut basis.numerator),
            1 => (&mut self.denominator, &mut basis.complement),
            2 => (&mut self.excluded, &mut basis.excluded),
            3 => (&mut self.excepted, &mut basis.excepted),
            4 => (&mut self.not_in_denominator, &mut basis.not_in_denominator),
            _ => (&mut self.not_assessable, &mut basis.not_assessable),
        };
        *units += cases;
        *patients += cases;
        let counted = f64::from(cases);
        if class == 0 {
            self.denominator += cases;
            self.patients_all_met += cases;
            self.squares[0] += counted;
            self.squares[1] += counted;
        }
        if class <= 1 {
            self.patients += cases;
            self.squares[2] += counted;
        }
    }

    /// Counts the patients of `other` as well.
    fn add(&mut self, other: &Tally) {
        let (basis, more) = (&mut self.basis, &other.basis);
        for (sum, n) in [
            (&mut self.numerator, other.numerator),
            (&mut self.denominator, other.denominator),
            (&mut self.excluded, other.excluded),
            (&mut self.excepted, other.excepted),
            (&mut self.not_in_denominator, other.not_in_denominator),
            (&mut self.not_assessable, other.not_assessable),
            (&mut self.patients, other.patients),
            (&mut self.patients_all_met, other.patients_all_met),
            (&mut basis.numerator, more.numerator),
            (&mut basis.complement, more.complement),
            (&mut basis.excluded, more.excluded),
            (&mut basis.excepted, more.excepted),
            (&mut basis.not_in_denominator, more.not_in_denominator),
            (&mut basis.not_assessable, more.not_assessable),
        ] {
            *sum += n;
        }
        for (sum, n) in basis.shared.iter_mut().zip(more.shared) {
            *sum += n;
        }
        for (sum, square) in self.squares.iter_mut().zip(other.squares) {
            *sum += square;
        }
    }
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
    pub(super) fn is_of_centres(self) -> bool {
        matches!(self.by, By::Centre | By::VolumeTertile)
    }

    /// The level of what counts for a centre, where levels are made of centres.
    pub(super) fn level_of_centre(self, columns: &CaseColumns, centre: u32) -> u32 {
        match self.by {
            By::VolumeTertile => columns.third(centre),
            _ => centre,
        }
    }

    /// The level of every case, and how many levels there are.
    pub(super) fn levels_of(self, columns: &CaseColumns) -> (Vec<u32>, u32) {
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

impl Frames<'_> {
    /// Counts of a breakdown by measure and level. Levels without a unit are not there.
    pub(crate) fn tally(&self, breakdown: Breakdown) -> PolarsResult<BTreeMap<Key, Tally>> {
        let mut tallies = self.single_units(breakdown)?;
        for (key, tally) in self.several_units(breakdown)? {
            tallies.entry(key).or_default().add(&tally);
        }
        for (key, lacking) in self.lacking(breakdown)? {
            if let Some(tally) = tallies.get_mut(&key) {
                tally.lacking = lacking;
            }
        }
        Ok(tallies)
    }

    /// Counts of the cases with one unit.
    fn single_units(&self, breakdown: Breakdown) -> PolarsResult<BTreeMap<Key, Tally>> {
        let (rows, levels) = self.keyed(self.single_by(breakdown), breakdown)?;
        let classes = CLASSES as u32;
        let frame = rows
            .with_column((col("key") * lit(classes) + col("class")).alias("key"))
            .group_by([col("key")])
            .agg([len().cast(DataType::UInt32).alias("n")])
            .collect()?;
        let mut tallies: BTreeMap<Key, Tally> = BTreeMap::new();
        for (key, cases) in u32s(&frame, "key")?.into_iter().zip(u32s(&frame, "n")?) {
            let (place, class) = (key / classes, key % classes);
            let tally = tallies.entry((place / levels, place % levels)).or_default();
            tally.add_single_units(class, cases);
        }
        Ok(tallies)
    }

    /// Counts of the cases with several units.
    fn several_units(&self, breakdown: Breakdown) -> PolarsResult<BTreeMap<Key, Tally>> {
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
        let (rows, levels) = self.keyed(self.several_by(breakdown)?, breakdown)?;
        let aggregates: Vec<Expr> = COUNTS.iter().chain(&SUMS).map(|name| col(*name).sum()).collect();
        let frame = rows.group_by([col("key")]).agg(aggregates).collect()?;
        let whole = |name: &str| u32s(&frame, name);
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
        Ok((0..frame.height())
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
            .collect())
    }

    /// Not-assessable units by reason and element number.
    fn lacking(&self, breakdown: Breakdown) -> PolarsResult<BTreeMap<Key, Vec<[u32; 3]>>> {
        let (rows, levels) = self.keyed(self.lacking_by(breakdown), breakdown)?;
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
        let n = u32s(&frame, "n")?;
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

fn u32s(frame: &DataFrame, name: &str) -> PolarsResult<Vec<u32>> {
    let column = frame.column(name)?.cast(&DataType::UInt32)?;
    Ok(column.u32()?.iter().map(Option::unwrap_or_default).collect())
}

/// One half of what rows pack.
fn unpacked(number: u64) -> u32 {
    ((number & 0xffff) as u32).wrapping_sub(1)
}
