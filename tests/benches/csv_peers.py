"""polars and pandas writing the table of csv.rs: name, median seconds, sum of all counts, fields missing."""
import statistics
import sys
import time

import polars

file, rounds = sys.argv[1], int(sys.argv[2])
kinds = {"count": polars.Int64, "number": polars.Float64, "flag": polars.String, "code": polars.String}
names = open(file, encoding="utf-8").readline().strip().split(",")
table = polars.read_csv(file, schema={name: kinds[name.split("_")[0]] for name in names}, null_values=[""])
table = table.with_columns(polars.col(name) == "TRUE" for name in names if name.startswith("flag"))


def told(name, write, read):
    seconds = []
    for round_ in range(rounds + 1):
        began = time.perf_counter()
        write(f"{file}.{name}")
        if round_:
            seconds.append(time.perf_counter() - began)
    written = read(f"{file}.{name}")
    print(name, statistics.median(seconds), *written)


def read(path):
    again = polars.read_csv(path, schema_overrides={name: kinds[name.split("_")[0]] for name in names}, null_values=[""])
    counts = sum(again[name].sum() for name in names if name.startswith("count"))
    return counts, sum(again[name].null_count() for name in names)


told("polars", table.write_csv, read)
frame = table.to_pandas()
for name in names:
    if name.startswith("count"):
        frame[name] = frame[name].astype("Int64")
rounds = 1
told("pandas", lambda path: frame.to_csv(path, index=False), read)
