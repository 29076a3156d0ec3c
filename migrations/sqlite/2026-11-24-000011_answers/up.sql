-- A centre's answers to warnings. An identity is the hash of a check and of what it read: it is another once one of the elements changes,
-- and the answer no longer fits. reason is sealed with the case's key.
CREATE TABLE finding_answers (
    centre_id   TEXT NOT NULL,
    case_id     TEXT NOT NULL,
    identity    TEXT NOT NULL,
    version     INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    actor       TEXT NOT NULL,
    answered_at TEXT NOT NULL,
    PRIMARY KEY (centre_id, case_id, identity),
    FOREIGN KEY (centre_id, case_id) REFERENCES cases (centre_id, case_id)
) STRICT;
