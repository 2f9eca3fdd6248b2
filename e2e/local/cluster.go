// Package local runs members of any server that takes etcd's flags as processes on this machine, and does to them what machines do: kill, pause,
// restart on the same data.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// Member is one process and its place on disk.
type Member struct {
	Name   string
	Client string // client URL
	Peer   string // peer URL
	Dir    string
	LogTo  string
	cmd    *exec.Cmd
	done   chan struct{}
}

// Cluster is a set of members that were configured together.
type Cluster struct {
	Program string
	Dir     string
	Members []*Member
	Extra   []string // further server flags
	Env     []string // further environment, NAME=value
	token   string
	state   string
	initial string
}

// Ports lie below those that the system gives to connections, so that nothing else takes one while its member is down, and each process begins elsewhere.
const (
	firstPort = 15_000
	ports     = 15_000
)

var portsGiven atomic.Int64

// FreePort finds a TCP port that nobody listens on, and that it has not given out before.
func FreePort() (int, error) {
	for range ports {
		port := firstPort + (os.Getpid()*97+int(portsGiven.Add(1)))%ports
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("no free port from %d on", firstPort)
}

// New prepares n members; nothing runs yet.
func New(program, dir string, n int, extra ...string) (*Cluster, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	c := &Cluster{Program: program, Dir: dir, Extra: extra, token: filepath.Base(dir), state: "new"}
	for i := 0; i < n; i++ {
		if _, err := c.Place(fmt.Sprintf("m%d", i)); err != nil {
			return nil, err
		}
	}
	var parts []string
	for _, m := range c.Members {
		parts = append(parts, m.Name+"="+m.Peer)
	}
	c.initial = strings.Join(parts, ",")
	return c, nil
}

// Place reserves ports and a data directory for one more member, without starting it.
func (c *Cluster) Place(name string) (*Member, error) {
	cp, err := FreePort()
	if err != nil {
		return nil, err
	}
	pp, err := FreePort()
	if err != nil {
		return nil, err
	}
	m := &Member{Name: name, Client: fmt.Sprintf("http://127.0.0.1:%d", cp), Peer: fmt.Sprintf("http://127.0.0.1:%d", pp),
		Dir: filepath.Join(c.Dir, name), LogTo: filepath.Join(c.Dir, name+".log")}
	c.Members = append(c.Members, m)
	return m, nil
}

// Joining makes members that start from now on join an existing cluster of the given members.
func (c *Cluster) Joining(initial string) {
	c.state = "existing"
	c.initial = initial
}

// Initial is the --initial-cluster value of the members that exist now.
func (c *Cluster) Initial() string { return c.initial }

// Start runs one member. It does not wait for it to serve.
func (c *Cluster) Start(m *Member, env ...string) error {
	log, err := os.OpenFile(m.LogTo, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"--name", m.Name, "--data-dir", m.Dir, "--listen-client-urls", m.Client, "--advertise-client-urls", m.Client,
		"--listen-peer-urls", m.Peer, "--initial-advertise-peer-urls", m.Peer, "--initial-cluster", c.initial,
		"--initial-cluster-state", c.state, "--initial-cluster-token", c.token}
	m.cmd = exec.Command(c.Program, append(args, c.Extra...)...)
	m.cmd.Env = append(append(os.Environ(), c.Env...), env...)
	m.cmd.Stdout, m.cmd.Stderr = log, log
	if err := m.cmd.Start(); err != nil {
		return err
	}
	m.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) { _ = cmd.Wait(); close(done) }(m.cmd, m.done)
	return nil
}

// StartAll runs every member and waits until all serve.
func (c *Cluster) StartAll(limit time.Duration) error {
	for _, m := range c.Members {
		if err := c.Start(m); err != nil {
			return err
		}
	}
	for _, m := range c.Members {
		if err := m.AwaitHealthy(limit); err != nil {
			return err
		}
	}
	return nil
}

// AwaitHealthy waits until /health says that linearizable reads work.
func (m *Member) AwaitHealthy(limit time.Duration) error {
	return m.await("/health", limit)
}

