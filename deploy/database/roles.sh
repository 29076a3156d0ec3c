#!/bin/bash
# Roles of the registry, made once by the owner. Runs in the database container; by hand:
#   PGHOST=.. PGUSER=registry_owner POSTGRES_DB=registry SERVICE_PASSWORD_FILE=.. deploy/database/roles.sh
#
#   registry_owner    owns the tables; only `registry migrate`, backups and restores use it
#   registry_app      owns nothing, cannot log in: the role every connection of the service takes on
#   registry_service  what `registry serve` logs in as; nothing but membership in registry_app
set -euo pipefail
psql --no-psqlrc --set ON_ERROR_STOP=1 --set password="$(cat "${SERVICE_PASSWORD_FILE:-/run/secrets/service_password}")" \
  --username "${POSTGRES_USER:-registry_owner}" --dbname "${POSTGRES_DB:-registry}" <<'SQL'
SELECT 'CREATE ROLE registry_app NOLOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'registry_app') \gexec
SELECT 'CREATE ROLE registry_service LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'registry_service') \gexec
ALTER ROLE registry_app NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT;
ALTER ROLE registry_service NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'password';
GRANT registry_app TO registry_service;
GRANT registry_app TO CURRENT_USER;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
SQL
