#!/bin/bash
# Exit 0 when the service on this machine is ready (database reachable and migrated). Needs nothing but bash.
set -euo pipefail
port=${REGISTRY_SERVER__PORT:-8080}
exec 3<>"/dev/tcp/127.0.0.1/${port}"
printf 'GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 4 status <&3
[[ $status == *' 200 '* ]]
