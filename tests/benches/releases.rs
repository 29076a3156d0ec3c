//! A full release of a run: every table, as CSV and Parquet, in one zip. Made in a process of its own, so that its peak memory is the release's
//! and not that of filling the registry.
//!
//! Baselines in the same process: reading the run's evaluations back, which a release does twice, and as many bytes of CSV rows written with the
//! `csv` crate to a file, with nothing made, compressed or hashed.
//!
//! `cargo bench -p registry-etl --features benches --bench releases -- 10000 100000`   (default 10,000)

#[path = "measured.rs"]
#[expect(dead_code, reason = "shared by several benches, each of which needs a part")]
mod measured;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use measured::{Failure, Seeded, WallClock, cohort, fill, judge, peak_memory, store};
use registry_core::access::Scope;
use registry_core::crypto::MasterKey;
use registry_core::storage::{Run, Store, StoreOptions};
use registry_etl::disclosure::Thresholds;
use registry_etl::measures::Engine;
use registry_etl::releases::{Built, ReleaseKey, ReleaseOptions, build};
use registry_etl::runs::{Options, execute};

/// What the second process is asked for.
const RELEASE: &str = "release-of";
/// Rows of the widest table that the CSV baseline repeats.
const SAMPLE: usize = 1_000;

fn main() -> Result<(), Failure> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if let [what, folder, cases] = &asked[..]
        && what == RELEASE
    {
        return release(Path::new(folder), cases.parse()?);
    }
    let sizes: Vec<u32> = asked.iter().filter_map(|arg| arg.parse().ok()).collect();
    for cases in if sizes.is_empty() { vec![10_000] } else { sizes } {
        let folder = tempfile::tempdir()?;
        prepare(folder.path(), cases)?;
        let mut again = Command::new(std::env::current_exe()?);
        again.arg(RELEASE).arg(folder.path()).arg(cases.to_string());
        if !again.status()?.success() {
            return Err("the process that makes the release failed".into());
        }
    }
    Ok(())
}

fn database(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("registry.db").display())
}

/// A registry with a finished run.
fn prepare(folder: &Path, cases: u32) -> Result<(), Failure> {
    let plan = cohort(cases)?;
    let (judge, centres) = judge(&plan)?;
    let store = store(database(folder), &plan)?;
    fill(&store, &judge, &centres, &plan)?;
    let engine = Engine::new(Arc::new(judge))?;
    let options = Options {
        cut_off: plan.as_of,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        thresholds: Thresholds::default(),
    };
    execute(&store, &Scope::system("bench"), &engine, &options, |_| ())?;
    Ok(())
}

fn release(folder: &Path, cases: u32) -> Result<(), Failure> {
    let plan = cohort(cases)?;
    let scope = Scope::system("bench");
    // The key of `measured::store`.
    let store = Store::open(
        StoreOptions::new(database(folder)),
        MasterKey::from_bytes([7; 32]),
        Arc::new(WallClock),
        Arc::new(Seeded::new()),
    )?;
    let engine = Engine::new(Arc::new(judge(&plan)?.0))?;
    let run = store.run(&scope, 1)?;
    let read_back = read_back(&store, &scope, &run)?;
    let before = peak_memory();
    let bundle = folder.join("bundle.zip");
    let options = ReleaseOptions {
        release_id: "bench".to_owned(),
        title: "Bench".to_owned(),
        key: ReleaseKey::new([1; 32]),
        approved: None,
        accounting: None,
        fictitious: false,
        spool: folder.to_owned(),
    };
    let began = Instant::now();
    let out = BufWriter::new(File::create(&bundle)?);
    let built = build(&store, &scope, &engine, &run, &options, out)?;
    let took = began.elapsed();
    let after = peak_memory();
    let written = plain_rows(&bundle, &built, &folder.join("rows.csv"))?;
    tell(
        cases,
        &built,
        took,
        &[
            ("reading the run back", read_back),
            ("the same bytes of CSV rows", written),
        ],
    );
    if let (Some(before), Some(after)) = (before, after) {
        println!("  peak memory {after} MiB, {before} MiB of it before the release was begun");
    }
    Ok(())
}

fn read_back(store: &Store, scope: &Scope, run: &Run) -> Result<Duration, Failure> {
    let began = Instant::now();
    let mut bytes = 0;
    store.for_each_run_evaluation::<Failure>(scope, run.number, 200, |batch| {
        bytes += batch.iter().map(|one| one.payload.len()).sum::<usize>();
        Ok(())
    })?;
    if bytes == 0 {
        return Err("the run has no evaluation".into());
    }
    Ok(began.elapsed())
}

/// Length of all CSV files of the bundle.
fn plain_bytes(built: &Built) -> u64 {
    let files = built.manifest.files.iter();
    files
        .filter(|file| file.name.ends_with(".csv"))
        .map(|file| file.bytes)
        .sum()
}

/// Writes rows of the widest table until they are as many bytes as the CSV files of the bundle.
fn plain_rows(bundle: &Path, built: &Built, to: &Path) -> Result<Duration, Failure> {
    let tables = built
        .manifest
        .files
        .iter()
        .filter(|file| file.name.ends_with(".csv") && file.rows > 0);
    let widest = tables.max_by_key(|file| file.columns.len()).ok_or("a table")?;
    let mut archive = zip::ZipArchive::new(File::open(bundle)?)?;
    let mut reader = csv::Reader::from_reader(archive.by_name(&widest.name)?);
    let rows = reader.records().take(SAMPLE).collect::<Result<Vec<_>, _>>()?;
    let wanted = plain_bytes(built);
    let began = Instant::now();
    let mut out = Counted {
        out: BufWriter::new(File::create(to)?),
        bytes: 0,
    };
    while out.bytes < wanted {
        let mut writer = csv::Writer::from_writer(&mut out);
        for row in &rows {
            writer.write_record(row)?;
        }
        writer.flush()?;
    }
    out.flush()?;
    Ok(began.elapsed())
}

struct Counted<W> {
    out: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(buffer)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

fn tell(cases: u32, built: &Built, took: Duration, baselines: &[(&str, Duration)]) {
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let plain = mebibytes(plain_bytes(built));
    let rows: u64 = built.manifest.files.iter().map(|file| file.rows).sum();
    println!(
        "\n{cases} cases, {} of them released: {} files, {rows} rows, {plain:.0} MiB of CSV, {:.0} MiB of zip",
        built.manifest.cases,
        built.manifest.files.len(),
        mebibytes(built.bytes)
    );
    let seconds = took.as_secs_f64();
    println!(
        "  the release{:>38.2} s  {:>7.1} MiB of CSV a second",
        seconds,
        plain / seconds
    );
    for (name, time) in baselines {
        println!(
            "  baseline: {name:<30}{:>9.2} s  the release takes {:.1} x its time",
            time.as_secs_f64(),
            seconds / time.as_secs_f64()
        );
    }
}
