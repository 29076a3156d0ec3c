//! All measures on streamed documents, one core: read from their bytes, derived, checked, evaluated, against parsing the
//! same bytes alone. Then the explanation of every measure on one case.
//!
//! `cargo bench -p registry-core --features benches --bench assess -- 10000 100000`   (default 10,000)

#[path = "measured.rs"]
#[expect(dead_code, reason = "shared by several benches, each of which needs a part")]
mod measured;

use std::hint::black_box;
use std::time::{Duration, Instant};

use measured::{Failure, cohort, judge, line, newest_case, peak_memory};
use registry_core::record::CentreTable;
use registry_core::synthetic::CohortPlan;
use registry_core::validation::{Envelope, Judge};
use serde_json::Value;
use uuid::Uuid;

/// Documents in memory at a time.
const STRETCH: u32 = 500;

struct Bench {
    judge: Judge,
    centres: CentreTable,
    plan: CohortPlan,
}

fn main() -> Result<(), Failure> {
    let sizes: Vec<u32> = std::env::args()
        .skip(1)
        .filter_map(|arg| arg.parse().ok())
        .collect();
    for cases in if sizes.is_empty() { vec![10_000] } else { sizes } {
        let plan = cohort(cases)?;
        let (judge, centres) = judge(&plan)?;
        let bench = Bench { judge, centres, plan };
        bench.evaluate()?;
        bench.explain()?;
        if let Some(peak) = peak_memory() {
            println!("  peak memory of the process so far: {peak} MiB");
        }
    }
    Ok(())
}

impl Bench {
    /// Bytes and envelope of a case.
    fn sent(&self, index: u32) -> Result<(Vec<u8>, Envelope), Failure> {
        let case = newest_case(self.judge.store(), &self.plan, index);
        let envelope = Envelope {
            record_id: Uuid::from_u128(u128::from(index)),
            centre_id: case.centre_id,
            submitted_at: case.submitted_at,
            data_cutoff_date: self.plan.as_of,
        };
        Ok((serde_json::to_vec(&case.body)?, envelope))
    }

    fn evaluate(&self) -> Result<(), Failure> {
        let guideline = self
            .judge
            .in_force(&self.judge.store().current().version)
            .ok_or("no guideline is in force")?;
        let (mut parsing, mut reading, mut evaluating) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        let mut outcomes = 0;
        let cases = self.plan.cases;
        for from in (0..cases).step_by(STRETCH as usize) {
            let stretch = (from..cases.min(from + STRETCH))
                .map(|index| self.sent(index))
                .collect::<Result<Vec<_>, _>>()?;
            let began = Instant::now();
            for (bytes, _) in &stretch {
                black_box(serde_json::from_slice::<Value>(bytes)?);
            }
            parsing += began.elapsed();
            for (bytes, envelope) in &stretch {
                let began = Instant::now();
                let body: Value = serde_json::from_slice(bytes)?;
                let (record, _) = self
                    .judge
                    .read(&body, envelope, &self.centres)
                    .ok_or("a synthetic case is of an accepted version")?;
                let read = Instant::now();
                outcomes += black_box(guideline.evaluate(&record)).len();
                reading += read - began;
                evaluating += read.elapsed();
            }
        }
        let count = cases as usize;
        println!(
            "\n{cases} cases, {} measures, {outcomes} outcomes, one thread",
            guideline.measures.len()
        );
        line("  baseline: parsing alone", parsing, count, None);
        line(
            "  parsing, deriving, checking, blocking",
            reading,
            count,
            Some(parsing),
        );
        line("  evaluating all measures", evaluating, count, Some(parsing));
        line(
            "  together: from bytes to outcomes",
            reading + evaluating,
            count,
            Some(parsing),
        );
        Ok(())
    }

    /// One case after the other, each measure explained on its first unit.
    fn explain(&self) -> Result<(), Failure> {
        let guideline = self
            .judge
            .in_force(&self.judge.store().current().version)
            .ok_or("no guideline is in force")?;
        let (mut longest, mut whole, mut explained) = (Duration::ZERO, Duration::ZERO, 0_u32);
        for index in 0..20 {
            let (bytes, envelope) = self.sent(index)?;
            for measure in 0..guideline.measures.len() {
                let began = Instant::now();
                let body: Value = serde_json::from_slice(&bytes)?;
                let (record, _) = self
                    .judge
                    .read(&body, &envelope, &self.centres)
                    .ok_or("a synthetic case is of an accepted version")?;
                black_box(guideline.evaluate(&record));
                black_box(guideline.explain(&record, u16::try_from(measure)?, 0));
                let took = began.elapsed();
                longest = longest.max(took);
                whole += took;
                explained += 1;
            }
        }
        println!(
            "  a case from bytes to all outcomes and one explanation: {:.2} ms on average, {:.2} ms at most",
            whole.as_secs_f64() * 1e3 / f64::from(explained),
            longest.as_secs_f64() * 1e3
        );
        Ok(())
    }
}
