#!/usr/bin/env bash
# The release of a running demo, read by the tools of those who get one: tests/clients.sh <url> <access.json>
#
# 1. Every file of the coordinator's bundle has the digest, and every table the rows, that the manifest says.
# 2. Frictionless validates datapackage.json: digests, types, codes, keys and references of every table.
# 3. pandas through load.py, polars, DuckDB and R through load.R read the same rows; types and levels are those of the dictionary.
# 4. The two worked examples of the release's README run as they are written and give the survival of survival_estimates.csv.
# What reads is installed into an environment of its own, thrown away at the end.
set -euo pipefail
url=$1 access=$2
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check pandas==2.2.3 polars==1.17.1 pyarrow==18.1.0 duckdb==1.1.3 frictionless==5.18.0
python=$work/venv/bin/python
key=$($python -c 'import json,sys; print(next(a["key"] for a in json.load(open(sys.argv[1]))["access"] if a["role"] == "coordinator"))' "$access")
release=$(curl -sS --fail -H "Authorization: Bearer $key" "$url/api/v1/releases" | $python -c 'import json,sys; print(json.load(sys.stdin)["releases"][0]["release"])')
curl -sS --fail -o "$work/bundle.zip" -H "Authorization: Bearer $key" "$url/api/v1/releases/$release/bundle.zip"

$python - "$work" <<'PYTHON'
import csv, hashlib, json, sys, zipfile
work = sys.argv[1]
zipfile.ZipFile(f"{work}/bundle.zip").extractall(f"{work}/release")
files = json.load(open(f"{work}/release/manifest.json"))["files"]
for file in files:
    data = open(f"{work}/release/{file['name']}", "rb").read()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (file["bytes"], file["sha256"]), file["name"]
    if file["name"].endswith(".csv"):
        header, *rows = csv.reader(open(f"{work}/release/{file['name']}", newline="", encoding="utf-8"))
        assert (header, len(rows)) == (file["columns"], file["rows"]), file["name"]
print(f"ok: {len(files)} files are what the manifest says")
PYTHON

cd "$work/release"
"$work/venv/bin/frictionless" validate datapackage.json >"$work/said" 2>&1 || { tail -n 60 "$work/said"; exit 1; }
# A wrong code and a wrong type are noticed.
cp -r "$work/release" "$work/changed"
$python - "$work/changed" <<'PYTHON'
import csv, hashlib, json, sys
path = f"{sys.argv[1]}/presentation.csv"
rows = list(csv.reader(open(path, newline="")))
rows[1][rows[0].index("timing")], rows[1][rows[0].index("seq")] = "never", "first"
csv.writer(open(path, "w", newline="")).writerows(rows)
package = json.load(open(f"{sys.argv[1]}/datapackage.json"))
one = next(r for r in package["resources"] if r["path"] == "presentation.csv")
data = open(path, "rb").read()
one["bytes"], one["hash"] = len(data), "sha256:" + hashlib.sha256(data).hexdigest()
json.dump(package, open(f"{sys.argv[1]}/datapackage.json", "w"))
PYTHON
if (cd "$work/changed" && "$work/venv/bin/frictionless" validate datapackage.json --json >"$work/said" 2>&1); then echo "a wrong code was not noticed"; exit 1; fi
for error in constraint-error type-error; do grep -q "$error" "$work/said" || { echo "no $error was told"; exit 1; }; done
echo "ok: frictionless finds the data package valid, and one with a wrong code and a wrong type not"

$python - <<'PYTHON'
import csv, json
import duckdb, pandas as pd, polars as pl
from load import load, table
frames, dictionary = load("."), table(".", "dictionary.csv")
manifest = {f["name"]: f for f in json.load(open("manifest.json"))["files"] if f["name"].endswith(".csv")}
lists = table(".", "codelists.csv").groupby("code_list", sort=False)["code"].apply(list).to_dict()
assert {f"{name}.csv" for name in frames} == set(manifest), set(manifest) ^ {f"{name}.csv" for name in frames}
POLARS = {"boolean": pl.Boolean, "integer": pl.Int64, "number": pl.Float64}
DUCKDB = {"boolean": "BOOLEAN", "integer": "BIGINT", "number": "DOUBLE"}
said, columns = [], 0
for file, told in manifest.items():
    frame, lines = frames[file.removesuffix(".csv")], dictionary[dictionary["file"] == file]
    types = dict(zip(lines["column"], lines["type"]))
    assert len(frame) == told["rows"] and list(frame.columns) == told["columns"] and list(types) == told["columns"], file
    schema = {name: POLARS.get(types[name], pl.String) for name in told["columns"]}
    # polars reads true and false in small letters only.
    text = {name: pl.String if kind == pl.Boolean else kind for name, kind in schema.items()}
    polar = pl.read_csv(file, schema=text, null_values=[""])
    polar = polar.with_columns(pl.col(name).replace_strict({"TRUE": True, "FALSE": False}, return_dtype=pl.Boolean)
                               for name, kind in schema.items() if kind == pl.Boolean)
    as_duck = {name: DUCKDB.get(types[name], "VARCHAR") for name in told["columns"]}
    duck = duckdb.sql(f"SELECT * FROM read_csv('{file}', header=true, delim=',', quote='\"', escape='\"', nullstr='', columns={as_duck})").pl()
    assert (polar.height, duck.height) == (told["rows"],) * 2, (file, polar.height, duck.height)
    for _, line in lines.iterrows():
        name, kind, column = line["column"], line["type"], frame[line["column"]]
        if kind == "boolean":
            assert column.dtype == "boolean", (file, name)
        elif kind in ("integer", "number"):
            assert pd.api.types.is_numeric_dtype(column) and (kind == "number" or pd.api.types.is_integer_dtype(column)), (file, name)
        elif kind == "code":
            assert list(column.cat.categories) == lists[line["code_list"]], (file, name)
        # No value is lost to a type, and what is counted or summed is the same everywhere.
        present = sum(1 for row in csv.DictReader(open(file, newline="", encoding="utf-8")) if row[name] != "")
        assert int(column.notna().sum()) == present == polar[name].count() == duck[name].count(), (file, name)
        if kind in DUCKDB and present:
            sums = [float(column.sum()), float(polar[name].sum()), float(duck[name].sum())]
            assert max(sums) - min(sums) <= 1e-9 * max(1, abs(sums[0])), (file, name, sums)
            said.append((file, name, sums[0]))
        columns += 1
