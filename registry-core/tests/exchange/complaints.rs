//! Bad files: every fault with file, line and column, and without the value.

use registry_core::exchange::{BundleReader, Complaint, Style};

use super::{current, layout};

fn files(parts: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    parts
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
        .collect()
}

fn refused(parts: &[(&str, &str)]) -> Vec<String> {
    let all = BundleReader::open(layout(Style::Bundle), &current(), files(parts)).err();
    shown(&all.expect("the bundle is refused"))
}

fn shown(all: &[Complaint]) -> Vec<String> {
    all.iter().map(|c| format!("{} {}", c.code, c.place)).collect()
}

const RECORD: (&str, &str) = ("record.csv", "patient_id\nP-1\n");

#[test]
fn structural_faults_refuse_the_bundle_all_at_once() {
    let mut found = refused(&[
        ("record.csv", "patient_id,colour\nP-1,red\n"),
        (
            "lesion.csv",
            "patient_id,row,lesion_id\nP-1,1,L1\nP-1,1,L2\nP-1,0,L3\nP-1,4\n,5,L5\n",
        ),
        ("imaging.csv", "patient_id;row;date\nP-1;1;2025-01-01\n"),
        ("mdt.csv", ""),
        ("trial.csv", "patient_id,outcome,outcome\n"),
        ("symptom.csv", "patient_id,type\n"),
        ("colour.csv", "patient_id\n"),
    ]);
    found.sort();
    assert_eq!(
        found,
        [
            "column_twice trial.csv, line 1, column 3 (outcome)",
            "missing_column symptom.csv, line 1 (row)",
            "no_header mdt.csv, line 1",
            "no_key lesion.csv, line 6, column 1 (patient_id)",
            "row_length lesion.csv, line 5, column 3 (lesion_id)",
            "row_number lesion.csv, line 4, column 2 (row)",
            "row_twice lesion.csv, line 3, column 2 (row)",
            "semicolons imaging.csv, line 1, column 1",
            "unknown_column record.csv, line 1, column 2 (colour)",
            "unknown_file colour.csv, line 1",
        ]
    );
}

#[test]
fn a_row_of_a_case_that_is_not_there_is_named() {
    let found = refused(&[
        RECORD,
        (
            "lesion.csv",
            "patient_id,row,lesion_id\r\nP-1,1,L1\r\nP-2,1,L1\r\n",
        ),
    ]);
    assert_eq!(found, ["unknown_case lesion.csv, line 3, column 1 (patient_id)"]);
    assert_eq!(
        refused(&[("lesion.csv", "patient_id,row\n")]),
        ["missing_file record.csv, line 1"]
    );
}

#[test]
fn a_file_in_latin_1_is_named_with_the_broken_place() {
    let mut parts = files(&[RECORD]);
    parts.push((
        "systemic.csv".to_owned(),
        b"patient_id,row,regimen\nP-1,1,ok\nP-1,2,caf\xe9\n".to_vec(),
    ));
    let all = BundleReader::open(layout(Style::Bundle), &current(), parts)
        .err()
        .unwrap();
    assert_eq!(shown(&all), ["not_utf8 systemic.csv, line 3, column 3"]);
}

#[test]
fn faults_of_cells_are_named_without_their_value_and_spoil_only_their_case() {
    let parts = files(&[
        ("record.csv", "patient_id,schema_version\nP-1,\nP-2,\nP-3,0.0.9\n"),
        (
            "patient.csv",
            "patient_id,birth_year,sex\nP-1,01961,SECRET\nP-2,1961,male\n",
        ),
        (
            "imaging.csv",
            "patient_id,row,date,date__absent,region___chest\nP-1,1,11.06.2025,,\nP-1,2,2025,unknown,\nP-1,3,,,SECRET\nP-1,4,,soon,\n",
        ),
        (
            "systemic.csv",
            "patient_id,row,regimen\nP-1,1,=SECRET()\nP-1,2,\"two\nlines\"\n",
        ),
    ]);
    let read: Vec<_> = BundleReader::open(layout(Style::Bundle), &current(), parts)
        .unwrap()
        .collect();
    let mut found = shown(&read[0].complaints);
    found.sort();
    assert_eq!(
        found,
        [
            "absence_not_accepted imaging.csv, line 5, column 4 (date__absent)",
            "code_not_in_list patient.csv, line 2, column 3 (sex)",
            "control_character systemic.csv, line 3, column 3 (regimen)",
            "formula systemic.csv, line 2, column 3 (regimen)",
            "not_a_date imaging.csv, line 2, column 3 (date)",
            "not_a_number patient.csv, line 2, column 2 (birth_year)",
            "not_true_or_false imaging.csv, line 4, column 5 (region___chest)",
            "value_and_absence imaging.csv, line 3, column 3 (date)",
        ]
    );
    assert!(read[0].complaints.iter().all(|c| !c.message.contains("SECRET")));
    assert_eq!(read[1].complaints, []);
    assert_eq!(shown(&read[2].complaints), ["unknown_version record.csv, line 4"]);
}

#[test]
fn a_findings_pointer_leads_back_to_its_cell() {
    let parts = files(&[
        RECORD,
        ("patient.csv", "patient_id,sex\nP-1,male\n"),
        (
            "lesion.csv",
            "patient_id,row,lesion_id,count\nP-1,2,L2,3\nP-1,1,L1,2\n",
        ),
    ]);
    let case = BundleReader::open(layout(Style::Bundle), &current(), parts)
        .unwrap()
        .next()
        .unwrap();
    let place = |pointer: &str| case.place(pointer).to_string();
    assert_eq!(place("/lesion/1/count"), "lesion.csv, line 2, column 4 (count)");
    assert_eq!(place("/lesion/0/site"), "lesion.csv, line 3");
    assert_eq!(place("/patient/sex"), "patient.csv, line 2, column 2 (sex)");
    assert_eq!(place("/presentation"), "record.csv, line 2");
}
