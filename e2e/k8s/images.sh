#!/usr/bin/env bash
# images.sh [VERSION=FEATURE_LEVEL ...]   (default: 0.1.0=2 0.2.0=3)
# Kvorum's images for the tests: $BIN/images/store-VERSION.tar and operator-VERSION.tar, one per version stamp, on this machine's C library; the discovery
# library beside them; a client and an application.
# The distribution in store/server/target/kvorum stays what it is; an archive that is newer than it is not made again.
set -euo pipefail
. "$(dirname "$0")/env.sh"
root=$(cd "$HERE/../.." && pwd)
out=$BIN/images
mkdir -p "$out"
[ $# -gt 0 ] || set -- 0.1.0=2 0.2.0=3
[ -e "$out/base.tar" ] || "$HERE/base.sh" "$out/base.tar"
for stamp in "$@"; do
	version=${stamp%=*} level=${stamp#*=}
	[ "$out/store-$version.tar" -nt "$root/store/server/target/kvorum/lib/kvorum.jar" ] && [ -e "$out/discovery.jar" ] && continue
	s=$SECONDS
	t=$(mktemp -d)
	trap 'rm -rf "$t"' EXIT
	nice -n "${BUILD_NICE:-10}" "$root/mvnw" -B --no-transfer-progress -Pimage -pl store/server,operator,images,discovery -am package -Dmaven.test.skip -Dkvorum.aot.skip -Dkvorum.dist="$t/kvorum" \
		-Dkvorum.version="$version" -Dkvorum.featureLevel="$level" \
		-Dkvorum.image.base="tar://$out/base.tar" -Dkvorum.image.store="localhost/kvorum:$version" \
		-Dkvorum.image.operator="localhost/kvorum-operator:$version" >"$out/$version.log" 2>&1 || {
		tail -n 30 "$out/$version.log" >&2
		exit 1
	}
	mv "$root/images/target/kvorum-operator.tar" "$out/operator-$version.tar"
	mv "$root/images/target/kvorum-store.tar" "$out/store-$version.tar"
	cp "$root"/discovery/target/kvorum-discovery-*[0-9T].jar "$out/discovery.jar"
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
if [ ! "$out/client-app.tar" -nt "$HERE/../app/main.go" ]; then # an application and its callers
	t=$(mktemp -d)
	trap 'rm -rf "$t"' EXIT
	mkdir -p "$t/bin" "$t/etc"
	CGO_ENABLED=0 nice -n "${BUILD_NICE:-10}" go build -C "$HERE/.." -o "$t/bin/app" ./app
	echo 'hosts: files dns' >"$t/etc/nsswitch.conf"
	"$HERE/image.sh" localhost/app:1 "$t" "$out/client-app.tar" /bin/app
fi
