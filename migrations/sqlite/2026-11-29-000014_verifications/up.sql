-- Source-data verification: which cases a draw took, and what another person entered again from the source.

-- share is in parts of 10,000. The same seed and the same cases give the same sample.
CREATE TABLE verifications (
    verification_id TEXT NOT NULL PRIMARY KEY,
    seed            TEXT NOT NULL,
    share           INTEGER NOT NULL,
    through         TEXT NOT NULL,
    drawn_at        TEXT NOT NULL,
    drawn_by        TEXT NOT NULL
) STRICT;

-- version is the one current at the draw. document is sealed with the case's key; it and what stands beside it are empty until the case is
-- entered again.
CREATE TABLE verification_cases (
    centre_id       TEXT NOT NULL,
    verification_id TEXT NOT NULL REFERENCES verifications (verification_id),
    case_id         TEXT NOT NULL,
    version         INTEGER NOT NULL,
    document        BLOB,
    reentered_at    TEXT,
    reentered_by    TEXT,
    PRIMARY KEY (centre_id, verification_id, case_id),
    FOREIGN KEY (centre_id, case_id) REFERENCES cases (centre_id, case_id)
) STRICT;
CREATE INDEX verification_cases_of_a_case ON verification_cases (centre_id, case_id);
