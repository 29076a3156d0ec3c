//! REDCap's flat export reads back as what was written, and its data dictionary has every field of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use registry_core::exchange::{
    FlatCase, Mapping, RedcapFormat, RedcapReader, RedcapWriter, Style, redcap_dictionary,
};
use registry_core::form::Forms;
use registry_core::versions::SchemaStore;
use serde_json::{Value, json};

use super::{assert_same, awkward, cases, current, envelope, layout};

fn written(format: RedcapFormat, cases: &[Value]) -> Vec<u8> {
    let mut writer = RedcapWriter::begin(layout(Style::Redcap), format, Vec::new()).unwrap();
    for document in cases {
        let case = FlatCase {
            document,
            envelope: &envelope(),
            centre: "C01",
        };
        writer.add(case).unwrap();
    }
    writer.finish().unwrap()
}

fn open(format: RedcapFormat, bytes: Vec<u8>) -> Result<RedcapReader, Vec<String>> {
    RedcapReader::open(layout(Style::Redcap), &current(), format, None, "export", bytes)
        .map_err(|all| all.iter().map(|c| format!("{} {}", c.code, c.place)).collect())
}

#[test]
fn every_example_and_300_synthetic_cases_come_back_identical() {
    let mut sent = cases();
    sent.push(awkward());
    for format in [RedcapFormat::Csv, RedcapFormat::Json] {
        let reader = open(format, written(format, &sent)).unwrap();
        assert_eq!(reader.len(), sent.len());
        let mut read = 0;
        for (case, sent) in reader.zip(&sent) {
            assert_eq!(case.complaints, []);
            assert_same(&case.document, sent);
            read += 1;
        }
        assert_eq!(read, sent.len());
    }
}

/// Every item names a field of its own: a table of them would be 100 million cells.
#[test]
fn a_json_export_that_would_be_a_table_of_nothing_is_refused() {
    let items: Vec<Value> = (0..10_000).map(|n| json!({ format!("k{n}"): "" })).collect();
    let refused = open(RedcapFormat::Json, serde_json::to_vec(&items).unwrap()).err();
    assert_eq!(refused, Some(vec!["too_many_cells export, line 1".to_owned()]));
}

#[test]
fn the_data_dictionary_has_18_columns_and_every_field_of_the_export_once() {
    let store = SchemaStore::embedded().unwrap();
    let forms = Forms::of(&store).unwrap();
    for schema in store.case_schemas() {
        let text = redcap_dictionary(&schema.dictionary, &forms);
        let mut csv = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(csv.headers().unwrap().len(), 18);
        let rows: Vec<_> = csv.records().map(Result::unwrap).collect();
        assert_eq!(&rows[0][0], "record_id");
        let mut names = BTreeSet::new();
        for row in &rows {
            let name = &row[0];
            assert!(names.insert(name.to_owned()), "{name} twice");
            let fits = name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            assert!(fits && !name.contains("__") && name.len() <= 100, "{name}");
            let choices = ["dropdown", "checkbox"].contains(&&row[3]);
            assert_eq!(choices, !row[5].is_empty(), "choices of {name}");
        }
        let one = layout_of(&schema.dictionary);
        for section in &one.sections {
            for column in &section.columns {
                let field = column.name.split("___").next().unwrap();
                assert!(names.contains(field), "{field} is in the dictionary");
            }
        }
    }
}

fn layout_of(dictionary: &Arc<registry_core::dictionary::Dictionary>) -> registry_core::exchange::Layout {
    registry_core::exchange::Layout::new(Style::Redcap, std::slice::from_ref(dictionary))
}

#[test]
fn faults_of_the_table_are_named_all_at_once() {
    let table = "record_id,redcap_repeat_instrument,redcap_repeat_instance,redcap_data_access_group,lesion_lesion_id,colour\n\
                 P-1,,,c01,,\nP-1,lesion,1,c01,L1,\nP-1,lesion,1,c01,L2,\nP-1,colour,1,c01,,\nP-2,lesion,1,c02,L1,\nP-1,,,c01,,\nP-1,lesion,x,c01,L3,\n";
    let found = open(RedcapFormat::Csv, table.into()).err().unwrap();
    assert_eq!(
        found,
        [
            "unknown_column export, line 1, column 6 (colour)",
            "row_twice export, line 4, column 3 (redcap_repeat_instance)",
            "unknown_instrument export, line 5, column 2 (redcap_repeat_instrument)",
            "unknown_case export, line 6, column 1 (record_id)",
            "two_groups export, line 6, column 4 (redcap_data_access_group)",
            "row_twice export, line 7, column 1 (record_id)",
            "row_number export, line 8, column 3 (redcap_repeat_instance)",
        ]
    );
    assert_eq!(
        open(RedcapFormat::Json, b"{}".to_vec()).err().unwrap(),
        ["not_json export, line 1"]
    );
    // Readers disagree about which of the two patients a line is of.
    let twice = b"[{\"record_id\": \"P-1\"},\n{\"record_id\": \"P-2\", \"record_id\": \"P-1\"}]";
    assert_eq!(
        open(RedcapFormat::Json, twice.to_vec()).err().unwrap(),
        ["duplicate_key export, line 2"]
    );
}

