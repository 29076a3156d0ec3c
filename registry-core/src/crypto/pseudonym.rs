//! Pseudonyms, as the trusted party issues them: a keyed hash of what identifies a patient. The registry itself never has the key, the
//! identifiers or a table of both.

use chrono::NaiveDate;
use data_encoding::BASE32_NOPAD;
use icu_normalizer::DecomposingNormalizer;

use super::{MasterKey, SealingKey};

/// 120 of the 256 bits: 24 characters. Among a million patients two share one with a probability below 1e-24.
const BYTES: usize = 15;
/// Characters between two hyphens, so that a person can read one aloud.
const GROUP: usize = 6;

/// How spellings of one identifier are brought together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentifierKind {
    /// A name or a number: upper case, without accents (Unicode NFKD), letters and digits only.
    Text,
    /// A day, `YYYY-MM-DD` only: 03/04/1961 is two days.
    Day,
}

/// Why an identifier cannot be used. The value is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Nothing is left of it.
    #[error("is empty: a pseudonym needs every identifier")]
    Empty,
    /// Not a day that exists.
    #[error("is not a day written YYYY-MM-DD")]
    NotADay,
}

/// The key file holds no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the file holds no key of 32 bytes in hexadecimal or Base64; make one with `openssl rand -hex 32`")]
pub struct NoKey;

impl IdentifierKind {
    /// The one form all spellings of an identifier share.
    ///
    /// # Errors
    /// [`IdentifierError`]: nothing is left, or it is no day.
    pub fn normal_form(self, written: &str) -> Result<String, IdentifierError> {
        let written = written.trim();
        if written.is_empty() {
            return Err(IdentifierError::Empty);
        }
        match self {
            IdentifierKind::Day => {
                let day =
                    NaiveDate::parse_from_str(written, "%Y-%m-%d").map_err(|_| IdentifierError::NotADay)?;
                Ok(day.to_string())
            }
            IdentifierKind::Text => {
                // An accent, once taken off its letter, is no letter.
                let bare: String = DecomposingNormalizer::new_nfkd()
                    .normalize(written)
                    .chars()
                    .flat_map(char::to_uppercase)
                    .filter(|letter| letter.is_alphanumeric())
                    .collect();
                if bare.is_empty() {
                    return Err(IdentifierError::Empty);
                }
                Ok(bare)
            }
        }
    }
}

/// The key of the trusted party. Whoever has it can find out whose pseudonym is whose by trying.
pub struct PseudonymKey(SealingKey);

impl PseudonymKey {
    /// Reads the content of a key file: 64 hexadecimal digits or Base64 of 32 bytes.
    ///
    /// # Errors
    /// [`NoKey`], without repeating the content.
    pub fn parse(text: &str) -> Result<Self, NoKey> {
        let key = MasterKey::parse(text).map_err(|_| NoKey)?;
        Ok(Self(SealingKey::new(*key.key().bytes())))
    }

    /// The pseudonym of a patient: HMAC-SHA-256 over the name and normal form of each identifier, in the order given; `RPS-` and 24
    /// characters of Base32 (RFC 4648). Equal identifiers, equal pseudonym, at every centre.
    pub fn pseudonym<'a>(&self, identifiers: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
        let mut hash = self.0.keyed("rps-registry pseudonym v1");
        for (name, normal_form) in identifiers {
            hash = hash.field(name.as_bytes()).field(normal_form.as_bytes());
        }
        let text = BASE32_NOPAD.encode(&hash.finish()[..BYTES]);
        let mut pseudonym = String::from("RPS");
        for (at, letter) in text.chars().enumerate() {
            if at % GROUP == 0 {
                pseudonym.push('-');
            }
            pseudonym.push(letter);
        }
        pseudonym
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn spellings_of_one_name_are_one() {
        let normal = |written: &str| IdentifierKind::Text.normal_form(written).unwrap();
        for (spellings, form) in [
            (
                [
                    "Müller-Lüdenscheidt",
                    "MULLER LUDENSCHEIDT",
                    " mu\u{308}ller lu\u{308}denscheidt ",
                ],
                "MULLERLUDENSCHEIDT",
            ),
            (["O'Brien", "o’brien", "Ｏ Brien"], "OBRIEN"),
            (["Groß", "GROSS", "groß"], "GROSS"),
            (["943 476 5919", "943-476-5919", "9434765919"], "9434765919"),
        ] {
            for spelling in spellings {
                assert_eq!(normal(spelling), form, "{spelling}");
            }
        }
        for empty in ["", "  ", "-", "\u{308}"] {
            assert_eq!(
                IdentifierKind::Text.normal_form(empty),
                Err(IdentifierError::Empty)
            );
        }
    }

    #[test]
    fn a_day_is_written_one_way() {
        let day = |written: &str| IdentifierKind::Day.normal_form(written);
        assert_eq!(day(" 1961-04-03").unwrap(), "1961-04-03");
        for bad in ["03/04/1961", "1961-04", "1961-02-30", "19610403"] {
            assert_eq!(day(bad), Err(IdentifierError::NotADay), "{bad}");
        }
    }

    /// Worked out with Python's `hmac` and `base64`.
    #[test]
    fn a_pseudonym_is_the_hmac_of_names_and_normal_forms() {
        let key = PseudonymKey::parse(KEY).unwrap();
        let made = key.pseudonym([("health_number", "9434765919"), ("birth_date", "1961-04-03")]);
        assert_eq!(made, "RPS-MTYK3X-YNXJJU-VXR4RD-VGFGTU");
        let swapped = key.pseudonym([("birth_date", "1961-04-03"), ("health_number", "9434765919")]);
        assert_ne!(made, swapped, "the order is part of the agreement");
        assert!(PseudonymKey::parse("secret").is_err());
    }
}
