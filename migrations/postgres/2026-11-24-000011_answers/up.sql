-- A centre's answers to warnings. An identity is the hash of a check and of what it read: it is another once one of the elements changes,
-- and the answer no longer fits. reason is sealed with the case's key.
CREATE TABLE finding_answers (
    centre_id   TEXT COLLATE "C" NOT NULL,
    case_id     TEXT COLLATE "C" NOT NULL,
    identity    TEXT COLLATE "C" NOT NULL,
    version     BIGINT NOT NULL,
    reason      TEXT NOT NULL,
    actor       TEXT COLLATE "C" NOT NULL,
    answered_at TIMESTAMP NOT NULL,
    PRIMARY KEY (centre_id, case_id, identity),
    FOREIGN KEY (centre_id, case_id) REFERENCES cases (centre_id, case_id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON finding_answers TO registry_app;
ALTER TABLE finding_answers ENABLE ROW LEVEL SECURITY;
ALTER TABLE finding_answers FORCE ROW LEVEL SECURITY;
CREATE POLICY by_centre ON finding_answers FOR ALL USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
    OR (
        current_setting('registry.role', true) IN ('submitter', 'centre_lead')
        AND centre_id = current_setting('registry.centre', true)
    )
);
