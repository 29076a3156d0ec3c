//! `datapackage.json` and `CITATION.cff`: what tools read of a bundle as a whole.
//!
//! The data package is made from the finished files of the bundle, `dictionary.csv` and `codelists.csv` among them: a request's says
//! what is in the request's. Frictionless Data Package and Table Schema, version 1 (specs.frictionlessdata.io). The citation is in the
//! Citation File Format, version 1.2.0 (citation-file-format.github.io).

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use registry_core::storage::Run;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::described::Holds;
use super::endpoints::ESTIMATES;
use super::fictitious::NOTICE;
use super::projection::PATIENTS;
use super::reference_tables::{CODELISTS, DICTIONARY};
use super::spool::Spool;
use super::table::FinishedTable;
use super::{ReleaseError, ReleaseOptions};

const README: &str = "README.md";
/// Holds rows to their patient.
const PATIENT_KEY: &str = "patient_id";
/// How precisely a date is known.
const PRECISIONS: [&str; 3] = ["day", "month", "year"];
/// What a run's digests are of: parameter, words, parameter with its version.
const DIGESTS: [(&str, &str, &str); 3] = [
    ("schema_digest", "case schema", "schema_version"),
    ("guideline_digest", "guideline", "guideline_version"),
    ("centre_table_digest", "table of centres", ""),
];

#[derive(Serialize)]
struct Package {
    profile: &'static str,
    name: String,
    title: String,
    version: String,
    resources: Vec<Resource>,
}

