#!/bin/bash
# A disk that becomes full: writes are refused with etcd's error before anything breaks, reads and deletes go on, and after space was made the member
# writes again; somebody else filling the disk to the last byte loses nothing that was acknowledged.
#   space.sh PROGRAM       needs root (it mounts a tmpfs of 400 MiB) and PEERS_BIN with etcdctl
set -euo pipefail
prog=$1
: "${PEERS_BIN:?}"
[ "$(id -u)" = 0 ] || { echo "space.sh: mounting a small tmpfs needs root: run as root" >&2; exit 1; }
disk=$(mktemp -d)
mount -t tmpfs -o size=400m tmpfs "$disk"
pid=
client=http://127.0.0.1:12479 peer=http://127.0.0.1:12480
finish() {
	[ -z "$pid" ] || { kill -9 "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; }
	umount "$disk"
	rmdir "$disk"
}
trap finish EXIT
log=$(mktemp)
passed=0
ok() { passed=$((passed + 1)); echo "ok   $*"; }
fail() { echo "FAIL $*"; tail -n 20 "$log"; echo "$passed passed, 1 failed"; exit 1; }
ctl() { "$PEERS_BIN/etcdctl" --endpoints 127.0.0.1:12479 --command-timeout 20s "$@"; }
start() {
	"$prog" --name m0 --data-dir "$disk/m0" --listen-client-urls $client --advertise-client-urls $client --listen-peer-urls $peer \
		--initial-advertise-peer-urls $peer --initial-cluster m0=$peer >>"$log" 2>&1 &
	pid=$!
	for ((t = 0; t < 300; t++)); do
		if curl -fs -m 1 "$client/health?exclude=NOSPACE" 2>/dev/null | grep -q '"true"'; then return; fi
		kill -0 $pid 2>/dev/null || fail "the member ended"
		sleep 0.1
	done
	fail "the member is not healthy after 30 s"
}
kill9() { kill -9 "$pid"; wait "$pid" 2>/dev/null || true; }
count() { ctl get --prefix --count-only -w fields "$1" | sed -nE 's/^"Count" : //p'; }

start
head -c 100000 /dev/zero | tr '\0' v >"$disk.value"
value=$(cat "$disk.value")
rm "$disk.value"
written=0 refused=
for ((i = 0; i < 4000; i++)); do
	if out=$(printf %s "$value" | ctl put "big/$(printf %05d $i)" 2>&1); then
		written=$((written + 1))
	else
		refused=$out
		break
	fi
done
[[ $refused == *"etcdserver: mvcc: database space exceeded"* ]] || fail "after $written writes of 100 kB: ${refused:-never refused}"
ok "writes are refused in time, after $written of 100 kB"
[ "$(count big/)" = "$written" ] || fail "$(count big/) keys of $written"
ok "reads go on"
ctl del big/00000 >/dev/null || fail "delete"
ok "deletes go on"
kill9
start
[ "$(count big/)" = $((written - 1)) ] || fail "$(count big/) keys after a kill, $((written - 1)) were acknowledged"
ok "nothing is lost by kill -9 on a full disk"
ctl del --prefix big/ >/dev/null || fail "delete of all"
rev=$(ctl get x -w json | sed -E 's/.*"revision":([0-9]+).*/\1/')
ctl compaction --physical "$rev" >/dev/null || fail "compaction"
ctl defrag >/dev/null || fail "defrag"
ctl alarm disarm >/dev/null || fail "disarm"
for ((t = 0; t < 100; t++)); do
	if ctl put after space >/dev/null 2>&1; then break; fi
	ctl alarm disarm >/dev/null
	sleep 0.2
done
[ "$(ctl get --print-value-only after)" = space ] || fail "no write after space was made"
ok "writes go on after compaction, defrag and disarm"
# Somebody else takes all that is left.
dd if=/dev/zero of="$disk/foreign" bs=1M 2>/dev/null || true
acked=0
for ((i = 0; i < 200; i++)); do
	if ctl put "small/$(printf %05d $i)" x >/dev/null 2>&1; then acked=$((acked + 1)); else break; fi
done
kill9
rm "$disk/foreign"
start
[ "$(count small/)" -ge "$acked" ] || fail "$(count small/) keys of $acked acknowledged on a full disk"
ok "a disk filled by others loses nothing ($acked writes were acknowledged meanwhile)"
echo "$passed passed, 0 failed"
