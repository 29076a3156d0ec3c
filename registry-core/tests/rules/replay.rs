//! Test patients with their expected results: the golden ones, and those beside each guideline.

use std::collections::BTreeMap;

use registry_core::guideline::patients::TestPatients;
use registry_core::guideline::questions::Questions;
use registry_core::guideline::{Guideline, Outcome};
use registry_core::record::{CentreTable, Record};
use serde_json::Value;

use crate::golden::{CHECKS, MEASURES};
use crate::support::{NEWEST, STORE, centres, golden, read};

/// Outcome, reason and element of one case, as one line.
fn expected(case: &Value) -> String {
    let expected = &case["expected"];
    let text = |key: &str| expected[key].as_str().unwrap_or("-").to_owned();
    format!("{} {} {}", text("outcome"), text("reason"), text("element"))
}

fn judged(guideline: &Guideline, record: &Record, case: &Value) -> String {
    let id = case["measure"].as_str().unwrap();
    let (measure, _) = guideline.measure(id).unwrap_or_else(|| panic!("no measure {id}"));
    let unit = case["unit_index"].as_u64().unwrap_or(0) as u32;
    let results = guideline.evaluate(record);
    let found: Vec<_> = results
        .iter()
        .filter(|result| result.measure == measure && result.unit_index == unit)
        .collect();
    let [result] = found[..] else {
        return format!("{} results", found.len());
    };
    format!(
        "{} {} {}",
        result.outcome.as_str(),
        result.reason.map_or("-", |reason| reason.as_str()),
        result.element.as_deref().unwrap_or("-")
    )
}

fn replay(guideline: &Guideline, cases: &[Value], document: &str, table: &CentreTable) -> Vec<String> {
    let mut wrong = Vec::new();
    for case in cases {
        let record = read(&case[document], table);
        let (expected, judged) = (expected(case), judged(guideline, &record, case));
        if expected != judged {
            wrong.push(format!(
                "{}: expected {expected}, judged {judged}",
                case["id"].as_str().unwrap()
            ));
        }
        // Explaining must say the same.
        let unit = case["unit_index"].as_u64().unwrap_or(0) as u32;
        let (measure, _) = guideline.measure(case["measure"].as_str().unwrap()).unwrap();
        let explained = guideline.explain(&record, measure, unit);
        let result = guideline
            .evaluate(&record)
            .into_iter()
            .find(|result| (result.measure, result.unit_index) == (measure, unit));
        assert_eq!(explained.map(|explained| explained.result), result);
    }
    wrong
}

