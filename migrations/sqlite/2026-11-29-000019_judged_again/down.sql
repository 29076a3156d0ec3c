DELETE FROM findings WHERE dropped_seq IS NOT NULL;
ALTER TABLE findings DROP COLUMN dropped_seq;
