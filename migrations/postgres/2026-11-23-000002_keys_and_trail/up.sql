-- The keys in force (wrapped) and the audit trail.

-- check_value opens with the right master key only.
CREATE TABLE master_keys (
    key_id      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    check_value BYTEA NOT NULL,
    since       TIMESTAMP NOT NULL
);

CREATE TABLE secrets (
    name    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    wrapped BYTEA NOT NULL
);

CREATE TABLE audit_events (
    seq           BIGINT NOT NULL PRIMARY KEY,
    at            TIMESTAMP NOT NULL,
    actor         TEXT COLLATE "C" NOT NULL,
    role          TEXT COLLATE "C" NOT NULL,
    action        TEXT COLLATE "C" NOT NULL,
    centre_id     TEXT COLLATE "C",
    case_id       TEXT COLLATE "C",
    subject       TEXT COLLATE "C",
    old_version   BIGINT,
    new_version   BIGINT,
    reason        TEXT,
    request_id    TEXT,
    details       TEXT NOT NULL,
    previous_hash BYTEA NOT NULL,
    hash          BYTEA NOT NULL
);
CREATE INDEX audit_events_by_case ON audit_events (case_id, seq);

-- One row: the last event. Locked by every transaction that writes, so that the chain has no fork.
CREATE TABLE audit_head (
    id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seq  BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    mac  BYTEA NOT NULL
);

-- No UPDATE, no DELETE on events for the service.
GRANT SELECT, INSERT ON audit_events TO registry_app;
GRANT SELECT, UPDATE ON audit_head TO registry_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON master_keys TO registry_app;
GRANT SELECT, UPDATE ON secrets TO registry_app;

ALTER TABLE audit_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_events FORCE ROW LEVEL SECURITY;
CREATE POLICY read ON audit_events FOR SELECT USING (
    current_setting('registry.role', true) IN ('admin', 'coordinator', 'system')
);
CREATE POLICY append ON audit_events FOR INSERT WITH CHECK (
    current_setting('registry.role', true) <> ''
);
