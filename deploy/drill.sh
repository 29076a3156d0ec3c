#!/bin/bash
# The restore drill: backs up a registry, restores it elsewhere with the kept copy of the master key, and proves it equal.
#   drill.sh SETTINGS.toml KEPT-KEY-FILE
# 1 backs up, while the registry may be in use   2 restores into a new place, with KEPT-KEY-FILE and nothing of the original
# 3 verifies the audit chain against the anchor taken before the backup   4 compares the canonical exports of both, by SHA-256
# 5 applies the ledger of withdrawals of today and verifies the chain again.
# The restored copy is destroyed at the end. PostgreSQL: BACKUP_URL (of the original) and
# DRILL_OWNER_URL (of registry_owner, an empty database).
set -euo pipefail
settings=${1:?settings of the registry in use}
kept_key=${2:?file with the kept copy of the master key}
here=$(cd "$(dirname "$0")" && pwd)
registry=${REGISTRY:-registry}
umask 077
# Its copy is no backup: the alert hears nothing of it.
unset TEXTFILE_FOLDER
work=$(mktemp -d "${DRILL_FOLDER:-${TMPDIR:-/tmp}}/registry-drill.XXXXXX")
trap 'rm -rf "$work"' EXIT
began=$(date +%s)

restored_url=sqlite:$work/restored/registry.sqlite3
original_url=${REGISTRY_DATABASE__URL:-$(sed -n 's/^url *= *"\([^"]*\)".*/\1/p' "$settings" | head -n 1)}
if [[ $original_url == postgres* ]]; then
  restored_url=${DRILL_OWNER_URL:?URL of the empty database to restore into}
fi
original() { "$registry" "$@" --config "$settings"; }
restored() {
  REGISTRY_DATABASE__URL=$restored_url REGISTRY_SECRETS__MASTER_KEY_FILE=$kept_key REGISTRY_RELEASES__FOLDER=$work/releases \
    "$registry" "$@" --config "$settings"
}
events() { "$1" audit verify | sed -n 's/ events, .*//p'; }

# The exports are equal when nothing was written between copy and export; with a busy registry that may take a few goes.
equal=no
for attempt in 1 2 3 4 5; do
  backup=$("$here/backup.sh" "$settings" "$work/backups")
  events_at_copy=$(events original)
  original_sum=$(original export | sha256sum | cut -d' ' -f1)
  # The export itself is one event; more than that, and someone wrote meanwhile.
  if [[ $(events original) -le $((events_at_copy + 1)) ]]; then equal=comparable; break; fi
  echo "drill: the registry was written to during attempt $attempt" >&2
  rm -rf "$backup"
done

mkdir -p "$work/restored" "$work/none"
: > "$work/none/withdrawals.jsonl"
if [[ $restored_url == sqlite:* ]]; then unset OWNER_URL; else export OWNER_URL=$restored_url; fi
REGISTRY_DATABASE__URL=$restored_url REGISTRY_SECRETS__MASTER_KEY_FILE=$kept_key REGISTRY_RELEASES__FOLDER=$work/releases \
  "$here/restore.sh" "$backup" "$settings" "$work/none/withdrawals.jsonl"
if [[ $equal == comparable ]]; then
  restored_sum=$(restored export | sha256sum | cut -d' ' -f1)
  [[ $original_sum == "$restored_sum" ]] || { echo "drill: FAILED, the restored registry differs" >&2; exit 1; }
  echo "drill: canonical exports equal ($original_sum)"
else
  echo "drill: exports not compared, the registry was never quiet; run again at night" >&2
  exit 3
fi
bundles() { (cd "$1" && find . -name '*.zip' -type f -exec sha256sum {} + | sort -k 2); }
mkdir -p "$work/unpacked" && tar --extract --file="$backup/releases.tar" --directory="$work/unpacked"
[[ $(bundles "$work/releases") == "$(bundles "$work/unpacked")" ]] || { echo "drill: FAILED, bundles of releases differ" >&2; exit 1; }
echo "drill: $(bundles "$work/releases" | wc -l) bundles of releases are there"
original withdrawals list > "$work/withdrawals.jsonl"
restored withdrawals apply "$work/withdrawals.jsonl"
diff <(restored withdrawals list) "$work/withdrawals.jsonl" >/dev/null \
  || { echo "drill: FAILED, withdrawals differ after applying the ledger" >&2; exit 1; }
restored audit verify
echo "drill: passed in $(($(date +%s) - began)) s"
