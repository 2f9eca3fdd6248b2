package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"kvorum.io/e2e/local"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

const (
	mirrored = "app/"
	user     = "app"
	password = "app's password"
	rootName = "root"
	rootWord = "root's password"
)

// world is a cluster with the users root and app, of which app may read and write what begins with app/, and an agent that goes as app.
type world struct {
	server  string
	dir     string
	cluster *local.Cluster
	root    *clientv3.Client
	agent   *agent
	notes   []string
}

// agent is one process.
type agent struct {
	url     string
	probes  string
	logTo   string
	cmd     *exec.Cmd
	done    chan struct{}
	clients []*clientv3.Client
}

func newWorld(server, dir, name string) (*world, error) {
	w := &world{server: server, dir: filepath.Join(dir, name)}
	var err error
	if w.cluster, err = local.New(server, filepath.Join(w.dir, "members"), 3, "--log-level", "warn", "--bcrypt-cost", "4"); err != nil {
		return w, err
	}
	if err := w.cluster.StartAll(startLimit); err != nil {
		return w, err
	}
	return w, w.users()
}

func (w *world) users() error {
	c, err := w.cluster.Client()
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), eventually)
	defer cancel()
	end := clientv3.GetPrefixRangeEnd(mirrored)
	for _, step := range []func() error{
		func() error { _, err := c.UserAdd(ctx, rootName, rootWord); return err },
		func() error { _, err := c.UserGrantRole(ctx, rootName, "root"); return err },
		func() error { _, err := c.UserAdd(ctx, user, password); return err },
		func() error { _, err := c.RoleAdd(ctx, user); return err },
		func() error {
			_, err := c.RoleGrantPermission(ctx, user, mirrored, end, clientv3.PermissionType(clientv3.PermReadWrite))
			return err
		},
		func() error { _, err := c.UserGrantRole(ctx, user, user); return err },
		func() error { _, err := c.Put(ctx, "other/secret", "not for app"); return err },
		func() error { _, err := c.AuthEnable(ctx); return err },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	w.root, err = clientv3.New(clientv3.Config{Endpoints: w.cluster.Endpoints(), Username: rootName, Password: rootWord, DialTimeout: callLimit,
		DialKeepAliveTime: 2 * time.Second, DialKeepAliveTimeout: 2 * time.Second, Logger: zap.NewNop()})
	return err
}

// start runs the agent of this world in front of the given endpoints (default: all members) and waits until it is ready.
func (w *world) start(endpoints []string, more ...string) (*agent, error) {
	if len(endpoints) == 0 {
		endpoints = w.cluster.Endpoints()
	}
	port, err := local.FreePort()
	if err != nil {
		return nil, err
	}
	probes, err := local.FreePort()
	if err != nil {
		return nil, err
	}
	secret := filepath.Join(w.dir, "password")
	if err := os.WriteFile(secret, []byte(password), 0o600); err != nil {
		return nil, err
	}
	a := &agent{url: fmt.Sprintf("http://127.0.0.1:%d", port), probes: fmt.Sprintf("http://127.0.0.1:%d", probes), logTo: filepath.Join(w.dir, fmt.Sprintf("agent-%d.log", port))}
	args := []string{"agent", "--endpoints=" + strings.Join(endpoints, ","), "--user=" + user, "--password-file=" + secret, "--mirror=" + mirrored,
		"--listen-client-urls=" + a.url, "--listen-metrics-urls=" + a.probes}
	a.cmd = exec.Command(w.server, append(args, more...)...)
	log, err := os.Create(a.logTo)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	a.cmd.Stdout, a.cmd.Stderr = log, log
	if err := a.cmd.Start(); err != nil {
		return nil, err
	}
	a.done = make(chan struct{})
	go func() { _ = a.cmd.Wait(); close(a.done) }()
	w.agent = a
	return a, await("the agent to be ready", startLimit, func() error {
		select {
		case <-a.done:
			return permanent{errors.New("the agent has ended: " + a.tail())}
		default:
		}
		if _, err := a.get("/readyz"); err != nil {
			return err
		}
		// Until then reads and watches are passed on.
		live, err := metric(a.probes+"/metrics", `kvorum_agent_copy_state{state="live"}`)
		if err == nil && live != 1 {
			err = errors.New("its copy is not live")
		}
		return err
	})
}

// get asks the agent's probe port.
func (a *agent) get(path string) (string, error) {
	r, err := (&http.Client{Timeout: callLimit}).Get(a.probes + path)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, r.Status, b)
	}
	return string(b), err
}

// client is one of the pod's own programs; it has no credentials unless some are given.
func (a *agent) client(change ...func(*clientv3.Config)) (*clientv3.Client, error) {
	config := clientv3.Config{Endpoints: []string{a.url}, DialTimeout: callLimit, Logger: zap.NewNop()}
	for _, c := range change {
		c(&config)
	}
	c, err := clientv3.New(config)
	if err == nil {
		a.clients = append(a.clients, c)
	}
	return c, err
}

func (a *agent) tail() string {
	b, _ := os.ReadFile(a.logTo)
	return string(b[max(0, len(b)-3000):])
}

// stop asks the process to end.
func (a *agent) stop() error {
	for _, c := range a.clients {
		c.Close()
	}
	a.clients = nil
	_ = a.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-a.done:
		return nil
	case <-time.After(callLimit):
		_ = a.cmd.Process.Kill()
		<-a.done
		return fmt.Errorf("the agent did not end within %s of SIGTERM", callLimit)
	}
}

func (w *world) close() {
	if w.agent != nil {
		_ = w.agent.stop()
	}
	if w.root != nil {
		w.root.Close()
	}
	if w.cluster != nil {
		w.cluster.StopAll()
	}
}

func (w *world) note(format string, values ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, values...))
}

func (w *world) told() string {
	if len(w.notes) == 0 {
		return ""
	}
	return "; " + strings.Join(w.notes, "; ")
}

// permanent is why waiting is of no use.
type permanent struct{ error }

// await asks until there is no error.
func await(what string, limit time.Duration, ask func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := ask()
		if err == nil {
			return nil
		}
		var hopeless permanent
		if errors.As(err, &hopeless) || time.Now().After(deadline) {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// call has a context with the limit of one call.
func call[T any](do func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(context.Background(), callLimit)
	defer cancel()
	return do(ctx)
}