// AwaitServing waits until the member serves local reads, with or without a quorum.
func (m *Member) AwaitServing(limit time.Duration) error {
	return m.await("/health?serializable=true", limit)
}

func (m *Member) await(path string, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	hc := http.Client{Timeout: time.Second}
	last := errors.New("not asked yet")
	for time.Now().Before(deadline) {
		if !m.Running() {
			return fmt.Errorf("%s ended: %s", m.Name, m.Tail())
		}
		r, err := hc.Get(m.Client + path)
		if err == nil {
			b, _ := io.ReadAll(r.Body)
			r.Body.Close()
			if strings.Contains(string(b), `"health":"true"`) {
				return nil
			}
			last = errors.New(string(b))
		} else {
			last = err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("%s is not healthy after %s: %v; log: %s", m.Name, limit, last, m.Tail())
}

// Running tells whether the process lives.
func (m *Member) Running() bool {
	if m.cmd == nil {
		return false
	}
	select {
	case <-m.done:
		return false
	default:
		return true
	}
}

// Pid is the number of the process.
func (m *Member) Pid() int { return m.cmd.Process.Pid }

// Signal sends a signal to the process.
func (m *Member) Signal(s syscall.Signal) error { return m.cmd.Process.Signal(s) }

// Kill ends the process as a power cut does, as far as the process is concerned, and waits for its end.
func (m *Member) Kill() {
	if m.Running() {
		_ = m.cmd.Process.Kill()
		<-m.done
	}
}

// Stop asks the process to end and waits; it is killed when it does not within the limit.
func (m *Member) Stop(limit time.Duration) error {
	if !m.Running() {
		return nil
	}
	_ = m.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-m.done:
		return nil
	case <-time.After(limit):
		m.Kill()
		return fmt.Errorf("%s did not end within %s of SIGTERM", m.Name, limit)
	}
}

// AwaitEnd waits until the process ended by itself and returns its exit code (-1 when a signal ended it).
func (m *Member) AwaitEnd(limit time.Duration) (int, error) {
	select {
	case <-m.done:
		return m.cmd.ProcessState.ExitCode(), nil
	case <-time.After(limit):
		return 0, fmt.Errorf("%s still runs after %s", m.Name, limit)
	}
}

// Tail is the end of the member's log.
func (m *Member) Tail() string {
	b, _ := os.ReadFile(m.LogTo)
	if len(b) > 2000 {
		b = b[len(b)-2000:]
	}
	return string(b)
}

// StopAll ends everything that runs.
func (c *Cluster) StopAll() {
	for _, m := range c.Members {
		if m.Running() {
			_ = m.cmd.Process.Signal(syscall.SIGTERM)
		}
	}
	for _, m := range c.Members {
		if m.cmd != nil {
			_ = m.Stop(10 * time.Second)
		}
	}
}

// Endpoints are the client URLs of all members.
func (c *Cluster) Endpoints() []string {
	var eps []string
	for _, m := range c.Members {
		eps = append(eps, m.Client)
	}
	return eps
}

// Client connects to the given members, or to all.
func (c *Cluster) Client(members ...*Member) (*clientv3.Client, error) {
	eps := c.Endpoints()
	if len(members) > 0 {
		eps = nil
		for _, m := range members {
			eps = append(eps, m.Client)
		}
	}
	return clientv3.New(clientv3.Config{Endpoints: eps, DialTimeout: 5 * time.Second, DialKeepAliveTime: 2 * time.Second,
		DialKeepAliveTimeout: 2 * time.Second, Logger: zap.NewNop()})
}

// Leader finds the member that leads according to itself.
func (c *Cluster) Leader(limit time.Duration) (*Member, error) {
	deadline := time.Now().Add(limit)
	for time.Now().Before(deadline) {
		for _, m := range c.Members {
			if !m.Running() {
				continue
			}
			cl, err := c.Client(m)
			if err != nil {
				continue
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			st, err := cl.Status(ctx, m.Client)
			cancel()
			cl.Close()
			if err == nil && st.Leader != 0 && st.Leader == st.Header.MemberId {
				return m, nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, fmt.Errorf("no leader within %s", limit)
}
