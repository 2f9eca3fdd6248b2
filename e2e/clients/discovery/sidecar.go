package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// readiness is the name by which an agent asks a backend; no client's.
const readiness = "readiness"

// sidecar is an agent beside a backend: it registers the backend for as long as that says that it is ready, and answers DNS.
type sidecar struct {
	agent   *exec.Cmd
	log     *os.File
	program string
	control string
	dns     string
}

// startSidecar runs an agent for a backend.
func startSidecar(program, dir string, w *world, b *backend) (*sidecar, error) {
	probe, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	dns := probe.LocalAddr().String()
	probe.Close()
	s := &sidecar{program: program, control: filepath.Join(dir, b.name+".sock"), dns: dns}
	if s.log, err = os.Create(filepath.Join(dir, b.name+".log")); err != nil {
		return nil, err
	}
	prefix, name, _ := strings.Cut(service, "/")
	s.agent = exec.Command(program, "agent", "--endpoints="+strings.Join(w.cluster.Endpoints(), ","), "--listen-client-urls=unix://"+filepath.Join(dir, b.name+".etcd"),
		"--register="+name, "--register-prefix="+prefix, "--register-name="+b.name, "--register-address="+b.address, fmt.Sprintf("--register-ttl=%d", ttl),
		"--register-metadata=zone=here,weight=1", "--readiness=grpc://"+b.address+"/"+readiness, "--readiness-period=200ms", "--control-socket="+s.control,
		"--dns-listen="+dns)
	s.agent.Stdout, s.agent.Stderr = s.log, s.log
	return s, s.agent.Start()
}

func (s *sidecar) deregister() error {
	if out, err := exec.Command(s.program, "agent", "deregister", "--control-socket="+s.control).CombinedOutput(); err != nil {
		return fmt.Errorf("deregister: %w: %s", err, out)
	}
	return nil
}

// lookup asks the agent's DNS, with Go's own resolver.
func (s *sidecar) lookup(ctx context.Context) ([]*net.SRV, error) {
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.dns)
	}}
	_, name, _ := strings.Cut(service, "/")
	_, found, err := resolver.LookupSRV(ctx, name, "tcp", "services.kvorum.local.")
	return found, err
}

// kill is for what is still there.
func (s *sidecar) kill() {
	_ = s.agent.Process.Kill()
	_ = s.agent.Wait()
	s.log.Close()
}

// sidecars has backends that know nothing of the store: what an agent does for them is all that the clients see. others are registered already, all the while.
func (w *world) sidecars(program, dir string, others []*backend) error {
	s, err := newBackend("s")
	if err != nil {
		return err
	}
	defer s.die()
	s.setReady(false)
	agent, err := startSidecar(program, dir, w, s)
	if err != nil {
		return err
	}
	defer agent.kill()
	with := append([]*backend{s}, others...)
	if err := w.probed(s); err != nil {
		return err
	}
	if err := w.balanced(10*time.Second, others, []*backend{s}); err != nil {
		return fmt.Errorf("before s is ready: %w", err)
	}
	for _, ready := range []bool{true, false, true} {
		s.setReady(ready)
		wanted, unwanted := with, []*backend(nil)
		if !ready {
			wanted, unwanted = others, []*backend{s}
		}
		if err := w.balanced(15*time.Second, wanted, unwanted); err != nil {
			return fmt.Errorf("s is ready: %v: %w", ready, err)
		}
	}
	if err := w.none("an agent registered s, and took it away while it was not ready"); err != nil {
		return err
	}
	w.say("s comes and goes with its readiness, no call has failed")
	if err := w.inDNS(agent, len(with)); err != nil {
		return err
	}
	if err := agent.deregister(); err != nil {
		return err
	}
	if found, err := w.store.Get(context.Background(), s.key()); err != nil || len(found.Kvs) > 0 {
		return fmt.Errorf("s has deregistered: %v, %v", found, err)
	}
	if err := w.balanced(10*time.Second, others, []*backend{s}); err != nil {
		return fmt.Errorf("s has deregistered: %w", err)
	}
	if err := w.none("s deregistered"); err != nil {
		return err
	}
	w.say("s has deregistered and is dropped, no call has failed")
	return w.stopped(program, dir, others)
}

// probed waits until the agent has asked.
func (w *world) probed(b *backend) error {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if b.counts()[readiness] > 0 {
			return nil
		}
	}
	return fmt.Errorf("the agent of %s does not ask it", b.name)
}

// inDNS waits until all are there.
func (w *world) inDNS(agent *sidecar, count int) error {
	var last error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		found, err := agent.lookup(ctx)
		cancel()
		if last = err; err == nil && len(found) == count {
			w.say("DNS tells of %d, such as %s:%d", count, found[0].Target, found[0].Port)
			return nil
		}
	}
	return fmt.Errorf("DNS does not tell of %d: %v", count, last)
}

// stopped has an agent that is told to end, and one that dies.
func (w *world) stopped(program, dir string, others []*backend) error {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		b, err := newBackend("t" + signal.String()[:1])
		if err != nil {
			return err
		}
		defer b.die()
		agent, err := startSidecar(program, dir, w, b)
		if err != nil {
			return err
		}
		defer agent.kill()
		if err := w.balanced(30*time.Second, append([]*backend{b}, others...), nil); err != nil {
			return fmt.Errorf("%s has come: %w", b.name, err)
		}
		began := time.Now()
		if err := agent.agent.Process.Signal(signal); err != nil {
			return err
		}
		if signal == syscall.SIGTERM {
			_ = agent.agent.Wait()
			if found, err := w.store.Get(context.Background(), b.key()); err != nil || len(found.Kvs) > 0 {
				return fmt.Errorf("the agent has ended and left %v, %v", found, err)
			}
		} else if err := w.gone(b, began); err != nil {
			return err
		}
		if err := w.balanced(10*time.Second, others, []*backend{b}); err != nil {
			return fmt.Errorf("after %v: %w", signal, err)
		}
		if err := w.none(fmt.Sprintf("an agent ended by %v", signal)); err != nil {
			return err
		}
		w.say("an agent is ended by %v: the entry has gone, no call has failed", signal)
	}
	return nil
}
