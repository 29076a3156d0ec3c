-- Cases: the current row, every version (sealed), findings, claims, idempotency, tasks.

-- The only table that knows no centre's walls: a keyed hash of every pseudonym in use.
CREATE TABLE pseudonym_claims (
    pseudonym_mac BYTEA NOT NULL PRIMARY KEY,
    centre_id     TEXT COLLATE "C" NOT NULL,
    case_id       TEXT COLLATE "C" NOT NULL,
    claimed_at    TIMESTAMP NOT NULL
);

-- wrapped_key is NULL once the case is erased; state counts changes that make no version (life cycle, withdrawal).
CREATE TABLE cases (
    centre_id         TEXT COLLATE "C" NOT NULL REFERENCES centres (centre_id),
    case_id           TEXT COLLATE "C" NOT NULL,
    pseudonym         TEXT COLLATE "C",
    status            TEXT COLLATE "C" NOT NULL,
    locked_through    DATE,
    version           BIGINT NOT NULL,
    state             BIGINT NOT NULL,
    schema_version    TEXT NOT NULL,
    histology_code    TEXT COLLATE "C",
    eligibility_class TEXT COLLATE "C",
    t0                TEXT COLLATE "C",
    errors            BIGINT NOT NULL,
    warnings          BIGINT NOT NULL,
    wrapped_key       BYTEA,
    created_at        TIMESTAMP NOT NULL,
    updated_at        TIMESTAMP NOT NULL,
    withdrawal_mode   TEXT COLLATE "C",
    withdrawn_on      DATE,
    PRIMARY KEY (centre_id, case_id),
    UNIQUE (centre_id, pseudonym)
);
CREATE INDEX cases_by_change ON cases (centre_id, updated_at);

-- document: nonce, ciphertext and tag of the compressed canonical JSON; NULL once erased.
-- change_seq is the number of the audit event that made the version; superseded_seq that of the next one.
CREATE TABLE case_versions (
    centre_id         TEXT COLLATE "C" NOT NULL,
    case_id           TEXT COLLATE "C" NOT NULL,
    version           BIGINT NOT NULL,
    schema_version    TEXT NOT NULL,
    status            TEXT COLLATE "C" NOT NULL,
    document          BYTEA,
    content_hash      BYTEA NOT NULL,
    histology_code    TEXT COLLATE "C",
    eligibility_class TEXT COLLATE "C",
    t0                TEXT COLLATE "C",
    errors            BIGINT NOT NULL,
    warnings          BIGINT NOT NULL,
    submitted_at      TIMESTAMP NOT NULL,
    actor             TEXT COLLATE "C" NOT NULL,
    reason            TEXT,
    request_id        TEXT,
    change_seq        BIGINT NOT NULL,
    superseded_seq    BIGINT,
    PRIMARY KEY (centre_id, case_id, version),
    FOREIGN KEY (centre_id, case_id) REFERENCES cases (centre_id, case_id)
);

CREATE TABLE findings (
    centre_id    TEXT COLLATE "C" NOT NULL,
    case_id      TEXT COLLATE "C" NOT NULL,
    version      BIGINT NOT NULL,
    position     INTEGER NOT NULL,
    identity     TEXT COLLATE "C" NOT NULL,
    code         TEXT COLLATE "C" NOT NULL,
    severity     TEXT COLLATE "C" NOT NULL,
    rule         TEXT COLLATE "C",
    rule_version TEXT,
    pointer      TEXT NOT NULL,
    message      TEXT NOT NULL,
    elements     TEXT NOT NULL,
    PRIMARY KEY (centre_id, case_id, version, position),
    FOREIGN KEY (centre_id, case_id, version) REFERENCES case_versions (centre_id, case_id, version)
);

-- centre_id is '-' for those who belong to none. answer is sealed; NULL while the work is under way.
CREATE TABLE idempotency (
    centre_id       TEXT COLLATE "C" NOT NULL,
    actor           TEXT COLLATE "C" NOT NULL,
    idempotency_key TEXT COLLATE "C" NOT NULL,
    fingerprint     BYTEA NOT NULL,
    answer          BYTEA,
    case_id         TEXT COLLATE "C",
    claimed_at      TIMESTAMP NOT NULL,
    expires_at      TIMESTAMP NOT NULL,
    PRIMARY KEY (centre_id, actor, idempotency_key)
);
CREATE INDEX idempotency_by_end ON idempotency (expires_at);

CREATE TABLE tasks (
    centre_id       TEXT COLLATE "C" NOT NULL REFERENCES centres (centre_id),
    task_id         TEXT COLLATE "C" NOT NULL,
    kind            TEXT COLLATE "C" NOT NULL,
    other_centre_id TEXT COLLATE "C" NOT NULL,
    case_id         TEXT COLLATE "C" NOT NULL,
    occurrences     BIGINT NOT NULL,
    opened_at       TIMESTAMP NOT NULL,
    closed_at       TIMESTAMP,
    closed_by       TEXT,
    resolution      TEXT,
    PRIMARY KEY (centre_id, task_id)
);

GRANT SELECT, INSERT ON pseudonym_claims TO registry_app;
GRANT SELECT, INSERT, UPDATE ON cases, case_versions, tasks TO registry_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON findings, idempotency TO registry_app;

ALTER TABLE cases ENABLE ROW LEVEL SECURITY;
ALTER TABLE cases FORCE ROW LEVEL SECURITY;
ALTER TABLE case_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE case_versions FORCE ROW LEVEL SECURITY;
ALTER TABLE findings ENABLE ROW LEVEL SECURITY;
ALTER TABLE findings FORCE ROW LEVEL SECURITY;
ALTER TABLE idempotency ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency FORCE ROW LEVEL SECURITY;
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY by_centre ON cases FOR ALL USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
    OR (
        current_setting('registry.role', true) IN ('submitter', 'centre_lead')
        AND centre_id = current_setting('registry.centre', true)
    )
);
CREATE POLICY by_centre ON case_versions FOR ALL USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
    OR (
        current_setting('registry.role', true) IN ('submitter', 'centre_lead')
        AND centre_id = current_setting('registry.centre', true)
    )
);
CREATE POLICY by_centre ON findings FOR ALL USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
    OR (
        current_setting('registry.role', true) IN ('submitter', 'centre_lead')
        AND centre_id = current_setting('registry.centre', true)
    )
);
CREATE POLICY by_owner ON idempotency FOR ALL USING (
    current_setting('registry.role', true) = 'system'
    OR (
        current_setting('registry.role', true) <> ''
    AND centre_id = coalesce(nullif(current_setting('registry.centre', true), ''), '-')
    )
);
CREATE POLICY coordinate ON tasks FOR ALL USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
);
