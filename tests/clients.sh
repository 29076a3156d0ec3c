#!/usr/bin/env bash
# A release of a running demo and what a researcher gets of it, read by the tools of those who get one: tests/clients.sh <url> <access.json>
#
# The coordinator's bundle and that of the demo's data request, each:
# 1. Every file of the bundle has the digest, and every table the rows, that the manifest says.
# 2. Frictionless validates datapackage.json: digests, types, codes, keys and references of every table.
# 3. pandas through load.py, polars, DuckDB and R through load.R read the same rows; types and levels are those of the dictionary.
# 4. The Parquet files hold what the CSV files hold, read by pandas, polars and DuckDB.
# 5. The two worked examples of the bundle's README run as they are written and give the survival of survival_estimates.csv; the README names no
#    file that is not there.
# And the fictitious release has the files and columns of the real one.
# What reads is installed into an environment of its own, thrown away at the end.
set -euo pipefail
url=$1 access=$2
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check pandas==2.2.3 polars==1.17.1 pyarrow==18.1.0 duckdb==1.1.3 frictionless==5.18.0
python=$work/venv/bin/python
key_of() { $python -c 'import json,sys; print(next(a["key"] for a in json.load(open(sys.argv[1]))["access"] if a["role"] == sys.argv[2]))' "$access" "$1"; }
office=$(key_of coordinator) researcher=$(key_of researcher)
release=$(curl -sS --fail -H "Authorization: Bearer $office" "$url/api/v1/releases" | $python -c 'import json,sys; print(json.load(sys.stdin)["releases"][0]["release"])')
request=$(curl -sS --fail -H "Authorization: Bearer $researcher" "$url/api/v1/data-requests" | $python -c 'import json,sys; print(next(r["request_id"] for r in json.load(sys.stdin)["requests"] if r["open"]))')
curl -sS --fail -o "$work/release.zip" -H "Authorization: Bearer $office" "$url/api/v1/releases/$release/bundle.zip"
curl -sS --fail -o "$work/request.zip" -H "Authorization: Bearer $researcher" "$url/api/v1/data-requests/$request/bundle.zip"

