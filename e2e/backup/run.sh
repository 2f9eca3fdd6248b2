#!/bin/bash
# Backups of a cluster under load, into a folder and into a real S3-compatible server with TLS (s3.sh), and what is restored from them.
#   run.sh PROGRAM
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
"$here/s3.sh" build
TLS=1 "$here/s3.sh" start "$dir"
trap '"$here/s3.sh" stop "$dir"; rm -rf "$dir"' EXIT
. "$dir/env"
export S3_OBJECTS=$dir/objects/$S3_BUCKET
cd "$here/.."
go run ./backup -server "$1"
