//! What must hold beyond the reference: delayed entry, weights, separation, refused input.

use registry_etl::statistics::survival::{
    CensoringTies, Columns, CoxModel, Groups, Rows, Ties, aalen_johansen, cox, fine_gray, gray_test,
    landmark, log_rank, pairwise_log_rank, restricted_mean_difference,
};
use registry_etl::statistics::{Band, StatisticsError as E, kaplan_meier};

/// A small cohort with ties, two causes, delayed entry and weights, without chance.
struct Cohort {
    exit: Vec<f64>,
    event: Vec<i64>,
    entry: Vec<f64>,
    weight: Vec<f64>,
    x: Vec<Vec<f64>>,
}

fn cohort(n: usize) -> Cohort {
    let mix = |i: usize, by: usize, m: usize| ((i * by + i * i * 7 + 3) % m) as f64;
    Cohort {
        exit: (0..n).map(|i| 2.0 + mix(i, 13, 17)).collect(),
        event: (0..n).map(|i| mix(i, 5, 11) as i64 % 3).collect(),
        entry: (0..n).map(|i| mix(i, 3, 4) / 2.0).collect(),
        weight: (0..n).map(|i| 0.5 + mix(i, 11, 5) / 4.0).collect(),
        x: (0..n)
            .map(|i| vec![mix(i, 7, 10) / 3.0, ((i / 3 + i * i) % 2) as f64])
            .collect(),
    }
}

impl Cohort {
    fn rows(&self, entry: bool, weight: bool) -> Rows {
        let columns = Columns {
            exit: &self.exit,
            event: &self.event,
            entry: entry.then_some(&self.entry),
            weight: weight.then_some(&self.weight),
        };
        Rows::new(columns, 2).expect("valid")
    }

    /// The same cohort with the weight of row `i` moved.
    fn moved(&self, i: usize, by: f64) -> Rows {
        let mut weight = self.weight.clone();
        weight[i] += by;
        let columns = Columns {
            exit: &self.exit,
            event: &self.event,
            entry: Some(&self.entry),
            weight: Some(&weight),
        };
        Rows::new(columns, 2).expect("valid")
    }
}

const H: f64 = 1e-4;

fn close(what: &str, got: f64, want: f64, relative: f64) {
    assert!(
        (got - want).abs() <= relative * want.abs().max(1e-9),
        "{what}: {got} {want}"
    );
}

#[test]
fn the_jackknife_of_aalen_johansen_is_the_derivative_by_weight() {
    let c = cohort(40);
    let incidence = |rows: &Rows| aalen_johansen(rows, 0.95, Band::LogLog).expect("valid");
    let got = incidence(&c.rows(true, true));
    let moved: Vec<_> = (0..40)
        .map(|i| (incidence(&c.moved(i, H)), incidence(&c.moved(i, -H))))
        .collect();
    for (s, step) in got.steps.iter().enumerate() {
        for cause in 0..2 {
            let influence =
                |(i, (up, down)): (usize, &(registry_etl::statistics::survival::Incidence, _))| {
                    let down: &registry_etl::statistics::survival::Incidence = down;
                    let slope = (up.steps[s].causes[cause].incidence - down.steps[s].causes[cause].incidence)
                        / (2.0 * H);
                    (c.weight[i] * slope).powi(2)
                };
            let want: f64 = moved.iter().enumerate().map(influence).sum();
            let what = format!("cause {cause} at {}", step.time);
            close(&what, step.causes[cause].std_err, want.sqrt(), 1e-5);
        }
    }
}

#[test]
fn one_cause_without_entry_is_kaplan_meier() {
    let c = cohort(60);
    let rows = c.rows(true, true).cause_specific(1).expect("a cause");
    let incidence = aalen_johansen(&rows, 0.95, Band::LogLog).expect("valid");
    let curve = kaplan_meier(&rows.subjects(), 0.95, Band::LogLog).expect("valid");
    for (a, b) in incidence.steps.iter().zip(&curve.steps) {
        close("incidence", a.causes[0].incidence, 1.0 - b.survival, 1e-12);
        close("at risk", a.at_risk, b.at_risk, 1e-12);
    }
}

