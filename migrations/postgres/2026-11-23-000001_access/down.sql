DROP TABLE sessions;
DROP TABLE sign_in_links;
DROP TABLE api_keys;
DROP TABLE centre_years;
DROP TABLE centres;
-- The role stays: it belongs to the server, and other databases may use it.
REVOKE SELECT ON __diesel_schema_migrations FROM registry_app;
REVOKE USAGE ON SCHEMA public FROM registry_app;
