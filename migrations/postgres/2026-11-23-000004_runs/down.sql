DROP TABLE releases;
DROP TABLE results;
DROP TABLE run_evaluations;
DROP TABLE evaluations;
DROP TABLE runs;
