//! Canonical addresses and resource ids.
//!
//! A FHIR id has letters, digits, hyphens and dots, at most 64. Ids are made from what they name and never taken apart by guessing: a
//! resource is looked for among those its reader may see.

use sha2::{Digest, Sha256};

/// A version of a guideline.
#[derive(Debug, Clone, Copy)]
pub struct Edition<'a> {
    pub guideline: &'a str,
    pub version: &'a str,
}

impl Edition<'_> {
    /// The address of a measure, the same for every version.
    pub fn canonical(self, measure: &str) -> String {
        format!("urn:rps-registry:measure:{}:{measure}", self.guideline)
    }

    /// The address of a measure in this version.
    pub fn versioned(self, measure: &str) -> String {
        format!("{}|{}", self.canonical(measure), self.version)
    }

    /// The id of a measure in this version.
    pub fn id(self, measure: &str) -> String {
        fitting(&format!("{}-{}-", self.guideline, self.version), measure)
    }

    /// Whether a search for `asked` means this measure: by the registry's own id, by resource id (`Measure/..`, relative or
    /// absolute) or by address, with or without version.
    pub fn is(self, asked: &str, measure: &str) -> bool {
        let id = asked.rsplit_once("Measure/").map_or(asked, |(_, id)| id);
        asked == measure
            || id == self.id(measure)
            || asked == self.canonical(measure)
            || asked == self.versioned(measure)
    }
}

/// The report of one case on a measure. Pseudonyms have underscores, ids have not; and no dots.
pub fn of_case(measure: &str, pseudonym: &str) -> String {
    format!("case-{measure}-{}", pseudonym.replace('_', "."))
}

/// Measure and pseudonym of [`of_case`].
pub fn case_of(id: &str) -> Option<(&str, String)> {
    let (measure, pseudonym) = id.strip_prefix("case-")?.split_once('-')?;
    Some((measure, pseudonym.replace('.', "_")))
}

/// The report of a run on a measure, for the network (`level` is `None`) or for a centre as its reader knows it.
pub fn of_run(run: i64, measure: &str, recent: bool, level: Option<&str>) -> String {
    let period = if recent { "24m" } else { "all" };
    match level {
        None => format!("run-{run}-{measure}-{period}"),
        Some(level) => fitting(&format!("run-{run}-{measure}-{period}-"), level),
    }
}

/// `prefix` and `name`, with what an id must not have written as a dot and two digits; a digest when that is too long.
fn fitting(prefix: &str, name: &str) -> String {
    let mut id = prefix.to_owned();
    for byte in name.bytes() {
        match byte {
            b'-' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => id.push(char::from(byte)),
            b' ' => id.push('.'),
            other => id.push_str(&format!(".{other:02x}")),
        }
    }
    if id.len() > 64 {
        let digest = hex::encode(Sha256::digest(name.as_bytes()));
        return format!("{prefix}{}", digest.get(..16).unwrap_or_default());
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_id(text: &str) -> bool {
        (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
    }

    #[test]
    fn ids_are_legal_and_distinct() {
        let long = "_".repeat(32);
        let levels = [
            "C01",
            "C-01",
            "C_01",
            "C.01",
            "Centre A",
            "Centre AA",
            long.as_str(),
        ];
        let mut ids: Vec<String> = levels
            .iter()
            .map(|l| of_run(123_456, "10b2", true, Some(l)))
            .collect();
        ids.push(of_run(123_456, "10b2", true, None));
        ids.push(of_run(123_456, "10b2", false, None));
        assert!(ids.iter().all(|id| is_id(id)), "{ids:?}");
        let mut distinct = ids.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), ids.len(), "{ids:?}");
    }

    #[test]
    fn a_case_report_leads_back_to_its_case() {
        let pseudonym = format!("A_b-{}", "9".repeat(36));
        let id = of_case("10b2", &pseudonym);
        assert!(is_id(&id), "{id}");
        assert_eq!(case_of(&id), Some(("10b2", pseudonym)));
        assert_eq!(case_of("run-1-1a-all"), None);
    }

    #[test]
    fn a_measure_is_found_by_every_name_it_has() {
        let edition = Edition {
            guideline: "g",
            version: "1.1.0",
        };
        let names = [
            "1a",
            "Measure/g-1.1.0-1a",
            "https://host/fhir/Measure/g-1.1.0-1a",
            "urn:rps-registry:measure:g:1a",
            "urn:rps-registry:measure:g:1a|1.1.0",
        ];
        assert!(names.iter().all(|name| edition.is(name, "1a")));
        let others = [
            "1b",
            "Measure/1a",
            "Measure/g-1.2.0-1a",
            "urn:rps-registry:measure:g:1a|1.2.0",
            "",
        ];
        assert!(!others.iter().any(|name| edition.is(name, "1a")));
    }
}
