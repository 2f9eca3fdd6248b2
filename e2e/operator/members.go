package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const memberYaml = `
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: NAME, namespace: members}
spec: {accessModes: [ReadWriteOnce], storageClassName: local, resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: members, labels: {app: members}}
spec:
  hostname: NAME
  subdomain: members
  nodeSelector: {kubernetes.io/hostname: NODE}
  securityContext: {runAsNonRoot: true, runAsUser: 1001, runAsGroup: 1001, fsGroup: 1001, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: kvorum
    image: IMAGE
    args: [--name=NAME, --data-dir=/var/lib/kvorum/data, --listen-client-urls=http://0.0.0.0:2379, --advertise-client-urls=http://NAME.members:2379,
      --listen-peer-urls=http://0.0.0.0:2380, --initial-advertise-peer-urls=http://NAME.members:2380, --initial-cluster-token=members,
      "--initial-cluster=m1=http://m1.members:2380,m2=http://m2.members:2380,m3=http://m3.members:2380"]
    securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
    resources: {requests: {cpu: 100m, memory: 256Mi}, limits: {memory: 768Mi}}
    livenessProbe: {httpGet: {port: 2379, path: /livez}, initialDelaySeconds: 10}
    readinessProbe: {httpGet: {port: 2379, path: /readyz}, periodSeconds: 1}
    volumeMounts: [{name: data, mountPath: /var/lib/kvorum}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: NAME}}]
`

func memberPod(number int, version string) string {
	return strings.NewReplacer("NAME", fmt.Sprint("m", number), "NODE", fmt.Sprint("node", number), "IMAGE", storeImage+":"+version).Replace(memberYaml)
}

// members shows the store on Kubernetes without the operator: three pods that know each other by name, on three nodes. Each is replaced by the newer build, and then
// the leader's node loses its power.
func members(w *world) error {
	defer w.ctl("delete", "namespace", "members", "--wait=false")
	yaml := `
apiVersion: v1
kind: Namespace
metadata: {name: members, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: Service
metadata: {name: members, namespace: members}
spec: {clusterIP: None, publishNotReadyAddresses: true, selector: {app: members}, ports: [{name: client, port: 2379}, {name: peer, port: 2380}]}
`
	for n := 1; n <= 3; n++ {
		yaml += memberPod(n, oldVersion)
	}
	if err := w.apply(yaml); err != nil {
		return err
	}
	if err := w.membersReady(); err != nil {
		return err
	}
	l := write("members", access{endpoints: w.follow("members", "app=members", "http", "members")})
	if _, err := l.served(20 * time.Second); err != nil {
		l.stop()
		return err
	}
	l.begin()
	if err := w.newBuild(); err != nil {
		l.stop()
		return err
	}
	note("three pods replaced by the newer build: longest time without an acknowledged write %v", l.longest())
	if err := w.powerCut(l); err != nil {
		l.stop()
		return err
	}
	text, err := l.finish()
	if err == nil {
		note("%s", text)
	}
	return err
}

func (w *world) membersReady() error {
	for n := 1; n <= 3; n++ {
		if _, err := w.readyPod("members", fmt.Sprint("m", n)); err != nil {
			return err
		}
	}
	return nil
}

// newBuild deletes one pod after the other, the leader's last: at its SIGTERM a leader hands over.
func (w *world) newBuild() error {
	leader, err := w.membersLeader()
	if err != nil {
		return err
	}
	for _, n := range []int{leader%3 + 1, (leader+1)%3 + 1, leader} {
		if _, err := w.ctl("-n", "members", "delete", "pod", fmt.Sprint("m", n)); err != nil {
			return err
		}
		documents := strings.SplitAfter(memberPod(n, newVersion), "---\n")
		if err := w.apply(documents[len(documents)-1]); err != nil {
			return err
		}
		if err := w.membersReady(); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) powerCut(l *ledger) error {
	leader, err := w.membersLeader()
	if err != nil {
		return err
	}
	l.begin()
	if err := w.script("node.sh", "stop", fmt.Sprint(leader)); err != nil {
		return err
	}
	_, err = l.served(30 * time.Second)
	served := l.longest()
	if err == nil {
		err = w.nodeLost(fmt.Sprint("node", leader))
	}
	if e := w.script("node.sh", fmt.Sprint(leader)); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	note("plug of the leader's node pulled → writes served again: %v", served)
	begin := time.Now()
	if err := w.nodeReady(fmt.Sprint("node", leader)); err != nil {
		return err
	}
	if err := w.membersReady(); err != nil {
		return err
	}
	note("node switched on → its member Ready: %v", time.Since(begin).Round(time.Second))
	return nil
}

// membersLeader is the number of the leader's pod and node.
func (w *world) membersLeader() (int, error) {
	found := 0
	return found, await("a leader", 30*time.Second, func() error {
		for n := 1; n <= 3; n++ {
			p, err := w.get("-n", "members", "pod", fmt.Sprint("m", n))
			if err != nil {
				return err
			}
			endpoint := "http://" + p.text("status", "podIP") + ":2379"
			c, err := access{}.client(endpoint)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			var s *clientv3.StatusResponse
			s, err = c.Status(ctx, endpoint)
			cancel()
			c.Close()
			if err == nil && s.Header.MemberId == s.Leader {
				found = n
				return nil
			}
		}
		return fmt.Errorf("nobody says that it leads")
	})
}
