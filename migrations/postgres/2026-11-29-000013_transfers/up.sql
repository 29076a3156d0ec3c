-- Transfers of a case between centres. Like every row of a case they belong to the centre that holds it now, whatever names they carry:
-- the centre it came from sees none of them. From effective_on on the case is with to_centre; a run knows the transfers whose change_seq
-- is not above its watermark. reason is sealed with the case's key.
CREATE TABLE transfers (
    centre_id      TEXT COLLATE "C" NOT NULL,
    case_id        TEXT COLLATE "C" NOT NULL,
    number         BIGINT NOT NULL,
    from_centre    TEXT COLLATE "C" NOT NULL,
    to_centre      TEXT COLLATE "C" NOT NULL,
    effective_on   DATE NOT NULL,
    transferred_at TIMESTAMP NOT NULL,
    change_seq     BIGINT NOT NULL,
    reason         TEXT NOT NULL,
    actor          TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (centre_id, case_id, number),
    CONSTRAINT transfers_of_case FOREIGN KEY (centre_id, case_id) REFERENCES cases (centre_id, case_id) DEFERRABLE
);

-- A record id says which case it is, wherever the case is now: the trail and the tasks keep the id only.
CREATE INDEX cases_by_id ON cases (case_id);

-- The rows of a case change hands one table after the other; what they refer to is checked when all have.
ALTER TABLE case_versions ALTER CONSTRAINT case_versions_centre_id_case_id_fkey DEFERRABLE;
ALTER TABLE findings ALTER CONSTRAINT findings_centre_id_case_id_version_fkey DEFERRABLE;
ALTER TABLE finding_answers ALTER CONSTRAINT finding_answers_centre_id_case_id_fkey DEFERRABLE;
ALTER TABLE queries ALTER CONSTRAINT queries_centre_id_case_id_fkey DEFERRABLE;
ALTER TABLE query_messages ALTER CONSTRAINT query_messages_centre_id_query_id_fkey DEFERRABLE;
ALTER TABLE evaluations ALTER CONSTRAINT evaluations_centre_id_case_id_fkey DEFERRABLE;

GRANT SELECT, INSERT, UPDATE, DELETE ON transfers TO registry_app;
ALTER TABLE transfers ENABLE ROW LEVEL SECURITY;
ALTER TABLE transfers FORCE ROW LEVEL SECURITY;
CREATE POLICY by_centre ON transfers FOR ALL USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
    OR (
        current_setting('registry.role', true) IN ('submitter', 'centre_lead')
        AND centre_id = current_setting('registry.centre', true)
    )
);
-- A centre reads how its cases came to it and writes nothing of it.
CREATE POLICY office_writes ON transfers AS RESTRICTIVE FOR INSERT WITH CHECK (
    current_setting('registry.role', true) IN ('coordinator', 'system')
);
CREATE POLICY office_changes ON transfers AS RESTRICTIVE FOR UPDATE USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
);

-- What could only be added so far changes hands too, by the coordinating office alone.
GRANT UPDATE (centre_id, payload) ON evaluations TO registry_app;
GRANT UPDATE (centre_id) ON run_evaluations TO registry_app;
CREATE POLICY office_changes ON evaluations AS RESTRICTIVE FOR UPDATE USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
);
CREATE POLICY office_changes ON run_evaluations AS RESTRICTIVE FOR UPDATE USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
);
GRANT UPDATE (centre_id) ON pseudonym_claims TO registry_app;
ALTER TABLE pseudonym_claims ENABLE ROW LEVEL SECURITY;
ALTER TABLE pseudonym_claims FORCE ROW LEVEL SECURITY;
CREATE POLICY read ON pseudonym_claims FOR SELECT USING (true);
CREATE POLICY add ON pseudonym_claims FOR INSERT WITH CHECK (true);
CREATE POLICY change ON pseudonym_claims FOR UPDATE USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
);
