// Command discovery registers small gRPC servers in a store that it starts, and lets three clients balance over them: one in Go with etcd's own resolver, unchanged, another one that asks an
// agent in place of the store, and one in Java with kvorum-discovery, which asks the agent too. Servers come, leave politely and die, and so does the store's leader. Some are
// registered by agents beside them.
//
//	discovery -server PROGRAM -java JAVA -classpath JARS
//
// The last line is "discovery: ok", with what was counted. Exit status 1 when anything is not as it has to be.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"kvorum.io/e2e/local"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	service = "services/orders"
	ttl     = 5 // seconds: of a server that dies its entry stays for so long
)

func main() {
	server := flag.String("server", "", "server program that takes etcd's flags")
	java := flag.String("java", "", "java program")
	classpath := flag.String("classpath", "", "kvorum-discovery and what it needs")
	caller := flag.String("caller", "clients/discovery/Caller.java", "the Java client")
	flag.Parse()
	if *server == "" || *java == "" || *classpath == "" {
		flag.Usage()
		os.Exit(2)
	}
	dir, err := os.MkdirTemp("", "discovery-")
	if err == nil {
		err = run(*server, dir, []string{*java, "--sun-misc-unsafe-memory-access=allow", "--enable-native-access=ALL-UNNAMED", "-cp", *classpath, *caller, "kvorum:///" + service})
	}
	if err != nil {
		fmt.Println("discovery:", err)
		fmt.Println("logs are in", dir)
		os.Exit(1)
	}
	os.RemoveAll(dir)
}

// world is the store and those who use it.
type world struct {
	cluster *local.Cluster
	store   *clientv3.Client
	clients []client
	began   time.Time
}

func (w *world) say(format string, args ...any) {
	fmt.Printf("%5.1fs  %s\n", time.Since(w.began).Seconds(), fmt.Sprintf(format, args...))
}

func run(program, dir string, java []string) error {
	w := &world{began: time.Now()}
	var err error
	if w.cluster, err = local.New(program, dir, 3); err != nil {
		return err
	}
	defer w.cluster.StopAll()
	if err = w.cluster.StartAll(60 * time.Second); err != nil {
		return err
	}
	if w.store, err = w.cluster.Client(); err != nil {
		return err
	}
	defer w.store.Close()
	w.say("three members serve")

	var servers []*backend
	defer func() {
		for _, b := range servers {
			b.die()
		}
	}()
	for _, name := range []string{"a", "b", "c"} {
		b, err := newBackend(name)
		if err != nil {
			return err
		}
		servers = append(servers, b)
		register := b.register
		if name == "b" {
			register = b.registerInOneCall
		}
		if err := register(w); err != nil {
			return fmt.Errorf("registering %s: %w", name, err)
		}
	}
	a, b, c := servers[0], servers[1], servers[2]

	agent, err := newAgent(program, dir, w.cluster.Endpoints())
	if err != nil {
		return err
	}
	defer agent.close()
	defer func() {
		for _, cl := range w.clients {
			_, _, _ = cl.end()
		}
	}()
	for name, store := range map[string]*clientv3.Client{"go": w.store, "go-agent": agent.store} {
		cl, err := newGoClient(name, store)
		if err != nil {
			return err
		}
		w.clients = append(w.clients, cl)
	}
	javaClient, err := newJavaClient(java, []string{agent.url})
	if err != nil {
		return err
	}
	w.clients = append(w.clients, javaClient)
	if err := w.balanced(15*time.Second, []*backend{a, b, c}, nil); err != nil {
		return err
	}
	w.say("all clients call all three")
	if err := w.sidecars(program, dir, servers); err != nil {
		return err
	}
	if err := w.changes(a, b, c, &servers); err != nil {
		return err
	}
	return w.counted()
}

