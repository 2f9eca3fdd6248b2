package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	ttl      = 10 * time.Second // of a registration, the agent's default
	expiry   = 3 * time.Second  // what the leader may take to notice, and we to look
	inFlight = 4                // calls that a caller has under way
	resetIn  = time.Second      // after a SIGKILL a process still has its connections for a moment, and what is asked then is lost as well
)

// callersYaml are two clients that find the service through the agents beside them: clientv3's own resolver, and Kvorum's for gRPC-Java.
const callersYaml = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: caller-go, namespace: market}
spec:
  replicas: 1
  selector: {matchLabels: {app: caller-go}}
  template:
    metadata:
      labels: {app: caller-go, kvorum.io/inject: demo}
      annotations: {kvorum.io/inject-namespace: demo}
    spec:
      ` + podSecurity + `
      containers:
      - name: app
        image: localhost/app:1
        args: [call, "etcd:///services/echo"]
        ` + appSecurity + `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: caller-java, namespace: market}
spec:
  replicas: 1
  selector: {matchLabels: {app: caller-java}}
  template:
    metadata:
      labels: {app: caller-java, kvorum.io/inject: demo}
      annotations: {kvorum.io/inject-namespace: demo}
    spec:
      ` + podSecurity + `
      containers:
      - name: app
        image: ` + storeImage + `:` + oldVersion + `
        command: [/opt/java/bin/java, -Xmx128m, -XX:+UseSerialGC, --sun-misc-unsafe-memory-access=allow, -cp, "/opt/kvorum/lib/lib/main/*:/app/discovery.jar", /app/Caller.java, "kvorum:///services/echo"]
        ` + appSecurity + `
        volumeMounts: [{name: app, mountPath: /app}, {name: tmp, mountPath: /tmp}]
      volumes: [{name: app, configMap: {name: caller}}, {name: tmp, emptyDir: {}}]
