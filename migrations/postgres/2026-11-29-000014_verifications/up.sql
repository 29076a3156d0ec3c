-- Source-data verification: which cases a draw took, and what another person entered again from the source.

-- share is in parts of 10,000. The same seed and the same cases give the same sample.
CREATE TABLE verifications (
    verification_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    seed            TEXT COLLATE "C" NOT NULL,
    share           BIGINT NOT NULL,
    through         DATE NOT NULL,
    drawn_at        TIMESTAMP NOT NULL,
    drawn_by        TEXT COLLATE "C" NOT NULL
);

-- version is the one current at the draw. document is sealed with the case's key; it and what stands beside it are empty until the case is
-- entered again.
CREATE TABLE verification_cases (
    centre_id       TEXT COLLATE "C" NOT NULL,
    verification_id TEXT COLLATE "C" NOT NULL REFERENCES verifications (verification_id),
    case_id         TEXT COLLATE "C" NOT NULL,
    version         BIGINT NOT NULL,
    document        BYTEA,
    reentered_at    TIMESTAMP,
    reentered_by    TEXT COLLATE "C",
    PRIMARY KEY (centre_id, verification_id, case_id),
    FOREIGN KEY (centre_id, case_id) REFERENCES cases (centre_id, case_id) DEFERRABLE
);
CREATE INDEX verification_cases_of_a_case ON verification_cases (centre_id, case_id);

GRANT SELECT, INSERT ON verifications TO registry_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON verification_cases TO registry_app;
ALTER TABLE verifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE verifications FORCE ROW LEVEL SECURITY;
ALTER TABLE verification_cases ENABLE ROW LEVEL SECURITY;
ALTER TABLE verification_cases FORCE ROW LEVEL SECURITY;
CREATE POLICY read ON verifications FOR SELECT USING (
    current_setting('registry.role', true) IN ('submitter', 'centre_lead', 'committee', 'coordinator', 'system')
);
CREATE POLICY add ON verifications FOR INSERT WITH CHECK (
    current_setting('registry.role', true) IN ('coordinator', 'system')
);
CREATE POLICY by_centre ON verification_cases FOR ALL USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
    OR (
        current_setting('registry.role', true) IN ('submitter', 'centre_lead')
        AND centre_id = current_setting('registry.centre', true)
    )
);
