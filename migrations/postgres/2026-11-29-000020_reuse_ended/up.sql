-- Consent to research reuse that was taken back without leaving the registry, and which cases a release holds: a bundle that was built before
-- is not handed out any more.

-- The day it was taken back; empty while it lasts, and where it was never given.
ALTER TABLE cases ADD COLUMN reuse_ended_on DATE;

-- A record id says nothing by itself and stays after erasure, as it does in the trail. Of releases from before, all cases of their run: more
-- than they hold, so that none is handed out with a withdrawn case in it.
CREATE TABLE released_cases (
    case_id    TEXT COLLATE "C" NOT NULL,
    release_id TEXT COLLATE "C" NOT NULL REFERENCES releases (release_id),
    PRIMARY KEY (case_id, release_id)
);
INSERT INTO released_cases (case_id, release_id)
SELECT DISTINCT e.case_id, r.release_id FROM releases r JOIN run_evaluations e ON e.run = r.run;

GRANT SELECT, INSERT ON released_cases TO registry_app;
ALTER TABLE released_cases ENABLE ROW LEVEL SECURITY;
ALTER TABLE released_cases FORCE ROW LEVEL SECURITY;
CREATE POLICY by_office ON released_cases FOR ALL USING (
    current_setting('registry.role', true) IN ('coordinator', 'system')
);
