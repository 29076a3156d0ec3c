//! Accounts: invited, set up by the person, guarded by password and code, ended by the office.

use chrono::Duration;
use registry_core::access::{Role, Token, code_at};
use registry_core::clock::Clock;
use registry_core::storage::{
    AuthFailure, Invited, NewPerson, NewSession, PersonState, SignInLink, StoreError,
};

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
        let noted = || test.export().matches("person.sign_in_failed").count();
        for (login, password) in [("nobody@example.org", PASSWORD), (LOGIN, "wrong"), (LOGIN, PASSWORD), ("", "")] {
            let before = (test.store.password_hashes_computed(), noted());
            assert_eq!(refused(test.store.sign_in(login, password, "000000")), unset);
            assert_eq!((test.store.password_hashes_computed(), noted()), (before.0 + 1, before.1 + 1));
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

    fn another_role_or_centre_ends_the_sessions_with_the_earlier_one(test) {
        let invited = invite(&test);
        let id = &invited.person.person_id;
        let enrolled = test.store.enrol_person(invited.link.reveal(), PASSWORD, &code(&test, &invited.link)).unwrap();
        for (role, centre) in [(Role::Committee, Some("C01")), (Role::Submitter, None), (Role::Submitter, Some("C99")), (Role::System, None)] {
            assert!(matches!(test.store.assign_person(&test.coordinator(), id, role, centre), Err(StoreError::Invalid(_))), "{role}");
        }
        assert!(test.store.session(enrolled.session.token.reveal()).is_ok());
        let moved = test.store.assign_person(&test.coordinator(), id, Role::Submitter, Some("C02")).unwrap();
        assert_eq!((moved.role, moved.centre.as_deref(), moved.state), (Role::Submitter, Some("C02"), PersonState::Active));
        assert_eq!(refused(test.store.session(enrolled.session.token.reveal())), AuthFailure::Revoked);
        let again = sign_in(&test, PASSWORD, enrolled.recovery_codes[0].reveal()).unwrap();
        assert_eq!((again.session.scope.role(), again.session.scope.centre()), (Role::Submitter, Some("C02")));
        assert!(test.export().contains("person.assign"));
        test.store.verify_audit(None).unwrap();
    }

    fn nobody_of_the_office_changes_their_own_access(test) {
        let new = NewPerson { login: "office@example.org".to_owned(), name: "Office".to_owned(), role: Role::Coordinator, centre: None };
        let invited = test.store.invite_person(&system(), new).unwrap();
        let id = &invited.person.person_id;
        let enrolled = test.store.enrol_person(invited.link.reveal(), PASSWORD, &code(&test, &invited.link)).unwrap();
        let own = &enrolled.session.session.scope;
        assert!(matches!(test.store.assign_person(own, id, Role::Admin, None), Err(StoreError::InvalidState(_))));
        assert!(matches!(test.store.reset_person(own, id), Err(StoreError::InvalidState(_))));
        assert!(matches!(test.store.disable_person(own, id), Err(StoreError::InvalidState(_))));
        let other = invite(&test).person.person_id;
        test.store.disable_person(own, &other).unwrap();
    }

    fn a_person_changes_password_and_recovery_codes_and_signs_out_everywhere(test) {
        let invited = invite(&test);
        let first = test.store.enrol_person(invited.link.reveal(), PASSWORD, &code(&test, &invited.link)).unwrap();
        let second = sign_in(&test, PASSWORD, first.recovery_codes[0].reveal()).unwrap();
        let account = second.session.account.clone().unwrap();
        let scope = &second.session.scope;
        let seen = test.store.own_account(&account).unwrap();
        assert_eq!(seen.sessions.iter().map(|s| s.current).collect::<Vec<_>>(), [true, false]);
        assert_eq!((seen.recovery_codes, seen.person.login.as_str()), (9, LOGIN));

        let wanted = "eleven grey herons, one pond";
        assert!(matches!(test.store.change_own_password(scope, &account, PASSWORD, "short"), Err(StoreError::Weak(_))));
        assert!(matches!(test.store.change_own_password(scope, &account, "wrong", wanted), Err(StoreError::Invalid(_))));
        assert!(test.store.session(first.session.token.reveal()).is_ok(), "a refusal ends nothing");
        let changed = test.store.change_own_password(scope, &account, PASSWORD, wanted).unwrap();
        for earlier in [&first.session, &second] {
            assert_eq!(refused(test.store.session(earlier.token.reveal())), AuthFailure::Revoked);
        }
        assert_eq!(test.store.session(changed.token.reveal()).unwrap(), changed.session);
        assert_eq!(refused(sign_in(&test, PASSWORD, first.recovery_codes[1].reveal())), AuthFailure::Unknown);

        let account = changed.session.account.clone().unwrap();
        assert!(matches!(test.store.renew_own_recovery_codes(scope, &account, PASSWORD), Err(StoreError::Invalid(_))));
        let fresh = test.store.renew_own_recovery_codes(scope, &account, wanted).unwrap();
        assert_eq!(fresh.len(), 10);
        assert_eq!(refused(sign_in(&test, wanted, first.recovery_codes[2].reveal())), AuthFailure::Unknown);
        let elsewhere = sign_in(&test, wanted, fresh[0].reveal()).unwrap();
        assert_eq!(test.store.end_own_sessions(scope, &account).unwrap(), 2);
        for ended in [&changed, &elsewhere] {
            assert_eq!(refused(test.store.session(ended.token.reveal())), AuthFailure::Revoked);
        }
        let export = test.export();
        for action in ["person.change_password", "person.renew_recovery_codes", "session.end_all"] {
            assert!(export.contains(action), "{action}");
        }
        test.store.verify_audit(None).unwrap();
    }

    fn an_identity_signs_in_where_an_invitation_bound_it_and_nowhere_else(test) {
        const ISSUER: &str = "https://login.example.org";
        let invited = invite(&test);
        let link = invited.link.reveal();
        assert_eq!(refused(test.store.sign_in_identity(ISSUER, "sub-1")), AuthFailure::Unknown);
        assert_eq!(refused(test.store.bind_identity("guess", ISSUER, "sub-1")), AuthFailure::Unknown);
        assert!(matches!(test.store.bind_identity(link, ISSUER, ""), Err(StoreError::Invalid(_))));
        let bound = test.store.bind_identity(link, ISSUER, "sub-1").unwrap();
        assert_eq!((bound.session.scope.role(), bound.session.scope.centre()), (Role::CentreLead, Some("C01")));
        assert_eq!(refused(test.store.bind_identity(link, ISSUER, "sub-2")), AuthFailure::Used);
        let again = test.store.sign_in_identity(ISSUER, "sub-1").unwrap();
        assert_ne!(again.token, bound.token);
        for (issuer, subject) in [(ISSUER, "sub-2"), ("https://other.example.org", "sub-1"), (ISSUER, LOGIN)] {
            assert_eq!(refused(test.store.sign_in_identity(issuer, subject)), AuthFailure::Unknown);
        }
        // No password belongs to it, whatever is tried.
        assert_eq!(refused(sign_in(&test, "", "")), AuthFailure::Unknown);

        let other = NewPerson { login: "b@example.org".to_owned(), name: "B".to_owned(), role: Role::Committee, centre: None };
        let other = test.store.invite_person(&system(), other).unwrap();
        assert!(matches!(test.store.bind_identity(other.link.reveal(), ISSUER, "sub-1"), Err(StoreError::Duplicate(_))));
        let id = &invited.person.person_id;
        test.store.reset_person(&system(), id).unwrap();
        assert_eq!(refused(test.store.session(again.token.reveal())), AuthFailure::Revoked);
        assert_eq!(refused(test.store.sign_in_identity(ISSUER, "sub-1")), AuthFailure::Unknown);
        test.store.bind_identity(other.link.reveal(), ISSUER, "sub-1").unwrap();
        assert!(test.export().contains("person.bind"));
        test.store.verify_audit(None).unwrap();
    }

    fn a_session_of_a_link_is_no_account(test) {
        let link = SignInLink { user: LOGIN.to_owned(), role: Role::Committee, centre: None, expires_at: test.clock.now() + Duration::hours(1), reusable: false };
        let token = test.store.create_sign_in_link(&system(), link).unwrap();
        assert_eq!(test.store.redeem_sign_in_link(token.reveal()).unwrap().session.account, None);
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
            assert!(matches!(test.store.assign_person(&scope, &invited.person.person_id, Role::Committee, None), Err(StoreError::Forbidden { .. })));
        }
        let taken = NewPerson { login: LOGIN.to_owned(), ..new.clone() };
        assert!(matches!(test.store.invite_person(&system(), taken), Err(StoreError::Duplicate(_))));
        for wrong in [NewPerson { login: "a b".to_owned(), ..new.clone() }, NewPerson { centre: Some("C01".to_owned()), ..new.clone() }, NewPerson { name: " ".to_owned(), ..new }] {
            assert!(matches!(test.store.invite_person(&system(), wrong), Err(StoreError::Invalid(_))));
        }
        assert!(matches!(test.store.reset_person(&system(), "none"), Err(StoreError::NotFound)));
    }
}
