#!/usr/bin/env bash
# A running demo's approved data request, read through the REDCap interface by PyCap as it is: tests/redcap.sh <url> <access.json>
#
# Project, instruments, dictionary, field names and version; records flat and long, as JSON, CSV and data frame, raw and in words, some of
# them; all of it compared with the request's bundle. A wrong token, and what REDCap has and this interface has not, are errors to PyCap.
set -euo pipefail
url=$1 access=$2
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check pycap==2.7.0 pandas==2.2.3
"$work/venv/bin/python" - "$url" "$access" <<'PYTHON'
import csv, io, json, sys, urllib.request, zipfile
from redcap import Project, RedcapError

url, access = sys.argv[1], json.load(open(sys.argv[2]))["access"]
key = next(one["key"] for one in access if one["role"] == "researcher")


def get(path):
    return urllib.request.urlopen(urllib.request.Request(f"{url}{path}", headers={"Authorization": f"Bearer {key}"})).read()


request = next(one for one in json.loads(get("/api/v1/data-requests"))["requests"] if one["open"])["request_id"]
told = json.loads(get(f"/api/v1/data-requests/{request}"))
bundle = zipfile.ZipFile(io.BytesIO(get(f"/api/v1/data-requests/{request}/bundle.zip")))
table = lambda name: list(csv.DictReader(io.TextIOWrapper(bundle.open(name), encoding="utf-8", newline="")))
project = Project(f"{url}/redcap/api/", told["redcap_token"])
assert str(project.redcap_version) == "14.0.0" and project.def_field == "patient_id" and not project.is_longitudinal
info = project.export_project_info()
assert (info["project_id"], info["has_repeating_instruments_or_events"]) == (request, "1"), info

# Every table of patients is an instrument (the sets of codes are fields already), every column but the words of codes a field.
dictionary = table("dictionary.csv")
tables = {line["file"] for line in dictionary if line["column"] == "patient_id"} - {"multiselect.csv"}
fields = {f"{line['file'][:-4]}_{line['column']}": line for line in dictionary
          if line["file"] in tables and line["column"] != "patient_id" and not line["column"].endswith("__label")}
assert {f"{one['instrument_name']}.csv" for one in project.export_instruments()} == tables
metadata = project.export_metadata()
assert [one["field_name"] for one in metadata] == ["patient_id", *fields] == project.field_names
labels = {}
for line in table("codelists.csv"):
    labels.setdefault(line["code_list"], {})[line["code"]] = line["label"] or line["code"]
for one in metadata[1:]:
    kind = fields[one["field_name"]]["type"]
    assert one["field_type"] == {"boolean": "yesno", "code": "radio"}.get(kind, "text"), one
    if kind == "code":
        choices = dict(choice.split(", ", 1) for choice in one["select_choices_or_calculations"].split(" | "))
        assert list(choices) == list(labels[fields[one["field_name"]]["code_list"]]), one
exported = {one["export_field_name"] for one in project.export_field_names()}
assert set(fields) | {f"{name[:-4]}_complete" for name in tables} | {"patient_id"} == exported

# Flat: what every cell of the bundle says, and nothing else.
def raw(line, cell):
    return {"TRUE": "1", "FALSE": "0"}.get(cell, cell) if line["type"] == "boolean" else cell


# Everything at once would name every field in every row of its JSON: refused, with what to do about it.
try:
    project.export_records()
    raise AssertionError("everything at once")
except RedcapError as error:
    assert "instrument by instrument" in str(error), error
forms, rows, keyed, compared = ["patient", "primary", "cases", "presentation", "followup"], [], {}, 0
for form in forms:
    for row in project.export_records(forms=[form]):
        rows.append(row)
        keyed.setdefault((row["patient_id"], row["redcap_repeat_instrument"], row["redcap_repeat_instance"]), {}).update(row)
for name in (f"{form}.csv" for form in forms):
    keys = [line["column"] for line in dictionary if line["file"] == name and line["key"] == "TRUE"]
    instance = {}
    for cells in table(name):
        patient = cells["patient_id"]
        instance[patient] = instance.get(patient, 0) + 1
        row = keyed[(patient, name[:-4], instance[patient]) if len(keys) > 1 else (patient, "", "")]
        assert row[f"{name[:-4]}_complete"] == "2"
        for field, line in fields.items():
            if line["file"] == name:
                assert row[field] == raw(line, cells[line["column"]]), (field, patient)
                compared += 1
assert compared > 10_000, compared

# Long: the same cells; as CSV and as a data frame the same rows; in words the words of the codes; some records, some fields.
flat = project.export_records(forms=["presentation"])
of_form = [field for field, line in fields.items() if line["file"] == "presentation.csv"]
filled = sum(1 for row in flat for field in of_form if row[field] != "")
long = project.export_records(forms=["presentation"], record_type="eav")
assert filled > 1000 and sum(1 for one in long if one["field_name"] in of_form) == filled
for one in long:
    if one["field_name"] in of_form:
        found = keyed[one["record"], one["redcap_repeat_instrument"], one["redcap_repeat_instance"]]
        assert found[one["field_name"]] == one["value"], one
as_csv = list(csv.DictReader(io.StringIO(project.export_records(forms=["presentation"], format_type="csv"))))
assert [{k: str(v) for k, v in row.items()} for row in flat] == as_csv
frame = project.export_records(forms=["presentation"], format_type="df", df_kwargs={"index_col": "patient_id", "dtype": str})
assert len(frame) == len(flat) and set(of_form) <= set(frame.columns)
coded = "primary_histology_code"
assert fields[coded]["type"] == "code"
words = {row["patient_id"]: row[coded] for row in project.export_records(fields=[coded], raw_or_label="label") if row[coded]}
plain = {row["patient_id"]: row[coded] for row in project.export_records(fields=[coded]) if row[coded]}
known = labels[fields[coded]["code_list"]]
assert words and words == {patient: known[code] for patient, code in plain.items()}
few = sorted({row["patient_id"] for row in rows})[:3]
assert {row["patient_id"] for row in project.export_records(records=few, fields=[coded])} == set(few)
assert json.loads(get(f"/api/v1/data-requests/{request}"))["downloads"] >= told["downloads"] + 7

# A wrong token opens nothing, there is no import, and another credential is none here.
for wrong in (lambda: Project(f"{url}/redcap/api/", "0" * 32).export_metadata(), lambda: project.import_records([{"patient_id": "P1"}]),
              lambda: Project(f"{url}/redcap/api/", key[:32]).export_metadata()):
    try:
        wrong()
    except RedcapError:
        continue
    raise AssertionError("no error")
print(f"ok: PyCap reads {len(tables)} instruments with {len(fields)} fields; {compared} cells of {len(forms)} of them are those of the bundle")
PYTHON
