// Command app is the application of the scenarios `inject` and `discovery`: a gRPC service that knows nothing of Kvorum, and clients that know their own loopback alone.
//
//	app serve PORT                 answers grpc.health.v1.Health with the pod's name, until SIGTERM and what is under way then
//	app call etcd:///services/NAME calls it all the time, balanced by clientv3's own resolver, and writes a line of JSON each second
//	app get|put [-at URL] KEY …    one request to the agent of this pod, or to another address
//	app wait                       does nothing
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/naming/resolver"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

const (
	podHeader   = "pod"
	callers     = 4
	callPause   = 10 * time.Millisecond
	callTimeout = 5 * time.Second
	dialTimeout = 5 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("serve, call, get, put or wait")
	}
	switch {
	case args[0] == "serve" && len(args) == 2:
		return serve(ctx, args[1])
	case args[0] == "call" && len(args) == 2:
		return call(ctx, args[1])
	case args[0] == "get" || args[0] == "put":
		return request(ctx, args)
	case args[0] == "wait":
		<-ctx.Done()
		return nil
	}
	return fmt.Errorf("what is %v", args)
}

type service struct {
	health.UnimplementedHealthServer
	name string
}

func (s service) Check(ctx context.Context, _ *health.HealthCheckRequest) (*health.HealthCheckResponse, error) {
	if err := grpc.SetHeader(ctx, metadata.Pairs(podHeader, s.name)); err != nil {
		return nil, err
	}
	return &health.HealthCheckResponse{Status: health.HealthCheckResponse_SERVING}, nil
}

func serve(ctx context.Context, port string) error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	health.RegisterHealthServer(server, service{name: name})
	go func() {
		<-ctx.Done()
		server.GracefulStop()
	}()
	return server.Serve(listener)
}

func store(at string) (*clientv3.Client, error) {
	if at == "" {
		at = os.Getenv("KVORUM_ENDPOINTS")
	}
	return clientv3.New(clientv3.Config{Endpoints: []string{at}, DialTimeout: dialTimeout, Logger: zap.NewNop()})
}

// request prints values, one a line; an error is the store's own text.
func request(ctx context.Context, args []string) error {
	at := ""
	if len(args) > 2 && args[1] == "-at" {
		at, args = args[2], append(args[:1], args[3:]...)
	}
	c, err := store(at)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	switch {
	case args[0] == "get" && len(args) == 2:
		answer, err := c.Get(ctx, args[1])
		if err != nil {
			return err
		}
		for _, kv := range answer.Kvs {
			fmt.Println(string(kv.Value))
		}
		return nil
	case args[0] == "put" && len(args) == 3:
		_, err = c.Put(ctx, args[1], args[2])
		return err
	}
	return errors.New("get KEY or put KEY VALUE")
}

// failure is a call that a caller saw fail.
type failure struct {
	At    time.Time `json:"at"`   // when it was made
	Peer  string    `json:"peer"` // who had it, empty when nobody
	Error string    `json:"error"`
}

// second is a line of the output.
type second struct {
	At     time.Time      `json:"at"`
	OK     map[string]int `json:"ok"` // answers by pod
	Failed []failure      `json:"failed,omitempty"`
}

type tally struct {
	mu  sync.Mutex
	now second
}

func (t *tally) ok(pod string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.OK[pod]++
}

func (t *tally) failed(f failure) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.Failed = append(t.now.Failed, f)
}

func (t *tally) take() second {
	t.mu.Lock()
	defer t.mu.Unlock()
	taken := t.now
	taken.At = time.Now()
	t.now = second{OK: map[string]int{}}
	return taken
}

func call(ctx context.Context, target string) error {
	c, err := store("")
	if err != nil {
		return err
	}
	defer c.Close()
	builder, err := resolver.NewBuilder(c)
	if err != nil {
		return err
	}
	conn, err := grpc.NewClient(target, grpc.WithResolvers(builder), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"round_robin": {}}]}`))
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := health.NewHealthClient(conn).Check(ctx, &health.HealthCheckRequest{}, grpc.WaitForReady(true)); err != nil {
		return err
	}
	t := &tally{now: second{OK: map[string]int{}}}
	for range callers {
		go caller(ctx, health.NewHealthClient(conn), t)
	}
	lines := json.NewEncoder(os.Stdout)
	for ctx.Err() == nil {
		time.Sleep(time.Second)
		if err := lines.Encode(t.take()); err != nil {
			return err
		}
	}
	return nil
}

func caller(ctx context.Context, client health.HealthClient, t *tally) {
	for ctx.Err() == nil {
		one, cancel := context.WithTimeout(ctx, callTimeout)
		var header metadata.MD
		var with peer.Peer
		began := time.Now()
		_, err := client.Check(one, &health.HealthCheckRequest{}, grpc.Header(&header), grpc.Peer(&with))
		cancel()
		if err == nil && len(header.Get(podHeader)) == 1 {
			t.ok(header.Get(podHeader)[0])
		} else if ctx.Err() == nil {
			f := failure{At: began, Error: fmt.Sprint(err)}
			if with.Addr != nil {
				f.Peer = with.Addr.String()
			}
			t.failed(f)
		}
		time.Sleep(callPause)
	}
}
