//! What counts for each centre by half-year of the metastatic diagnosis.

use std::collections::BTreeMap;

use registry_core::guideline::Outcome;

use super::columns::CaseColumns;
use crate::cohorts::NOT_RECORDED;
use crate::results::{By, CentreHalfYears, HalfYearCounts, MeasureHead, RunIdentity};

/// The half-years of every centre that anything counts for, by its id; `measures` as the adherence table has them.
pub fn half_years(
    run: &RunIdentity,
    measures: &[MeasureHead],
    columns: &CaseColumns,
) -> BTreeMap<String, CentreHalfYears> {
    let Some(at) = columns.levels.iter().position(|levels| levels.by == By::HalfYear) else {
        return BTreeMap::new();
    };
    let half_of: Vec<usize> = columns
        .cases
        .iter()
        .map(|case| case.levels[at] as usize)
        .collect();
    let names = columns.levels[at].names.all();
    // By centre, half-year and measure; the first two as the columns number them.
    let nothing = vec![None::<Vec<HalfYearCounts>>; names.len()];
    let mut counted = vec![nothing; columns.centres.all().len()];
    let units = columns.unit_case.iter().zip(&columns.unit_centre);
    let units = units.zip(columns.unit_measure.iter().zip(&columns.unit_outcome));
    for ((case, centre), (measure, outcome)) in units {
        let outcome = Outcome::ALL[*outcome as usize];
        let of_half = &mut counted[*centre as usize][half_of[*case as usize]];
        let counts = of_half.get_or_insert_with(|| vec![HalfYearCounts::default(); measures.len()]);
        let counts = &mut counts[*measure as usize];
        counts.numerator += u32::from(outcome.in_numerator());
        counts.denominator += u32::from(outcome.in_denominator());
        counts.not_assessable += u32::from(outcome == Outcome::NotAssessable);
    }
    let document = |of_centre: Vec<Option<Vec<HalfYearCounts>>>| {
        let halves = names.iter().zip(of_centre);
        let known = halves.filter(|(name, _)| *name != NOT_RECORDED);
        let by_half: BTreeMap<&String, _> = known.filter_map(|(name, of)| Some((name, of?))).collect();
        CentreHalfYears {
            run: run.clone(),
            measures: measures.iter().map(|measure| measure.id.clone()).collect(),
            counts: (0..measures.len())
                .map(|measure| by_half.values().map(|counts| counts[measure]).collect())
                .collect(),
            half_years: by_half.into_keys().cloned().collect(),
        }
    };
    let centres = columns.centres.all().iter().cloned();
    centres.zip(counted.into_iter().map(document)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Shares;
    use super::super::tests_support::{case, columns, head, run};
    use super::*;
    use crate::quality::QualityShare;
    use registry_core::guideline::Outcome::*;

    /// A has two cases in one half-year, one of them with all classes of outcomes, and one without a date; a unit of B's case was at A.
    #[test]
    fn each_unit_counts_in_its_half_year_for_its_centre() {
        let mut undated = case("2026-01-10", "lms", &[Met]);
        undated.facts.survival.origin = Default::default();
        let mut moved = case("2025-03-01", "lms", &[Met, NotMet]);
        moved.shares = Some(Shares {
            centres: vec!["A".to_owned(), "B".to_owned()],
            patient: 1,
            registered: 1,
            now: 1,
            since: vec![(739_400, 1)],
            units: vec![0, 1],
            quality: vec![QualityShare::default(); 2],
        });
        let every = [
            Met,
            NotMet,
            Used,
            NotUsed,
            NotAssessable,
            Excluded,
            Excepted,
            NotInDenom,
        ];
        let columns = columns(&[
            ("A", case("2026-01-10", "lms", &every)),
            ("A", case("2026-06-30", "lms", &[Met])),
            ("A", undated),
            ("B", moved),
        ]);
        let found = half_years(&run(), &[head("1", "patient"), head("2", "patient")], &columns);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["A", "B"]);
        let counts = |centre: &str, half: &str| <[u32; 3]>::from(found[centre].of("1", half));
        assert_eq!(found["A"].half_years, ["2025-H1", "2026-H1"]);
        assert_eq!(counts("A", "2026-H1"), [3, 5, 1]);
        assert_eq!(counts("A", "2025-H1"), [1, 1, 0]);
        assert_eq!(found["B"].half_years, ["2025-H1"]);
        assert_eq!(counts("B", "2025-H1"), [0, 1, 0]);
        // Another measure, another half-year, a measure nobody knows.
        assert_eq!(found["A"].of("2", "2026-H1"), HalfYearCounts::default());
        assert_eq!(counts("B", "2026-H1"), [0, 0, 0]);
        assert_eq!(found["A"].of("3", "2026-H1"), HalfYearCounts::default());
        // As it is stored.
        let text = serde_json::to_string(&found["B"]).unwrap();
        assert!(
            text.ends_with(
                r#""half_years":["2025-H1"],"measures":["1","2"],"counts":[[[0,1,0]],[[0,0,0]]]}"#
            ),
            "{text}"
        );
        assert_eq!(
            serde_json::from_str::<CentreHalfYears>(&text).unwrap(),
            found["B"]
        );
    }
}
