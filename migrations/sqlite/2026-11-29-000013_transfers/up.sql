-- Transfers of a case between centres. Like every row of a case they belong to the centre that holds it now, whatever names they carry:
-- the centre it came from sees none of them. From effective_on on the case is with to_centre; a run knows the transfers whose change_seq
-- is not above its watermark. reason is sealed with the case's key.
CREATE TABLE transfers (
    centre_id      TEXT NOT NULL,
    case_id        TEXT NOT NULL,
    number         INTEGER NOT NULL,
    from_centre    TEXT NOT NULL,
    to_centre      TEXT NOT NULL,
    effective_on   TEXT NOT NULL,
    transferred_at TEXT NOT NULL,
    change_seq     INTEGER NOT NULL,
    reason         TEXT NOT NULL,
    actor          TEXT NOT NULL,
    PRIMARY KEY (centre_id, case_id, number),
    FOREIGN KEY (centre_id, case_id) REFERENCES cases (centre_id, case_id)
) STRICT;

-- A record id says which case it is, wherever the case is now: the trail and the tasks keep the id only.
CREATE INDEX cases_by_id ON cases (case_id);
