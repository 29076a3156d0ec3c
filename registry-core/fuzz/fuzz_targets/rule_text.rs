//! Any text is parsed or refused; what is parsed is printed and parsed to the same tree.
//! Run with `cargo +nightly fuzz run rule_text` in `registry-core/`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use registry_core::rules::parse;

fuzz_target!(|text: &str| {
    if let Ok(tree) = parse(text) {
        let printed = tree.to_string();
        assert_eq!(parse(&printed), Ok(tree), "{printed}");
    }
});
