-- ETL runs, evaluations (sealed), results, releases.

CREATE TABLE runs (
    number       BIGINT NOT NULL PRIMARY KEY,
    status       TEXT COLLATE "C" NOT NULL,
    cutoff_date  DATE NOT NULL,
    watermark    BIGINT NOT NULL,
    parameters   TEXT NOT NULL,
    summary      TEXT,
    started_at   TIMESTAMP NOT NULL,
    started_by   TEXT NOT NULL,
    alive_at     TIMESTAMP NOT NULL,
    finished_at  TIMESTAMP,
    published_at TIMESTAMP,
    published_by TEXT
);
-- The lock: one row may be running.
CREATE UNIQUE INDEX one_running_run ON runs (status) WHERE status = 'running';

CREATE TABLE evaluations (
    centre_id      TEXT COLLATE "C" NOT NULL,
    case_id        TEXT COLLATE "C" NOT NULL,
    evaluation_key TEXT COLLATE "C" NOT NULL,
    version        BIGINT NOT NULL,
    payload        BYTEA NOT NULL,
    PRIMARY KEY (centre_id, case_id, evaluation_key),
    FOREIGN KEY (centre_id, case_id) REFERENCES cases (centre_id, case_id)
);

CREATE TABLE run_evaluations (
    centre_id      TEXT COLLATE "C" NOT NULL,
    run            BIGINT NOT NULL,
    case_id        TEXT COLLATE "C" NOT NULL,
    version        BIGINT NOT NULL,
    evaluation_key TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (centre_id, run, case_id)
);
CREATE INDEX run_evaluations_by_case ON run_evaluations (centre_id, case_id);
CREATE INDEX run_evaluations_by_run ON run_evaluations (run, centre_id, case_id);

-- Aggregates only: no row of a patient.
CREATE TABLE results (
    run        BIGINT NOT NULL REFERENCES runs (number),
    kind       TEXT COLLATE "C" NOT NULL,
    result_key TEXT COLLATE "C" NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (run, kind, result_key)
);

CREATE TABLE releases (
    release_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    run        BIGINT NOT NULL REFERENCES runs (number),
    title      TEXT NOT NULL,
    manifest   TEXT NOT NULL,
    sha256     TEXT COLLATE "C" NOT NULL,
    bytes      BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by TEXT NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON runs TO registry_app;
GRANT SELECT, INSERT ON run_evaluations, results, releases TO registry_app;
GRANT SELECT, INSERT, DELETE ON evaluations TO registry_app;

ALTER TABLE runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE runs FORCE ROW LEVEL SECURITY;
ALTER TABLE evaluations ENABLE ROW LEVEL SECURITY;
ALTER TABLE evaluations FORCE ROW LEVEL SECURITY;
ALTER TABLE run_evaluations ENABLE ROW LEVEL SECURITY;
ALTER TABLE run_evaluations FORCE ROW LEVEL SECURITY;
ALTER TABLE results ENABLE ROW LEVEL SECURITY;
ALTER TABLE results FORCE ROW LEVEL SECURITY;
ALTER TABLE releases ENABLE ROW LEVEL SECURITY;
ALTER TABLE releases FORCE ROW LEVEL SECURITY;
CREATE POLICY read ON runs FOR SELECT USING (
    current_setting('registry.role', true) <> ''
);
CREATE POLICY add ON runs FOR INSERT WITH CHECK (
    current_setting('registry.role', true) IN ('coordinator', 'system')
);
CREATE POLICY read ON results FOR SELECT USING (
    current_setting('registry.role', true) <> ''
);
CREATE POLICY add ON results FOR INSERT WITH CHECK (
    current_setting('registry.role', true) IN ('coordinator', 'system')
);
CREATE POLICY read ON releases FOR SELECT USING (
    current_setting('registry.role', true) <> ''
);
CREATE POLICY add ON releases FOR INSERT WITH CHECK (
    current_setting('registry.role', true) IN ('coordinator', 'system')
);
CREATE POLICY change ON runs FOR UPDATE USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
);
CREATE POLICY by_centre ON evaluations FOR ALL USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
    OR (
        current_setting('registry.role', true) IN ('submitter', 'centre_lead')
        AND centre_id = current_setting('registry.centre', true)
    )
);
CREATE POLICY by_centre ON run_evaluations FOR ALL USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
    OR (
        current_setting('registry.role', true) IN ('submitter', 'centre_lead')
        AND centre_id = current_setting('registry.centre', true)
    )
);
