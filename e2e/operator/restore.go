package main

import (
	"encoding/base64"
	"fmt"
	"slices"
	"time"
)

// destroyed deletes the whole namespace, which must end, and leave what was stored. Another cluster in another namespace begins with it: the same content.
func destroyed(w *world) error {
	d := w.shop()
	if err := d.take("last", "type: Full, deletionPolicy: Delete"); err != nil {
		return err
	}
	b, err := d.backupPhase("last", 3*time.Minute, "Completed")
	if err != nil {
		return err
	}
	before, err := d.content()
	if err != nil {
		return err
	}
	claim, err := d.kube.get("-n", d.namespace, "pvc", backupClaim)
	if err != nil {
		return err
	}
	secret, err := d.kube.get("-n", d.namespace, "secret", "backup-key")
	if err != nil {
		return err
	}
	key, err := base64.StdEncoding.DecodeString(secret.text("data", "key"))
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := w.tool("kubectl", "delete", "namespace", d.namespace, "--timeout=4m"); err != nil {
		return err
	}
	note("namespace destroyed in %v", time.Since(begin).Round(time.Second))

	volume := claim.text("spec", "volumeName")
	if _, err := w.ctl("patch", "pv", volume, "--type=json", "-p", `[{"op":"remove","path":"/spec/claimRef"}]`); err != nil {
		return err
	}
	n := deployed{w, "market", "market"}
	if err := w.apply(shopPlace(n.namespace, string(key), "volumeName: "+volume+",")); err != nil {
		return err
	}
	begin = time.Now()
	recovery := "bootstrap: {recovery: {location: '" + b.text("status", "artefact", "uri") + "', revisionBump: 0, markCompacted: false}}"
	if err := w.apply(shopCluster(n.namespace, n.name, "market", recovery)); err != nil {
		return err
	}
	if err := n.ready(5 * time.Minute); err != nil {
		return err
	}
	note("a new cluster from the backup is Ready after %v", time.Since(begin).Round(time.Second))
	after, err := n.content()
	if err != nil {
		return err
	}
	if len(before) < 2*backupKeys || !slices.Equal(before, after) {
		return fmt.Errorf("%d keys before, %d after; first difference: %s", len(before), len(after), difference(before, after))
	}
	hash, err := n.hash(int64(b.number("status", "artefact", "contentHashRevision")))
	if err != nil {
		return err
	}
	if int(hash) != b.number("status", "artefact", "contentHash") {
		return fmt.Errorf("content hash %d, of the backup %d", hash, b.number("status", "artefact", "contentHash"))
	}
	note("%d keys and the content hash %d are equal", len(after), hash)
	return nil
}

// restoreInPlace puts the new cluster back to a backup of its own: what was written after it is gone, revisions go on above.
func restoreInPlace(w *world) error {
	d := deployed{w, "market", "market"}
	if err := d.take("good", "type: Full"); err != nil {
		return err
	}
	b, err := d.backupPhase("good", 3*time.Minute, "Completed")
	if err != nil {
		return err
	}
	before, err := d.content()
	if err != nil {
		return err
	}
	if err := d.fill("mistake", 50); err != nil {
		return err
	}
	old, err := d.get()
	if err != nil {
		return err
	}
	begin := time.Now()
	out, err := w.plugin("-n", d.namespace, "restore", d.name, "good", "--acknowledge-data-loss")
	if err != nil {
		return fmt.Errorf("kubectl kvorum restore: %q: %w", out, err)
	}
	if err := d.ready(4 * time.Minute); err != nil {
		return err
	}
	note("kubectl kvorum restore → Ready: %v", time.Since(begin).Round(time.Second))
	now, err := d.get()
	if err != nil {
		return err
	}
	if now.text("status", "clusterID") == old.text("status", "clusterID") {
		return fmt.Errorf("the restored cluster has the old identity %s", old.text("status", "clusterID"))
	}
	after, err := d.content()
	if err != nil {
		return err
	}
	if !slices.Equal(before, after) {
		return fmt.Errorf("%d keys at the backup, %d after the restore; first difference: %s", len(before), len(after), difference(before, after))
	}
	revision, err := d.revision()
	if err != nil {
		return err
	}
	if revision < int64(b.number("status", "artefact", "toRevision"))+1_000_000_000 {
		return fmt.Errorf("revision %d after the restore, %d at the backup: clients' caches would be ahead", revision, b.number("status", "artefact", "toRevision"))
	}
	return nil
}

// finalBackup deletes a cluster that wants a last, verified backup first, and begins a new one with it.
func finalBackup(w *world) error {
	d := deployed{w, "market", "market"}
	if err := d.patch(`{"deletion": {"finalBackup": true}}`); err != nil {
		return err
	}
	if err := d.fill("at the end", 20); err != nil {
		return err
	}
	before, err := d.content()
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := w.tool("kubectl", "-n", d.namespace, "delete", "kvc", d.name, "--timeout=4m"); err != nil {
		return err
	}
	note("deleted with a final backup in %v", time.Since(begin).Round(time.Second))
	backups, err := d.list("-n", d.namespace, "kvb")
	if err != nil {
		return err
	}
	final := slices.IndexFunc(backups, func(b object) bool {
		return b.text("status", "phase") == "Verified" && b.text("metadata", "creationTimestamp") >= begin.UTC().Add(-time.Second).Format(time.RFC3339)
	})
	if final < 0 {
		return fmt.Errorf("no verified backup among the %d", len(backups))
	}
	again := deployed{w, d.namespace, "again"}
	recovery := "bootstrap: {recovery: {backupRef: " + backups[final].name() + "}}"
	if err := w.apply(shopCluster(again.namespace, again.name, "again", recovery)); err != nil {
		return err
	}
	if err := again.ready(5 * time.Minute); err != nil {
		return err
	}
	after, err := again.content()
	if err != nil {
		return err
	}
	if !slices.Equal(before, after) {
		return fmt.Errorf("%d keys at the end, %d in the new cluster; first difference: %s", len(before), len(after), difference(before, after))
	}
	return w.tool("kubectl", "delete", "namespace", d.namespace, "--timeout=4m")
}
