DROP TABLE centre_revision;
