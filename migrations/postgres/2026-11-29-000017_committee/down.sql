DROP TABLE indicator_lists;
DROP TABLE signal_steps;
