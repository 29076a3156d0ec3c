//! The Parquet files of a release hold what its CSV files hold, typed as its dictionary says.

use std::collections::BTreeMap;
use std::io::Write;

use parquet::basic::{Compression, Type};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use crate::registry::Registry;
use crate::releases::{built, rows, unpacked};

/// A field as the CSV files write it; a number as itself.
fn written(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Bool(true) => "TRUE".to_owned(),
        Field::Bool(false) => "FALSE".to_owned(),
        Field::Long(value) => value.to_string(),
        Field::Double(value) => value.to_string(),
        Field::Str(text) => text.clone(),
        other => panic!("no such type: {other:?}"),
    }
}

fn kept(bytes: &[u8]) -> std::fs::File {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(bytes).expect("written");
    file
}

#[test]
fn every_parquet_file_says_what_the_csv_file_of_its_name_says() {
    let registry = Registry::with(40, 3);
    let files = unpacked(&built(&registry, &registry.run(), 1).1);
    let mut types: BTreeMap<(String, String), String> = BTreeMap::new();
    for line in rows(&files, "dictionary.csv") {
        types.insert(
            (line["file"].clone(), line["column"].clone()),
            line["type"].clone(),
        );
    }
    let (mut compared, mut typed) = (0, 0);
    for (name, bytes) in files.iter().filter(|(name, _)| name.starts_with("parquet/")) {
        let csv = format!("{}.csv", &name["parquet/".len()..name.len() - ".parquet".len()]);
        let reader = SerializedFileReader::new(kept(bytes)).expect("Parquet");
        let schema = reader.metadata().file_metadata().schema_descr();
        for column in schema.columns() {
            let expected = match types[&(csv.clone(), column.name().to_owned())].as_str() {
                "boolean" => Type::BOOLEAN,
                "integer" => Type::INT64,
                "number" => Type::DOUBLE,
                _ => Type::BYTE_ARRAY,
            };
            assert_eq!(column.physical_type(), expected, "{csv} {}", column.name());
            typed += usize::from(expected != Type::BYTE_ARRAY);
        }
        let plain = rows(&files, &csv);
        let all: Vec<_> = reader
            .get_row_iter(None)
            .expect("rows")
            .map(|row| row.expect("a row"))
            .collect();
        assert_eq!(all.len(), plain.len(), "{csv}");
        for (row, plain) in all.iter().zip(&plain) {
            for (column, field) in row.get_column_iter() {
                let said = &plain[column];
                let same = match field.clone() {
                    Field::Double(value) => said.parse::<f64>() == Ok(value),
                    other => written(&other) == *said,
                };
                assert!(same, "{csv} {column}: {field:?}, {said}");
                compared += 1;
            }
        }
        for group in reader.metadata().row_groups() {
            let zstd = |one: &parquet::file::metadata::ColumnChunkMetaData| {
                matches!(one.compression(), Compression::ZSTD(_))
            };
            assert!(group.columns().iter().all(zstd) && group.num_rows() <= 20_000);
        }
    }
    assert!(compared > 20_000 && typed > 200, "{compared} {typed}");
}
