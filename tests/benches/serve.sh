#!/bin/bash
# Start-up to ready, and peak memory idle and under load, of `registry serve` on SQLite.
#   tests/benches/serve.sh REGISTRY-BINARY [CASES, default 2000]
# BENCH_CASE: a file with another valid case record than the published figure-1.
# Baseline of the memory: the idle service. Load: submissions of one record under many pseudonyms, by 8 clients.
set -euo pipefail
body=$(realpath "${BENCH_CASE:-$(dirname "$0")/../../schema/examples/1.0.0/valid/figure-1.json}")
registry=$(realpath "${1:?the binary}")
cases=${2:-2000}
work=$(mktemp -d)
pid=
trap '[[ -z $pid ]] || kill "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
: > registry.toml
port=18473
export REGISTRY_SERVER__PORT=$port REGISTRY_DATABASE__URL="sqlite:$work/registry.sqlite3" REGISTRY_LOG__FILTER=error
export REGISTRY_SECRETS__MASTER_KEY_FILE="$work/master.key" REGISTRY_LIMITS__REQUESTS_PER_SECOND=1000000
"$registry" migrate --init > /dev/null
"$registry" centre add C01 'Bench centre' > /dev/null
key=$("$registry" key create bench --role submitter --centre C01 2>/dev/null)
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
memory() { awk -v what="$1" '$1 == what":" { printf "%d MiB", $2 / 1024 }' "/proc/$pid/status"; }

began=$(milliseconds)
"$registry" serve 2> serve.log & pid=$!
until curl --silent --fail --output /dev/null "http://127.0.0.1:$port/health/ready"; do
  kill -0 "$pid" || { cat serve.log >&2; exit 1; }
done
echo "start-up to ready: $(($(milliseconds) - began)) ms"
echo "idle: resident $(memory VmRSS), peak $(memory VmHWM)"

began=$(milliseconds)
seq "$cases" | xargs -P 8 -I{} sh -c '
  sed "s/\"pseudonym_id\": *\"[^\"]*\"/\"pseudonym_id\": \"BENCH-$1\"/" "$2" |
  curl --silent --show-error --fail --output /dev/null --request PUT --header "authorization: Bearer $3" \
    --header "content-type: application/json" --header "if-none-match: *" --data-binary @- "http://127.0.0.1:$4/api/v1/cases/BENCH-$1"' \
  sh {} "$body" "$key" "$port"
took=$(($(milliseconds) - began))
echo "load: $cases submissions by 8 clients in $took ms (a process per request: the clients are the slower part)"
echo "under load: resident $(memory VmRSS), peak $(memory VmHWM)"
