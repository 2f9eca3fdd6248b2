// Command clientv3 runs every operation that users of etcd's Go client know against a three-member cluster that it starts itself.
//
//	clientv3 -server PROGRAM [-dir DIR] [-run SUBSTRING]
//
// One line a case; the last line is "N passed, N failed". Exit status 1 when anything failed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"kvorum.io/e2e/local"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// world is what a case may use.
type world struct {
	cluster *local.Cluster
	c       *clientv3.Client
	ctx     context.Context
	prefix  string // keys of the case, so that cases do not meet
}

func (w *world) key(name string) string { return w.prefix + name }

type check struct {
	name string
	run  func(w *world) error
}

func main() {
	server := flag.String("server", "", "server program that takes etcd's flags")
	dir := flag.String("dir", "", "where members keep data and logs (default: a temporary directory, removed when all pass)")
	only := flag.String("run", "", "run only cases whose name contains this")
	flag.Parse()
	if *server == "" {
		flag.Usage()
		os.Exit(2)
	}
	os.Exit(run(*server, *dir, *only))
}

func run(server, dir, only string) int {
	temporary := dir == ""
	if temporary {
		d, err := os.MkdirTemp("", "clientv3-")
		if err != nil {
			fmt.Println(err)
			return 1
		}
		dir = d
	}
	cluster, err := local.New(server, dir, 3)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer cluster.StopAll()
	if err := cluster.StartAll(30 * time.Second); err != nil {
		fmt.Println(err)
		return 1
	}
	c, err := cluster.Client()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer c.Close()
	var cases []check
	cases = append(cases, kvCases...)
	cases = append(cases, txnCases...)
	cases = append(cases, leaseCases...)
	cases = append(cases, watchCases...)
	cases = append(cases, clusterCases...) // last: they change the cluster
	passed, failed := 0, 0
	for i, k := range cases {
		if !strings.Contains(k.name, only) {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
		start := time.Now()
		err := k.run(&world{cluster: cluster, c: c, ctx: ctx, prefix: fmt.Sprintf("case%02d/", i)})
		cancel()
		if err != nil {
			failed++
			fmt.Printf("FAIL %s (%.2fs): %v\n", k.name, time.Since(start).Seconds(), err)
		} else {
			passed++
			fmt.Printf("ok   %s (%.2fs)\n", k.name, time.Since(start).Seconds())
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 || passed == 0 {
		fmt.Println("logs are in", dir)
		return 1
	}
	if temporary {
		cluster.StopAll()
		os.RemoveAll(dir)
	}
	return 0
}

func expect(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func first(errs ...error) error {
	for _, e := range errs {
		if e != nil {
			return e
		}
	}
	return nil
}
