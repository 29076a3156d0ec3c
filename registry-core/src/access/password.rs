//! Passwords of people: what is refused, and Argon2id hashes in PHC form.

use std::collections::HashSet;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::clock::Entropy;
use crate::crypto::same_bytes;

/// Argon2id with 19 MiB, two passes, one lane (OWASP's guidance on storing passwords).
const PREFIX: &str = "$argon2id$v=19$m=19456,t=2,p=1$";
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// Compared with when there is no such person: the same work, and nothing hashes to it (the bytes were not made by hashing).
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("common-passwords.txt").lines();
    lines.filter(|line| !line.starts_with('#')).collect()
});

/// Why a password is refused. The password is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Fewer than 12 or more than 128 characters.
    #[error("a password has 12 to 128 characters")]
    Length,
    /// On the list, or made of a word on it, a sequence or a repetition.
    #[error("this password is too common: take several words that do not belong together")]
    Common,
    /// Made of the person's sign-in name or centre, or of the registry's name.
    #[error("a password is not made of the sign-in name, the centre or the name of the registry")]
    Personal,
}

/// Refuses a password that is easily guessed. `personal`: the sign-in name, the centre.
///
/// # Errors
/// The first [`Weakness`].
pub(crate) fn check(password: &str, personal: &[&str]) -> Result<(), Weakness> {
    if !(12..=128).contains(&password.chars().count()) || password.contains('\0') {
        return Err(Weakness::Length);
    }
    let plain = password.to_lowercase();
    // What is left when the digits and signs around a word are taken away.
    let core = plain.trim_matches(|c: char| !c.is_alphabetic());
    let made_of = |part: &str| part.chars().count() >= 3 && plain.replace(part, "").chars().count() < 8;
    let registry = ["rpsregistry", "registry", "sarcoma", "retroperitoneal"];
    let names = personal.iter().flat_map(|name| name.split('@'));
    let mut names = names.map(str::to_lowercase).chain(registry.map(str::to_owned));
    if names.any(|name| made_of(&name)) {
        return Err(Weakness::Personal);
    }
    if COMMON.contains(plain.as_str()) || COMMON.contains(core) || is_monotone(&plain) {
        return Err(Weakness::Common);
    }
    Ok(())
}

/// At most four different characters, neighbours in the alphabet throughout, or a short piece over and over.
fn is_monotone(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let different: HashSet<&char> = chars.iter().collect();
    let neighbours = |by: i64| {
        let steps = chars.windows(2);
        steps
            .filter(|pair| i64::from(u32::from(pair[1])) - i64::from(u32::from(pair[0])) == by)
            .count()
    };
    let mostly = chars.len() * 3 / 4;
    let repeated = (1..=chars.len() / 2).any(|n| chars.iter().zip(chars.iter().skip(n)).all(|(a, b)| a == b));
    different.len() <= 4 || neighbours(1) >= mostly || neighbours(-1) >= mostly || repeated
}

/// Makes and checks hashes, and counts how many were computed: that a wrong name costs what a wrong password costs is a matter of
/// counting, not of a stop-watch.
#[derive(Default)]
pub(crate) struct Passwords {
    computed: AtomicU64,
}

impl Passwords {
    /// Hashes computed since the start.
    pub(crate) fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    /// A hash with a new salt, in PHC form; `None` when it cannot be computed.
    pub(crate) fn hash(&self, entropy: &dyn Entropy, password: &str) -> Option<String> {
        let mut salt = [0u8; SALT_BYTES];
        entropy.fill(&mut salt);
        let hash = self.compute(password, &salt)?;
        let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
        Some(format!("{PREFIX}{salt}${hash}"))
    }

    /// Does the password belong to the stored hash? Without one the same work is done, and the answer is no.
    pub(crate) fn verify(&self, password: &str, stored: Option<&str>) -> bool {
        let (salt, hash) = stored
            .and_then(parts)
            .or_else(|| parts(NOBODY))
            .unwrap_or_default();
        let computed = self.compute(password, &salt);
        stored.is_some() && computed.is_some_and(|computed| same_bytes(&computed, &hash))
    }

    fn compute(&self, password: &str, salt: &[u8]) -> Option<[u8; HASH_BYTES]> {
        self.computed.fetch_add(1, Ordering::Relaxed);
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES)).ok()?;
        let mut hash = [0u8; HASH_BYTES];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), salt, &mut hash)
            .ok()?;
        Some(hash)
    }
}

fn parts(stored: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let (salt, hash) = stored.strip_prefix(PREFIX)?.split_once('$')?;
    Some((
        STANDARD_NO_PAD.decode(salt).ok()?,
        STANDARD_NO_PAD.decode(hash).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_belongs_to_its_password_and_each_question_computes_one() {
        let passwords = Passwords::default();
        let hash = passwords.hash(&Sevens, "correct horse battery").expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse battery", Some(&hash)));
        assert!(!passwords.verify("correct horse batterz", Some(&hash)));
        assert!(!passwords.verify("correct horse battery", None));
        assert!(!passwords.verify(
            "correct horse battery",
            Some("$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA")
        ));
        assert_eq!(passwords.computed(), 5);
    }

    struct Sevens;
    impl Entropy for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn what_is_easily_guessed_is_refused() {
        let personal = ["anna.rossi@example.org", "C07-MILANO"];
        for (password, weakness) in [
            ("short", Weakness::Length),
            ("elevenchars", Weakness::Length),
            (&"x1Y ".repeat(33), Weakness::Length),
            ("1q2w3e4r5t6y", Weakness::Common),
            ("Password20261!", Weakness::Common),
            ("!!!baseball2026", Weakness::Common),
            ("aaaaaaaaaaaaaa", Weakness::Common),
            ("abcdefghijklmnop", Weakness::Common),
            ("k7Qw2k7Qw2k7Qw2", Weakness::Common),
            ("anna.rossi2026!", Weakness::Personal),
            ("C07-Milano-2026", Weakness::Personal),
            ("RPSRegistry2026", Weakness::Personal),
        ] {
            assert_eq!(check(password, &personal), Err(weakness), "{}", password.len());
        }
        for good in ["Tin lantern, seven oars", "gR7#kk2!vTqz", "ein ganz anderer Satz"] {
            assert_eq!(check(good, &personal), Ok(()), "{}", good.len());
        }
    }
}
