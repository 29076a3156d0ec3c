//! The demo: its cohort came in as a centre's system would send it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use registry_core::access::Role;
use serde_json::Value;

use crate::support::BINARY;

/// A demo that is told to stop when the test ends.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// What the demo's centre exports is, imported again, what is stored; and the command it prints can be given twice.
#[test]
fn what_the_demo_holds_is_what_a_centre_would_have_sent() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut child = Command::new(BINARY)
        .current_dir(folder.path())
        .env_clear()
        .args(["demo", "--cases", "120", "--port", "0", "--data"])
        .arg(&data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let _demo = Demo(child);
    let printed: Vec<String> = out
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.starts_with("Ready after"))
        .collect();
    let access = std::fs::read(data.join("access.json")).unwrap();
    let access: Value = serde_json::from_slice(&access).unwrap();
    let base = access["url"].as_str().unwrap();
    let listed = access["access"].as_array().unwrap();
    let submitter = listed.iter().find(|one| one["role"] == "submitter").unwrap();
    let bearer = format!("Bearer {}", submitter["key"].as_str().unwrap());
    let agent: ureq::Agent = ureq::Agent::config_builder().build().into();
    let post = |path: &str, media_type: &str, body: &[u8]| -> Value {
        let request = agent
            .post(format!("{base}{path}"))
            .header("authorization", &bearer);
        let mut answer = request.header("content-type", media_type).send(body).unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    };

    let export = agent.get(format!("{base}/api/v1/cases/export?format=csv"));
    let mut export = export.header("authorization", &bearer).call().unwrap();
    let zip = export.body_mut().read_to_vec().unwrap();
    let job = post(
        "/api/v1/imports?format=csv&wait=true",
        "application/octet-stream",
        &zip,
    );
    let counts = &job["counts"];
    assert!(counts["unchanged"].as_u64().unwrap() > 0, "{job}");
    assert_eq!(counts["unchanged"], counts["total"], "{job}");

    // A link for everybody who signs in, and it lets them in.
    for role in Role::GRANTABLE {
        let with_link = printed.iter().find_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let link = words
                .iter()
                .find(|word| word.starts_with(base) && word.contains("/sign-in"))?;
            words.contains(&role.as_str()).then(|| (*link).to_owned())
        });
        let link = with_link.unwrap_or_else(|| panic!("no link for {role} in {printed:#?}"));
        let page = agent.get(&link).call().unwrap();
        assert_eq!(page.status().as_u16(), 200, "{role}");
    }
    if Command::new("curl").arg("--version").output().is_err() {
        let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!ci, "nothing is skipped in CI: the printed line needs curl");
        eprintln!("skipped: the printed line needs curl");
        return;
    }
    sent_again_it_is_unchanged(&printed);
}

/// The line as printed, in the folder the README's command is given in.
fn sent_again_it_is_unchanged(printed: &[String]) {
    let command: Vec<&str> = printed.iter().map(String::as_str).collect();
    let from = command
        .iter()
        .position(|line| line.trim_start().starts_with("curl"))
        .unwrap();
    let command = command[from..from + 2].join("\n");
    let repository = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    for (status, unchanged) in [(201, false), (200, true)] {
        let ended = Command::new("sh")
            .args(["-c", &command])
            .current_dir(repository)
            .output()
            .unwrap();
        assert!(
            ended.status.success(),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
        let answer: Value = serde_json::from_slice(&ended.stdout).unwrap();
        let result = &answer["results"][0];
        assert_eq!(
            (&result["status"], &result["unchanged"]),
            (&status.into(), &unchanged.into()),
            "{result}"
        );
    }
}
