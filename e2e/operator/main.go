// Command operator runs Kvorum on a real Kubernetes (e2e/k8s) and does to it what users and machines do.
//
//	operator [-nodes N] [-scenarios NAME,…] [-keep]
//
// It builds what is missing (binaries, images), starts a cluster of its own, runs the scenarios one after the other, and takes the cluster down. The last line is
// "N passed, N failed"; what a reader wants to see after a failure is then in K8S_BIN/failed/SCENARIO. Needs root, except for -nodes 0.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// world is what scenarios share.
type world struct {
	*kube
	root string // of the repository
}

// scenario is one promise, shown.
type scenario struct {
	name  string
	nodes int // how many it needs at least
	run   func(*world) error
}

// note prints a figure or a fact of the running scenario.
func note(format string, args ...any) { fmt.Printf("    "+format+"\n", args...) }

func main() {
	nodes := flag.Int("nodes", 3, "nodes of the cluster; scenarios that need more are left out")
	only := flag.String("scenarios", "", "comma-separated names; default: all that the nodes allow")
	keep := flag.Bool("keep", false, "leave the cluster up at the end; a cluster that is up is used")
	flag.Parse()
	if err := run(*nodes, *only, *keep); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run(nodes int, only string, keep bool) error {
	w, err := newWorld(nodes)
	if err != nil {
		return err
	}
	chosen, err := choose(nodes, only)
	if err != nil {
		return err
	}
	if err := w.up(); err != nil {
		return err
	}
	if !keep {
		defer w.script("down.sh")
	}
	passed, failed := 0, 0
	for _, s := range chosen {
		begin := time.Now()
		fmt.Println("===", s.name)
		err := s.run(w)
		if err != nil {
			failed++
			dir := filepath.Join(w.bin, "failed", s.name)
			w.dump(dir)
			fmt.Printf("=== %s: FAILED after %v: %v\n    see %s\n", s.name, time.Since(begin).Round(time.Second), err, dir)
			if s.name == "install" {
				fmt.Println("what follows needs it and is not run")
				break
			}
			continue
		}
		passed++
		fmt.Printf("=== %s: ok, %v\n", s.name, time.Since(begin).Round(time.Second))
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		return errors.New("failed")
	}
	return nil
}

func newWorld(nodes int) (*world, error) {
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	scripts := filepath.Join(here, "k8s")
	if _, err := os.Stat(filepath.Join(scripts, "up.sh")); err != nil {
		return nil, fmt.Errorf("run this in the folder e2e: %w", err)
	}
	or := func(name, value string) string {
		if v := os.Getenv(name); v != "" {
			return v
		}
		return value
	}
	k := &kube{scripts: scripts, bin: or("K8S_BIN", filepath.Join(scripts, "bin")), run: or("K8S_RUN", filepath.Join(scripts, "run")), nodes: nodes}
	return &world{kube: k, root: filepath.Dir(here)}, nil
}

func choose(nodes int, only string) ([]scenario, error) {
	var chosen []scenario
	names := strings.Split(only, ",")
	for _, s := range scenarios {
		if only != "" && slices.Contains(names, s.name) || only == "" && s.nodes <= nodes {
			chosen = append(chosen, s)
		}
	}
	if only != "" && len(chosen) != len(names) {
		return nil, fmt.Errorf("no such scenario among %s", only)
	}
	return chosen, nil
}

// up builds what is missing and starts the cluster, unless it is up.
func (w *world) up() error {
	if err := w.script("build.sh"); err != nil {
		return err
	}
	if w.nodes > 0 {
		if err := w.script("images.sh"); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(w.run, "pids")); err != nil {
		begin := time.Now()
		if err := w.script("up.sh"); err != nil {
			return errors.Join(err, w.script("down.sh"))
		}
		fmt.Println("cluster up in", time.Since(begin).Round(100*time.Millisecond))
	}
	if w.nodes == 0 {
		return nil
	}
	images, err := filepath.Glob(filepath.Join(w.bin, "images", "*-*.tar"))
	if err != nil {
		return err
	}
	if err := w.script("image.sh", append([]string{"load"}, images...)...); err != nil {
		return err
	}
	return w.volumes()
}
