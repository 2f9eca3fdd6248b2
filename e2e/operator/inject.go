package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/metadata"
)

const (
	market      = "market"
	edge        = "edge"
	service     = "services/echo/"
	edgePort    = "12379"
	replicas    = 3
	appSecurity = `securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}`
	podSecurity = `securityContext: {runAsNonRoot: true, runAsUser: 1002, seccompProfile: {type: RuntimeDefault}}`
)

// injectionSpec lets two other namespaces ask for agents.
const injectionSpec = `{"injection": {"namespaces": [{"name": "market", "prefixes": ["market/", "services/echo/"]}, {"name": "edge", "prefixes": ["edge/"]}]}}`

// echoYaml is an application that knows nothing of Kvorum: a label and annotations are all that it has of it.
const echoYaml = `
apiVersion: v1
kind: Namespace
metadata: {name: market, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: echo, namespace: market}
spec:
  replicas: 3
  selector: {matchLabels: {app: echo}}
  template:
    metadata:
      labels: {app: echo, kvorum.io/inject: demo, app.kubernetes.io/version: "1.2"}
      annotations: {kvorum.io/inject-namespace: demo, kvorum.io/prefixes: market/, kvorum.io/register: echo, kvorum.io/register-metadata: weight=10}
    spec:
      ` + podSecurity + `
      containers:
      - name: app
        image: localhost/app:1
        args: [serve, "8080"]
        ports: [{containerPort: 8080}]
        readinessProbe: {grpc: {port: 8080}, periodSeconds: 1}
        ` + appSecurity + `
`

// waiter is a pod that does nothing; its options are added to its metadata and its specification.
func waiter(namespace, name, about, spec string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: %s%s}
spec:
  %s
  terminationGracePeriodSeconds: 1
  %s
  containers:
  - {name: app, image: "localhost/app:1", args: [wait], %s}