#[derive(Serialize)]
struct Resource {
    name: String,
    path: String,
    profile: &'static str,
    format: &'static str,
    mediatype: &'static str,
    encoding: &'static str,
    bytes: u64,
    hash: String,
    schema: Schema,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Schema {
    fields: Vec<Field>,
    missing_values: [&'static str; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    primary_key: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    foreign_keys: Vec<ForeignKey>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Field {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    true_values: Option<[&'static str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    false_values: Option<[&'static str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    constraints: Option<Constraints>,
}

#[derive(Serialize)]
struct Constraints {
    #[serde(rename = "enum")]
    one_of: Vec<String>,
}

#[derive(Serialize)]
struct ForeignKey {
    fields: &'static str,
    reference: Reference,
}

#[derive(Serialize)]
struct Reference {
    resource: String,
    fields: &'static str,
}

/// A line of `dictionary.csv`.
#[derive(Deserialize)]
struct Line {
    file: String,
    column: String,
    key: String,
    meaning: String,
    #[serde(rename = "type")]
    holds: String,
    code_list: String,
    absence_codes: String,
}

/// A line of `codelists.csv`.
#[derive(Deserialize)]
struct CodeLine {
    code_list: String,
    code: String,
}

/// `datapackage.json` of a bundle's finished files.
pub(super) fn datapackage(
    spool: &Spool,
    options: &ReleaseOptions,
    files: &[FinishedTable],
) -> Result<FinishedTable, ReleaseError> {
    let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines::<CodeLine>(files, CODELISTS)? {
        lists.entry(line.code_list).or_default().push(line.code);
    }
    let dictionary = lines::<Line>(files, DICTIONARY)?;
    let explained: HashMap<(&str, &str), &Line> = dictionary
        .iter()
        .map(|line| ((line.file.as_str(), line.column.as_str()), line))
        .collect();
    let patients = files.iter().any(|file| file.name == PATIENTS);
    let tables = files.iter().filter(|file| file.name.ends_with(".csv"));
    let resources = tables.map(|file| {
        let lines: Vec<&Line> = file
            .columns
            .iter()
            .map(|column| {
                let found = explained.get(&(file.name.as_str(), column.as_str()));
                let missing = || ReleaseError::Unexplained(file.name.clone(), column.clone());
                found.copied().ok_or_else(missing)
            })
            .collect::<Result<_, _>>()?;
        let holds_patients = lines.iter().any(|line| line.column == PATIENT_KEY);
        let key = lines.iter().filter(|line| line.key == "TRUE");
        Ok(Resource {
            name: resource(&file.name),
            path: file.name.clone(),
            profile: "tabular-data-resource",
            format: "csv",
            mediatype: "text/csv",
            encoding: "utf-8",
            bytes: file.bytes,
            hash: format!("sha256:{}", file.sha256),
            schema: Schema {
                missing_values: [""],
                primary_key: key.map(|line| line.column.clone()).collect(),
                foreign_keys: (patients && holds_patients && file.name != PATIENTS)
                    .then(|| ForeignKey {
                        fields: PATIENT_KEY,
                        reference: Reference {
                            resource: resource(PATIENTS),
                            fields: PATIENT_KEY,
                        },
                    })
                    .into_iter()
                    .collect(),
                fields: lines.iter().map(|line| field(line, &lists)).collect(),
            },
        })
    });
    let package = Package {
        profile: "tabular-data-package",
        name: format!("rps-registry-{}", options.release_id.to_lowercase()),
        title: options.title.clone(),
        version: options.release_id.clone(),
        resources: resources.collect::<Result<_, ReleaseError>>()?,
    };
    let mut text = serde_json::to_string_pretty(&package)?;
    text.push('\n');
    FinishedTable::of_text(spool, "datapackage.json", &text)
}

/// The lines of a file, as its header names their fields; none where the bundle has no such file.
fn lines<T: for<'a> Deserialize<'a>>(files: &[FinishedTable], name: &str) -> Result<Vec<T>, ReleaseError> {
    let mut all = Vec::new();
    for file in files.iter().filter(|file| file.name == name) {
        for line in csv::Reader::from_reader(file.reader()).deserialize() {
            all.push(line?);
        }
    }
    Ok(all)
}

/// A file as the package names it.
fn resource(file: &str) -> String {
    file.trim_end_matches(".csv").to_owned()
}

fn field(line: &Line, lists: &BTreeMap<String, Vec<String>>) -> Field {
    let is = |holds: Holds| line.holds == holds.as_str();
    let one_of = if is(Holds::Code) {
        lists.get(&line.code_list).cloned()
    } else if is(Holds::Absence) {
        Some(line.absence_codes.split(' ').map(str::to_owned).collect())
    } else if is(Holds::Precision) {
        Some(PRECISIONS.map(str::to_owned).to_vec())
    } else {
        None
    };
    let plain = [Holds::Boolean, Holds::Integer, Holds::Number];
    let truth = is(Holds::Boolean);
    Field {
        name: line.column.clone(),
        kind: plain
            .into_iter()
            .find(|holds| is(*holds))
            .map_or("string", Holds::as_str),
        description: line.meaning.clone(),
        true_values: truth.then_some(["TRUE"]),
        false_values: truth.then_some(["FALSE"]),
        constraints: one_of.map(|one_of| Constraints { one_of }),
    }
}

/// Cuts the README to the files that are there: what stands between `<!-- if NAME -->` and `<!-- end -->` is of a file of that name, of which a
/// `*` stands for any part.
pub(super) fn cut_readme(files: &mut [FinishedTable]) -> Result<(), ReleaseError> {
    let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
    for file in files.iter_mut().filter(|file| file.name == README) {
        let mut text = String::new();
        file.reader().read_to_string(&mut text)?;
        *file = file.with_text(&of_these(&text, &names))?;
    }
    Ok(())
}

fn of_these(text: &str, names: &[String]) -> String {
    let is_there = |wanted: &str| match wanted.split_once('*') {
        Some((before, after)) => names.iter().any(|name| {
            let within = name
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after));
            within.is_some() && name != ESTIMATES
        }),
        None => names.iter().any(|name| name == wanted),
    };
    let (mut kept, mut keeps) = (String::new(), true);
    for line in text.lines() {
        let condition = line
            .strip_prefix("<!-- if ")
            .and_then(|rest| rest.strip_suffix(" -->"));
        match condition {
            Some(wanted) => keeps = is_there(wanted),
            None if line == "<!-- end -->" => keeps = true,
            None if keeps => {
                kept.push_str(line);
                kept.push('\n');
            }
            None => {}
        }
    }
    kept
}

/// Makes the README of a fictitious release begin with what it is.
pub(super) fn say_fictitious(files: &mut [FinishedTable]) -> Result<(), ReleaseError> {
    for file in files.iter_mut().filter(|file| file.name == README) {
        let mut text = String::new();
        file.reader().read_to_string(&mut text)?;
        let (heading, rest) = text.split_once("\n\n").unwrap_or(("", &text));
        *file = file.with_text(&format!("{heading}\n\n{NOTICE}{rest}"))?;
    }
    Ok(())
}

/// `CITATION.cff`: the release by its id, and the digests of what its run rests on. No date: the bundle is the same whenever it is built.
pub(super) fn citation(
    spool: &Spool,
    options: &ReleaseOptions,
    run: &Run,
) -> Result<FinishedTable, ReleaseError> {
    let told = |name: &str| run.parameters.get(name).and_then(Value::as_str);
    // A string of JSON is one of YAML.
    let quoted = |text: &str| serde_json::to_string(text);
    let id = &options.release_id;
    let mut text = String::from("cff-version: 1.2.0\ntype: dataset\n");
    if options.fictitious {
        text.push_str("abstract: \"Fictitious: a generator made the cases, no patient is behind any row. Not for results.\"\n");
    }
    text.push_str(
        "message: \"Cite the release by its version, with the SHA-256 of the bundle it came in.\"\n",
    );
    let title = format!("{} (release {id} of the RPS registry)", options.title);
    text.push_str(&format!("title: {}\nversion: {}\n", quoted(&title)?, quoted(id)?));
    text.push_str("authors:\n  - name: \"RPS registry\"\nidentifiers:\n");
    let mut identifier = |value: &str, description: &str| -> Result<(), ReleaseError> {
        let (value, description) = (quoted(value)?, quoted(description)?);
        text.push_str(&format!(
            "  - type: other\n    value: {value}\n    description: {description}\n"
        ));
        Ok(())
    };
    let cut_off = format!("run of the registry, data up to {}", run.cutoff_date);
    identifier(&format!("run {}", run.number), &cut_off)?;
    for (digest, what, version) in DIGESTS {
        if let Some(digest) = told(digest) {
            let words = match told(version) {
                Some(version) => format!("SHA-256 of the {what}, version {version}"),
                None => format!("SHA-256 of the {what}"),
            };
            identifier(&format!("sha256:{digest}"), &words)?;
        }
    }
    FinishedTable::of_text(spool, "CITATION.cff", &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readme_speaks_of_the_files_that_are_there() {
        let text = "always\n<!-- if cases.csv -->\ncases\n<!-- end -->\n<!-- if survival_*.csv -->\nrows\n<!-- end -->\nlast\n";
        let of = |names: &[&str]| {
            of_these(
                text,
                &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            of(&["cases.csv", "survival_s1.csv"]),
            "always\ncases\nrows\nlast\n"
        );
        assert_eq!(of(&["survival_estimates.csv", "patient.csv"]), "always\nlast\n");
    }
}
