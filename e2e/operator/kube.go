package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// kube is a cluster of e2e/k8s, spoken to by kubectl.
type kube struct {
	scripts string // folder of up.sh and node.sh
	bin     string // K8S_BIN
	run     string // K8S_RUN
	nodes   int
}

// hostAddress is this machine's as pods reach it; the cluster's DNS server listens there.
func hostAddress() string {
	if net := os.Getenv("K8S_NET"); net != "" {
		return net + ".1"
	}
	return "172.30.0.1"
}

// env is what every script and tool gets.
func (k *kube) env() []string {
	return append(os.Environ(), "K8S_BIN="+k.bin, "K8S_RUN="+k.run, fmt.Sprintf("K8S_NODES=%d", k.nodes),
		"KUBECONFIG="+filepath.Join(k.run, "admin.conf"), "PATH="+k.bin+":"+os.Getenv("PATH"))
}

func (k *kube) command(ctx context.Context, stdin, name string, args ...string) (string, error) {
	if !strings.Contains(name, "/") {
		name = filepath.Join(k.bin, name)
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = k.env()
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

// script runs one of e2e/k8s with its output shown.
func (k *kube) script(name string, args ...string) error {
	cmd := exec.Command(filepath.Join(k.scripts, name), args...)
	cmd.Env = k.env()
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// ctl runs kubectl for at most a minute.
func (k *kube) ctl(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return k.command(ctx, "", "kubectl", args...)
}

// tool runs another program of K8S_BIN for at most five minutes.
func (k *kube) tool(name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	_, err := k.command(ctx, "", name, args...)
	return err
}

// plugin runs kubectl kvorum of the built distribution as a user does, and returns what it wrote.
func (k *kube) plugin(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Minute)
	defer cancel()
	out, err := k.command(ctx, "", filepath.Join(filepath.Dir(filepath.Dir(k.scripts)), "operator/target/kvorum-operator/bin/kubectl-kvorum"), args...)
	return out, err
}

// apply server-side applies documents; the answer is the error's text when the API server refuses them.
func (k *kube) apply(yaml string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := k.command(ctx, yaml, "kubectl", "apply", "--server-side", "--force-conflicts", "-f", "-")
	return err
}

// object is any answer of the API server.
type object map[string]any

var errNotFound = errors.New("not found")

func (k *kube) get(args ...string) (object, error) {
	out, err := k.ctl(append([]string{"get", "-o", "json"}, args...)...)
	if err != nil {
		if strings.Contains(err.Error(), "(NotFound)") {
			return nil, fmt.Errorf("%w: %s", errNotFound, strings.Join(args, " "))
		}
		return nil, err
	}
	var o object
	if err := json.Unmarshal([]byte(out), &o); err != nil {
		return nil, fmt.Errorf("kubectl get %s: %w", strings.Join(args, " "), err)
	}
	return o, nil
}

// list returns the items that a get of a kind or a selector finds.
func (k *kube) list(args ...string) ([]object, error) {
	o, err := k.get(args...)
	if err != nil {
		return nil, err
	}
	var items []object
	for _, i := range o.at("items").([]any) {
		items = append(items, object(i.(map[string]any)))
	}
	return items, nil
}

// at follows field names; nil where one is missing.
func (o object) at(path ...string) any {
	var v any = map[string]any(o)
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[p]
	}
	return v
}

func (o object) text(path ...string) string {
	s, _ := o.at(path...).(string)
	return s
}

func (o object) number(path ...string) int {
	f, _ := o.at(path...).(float64)
	return int(f)
}

func (o object) name() string { return o.text("metadata", "name") }

// objects returns the list of objects under a field.
func (o object) objects(path ...string) []object {
	var found []object
	items, _ := o.at(path...).([]any)
	for _, i := range items {
		if m, ok := i.(map[string]any); ok {
			found = append(found, m)
		}
	}
	return found
}

// condition returns status and reason of a condition, both empty when there is none.
func (o object) condition(kind string) (status, reason string) {
	for _, c := range o.objects("status", "conditions") {
		if c.text("type") == kind {
			return c.text("status"), c.text("reason")
		}
	}
	return "", ""
}

// await polls once a second until the check returns nil, and fails with its last error.
func await(what string, limit time.Duration, check func() error) error {
	end := time.Now().Add(limit)
	for {
		err := check()
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s: not within %v: %w", what, limit, err)
		}
		time.Sleep(time.Second)
	}
}

// logs returns what a pod wrote, of its former container too.
func (k *kube) logs(namespace, pod string) string {
	now, _ := k.ctl("-n", namespace, "logs", pod, "--all-containers", "--tail", "400")
	before, _ := k.ctl("-n", namespace, "logs", pod, "--all-containers", "--previous", "--tail", "200")
	if before != "" {
		return now + "\n--- before the last restart\n" + before
	}
	return now
}

// dump writes what a reader wants to see after a failure into a folder.
func (k *kube) dump(dir string) {
	_ = os.MkdirAll(dir, 0o755)
	write := func(name, text string) { _ = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644) }
	kinds, _ := k.ctl("get", "kvorum", "-A", "-o", "wide")
	wide, _ := k.ctl("get", "nodes,pods,pvc,pv,svc,endpointslices,pdb,leases", "-A", "-o", "wide")
	write("objects.txt", kinds+"\n"+wide)
	for _, kind := range []string{"kvc", "kvm", "kvo", "kvb", "kvbs", "jobs", "pods", "pvc"} {
		text, _ := k.ctl("get", kind, "-A", "-o", "yaml")
		write(kind+".yaml", text)
	}
	events, _ := k.ctl("get", "events", "-A", "--sort-by=.metadata.creationTimestamp")
	write("events.txt", events)
	pods, err := k.list("pods", "-A")
	if err != nil {
		return
	}
	for _, p := range pods {
		write("log-"+p.name()+".txt", k.logs(p.text("metadata", "namespace"), p.name()))
	}
}
