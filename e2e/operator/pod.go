package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	oldVersion = "0.1.0" // the stamps of e2e/k8s/images.sh
	newVersion = "0.2.0"
	storeImage = "localhost/kvorum"
)

// podYaml is a member alone, as restricted as Kubernetes' "restricted" level asks for.
const podYaml = `
apiVersion: v1
kind: Namespace
metadata: {name: pod, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: pod}
spec: {accessModes: [ReadWriteOnce], storageClassName: local, resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: store, namespace: pod}
spec:
  securityContext: {runAsNonRoot: true, runAsUser: 1001, runAsGroup: 1001, fsGroup: 1001, seccompProfile: {type: RuntimeDefault}}
  automountServiceAccountToken: false
  containers:
  - name: kvorum
    image: IMAGE
    args: [--name=store, --data-dir=/var/lib/kvorum/data, --listen-client-urls=http://0.0.0.0:2379, --advertise-client-urls=http://store:2379]
    securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
    resources: {requests: {cpu: 100m, memory: 256Mi}, limits: {memory: 768Mi}}
    ports: [{containerPort: 2379}]
    startupProbe: {httpGet: {port: 2379, path: /livez}, periodSeconds: 1, failureThreshold: 60}
    livenessProbe: {httpGet: {port: 2379, path: /livez}}
    readinessProbe: {httpGet: {port: 2379, path: /readyz}, periodSeconds: 1}
    volumeMounts: [{name: data, mountPath: /var/lib/kvorum}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
`

// pod shows the image of the store on a node: nobody's user, a root file system that cannot be written, probes by the kubelet.
func pod(w *world) error {
	defer w.ctl("delete", "namespace", "pod", "--wait=false")
	if err := w.apply(strings.ReplaceAll(podYaml, "IMAGE", storeImage+":"+oldVersion)); err != nil {
		return err
	}
	p, err := w.readyPod("pod", "store")
	if err != nil {
		return err
	}
	process, err := w.process(p)
	if err != nil {
		return err
	}
	if err := checkProcess(process); err != nil {
		return err
	}
	var line struct{ TS time.Time }
	if err := json.Unmarshal([]byte(firstLine(w.logs("pod", "store"), "ready to serve")), &line); err != nil {
		return err
	}
	started, err := startOf(process)
	if err != nil {
		return err
	}
	note("process started → serving clients: %v; Ready %v later at most (the kubelet asks once a second)", line.TS.Sub(started).Round(10*time.Millisecond),
		stamp(conditionTime(p, "Ready")).Add(time.Second).Sub(line.TS).Round(100*time.Millisecond))

	address := p.text("status", "podIP") + ":2379"
	for _, args := range [][]string{{"put", "a", "1"}, {"get", "a"}, {"endpoint", "status"}, {"lease", "grant", "60"}} {
		out, err := w.command(context.Background(), "", "etcdctl", append([]string{"--endpoints", address}, args...)...)
		if err != nil {
			return err
		}
		if args[0] == "get" && out != "a\n1\n" {
			return fmt.Errorf("etcdctl get answered %q", out)
		}
	}
	before := time.Now()
	if _, err := w.ctl("-n", "pod", "delete", "pod", "store"); err != nil {
		return err
	}
	note("stopped in %v", time.Since(before).Round(100*time.Millisecond))
	documents := strings.Split(podYaml, "---\n")
	if err := w.apply(strings.ReplaceAll(documents[len(documents)-1], "IMAGE", storeImage+":"+newVersion)); err != nil {
		return err
	}
	if p, err = w.readyPod("pod", "store"); err != nil {
		return err
	}
	out, err := w.command(context.Background(), "", "etcdctl", "--endpoints", p.text("status", "podIP")+":2379", "get", "a")
	if err != nil || out != "a\n1\n" {
		return fmt.Errorf("after a restart with the newer image etcdctl get answered %q, %v", out, err)
	}
	return nil
}

// process returns what the kernel says about the pod's first process, on its node.
func (w *world) process(p object) (string, error) {
	node := strings.TrimPrefix(p.text("spec", "nodeName"), "node")
	out, err := w.onNode(node, "ctr", "-n", "k8s.io", "task", "ls")
	if err != nil {
		return "", err
	}
	id := strings.TrimPrefix(p.objects("status", "containerStatuses")[0].text("containerID"), "containerd://")
	for _, line := range strings.Split(out, "\n") {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == id {
			proc := "/proc/" + fields[1]
			return w.onNode(node, "cat", "/proc/uptime", proc+"/stat", proc+"/status", proc+"/mounts", proc+"/maps", proc+"/cmdline")
		}
	}
	return "", fmt.Errorf("no task %s on node%s:\n%s", id, node, out)
}

// onNode runs a program in the namespaces of a node, which is named by its number.
func (w *world) onNode(node string, args ...string) (string, error) {
	return w.command(context.Background(), "", filepath.Join(w.scripts, "node.sh"), append([]string{"exec", node}, args...)...)
}

// startOf is when a process began: its age in ticks of 10 ms is counted from the machine's start, as the time that the machine is up is.
func startOf(process string) (time.Time, error) {
	lines := strings.SplitN(process, "\n", 3)
	var up float64
	if _, err := fmt.Sscan(lines[0], &up); err != nil {
		return time.Time{}, err
	}
	fields := strings.Fields(lines[1][strings.LastIndex(lines[1], ")")+1:])
	ticks, err := strconv.ParseFloat(fields[19], 64)
	return time.Now().Add(-time.Duration((up - ticks/100) * float64(time.Second))), err
}

func checkProcess(text string) error {
	uid := firstLine(text, "Uid:")
	root := firstLine(text, " / overlay ")
	if !strings.Contains(uid, "1001\t1001") {
		return fmt.Errorf("the process does not run as 1001: %s", uid)
	}
	if !strings.Contains(root, " ro,") {
		return fmt.Errorf("the root file system can be written: %s", root)
	}
	if firstLine(text, "CapEff:") != "CapEff:\t0000000000000000" {
		return fmt.Errorf("capabilities: %s", firstLine(text, "CapEff:"))
	}
	if !strings.Contains(text, "/opt/java/bin/java\x00@/opt/kvorum/lib/jvm.options") {
		return fmt.Errorf("the first process is not Java:\n%s", text[max(0, len(text)-300):])
	}
	if !strings.Contains(text, "/opt/kvorum/lib/kvorum.aot") {
		return fmt.Errorf("the start-up cache is not in use")
	}
	note("memory of the process: %s", strings.Join(strings.Fields(firstLine(text, "VmRSS:"))[1:], " "))
	return nil
}

func (w *world) readyPod(namespace, name string) (object, error) {
	var p object
	return p, await("pod "+name+" is Ready", 2*time.Minute, func() (err error) {
		if p, err = w.get("-n", namespace, "pod", name); err != nil {
			return err
		}
		if status, reason := p.condition("Ready"); status != "True" {
			return fmt.Errorf("Ready is %q (%s)", status, reason)
		}
		return nil
	})
}

func conditionTime(o object, kind string) string {
	for _, c := range o.objects("status", "conditions") {
		if c.text("type") == kind {
			return c.text("lastTransitionTime")
		}
	}
	return ""
}

func stamp(text string) time.Time {
	t, _ := time.Parse(time.RFC3339, text)
	return t
}

func firstLine(text, with string) string {
	for _, line := range strings.Split(text, "\n") {
		if strings.Contains(line, with) {
			return line
		}
	}
	return ""
}
