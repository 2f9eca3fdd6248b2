#!/usr/bin/env bash
# images.sh [VERSION=FEATURE_LEVEL ...]   (default: 0.1.0=1 0.2.0=2)
# Kvorum's images for the tests: $BIN/images/store-VERSION.tar, one per version stamp, on this machine's C library.
# Each stamp is built in a copy of the source tree, so that the tree's own build stays what it is. An archive that is newer than the distribution in
# store/server/target is not made again.
set -euo pipefail
. "$(dirname "$0")/env.sh"
root=$(cd "$HERE/../.." && pwd)
out=$BIN/images
mkdir -p "$out"
[ $# -gt 0 ] || set -- 0.1.0=1 0.2.0=2
[ -e "$out/base.tar" ] || "$HERE/base.sh" "$out/base.tar"
for stamp in "$@"; do
	version=${stamp%=*} level=${stamp#*=}
	[ "$out/store-$version.tar" -nt "$root/store/server/target/kvorum/lib/kvorum.jar" ] && continue
	s=$SECONDS
	t=$(mktemp -d)
	trap 'rm -rf "$t"' EXIT
	tar -C "$root" --exclude=./e2e --exclude=./.git --exclude=./images/target --exclude=./store/server/target/kvorum -cf - . | tar -C "$t" -xf -
	nice "$t/mvnw" -B --no-transfer-progress -Pimage -pl images,store/server -am package -Dmaven.test.skip -Dkvorum.aot.skip -Dkvorum.version="$version" -Dkvorum.featureLevel="$level" \
		-Dkvorum.image.base="tar://$out/base.tar" -Dkvorum.image.store="localhost/kvorum:$version" >"$out/$version.log" 2>&1 || {
		tail -n 30 "$out/$version.log" >&2
		exit 1
	}
	mv "$t/images/target/kvorum-store.tar" "$out/store-$version.tar"
	rm -rf "$t"
	echo "store-$version.tar $((SECONDS - s))s $(du -h "$out/store-$version.tar" | cut -f1)"
done
if [ ! -e "$out/client-etcdctl.tar" ]; then # a client in a pod
	t=$(mktemp -d)
	trap 'rm -rf "$t"' EXIT
	mkdir -p "$t/bin" "$t/etc"
	cp "$BIN/etcdctl" "$t/bin/"
	echo 'hosts: files dns' >"$t/etc/nsswitch.conf"
	"$HERE/image.sh" localhost/etcdctl:1 "$t" "$out/client-etcdctl.tar" /bin/etcdctl
fi