fn model<'a>(rows: &'a Rows, x: &'a [Vec<f64>], ties: Ties) -> CoxModel<'a> {
    CoxModel {
        rows,
        covariates: x,
        strata: None,
        cluster: None,
        robust: false,
        ties,
        level: 0.95,
    }
}

#[test]
fn the_robust_variance_of_cox_is_the_derivative_by_weight() {
    // Breslow's score is a plain sum over rows, so its influence is exactly the derivative; Efron's is where no two
    // events tie.
    let mut c = cohort(40);
    for ties in [Ties::Breslow, Ties::Efron] {
        if ties == Ties::Efron {
            c.exit = (0..40).map(|i| 2.0 + ((i * 23) % 40) as f64).collect();
        }
        let fit = |rows: &Rows| cox(&model(rows, &c.x, ties)).expect("a fit").coefficients;
        let rows = c.rows(true, true);
        let robust = CoxModel {
            robust: true,
            ..model(&rows, &c.x, ties)
        };
        let got = cox(&robust).expect("a fit").robust_std_errors.expect("robust");
        let moved: Vec<_> = (0..40)
            .map(|i| (fit(&c.moved(i, H)), fit(&c.moved(i, -H))))
            .collect();
        for j in 0..2 {
            let square = |(i, (up, down)): (usize, &(Vec<f64>, Vec<f64>))| {
                (c.weight[i] * (up[j] - down[j]) / (2.0 * H)).powi(2)
            };
            let want: f64 = moved.iter().enumerate().map(square).sum();
            close(&format!("{ties:?} {j}"), got[j], want.sqrt(), 1e-4);
        }
    }
}

#[test]
fn splitting_rows_and_doubling_weights_change_nothing_else() {
    let c = cohort(40);
    let whole = cox(&model(&c.rows(false, false), &c.x, Ties::Efron)).expect("a fit");
    // Every row cut at 4.5 into two spans; the first part has no event.
    let (mut exit, mut event, mut entry, mut x) = (vec![], vec![], vec![], vec![]);
    for i in 0..40 {
        if c.exit[i] > 4.5 {
            exit.extend([4.5, c.exit[i]]);
            event.extend([0, c.event[i]]);
            entry.extend([0.0, 4.5]);
            x.extend([c.x[i].clone(), c.x[i].clone()]);
        } else {
            exit.push(c.exit[i]);
            event.push(c.event[i]);
            entry.push(0.0);
            x.push(c.x[i].clone());
        }
    }
    let columns = Columns {
        exit: &exit,
        event: &event,
        entry: Some(&entry),
        weight: None,
    };
    let split = cox(&model(&Rows::new(columns, 2).expect("valid"), &x, Ties::Efron)).expect("a fit");
    for j in 0..2 {
        close("split", split.coefficients[j], whole.coefficients[j], 1e-9);
        close("split error", split.std_errors[j], whole.std_errors[j], 1e-9);
    }
    // With Breslow's ties a weight of 2 is the row twice.
    let twice = |list: &[f64]| list.iter().flat_map(|v| [*v, *v]).collect::<Vec<_>>();
    let (exit, entry) = (twice(&c.exit), twice(&c.entry));
    let event: Vec<i64> = c.event.iter().flat_map(|e| [*e, *e]).collect();
    let x: Vec<Vec<f64>> = c.x.iter().flat_map(|r| [r.clone(), r.clone()]).collect();
    let two = vec![2.0; 40];
    let doubled = Columns {
        exit: &exit,
        event: &event,
        entry: Some(&entry),
        weight: None,
    };
    let weighted = Columns {
        exit: &c.exit,
        event: &c.event,
        entry: Some(&c.entry),
        weight: Some(&two),
    };
    let a = cox(&model(&Rows::new(doubled, 2).expect("valid"), &x, Ties::Breslow)).expect("a fit");
    let b = cox(&model(
        &Rows::new(weighted, 2).expect("valid"),
        &c.x,
        Ties::Breslow,
    ))
    .expect("a fit");
    for j in 0..2 {
        close("doubled", a.coefficients[j], b.coefficients[j], 1e-9);
        close("doubled error", a.std_errors[j], b.std_errors[j], 1e-9);
    }
    close(
        "concordance",
        a.concordance.expect("pairs").c,
        b.concordance.expect("pairs").c,
        1e-12,
    );
}

