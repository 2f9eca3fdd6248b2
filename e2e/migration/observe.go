package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sort"

	"kvorum.io/e2e/local"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// revisionsMax are looked at one by one.
const revisionsMax = 15

// content is what a member holds, as a client sees it.
type content struct {
	revision, compacted int64
	at                  []int64           // the revisions that were looked at
	ranges              map[int64]string  // all pairs at a revision
	hashes              map[int64]uint32  // HashKV at a revision
	leases              map[int64]string  // granted time and keys
	users, roles        map[string]string // what they are
	bob                 string            // what an ordinary user may do
}

// observe looks at the given revisions, or at some from the compacted one to the newest.
func observe(c *local.Cluster, m *local.Member, at []int64) (*content, error) {
	client, err := connect(m, rootUser, rootPassword)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*requestLimit)
	defer cancel()
	seen := &content{ranges: map[int64]string{}, hashes: map[int64]uint32{}, leases: map[int64]string{}, users: map[string]string{}, roles: map[string]string{}}
	newest, err := client.HashKV(ctx, m.Client, 0)
	if err != nil {
		return nil, err
	}
	seen.revision, seen.compacted = newest.Header.Revision, newest.CompactRevision
	if at == nil {
		for step, r := max(1, (seen.revision-seen.compacted)/revisionsMax), max(seen.compacted, 1); r < seen.revision; r += step {
			at = append(at, r)
		}
		at = append(at, seen.revision)
	}
	seen.at = at
	for _, r := range at {
		all, err := client.Get(ctx, "\x00", clientv3.WithFromKey(), clientv3.WithRev(r))
		if err != nil {
			return nil, fmt.Errorf("range at %d: %w", r, err)
		}
		sum := sha256.New()
		for _, pair := range all.Kvs {
			encoded, err := (*mvccpb.KeyValue)(pair).Marshal()
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(sum, "%d ", len(encoded))
			sum.Write(encoded)
		}
		seen.ranges[r] = fmt.Sprintf("%d pairs, %x", all.Count, sum.Sum(nil))
		hash, err := client.HashKV(ctx, m.Client, r)
		if err != nil {
			return nil, fmt.Errorf("hash at %d: %w", r, err)
		}
		// An etcd that did the compaction itself answers at that revision from memory, as of before it.
		if hash.CompactRevision == seen.compacted {
			seen.hashes[r] = hash.Hash
		}
	}
	if err := seen.readLeases(ctx, client); err != nil {
		return nil, err
	}
	if err := seen.readUsers(ctx, client); err != nil {
		return nil, err
	}
	seen.bob, err = bob(ctx, m)
	return seen, err
}

func (s *content) readLeases(ctx context.Context, client *clientv3.Client) error {
	list, err := client.Leases(ctx)
	if err != nil {
		return err
	}
	for _, lease := range list.Leases {
		live, err := client.TimeToLive(ctx, lease.ID, clientv3.WithAttachedKeys())
		if err != nil {
			return err
		}
		attached := make([]string, 0, len(live.Keys))
		for _, k := range live.Keys {
			attached = append(attached, string(k))
		}
		sort.Strings(attached)
		if live.TTL <= 0 {
			return fmt.Errorf("lease %x has %d s left", lease.ID, live.TTL)
		}
		s.leases[int64(lease.ID)] = fmt.Sprint(live.GrantedTTL, attached)
	}
	return nil
}

func (s *content) readUsers(ctx context.Context, client *clientv3.Client) error {
	users, err := client.UserList(ctx)
	if err != nil {
		return err
	}
	for _, name := range users.Users {
		user, err := client.UserGet(ctx, name)
		if err != nil {
			return err
		}
		s.users[name] = fmt.Sprint(user.Roles)
	}
	roles, err := client.RoleList(ctx)
	if err != nil {
		return err
	}
	for _, name := range roles.Roles {
		role, err := client.RoleGet(ctx, name)
		if err != nil {
			return err
		}
		s.roles[name] = fmt.Sprint(role.Perm)
	}
	status, err := client.AuthStatus(ctx)
	if err != nil {
		return err
	}
	s.users[""] = fmt.Sprint(status.Enabled, status.AuthRevision)
	return nil
}

// bob logs in with a password that only the users' hashes carry over, and tries what he may and may not.
func bob(ctx context.Context, m *local.Member) (string, error) {
	if _, err := connect(m, bobUser, "a guess"); err == nil {
		return "", errors.New("a wrong password was taken")
	}
	client, err := connect(m, bobUser, bobPassword)
	if err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	defer client.Close()
	if _, err := client.Get(ctx, "k/", clientv3.WithPrefix(), clientv3.WithCountOnly()); err != nil {
		return "", err
	}
	_, outside := client.Get(ctx, "large/0")
	_, write := client.Put(ctx, "k/000", "not his")
	if !errors.Is(outside, rpctypes.ErrPermissionDenied) || !errors.Is(write, rpctypes.ErrPermissionDenied) {
		return "", fmt.Errorf("bob was told %v and %v", outside, write)
	}
	return "reads k/ alone", nil
}

// compare wants a member to hold what is expected, at every revision that was looked at.
func compare(expected *content, c *local.Cluster, m *local.Member) error {
	seen, err := observe(c, m, expected.at)
	if err != nil {
		return err
	}
	if len(expected.at) > 1 && (seen.revision != expected.revision || seen.compacted != expected.compacted) {
		return fmt.Errorf("revision %d, compacted %d; expected %d and %d", seen.revision, seen.compacted, expected.revision, expected.compacted)
	}
	compared := 0
	for _, r := range expected.at {
		if seen.ranges[r] != expected.ranges[r] {
			return fmt.Errorf("range at %d: %s, expected %s", r, seen.ranges[r], expected.ranges[r])
		}
		here, ok := seen.hashes[r]
		there, also := expected.hashes[r]
		if ok && also {
			compared++
			if here != there {
				return fmt.Errorf("HashKV at %d: %d, expected %d", r, here, there)
			}
		}
	}
	if compared < len(expected.at)-1 || compared == 0 {
		return fmt.Errorf("only %d of %d hashes could be compared", compared, len(expected.at))
	}
	for what, pair := range map[string][2]any{"leases": {seen.leases, expected.leases}, "users": {seen.users, expected.users}, "roles": {seen.roles, expected.roles},
		"bob": {seen.bob, expected.bob}} {
		if fmt.Sprint(pair[0]) != fmt.Sprint(pair[1]) {
			return fmt.Errorf("%s: %v, expected %v", what, pair[0], pair[1])
		}
	}
	return nil
}
