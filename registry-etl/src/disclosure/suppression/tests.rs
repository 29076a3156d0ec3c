use super::*;
use proptest::prelude::*;

/// A total (cell 0) and its parts.
fn one_sum(parts: &[u32]) -> Family {
    let mut family = Family::default();
    let total = family.add(Cell::of(parts.iter().sum()));
    let parts = parts.iter().map(|p| family.add(Cell::of(*p))).collect();
    family.sums.push(Sum { total, parts });
    family
}

fn shown(family: &Family, threshold: u32) -> Vec<bool> {
    family.protect(threshold).iter().map(Option::is_none).collect()
}

#[test]
fn by_hand() {
    // 3 is small; alone it would be total less the rest, so the next smallest goes too.
    assert_eq!(
        shown(&one_sum(&[3, 20, 8, 30]), 5),
        [true, false, true, false, true]
    );
    // 2 and 2 are small and would together follow as 4 patients: 8 goes too.
    assert_eq!(
        shown(&one_sum(&[2, 2, 8, 30]), 5),
        [true, false, false, false, true]
    );
    // Nothing small, nothing hidden; zeros are shown.
    assert_eq!(shown(&one_sum(&[0, 5, 9]), 5), [true; 4]);
    // One part only: it is the total.
    assert_eq!(shown(&one_sum(&[4]), 5), [false, false]);
    assert_eq!(shown(&one_sum(&[4, 0, 0]), 5), [false, false, true, true]);
    let reasons = one_sum(&[3, 20, 8, 30]).protect(5);
    assert_eq!(
        (reasons[1], reasons[3]),
        (Some(Suppression::FewPatients), Some(Suppression::FewPatients))
    );
}

#[test]
fn a_small_difference_of_two_large_numbers_is_hidden() {
    // A centre with 40 cases, 38 of them recent: the two older ones would follow.
    let mut family = Family::default();
    let (all, recent, older) = (
        family.add(Cell::of(40)),
        family.add(Cell::of(38)),
        family.add(Cell::implied(2)),
    );
    family.sums.push(Sum {
        total: all,
        parts: vec![recent, older],
    });
    let got = family.protect(5);
    assert!(got[all].is_some() || got[recent].is_some());
    let mut large = family.clone();
    large.cells[older] = Cell::implied(10);
    large.cells[all] = Cell::of(48);
    assert_eq!((large.protect(5)[all], large.protect(5)[recent]), (None, None));
}

/// Centres by period and by total, as the adherence tables are.
fn crossed() -> impl Strategy<Value = Family> {
    proptest::collection::vec((0u32..15, 0u32..15), 1..9).prop_map(|centres| {
        let mut family = Family::default();
        let network = family.add(Cell::of(centres.iter().map(|c| c.0 + c.1).sum()));
        let network_recent = family.add(Cell::of(centres.iter().map(|c| c.0).sum()));
        let network_older = family.add(Cell::implied(centres.iter().map(|c| c.1).sum()));
        family.sums.push(Sum {
            total: network,
            parts: vec![network_recent, network_older],
        });
        let (mut all, mut recent) = (Vec::new(), Vec::new());
        for (r, o) in &centres {
            let (a, r, o) = (
                family.add(Cell::of(r + o)),
                family.add(Cell::of(*r)),
                family.add(Cell::implied(*o)),
            );
            family.sums.push(Sum {
                total: a,
                parts: vec![r, o],
            });
            all.push(a);
            recent.push(r);
        }
        family.sums.push(Sum {
            total: network,
            parts: all,
        });
        family.sums.push(Sum {
            total: network_recent,
            parts: recent,
        });
        family
    })
}

proptest! {
    #[test]
    fn nothing_small_is_shown_or_follows(family in crossed(), threshold in 1u32..12) {
        let hidden: Vec<bool> = family
            .protect(threshold)
            .iter()
            .zip(&family.cells)
            .map(|(h, c)| h.is_some() || c.implied)
            .collect();
        for (cell, hidden) in family.cells.iter().zip(&hidden) {
            prop_assert!(*hidden || cell.patients == 0 || cell.patients >= threshold);
        }
        prop_assert_eq!(family.determined(&hidden), Vec::<usize>::new());
        for sum in &family.sums {
            prop_assert!(family.safe(sum, threshold, &hidden));
        }
    }

    #[test]
    fn what_is_hidden_needs_nothing_more_hidden(family in crossed(), threshold in 1u32..12) {
        let once = family.protect(threshold);
        let hidden: Vec<usize> = (0..once.len()).filter(|at| once[*at].is_some()).collect();
        prop_assert_eq!(family.protect_besides(threshold, &hidden), once);
    }

    #[test]
    fn a_higher_threshold_never_shows_more(family in crossed(), threshold in 1u32..11) {
        let (low, high) = (shown(&family, threshold), shown(&family, threshold + 1));
        prop_assert!(low.iter().zip(&high).all(|(low, high)| *low || !*high));
    }
}
