package main

import (
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

var txnCases = []check{
	{"compare on value, version, revisions and lease", func(w *world) error {
		l, err := w.c.Grant(w.ctx, 60)
		if err != nil {
			return err
		}
		p, err := w.c.Put(w.ctx, w.key("a"), "v", clientv3.WithLease(l.ID))
		if err != nil {
			return err
		}
		rev := p.Header.Revision
		a := w.key("a")
		for _, t := range []struct {
			want bool
			cmp  clientv3.Cmp
		}{
			{true, clientv3.Compare(clientv3.Value(a), "=", "v")},
			{false, clientv3.Compare(clientv3.Value(a), "!=", "v")},
			{true, clientv3.Compare(clientv3.Value(a), "<", "w")},
			{false, clientv3.Compare(clientv3.Value(w.key("none")), "!=", "v")},
			{true, clientv3.Compare(clientv3.Version(a), "=", 1)},
			{true, clientv3.Compare(clientv3.Version(w.key("none")), "=", 0)},
			{true, clientv3.Compare(clientv3.CreateRevision(a), "=", rev)},
			{true, clientv3.Compare(clientv3.CreateRevision(a), ">", rev-1)},
			{true, clientv3.Compare(clientv3.ModRevision(a), "<", rev+1)},
			{true, clientv3.Compare(clientv3.LeaseValue(a), "=", int64(l.ID))},
			{false, clientv3.Compare(clientv3.LeaseValue(a), "=", 0)},
			{true, clientv3.Compare(clientv3.Value(w.prefix), "=", "v").WithPrefix()},
			{true, clientv3.Compare(clientv3.CreateRevision(w.key("x")), "=", 0).WithRange(w.key("y"))},
		} {
			r, err := w.c.Txn(w.ctx).If(t.cmp).Then().Else().Commit()
			if err := first(err, expect(err != nil || r.Succeeded == t.want, "%v: %v", t.cmp, r)); err != nil {
				return err
			}
		}
		return nil
	}},
	{"if, then, else: one revision for all writes", func(w *world) error {
		r, err := w.c.Txn(w.ctx).If(clientv3.Compare(clientv3.Version(w.key("a")), "=", 0)).
			Then(clientv3.OpPut(w.key("a"), "1"), clientv3.OpPut(w.key("b"), "2"), clientv3.OpGet(w.prefix, clientv3.WithPrefix())).
			Else(clientv3.OpGet(w.key("a"))).Commit()
		if err != nil {
			return err
		}
		again, err := w.c.Txn(w.ctx).If(clientv3.Compare(clientv3.Version(w.key("a")), "=", 0)).
			Then(clientv3.OpPut(w.key("a"), "9")).Else(clientv3.OpGet(w.key("a"))).Commit()
		if err != nil {
			return err
		}
		kvs := r.Responses[2].GetResponseRange().Kvs
		return first(expect(r.Succeeded && len(kvs) == 2 && kvs[0].ModRevision == kvs[1].ModRevision && kvs[0].ModRevision == r.Header.Revision, "%v", r),
			expect(!again.Succeeded && again.Header.Revision == r.Header.Revision && string(again.Responses[0].GetResponseRange().Kvs[0].Value) == "1", "%v", again))
	}},
	{"duplicate keys and too many operations are refused", func(w *world) error {
		_, dup := w.c.Txn(w.ctx).Then(clientv3.OpPut(w.key("a"), "1"), clientv3.OpPut(w.key("a"), "2")).Commit()
		_, overlap := w.c.Txn(w.ctx).Then(clientv3.OpDelete(w.prefix, clientv3.WithPrefix()), clientv3.OpPut(w.key("a"), "2")).Commit()
		var ops []clientv3.Op
		for i := 0; i < 129; i++ {
			ops = append(ops, clientv3.OpPut(w.key(fmt.Sprint(i)), ""))
		}
		_, many := w.c.Txn(w.ctx).Then(ops...).Commit()
		_, fits := w.c.Txn(w.ctx).Then(ops[:128]...).Commit()
		return first(expect(errors.Is(dup, rpctypes.ErrDuplicateKey), "%v", dup), expect(errors.Is(overlap, rpctypes.ErrDuplicateKey), "%v", overlap),
			expect(errors.Is(many, rpctypes.ErrTooManyOps), "%v", many), fits)
	}},
	{"a refused operation applies nothing", func(w *world) error {
		_, err := w.c.Txn(w.ctx).Then(clientv3.OpPut(w.key("a"), "1"), clientv3.OpPut(w.key("b"), "1", clientv3.WithLease(12345))).Commit()
		if err := expect(errors.Is(err, rpctypes.ErrLeaseNotFound), "%v", err); err != nil {
			return err
		}
		g, err := w.c.Get(w.ctx, w.prefix, clientv3.WithPrefix())
		return first(err, expect(g.Count == 0, "%v", g))
	}},
	{"software transactional memory", func(w *world) error {
		for i := 0; i < 10; i++ {
			if _, err := concurrency.NewSTM(w.c, func(s concurrency.STM) error {
				s.Put(w.key("n"), s.Get(w.key("n"))+"x")
				return nil
			}); err != nil {
				return err
			}
		}
		g, err := w.c.Get(w.ctx, w.key("n"))
		return first(err, expect(string(g.Kvs[0].Value) == "xxxxxxxxxx", "%s", g.Kvs[0].Value))
	}},
	{"mutex and election recipes", func(w *world) error {
		s, err := concurrency.NewSession(w.c, concurrency.WithTTL(10))
		if err != nil {
			return err
		}
		defer s.Close()
		m := concurrency.NewMutex(s, w.key("lock"))
		if err := m.Lock(w.ctx); err != nil {
			return err
		}
		s2, err := concurrency.NewSession(w.c, concurrency.WithTTL(10))
		if err != nil {
			return err
		}
		defer s2.Close()
		if err := concurrency.NewMutex(s2, w.key("lock")).TryLock(w.ctx); !errors.Is(err, concurrency.ErrLocked) {
			return fmt.Errorf("second owner: %v", err)
		}
		if err := m.Unlock(w.ctx); err != nil {
			return err
		}
		e := concurrency.NewElection(s, w.key("election"))
		if err := e.Campaign(w.ctx, "me"); err != nil {
			return err
		}
		l, err := e.Leader(w.ctx)
		return first(err, expect(string(l.Kvs[0].Value) == "me", "%v", l), e.Resign(w.ctx))
	}},
}
