//! A CSV bundle of 10,000 cases: written, read back, and judged and stored as an import does, on one core.
//!
//! `cargo bench -p registry-core --features benches --bench import -- 10000`   (default 10,000)

#[path = "measured.rs"]
#[expect(dead_code, reason = "shared by several benches, each of which needs a part")]
mod measured;

use std::sync::Arc;
use std::time::Instant;

use measured::{Failure, cohort, judge, line, peak_memory, put, store};
use registry_core::access::Scope;
use registry_core::exchange::{BundleReader, BundleWriter, FlatCase, Layout, Style};
use registry_core::intake::{self, Limits};
use registry_core::synthetic::case;
use registry_core::validation::Envelope;
use registry_core::versions::SchemaStore;
use serde_json::json;
use uuid::Uuid;

/// Cases stored together.
const BATCH: usize = 100;

fn main() -> Result<(), Failure> {
    let cases = std::env::args()
        .skip(1)
        .find_map(|arg| arg.parse().ok())
        .unwrap_or(10_000);
    let plan = cohort(cases)?;
    let (judge, centres) = judge(&plan)?;
    let schemas = SchemaStore::embedded()?;
    let versions: Vec<_> = schemas
        .case_schemas()
        .iter()
        .map(|s| Arc::clone(&s.dictionary))
        .collect();
    let layout = Arc::new(Layout::new(Style::Bundle, &versions));
    let began = Instant::now();
    let mut writer = BundleWriter::begin(Arc::clone(&layout), |_| Vec::new())?;
    for index in 0..plan.cases {
        let case = case(&plan, index);
        let envelope = json!({ "centre_id": case.centre_id });
        writer.add(FlatCase {
            document: &case.body,
            envelope: &envelope,
            centre: &case.centre_id,
        })?;
    }
    let files = writer.finish()?;
    let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let count = usize::try_from(plan.cases)?;
    println!(
        "{count} synthetic cases in {} files, {} MB",
        files.len(),
        bytes / 1_000_000
    );
    line(
        "drawing the cases and writing the bundle",
        began.elapsed(),
        count,
        None,
    );

    let folder = tempfile::tempdir()?;
    let store = store(
        format!("sqlite:{}", folder.path().join("import.sqlite3").display()),
        &plan,
    )?;
    let began = Instant::now();
    let reader = BundleReader::open(layout, &schemas.current().version, files)
        .map_err(|all| format!("{} complaints", all.len()))?;
    let opened = began.elapsed();
    let centre = registry_core::synthetic::centres(&plan)
        .into_iter()
        .next()
        .ok_or("a centre")?;
    let submitter = Scope::system_for_centre("bench", centre.id.clone());
    let (mut stored, mut batch) = (0, Vec::new());
    for case in reader {
        if let Some(complaint) = case.complaints.first() {
            return Err(complaint.to_string().into());
        }
        let sent = serde_json::to_vec(&case.document)?;
        let body = intake::parse(&sent, &Limits::default())?;
        let envelope = Envelope {
            record_id: Uuid::nil(),
            centre_id: centre.id.clone(),
            submitted_at: chrono::Utc::now(),
            data_cutoff_date: plan.as_of,
        };
        let verdict = judge.judge(&body, &envelope, &centres);
        if !verdict.rejected() {
            batch.push(put(case.patient, body, &verdict));
        }
        if batch.len() == BATCH {
            stored += store
                .put_cases(&submitter, std::mem::take(&mut batch), false)?
                .len();
        }
    }
    stored += store.put_cases(&submitter, batch, false)?.len();
    let whole = began.elapsed();
    line("checking the files", opened, count, None);
    line("the whole import: read, judged, stored", whole, count, None);
    println!("  {stored} stored");
    if let Some(peak) = peak_memory() {
        println!("  peak memory of the process: {peak} MiB");
    }
    Ok(())
}
