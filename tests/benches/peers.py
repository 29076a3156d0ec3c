"""lifelines on the rows of peers.rs: task, median seconds, the number that must agree."""
import statistics
import sys
import time
import warnings

import pandas
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test

warnings.simplefilter("ignore")
folder, rounds = sys.argv[1], int(sys.argv[2])
many, few = pandas.read_csv(f"{folder}/many.csv"), pandas.read_csv(f"{folder}/few.csv")
duration, event, group = many["time"].to_numpy(), many["event"].to_numpy(), many["group"].to_numpy()
covariates = few.drop(columns="group")


def told(task, estimate):
    seconds = []
    for round_ in range(rounds + 1):
        began = time.perf_counter()
        value = estimate()
        if round_:
            seconds.append(time.perf_counter() - began)
    print(task, statistics.median(seconds), repr(float(value)))


told("kaplan_meier", lambda: KaplanMeierFitter().fit(duration, event).median_survival_time_)
told("log_rank", lambda: multivariate_logrank_test(duration, group, event).test_statistic)
told("cox", lambda: CoxPHFitter().fit(covariates, "time", "event").params_["x0"])
