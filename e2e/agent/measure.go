package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	rounds        = 10
	readsPerRound = 2_000
	valueBytes    = 100
	// Clock ticks in /proc/PID/stat.
	ticksPerSecond = 100
)

// measure compares one client's reads of one key: from the agent's copy, and over the network (here loopback) from the cluster, in interleaved rounds after one that
// warms up. CPU is that of all processes that take part in the answer, the client's left out. Then it tells what copies of 10,000 and 100,000 keys take.
func measure(server, dir string) error {
	w, err := newWorld(server, dir, "measure")
	defer w.close()
	if err != nil {
		return err
	}
	if err := fill(w, 10_000); err != nil {
		return err
	}
	a, err := w.start(nil)
	if err != nil {
		return err
	}
	near, err := a.client()
	if err != nil {
		return err
	}
	kinds := []struct {
		name    string
		client  *clientv3.Client
		options []clientv3.OpOption
	}{
		{"agent, serializable", near, []clientv3.OpOption{clientv3.WithSerializable()}},
		{"cluster, serializable", w.root, []clientv3.OpOption{clientv3.WithSerializable()}},
		{"cluster, linearizable", w.root, nil},
		{"agent, linearizable", near, nil},
	}
	took := make([][]time.Duration, len(kinds))
	used := make([]time.Duration, len(kinds))
	for round := range rounds + 1 {
		for i, k := range kinds {
			before := cpu(w, a)
			for n := range readsPerRound {
				begin := time.Now()
				if _, err := call(func(ctx context.Context) (*clientv3.GetResponse, error) {
					return k.client.Get(ctx, key(n%10_000), k.options...)
				}); err != nil {
					return err
				}
				if round > 0 {
					took[i] = append(took[i], time.Since(begin))
				}
			}
			if round > 0 {
				used[i] += cpu(w, a) - before
			}
		}
	}
	for i, k := range kinds {
		slices.Sort(took[i])
		fmt.Printf("%-24s p50 %6.1f µs, p99 %6.1f µs, CPU of servers %5.1f µs a read\n", k.name, micros(took[i][len(took[i])/2]), micros(took[i][len(took[i])*99/100]),
			micros(used[i])/float64(len(took[i])))
	}
	for _, keys := range []int{10_000, 100_000} {
		if err := fill(w, keys); err != nil {
			return err
		}
		if err := a.stop(); err != nil {
			return err
		}
		if a, err = w.start(nil); err != nil {
			return err
		}
		if err := memory(a, keys); err != nil {
			return err
		}
	}
	return nil
}

func key(i int) string { return fmt.Sprintf("%skey-%08d", mirrored, i) }

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// fill puts what is not there yet.
func fill(w *world, keys int) error {
	value := strings.Repeat("v", valueBytes)
	const together = 100
	for i := 0; i < keys; i += together {
		var puts []clientv3.Op
		for j := range together {
			puts = append(puts, clientv3.OpPut(key(i+j), value))
		}
		if _, err := call(func(ctx context.Context) (*clientv3.TxnResponse, error) {
			return w.root.Txn(ctx).Then(puts...).Commit()
		}); err != nil {
			return err
		}
	}
	return nil
}

// cpu is what the members and the agent have used.
func cpu(w *world, a *agent) time.Duration {
	sum := ticks(a.cmd.Process.Pid)
	for _, m := range w.cluster.Members {
		sum += ticks(m.Pid())
	}
	return time.Duration(sum) * time.Second / ticksPerSecond
}

func ticks(pid int) int64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(string(b)[strings.LastIndexByte(string(b), ')')+1:])
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return user + system
}

// memory tells the agent's figures once its copy is complete.
func memory(a *agent, keys int) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	if err := await("the copy", startLimit, func() error {
		got, err := call(func(ctx context.Context) (*clientv3.GetResponse, error) {
			return c.Get(ctx, mirrored, clientv3.WithPrefix(), clientv3.WithCountOnly(), clientv3.WithSerializable())
		})
		if err == nil && got.Count < int64(keys) {
			err = fmt.Errorf("%d keys", got.Count)
		}
		return err
	}); err != nil {
		return err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", a.cmd.Process.Pid))
	if err != nil {
		return err
	}
	var lines []string
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmRSS") || strings.HasPrefix(line, "RssAnon") || strings.HasPrefix(line, "RssFile") || strings.HasPrefix(line, "RssShmem") {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
	}
	text, err := a.get("/metrics")
	if err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "kvorum_agent_copy") || strings.HasPrefix(line, "jvm_memory") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	fmt.Printf("copy of %d keys of %d bytes: %s\n", keys, valueBytes, strings.Join(lines, ", "))
	return nil
}