// changes is what happens to the servers and the store.
func (w *world) changes(a, b, c *backend, servers *[]*backend) error {
	ctx := context.Background()
	if err := b.leave(ctx, w); err != nil {
		return err
	}
	if err := w.balanced(10*time.Second, []*backend{a, c}, []*backend{b}); err != nil {
		return fmt.Errorf("after b has left: %w", err)
	}
	b.stop()
	if err := w.none("b left"); err != nil {
		return err
	}
	w.say("b has left and is dropped, no call has failed")

	come := func(name string) (*backend, error) {
		d, err := newBackend(name)
		if err != nil {
			return nil, err
		}
		*servers = append(*servers, d)
		return d, d.register(w)
	}
	d, err := come("d")
	if err != nil {
		return err
	}
	if err := w.balanced(10*time.Second, []*backend{a, c, d}, []*backend{b}); err != nil {
		return fmt.Errorf("after d has come: %w", err)
	}
	if err := w.none("d came"); err != nil {
		return err
	}
	w.say("d has come and is used, no call has failed")

	leader, err := w.cluster.Leader(10 * time.Second)
	if err != nil {
		return err
	}
	leader.Kill()
	e, err := come("e")
	if err != nil {
		return fmt.Errorf("while the leader is dead: %w", err)
	}
	if err := w.balanced(15*time.Second, []*backend{a, c, d, e}, nil); err != nil {
		return fmt.Errorf("after the leader was killed: %w", err)
	}
	if err := w.none("the leader was killed"); err != nil {
		return err
	}
	w.say("the store's leader is killed: e has come and is used, no call has failed")

	if err := w.roll(leader); err != nil {
		return err
	}
	f, err := come("f")
	if err != nil {
		return fmt.Errorf("after the roll: %w", err)
	}
	if err := w.balanced(15*time.Second, []*backend{a, c, d, e, f}, nil); err != nil {
		return fmt.Errorf("after the roll: %w", err)
	}
	if err := w.none("the members were rolled"); err != nil {
		return err
	}
	w.say("all members were restarted one by one: f has come and is used, no call has failed")

	died := time.Now()
	c.die()
	if err := w.gone(c, died); err != nil {
		return err
	}
	if err := w.balanced(10*time.Second, []*backend{a, d, e, f}, nil); err != nil {
		return fmt.Errorf("after c has died: %w", err)
	}
	w.say("c has died and its entry is gone")
	return nil
}

// roll starts the one that is dead, and then stops and starts each of the others.
func (w *world) roll(dead *local.Member) error {
	for _, m := range append([]*local.Member{dead}, w.cluster.Members...) {
		if m != dead {
			if err := m.Stop(10 * time.Second); err != nil {
				return err
			}
		}
		if m.Running() {
			continue // the one that was dead, in its place
		}
		if err := w.cluster.Start(m); err != nil {
			return err
		}
		if err := m.AwaitHealthy(60 * time.Second); err != nil {
			return err
		}
	}
	return nil
}

// gone waits until the entry of one that died is.
func (w *world) gone(dead *backend, died time.Time) error {
	for time.Since(died) < (ttl+5)*time.Second {
		found, err := w.store.Get(context.Background(), dead.key())
		if err != nil {
			return err
		}
		if len(found.Kvs) == 0 {
			w.say("the entry was there for %.1fs of its TTL of %ds", time.Since(died).Seconds(), ttl)
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("the entry of %s is still there after %v", dead.name, time.Since(died))
}

// balanced waits until all clients have called each of these, and none of those, for a while.
func (w *world) balanced(limit time.Duration, wanted, unwanted []*backend) error {
	deadline := time.Now().Add(limit)
	last := ""
	for time.Now().Before(deadline) {
		before, not := counts(wanted), counts(unwanted)
		time.Sleep(400 * time.Millisecond)
		after, notAfter := counts(wanted), counts(unwanted)
		last = ""
		for i, b := range wanted {
			for _, cl := range w.clients {
				if after[i][cl.name()] == before[i][cl.name()] {
					last = fmt.Sprintf("%s is not called by the %s client", b.name, cl.name())
				}
			}
		}
		for i, b := range unwanted {
			for _, cl := range w.clients {
				if notAfter[i][cl.name()] != not[i][cl.name()] {
					last = fmt.Sprintf("%s is called by the %s client", b.name, cl.name())
				}
			}
		}
		if last == "" {
			return nil
		}
	}
	return fmt.Errorf("not balanced in %v: %s", limit, last)
}

func counts(servers []*backend) []map[string]int64 {
	var all []map[string]int64
	for _, b := range servers {
		all = append(all, b.counts())
	}
	return all
}

// none is an error when a call has failed.
func (w *world) none(when string) error {
	for _, cl := range w.clients {
		if failed := cl.failures(); len(failed) > 0 {
			return fmt.Errorf("%s: %d calls of the %s client failed, the first: %s", when, len(failed), cl.name(), failed[0])
		}
	}
	return nil
}

// counted ends the clients. When a server dies, the call that it has in hand fails: no client has more than one.
func (w *world) counted() error {
	for _, cl := range w.clients {
		calls, failed, err := cl.end()
		if err != nil {
			return fmt.Errorf("the %s client: %w", cl.name(), err)
		}
		if calls < 500 || len(failed) > 1 {
			return fmt.Errorf("the %s client made %d calls, %d failed: %v", cl.name(), calls, len(failed), failed)
		}
		w.say("the %s client made %d calls, %d failed when c died", cl.name(), calls, len(failed))
	}
	fmt.Println("discovery: ok")
	return nil
}
