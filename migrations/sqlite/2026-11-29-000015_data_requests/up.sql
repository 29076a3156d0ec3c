-- Data requests: what a researcher asks of a release, what the coordinating office opened, and what was delivered.

-- line is the first request of a row of requests that continue each other: their pseudonyms are the same. asked and approved are JSON.
-- sha256, bytes and manifest are of the bundle, from its first building on.
CREATE TABLE data_requests (
    request_id  TEXT NOT NULL PRIMARY KEY,
    line        TEXT NOT NULL,
    release_id  TEXT NOT NULL REFERENCES releases (release_id),
    title       TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    asked       TEXT NOT NULL,
    status      TEXT NOT NULL,
    filed_at    TEXT NOT NULL,
    filed_by    TEXT NOT NULL,
    approved    TEXT,
    expires_on  TEXT,
    decided_at  TEXT,
    decided_by  TEXT,
    reason      TEXT,
    revoked_at  TEXT,
    revoked_by  TEXT,
    revoked_for TEXT,
    downloads   INTEGER NOT NULL,
    sha256      TEXT,
    bytes       INTEGER,
    manifest    TEXT
) STRICT;
CREATE INDEX data_requests_by_filer ON data_requests (filed_by, request_id);

-- Which cases a delivered bundle holds. A record id says nothing by itself and stays after erasure, as it does in the trail.
CREATE TABLE delivered_cases (
    case_id    TEXT NOT NULL,
    request_id TEXT NOT NULL REFERENCES data_requests (request_id),
    PRIMARY KEY (case_id, request_id)
) STRICT;
