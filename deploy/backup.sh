#!/bin/bash
# One backup of a running registry, SQLite or PostgreSQL.
#   backup.sh SETTINGS.toml FOLDER
# Makes FOLDER/<time>/ with the database, the bundles of releases (which may not be buildable again: a case was withdrawn), its anchor of
# the audit chain and a manifest with SHA-256; and FOLDER/withdrawals.jsonl, the ledger as it is now: registry-withdrawals.timer keeps a
# newer one on another disk. The master key is NOT in it: a backup and the key together are the data.
# PostgreSQL: BACKUP_URL is the URL of registry_backup, without password (PGPASSFILE has it): row-level security is forced, so
# the owner of the tables may not read them all. Needs pg_dump of the server's version.
set -euo pipefail
settings=${1:?settings file}
folder=${2:?folder for backups}
registry=${REGISTRY:-registry}
umask 077
url=${REGISTRY_DATABASE__URL:-$(sed -n 's/^url *= *"\([^"]*\)".*/\1/p' "$settings" | head -n 1)}
# The folder of releases as the settings say, for a path that is not absolute below WORKDIR (default /var/lib/registry).
releases=${REGISTRY_RELEASES__FOLDER:-$(sed -n '/^\[releases\]/,/^\[/s/^folder *= *"\([^"]*\)".*/\1/p' "$settings" | head -n 1)}
releases=${releases:-releases}
[[ $releases == /* ]] || releases=${WORKDIR:-/var/lib/registry}/$releases
name=$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p "$folder"
# What somebody else makes here, the nightly backup can neither replace nor take away.
[[ -O $folder ]] || { echo "backup: $folder is $(stat --format=%U "$folder")'s: run as that account (systemctl start registry-backup)" >&2; exit 2; }
target=$folder/$name.part
mkdir -p "$target"
trap 'rm -rf "$target"' EXIT

# Before the copy: a copy that lost events since this anchor is found out.
"$registry" audit verify --config "$settings" | sed -n 's/^anchor //p' > "$target/anchor"
case $url in
  sqlite:*)
    "$registry" backup --config "$settings" "$target/registry.sqlite3" >&2
    database=registry.sqlite3 ;;
  postgres://* | postgresql://*)
    # --enable-row-security stays off: whoever dumps sees every row, or the dump fails.
    pg_dump --format=custom --no-owner --dbname="${BACKUP_URL:?URL of registry_backup}" --file="$target/registry.dump"
    database=registry.dump ;;
  *) echo "backup: database.url is neither sqlite: nor postgres:" >&2; exit 2 ;;
esac
# After the database: a release it knows has its bundle in the copy. Drafts begin with a dot and stay out.
mkdir -p "$releases"
tar --create --file="$target/releases.tar" --directory="$releases" --exclude='./.*' .
"$registry" withdrawals list --config "$settings" --to "$folder/withdrawals.jsonl"
(cd "$target" && sha256sum "$database" releases.tar anchor > SHA256SUMS && sha256sum --check --quiet SHA256SUMS)
sync -f "$target"
mv "$target" "$folder/$name"
trap - EXIT

# For the alert RegistryBackupOld, through the node exporter's folder of text files, which another account reads.
if [[ -n ${TEXTFILE_FOLDER:-} ]]; then
  metric=$TEXTFILE_FOLDER/registry_backup.prom
  printf 'registry_backup_finished_timestamp_seconds %s\n' "$(date +%s)" > "$metric.part"
  chmod 0644 "$metric.part" && mv "$metric.part" "$metric"
fi
# Those older than KEEP_DAYS (default 35) go, however many there are: erasure reaches backups when the last one from before it is gone.
oldest=$(date -u --date="-${KEEP_DAYS:-35} days" +%Y%m%dT%H%M%SZ)
for old in "$folder"/2*Z; do
  [[ ! ${old##*/} < $oldest ]] || rm -r -- "$old"
done
echo "$folder/$name"
