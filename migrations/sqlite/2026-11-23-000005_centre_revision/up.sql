-- Counts the changes of the centre table, so that every process sees when its copy is old.

CREATE TABLE centre_revision (
    id       INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL
) STRICT;

INSERT INTO centre_revision (id, revision) VALUES (1, 1);
