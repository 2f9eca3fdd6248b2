#!/usr/bin/env bash
# base.sh OUT.tar   a base image without any registry: the C library of this machine and nothing else (no shell). For the tests' images:
#   mvnw -Pimage package -Dkvorum.image.base=tar://OUT.tar
set -euo pipefail
. "$(dirname "$0")/env.sh"
out=$1
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT
r=$t/root lib=lib/$(gcc -dumpmachine)
mkdir -p "$r"/{etc,tmp,proc,sys,dev,lib64} "$r/$lib"
chmod 1777 "$r/tmp"
echo 'root:x:0:0::/:/none
kvorum:x:1001:1001::/:/none' >"$r/etc/passwd"
echo 'hosts: files dns' >"$r/etc/nsswitch.conf"
cp -L /lib64/ld-linux-x86-64.so.2 "$r/lib64/"
for l in c dl m pthread resolv rt nss_dns nss_files; do
	set -- /"$lib"/lib$l.so.*
	cp -L "$@" "$r/$lib/"
done
"$HERE/image.sh" localhost/base:1 "$r" "$out" /none
