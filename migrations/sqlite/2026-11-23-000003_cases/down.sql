DROP TABLE tasks;
DROP TABLE idempotency;
DROP TABLE findings;
DROP TABLE case_versions;
DROP TABLE cases;
DROP TABLE pseudonym_claims;
