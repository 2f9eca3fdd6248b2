// Command migration moves data from etcd into a server and back again, and compares what both hold: whole ranges and content hashes at many revisions,
// leases with their keys, users and what they may do.
//
//	migration -server PROGRAM -peers DIR [-revisions N] [-seed S] [-dir DIR]
//
// DIR holds etcd, etcdctl and etcdutl. Everything is made by unmodified tools: etcdctl saves every snapshot, etcdutl restores for etcd, PROGRAM import for the
// server. The last line is "migration: ok" or the first thing that differs.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"kvorum.io/e2e/local"
)

const startLimit = 60 * time.Second

// tools are the programs and the folder to work in.
type tools struct {
	server, etcd, etcdctl, etcdutl, dir string
}

func main() {
	server := flag.String("server", "", "the server under test")
	peers := flag.String("peers", "", "folder with etcd, etcdctl and etcdutl")
	revisions := flag.Int("revisions", 1500, "revisions of history")
	seed := flag.Int64("seed", 1, "of the history")
	dir := flag.String("dir", "", "work folder (default: a temporary one)")
	flag.Parse()
	t := &tools{*server, filepath.Join(*peers, "etcd"), filepath.Join(*peers, "etcdctl"), filepath.Join(*peers, "etcdutl"), *dir}
	if t.dir == "" {
		made, err := os.MkdirTemp("", "migration")
		if err != nil {
			fail(err)
		}
		defer os.RemoveAll(made)
		t.dir = made
	}
	if err := t.run(*revisions, rand.New(rand.NewSource(*seed))); err != nil {
		fail(fmt.Errorf("seed %d: %w", *seed, err))
	}
	fmt.Println("migration: ok")
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "migration: FAILED:", err)
	os.Exit(1)
}

func (t *tools) run(revisions int, random *rand.Rand) error {
	source, err := t.start(t.etcd, "source", 1)
	if err != nil {
		return err
	}
	defer source.StopAll()
	if err := fill(source, revisions, random); err != nil {
		return fmt.Errorf("filling etcd: %w", err)
	}
	first := filepath.Join(t.dir, "first.db")
	if err := t.save(source, first); err != nil {
		return err
	}
	steps := []struct {
		name string
		run  func() error
	}{
		{"a file that was altered or cut is refused, and nothing is left", func() error { return t.refusals(first) }},
		{"etcd -> three members -> etcd", func() error { return t.roundTrip(source, first) }},
		{"revision bumped on both sides", func() error { return t.bumped(first) }},
		{"a live etcd, mirrored behind a snapshot", func() error { return t.mirrored(source) }},
		{"bare data file", func() error { return t.bare(source) }},
	}
	for _, step := range steps {
		begin := time.Now()
		if err := step.run(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Printf("ok   %s (%.1f s)\n", step.name, time.Since(begin).Seconds())
	}
	return nil
}

func (t *tools) start(program, name string, members int) (*local.Cluster, error) {
	c, err := local.New(program, filepath.Join(t.dir, name), members)
	if err != nil {
		return nil, err
	}
	if err := c.StartAll(startLimit); err != nil {
		c.StopAll()
		return nil, err
	}
	return c, nil
}

// command runs a program; its output comes with the error.
func command(program string, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(args, " "), err, out.String())
	}
	return out.String(), nil
}

// save asks the first member for a snapshot, and etcdutl whether the file is sound.
func (t *tools) save(c *local.Cluster, file string) error {
	if _, err := command(t.etcdctl, "--endpoints", c.Members[0].Client, "--user", rootUser+":"+rootPassword, "--dial-timeout", "20s", "--command-timeout", "30s",
		"snapshot", "save", file); err != nil {
		return err
	}
	_, err := command(t.etcdutl, "snapshot", "status", file)
	return err
}

// restored makes data directories from a snapshot, by etcdutl or by the server's import, and starts the cluster.
func (t *tools) restored(program, name, file string, members int, more ...string) (*local.Cluster, error) {
	c, err := local.New(program, filepath.Join(t.dir, name), members)
	if err != nil {
		return nil, err
	}
	for _, m := range c.Members {
		args := []string{"import", file}
		tool := t.server
		if program == t.etcd {
			args, tool = []string{"snapshot", "restore", file}, t.etcdutl
		}
		args = append(args, "--name", m.Name, "--data-dir", m.Dir, "--initial-cluster", c.Initial(), "--initial-cluster-token", filepath.Base(c.Dir),
			"--initial-advertise-peer-urls", m.Peer)
		if _, err := command(tool, append(args, more...)...); err != nil {
			return nil, err
		}
	}
	if err := c.StartAll(startLimit); err != nil {
		c.StopAll()
		return nil, err
	}
	return c, nil
}

