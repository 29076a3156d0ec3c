-- Releases being frozen, and those that could not be; a row goes when its release is recorded. done and total count cases; told_at is the
-- last sign of life, problem says why it ended without a release.
CREATE TABLE freezings (
    release_id TEXT NOT NULL PRIMARY KEY,
    run        INTEGER NOT NULL REFERENCES runs (number),
    title      TEXT NOT NULL,
    done       INTEGER NOT NULL,
    total      INTEGER NOT NULL,
    problem    TEXT,
    started_at TEXT NOT NULL,
    started_by TEXT NOT NULL,
    told_at    TEXT NOT NULL
) STRICT;