assert columns > 300 and len(said) > 50, (columns, len(said))
csv.writer(open("../sums.csv", "w", newline="")).writerows([("file", "column", "sum"), *said])
print(f"ok: pandas, polars and DuckDB agree on {columns} columns of {len(manifest)} tables")
PYTHON

cat >"$work/check.R" <<'R'
source("load.R")
frames <- load_release(".")
dictionary <- release_table(".", "dictionary.csv")
codes <- release_table(".", "codelists.csv")
for (name in names(frames)) {
  file <- paste0(name, ".csv")
  plain <- release_table(".", file)
  stopifnot(nrow(frames[[name]]) == nrow(plain), names(frames[[name]]) == names(plain))
  for (at in which(dictionary$file == file)) {
    column <- frames[[name]][[dictionary$column[at]]]
    wanted <- c(boolean = "logical", integer = "numeric", number = "numeric", code = "factor")[dictionary$type[at]]
    stopifnot(is(column, if (is.na(wanted)) "character" else wanted), sum(is.na(column)) == sum(is.na(plain[[dictionary$column[at]]])))
    if (is.factor(column)) stopifnot(nlevels(column) == sum(codes$code_list == dictionary$code_list[at]))
  }
}
sums <- read.csv("../sums.csv", check.names = FALSE)
stopifnot(nrow(sums) > 50)
for (at in seq_len(nrow(sums))) {
  found <- sum(frames[[sub("[.]csv$", "", sums$file[at])]][[sums$column[at]]], na.rm = TRUE)
  stopifnot(abs(found - sums$sum[at]) <= 1e-9 * max(1, abs(found)))
}
cat("ok: R reads", length(frames), "tables with the same types, levels and", nrow(sums), "sums\n")
R
Rscript --vanilla "$work/check.R"

# The examples as they are written; what they have computed is told at the end.
$python - "$work" <<'PYTHON'
import re, sys
text = open("README.md", encoding="utf-8").read()
for name, tail in (("r", 'cat(format(summary(fit, times = c(12, 36, 60) * 30.4375, extend = TRUE)$surv, digits = 15), file = "../example.r.txt", sep = "\\n")\n'), ("python", "")):
    (code,) = re.findall(rf"```{name}\n(.*?)```", text, re.S)
    open(f"{sys.argv[1]}/example.{name}", "w").write(code + tail)
PYTHON
Rscript --vanilla "$work/example.r" >"$work/said"
cp "$work/example.python" "$work/release/example.py"
$python example.py >"$work/example.python.txt"
$python - "$work" <<'PYTHON'
import csv, sys
told = {float(r["months"]): float(r["value"]) for r in csv.DictReader(open("survival_estimates.csv", newline=""))
        if (r["endpoint"], r["by"], r["method"], r["quantity"]) == ("S1", "all", "kaplan_meier", "survival")}
at = [12.0, 36.0, 60.0]
in_r = dict(zip(at, map(float, open(f"{sys.argv[1]}/example.r.txt").read().split())))
steps = [tuple(map(float, line.split())) for line in open(f"{sys.argv[1]}/example.python.txt")]
in_python = {t: [s for month, s in steps if month <= t + 1e-9][-1] for t in at}
assert len(in_r) == 3 and set(at) <= set(told), (in_r, told)
for t in at:
    assert abs(in_r[t] - told[t]) <= 1e-9 and abs(in_python[t] - told[t]) <= 1e-9, (t, told[t], in_r[t], in_python[t])
print("ok: the examples give the survival of the release in R and in Python:", *(f"{told[t]:.4f}" for t in at))
PYTHON
