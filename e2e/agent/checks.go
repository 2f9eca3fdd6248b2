package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

const (
	localWatchers = 1_000
	watchClients  = 10
)

// reads: own writes are read at once by whatever read, revisions never go back, and all other services work as ever.
func reads(w *world) error {
	a, err := w.start(nil)
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	newest := int64(0)
	see := func(revision int64) error {
		if revision < newest {
			return fmt.Errorf("revision %d after %d", revision, newest)
		}
		newest = revision
		return nil
	}
	for i := range 200 {
		key, value := fmt.Sprintf("%s%d", mirrored, i%20), strconv.Itoa(i)
		put, err := call(func(ctx context.Context) (*clientv3.PutResponse, error) { return c.Put(ctx, key, value) })
		if err != nil {
			return err
		}
		if err := see(put.Header.Revision); err != nil {
			return err
		}
		// Elsewhere things happen too, which the copy does not hold.
		if _, err := call(func(ctx context.Context) (*clientv3.PutResponse, error) { return w.root.Put(ctx, "other/x", value) }); err != nil {
			return err
		}
		for _, options := range [][]clientv3.OpOption{{clientv3.WithSerializable()}, nil, {clientv3.WithSerializable()}} {
			got, err := call(func(ctx context.Context) (*clientv3.GetResponse, error) { return c.Get(ctx, key, options...) })
			if err != nil {
				return err
			}
			if err := see(got.Header.Revision); err != nil {
				return err
			}
			if len(got.Kvs) != 1 || string(got.Kvs[0].Value) != value || got.Kvs[0].ModRevision != put.Header.Revision {
				return fmt.Errorf("%s is %v, was put as %s at %d", key, got.Kvs, value, put.Header.Revision)
			}
		}
	}
	if err := same(w, c, newest); err != nil {
		return err
	}
	return others(c)
}

// same compares what the agent and the cluster answer at one revision, in several shapes.
func same(w *world, c *clientv3.Client, revision int64) error {
	shapes := [][]clientv3.OpOption{
		{clientv3.WithPrefix()},
		{clientv3.WithPrefix(), clientv3.WithCountOnly()},
		{clientv3.WithPrefix(), clientv3.WithKeysOnly(), clientv3.WithLimit(7)},
		{clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByModRevision, clientv3.SortDescend), clientv3.WithLimit(3)},
		{clientv3.WithPrefix(), clientv3.WithMinModRev(revision - 20)},
		{clientv3.WithPrefix(), clientv3.WithRev(revision - 1)},
	}
	for i, shape := range shapes {
		theirs, err := call(func(ctx context.Context) (*clientv3.GetResponse, error) { return w.root.Get(ctx, mirrored, shape...) })
		if err != nil {
			return err
		}
		ours, err := call(func(ctx context.Context) (*clientv3.GetResponse, error) {
			return c.Get(ctx, mirrored, append([]clientv3.OpOption{clientv3.WithSerializable()}, shape...)...)
		})
		if err != nil {
			return err
		}
		if fmt.Sprint(theirs.Kvs) != fmt.Sprint(ours.Kvs) || theirs.Count != ours.Count || theirs.More != ours.More {
			return fmt.Errorf("shape %d: the cluster has %d of %d, the agent %d of %d", i, len(theirs.Kvs), theirs.Count, len(ours.Kvs), ours.Count)
		}
		if theirs.Header.ClusterId != ours.Header.ClusterId {
			return fmt.Errorf("cluster %x became %x", theirs.Header.ClusterId, ours.Header.ClusterId)
		}
	}
	return nil
}

// others: leases, transactions, locks.
func others(c *clientv3.Client) error {
	lease, err := call(func(ctx context.Context) (*clientv3.LeaseGrantResponse, error) { return c.Grant(ctx, 60) })
	if err != nil {
		return err
	}
	if _, err := call(func(ctx context.Context) (*clientv3.LeaseKeepAliveResponse, error) {
		return c.KeepAliveOnce(ctx, lease.ID)
	}); err != nil {
		return err
	}
	txn, err := call(func(ctx context.Context) (*clientv3.TxnResponse, error) {
		return c.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(mirrored+"leased"), "=", 0)).
			Then(clientv3.OpPut(mirrored+"leased", "x", clientv3.WithLease(lease.ID))).Commit()
	})
	if err != nil || !txn.Succeeded {
		return fmt.Errorf("transaction: %v, %w", txn, err)
	}
	if _, err := call(func(ctx context.Context) (*clientv3.LeaseRevokeResponse, error) { return c.Revoke(ctx, lease.ID) }); err != nil {
		return err
	}
	got, err := call(func(ctx context.Context) (*clientv3.GetResponse, error) {
		return c.Get(ctx, mirrored+"leased", clientv3.WithSerializable())
	})
	if err != nil || len(got.Kvs) != 0 {
		return fmt.Errorf("after the lease: %v, %w", got, err)
	}
	session, err := concurrency.NewSession(c, concurrency.WithTTL(10))
	if err != nil {
		return err
	}
	defer session.Close()
	mutex := concurrency.NewMutex(session, mirrored+"lock")
	ctx, cancel := context.WithTimeout(context.Background(), callLimit)
	defer cancel()
	return errors.Join(mutex.Lock(ctx), mutex.Unlock(ctx))
}

// watchersOf sums the watchers of all members, which have them in their metrics.
func watchersOf(w *world) (int, error) {
	sum := 0
	for _, m := range w.cluster.Members {
		if !m.Running() {
			continue
		}
		n, err := metric(m.Client+"/metrics", "etcd_debugging_mvcc_watcher_total")
		if err != nil {
			return 0, err
		}
		sum += int(n)
	}
	return sum, nil
}

