// Command agent looks at `kvorum agent` from outside, in front of a real cluster with users: what it answers itself, what it passes on, what it refuses, and what
// its clients see when members die, when the cluster is out of reach and when its user is gone.
//
//	agent -server PROGRAM [-only NAME,NAME] [-dir DIR] [-measure]
//
// With -measure it compares reads through the agent with reads over the network instead, and tells the agent's memory. The last line is "N passed, N failed".
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

const (
	startLimit = 180 * time.Second
	// What becomes true by itself becomes true within this.
	eventually = 30 * time.Second
	// A client may wait so long for an answer.
	callLimit = 10 * time.Second
)

type check struct {
	name string
	run  func(*world) error
}

var checks = []check{
	{"reads", reads},
	{"watchers", watchers},
	{"permissions", permissions},
	{"callers", callers},
	{"member-killed", memberKilled},
	{"cut-off", cutOff},
	{"compacted", compacted},
	{"revoked", revoked},
	{"stopped", stopped},
}

func main() {
	server := flag.String("server", "", "the program")
	only := flag.String("only", "", "names of checks, by commas (default: all)")
	dir := flag.String("dir", "", "where data and logs are kept (default: a temporary directory, removed when all is well)")
	measured := flag.Bool("measure", false, "compare instead of checking")
	flag.Parse()
	at := *dir
	if at == "" {
		made, err := os.MkdirTemp("", "agent")
		if err != nil {
			fail(err)
		}
		at = made
	}
	if *measured {
		if err := measure(*server, at); err != nil {
			fail(err)
		}
		os.RemoveAll(at)
		return
	}
	passed, failed := 0, 0
	for _, c := range checks {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), c.name) {
			continue
		}
		begin := time.Now()
		w, err := newWorld(*server, at, c.name)
		if err == nil {
			err = c.run(w)
		}
		if w != nil {
			w.close()
		}
		took := time.Since(begin).Round(100 * time.Millisecond)
		if err != nil {
			failed++
			fmt.Printf("%s: FAILED, %s: %v\n", c.name, took, err)
		} else {
			passed++
			fmt.Printf("%s: ok, %s%s\n", c.name, took, w.told())
		}
	}
	if failed == 0 && *dir == "" {
		os.RemoveAll(at)
	} else {
		fmt.Printf("data and logs are in %s\n", at)
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
