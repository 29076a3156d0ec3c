-- The keys in force (wrapped) and the audit trail.

-- check_value opens with the right master key only.
CREATE TABLE master_keys (
    key_id      TEXT NOT NULL PRIMARY KEY,
    check_value BLOB NOT NULL,
    since       TEXT NOT NULL
) STRICT;

CREATE TABLE secrets (
    name    TEXT NOT NULL PRIMARY KEY,
    wrapped BLOB NOT NULL
) STRICT;

CREATE TABLE audit_events (
    seq           INTEGER NOT NULL PRIMARY KEY,
    at            TEXT NOT NULL,
    actor         TEXT NOT NULL,
    role          TEXT NOT NULL,
    action        TEXT NOT NULL,
    centre_id     TEXT,
    case_id       TEXT,
    subject       TEXT,
    old_version   INTEGER,
    new_version   INTEGER,
    reason        TEXT,
    request_id    TEXT,
    details       TEXT NOT NULL,
    previous_hash BLOB NOT NULL,
    hash          BLOB NOT NULL
) STRICT;
CREATE INDEX audit_events_by_case ON audit_events (case_id, seq);

-- One row: the last event. Locked by every transaction that writes, so that the chain has no fork.
CREATE TABLE audit_head (
    id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL,
    hash BLOB NOT NULL,
    mac  BLOB NOT NULL
) STRICT;

-- Events are written once.
CREATE TRIGGER audit_events_are_not_changed BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE (ABORT, 'audit events are written once'); END;
CREATE TRIGGER audit_events_are_not_deleted BEFORE DELETE ON audit_events
BEGIN SELECT RAISE (ABORT, 'audit events are written once'); END;
