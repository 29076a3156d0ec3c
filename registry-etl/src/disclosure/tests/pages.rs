use super::*;
use crate::measures;
use crate::results::CentreAccrual;

#[test]
fn overview_and_quality() {
    let columns = columns(&cases());
    let centres = registry_core::record::CentreTable::from_rows([]).unwrap();
    let exact = measures::overview(&run(), &window(), &columns, &centres);
    let shown = overview(&exact, &Audience::Committee, &Thresholds::default());
    let of =
        |o: &crate::results::Overview, c: &str| o.by_centre.iter().find(|a| a.centre == c).unwrap().cases;
    assert_eq!(
        (of(&shown, "C3"), of(&shown, "C4"), of(&shown, "C1"), shown.cases),
        (None, None, Some(40), Some(77))
    );
    let own = overview(&exact, &Audience::Centre("C3".into()), &Thresholds::default());
    assert_eq!((own.by_centre.len(), of(&own, "C3")), (1, Some(3)));
    let exact = measures::quality(&run(), &columns);
    let shown = quality(&exact, &Audience::Committee, &Thresholds::default());
    assert_eq!(
        shown.centres.iter().map(|c| c.cases).collect::<Vec<_>>(),
        [Some(40), Some(20), None, None]
    );
    assert!(
        shown.network.lacking.is_empty(),
        "two units lacking: too few to name"
    );
    let own = quality(&exact, &Audience::Centre("C3".into()), &Thresholds::default());
    assert_eq!(own.centres[0].cases, Some(3));
}

/// What all centres have of the last 24 months is known, from a measure that asks every patient: one hidden part would follow.
#[test]
fn a_hidden_number_of_recent_cases_does_not_follow_from_those_of_the_others() {
    let columns = columns(&cases());
    let centres = registry_core::record::CentreTable::from_rows([]).unwrap();
    let mut exact = measures::overview(&run(), &window(), &columns, &centres);
    exact.cases = Some(120);
    for (centre, (cases, recent)) in exact
        .by_centre
        .iter_mut()
        .zip([(40, 12), (20, 10), (30, 4), (30, 9)])
    {
        centre.cases = Some(cases);
        centre.cases_last_24_months = Some(recent);
        centre.registered_in_those_years = Some(recent);
    }
    let shown = overview(&exact, &Audience::Committee, &Thresholds::default());
    assert!(
        shown.by_centre.iter().all(|one| one.cases.is_some()),
        "{:?}",
        shown.by_centre
    );
    for of in [
        |one: &CentreAccrual| one.cases_last_24_months,
        |one: &CentreAccrual| one.registered_in_those_years,
    ] {
        let hidden = shown.by_centre.iter().filter(|one| of(one).is_none()).count();
        assert!((2..4).contains(&hidden), "{:?}", shown.by_centre);
        assert_eq!(of(&shown.by_centre[2]), None);
    }
}
