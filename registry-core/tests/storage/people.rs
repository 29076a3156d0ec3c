//! Accounts: invited, set up by the person, guarded by password and code, ended by the office.

use chrono::Duration;
use registry_core::access::{Role, Token, code_at};
use registry_core::clock::Clock;
use registry_core::storage::{AuthFailure, Invited, NewPerson, NewSession, PersonState, StoreError};

use crate::secrecy::everything_in;
use crate::support::{TestStore, on_both, system};

const LOGIN: &str = "anna@example.org";
const PASSWORD: &str = "tin lantern, seven oars";

fn invite(test: &TestStore) -> Invited {
    let person = NewPerson {
        login: " Anna@Example.org".to_owned(),
        name: "Anna Rossi".to_owned(),
        role: Role::CentreLead,
        centre: Some("C01".to_owned()),
    };
    test.store.invite_person(&system(), person).unwrap()
}

fn code(test: &TestStore, link: &Token) -> String {
    let secret = test.store.enrolment(link.reveal()).unwrap().secret;
    code_at(&secret, test.clock.now())
}

fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>) -> AuthFailure {
    match result {
        Err(StoreError::Unauthenticated(failure)) => failure,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn sign_in(test: &TestStore, password: &str, code: &str) -> Result<NewSession, StoreError> {
    test.store.sign_in(LOGIN, password, code)
}

on_both! {
    fn an_invited_person_sets_up_signs_in_and_is_ended_by_the_office(test) {
        let invited = invite(&test);
        assert_eq!((invited.person.login.as_str(), invited.person.state), (LOGIN, PersonState::Invited));
        let secret = test.store.enrolment(invited.link.reveal()).unwrap().secret;
        assert_eq!(test.store.enrolment(invited.link.reveal()).unwrap().secret, secret, "opening changes nothing");
        let now = code(&test, &invited.link);
        assert!(matches!(test.store.enrol_person(invited.link.reveal(), "anna@example.org1", &now), Err(StoreError::Weak(_))));
        assert!(matches!(test.store.enrol_person(invited.link.reveal(), PASSWORD, "12345"), Err(StoreError::Invalid(_))));
        let enrolled = test.store.enrol_person(invited.link.reveal(), PASSWORD, &now).unwrap();
        let scope = &enrolled.session.session.scope;
        assert_eq!((scope.role(), scope.centre(), scope.actor()), (Role::CentreLead, Some("C01"), "user:anna@example.org"));
        assert_eq!(refused(test.store.enrolment(invited.link.reveal())), AuthFailure::Used);

        // The code that set the account up is used; the next one works once.
        assert_eq!(refused(sign_in(&test, PASSWORD, &now)), AuthFailure::Unknown);
        test.clock.jump(Duration::seconds(60));
        let next = code_at(&secret, test.clock.now());
        let session = sign_in(&test, PASSWORD, &next).unwrap();
        assert_ne!(session.token, enrolled.session.token);
        assert_eq!(refused(sign_in(&test, PASSWORD, &next)), AuthFailure::Unknown);

        // Ten recovery codes, each good once.
        assert_eq!(enrolled.recovery_codes.len(), 10);
        let recovery = enrolled.recovery_codes[3].reveal();
        sign_in(&test, PASSWORD, recovery).unwrap();
        assert_eq!(refused(sign_in(&test, PASSWORD, recovery)), AuthFailure::Unknown);

        let dump = everything_in(&test);
        for text in [PASSWORD, recovery, invited.link.reveal(), &secret.base32()] {
            assert!(!dump.contains(text));
        }

        let id = &invited.person.person_id;
        assert_eq!(test.store.disable_person(&system(), id).unwrap().state, PersonState::Disabled);
        assert_eq!(refused(test.store.session(session.token.reveal())), AuthFailure::Revoked);
        test.clock.jump(Duration::seconds(60));
        let later = code_at(&secret, test.clock.now());
        assert_eq!(refused(sign_in(&test, PASSWORD, &later)), AuthFailure::Unknown);

        let again = test.store.reset_person(&test.coordinator(), id).unwrap();
        assert_ne!(test.store.enrolment(again.link.reveal()).unwrap().secret, secret);
        test.clock.jump(Duration::hours(73));
        assert_eq!(refused(test.store.enrolment(again.link.reveal())), AuthFailure::Expired);
        assert_eq!(test.store.list_people(&system()).unwrap().len(), 1);
        test.store.verify_audit(None).unwrap();
        let export = test.export();
        for action in ["person.invite", "person.enrol", "person.sign_in_failed", "person.recovery_code_used", "person.disable", "person.reset"] {
            assert!(export.contains(action), "{action}");
        }
    }

    fn an_unknown_name_costs_what_a_wrong_password_costs_and_says_the_same(test) {
        let invited = invite(&test);
        let pending = test.store.password_hashes_computed();
        let unset = refused(sign_in(&test, PASSWORD, "000000"));
        assert_eq!(test.store.password_hashes_computed(), pending + 1);
        test.store.enrol_person(invited.link.reveal(), PASSWORD, &code(&test, &invited.link)).unwrap();
        for (login, password) in [("nobody@example.org", PASSWORD), (LOGIN, "wrong"), (LOGIN, PASSWORD), ("", "")] {
            let before = test.store.password_hashes_computed();
            assert_eq!(refused(test.store.sign_in(login, password, "000000")), unset);
            assert_eq!(test.store.password_hashes_computed(), before + 1);
        }
    }

    fn failures_lock_for_a_while_that_grows_and_ends(test) {
        let invited = invite(&test);
        let secret = test.store.enrolment(invited.link.reveal()).unwrap().secret;
        test.store.enrol_person(invited.link.reveal(), PASSWORD, &code(&test, &invited.link)).unwrap();
        let right = |test: &TestStore| sign_in(test, PASSWORD, &code_at(&secret, test.clock.now()));
        test.clock.jump(Duration::seconds(60));
        // The fifth failure locks for 30 seconds, the sixth for 60.
        for _ in 0..5 {
            refused(sign_in(&test, "wrong", "000000"));
        }
        test.clock.jump(Duration::seconds(20));
        assert_eq!(refused(right(&test)), AuthFailure::Unknown);
        test.clock.jump(Duration::seconds(15));
        refused(sign_in(&test, "wrong", "000000"));
        test.clock.jump(Duration::seconds(45));
        assert_eq!(refused(right(&test)), AuthFailure::Unknown);
        test.clock.jump(Duration::seconds(20));
        right(&test).unwrap();
    }

    fn only_the_office_manages_accounts(test) {
        let invited = invite(&test);
        let new = NewPerson { login: "b@example.org".to_owned(), name: "B".to_owned(), role: Role::Committee, centre: None };
        for role in [Role::Researcher, Role::Committee] {
            let scope = test.scope(role, None);
            assert!(matches!(test.store.invite_person(&scope, new.clone()), Err(StoreError::Forbidden { .. })));
            assert!(matches!(test.store.list_people(&scope), Err(StoreError::Forbidden { .. })));
            assert!(matches!(test.store.reset_person(&scope, &invited.person.person_id), Err(StoreError::Forbidden { .. })));
            assert!(matches!(test.store.disable_person(&scope, &invited.person.person_id), Err(StoreError::Forbidden { .. })));
        }
        let taken = NewPerson { login: LOGIN.to_owned(), ..new.clone() };
        assert!(matches!(test.store.invite_person(&system(), taken), Err(StoreError::Duplicate(_))));
        for wrong in [NewPerson { login: "a b".to_owned(), ..new.clone() }, NewPerson { centre: Some("C01".to_owned()), ..new.clone() }, NewPerson { name: " ".to_owned(), ..new }] {
            assert!(matches!(test.store.invite_person(&system(), wrong), Err(StoreError::Invalid(_))));
        }
        assert!(matches!(test.store.reset_person(&system(), "none"), Err(StoreError::NotFound)));
    }
}
