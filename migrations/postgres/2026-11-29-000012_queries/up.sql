-- Data queries about a case: raised by an edit check that warns (one per finding identity, while the finding lives) or by people.

-- identity, rule_version: of a finding; NULL when people raised it. What the check says is read from findings and not repeated here.
-- last_version: the last version that fired it; NULL while the current version does, and for what people raised.
-- asked_at: raised, or last reopened; answered_at and closed_at are of the time since then.
CREATE TABLE queries (
    centre_id    TEXT COLLATE "C" NOT NULL,
    query_id     TEXT COLLATE "C" NOT NULL,
    case_id      TEXT COLLATE "C" NOT NULL,
    raised       TEXT COLLATE "C" NOT NULL,
    identity     TEXT COLLATE "C",
    rule         TEXT COLLATE "C",
    rule_version TEXT,
    pointer      TEXT,
    elements     TEXT NOT NULL,
    version      BIGINT NOT NULL,
    last_version BIGINT,
    state        TEXT COLLATE "C" NOT NULL,
    reopened     BIGINT NOT NULL,
    opened_at    TIMESTAMP NOT NULL,
    opened_by    TEXT COLLATE "C" NOT NULL,
    asked_at     TIMESTAMP NOT NULL,
    answered_at  TIMESTAMP,
    closed_at    TIMESTAMP,
    closed_by    TEXT COLLATE "C",
    closing      TEXT COLLATE "C",
    messages     BIGINT NOT NULL,
    updated_at   TIMESTAMP NOT NULL,
    PRIMARY KEY (centre_id, query_id),
    UNIQUE (centre_id, case_id, identity),
    FOREIGN KEY (centre_id, case_id) REFERENCES cases (centre_id, case_id)
);
CREATE INDEX queries_by_id ON queries (query_id);
CREATE INDEX queries_by_opening ON queries (centre_id, opened_at);
CREATE INDEX queries_by_state ON queries (centre_id, state);

-- What was said and done, in its order. words are sealed with the case's key.
CREATE TABLE query_messages (
    centre_id TEXT COLLATE "C" NOT NULL,
    query_id  TEXT COLLATE "C" NOT NULL,
    position  BIGINT NOT NULL,
    step      TEXT COLLATE "C" NOT NULL,
    actor     TEXT COLLATE "C" NOT NULL,
    role      TEXT COLLATE "C" NOT NULL,
    at        TIMESTAMP NOT NULL,
    words     BYTEA,
    PRIMARY KEY (centre_id, query_id, position),
    FOREIGN KEY (centre_id, query_id) REFERENCES queries (centre_id, query_id)
);

-- Findings that live already: queried since the first version that fired them; an answer given stands. Row-level security holds the
-- tables' owner, too: the context lasts as long as this migration.
SELECT set_config('registry.role', 'system', true);
INSERT INTO queries
SELECT f.centre_id, gen_random_uuid()::text, f.case_id, 'rule', f.identity, f.rule, f.rule_version, NULL, f.elements, first.version, NULL,
       CASE WHEN a.identity IS NULL THEN 'open' ELSE 'answered' END, 0,
       first.submitted_at, 'registry', first.submitted_at, a.answered_at, NULL, NULL, NULL, 0,
       coalesce(a.answered_at, first.submitted_at)
FROM findings f
JOIN cases c ON c.centre_id = f.centre_id AND c.case_id = f.case_id AND c.version = f.version
JOIN case_versions first ON first.centre_id = f.centre_id AND first.case_id = f.case_id AND first.version = (
    SELECT min(v.version) FROM case_versions v
    JOIN findings e ON e.centre_id = v.centre_id AND e.case_id = v.case_id AND e.version = v.version
    WHERE v.centre_id = f.centre_id AND v.case_id = f.case_id AND v.status <> 'draft' AND e.identity = f.identity)
LEFT JOIN finding_answers a ON a.centre_id = f.centre_id AND a.case_id = f.case_id AND a.identity = f.identity
WHERE f.severity = 'warning' AND f.rule IS NOT NULL AND c.status <> 'draft' AND c.withdrawal_mode IS NULL
  AND NOT EXISTS (
    SELECT 1 FROM findings g WHERE g.centre_id = f.centre_id AND g.case_id = f.case_id AND g.version = f.version
      AND g.identity = f.identity AND g.position < f.position);
SELECT set_config('registry.role', '', true);

GRANT SELECT, INSERT, UPDATE, DELETE ON queries, query_messages TO registry_app;
ALTER TABLE queries ENABLE ROW LEVEL SECURITY;
ALTER TABLE queries FORCE ROW LEVEL SECURITY;
ALTER TABLE query_messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE query_messages FORCE ROW LEVEL SECURITY;
CREATE POLICY by_centre ON queries FOR ALL USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
    OR (
        current_setting('registry.role', true) IN ('submitter', 'centre_lead')
        AND centre_id = current_setting('registry.centre', true)
    )
);
CREATE POLICY by_centre ON query_messages FOR ALL USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
    OR (
        current_setting('registry.role', true) IN ('submitter', 'centre_lead')
        AND centre_id = current_setting('registry.centre', true)
    )
);
-- The queries of new cases are filed with them.
CREATE POLICY file ON queries FOR INSERT WITH CHECK (
    current_setting('registry.role', true) = 'filing'
    AND centre_id = ANY (string_to_array(current_setting('registry.centre', true), ','))
);
