#!/bin/bash
# Writes the ledger of withdrawals anew, and when that was, for the alert RegistryLedgerOld.
#   ledger.sh SETTINGS.toml FILE
# FILE belongs on another disk than the database, or on another host.
set -euo pipefail
settings=${1:?settings file}
file=${2:?file of the ledger}
umask 077
"${REGISTRY:-registry}" withdrawals list --config "$settings" --to "$file"
# Through the node exporter's folder of text files, which another account reads.
if [[ -n ${TEXTFILE_FOLDER:-} ]]; then
  metric=$TEXTFILE_FOLDER/registry_withdrawals.prom
  printf 'registry_withdrawals_listed_timestamp_seconds %s\n' "$(date +%s)" > "$metric.part"
  chmod 0644 "$metric.part" && mv "$metric.part" "$metric"
fi
