# Sourced by every script here. Each value can be overridden from the environment.
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BIN=${K8S_BIN:-$HERE/bin}               # what build.sh and images.sh make
RUN=${K8S_RUN:-$HERE/run}               # state of the running cluster: keys, logs, pids, data
NODES=${K8S_NODES:-1}                   # kubelets; 0 = control plane only (needs no root)
NET=${K8S_NET:-172.30.0}                # /24 between the host (.1) and the nodes (.11, .12, ...)
PODS=${K8S_PODS:-10.244}                # pod ranges: PODS.1.0/24 on node1, PODS.2.0/24 on node2, ...
SVC=${K8S_SVC:-10.96}                   # service range SVC.0.0/16
BR=${K8S_BR:-k8se2e0}                   # bridge on the host
PORT=${K8S_PORT:-6443}
ETCD_PORT=${K8S_ETCD_PORT:-12381}
ETCD=${K8S_ETCD:-}                      # URL of an etcd-compatible store to use instead of our own etcd
CG=${K8S_CG:-k8se2e}                    # cgroup of all nodes
PAUSE=localhost/pause:1
if [ "$NODES" -gt 0 ]; then HOST=$NET.1; else HOST=127.0.0.1; fi
export KUBECONFIG=$RUN/admin.conf
export PATH=$BIN:$PATH
