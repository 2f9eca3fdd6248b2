#!/bin/bash
# Called as etcd by etcd's black-box suite: a member on a port of its own, and in front of it, on the port that the test asked for, an agent that mirrors everything.
# The member ends with the agent, as this is one process to the test. Needs KVORUM, the program, in the folder of this script as a link.
set -euo pipefail
program=$(dirname "$0")/kvorum
[ "${1:-}" != --version ] || exec "$program" --version
member=() url= dir=
while [ $# -gt 0 ]; do
	case $1 in
	--listen-client-urls=*) url=${1#*=} ;;
	--data-dir=*) dir=${1#*=} member+=("$1") ;;
	--data-dir) dir=$2 member+=("$1" "$2") && shift ;;
	*) member+=("$1") ;;
	esac
	shift
done
own=${url%:*}:$((${url##*:} + 5000))
mkdir -p "$dir"
rm -f "$dir.log"
setpriv --pdeathsig KILL "$program" "${member[@]}" "--listen-client-urls=$own" >"$dir.log" 2>&1 &
for _ in $(seq 200); do # a member that says so has a leader
	! grep -qs "ready to serve client requests" "$dir.log" || break
	kill -0 $! && sleep 0.05
done
exec "$program" agent "--endpoints=$own" "--listen-client-urls=$url" --mirror= --stale-reads
