use super::*;
use crate::measures;

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
