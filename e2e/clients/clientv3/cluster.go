package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

var clusterCases = []check{
	{"status, hash and member list agree", func(w *world) error {
		list, err := w.c.MemberList(w.ctx)
		if err != nil {
			return err
		}
		if err := expect(len(list.Members) == 3, "%v", list); err != nil {
			return err
		}
		p, err := w.c.Put(w.ctx, w.key("a"), "1")
		if err != nil {
			return err
		}
		hashes := map[uint32]bool{}
		leaders := map[uint64]bool{}
		for _, m := range list.Members {
			if m.Name == "" || len(m.ClientURLs) != 1 || m.IsLearner {
				return fmt.Errorf("member %v", m)
			}
			// A linearizable read makes sure that the member has applied the put.
			c, err := clientv3.New(clientv3.Config{Endpoints: m.ClientURLs})
			if err != nil {
				return err
			}
			_, err = c.Get(w.ctx, w.key("a"))
			c.Close()
			if err != nil {
				return err
			}
			st, err := w.c.Status(w.ctx, m.ClientURLs[0])
			if err != nil {
				return err
			}
			h, err := w.c.HashKV(w.ctx, m.ClientURLs[0], p.Header.Revision)
			if err != nil {
				return err
			}
			hashes[h.Hash] = true
			leaders[st.Leader] = true
			if err := expect(st.Header.MemberId == m.ID && st.Version == "3.6.16" && st.RaftTerm > 0 && st.RaftAppliedIndex > 0 && st.DbSize > 0, "%v", st); err != nil {
				return err
			}
		}
		return first(expect(len(hashes) == 1, "%d different hashes", len(hashes)), expect(len(leaders) == 1 && !leaders[0], "leaders %v", leaders))
	}},
	{"move leader", func(w *world) error {
		l, err := w.cluster.Leader(10 * time.Second)
		if err != nil {
			return err
		}
		c, err := w.cluster.Client(l)
		if err != nil {
			return err
		}
		defer c.Close()
		st, err := c.Status(w.ctx, l.Client)
		if err != nil {
			return err
		}
		list, err := c.MemberList(w.ctx)
		if err != nil {
			return err
		}
		_, bad := c.MoveLeader(w.ctx, 12345)
		for _, m := range list.Members {
			if m.ID != st.Leader {
				if _, err := c.MoveLeader(w.ctx, m.ID); err != nil {
					return err
				}
				now, err := c.Status(w.ctx, l.Client)
				_, not := c.MoveLeader(w.ctx, st.Leader)
				return first(err, expect(now.Leader == m.ID, "leader is %x, not %x", now.Leader, m.ID), expect(bad != nil && bad.Error() == "etcdserver: bad leader transferee", "%v", bad),
					expect(errors.Is(not, rpctypes.ErrNotLeader), "%v", not))
			}
		}
		return errors.New("no other member")
	}},
	{"leases survive a leader change", func(w *world) error {
		g, err := w.c.Grant(w.ctx, 30)
		if err != nil {
			return err
		}
		l, err := w.cluster.Leader(10 * time.Second)
		if err != nil {
			return err
		}
		if err := l.Stop(10 * time.Second); err != nil {
			return err
		}
		if _, err := w.cluster.Leader(10 * time.Second); err != nil {
			return err
		}
		t, err := w.c.TimeToLive(w.ctx, g.ID)
		if err := first(err, expect(err != nil || t.TTL > 25, "%v", t)); err != nil {
			return err
		}
		if err := w.cluster.Start(l); err != nil {
			return err
		}
		return l.AwaitHealthy(20 * time.Second)
	}},
	{"a watch and a keep alive go on while members restart one by one", func(w *world) error {
		lease, err := w.c.Grant(w.ctx, 10)
		if err != nil {
			return err
		}
		beats, err := w.c.KeepAlive(w.ctx, lease.ID)
		if err != nil {
			return err
		}
		watch := w.c.Watch(w.ctx, w.prefix, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
		if r := <-watch; !r.Created {
			return fmt.Errorf("not created: %v, %v", r, r.Err())
		}
		n := 0
		for _, m := range w.cluster.Members {
			if err := m.Stop(10 * time.Second); err != nil {
				return err
			}
			// While one of three is away, writes must succeed; a call in flight on the broken connection may fail and is repeated.
			put := func() error {
				var last error
				for i := 0; i < 20; i++ {
					ctx, cancel := context.WithTimeout(w.ctx, 3*time.Second)
					_, last = w.c.Put(ctx, w.key(fmt.Sprint(n)), "")
					cancel()
					if last == nil {
						n++
						return nil
					}
					time.Sleep(100 * time.Millisecond)
				}
				return last
			}
			if err := put(); err != nil {
				return fmt.Errorf("%s away: %w", m.Name, err)
			}
			if err := w.cluster.Start(m); err != nil {
				return err
			}
			if err := m.AwaitHealthy(20 * time.Second); err != nil {
				return err
			}
		}
		seen := map[string]bool{}
		for len(seen) < n {
			select {
			case r, ok := <-watch:
				if !ok {
					return errors.New("the watch ended")
				}
				if err := r.Err(); err != nil {
					return err
				}
				for _, e := range r.Events {
					seen[string(e.Kv.Key)] = true
				}
			case <-time.After(20 * time.Second):
				return fmt.Errorf("%d of %d events", len(seen), n)
			}
		}
		for {
			select {
			case b, ok := <-beats:
				if !ok {
					return errors.New("keep alive ended")
				}
				_ = b
				continue
			default:
			}
			break
		}
		t, err := w.c.TimeToLive(w.ctx, lease.ID)
		return first(err, expect(t.TTL > 0, "lease lost: %v", t))
	}},
	{"learner: add, refuse, catch up, promote, remove", func(w *world) error {
		for i := 0; i < 100; i++ {
			if _, err := w.c.Put(w.ctx, w.key(fmt.Sprint(i)), "v"); err != nil {
				return err
			}
		}
		m, err := w.cluster.Place("m3")
		if err != nil {
			return err
		}
		defer func() { w.cluster.Members = w.cluster.Members[:3] }()
		added, err := addWhenHealthy(w, m.Peer)
		if err != nil {
			return err
		}
		_, second := w.c.MemberAddAsLearner(w.ctx, []string{"http://127.0.0.1:1"})
		_, early := w.c.MemberPromote(w.ctx, added.Member.ID)
		if err := first(expect(added.Member.IsLearner && len(added.Members) == 4, "%v", added), expect(errors.Is(second, rpctypes.ErrTooManyLearners), "second learner: %v", second),
			expect(errors.Is(early, rpctypes.ErrMemberLearnerNotReady), "promotion before start: %v", early)); err != nil {
			return err
		}
		w.cluster.Joining(w.cluster.Initial() + "," + m.Name + "=" + m.Peer)
		if err := w.cluster.Start(m); err != nil {
			return err
		}
		defer m.Kill()
		if err := m.AwaitServing(20 * time.Second); err != nil {
			return err
		}
		c, err := w.cluster.Client(m)
		if err != nil {
			return err
		}
		defer c.Close()
		_, refused := c.Put(w.ctx, w.key("x"), "")
		if err := expect(refused != nil && refused.Error() == "etcdserver: rpc not supported for learner", "put on a learner: %v", refused); err != nil {
			return err
		}
		voters, err := w.cluster.Client(w.cluster.Members[:3]...)
		if err != nil {
			return err
		}
		defer voters.Close()
		for {
			_, err := voters.MemberPromote(w.ctx, added.Member.ID)
			if err == nil {
				break
			}
			if !errors.Is(err, rpctypes.ErrMemberLearnerNotReady) {
				return err
			}
			time.Sleep(100 * time.Millisecond)
		}
		_, again := voters.MemberPromote(w.ctx, added.Member.ID)
		if err := expect(errors.Is(again, rpctypes.ErrMemberNotLearner), "promotion of a voter: %v", again); err != nil {
			return err
		}
		if err := m.AwaitHealthy(10 * time.Second); err != nil {
			return err
		}
		g, err := c.Get(w.ctx, w.prefix, clientv3.WithPrefix(), clientv3.WithCountOnly())
		if err := first(err, expect(err != nil || g.Count == 100, "%v", g)); err != nil {
			return err
		}
		if _, err := voters.MemberRemove(w.ctx, added.Member.ID); err != nil {
			return err
		}
		_, twice := voters.MemberRemove(w.ctx, added.Member.ID)
		if err := expect(errors.Is(twice, rpctypes.ErrMemberNotFound), "removal of a removed member: %v", twice); err != nil {
			return err
		}
		_, err = m.AwaitEnd(20 * time.Second)
		return err
	}},
	{"bad member URLs, unknown members", func(w *world) error {
		_, bad := w.c.Cluster.MemberAdd(w.ctx, []string{"not a url"})
		_, unknown := w.c.MemberRemove(w.ctx, 4711)
		list, err := w.c.MemberList(w.ctx)
		if err != nil {
			return err
		}
		_, exists := w.c.MemberAdd(w.ctx, list.Members[0].PeerURLs)
		return first(expect(bad != nil, "a bad URL was taken"), expect(errors.Is(unknown, rpctypes.ErrMemberNotFound), "%v", unknown),
			expect(errors.Is(exists, rpctypes.ErrPeerURLExist), "%v", exists))
	}},
	{"all members restart and nothing is lost", func(w *world) error {
		for i := 0; i < 200; i++ {
			if _, err := w.c.Put(w.ctx, w.key(fmt.Sprintf("%03d", i)), fmt.Sprint(i)); err != nil {
				return err
			}
		}
		for _, m := range w.cluster.Members {
			m.Kill()
		}
		for _, m := range w.cluster.Members {
			if err := w.cluster.Start(m); err != nil {
				return err
			}
		}
		for _, m := range w.cluster.Members {
			if err := m.AwaitHealthy(30 * time.Second); err != nil {
				return err
			}
		}
		var last error
		for i := 0; i < 20; i++ {
			var g *clientv3.GetResponse
			if g, last = w.c.Get(w.ctx, w.prefix, clientv3.WithPrefix()); last == nil {
				return expect(g.Count == 200 && string(g.Kvs[199].Value) == "199", "%d keys", g.Count)
			}
			time.Sleep(100 * time.Millisecond)
		}
		return last
	}},
}

// addWhenHealthy adds a learner; just after restarts the strict reconfiguration check rightly says "unhealthy cluster" for five seconds.
func addWhenHealthy(w *world, peer string) (*clientv3.MemberAddResponse, error) {
	for {
		r, err := w.c.MemberAddAsLearner(w.ctx, []string{peer})
		if err == nil || !errors.Is(err, rpctypes.ErrUnhealthy) {
			return r, err
		}
		select {
		case <-w.ctx.Done():
			return nil, err
		case <-time.After(200 * time.Millisecond):
		}
	}
}
