package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// collect reads events from a watch until n have come.
func collect(w *world, ch clientv3.WatchChan, n int) ([]*clientv3.Event, error) {
	var events []*clientv3.Event
	for len(events) < n {
		select {
		case r, ok := <-ch:
			if !ok {
				return events, fmt.Errorf("closed after %d events", len(events))
			}
			if err := r.Err(); err != nil {
				return events, err
			}
			events = append(events, r.Events...)
		case <-w.ctx.Done():
			return events, fmt.Errorf("%d events only", len(events))
		}
	}
	return events, nil
}

var watchCases = []check{
	{"created, live events, previous pair, delete", func(w *world) error {
		ctx, cancel := context.WithCancel(w.ctx)
		defer cancel()
		ch := w.c.Watch(ctx, w.prefix, clientv3.WithPrefix(), clientv3.WithCreatedNotify(), clientv3.WithPrevKV())
		if r := <-ch; !r.Created {
			return fmt.Errorf("first response is %v", r)
		}
		for _, v := range []string{"1", "2"} {
			if _, err := w.c.Put(w.ctx, w.key("a"), v); err != nil {
				return err
			}
		}
		if _, err := w.c.Delete(w.ctx, w.key("a")); err != nil {
			return err
		}
		ev, err := collect(w, ch, 3)
		if err != nil {
			return err
		}
		return first(expect(ev[0].IsCreate() && ev[0].PrevKv == nil, "%v", ev[0]), expect(ev[1].IsModify() && string(ev[1].PrevKv.Value) == "1", "%v", ev[1]),
			expect(ev[2].Type == clientv3.EventTypeDelete && string(ev[2].PrevKv.Value) == "2" && len(ev[2].Kv.Value) == 0, "%v", ev[2]))
	}},
	{"from an old revision, in order, one response a revision", func(w *world) error {
		p, err := w.c.Put(w.ctx, w.key("a"), "0")
		if err != nil {
			return err
		}
		for i := 1; i < 50; i++ {
			if _, err := w.c.Txn(w.ctx).Then(clientv3.OpPut(w.key("a"), fmt.Sprint(i)), clientv3.OpPut(w.key("b"), fmt.Sprint(i))).Commit(); err != nil {
				return err
			}
		}
		ctx, cancel := context.WithCancel(w.ctx)
		defer cancel()
		ev, err := collect(w, w.c.Watch(ctx, w.prefix, clientv3.WithPrefix(), clientv3.WithRev(p.Header.Revision)), 99)
		if err != nil {
			return err
		}
		for i := 1; i < len(ev); i++ {
			if ev[i].Kv.ModRevision < ev[i-1].Kv.ModRevision {
				return fmt.Errorf("out of order: %v after %v", ev[i].Kv, ev[i-1].Kv)
			}
		}
		return expect(string(ev[98].Kv.Key) == w.key("b") && string(ev[98].Kv.Value) == "49", "%v", ev[98])
	}},
	{"filters and future revision", func(w *world) error {
		p, err := w.c.Put(w.ctx, w.key("x"), "")
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(w.ctx)
		defer cancel()
		puts := w.c.Watch(ctx, w.key("a"), clientv3.WithFilterDelete(), clientv3.WithCreatedNotify())
		deletes := w.c.Watch(ctx, w.key("a"), clientv3.WithFilterPut(), clientv3.WithCreatedNotify())
		late := w.c.Watch(ctx, w.key("a"), clientv3.WithRev(p.Header.Revision+3), clientv3.WithCreatedNotify())
		<-puts
		<-deletes
		<-late
		for i := 0; i < 2; i++ {
			if _, err := w.c.Put(w.ctx, w.key("a"), fmt.Sprint(i)); err != nil {
				return err
			}
			if _, err := w.c.Delete(w.ctx, w.key("a")); err != nil {
				return err
			}
		}
		pe, err := collect(w, puts, 2)
		if err != nil {
			return err
		}
		de, err := collect(w, deletes, 2)
		if err != nil {
			return err
		}
		le, err := collect(w, late, 2)
		return first(err, expect(pe[1].Kv.ModRevision == p.Header.Revision+3, "%v", pe), expect(de[0].Kv.ModRevision == p.Header.Revision+2, "%v", de),
			expect(le[0].Kv.ModRevision == p.Header.Revision+3, "%v", le))
	}},
	{"compacted start is cancelled with the floor", func(w *world) error {
		p, err := w.c.Put(w.ctx, w.key("a"), "1")
		if err != nil {
			return err
		}
		q, err := w.c.Put(w.ctx, w.key("a"), "2")
		if err != nil {
			return err
		}
		// Of one member: another may not have heard of the compaction yet.
		c, err := w.cluster.Client(w.cluster.Members[0])
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Compact(w.ctx, q.Header.Revision); err != nil {
			return err
		}
		for r := range c.Watch(w.ctx, w.key("a"), clientv3.WithRev(p.Header.Revision)) {
			return first(expect(r.Canceled && r.CompactRevision == q.Header.Revision, "%v", r), expect(errors.Is(r.Err(), rpctypes.ErrCompacted), "%v", r.Err()))
		}
		return errors.New("closed without a word")
	}},
	{"progress", func(w *world) error {
		ctx, cancel := context.WithCancel(w.ctx)
		defer cancel()
		ch := w.c.Watch(ctx, w.key("a"), clientv3.WithCreatedNotify())
		<-ch
		p, err := w.c.Put(w.ctx, w.key("other"), "")
		if err != nil {
			return err
		}
		// A request is answered only by a member that has the put and a synced watcher, so ask until it is.
		for {
			if err := w.c.RequestProgress(ctx); err != nil {
				return err
			}
			select {
			case r := <-ch:
				if r.IsProgressNotify() && r.Header.Revision >= p.Header.Revision {
					return nil
				}
			case <-time.After(200 * time.Millisecond):
			case <-w.ctx.Done():
				return errors.New("no progress answer")
			}
		}
	}},
	{"fragments", func(w *world) error {
		ctx, cancel := context.WithCancel(w.ctx)
		defer cancel()
		var ops []clientv3.Op
		value := strings.Repeat("x", 30_000)
		p, err := w.c.Put(w.ctx, w.key("start"), "")
		if err != nil {
			return err
		}
		for i := 0; i < 120; i++ {
			if len(ops) == 40 {
				if _, err := w.c.Txn(w.ctx).Then(ops...).Commit(); err != nil {
					return err
				}
				ops = nil
			}
			ops = append(ops, clientv3.OpPut(w.key(fmt.Sprint(i)), value))
		}
		if _, err := w.c.Txn(w.ctx).Then(ops...).Commit(); err != nil {
			return err
		}
		ev, err := collect(w, w.c.Watch(ctx, w.prefix, clientv3.WithPrefix(), clientv3.WithFragment(), clientv3.WithRev(p.Header.Revision+1)), 120)
		return first(err, expect(len(ev) == 120, "%d events", len(ev)))
	}},
	{"a hundred watchers on one stream", func(w *world) error {
		ctx, cancel := context.WithCancel(w.ctx)
		defer cancel()
		var chans []clientv3.WatchChan
		for i := 0; i < 100; i++ {
			chans = append(chans, w.c.Watch(ctx, w.key("a"), clientv3.WithCreatedNotify()))
		}
		for _, ch := range chans {
			<-ch
		}
		if _, err := w.c.Put(w.ctx, w.key("a"), "1"); err != nil {
			return err
		}
		for _, ch := range chans {
			if _, err := collect(w, ch, 1); err != nil {
				return err
			}
		}
		return nil
	}},
	{"cancel by context", func(w *world) error {
		ctx, cancel := context.WithCancel(w.ctx)
		ch := w.c.Watch(ctx, w.key("a"), clientv3.WithCreatedNotify())
		<-ch
		cancel()
		for range ch {
		}
		_, err := w.c.Put(w.ctx, w.key("a"), "")
		return err
	}},
}
