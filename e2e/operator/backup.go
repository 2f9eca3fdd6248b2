package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// shop is the cluster whose backups the scenarios take; it has one member, TLS, users, and an encrypted repository on a claim.
func (w *world) shop() deployed { return deployed{w, "shop", "shop"} }

const (
	backupClaim = "backups"
	backupKeys  = 300
)

// shopNamespace has the claim and the key; the cluster comes with shopYaml.
const shopNamespace = `
apiVersion: v1
kind: Namespace
metadata: {name: NAMESPACE, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: Secret
metadata: {name: backup-key, namespace: NAMESPACE}
stringData: {key: "KEY"}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: backups, namespace: NAMESPACE}
spec: {accessModes: [ReadWriteOnce], storageClassName: local, VOLUME resources: {requests: {storage: 1Gi}}}
`

const shopYaml = `
apiVersion: kvorum.io/v1alpha1
kind: KvorumCluster
metadata: {name: NAME, namespace: NAMESPACE}
spec:
  replicas: 1
  version: ` + oldVersion + `
  image: {repository: ` + storeImage + `}
  storage: {size: 1Gi, storageClassName: local, retention: {whenDeleted: Delete}}
  resources: {requests: {cpu: 50m, memory: 256Mi}, limits: {memory: 768Mi}}
  auth: {enabled: true}
  update: {minReadySeconds: 2}
  backup:
    destination: {pvc: {claimName: backups, path: PATH}}
    encryptionKeySecretRef: backup-key
  BOOTSTRAP
`

func shopCluster(namespace, name, path, bootstrap string) string {
	return strings.NewReplacer("NAMESPACE", namespace, "NAME", name, "PATH", path, "BOOTSTRAP", bootstrap).Replace(shopYaml)
}

func shopPlace(namespace, key, volume string) string {
	return strings.NewReplacer("NAMESPACE", namespace, "KEY", key, "VOLUME", volume).Replace(shopNamespace)
}

// backupTaken takes a full backup with the kubectl plugin, which restores it in a place of its own and compares, and then deltas.
func backupTaken(w *world) error {
	d := w.shop()
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	if err := w.apply(shopPlace(d.namespace, hex.EncodeToString(key), "")); err != nil {
		return err
	}
	if err := w.apply(shopCluster(d.namespace, d.name, "shop", "")); err != nil {
		return err
	}
	if err := d.ready(3 * time.Minute); err != nil {
		return err
	}
	if err := d.fill("first", backupKeys); err != nil {
		return err
	}
	begin := time.Now()
	out, err := w.plugin("-n", d.namespace, "backup", d.name, "--verify")
	if err != nil || !strings.Contains(out, "restored and equal") {
		return fmt.Errorf("kubectl kvorum backup --verify: %q, %v", out, err)
	}
	note("kubectl kvorum backup --verify: %v", time.Since(begin).Round(time.Second))
	if err := d.fill("second", backupKeys); err != nil {
		return err
	}
	begin = time.Now()
	if err := d.take("delta", "type: Delta, verify: true"); err != nil {
		return err
	}
	delta, err := d.backupPhase("delta", 4*time.Minute, "Verified")
	if err != nil {
		return err
	}
	if delta.text("status", "type") != "Delta" || delta.text("status", "artefact", "previous") == "" {
		return fmt.Errorf("the delta is a %s of %d bytes behind %q", delta.text("status", "type"), delta.number("status", "artefact", "sizeBytes"), delta.text("status", "artefact", "previous"))
	}
	note("a delta of %d bytes, verified with what it builds on: %v", delta.number("status", "artefact", "sizeBytes"), time.Since(begin).Round(time.Second))
	o, err := d.get()
	if err != nil {
		return err
	}
	if status, reason := o.condition("BackupHealthy"); status != "True" {
		return fmt.Errorf("BackupHealthy is %q (%s)", status, reason)
	}
	out, err = w.plugin("-n", d.namespace, "status", d.name)
	if err != nil || !strings.Contains(out, "delta ") || strings.Count(out, "Verified") < 2 {
		return fmt.Errorf("kubectl kvorum status: %q, %v", out, err)
	}
	return nil
}

// backupDamaged flips one bit of one object in the volume: the verification finds it, and says which.
func backupDamaged(w *world) error {
	d := w.shop()
	// A folder of its own: whatever is in it belongs to this backup.
	if err := d.take("damaged", "destination: {pvc: {claimName: "+backupClaim+", path: damaged}}"); err != nil {
		return err
	}
	if _, err := d.backupPhase("damaged", 3*time.Minute, "Completed"); err != nil {
		return err
	}
	if out, err := w.plugin("-n", d.namespace, "verify", d.name, "damaged"); err != nil {
		return fmt.Errorf("before the damage: %q: %w", out, err)
	}
	dir, err := d.volume(backupClaim)
	if err != nil {
		return err
	}
	name, err := flip(filepath.Join(dir, "damaged"))
	if err != nil {
		return err
	}
	out, err := w.plugin("-n", d.namespace, "verify", d.name, "damaged")
	if err == nil {
		return fmt.Errorf("a damaged backup passed: %q", out)
	}
	b, err := d.backupPhase("damaged", time.Minute, "Failed")
	if err != nil {
		return err
	}
	status, reason := b.condition("Verified")
	if status != "False" || reason != "ContentCorrupt" || !strings.Contains(b.text("status", "message"), filepath.Base(name)) {
		return fmt.Errorf("Verified is %q (%s): %s; %s was damaged", status, reason, b.text("status", "message"), name)
	}
	note("one bit of %s… flipped: %s", name[:min(len(name), 20)], reason)
	_, err = d.ctl("-n", d.namespace, "delete", "kvb", "damaged", "--timeout=2m")
	return err
}

