//! The tables of a bundle as Apache Parquet, typed as `dictionary.csv` says (parquet.apache.org/docs/file-format).
//!
//! Made from the finished CSV files, so that a Parquet file holds what the CSV file of its name holds, cut and grouped as it is. Written a
//! row group at a time; no time of making, so the same table is the same file.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use serde::Deserialize;

use super::ReleaseError;
use super::described::Holds;
use super::reference_tables::DICTIONARY;
use super::table::{FinishedTable, Twin};

/// Rows held and written together.
const GROUP: usize = 20_000;
/// The folder of the files in a bundle.
const FOLDER: &str = "parquet/";

/// What the fields of a column are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Boolean,
    Integer,
    Number,
    Text,
}

impl Kind {
    fn of(holds: &str) -> Self {
        match holds {
            _ if holds == Holds::Boolean.as_str() => Self::Boolean,
            _ if holds == Holds::Integer.as_str() => Self::Integer,
            _ if holds == Holds::Number.as_str() => Self::Number,
            _ => Self::Text,
        }
    }

    fn field(self, name: &str) -> Result<Type, ParquetError> {
        let physical = match self {
            Self::Boolean => Physical::BOOLEAN,
            Self::Integer => Physical::INT64,
            Self::Number => Physical::DOUBLE,
            Self::Text => Physical::BYTE_ARRAY,
        };
        let mut field = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
        if self == Self::Text {
            field = field
                .with_logical_type(Some(LogicalType::String))
                .with_converted_type(ConvertedType::UTF8);
        }
        field.build()
    }
}

/// A line of `dictionary.csv`.
#[derive(Deserialize)]
struct Line {
    file: String,
    column: String,
    #[serde(rename = "type")]
    holds: String,
}

/// Every table of the bundle once more.
pub(super) fn tables(files: &[FinishedTable]) -> Result<Vec<FinishedTable>, ReleaseError> {
    let mut types: HashMap<(String, String), Kind> = HashMap::new();
    for file in files.iter().filter(|file| file.name == DICTIONARY) {
        for line in csv::Reader::from_reader(file.reader()).deserialize::<Line>() {
            let line = line?;
            types.insert((line.file, line.column), Kind::of(&line.holds));
        }
    }
    let tables = files.iter().filter(|file| file.name.ends_with(".csv"));
    tables
        .map(|file| {
            let kinds = file.columns.iter().map(|column| {
                let found = types.get(&(file.name.clone(), column.clone())).copied();
                found.ok_or_else(|| ReleaseError::Unexplained(file.name.clone(), column.clone()))
            });
            table(file, &kinds.collect::<Result<Vec<_>, _>>()?)
        })
        .collect()
}

fn table(file: &FinishedTable, kinds: &[Kind]) -> Result<FinishedTable, ReleaseError> {
    let fields = file.columns.iter().zip(kinds);
    let fields = fields.map(|(name, kind)| Ok(Arc::new(kind.field(name)?)));
    let schema = Type::group_type_builder("table").with_fields(fields.collect::<Result<_, ParquetError>>()?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_created_by("RPS registry".to_owned())
        .build();
    let mut twin = Twin::begin(file);
    let mut writer = SerializedFileWriter::new(&mut twin, Arc::new(schema.build()?), Arc::new(properties))?;
    let mut rows = csv::Reader::from_reader(file.reader());
    let mut group: Vec<csv::StringRecord> = Vec::new();
    loop {
        let more = fill(&mut group, &mut rows)?;
        if !group.is_empty() {
            let mut columns = writer.next_row_group()?;
            let mut at = 0;
            while let Some(mut column) = columns.next_column()? {
                write(column.untyped(), file, &group, at)?;
                column.close()?;
                at += 1;
            }
            columns.close()?;
        }
        if !more {
            break;
        }
    }
    let name = format!("{FOLDER}{}.parquet", file.name.trim_end_matches(".csv"));
    writer.close()?;
    twin.finish(&name, file)
}

/// The next rows; whether there may be more.
fn fill(group: &mut Vec<csv::StringRecord>, rows: &mut csv::Reader<impl Read>) -> Result<bool, ReleaseError> {
    group.clear();
    for row in rows.records().take(GROUP) {
        group.push(row?);
    }
    Ok(group.len() == GROUP)
}

/// A column of a row group: what is there, and for every row whether it is.
fn write(
    column: &mut ColumnWriter<'_>,
    file: &FinishedTable,
    rows: &[csv::StringRecord],
    at: usize,
) -> Result<(), ReleaseError> {
    let fields = || rows.iter().map(|row| row.get(at).unwrap_or_default());
    let there: Vec<i16> = fields().map(|field| i16::from(!field.is_empty())).collect();
    let filled = || fields().filter(|field| !field.is_empty());
    let wrong = || {
        let name = file.columns.get(at).cloned().unwrap_or_default();
        ReleaseError::OtherType(file.name.clone(), name)
    };
    match column {
        ColumnWriter::BoolColumnWriter(writer) => {
            let value = |field: &str| match field {
                "TRUE" => Ok(true),
                "FALSE" => Ok(false),
                _ => Err(wrong()),
            };
            let values: Vec<bool> = filled().map(value).collect::<Result<_, _>>()?;
            writer.write_batch(&values, Some(&there), None)?;
        }
        ColumnWriter::Int64ColumnWriter(writer) => {
            let values = filled().map(|field| field.parse().map_err(|_| wrong()));
            writer.write_batch(&values.collect::<Result<Vec<i64>, _>>()?, Some(&there), None)?;
        }
        ColumnWriter::DoubleColumnWriter(writer) => {
            let values = filled().map(|field| field.parse().map_err(|_| wrong()));
            writer.write_batch(&values.collect::<Result<Vec<f64>, _>>()?, Some(&there), None)?;
        }
        ColumnWriter::ByteArrayColumnWriter(writer) => {
            let values: Vec<ByteArray> = filled().map(ByteArray::from).collect();
            writer.write_batch(&values, Some(&there), None)?;
        }
        _ => return Err(wrong()),
    }
    Ok(())
}