# Everything that is done with a bundle: its zip is $work/$1.zip.
read_bundle() {
echo "the bundle of the $1:"
$python - "$work" "$1" <<'PYTHON'
import csv, hashlib, json, re, sys, zipfile
work, name = sys.argv[1:]
zipfile.ZipFile(f"{work}/{name}.zip").extractall(f"{work}/{name}")
files = json.load(open(f"{work}/{name}/manifest.json"))["files"]
for file in files:
    data = open(f"{work}/{name}/{file['name']}", "rb").read()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (file["bytes"], file["sha256"]), file["name"]
    if file["name"].endswith(".csv"):
        header, *rows = csv.reader(open(f"{work}/{name}/{file['name']}", newline="", encoding="utf-8"))
        assert (header, len(rows)) == (file["columns"], file["rows"]), file["name"]
there = {file["name"] for file in files} | {"manifest.json"}
named = set(re.findall(r"`([A-Za-z_0-9]+\.(?:csv|json|cff|R|py))`", open(f"{work}/{name}/README.md", encoding="utf-8").read()))
assert len(named) > 5 and named <= there, named - there
print(f"ok: {len(files)} files are what the manifest says")
PYTHON

cd "$work/$1"
rm -rf "$work/changed"
"$work/venv/bin/frictionless" validate datapackage.json >"$work/said" 2>&1 || { tail -n 60 "$work/said"; exit 1; }
# A wrong code and a wrong type are noticed.
cp -r "$work/$1" "$work/changed"
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
from load import labels, load, table
frames, coded_frames, dictionary, words = load("."), load(".", words=False), table(".", "dictionary.csv"), labels(".")
manifest = {f["name"]: f for f in json.load(open("manifest.json"))["files"] if f["name"].endswith(".csv")}
lists = table(".", "codelists.csv").groupby("code_list", sort=False)["code"].apply(list).to_dict()
assert {f"{name}.csv" for name in frames} == set(manifest), set(manifest) ^ {f"{name}.csv" for name in frames}
POLARS = {"boolean": pl.Boolean, "integer": pl.Int64, "number": pl.Float64}
DUCKDB = {"boolean": "BOOLEAN", "integer": "BIGINT", "number": "DOUBLE"}
said, columns, coded = [], 0, 0
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
            codes, known = coded_frames[file.removesuffix(".csv")][name], words[line["code_list"]]
            assert list(codes.cat.categories) == lists[line["code_list"]] == list(known), (file, name)
            # Categories are the words in the order of the codes; a code without words of its own stands for itself.
            wanted, said_before = [], set()
            for code, label in known.items():
                plain = isinstance(label, str) and label not in said_before
                wanted.append(label if plain else code)
                said_before.add(label)
            assert list(column.cat.categories) == wanted and (column.cat.codes == codes.cat.codes).all(), (file, name)
            # The words beside a code are those of its list.
            if f"{name}__label" in frame:
                beside = [text if isinstance(text, str) else None for text in frame[f"{name}__label"]]
                spoken = lambda code: known[code] if isinstance(known[code], str) else code
                assert beside == [spoken(code) if isinstance(code, str) else None for code in codes], (file, name)
            coded += 1
        elif kind == "absence":
            assert list(column.cat.categories) == line["absence_codes"].split(" "), (file, name)
        elif kind == "precision":
            assert list(column.cat.categories) == ["day", "month", "year"], (file, name)
        if kind == "integer" and isinstance(line["code_list"], str):
            known = words[line["code_list"]]
            beside = [text if isinstance(text, str) else None for text in frame[f"{name}__label"]]
            spoken = lambda code: known[code] if isinstance(known[code], str) else code
            assert beside == [None if pd.isna(code) else spoken(str(code)) for code in column], (file, name)
            coded += 1
        # No value is lost to a type, and what is counted or summed is the same everywhere.
        present = sum(1 for row in csv.DictReader(open(file, newline="", encoding="utf-8")) if row[name] != "")
        assert int(column.notna().sum()) == present == polar[name].count() == duck[name].count(), (file, name)
        if kind in DUCKDB and present:
            sums = [float(column.sum()), float(polar[name].sum()), float(duck[name].sum())]
            assert max(sums) - min(sums) <= 1e-9 * max(1, abs(sums[0])), (file, name, sums)
            said.append((file, name, sums[0]))
        columns += 1
assert columns > 400 and coded > 80 and len(said) > 50, (columns, coded, len(said))
# One row a case, whose overall survival is that of S1 and whose counts are those of the tables.
cases, s1 = frames["cases"].set_index("patient_id"), frames["survival_s1"].set_index("patient_id").loc[frames["cases"]["patient_id"]]
assert cases.index.is_unique and len(cases) == len(frames["patient"]) == len(s1)
for of_case, of_s1 in (("os_analysed", "analysed"), ("os_exit_days", "exit_days"), ("os_months", "os_months"), ("os_event", "os_event")):
    assert cases[of_case].equals(s1[of_s1].rename(of_case)), of_case
metastatic = coded_frames["systemic"].query("setting == 'metastatic'").groupby("patient_id").size()
assert (cases["systemic_lines"].fillna(0) == metastatic.reindex(cases.index).fillna(0)).all()
csv.writer(open("../sums.csv", "w", newline="")).writerows([("file", "column", "sum"), *said])
print(f"ok: pandas, polars and DuckDB agree on {columns} columns of {len(manifest)} tables")
PYTHON

# The Parquet files hold what the CSV files hold, typed, for whoever reads them.
$python - <<'PYTHON'
import pathlib
import duckdb, pandas as pd, polars as pl
from load import load, table
frames, dictionary = load(".", words=False), table(".", "dictionary.csv")
KINDS = {"boolean": (pl.Boolean, "BOOLEAN"), "integer": (pl.Int64, "BIGINT"), "number": (pl.Float64, "DOUBLE")}
files, columns = sorted(pathlib.Path("parquet").iterdir()), 0
assert {f"{file.stem}.csv" for file in files} == {file.name for file in pathlib.Path(".").glob("*.csv")}
for file in files:
    lines = dictionary[dictionary["file"] == f"{file.stem}.csv"]
    kinds = dict(zip(lines["column"], lines["type"]))
    frame, as_pandas, as_polars, as_duck = frames[file.stem], pd.read_parquet(file), pl.read_parquet(file), duckdb.read_parquet(str(file))
    assert list(as_pandas.columns) == as_polars.columns == as_duck.columns == list(frame.columns), file
    assert len(as_pandas) == as_polars.height == len(as_duck) == len(frame), file
    in_duck, types = as_duck.pl(), dict(zip(as_duck.columns, map(str, as_duck.types)))
    for name in frame.columns:
        kind = KINDS.get(kinds[name], (pl.String, "VARCHAR"))
        assert (as_polars.schema[name], types[name]) == kind, (file, name, as_polars.schema[name], types[name])
        plain = [None if pd.isna(one) else one for one in frame[name]]
        for found in (as_polars[name].to_list(), in_duck[name].to_list(), [None if pd.isna(one) else one for one in as_pandas[name]]):
            assert found == plain, (file, name)
        columns += 1
assert columns > 400, columns
print(f"ok: pandas, polars and DuckDB read {len(files)} Parquet files with the {columns} columns of the CSV files")
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
    kind <- dictionary$type[at]
    wanted <- c(boolean = "logical", integer = "numeric", number = "numeric", code = "factor", absence = "factor", precision = "factor")[kind]
    text <- plain[[dictionary$column[at]]]
    stopifnot(is(column, if (is.na(wanted)) "character" else wanted), sum(is.na(column)) == sum(is.na(text)))
    if (kind == "absence") stopifnot(identical(levels(column), strsplit(dictionary$absence_codes[at], " ")[[1]]), identical(as.character(column), text))
    if (kind == "precision") stopifnot(identical(levels(column), c("day", "month", "year")), identical(as.character(column), text))
    if (kind == "code") {
      # The levels are the words of the list in its order, and each value has the words of its code.
      known <- codes[codes$code_list == dictionary$code_list[at], ]
      words <- ifelse(is.na(known$label) | duplicated(known$label), known$code, known$label)
      stopifnot(nrow(known) > 0, identical(levels(column), words), identical(as.character(column), words[match(text, known$code)]))
    }
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
cp "$work/example.python" "$work/$1/example.py"
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
}

read_bundle release
read_bundle request
cd "$work/release"
# The fictitious release, which a researcher gets without a request, has the same files and columns, and says what it is.
curl -sS --fail -o "$work/fictitious.zip" -H "Authorization: Bearer $researcher" "$url/api/v1/releases/synthetic/bundle.zip"
$python - "$work" <<'PYTHON'
import json, sys, zipfile
real, fiction = json.load(open("manifest.json")), zipfile.ZipFile(f"{sys.argv[1]}/fictitious.zip")
told = json.loads(fiction.read("manifest.json"))
columns = lambda manifest: {file["name"]: file["columns"] for file in manifest["files"]}
assert columns(real) == columns(told) and told["fictitious"] is True and "fictitious" not in real
for name in ("README.md", "CITATION.cff", "datapackage.json"):
    assert "ictitious" in fiction.read(name).decode(), name
print(f"ok: the fictitious release has the columns of the real one, {told['cases']} cases")
PYTHON
