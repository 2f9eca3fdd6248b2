// Command differential sends the same random requests to a server and to etcd and compares every answer whole: the response without what differs by nature
// (member, cluster and term, chosen ids, sizes, seconds that passed), or the error's code and text; what watches deliver; and in the end the content hash of
// every member and all events since the beginning.
//
//	differential -server PROGRAM -etcd PROGRAM [-requests N] [-seed S] [-members M] [-dir DIR]
//
// The server's requests go to its members in turn: which member answers must not show. Requests that change nothing are under way beside each other, all
// others one by one. A seed gives the same requests again. The last line is "N requests, N differences".
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"reflect"
	"sync"
	"syscall"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

const (
	// More than this are not printed; they follow from the first ones.
	printedMax = 10
	// Requests under way beside each other.
	batchMax = 16
	// Memory to keep data in; then nothing waits for a disk.
	memoryDir  = "/dev/shm"
	memoryFree = 4 << 30
)

// run is two servers and what was found.
type run struct {
	ours, theirs *side
	generator    *generator
	watches      *watching
	asked        map[string]int
	refused      int
	events       [2][]string
	watched      [2]chan struct{}
	different    int
}

// follow notes every event from the beginning until "the end" is written.
func (r *run) follow(ctx context.Context) error {
	for i, s := range []*side{r.theirs, r.ours} {
		stream, err := pb.NewWatchClient(s.conns[0]).Watch(ctx)
		if err != nil {
			return err
		}
		all := &pb.WatchCreateRequest{Key: []byte{0}, RangeEnd: []byte{0}, StartRevision: 2}
		if err := stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: all}}); err != nil {
			return err
		}
		r.watched[i] = make(chan struct{})
		go func() {
			defer close(r.watched[i])
			for {
				response, err := stream.Recv()
				if err != nil {
					return
				}
				s.ids.common(response)
				for _, e := range response.Events {
					r.events[i] = append(r.events[i], event(e))
					if string(e.Kv.Key) == "the end" {
						return
					}
				}
			}
		}()
	}
	return nil
}

// event is short: large values by their length.
func event(e *mvccpb.Event) string {
	v := string(e.Kv.Value)
	if len(v) > 20 {
		v = fmt.Sprintf("%d bytes", len(v))
	}
	return fmt.Sprintf("%d %q %q %d %d %d %d", e.Type, e.Kv.Key, v, e.Kv.CreateRevision, e.Kv.ModRevision, e.Kv.Version, e.Kv.Lease)
}

func (r *run) report(i int, s *step, format string, rest ...any) {
	r.different++
	if r.different > printedMax {
		return
	}
	what := any(s.watch)
	if s.watch == nil {
		what = short(s.request.String())
	}
	fmt.Printf("request %d as %s: %s %s\n  %s\n", i, s.as, s.method, what, fmt.Sprintf(format, rest...))
}

// ask sends steps that may be under way together to both sides.
func (r *run) ask(first int, steps []*step) {
	type answered struct{ theirs, ours answer }
	got := make([]answered, len(steps))
	var done sync.WaitGroup
	for i, s := range steps {
		for _, side := range []*side{r.theirs, r.ours} {
			member := side.prepare(s)
			into := &got[i].theirs
			if side == r.ours {
				into = &got[i].ours
			}
			done.Go(func() { *into = side.call(member, s) })
		}
	}
	done.Wait()
	for i, s := range steps {
		r.asked[s.method]++
		if got[i].theirs.text != "" {
			r.refused++
		}
		if !got[i].theirs.equals(got[i].ours) && !explained(s, got[i].theirs, got[i].ours, r.generator.compactions) {
			r.report(first+i, s, "etcd:   %s\n  server: %s", got[i].theirs, got[i].ours)
		}
		r.generator.learn(s, got[i].theirs)
	}
}

func (r *run) compare(requests int) error {
	var together []*step
	for i := 0; i < requests && r.different < printedMax; i++ {
		s := r.generator.next()
		if s.reads && s.watch == nil {
			together = append(together, s)
			if len(together) < batchMax && i+1 < requests {
				continue
			}
			s = nil
		}
		r.ask(i+1-len(together), together)
		together = nil
		switch {
		case s == nil:
		case s.watch != nil:
			r.asked[s.method]++
			differences, err := r.watches.do(s, r.generator.rev, r.generator.streams[s.watch.stream].future)
			for _, d := range differences {
				r.report(i, s, "%s", d)
			}
			if err != nil {
				return fmt.Errorf("request %d: %s: %w", i, s.watch, err)
			}
		default:
			if s.afterWatches {
				for _, d := range r.watches.settled() {
					r.report(i, s, "before it: %s", d)
				}
			}
			r.ask(i, []*step{s})
		}
	}
	return nil
}

