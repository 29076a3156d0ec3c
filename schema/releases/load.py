"""Reads a release into typed pandas frames: `frames = load("folder of the unpacked release")`, one frame per CSV file.

Types are those of dictionary.csv: codes are categoricals whose categories are the words of their list in its order (the code itself where
there are none; with `words=False` the codes), reasons (`<name>__absent`) and precisions of dates are categoricals of their codes, TRUE and
FALSE are nullable booleans, integers and numbers are nullable numbers, everything else is text. Empty is missing. An integer with a code
list stays a number, its words stand beside it. `labels(folder)` gives the words of every code: {code list: {code: label}}. Needs pandas only.
"""
import pathlib

import pandas as pd


def table(folder, name):
    """A file as text; an empty field is missing."""
    return pd.read_csv(pathlib.Path(folder) / name, dtype=str, keep_default_na=False, na_values=[""])


def labels(folder):
    """The words of every code, by code list."""
    lists = table(folder, "codelists.csv")
    return {name: dict(zip(rows["code"], rows["label"])) for name, rows in lists.groupby("code_list", sort=False)}


def named(codes):
    """The categories of a list: its words, the code itself where there are none or an earlier code has the same."""
    told = {}
    for code, label in codes.items():
        told[code] = label if isinstance(label, str) and label not in told.values() else code
    return told


def load(folder=".", words=True):
    """Every CSV file that dictionary.csv describes, by its name without `.csv`; codes in words, or as they are."""
    codes = labels(folder)
    frames = {}
    for file, lines in table(folder, "dictionary.csv").groupby("file", sort=False):
        frame = table(folder, file)
        for _, line in lines.iterrows():
            name, what = line["column"], line["type"]
            if what == "boolean":
                frame[name] = frame[name].map({"TRUE": True, "FALSE": False}).astype("boolean")
            elif what in ("integer", "number"):
                # Not to_numeric on the texts: it misses the last digit of some.
                frame[name] = pd.to_numeric(frame[name].map(float, na_action="ignore")).convert_dtypes()
            elif what == "code":
                known = codes[line["code_list"]]
                frame[name] = pd.Categorical(frame[name], categories=list(known))
                if words:
                    frame[name] = frame[name].cat.rename_categories(named(known))
            elif what == "absence":
                frame[name] = pd.Categorical(frame[name], categories=line["absence_codes"].split(" "))
            elif what == "precision":
                frame[name] = pd.Categorical(frame[name], categories=["day", "month", "year"])
        frames[file.removesuffix(".csv")] = frame
    return frames
