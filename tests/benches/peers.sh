#!/usr/bin/env bash
# Our estimators beside lifelines and R's survival: tests/benches/peers.sh [ROWS, default 1000000]
# lifelines comes from PyPI into a virtual environment under target/. Our crates are optimised, what they stand on (polars) is as in the
# dev profile: the estimators use none of it. With PROFILE="" the bench profile is built instead (twenty minutes or more).
set -euo pipefail
cd "$(dirname "$0")/../.."
environment=target/peers
[ -x "$environment/bin/python" ] || python3 -m venv "$environment"
"$environment/bin/python" -c 'import lifelines' 2>/dev/null || "$environment/bin/python" -m pip install -q lifelines
Rscript -e 'library(survival)' >/dev/null
profile=${PROFILE---profile dev --config profile.dev.package.registry-etl.opt-level=3 --config profile.dev.package.registry-core.opt-level=3}
echo "load: $(cut -d' ' -f1-3 /proc/loadavg)"
# shellcheck disable=SC2086 -- several words
PEERS_PYTHON="$PWD/$environment/bin/python" cargo bench $profile --workspace --features registry-etl/benches --bench peers -- "${1:-1000000}"
