#!/usr/bin/env bash
# Starts a Kubernetes cluster from the binaries of build.sh and returns when it is ready.
#   K8S_NODES=0 up.sh   etcd + kube-apiserver + controller-manager + scheduler on 127.0.0.1 (no root)
#   K8S_NODES=3 up.sh   the same + three real nodes (kubelet, containerd, kube-proxy), each in namespaces of its own
#   K8S_ETCD=http://127.0.0.1:2379 up.sh   the same on another etcd-compatible store
# See env.sh for the other settings; `. env.sh` gives KUBECONFIG and PATH. down.sh ends it.
set -euo pipefail
. "$(dirname "$0")/env.sh"
[ ! -e "$RUN/pids" ] || { echo "already up (or not taken down): run down.sh first" >&2; exit 1; }
mkdir -p "$RUN"/{pki,log,conf,etcd}; : >"$RUN/pids"
T0=$(date +%s%N); since() { echo "$(( ($(date +%s%N) - T0) / 1000000 )) ms"; }
die() { echo "up.sh: $*" >&2; exit 1; }

# --- keys: one authority for everything; made once per $RUN
pki() {
  cd "$RUN/pki"
  openssl ecparam -genkey -name prime256v1 -noout -out sa.key
  openssl ec -in sa.key -pubout -out sa.pub 2>/dev/null
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=k8s-e2e \
    -keyout ca.key -out ca.crt 2>/dev/null
  cert apiserver /CN=kube-apiserver "IP:$HOST,IP:127.0.0.1,IP:$SVC.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
  cert admin /O=system:masters/CN=admin
  cert kcm /CN=system:kube-controller-manager
  cert scheduler /CN=system:kube-scheduler
  cert proxy /CN=system:kube-proxy
  local i; for i in $(seq 1 9); do cert "node$i" "/O=system:nodes/CN=system:node:node$i" "IP:$NET.$((10 + i)),DNS:node$i"; done
  cd - >/dev/null
}
cert() { # name subject [subjectAltName]
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -out "$1.crt" \
    -extfile <(echo "extendedKeyUsage=serverAuth,clientAuth"; [ -z "${3:-}" ] || echo "subjectAltName=$3") 2>/dev/null
  rm "$1.csr"
}
kubeconf() { # name file
  cat >"$2" <<Y
--- # without it some clients take the brace for JSON
{apiVersion: v1, kind: Config, current-context: e2e,
 clusters: [{name: e2e, cluster: {server: "https://$HOST:$PORT", certificate-authority-data: $(base64 -w0 "$RUN/pki/ca.crt")}}],
 users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$RUN/pki/$1.crt"), client-key-data: $(base64 -w0 "$RUN/pki/$1.key")}}],
 contexts: [{name: e2e, context: {cluster: e2e, user: $1}}]}
Y
}
[ -e "$RUN/pki/admin.crt" ] && grep -qs "$HOST:$PORT" "$KUBECONFIG" || { rm -rf "$RUN"/pki/*; pki; }
for n in kcm scheduler proxy; do kubeconf $n "$RUN/conf/$n.conf"; done
kubeconf admin "$KUBECONFIG"
for i in $(seq 1 "$NODES"); do kubeconf "node$i" "$RUN/conf/node$i.conf"; done

# --- start NAME COMMAND...: in the background, output to log/NAME.log, host pid noted for down.sh
start() {
  local n=$1; shift
  setsid "$@" >"$RUN/log/$n.log" 2>&1 </dev/null &
  echo "$! $n" >>"$RUN/pids"
}
alive() { # NAME
  kill -0 "$(awk -v n="$1" '$2 == n {print $1}' "$RUN/pids")" 2>/dev/null || { tail -5 "$RUN/log/$1.log" >&2; die "$1 ended"; }
}
until_ok() { # NAME seconds command...
  local n=$1 end=$((SECONDS + $2)); shift 2
  until "$@" >/dev/null 2>&1; do alive "$n"; [ $SECONDS -lt $end ] || die "$n: not ready in time: $*"; sleep 0.1; done
}

# --- host side of the network: nothing but this bridge and routes to the pods and services
if [ "$NODES" -gt 0 ]; then
  [ "$(id -u)" = 0 ] || die "nodes need root; K8S_NODES=0 does not"
  ip link add "$BR" type bridge && ip addr add "$HOST/24" dev "$BR" && ip link set "$BR" up
fi

# --- control plane
if [ -z "$ETCD" ]; then
  ETCD=http://127.0.0.1:$ETCD_PORT
  start etcd etcd --name e2e --data-dir "$RUN/etcd" --log-level warn --unsafe-no-fsync \
    --listen-client-urls "$ETCD" --advertise-client-urls "$ETCD" \
    --listen-peer-urls "http://127.0.0.1:$((ETCD_PORT + 1))" --initial-advertise-peer-urls "http://127.0.0.1:$((ETCD_PORT + 1))" \
    --initial-cluster "e2e=http://127.0.0.1:$((ETCD_PORT + 1))"
fi
p=$RUN/pki
start apiserver kube-apiserver --etcd-servers "$ETCD" --bind-address "$HOST" --advertise-address "$HOST" --secure-port "$PORT" \
  --client-ca-file $p/ca.crt --tls-cert-file $p/apiserver.crt --tls-private-key-file $p/apiserver.key \
  --service-account-issuer https://kubernetes.default.svc.cluster.local \
  --service-account-key-file $p/sa.pub --service-account-signing-key-file $p/sa.key \
  --service-cluster-ip-range "$SVC.0.0/16" --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction \
  --allow-privileged --kubelet-certificate-authority $p/ca.crt --kubelet-preferred-address-types InternalIP \
  --kubelet-client-certificate $p/admin.crt --kubelet-client-key $p/admin.key ${K8S_APISERVER_ARGS:-}
until_ok apiserver 90 kubectl get --raw /readyz
echo "apiserver ready after $(since)"
start kcm kube-controller-manager --kubeconfig "$RUN/conf/kcm.conf" --secure-port 0 --leader-elect=false \
  --root-ca-file $p/ca.crt --service-account-private-key-file $p/sa.key --use-service-account-credentials \
  --cluster-signing-cert-file $p/ca.crt --cluster-signing-key-file $p/ca.key \
  --enable-hostpath-provisioner ${K8S_KCM_ARGS:-}
start scheduler kube-scheduler --kubeconfig "$RUN/conf/scheduler.conf" --secure-port 0 --leader-elect=false ${K8S_SCHEDULER_ARGS:-}
until_ok kcm 60 kubectl -n default get serviceaccount default
echo "control plane ready after $(since)"

# --- nodes
if [ "$NODES" -gt 0 ]; then
  cat >"$RUN/conf/Corefile" <<C
.:53 {
  bind $HOST
  errors
  ready $HOST:8181
  loadbalance
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $KUBECONFIG
    pods insecure
    ttl 1
  }
}
C
  start coredns coredns -conf "$RUN/conf/Corefile"
  for i in $(seq 1 "$NODES"); do "$HERE/node.sh" "$i"; done
  kubectl apply -f - <<Y >/dev/null
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: e2e-proxy}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:node-proxier}
subjects: [{kind: User, name: system:kube-proxy, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: kubernetes.io/host-path
volumeBindingMode: WaitForFirstConsumer
Y
  for i in $(seq 1 "$NODES"); do
    until_ok "node$i" 90 kubectl wait --for=condition=Ready "node/node$i" --timeout=1s
  done
  until_ok coredns 30 curl -sf "http://$HOST:8181/ready"
  echo "$NODES node(s) ready after $(since)"
fi
