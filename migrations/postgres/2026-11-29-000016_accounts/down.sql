ALTER TABLE sessions DROP COLUMN person_id;
DROP TABLE recovery_codes;
DROP TABLE person_links;
DROP TABLE people;
