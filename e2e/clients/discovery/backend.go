package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/naming/endpoints"
	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// backend is one instance of the service: it answers health checks, and counts them by who asks.
type backend struct {
	healthpb.UnimplementedHealthServer
	name    string
	address string
	server  *grpc.Server
	lease   clientv3.LeaseID
	forget  context.CancelFunc // ends the renewals

	lock    sync.Mutex
	calls   map[string]int64
	unready bool
}

func newBackend(name string) (*backend, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &backend{name: name, address: l.Addr().String(), server: grpc.NewServer(), forget: func() {}, calls: map[string]int64{}}
	healthpb.RegisterHealthServer(b.server, b)
	go func() { _ = b.server.Serve(l) }()
	return b, nil
}

func (b *backend) key() string { return service + "/" + b.name }

// Check answers; the name of the service that is asked for is the client's.
func (b *backend) Check(_ context.Context, r *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	b.lock.Lock()
	b.calls[r.Service]++
	unready := b.unready && r.Service == readiness
	b.lock.Unlock()
	if unready {
		return &healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_NOT_SERVING}, nil
	}
	return &healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_SERVING}, nil
}

// setReady is what it says to who asks whether it is ready; it answers clients in any case.
func (b *backend) setReady(ready bool) {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.unready = !ready
}

func (b *backend) counts() map[string]int64 {
	b.lock.Lock()
	defer b.lock.Unlock()
	all := map[string]int64{}
	for name, n := range b.calls {
		all[name] = n
	}
	return all
}

func (b *backend) endpoint() endpoints.Endpoint {
	return endpoints.Endpoint{Addr: b.address, Metadata: map[string]string{"zone": "here", "weight": "1"}}
}

// register is how etcd's Go client does it: a grant, then a put.
func (b *backend) register(w *world) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		err := b.tryRegister(ctx, w.store)
		if err == nil {
			return b.keep(w.store)
		}
		// While the store chooses a leader.
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (b *backend) tryRegister(ctx context.Context, store *clientv3.Client) error {
	grant, err := store.Grant(ctx, ttl)
	if err != nil {
		return err
	}
	b.lease = grant.ID
	manager, err := endpoints.NewManager(store, service)
	if err != nil {
		return err
	}
	return manager.AddEndpoint(ctx, b.key(), b.endpoint(), clientv3.WithLease(grant.ID))
}

// registerInOneCall takes kvorum.v1.Leases.PutWithLease, by the gateway. A young cluster does not have it in its first second.
func (b *backend) registerInOneCall(w *world) error {
	e := b.endpoint()
	value, err := json.Marshal(map[string]any{"Op": 0, "Addr": e.Addr, "Metadata": e.Metadata})
	if err != nil {
		return err
	}
	request, err := json.Marshal(map[string]any{"key": []byte(b.key()), "value": value, "ttl": ttl})
	if err != nil {
		return err
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		answer, err := http.Post(w.cluster.Members[0].Client+"/v3/kvorum/lease/putwithlease", "application/json", bytes.NewReader(request))
		if err != nil {
			return err
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			return err
		}
		if answer.StatusCode == http.StatusOK {
			var got struct {
				Lease int64 `json:"lease,string"`
			}
			if err := json.Unmarshal(body, &got); err != nil || got.Lease == 0 {
				return fmt.Errorf("no lease in %s: %v", body, err)
			}
			b.lease = clientv3.LeaseID(got.Lease)
			return b.keep(w.store)
		}
		if answer.StatusCode != http.StatusNotImplemented || time.Now().After(deadline) {
			return fmt.Errorf("%s: %s", answer.Status, body)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (b *backend) keep(store *clientv3.Client) error {
	ctx, cancel := context.WithCancel(context.Background())
	b.forget = cancel
	alive, err := store.KeepAlive(ctx, b.lease)
	if err != nil {
		return err
	}
	go func() {
		for range alive {
		}
	}()
	return nil
}

// leave takes the entry away; the server answers on.
func (b *backend) leave(ctx context.Context, w *world) error {
	b.forget()
	_, err := w.store.Revoke(ctx, b.lease)
	return err
}

// stop ends when all is answered.
func (b *backend) stop() { b.server.GracefulStop() }

// die leaves everything as it is.
func (b *backend) die() {
	b.forget()
	b.server.Stop()
}
