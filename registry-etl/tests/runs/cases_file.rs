//! `cases.csv` and the twins of codes: they say what the other files of the release say.

use std::collections::{BTreeMap, BTreeSet};

use registry_core::storage::CaseStatus;
use registry_core::synthetic;

use crate::registry::Registry;
use crate::releases::{Rows, built, rows, unpacked};

fn by_patient(rows: &Rows) -> BTreeMap<&str, &BTreeMap<String, String>> {
    rows.iter().map(|row| (row["patient_id"].as_str(), row)).collect()
}

#[test]
fn every_code_has_its_words_beside_it() {
    let registry = Registry::with(30, 3);
    let files = unpacked(&built(&registry, &registry.run(), 1).1);
    let dictionary = rows(&files, "dictionary.csv");
    let labels: BTreeMap<(String, String), String> = rows(&files, "codelists.csv")
        .into_iter()
        .map(|line| {
            (
                (line["code_list"].clone(), line["code"].clone()),
                line["label"].clone(),
            )
        })
        .collect();
    let (mut columns, mut told) = (0, 0);
    for line in dictionary.iter().filter(|line| line["type"] == "code") {
        let (name, twin) = (&line["column"], format!("{}__label", line["column"]));
        let explained =
            |one: &&BTreeMap<String, String>| one["file"] == line["file"] && one["column"] == twin;
        let explained = dictionary.iter().find(explained);
        columns += 1;
        for row in rows(&files, &line["file"]) {
            let words = labels.get(&(line["code_list"].clone(), row[name].clone()));
            let known = row[name].is_empty() || words.is_some();
            assert!(known, "{} {name}: {} is not of its list", line["file"], row[name]);
            if explained.is_none() {
                continue;
            }
            assert_eq!(
                row[&twin],
                words.cloned().unwrap_or_default(),
                "{} {name}",
                line["file"]
            );
            told += usize::from(!row[&twin].is_empty() && row[&twin] != row[name]);
        }
        // Levels, outcomes and their reasons have their words in the list alone.
        let Some(twin) = explained else {
            let plain = ["adherence_units.csv", "measures.csv"].contains(&line["file"].as_str());
            assert!(
                plain || line["file"].starts_with("survival_"),
                "{} {name}",
                line["file"]
            );
            continue;
        };
        assert_eq!(
            (twin["type"].as_str(), &twin["code_list"]),
            ("text", &line["code_list"])
        );
    }
    assert!(columns > 80 && told > 500, "{columns} {told}");
    // Event codes are numbers, of a list and with their words.
    let of_events = dictionary
        .iter()
        .find(|line| line["file"] == "survival_s1.csv" && line["column"] == "event");
    let list = of_events.expect("there")["code_list"].clone();
    let mut events = 0;
    for row in rows(&files, "survival_s1.csv") {
        let words = labels.get(&(list.clone(), row["event"].clone()));
        assert_eq!(row["event__label"], words.cloned().unwrap_or_default());
        events += usize::from(words.is_some());
    }
    assert!(events > 0);
}

