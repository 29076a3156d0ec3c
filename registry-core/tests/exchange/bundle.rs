//! The CSV bundle reads back as what was written.

use registry_core::exchange::{BundleReader, BundleWriter, FlatCase, Style};
use serde_json::{Value, json};

use super::{assert_same, awkward, cases, current, envelope, layout};

pub(super) fn written(cases: &[Value]) -> Vec<(String, Vec<u8>)> {
    let mut writer = BundleWriter::begin(layout(Style::Bundle), |_| Vec::new()).unwrap();
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

#[test]
fn every_example_and_300_synthetic_cases_come_back_identical() {
    let mut sent = cases();
    sent.push(awkward());
    let reader = BundleReader::open(layout(Style::Bundle), &current(), written(&sent)).unwrap();
    assert_eq!(reader.len(), sent.len());
    let mut read = 0;
    for (case, sent) in reader.zip(&sent) {
        assert_eq!(case.complaints, []);
        assert_same(&case.document, sent);
        read += 1;
    }
    assert_eq!(read, sent.len());
}

#[test]
fn files_are_tidy_and_named_as_in_releases() {
    let files = written(&[awkward()]);
    let text = |name: &str| {
        let (_, bytes) = files.iter().find(|(n, _)| n == name).unwrap();
        String::from_utf8(bytes.clone()).unwrap()
    };
    let imaging = text("imaging.csv");
    let header = imaging.lines().next().unwrap();
    assert!(
        header.starts_with("patient_id,row,date,date__precision,date__absent,"),
        "{header}"
    );
    assert!(header.contains(",region___chest,"), "{header}");
    assert_eq!(imaging.lines().count(), 4, "a line per row");
    assert!(
        text("systemic.csv").contains("'=1+1"),
        "no spreadsheet computes it"
    );
    assert!(text("record.csv").contains("C01"), "the envelope is there");
}

#[test]
fn rows_in_any_order_and_a_byte_order_mark_change_nothing() {
    let sent = [awkward(), cases().remove(3)];
    let mut files = written(&sent);
    for (_, bytes) in &mut files {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        lines[1..].reverse();
        *bytes = format!("\u{feff}{}\r\n", lines.join("\r\n")).into_bytes();
    }
    let mut read: Vec<_> = BundleReader::open(layout(Style::Bundle), &current(), files)
        .unwrap()
        .collect();
    read.reverse();
    for (case, sent) in read.iter().zip(&sent) {
        assert_same(&case.document, sent);
    }
}

#[test]
fn what_no_column_can_hold_is_an_error_with_its_pointer() {
    for (pointer, value) in [
        ("/stray", json!({ "stray": 1 })),
        ("/lesion/1/stray", json!({ "lesion": [{}, { "stray": 1 }] })),
        ("/imaging/0/region", json!({ "imaging": [{ "region": "chest" }] })),
        ("/primary/size_mm", json!({ "primary": { "size_mm": "12" } })),
        (
            "/primary/size_mm",
            json!({ "primary": { "size_mm": { "absent": "later" } } }),
        ),
    ] {
        let mut document = json!({ "schema_version": current(), "patient": { "pseudonym_id": "P-1" } });
        for (key, inner) in value.as_object().unwrap() {
            document[key] = inner.clone();
        }
        let mut writer = BundleWriter::begin(layout(Style::Bundle), |_| Vec::new()).unwrap();
        let case = FlatCase {
            document: &document,
            envelope: &envelope(),
            centre: "C01",
        };
        let error = writer.add(case).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{pointer} ")), "{pointer}: {error}");
        let rows: usize = writer
            .finish()
            .unwrap()
            .iter()
            .map(|(_, bytes)| bytes.iter().filter(|b| **b == b'\n').count() - 1)
            .sum();
        assert_eq!(rows, 0, "nothing of the case is written");
    }
}
