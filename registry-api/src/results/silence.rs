//! Who says too little to be judged: shares of units that cannot be assessed, by centre and over time, from what this viewer may see.

use std::collections::{BTreeMap, HashSet};

use registry_etl::disclosure::Audience;
use registry_etl::measures::engine::COMPOSITE;
use registry_etl::measures::{far_above, far_above_in};
use registry_etl::results::{By, MeasureHead, Period};

use super::{View, from_run};
use crate::problem::Problem;

/// A centre, as this viewer calls it.
pub struct SilentCentre {
    pub centre: String,
    /// Its cases in the run; `None` when not shown.
    pub cases: Option<u32>,
    /// Of its units, of all diagnoses and all measures together; `None` when not shown.
    pub share: Option<f64>,
    /// Few patients are behind it.
    pub hidden: bool,
    /// Measures in which more is missing than the upper 99.8 % limit around the network's share.
    pub above: u32,
    /// Measures in which it can be placed.
    pub placed: u32,
}

/// Units of a half-year.
pub struct SilentHalf {
    pub half_year: String,
    /// Those that cannot be assessed, and all that can or cannot, where every measure is shown to the viewer.
    pub units: Option<(u32, u32)>,
}

impl SilentHalf {
    pub fn share(&self) -> Option<f64> {
        let (missing, units) = self.units?;
        Some(f64::from(missing) / f64::from(units.max(1)))
    }
}

/// What cannot be assessed in a run.
pub struct Silence {
    /// Those that say least first.
    pub centres: Vec<SilentCentre>,
    /// Half-years of the metastatic diagnosis, of the network; without numbers where a measure is hidden.
    pub half_years: Vec<SilentHalf>,
    /// Every measure that has a funnel, in the order of the guideline.
    pub measures: Vec<MeasureHead>,
}

impl View<'_> {
    /// The shares of units that cannot be assessed.
    ///
    /// # Errors
    /// A run without this result.
    pub fn silence(&self) -> Result<Silence, Problem> {
        let table = self.stored_table()?;
        let stored = match self.audience {
            Audience::Centre(_) => None,
            _ => Some(self.reader().funnels(&self.audience).map_err(from_run)?),
        };
        let placed = match &stored {
            Some(funnels) => far_above_in(funnels),
            None => far_above(&table).map_err(Problem::internal)?,
        };
        let quality = self.reader().quality(&self.audience).map_err(from_run)?;
        let mut centres: Vec<SilentCentre> = quality
            .centres
            .iter()
            .map(|centre| {
                let (above, all) = placed.get(centre.centre.as_str()).copied().unwrap_or_default();
                SilentCentre {
                    centre: self.name_of(&centre.centre),
                    cases: centre.cases,
                    share: centre.not_assessable_share,
                    hidden: centre.suppressed.is_some(),
                    above,
                    placed: all,
                }
            })
            .collect();
        let said = |one: &SilentCentre| one.share.unwrap_or(-1.0);
        centres.sort_by(|a, b| {
            said(b)
                .total_cmp(&said(a))
                .then_with(|| (a.centre.len(), &a.centre).cmp(&(b.centre.len(), &b.centre)))
        });
        let measures = table.measures.iter().filter(|head| head.kind != COMPOSITE);
        let mut measures: Vec<MeasureHead> = measures.cloned().collect();
        self.say_unratified(&mut measures);
        let kept: HashSet<&str> = measures.iter().map(|head| head.id.as_str()).collect();
        // Without a measure that is hidden the others would say something else: then nothing is told of a half-year.
        let mut halves: BTreeMap<&str, Option<(u32, u32)>> = BTreeMap::new();
        for row in &table.rows {
            let wanted =
                row.by == By::HalfYear && row.period == Period::All && kept.contains(row.measure.as_str());
            if wanted {
                let half = halves.entry(&row.level).or_insert(Some((0, 0)));
                let counts = row.not_assessable.zip(row.denominator);
                *half = half
                    .zip(counts)
                    .map(|((of, all), (missing, assessed))| (of + missing, all + missing + assessed));
            }
        }
        let with_units = halves
            .into_iter()
            .filter(|(_, units)| units.is_none_or(|(_, all)| all > 0));
        Ok(Silence {
            half_years: with_units
                .map(|(half, units)| SilentHalf {
                    half_year: half.to_owned(),
                    units,
                })
                .collect(),
            centres,
            measures,
        })
    }
}
