#!/bin/bash
# The store's client of object storage, and repositories of backups in it, on a real S3-compatible server (s3.sh): S3StoreCheck of store/server.
#   check.sh          in the clear; with TLS=1 the server takes TLS alone
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
dir=$(mktemp -d)
"$here/s3.sh" build
"$here/s3.sh" start "$dir"
trap '"$here/s3.sh" stop "$dir"; rm -rf "$dir"' EXIT
. "$dir/env"
"$root/mvnw" -B --no-transfer-progress -q -f "$root/pom.xml" -pl store/server -am test -Dtest=S3StoreCheck -Dsurefire.failIfNoSpecifiedTests=false || { tail -n 20 "$dir/log"; exit 1; }
# No test at all would pass, too.
tests=$(grep -o 'tests="[0-9]*"' "$root/store/server/target/surefire-reports/TEST-io.kvorum.server.backup.repository.S3StoreCheck.xml" | head -n 1)
echo "object storage: $tests"
[ "$tests" = 'tests="11"' ]
