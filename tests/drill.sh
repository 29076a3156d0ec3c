#!/usr/bin/env bash
# A disk is lost, and what patients took back after the last backup stays taken back: tests/drill.sh <registry> <port> [postgres-url]
# Without a URL on SQLite; with one (of a superuser) on PostgreSQL, with the roles of deploy/database/roles.sh, in databases that are
# dropped again. Then the drill as the operator runs it, on what was restored.
set -euo pipefail
export REGISTRY
REGISTRY=$(realpath "$1")
port=$2 server=${3:-}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d /tmp/registry-drill-test.XXXXXX)
served=
names=(drill_a_$$ drill_b_$$ drill_c_$$)
stop() {
  [ -z "$served" ] || kill -9 "$served" 2>/dev/null || true
  [ -z "$served" ] || wait "$served" 2>/dev/null || true
  served=
}
finish() {
  stop
  [ -z "$server" ] || for name in "${names[@]}"; do psql -qX "$server" -c "DROP DATABASE IF EXISTS $name WITH (FORCE)" >/dev/null; done
  rm -rf "$work"
}
trap finish EXIT
fail() { echo "drill test: $*" >&2; exit 1; }

first=sqlite:$work/first/registry.sqlite3 second=sqlite:$work/second/registry.sqlite3
as_owner=$first
mkdir -m 0700 "$work/first" "$work/second" "$work/other-disk"
if [ -n "$server" ]; then
  address=${server#*@}; address=${address%%/*}
  mkdir -m 0700 "$work/passwords"
  for who in owner service backup; do
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$work/passwords/${who}_password"
    echo "*:*:*:registry_$who:$(cat "$work/passwords/${who}_password")" >>"$work/pgpass"
  done
  chmod 0600 "$work/pgpass"
  superuser=${server#*://}; superuser=${superuser%%@*}
  for name in "${names[@]}"; do
    psql -qX "$server" -c "CREATE DATABASE $name" >/dev/null
    PGHOST=${address%%:*} PGPORT=${address##*:} POSTGRES_USER=${superuser%%:*} POSTGRES_DB=$name PASSWORDS=$work/passwords \
      "$root/deploy/database/roles.sh"
  done
  : >"$work/passwords/backup_password"
  if PGHOST=${address%%:*} PGPORT=${address##*:} PASSWORDS=$work/passwords "$root/deploy/database/roles.sh" 2>"$work/refused"; then
    fail "an empty password was set"
  fi
  grep -q 'is empty' "$work/refused" || fail "$(cat "$work/refused")"
  export PGPASSFILE=$work/pgpass
  url() { echo "postgres://registry_$1@$address/$2"; }
  first=$(url service "${names[0]}") second=$(url service "${names[1]}") as_owner=$(url owner "${names[0]}")
fi
settings() { # settings <name> <url>
  printf '[server]\nport = %s\n[database]\nurl = "%s"\n[secrets]\nmaster_key_file = "%s"\n[releases]\nfolder = "%s"\n' \
    "$port" "$2" "$work/master.key" "$work/$1/releases" >"$work/$1.toml"
}
settings first "$first"
settings second "$second"
current=first
registry() { "$REGISTRY" "$@" --config "$work/$current.toml"; }
base=http://127.0.0.1:$port
serve() {
  "$REGISTRY" serve --config "$work/$current.toml" 2>"$work/log" &
  served=$!
  curl -s --retry 60 --retry-delay 1 --retry-all-errors --fail -o /dev/null "$base/health/ready"
}
push() { # push <example> [sed expression]: the status, and a code when it is refused
  curl -sS -o "$work/answer" -w '%{http_code}' -X PUT "$base/api/v1/cases/EX-${1^^}" -H "Authorization: Bearer $key" -H 'If-Match: *' \
    -H 'Content-Type: application/json' \
    --data "$(sed -e "s/\"pseudonym_id\": *\"[^\"]*\"/\"pseudonym_id\": \"EX-${1^^}\"/" -e "${2:-}" "$root/schema/examples/1.0.0/valid/$1.json")"
}
submit() { # submit <example>, which the registry does not have
  local code
  code=$(curl -sS -o "$work/answer" -w '%{http_code}' -X PUT "$base/api/v1/cases/EX-${1^^}" -H "Authorization: Bearer $key" \
    -H 'Content-Type: application/json' --data "$(sed "s/\"pseudonym_id\": *\"[^\"]*\"/\"pseudonym_id\": \"EX-${1^^}\"/" "$root/schema/examples/1.0.0/valid/$1.json")")
  [ "$code" = 201 ] || fail "$1: $code $(cat "$work/answer")"
}
post() { # post <path> <body>, with the office's key
  curl -sS --fail-with-body -o "$work/answer" -X POST "$base$1" -H "Authorization: Bearer $office" -H "Idempotency-Key: $RANDOM$RANDOM" \
    -H 'Content-Type: application/json' --data "$2" || fail "$1: $(cat "$work/answer")"
}
erase() { post "/api/v1/cases/$1:withdraw" "{\"mode\": \"erase\", \"date\": \"$(date -u +%F)\", \"reason\": \"drill\"}"; }
bundles() { (cd "$work/$1/releases" && echo *.zip); }

REGISTRY_DATABASE__URL=$as_owner registry migrate --init >/dev/null
registry centre add C01 "Centre one" >/dev/null
key=$(registry key create drill --role submitter --centre C01 2>/dev/null)
office=$(registry key create drill --role coordinator 2>/dev/null)
serve
# A release with one patient, one with two, one with three.
run=0
for example in figure-2 metachronous-lung figure-1; do
  submit "$example"
  run=$((run + 1))
  post /api/v1/runs '{"wait": true}'
  post "/api/v1/runs/$run:publish" '{}'
  post /api/v1/releases "{\"run\": $run}"
done
[ "$(bundles first)" = "run-1.zip run-2.zip run-3.zip" ] || fail "three bundles are expected: $(bundles first)"

# The night's backup. Then one patient is erased, one takes research reuse back, and one is registered and erased.
[ -z "$server" ] || export BACKUP_URL; [ -z "$server" ] || BACKUP_URL=$(url backup "${names[0]}")
# One from before the promise to patients goes with it, one from within stays.
mkdir -p "$work/backups"/{20260101T021500Z,"$(date -u --date=-34days +%Y%m%dT%H%M%SZ)"}
backup=$(TEXTFILE_FOLDER=$work "$root/deploy/backup.sh" "$work/first.toml" "$work/backups")
[ "$(find "$work/backups" -mindepth 1 -maxdepth 1 -type d | wc -l)" = 2 ] && [ ! -e "$work/backups/20260101T021500Z" ] \
  || fail "old backups: $(ls "$work/backups")"
if [ "$(id -u)" = 0 ]; then
  install -d -o nobody "$work/others"
  if "$root/deploy/backup.sh" "$work/first.toml" "$work/others" 2>"$work/refused"; then fail "made a backup in the folder of another"; fi
  grep -q "is nobody's" "$work/refused" || fail "$(cat "$work/refused")"
fi
erase EX-FIGURE-1
[ "$(push metachronous-lung 's/"research_reuse": *true/"research_reuse": false/')" = 200 ] || fail "$(cat "$work/answer")"
submit dead-of-sarcoma
erase EX-DEAD-OF-SARCOMA
ledger=$work/other-disk/withdrawals.jsonl
# What registry-withdrawals.service does.
grep -q '^ExecStart=/usr/local/lib/registry/ledger.sh [^ ]*\.toml [^ ]*\.jsonl$' "$root/deploy/systemd/registry-withdrawals.service" \
  || fail "the unit does something else"
TEXTFILE_FOLDER=$work "$root/deploy/ledger.sh" "$work/first.toml" "$ledger"
[ "$(grep -c '"mode":"erase"' "$ledger")$(grep -c '"mode":"reuse"' "$ledger")" = 21 ] || fail "the ledger: $(cat "$ledger")"
cp "$ledger" "$work/ledger-as-left"
# The node exporter, which is another account, reads both times; nobody else reads the ledger.
[ "$(stat --format=%a "$work"/registry_{backup,withdrawals}.prom "$ledger" | xargs)" = "644 644 600" ] || fail "modes: $(ls -l "$work")"
grep -qE '^registry_withdrawals_listed_timestamp_seconds [0-9]{10}$' "$work/registry_withdrawals.prom" || fail "no time of the ledger"

# The machine is gone, and with it everything but the backup, the ledger and the kept key.
stop
if [ -n "$server" ]; then psql -qX "$server" -c "DROP DATABASE ${names[0]} WITH (FORCE)"; fi
rm -rf "$work/first" "$work/first.toml"
current=second
[ -z "$server" ] || export OWNER_URL; [ -z "$server" ] || OWNER_URL=$(url owner "${names[1]}")
if "$root/deploy/restore.sh" "$backup" "$work/second.toml" "$work/other-disk/none" 2>"$work/refused"; then fail "restored without a ledger"; fi
"$root/deploy/restore.sh" "$backup" "$work/second.toml" "$ledger" >"$work/restore" || fail "$(cat "$work/restore")"
unset OWNER_URL
grep -q '3 in the list, 3 applied' "$work/restore" || fail "not all was applied again: $(cat "$work/restore")"
diff <(registry withdrawals list) "$ledger" || fail "the ledgers differ"
# The bundle without any of them is there; the others, which the backup had, are not.
[ "$(bundles second)" = run-1.zip ] || fail "a bundle with what was taken back is kept: $(bundles second)"

# The centre pushes again what it has: two patients are refused, the third has no case in a release.
serve
for example in figure-1 dead-of-sarcoma; do
  code=$(push "$example")
  if [ "$code" != 409 ] || ! grep -q case_withdrawn "$work/answer"; then fail "$example came back: $code $(cat "$work/answer")"; fi
done
[ "$(push metachronous-lung)" = 200 ] || fail "$(cat "$work/answer")"
post /api/v1/runs '{"wait": true}'
post /api/v1/runs/4:publish '{}'
post /api/v1/releases '{"run": 4}'
released=$(unzip -p "$work/second/releases/run-4.zip" 'run-4/patient.csv' 2>/dev/null || unzip -p "$work/second/releases/run-4.zip" '*patient.csv')
[ "$(grep -c . <<<"$released")" = 2 ] || fail "the release has more than one patient: $released"

# A ledger that knows more than the database is not replaced by it.
registry withdrawals list --to "$ledger"
cmp -s "$ledger" "$work/ledger-as-left" || fail "the same ledger is expected"
sed 's/"case_id":"[^"]*"/"case_id":"x"/; s/"claim":"../"claim":"zz/' "$work/ledger-as-left" >>"$ledger"
if registry withdrawals list --to "$ledger" 2>"$work/refused"; then fail "a newer ledger was replaced by an older one"; fi
grep -q 'does not know' "$work/refused" || fail "$(cat "$work/refused")"

# And the drill as the operator runs it.
if [ -n "$server" ]; then
  BACKUP_URL=$(url backup "${names[1]}") DRILL_OWNER_URL=$(url owner "${names[2]}")
  export DRILL_OWNER_URL
fi
"$root/deploy/drill.sh" "$work/second.toml" "$work/master.key" >"$work/drill" || fail "$(cat "$work/drill")"
tail -1 "$work/drill"
