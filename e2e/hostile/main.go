// Command hostile does to a member what broken and hostile clients do, and looks after each attack whether the member lives, its memory is bounded, and
// another client's puts went on.
//
//	hostile -server PROGRAM [-seed S] [-only NAME,NAME] [-dir DIR]
//
// The last line is "N passed, N failed"; exit status 1 when any failed.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"kvorum.io/e2e/local"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	startLimit = 180 * time.Second
	// An attack that takes longer hangs.
	attackLimit = 120 * time.Second
	// How long one put of the bystander may take while a small machine defends itself.
	putLimit = 15 * time.Second
	putPause = 10 * time.Millisecond
	// What the member may hold beside what it held before all attacks.
	memoryMax = 900 << 20
	// Its heap; a quarter of that is for answers that are not read.
	heap = "-Xmx768m"
)

// target is the member under attack.
type target struct {
	*rand.Rand
	member *local.Member
	client *clientv3.Client
	tls    *tls.Config // of those that are let in
	notes  []string
}

func (t *target) address() string { return strings.TrimPrefix(t.member.Client, "http://") }
func (t *target) peer() string    { return strings.TrimPrefix(t.member.Peer, "http://") }
func (t *target) note(format string, values ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, values...))
}

type attack struct {
	name string
	run  func(context.Context, *target) error
}

var attacks = []attack{
	{"idle", idle},
	{"half-open", halfOpen},
	{"frames", frames},
	{"peer-port", peerPort},
	{"messages", messages},
	{"sizes", sizes},
	{"streams", streams},
	{"resets", resets},
	{"http1", http1},
	{"gateway", gateway},
	{"slow-watch", slowWatch},
	{"slow-range", slowRange},
}

// bystander puts all the time and notes how long it took.
type bystander struct {
	sync.Mutex
	took []time.Duration
	err  error
	stop context.CancelFunc
	done chan struct{}
}

func stand(t *target) *bystander {
	ctx, cancel := context.WithCancel(context.Background())
	b := &bystander{stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(b.done)
		for ctx.Err() == nil {
			one, end := context.WithTimeout(context.Background(), putLimit)
			begin := time.Now()
			_, err := t.client.Put(one, "bystander", "here")
			end()
			b.Lock()
			b.took = append(b.took, time.Since(begin))
			if err != nil && b.err == nil {
				b.err = err
			}
			b.Unlock()
			time.Sleep(putPause)
		}
	}()
	return b
}

func (b *bystander) verdict() (string, error) {
	b.stop()
	<-b.done
	slices.Sort(b.took)
	n := len(b.took)
	text := fmt.Sprintf("%d puts, p50 %s, p99 %s, max %s", n, b.took[n/2].Round(100*time.Microsecond), b.took[n*99/100].Round(100*time.Microsecond),
		b.took[n-1].Round(100*time.Microsecond))
	if b.err != nil {
		return text, fmt.Errorf("another client's put: %w", b.err)
	}
	return text, nil
}

// memory is the resident memory of the process in bytes, now and at most since it was asked for last.
func memory(t *target) (now, peak int64) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", t.member.Pid()))
	for line := range strings.Lines(string(text)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kib); n == 1 {
			now = kib << 10
		}
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			peak = kib << 10
		}
	}
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", t.member.Pid()), []byte("5"), 0)
	return now, peak
}

func files(t *target) int {
	found, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", t.member.Pid()))
	return len(found)
}

func try(t *target, a attack, first int64) error {
	ctx, cancel := context.WithTimeout(context.Background(), attackLimit)
	defer cancel()
	memory(t)
	t.notes = nil
	b := stand(t)
	begin := time.Now()
	err := a.run(ctx, t)
	took := time.Since(begin)
	text, failed := b.verdict()
	now, peak := memory(t)
	fmt.Printf("%-12s %6.1f s, RSS %d MiB, at most %d MiB; %s; %s\n", a.name, took.Seconds(), now>>20, peak>>20, text, strings.Join(t.notes, "; "))
	switch {
	case !t.member.Running():
		return fmt.Errorf("the member ended: %s", t.member.Tail())
	case err != nil:
		return err
	case failed != nil:
		return failed
	case peak > first+memoryMax:
		return fmt.Errorf("%d MiB of memory, %d before all attacks", peak>>20, first>>20)
	}
	return t.member.AwaitHealthy(10 * time.Second)
}

func run(server, dir, only string, seed int64) (passed, failed int, err error) {
	c, err := local.New(server, filepath.Join(dir, "member"), 1, "--bcrypt-cost", "4")
	if err != nil {
		return 0, 0, err
	}
	c.Env = append(c.Env, "KVORUM_JVM_OPTIONS="+heap)
	defer c.StopAll()
	if err := c.StartAll(startLimit); err != nil {
		return 0, 0, err
	}
	client, err := c.Client()
	if err != nil {
		return 0, 0, err
	}
	defer client.Close()
	t := &target{Rand: rand.New(rand.NewSource(seed)), member: c.Members[0], client: client}
	first, _ := memory(t)
	for _, a := range append(slices.Clone(attacks), attack{"tls-tokens", secured(server, dir)}) {
		if only != "" && !slices.Contains(strings.Split(only, ","), a.name) {
			continue
		}
		if err := try(t, a, first); err != nil {
			failed++
			fmt.Printf("%s FAILED: %v\n", a.name, err)
			if !t.member.Running() {
				return passed, failed, nil
			}
		} else {
			passed++
		}
	}
	log, err := os.ReadFile(t.member.LogTo)
	if err != nil {
		return passed, failed, err
	}
	for _, bad := range []string{"OutOfMemoryError", "StackOverflowError", "LEAK:", `"level":"fatal"`, `"level":"panic"`} {
		if i := strings.Index(string(log), bad); i >= 0 {
			failed++
			fmt.Printf("in the member's log: %s\n", log[max(0, i-200):min(len(log), i+600)])
		}
	}
	return passed, failed, nil
}

func main() {
	server := flag.String("server", "", "server program that takes etcd's flags")
	seed := flag.Int64("seed", time.Now().UnixNano(), "of the garbage")
	only := flag.String("only", "", "attacks, separated by commas (default: all)")
	dir := flag.String("dir", "", "where the member keeps data and logs (default: a temporary directory, removed when all passed)")
	flag.Parse()
	at := *dir
	if at == "" {
		made, err := os.MkdirTemp("", "hostile")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		at = made
	}
	fmt.Printf("seed %d\n", *seed)
	passed, failed, err := run(*server, at, *only, *seed)
	if err != nil {
		fmt.Println(err)
		failed++
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		fmt.Printf("data and logs are in %s\n", at)
		os.Exit(1)
	}
	if *dir == "" {
		os.RemoveAll(at)
	}
}
