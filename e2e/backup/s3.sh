#!/bin/bash
# A real S3-compatible server (versitygw, from its published Go module) on loopback.
#   s3.sh build [OUTDIR]    builds it into OUTDIR (default: PEERS_BIN, else e2e/peers/bin), when it is not there
#   s3.sh start DIR         starts it on a free port with the empty bucket "backups" and writes DIR/env, to be sourced:
#                           S3_ENDPOINT, S3_BUCKET, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, and with TLS S3_CA_FILE
#                           Objects are files below DIR/objects/BUCKET. With TLS=1 it takes TLS alone, with a certificate of an authority made for it.
#   s3.sh stop DIR          ends what was started there
# S3_HOST (default: 127.0.0.1) is the address that it listens on.
# Needs Go 1.26 and module access to build, python3 and curl, and openssl for TLS.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${PEERS_BIN:-$here/../peers/bin}
host=${S3_HOST:-127.0.0.1}

certificates() { # DIR: ca.crt, server.crt, server.key
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=object storage" -keyout "$1/ca.key" -out "$1/ca.crt" 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" -keyout "$1/server.key" -out "$1/server.csr" 2>/dev/null
	openssl x509 -req -in "$1/server.csr" -CA "$1/ca.crt" -CAkey "$1/ca.key" -CAcreateserial -days 30 -out "$1/server.crt" \
		-extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:$host") 2>/dev/null
}

case ${1:-} in
build)
	out=${2:-$bin}
	mkdir -p "$out"
	out=$(cd "$out" && pwd)
	[ -x "$out/versitygw" ] || (cd "$here/versitygw" && go build -trimpath -o "$out/versitygw" github.com/versity/versitygw/cmd/versitygw)
	;;
start)
	dir=$2 tls=() see=() scheme=http
	mkdir -p "$dir/objects/backups" "$dir/sidecar"
	dir=$(cd "$dir" && pwd)
	if [ "${TLS:-}" = 1 ]; then
		certificates "$dir"
		scheme=https tls=(--cert "$dir/server.crt" --key "$dir/server.key") see=(--cacert "$dir/ca.crt")
	fi
	port=$(python3 -c 'import socket, sys; s = socket.socket(); s.bind((sys.argv[1], 0)); print(s.getsockname()[1])' "$host")
	id=e2e$RANDOM$RANDOM secret=e2e$RANDOM$RANDOM$RANDOM$RANDOM
	ROOT_ACCESS_KEY_ID=$id ROOT_SECRET_ACCESS_KEY=$secret "$bin/versitygw" --quiet --port "$host:$port" --keep-alive ${tls[@]+"${tls[@]}"} \
		posix --sidecar "$dir/sidecar" "$dir/objects" >"$dir/log" 2>&1 &
	echo $! >"$dir/pid"
	{
		echo "export S3_ENDPOINT=$scheme://$host:$port S3_BUCKET=backups AWS_REGION=us-east-1"
		echo "export AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret"
		[ "${TLS:-}" != 1 ] || echo "export S3_CA_FILE=$dir/ca.crt"
	} >"$dir/env"
	for ((t = 0; t < 60; t++)); do
		# Any answer will do: without a signature it is a refusal.
		if curl -s -m 5 -o "$dir/answer" ${see[@]+"${see[@]}"} "$scheme://$host:$port/"; then exit 0; fi
		kill -0 "$(cat "$dir/pid")" 2>/dev/null || break
		sleep 0.5
	done
	echo "the object storage does not answer, see $dir/log" >&2
	exit 1
	;;
stop)
	pid=$(cat "$2/pid")
	kill "$pid" 2>/dev/null || true
	for ((t = 0; t < 100; t++)); do kill -0 "$pid" 2>/dev/null || exit 0; sleep 0.1; done
	kill -9 "$pid" 2>/dev/null || true
	;;
*)
	sed -n '2,10p' "$0" >&2
	exit 2
	;;
esac
