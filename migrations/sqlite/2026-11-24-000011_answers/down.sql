DROP TABLE finding_answers;
