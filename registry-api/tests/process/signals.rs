//! A stop that is asked for lets running requests end; a log that never holds what it must not.

use registry_core::access::Role;

use crate::support::{JSON, Registry, case, send};

#[test]
fn sigterm_lets_the_running_request_end_and_exits_well() {
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let mut served = registry.serve();
    let lines: String = (0..400)
        .map(|n| format!("{}\n", case(&format!("TERM-{n:04}"))))
        .collect();
    let base = served.base.clone();
    let (began, begun) = std::sync::mpsc::channel();
    let client = std::thread::spawn(move || {
        // The connection is up and the request on its way before the signal.
        let mut stream = std::net::TcpStream::connect(base.trim_start_matches("http://")).expect("connected");
        use std::io::{Read, Write};
        let head = format!(
            "POST /api/v1/cases:batch?atomic=true HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\
             content-type: application/x-ndjson\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            lines.len()
        );
        stream.write_all(head.as_bytes()).expect("the head");
        stream.write_all(lines.as_bytes()).expect("the body");
        began.send(()).expect("the test waits");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok();
        answer
    });
    begun.recv().expect("begun");
    // Whatever was sent before is read first: an answer here means that the batch has been taken up.
    let ready = send(&served.base, None, "GET", "/health/ready", &[], None).expect("an answer");
    assert_eq!(ready.status, 200);
    served.terminate();
    let answer = client.join().expect("the client ends");
    assert!(
        answer.starts_with("HTTP/1.1 200"),
        "{}",
        answer.lines().next().unwrap_or_default()
    );
    assert!(served.child.wait().expect("it ends").success());
    let stored = registry.open(false);
    let scope = registry_core::access::Scope::system("test");
    let row = stored
        .case_row(&scope, "TERM-0399")
        .expect("the last case is stored");
    assert_eq!(row.version, 1);
}

#[test]
fn neither_pseudonym_nor_key_nor_value_reaches_the_log() {
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let served = registry.serve();
    let put = |path: &str, body: &str| send(&served.base, Some(&key), "PUT", path, &[JSON], Some(body));
    let good = case("CANARY-PSEUDONYM-1").to_string();
    assert_eq!(
        put("/api/v1/cases/CANARY-PSEUDONYM-1", &good)
            .expect("an answer")
            .status,
        201
    );
    let mut bad = case("CANARY-PSEUDONYM-1");
    bad["patient"]["sex"] = serde_json::json!("canary-value");
    let refused = put(
        "/api/v1/cases/CANARY-PSEUDONYM-1?draft=canary-query",
        &bad.to_string(),
    )
    .expect("an answer");
    assert_eq!(refused.status, 400, "{}", refused.text);
    let refused = put("/api/v1/cases/CANARY-PSEUDONYM-1", &bad.to_string()).expect("an answer");
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(!refused.text.contains("canary-value"));
    send(
        &served.base,
        Some("rps_canary_key"),
        "GET",
        "/api/v1/cases/CANARY-PSEUDONYM-1",
        &[],
        None,
    );
    served.terminate();
    let log = served.log();
    assert!(
        log.contains("/api/v1/cases/{pseudonym}"),
        "the pattern stands for the path: {log}"
    );
    assert!(!log.to_lowercase().contains("canary"), "{log}");
    assert!(!log.contains(&key), "{log}");
    for line in log.lines() {
        assert!(
            serde_json::from_str::<serde_json::Value>(line).is_ok(),
            "one JSON object a line: {line}"
        );
    }
}
