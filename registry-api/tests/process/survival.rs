//! `registry survival`: a cohort in, curves, tests and models out; the reference through the command, and bad files.

use std::io::Read;
use std::path::Path;

use serde_json::Value;

use crate::support::{Ended, on_file};

const PLAIN: [&str; 4] = ["--time", "time", "--event", "event"];

fn survival(content: &str, more: &[&str]) -> Ended {
    on_file(
        "cohort.csv",
        content,
        &[&["survival", "--input", "cohort.csv"], more].concat(),
    )
}

fn json(content: &str, more: &[&str]) -> Value {
    let ended = survival(content, &[more, &["--format", "json"]].concat());
    assert!(ended.success, "{}", ended.err);
    serde_json::from_str(&ended.out).expect("JSON")
}

fn file() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/golden/statistics/survival_reference_cases.json.gz");
    let packed = std::fs::read(path).expect("the reference");
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(packed.as_slice())
        .read_to_end(&mut plain)
        .expect("gzip");
    serde_json::from_slice(&plain).expect("JSON")
}

/// The input of a case as CSV, and what the reference expects.
fn case(file: &Value, id: &str, method: &str) -> (String, Value) {
    let cases = file["cases"].as_array().expect("cases");
    let case = cases
        .iter()
        .find(|c| c["id"] == id && c["method"] == method)
        .expect(id);
    let columns = file["inputs"][case["input"].as_str().expect("input")]["columns"]
        .as_object()
        .expect("columns");
    let names: Vec<&str> = columns.keys().map(String::as_str).collect();
    let mut content = names.join(",") + "\n";
    let n = columns[names[0]].as_array().expect("a column").len();
    let cell = |v: &Value| match v {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    for i in 0..n {
        let row: Vec<String> = columns.values().map(|c| cell(&c[i])).collect();
        content.push_str(&(row.join(",") + "\n"));
    }
    (content, case["expected"].clone())
}

fn near(what: &str, got: &Value, want: &Value, relative: f64) {
    if want.is_null() {
        assert!(got.is_null(), "{what}: {got} {want}");
        return;
    }
    let (got, want) = (got.as_f64().expect(what), want.as_f64().expect(what));
    assert!(
        (got - want).abs() <= relative * want.abs().max(1e-3),
        "{what}: {got} {want}"
    );
}

#[test]
fn the_reference_through_the_command() {
    let file = file();
    let with = |more: &[&'static str]| [&PLAIN[..], more].concat();

    let (content, want) = case(&file, "lung_overall/log-log", "kaplan_meier");
    let got = json(&content, &with(&["--method", "km", "--at", "365.25", "730.5"]));
    near(
        "median",
        &got["summary"][0]["median"],
        &want[0]["quantile"]["value"][1],
        1e-9,
    );
    near(
        "its end",
        &got["summary"][0]["upper"],
        &want[0]["quantile"]["upper"][1],
        1e-9,
    );
    for i in 0..2 {
        for (ours, theirs) in [("survival", "surv"), ("lower", "lower"), ("upper", "upper")] {
            near(ours, &got["at"][i][ours], &want[0]["at"][theirs][i], 1e-9);
        }
    }

    let (content, want) = case(&file, "lung_revkm", "reverse_km");
    let got = json(&content, &with(&["--method", "reverse-km"]));
    near("median", &got["summary"][0]["median"], &want[0]["value"][1], 1e-9);

    let (content, want) = case(&file, "veteran_logrank_celltype", "logrank");
    let got = json(&content, &with(&["--method", "logrank", "--group", "celltype"]));
    near("chi-square", &got["test"][0]["chi_square"], &want["chisq"], 1e-9);
    assert_eq!(got["test"][0]["df"], want["df"]);
    let (_, pairs) = case(&file, "veteran_pairwise", "pairwise_logrank");
    for i in 0..6 {
        near("holm", &got["pairs"][i]["p_holm"], &pairs["p_holm"][i], 1e-9);
    }

    let (content, want) = case(&file, "heart_td/efron", "cox_ph");
    let td = [
        "--method",
        "cox",
        "--entry",
        "start",
        "--covariate",
        "age,year,surgery,tx",
    ];
    let got = json(&content, &with(&td));
    for i in 0..4 {
        near(
            "coefficient",
            &got["model"][i]["coefficient"],
            &want["coef"][i],
            1e-6,
        );
        near("upper", &got["model"][i]["upper"], &want["hr_upper"][i], 1e-6);
        near(
            "zph",
            &got["proportional_hazards"][i]["p"],
            &want["zph_km"]["p"][i],
            1e-6,
        );
    }
    let (content, want) = case(&file, "lung_cox_cluster_inst/efron", "cox_ph");
    let got = json(
        &content,
        &with(&[
            "--method",
            "cox",
            "--subject",
            "inst",
            "--covariate",
            "age",
            "sexf",
        ]),
    );
    near("robust", &got["model"][1]["std_err"], &want["robust_se"][1], 1e-6);
    let (content, want) = case(&file, "lung_cox_strat_inst/breslow", "cox_ph");
    let strata = [
        "--method",
        "cox",
        "--strata",
        "inst",
        "--ties",
        "breslow",
        "--covariate",
        "age,sexf",
    ];
    let got = json(&content, &with(&strata));
    near(
        "stratified",
        &got["model"][0]["coefficient"],
        &want["coef"][0],
        1e-6,
    );

    let (content, want) = case(&file, "lung_rmst_sex_730", "rmst_two_group");
    let got = json(
        &content,
        &with(&["--method", "rmst", "--group", "sexf", "--tau", "730"]),
    );
    near(
        "difference",
        &got["contrast"][0]["estimate"],
        &want["difference"]["est"],
        1e-9,
    );

    let (content, want) = case(&file, "jasa_lm60", "landmark");
    let got = json(
        &content,
        &with(&["--method", "landmark", "--exposure", "wait", "--landmark", "60"]),
    );
    assert_eq!(got["landmark"][0]["kept"], want["n"]);
    near(
        "chi-square",
        &got["test"][0]["chi_square"],
        &want["logrank_chisq"],
        1e-9,
    );
    near("Cox", &got["model"][0]["coefficient"], &want["cox_coef"], 1e-6);
}

#[test]
fn competing_events_through_the_command() {
    let file = file();
    let with = |more: &[&'static str]| [&["--time", "time", "--event", "status"], more].concat();
    let (content, want) = case(&file, "mgus2_aj_sex/gray", "gray_test");
    let got = json(
        &content,
        &with(&["--method", "gray", "--group", "sex", "--cause", "2"]),
    );
    near("Gray", &got["test"][0]["chi_square"], &want["stat"][1], 1e-9);

    let (content, want) = case(&file, "sim05_aj/log-log", "aalen_johansen");
    let got = json(
        &content,
        &with(&["--method", "aalen-johansen", "--at", "12,24,36,60"]),
    );
    for i in 0..8 {
        let (cause, at) = (i / 4, i % 4);
        for (ours, theirs) in [("incidence", "cif"), ("std_err", "std_err"), ("upper", "upper")] {
            near(
                ours,
                &got["incidence"][i][ours],
                &want[0]["causes"][cause]["at"][theirs][at],
                1e-9,
            );
        }
    }

    let (content, want) = case(&file, "mgus2_fg", "fine_gray");
    let covariates = ["--method", "fine-gray", "--covariate", "age", "sexm", "mspike"];
    let got = json(&content, &with(&covariates));
    for i in 0..3 {
        let alternative = &want["alt_finegray_coxph_breslow_coef"][i];
        near("Fine-Gray", &got["model"][i]["coefficient"], alternative, 1e-6);
    }
}

#[test]
fn a_table_for_a_person() {
    // S after 1, 2, 4: 3/4, 1/2, 0; R's median where S is 1/2 from 2 to 4: 3.
    let ended = survival(
        "time,event\n1,1\n2,1\n3,0\n4,1\n",
        &[&PLAIN[..], &["--method", "km"]].concat(),
    );
    assert!(ended.success, "{}", ended.err);
    let lines: Vec<Vec<&str>> = ended
        .out
        .lines()
        .map(|l| l.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0], ["summary"]);
    assert_eq!(lines[2][..4], ["all", "4", "3", "3"]);
    assert_eq!(lines[4], ["curve"]);
    assert_eq!(lines[6][..6], ["all", "1", "4", "1", "0", "0.75"]);
    assert_eq!(lines[9], ["all", "4", "1", "1", "0", "0", "-", "-"]);
}

#[test]
fn bad_files_are_refused_by_line_and_column() {
    let cases: [(&str, &[&str], &str); 15] = [
        (
            "time,event\n",
            &["--method", "km"],
            "there is no row under the header",
        ),
        (
            "time,dead\n1,1\n",
            &["--method", "km"],
            "there is no column `event`",
        ),
        (
            "time,event,time\n1,1,1\n",
            &["--method", "km"],
            "more than one column `time`",
        ),
        (
            "time,event\n1,1\n2\n",
            &["--method", "km"],
            "line 3: 1 fields, the header has 2",
        ),
        (
            "time,event\n1,1\n,0\n",
            &["--method", "km"],
            "line 3, column `time`: empty",
        ),
        (
            "time,event\n1,1\nsecret,0\n",
            &["--method", "km"],
            "line 3, column `time`: not a number",
        ),
        (
            "time,event\n1,1\ninf,0\n",
            &["--method", "km"],
            "line 3, column `time`: not a finite number",
        ),
        (
            "time,event\n1,1\n\n-2,0\n",
            &["--method", "km"],
            "line 4, column `time`: a time is a finite",
        ),
        (
            "time,event\n1,1\n2,yes\n",
            &["--method", "km"],
            "line 3, column `event`: not an event code",
        ),
        (
            "time,event,s\n1,1,0\n2,1,2\n",
            &["--method", "km", "--entry", "s"],
            "line 3, column `s`: not before",
        ),
        (
            "time,event,w\n1,1,0\n",
            &["--method", "km", "--weights", "w"],
            "line 2, column `w`: a weight is above 0",
        ),
        (
            "time,event,g\n1,1,a\n2,1,\n",
            &["--method", "logrank", "--group", "g"],
            "line 3, column `g`: empty",
        ),
        (
            "time,event,id\n1,1,a\n2,1,a\n",
            &["--method", "km", "--subject", "id"],
            "line 3, column `id`: the same subject as in line 2",
        ),
        (
            "time,event,x\n1,1,4\n2,1,3\n3,1,2\n4,0,1\n",
            &["--method", "cox", "--covariate", "x"],
            "separation",
        ),
        (
            "time,event,s\n2,1,1\n3,2,0\n",
            &["--method", "gray", "--entry", "s", "--group", "event"],
            "does not take delayed entry",
        ),
    ];
    for (content, more, why) in cases {
        let ended = survival(content, &[&PLAIN[..], more].concat());
        assert!(!ended.success, "{content}");
        assert!(ended.err.contains(why), "{why}: {}", ended.err);
        assert!(!ended.err.contains("secret"), "no value in an error");
        assert_eq!(ended.out, "", "no number beside an error");
    }
    let usage = survival("time,event\n1,1\n", &[&PLAIN[..], &["--method", "rmst"]].concat());
    assert!(!usage.success && usage.err.contains("--tau"), "{}", usage.err);
}
