package main

import (
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

var kvCases = []check{
	{"put, get, delete", func(w *world) error {
		p, err := w.c.Put(w.ctx, w.key("a"), "1")
		if err != nil {
			return err
		}
		g, err := w.c.Get(w.ctx, w.key("a"))
		if err != nil {
			return err
		}
		if len(g.Kvs) != 1 {
			return fmt.Errorf("%d keys", len(g.Kvs))
		}
		kv := g.Kvs[0]
		d, err := w.c.Delete(w.ctx, w.key("a"))
		if err != nil {
			return err
		}
		again, err := w.c.Delete(w.ctx, w.key("a"))
		return first(err,
			expect(string(kv.Value) == "1" && kv.Version == 1 && kv.CreateRevision == p.Header.Revision && kv.ModRevision == p.Header.Revision, "%v", kv),
			expect(d.Deleted == 1 && d.Header.Revision == p.Header.Revision+1, "delete %v", d),
			expect(again.Deleted == 0 && again.Header.Revision == d.Header.Revision, "a delete of nothing moved the revision: %v", again))
	}},
	{"put with previous pair, ignore value, ignore lease", func(w *world) error {
		if _, err := w.c.Put(w.ctx, w.key("a"), "1"); err != nil {
			return err
		}
		p, err := w.c.Put(w.ctx, w.key("a"), "2", clientv3.WithPrevKV())
		if err != nil {
			return err
		}
		if err := expect(p.PrevKv != nil && string(p.PrevKv.Value) == "1", "prev %v", p.PrevKv); err != nil {
			return err
		}
		l, err := w.c.Grant(w.ctx, 60)
		if err != nil {
			return err
		}
		if _, err := w.c.Put(w.ctx, w.key("a"), "", clientv3.WithIgnoreValue(), clientv3.WithLease(l.ID)); err != nil {
			return err
		}
		if _, err := w.c.Put(w.ctx, w.key("a"), "3", clientv3.WithIgnoreLease()); err != nil {
			return err
		}
		g, err := w.c.Get(w.ctx, w.key("a"))
		if err != nil {
			return err
		}
		_, missing := w.c.Put(w.ctx, w.key("none"), "", clientv3.WithIgnoreValue())
		return first(expect(string(g.Kvs[0].Value) == "3" && g.Kvs[0].Lease == int64(l.ID) && g.Kvs[0].Version == 4, "%v", g.Kvs[0]),
			expect(errors.Is(missing, rpctypes.ErrKeyNotFound), "ignore value on a missing key: %v", missing))
	}},
	{"empty key is refused, empty value is kept", func(w *world) error {
		_, err := w.c.Put(w.ctx, "", "x")
		if !errors.Is(err, rpctypes.ErrEmptyKey) {
			return fmt.Errorf("got %v", err)
		}
		if _, err := w.c.Put(w.ctx, w.key("e"), ""); err != nil {
			return err
		}
		g, err := w.c.Get(w.ctx, w.key("e"))
		return first(err, expect(g.Count == 1 && len(g.Kvs[0].Value) == 0, "%v", g))
	}},
	{"keys of any bytes", func(w *world) error {
		k := w.key("\x00\xff\x80 \n")
		v := strings.Repeat("\x00\xff", 100)
		if _, err := w.c.Put(w.ctx, k, v); err != nil {
			return err
		}
		g, err := w.c.Get(w.ctx, k)
		return first(err, expect(len(g.Kvs) == 1 && string(g.Kvs[0].Key) == k && string(g.Kvs[0].Value) == v, "%v", g))
	}},
	{"prefix paging by more and count", func(w *world) error {
		const n = 250
		for i := 0; i < n; i++ {
			if _, err := w.c.Put(w.ctx, w.key(fmt.Sprintf("p%04d", i)), "v"); err != nil {
				return err
			}
		}
		seen := 0
		from, end := w.key("p"), clientv3.GetPrefixRangeEnd(w.key("p"))
		var rev int64
		for {
			opts := []clientv3.OpOption{clientv3.WithRange(end), clientv3.WithLimit(100)}
			if rev > 0 {
				opts = append(opts, clientv3.WithRev(rev))
			}
			g, err := w.c.Get(w.ctx, from, opts...)
			if err != nil {
				return err
			}
			rev = g.Header.Revision
			if g.Count != int64(n-seen) {
				return fmt.Errorf("count %d after %d", g.Count, seen)
			}
			seen += len(g.Kvs)
			if !g.More {
				break
			}
			from = string(g.Kvs[len(g.Kvs)-1].Key) + "\x00"
		}
		c, err := w.c.Get(w.ctx, w.key("p"), clientv3.WithPrefix(), clientv3.WithCountOnly())
		return first(err, expect(seen == n, "%d seen", seen), expect(c.Count == n && len(c.Kvs) == 0, "count only %v", c))
	}},
	{"sort, keys only, from key, revision filters", func(w *world) error {
		var revs []int64
		for _, k := range []string{"c", "a", "b"} {
			p, err := w.c.Put(w.ctx, w.key(k), k+k)
			if err != nil {
				return err
			}
			revs = append(revs, p.Header.Revision)
		}
		order := func(opts ...clientv3.OpOption) string {
			g, err := w.c.Get(w.ctx, w.prefix, append(opts, clientv3.WithPrefix())...)
			if err != nil {
				return err.Error()
			}
			s := ""
			for _, kv := range g.Kvs {
				s += strings.TrimPrefix(string(kv.Key), w.prefix)
			}
			return s
		}
		keysOnly, err := w.c.Get(w.ctx, w.key("a"), clientv3.WithKeysOnly())
		if err != nil {
			return err
		}
		is := func(want, got string) error { return expect(want == got, "want %s, got %s", want, got) }
		return first(
			is("cba", order(clientv3.WithSort(clientv3.SortByKey, clientv3.SortDescend))),
			is("cab", order(clientv3.WithSort(clientv3.SortByModRevision, clientv3.SortAscend))),
			is("bac", order(clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortDescend))),
			is("abc", order(clientv3.WithSort(clientv3.SortByValue, clientv3.SortAscend))),
			is("abc", order(clientv3.WithSort(clientv3.SortByVersion, clientv3.SortAscend))),
			is("b", order(clientv3.WithMinModRev(revs[2]))),
			is("c", order(clientv3.WithMaxModRev(revs[0]))),
			is("ab", order(clientv3.WithMinCreateRev(revs[1]))),
			is("c", order(clientv3.WithLastKey()...)[:1]),
			is("b", order(clientv3.WithLastRev()...)),
			is("c", order(clientv3.WithFirstCreate()...)),
			expect(len(keysOnly.Kvs) == 1 && len(keysOnly.Kvs[0].Value) == 0 && keysOnly.Kvs[0].ModRevision == revs[1], "keys only %v", keysOnly))
	}},
	{"old, future and compacted revisions", func(w *world) error {
		p1, err := w.c.Put(w.ctx, w.key("a"), "1")
		if err != nil {
			return err
		}
		p2, err := w.c.Put(w.ctx, w.key("a"), "2")
		if err != nil {
			return err
		}
		old, err := w.c.Get(w.ctx, w.key("a"), clientv3.WithRev(p1.Header.Revision))
		if err != nil {
			return err
		}
		_, future := w.c.Get(w.ctx, w.key("a"), clientv3.WithRev(p2.Header.Revision+1000))
		if _, err := w.c.Compact(w.ctx, p2.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
			return err
		}
		_, compacted := w.c.Get(w.ctx, w.key("a"), clientv3.WithRev(p1.Header.Revision))
		at, err := w.c.Get(w.ctx, w.key("a"), clientv3.WithRev(p2.Header.Revision))
		_, twice := w.c.Compact(w.ctx, p2.Header.Revision)
		return first(err,
			expect(string(old.Kvs[0].Value) == "1" && old.Header.Revision >= p2.Header.Revision, "old %v", old),
			expect(errors.Is(future, rpctypes.ErrFutureRev), "future: %v", future),
			expect(errors.Is(compacted, rpctypes.ErrCompacted), "compacted: %v", compacted),
			expect(string(at.Kvs[0].Value) == "2", "at the floor: %v", at),
			expect(errors.Is(twice, rpctypes.ErrCompacted), "second compaction: %v", twice))
	}},
	{"serializable read and every member", func(w *world) error {
		if _, err := w.c.Put(w.ctx, w.key("a"), "1"); err != nil {
			return err
		}
		for _, m := range w.cluster.Members {
			c, err := w.cluster.Client(m)
			if err != nil {
				return err
			}
			lin, err := c.Get(w.ctx, w.key("a"))
			if err == nil {
				_, err = c.Get(w.ctx, w.key("a"), clientv3.WithSerializable())
			}
			c.Close()
			if err := first(err, expect(lin.Count == 1, "%s misses an acknowledged write", m.Name)); err != nil {
				return err
			}
		}
		return nil
	}},
	{"Do with put, get, delete and txn ops", func(w *world) error {
		put, err := w.c.Do(w.ctx, clientv3.OpPut(w.key("a"), "1"))
		if err != nil {
			return err
		}
		txn, err := w.c.Do(w.ctx, clientv3.OpTxn(
			[]clientv3.Cmp{clientv3.Compare(clientv3.Value(w.key("a")), "=", "1")},
			[]clientv3.Op{clientv3.OpPut(w.key("b"), "2"), clientv3.OpGet(w.key("b")),
				clientv3.OpTxn(nil, []clientv3.Op{clientv3.OpDelete(w.key("a"), clientv3.WithPrevKV())}, nil)}, nil))
		if err != nil {
			return err
		}
		t := txn.Txn()
		get, err := w.c.Do(w.ctx, clientv3.OpGet(w.prefix, clientv3.WithPrefix()))
		if err != nil {
			return err
		}
		del, err := w.c.Do(w.ctx, clientv3.OpDelete(w.prefix, clientv3.WithPrefix(), clientv3.WithPrevKV()))
		return first(err, expect(put.Put() != nil, "put"), expect(t.Succeeded && len(t.Responses) == 3, "%v", t),
			expect(string(t.Responses[1].GetResponseRange().Kvs[0].Value) == "2", "a range sees the put before it"),
			expect(t.Responses[2].GetResponseTxn().Responses[0].GetResponseDeleteRange().Deleted == 1, "nested delete"),
			expect(get.Get().Count == 1, "%v", get.Get()), expect(del.Del().Deleted == 1 && len(del.Del().PrevKvs) == 1, "%v", del.Del()))
	}},
	{"request too large", func(w *world) error {
		_, err := w.c.Put(w.ctx, w.key("big"), strings.Repeat("x", 1572864+100))
		if err := expect(errors.Is(err, rpctypes.ErrRequestTooLarge), "%v", err); err != nil {
			return err
		}
		_, err = w.c.Put(w.ctx, w.key("big"), strings.Repeat("x", 1572864-100))
		return err
	}},
}
