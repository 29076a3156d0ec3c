#!/usr/bin/env bash
# Real requests against a running demo: tests/smoke.sh <url> <access.json>
set -euo pipefail
url=$1 access=$2
body=$(mktemp); trap 'rm -f "$body"' EXIT
key() { python3 -c 'import json,sys; print(next(a["key"] for a in json.load(open(sys.argv[1]))["access"] if a["role"] == sys.argv[2]))' "$access" "$1"; }
expect() { # expect <status> <what> curl-arguments...
  local wanted=$1 what=$2 got; shift 2
  got=$(curl -sS -o "$body" -w '%{http_code}' "$@")
  [ "$got" = "$wanted" ] || { echo "$what: $got instead of $wanted"; head -c 2000 "$body"; return 1; }
  echo "ok: $what ($got)"
}
submitter=(-H "Authorization: Bearer $(key submitter)") committee=(-H "Authorization: Bearer $(key committee)")
researcher=(-H "Authorization: Bearer $(key researcher)") json=(-H "Content-Type: application/json")
examples=schema/examples/1.0.0
expect 201 "the patient of Figure 1 is accepted" -X PUT "$url/api/v1/cases/FIGURE-1" "${submitter[@]}" "${json[@]}" --data "@$examples/valid/figure-1.json"
expect 200 "and read back" "$url/api/v1/cases/FIGURE-1" "${submitter[@]}"
expect 422 "an excluded histology is refused" -X PUT "$url/api/v1/cases/EX-INVALID" "${submitter[@]}" "${json[@]}" --data "@$examples/invalid/excluded-gist.json"
expect 401 "a wrong key is refused" "$url/api/v1/cases" -H "Authorization: Bearer nonsense"
expect 200 "adherence is published" "$url/api/v1/adherence?by=network" "${committee[@]}"
expect 200 "survival is published" "$url/api/v1/survival/S1" "${committee[@]}"
expect 403 "a researcher has no release as a whole" "$url/api/v1/releases/demo-1/bundle.zip" "${researcher[@]}"
expect 200 "a researcher's own data request is there" "$url/api/v1/data-requests" "${researcher[@]}"
request=$(python3 -c 'import json, sys; print(next(r["request_id"] for r in json.load(open(sys.argv[1]))["requests"] if r["open"]))' "$body")
expect 200 "and its bundle downloads" "$url/api/v1/data-requests/$request/bundle.zip" "${researcher[@]}"
expect 200 "the API page is there" "$url/docs/"
expect 200 "metrics are there" "$url/metrics"
