//! Saying that a test is skipped, so that it is seen.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Mutex;

/// Says why tests are skipped, once per reason and process, on the real standard error: what goes through `eprintln!` is shown of failed
/// tests only.
///
/// # Panics
/// In CI, where nothing is skipped.
pub fn skipped(why: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!ci, "nothing is skipped in CI: {why}");
    if SAID.lock().expect("no poisoned lock").insert(why.to_owned()) {
        writeln!(std::io::stderr().lock(), "skipped: {why}").ok();
    }
}
