package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// check reads everything back through every member and compares contents.
func (w *world) check(ctx context.Context) error {
	for _, m := range w.cluster.Members {
		if err := m.AwaitHealthy(backLimit); err != nil {
			return err
		}
	}
	// What is acknowledged now must be visible in a linearizable read that begins later, through every member.
	floor := make([]map[string]int, len(w.writers))
	for i, wr := range w.writers {
		wr.mu.Lock()
		floor[i] = map[string]int{}
		for k, n := range wr.acked {
			floor[i][k] = n
		}
		wr.mu.Unlock()
	}
	var revision int64
	for _, m := range w.cluster.Members {
		c, err := w.cluster.Client(m)
		if err != nil {
			return err
		}
		for i, wr := range w.writers {
			g, err := getAll(ctx, c, fmt.Sprintf("w%d/", i))
			if err != nil {
				c.Close()
				return fmt.Errorf("%s: %w", m.Name, err)
			}
			got := map[string]int{}
			for _, kv := range g.Kvs {
				s, _, _ := strings.Cut(string(kv.Value), " ")
				got[string(kv.Key)], _ = strconv.Atoi(s)
			}
			wr.mu.Lock()
			for k, n := range floor[i] {
				if got[k] < n {
					err = fmt.Errorf("%s: %s is %d, but %d was acknowledged", m.Name, k, got[k], n)
				}
				if got[k] > wr.tried[k] {
					err = fmt.Errorf("%s: %s is %d, but only %d was ever sent", m.Name, k, got[k], wr.tried[k])
				}
			}
			wr.mu.Unlock()
			if err != nil {
				c.Close()
				return err
			}
			revision = max(revision, g.Header.Revision)
		}
		c.Close()
	}
	return w.sameHash(ctx, revision)
}

func (w *world) sameHash(ctx context.Context, revision int64) error {
	var first *clientv3.HashKVResponse
	for _, m := range w.cluster.Members {
		c, err := w.cluster.Client(m)
		if err != nil {
			return err
		}
		// The linearizable read makes sure that this member has applied the revision.
		_, err = getAll(ctx, c, "none")
		var h *clientv3.HashKVResponse
		if err == nil {
			hc, cancel := context.WithTimeout(ctx, 10*time.Second)
			h, err = c.HashKV(hc, m.Client, revision)
			cancel()
		}
		c.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		if first == nil {
			first = h
		} else if first.CompactRevision == h.CompactRevision && first.Hash != h.Hash {
			return fmt.Errorf("contents differ at revision %d: %s has %d, another member %d", revision, m.Name, h.Hash, first.Hash)
		}
	}
	return nil
}

// getAll reads a prefix, again when the read was cut off by a leader change.
func getAll(ctx context.Context, c *clientv3.Client, prefix string) (*clientv3.GetResponse, error) {
	var last error
	for i := 0; i < 40; i++ {
		t, cancel := context.WithTimeout(ctx, 5*time.Second)
		g, err := c.Get(t, prefix, clientv3.WithPrefix())
		cancel()
		if err == nil {
			return g, nil
		}
		last = err
		time.Sleep(100 * time.Millisecond)
	}
	return nil, last
}
