//! The door: a corpus of what must be refused, each for its reason, and damage of every kind that must not break it.

use proptest::prelude::*;
use registry_core::intake::{Limits, Refusal, canonical, ndjson, parse};
use serde_json::{Value, json};

use crate::body::case;

fn refused(bytes: &[u8]) -> Option<&'static str> {
    parse(bytes, &Limits::default()).err().map(|e| e.code)
}

fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

#[test]
fn sound_json_is_read_as_it_is() {
    for text in [
        "{}",
        "[]",
        "null",
        "true",
        " {\"a\" : [1, -2, 3.5, \"x\"]} \n",
        "\"\"",
        "0",
        "9007199254740991",
        "-9007199254740991",
        "{\"a\":{\"a\":1}}",
        "\"\\u00e9\\ud83d\\ude00\"",
        "\"caf\u{e9} \u{1F600}\"",
        "1e-7",
    ] {
        let read = parse(text.as_bytes(), &Limits::default()).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(read, serde_json::from_str::<Value>(text).expect("JSON"), "{text}");
    }
    assert!(parse(nested(64).as_bytes(), &Limits::default()).is_ok());
}

#[test]
fn a_whole_number_is_an_integer_however_it_is_spelled() {
    for (text, value) in [
        ("1.0", 1),
        ("1e2", 100),
        ("-0.0", 0),
        ("-0", 0),
        ("12E-1e", 0),
        ("-3.00", -3),
    ] {
        let Ok(read) = parse(text.as_bytes(), &Limits::default()) else {
            assert_eq!(text, "12E-1e");
            continue;
        };
        assert_eq!(read, json!(value), "{text}");
        assert!(read.is_i64(), "{text}");
    }
}