// settle compares what is left behind: contents and events.
func (r *run) settle() error {
	for _, password := range passwords {
		r.ask(-1, []*step{{method: "Auth/Authenticate", request: &pb.AuthenticateRequest{Name: root, Password: password}}})
	}
	r.ask(-1, []*step{{method: "Auth/Authenticate", request: &pb.AuthenticateRequest{Name: root}}})
	for len(r.generator.raised) > 0 && r.different == 0 {
		r.ask(-1, []*step{r.generator.disarm()})
	}
	r.ask(-1, []*step{{method: "Auth/AuthDisable", request: &pb.AuthDisableRequest{}, as: caller{name: root}}})
	r.ask(-1, []*step{{method: "KV/Put", request: &pb.PutRequest{Key: []byte("the end")}}})
	for _, d := range r.watches.settled() {
		r.report(-1, &step{method: "Watch/Watch", watch: &watchStep{action: compareStreams}}, "%s", d)
	}
	want, err := r.theirs.hashes()
	if err != nil {
		return err
	}
	got, err := r.ours.hashes()
	if err != nil {
		return err
	}
	for i, h := range got {
		if h != want[0] {
			r.different++
			fmt.Printf("HashKV of member %d: %s, etcd has %s\n", i, h, want[0])
		}
	}
	for i, watched := range r.watched {
		select {
		case <-watched:
		case <-time.After(requestLimit):
			return fmt.Errorf("the watch of %s has not seen the last write, after %d events", []string{"etcd", "the server"}[i], len(r.events[i]))
		}
	}
	if !reflect.DeepEqual(r.events[0], r.events[1]) {
		r.different++
		fmt.Printf("events differ: %d against %d\n", len(r.events[0]), len(r.events[1]))
	}
	return nil
}

func execute(server, etcd, dir string, members, requests int, seed int64) (*run, error) {
	r := &run{generator: newGenerator(seed), asked: map[string]int{}}
	var err error
	r.theirs, err = start("etcd", etcd, dir, 1)
	if r.theirs != nil {
		defer r.theirs.stop()
	}
	if err != nil {
		return r, err
	}
	r.ours, err = start("server", server, dir, members)
	if r.ours != nil {
		defer r.ours.stop()
	}
	if err != nil {
		return r, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := r.follow(ctx); err != nil {
		return r, err
	}
	r.watches = &watching{sides: [2]*side{r.theirs, r.ours}}
	begin := time.Now()
	if err := r.compare(requests); err != nil {
		return r, err
	}
	took := time.Since(begin)
	err = r.settle()
	asked := 0
	for _, n := range r.asked {
		asked += n
	}
	fmt.Printf("%v\n%d events, %d requests were refused, %.0f requests/s\n", r.asked, len(r.events[0]), r.refused, float64(asked)/took.Seconds())
	return r, err
}

// place makes a directory in memory if there is enough of it.
func place() (string, error) {
	var free syscall.Statfs_t
	if syscall.Statfs(memoryDir, &free) == nil && free.Bavail*uint64(free.Bsize) > memoryFree {
		return os.MkdirTemp(memoryDir, "differential")
	}
	return os.MkdirTemp("", "differential")
}

func main() {
	server := flag.String("server", "", "server program that takes etcd's flags")
	etcd := flag.String("etcd", "", "etcd")
	requests := flag.Int("requests", 5000, "how many")
	seed := flag.Int64("seed", time.Now().UnixNano(), "of the requests")
	members := flag.Int("members", 3, "of the server")
	dir := flag.String("dir", "", "where members keep data and logs (default: a temporary directory, in memory if possible, removed when nothing differs)")
	flag.Parse()
	at := *dir
	if at == "" {
		made, err := place()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		at = made
	}
	fmt.Printf("seed %d\n", *seed)
	r, err := execute(*server, *etcd, at, *members, *requests, *seed)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%d requests, %d differences\n", *requests, r.different)
	if err != nil || r.different > 0 {
		fmt.Printf("data and logs are in %s\n", at)
		os.Exit(1)
	}
	if *dir == "" {
		os.RemoveAll(at)
	}
}
