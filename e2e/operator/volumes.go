package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	localClass     = "local"
	volumesPerNode = 24 // every claim takes a fresh one; a released volume is not used again
	volumeSize     = "2Gi"
)

// volumes offers static local volumes: a folder of one node each, which the kubelet gives to the pod's group.
func (k *kube) volumes() error {
	var y strings.Builder
	fmt.Fprintf(&y, "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: %s}\nprovisioner: kubernetes.io/no-provisioner\n"+
		"volumeBindingMode: WaitForFirstConsumer\nallowVolumeExpansion: true\n", localClass)
	for n := 1; n <= k.nodes; n++ {
		for v := 1; v <= volumesPerNode; v++ {
			dir := filepath.Join(k.run, fmt.Sprintf("volumes/node%d/%d", n, v))
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			fmt.Fprintf(&y, `---
apiVersion: v1
kind: PersistentVolume
metadata: {name: node%d-%d}
spec:
  capacity: {storage: %s}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: %s
  local: {path: %s}
  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node%d]}]}]}}
`, n, v, volumeSize, localClass, dir, n)
		}
	}
	return k.apply(y.String())
}
