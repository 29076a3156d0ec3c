//! Bodies that are no JSON for us: each its own error, never a 5xx, nothing stored.

use serde_json::json;
use support::{database::Database, records, service::Service};

/// A body that never says how long it is: 50 MB in chunks, cut off at the limit and answered.
#[test]
fn an_endless_body_in_chunks_is_413() {
    use std::io::{BufRead, BufReader, Write};
    let service = Service::start();
    let key = service.key("submitter", Some("C01"));
    let address = service.base().trim_start_matches("http://").to_owned();
    let mut out = std::net::TcpStream::connect(&address).expect("connected");
    let answer = BufReader::new(out.try_clone().expect("a second handle"));
    let writer = std::thread::spawn(move || {
        let head = format!(
            "PUT /api/v1/cases/BIG-1 HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        out.write_all(head.as_bytes()).expect("the head is taken");
        let mut chunk = format!("{:x}\r\n", 1 << 20).into_bytes();
        chunk.extend(std::iter::repeat_n(b' ', 1 << 20));
        chunk.extend(b"\r\n");
        // The service may stop listening long before the fiftieth.
        let _sent = (0..50).take_while(|_| out.write_all(&chunk).is_ok()).count();
    });
    let status = answer.lines().next().expect("an answer").expect("a line");
    assert!(status.starts_with("HTTP/1.1 413"), "{status}");
    writer.join().expect("the writer ends");
    service.submitter("C01").get("/api/v1/cases/BIG-1").expect(404);
}

#[test]
fn every_malformed_body_has_its_own_code() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let good = records::figure_1("FIG-0001").to_string();
    let nested = format!(
        "{{\"schema_version\":{}{}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let mut half = good.clone().into_bytes();
    let at = good.find("\"patient\"").expect("a patient") + 1;
    half.splice(at..at, [0xC3]);
    let mut marked = vec![0xEF, 0xBB, 0xBF];
    marked.extend_from_slice(good.as_bytes());
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("too_deep", nested.into_bytes(), 400),
        (
            "duplicate_key",
            good.replacen('{', "{\"schema_version\":\"1.0.0\",", 1)
                .into_bytes(),
            400,
        ),
        ("not_utf8", half, 400),
        ("byte_order_mark", marked, 400),
        ("lone_surrogate", br#"{"schema_version":"\ud800"}"#.to_vec(), 400),
        (
            "control_character",
            br#"{"schema_version":"1.0.0\u0000"}"#.to_vec(),
            400,
        ),
        ("not_a_number", br#"{"schema_version":NaN}"#.to_vec(), 400),
        (
            "integer_too_large",
            br#"{"schema_version":9007199254740993}"#.to_vec(),
            400,
        ),
        ("trailing_bytes", format!("{good}{{}}").into_bytes(), 400),
        ("not_json", b"{\"schema_version\":".to_vec(), 400),
    ];
    for (code, body, status) in cases {
        let answer = centre.send(
            "PUT",
            "/api/v1/cases/FIG-0001",
            &[("content-type", "application/json")],
            Some(&body),
        );
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{}",
            answer.text()
        );
    }
    let (status, code) = announced(&service, 50 << 20);
    assert_eq!(
        (status, code.as_str()),
        (413, "body_too_large"),
        "refused by its announced length, before it is read"
    );
    let wrong_type = centre.send(
        "PUT",
        "/api/v1/cases/FIG-0001",
        &[("content-type", "text/csv")],
        Some(good.as_bytes()),
    );
    assert_eq!(wrong_type.status, 415, "{}", wrong_type.text());
    let encoded = records::figure_1("FIG-0002").to_string();
    for (encoding, status) in [("gzip", 415), ("identity, br", 415), ("Identity", 201)] {
        let headers = [
            ("content-type", "application/json"),
            ("content-encoding", encoding),
        ];
        let answer = centre.send(
            "PUT",
            "/api/v1/cases/FIG-0002",
            &headers,
            Some(encoded.as_bytes()),
        );
        assert_eq!(answer.status, status, "{encoding}: {}", answer.text());
        let taken = (status == 415).then_some("identity");
        assert_eq!(answer.header("accept-encoding"), taken);
    }
    centre.get("/api/v1/cases/FIG-0001").expect(404);
}

/// `limits.record_bytes` and the depth hold for a record whichever way it comes, and for what a patch makes of one.
#[test]
fn a_record_is_no_larger_and_no_deeper_in_a_batch_than_alone() {
    let small = records::figure_1("FIG-0001");
    let most = small.to_string().len() + 200;
    let service = Service::start_with(Database::sqlite(), |settings| settings.limits.record_bytes = most);
    let centre = service.submitter("C01");
    centre.put("/api/v1/cases/FIG-0001", &[], &small).expect(201);
    let more = json!({"unknown": "x".repeat(300)});
    let patched = centre
        .patch("/api/v1/cases/FIG-0001", &[("if-match", "*")], &more)
        .expect(413);
    assert_eq!(patched.code(), "body_too_large");
    let mut large = small.clone();
    large["unknown"] = more["unknown"].clone();
    let alone = centre
        .put("/api/v1/cases/FIG-0001", &[("if-match", "*")], &large)
        .expect(413);
    assert_eq!(alone.code(), "body_too_large");
    let both = json!([large, small]);
    let lines = format!("{large}\n{small}\n");
    for (kind, body) in [
        ("application/json", both.to_string()),
        ("application/x-ndjson", lines),
    ] {
        let headers = [("content-type", kind)];
        let send = |path: &str| {
            centre
                .send("POST", path, &headers, Some(body.as_bytes()))
                .expect(200)
                .json()
        };
        let results = send("/api/v1/cases:batch")["results"].clone();
        assert_eq!(
            (&results[0]["status"], &results[0]["code"]),
            (&json!(413), &json!("body_too_large")),
            "{kind}"
        );
        assert_eq!(results[1]["unchanged"], true, "{kind}");
        let results = send("/api/v1/cases:validate")["results"].clone();
        assert_eq!(results[0]["problem"]["code"], "body_too_large", "{kind}");
        assert_eq!(results[1]["accepted"], true, "{kind}");
    }
    let nested = |levels: usize| format!("{}{}", "{\"a\":".repeat(levels - 1) + "{", "}".repeat(levels));
    let json_type = [("content-type", "application/json")];
    let send = |body: String| {
        centre.send(
            "POST",
            "/api/v1/cases:validate",
            &json_type,
            Some(body.as_bytes()),
        )
    };
    send(nested(64)).expect(200);
    assert_eq!(send(nested(65)).expect(400).code(), "too_deep");
    send(format!("[{}]", nested(64))).expect(200);
    assert_eq!(send(format!("[{}]", nested(65))).expect(400).code(), "too_deep");
}

/// The answer to a request that announces `bytes` and sends none of them.
fn announced(service: &Service, bytes: usize) -> (u16, String) {
    use std::io::{Read, Write};
    let key = service.key("submitter", Some("C01"));
    let address = service.base().trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(address).expect("the service listens");
    let head = format!(
        "PUT /api/v1/cases/FIG-0001 HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {bytes}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("the head is sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let text = String::from_utf8_lossy(&answer);
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .expect("a status line");
    let code = text
        .split("\"code\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap_or_default();
    (status, code.to_owned())
}
