//! `updated_since` of lists: what was made or changed at that instant or later.

use chrono::{DateTime, Utc};
use serde::Deserialize;

/// The query of a list that takes nothing else.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Since {
    updated_since: Option<DateTime<Utc>>,
}

impl Since {
    /// Whether something with these instants, of its making and of what was done to it, is wanted.
    pub(crate) fn takes(self, instants: &[Option<DateTime<Utc>>]) -> bool {
        self.updated_since
            .is_none_or(|since| instants.iter().flatten().max().is_some_and(|last| *last >= since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_instant_decides() {
        let at = |text: &str| Some(text.parse::<DateTime<Utc>>().expect("an instant"));
        let since = Since {
            updated_since: at("2026-03-02T00:00:00Z"),
        };
        let made = at("2026-03-01T00:00:00Z");
        assert!(Since::default().takes(&[]));
        assert!(!since.takes(&[]) && !since.takes(&[made, None]));
        assert!(since.takes(&[made, at("2026-03-02T00:00:00Z")]));
    }
}
