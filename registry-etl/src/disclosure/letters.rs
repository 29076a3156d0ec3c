//! Centres by letter: who is not the coordinating office compares centres without knowing which is which.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;

/// A letter for every centre, in an order only the key's holder can reproduce; stable as long as key and centres stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CentreLetters(BTreeMap<String, String>);

impl CentreLetters {
    /// Letters A, B, .. Z, AA, .. by the keyed hash of the centre's id.
    pub fn new<'a>(key: &[u8; 32], centres: impl IntoIterator<Item = &'a str>) -> Self {
        let mut order: Vec<([u8; 32], &str)> = centres.into_iter().map(|c| (keyed(key, c), c)).collect();
        order.sort_unstable();
        order.dedup();
        Self(
            order
                .into_iter()
                .enumerate()
                .map(|(at, (_, centre))| (centre.to_owned(), letter(at)))
                .collect(),
        )
    }

    /// The letter of a centre; `None` for one that was not given a letter.
    pub fn of(&self, centre: &str) -> Option<&str> {
        self.0.get(centre).map(String::as_str)
    }
}

fn keyed(key: &[u8; 32], centre: &str) -> [u8; 32] {
    // A 32-byte key is always accepted.
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    block[..32].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block);
    mac.update(b"centre letter\0");
    mac.update(centre.as_bytes());
    mac.finalize().into_bytes().into()
}

/// 0 is A, 25 is Z, 26 is AA.
fn letter(mut at: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'A' + (at % 26) as u8));
        if at < 26 {
            break;
        }
        at = at / 26 - 1;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_distinct_stable_and_keyed() {
        let centres: Vec<String> = (1..=35).map(|i| format!("C{i:02}")).collect();
        let with = |key: u8| CentreLetters::new(&[key; 32], centres.iter().map(String::as_str));
        let (one, other) = (with(1), with(2));
        assert_eq!(one, with(1));
        assert_ne!(one, other);
        let mut letters: Vec<&str> = centres.iter().filter_map(|c| one.of(c)).collect();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), 35);
        assert_eq!(
            (letter(0), letter(25), letter(26), letter(34)),
            ("A".into(), "Z".into(), "AA".into(), "AI".into())
        );
        assert_eq!(one.of("C99"), None);
    }
}
