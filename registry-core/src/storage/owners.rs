//! Who stands behind an actor's name. A key and those that followed it by rotation are one owner: what one of them filed is the others', and
//! who entered a case with one of them is not somebody else with the next.

use diesel::prelude::*;

use super::connection::{Conn, on_conn};
use super::identifiers::now;
use super::store::require;
use super::tables::{api_keys, people, sessions, sign_in_links};
use super::transaction::{Tx, set_context};
use super::{PersonState, Store, StoreError};
use crate::access::{Role, Scope};

/// The name of an actor that is a key.
const KEY: &str = "key:";

/// The keys of one line of rotation, oldest first, given every `(key, successor)` there is.
fn line_of(rotations: &[(String, String)], key: &str) -> Vec<String> {
    let mut line = vec![key.to_owned()];
    // A line is no longer than the rotations there are: what is stored cannot make this run for ever.
    for _ in rotations {
        let first = line.first().map(String::as_str);
        let before = rotations.iter().find(|(_, next)| Some(next.as_str()) == first);
        match before {
            Some((before, _)) if !line.contains(before) => line.insert(0, before.clone()),
            _ => break,
        }
    }
    for _ in rotations {
        let last = line.last();
        let after = rotations.iter().find(|(key, _)| Some(key) == last);
        match after {
            Some((_, after)) if !line.contains(after) => line.push(after.clone()),
            _ => break,
        }
    }
    line
}

/// The keys of the actor's line; none for who acts without a key. Wants the rights of the registry.
fn keys_of(conn: &mut Conn, actor: &str) -> Result<Vec<String>, StoreError> {
    let Some(key) = actor.strip_prefix(KEY) else {
        return Ok(Vec::new());
    };
    let query = api_keys::table
        .filter(api_keys::replaced_by.is_not_null())
        .select((api_keys::key_id, api_keys::replaced_by.assume_not_null()));
    let rotations = on_conn!(conn, c => query.load::<(String, String)>(c))?;
    Ok(line_of(&rotations, key))
}

/// Every name under which the owner of the scope has acted: its own, and those of the keys before and after it.
pub(crate) fn names_of(conn: &mut Conn, scope: &Scope) -> Result<Vec<String>, StoreError> {
    if !scope.actor().starts_with(KEY) {
        return Ok(vec![scope.actor().to_owned()]);
    }
    set_context(conn, Role::System, None)?;
    let keys = keys_of(conn, scope.actor())?;
    set_context(conn, scope.role(), scope.centre())?;
    Ok(keys.into_iter().map(|key| format!("{KEY}{key}")).collect())
}

/// Whether an actor could sign in or show a key in this role now. Wants the rights of the registry.
fn is_live(conn: &mut Conn, actor: &str, role: Role, now: chrono::NaiveDateTime) -> Result<bool, StoreError> {
    let role = role.as_str();
    if actor.starts_with(KEY) {
        let keys = keys_of(conn, actor)?;
        let good = api_keys::table
            .filter(api_keys::key_id.eq_any(keys))
            .filter(api_keys::role.eq(role))
            .filter(api_keys::revoked_at.is_null())
            .filter(
                api_keys::expires_at
                    .is_null()
                    .or(api_keys::expires_at.gt(Some(now))),
            )
            .count();
        return Ok(on_conn!(conn, c => good.get_result::<i64>(c))? > 0);
    }
    let Some(name) = actor.strip_prefix("user:") else {
        return Ok(false);
    };
    let person = people::table
        .filter(people::login.eq(name))
        .select((people::state, people::role));
    if let Some((state, has)) = on_conn!(conn, c => person.first::<(String, String)>(c)).optional()? {
        return Ok(state == PersonState::Active.as_str() && has == role);
    }
    // Somebody without an account, let in by a link.
    let links = sign_in_links::table
        .filter(sign_in_links::user_name.eq(name))
        .filter(sign_in_links::role.eq(role))
        .filter(sign_in_links::expires_at.gt(now))
        .filter(
            sign_in_links::reusable
                .eq(true)
                .or(sign_in_links::used_at.is_null()),
        )
        .count();
    let sessions = sessions::table
        .filter(sessions::user_name.eq(name))
        .filter(sessions::role.eq(role))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .count();
    let links = on_conn!(conn, c => links.get_result::<i64>(c))?;
    Ok(links > 0 || on_conn!(conn, c => sessions.get_result::<i64>(c))? > 0)
}

/// Refuses when an actor has no credentials of this role any more.
pub(crate) fn require_live(tx: &mut Tx<'_>, actor: &str, role: Role) -> Result<(), StoreError> {
    let now = tx.now;
    match tx.as_registry(|tx| is_live(tx.conn()?, actor, role, now))? {
        true => Ok(()),
        false => Err(StoreError::InvalidState(
            "who filed this has no access to the registry any more",
        )),
    }
}

impl Store {
    /// Whether an actor (`key:<id>`, `user:<name>`) has credentials of this role now: a key, or one that followed it by rotation, neither
    /// revoked nor expired; an active account; of who has none, a sign-in link or a session. The registry itself.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`].
    pub fn has_access(&self, scope: &Scope, actor: &str, role: Role) -> Result<bool, StoreError> {
        require(scope, scope.role() == Role::System, "look into credentials")?;
        let now = now(self.inner.context.clock.as_ref());
        self.read(scope, |conn, _| is_live(conn, actor, role, now))
    }
}

#[cfg(test)]
mod tests {
    use super::line_of;

    #[test]
    fn a_line_is_found_from_any_of_its_keys() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let rotations = [pair("b", "c"), pair("x", "y"), pair("a", "b")];
        for key in ["a", "b", "c"] {
            assert_eq!(line_of(&rotations, key), ["a", "b", "c"], "{key}");
        }
        assert_eq!(line_of(&rotations, "z"), ["z"]);
        let round = [pair("a", "b"), pair("b", "a")];
        assert_eq!(line_of(&round, "a").len(), 2);
    }
}
