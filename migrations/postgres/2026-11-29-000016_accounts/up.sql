-- People with an account: who they are, how they prove it, the links that let them set that up.

-- login is in lower case. password is an Argon2id hash in PHC form; totp_secret is sealed; totp_step is the last time step whose code was
-- used, so that no code works twice. Who proves elsewhere who they are has issuer and subject (OpenID Connect) in their place.
CREATE TABLE people (
    person_id       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    login           TEXT COLLATE "C" NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    role            TEXT COLLATE "C" NOT NULL,
    centre_id       TEXT COLLATE "C" REFERENCES centres (centre_id),
    state           TEXT COLLATE "C" NOT NULL,
    password        TEXT,
    totp_secret     BYTEA,
    totp_step       BIGINT,
    failures        BIGINT NOT NULL,
    locked_until    TIMESTAMP,
    created_at      TIMESTAMP NOT NULL,
    created_by      TEXT COLLATE "C" NOT NULL,
    last_sign_in_at TIMESTAMP,
    oidc_issuer     TEXT COLLATE "C",
    oidc_subject    TEXT COLLATE "C",
    UNIQUE (oidc_issuer, oidc_subject)
);

-- One-time links of an invitation or a reset. The token itself is nowhere: its SHA-256 is.
CREATE TABLE person_links (
    token_sha256 BYTEA NOT NULL PRIMARY KEY,
    person_id    TEXT COLLATE "C" NOT NULL REFERENCES people (person_id),
    created_at   TIMESTAMP NOT NULL,
    created_by   TEXT COLLATE "C" NOT NULL,
    expires_at   TIMESTAMP NOT NULL,
    used_at      TIMESTAMP
);
CREATE INDEX person_links_of_a_person ON person_links (person_id);

-- Codes for who has lost the second factor, each good for one sign-in; 80 random bits, kept as SHA-256.
CREATE TABLE recovery_codes (
    person_id   TEXT COLLATE "C" NOT NULL REFERENCES people (person_id),
    code_sha256 BYTEA NOT NULL,
    used_at     TIMESTAMP,
    PRIMARY KEY (person_id, code_sha256)
);

-- Whose session it is, when it is a person's with an account.
ALTER TABLE sessions ADD COLUMN person_id TEXT COLLATE "C";

GRANT SELECT, INSERT, UPDATE ON people, person_links TO registry_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON recovery_codes TO registry_app;
ALTER TABLE people ENABLE ROW LEVEL SECURITY;
ALTER TABLE people FORCE ROW LEVEL SECURITY;
ALTER TABLE person_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE person_links FORCE ROW LEVEL SECURITY;
ALTER TABLE recovery_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_codes FORCE ROW LEVEL SECURITY;
CREATE POLICY administer ON people FOR ALL USING (
    current_setting('registry.role', true) IN ('admin', 'coordinator', 'system')
);
CREATE POLICY administer ON person_links FOR ALL USING (
    current_setting('registry.role', true) IN ('admin', 'coordinator', 'system')
);
CREATE POLICY administer ON recovery_codes FOR ALL USING (
    current_setting('registry.role', true) IN ('admin', 'coordinator', 'system')
);
