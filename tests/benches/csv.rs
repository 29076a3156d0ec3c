//! A table of a release written as CSV, beside polars (Python) `write_csv` and pandas `to_csv` on the same values: a million rows of 60
//! columns (counts, numbers, flags, codes, some of them missing). `csv.sh` prepares the two and starts this.
//!
//! The table is written once; the peers read it, then time the writing alone, to a file. Ours is told twice: the plain file, as the peers
//! write it, and as a release keeps it until the zip is written (compressed and hashed on the way into a temporary file).
//!
//! `PEERS_PYTHON=.. cargo bench -p registry-etl --features benches --bench csv [-- rows]`   (default 1,000,000)

#[path = "measured.rs"]
#[expect(dead_code, reason = "shared by several benches, each of which needs a part")]
mod measured;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;

use measured::{Failure, in_turns};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use registry_etl::releases::ReleaseError;
use registry_etl::releases::written::{self, Rows};

const ROUNDS: usize = 3;
/// Columns of each kind.
const EACH: usize = 15;
const CODES: [&str; 4] = ["ddlps", "wdlps", "lms", "R0"];

/// A row as a release has it when it writes it, its fields side by side: fifteen each of whole numbers, numbers with decimals, flags and codes.
/// (The peers hold the same table by columns, as they would have it.)
#[derive(Clone, Copy, Default)]
struct Row {
    counts: [Option<i64>; EACH],
    numbers: [Option<f64>; EACH],
    flags: [Option<bool>; EACH],
    codes: [Option<&'static str>; EACH],
}

struct Data(Vec<Row>);

fn data(rows: usize) -> Data {
    let mut dice = ChaCha20Rng::seed_from_u64(1);
    let mut draw = move || dice.next_u64();
    let mut all = vec![Row::default(); rows];
    // One field in eight is missing.
    let mut column = |below: u64, put: &dyn Fn(&mut Row, u64)| {
        for row in &mut all {
            let drawn = draw();
            if !drawn.is_multiple_of(8) {
                put(row, (drawn >> 3) % below);
            }
        }
    };
    for at in 0..EACH {
        column(4_000, &|row, drawn| row.counts[at] = Some(drawn as i64 - 400));
    }
    for at in 0..EACH {
        column(2_000_000, &|row, drawn| {
            row.numbers[at] = Some(drawn as f64 / 1_000.0);
        });
    }
    for at in 0..EACH {
        column(2, &|row, drawn| row.flags[at] = Some(drawn == 1));
    }
    for at in 0..EACH {
        column(4, &|row, drawn| {
            row.codes[at] = Some(CODES[drawn as usize % CODES.len()])
        });
    }
    Data(all)
}

impl Data {
    fn header(&self) -> Vec<String> {
        let named = |what: &str| (0..EACH).map(|at| format!("{what}_{at}")).collect::<Vec<_>>();
        ["count", "number", "flag", "code"].map(named).concat()
    }

    /// A row, as a release makes it.
    fn row(&self, at: usize, rows: &mut Rows) -> Result<(), ReleaseError> {
        fn put<T: Copy>(rows: &mut Rows, fields: &[Option<T>], field: impl Fn(&mut Rows, T)) {
            for value in fields {
                match value {
                    Some(value) => field(rows, *value),
                    None => rows.field(""),
                }
            }
        }
        let row = &self.0[at];
        put(rows, &row.counts, |rows, count| rows.integer(count));
        put(rows, &row.numbers, |rows, number| rows.number(number));
        put(rows, &row.flags, |rows, flag| {
            rows.field(if flag { "TRUE" } else { "FALSE" });
        });
        put(rows, &row.codes, |rows, code| rows.field(code));
        rows.end()
    }

    /// What the peers must have read: the sum of all counts, and how many fields are missing.
    fn sum(&self) -> (f64, usize) {
        let counts = self.0.iter().flat_map(|row| &row.counts).flatten().sum::<i64>() as f64;
        fn missing<T>(fields: &[Option<T>]) -> usize {
            fields.iter().filter(|field| field.is_none()).count()
        }
        let of_row = |row: &Row| {
            missing(&row.counts) + missing(&row.numbers) + missing(&row.flags) + missing(&row.codes)
        };
        (counts, self.0.iter().map(of_row).sum())
    }
}

fn main() -> Result<(), Failure> {
    let asked = std::env::args().skip(1).find_map(|arg| arg.parse().ok());
    let rows: usize = asked.unwrap_or(1_000_000);
    let folder = std::env::temp_dir().join(format!("registry-csv-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let told = compare(rows, &folder);
    std::fs::remove_dir_all(&folder)?;
    told
}

fn compare(rows: usize, folder: &Path) -> Result<(), Failure> {
    let data = data(rows);
    let (header, file) = (data.header(), folder.join("table.csv"));
    let mut plain = || -> Result<(), Failure> {
        let mut out = BufWriter::new(File::create(&file)?);
        written::plain(&mut out, &header, rows, |at, into| data.row(at, into))?;
        Ok(out.flush()?)
    };
    let mut bytes = 0;
    let mut kept = || -> Result<(), Failure> {
        bytes = written::kept(folder, &header, rows, |at, into| data.row(at, into))?;
        Ok(())
    };
    let times = in_turns(ROUNDS, &mut [&mut plain, &mut kept])?;
    let [plain, kept] = [0, 1].map(|at| times.get(at).copied().unwrap_or_default().as_secs_f64());
    println!(
        "\n{rows} rows of {} columns, {:.0} MB, median of {ROUNDS}",
        header.len(),
        bytes as f64 / 1e6
    );
    println!("ours, the plain file             {plain:>8.2} s");
    println!("ours, compressed and hashed      {kept:>8.2} s");
    let python = std::env::var("PEERS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/benches/csv_peers.py");
    let done = Command::new(&python)
        .arg(script)
        .arg(&file)
        .arg(ROUNDS.to_string())
        .output()?;
    if !done.status.success() {
        return Err(format!("{python}: {}", String::from_utf8_lossy(&done.stderr)).into());
    }
    let said = String::from_utf8(done.stdout)?;
    for line in said.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, seconds, sum, missing] = words[..] else {
            return Err(format!("the peers say: {line}").into());
        };
        let seconds: f64 = seconds.parse()?;
        // A fast wrong answer is none.
        if (sum.parse::<f64>()?, missing.parse::<usize>()?) != data.sum() {
            return Err(format!("{name} has read another table: {line}").into());
        }
        println!(
            "{name:<32} {seconds:>8.2} s  ours is {:>5.2} x its time",
            plain / seconds
        );
        if name == "polars" {
            let met = if plain <= seconds { "met" } else { "MISSED" };
            println!("goal: 1.0 x of polars: {met}");
        }
    }
    Ok(())
}
