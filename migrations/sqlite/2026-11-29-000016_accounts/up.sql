-- People with an account: who they are, how they prove it, the links that let them set that up.

-- login is in lower case. password is an Argon2id hash in PHC form; totp_secret is sealed; totp_step is the last time step whose code was
-- used, so that no code works twice. Who proves elsewhere who they are has issuer and subject (OpenID Connect) in their place.
CREATE TABLE people (
    person_id       TEXT NOT NULL PRIMARY KEY,
    login           TEXT NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    role            TEXT NOT NULL,
    centre_id       TEXT REFERENCES centres (centre_id),
    state           TEXT NOT NULL,
    password        TEXT,
    totp_secret     BLOB,
    totp_step       INTEGER,
    failures        INTEGER NOT NULL,
    locked_until    TEXT,
    created_at      TEXT NOT NULL,
    created_by      TEXT NOT NULL,
    last_sign_in_at TEXT,
    oidc_issuer     TEXT,
    oidc_subject    TEXT,
    UNIQUE (oidc_issuer, oidc_subject)
) STRICT;

-- One-time links of an invitation or a reset. The token itself is nowhere: its SHA-256 is.
CREATE TABLE person_links (
    token_sha256 BLOB NOT NULL PRIMARY KEY,
    person_id    TEXT NOT NULL REFERENCES people (person_id),
    created_at   TEXT NOT NULL,
    created_by   TEXT NOT NULL,
    expires_at   TEXT NOT NULL,
    used_at      TEXT
) STRICT;
CREATE INDEX person_links_of_a_person ON person_links (person_id);

-- Codes for who has lost the second factor, each good for one sign-in; 80 random bits, kept as SHA-256.
CREATE TABLE recovery_codes (
    person_id   TEXT NOT NULL REFERENCES people (person_id),
    code_sha256 BLOB NOT NULL,
    used_at     TEXT,
    PRIMARY KEY (person_id, code_sha256)
) STRICT;

-- Whose session it is, when it is a person's with an account.
ALTER TABLE sessions ADD COLUMN person_id TEXT;
