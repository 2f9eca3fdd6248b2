package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// take asks for a backup.
func (d deployed) take(name, spec string) error {
	return d.apply(fmt.Sprintf("{apiVersion: kvorum.io/v1alpha1, kind: KvorumBackup, metadata: {name: %s, namespace: %s}, spec: {clusterRef: %s, %s}}", name, d.namespace, d.name, spec))
}

func (d deployed) schedule(name, spec string) error {
	return d.apply(fmt.Sprintf("{apiVersion: kvorum.io/v1alpha1, kind: KvorumBackupSchedule, metadata: {name: %s, namespace: %s}, spec: {%s}}", name, d.namespace, spec))
}

// runs of a schedule that are not being deleted.
func (d deployed) runs(schedule string) ([]object, error) {
	found, err := d.list("-n", d.namespace, "kvb", "-l", "kvorum.io/schedule="+schedule)
	return slices.DeleteFunc(found, func(b object) bool { return b.text("metadata", "deletionTimestamp") != "" }), err
}

// backupPhase waits until a backup has come to a phase; one that failed instead ends the wait.
func (d deployed) backupPhase(name string, limit time.Duration, phase string) (object, error) {
	var b object
	var failed error
	err := await("backup "+name+" is "+phase, limit, func() (err error) {
		if b, err = d.kube.get("-n", d.namespace, "kvb", name); err != nil {
			return err
		}
		switch now := b.text("status", "phase"); now {
		case phase:
			return nil
		case "Failed":
			failed = fmt.Errorf("backup %s has failed: %s", name, b.text("status", "message"))
			return nil
		default:
			return fmt.Errorf("%q: %s", now, b.text("status", "message"))
		}
	})
	if err == nil {
		err = failed
	}
	return b, err
}

// volume is the folder on this machine behind a claim.
func (d deployed) volume(claim string) (string, error) {
	c, err := d.kube.get("-n", d.namespace, "pvc", claim)
	if err != nil {
		return "", err
	}
	v, err := d.kube.get("pv", c.text("spec", "volumeName"))
	if err != nil {
		return "", err
	}
	return v.text("spec", "local", "path"), nil
}

// open is a client of the cluster, for half a minute.
func (d deployed) open(use func(context.Context, *clientv3.Client, []string) error) error {
	a, err := d.access()
	if err != nil {
		return err
	}
	endpoints := a.endpoints()
	c, err := a.client(endpoints...)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return use(ctx, c, endpoints)
}

// fill writes keys, each twice.
func (d deployed) fill(prefix string, keys int) error {
	return d.open(func(ctx context.Context, c *clientv3.Client, _ []string) error {
		for n := range 2 * keys {
			if _, err := c.Put(ctx, fmt.Sprintf("%s/%04d", prefix, n%keys), strings.Repeat(fmt.Sprint(n, " "), 50)); err != nil {
				return err
			}
		}
		return nil
	})
}

// content is every key with its value, without revisions: a restore may bump those.
func (d deployed) content() (found []string, err error) {
	err = d.open(func(ctx context.Context, c *clientv3.Client, _ []string) error {
		answer, err := c.Get(ctx, "\x00", clientv3.WithFromKey())
		if err == nil {
			for _, kv := range answer.Kvs {
				found = append(found, string(kv.Key)+"="+string(kv.Value))
			}
		}
		return err
	})
	return found, err
}

func difference(a, b []string) string {
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			return a[i][:min(len(a[i]), 40)]
		}
	}
	return "something more"
}

func (d deployed) hash(revision int64) (hash uint32, err error) {
	err = d.open(func(ctx context.Context, c *clientv3.Client, endpoints []string) error {
		answer, err := c.HashKV(ctx, endpoints[0], revision)
		if err == nil {
			hash = answer.Hash
		}
		return err
	})
	return hash, err
}

func (d deployed) revision() (revision int64, err error) {
	err = d.open(func(ctx context.Context, c *clientv3.Client, _ []string) error {
		answer, err := c.Get(ctx, "any")
		if err == nil {
			revision = answer.Header.Revision
		}
		return err
	})
	return revision, err
}
