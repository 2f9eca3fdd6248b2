package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

const (
	watchStreams = 6
	// How long both sides may take to have delivered the same.
	deliveryLimit = 15 * time.Second
	// etcd looks for watchers that are behind every 100 ms; until then a compaction cuts them off.
	catchUp = 250 * time.Millisecond
	// How long nothing must come to be taken for never.
	silence = 60 * time.Millisecond
	pause   = 500 * time.Microsecond
)

// delivery is all that came on a stream since the last comparison.
type delivery struct {
	sync.Mutex
	member   int
	cancel   context.CancelFunc
	send     func(*pb.WatchRequest) error
	byWatch  map[int64][]string
	last     map[int64]int64
	progress []int64
	answers  int
	broken   []string
	// cut are the watchers that a compaction ended and nobody cancelled.
	cut map[int64]bool
	// live are the watchers that go on.
	live map[int64]bool
}

// pair is one stream on etcd and on the server.
type pair [2]*delivery

// watching is the same streams on both sides.
type watching struct {
	sides   [2]*side
	streams [watchStreams]*pair
	// behind is when a watcher was last made that begins in the past.
	behind time.Time
}

func (w *watching) open(st *step) error {
	var both pair
	for i, s := range w.sides {
		d, err := s.watch(s.prepare(&step{local: true, reads: true}), st.as)
		if err != nil {
			return err
		}
		both[i] = d
	}
	w.streams[st.watch.stream] = &both
	return nil
}

func (s *side) watch(member int, who caller) (*delivery, error) {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := pb.NewWatchClient(s.conns[member]).Watch(s.as(ctx, who))
	if err != nil {
		cancel()
		return nil, err
	}
	d := &delivery{member: member, cancel: cancel, send: stream.Send, byWatch: map[int64][]string{}, last: map[int64]int64{}, cut: map[int64]bool{}, live: map[int64]bool{}}
	go func() {
		for {
			r, err := stream.Recv()
			if err != nil {
				d.note(func() {
					if ctx.Err() == nil {
						d.byWatch[-2] = append(d.byWatch[-2], "stream ended: "+err.Error())
					}
				})
				return
			}
			s.ids.common(r)
			d.note(func() { d.take(r) })
		}
	}()
	return d, nil
}

func (d *delivery) note(what func()) {
	d.Lock()
	defer d.Unlock()
	what()
}

// take notes an answer or events; the events of one revision come in one piece, unless fragments were asked for, and never again.
func (d *delivery) take(r *pb.WatchResponse) {
	id := r.WatchId
	if r.Created || r.Canceled {
		d.answers++
		if !r.Created && r.Header != nil {
			// Others may write before the answer is made.
			r.Header.Revision = 0
		}
		d.byWatch[id] = append(d.byWatch[id], fmt.Sprintf("created %t canceled %t at %d, compacted %d: %s", r.Created, r.Canceled, r.Header.GetRevision(),
			r.CompactRevision, r.CancelReason))
		delete(d.last, id)
		d.live[id] = r.Created && !r.Canceled
		d.cut[id] = r.Canceled && r.CompactRevision != 0
	}
	if len(r.Events) == 0 {
		if !r.Created && !r.Canceled && id == -1 {
			d.progress = append(d.progress, r.Header.Revision)
		}
		return
	}
	if first := r.Events[0].Kv.ModRevision; first <= d.last[id] {
		d.broken = append(d.broken, fmt.Sprintf("watch %d: revision %d after %d", id, first, d.last[id]))
	}
	if r.Header.Revision < r.Events[len(r.Events)-1].Kv.ModRevision {
		d.broken = append(d.broken, fmt.Sprintf("watch %d: header at %d before its events", id, r.Header.Revision))
	}
	if !r.Fragment {
		d.last[id] = r.Events[len(r.Events)-1].Kv.ModRevision
	}
	for _, e := range r.Events {
		d.byWatch[id] = append(d.byWatch[id], encoded(e))
	}
}

func encoded(e *mvccpb.Event) string {
	b, err := e.Marshal()
	if err != nil {
		panic(err)
	}
	return string(b)
}

// do gives a text for each difference.
func (w *watching) do(st *step, rev, future int64) ([]string, error) {
	switch st.watch.action {
	case openStream:
		return nil, w.open(st)
	case compareStreams:
		return w.compare(), nil
	case closeStream:
		differences := w.compare()
		w.close(st.watch.stream)
		return differences, nil
	}
	pair := w.streams[st.watch.stream]
	switch r := st.watch.request.RequestUnion.(type) {
	case *pb.WatchRequest_CreateRequest:
		if r.CreateRequest.StartRevision != 0 {
			w.behind = time.Now()
		}
		for i, s := range w.sides {
			s.settle(pair[i].member)
		}
		return pair.ask(st.watch.request)
	case *pb.WatchRequest_CancelRequest:
		// Which events are still delivered is a race; so all are, first.
		differences := w.compare()
		if !pair[0].isLive(r.CancelRequest.WatchId) {
			return differences, pair.send(st.watch.request)
		}
		more, err := pair.ask(st.watch.request)
		return append(differences, more...), err
	case *pb.WatchRequest_ProgressRequest:
		differences := w.compare()
		more, err := pair.askProgress(st.watch.request, rev, future)
		return append(differences, more...), err
	default:
		return nil, pair.send(st.watch.request)
	}
}

