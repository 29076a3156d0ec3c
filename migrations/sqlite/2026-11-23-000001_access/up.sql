-- Who takes part and who may ask: centres, API keys, browser sessions.

CREATE TABLE centres (
    centre_id  TEXT NOT NULL PRIMARY KEY CHECK (centre_id <> ''),
    name       TEXT NOT NULL,
    country    TEXT,
    active     INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

-- One row a centre and year: ratified flags, volumes, eligible seen, refused (JSON object).
CREATE TABLE centre_years (
    centre_id  TEXT NOT NULL REFERENCES centres (centre_id),
    year       INTEGER NOT NULL,
    elements   TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (centre_id, year)
) STRICT;

-- The secret itself is nowhere: its SHA-256 is.
CREATE TABLE api_keys (
    key_id        TEXT NOT NULL PRIMARY KEY,
    prefix        TEXT NOT NULL UNIQUE,
    secret_sha256 BLOB NOT NULL,
    label         TEXT NOT NULL,
    role          TEXT NOT NULL,
    centre_id     TEXT REFERENCES centres (centre_id),
    created_at    TEXT NOT NULL,
    created_by    TEXT NOT NULL,
    expires_at    TEXT,
    revoked_at    TEXT,
    replaced_by   TEXT
) STRICT;

CREATE TABLE sign_in_links (
    token_sha256 BLOB NOT NULL PRIMARY KEY,
    user_name    TEXT NOT NULL,
    role         TEXT NOT NULL,
    centre_id    TEXT REFERENCES centres (centre_id),
    created_at   TEXT NOT NULL,
    created_by   TEXT NOT NULL,
    expires_at   TEXT NOT NULL,
    reusable     INTEGER NOT NULL,
    used_at      TEXT
) STRICT;

CREATE TABLE sessions (
    token_sha256 BLOB NOT NULL PRIMARY KEY,
    user_name    TEXT NOT NULL,
    role         TEXT NOT NULL,
    centre_id    TEXT REFERENCES centres (centre_id),
    created_at   TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    expires_at   TEXT NOT NULL,
    ended_at     TEXT
) STRICT;
