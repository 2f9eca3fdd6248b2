package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"google.golang.org/grpc/credentials/insecure"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// memberKilled: members die one after the other while a local watcher follows and reads go on; no event is lost or doubled, and no revision goes back.
func memberKilled(w *world) error {
	a, err := w.start(nil)
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	created := make(chan struct{})
	const last = 150
	seen := make(chan error, 1)
	go func() {
		seen <- follow(c.Watch(ctx, mirrored+"n", clientv3.WithCreatedNotify()), last, false, func() { close(created) })
	}()
	<-created
	newest := int64(0)
	for i := 1; i <= last; i++ {
		if i%50 == 25 {
			w.cluster.Members[i/50].Kill()
		}
		if i%50 == 49 {
			if err := w.cluster.Start(w.cluster.Members[i/50]); err != nil {
				return err
			}
			if err := w.cluster.Members[i/50].AwaitHealthy(startLimit); err != nil {
				return err
			}
		}
		value := strconv.Itoa(i)
		// A put that may or may not have been made is looked for before it is made again, so that each value is put once.
		if err := await("put "+value, startLimit, func() error { return once(c, mirrored+"n", value) }); err != nil {
			return err
		}
		if err := await("the copy to be of use again", startLimit, func() error {
			got, err := call(func(ctx context.Context) (*clientv3.GetResponse, error) {
				return c.Get(ctx, mirrored+"n", clientv3.WithSerializable())
			})
			if err != nil {
				return err
			}
			if got.Header.Revision < newest {
				return permanent{fmt.Errorf("revision %d after %d", got.Header.Revision, newest)}
			}
			newest = got.Header.Revision
			if string(got.Kvs[0].Value) != value {
				return permanent{fmt.Errorf("read %s behind the put of %s", got.Kvs[0].Value, value)}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return <-seen
}

// once puts a value unless it is there.
func once(c *clientv3.Client, key, value string) error {
	_, err := call(func(ctx context.Context) (*clientv3.TxnResponse, error) {
		return c.Txn(ctx).If(clientv3.Compare(clientv3.Value(key), "!=", value)).Then(clientv3.OpPut(key, value)).
			Else(clientv3.OpTxn([]clientv3.Cmp{clientv3.Compare(clientv3.Version(key), "=", 0)}, []clientv3.Op{clientv3.OpPut(key, value)}, nil)).Commit()
	})
	return err
}

// serializable reads without clientv3's own repetitions, with what stands in the headers.
func serializable(a *agent) (*pb.RangeResponse, metadata.MD, error) {
	conn, err := grpc.NewClient(strings.TrimPrefix(a.url, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close()
	var headers metadata.MD
	got, err := call(func(ctx context.Context) (*pb.RangeResponse, error) {
		return pb.NewKVClient(conn).Range(ctx, &pb.RangeRequest{Key: []byte(mirrored + "x"), Serializable: true}, grpc.Header(&headers))
	})
	return got, headers, err
}

// cutOff: without the cluster an agent serves serializable reads if it was asked to, marked, and refuses the rest in time; it recovers by itself.
func cutOff(w *world) error {
	if _, err := call(func(ctx context.Context) (*clientv3.PutResponse, error) {
		return w.root.Put(ctx, mirrored+"x", "before")
	}); err != nil {
		return err
	}
	for _, stale := range []bool{true, false} {
		all, urls, err := gates(w)
		if err != nil {
			return err
		}
		var more []string
		if stale {
			more = append(more, "--stale-reads")
		}
		a, err := w.start(urls, more...)
		if err != nil {
			return err
		}
		if got, headers, err := serializable(a); err != nil || len(got.Kvs) != 1 || len(headers["kvorum-stale"]) > 0 {
			return fmt.Errorf("connected: %v, %v, %w", got, headers, err)
		}
		for _, g := range all {
			g.close()
		}
		if err := await("the agent to notice", eventually, func() error {
			got, headers, err := serializable(a)
			switch {
			case stale && err == nil && len(headers["kvorum-stale"]) == 1 && string(got.Kvs[0].Value) == "before":
				return nil
			case !stale && err != nil && strings.Contains(err.Error(), "etcdserver: "):
				return nil
			}
			return fmt.Errorf("%v, %v, %w", got, headers, err)
		}); err != nil {
			return fmt.Errorf("stale reads %t: %w", stale, err)
		}
		if err := refused(a); err != nil {
			return err
		}
		for _, g := range all {
			g.open()
		}
		if err := await("the agent to be back", eventually, func() error {
			got, headers, err := serializable(a)
			if err == nil && (len(headers["kvorum-stale"]) > 0 || len(got.Kvs) != 1) {
				err = fmt.Errorf("%v, %v", got, headers)
			}
			return err
		}); err != nil {
			return err
		}
		if err := a.stop(); err != nil {
			return err
		}
	}
	return nil
}

// refused: linearizable reads and writes end with an error of etcd's, in time.
func refused(a *agent) error {
	conn, err := grpc.NewClient(strings.TrimPrefix(a.url, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	kv := pb.NewKVClient(conn)
	for name, do := range map[string]func(context.Context) error{
		"get": func(ctx context.Context) error {
			_, err := kv.Range(ctx, &pb.RangeRequest{Key: []byte(mirrored + "x")})
			return err
		},
		"put": func(ctx context.Context) error {
			_, err := kv.Put(ctx, &pb.PutRequest{Key: []byte(mirrored + "x")})
			return err
		},
	} {
		if _, err := call(func(ctx context.Context) (any, error) { return nil, do(ctx) }); err == nil || !strings.Contains(err.Error(), "etcdserver: ") {
			return fmt.Errorf("%s without the cluster: %v", name, err)
		}
	}
	return nil
}

// compacted: what was compacted away while the agent could not see it ends its watches as etcd ends them, and reads are of the new state.
func compacted(w *world) error {
	all, urls, err := gates(w)
	if err != nil {
		return err
	}
	if _, err := call(func(ctx context.Context) (*clientv3.PutResponse, error) { return w.root.Put(ctx, mirrored+"gone", "x") }); err != nil {
		return err
	}
	a, err := w.start(urls, "--stale-reads")
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	events := c.Watch(ctx, mirrored, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	if r := <-events; r.Err() != nil {
		return r.Err()
	}
	for _, g := range all {
		g.close()
	}
	if _, err := call(func(ctx context.Context) (*clientv3.DeleteResponse, error) {
		return w.root.Delete(ctx, mirrored+"gone")
	}); err != nil {
		return err
	}
	var newest int64
	for i := range 50 {
		put, err := call(func(ctx context.Context) (*clientv3.PutResponse, error) {
			return w.root.Put(ctx, mirrored+"kept", strconv.Itoa(i))
		})
		if err != nil {
			return err
		}
		newest = put.Header.Revision
	}
	if _, err := call(func(ctx context.Context) (*clientv3.CompactResponse, error) {
		return w.root.Compact(ctx, newest, clientv3.WithCompactPhysical())
	}); err != nil {
		return err
	}
	for _, g := range all {
		g.open()
	}
	select {
	case r := <-events:
		if r.CompactRevision != newest || len(r.Events) > 0 {
			return fmt.Errorf("the watch was told %v, events %v, and not that %d is compacted", r.Err(), r.Events, newest)
		}
	case <-time.After(eventually):
		return errors.New("the watch was told nothing")
	}
	return await("the new state", eventually, func() error {
		got, err := call(func(ctx context.Context) (*clientv3.GetResponse, error) {
			return c.Get(ctx, mirrored, clientv3.WithPrefix(), clientv3.WithSerializable())
		})
		if err == nil && (len(got.Kvs) != 1 || string(got.Kvs[0].Value) != "49" || got.Header.Revision < newest) {
			err = fmt.Errorf("%v at %d", got.Kvs, got.Header.Revision)
		}
		return err
	})
}

// revoked: once the agent's user is gone nothing comes through it any more, also not from its copy.
func revoked(w *world) error {
	if _, err := call(func(ctx context.Context) (*clientv3.PutResponse, error) { return w.root.Put(ctx, mirrored+"x", "x") }); err != nil {
		return err
	}
	a, err := w.start(nil, "--stale-reads")
	if err != nil {
		return err
	}
	if _, _, err := serializable(a); err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	events := c.Watch(ctx, mirrored, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	if r := <-events; r.Err() != nil {
		return r.Err()
	}
	if _, err := call(func(ctx context.Context) (*clientv3.AuthUserDeleteResponse, error) {
		return w.root.UserDelete(ctx, user)
	}); err != nil {
		return err
	}
	begin := time.Now()
	if err := await("the agent to notice", eventually, func() error {
		got, _, err := serializable(a)
		if err == nil {
			return fmt.Errorf("it still says %v", got.Kvs)
		}
		return nil
	}); err != nil {
		return err
	}
	w.note("noticed after %s", time.Since(begin).Round(10*time.Millisecond))
	if _, err := call(func(ctx context.Context) (*clientv3.PutResponse, error) {
		return w.root.Put(ctx, mirrored+"secret", "x")
	}); err != nil {
		return err
	}
	deadline := time.After(2 * time.Second)
	for {
		select {
		case r, open := <-events:
			if !open {
				return nil
			}
			if len(r.Events) > 0 {
				return fmt.Errorf("the watch goes on: %v", r.Events)
			}
		case <-deadline:
			return nil
		}
	}
}

// stopped: an agent that is asked to end does so, and its clients hear it.
func stopped(w *world) error {
	a, err := w.start(nil)
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := a.stop(); err != nil {
		return err
	}
	// As etcd does: its work done, it ends by the signal that it was sent.
	if status := a.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGTERM {
		return fmt.Errorf("ended with %s: %s", a.cmd.ProcessState, a.tail())
	}
	w.note("ended after %s", time.Since(begin).Round(10*time.Millisecond))
	return nil
}