#[test]
fn every_refusal_has_its_code() {
    let cases: Vec<(Vec<u8>, Refusal)> = vec![
        (nested(65).into_bytes(), Refusal::TooDeep),
        (nested(10_000).into_bytes(), Refusal::TooDeep),
        (b"[".repeat(200_000), Refusal::TooDeep),
        ("{\"a\":".repeat(70).into_bytes(), Refusal::TooDeep),
        (br#"{"a":1,"a":2}"#.to_vec(), Refusal::DuplicateKey),
        (br#"{"a":1,"\u0061":2}"#.to_vec(), Refusal::DuplicateKey),
        (
            br#"[{"b":{"x":null,"y":1,"x":null}}]"#.to_vec(),
            Refusal::DuplicateKey,
        ),
        (b"\"a\x00b\"".to_vec(), Refusal::ControlCharacter),
        (b"\"a\nb\"".to_vec(), Refusal::ControlCharacter),
        (b"\"a\x7fb\"".to_vec(), Refusal::ControlCharacter),
        (br#""\u0000""#.to_vec(), Refusal::ControlCharacter),
        (br#""\n""#.to_vec(), Refusal::ControlCharacter),
        (br#""\u001f""#.to_vec(), Refusal::ControlCharacter),
        (br#""\u007f""#.to_vec(), Refusal::ControlCharacter),
        (br#""\u0085""#.to_vec(), Refusal::ControlCharacter),
        (br#""\u202e""#.to_vec(), Refusal::ControlCharacter),
        (br#""\u2066""#.to_vec(), Refusal::ControlCharacter),
        (br#""\u2028""#.to_vec(), Refusal::ControlCharacter),
        (br#""\ufeff""#.to_vec(), Refusal::ControlCharacter),
        (br#""\uffff""#.to_vec(), Refusal::ControlCharacter),
        (br#""\ufdd0""#.to_vec(), Refusal::ControlCharacter),
        (br#""\ud83f\udfff""#.to_vec(), Refusal::ControlCharacter),
        ("\"\u{202e}\"".as_bytes().to_vec(), Refusal::ControlCharacter),
        (br#"{"a\u0000":1}"#.to_vec(), Refusal::ControlCharacter),
        (br#""\ud800""#.to_vec(), Refusal::LoneSurrogate),
        (br#""\udc00""#.to_vec(), Refusal::LoneSurrogate),
        (br#""\ud800x""#.to_vec(), Refusal::LoneSurrogate),
        (br#""\ud800\n""#.to_vec(), Refusal::LoneSurrogate),
        (br#""\ud800\ud800""#.to_vec(), Refusal::LoneSurrogate),
        (br#"{"\udfff":1}"#.to_vec(), Refusal::LoneSurrogate),
        (b"\xEF\xBB\xBF{}".to_vec(), Refusal::ByteOrderMark),
        (b"\xEF\xBB\xBF".to_vec(), Refusal::ByteOrderMark),
        (b"NaN".to_vec(), Refusal::NotANumber),
        (br#"{"a":Infinity}"#.to_vec(), Refusal::NotANumber),
        (br#"[-Infinity]"#.to_vec(), Refusal::NotANumber),
        (br#"[1,-NaN]"#.to_vec(), Refusal::NotANumber),
        (b"9007199254740992".to_vec(), Refusal::IntegerTooLarge),
        (b"-9007199254740992".to_vec(), Refusal::IntegerTooLarge),
        (b"9007199254740993.0".to_vec(), Refusal::IntegerTooLarge),
        (b"18446744073709551616".to_vec(), Refusal::IntegerTooLarge),
        (
            b"123456789012345678901234567890".to_vec(),
            Refusal::IntegerTooLarge,
        ),
        (b"1e16".to_vec(), Refusal::IntegerTooLarge),
        (b"[-1e308]".to_vec(), Refusal::IntegerTooLarge),
        (br#"{"a":1e400}"#.to_vec(), Refusal::IntegerTooLarge),
        (b"1e999999999999".to_vec(), Refusal::IntegerTooLarge),
        (b"{} {}".to_vec(), Refusal::TrailingBytes),
        (b"{}x".to_vec(), Refusal::TrailingBytes),
        (b"{}\0".to_vec(), Refusal::TrailingBytes),
        (b"1 2".to_vec(), Refusal::TrailingBytes),
        (b"\xff".to_vec(), Refusal::NotUtf8),
        (b"{\"a\":\"\xc3\"}".to_vec(), Refusal::NotUtf8),
        (b"\"\xc0\x80\"".to_vec(), Refusal::NotUtf8),
        (b"\"\xed\xa0\x80\"".to_vec(), Refusal::NotUtf8),
        (b"{}\xf0\x9f\x98".to_vec(), Refusal::NotUtf8),
        (b"\xff\xfe{\0}\0".to_vec(), Refusal::NotUtf8),
        (b"".to_vec(), Refusal::NotJson),
        (b"   ".to_vec(), Refusal::NotJson),
        (b"{".to_vec(), Refusal::NotJson),
        (b"{\"a\":1,}".to_vec(), Refusal::NotJson),
        (b"[1,]".to_vec(), Refusal::NotJson),
        (b"{a:1}".to_vec(), Refusal::NotJson),
        (b"{'a':1}".to_vec(), Refusal::NotJson),
        (b"01".to_vec(), Refusal::NotJson),
        (b"+1".to_vec(), Refusal::NotJson),
        (b".5".to_vec(), Refusal::NotJson),
        (b"1.".to_vec(), Refusal::NotJson),
        (b"0x10".to_vec(), Refusal::TrailingBytes),
        (b"True".to_vec(), Refusal::NotJson),
        (b"nul".to_vec(), Refusal::NotJson),
        (b"\"abc".to_vec(), Refusal::NotJson),
        (b"\"\\x41\"".to_vec(), Refusal::NotJson),
        (b"\"\\u12\"".to_vec(), Refusal::NotJson),
        (b"// c\n{}".to_vec(), Refusal::NotJson),
        (b"\0{}".to_vec(), Refusal::NotJson),
    ];
    for (bytes, refusal) in &cases {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]);
        assert_eq!(refused(bytes), Some(refusal.code()), "{shown}");
    }
    for refusal in Refusal::ALL {
        assert!(
            matches!(refusal, Refusal::BodyTooLarge | Refusal::TooManyItems)
                || cases.iter().any(|(_, r)| *r == refusal),
            "{refusal:?} has no case"
        );
    }
}

#[test]
fn a_body_over_the_limit_is_not_read() {
    let limits = Limits::bytes(10);
    assert!(parse(b"[1,2,3,4]", &limits).is_ok());
    let error = parse(b"[1,2,3,4,5]", &limits).expect_err("eleven bytes");
    assert_eq!((error.code, error.offset), ("body_too_large", 10));
    assert_eq!(refused(&vec![b'['; 50 * 1024 * 1024]), Some("body_too_large"));
}

/// What is all brackets and next to no text would take a hundred times its size in memory.
#[test]
fn a_body_of_values_without_text_is_refused() {
    let of = |one: &str, n: usize| format!("[{}]", vec![one; n].join(","));
    // 2 MiB: 100,000 objects of 6 bytes are 8 values each, of 350,525 that the limit allows.
    assert_eq!(
        refused(of("{\"\":0}", 100_000).as_bytes()),
        Some("body_too_large")
    );
    assert_eq!(refused(of("{\"\":0}", 40_000).as_bytes()), None);
    assert_eq!(refused(of("0", 340_000).as_bytes()), None);
    // A record that says of nearly everything that it is not known: 400 KB, sound.
    let rows = of(
        "{\"sex\":{\"absent\":\"unknown\"},\"site\":{\"absent\":\"unknown\"}}",
        7_000,
    );
    assert_eq!(refused(rows.as_bytes()), None);
    // However small its limit is, a body may hold some.
    assert!(parse(of("{}", 15).as_bytes(), &Limits::bytes(46)).is_ok());
}

#[test]
fn only_the_elements_of_the_document_itself_are_counted() {
    let limits = Limits {
        max_items: 2,
        ..Limits::default()
    };
    for fits in ["[]", "[1,2]", "[[1,2,3],{\"a\":[1,2,3]}]", "{\"a\":[1,2,3]}"] {
        assert!(parse(fits.as_bytes(), &limits).is_ok(), "{fits}");
    }
    // Refused at the third element: what follows is not looked at, sound or not.
    for over in ["[1,2,3]", "[1,2,3,4]", "[1,2,3,nonsense"] {
        let error = parse(over.as_bytes(), &limits).expect_err(over);
        assert_eq!(error.code, "too_many_items", "{over}");
    }
}

#[test]
fn the_place_is_told_and_the_value_is_not() {
    for (text, offset, line, column) in [
        ("{\n  \"a\": NaN\n}", 9, 2, 8),
        ("[1,\n2,\n\"\\ud800\"]", 8, 3, 2),
        ("\"ab\\u0000\"", 9, 1, 10),
        ("[1e400]", 1, 1, 2),
    ] {
        let error = parse(text.as_bytes(), &Limits::default()).expect_err(text);
        assert_eq!((error.line, error.column), (line, column), "{text:?}: {error}");
        assert_eq!(error.offset, offset, "{text:?}");
    }
    for text in [
        "{\"Canary-7\":1,\"Canary-7\":2}",
        "\"Canary-7\\u0000\"",
        "{\"a\": Canary-7}",
        "\"Canary-7",
        "123456789012345678901234567890",
    ] {
        let error = parse(text.as_bytes(), &Limits::default()).expect_err(text);
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("Canary") && !shown.contains("12345678901"),
            "{shown}"
        );
    }
}

#[test]
fn a_batch_goes_on_after_a_bad_line() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(100));
    let stream = format!("{{\"n\":1}}\n\n{{\"n\":2}}\r\n{{bad\n{long}\n\"\\ud800\"\n{{\"n\":3}}");
    let items: Vec<_> = ndjson::Reader::new(stream.as_bytes(), Limits::bytes(50))
        .map(|item| item.expect("no reading error"))
        .map(|item| (item.line, item.document.map_err(|e| (e.code, e.line))))
        .collect();
    assert_eq!(
        items,
        [
            (1, Ok(json!({"n": 1}))),
            (3, Ok(json!({"n": 2}))),
            (4, Err(("not_json", 4))),
            (5, Err(("body_too_large", 5))),
            (6, Err(("lone_surrogate", 6))),
            (7, Ok(json!({"n": 3}))),
        ]
    );
    assert_eq!(ndjson::Reader::new(&b""[..], Limits::default()).count(), 0);
    assert_eq!(ndjson::Reader::new(&b"\n\n"[..], Limits::default()).count(), 0);
}

#[test]
fn a_line_is_bounded_to_the_byte() {
    let limits = Limits::bytes(8);
    for (text, fits) in [
        ("{\"n\":12}\n", true),
        ("{\"n\":12}\r\n", true),
        ("{\"n\":123}\n", false),
        ("{\"n\":123}\r\n", false),
    ] {
        let item = ndjson::Reader::new(text.as_bytes(), limits)
            .next()
            .expect("a line")
            .expect("read");
        assert_eq!(item.document.is_ok(), fits, "{text:?}");
    }
}

#[test]
fn the_canonical_form_sorts_keys_and_drops_white_space() {
    let value = parse(
        br#" { "b" : [ 1.0 , null ] , "a" : "\u00e9\"\\/" , "B": {"z":1,"y":2.50} } "#,
        &Limits::default(),
    )
    .expect("JSON");
    assert_eq!(
        String::from_utf8(canonical::to_bytes(&value)).expect("UTF-8"),
        "{\"B\":{\"y\":2.5,\"z\":1},\"a\":\"é\\\"\\\\/\",\"b\":[1,null]}"
    );
}

/// Hashes of what is stored rest on this spelling: RFC 8785, 3.2.2.2.
#[test]
fn the_canonical_form_escapes_what_must_be_and_nothing_else() {
    let value = json!("\u{0}\u{8}\t\n\u{b}\u{c}\r\u{1f}\"\\/\u{7f}\u{e9}\u{2028}\u{1f600}");
    assert_eq!(
        String::from_utf8(canonical::to_bytes(&value)).expect("UTF-8"),
        "\"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\\\"\\\\/\u{7f}\u{e9}\u{2028}\u{1f600}\""
    );
}

#[test]
fn a_record_is_kept_without_its_nulls() {
    let value = parse(
        br#"{"b":[1,null,{"x":null,"y":1}],"a":null,"c":{"d":null}}"#,
        &Limits::default(),
    );
    let value = value.expect("JSON");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    assert_eq!(
        text(canonical::record_to_bytes(&value)),
        r#"{"b":[1,null,{"y":1}],"c":{}}"#
    );
    assert_eq!(
        text(canonical::to_bytes(&value)),
        r#"{"a":null,"b":[1,null,{"x":null,"y":1}],"c":{"d":null}}"#
    );
}

#[test]
fn a_truncated_case_is_refused_at_every_length() {
    let whole = serde_json::to_vec(&case()).expect("JSON");
    for length in 0..whole.len() {
        let code = refused(&whole[..length]).unwrap_or_else(|| panic!("{length} bytes pass"));
        assert!(["not_json", "not_utf8"].contains(&code), "{length}: {code}");
    }
}

#[test]
fn flipping_any_bit_of_a_case_never_breaks_the_door() {
    let whole = serde_json::to_vec(&case()).expect("JSON");
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << bit;
            if let Ok(value) = parse(&damaged, &Limits::default()) {
                assert_eq!(value, serde_json::from_slice::<Value>(&damaged).expect("JSON"));
            }
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991i64..=9_007_199_254_740_991).prop_map(Value::from),
        (-1.0e15f64..1.0e15)
            .prop_filter("has a fraction", |f| f.fract() != 0.0)
            .prop_map(Value::from),
        "[a-zA-Z0-9 é/\"\\\\]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map("[a-zé\"]{0,6}", inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Err(error) = parse(&bytes, &Limits::default()) {
            prop_assert!(error.offset <= bytes.len());
            prop_assert!(error.line >= 1 && error.column >= 1);
        }
    }

    #[test]
    fn json_like_bytes_are_read_or_refused(text in "[\\[\\]{}\",:0-9eE+.\\-\\\\u dDnNaI\u{0}\u{7f}\u{202e}]{0,60}") {
        if let Ok(value) = parse(text.as_bytes(), &Limits::default()) {
            let read: Value = serde_json::from_str(&text).expect("what passes is JSON");
            prop_assert!(!canonical::to_bytes(&value).is_empty());
            prop_assert_eq!(value.is_object(), read.is_object());
        }
    }

    #[test]
    fn what_serde_json_writes_is_read_back(value in any_json()) {
        let written = serde_json::to_vec(&value).expect("JSON");
        prop_assert_eq!(&parse(&written, &Limits::default()).expect("sound"), &value);
    }

    #[test]
    fn the_canonical_form_reads_back_and_is_its_own(value in any_json()) {
        let bytes = canonical::to_bytes(&value);
        let read = parse(&bytes, &Limits::default()).expect("sound");
        prop_assert_eq!(&read, &value);
        prop_assert_eq!(canonical::to_bytes(&read), bytes);
    }
}
