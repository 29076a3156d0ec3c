-- ETL runs, evaluations (sealed), results, releases.

CREATE TABLE runs (
    number       INTEGER NOT NULL PRIMARY KEY,
    status       TEXT NOT NULL,
    cutoff_date  TEXT NOT NULL,
    watermark    INTEGER NOT NULL,
    parameters   TEXT NOT NULL,
    summary      TEXT,
    started_at   TEXT NOT NULL,
    started_by   TEXT NOT NULL,
    alive_at     TEXT NOT NULL,
    finished_at  TEXT,
    published_at TEXT,
    published_by TEXT
) STRICT;
-- The lock: one row may be running.
CREATE UNIQUE INDEX one_running_run ON runs (status) WHERE status = 'running';

CREATE TABLE evaluations (
    centre_id      TEXT NOT NULL,
    case_id        TEXT NOT NULL,
    evaluation_key TEXT NOT NULL,
    version        INTEGER NOT NULL,
    payload        BLOB NOT NULL,
    PRIMARY KEY (centre_id, case_id, evaluation_key),
    FOREIGN KEY (centre_id, case_id) REFERENCES cases (centre_id, case_id)
) STRICT;

CREATE TABLE run_evaluations (
    centre_id      TEXT NOT NULL,
    run            INTEGER NOT NULL,
    case_id        TEXT NOT NULL,
    version        INTEGER NOT NULL,
    evaluation_key TEXT NOT NULL,
    PRIMARY KEY (centre_id, run, case_id)
) STRICT;
CREATE INDEX run_evaluations_by_case ON run_evaluations (centre_id, case_id);
CREATE INDEX run_evaluations_by_run ON run_evaluations (run, centre_id, case_id);

-- Aggregates only: no row of a patient.
CREATE TABLE results (
    run        INTEGER NOT NULL REFERENCES runs (number),
    kind       TEXT NOT NULL,
    result_key TEXT NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (run, kind, result_key)
) STRICT;

CREATE TABLE releases (
    release_id TEXT NOT NULL PRIMARY KEY,
    run        INTEGER NOT NULL REFERENCES runs (number),
    title      TEXT NOT NULL,
    manifest   TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    bytes      INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL
) STRICT;
