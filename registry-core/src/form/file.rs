//! The shape of `form/<major>.toml`; what is served is the same shape as JSON, with parameters replaced by their numbers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A form file.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = FormContent)]
#[serde(deny_unknown_fields)]
pub(super) struct FormFile {
    pub(super) identity: String,
    /// Texts that need room.
    #[serde(default)]
    pub(super) wide: Vec<String>,
    pub(super) attestation: Attestation,
    pub(super) withdrawal: Withdrawal,
    pub(super) absence: BTreeMap<String, String>,
    #[serde(rename(deserialize = "section"))]
    pub(super) sections: Vec<Section>,
    #[serde(rename(deserialize = "entity"), default)]
    pub(super) entities: Vec<EntityWords>,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) show: Vec<Show>,
    #[serde(rename(deserialize = "key"), default)]
    pub(super) keys: Vec<Key>,
    #[serde(rename(deserialize = "link"), default)]
    pub(super) links: Vec<Link>,
    #[serde(rename(deserialize = "suggest"), default)]
    pub(super) suggestions: Vec<Suggestion>,
    #[serde(rename(deserialize = "preset"), default)]
    pub(super) presets: Vec<Preset>,
}

/// The entity that closes sections, and its codes.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = FormAttestation)]
#[serde(deny_unknown_fields)]
pub(super) struct Attestation {
    pub(super) entity: String,
    pub(super) section: String,
    pub(super) status: String,
    pub(super) through: String,
    pub(super) complete: String,
    pub(super) never: String,
    pub(super) all: String,
    pub(super) last_day: String,
}

/// When a record carries nothing clinical.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = FormWithdrawal)]
#[serde(deny_unknown_fields)]
pub(super) struct Withdrawal {
    pub(super) element: String,
    pub(super) codes: Vec<Value>,
    pub(super) keeps: Vec<String>,
}

#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = FormSection)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    pub(super) title: String,
    pub(super) entities: Vec<String>,
}

/// What an entity, one of its rows, and a folded row are called.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = FormEntity)]
#[serde(deny_unknown_fields)]
pub(super) struct EntityWords {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) one: Option<String>,
    #[serde(default)]
    pub(super) gist: Vec<String>,
}

/// Elements or entities that matter only when every condition holds.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = FormShow)]
#[serde(deny_unknown_fields)]
pub(crate) struct Show {
    #[serde(default)]
    pub(crate) elements: Vec<String>,
    #[serde(default)]
    pub(crate) entities: Vec<String>,
    pub(crate) when: Vec<Condition>,
}

/// One condition; exactly one of `is`, `not`, `known`, `rows`, `before`, `years_before`.
#[derive(Debug, Clone, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = FormCondition)]
#[serde(deny_unknown_fields)]
pub(crate) struct Condition {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) element: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) known: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) years_before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at_least: Option<Value>,
}

impl Condition {
    /// The elements it reads.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        [&self.element, &self.before, &self.years_before]
            .into_iter()
            .flatten()
    }
}

/// An element that names its row; a new row gets the next free one.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = FormKey)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    pub(super) element: String,
    #[serde(default)]
    pub(super) prefix: String,
}

/// Elements that name rows of another entity by their key.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = FormLink)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    pub(super) elements: Vec<String>,
    pub(super) to: String,
    /// Words that may stand instead of a key, with what they mean.
    #[serde(default)]
    pub(super) also: BTreeMap<String, String>,
}

/// A value worked out from others.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = FormSuggestion)]
pub(super) struct Suggestion {
    pub(super) element: String,
    pub(super) because: String,
    #[serde(flatten)]
    pub(super) how: How,
}

/// How it is worked out.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = FormSuggestionKind)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum How {
    /// One of two codes, by whether two dates are at most `days` apart.
    Apart {
        from: String,
        to: String,
        days: Value,
        within: String,
        beyond: String,
    },
    /// The largest value over the rows linked to this one.
    Largest {
        of: String,
        link: String,
        without: Option<Condition>,
    },
    /// Their sum, when each is known.
    Sum {
        of: String,
        link: String,
        without: Option<Condition>,
    },
    /// The row's place by date among the rows that meet a condition.
    Rank { by: String, among: Condition },
    /// Whether death came within `days`; not before anybody could know, and not where a partial date leaves it open.
    DeathWithin {
        from: String,
        death: String,
        /// The day of a contact, and what makes it one with somebody alive.
        seen: String,
        alive: Condition,
        days: Value,
    },
    /// The centre of whoever is signed in.
    OwnCentre,
}

impl Suggestion {
    /// The elements it reads and writes.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        let mut names = vec![&self.element];
        match &self.how {
            How::Apart { from, to, .. } => names.extend([from, to]),
            How::Largest { of, link, without } | How::Sum { of, link, without } => {
                names.extend([of, link]);
                names.extend(without.iter().flat_map(Condition::names));
            }
            How::Rank { by, among } => {
                names.push(by);
                names.extend(among.names());
            }
            How::DeathWithin {
                from,
                death,
                seen,
                alive,
                ..
            } => {
                names.extend([from, death, seen]);
                names.extend(alive.names());
            }
            How::OwnCentre => {}
        }
        names.into_iter()
    }

    /// The number of days, where it has one.
    fn days(&mut self) -> Option<&mut Value> {
        match &mut self.how {
            How::Apart { days, .. } | How::DeathWithin { days, .. } => Some(days),
            _ => None,
        }
    }
}

/// A new row with what is nearly always the same.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = FormPreset)]
#[serde(deny_unknown_fields)]
pub(super) struct Preset {
    pub(super) entity: String,
    pub(super) title: String,
    pub(super) values: BTreeMap<String, Value>,
}

impl FormFile {
    /// Every place where a number may stand as a parameter (`$NAME`).
    pub(super) fn numbers(&mut self) -> Vec<&mut Value> {
        let conditions = self.show.iter_mut().flat_map(|show| &mut show.when);
        let ages = conditions.filter_map(|condition| condition.at_least.as_mut());
        let days = self.suggestions.iter_mut().filter_map(Suggestion::days);
        ages.chain(days).collect()
    }

    /// Puts the numbers in the place of parameters.
    pub(super) fn resolve(&mut self, parameters: &BTreeMap<String, i64>) {
        for place in self.numbers() {
            let named = place.as_str().and_then(|text| text.strip_prefix('$'));
            if let Some(number) = named.and_then(|name| parameters.get(name)) {
                *place = (*number).into();
            }
        }
    }
}