fn plain(exit: &[f64], event: &[i64]) -> Rows {
    let columns = Columns {
        exit,
        event,
        ..Columns::default()
    };
    Rows::new(columns, 2).expect("valid")
}

#[test]
fn separation_and_dependence_are_errors() {
    let exit: Vec<f64> = (1..=40).map(f64::from).collect();
    let event: Vec<i64> = (0..40).map(|i| i64::from(i % 3 != 0)).collect();
    let rows = plain(&exit, &event);
    let fit = |x: &[Vec<f64>], ties| cox(&model(&rows, x, ties)).err();
    for ties in [Ties::Efron, Ties::Breslow] {
        // Perfect order; one group without an event beside a harmless covariate; a group that dies first.
        let order: Vec<Vec<f64>> = exit.iter().map(|t| vec![-t]).collect();
        assert_eq!(fit(&order, ties), Some(E::Separation));
        let none: Vec<Vec<f64>> = (0..40)
            .map(|i| vec![f64::from(u8::from(event[i] == 0)), (i * 7 % 10) as f64])
            .collect();
        assert_eq!(fit(&none, ties), Some(E::Separation));
        // One subject out of order is enough for an estimate.
        let mut almost = order.clone();
        almost[35][0] = 0.0;
        assert_eq!(fit(&almost, ties), None);
        let sum: Vec<Vec<f64>> = (0..40)
            .map(|i| {
                let (a, b) = ((i * 7 % 10) as f64, (i * 3 % 8) as f64);
                vec![a, b, a + b]
            })
            .collect();
        assert_eq!(fit(&sum, ties), Some(E::Collinear));
        assert_eq!(fit(&vec![vec![3.0]; 40], ties), Some(E::Collinear));
    }
    // A covariate that is constant within every stratum.
    let labels: Vec<&str> = (0..40).map(|i| if i % 2 == 0 { "a" } else { "b" }).collect();
    let strata = Groups::of(&labels);
    let x: Vec<Vec<f64>> = (0..40).map(|i| vec![0.1 + (i % 2) as f64]).collect();
    let within = CoxModel {
        strata: Some(&strata),
        ..model(&rows, &x, Ties::Efron)
    };
    assert_eq!(cox(&within).err(), Some(E::Collinear));
    // The same for the subdistribution: who has the competing event stays at risk.
    let event: Vec<i64> = (0..40).map(|i| 1 + i64::from(i >= 20)).collect();
    let x: Vec<Vec<f64>> = (0..40).map(|i| vec![f64::from(u8::from(i < 20))]).collect();
    let got = fine_gray(&plain(&exit, &event), &x, 1, CensoringTies::EventsFirst, 0.95);
    assert_eq!(got.err(), Some(E::Separation));
}

