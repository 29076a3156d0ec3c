#!/bin/bash
# backup.sh in the image `backup`: the passwords of both roles in the one file that libpq reads, in memory.
#   backup-container.sh SETTINGS.toml FOLDER
set -euo pipefail
umask 077
cat /run/secrets/service_pgpass /run/secrets/backup_pgpass > "$PGPASSFILE"
exec /usr/local/lib/registry/backup.sh "$@"
