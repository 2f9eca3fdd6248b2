package main

import (
	"errors"
	"fmt"
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

// agent is what a pod has beside it: it mirrors the services.
type agent struct {
	url   string
	store *clientv3.Client
	cmd   *exec.Cmd
	done  chan struct{}
}

func newAgent(program, dir string, endpoints []string) (*agent, error) {
	port, err := local.FreePort()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "agent.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	a := &agent{url: fmt.Sprintf("http://127.0.0.1:%d", port), done: make(chan struct{})}
	a.cmd = exec.Command(program, "agent", "--endpoints="+strings.Join(endpoints, ","), "--listen-client-urls="+a.url, "--mirror=services/")
	a.cmd.Stdout, a.cmd.Stderr = log, log
	if err := a.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = a.cmd.Wait(); close(a.done) }()
	if a.store, err = clientv3.New(clientv3.Config{Endpoints: []string{a.url}, Logger: zap.NewNop()}); err != nil {
		return nil, errors.Join(err, a.close())
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		answer, err := http.Get(a.url + "/health")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return a, nil
			}
			err = errors.New(answer.Status)
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(fmt.Errorf("the agent does not serve: %w", err), a.close())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (a *agent) close() error {
	if a.store != nil {
		a.store.Close()
	}
	_ = a.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-a.done:
	case <-time.After(10 * time.Second):
		_ = a.cmd.Process.Kill()
		<-a.done
		return errors.New("the agent did not end")
	}
	return nil
}