#[test]
fn faults_name_their_row() {
    let rows = |exit: &[f64], event: &[i64], entry: Option<&[f64]>, weight: Option<&[f64]>| {
        let columns = Columns {
            exit,
            event,
            entry,
            weight,
        };
        Rows::new(columns, 2).err()
    };
    let time = |index, what| Some(E::Time { index, what });
    for bad in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(rows(&[1.0, 2.0, bad], &[0; 3], None, None), time(2, "exit"));
        assert_eq!(
            rows(&[1.0, 2.0], &[0; 2], Some(&[0.0, bad]), None),
            time(1, "entry")
        );
        assert_eq!(
            rows(&[1.0, 2.0], &[0; 2], None, Some(&[1.0, bad])),
            Some(E::Weight { index: 1 })
        );
    }
    assert_eq!(
        rows(&[1.0, 2.0], &[0; 2], None, Some(&[0.0, 1.0])),
        Some(E::Weight { index: 0 })
    );
    for code in [-1, 3] {
        let want = E::StateCode { index: 1, causes: 2 };
        assert_eq!(rows(&[1.0, 2.0], &[0, code], None, None), Some(want));
    }
    for entry in [2.0, 3.0, 2.0 - 1e-15] {
        let want = E::EntryNotBeforeExit { index: 1 };
        assert_eq!(rows(&[1.0, 2.0], &[0; 2], Some(&[0.0, entry]), None), Some(want));
    }
    assert!(matches!(
        rows(&[1.0], &[0], Some(&[]), None),
        Some(E::ColumnLength { what: "entries", .. })
    ));
    assert_eq!(rows(&[], &[], None, None), Some(E::Empty));

    let two = plain(&[1.0, 2.0, 3.0], &[1, 2, 0]);
    let (one, short) = (Groups::of(&["a", "a", "a"]), Groups::of(&["a", "b"]));
    assert_eq!(log_rank(&two, &one, None, 0.0).err(), Some(E::OneGroup));
    assert_eq!(pairwise_log_rank(&two, &one, None).err(), Some(E::OneGroup));
    assert!(matches!(
        log_rank(&two, &short, None, 0.0),
        Err(E::ColumnLength { .. })
    ));
    assert!(matches!(
        gray_test(&two, &short, 1, 0.0),
        Err(E::ColumnLength { .. })
    ));
    assert_eq!(gray_test(&two, &one, 3, 0.0).err(), Some(E::Cause { cause: 3 }));
    assert_eq!(
        Groups::declared(&["a", "a"], &["a", "b"]).err(),
        Some(E::EmptyGroup { group: 1 })
    );
    assert_eq!(
        Groups::declared(&["a", "c"], &["a"]).err(),
        Some(E::UnknownGroup { index: 1 })
    );
    let groups = Groups::of(&["a", "b", "b"]);
    let far = restricted_mean_difference(&two, &groups, 9.0, 0.95).err();
    assert_eq!(far, Some(E::HorizonBeyond));
    let nan = vec![vec![1.0], vec![f64::NAN], vec![2.0]];
    assert_eq!(
        cox(&model(&two, &nan, Ties::Efron)).err(),
        Some(E::Covariate { index: 1 })
    );
    let censored = plain(&[1.0, 2.0], &[0, 0]);
    let x = [vec![1.0], vec![2.0]];
    assert_eq!(cox(&model(&censored, &x, Ties::Efron)).err(), Some(E::NoEvent));
    assert_eq!(
        log_rank(&censored, &Groups::of(&["a", "b"]), None, 0.0).err(),
        Some(E::NoVariation)
    );
    assert_eq!(landmark(&two, &[None, None, None], 3.0).err(), Some(E::Empty));
    assert!(matches!(
        landmark(&two, &[Some(-1.0), None, None], 1.0),
        Err(E::Time { index: 0, .. })
    ));
}

#[test]
fn late_entry_is_refused_where_no_method_is_agreed() {
    let c = cohort(40);
    let late = c.rows(true, false);
    let labels: Vec<String> = c.x.iter().map(|r| r[1].to_string()).collect();
    let groups = Groups::of(&labels);
    let refused = |e: Option<E>| matches!(e, Some(E::DelayedEntryRefused { .. }));
    assert!(refused(gray_test(&late, &groups, 1, 0.0).err()));
    assert!(refused(
        fine_gray(&late, &c.x, 1, CensoringTies::EventsFirst, 0.95).err()
    ));
    let heavy = c.rows(false, true);
    let refused = |e: Option<E>| matches!(e, Some(E::WeightsRefused { .. }));
    assert!(refused(gray_test(&heavy, &groups, 1, 0.0).err()));
    assert!(refused(log_rank(&heavy, &groups, None, 0.0).err()));
    assert!(refused(
        fine_gray(&heavy, &c.x, 1, CensoringTies::EventsFirst, 0.95).err()
    ));
}

#[test]
fn a_long_way_from_zero_the_fit_is_the_same() {
    // Calendar years as a covariate, and a subject who outweighs everybody before he leaves the risk set.
    let c = cohort(60);
    let rows = c.rows(true, false);
    let near = cox(&model(&rows, &c.x, Ties::Efron)).expect("a fit");
    let shifted: Vec<Vec<f64>> = c.x.iter().map(|r| vec![r[0] + 2e6, 1e-6 * r[1]]).collect();
    let far = cox(&model(&rows, &shifted, Ties::Efron)).expect("a fit");
    close("shifted", far.coefficients[0], near.coefficients[0], 1e-6);
    close("scaled", far.coefficients[1] * 1e-6, near.coefficients[1], 1e-6);
}
