//! Every case of the survival reference is replayed: what each test reads adds up to the whole file.

use crate::cohort::file;
use std::collections::BTreeMap;

/// Method and number of cases, each asserted again where it is replayed.
const REPLAYED: [(&str, usize); 14] = [
    ("aalen_johansen", 30),
    ("cox_ph", 52),
    ("cox_ph_collinear", 1),
    ("cox_ph_nonconvergence", 1),
    ("fine_gray", 8),
    ("gray_test", 8),
    ("kaplan_meier", 111),
    ("kaplan_meier_error", 8),
    ("landmark", 3),
    ("logrank", 31),
    ("pairwise_logrank", 1),
    ("peto_peto", 1),
    ("reverse_km", 14),
    ("rmst_two_group", 8),
];

#[test]
fn every_method_of_the_file_is_one_that_is_replayed() {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    let all = file()["cases"].as_array().expect("cases");
    for case in all {
        *found
            .entry(case["method"].as_str().expect("a method"))
            .or_default() += 1;
    }
    assert_eq!(found.into_iter().collect::<Vec<_>>(), REPLAYED);
    assert_eq!(all.len(), 277);
    assert_eq!(REPLAYED.iter().map(|r| r.1).sum::<usize>(), 277);
}
