package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"kvorum.io/e2e/local"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	positionKey = "kvorum.io/mirror"
	aliveKey    = "alive/key"
	// A mirror that is away for longer loses the lease in the destination, and says so.
	aliveTTL = 15
)

// mirrored moves a live etcd that is written to: an imported snapshot, a mirror behind it that is killed on the way, and the end once the writers stop. The
// lease of one key is short and kept alive at the source alone. Then a gap.
func (t *tools) mirrored(source *local.Cluster) error {
	stop, _ := writers(source, 2)
	file := filepath.Join(t.dir, "live.db")
	if err := t.save(source, file); err != nil {
		return err
	}
	out, err := command(t.etcdutl, "snapshot", "status", file, "-w", "json")
	if err != nil {
		return err
	}
	var status struct {
		Revision int64 `json:"revision"`
	}
	if err := json.Unmarshal([]byte(out), &status); err != nil {
		return fmt.Errorf("%s: %w", out, err)
	}
	// Behind the snapshot, so that the mirror has to grant the lease.
	lease, endLease, err := keepKey(source)
	if err != nil {
		return err
	}
	defer endLease()
	target, err := t.restored(t.server, "mirrored", file, 1)
	if err != nil {
		return err
	}
	defer target.StopAll()
	mirror, err := t.mirror(source, target, "--from-revision", fmt.Sprint(status.Revision))
	if err != nil {
		return err
	}
	running := exec.Command(mirror[0], mirror[1:]...)
	var told bytes.Buffer
	running.Stderr = &told
	if err := running.Start(); err != nil {
		return err
	}
	lowest := int64(aliveTTL)
	if err := await(target, func(client *clientv3.Client, ctx context.Context) (bool, error) {
		live, err := client.TimeToLive(ctx, lease)
		if err != nil || live.TTL < 0 {
			return false, err
		}
		lowest = min(lowest, live.TTL)
		return live.TTL > lowest, nil // renewed
	}); err != nil {
		_ = running.Process.Kill()
		return fmt.Errorf("%w; the mirror said: %s", err, told.String())
	}
	// kill -9: what it has done stands in the destination.
	_ = running.Process.Kill()
	_ = running.Wait()
	last, err := stop()
	if err != nil {
		return err
	}
	begin := time.Now()
	if _, err := command(mirror[0], append(mirror[1:], "--until-caught-up")...); err != nil {
		return err
	}
	fmt.Printf("     caught up with revision %d, %.1f s after the last write\n", last, time.Since(begin).Seconds())
	if err := samePairs(source, target); err != nil {
		return err
	}
	return t.gap(source, mirror)
}

// mirror is the command line, its program first.
func (t *tools) mirror(source, target *local.Cluster, more ...string) ([]string, error) {
	password := filepath.Join(t.dir, "password")
	if err := os.WriteFile(password, []byte(rootPassword+"\n"), 0o600); err != nil {
		return nil, err
	}
	return append([]string{t.server, "mirror", "--source", strings.Join(source.Endpoints(), ","), "--source-user", rootUser, "--source-password-file", password,
		"--destination", strings.Join(target.Endpoints(), ","), "--destination-user", rootUser, "--destination-password-file", password}, more...), nil
}

// keepKey puts a key with a short lease and keeps it alive until the returned function is called.
func keepKey(c *local.Cluster) (clientv3.LeaseID, func(), error) {
	client, err := connect(c.Members[0], rootUser, rootPassword)
	if err != nil {
		return 0, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	end := func() { cancel(); client.Close() }
	lease, err := client.Grant(ctx, aliveTTL)
	if err == nil {
		_, err = client.Put(ctx, aliveKey, "kept", clientv3.WithLease(lease.ID))
	}
	if err == nil {
		_, err = client.KeepAlive(ctx, lease.ID)
	}
	if err != nil {
		end()
		return 0, nil, err
	}
	return lease.ID, end, nil
}

func await(c *local.Cluster, done func(*clientv3.Client, context.Context) (bool, error)) error {
	client, err := connect(c.Members[0], rootUser, rootPassword)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
	defer cancel()
	for {
		ok, err := done(client, ctx)
		if err != nil || ok {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// samePairs compares keys, values and leases; revisions are each cluster's own.
func samePairs(source, target *local.Cluster) error {
	var contents [2]map[string]string
	for i, c := range []*local.Cluster{source, target} {
		client, err := connect(c.Members[0], rootUser, rootPassword)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
		all, err := client.Get(ctx, "\x00", clientv3.WithFromKey())
		cancel()
		client.Close()
		if err != nil {
			return err
		}
		contents[i] = map[string]string{}
		for _, pair := range all.Kvs {
			if string(pair.Key) != positionKey {
				contents[i][string(pair.Key)] = fmt.Sprintf("%x %s", pair.Lease, pair.Value)
			}
		}
	}
	if contents[0][aliveKey] == "" {
		return fmt.Errorf("the source lost %s", aliveKey)
	}
	for key, value := range contents[0] {
		if contents[1][key] != value {
			return fmt.Errorf("%s: %.60q, expected %.60q", key, contents[1][key], value)
		}
	}
	if len(contents[0]) != len(contents[1]) {
		return fmt.Errorf("%d keys, expected %d", len(contents[1]), len(contents[0]))
	}
	return nil
}

// gap wants the mirror to refuse to go on when the source compacted what it has not seen.
func (t *tools) gap(source *local.Cluster, mirror []string) error {
	at, err := revision(source, source.Members[0])
	if err != nil {
		return err
	}
	for i := range int64(2) {
		if err := putAfter(source, at+i); err != nil {
			return err
		}
	}
	client, err := connect(source.Members[0], rootUser, rootPassword)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
	defer cancel()
	if _, err := client.Compact(ctx, at+2); err != nil {
		return err
	}
	out, err := command(mirror[0], append(mirror[1:], "--until-caught-up")...)
	if err == nil || !strings.Contains(out, "were compacted at the source before they were mirrored") {
		return fmt.Errorf("a gap was passed over: %v: %s", err, out)
	}
	// At the compacted revision itself etcd answers HashKV from memory, as of before it: leave one behind it for what comes next.
	return putAfter(source, at+2)
}
