package main

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"

	"kvorum.io/e2e/local"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// restored: ranges and content hashes are those of the source.
func (s *suite) restored(p place, members int) error {
	c, err := local.New(s.server, filepath.Join(s.dir, fmt.Sprintf("restored-%s-%d", strings.ReplaceAll(p.name, " ", "-"), members)), members)
	if err != nil {
		return err
	}
	defer c.StopAll()
	return s.restoredAs(p, c)
}

func (s *suite) restoredAs(p place, c *local.Cluster) error {
	var told result
	for _, m := range c.Members {
		var err error
		told, err = s.command(p, 0, "restore", "--latest", "--revision-bump=0", "--mark-compacted=false", "--data-dir="+m.Dir, "--name="+m.Name, "--initial-cluster="+c.Initial(),
			"--initial-cluster-token="+filepath.Base(c.Dir), "--initial-advertise-peer-urls="+m.Peer)
		if err != nil {
			return err
		}
		if !told.Compared {
			return fmt.Errorf("the restore compared nothing: %+v", told)
		}
	}
	if err := c.StartAll(startLimit); err != nil {
		return err
	}
	if len(c.Members) == 1 {
		if err := join(c); err != nil {
			return fmt.Errorf("joining: %w", err)
		}
	}
	for _, revision := range []int64{told.RestoredAt, told.RestoredAt - 50} {
		wantKeys, wantHash, err := content(s.source.Members[0], revision)
		if err != nil {
			return err
		}
		for _, m := range c.Members {
			gotKeys, gotHash, err := content(m, revision)
			if err != nil {
				return err
			}
			if gotHash != wantHash || !reflect.DeepEqual(gotKeys, wantKeys) {
				return fmt.Errorf("%s at revision %d: hash %d, not %d; %d keys, not %d", m.Name, revision, gotHash, wantHash, len(gotKeys), len(wantKeys))
			}
		}
	}
	return nil
}

// join adds a member to a restored one, which gets everything from it.
func join(c *local.Cluster) error {
	client, err := c.Client()
	if err != nil {
		return err
	}
	defer client.Close()
	first := c.Members[0]
	m, err := c.Place("joined")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
	defer cancel()
	if _, err := client.MemberAdd(ctx, []string{m.Peer}); err != nil {
		return err
	}
	c.Joining(first.Name + "=" + first.Peer + "," + m.Name + "=" + m.Peer)
	if err := c.Start(m); err != nil {
		return err
	}
	return m.AwaitHealthy(startLimit)
}

// content is all keys and the content hash at a revision, as one member has them.
func content(m *local.Member, revision int64) ([]string, uint32, error) {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{m.Client}, DialTimeout: requestLimit, MaxCallRecvMsgSize: 1 << 30})
	if err != nil {
		return nil, 0, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
	defer cancel()
	all, err := client.Get(ctx, "", clientv3.WithPrefix(), clientv3.WithRev(revision))
	if err != nil {
		return nil, 0, err
	}
	var rows []string
	for _, kv := range all.Kvs {
		rows = append(rows, kv.String())
	}
	hash, err := pb.NewMaintenanceClient(client.ActiveConnection()).HashKV(ctx, &pb.HashKVRequest{Revision: revision})
	if err != nil {
		return nil, 0, err
	}
	return rows, hash.Hash, nil
}