// metric is one figure without labels.
func metric(url, name string) (float64, error) {
	r, err := (&http.Client{Timeout: callLimit}).Get(url)
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	text := new(strings.Builder)
	if _, err := fmt.Fprint(text, readAll(r.Body)); err != nil {
		return 0, err
	}
	for line := range strings.Lines(text.String()) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(rest), 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", url, name)
}

// watchers: a thousand at the agent are one at the cluster, and each sees every change once and in order; a past revision works as well.
func watchers(w *world) error {
	before, err := watchersOf(w)
	if err != nil {
		return err
	}
	a, err := w.start(nil)
	if err != nil {
		return err
	}
	writer, err := a.client()
	if err != nil {
		return err
	}
	first, err := call(func(ctx context.Context) (*clientv3.PutResponse, error) { return writer.Put(ctx, mirrored+"k", "0") })
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	const changes = 20
	var open, done sync.WaitGroup
	failures := make(chan error, localWatchers)
	for i := range watchClients {
		c, err := a.client()
		if err != nil {
			return err
		}
		for j := range localWatchers / watchClients {
			options := []clientv3.OpOption{clientv3.WithCreatedNotify(), clientv3.WithPrefix()}
			past := (i+j)%10 == 0
			if past {
				options = append(options, clientv3.WithRev(first.Header.Revision))
			}
			open.Add(1)
			done.Go(func() { failures <- follow(c.Watch(ctx, mirrored+"k", options...), changes, past, open.Done) })
		}
	}
	open.Wait()
	during, err := watchersOf(w)
	if err != nil {
		return err
	}
	if during-before != 1 {
		return fmt.Errorf("%d watchers at the agent are %d at the cluster", localWatchers, during-before)
	}
	for i := 1; i <= changes; i++ {
		if _, err := call(func(ctx context.Context) (*clientv3.PutResponse, error) {
			return w.root.Put(ctx, mirrored+"k", strconv.Itoa(i))
		}); err != nil {
			return err
		}
	}
	done.Wait()
	for range localWatchers {
		if err := <-failures; err != nil {
			return err
		}
	}
	w.note("%d watchers at the agent, 1 at the cluster", localWatchers)
	return nil
}

// follow expects the values 1 (0 for one that began in the past) to last, each once.
func follow(events clientv3.WatchChan, last int, past bool, created func()) error {
	next := 1
	if past {
		next = 0
	}
	opened := false
	for response := range events {
		if !opened {
			opened = true
			created()
		}
		if err := response.Err(); err != nil {
			return err
		}
		for _, e := range response.Events {
			if string(e.Kv.Value) != strconv.Itoa(next) {
				return fmt.Errorf("saw %s, expected %d", e.Kv.Value, next)
			}
			next++
		}
		if next > last {
			return nil
		}
	}
	if !opened {
		created()
	}
	return fmt.Errorf("the watch ended before %d", next)
}

// permissions: what the agent's user may not do is refused, whatever the way.
func permissions(w *world) error {
	a, err := w.start(nil)
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	denied := map[string]func(context.Context) error{
		"get": func(ctx context.Context) error { _, err := c.Get(ctx, "other/secret"); return err },
		"serializable get": func(ctx context.Context) error {
			_, err := c.Get(ctx, "other/secret", clientv3.WithSerializable())
			return err
		},
		"whole range": func(ctx context.Context) error {
			_, err := c.Get(ctx, "", clientv3.WithPrefix(), clientv3.WithSerializable())
			return err
		},
		"wider range": func(ctx context.Context) error {
			_, err := c.Get(ctx, "app.", clientv3.WithRange("app0"), clientv3.WithSerializable())
			return err
		},
		"put":    func(ctx context.Context) error { _, err := c.Put(ctx, "other/x", "x"); return err },
		"delete": func(ctx context.Context) error { _, err := c.Delete(ctx, "other/secret"); return err },
		"transaction": func(ctx context.Context) error {
			_, err := c.Txn(ctx).Then(clientv3.OpTxn(nil, []clientv3.Op{clientv3.OpGet("other/secret")}, nil)).Commit()
			return err
		},
		"watch": func(ctx context.Context) error {
			for r := range c.Watch(ctx, "other/", clientv3.WithPrefix(), clientv3.WithCreatedNotify()) {
				if r.Err() != nil {
					return r.Err()
				}
				if r.Created || len(r.Events) > 0 {
					return nil
				}
			}
			return rpctypes.ErrPermissionDenied
		},
		"users": func(ctx context.Context) error { _, err := c.UserList(ctx); return err },
		"member": func(ctx context.Context) error {
			_, err := c.MemberAdd(ctx, []string{"http://127.0.0.1:1"})
			return err
		},
		"snapshot": func(ctx context.Context) error {
			in, err := c.Snapshot(ctx)
			if err != nil {
				return err
			}
			_, err = in.Read(make([]byte, 1))
			return err
		},
	}
	for name, do := range denied {
		_, err := call(func(ctx context.Context) (any, error) { return nil, do(ctx) })
		if err == nil || !strings.Contains(err.Error(), "permission denied") {
			return fmt.Errorf("%s: %v", name, err)
		}
	}
	// A caller that has stolen nothing cannot make itself somebody else by naming him.
	if _, err := call(func(ctx context.Context) (*clientv3.GetResponse, error) {
		return c.Get(metadataOf(ctx, "token", "root.1"), "other/secret")
	}); err == nil {
		return errors.New("a made-up token reads what the agent's user may not")
	}
	return nil
}
