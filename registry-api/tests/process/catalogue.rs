//! Snapshots: every problem, and the whole OpenAPI document. `REGISTRY_TEST_UPDATE=1` writes them anew; the change is then
//! a diff to be read.

use std::fmt::Write;
use std::path::Path;

use registry_api::problem::Kind;

fn compare(name: &str, now: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/snapshots")
        .join(name);
    if std::env::var_os("REGISTRY_TEST_UPDATE").is_some() {
        std::fs::write(&path, now).expect("written");
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == now,
        "{} differs; look at the change, then run again with REGISTRY_TEST_UPDATE=1. First difference: {:?}",
        path.display(),
        kept.lines().zip(now.lines()).find(|(a, b)| a != b)
    );
}

#[test]
fn the_catalogue_of_problems() {
    let mut text = String::new();
    for kind in Kind::ALL {
        writeln!(text, "{} {} {}", kind.status(), kind.code(), kind.title()).expect("a string");
    }
    compare("problems.txt", &text);
}

#[test]
fn the_openapi_document() {
    let mut text = registry_api::routes::openapi::document().expect("JSON");
    text.push('\n');
    compare("openapi.json", &text);
}
