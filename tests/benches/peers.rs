//! Our estimators on the same rows as lifelines and R's `survival`: Kaplan-Meier with its interval and the log-rank test of five groups at a
//! million rows, Cox's model at 100,000 rows of five covariates. `peers.sh` prepares lifelines and starts this.
//!
//! The rows are written once; each program reads them, then times the estimate alone, from its own columns (NumPy arrays, an R data frame,
//! slices), five times, and tells the median. Times are whole days up to ten years, as the registry's are.
//!
//! `PEERS_PYTHON=.. cargo bench -p registry-etl --features benches --bench peers [-- rows]`   (default 1,000,000)

#[path = "measured.rs"]
#[expect(dead_code, reason = "shared by several benches, each of which needs a part")]
mod measured;

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use measured::{Failure, in_turns};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use registry_etl::statistics::survival::{Columns, CoxModel, Groups, Rows, cox, log_rank};
use registry_etl::statistics::{Band, Subject, kaplan_meier_of};

const ROUNDS: usize = 5;
const GROUPS: u64 = 5;
const COVARIATES: usize = 5;
const LONGEST: f64 = 3652.0;

struct Data {
    time: Vec<f64>,
    event: Vec<i64>,
    group: Vec<String>,
    covariates: Vec<Vec<f64>>,
}

/// Exponential times of about three years, censored uniformly, a little faster from group to group and with each covariate.
fn data(rows: usize, width: usize, seed: u64) -> Data {
    let mut dice = ChaCha20Rng::seed_from_u64(seed);
    let mut unit = move || (dice.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let mut all = Data {
        time: Vec::with_capacity(rows),
        event: Vec::with_capacity(rows),
        group: Vec::with_capacity(rows),
        covariates: Vec::new(),
    };
    for _ in 0..rows {
        let group = (unit() * GROUPS as f64) as u64;
        let row: Vec<f64> = (0..width).map(|_| unit() * 2.0 - 1.0).collect();
        let faster = 1.0 + 0.02 * group as f64;
        let hazard = faster * (0.3 * row.iter().sum::<f64>()).exp() / 1_100.0;
        let (death, censored) = (-(1.0 - unit()).ln() / hazard, unit() * LONGEST);
        all.time.push(death.min(censored).ceil().max(1.0));
        all.event.push(i64::from(death <= censored));
        all.group.push(format!("group {group}"));
        if width > 0 {
            all.covariates.push(row);
        }
    }
    all
}

fn write(data: &Data, path: &Path) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::fs::File::create(path)?);
    write!(out, "time,event,group")?;
    let width = data.covariates.first().map_or(0, Vec::len);
    (0..width).try_for_each(|at| write!(out, ",x{at}"))?;
    writeln!(out)?;
    for i in 0..data.time.len() {
        write!(out, "{},{},{}", data.time[i], data.event[i], data.group[i])?;
        for value in data.covariates.get(i).into_iter().flatten() {
            write!(out, ",{value}")?;
        }
        writeln!(out)?;
    }
    Ok(out.flush()?)
}

/// What a peer says: `task seconds value` a line.
fn peer(program: &str, script: &str, folder: &Path) -> Result<BTreeMap<String, (f64, f64)>, Failure> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/benches")
        .join(script);
    let done = Command::new(program)
        .arg(script)
        .arg(folder)
        .arg(ROUNDS.to_string())
        .output()?;
    if !done.status.success() {
        return Err(format!("{program}: {}", String::from_utf8_lossy(&done.stderr)).into());
    }
    let text = String::from_utf8(done.stdout)?;
    let line = |line: &str| -> Option<(String, (f64, f64))> {
        let mut words = line.split_whitespace();
        let (task, seconds, value) = (words.next()?, words.next()?, words.next()?);
        Some((task.to_owned(), (seconds.parse().ok()?, value.parse().ok()?)))
    };
    Ok(text.lines().filter_map(line).collect())
}

