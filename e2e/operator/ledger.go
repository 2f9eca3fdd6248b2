package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
)

const (
	writers     = 4
	writePause  = 20 * time.Millisecond // between two writes of a writer: traffic stays small
	callTimeout = time.Second
	ledgerKeys  = 50 // per writer
	pauseErrors = 40 // kept of one pause
	longPause   = 5 * time.Second
)

// access is what a client needs to reach a cluster; endpoints follow its pods. What is trusted can be replaced while clients connect; nil is no TLS.
type access struct {
	tls       *atomic.Pointer[tls.Config]
	user      string
	password  string
	endpoints func() []string
}

// client resolves names as pods do, by the cluster's DNS server, which listens on the host.
func (a access) client(endpoints ...string) (*clientv3.Client, error) {
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, hostAddress()+":53")
	}}
	dialer := net.Dialer{Resolver: resolver, Timeout: 2 * time.Second}
	var trust *tls.Config
	if a.tls != nil {
		trust = a.tls.Load()
	}
	return clientv3.New(clientv3.Config{Endpoints: endpoints, TLS: trust, Username: a.user, Password: a.password, DialTimeout: 5 * time.Second,
		DialKeepAliveTime: 10 * time.Second, DialKeepAliveTimeout: 2 * time.Second, Logger: zap.NewNop(),
		DialOptions: []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", address)
		})}})
}

// ledger writes all the time and remembers what was acknowledged. A write is a growing number under one of the writer's keys.
type ledger struct {
	prefix string
	access access
	stop   context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex
	acked   map[string]int // key -> highest acknowledged number
	tried   map[string]int // key -> highest number sent
	total   int
	last    time.Time     // of the last acknowledged write of any writer
	gap     time.Duration // longest time without one
	marked  time.Duration // longest time without one since begin
	slowest time.Duration // longest time that one writer needed for one write, its retries included
	lastErr error
	errs    []string // since the last acknowledged write, at most pauseErrors
	why     string   // the errors of the longest time without one
}

// write starts the writers.
func write(prefix string, a access) *ledger {
	ctx, cancel := context.WithCancel(context.Background())
	l := &ledger{prefix: prefix, access: a, stop: cancel, acked: map[string]int{}, tried: map[string]int{}, last: time.Now()}
	for i := 0; i < writers; i++ {
		l.done.Add(1)
		go func() {
			defer l.done.Done()
			l.writer(ctx, i)
		}()
	}
	return l
}

// writer keeps to one member until a call fails, then takes the next one, as a client with several endpoints does.
func (l *ledger) writer(ctx context.Context, id int) {
	var c *clientv3.Client
	defer func() {
		if c != nil {
			c.Close()
		}
	}()
	begin := time.Now()
	for n, turn := 1, id; ctx.Err() == nil; {
		if c == nil {
			if c = l.connect(turn); c == nil {
				turn++
				pause(ctx, 100*time.Millisecond)
				continue
			}
		}
		key := fmt.Sprintf("%s/%d/%02d", l.prefix, id, n%ledgerKeys)
		err := l.put(ctx, c, key, n)
		if err != nil {
			l.failed(err)
			c.Close()
			c = nil
			turn++
			pause(ctx, 50*time.Millisecond)
			continue
		}
		l.acknowledged(key, n, time.Since(begin))
		n++
		pause(ctx, writePause)
		begin = time.Now()
	}
}

func (l *ledger) connect(turn int) *clientv3.Client {
	endpoints := l.access.endpoints()
	if len(endpoints) == 0 {
		return nil
	}
	c, err := l.access.client(endpoints[turn%len(endpoints)])
	if err != nil {
		l.failed(err)
		return nil
	}
	return c
}

func (l *ledger) put(ctx context.Context, c *clientv3.Client, key string, n int) error {
	l.mu.Lock()
	l.tried[key] = n
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := c.Put(ctx, key, strconv.Itoa(n))
	return err
}

func (l *ledger) failed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastErr = err
	if len(l.errs) < pauseErrors {
		l.errs = append(l.errs, fmt.Sprintf("%.1fs %v", time.Since(l.last).Seconds(), err))
	}
}

func (l *ledger) acknowledged(key string, n int, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.last) > l.gap {
		l.gap, l.why = now.Sub(l.last), strings.Join(l.errs, "; ")
	}
	l.errs = nil
	l.marked = max(l.marked, now.Sub(l.last))
	l.last = now
	l.acked[key] = n
	l.total++
	l.slowest = max(l.slowest, took)
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

// begin starts to look at the pauses from now on; longest returns the longest since then.
func (l *ledger) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marked = 0
}

func (l *ledger) longest() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(l.marked, time.Since(l.last)).Round(time.Millisecond)
}

// served waits until a write is acknowledged that began after the call, and returns how long that took.
func (l *ledger) served(limit time.Duration) (time.Duration, error) {
	begin := time.Now()
	before := l.count()
	for {
		// One more than was under way per writer: at least one of them began later.
		if l.count() > before+writers {
			return time.Since(begin), nil
		}
		if time.Since(begin) > limit {
			return 0, fmt.Errorf("no write was acknowledged within %v: %v", limit, l.lastErr)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// finish ends the writers, and compares: an acknowledged write that is not there, or a number that nobody sent, fails.
func (l *ledger) finish() (string, error) {
	l.stop()
	l.done.Wait()
	c, err := l.access.client(l.access.endpoints()...)
	if err != nil {
		return "", err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	answer, err := c.Get(ctx, l.prefix+"/", clientv3.WithPrefix())
	if err != nil {
		return "", fmt.Errorf("reading the ledger: %w", err)
	}
	stored := map[string]int{}
	for _, kv := range answer.Kvs {
		n, err := strconv.Atoi(string(kv.Value))
		if err != nil {
			return "", fmt.Errorf("%s holds %q, which nobody wrote", kv.Key, kv.Value)
		}
		stored[string(kv.Key)] = n
	}
	var wrong []string
	for key, n := range l.acked {
		if stored[key] < n {
			wrong = append(wrong, fmt.Sprintf("%s: %d was acknowledged, %d is stored", key, n, stored[key]))
		}
	}
	for key, n := range stored {
		if n > l.tried[key] {
			wrong = append(wrong, fmt.Sprintf("%s: %d is stored, %d was the last that was sent", key, n, l.tried[key]))
		}
	}
	if len(wrong) > 0 {
		return "", fmt.Errorf("%d writes lost or invented: %s", len(wrong), strings.Join(wrong[:min(len(wrong), 5)], "; "))
	}
	if l.total == 0 {
		return "", fmt.Errorf("nothing was written: %v", l.lastErr)
	}
	if l.gap > longPause {
		note("in the longest pause: %s", l.why)
	}
	return fmt.Sprintf("%d writes acknowledged, none lost; longest time without one %v, slowest write with its retries %v",
		l.total, l.gap.Round(time.Millisecond), l.slowest.Round(time.Millisecond)), nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
