//! `registry pseudonymise`: identifiers in, pseudonyms out; nothing identifying leaves, nothing is stored.

use std::process::Command;

use crate::support::BINARY;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const IDENTIFIERS: [&str; 4] = ["--identifier", "health_number", "--identifier", "birth_date:day"];

fn run(content: &str, key: &str, more: &[&str]) -> (bool, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("patients.csv"), content).expect("written");
    std::fs::write(folder.path().join("pseudonym.key"), key).expect("written");
    let out = Command::new(BINARY)
        .current_dir(folder.path())
        .env_clear()
        .args([
            "pseudonymise",
            "--input",
            "patients.csv",
            "--key-file",
            "pseudonym.key",
        ])
        .args(more)
        .output()
        .expect("the binary starts");
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 2, "nothing is stored");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (out.status.success(), text(out.stdout), text(out.stderr))
}

#[test]
fn spellings_of_a_patient_share_a_pseudonym_and_identifiers_stay() {
    let content = "local_id,health_number,birth_date,name\n7,943 476 5919,1961-04-03,Ann\n8,943-476-5919,1961-04-03,ANN\n9,9434765870,1950-12-31,Bo\n";
    let (success, out, err) = run(
        content,
        KEY,
        &[&IDENTIFIERS[..], &["--keep", "local_id"]].concat(),
    );
    assert!(success, "{err}");
    let rows: Vec<&str> = out.lines().collect();
    // The pseudonym of the first two was worked out with Python's hmac.
    assert_eq!(
        rows[..3],
        [
            "local_id,pseudonym_id",
            "7,RPS-MTYK3X-YNXJJU-VXR4RD-VGFGTU",
            "8,RPS-MTYK3X-YNXJJU-VXR4RD-VGFGTU"
        ]
    );
    assert!(rows.len() == 4 && rows[3].starts_with("9,RPS-") && !rows[3].contains("MTYK3X"));
    assert_eq!(err.trim(), "lines 2, 3 are the same patient");
}

#[test]
fn a_row_that_cannot_be_used_is_named_without_its_value_and_nothing_is_written() {
    let content = "health_number,birth_date\n9434765919,03/04/1961\n,1961-04-03\n9434765870,1950-12-31\n";
    let (success, out, err) = run(content, KEY, &IDENTIFIERS);
    assert!(!success && out.is_empty(), "{out}");
    assert!(
        err.contains("line 2: `birth_date` is not a day written YYYY-MM-DD"),
        "{err}"
    );
    assert!(err.contains("line 3: `health_number` is empty"), "{err}");
    assert!(!err.contains("1961") && !err.contains("943"), "{err}");
}

#[test]
fn arguments_that_do_not_fit_are_said() {
    let content = "health_number,birth_date\n9434765919,1961-04-03\n";
    for (key, more, said) in [
        (
            "secret",
            IDENTIFIERS.to_vec(),
            "the file holds no key of 32 bytes",
        ),
        (
            KEY,
            vec!["--identifier", "passport"],
            "there is no column `passport`",
        ),
        (KEY, vec!["--identifier", "birth_date:date"], "`day` or nothing"),
        (
            KEY,
            vec!["--identifier", "health_number", "--keep", "health_number"],
            "`health_number` identifies the patient and is not kept",
        ),
    ] {
        let (success, out, err) = run(content, key, &more);
        assert!(!success && out.is_empty() && err.contains(said), "{err}");
        assert!(!err.contains("secret"), "{err}");
    }
}
