//! A reader who adds and subtracts: tables of random cohorts must not let small counts be recovered.
use super::*;
use crate::results::{AdherenceRow, AdherenceTable};
use proptest::prelude::*;

pub(super) fn cohort() -> impl Strategy<Value = AdherenceTable> {
    let one = (0usize..6, 0usize..5, 0usize..3, 0usize..4);
    proptest::collection::vec(one, 0..150).prop_map(|cases| {
        let outcomes = [Met, Met, NotMet, NotAssessable, Excluded, NotInDenom];
        let cases: Vec<_> = cases
            .into_iter()
            .map(|(outcome, centre, period, histology)| {
                let centre = ["C1", "C2", "C3", "C4", "C5"][centre];
                let t0 = ["2020-03-01", "2025-03-01", "2025-09-01"][period];
                (
                    centre,
                    case(t0, ["lms", "ddlps", "ss", "ups"][histology], &[outcomes[outcome]]),
                )
            })
            .collect();
        table(&[head("1a", "patient")], &cases)
    })
}

/// What a total less its shown parts says about the assessable patients of the one part not shown.
fn remainder(shown: &AdherenceTable, by: By, period: Period) -> Option<u32> {
    let rows = || shown.rows.iter().filter(|r| r.by == by && r.period == period);
    let total = shown
        .rows
        .iter()
        .find(|r| r.by == By::Network && r.period == period)?
        .patients?;
    (rows().filter(|r| r.patients.is_none()).count() > 0)
        .then(|| total - rows().filter_map(|r| r.patients).sum::<u32>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn no_small_group_is_shown_or_left_over(exact in cohort(), public in any::<bool>()) {
        let (audience, threshold) = if public { (Audience::Public, 11) } else { (Audience::Committee, 5) };
        let shown = adherence(&exact, &audience, &Thresholds::default());
        for row in &shown.rows {
            prop_assert!(row.patients.is_none_or(|n| n == 0 || n >= threshold));
            prop_assert!(!public || row.patients.is_none_or(|n| n == 0 || row.numerator >= Some(threshold)));
            prop_assert!(row.suppressed.is_none() || (row.rate.is_none() && row.numerator.is_none()));
            for aside in [row.excluded, row.excepted, row.not_in_denominator] {
                prop_assert!(aside.is_none_or(|n| n == 0 || n >= threshold));
            }
        }
        for (by, period) in [
            (By::Centre, Period::All),
            (By::Centre, Period::Last24Months),
            (By::HalfYear, Period::All),
            (By::Year, Period::All),
            (By::Histology, Period::All),
            (By::VolumeTertile, Period::All),
        ] {
            let left = remainder(&shown, by, period);
            prop_assert!(left.is_none_or(|n| n >= threshold), "{by:?} {period:?} leaves {left:?}");
        }
        // A year less its half-years, a third of the centres less its centres (which are told apart by their volume).
        let of_third = |r: &AdherenceRow| {
            exact.centre_tertiles.get(&r.level).map_or("not_recorded", String::as_str).to_owned()
        };
        for whole in shown.rows.iter().filter(|r| r.period == Period::All) {
            let parts: Vec<&AdherenceRow> = shown
                .rows
                .iter()
                .filter(|r| r.period == Period::All)
                .filter(|r| match whole.by {
                    By::Year => r.by == By::HalfYear && r.level.starts_with(&whole.level),
                    By::VolumeTertile => r.by == By::Centre && of_third(r) == whole.level,
                    _ => false,
                })
                .collect();
            if let (Some(total), true) = (whole.patients, parts.iter().any(|r| r.patients.is_none())) {
                let left = total - parts.iter().filter_map(|r| r.patients).sum::<u32>();
                prop_assert!(left >= threshold, "{:?} {} leaves {left}", whole.by, whole.level);
            }
        }
        // All cases less the recent ones.
        for all in shown.rows.iter().filter(|r| r.period == Period::All) {
            let recent = shown.rows.iter().find(|r| {
                r.period == Period::Last24Months && r.by == all.by && r.level == all.level
            });
            let older = recent.and_then(|r| all.patients?.checked_sub(r.patients?));
            prop_assert!(older.is_none_or(|n| n == 0 || n >= threshold));
        }
    }

    #[test]
    fn a_funnel_says_nothing_of_a_hidden_centre(exact in cohort(), public in any::<bool>()) {
        let audience = if public { Audience::Public } else { Audience::Committee };
        let shown = adherence(&exact, &audience, &Thresholds::default());
        let funnels = crate::measures::funnels(&shown).unwrap();
        for funnel in &funnels.funnels {
            for point in funnel.points.iter().filter(|p| p.suppressed.is_some()) {
                prop_assert!(point.p.is_none() && point.q.is_none() && point.z.is_none());
                prop_assert!(point.z_adjusted.is_none() && point.limits_adjusted.is_none());
                prop_assert!(point.position.is_none() && point.position_adjusted.is_none());
            }
            for (point, row) in funnel.not_assessable_funnel.points.iter().zip(
                shown.rows.iter().filter(|r| r.by == By::Centre && r.period == Period::Last24Months),
            ) {
                prop_assert_eq!(&point.centre, &row.level);
                prop_assert!(row.suppressed.is_none() || point.denominator.is_none());
                prop_assert!(row.not_assessable.is_some() || point.numerator.is_none());
            }
        }
    }

    #[test]
    fn the_public_never_sees_what_the_committee_does_not(exact in cohort()) {
        let committee = adherence(&exact, &Audience::Committee, &Thresholds::default());
        let public = adherence(&exact, &Audience::Public, &Thresholds { public: 11, committee: 5 });
        for (wide, narrow) in committee.rows.iter().zip(&public.rows) {
            prop_assert!(narrow.suppressed.is_some() || wide.suppressed.is_none());
        }
    }
}
