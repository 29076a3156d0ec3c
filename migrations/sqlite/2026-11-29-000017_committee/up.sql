-- What the committee does with what it sees: how far each signal is followed up, and which measures it looks at first.

-- A signal is a centre of a measure. number counts its steps from 1; run is the published run that was looked at. reason is a code.
CREATE TABLE signal_steps (
    centre_id TEXT NOT NULL REFERENCES centres (centre_id),
    measure   TEXT NOT NULL,
    number    INTEGER NOT NULL,
    step      TEXT NOT NULL,
    reason    TEXT,
    run       INTEGER NOT NULL REFERENCES runs (number),
    taken_at  TEXT NOT NULL,
    taken_by  TEXT NOT NULL,
    PRIMARY KEY (centre_id, measure, number)
) STRICT;

-- Every list that was ever chosen; the last one holds. measures is a JSON array of ids, reason a code.
CREATE TABLE indicator_lists (
    number    INTEGER NOT NULL PRIMARY KEY,
    measures  TEXT NOT NULL,
    reason    TEXT NOT NULL,
    chosen_at TEXT NOT NULL,
    chosen_by TEXT NOT NULL
) STRICT;
