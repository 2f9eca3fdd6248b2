package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/naming/resolver"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// client calls the service again and again, under its name, until it is ended.
type client interface {
	name() string
	failures() []string
	end() (calls int, failed []string, err error)
}

// goClient balances with etcd's own resolver.
type goClient struct {
	as   string
	conn *grpc.ClientConn
	quit chan struct{}
	done chan struct{}
	once sync.Once

	lock   sync.Mutex
	calls  int
	failed []string
}

func newGoClient(name string, store *clientv3.Client) (*goClient, error) {
	r, err := resolver.NewBuilder(store)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient("etcd:///"+service, grpc.WithResolvers(r), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"round_robin":{}}]}`))
	if err != nil {
		return nil, err
	}
	c := &goClient{as: name, conn: conn, quit: make(chan struct{}), done: make(chan struct{})}
	go c.run()
	return c, nil
}

func (c *goClient) name() string { return c.as }

func (c *goClient) run() {
	defer close(c.done)
	health := healthpb.NewHealthClient(c.conn)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_, err := health.Check(ctx, &healthpb.HealthCheckRequest{Service: c.name()})
		cancel()
		c.lock.Lock()
		c.calls++
		if err != nil {
			c.failed = append(c.failed, err.Error())
		}
		c.lock.Unlock()
		select {
		case <-c.quit:
			return
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (c *goClient) failures() []string {
	c.lock.Lock()
	defer c.lock.Unlock()
	return append([]string(nil), c.failed...)
}

func (c *goClient) end() (int, []string, error) {
	c.once.Do(func() {
		close(c.quit)
		<-c.done
		c.conn.Close()
	})
	return c.calls, c.failed, nil
}

// javaClient is a process that does the same with kvorum-discovery.
type javaClient struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	done  chan struct{}
	once  sync.Once
	err   error

	lock   sync.Mutex
	calls  int
	failed []string
}

func newJavaClient(command, stores []string) (*javaClient, error) {
	c := &javaClient{cmd: exec.Command(command[0], command[1:]...), done: make(chan struct{}), calls: -1}
	c.cmd.Env = append(os.Environ(), "KVORUM_ENDPOINTS="+strings.Join(stores, ","))
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go c.read(out)
	return c, nil
}

func (c *javaClient) name() string { return "java" }

func (c *javaClient) read(out io.Reader) {
	defer close(c.done)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		c.lock.Lock()
		if text, ok := strings.CutPrefix(lines.Text(), "failed "); ok {
			c.failed = append(c.failed, text)
		} else if _, err := fmt.Sscanf(lines.Text(), "calls %d", &c.calls); err != nil {
			fmt.Println("java:", lines.Text())
		}
		c.lock.Unlock()
	}
}

func (c *javaClient) failures() []string {
	c.lock.Lock()
	defer c.lock.Unlock()
	return append([]string(nil), c.failed...)
}

func (c *javaClient) end() (int, []string, error) {
	c.once.Do(func() {
		c.stdin.Close()
		select {
		case <-c.done:
		case <-time.After(20 * time.Second):
			_ = c.cmd.Process.Kill()
			<-c.done
			c.err = errors.New("did not end")
		}
		c.err = errors.Join(c.err, c.cmd.Wait())
	})
	return c.calls, c.failed, c.err
}
