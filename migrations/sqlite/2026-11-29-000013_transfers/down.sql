DROP INDEX cases_by_id;
DROP TABLE transfers;
