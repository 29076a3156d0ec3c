-- A version may be judged again (a check or a decision of the committee changed): dropped_seq is the number of the event since which the
-- version no longer fires this finding; NULL while it does. What it said is kept for its query.
ALTER TABLE findings ADD COLUMN dropped_seq INTEGER;
