//! `registry funnel`: counts in, comparison out; no server, no database, no value repeated in an error.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{BINARY, Ended, on_file};

/// Runs it on a file of this content.
fn funnel(content: &str, more: &[&str]) -> Ended {
    on_file(
        "counts.csv",
        content,
        &[&["funnel", "--input", "counts.csv"], more].concat(),
    )
}

fn json(content: &str, more: &[&str]) -> Value {
    let ended = funnel(content, &[&["--format", "json"], more].concat());
    assert!(ended.success, "{}", ended.err);
    serde_json::from_str(&ended.out).expect("JSON")
}

fn near(what: &str, got: &Value, want: &Value) {
    let (got, want) = (got.as_f64().expect(what), want.as_f64().expect(what));
    assert!(
        (got - want).abs() <= 1e-9 * want.abs().max(1e-3),
        "{what}: {got} {want}"
    );
}

#[test]
fn the_reference_case() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/golden/statistics/proportion_reference_cases.json");
    let file: Value = serde_json::from_slice(&std::fs::read(path).expect("the reference")).expect("JSON");
    let case = file["cases"]
        .as_array()
        .expect("cases")
        .iter()
        .find(|c| c["id"] == "funnel_od_1_raw")
        .expect("the case");
    let (x, n, expected) = (&case["input"]["x"], &case["input"]["n"], &case["expected"]);
    let centres = x.as_array().expect("an array").len();
    let mut content = "centre,numerator,denominator\n".to_owned();
    for i in 0..centres {
        content.push_str(&format!("C{i:02},{},{}\n", x[i], n[i]));
    }
    let got = json(&content, &[]);
    near("target", &got["target"], &expected["theta"]);
    near("phi", &got["phi"], &expected["phi"]);
    near("tau2", &got["tau2"], &expected["tau2"]);
    assert_eq!(
        (&got["centres"], &got["target_source"]),
        (&Value::from(centres), &Value::from("pooled"))
    );
    for i in 0..centres {
        let row = &got["rows"][i];
        near("z", &row["z"], &expected["z"][i]);
        near("adjusted z", &row["z_adjusted"], &expected["z_additive"][i]);
        near(
            "adjusted limit",
            &row["adjusted_lower95"],
            &expected["add_lower95"][i],
        );
        let upper = expected["add_upper998"][i].as_f64().expect("a limit").min(1.0);
        near("adjusted limit", &row["adjusted_upper998"], &Value::from(upper));
        // Family of all centres: q is at least p.
        assert!(row["q"].as_f64() >= row["p"].as_f64());
    }

    // CSV says the same, every field of JSON in a column of its own.
    let lines = funnel(&content, &["--format", "csv"]);
    assert!(lines.success, "{}", lines.err);
    let header: Vec<&str> = lines.out.lines().next().expect("a header").split(',').collect();
    let fields = |value: &Value| {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let mut wanted = fields(&got["rows"][0]);
    wanted.extend(fields(&got).into_iter().filter(|f| f != "rows"));
    wanted.sort();
    let mut sorted = header.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, wanted);
    assert_eq!(header[0], "centre");
    assert_eq!(lines.out.lines().count(), centres + 1);
    let place = |name: &str| header.iter().position(|h| *h == name).expect("a column");
    let second: Vec<&str> = lines.out.lines().nth(2).expect("a line").split(',').collect();
    assert_eq!(second[place("z")], got["rows"][1]["z"].to_string());
    assert_eq!(second[place("phi")], got["phi"].to_string());
    assert_eq!(
        second[place("position")],
        got["rows"][1]["position"].as_str().expect("placed")
    );
}

