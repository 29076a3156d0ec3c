-- Cases: the current row, every version (sealed), findings, claims, idempotency, tasks.

-- The only table that knows no centre's walls: a keyed hash of every pseudonym in use.
CREATE TABLE pseudonym_claims (
    pseudonym_mac BLOB NOT NULL PRIMARY KEY,
    centre_id     TEXT NOT NULL,
    case_id       TEXT NOT NULL,
    claimed_at    TEXT NOT NULL
) STRICT;

-- wrapped_key is NULL once the case is erased; state counts changes that make no version (life cycle, withdrawal).
CREATE TABLE cases (
    centre_id         TEXT NOT NULL REFERENCES centres (centre_id),
    case_id           TEXT NOT NULL,
    pseudonym         TEXT,
    status            TEXT NOT NULL,
    locked_through    TEXT,
    version           INTEGER NOT NULL,
    state             INTEGER NOT NULL,
    schema_version    TEXT NOT NULL,
    histology_code    TEXT,
    eligibility_class TEXT,
    t0                TEXT,
    errors            INTEGER NOT NULL,
    warnings          INTEGER NOT NULL,
    wrapped_key       BLOB,
    created_at        TEXT NOT NULL,
    updated_at        TEXT NOT NULL,
    withdrawal_mode   TEXT,
    withdrawn_on      TEXT,
    PRIMARY KEY (centre_id, case_id),
    UNIQUE (centre_id, pseudonym)
) STRICT;
CREATE INDEX cases_by_change ON cases (centre_id, updated_at);

-- document: nonce, ciphertext and tag of the compressed canonical JSON; NULL once erased.
-- change_seq is the number of the audit event that made the version; superseded_seq that of the next one.
CREATE TABLE case_versions (
    centre_id         TEXT NOT NULL,
    case_id           TEXT NOT NULL,
    version           INTEGER NOT NULL,
    schema_version    TEXT NOT NULL,
    status            TEXT NOT NULL,
    document          BLOB,
    content_hash      BLOB NOT NULL,
    histology_code    TEXT,
    eligibility_class TEXT,
    t0                TEXT,
    errors            INTEGER NOT NULL,
    warnings          INTEGER NOT NULL,
    submitted_at      TEXT NOT NULL,
    actor             TEXT NOT NULL,
    reason            TEXT,
    request_id        TEXT,
    change_seq        INTEGER NOT NULL,
    superseded_seq    INTEGER,
    PRIMARY KEY (centre_id, case_id, version),
    FOREIGN KEY (centre_id, case_id) REFERENCES cases (centre_id, case_id)
) STRICT;

CREATE TABLE findings (
    centre_id    TEXT NOT NULL,
    case_id      TEXT NOT NULL,
    version      INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    identity     TEXT NOT NULL,
    code         TEXT NOT NULL,
    severity     TEXT NOT NULL,
    rule         TEXT,
    rule_version TEXT,
    pointer      TEXT NOT NULL,
    message      TEXT NOT NULL,
    elements     TEXT NOT NULL,
    PRIMARY KEY (centre_id, case_id, version, position),
    FOREIGN KEY (centre_id, case_id, version) REFERENCES case_versions (centre_id, case_id, version)
) STRICT;

-- centre_id is '-' for those who belong to none. answer is sealed; NULL while the work is under way.
CREATE TABLE idempotency (
    centre_id       TEXT NOT NULL,
    actor           TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint     BLOB NOT NULL,
    answer          BLOB,
    case_id         TEXT,
    claimed_at      TEXT NOT NULL,
    expires_at      TEXT NOT NULL,
    PRIMARY KEY (centre_id, actor, idempotency_key)
) STRICT;
CREATE INDEX idempotency_by_end ON idempotency (expires_at);

CREATE TABLE tasks (
    centre_id       TEXT NOT NULL REFERENCES centres (centre_id),
    task_id         TEXT NOT NULL,
    kind            TEXT NOT NULL,
    other_centre_id TEXT NOT NULL,
    case_id         TEXT NOT NULL,
    occurrences     INTEGER NOT NULL,
    opened_at       TEXT NOT NULL,
    closed_at       TEXT,
    closed_by       TEXT,
    resolution      TEXT,
    PRIMARY KEY (centre_id, task_id)
) STRICT;
