#!/bin/bash
# A folder of programs for etcd's black-box suite in which every member has an agent in front of it (etcd.sh).
#   programs.sh PROGRAM DIR     PEERS_BIN is where etcd's programs are
# Which of the suite's tests cannot run so, and why, is in ../../store/README.md.
set -euo pipefail
program=$(realpath "$1")
mkdir -p "$2"
cp "$(dirname "$0")/etcd.sh" "$2/etcd"
ln -sf "$program" "$2/kvorum"
ln -sf "$PEERS_BIN/etcdctl" "$PEERS_BIN/etcdutl" "$2/"
