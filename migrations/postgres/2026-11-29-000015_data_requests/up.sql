-- Data requests: what a researcher asks of a release, what the coordinating office opened, and what was delivered.

-- line is the first request of a row of requests that continue each other: their pseudonyms are the same. asked and approved are JSON.
-- sha256, bytes and manifest are of the bundle, from its first building on.
CREATE TABLE data_requests (
    request_id  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    line        TEXT COLLATE "C" NOT NULL,
    release_id  TEXT COLLATE "C" NOT NULL REFERENCES releases (release_id),
    title       TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    asked       TEXT NOT NULL,
    status      TEXT COLLATE "C" NOT NULL,
    filed_at    TIMESTAMP NOT NULL,
    filed_by    TEXT COLLATE "C" NOT NULL,
    approved    TEXT,
    expires_on  DATE,
    decided_at  TIMESTAMP,
    decided_by  TEXT COLLATE "C",
    reason      TEXT,
    revoked_at  TIMESTAMP,
    revoked_by  TEXT COLLATE "C",
    revoked_for TEXT,
    downloads   BIGINT NOT NULL,
    sha256      TEXT COLLATE "C",
    bytes       BIGINT,
    manifest    TEXT
);
CREATE INDEX data_requests_by_filer ON data_requests (filed_by, request_id);

-- Which cases a delivered bundle holds. A record id says nothing by itself and stays after erasure, as it does in the trail.
CREATE TABLE delivered_cases (
    case_id    TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL REFERENCES data_requests (request_id),
    PRIMARY KEY (case_id, request_id)
);

GRANT SELECT, INSERT, UPDATE ON data_requests TO registry_app;
GRANT SELECT, INSERT ON delivered_cases TO registry_app;
ALTER TABLE data_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE data_requests FORCE ROW LEVEL SECURITY;
ALTER TABLE delivered_cases ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivered_cases FORCE ROW LEVEL SECURITY;
CREATE POLICY read ON data_requests FOR SELECT USING (
    current_setting('registry.role', true) IN ('researcher', 'coordinator', 'system')
);
CREATE POLICY add ON data_requests FOR INSERT WITH CHECK (
    current_setting('registry.role', true) IN ('researcher', 'system')
);
CREATE POLICY change ON data_requests FOR UPDATE USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
);
CREATE POLICY by_office ON delivered_cases FOR ALL USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
);
