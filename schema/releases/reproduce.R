# Recomputes the estimates of a release from its data sets with R's `survival`, and compares.
#
#   Rscript reproduce.R [FOLDER OF THE UNPACKED RELEASE] [RELATIVE TOLERANCE, 1e-6]
#
# Reads survival_estimates.csv and, for each of its rows, the survival_*.csv it names; nothing else. Ends with an error when a number
# differs, is missing on one side, or when nothing was compared. Tried with R 4.2.2 and survival 3.5-3; no other package is needed.
suppressPackageStartupMessages(library(survival))
options(warn = 1)
arguments <- commandArgs(trailingOnly = TRUE)
folder <- if (length(arguments) > 0) arguments[1] else "."
tolerance <- if (length(arguments) > 1) as.numeric(arguments[2]) else 1e-6
stopifnot(is.finite(tolerance), tolerance > 0)
DAYS_PER_MONTH <- 30.4375

# Everything as text first: a code is no number, an empty field is missing.
table_of <- function(file) {
  read.csv(file.path(folder, file), colClasses = "character", na.strings = "", check.names = FALSE)
}
number <- function(text) as.numeric(text)

# The rows of a group that are in the primary estimate. Who is observed from the origin starts before day 0: a death on that day counts.
group_of <- function(data, by, level) {
  rows <- data[data$analysed == "TRUE", , drop = FALSE]
  if (by != "all") rows <- rows[rows[[by]] == level, , drop = FALSE]
  if ("exit_days" %in% names(rows)) {
    rows$start <- ifelse(is.na(rows$entry_days), -1, number(rows$entry_days))
    rows$exit <- number(rows$exit_days)
    rows$event <- as.integer(rows$event)
  }
  rows
}

# Each method answers a function of (term, quantity, months).
kaplan_meier <- function(rows, clustered) {
  rows$any <- as.integer(rows$event > 0)
  fit <- if (clustered) {
    survfit(Surv(start, exit, any) ~ 1, data = rows, cluster = patient_id, conf.type = "log-log")
  } else {
    survfit(Surv(start, exit, any) ~ 1, data = rows, conf.type = "log-log")
  }
  half <- quantile(fit, 0.5)
  # The first time a limit falls to a half. With delayed entry a limit can rise again, and `quantile` then takes any of its crossings.
  falls <- function(limit, by_quantile) {
    if (!is.unsorted(-limit[!is.na(limit)])) return(unname(by_quantile))
    fit$time[which(limit <= 0.5)[1]]
  }
  function(term, quantity, months) {
    if (quantity == "patients") return(length(unique(rows$patient_id)))
    if (quantity == "events") return(length(unique(rows$patient_id[rows$any == 1])))
    if (quantity == "median_months") return(unname(half$quantile) / DAYS_PER_MONTH)
    if (quantity == "median_lower") return(falls(fit$lower, half$lower) / DAYS_PER_MONTH)
    if (quantity == "median_upper") return(falls(fit$upper, half$upper) / DAYS_PER_MONTH)
    at <- summary(fit, times = months * DAYS_PER_MONTH, extend = TRUE)
    # Before the first event there is no uncertainty: [1, 1].
    value <- c(survival = at$surv, lower = at$lower, upper = at$upper)
    if (at$surv == 1) value[] <- 1
    value[[quantity]]
  }
}

aalen_johansen <- function(rows, causes) {
  rows$state <- factor(rows$event, levels = 0:causes)
  fit <- survfit(Surv(start, exit, state) ~ 1, data = rows, id = seq_len(nrow(rows)), conf.type = "log-log")
  function(term, quantity, months) {
    if (quantity == "patients") return(nrow(rows))
    if (quantity == "events") return(sum(rows$event == as.integer(term)))
    at <- summary(fit, times = months * DAYS_PER_MONTH, extend = TRUE)
    state <- which(fit$states == term)
    value <- c(incidence = at$pstate[1, state], lower = at$lower[1, state], upper = at$upper[1, state])
    # Before the first event of the cause: [0, 0].
    if (value[["incidence"]] == 0) value[] <- 0
    value[[quantity]]
  }
}

cox <- function(rows, terms) {
  known <- grep("^x_", names(rows), value = TRUE)
  rows[known] <- lapply(rows[known], number)
  rows <- rows[complete.cases(rows[known]), , drop = FALSE]
  model <- reformulate(terms, response = quote(Surv(start, exit, event)))
  fit <- coxph(model, data = rows, ties = "efron")
  told <- summary(fit)$conf.int
  function(term, quantity, months) {
    switch(quantity,
      patients = nrow(rows), events = sum(rows$event),
      hazard_ratio = told[term, "exp(coef)"], lower = told[term, "lower .95"], upper = told[term, "upper .95"])
  }
}

share <- function(rows) {
  known <- rows$outcome[!is.na(rows$outcome)]
  with <- sum(known == "TRUE")
  wilson <- suppressWarnings(prop.test(with, length(known), correct = FALSE)$conf.int)
  function(term, quantity, months) {
    switch(quantity,
      with = with, assessable = length(known), rate = with / length(known), lower = wilson[1], upper = wilson[2])
  }
}

change <- function(rows) {
  function(term, quantity, months) {
    change <- number(rows[[paste0("score_", months, "_months")]]) - number(rows$baseline)
    change <- change[!is.na(change)]
    if (quantity == "measured") return(length(change))
    if (quantity == "mean") return(mean(change))
    interval <- t.test(change)$conf.int
    if (quantity == "lower") interval[1] else interval[2]
  }
}

ours <- table_of("survival_estimates.csv")
compared <- 0
worst <- 0
different <- character()
for (rows in split(ours, paste(ours$file, ours$method, ours$by, ours$level))) {
  one <- rows[1, ]
  data <- group_of(table_of(one$file), one$by, one$level)
  theirs <- switch(one$method,
    kaplan_meier = kaplan_meier(data, FALSE),
    kaplan_meier_clustered = kaplan_meier(data, TRUE),
    aalen_johansen = aalen_johansen(data, max(as.integer(rows$term))),
    cox = cox(data, unique(rows$term[!is.na(rows$term)])),
    share = share(data),
    change = change(data),
    stop("no such method: ", one$method))
  for (i in seq_len(nrow(rows))) {
    row <- rows[i, ]
    want <- number(row$value)
    got <- theirs(row$term, row$quantity, number(row$months))
    stopifnot(length(got) == 1)
    compared <- compared + 1
    name <- paste(row$file, row$method, row$by, row$level, row$term, row$quantity, row$months)
    if (is.na(want) || is.na(got)) {
      if (is.na(want) != is.na(got)) different <- c(different, sprintf("%s: release %s, R %s", name, want, got))
      next
    }
    off <- abs(got - want) / max(abs(want), 1e-6)
    worst <- max(worst, off)
    if (off > tolerance) different <- c(different, sprintf("%s: release %.12g, R %.12g", name, want, got))
  }
}
cat(sprintf("%d numbers compared, largest relative difference %.2g (tolerance %.2g), %d different\n",
  compared, worst, tolerance, length(different)))
if (length(different) > 0) cat(different, sep = "\n")
if (compared == 0) stop("nothing was compared")
if (length(different) > 0) quit(status = 1)
