package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// deployed is a KvorumCluster.
type deployed struct {
	*world
	namespace string
	name      string
}

// the is the cluster that the scenarios share.
func (w *world) the() deployed { return deployed{w, "demo", "demo"} }

// demoYaml has short delays where a user would wait minutes: the scenarios show what happens, not how patient the operator can be.
const demoYaml = `
apiVersion: v1
kind: Namespace
metadata: {name: demo, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: kvorum.io/v1alpha1
kind: KvorumCluster
metadata: {name: demo, namespace: demo}
spec:
  replicas: 3
  version: ` + oldVersion + `
  image: {repository: ` + storeImage + `}
  storage: {size: 1Gi, storageClassName: local, retention: {whenDeleted: Delete}}
  resources: {requests: {cpu: 50m, memory: 256Mi}, limits: {memory: 768Mi}}
  auth: {enabled: true}
  update: {minReadySeconds: 2}
  healing: {recreateAfter: 20s, replaceAfter: 45s}
`

func (d deployed) get() (object, error) { return d.kube.get("-n", d.namespace, "kvc", d.name) }

func (d deployed) selector() string { return "kvorum.io/cluster=" + d.name }

// patch merges into the specification.
func (d deployed) patch(spec string) error {
	_, err := d.ctl("-n", d.namespace, "patch", "kvc", d.name, "--type=merge", "-p", `{"spec":`+spec+`}`)
	return err
}

// ready waits until what is asked for now is what runs.
func (d deployed) ready(limit time.Duration) error {
	return await("cluster "+d.name+" is Ready", limit, func() error {
		o, err := d.get()
		if err != nil {
			return err
		}
		status, reason := o.condition("Ready")
		if o.number("status", "observedGeneration") != o.number("metadata", "generation") || status != "True" {
			return fmt.Errorf("Ready is %q (%s), phase %s, %s, doing %v, generation %d of %d", status, reason, o.text("status", "phase"), o.text("status", "summary"),
				o.at("status", "currentAction"), o.number("status", "observedGeneration"), o.number("metadata", "generation"))
		}
		return nil
	})
}

// pods of the members by name.
func (d deployed) pods() (map[string]object, error) {
	items, err := d.list("-n", d.namespace, "pods", "-l", d.selector())
	if err != nil {
		return nil, err
	}
	found := map[string]object{}
	for _, p := range items {
		found[p.name()] = p
	}
	return found, nil
}

// uids of the members' pods, and how often their containers were started again, by name.
func (d deployed) uids() (map[string]string, error) {
	pods, err := d.pods()
	if err != nil {
		return nil, err
	}
	uids := map[string]string{}
	for name, p := range pods {
		uids[name] = p.text("metadata", "uid")
		for _, c := range p.objects("status", "containerStatuses") {
			uids[name] += fmt.Sprint("/", c.number("restartCount"))
		}
	}
	return uids, nil
}

// trust is what clients are to trust now: the text of the ConfigMap, and what a client makes of it.
func (d deployed) trust() (string, *tls.Config, error) {
	found, err := d.kube.get("-n", d.namespace, "configmap", d.name+"-ca")
	if err != nil {
		return "", nil, err
	}
	text := found.text("data", "ca.crt")
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(text)) {
		return "", nil, fmt.Errorf("no certificate in the ConfigMap %s-ca", d.name)
	}
	return text, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, nil
}

// access is as a client has it: the certificate authority from its ConfigMap, the password from its Secret, the members' addresses.
func (d deployed) access() (access, error) {
	_, trust, err := d.trust()
	if err != nil {
		return access{}, err
	}
	secret, err := d.kube.get("-n", d.namespace, "secret", d.name+"-root")
	if err != nil {
		return access{}, err
	}
	user, err := base64.StdEncoding.DecodeString(secret.text("data", "username"))
	if err != nil {
		return access{}, err
	}
	password, err := base64.StdEncoding.DecodeString(secret.text("data", "password"))
	if err != nil {
		return access{}, err
	}
	held := new(atomic.Pointer[tls.Config])
	held.Store(trust)
	return access{tls: held, user: string(user), password: string(password), endpoints: d.follow(d.namespace, d.selector(), "https", d.name+"-peer")}, nil
}

// follow keeps the names, below a headless Service, of the pods that a selector finds, asked for at most once a second. Only who asks first waits for the
// answer: on a loaded machine kubectl takes many seconds, and a client that waits for it is not a pause of the store.
func (w *world) follow(namespace, selector, scheme, service string) func() []string {
	var mu sync.Mutex
	var at time.Time
	var endpoints []string
	asking := false
	ask := func() {
		pods, err := w.list("-n", namespace, "pods", "-l", selector)
		var found []string
		for _, p := range pods {
			if p.text("status", "podIP") != "" && p.text("metadata", "deletionTimestamp") == "" {
				found = append(found, fmt.Sprintf("%s://%s.%s.%s.svc.cluster.local:2379", scheme, p.name(), service, namespace))
			}
		}
		slices.Sort(found)
		mu.Lock()
		defer mu.Unlock()
		asking = false
		if err == nil {
			at, endpoints = time.Now(), found
		}
	}
	return func() []string {
		mu.Lock()
		first, due := at.IsZero(), !asking && time.Since(at) >= time.Second
		asking = asking || due
		known := endpoints
		mu.Unlock()
		if due && first {
			ask()
			mu.Lock()
			defer mu.Unlock()
			return endpoints
		}
		if due {
			go ask()
		}
		return known
	}
}

