//! E-003, one record per patient: the examples under `schema/examples/1.0.0/checks`, on a store that holds a case already.

use registry_core::storage::StoreError;

use crate::support::{on_both, put, replacing};

const EXAMPLES: &str = include_str!("../../../schema/examples/1.0.0/checks/E-003.toml");

on_both! {
    fn a_pseudonym_is_refused_to_a_second_centre_only(test) {
        let file: toml::Table = EXAMPLES.parse().unwrap();
        let examples = file["example"].as_array().unwrap();
        assert!(examples.len() >= 3);
        for (number, example) in examples.iter().enumerate() {
            let why = example["why"].as_str().unwrap();
            let pseudonym = format!("P-{number}");
            let sender = example["centre"].as_str().unwrap();
            let held = example.get("held_by").map(|centre| centre.as_str().unwrap());
            let first = held.map(|centre| {
                test.store.put_case(&test.submitter(centre), put(&pseudonym, 1)).unwrap()
            });
            // A centre names the version it replaces; of another centre's case it knows none.
            let sent = match first {
                Some(first) if held == Some(sender) => replacing(&pseudonym, 2, &first),
                _ => put(&pseudonym, 2),
            };
            let refused = test.store.put_case(&test.submitter(sender), sent).err();
            let expected = example["fires"].as_bool().unwrap().then_some(StoreError::PseudonymRegistered);
            assert_eq!(refused, expected, "{why}");
        }
    }
}
