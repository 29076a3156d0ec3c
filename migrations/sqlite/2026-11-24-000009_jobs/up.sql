-- Jobs: long work that a centre has handed in, how far it is and what it reports; and its mappings of foreign projects.

-- counts is JSON. A running job without a sign of life (told_at) for longer than the lease was interrupted.
CREATE TABLE jobs (
    centre_id  TEXT NOT NULL REFERENCES centres (centre_id),
    job_id     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    dry_run    INTEGER NOT NULL,
    state      TEXT NOT NULL,
    counts     TEXT NOT NULL,
    problem    TEXT,
    actor      TEXT NOT NULL,
    started_at TEXT NOT NULL,
    told_at    TEXT NOT NULL,
    ended_at   TEXT,
    PRIMARY KEY (centre_id, job_id)
) STRICT;

-- Lines of a report name cases: sealed, and gone when a case of the centre is erased.
CREATE TABLE job_reports (
    centre_id TEXT NOT NULL,
    job_id    TEXT NOT NULL,
    part      INTEGER NOT NULL,
    lines     BLOB NOT NULL,
    PRIMARY KEY (centre_id, job_id, part),
    FOREIGN KEY (centre_id, job_id) REFERENCES jobs (centre_id, job_id)
) STRICT;

CREATE TABLE import_mappings (
    centre_id  TEXT NOT NULL REFERENCES centres (centre_id),
    name       TEXT NOT NULL,
    content    TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (centre_id, name)
) STRICT;
