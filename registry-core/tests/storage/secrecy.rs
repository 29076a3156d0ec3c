//! What a stolen database, a log or an error gives away: nothing.

use std::io::Read;

use flate2::read::ZlibDecoder;
use registry_core::access::Role;
use registry_core::crypto::MasterKey;
use registry_core::storage::{NewKey, PutCase, SignInLink, StoreError};

use crate::support::{Dialect, TestStore, master_key, on_both, put, replacing, system};

const CANARY: &str = "canary-4711";

pub(crate) fn everything_in(test: &TestStore) -> String {
    match test.dialect {
        Dialect::Sqlite => {
            test.raw("PRAGMA wal_checkpoint(TRUNCATE)");
            String::from_utf8_lossy(&std::fs::read(test.file()).unwrap()).into_owned()
        }
        Dialect::Postgres => {
            let tables =
                test.raw_texts("SELECT tablename::text AS line FROM pg_tables WHERE schemaname = 'public'");
            tables
                .iter()
                .flat_map(|table| test.raw_texts(&format!("SELECT t::text AS line FROM {table} t")))
                .collect::<Vec<_>>()
                .join("\n")
        }
    }
}

on_both! {
    fn a_database_dump_holds_no_document_no_key_no_token(test) {
        let key = test.store.create_key(&system(), NewKey { label: "k".to_owned(), role: Role::Submitter, centre: Some("C01".to_owned()), expires_at: None }).unwrap();
        let centre = test.store.authenticate(key.key.reveal()).unwrap();
        let link = test.store.create_sign_in_link(&system(), SignInLink {
            user: "u".to_owned(), role: Role::Committee, centre: None, expires_at: "2027-01-01T00:00:00Z".parse().unwrap(), reusable: false,
        }).unwrap();
        let session = test.store.redeem_sign_in_link(link.reveal()).unwrap();
        let first = test.store.put_case(&centre, PutCase { reason: Some(format!("because {CANARY}")), idempotency: crate::idempotency::keyed("k", 1), ..put("P-1", CANARY) }).unwrap();
        test.store.put_case(&centre, replacing("P-1", 2, &first)).unwrap();
        let dump = everything_in(&test);
        assert!(dump.contains("case.create"), "the dump is one");
        let secret = key.key.reveal().rsplit_once('_').unwrap().1.to_owned();
        for (what, text) in [("document", CANARY), ("key", &secret), ("link", link.reveal()), ("session", session.token.reveal())] {
            assert!(!dump.contains(text), "the database holds the {what}");
        }
        // A document is compressed before it is sealed: one that was not sealed would inflate.
        let hex = match test.dialect {
            Dialect::Sqlite => "hex(document)",
            Dialect::Postgres => "encode(document, 'hex')",
        };
        let sealed = test.raw_texts(&format!("SELECT {hex} AS line FROM case_versions"));
        assert_eq!(sealed.len(), 2);
        for sealed in sealed {
            let sealed = hex::decode(sealed).unwrap();
            assert!(sealed.len() > 40, "a document is kept");
            for from in 0..40 {
                let mut plain = Vec::new();
                let whole = ZlibDecoder::new(&sealed[from..]).take(1 << 20).read_to_end(&mut plain).is_ok();
                assert!(!whole || plain.is_empty(), "it inflates from byte {from}");
            }
        }
        // And so do debug output and errors.
        let shown = format!("{:?} {:?} {:?} {:?} {:?}", key, link, session.token, test.options, master_key());
        for text in [secret.as_str(), link.reveal(), session.token.reveal(), "registry.db", "127.0.0.1"] {
            assert!(!shown.contains(text));
        }
    }

    fn the_wrong_master_key_is_said_at_open(test) {
        test.store.put_case(&test.submitter("C01"), put("P-1", 1)).unwrap();
        let wrong = MasterKey::from_bytes([9; 32]);
        let expected = StoreError::WrongMasterKey { expected: master_key().id().to_owned(), given: wrong.id().to_owned() };
        let error = test.reopen_with(wrong).err().unwrap();
        assert_eq!(error, expected);
        assert!(error.to_string().contains("wrong master key"));
        assert!(test.reopen().is_ok());
    }

    fn rotation_rewraps_and_the_old_key_is_refused(test) {
        let centre = test.submitter("C01");
        test.store.put_case(&centre, put("P-1", 1)).unwrap();
        test.store.put_case(&centre, put("P-2", 2)).unwrap();
        let before = test.store.get_case(&centre, "P-1").unwrap().document;
        let derived = ["one purpose", "another"].map(|purpose| test.store.derived_key(purpose).unwrap());
        assert_ne!(derived[0], derived[1]);
        let new = MasterKey::from_bytes(std::array::from_fn(|i| 200 - i as u8));
        assert_eq!(test.store.rotate_master_key(&system(), new.clone()).unwrap(), 2);
        assert_eq!(test.store.get_case(&centre, "P-1").unwrap().document, before);
        test.store.put_case(&centre, put("P-3", 3)).unwrap();
        assert!(matches!(test.reopen_with(master_key()), Err(StoreError::WrongMasterKey { .. })));
        let again = test.reopen_with(new).unwrap();
        assert_eq!(again.get_case(&centre, "P-1").unwrap().document, before);
        again.verify_audit(None).unwrap();
        // What is made from the registry's own secret is as before, here and after a new start.
        for store in [&test.store, &again] {
            assert_eq!(["one purpose", "another"].map(|purpose| store.derived_key(purpose).unwrap()), derived);
        }
        assert_eq!(again.put_case(&test.submitter("C02"), put("P-1", 1)).err(), Some(StoreError::PseudonymRegistered));
    }

    fn a_document_moved_to_another_row_does_not_open(test) {
        let centre = test.submitter("C01");
        let first = test.store.put_case(&centre, put("P-1", 1)).unwrap();
        test.store.put_case(&centre, replacing("P-1", 2, &first)).unwrap();
        test.store.put_case(&centre, put("P-2", 1)).unwrap();
        let id = |p: &str| test.store.case_row(&centre, p).unwrap().case_id;
        let (one, two) = (id("P-1"), id("P-2"));
        test.raw(&format!(
            "UPDATE case_versions SET document = (SELECT document FROM case_versions WHERE case_id = '{one}' AND version = 1) \
             WHERE case_id = '{one}' AND version = 2"
        ));
        assert_eq!(test.store.get_case(&centre, "P-1").err(), Some(StoreError::Unreadable(one.clone())));
        test.raw(&format!("UPDATE cases SET wrapped_key = (SELECT wrapped_key FROM cases WHERE case_id = '{one}') WHERE case_id = '{two}'"));
        assert_eq!(test.store.get_case(&centre, "P-2").err(), Some(StoreError::Unreadable(two)));
    }
}