func (w *watching) close(stream int) {
	if w.streams[stream] != nil {
		for _, d := range w.streams[stream] {
			d.cancel()
		}
		w.streams[stream] = nil
	}
}

func (p *pair) send(r *pb.WatchRequest) error {
	for _, d := range p {
		if err := d.send(r); err != nil {
			return err
		}
	}
	return nil
}

// ask sends a request that each side answers, and waits for the answers.
func (p *pair) ask(r *pb.WatchRequest) ([]string, error) {
	before := p.answers()
	err := p.send(r)
	if err == nil && !await(func() bool { now := p.answers(); return now[0] > before[0] && now[1] > before[1] }) {
		return []string{fmt.Sprintf("answers to a watch request: before %d, now %d", before, p.answers())}, nil
	}
	return nil, err
}

func (d *delivery) isLive(id int64) (live bool) {
	d.note(func() { live = d.live[id] })
	return live
}

func (p *pair) answers() (n [2]int) {
	for i, d := range p {
		d.note(func() { n[i] = d.answers })
	}
	return n
}

// askProgress asks until the answer comes: etcd gives none while it looks for watchers that are behind. Neither may answer when a watcher is to begin later.
func (p *pair) askProgress(r *pb.WatchRequest, rev, future int64) ([]string, error) {
	answered := [2]bool{}
	if future > rev {
		return nil, p.send(r)
	}
	begin := time.Now()
	for waited := time.Duration(0); waited < catchUp || answered[0] != answered[1] && waited < deliveryLimit && !p[0].silent(); waited = time.Since(begin) {
		if answered[0] && answered[1] {
			break
		}
		if err := p.send(r); err != nil {
			return nil, err
		}
		asked := time.Now().Add(silence)
		for time.Now().Before(asked) && !(answered[0] && answered[1]) {
			for i, d := range p {
				d.note(func() { answered[i] = answered[i] || slices.Contains(d.progress, rev) })
			}
			time.Sleep(pause)
		}
	}
	if answered[0] != answered[1] && !p[0].silent() {
		return []string{fmt.Sprintf("answers to a progress request at %d: %t", rev, answered)}, nil
	}
	return nil, nil
}

// silent tells that etcd answers no progress request any more (the table in store/README.md).
func (d *delivery) silent() (any bool) {
	d.note(func() {
		for _, cut := range d.cut {
			any = any || cut
		}
	})
	return any
}

func await(done func() bool) bool {
	limit := time.Now().Add(deliveryLimit)
	for !done() {
		if time.Now().After(limit) {
			return false
		}
		time.Sleep(pause)
	}
	return true
}

// settled compares, and waits until etcd has found the watchers that began in the past.
func (w *watching) settled() []string {
	differences := w.compare()
	if left := catchUp - time.Since(w.behind); left > 0 {
		time.Sleep(left)
		differences = append(differences, w.compare()...)
	}
	return differences
}

// compare waits until every stream has delivered the same on both sides, and forgets it.
func (w *watching) compare() (differences []string) {
	for i, pair := range w.streams {
		if pair == nil {
			continue
		}
		if !await(pair.same) {
			differences = append(differences, fmt.Sprintf("stream %d: %s", i, pair.difference()))
		}
		for _, d := range pair {
			d.note(func() {
				differences = append(differences, d.broken...)
				d.broken, d.progress = nil, nil
			})
		}
	}
	return differences
}

func (p *pair) same() bool {
	for _, d := range p {
		d.Lock()
		defer d.Unlock()
	}
	if p.first() != "" {
		return false
	}
	for _, d := range p {
		d.byWatch = map[int64][]string{}
	}
	return true
}

// first is the first difference, empty when there is none; the caller holds both locks.
func (p *pair) first() string {
	a, b := p[0].byWatch, p[1].byWatch
	for id := int64(-5); id < 64; id++ {
		if len(a[id]) == len(b[id]) && slices.Equal(a[id], b[id]) {
			continue
		}
		for n := 0; ; n++ {
			var texts []string
			for _, side := range [][]string{a[id], b[id]} {
				text := "nothing"
				if n < len(side) {
					text = readable(side[n])
				}
				texts = append(texts, text)
			}
			if texts[0] != texts[1] {
				return fmt.Sprintf("watch %d, delivery %d of %d and %d:\n    %s", id, n, len(a[id]), len(b[id]), strings.Join(texts, "\n    "))
			}
		}
	}
	return ""
}

func (p *pair) difference() string {
	for _, d := range p {
		d.Lock()
		defer d.Unlock()
	}
	text := p.first()
	for _, d := range p {
		d.byWatch = map[int64][]string{}
	}
	return text
}

func readable(text string) string {
	var e mvccpb.Event
	if strings.HasPrefix(text, "created ") || strings.HasPrefix(text, "stream ") || e.Unmarshal([]byte(text)) != nil {
		return text
	}
	return short(e.String())
}
