DROP TABLE audit_head;
DROP TABLE audit_events;
DROP TABLE secrets;
DROP TABLE master_keys;
