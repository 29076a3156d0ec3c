//! Who may call what: the written table against the service's own, and the forms of pages by a session of every role.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::Method;
use chrono::{Duration, Utc};
use registry_api::routes::{Access, Endpoint, endpoints};
use registry_core::access::{Role, Scope};
use registry_core::storage::{SignInLink, Store};

use crate::routes::{filled, with_service};
use crate::support::{Answer, Registry, send};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// The written table: method and path, and the roles that may.
fn written() -> BTreeMap<String, BTreeSet<Role>> {
    let mut table = BTreeMap::new();
    let mut roles = BTreeSet::new();
    for line in include_str!("roles.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(names) => {
                roles = names
                    .split(' ')
                    .map(|name| name.parse().expect("a role"))
                    .collect();
            }
            None => {
                let twice = table.insert(line.to_owned(), roles.clone());
                assert!(twice.is_none(), "{line} stands twice");
            }
        }
    }
    table
}

fn name(endpoint: &Endpoint) -> String {
    format!("{} {}", endpoint.method, endpoint.path)
}

#[test]
fn the_written_table_of_roles_is_the_one_that_is_served() {
    let served: BTreeMap<String, BTreeSet<Role>> = endpoints()
        .iter()
        .filter_map(|endpoint| match endpoint.access {
            Access::Roles(roles) => Some((name(endpoint), roles.iter().copied().collect())),
            Access::Open(_) => None,
        })
        .collect();
    let written = written();
    for (route, roles) in &served {
        assert_eq!(
            written.get(route),
            Some(roles),
            "{route}: as written in roles.txt (left) and as served (right)"
        );
    }
    for route in written.keys() {
        assert!(served.contains_key(route), "{route} is written and not served");
    }
}

/// A session's cookie and the token of its forms.
fn session(store: &Store, role: Role) -> (String, String) {
    let link = SignInLink {
        user: format!("test {role}"),
        role,
        centre: role.needs_centre().then(|| "C01".to_owned()),
        expires_at: Utc::now() + Duration::hours(1),
        reusable: false,
    };
    let link = store
        .create_sign_in_link(&Scope::system("test"), link)
        .expect("a link");
    let new = store.redeem_sign_in_link(link.reveal()).expect("a session");
    (
        format!("registry_session={}", new.token.reveal()),
        new.session.csrf,
    )
}

fn submit(base: &str, endpoint: &Endpoint, cookie: &str, body: &str) -> Answer {
    let headers = [FORM, ("cookie", cookie)];
    let path = filled(endpoint.path);
    send(base, None, "POST", &path, &headers, Some(body)).expect("an answer")
}

/// What a key asks of a form is refused elsewhere (`every_route_by_every_role`); here the browser asks.
#[test]
fn every_form_by_a_session_of_every_role() {
    let registry = Registry::new();
    let store = registry.open(false);
    let written = written();
    with_service(&registry, |base| {
        let mut asked = 0;
        for endpoint in endpoints() {
            let is_form = endpoint.method == Method::POST && !endpoint.path.starts_with("/api/");
            let name = name(&endpoint);
            let Some(roles) = written.get(&name).filter(|_| is_form) else {
                continue;
            };
            for role in Role::GRANTABLE {
                // Of its own for each form: some end it.
                let (cookie, csrf) = session(&store, role);
                let without = submit(base, &endpoint, &cookie, "x=y");
                // An upload says first who it is not for, and then that it is none.
                let refused = [403, 422].contains(&without.status);
                assert!(refused, "{name} by {role} without its token: {}", without.status);
                let answer = submit(base, &endpoint, &cookie, &format!("csrf={csrf}"));
                assert!(
                    answer.status < 500,
                    "{name} by {role}: {} {}",
                    answer.status,
                    answer.text
                );
                assert_ne!(answer.status, 401, "{name} by {role}");
                assert_eq!(
                    answer.status == 403,
                    !roles.contains(&role),
                    "{name} by {role}: {} {}",
                    answer.status,
                    answer.text
                );
                if answer.status == 403 {
                    assert_eq!(answer.json()["code"], "forbidden", "{name} by {role}");
                }
                asked += 1;
            }
        }
        assert!(asked > 200, "{asked} forms were sent");
    });
}
