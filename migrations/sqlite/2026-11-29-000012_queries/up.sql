-- Data queries about a case: raised by an edit check that warns (one per finding identity, while the finding lives) or by people.

-- identity, rule_version: of a finding; NULL when people raised it. What the check says is read from findings and not repeated here.
-- last_version: the last version that fired it; NULL while the current version does, and for what people raised.
-- asked_at: raised, or last reopened; answered_at and closed_at are of the time since then.
CREATE TABLE queries (
    centre_id    TEXT NOT NULL,
    query_id     TEXT NOT NULL,
    case_id      TEXT NOT NULL,
    raised       TEXT NOT NULL,
    identity     TEXT,
    rule         TEXT,
    rule_version TEXT,
    pointer      TEXT,
    elements     TEXT NOT NULL,
    version      INTEGER NOT NULL,
    last_version INTEGER,
    state        TEXT NOT NULL,
    reopened     INTEGER NOT NULL,
    opened_at    TEXT NOT NULL,
    opened_by    TEXT NOT NULL,
    asked_at     TEXT NOT NULL,
    answered_at  TEXT,
    closed_at    TEXT,
    closed_by    TEXT,
    closing      TEXT,
    messages     INTEGER NOT NULL,
    updated_at   TEXT NOT NULL,
    PRIMARY KEY (centre_id, query_id),
    UNIQUE (centre_id, case_id, identity),
    FOREIGN KEY (centre_id, case_id) REFERENCES cases (centre_id, case_id)
) STRICT;
CREATE INDEX queries_by_id ON queries (query_id);
CREATE INDEX queries_by_opening ON queries (centre_id, opened_at);
CREATE INDEX queries_by_state ON queries (centre_id, state);

-- What was said and done, in its order. words are sealed with the case's key.
CREATE TABLE query_messages (
    centre_id TEXT NOT NULL,
    query_id  TEXT NOT NULL,
    position  INTEGER NOT NULL,
    step      TEXT NOT NULL,
    actor     TEXT NOT NULL,
    role      TEXT NOT NULL,
    at        TEXT NOT NULL,
    words     BLOB,
    PRIMARY KEY (centre_id, query_id, position),
    FOREIGN KEY (centre_id, query_id) REFERENCES queries (centre_id, query_id)
) STRICT;

-- Findings that live already: queried since the first version that fired them; an answer given stands.
INSERT INTO queries
SELECT f.centre_id,
       lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8'
             || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))),
       f.case_id, 'rule', f.identity, f.rule, f.rule_version, NULL, f.elements, first.version, NULL,
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
