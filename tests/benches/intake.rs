//! Intake on one core: what the door, the schema and the edit checks cost, against parsing and validity alone.
//!
//! `cargo bench -p registry-core --features benches --bench intake`

#[path = "measured.rs"]
#[expect(dead_code, reason = "shared by several benches, each of which needs a part")]
mod measured;

use std::hint::black_box;
use std::sync::Arc;

use measured::{Failure, cohort, in_turns, line, newest_case};
use registry_core::intake::{self, Limits};
use registry_core::record::{CentreTable, Layout, Record};
use registry_core::rules::CheckSet;
use registry_core::validation::{Document, Envelope, Judge, SchemaValidator};
use registry_core::versions::SchemaStore;
use serde_json::Value;
use uuid::Uuid;

const CASES: u32 = 500;
/// How often in a row a piece works on one record when it is measured alone: in the service the record has just been parsed.
const HOT: usize = 10;

/// The edit checks E-001 to E-103, with the parameters they read.
fn published_checks(store: &SchemaStore, layout: &Arc<Layout>) -> Result<CheckSet, Failure> {
    let text = |path| store.file(path).ok_or("a file that is listed");
    let mut files = Vec::new();
    for path in store.files().below("checks/E-").chain(["checks/tables.toml"]) {
        files.push((path, text(path)?));
    }
    let mut parameters: toml::Table = toml::from_str(text("checks/parameters.toml")?)?;
    parameters.retain(|name, _| files.iter().any(|(_, check)| check.contains(&format!("${name}"))));
    let parameters = toml::to_string(&parameters)?;
    files.push(("checks/parameters.toml", &parameters));
    let mut windows = store
        .files()
        .below("guideline/")
        .filter(|path| path.ends_with("/parameters.toml"));
    let windows = windows
        .next()
        .map(|path| text(path).map(|text| (path, text)))
        .transpose()?;
    Ok(CheckSet::compile(&files, windows, layout)?)
}

fn main() -> Result<(), Failure> {
    let plan = cohort(CASES)?;
    let store = Arc::new(SchemaStore::embedded()?);
    let judge = Judge::new(Arc::clone(&store))?;
    let validator = SchemaValidator::compile(store.current(), &store)?;
    let sent_in = store.current().version.as_str();
    let (Some(checks), Some(layout)) = (judge.checks(sent_in), judge.layout(sent_in)) else {
        return Err("the current version has no checks".into());
    };
    let rows = registry_core::synthetic::centres(&plan)
        .into_iter()
        .flat_map(|centre| centre.years.into_iter().map(|(_, row)| row));
    let centres = CentreTable::from_rows(rows)?;
    let limits = Limits::default();
    let mut bodies = Vec::new();
    let mut envelopes = Vec::new();
    for index in 0..plan.cases {
        let case = newest_case(&store, &plan, index);
        bodies.push(serde_json::to_vec(&case.body)?);
        envelopes.push(Envelope {
            record_id: Uuid::from_u128(u128::from(index)),
            centre_id: case.centre_id,
            submitted_at: case.submitted_at,
            data_cutoff_date: plan.as_of,
        });
    }
    let published = published_checks(&store, layout)?;
    let bytes: usize = bodies.iter().map(Vec::len).sum();
    println!(
        "{CASES} synthetic cases, {} bytes each on average, one thread\n",
        bytes / bodies.len()
    );

    let mut baseline = || -> Result<(), Failure> {
        for body in &bodies {
            let value: Value = serde_json::from_slice(body)?;
            assert!(black_box(validator.is_valid(&value)), "a synthetic body is valid");
        }
        Ok(())
    };
    let mut door = || -> Result<(), Failure> {
        for body in &bodies {
            black_box(intake::parse(body, &limits)?);
        }
        Ok(())
    };
    let mut to_checks = || -> Result<(), Failure> {
        for (body, envelope) in bodies.iter().zip(&envelopes) {
            let value = intake::parse(body, &limits)?;
            assert!(validator.is_valid(&value), "a synthetic body is valid");
            let whole = judge.document(&value, sent_in, envelope);
            let record = Record::read(&whole, layout, &centres);
            black_box(checks.run(&record));
        }
        Ok(())
    };
    let mut verdict = || -> Result<(), Failure> {
        for (body, envelope) in bodies.iter().zip(&envelopes) {
            let value = intake::parse(body, &limits)?;
            black_box(judge.judge(&value, envelope, &centres));
        }
        Ok(())
    };
    let values = bodies
        .iter()
        .map(|body| serde_json::from_slice(body))
        .collect::<Result<Vec<Value>, _>>()?;
    let mut schema_alone = || -> Result<(), Failure> {
        for value in &values {
            for _ in 0..HOT {
                black_box(validator.is_valid(value));
            }
        }
        Ok(())
    };
    let wholes: Vec<Document<'_>> = values
        .iter()
        .zip(&envelopes)
        .map(|(value, envelope)| judge.document(value, sent_in, envelope))
        .collect();
    let mut read_and_checks = || -> Result<(), Failure> {
        for whole in &wholes {
            for _ in 0..HOT {
                black_box(checks.run(&Record::read(whole, layout, &centres)));
            }
        }
        Ok(())
    };
    let mut checks_alone = || -> Result<(), Failure> {
        for whole in &wholes {
            let record = Record::read(whole, layout, &centres);
            for _ in 0..HOT {
                black_box(checks.run(&record));
            }
        }
        Ok(())
    };

    let mut published_alone = || -> Result<(), Failure> {
        for whole in &wholes {
            let record = Record::read(whole, layout, &centres);
            for _ in 0..HOT {
                black_box(published.run(&record));
            }
        }
        Ok(())
    };

    let times = in_turns(
        11,
        &mut [
            &mut baseline,
            &mut door,
            &mut to_checks,
            &mut verdict,
            &mut schema_alone,
            &mut read_and_checks,
            &mut checks_alone,
            &mut published_alone,
        ],
    )?;
    let [
        base,
        door,
        to_checks,
        verdict,
        schema_alone,
        read_and_checks,
        checks_alone,
        published_alone,
    ] = times[..]
    else {
        return Err("a time for each piece".into());
    };
    let count = bodies.len();
    let all = checks.checks().len();
    line(
        "baseline: serde_json parse + jsonschema is_valid",
        base,
        count,
        None,
    );
    line("the door alone", door, count, Some(base));
    line(
        &format!("door + schema + {all} checks"),
        to_checks,
        count,
        Some(base),
    );
    line(
        "the whole verdict: findings, assessment, sections not attested",
        verdict,
        count,
        Some(base),
    );
    println!();
    let count = count * HOT;
    line("baseline: jsonschema is_valid alone", schema_alone, count, None);
    line(
        &format!("{all} checks alone"),
        checks_alone,
        count,
        Some(schema_alone),
    );
    line(
        &format!(
            "{} of them alone: the published edit checks, without what the dictionary requires",
            published.checks().len()
        ),
        published_alone,
        count,
        Some(schema_alone),
    );
    line(
        &format!("reading the record and {all} checks"),
        read_and_checks,
        count,
        Some(schema_alone),
    );
    Ok(())
}
