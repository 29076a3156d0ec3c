# Reads a release into typed data frames: frames <- load_release("folder of the unpacked release"), one frame per CSV file.
#
# Types come from dictionary.csv and codelists.csv: codes are factors whose labels are the words of their list (the code itself where
# there are none), TRUE and FALSE are logical, days and numbers are numeric, everything else is text. Empty is NA; the reason stays in
# `<name>__absent`. Base R only.
release_table <- function(folder, file) {
  read.csv(file.path(folder, file), colClasses = "character", na.strings = "", check.names = FALSE, encoding = "UTF-8")
}

# What a column holds: boolean, number, code or text.
release_kind <- function(name, element, list, survival) {
  number <- "^(row|unit_row|event|months|os_months|value|baseline|(entry|exit)_days|score_[0-9]+_months|x_.*)$"
  if (grepl("_day_(min|max)$", name)) return("number")
  if (grepl("__(absent|precision)$", name)) return("text")
  if (grepl("___", name, fixed = TRUE) || element %in% "boolean") return("boolean")
  if (survival && name %in% c("analysed", "os_event", "lost", "outcome")) return("boolean")
  if (element %in% c("integer", "number", "percent", "year")) return("number")
  if (!is.na(list)) return("code")
  if (is.na(element) && grepl(number, name)) "number" else "text"
}

load_release <- function(folder = ".") {
  dictionary <- release_table(folder, "dictionary.csv")
  codes <- release_table(folder, "codelists.csv")
  files <- unique(dictionary$file)
  frames <- lapply(files, function(file) {
    frame <- release_table(folder, file)
    for (at in which(dictionary$file == file)) {
      name <- dictionary$column[at]
      list <- dictionary$code_list[at]
      what <- release_kind(name, dictionary$type[at], list, startsWith(file, "survival_"))
      if (what == "boolean") frame[[name]] <- as.logical(frame[[name]])
      if (what == "number") frame[[name]] <- as.numeric(frame[[name]])
      if (what == "code") {
        known <- codes[codes$code_list == list, ]
        words <- ifelse(is.na(known$label) | duplicated(known$label), known$code, known$label)
        frame[[name]] <- factor(frame[[name]], levels = known$code, labels = words)
      }
    }
    frame
  })
  names(frames) <- sub("[.]csv$", "", files)
  frames
}