// flip changes one bit in the middle of the largest object with content below a repository, and returns the object's name.
func flip(repository string) (string, error) {
	var name string
	var size int64
	for _, kind := range []string{"segments", "log"} {
		entries, err := os.ReadDir(filepath.Join(repository, kind))
		if err != nil {
			continue
		}
		for _, e := range entries {
			if i, err := e.Info(); err == nil && i.Mode().IsRegular() && i.Size() > size {
				name, size = filepath.Join(kind, e.Name()), i.Size()
			}
		}
	}
	if name == "" {
		return "", fmt.Errorf("no objects in %s", repository)
	}
	path := filepath.Join(repository, name)
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	content[size/2] ^= 1
	return name, os.WriteFile(path, content, 0o644)
}

// scheduled lets a schedule run each minute: retention leaves what it shall, and what it deletes is gone from the volume too. A schedule that slept for a day runs once.
func scheduled(w *world) error {
	d := w.shop()
	dir, err := d.volume(backupClaim)
	if err != nil {
		return err
	}
	spec := "clusterRef: shop, schedule: '* * * * *', retention: {keepLast: 1}, verify: {every: 2}, template: {destination: {pvc: {claimName: " + backupClaim + ", path: minutes}}}"
	if err := d.schedule("minutes", spec); err != nil {
		return err
	}
	begin := time.Now()
	err = await("a third run is completed, and an earlier one pruned", 8*time.Minute, func() error {
		s, err := d.kube.get("-n", d.namespace, "kvbs", "minutes")
		if err != nil {
			return err
		}
		left, err := d.runs("minutes")
		if err != nil {
			return err
		}
		manifests, err := os.ReadDir(filepath.Join(dir, "minutes", "backups"))
		if err != nil {
			return err
		}
		if s.number("status", "runs") < 3 || s.text("status", "lastVerifiedBackup") == "" || len(left) > 2 || len(manifests) > 2 {
			return fmt.Errorf("%d runs, %d objects and %d artefacts left, verified %q", s.number("status", "runs"), len(left), len(manifests), s.text("status", "lastVerifiedBackup"))
		}
		return nil
	})
	if err != nil {
		return err
	}
	note("three runs in %v; all but the newest and the newest verified one are gone, artefacts too", time.Since(begin).Round(time.Second))
	if _, err := w.ctl("-n", d.namespace, "patch", "kvbs", "minutes", "--type=merge", "-p", `{"spec":{"suspend":true}}`); err != nil {
		return err
	}
	return d.missed()
}

// missed sets a schedule's memory back by a day: twenty-four moments without a run become one run.
func (d deployed) missed() error {
	if err := d.schedule("hourly", "clusterRef: shop, schedule: '30 * * * *', retention: {keepLast: 5}"); err != nil {
		return err
	}
	err := await("the schedule is seen", time.Minute, func() error {
		s, err := d.kube.get("-n", d.namespace, "kvbs", "hourly")
		if err == nil && s.text("status", "nextScheduleTime") == "" {
			err = fmt.Errorf("it names no next run: %s", s.text("status", "message"))
		}
		return err
	})
	if err != nil {
		return err
	}
	day := time.Now().UTC().Add(-24 * time.Hour).Truncate(time.Hour).Add(30 * time.Minute).Format(time.RFC3339)
	if _, err := d.ctl("-n", d.namespace, "patch", "kvbs", "hourly", "--subresource=status", "--type=merge", "-p", `{"status":{"lastScheduleTime":"`+day+`"}}`); err != nil {
		return err
	}
	var missedRuns int
	err = await("the missed runs are made up for", 4*time.Minute, func() error {
		s, err := d.kube.get("-n", d.namespace, "kvbs", "hourly")
		if err != nil {
			return err
		}
		missedRuns = s.number("status", "missedRuns")
		if s.text("status", "lastSuccessfulBackup") == "" || s.text("status", "active") != "" {
			return fmt.Errorf("successful %q, active %q: %s", s.text("status", "lastSuccessfulBackup"), s.text("status", "active"), s.text("status", "message"))
		}
		return nil
	})
	if err != nil {
		return err
	}
	left, err := d.runs("hourly")
	if err != nil {
		return err
	}
	// The scenario itself may run over half past.
	if len(left) > 2 || missedRuns < 20 {
		return fmt.Errorf("%d runs for a missed day, %d moments missed", len(left), missedRuns)
	}
	note("a day of %d missed moments made %d run", missedRuns, len(left))
	_, err = d.ctl("-n", d.namespace, "delete", "kvbs", "--all")
	return err
}
