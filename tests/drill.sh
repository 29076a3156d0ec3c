#!/usr/bin/env bash
# The restore drill on a registry of its own, with a withdrawal between backup and restore: tests/drill.sh <registry> <port> [postgres-url]
# Without a URL on SQLite; with one (of a role that may create databases) on PostgreSQL, in two databases that are dropped again.
set -euo pipefail
export REGISTRY
REGISTRY=$(realpath "$1")
port=$2 server=${3:-}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d /tmp/registry-drill-test.XXXXXX)
served=
names=(drill_a_$$ drill_b_$$ drill_c_$$)
finish() {
  [ -z "$served" ] || kill "$served" 2>/dev/null || true
  [ -z "$served" ] || wait "$served" 2>/dev/null || true
  [ -z "$server" ] || for name in "${names[@]}"; do psql -qX "$server" -c "DROP DATABASE IF EXISTS $name WITH (FORCE)" >/dev/null; done
  rm -rf "$work"
}
trap finish EXIT
fail() { echo "drill test: $*" >&2; exit 1; }

url=sqlite:$work/registry.sqlite3 restored_url=sqlite:$work/restored/registry.sqlite3
if [ -n "$server" ]; then
  for name in "${names[@]}"; do psql -qX "$server" -c "CREATE DATABASE $name" >/dev/null; done
  url=${server%/*}/${names[0]} restored_url=${server%/*}/${names[1]}
  export BACKUP_URL=$url DRILL_OWNER_URL=${server%/*}/${names[2]}
fi
printf '[server]\nport = %s\n[database]\nurl = "%s"\n[secrets]\nmaster_key_file = "%s"\n[releases]\nfolder = "%s"\n' \
  "$port" "$url" "$work/master.key" "$work/releases" >"$work/registry.toml"
registry() { "$REGISTRY" "$@" --config "$work/registry.toml"; }
registry migrate --init >/dev/null
registry centre add C01 "Centre one" >/dev/null
key=$(registry key create drill --role submitter --centre C01 2>/dev/null)
office=$(registry key create drill --role coordinator 2>/dev/null)
"$REGISTRY" serve --config "$work/registry.toml" 2>"$work/log" &
served=$!
base=http://127.0.0.1:$port
curl -s --retry 60 --retry-delay 1 --retry-all-errors --fail -o /dev/null "$base/health/ready"
submit() { # submit <figure>
  local figure=$1 code
  code=$(curl -sS -o "$work/answer" -w '%{http_code}' -X PUT "$base/api/v1/cases/${figure^^}" -H "Authorization: Bearer $key" \
    -H 'Content-Type: application/json' --data "$(sed "s/\"pseudonym_id\": *\"[^\"]*\"/\"pseudonym_id\": \"${figure^^}\"/" "$root/schema/examples/1.0.0/valid/$figure.json")")
  [ "$code" = 201 ] || fail "$figure: $code $(cat "$work/answer")"
}
post() { # post <path> <body>, with the office's key
  curl -sS --fail-with-body -o "$work/answer" -X POST "$base$1" -H "Authorization: Bearer $office" -H "Idempotency-Key: $RANDOM$RANDOM" \
    -H 'Content-Type: application/json' --data "$2" || fail "$1: $(cat "$work/answer")"
}
# A release with one patient, and one with both.
run=0
for figure in figure-2 figure-1; do
  submit "$figure"
  run=$((run + 1))
  post /api/v1/runs '{"wait": true}'
  post "/api/v1/runs/$run:publish" '{}'
  post /api/v1/releases "{\"run\": $run}"
done

# A backup; then a patient withdraws and asks for erasure; then the restore, with today's ledger.
backup=$("$root/deploy/backup.sh" "$work/registry.toml" "$work/backups")
post /api/v1/cases/FIGURE-1:withdraw "{\"mode\": \"erase\", \"date\": \"$(date -u +%F)\", \"reason\": \"drill\"}"
registry withdrawals list >"$work/withdrawals.jsonl"
[ "$(wc -l <"$work/withdrawals.jsonl")" = 1 ] || fail "one withdrawal is expected in the ledger"
restored() { REGISTRY_DATABASE__URL=$restored_url REGISTRY_RELEASES__FOLDER=$work/restored-releases "$@"; }
if [ -n "$server" ]; then export OWNER_URL=$restored_url; fi
restored "$root/deploy/restore.sh" "$backup" "$work/registry.toml" "$work/withdrawals.jsonl" >"$work/restore" || fail "$(cat "$work/restore")"
grep -q '1 in the list, 1 applied' "$work/restore" || fail "the withdrawal was not applied again: $(cat "$work/restore")"
diff <(restored registry withdrawals list) "$work/withdrawals.jsonl" || fail "the ledgers differ"
# The bundle without the patient is there in both; the other, which the backup had, in neither.
[ "$(cd "$work/releases" && echo *.zip)" = run-1.zip ] || fail "a bundle with an erased patient is kept: $(ls "$work/releases")"
diff <(cd "$work/releases" && sha256sum *.zip) <(cd "$work/restored-releases" && sha256sum *.zip) || fail "the bundles differ"
unset OWNER_URL

# And the drill as the operator runs it, the withdrawal in the ledger.
"$root/deploy/drill.sh" "$work/registry.toml" "$work/master.key" >"$work/drill" || fail "$(cat "$work/drill")"
tail -1 "$work/drill"
