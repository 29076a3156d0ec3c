DROP TABLE job_reports;
DROP TABLE import_mappings;
DROP TABLE jobs;
