package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// bucket is an S3-compatible server on this machine with one empty bucket, behind TLS with an authority of its own.
type bucket struct {
	dir    string
	values map[string]string // what the server's script says of it, by name
}

// s3 runs e2e/backup/s3.sh.
func (w *world) s3(args ...string) error {
	cmd := exec.Command(filepath.Join(filepath.Dir(w.scripts), "backup", "s3.sh"), args...)
	cmd.Env = append(os.Environ(), "PEERS_BIN="+w.bin, "S3_HOST="+hostAddress(), "TLS=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("s3.sh %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (w *world) startBucket() (bucket, error) {
	b := bucket{dir: filepath.Join(w.run, "s3"), values: map[string]string{}}
	if err := w.s3("build", w.bin); err != nil {
		return b, err
	}
	if err := w.s3("start", b.dir); err != nil {
		return b, err
	}
	text, err := os.ReadFile(filepath.Join(b.dir, "env"))
	for _, word := range strings.Fields(string(text)) {
		if name, value, found := strings.Cut(word, "="); found {
			b.values[name] = value
		}
	}
	return b, err
}

// objects are the names below a prefix of the bucket that end so.
func (b bucket) objects(prefix, suffix string) (found []string) {
	root := filepath.Join(b.dir, "objects", b.values["S3_BUCKET"], prefix)
	_ = filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(path, suffix) {
			found = append(found, path)
		}
		return nil
	})
	return found
}

const bucketYaml = `
apiVersion: v1
kind: Secret
metadata: {name: bucket, namespace: NAMESPACE}
stringData: {AWS_ACCESS_KEY_ID: "KEY_ID_VALUE", AWS_SECRET_ACCESS_KEY: "KEY_VALUE"}
---
apiVersion: v1
kind: Secret
metadata: {name: bucket-ca, namespace: NAMESPACE}
data: {ca.crt: "CA_VALUE"}
`

// backupS3 takes a backup into a bucket of a real S3-compatible server behind TLS, restores it from there, and deletes it with its object.
func backupS3(w *world) error {
	d := w.shop()
	b, err := w.startBucket()
	if err != nil {
		return err
	}
	defer w.s3("stop", b.dir)
	authority, err := os.ReadFile(b.values["S3_CA_FILE"])
	if err != nil {
		return err
	}
	err = w.apply(strings.NewReplacer("NAMESPACE", d.namespace, "KEY_ID_VALUE", b.values["AWS_ACCESS_KEY_ID"], "KEY_VALUE", b.values["AWS_SECRET_ACCESS_KEY"],
		"CA_VALUE", base64.StdEncoding.EncodeToString(authority)).Replace(bucketYaml))
	if err != nil {
		return err
	}
	begin := time.Now()
	destination := fmt.Sprintf("destination: {s3: {bucket: %s, prefix: a/shop, endpoint: '%s', region: %s, pathStyle: true, credentialsSecretRef: bucket, caSecretRef: bucket-ca}}",
		b.values["S3_BUCKET"], b.values["S3_ENDPOINT"], b.values["AWS_REGION"])
	if err := d.take("in-s3", "verify: true, deletionPolicy: Delete, "+destination); err != nil {
		return err
	}
	taken, err := d.backupPhase("in-s3", 4*time.Minute, "Verified")
	if err != nil {
		return err
	}
	if manifests := b.objects("a/shop/backups", ".json"); len(manifests) != 1 || !strings.HasPrefix(taken.text("status", "artefact", "uri"), "s3://") {
		return fmt.Errorf("manifests %v in the bucket; the artefact is %s", manifests, taken.text("status", "artefact", "uri"))
	}
	note("a backup into a bucket, restored from it and equal: %v", time.Since(begin).Round(time.Second))
	if _, err := d.ctl("-n", d.namespace, "delete", "kvb", "in-s3", "--timeout=50s"); err != nil {
		return err
	}
	if manifests := b.objects("a/shop/backups", ".json"); len(manifests) != 0 {
		return fmt.Errorf("%v is left in the bucket", manifests)
	}
	return nil
}