`, name, namespace, about, spec, podSecurity, appSecurity)
}

// inject shows who gets an agent and what goes through it: a label is enough, the user may do what is declared and allowed, nobody else gets in, and what is revoked is over.
func inject(w *world) error {
	d := w.the()
	if err := d.patch(injectionSpec); err != nil {
		return err
	}
	begin := time.Now()
	if err := w.apply(echoYaml); err != nil {
		return err
	}
	pods, err := w.echo(replicas)
	if err != nil {
		return err
	}
	note("kubectl apply → %d pods with agents Ready: %v", replicas, time.Since(begin).Round(100*time.Millisecond))
	if err := d.registered(pods, time.Minute); err != nil {
		return err
	}
	steps := []func(*world, object) error{within, outside, refusedPod, revoked, neighbours, failOpen}
	one := pods[slices.Sorted(maps.Keys(pods))[0]]
	for _, step := range steps {
		if err := step(w, one); err != nil {
			return err
		}
	}
	return nil
}

// echo waits until as many pods of the application are Ready, each with an agent, and no others are there.
func (w *world) echo(want int) (map[string]object, error) {
	var found map[string]object
	return found, await(fmt.Sprint(want, " pods of the application"), 4*time.Minute, func() error {
		items, err := w.list("-n", market, "pods", "-l", "app=echo")
		if err != nil {
			return err
		}
		found = map[string]object{}
		for _, p := range items {
			if status, reason := p.condition("Ready"); status != "True" {
				return fmt.Errorf("%s: Ready is %q (%s)", p.name(), status, reason)
			}
			if !hasAgent(p) {
				return fmt.Errorf("%s has no agent", p.name())
			}
			found[p.name()] = p
		}
		if len(found) != want {
			return fmt.Errorf("%d pods", len(found))
		}
		return nil
	})
}

func hasAgent(p object) bool {
	return slices.ContainsFunc(p.objects("spec", "initContainers"), func(c object) bool { return c.text("name") == "kvorum-agent" && c.text("restartPolicy") == "Always" })
}

// entries are the registered instances as the cluster holds them, by pod.
func (d deployed) entries() (map[string]string, error) {
	a, err := d.access()
	if err != nil {
		return nil, err
	}
	c, err := a.client(a.endpoints()...)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return entries(c)
}

func entries(c *clientv3.Client) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := c.Get(ctx, service, clientv3.WithPrefix())
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, kv := range answer.Kvs {
		found[strings.TrimPrefix(string(kv.Key), service)] = string(kv.Value)
	}
	return found, nil
}

// registered waits until these pods and no others are found.
func (d deployed) registered(pods map[string]object, limit time.Duration) error {
	return await("the pods are registered", limit, func() error {
		found, err := d.entries()
		if err != nil {
			return err
		}
		for name, p := range pods {
			if !strings.Contains(found[name], `"Addr":"`+p.text("status", "podIP")+`:8080"`) || !strings.Contains(found[name], `"weight":"10"`) || !strings.Contains(found[name], `"version":"1.2"`) {
				return fmt.Errorf("%s is registered as %q", name, found[name])
			}
		}
		if len(found) != len(pods) {
			return fmt.Errorf("%d entries, %d pods", len(found), len(pods))
		}
		return nil
	})
}

// app runs the application's program in a container of a pod.
func (w *world) app(namespace, pod string, args ...string) (string, error) {
	return w.ctl(append([]string{"-n", namespace, "exec", pod, "-c", "app", "--", "/bin/app"}, args...)...)
}

// refused fails unless an error says this.
func refused(what string, err error, texts ...string) error {
	if err == nil {
		return fmt.Errorf("%s was let in", what)
	}
	for _, text := range texts {
		if strings.Contains(err.Error(), text) {
			return nil
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}

// within is what the application itself may do through its agent.
func within(w *world, p object) error {
	if _, err := w.app(market, p.name(), "put", "market/a", "1"); err != nil {
		return err
	}
	for key, want := range map[string]string{"market/a": "1\n", service + p.name(): "8080"} {
		if out, err := w.app(market, p.name(), "get", key); err != nil || !strings.Contains(out, want) {
			return fmt.Errorf("%s: %q, %w", key, out, err)
		}
	}
	_, read := w.app(market, p.name(), "get", "kept")
	_, write := w.app(market, p.name(), "put", "services/other/"+p.name(), "x")
	return errors.Join(refused("a read of a foreign key", read, "permission denied"), refused("a foreign registration", write, "permission denied"))
}

// outside is another pod: it has no agent, and reaches nobody else's.
func outside(w *world, p object) error {
	if err := w.apply(waiter(market, "outsider", "", "")); err != nil {
		return err
	}
	defer w.ctl("-n", market, "delete", "pod", "outsider", "--wait=false")
	o, err := w.readyPod(market, "outsider")
	if err != nil {
		return err
	}
	if hasAgent(o) {
		return errors.New("a pod without the label has an agent")
	}
	_, err = w.app(market, "outsider", "get", "-at", "http://"+p.text("status", "podIP")+":2379", "market/a")
	return refused("another pod", err, "connection refused", "deadline exceeded")
}

// refusedPod declares what is not allowed, and is told.
func refusedPod(w *world, _ object) error {
	asks := `, labels: {kvorum.io/inject: demo}, annotations: {kvorum.io/inject-namespace: demo, kvorum.io/prefixes: kept}`
	if err := w.apply(waiter(market, "greedy", asks, "")); err != nil {
		return err
	}
	defer w.ctl("-n", market, "delete", "pod", "greedy", "--wait=false")
	if err := w.told(market, "greedy", "WorkloadRefused"); err != nil {
		return err
	}
	if _, err := w.get("-n", market, "secret", "kvorum-agent-greedy"); !errors.Is(err, errNotFound) {
		return fmt.Errorf("a refused pod has a Secret: %v", err)
	}
	return nil
}

// told waits for an Event about a pod.
func (w *world) told(namespace, pod, reason string) error {
	return await("an Event "+reason, 90*time.Second, func() error {
		events, err := w.list("-n", namespace, "events", "--field-selector", "involvedObject.name="+pod+",reason="+reason)
		if err == nil && len(events) == 0 {
			err = errors.New("none")
		}
		return err
	})
}

// revoked takes password and token of a workload, and tries both when it is gone.
func revoked(w *world, _ object) error {
	d := w.the()
	asks := `, labels: {kvorum.io/inject: demo}, annotations: {kvorum.io/inject-namespace: demo, kvorum.io/prefixes: market/}`
	if err := w.apply(waiter(market, "brief", asks, "")); err != nil {
		return err
	}
	if _, err := w.readyPod(market, "brief"); err != nil {
		return err
	}
	secret, err := w.get("-n", market, "secret", "kvorum-agent-brief")
	if err != nil {
		return err
	}
	password, err := base64.StdEncoding.DecodeString(secret.text("data", "password"))
	if err != nil {
		return err
	}
	a, err := d.access()
	if err != nil {
		return err
	}
	a.user, a.password = "", ""
	c, err := a.client(a.endpoints()[0])
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	login, err := c.Authenticate(ctx, "agent:market:brief", string(password))
	if err != nil {
		return err
	}
	stolen := metadata.AppendToOutgoingContext(ctx, "token", login.Token)
	if _, err := c.Put(stolen, "market/brief", "1"); err != nil {
		return fmt.Errorf("a token of a workload that is there: %w", err)
	}
	begin := time.Now()
	if _, err := w.ctl("-n", market, "delete", "pod", "brief"); err != nil {
		return err
	}
	err = await("the workload is revoked", time.Minute, func() error {
		if _, err := w.get("-n", market, "secret", "kvorum-agent-brief"); !errors.Is(err, errNotFound) {
			return fmt.Errorf("its Secret is there: %v", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	note("last pod deleted → user, role and Secret gone: %v", time.Since(begin).Round(100*time.Millisecond))
	_, put := c.Put(stolen, "market/brief", "2")
	_, again := c.Authenticate(ctx, "agent:market:brief", string(password))
	return errors.Join(refused("a stolen token", put, "invalid auth token"), refused("a stolen password", again, "invalid user ID or password"))
}

// neighbours share the network of a pod that has the node's: its agent takes calls of that pod's user alone.
func neighbours(w *world, _ object) error {
	asks := `, labels: {kvorum.io/inject: demo}, annotations: {kvorum.io/inject-namespace: demo, kvorum.io/prefixes: edge/, kvorum.io/agent-port: "` + edgePort + `"}`
	if err := w.apply(`{apiVersion: v1, kind: Namespace, metadata: {name: ` + edge + `}}` + "\n---" + waiter(edge, "lone", asks, "hostNetwork: true\n  dnsPolicy: ClusterFirstWithHostNet")); err != nil {
		return err
	}
	defer w.ctl("delete", "namespace", edge, "--wait=false")
	p, err := w.readyPod(edge, "lone")
	if err != nil {
		return err
	}
	if _, err := w.app(edge, "lone", "put", "edge/a", "1"); err != nil {
		return err
	}
	node := strings.TrimPrefix(p.text("spec", "nodeName"), "node")
	_, err = w.onNode(node, filepath.Join(w.bin, "etcdctl"), "--endpoints", "http://127.0.0.1:"+edgePort, "get", "edge/a")
	// What it asks is refused, whoever it says it is.
	return refused("another user of the node", err, "etcdserver: permission denied")
}

// failOpen makes a pod while there is no operator: it runs, and afterwards somebody says that it has no agent.
func failOpen(w *world, _ object) error {
	deployment := []string{"-n", operatorNamespace, "scale", "deployment", "kvorum-operator", "--replicas"}
	if _, err := w.ctl(append(deployment, "0")...); err != nil {
		return err
	}
	back := func() error {
		_, err := w.ctl(append(deployment, "1")...)
		return err
	}
	err := await("the operator is gone", time.Minute, func() error {
		pods, err := w.list("-n", operatorNamespace, "pods", "-l", "app.kubernetes.io/name=kvorum-operator")
		if err == nil && len(pods) > 0 {
			err = errors.New("it is there")
		}
		return err
	})
	asks := `, labels: {kvorum.io/inject: demo}, annotations: {kvorum.io/inject-namespace: demo}`
	if err == nil {
		err = w.apply(waiter(market, "alone", asks, ""))
	}
	if err == nil {
		_, err = w.readyPod(market, "alone")
	}
	if err := errors.Join(err, back()); err != nil {
		return err
	}
	defer w.ctl("-n", market, "delete", "pod", "alone", "--wait=false")
	if p, err := w.get("-n", market, "pod", "alone"); err != nil || hasAgent(p) {
		return fmt.Errorf("a pod that was made without an operator has an agent, or is gone: %v", err)
	}
	if err := w.told(market, "alone", "InjectionMissing"); err != nil {
		return err
	}
	_, err = w.ctl("-n", operatorNamespace, "rollout", "status", "deployment", "kvorum-operator", "--timeout=50s")
	return err
}
