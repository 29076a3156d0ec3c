-- What the committee does with what it sees: how far each signal is followed up, and which measures it looks at first.

-- A signal is a centre of a measure. number counts its steps from 1; run is the published run that was looked at. reason is a code.
CREATE TABLE signal_steps (
    centre_id TEXT COLLATE "C" NOT NULL REFERENCES centres (centre_id),
    measure   TEXT COLLATE "C" NOT NULL,
    number    BIGINT NOT NULL,
    step      TEXT COLLATE "C" NOT NULL,
    reason    TEXT COLLATE "C",
    run       BIGINT NOT NULL REFERENCES runs (number),
    taken_at  TIMESTAMP NOT NULL,
    taken_by  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (centre_id, measure, number)
);

-- Every list that was ever chosen; the last one holds. measures is a JSON array of ids, reason a code.
CREATE TABLE indicator_lists (
    number    BIGINT NOT NULL PRIMARY KEY,
    measures  TEXT NOT NULL,
    reason    TEXT COLLATE "C" NOT NULL,
    chosen_at TIMESTAMP NOT NULL,
    chosen_by TEXT COLLATE "C" NOT NULL
);

GRANT SELECT, INSERT ON signal_steps, indicator_lists TO registry_app;
ALTER TABLE signal_steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE signal_steps FORCE ROW LEVEL SECURITY;
ALTER TABLE indicator_lists ENABLE ROW LEVEL SECURITY;
ALTER TABLE indicator_lists FORCE ROW LEVEL SECURITY;
CREATE POLICY by_committee ON signal_steps FOR ALL USING (
    current_setting('registry.role', true) IN ('committee', 'coordinator', 'system')
);
CREATE POLICY read ON indicator_lists FOR SELECT USING (
    current_setting('registry.role', true) <> ''
);
CREATE POLICY add ON indicator_lists FOR INSERT WITH CHECK (
    current_setting('registry.role', true) IN ('committee', 'coordinator', 'system')
);