#[test]
fn a_case_has_one_row_that_agrees_with_the_files_it_is_made_of() {
    let registry = Registry::with(80, 4);
    // One says neither that a scan was done nor that none was.
    let mut silent = (0..80)
        .map(|index| synthetic::case(&registry.plan, index))
        .find(|case| case.body["consent"]["research_reuse"] == true)
        .expect("one");
    for section in ["section_attestation", "imaging"] {
        silent.body.as_object_mut().expect("a record").remove(section);
    }
    registry
        .put(
            &silent.centre_id,
            &silent.pseudonym,
            silent.body,
            CaseStatus::Submitted,
        )
        .expect("stored");
    let (built, bytes) = built(&registry, &registry.run(), 1);
    let files = unpacked(&bytes);
    let cases = rows(&files, "cases.csv");
    assert_eq!(cases.len() as u64, built.manifest.cases);
    let patients = rows(&files, "patient.csv");
    let (patients, s1) = (by_patient(&patients), rows(&files, "survival_s1.csv"));
    let s1 = by_patient(&s1);
    let of = |file: &str| rows(&files, file);
    let (locals, lines, scans) = (of("local_treatment.csv"), of("systemic.csv"), of("imaging.csv"));
    let (primaries, presentations) = (of("primary.csv"), of("presentation.csv"));
    let attested = of("section_attestation.csv");
    let (mut zeros, mut unknown, mut deaths) = (0, 0, 0);
    for case in &cases {
        let id = case["patient_id"].as_str();
        let mine = |rows: &Rows, is: &dyn Fn(&BTreeMap<String, String>) -> bool| {
            rows.iter()
                .filter(|row| row["patient_id"] == id && is(row))
                .count()
        };
        assert_eq!(case["centre"], patients[id]["centre"]);
        // Overall survival is that of S1.
        for (column, of_s1) in [
            ("os_analysed", "analysed"),
            ("os_left_out", "left_out"),
            ("os_entry_days", "entry_days"),
            ("os_exit_days", "exit_days"),
            ("os_months", "os_months"),
            ("os_event", "os_event"),
            ("os_lost", "lost"),
        ] {
            assert_eq!(case[column], s1[id][of_s1], "{column}");
        }
        deaths += usize::from(case["os_event"] == "TRUE");
        // Where a row of S1 has a level, it is the case's.
        if case["os_analysed"] == "TRUE" {
            let level = |stratum: &str| match s1[id][stratum].as_str() {
                "not_recorded" => "",
                level => level,
            };
            assert_eq!(case["disease_free_interval"], level("dfi"));
            assert_eq!(case["site"], level("organ"));
        }
        // The primary's and presentation 1's elements as recorded.
        let primary = primaries.iter().find(|row| row["patient_id"] == id).expect("one");
        for column in [
            "histology_code",
            "histology_code__label",
            "fnclcc_grade",
            "fnclcc_grade__absent",
            "size_mm",
        ] {
            assert_eq!(case[column], primary[column], "{column}");
        }
        let first = presentations
            .iter()
            .find(|row| row["patient_id"] == id && row["seq"] == "1");
        let first = first.expect("presentation 1");
        for column in [
            "timing",
            "disease_pattern",
            "disease_pattern__label",
            "resectability",
            "total_lesion_count",
        ] {
            assert_eq!(case[column], first[column], "{column}");
        }
        // Rows are counted; none is 0 where the section says so, and otherwise unknown.
        let counts = [
            (
                "metastasectomies",
                "local_treatment",
                mine(&locals, &|row| row["modality"] == "metastasectomy"),
            ),
            (
                "systemic_lines",
                "systemic",
                mine(&lines, &|row| row["setting"] == "metastatic"),
            ),
            ("imaging_studies", "imaging", mine(&scans, &|_| true)),
        ];
        for (column, section, count) in counts {
            let says = |of: &str| -> BTreeSet<&str> {
                let rows = attested
                    .iter()
                    .filter(|row| row["patient_id"] == id && row["section"] == of);
                rows.map(|row| row["status"].as_str()).collect()
            };
            let own = says(section);
            let closed = match own.is_empty() {
                true => says("all").contains("complete_through"),
                false => own.contains("complete_through") || own.contains("none_ever"),
            };
            let expected = match count {
                0 if !closed => String::new(),
                count => count.to_string(),
            };
            assert_eq!(case[column], expected, "{column}");
            zeros += usize::from(expected == "0");
            unknown += usize::from(expected.is_empty());
        }
    }
    assert!(
        zeros > 5 && unknown > 0 && deaths > 5,
        "{zeros} {unknown} {deaths}"
    );
    // Who the patient is comes with an approved request only; everything else may be in every release.
    let columns = &built
        .manifest
        .files
        .iter()
        .find(|file| file.name == "cases.csv")
        .expect("there")
        .columns;
    assert!(
        !columns
            .iter()
            .any(|column| column.starts_with("sex") || column.starts_with("age_"))
    );
    assert!(!built.manifest.withheld.iter().any(|one| one.entity == "cases"));
}
