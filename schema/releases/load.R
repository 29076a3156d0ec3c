# Reads a release into typed data frames: frames <- load_release("folder of the unpacked release"), one frame per CSV file.
#
# Types are those of dictionary.csv: codes are factors whose labels are the words of their list (the code itself where there are none),
# reasons (`<name>__absent`) and precisions of dates are factors of their codes, TRUE and FALSE are logical, integers and numbers are
# numeric, everything else is text. Empty is NA. An integer with a code list stays a number, its words stand beside it. Base R only.
release_table <- function(folder, file) {
  read.csv(file.path(folder, file), colClasses = "character", na.strings = "", check.names = FALSE, encoding = "UTF-8")
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
      what <- dictionary$type[at]
      if (what == "boolean") frame[[name]] <- as.logical(frame[[name]])
      if (what %in% c("integer", "number")) frame[[name]] <- as.numeric(frame[[name]])
      if (what == "code") {
        known <- codes[codes$code_list == list, ]
        words <- ifelse(is.na(known$label) | duplicated(known$label), known$code, known$label)
        frame[[name]] <- factor(frame[[name]], levels = known$code, labels = words)
      }
      if (what == "absence") frame[[name]] <- factor(frame[[name]], levels = strsplit(dictionary$absence_codes[at], " ")[[1]])
      if (what == "precision") frame[[name]] <- factor(frame[[name]], levels = c("day", "month", "year"))
    }
    frame
  })
  names(frames) <- sub("[.]csv$", "", files)
  frames
}