// term is the highest that a member knows, and the number of voters and learners is as the store itself says.
func (d deployed) term() (term uint64, voters, learners int, err error) {
	a, err := d.access()
	if err != nil {
		return 0, 0, 0, err
	}
	endpoints := a.endpoints()
	c, err := a.client(endpoints...)
	if err != nil {
		return 0, 0, 0, err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	members, err := c.MemberList(ctx)
	if err != nil {
		return 0, 0, 0, err
	}
	for _, m := range members.Members {
		if m.IsLearner {
			learners++
		} else {
			voters++
		}
	}
	for _, e := range endpoints {
		if s, err := c.Status(ctx, e); err == nil {
			term = max(term, s.RaftTerm)
		}
	}
	return term, voters, learners, nil
}

// leader is the member that the status names, with the node of its pod.
func (d deployed) leader() (name, node string, err error) {
	o, err := d.get()
	if err != nil {
		return "", "", err
	}
	if name = o.text("status", "leader", "name"); name == "" {
		return "", "", fmt.Errorf("the status names no leader")
	}
	p, err := d.kube.get("-n", d.namespace, "pod", name)
	if err != nil {
		return "", "", err
	}
	return name, p.text("spec", "nodeName"), nil
}

// underWrites does something while writers write, and wants every acknowledged write afterwards. Changes of the leader above the limit fail.
func (d deployed) underWrites(prefix string, leaderChanges uint64, do func(*ledger) error) error {
	a, err := d.access()
	if err != nil {
		return err
	}
	before, _, _, err := d.term()
	if err != nil {
		return err
	}
	l := write(prefix, a)
	if _, err := l.served(20 * time.Second); err != nil {
		l.stop()
		return err
	}
	if err := do(l); err != nil {
		l.stop()
		return err
	}
	if _, err := l.served(20 * time.Second); err != nil {
		l.stop()
		return err
	}
	text, err := l.finish()
	if err != nil {
		return err
	}
	after, _, _, err := d.term()
	if err != nil {
		return err
	}
	note("%s; leader changes %d", text, after-before)
	if after-before > leaderChanges {
		return fmt.Errorf("%d changes of the leader, at most %d expected", after-before, leaderChanges)
	}
	return nil
}

// voters fails unless the store's own member list has this many voters and no learner.
func (d deployed) voters(want int) error {
	_, voters, learners, err := d.term()
	if err != nil {
		return err
	}
	if voters != want || learners != 0 {
		return fmt.Errorf("the store has %d voters and %d learners, %d voters expected", voters, learners, want)
	}
	return nil
}

// client runs etcdctl in a pod of the cluster, so that names are resolved and routed as any pod's are, and returns what it wrote.
func (d deployed) client(pod string, args ...string) (string, error) {
	yaml := fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: %s}
spec:
  restartPolicy: Never
  securityContext: {runAsNonRoot: true, runAsUser: 1001, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: etcdctl
    image: localhost/etcdctl:1
    args: ["%s"]
    env:
    - {name: PASSWORD, valueFrom: {secretKeyRef: {name: %s-root, key: password}}}
    - {name: ETCDCTL_USER, value: "root:$(PASSWORD)"}
    - {name: ETCDCTL_CACERT, value: /trust/ca.crt}
    securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
    volumeMounts: [{name: trust, mountPath: /trust}]
  volumes: [{name: trust, configMap: {name: %s-ca}}]
`, pod, d.namespace, strings.Join(args, `", "`), d.name, d.name)
	if err := d.apply(yaml); err != nil {
		return "", err
	}
	defer d.ctl("-n", d.namespace, "delete", "pod", pod, "--wait=false")
	err := await("pod "+pod+" has ended", time.Minute, func() error {
		p, err := d.kube.get("-n", d.namespace, "pod", pod)
		if err != nil {
			return err
		}
		switch phase := p.text("status", "phase"); phase {
		case "Succeeded", "Failed":
			return nil
		default:
			return fmt.Errorf("phase %s", phase)
		}
	})
	if err != nil {
		return "", err
	}
	p, err := d.kube.get("-n", d.namespace, "pod", pod)
	if err != nil {
		return "", err
	}
	out, err := d.ctl("-n", d.namespace, "logs", pod)
	if err == nil && p.text("status", "phase") == "Failed" {
		err = fmt.Errorf("etcdctl %s: %s", strings.Join(args, " "), out)
	}
	return out, err
}

// read gets one key over the members' addresses.
func (d deployed) read(key string) (string, error) {
	a, err := d.access()
	if err != nil {
		return "", err
	}
	c, err := a.client(a.endpoints()...)
	if err != nil {
		return "", err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := c.Get(ctx, key)
	if err != nil {
		return "", err
	}
	if len(answer.Kvs) == 0 {
		return "", nil
	}
	return string(answer.Kvs[0].Value), nil
}
