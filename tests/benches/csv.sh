#!/usr/bin/env bash
# A release's CSV beside polars (Python) and pandas: tests/benches/csv.sh [ROWS, default 1000000]
# Both come from PyPI into a virtual environment under target/. As peers.sh: our crates are optimised, what they stand on is as in the dev
# profile but the csv crate; with PROFILE="" the bench profile is built instead (twenty minutes or more).
set -euo pipefail
cd "$(dirname "$0")/../.."
environment=target/peers
[ -x "$environment/bin/python" ] || python3 -m venv "$environment"
"$environment/bin/python" -c 'import polars, pandas, pyarrow' 2>/dev/null ||
  "$environment/bin/python" -m pip install -q polars==2.1.0 pandas==2.2.3 pyarrow==18.1.0
optimised=$(for crate in registry-etl csv csv-core; do echo "--config profile.dev.package.$crate.opt-level=3"; done)
profile=${PROFILE---profile dev $optimised}
echo "load: $(cut -d' ' -f1-3 /proc/loadavg)"
# shellcheck disable=SC2086 -- several words
PEERS_PYTHON="$PWD/$environment/bin/python" cargo bench $profile --workspace --features registry-etl/benches --bench csv -- "${1:-1000000}"