const MAPPING: &str = r#"
record = "study_no"
schema_version = "VERSION"
dates = "dmy"
instruments = { mets = "lesion", scans = "imaging" }
absent = { "-99" = "unknown" }
ignore = ["initials"]

[[field]]
from = "gender"
to = "patient.sex"
codes = { "1" = "male", "2" = "female" }

[[field]]
from = "scan_date"
to = "imaging.date"

[[field]]
from = "scan_area"
to = "imaging.region"
codes = { "1" = "chest", "2" = "pelvis" }

[[field]]
from = "met_id"
to = "lesion.lesion_id"

[[field]]
from = "met_n"
to = "lesion.count"
absent = { "0" = "unknown" }
"#;

#[test]
fn a_project_built_otherwise_is_read_through_its_mapping() {
    let layout = layout(Style::Redcap);
    let mapping = Mapping::read(&MAPPING.replace("VERSION", &current()), &layout).unwrap();
    let table = "study_no,redcap_repeat_instrument,redcap_repeat_instance,initials,gender,scan_date,scan_area___1,scan_area___2,met_id,met_n,baseline_complete\n\
                 P-1,,,XY,2,,0,0,,,2\n\
                 P-1,scans,1,,,11.06.2025,1,0,,,\n\
                 P-1,scans,2,,,06/2025,0,0,,,\n\
                 P-1,mets,1,,,,0,0,L1,0,\n\
                 P-1,mets,2,,,,0,0,L2,-99,\n\
                 P-1,mets,3,,,,0,0,L3,x,\n";
    let mut reader = RedcapReader::open(
        Arc::clone(&layout),
        &current(),
        RedcapFormat::Csv,
        Some(&mapping),
        "study.csv",
        table.into(),
    )
    .unwrap();
    let case = reader.next().unwrap();
    assert_same(
        &case.document,
        &json!({
            "schema_version": current(),
            "patient": { "pseudonym_id": "P-1", "sex": "female" },
            "imaging": [{ "date": "2025-06-11", "region": ["chest"] }, { "date": "2025-06" }],
            "lesion": [
                { "lesion_id": "L1", "count": { "absent": "unknown" } },
                { "lesion_id": "L2", "count": { "absent": "unknown" } },
                { "lesion_id": "L3" },
            ],
        }),
    );
    let places: Vec<String> = case
        .complaints
        .iter()
        .map(|c| format!("{} {}", c.code, c.place))
        .collect();
    assert_eq!(
        places,
        ["not_a_number study.csv, line 7, column 10 (lesion_count)"]
    );
}

#[test]
fn a_mapping_is_checked_against_the_dictionary_all_problems_at_once() {
    let text = r#"
        schema_version = "VERSION"
        instruments = { a = "patient" }
        absent = { x = "later" }
        [[field]]
        from = "a"
        to = "patient.colour"
        [[field]]
        from = "b"
        to = "patient.sex"
        codes = { "1" = "blue" }
        absent = { "9" = "pending" }
        [[field]]
        from = "b"
        to = "patient.sex"
    "#;
    let layout = layout(Style::Redcap);
    let problems = Mapping::read(&text.replace("VERSION", &current()), &layout).unwrap_err();
    assert_eq!(
        problems.0,
        [
            "instruments.a: `patient` is no repeated entity",
            "absent.x: `later` is no absence code",
            "field `a`: the dictionary has no element `patient.colour`",
            "field `b`: `blue` is not in the code list `sex`",
            "field `b`: `patient.sex` does not accept `pending`",
            "field `b`: mapped twice",
            "field `b`: `patient.sex` is mapped from another field already",
        ]
    );
    assert_eq!(Mapping::read("colour = 1", &layout).unwrap_err().0.len(), 1);
}
