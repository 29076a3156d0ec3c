#!/bin/bash
# Roles of the registry and their passwords; may be run again. As a superuser of PostgreSQL: in the database container by itself, by hand:
#   PGHOST=.. PGUSER=postgres POSTGRES_DB=registry PASSWORDS=/folder deploy/database/roles.sh
# PASSWORDS holds the files owner_password, service_password and backup_password.
#
#   registry_owner    owns the tables: `registry migrate` and restores
#   registry_app      owns nothing, cannot log in: the role every connection of the service takes on
#   registry_service  what `registry serve` logs in as; nothing but membership in registry_app
#   registry_backup   reads every row past row-level security (which holds the owner too), writes nothing: pg_dump
set -euo pipefail
export PASSWORDS=${PASSWORDS:-/run/secrets}
# Looked at first: a file that cannot be read stops here, and does not become an empty password.
for who in owner service backup; do
  password=$(cat "$PASSWORDS/${who}_password")
  [[ -n $password ]] || { echo "roles: a password file in $PASSWORDS is empty" >&2; exit 2; }
done
# psql reads the files itself: arguments are for everybody on the machine to see.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "${POSTGRES_DB:-registry}" \
  --set database="${POSTGRES_DB:-registry}" <<'SQL'
\set owner `cat "$PASSWORDS/owner_password"`
\set service `cat "$PASSWORDS/service_password"`
\set backup `cat "$PASSWORDS/backup_password"`
SELECT 'CREATE ROLE ' || name || ' ' || options
FROM (VALUES ('registry_owner', 'LOGIN'), ('registry_app', 'NOLOGIN'), ('registry_service', 'LOGIN'), ('registry_backup', 'LOGIN'))
  AS wanted (name, options)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE registry_owner NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB PASSWORD :'owner';
ALTER ROLE registry_app NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB;
ALTER ROLE registry_service NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB PASSWORD :'service';
ALTER ROLE registry_backup NOSUPERUSER BYPASSRLS NOCREATEROLE NOCREATEDB PASSWORD :'backup';
ALTER ROLE registry_backup SET default_transaction_read_only = on;
GRANT registry_app TO registry_service, registry_owner;
GRANT pg_read_all_data TO registry_backup;
ALTER DATABASE :"database" OWNER TO registry_owner;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO registry_service, registry_backup;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
SQL