#[test]
fn all_golden_test_patients() {
    let all = golden("test-cases.json");
    let cases = all["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 271);
    let wrong = replay(&MEASURES, cases, "record_document", &centres(&all["centre"]));
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_golden_measure_has_a_test_patient() {
    let all = golden("test-cases.json");
    for measure in &MEASURES.measures {
        let cases = all["cases"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|case| case["measure"] == measure.id.as_str());
        assert!(cases.count() > 0, "{}", measure.id);
    }
}

#[test]
fn all_golden_edit_cases() {
    let all = golden("test-cases.json");
    let table = centres(&all["centre"]);
    let cases = all["edit_cases"].as_array().unwrap();
    assert_eq!(cases.len(), 25);
    for case in cases {
        let record = read(&case["record_document"], &table);
        let fired: Vec<&str> = CHECKS
            .run(&record)
            .iter()
            .map(|fired| CHECKS.checks()[fired.check].id.as_str())
            .collect();
        for id in case["fires"].as_array().unwrap() {
            assert!(
                fired.contains(&id.as_str().unwrap()),
                "{} must fire {id}: {fired:?}",
                case["id"]
            );
        }
        for id in case["silent"].as_array().unwrap() {
            assert!(
                !fired.contains(&id.as_str().unwrap()),
                "{} must not fire {id}",
                case["id"]
            );
        }
    }
}

#[test]
fn patients_beside_each_guideline() {
    let guidelines = Guideline::all(&STORE, &NEWEST).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(!guidelines.is_empty());
    for guideline in &guidelines {
        let all = TestPatients::of(&STORE, guideline).unwrap_or_else(|error| panic!("{error}"));
        let wrong: Vec<String> = all
            .patients
            .iter()
            .filter_map(|patient| {
                let judged = patient.judged(guideline, &all.centres);
                let differs = judged.as_ref() != Some(&patient.expected);
                differs.then(|| format!("{}: expected {}, judged {judged:?}", patient.id, patient.expected))
            })
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let lacking = all.lacking(guideline);
        assert!(lacking.is_empty(), "outcomes without a test patient: {lacking:?}");
        // Without those that meet 24c, that is what is missed.
        let mut fewer = all.clone();
        fewer
            .patients
            .retain(|patient| patient.measure != "24c" || patient.expected.outcome != "MET");
        assert_eq!(fewer.lacking(guideline), [("24c".to_owned(), Outcome::Met)]);
    }
}

/// Checks whose condition under `schema/` differs from the golden one, and why.
const MENDED: [(&str, &str); 10] = [
    ("E-047", "needles of more than 22 G are usual for aspiration"),
    ("E-052", "reads the origin of a specimen since case schema 1.1.0"),
    ("E-055", "a refuted lesion is no metastasis"),
    ("E-056", "a refuted lesion is no metastasis"),
    ("E-057", "a refuted lesion is no metastasis"),
    ("E-058", "a refuted lesion is no metastasis"),
    ("E-062", "the rate has another name since case schema 1.1.0"),
    (
        "E-069",
        "no dose at all is right for a line without anthracycline",
    ),
    ("E-079", "an unknown day of enrolment is an answer, as in E-080"),
    ("E-101", "an attestation of `all` stands for every section"),
];

#[test]
fn the_checks_under_schema_say_what_the_golden_ones_say() {
    let set = registry_core::rules::CheckSet::of(&STORE, &NEWEST).unwrap_or_else(|errors| panic!("{errors}"));
    let all = golden("test-cases.json");
    let table = centres(&all["centre"]);
    for case in all["edit_cases"].as_array().unwrap() {
        let golden = read(&case["record_document"], &table);
        let newest = STORE.newest(&case["record_document"], "1.0.0");
        let newest = Record::read(newest.as_ref(), &NEWEST, &table);
        let ids =
            |set: &registry_core::rules::CheckSet, record: &Record| -> Vec<(String, Option<(u16, u32)>)> {
                let fired = set.run(record);
                let known = fired
                    .iter()
                    .map(|fired| (set.checks()[fired.check].id.clone(), fired.row));
                // The rules for conditional requirements are written beside the golden checks.
                known.filter(|(id, _)| id.starts_with("E-")).collect()
            };
        assert_eq!(ids(&set, &newest), ids(&CHECKS, &golden), "{}", case["id"]);
    }
}

#[test]
fn the_checks_under_schema_are_the_golden_ones_but_for_the_mended() {
    let set = registry_core::rules::CheckSet::of(&STORE, &NEWEST).unwrap_or_else(|errors| panic!("{errors}"));
    let condition = |check: &registry_core::rules::Check| {
        let text = check.expression.as_deref()?;
        Some(registry_core::rules::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}")))
    };
    let (mut differ, mut reworded) = (Vec::new(), Vec::new());
    for golden in CHECKS.checks() {
        let check = set
            .check(&golden.id)
            .unwrap_or_else(|| panic!("no {}", golden.id));
        assert_eq!(check.severity, golden.severity, "{}", golden.id);
        assert_eq!(check.scope, golden.scope, "{}", golden.id);
        assert_eq!(check.evaluated_by, golden.evaluated_by, "{}", golden.id);
        // A check whose sense was mended says so in its version and in its words; a renamed element is no mending.
        let mended = check.version != golden.version;
        assert_eq!(
            check.rule_in_words == golden.rule_in_words,
            !mended,
            "{}",
            golden.id
        );
        if mended {
            reworded.push(check.id.as_str());
        }
        assert_eq!(check.message, golden.message);
        assert_eq!(check.blocks, golden.blocks, "{}", golden.id);
        if condition(check) != condition(golden) {
            differ.push(check.id.as_str());
        }
    }
    assert_eq!(differ, MENDED.map(|(id, _)| id));
    let renamed = |id: &&str| {
        MENDED
            .iter()
            .any(|(one, why)| one == id && why.ends_with("since case schema 1.1.0"))
    };
    differ.retain(|id| !renamed(id));
    assert_eq!(reworded, differ);
}

#[test]
fn outcomes_have_their_codes() {
    for outcome in Outcome::ALL {
        assert_eq!(Outcome::from_code(outcome.as_str()), Some(outcome));
    }
    assert_eq!(Outcome::from_code("met"), None);
}

#[test]
fn every_open_question_names_measures_and_every_written_proposal_compiles() {
    let guideline = &Guideline::all(&STORE, &NEWEST).unwrap_or_else(|errors| panic!("{errors}"))[0];
    let questions = Questions::of(&STORE, &guideline.id).unwrap_or_else(|error| panic!("{error}"));
    assert!(questions.questions.len() > 30, "{}", questions.questions.len());
    let mut written = 0;
    for question in &questions.questions {
        for measure in &question.measures {
            assert!(guideline.measure(measure).is_some(), "{}: {measure}", question.id);
        }
        let folder = format!("guideline/{}/", guideline.folder);
        let mut tables: BTreeMap<String, toml::Table> = BTreeMap::new();
        for change in &question.changes {
            written += 1;
            let path = format!("{folder}measures/{}.toml", change.measure);
            let table = tables
                .entry(path.clone())
                .or_insert_with(|| STORE.file(&path).expect("a measure").parse().expect("TOML"));
            table.insert(change.field.clone(), change.expression.trim().into());
            if let Some(parameters) = &change.parameters {
                table.insert("parameters".to_owned(), parameters.clone().into());
            }
        }
        let changed: BTreeMap<String, String> = tables
            .into_iter()
            .map(|(path, table)| (path, table.to_string()))
            .collect();
        let files: Vec<(&str, &str)> = STORE
            .files()
            .below(&folder)
            .filter(|file| file.ends_with(".toml"))
            .map(|file| {
                (
                    file,
                    changed
                        .get(file)
                        .map_or_else(|| STORE.file(file).expect("a file"), String::as_str),
                )
            })
            .collect();
        let compiled = Guideline::compile(&files, &NEWEST, &Default::default());
        assert!(
            compiled.is_ok(),
            "{}: {}",
            question.id,
            compiled.err().expect("errors")
        );
    }
    assert!(written >= 30, "{written}");
}
