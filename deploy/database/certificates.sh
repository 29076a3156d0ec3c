#!/bin/bash
# A private authority and the database's certificate, for the way between service and database.
#   deploy/database/certificates.sh FOLDER [HOST NAME OF THE DATABASE, default `database`]
# The authority's key is thrown away at the end: to renew, run again and restart both.
set -euo pipefail
folder=${1:?folder for the certificates}
host=${2:-database}
mkdir -p "$folder"
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 \
  -subj "/CN=registry database authority" -keyout "$work/authority.key" -out "$folder/database-authority.crt" 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$host" \
  -keyout "$folder/database.key" -out "$work/database.csr" 2>/dev/null
openssl x509 -req -days 825 -in "$work/database.csr" -CA "$folder/database-authority.crt" -CAkey "$work/authority.key" \
  -CAcreateserial -CAserial "$work/serial" -extfile <(printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth\n' "$host") \
  -out "$folder/database.crt" 2>/dev/null
chmod 0644 "$folder/database-authority.crt" "$folder/database.crt"
echo "made database-authority.crt, database.crt, database.key in $folder"
