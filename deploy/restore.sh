#!/bin/bash
# Brings a backup back, into a database that does not exist yet, and checks it before anyone uses it.
#   restore.sh BACKUP SETTINGS.toml WITHDRAWALS.jsonl
# SETTINGS names the new place (database.url) and the master key (secrets.master_key_file). WITHDRAWALS is the newest ledger there is, by
# rule the one that registry-withdrawals.timer left on the other disk: it tells what patients took back since the backup. The one beside
# the backups is as old as the newest of them.
# PostgreSQL: OWNER_URL is the URL of registry_owner for a new, empty database that it owns (roles.sh has made the roles); needs
# pg_restore.
set -euo pipefail
backup=${1:?backup folder}
settings=${2:?settings of the restored registry}
ledger=${3:?ledger of withdrawals, the newest there is: without it patients who withdrew would come back}
registry=${REGISTRY:-registry}
umask 077
url=${REGISTRY_DATABASE__URL:-$(sed -n 's/^url *= *"\([^"]*\)".*/\1/p' "$settings" | head -n 1)}

# As in backup.sh.
releases=${REGISTRY_RELEASES__FOLDER:-$(sed -n '/^\[releases\]/,/^\[/s/^folder *= *"\([^"]*\)".*/\1/p' "$settings" | head -n 1)}
releases=${releases:-releases}
[[ $releases == /* ]] || releases=${WORKDIR:-/var/lib/registry}/$releases

(cd "$backup" && sha256sum --check --quiet SHA256SUMS)
[[ -r $ledger ]] || { echo "restore: no ledger of withdrawals at $ledger; without it withdrawn patients would come back" >&2; exit 2; }
echo "restore: ledger of withdrawals of $(date -u -r "$ledger" +%FT%TZ)"
if [[ -e $releases ]] && [[ -n $(ls -A "$releases") ]]; then
  echo "restore: $releases is not empty; restore into a new place" >&2; exit 2
fi
case $url in
  sqlite:*)
    file=${url#sqlite:}
    file=${file#//}
    [[ ! -e $file ]] || { echo "restore: $file exists; restore into a new place" >&2; exit 2; }
    mkdir -p "$(dirname "$file")"
    cp "$backup/registry.sqlite3" "$file"
    sync -f "$file" ;;
  postgres://* | postgresql://*)
    tables=$(psql --no-psqlrc --tuples-only --no-align --dbname="${OWNER_URL:-$url}" \
      --command="SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r'")
    [[ $tables == 0 ]] || { echo "restore: the database has tables; restore into an empty one" >&2; exit 2; }
    pg_restore --no-owner --exit-on-error --single-transaction --dbname="${OWNER_URL:-$url}" "$backup/registry.dump" ;;
  *) echo "restore: database.url is neither sqlite: nor postgres:" >&2; exit 2 ;;
esac
mkdir -p "$releases"
tar --extract --file="$backup/releases.tar" --directory="$releases" --no-same-owner
REGISTRY_DATABASE__URL=${OWNER_URL:-$url} "$registry" migrate --config "$settings"
"$registry" audit verify --config "$settings" --anchor "$(cat "$backup/anchor")"
"$registry" withdrawals apply --config "$settings" "$ledger"
"$registry" audit verify --config "$settings"
echo "restored: $url" | sed 's#//[^@/]*@#//(credentials)@#'
