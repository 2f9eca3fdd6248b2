#!/bin/bash
# The test suites of python-etcd3 and etcd3gw themselves, from their source packages, each against a fresh cluster of three members.
#   suites.sh PROGRAM ETCDCTL     PROGRAM: a server that takes etcd's flags; ETCDCTL: of etcd 3.4, whose output the first suite reads
# They want port 2379: as root they run in a network namespace of their own, else the port must be free.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "$1") etcdctl=$(realpath "$2")
work=${WORK:-}
if [ -z "$work" ]; then
	export WORK=$(mktemp -d)
	cd "$WORK"
	python3 -m venv venv
	venv/bin/pip -q install -r "$here/suites.txt"
	for package in etcd3 etcd3gw; do
		version=$(grep -h "^$package==" "$here"/*.txt)
		venv/bin/pip -q download --no-deps --no-build-isolation --no-binary :all: -d source "$version"
	done
	for archive in source/*.tar.gz; do tar -xzf "$archive"; done
	rc=0
	if [ "$(id -u)" = 0 ] && unshare -n true 2>/dev/null; then
		unshare -n sh -c 'ip link set lo up; exec "$@"' sh "$here/suites.sh" "$program" "$etcdctl" || rc=$?
	else
		"$here/suites.sh" "$program" "$etcdctl" || rc=$?
	fi
	[ $rc = 0 ] && rm -rf "$WORK" || echo "logs are in $WORK"
	exit $rc
fi

mkdir -p "$work/bin"
ln -sf "$etcdctl" "$work/bin/etcdctl"
export PATH=$work/bin:$PATH TEST_ETCD_VERSION=v3.6.16
failed=0
suite() { # package tests pytest-options...
	local package=$1 tests=$2 rc=0
	shift 2
	NAME=pifpaf "$here/../../peers/cluster.sh" start "$program" "$work/$package-cluster" 3 2379 >/dev/null
	(cd "$work/$package"-[0-9]* && PYTHONPATH=$PWD timeout 600 "$work/venv/bin/python" -m pytest -q -W ignore -p no:cacheprovider "$@" "$tests") || rc=$?
	"$here/../../peers/cluster.sh" stop "$work/$package-cluster"
	[ $rc = 0 ] || failed=1
}
suite etcd3 tests $(grep -v '^#' "$here/suites.known" | sed 's/^/--deselect=/')
suite etcd3gw etcd3gw/tests
exit $failed
