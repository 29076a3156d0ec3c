-- Jobs: long work that a centre has handed in, how far it is and what it reports; and its mappings of foreign projects.

-- counts is JSON. A running job without a sign of life (told_at) for longer than the lease was interrupted.
CREATE TABLE jobs (
    centre_id  TEXT COLLATE "C" NOT NULL REFERENCES centres (centre_id),
    job_id     TEXT COLLATE "C" NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL,
    dry_run    BOOLEAN NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,
    counts     TEXT NOT NULL,
    problem    TEXT,
    actor      TEXT COLLATE "C" NOT NULL,
    started_at TIMESTAMP NOT NULL,
    told_at    TIMESTAMP NOT NULL,
    ended_at   TIMESTAMP,
    PRIMARY KEY (centre_id, job_id)
);

-- Lines of a report name cases: sealed, and gone when a case of the centre is erased.
CREATE TABLE job_reports (
    centre_id TEXT COLLATE "C" NOT NULL,
    job_id    TEXT COLLATE "C" NOT NULL,
    part      BIGINT NOT NULL,
    lines     BYTEA NOT NULL,
    PRIMARY KEY (centre_id, job_id, part),
    FOREIGN KEY (centre_id, job_id) REFERENCES jobs (centre_id, job_id)
);

CREATE TABLE import_mappings (
    centre_id  TEXT COLLATE "C" NOT NULL REFERENCES centres (centre_id),
    name       TEXT COLLATE "C" NOT NULL,
    content    TEXT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (centre_id, name)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON jobs, job_reports, import_mappings TO registry_app;
ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs FORCE ROW LEVEL SECURITY;
ALTER TABLE job_reports ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_reports FORCE ROW LEVEL SECURITY;
ALTER TABLE import_mappings ENABLE ROW LEVEL SECURITY;
ALTER TABLE import_mappings FORCE ROW LEVEL SECURITY;
CREATE POLICY by_centre ON jobs FOR ALL USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
    OR (
        current_setting('registry.role', true) IN ('submitter', 'centre_lead')
        AND centre_id = current_setting('registry.centre', true)
    )
);
CREATE POLICY by_centre ON job_reports FOR ALL USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
    OR (
        current_setting('registry.role', true) IN ('submitter', 'centre_lead')
        AND centre_id = current_setting('registry.centre', true)
    )
);
CREATE POLICY by_centre ON import_mappings FOR ALL USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
    OR (
        current_setting('registry.role', true) IN ('submitter', 'centre_lead')
        AND centre_id = current_setting('registry.centre', true)
    )
);
