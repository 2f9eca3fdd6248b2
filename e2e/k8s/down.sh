#!/usr/bin/env bash
# Ends what up.sh started, by process id, and removes its network, cgroups and state. Images and binaries stay in $BIN.
# down.sh --keep-data keeps $RUN (logs, keys, etcd's data, node disks).
set -uo pipefail
. "$(dirname "$0")/env.sh"
if [ -e "$RUN/pids" ]; then
  tac "$RUN/pids" | while read -r pid name; do
    case $name in node*) kill -KILL "$pid" 2>/dev/null ;; *) kill "$pid" 2>/dev/null ;; esac
  done
  while read -r pid name; do
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null
  done <"$RUN/pids"
  rm -f "$RUN/pids" "$RUN"/node*.pid
fi
if [ -d "$RUN/node1" ]; then # only what this very cluster had: another one may be up
  ip link show "$BR" >/dev/null 2>&1 && ip link del "$BR"
  for _ in $(seq 30); do
    find /sys/fs/cgroup/*/"$CG" -depth -type d -exec rmdir {} + 2>/dev/null
    compgen -G "/sys/fs/cgroup/*/$CG" >/dev/null || break
    sleep 0.1
  done
  rm -rf /tmp/hostpath_pv
fi
[ "${1:-}" = --keep-data ] || rm -rf "$RUN"