#[test]
fn by_hand_with_a_target_and_a_centre_without_units() {
    // Around 1/2: P(R <= 1 of 10) = 11/1024, P(R = 10) = 1/1024 below 0.1 %; p doubled; BH over three.
    let got = json(
        "\u{feff}name, x ,N\nA,1,10\nB,0,0\n\"C, D\",10,10\nE,5,10\n",
        &["--target", "0.5"],
    );
    let row = |i: usize| &got["rows"][i];
    assert_eq!(
        (&got["centres"], &got["centres_assessable"]),
        (&Value::from(4), &Value::from(3))
    );
    assert_eq!(got["target_source"], "given");
    assert_eq!(
        (&row(0)["position"], &row(2)["position"]),
        (&Value::from("below95"), &Value::from("above998"))
    );
    near("p", &row(0)["p"], &Value::from(22.0 / 1024.0));
    near("q", &row(0)["q"], &Value::from(22.0 / 1024.0 * 3.0 / 2.0));
    near("q", &row(2)["q"], &Value::from(2.0 / 1024.0 * 3.0));
    assert_eq!(
        (&row(3)["p"], &row(3)["q"]),
        (&Value::from(1.0), &Value::from(1.0))
    );
    // z = (0.1 - 0.5) / sqrt(0.25 / 10).
    near("z", &row(0)["z"], &Value::from(-0.4 / 0.025_f64.sqrt()));
    near(
        "Wilson",
        &row(2)["wilson_lower"],
        &Value::from(10.0 / (10.0 + 1.959_963_984_540_054_f64.powi(2))),
    );
    assert_eq!(
        (&row(1)["state"], &row(1)["rate"], &row(1)["p"]),
        (&Value::from("not_assessable"), &Value::Null, &Value::Null)
    );
    assert_eq!(row(2)["centre"], "C, D");
    // Nobody has a unit: listed, with nothing to compare.
    let nobody = json("centre,x,n\nA,0,0\n", &[]);
    assert_eq!(
        (&nobody["target"], &nobody["rows"][0]["state"]),
        (&Value::Null, &Value::from("not_assessable"))
    );
}

#[test]
fn bad_input_names_row_and_column_and_no_value() {
    let refused = |content: &str, says: &[&str]| {
        let ended = funnel(content, &[]);
        assert!(!ended.success && ended.out.is_empty(), "{content}");
        for part in says {
            assert!(ended.err.contains(part), "{content:?}: {}", ended.err);
        }
        for value in ["777", "secret", "-3", "4.25"] {
            assert!(!ended.err.contains(value), "{content:?}: {}", ended.err);
        }
    };
    let good = "centre,numerator,denominator\nA,1,2\n";
    refused(
        &format!("{good}B,777,5\n"),
        &["row 2", "`numerator`", "more than column `denominator`"],
    );
    refused(&format!("{good}B,-3,5\n"), &["row 2", "`numerator`", "negative"]);
    refused(
        &format!("{good}B,1,-3\n"),
        &["row 2", "`denominator`", "negative"],
    );
    refused(
        &format!("{good}B,secret,5\n"),
        &["row 2", "`numerator`", "not a number"],
    );
    refused(
        &format!("{good}B,NaN,5\n"),
        &["row 2", "`numerator`", "not a number"],
    );
    refused(
        &format!("{good}B,1,4.25\n"),
        &["row 2", "`denominator`", "not a whole number"],
    );
    refused(&format!("{good}B,1,\n"), &["row 2", "`denominator`", "empty"]);
    refused(&format!("{good}B,1,77700000000\n"), &["row 2", "`denominator`"]);
    refused(&format!("{good}secret,1\n"), &["row 2", "fields"]);
    refused(
        &format!("{good}secret,1,2\nsecret,1,2\n"),
        &["row 3", "`centre`", "row 2"],
    );
    refused(&format!("{good},1,2\n"), &["row 2", "`centre`"]);
    refused("centre,numerator\nA,1\n", &["no column `denominator`"]);
    refused("centre,denominator\nA,1\n", &["no column `numerator`"]);
    refused("numerator,denominator\n1,2\n", &["no column `centre`"]);
    refused("centre,x,numerator,n\nA,1,1,2\n", &["more than one column"]);
    refused("centre,x,n\n", &["no row"]);
    refused("", &["no column"]);
    let target = funnel(good, &["--target", "80"]);
    assert!(
        !target.success && target.err.contains("between 0 and 1"),
        "{}",
        target.err
    );
    let help = Command::new(BINARY)
        .args(["funnel", "--help"])
        .output()
        .expect("it starts");
    assert!(String::from_utf8_lossy(&help.stdout).contains("registry funnel --input counts.csv"));
}