func (t *tools) roundTrip(source *local.Cluster, first string) error {
	expected, err := observe(source, source.Members[0], nil)
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	middle, err := t.restored(t.server, "middle", first, 3)
	if err != nil {
		return err
	}
	defer middle.StopAll()
	for _, m := range middle.Members {
		if err := compare(expected, middle, m); err != nil {
			return fmt.Errorf("after the import, %s: %w", m.Name, err)
		}
	}
	second := filepath.Join(t.dir, "second.db")
	if err := t.save(middle, second); err != nil {
		return err
	}
	if err := t.backIn(second, "back", func(back *local.Cluster) error { return compare(expected, back, back.Members[0]) }); err != nil {
		return err
	}
	return t.savedUnderLoad(middle)
}

// backIn restores a snapshot into etcd, and lets it be looked at.
func (t *tools) backIn(file, name string, look func(*local.Cluster) error) error {
	back, err := t.restored(t.etcd, name, file, 1)
	if err != nil {
		return err
	}
	defer back.StopAll()
	if err := look(back); err != nil {
		return fmt.Errorf("back in etcd: %w", err)
	}
	return nil
}

// savedUnderLoad takes a snapshot while two clients write: the file is one revision, and its content that of the server at this revision.
func (t *tools) savedUnderLoad(c *local.Cluster) error {
	file := filepath.Join(t.dir, "third.db")
	stop, written := writers(c, 2)
	err := t.save(c, file)
	revisions, writeErr := stop()
	if err != nil {
		return err
	}
	if writeErr != nil {
		return fmt.Errorf("writing beside a snapshot: %w", writeErr)
	}
	return t.backIn(file, "back-under-load", func(back *local.Cluster) error {
		at, err := revision(back, back.Members[0])
		if err != nil {
			return err
		}
		if at > revisions || at < written {
			return fmt.Errorf("the snapshot is of revision %d; %d was there before, %d after", at, written, revisions)
		}
		expected, err := observe(c, c.Members[0], []int64{at})
		if err != nil {
			return err
		}
		return compare(expected, back, back.Members[0])
	})
}

func (t *tools) bumped(file string) error {
	more := []string{"--bump-revision", "1000000", "--mark-compacted"}
	there, err := t.restored(t.etcd, "bumped-etcd", file, 1, more...)
	if err != nil {
		return err
	}
	defer there.StopAll()
	here, err := t.restored(t.server, "bumped", file, 1, more...)
	if err != nil {
		return err
	}
	defer here.StopAll()
	at, err := revision(there, there.Members[0])
	if err != nil {
		return err
	}
	// Both go on from the same revision. (At the compacted one itself this etcd answers from memory.)
	for _, c := range []*local.Cluster{there, here} {
		if err := putAfter(c, at); err != nil {
			return err
		}
	}
	expected, err := observe(there, there.Members[0], []int64{at + 1})
	if err != nil {
		return err
	}
	return compare(expected, here, here.Members[0])
}

func (t *tools) bare(source *local.Cluster) error {
	m := source.Members[0]
	expected, err := observe(source, m, nil)
	if err != nil {
		return err
	}
	if err := m.Stop(20 * time.Second); err != nil {
		return err
	}
	file := filepath.Join(m.Dir, "member", "snap", "db")
	if out, err := command(t.server, "import", file, "--data-dir", filepath.Join(t.dir, "no-digest")); err == nil || !strings.Contains(out, "--skip-hash-check") {
		return fmt.Errorf("a bare file was taken without being asked for: %s", out)
	}
	c, err := t.restored(t.server, "bare", file, 1, "--skip-hash-check")
	if err != nil {
		return err
	}
	defer c.StopAll()
	return compare(expected, c, c.Members[0])
}

func (t *tools) refusals(file string) error {
	whole, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 0x10
	for name, content := range map[string][]byte{"flipped": flipped, "truncated": whole[:len(whole)/2], "foreign": []byte(strings.Repeat("SQLite format 3\x00", 1024))} {
		path, target := filepath.Join(t.dir, name+".db"), filepath.Join(t.dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
		out, err := command(t.server, "import", path, "--data-dir", target)
		if err == nil || !strings.Contains(out, "nothing was imported") {
			return fmt.Errorf("a %s file: %v: %s", name, err, out)
		}
		if left, _ := filepath.Glob(target + "*"); len(left) != 1 || left[0] != path {
			return fmt.Errorf("a %s file left %v", name, left)
		}
	}
	return nil
}
