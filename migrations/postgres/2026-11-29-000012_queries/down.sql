DROP TABLE query_messages;
DROP TABLE queries;
