//! No column of a release holds the days from metastatic diagnosis to a day that everybody knows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use registry_core::storage::CaseStatus;
use registry_core::synthetic::{self, CohortPlan};

use crate::registry::{Registry, as_of};
use crate::releases::{built, rows, unpacked};

/// Patients of whom a column may say so by chance: a contact or a treatment that fell on that day.
const FEW: usize = 3;

/// The manifest tells the cut-off. What lies so many days before it as a patient's diagnosis does, tells the day of the diagnosis.
#[test]
fn no_column_tells_how_long_before_the_cut_off_the_diagnosis_was() {
    let registry = Registry::with(0, 5);
    let plan = CohortPlan {
        cases: 220,
        ..registry.plan
    };
    let mut diagnosed: BTreeMap<String, NaiveDate> = BTreeMap::new();
    for index in 0..plan.cases {
        let case = synthetic::case(&plan, index);
        let date = case.body["presentation"][0]["date_detected"]
            .as_str()
            .and_then(|date| date.parse().ok());
        let put = registry
            .put(&case.centre_id, &case.pseudonym, case.body, CaseStatus::Submitted)
            .expect("stored");
        diagnosed.extend(date.map(|date| (put.case_id, date)));
    }
    // On the last day anything is known of, and long before it: then there are contacts and deaths after the cut-off.
    for back in [0, 400] {
        let cut_off = as_of() - Days::new(back);
        let run = registry.try_run(cut_off, |_| ()).expect("a run");
        let (built, bytes) = built(&registry, &run, 1);
        let files = unpacked(&bytes);
        let patients = rows(&files, "patient.csv");
        // The cases are in the order of their pseudonyms.
        assert_eq!(patients.len(), built.case_ids.len());
        let known: BTreeMap<&str, String> = patients
            .iter()
            .zip(&built.case_ids)
            .filter_map(|(row, case)| {
                let days = (cut_off - *diagnosed.get(case)?).num_days();
                Some((row["patient_id"].as_str(), days.to_string()))
            })
            .collect();
        assert!(known.len() > 60, "{}", known.len());
        let mut days = 0;
        for file in files.keys().filter(|name| name.ends_with(".csv")) {
            let mut telling: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for row in rows(&files, file) {
                let Some(told) = row.get("patient_id").and_then(|id| known.get(id.as_str())) else {
                    continue;
                };
                for (column, field) in &row {
                    days += usize::from(column.contains("_day") && !field.is_empty());
                    if field == told {
                        telling
                            .entry(column.clone())
                            .or_default()
                            .insert(row["patient_id"].clone());
                    }
                }
            }
            for (column, patients) in telling {
                assert!(patients.len() <= FEW, "{file} {column}: {}", patients.len());
            }
        }
        assert!(days > 5000, "{days}");
        let mut withheld = built.manifest.withheld.iter();
        let attested = withheld
            .find(|one| one.element == "complete_through")
            .expect("withheld");
        assert!(attested.reason.contains("calendar"), "{}", attested.reason);
    }
}