`

// callFailure and callSecond are what the callers write (e2e/app).
type callFailure struct {
	At    time.Time
	Peer  string
	Error string
}

type callSecond struct {
	At     time.Time
	OK     map[string]int
	Failed []callFailure
}

// discovery shows the application of inject under two callers while pods die and leave, the leader moves and all members are rolled: no call fails but those that a killed
// pod had itself.
func discovery(w *world) error {
	d := w.the()
	defer w.ctl("delete", "namespace", market, "--wait=false")
	pods, err := w.echo(replicas)
	if err != nil {
		return err
	}
	if err := w.startCallers(); err != nil {
		return err
	}
	if err := w.balanced(pods); err != nil {
		return err
	}
	killed, at, err := w.killed(d, pods)
	if err != nil {
		return err
	}
	if err := w.left(d); err != nil {
		return err
	}
	for _, change := range [][]string{{"transfer-leader", d.name}, {"restart", d.name}} {
		begin := time.Now()
		if out, err := w.plugin(append([]string{"-n", d.namespace}, change...)...); err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		note("%s: %v", change[0], time.Since(begin).Round(time.Second))
	}
	if err := d.ready(3 * time.Minute); err != nil {
		return err
	}
	if pods, err = w.echo(replicas); err != nil {
		return err
	}
	if err := d.registered(pods, time.Minute); err != nil {
		return err
	}
	if err := w.balanced(pods); err != nil {
		return err
	}
	return w.verdict(killed, at)
}

func (w *world) startCallers() error {
	source, err := os.ReadFile(filepath.Join(w.root, "e2e", "app", "Caller.java"))
	if err != nil {
		return err
	}
	library, err := os.ReadFile(filepath.Join(w.bin, "images", "discovery.jar"))
	if err != nil {
		return err
	}
	files, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "caller", "namespace": market},
		"binaryData": map[string]string{"Caller.java": base64.StdEncoding.EncodeToString(source), "discovery.jar": base64.StdEncoding.EncodeToString(library)}})
	if err != nil {
		return err
	}
	if err := w.apply(string(files)); err != nil {
		return err
	}
	return w.apply(callersYaml)
}

// caller is what one of them wrote since it was started; it must never have been started again.
func (w *world) caller(name string) ([]callSecond, error) {
	pods, err := w.list("-n", market, "pods", "-l", "app="+name)
	if err != nil {
		return nil, err
	}
	if len(pods) != 1 || len(pods[0].objects("status", "containerStatuses")) != 1 {
		return nil, fmt.Errorf("%s: %d pods", name, len(pods))
	}
	if n := pods[0].objects("status", "containerStatuses")[0].number("restartCount"); n > 0 {
		return nil, fmt.Errorf("%s was restarted %d times:\n%s", name, n, w.logs(market, pods[0].name()))
	}
	text, err := w.ctl("-n", market, "logs", pods[0].name(), "-c", "app")
	if err != nil {
		return nil, err
	}
	var seconds []callSecond
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var one callSecond
		if err := json.Unmarshal(lines.Bytes(), &one); err == nil && one.OK != nil {
			seconds = append(seconds, one)
		}
	}
	return seconds, lines.Err()
}

// balanced waits until both callers' last second has answers of each of these pods and of no others, none with less than half of its share.
func (w *world) balanced(pods map[string]object) error {
	want := slices.Sorted(maps.Keys(pods))
	for _, name := range []string{"caller-go", "caller-java"} {
		err := await(name+" balances over the pods", 4*time.Minute, func() error {
			seconds, err := w.caller(name)
			if err != nil {
				return err
			}
			if len(seconds) == 0 {
				return errors.New("it has not called yet")
			}
			last := seconds[len(seconds)-1].OK
			total := 0
			for _, n := range last {
				total += n
			}
			if !slices.Equal(slices.Sorted(maps.Keys(last)), want) {
				return fmt.Errorf("its answers come from %v, not %v", last, want)
			}
			for pod, n := range last {
				if n*len(last)*2 < total {
					return fmt.Errorf("%s has %d of %d calls", pod, n, total)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// killed ends all processes of a pod by SIGKILL, and deletes it before they are started again. It returns the pod's address and when it was killed at the latest.
func (w *world) killed(d deployed, pods map[string]object) (address string, at time.Time, err error) {
	p := pods[slices.Sorted(maps.Keys(pods))[0]]
	pids, err := w.pids(p)
	if err != nil {
		return "", at, err
	}
	node := strings.TrimPrefix(p.text("spec", "nodeName"), "node")
	if err := w.script("node.sh", append([]string{"exec", node, "kill", "-9"}, pids...)...); err != nil {
		return "", at, err
	}
	at = time.Now()
	if _, err := w.ctl("-n", market, "delete", "pod", p.name(), "--force", "--grace-period=0", "--wait=false"); err != nil {
		return "", at, err
	}
	err = await("the killed pod's entry is gone", ttl+expiry, func() error {
		found, err := d.entries()
		if err == nil && found[p.name()] != "" {
			err = errors.New("it is there")
		}
		return err
	})
	note("pod killed → its entry gone: %v", time.Since(at).Round(100*time.Millisecond))
	if err != nil {
		return "", at, err
	}
	after, err := w.echo(replicas)
	if err != nil {
		return "", at, err
	}
	return p.text("status", "podIP"), at, d.registered(after, time.Minute)
}

// pids of a pod's containers, the agent's too, as its node counts.
func (w *world) pids(p object) ([]string, error) {
	node := strings.TrimPrefix(p.text("spec", "nodeName"), "node")
	out, err := w.onNode(node, "ctr", "-n", "k8s.io", "task", "ls")
	if err != nil {
		return nil, err
	}
	var pids []string
	for _, c := range append(p.objects("status", "containerStatuses"), p.objects("status", "initContainerStatuses")...) {
		id := strings.TrimPrefix(c.text("containerID"), "containerd://")
		for _, line := range strings.Split(out, "\n") {
			if fields := strings.Fields(line); len(fields) > 1 && fields[0] == id {
				pids = append(pids, fields[1])
			}
		}
	}
	if len(pids) != 2 {
		return nil, fmt.Errorf("%s has %d processes:\n%s", p.name(), len(pids), out)
	}
	return pids, nil
}

// left takes a pod away politely: by a drain of its node where there is another, else by deleting it.
func (w *world) left(d deployed) error {
	pods, err := w.echo(replicas)
	if err != nil {
		return err
	}
	p := pods[slices.Sorted(maps.Keys(pods))[0]]
	node := p.text("spec", "nodeName")
	begin := time.Now()
	if w.nodes > 1 {
		defer w.ctl("uncordon", node)
		go func() {
			_ = w.tool("kubectl", "drain", node, "--pod-selector=app=echo", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=3m")
		}()
	} else if _, err := w.ctl("-n", market, "delete", "pod", p.name(), "--wait=false"); err != nil {
		return err
	}
	err = await("its entry is gone at once", ttl/2, func() error {
		found, err := d.entries()
		if err == nil && found[p.name()] != "" {
			err = errors.New("it is there")
		}
		return err
	})
	note("asked to leave → its entry gone: %v", time.Since(begin).Round(100*time.Millisecond))
	if err != nil {
		return err
	}
	after, err := w.echo(replicas)
	if err != nil {
		return err
	}
	return d.registered(after, time.Minute)
}

// verdict fails for every call that failed, but for those that the killed pod had under way.
func (w *world) verdict(address string, at time.Time) error {
	for _, name := range []string{"caller-go", "caller-java"} {
		seconds, err := w.caller(name)
		if err != nil {
			return err
		}
		answered, own := 0, 0
		for _, s := range seconds {
			for _, n := range s.OK {
				answered += n
			}
			for _, f := range s.Failed {
				if f.Peer != address+":8080" || f.At.After(at.Add(resetIn)) {
					return fmt.Errorf("%s: a call at %v to %q failed: %s (the pod at %s was killed before %v)", name, f.At, f.Peer, f.Error, address, at)
				}
				own++
			}
		}
		note("%s: %d calls answered, %d failed, all of them under way at the killed pod", name, answered, own)
		if own > inFlight {
			return fmt.Errorf("%s had %d calls at the killed pod, it makes %d at a time", name, own, inFlight)
		}
	}
	return nil
}
