DROP TABLE released_cases;
ALTER TABLE cases DROP COLUMN reuse_ended_on;
