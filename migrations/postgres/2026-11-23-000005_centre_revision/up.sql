-- Counts the changes of the centre table, so that every process sees when its copy is old.

CREATE TABLE centre_revision (
    id       INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    revision BIGINT NOT NULL
);

INSERT INTO centre_revision (id, revision) VALUES (1, 1);

GRANT SELECT, UPDATE ON centre_revision TO registry_app;
ALTER TABLE centre_revision ENABLE ROW LEVEL SECURITY;
ALTER TABLE centre_revision FORCE ROW LEVEL SECURITY;
CREATE POLICY read ON centre_revision FOR SELECT USING (
    current_setting('registry.role', true) <> ''
);
CREATE POLICY change ON centre_revision FOR UPDATE USING (
    current_setting('registry.role', true) IN ('admin', 'coordinator', 'system')
);
