-- Releases being frozen, and those that could not be; a row goes when its release is recorded. done and total count cases; told_at is the
-- last sign of life, problem says why it ended without a release.
CREATE TABLE freezings (
    release_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    run        BIGINT NOT NULL REFERENCES runs (number),
    title      TEXT NOT NULL,
    done       BIGINT NOT NULL,
    total      BIGINT NOT NULL,
    problem    TEXT,
    started_at TIMESTAMP NOT NULL,
    started_by TEXT COLLATE "C" NOT NULL,
    told_at    TIMESTAMP NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON freezings TO registry_app;
ALTER TABLE freezings ENABLE ROW LEVEL SECURITY;
ALTER TABLE freezings FORCE ROW LEVEL SECURITY;
CREATE POLICY by_office ON freezings FOR ALL USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
);
