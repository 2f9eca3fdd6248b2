package main

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand"
	"sync"
	"time"

	"kvorum.io/e2e/local"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

const (
	rootUser, rootPassword = "root", "root's own"
	bobUser, bobPassword   = "bob", "bob's own"
	requestLimit           = 30 * time.Second
	keys                   = 200
	largeBytes             = 1 << 20
)

func connect(m *local.Member, user, password string) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{Endpoints: []string{m.Client}, Username: user, Password: password, DialTimeout: requestLimit, Logger: zap.NewNop()})
}

func key(random *mathrand.Rand) string { return fmt.Sprintf("k/%03d", random.Intn(keys)) }

// fill writes a history of that many revisions, leases, users and roles into a new cluster, compacts it twice and turns authentication on.
func fill(c *local.Cluster, revisions int, random *mathrand.Rand) error {
	client, err := c.Client()
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*requestLimit)
	defer cancel()
	var leases []clientv3.LeaseID
	// Any id but zero may be chosen; a negative one is stored in ten bytes.
	for _, id := range []int64{4711, -3, 9} {
		if _, err := pb.NewLeaseClient(client.ActiveConnection()).LeaseGrant(ctx, &pb.LeaseGrantRequest{ID: id, TTL: 3600}); err != nil {
			return err
		}
		leases = append(leases, clientv3.LeaseID(id))
	}
	for i := 0; i < revisions; i++ {
		if err := change(ctx, client, random, leases); err != nil {
			return err
		}
		if i == revisions/4 || i == revisions/2 {
			if err := compact(ctx, client); err != nil {
				return err
			}
		}
	}
	for i := range 3 {
		large := make([]byte, largeBytes)
		if _, err := rand.Read(large); err != nil {
			return err
		}
		if _, err := client.Put(ctx, fmt.Sprintf("large/%d", i), string(large)); err != nil {
			return err
		}
	}
	if _, err := client.Revoke(ctx, leases[2]); err != nil {
		return err
	}
	return users(ctx, client)
}

// change makes one revision: a put, a deletion of one key or of many, or a transaction.
func change(ctx context.Context, client *clientv3.Client, random *mathrand.Rand, leases []clientv3.LeaseID) error {
	put := func() clientv3.Op {
		var options []clientv3.OpOption
		if random.Intn(10) == 0 {
			options = append(options, clientv3.WithLease(leases[random.Intn(len(leases))]))
		}
		return clientv3.OpPut(key(random), fmt.Sprintf("%0*d", random.Intn(300), random.Int63()), options...)
	}
	var err error
	switch random.Intn(10) {
	case 0:
		_, err = client.Delete(ctx, key(random))
	case 1:
		n := random.Intn(keys)
		_, err = client.Delete(ctx, fmt.Sprintf("k/%03d", n), clientv3.WithRange(fmt.Sprintf("k/%03d", n+5)))
	case 2:
		// No key twice: the ops are puts of different prefixes and one deletion.
		k := key(random)
		_, err = client.Txn(ctx).Then(clientv3.OpPut("a/"+k, k), clientv3.OpPut("b/"+k, ""), clientv3.OpDelete("a/"+key(random)+"/none"), put()).Commit()
	default:
		_, err = client.Do(ctx, put())
	}
	return err
}

func compact(ctx context.Context, client *clientv3.Client) error {
	now, err := client.Get(ctx, "none")
	if err != nil {
		return err
	}
	_, err = client.Compact(ctx, now.Header.Revision-20, clientv3.WithCompactPhysical())
	return err
}

func users(ctx context.Context, client *clientv3.Client) error {
	steps := []func() error{
		func() error { _, err := client.UserAdd(ctx, rootUser, rootPassword); return err },
		func() error { _, err := client.UserAdd(ctx, bobUser, bobPassword); return err },
		func() error {
			_, err := client.UserAddWithOptions(ctx, "nobody", "", &clientv3.UserAddOptions{NoPassword: true})
			return err
		},
		func() error { _, err := client.RoleAdd(ctx, "root"); return err },
		func() error { _, err := client.RoleAdd(ctx, "reader"); return err },
		func() error {
			_, err := client.RoleGrantPermission(ctx, "reader", "k/", "k0", clientv3.PermissionType(clientv3.PermRead))
			return err
		},
		func() error {
			_, err := client.RoleGrantPermission(ctx, "reader", "mine", "", clientv3.PermissionType(clientv3.PermReadWrite))
			return err
		},
		func() error { _, err := client.UserGrantRole(ctx, rootUser, "root"); return err },
		func() error { _, err := client.UserGrantRole(ctx, bobUser, "reader"); return err },
		func() error { _, err := client.AuthEnable(ctx); return err },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// writers let clients write, none of the keys with a lease, until they are stopped; stop answers the revision of the last write. The second result is a revision from before.
func writers(c *local.Cluster, count int) (func() (int64, error), int64) {
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	var lock sync.Mutex
	var last int64
	var failed error
	before, err := revision(c, c.Members[0])
	failed = err
	for i := range count {
		wait.Add(1)
		go func() {
			defer wait.Done()
			client, err := connect(c.Members[i%len(c.Members)], rootUser, rootPassword)
			if err != nil {
				lock.Lock()
				failed = err
				lock.Unlock()
				return
			}
			defer client.Close()
			for n := 0; ctx.Err() == nil; n++ {
				call, end := context.WithTimeout(context.Background(), requestLimit)
				answer, err := client.Put(call, fmt.Sprintf("load/%03d", n%keys), fmt.Sprintf("under load %d", n))
				end()
				lock.Lock()
				if err != nil {
					failed = err
				} else {
					last = max(last, answer.Header.Revision)
				}
				lock.Unlock()
				if err != nil {
					return
				}
				time.Sleep(time.Millisecond)
			}
		}()
	}
	return func() (int64, error) {
		cancel()
		wait.Wait()
		return last, failed
	}, before
}

func revision(c *local.Cluster, m *local.Member) (int64, error) {
	client, err := connect(m, rootUser, rootPassword)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
	defer cancel()
	answer, err := client.Get(ctx, "none")
	if err != nil {
		return 0, err
	}
	return answer.Header.Revision, nil
}

// putAfter writes once and wants the revision that follows.
func putAfter(c *local.Cluster, before int64) error {
	client, err := connect(c.Members[0], rootUser, rootPassword)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
	defer cancel()
	answer, err := client.Put(ctx, "after", "x")
	if err == nil && answer.Header.Revision != before+1 {
		err = fmt.Errorf("revision %d follows %d", answer.Header.Revision, before)
	}
	return err
}
