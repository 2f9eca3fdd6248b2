//go:build tools

// Command main pins the module graph of an etcdctl of 3.4, whose output older client suites read.
package main

import _ "go.etcd.io/etcd/etcdctl"
