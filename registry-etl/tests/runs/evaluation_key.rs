//! What an evaluation depends on: each part of its key makes a run evaluate again, and the engine's version is raised when its answers change.

use std::path::Path;
use std::sync::Arc;

use registry_core::storage::{CaseStatus, Run, StoreError};
use registry_core::validation::Judge;
use registry_core::versions::SchemaStore;
use registry_etl::measures::Engine;
use registry_etl::runs::{self, Options};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::registry::{Registry, as_of, engine, judge, system};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema");
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runs/evaluations.txt");

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// The engine over the schema with one file changed as `change` says, and its digest in the catalogue with it.
fn engine_with(file: &str, change: impl FnOnce(&str) -> String) -> Engine {
    let folder = tempfile::tempdir().expect("a folder");
    copy(Path::new(SCHEMA), folder.path());
    let path = folder.path().join(file);
    let before = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{file}: {e}"));
    let after = change(&before);
    std::fs::write(&path, &after).expect("written");
    let sha256 = |text: &str| hex::encode(Sha256::digest(text.as_bytes()));
    let catalogue = folder.path().join("catalog.toml");
    let listed = std::fs::read_to_string(&catalogue).expect("the catalogue");
    let listed = listed.replace(&sha256(&before), &sha256(&after));
    std::fs::write(&catalogue, listed).expect("written");
    let schemas = SchemaStore::from_dir(folder.path()).unwrap_or_else(|e| panic!("{file}: {e}"));
    let judge = Judge::new(Arc::new(schemas)).unwrap_or_else(|e| panic!("{file}: {e}"));
    Engine::new(Arc::new(judge)).expect("a guideline")
}

fn run_by(registry: &Registry, engine: &Engine) -> Run {
    let options = Options {
        cut_off: as_of(),
        threads: 2,
        thresholds: Default::default(),
    };
    runs::execute(&registry.store, &system(), engine, &options, |_| ()).expect("a run")
}

fn evaluated(run: &Run) -> u64 {
    let summary = run.summary.as_ref().expect("finished");
    summary["evaluated"].as_u64().expect("a count")
}

#[test]
fn a_change_of_guideline_checks_code_lists_or_quality_rules_evaluates_again() {
    let registry = Registry::with(3, 1);
    assert_eq!(evaluated(&registry.run()), 3);
    let more = |text: &str| format!("{text}\n# another remark\n");
    let unchanged = engine_with("quality/phases.toml", str::to_owned);
    assert_eq!(evaluated(&run_by(&registry, &unchanged)), 0, "the same rules");
    let measure = "guideline/tarpswg-metastatic-rps/1.1.0/measures/1a.toml";
    let renamed = |text: &str| text.replace("\"Systemic agents\"", "\"Systemic drugs\"");
    let changed = [
        ("the guideline", engine_with(measure, more)),
        ("the checks", engine_with("checks/E-001.toml", more)),
        ("the code lists", engine_with("codelists/agents.json", renamed)),
        ("the quality rules", engine_with("quality/phases.toml", more)),
        (
            "the committee's decisions",
            engine_with("adjudication/README.md", more),
        ),
    ];
    for (what, engine) in &changed {
        assert_eq!(evaluated(&run_by(&registry, engine)), 3, "{what}");
        assert_eq!(evaluated(&run_by(&registry, engine)), 0, "{what}, again");
    }
    // What was evaluated under the rules before is still there.
    assert_eq!(evaluated(&registry.run()), 0);
}

/// Digests of what the rules are made of, and of what they are applied to.
fn rules_and_examples() -> String {
    let judge = judge();
    let files = judge.store().files();
    let folders = [
        "adjudication/",
        "case/",
        "checks/",
        "codelists/",
        "guideline/",
        "quality/",
        "examples/",
    ];
    let all: String = folders.iter().map(|folder| files.digest_below(folder)).collect();
    hex::encode(Sha256::digest(all))
}

/// Every valid example, evaluated by a run.
fn evaluations() -> String {
    let registry = Registry::with(0, 1);
    let mut cases = 0;
    for version in ["1.0.0", "1.1.0"] {
        let folder = Path::new(SCHEMA).join(format!("examples/{version}/valid"));
        let mut files: Vec<_> = std::fs::read_dir(&folder)
            .expect("examples")
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        files.sort();
        for file in files {
            let text = std::fs::read_to_string(&file).expect("an example");
            let mut body: Value = serde_json::from_str(&text).expect("JSON");
            let name = format!("EXAMPLE-{cases:03}");
            body["patient"]["pseudonym_id"] = name.clone().into();
            let stored = registry.put("C01", &name, body, CaseStatus::Submitted);
            stored.unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            cases += 1;
        }
    }
    let run = registry.run();
    assert!(cases > 12 && evaluated(&run) == cases, "{cases} examples");
    let mut digest = Sha256::new();
    registry
        .store
        .for_each_run_evaluation::<StoreError>(&system(), run.number, 50, |batch| {
            for evaluation in batch {
                digest.update(&evaluation.payload);
            }
            Ok(())
        })
        .expect("read");
    hex::encode(digest.finalize())
}

/// The keys of evaluations hold the engine's version and not its code: whoever changes what it answers has to raise the version, or a run
/// goes on with answers of before. `REGISTRY_TEST_UPDATE=1` notes a change of rules, examples or version.
#[test]
fn the_engine_answers_as_its_version_did() {
    let now = [engine().version(), rules_and_examples(), evaluations()];
    let kept = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    let kept: Vec<&str> = kept
        .lines()
        .map(|line| line.split(' ').next_back().unwrap_or_default())
        .collect();
    if kept == now {
        return;
    }
    let same = |n: usize| kept.get(n).is_some_and(|kept| *kept == now[n]);
    assert!(
        !(same(0) && same(1)),
        "the same rules give other evaluations of the examples: raise ENGINE_VERSION (registry-core/src/guideline) or EVALUATION_VERSION \
         (registry-etl/src/measures/engine.rs), then run again with REGISTRY_TEST_UPDATE=1"
    );
    assert!(
        std::env::var_os("REGISTRY_TEST_UPDATE").is_some(),
        "rules, examples or the version changed: look at the change, then run again with REGISTRY_TEST_UPDATE=1"
    );
    let [version, rules, answers] = now;
    let text = format!("version {version}\nrules-and-examples {rules}\nevaluations {answers}\n");
    std::fs::write(GOLDEN, text).expect("written");
}
