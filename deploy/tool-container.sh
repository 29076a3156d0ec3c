#!/bin/bash
# backup.sh, restore.sh or drill.sh in the image `tools`: the passwords of all roles in the one file that libpq reads, in memory.
#   tool-container.sh backup|restore|drill ARGUMENTS
set -euo pipefail
umask 077
cat /run/secrets/*_pgpass > "$PGPASSFILE"
exec "/usr/local/lib/registry/${1:?backup, restore or drill}.sh" "${@:2}"
