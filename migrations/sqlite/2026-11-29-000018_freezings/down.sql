DROP TABLE freezings;
