#!/usr/bin/env bash
# deploy/proxy/nginx.conf keeps pseudonyms, tokens and query strings out of its log: tests/proxy.sh
# Needs nginx, and no registry: behind it a place that takes everything. Every address of the service that holds a pseudonym is asked for,
# in several spellings; what was logged is then looked through. A test of `it/openapi.rs` fails when a route with a pseudonym is not here.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d /tmp/registry-proxy-test.XXXXXX)
proxy=
finish() {
  [ -z "$proxy" ] || kill "$proxy" 2>/dev/null || true
  [ -z "$proxy" ] || wait "$proxy" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
fail() { echo "proxy test: $*" >&2; exit 1; }

front=$((20000 + RANDOM % 5000)) behind=$((25000 + RANDOM % 5000))
# As it is, but on this machine, in the foreground, and without TLS, whose keys are elsewhere.
sed -E \
  -e "s#^pid .*#pid $work/pid; daemon off; master_process off;#" \
  -e "s#/dev/stderr#$work/error.log#; s#/dev/stdout#$work/access.log#" \
  -e '/listen 8081;/d; /return 308/d; /http2 on;/d; /ssl_/d' \
  -e "s#listen 8443 ssl;#listen 127.0.0.1:$front;#" \
  -e "s#http://172.30.7.3:8080#http://127.0.0.1:$behind#" \
  "$root/deploy/proxy/nginx.conf" |
  # The server that only sent to TLS is empty now, and would listen on port 80: it becomes the place behind.
  awk -v behind="$behind" '/^    server \{$/ && !done { print; print "        listen 127.0.0.1:" behind "; location / { return 204; }"; done = 1; next } { print }' \
    >"$work/nginx.conf"
nginx -t -q -p "$work" -c "$work/nginx.conf"
nginx -p "$work" -c "$work/nginx.conf" &
proxy=$!
url=http://127.0.0.1:$front
until curl -s -o /dev/null "$url/health/live"; do kill -0 "$proxy" || fail "nginx ended"; done

name=CANARY-4711
paths=(
  # The routes, one by one (`it/openapi.rs` sees to it).
  "/api/v1/cases/$name" "/api/v1/cases/$name/assessment" "/api/v1/cases/$name/findings" "/api/v1/cases/$name/findings/7:answer"
  "/api/v1/cases/$name/versions" "/api/v1/cases/$name/versions/7" "/api/v1/cases/$name:lock" "/api/v1/cases/$name:transfer"
  "/api/v1/cases/$name:unlock" "/api/v1/cases/$name:verify" "/api/v1/cases/$name:withdraw" "/api/v1/verifications/7/cases/$name"
  "/api/v1/verifications/7/cases/$name:reset" "/cases/$name" "/cases/$name/answer" "/cases/$name/assessment.csv" "/cases/$name/course.csv"
  "/cases/$name/course.svg" "/cases/$name/edit" "/cases/$name/findings.csv" "/cases/$name/life-cycle" "/cases/$name/queries"
  "/cases/$name/transfer" "/cases/$name/versions" "/cases/$name/versions.csv" "/cases/$name/withdraw" "/verification/7/$name"
  "/verification/7/$name/reset"
  # Other spellings, and where a pseudonym or a token is part of something else.
  "/api/v1//cases/$name" "/API/v1/Cases/$name" "/cases/%43ANARY-4711" "/verification/0198//$name" "/Verification/0198/$name"
  "/verification/0198/%43ANARY-4711" "/verification/./0198/$name"
  "/fhir/MeasureReport/case-$name-1a" "/fhir/MeasureReport/case-1a-$name" "/fhir/measurereport/case-$name" "/fhir/MeasureReport/%43ANARY-4711"
  "/fhir/MeasureReport?subject:identifier=$name" "/worklist?case=$name" "/queries?case=$name" "/api/v1/queries?case=$name"
  "/sign-in?token=$name" "/invitation?token=$name" "/sign-in/callback?code=$name&state=$name"
)
for path in "${paths[@]}"; do
  curl -s -o /dev/null "$url$path" || fail "no answer to $path"
done
# What is no pseudonym is still told apart.
for path in /adherence /api/v1/runs/3 /verification/0198/agreement.csv /verification/0198; do curl -s -o /dev/null "$url$path"; done
kill -QUIT "$proxy"; wait "$proxy" || true; proxy=

[ "$(wc -l <"$work/access.log")" -ge $((${#paths[@]} + 4)) ] || fail "not every request was logged"
if grep -iE "canary|4711|%43" "$work/access.log" "$work/error.log"; then fail "a pseudonym or a token was logged"; fi
for path in /adherence /api/v1/runs/3 '(agreement)' /verification/0198 '(sampled case)' '(report)' '(cases)'; do
  grep -qF "\"path\":\"$path\"" "$work/access.log" || fail "$path is not in the log"
done
echo "proxy test: ${#paths[@]} addresses with a pseudonym or a token, none of them logged"
