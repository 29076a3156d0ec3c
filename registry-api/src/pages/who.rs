//! Who did something, as pages say it: the label of a key, the name and role of a person.

use std::collections::HashMap;

use registry_core::access::Scope;

use super::frame::role_name;
use crate::problem::Problem;
use crate::state::AppState;

/// Everybody who may have done something: name, and the role that goes with it.
pub(super) struct People(HashMap<String, (String, Option<&'static str>)>);

impl People {
    /// # Errors
    /// The database does not answer.
    pub(super) fn of(state: &AppState) -> Result<Self, Problem> {
        let registry = Scope::system("names of who did something");
        let keys = state.store.list_keys(&registry)?.into_iter();
        let keys = keys.map(|key| {
            let name = format!("key \u{201c}{}\u{201d}", key.label);
            (format!("key:{}", key.key_id), (name, None))
        });
        let people = state.store.list_people(&registry)?.into_iter();
        let people = people.map(|person| {
            let role = Some(role_name(person.role));
            (format!("user:{}", person.login), (person.name, role))
        });
        Ok(Self(keys.chain(people).collect()))
    }

    /// The name alone, beside a role that is said; nothing of the registry itself. Somebody without an account by the name they had.
    pub(super) fn name(&self, actor: &str) -> Option<String> {
        if let Some((name, _)) = self.0.get(actor) {
            return Some(name.clone());
        }
        match actor.split_once(':') {
            Some(("user", name)) => Some(name.to_owned()),
            Some(("key", _)) => Some("a key".to_owned()),
            _ => None,
        }
    }

    /// `Anna Rossi (Data manager)` of `user:rossi`, `key “nightly push”` of `key:0198…`.
    pub(super) fn who(&self, actor: &str) -> String {
        let name = self.name(actor).unwrap_or_else(|| "the registry".to_owned());
        match self.0.get(actor).and_then(|(_, role)| *role) {
            Some(role) => format!("{name} ({role})"),
            None => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::People;

    #[test]
    fn nobody_is_called_by_an_id() {
        let known = [
            ("key:0198", ("key \u{201c}nightly push\u{201d}", None)),
            ("user:rossi", ("Anna Rossi", Some("Data manager"))),
        ];
        let known = known.map(|(actor, (name, role))| (actor.to_owned(), (name.to_owned(), role)));
        let people = People(known.into());
        for (actor, name, said) in [
            (
                "key:0198",
                Some("key \u{201c}nightly push\u{201d}"),
                "key \u{201c}nightly push\u{201d}",
            ),
            ("user:rossi", Some("Anna Rossi"), "Anna Rossi (Data manager)"),
            ("user:demo lead", Some("demo lead"), "demo lead"),
            ("key:0199", Some("a key"), "a key"),
            ("system", None, "the registry"),
        ] {
            assert_eq!(people.name(actor).as_deref(), name);
            assert_eq!(people.who(actor), said);
        }
    }
}
