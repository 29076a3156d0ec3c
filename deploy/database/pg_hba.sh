#!/bin/bash
# Over the network only with TLS and a password, in the container as its account `postgres`; runs once, when the database container makes
# its data folder.
set -euo pipefail
cat > "$PGDATA/pg_hba.conf" <<'HBA'
local     all       postgres  peer
local     all       all       scram-sha-256
hostssl   registry,registry_restored,registry_drill  registry_owner,registry_service,registry_backup  all  scram-sha-256
hostnossl all       all       all  reject
HBA
