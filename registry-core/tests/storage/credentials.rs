//! Keys, sessions, sign-in links: kept as hashes, ended when they should end.

use chrono::{Duration, TimeZone, Utc};
use registry_core::access::Role;
use registry_core::clock::Clock;
use registry_core::storage::{AuthFailure, NewKey, SignInLink, StoreError};

use crate::support::{TestStore, on_both, system};

fn key(role: Role, centre: Option<&str>) -> NewKey {
    NewKey {
        label: "nightly push".to_owned(),
        role,
        centre: centre.map(str::to_owned),
        expires_at: Some(Utc.with_ymd_and_hms(2026, 12, 23, 12, 0, 0).unwrap()),
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>) -> AuthFailure {
    match result {
        Err(StoreError::Unauthenticated(failure)) => failure,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn link(test: &TestStore, reusable: bool) -> SignInLink {
    SignInLink {
        user: "lead of C01".to_owned(),
        role: Role::CentreLead,
        centre: Some("C01".to_owned()),
        expires_at: test.clock.now() + Duration::minutes(15),
        reusable,
    }
}

on_both! {
    fn a_key_works_until_it_expires_or_is_revoked(test) {
        let created = test.store.create_key(&system(), key(Role::Submitter, Some("C01"))).unwrap();
        let text = created.key.reveal().to_owned();
        let scope = test.store.authenticate(&text).unwrap();
        assert_eq!((scope.role(), scope.centre()), (Role::Submitter, Some("C01")));
        assert_eq!(scope.actor(), format!("key:{}", created.info.key_id));
        let mut wrong = text.clone();
        let last = if wrong.pop() == Some('A') { 'E' } else { 'A' };
        wrong.push(last);
        for bad in ["", "rps_", "Bearer x", wrong.as_str(), &text[1..]] {
            assert_eq!(refused(test.store.authenticate(bad)), AuthFailure::Unknown, "{}", bad.len());
        }
        test.clock.jump(Duration::days(31));
        assert_eq!(refused(test.store.authenticate(&text)), AuthFailure::Expired);
        let second = test.store.create_key(&system(), NewKey { expires_at: None, ..key(Role::Committee, None) }).unwrap();
        assert!(test.store.authenticate(second.key.reveal()).is_ok());
        test.store.revoke_key(&system(), &second.info.key_id).unwrap();
        assert_eq!(refused(test.store.authenticate(second.key.reveal())), AuthFailure::Revoked);
        test.store.revoke_key(&system(), &second.info.key_id).unwrap();
        assert_eq!(test.store.revoke_key(&system(), "none").err(), Some(StoreError::NotFound));
    }

    fn rotation_overlaps(test) {
        let old = test.store.create_key(&system(), key(Role::Submitter, Some("C01"))).unwrap();
        let new = test.store.rotate_key(&system(), &old.info.key_id, Duration::hours(1)).unwrap();
        assert!(test.store.authenticate(old.key.reveal()).is_ok());
        assert!(test.store.authenticate(new.key.reveal()).is_ok());
        assert!(matches!(test.store.rotate_key(&system(), &old.info.key_id, Duration::hours(1)), Err(StoreError::InvalidState(_))));
        test.clock.jump(Duration::hours(2));
        assert_eq!(refused(test.store.authenticate(old.key.reveal())), AuthFailure::Expired);
        assert!(test.store.authenticate(new.key.reveal()).is_ok());
    }

    fn a_rotation_beyond_the_calendar_is_refused_or_cut_short(test) {
        let old = test.store.create_key(&system(), key(Role::Submitter, Some("C01"))).unwrap();
        for overlap in [Duration::hours(u32::MAX.into()), Duration::days(367), Duration::MAX] {
            let refused = test.store.rotate_key(&system(), &old.info.key_id, overlap).err();
            assert!(matches!(refused, Some(StoreError::Invalid(_))), "{refused:?}");
        }
        let new = test.store.rotate_key(&system(), &old.info.key_id, Duration::days(366)).unwrap();
        assert!(test.store.authenticate(new.key.reveal()).is_ok());
        let at = |year| Some(Utc.with_ymd_and_hms(year, 12, 31, 0, 0, 0).unwrap());
        let endless = NewKey { expires_at: at(10_000), ..key(Role::Committee, None) };
        assert!(matches!(test.store.create_key(&system(), endless), Err(StoreError::Invalid(_))));
        let long = test.store.create_key(&system(), NewKey { expires_at: at(9_999), ..key(Role::Committee, None) }).unwrap();
        test.clock.jump(Duration::days(2));
        let next = test.store.rotate_key(&system(), &long.info.key_id, Duration::zero()).unwrap();
        assert_eq!(next.info.expires_at.map(|end| end.timestamp()), Some(253_402_300_799));
        assert!(test.store.authenticate(next.key.reveal()).is_ok());
    }

    fn grants_fit_role_and_centre_and_are_made_by_administrators(test) {
        for (role, centre) in [(Role::Submitter, None), (Role::Committee, Some("C01")), (Role::System, None), (Role::Submitter, Some("C99"))] {
            assert!(matches!(test.store.create_key(&system(), key(role, centre)), Err(StoreError::Invalid(_))), "{role}");
        }
        for role in [Role::Researcher, Role::Committee] {
            let scope = test.scope(role, None);
            assert!(matches!(test.store.create_key(&scope, key(Role::Committee, None)), Err(StoreError::Forbidden { .. })));
            assert!(matches!(test.store.list_keys(&scope), Err(StoreError::Forbidden { .. })));
        }
    }

    fn a_link_signs_in_once_and_a_session_ends(test) {
        let token = test.store.create_sign_in_link(&system(), link(&test, false)).unwrap();
        let begun = test.store.redeem_sign_in_link(token.reveal()).unwrap();
        assert_eq!(refused(test.store.redeem_sign_in_link(token.reveal())), AuthFailure::Used);
        let cookie = begun.token.reveal();
        let session = test.store.session(cookie).unwrap();
        assert_eq!(session, begun.session);
        assert_eq!((session.scope.role(), session.scope.centre()), (Role::CentreLead, Some("C01")));
        assert_eq!(session.scope.actor(), "user:lead of C01");
        // A request every 20 minutes keeps it; the absolute end comes all the same.
        for _ in 0..35 {
            test.clock.jump(Duration::minutes(20));
            test.store.session(cookie).unwrap();
        }
        test.clock.jump(Duration::minutes(25));
        assert_eq!(refused(test.store.session(cookie)), AuthFailure::Expired);

        let again = test.store.create_sign_in_link(&system(), link(&test, true)).unwrap();
        let idle = test.store.redeem_sign_in_link(again.reveal()).unwrap();
        let signed_out = test.store.redeem_sign_in_link(again.reveal()).unwrap();
        assert_ne!(idle.token, signed_out.token);
        test.store.end_session(signed_out.token.reveal()).unwrap();
        assert_eq!(refused(test.store.session(signed_out.token.reveal())), AuthFailure::Revoked);
        test.clock.jump(Duration::minutes(31));
        assert_eq!(refused(test.store.session(idle.token.reveal())), AuthFailure::Expired);
        assert_eq!(refused(test.store.redeem_sign_in_link(again.reveal())), AuthFailure::Expired);
        assert_eq!(refused(test.store.session("guess")), AuthFailure::Unknown);
    }
}
