// Command faults kills members of a three-member cluster again and again while clients write, and then looks for what must never happen: an acknowledged
// write that is gone, members whose contents differ, a member that does not come back by itself.
//
//	faults -server PROGRAM [-dir DIR] [-rounds N] [-seed S] [-run KIND]
//
// Each round picks one fault: kill -9 of the leader, of a follower, of all members, a pause (SIGSTOP) of the leader, or a fail point: the member is told
// (environment KVORUM_FAIL_POINT=name:count) to end itself at the count-th time that it reaches a named durable boundary. The last line is "N passed, N failed".
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"kvorum.io/e2e/local"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// writer keeps putting increasing numbers under keys of its own and remembers what was acknowledged.
type writer struct {
	id    int
	c     *clientv3.Client
	mu    sync.Mutex
	acked map[string]int // key -> highest acknowledged number
	tried map[string]int // key -> highest number sent
	total int
}

func (w *writer) run(ctx context.Context, value string) {
	for n := 1; ctx.Err() == nil; n++ {
		key := fmt.Sprintf("w%d/%02d", w.id, n%50)
		w.mu.Lock()
		w.tried[key] = n
		w.mu.Unlock()
		c, cancel := context.WithTimeout(ctx, 2*time.Second)
		_, err := w.c.Put(c, key, strconv.Itoa(n)+" "+value)
		cancel()
		w.mu.Lock()
		if err == nil {
			w.acked[key] = n
			w.total++
		}
		w.mu.Unlock()
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
}

// Generous: on a small machine that is busy, a member may take as long to come back.
const (
	startLimit = 180 * time.Second
	backLimit  = 60 * time.Second
)

// haltStatus is the exit status of a member that ended itself at a fail point.
const haltStatus = 137

type world struct {
	cluster *local.Cluster
	writers []*writer
	rng     *rand.Rand
	points  []string
	plan    []fault
}

// fault is a kind and, for a fail point, which.
type fault struct{ kind, point string }

// planned shuffles all fail points, each once, with as many rounds of the plain kinds as are left, evenly; with more rounds than that, again and again.
func planned(rng *rand.Rand, rounds int, points []string) []fault {
	kinds := []string{"kill leader", "kill follower", "kill all", "pause leader"}
	var plan []fault
	for len(plan) < rounds {
		var part []fault
		for _, point := range points {
			part = append(part, fault{"fail point", point})
		}
		for i := range min(3*len(kinds), max(len(kinds), rounds-len(plan)-len(points))) {
			part = append(part, fault{kinds[i%len(kinds)], ""})
		}
		rng.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
		plan = append(plan, part...)
	}
	return plan[:rounds]
}

func main() {
	server := flag.String("server", "", "server program that takes etcd's flags")
	dir := flag.String("dir", "", "where members keep data and logs (default: a temporary directory, removed when all pass)")
	rounds := flag.Int("rounds", 20, "number of faults")
	seed := flag.Int64("seed", time.Now().UnixNano(), "seed of the choice of faults")
	only := flag.String("run", "", "only this kind of fault")
	points := flag.String("points", "", "comma-separated names of fail points to use beside plain kills; each comes once before one comes again")
	compact := flag.Bool("compact", true, "compact now and then")
	flag.Parse()
	if *server == "" {
		flag.Usage()
		os.Exit(2)
	}
	fmt.Println("seed", *seed)
	if err := run(*server, *dir, *rounds, *seed, *only, *points, *compact); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run(server, dir string, rounds int, seed int64, only, points string, compact bool) error {
	temporary := dir == ""
	if temporary {
		d, err := os.MkdirTemp("", "faults-")
		if err != nil {
			return err
		}
		dir = d
	}
	// Few entries are kept for followers, so that a member that was away a while needs a snapshot.
	cluster, err := local.New(server, dir, 3, "--snapshot-catchup-entries=50", "--max-wals=1")
	if err != nil {
		return err
	}
	defer cluster.StopAll()
	w := &world{cluster: cluster, rng: rand.New(rand.NewSource(seed))}
	if points != "" {
		w.points = strings.Split(points, ",")
	}
	w.plan = planned(w.rng, rounds, w.points)
	if err := cluster.StartAll(startLimit); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var running sync.WaitGroup
	for i := 0; i < 4; i++ {
		c, err := cluster.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		wr := &writer{id: i, c: c, acked: map[string]int{}, tried: map[string]int{}}
		w.writers = append(w.writers, wr)
		running.Add(1)
		// One writer in four writes large values, so that segments seal and checkpoints happen.
		value := strings.Repeat("v", 100)
		if i == 0 {
			value = strings.Repeat("V", 40_000)
		}
		go func() { defer running.Done(); wr.run(ctx, value) }()
	}
	passed, failed := 0, 0
	for r := 0; r < rounds; r++ {
		start := time.Now()
		kind, err := w.round(w.plan[r], only)
		if err == nil && compact && r%5 == 4 {
			err = w.compact()
		}
		if err == nil {
			err = w.check(ctx)
		}
		if err != nil {
			failed++
			fmt.Printf("FAIL round %d, %s (%.1fs): %v\n", r, kind, time.Since(start).Seconds(), err)
			break
		}
		passed++
		fmt.Printf("ok   round %d, %s (%.1fs)\n", r, kind, time.Since(start).Seconds())
	}
	cancel()
	running.Wait()
	total := 0
	for _, wr := range w.writers {
		total += wr.total
	}
	fmt.Printf("acknowledged writes: %d\n", total)
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 || passed == 0 {
		return fmt.Errorf("data and logs are in %s", dir)
	}
	if temporary {
		cluster.StopAll()
		return os.RemoveAll(dir)
	}
	return nil
}

// round does one fault and brings everything back.
func (w *world) round(f fault, only string) (string, error) {
	kind, point := f.kind, f.point
	if only != "" && only != kind {
		kind = only
		if only == "fail point" {
			point = w.points[w.rng.Intn(len(w.points))]
		}
	}
	leader, err := w.cluster.Leader(backLimit)
	if err != nil {
		return kind, err
	}
	time.Sleep(time.Duration(100+w.rng.Intn(400)) * time.Millisecond) // the moment of the fault is random on purpose
	switch kind {
	case "kill leader":
		leader.Kill()
		return kind, w.back(leader)
	case "kill follower":
		m := w.other(leader)
		m.Kill()
		return kind, w.back(m)
	case "kill all":
		for _, m := range w.cluster.Members {
			_ = m.Signal(syscall.SIGKILL)
		}
		for _, m := range w.cluster.Members {
			m.Kill()
		}
		return kind, w.back(w.cluster.Members...)
	case "pause leader":
		if err := leader.Signal(syscall.SIGSTOP); err != nil {
			return kind, err
		}
		time.Sleep(1500 * time.Millisecond)
		return kind, leader.Signal(syscall.SIGCONT)
	case "fail point":
		m := w.cluster.Members[w.rng.Intn(3)]
		m.Kill()
		kind += " " + point + " on " + m.Name
		if atInstall(point) {
			time.Sleep(3 * time.Second) // long enough for the others to cut what it misses
		}
		count := 1
		if strings.HasPrefix(point, "raft.log.") {
			count += w.rng.Intn(3)
		}
		spec := fmt.Sprintf("KVORUM_FAIL_POINT=%s:%d", point, count)
		if err := w.cluster.Start(m, spec); err != nil {
			return kind, err
		}
		// It ends itself when the boundary is met, perhaps before it serves. A clean stop takes a checkpoint, and so meets those that are rare.
		_ = m.AwaitServing(backLimit)
		code, err := m.AwaitEnd(3 * time.Second)
		if err != nil {
			if err := m.Signal(syscall.SIGTERM); err != nil {
				return kind, err
			}
			code, err = m.AwaitEnd(backLimit)
		}
		if err != nil {
			kind += " (not met, killed)"
			m.Kill()
		} else if code != haltStatus {
			kind += " (not met)"
		}
		return kind, w.back(m)
	}
	return kind, fmt.Errorf("unknown kind of fault %q", kind)
}

// atInstall tells the points that are only met by a member that receives a snapshot.
func atInstall(point string) bool {
	for _, part := range []string{"install", "after-reset", "chunk-written", "offer-received", "before-sync"} {
		if strings.Contains(point, part) && point != "raft.log.before-sync" {
			return true
		}
	}
	return false
}

func (w *world) other(than *local.Member) *local.Member {
	for {
		if m := w.cluster.Members[w.rng.Intn(3)]; m != than {
			return m
		}
	}
}

// back starts members again; they must serve without help.
func (w *world) back(members ...*local.Member) error {
	for _, m := range members {
		if err := w.cluster.Start(m); err != nil {
			return err
		}
	}
	for _, m := range members {
		if err := m.AwaitHealthy(backLimit); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) compact() error {
	c, err := w.cluster.Client()
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	g, err := c.Get(ctx, "x")
	if err != nil {
		return err
	}
	_, err = c.Compact(ctx, g.Header.Revision-10)
	if err != nil && strings.Contains(err.Error(), "compacted") {
		return nil
	}
	return err
}
