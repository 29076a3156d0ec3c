//! Events expected of rows and groups, by hand and as R 4.2.2, survival 3.5-3: `predict(coxph(..), type = "expected")`.

use registry_etl::statistics::survival::{CoxModel, Groups, Rows, Ties, cox, observed_expected};

fn close(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() < 1e-8, "{got} {want}");
    }
}

#[test]
fn by_hand() {
    // Two deaths a day, one of either kind: no effect. Efron, day 1: 1/4 + 1/3, for who dies 1/4 + 1/2 * 1/3; day 2: 1/2 + 1, for who
    // dies 1/2 + 1/2 * 1.
    let rows = Rows::entering(&[1.0, 1.0, 2.0, 2.0], &[1; 4], &[None; 4], 1).unwrap();
    let covariates: Vec<Vec<f64>> = [0.0, 1.0, 0.0, 1.0].map(|x| vec![x]).to_vec();
    let fitted = cox(&CoxModel::plain(&rows, &covariates, 0.95)).unwrap();
    assert!(fitted.coefficients[0].abs() < 1e-12);
    let (early, late) = (5.0 / 12.0, 7.0 / 12.0 + 1.0);
    close(&fitted.expected(), &[early, early, late, late]);
    let groups = Groups::of(&["early", "early", "late", "late"]);
    let found = observed_expected(&fitted, &rows, &groups).unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|one| (one.group.as_str(), one.rows, one.observed))
        .collect();
    assert_eq!(told, [("early", 2, 2), ("late", 2, 2)]);
    close(
        &found.iter().map(|one| one.expected).collect::<Vec<_>>(),
        &[5.0 / 6.0, 19.0 / 6.0],
    );
}

#[test]
fn delayed_entry_and_ties_as_in_r() {
    let late = [
        None,
        Some(2.0),
        None,
        Some(1.0),
        Some(3.0),
        None,
        Some(4.0),
        Some(2.0),
        None,
        Some(5.0),
    ];
    let exit = [4.0, 6.0, 6.0, 9.0, 8.0, 6.0, 10.0, 12.0, 3.0, 8.0];
    let event = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1];
    let x = [0.0, 1.0, 0.0, 1.0, 2.0, 1.0, 0.0, 2.0, 1.0, 0.0];
    let z = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0];
    let rows = Rows::entering(&exit, &event, &late, 1).unwrap();
    let both: Vec<Vec<f64>> = x.iter().zip(z).map(|(x, z)| vec![*x, z]).collect();
    let efron = cox(&CoxModel::plain(&rows, &both, 0.95)).unwrap();
    let want = [
        0.227_230_390_068_049,
        0.300_988_823_480_508,
        0.630_362_111_958_787,
        0.634_260_042_763_186,
        0.257_074_772_174_502,
        0.363_397_219_133_276,
        1.881_434_794_993_582,
        0.593_602_185_138_761,
        0.0,
        1.111_649_660_289_349,
    ];
    close(&efron.expected(), &want);
    assert!(
        (efron.expected().iter().sum::<f64>() - 6.0).abs() < 1e-12,
        "six events"
    );
    let breslow = CoxModel {
        ties: Ties::Breslow,
        ..CoxModel::plain(&rows, &both, 0.95)
    };
    let want = [
        0.240_855_780_552_996,
        0.332_814_596_948_988,
        0.674_482_282_359_993,
        0.627_444_947_149_632,
        0.309_604_629_587_332,
        0.332_814_596_948_988,
        1.822_094_642_709_353,
        0.543_858_299_891_020,
        0.0,
        1.116_030_223_851_697,
    ];
    close(&cox(&breslow).unwrap().expected(), &want);
    let alone: Vec<Vec<f64>> = x.iter().map(|x| vec![*x]).collect();
    let strata = Groups::of(&z.map(|z| z.to_string()));
    let stratified = CoxModel {
        strata: Some(&strata),
        ..CoxModel::plain(&rows, &alone, 0.95)
    };
    let want = [
        0.510_515_344_652_778,
        0.277_123_933_484_350,
        0.462_291_846_711_870,
        0.612_063_662_470_230,
        0.366_905_648_224_215,
        0.385_778_897_212_640,
        1.510_515_344_652_778,
        0.495_611_105_192_176,
        0.0,
        1.379_194_217_398_965,
    ];
    close(&cox(&stratified).unwrap().expected(), &want);
}
