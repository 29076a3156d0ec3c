#!/usr/bin/env bash
# The estimates of a running demo's release, recomputed: tests/reproduce.sh <url> <access.json> <registry binary>
#
# 1. Every file of the bundle, which comes through the demo's approved data request, has the digest its manifest says.
# 2. The shipped script recomputes every number of survival_estimates.csv with R's `survival` from the rows alone (relative 1e-6), and fails
#    on a number that was changed, and on none.
# 3. `registry survival`, the service's estimators on a file, gives the same from the same rows (1e-9): the bridge between release and
#    service, because a release holds the cases that may be released and what a page shows went through disclosure control. That a
#    release of all cases has the estimates of its run is a test of registry-etl.
set -euo pipefail
url=$1 access=$2 registry=$(realpath "$3")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
key=$(python3 -c 'import json,sys; print(next(a["key"] for a in json.load(open(sys.argv[1]))["access"] if a["role"] == "researcher"))' "$access")
request=$(curl -sS --fail -H "Authorization: Bearer $key" "$url/api/v1/data-requests" | python3 -c 'import json,sys; print(next(r["request_id"] for r in json.load(sys.stdin)["requests"] if r["open"]))')
curl -sS --fail -o "$work/bundle.zip" -H "Authorization: Bearer $key" "$url/api/v1/data-requests/$request/bundle.zip"
python3 - "$work" <<'PYTHON'
import hashlib, json, sys, zipfile
work = sys.argv[1]
zipfile.ZipFile(f"{work}/bundle.zip").extractall(f"{work}/release")
manifest = json.load(open(f"{work}/release/manifest.json"))
for file in manifest["files"]:
    digest = hashlib.sha256(open(f"{work}/release/{file['name']}", "rb").read()).hexdigest()
    assert digest == file["sha256"], file["name"]
names = {file["name"] for file in manifest["files"]}
assert {"survival_s1.csv", "survival_s4_lung.csv", "survival_estimates.csv", "reproduce.R"} <= names, sorted(names)
print(f"ok: {len(names)} files have their digests")
PYTHON

Rscript --vanilla "$work/release/reproduce.R" "$work/release" | tee "$work/said"
grep -Eq '^[0-9]{3,} numbers compared' "$work/said" || { echo "fewer than a hundred numbers were compared"; exit 1; }
for method in kaplan_meier kaplan_meier_clustered aalen_johansen cox share change; do
  grep -q ",$method," "$work/release/survival_estimates.csv" || { echo "the release has no estimate by $method"; exit 1; }
done

# A script that cannot fail says nothing.
cp -r "$work/release" "$work/changed"
python3 - "$work/changed/survival_estimates.csv" <<'PYTHON'
import csv, sys
rows = list(csv.reader(open(sys.argv[1], newline="")))
row = next(r for r in rows if r[0] == "S1" and r[6] == "survival")
row[8] = str(float(row[8]) * (1 + 3e-6))
csv.writer(open(sys.argv[1], "w", newline="")).writerows(rows)
PYTHON
if Rscript --vanilla "$work/changed/reproduce.R" "$work/changed" >"$work/said" 2>&1; then echo "a changed number was not noticed"; exit 1; fi
grep -q ', 1 different' "$work/said"
head -n 1 "$work/release/survival_estimates.csv" >"$work/changed/survival_estimates.csv"
if Rscript --vanilla "$work/changed/reproduce.R" "$work/changed" >"$work/said" 2>&1; then echo "nothing was compared, and that was no error"; exit 1; fi
echo "ok: one changed number is noticed, and so is an empty file"

python3 - "$work" "$registry" <<'PYTHON'
import csv, json, subprocess, sys
work, registry = sys.argv[1:]
read = lambda name: list(csv.DictReader(open(f"{work}/release/{name}", newline="")))
estimates = read("survival_estimates.csv")
compared = 0
for file, method in [("survival_s1.csv", "km"), ("survival_s4_lung.csv", "km"), ("survival_s5.csv", "km"), ("survival_s1b.csv", "aalen-johansen")]:
    told = [e for e in estimates if e["file"] == file and e["by"] == "all" and e["method"] in ("kaplan_meier", "aalen_johansen")]
    # A day later all of them: who is observed from the origin enters at 0, and somebody may die on it.
    with open(f"{work}/rows.csv", "w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["entry", "exit", "event"])
        for row in read(file):
            if row["analysed"] == "TRUE":
                entry = int(row["entry_days"]) + 1 if row["entry_days"] else 0
                rows.writerow([entry, int(row["exit_days"]) + 1, row["event"]])
    times = sorted({float(e["months"]) for e in told if e["months"]})
    at = ",".join(repr(months * 30.4375 + 1) for months in times)
    said = json.loads(subprocess.run([registry, "survival", "--input", f"{work}/rows.csv", "--time", "exit", "--event", "event", "--entry", "entry",
        "--method", method, "--format", "json", "--at", at], check=True, capture_output=True).stdout)
    found = {}
    for row in said["at" if method == "km" else "incidence"]:
        months = min(times, key=lambda one: abs(one * 30.4375 + 1 - row["time"]))
        for quantity in ("survival", "incidence", "lower", "upper"):
            found[(str(row.get("cause", "")), quantity, months)] = row.get(quantity)
    causes = {cause for cause, _, _ in found}
    for one in told:
        if not one["months"]:
            continue
        want = float(one["value"]) if one["value"] else None
        # An event nobody has is no event of the file.
        never = {"incidence": 0.0, "lower": 0.0, "upper": 0.0} if one["term"] not in causes else {}
        key = (one["term"], one["quantity"], float(one["months"]))
        got = never[one["quantity"]] if never else found[key]
        assert (got is None) == (want is None), one
        assert want is None or abs(got - want) <= 1e-9 * max(abs(want), 1e-6), (one, got)
        compared += 1
assert compared >= 20, compared
print(f"ok: registry survival agrees on {compared} numbers")
PYTHON