fn main() -> Result<(), Failure> {
    let asked = std::env::args().skip(1).find_map(|arg| arg.parse().ok());
    let rows: usize = asked.unwrap_or(1_000_000);
    let folder = std::env::temp_dir().join(format!("registry-peers-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let told = compare(rows, &folder);
    std::fs::remove_dir_all(&folder)?;
    told
}

fn compare(rows: usize, folder: &Path) -> Result<(), Failure> {
    let many = data(rows, 0, 1);
    let few = data(rows / 10, COVARIATES, 2);
    write(&many, &folder.join("many.csv"))?;
    write(&few, &folder.join("few.csv"))?;
    let mut found: BTreeMap<&str, f64> = BTreeMap::new();
    let columns = |data: &Data| -> Result<Rows, Failure> {
        let columns = Columns {
            exit: &data.time,
            event: &data.event,
            ..Columns::default()
        };
        Ok(Rows::new(columns, 1)?)
    };
    let (mut median, mut chi_square, mut coefficient) = (0.0, 0.0, 0.0);
    let mut curve = || -> Result<(), Failure> {
        let pairs = many.time.iter().zip(&many.event);
        let subjects = pairs.map(|(time, event)| Subject::new(*time, *event == 1));
        let curve = kaplan_meier_of(subjects, 0.95, Band::LogLog)?;
        median = curve.time_at_survival(0.5)?.map_or(f64::NAN, |one| one.time);
        Ok(())
    };
    let mut test = || -> Result<(), Failure> {
        chi_square = log_rank(&columns(&many)?, &Groups::of(&many.group), None, 0.0)?.chi_square;
        Ok(())
    };
    let mut model = || -> Result<(), Failure> {
        let rows = columns(&few)?;
        let fitted = cox(&CoxModel::plain(&rows, &few.covariates, 0.95))?;
        coefficient = fitted.coefficients.first().copied().unwrap_or(f64::NAN);
        Ok(())
    };
    let times = in_turns(ROUNDS, &mut [&mut curve, &mut test, &mut model])?;
    let ours: BTreeMap<&str, Duration> = ["kaplan_meier", "log_rank", "cox"]
        .into_iter()
        .zip(times)
        .collect();
    found.extend([
        ("kaplan_meier", median),
        ("log_rank", chi_square),
        ("cox", coefficient),
    ]);
    let python = std::env::var("PEERS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let peers = [
        ("lifelines", peer(&python, "peers.py", folder)?),
        ("R survival", peer("Rscript", "peers.R", folder)?),
    ];
    println!("\n{rows} rows (a tenth of them for cox), median of {ROUNDS}");
    for (task, goal, against) in [
        ("kaplan_meier", 1.0 / 5.0, &["lifelines"][..]),
        ("log_rank", 1.0 / 4.0, &["lifelines", "R survival"][..]),
        ("cox", 1.0, &["R survival"][..]),
    ] {
        let (time, value) = (ours[task].as_secs_f64(), found[task]);
        println!("{task:<14} ours       {:>9.1} ms", time * 1e3);
        let mut best = f64::INFINITY;
        for (name, told) in &peers {
            let Some((seconds, theirs)) = told.get(task) else {
                return Err(format!("{name} says nothing of {task}").into());
            };
            // A fast wrong answer is none.
            if (value - theirs).abs() > 1e-5 * theirs.abs() {
                return Err(format!("{task}: ours {value}, {name} {theirs}").into());
            }
            println!(
                "{:<14} {name:<10} {:>9.1} ms  {:>6.3} x its time",
                "",
                seconds * 1e3,
                time / seconds
            );
            if against.contains(name) {
                best = best.min(*seconds);
            }
        }
        let met = if time <= goal * best { "met" } else { "MISSED" };
        println!("{:<14} goal: {goal:.2} x of {}: {met}", "", against.join(" or "));
    }
    Ok(())
}
