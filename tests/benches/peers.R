# R's survival on the rows of peers.rs: task, median seconds, the number that must agree.
suppressPackageStartupMessages(library(survival))
arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[1]
rounds <- as.integer(arguments[2])
many <- read.csv(file.path(folder, "many.csv"))
few <- read.csv(file.path(folder, "few.csv"))
told <- function(task, estimate) {
  seconds <- numeric()
  for (round in 0:rounds) {
    took <- system.time(value <- estimate())[["elapsed"]]
    if (round > 0) seconds <- c(seconds, took)
  }
  cat(task, median(seconds), format(value, digits = 17), "\n")
}
told("kaplan_meier", function() {
  fit <- survfit(Surv(time, event) ~ 1, data = many, conf.type = "log-log")
  unname(quantile(fit, 0.5)$quantile)
})
told("log_rank", function() survdiff(Surv(time, event) ~ group, data = many)$chisq)
told("cox", function() coef(coxph(Surv(time, event) ~ x0 + x1 + x2 + x3 + x4, data = few))[["x0"]])
