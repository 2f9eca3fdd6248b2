package main

import (
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

var leaseCases = []check{
	{"grant, time to live, list, revoke", func(w *world) error {
		l, err := w.c.Grant(w.ctx, 60)
		if err != nil {
			return err
		}
		for _, k := range []string{"a", "b"} {
			if _, err := w.c.Put(w.ctx, w.key(k), "", clientv3.WithLease(l.ID)); err != nil {
				return err
			}
		}
		t, err := w.c.TimeToLive(w.ctx, l.ID, clientv3.WithAttachedKeys())
		if err != nil {
			return err
		}
		list, err := w.c.Leases(w.ctx)
		if err != nil {
			return err
		}
		listed := false
		for _, s := range list.Leases {
			listed = listed || s.ID == l.ID
		}
		r, err := w.c.Revoke(w.ctx, l.ID)
		if err != nil {
			return err
		}
		g, err := w.c.Get(w.ctx, w.prefix, clientv3.WithPrefix())
		if err != nil {
			return err
		}
		gone, err := w.c.TimeToLive(w.ctx, l.ID)
		_, twice := w.c.Revoke(w.ctx, l.ID)
		return first(err, expect(t.TTL >= 55 && t.TTL <= 60 && t.GrantedTTL == 60 && len(t.Keys) == 2, "%v", t), expect(listed, "not listed"),
			expect(g.Count == 0 && g.Header.Revision == r.Header.Revision, "keys outlive their lease: %v", g),
			expect(gone.TTL == -1, "%v", gone), expect(errors.Is(twice, rpctypes.ErrLeaseNotFound), "%v", twice))
	}},
	{"bounds of the time to live", func(w *world) error {
		_, large := w.c.Grant(w.ctx, 9_000_000_001)
		small, err := w.c.Grant(w.ctx, 1)
		return first(err, expect(errors.Is(large, rpctypes.ErrLeaseTTLTooLarge), "%v", large), expect(small.TTL == 2, "%v", small))
	}},
	{"keep alive on every member", func(w *world) error {
		for _, m := range w.cluster.Members {
			c, err := w.cluster.Client(m)
			if err != nil {
				return err
			}
			l, err := c.Grant(w.ctx, 3)
			if err != nil {
				return fmt.Errorf("%s: %w", m.Name, err)
			}
			r, err := c.KeepAliveOnce(w.ctx, l.ID)
			if err := first(err, expect(err != nil || r.TTL == 3, "%v", r)); err != nil {
				return fmt.Errorf("%s: %w", m.Name, err)
			}
			ch, err := c.KeepAlive(w.ctx, l.ID)
			if err != nil {
				return err
			}
			deadline := time.After(5 * time.Second)
			for beats := 0; beats < 3; {
				select {
				case b, ok := <-ch:
					if !ok || b.TTL != 3 {
						return fmt.Errorf("%s: keep alive ended: %v", m.Name, b)
					}
					beats++
				case <-deadline:
					return fmt.Errorf("%s: %d beats in 5 s", m.Name, beats)
				}
			}
			c.Close()
		}
		return nil
	}},
	{"keep alive of an unknown lease", func(w *world) error {
		_, err := w.c.KeepAliveOnce(w.ctx, 987654321)
		return expect(errors.Is(err, rpctypes.ErrLeaseNotFound), "%v", err)
	}},
	{"expiry deletes the keys", func(w *world) error {
		l, err := w.c.Grant(w.ctx, 2)
		if err != nil {
			return err
		}
		start := time.Now()
		p, err := w.c.Put(w.ctx, w.key("a"), "", clientv3.WithLease(l.ID))
		if err != nil {
			return err
		}
		for e := range w.c.Watch(w.ctx, w.key("a"), clientv3.WithRev(p.Header.Revision+1)) {
			if len(e.Events) > 0 {
				took := time.Since(start)
				return expect(e.Events[0].Type == clientv3.EventTypeDelete && took > 1800*time.Millisecond && took < 6*time.Second, "%v after %s", e.Events[0], took)
			}
		}
		return errors.New("the watch ended")
	}},
	{"closing the lease client ends its keep alives", func(w *world) error {
		c, err := w.cluster.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		l, err := c.Grant(w.ctx, 30)
		if err != nil {
			return err
		}
		ch, err := c.KeepAlive(w.ctx, l.ID)
		if err != nil {
			return err
		}
		<-ch
		if err := c.Lease.Close(); err != nil {
			return err
		}
		for {
			select {
			case _, ok := <-ch:
				if !ok {
					return nil
				}
			case <-time.After(5 * time.Second):
				return errors.New("still open")
			}
		}
	}},
}
