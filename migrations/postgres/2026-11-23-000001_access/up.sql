-- Who takes part and who may ask: centres, API keys, browser sessions.

CREATE TABLE centres (
    centre_id  TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (centre_id <> ''),
    name       TEXT NOT NULL,
    country    TEXT,
    active     BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

-- One row a centre and year: ratified flags, volumes, eligible seen, refused (JSON object).
CREATE TABLE centre_years (
    centre_id  TEXT COLLATE "C" NOT NULL REFERENCES centres (centre_id),
    year       INTEGER NOT NULL,
    elements   TEXT NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (centre_id, year)
);

-- The secret itself is nowhere: its SHA-256 is.
CREATE TABLE api_keys (
    key_id        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    prefix        TEXT COLLATE "C" NOT NULL UNIQUE,
    secret_sha256 BYTEA NOT NULL,
    label         TEXT NOT NULL,
    role          TEXT COLLATE "C" NOT NULL,
    centre_id     TEXT COLLATE "C" REFERENCES centres (centre_id),
    created_at    TIMESTAMP NOT NULL,
    created_by    TEXT NOT NULL,
    expires_at    TIMESTAMP,
    revoked_at    TIMESTAMP,
    replaced_by   TEXT COLLATE "C"
);

CREATE TABLE sign_in_links (
    token_sha256 BYTEA NOT NULL PRIMARY KEY,
    user_name    TEXT NOT NULL,
    role         TEXT COLLATE "C" NOT NULL,
    centre_id    TEXT COLLATE "C" REFERENCES centres (centre_id),
    created_at   TIMESTAMP NOT NULL,
    created_by   TEXT NOT NULL,
    expires_at   TIMESTAMP NOT NULL,
    reusable     BOOLEAN NOT NULL,
    used_at      TIMESTAMP
);

CREATE TABLE sessions (
    token_sha256 BYTEA NOT NULL PRIMARY KEY,
    user_name    TEXT NOT NULL,
    role         TEXT COLLATE "C" NOT NULL,
    centre_id    TEXT COLLATE "C" REFERENCES centres (centre_id),
    created_at   TIMESTAMP NOT NULL,
    last_seen_at TIMESTAMP NOT NULL,
    expires_at   TIMESTAMP NOT NULL,
    ended_at     TIMESTAMP
);

-- The service's role: owns nothing, so that row-level security applies to it. Where the migrating role may not make
-- roles, make it beforehand: CREATE ROLE registry_app NOLOGIN.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'registry_app') THEN
        CREATE ROLE registry_app NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- another database of this server was migrated at the same moment
END
$$;
GRANT USAGE ON SCHEMA public TO registry_app;
GRANT SELECT ON __diesel_schema_migrations TO registry_app;
GRANT SELECT, INSERT, UPDATE ON centres, centre_years, api_keys, sign_in_links, sessions TO registry_app;

-- registry.role and registry.centre are set with SET LOCAL in every transaction; unset, nothing is seen.
ALTER TABLE centres ENABLE ROW LEVEL SECURITY;
ALTER TABLE centres FORCE ROW LEVEL SECURITY;
ALTER TABLE centre_years ENABLE ROW LEVEL SECURITY;
ALTER TABLE centre_years FORCE ROW LEVEL SECURITY;
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
ALTER TABLE sign_in_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_links FORCE ROW LEVEL SECURITY;
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY read ON centres FOR SELECT USING (
    current_setting('registry.role', true) <> ''
);
CREATE POLICY add ON centres FOR INSERT WITH CHECK (
    current_setting('registry.role', true) IN ('admin', 'coordinator', 'system')
);
CREATE POLICY change ON centres FOR UPDATE USING (
    current_setting('registry.role', true) IN ('admin', 'coordinator', 'system')
);
CREATE POLICY read ON centre_years FOR SELECT USING (
    current_setting('registry.role', true) <> ''
);
CREATE POLICY add ON centre_years FOR INSERT WITH CHECK (
    current_setting('registry.role', true) IN ('admin', 'coordinator', 'system')
);
CREATE POLICY change ON centre_years FOR UPDATE USING (
    current_setting('registry.role', true) IN ('admin', 'coordinator', 'system')
);
CREATE POLICY administer ON api_keys FOR ALL USING (
    current_setting('registry.role', true) IN ('admin', 'coordinator', 'system')
);
CREATE POLICY administer ON sign_in_links FOR ALL USING (
    current_setting('registry.role', true) IN ('admin', 'coordinator', 'system')
);
CREATE POLICY sign_in ON sessions FOR ALL USING (
    current_setting('registry.role', true) = 'system'
);
