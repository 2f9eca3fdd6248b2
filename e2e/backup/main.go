// Command backup backs up a three-member cluster under load, into a folder and into object storage, and compares what is restored with what was there.
//
//	backup -server PROGRAM [-dir DIR]
//
// With S3_ENDPOINT, S3_BUCKET, S3_OBJECTS (the folder in which the server keeps the bucket's objects), credentials and S3_CA_FILE in the environment, as
// s3.sh writes them, object storage takes part; run.sh does that. The last line is "backup: ok" or the first thing that differs.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"kvorum.io/e2e/local"
)

const (
	startLimit   = 90 * time.Second
	requestLimit = 60 * time.Second
	keys         = 3000
	valueBytes   = 4096
)

// suite is the program under test, the work folder and the cluster that is backed up.
type suite struct {
	server, dir string
	source      *local.Cluster
	load        *load
}

// place is where backups go.
type place struct {
	name, location string
	options        []string
	objects        string // folder with the objects
}

// result is what a command of the server tells.
type result struct {
	OK             bool
	Reason         string
	Message        string
	ID             string
	Member         string
	SizeBytes      int64
	NewBytes       int64
	ToRevision     int64
	ContentHash    int64
	Compared       bool `json:"contentHashCompared"`
	HashMatched    bool
	FromRevision   int64
	Previous       string
	Seconds        float64
	Revision       int64
	RestoredAt     int64 `json:"restoredRevision"`
	CheckedBytes   int64 `json:"bytes"`
	PreviousSha256 string
}

func main() {
	server := flag.String("server", "", "the server under test")
	dir := flag.String("dir", "", "work folder (default: a temporary one)")
	flag.Parse()
	s := &suite{server: *server, dir: *dir}
	if s.dir == "" {
		made, err := os.MkdirTemp("", "backup")
		if err != nil {
			fail(err)
		}
		defer os.RemoveAll(made)
		s.dir = made
	}
	if err := s.run(); err != nil {
		fail(err)
	}
	fmt.Println("backup: ok")
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "backup: FAILED:", err)
	os.Exit(1)
}

func (s *suite) places() []place {
	folder := place{name: "folder", location: filepath.Join(s.dir, "repository"), objects: filepath.Join(s.dir, "repository")}
	places := []place{folder}
	if endpoint := os.Getenv("S3_ENDPOINT"); endpoint != "" {
		options := []string{"--s3-endpoint=" + endpoint, "--s3-path-style"}
		if ca := os.Getenv("S3_CA_FILE"); ca != "" {
			options = append(options, "--s3-ca-file="+ca)
		}
		places = append(places, place{name: "object storage", location: "s3://" + os.Getenv("S3_BUCKET") + "/shop", options: options,
			objects: filepath.Join(os.Getenv("S3_OBJECTS"), "shop")})
	}
	return places
}

func (s *suite) run() error {
	source, err := local.New(s.server, filepath.Join(s.dir, "source"), 3)
	if err != nil {
		return err
	}
	s.source = source
	defer source.StopAll()
	if err := s.fill(); err != nil {
		return fmt.Errorf("filling: %w", err)
	}
	s.load = startLoad(source)
	defer s.load.stop()
	places := s.places()
	for i, p := range places {
		steps := []struct {
			name string
			run  func(place) error
		}{
			{"backups under load", s.backups},
			{"killed and run again", s.killed},
			{"restored as one member that another joins", func(p place) error { return s.restored(p, 1) }},
			{"restored as three members", func(p place) error { return s.restored(p, 3) }},
			{"a corrupted object is found", s.corrupted},
		}
		if len(places) > 1 {
			// Each way of founding a cluster once is enough.
			steps = append(steps[:3-i], steps[4-i:]...)
		}
		for _, step := range steps {
			begin := time.Now()
			if err := step.run(p); err != nil {
				return fmt.Errorf("%s, %s: %w", p.name, step.name, err)
			}
			fmt.Printf("ok   %s: %s (%.1f s)\n", p.name, step.name, time.Since(begin).Seconds())
		}
	}
	return s.latency(s.places()[0])
}

// fill writes keys and stops each member once, which leaves its history in sealed segments.
func (s *suite) fill() error {
	if err := s.source.StartAll(startLimit); err != nil {
		return err
	}
	client, err := s.source.Client()
	if err != nil {
		return err
	}
	defer client.Close()
	value := strings.Repeat("v", valueBytes)
	errs := make(chan error, 8)
	for w := range 8 {
		go func() {
			var err error
			for i := w; i < keys && err == nil; i += 8 {
				ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
				_, err = client.Put(ctx, fmt.Sprintf("key/%05d", i), value)
				cancel()
			}
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			return err
		}
	}
	for _, m := range s.source.Members {
		if err := m.Stop(startLimit); err != nil {
			return err
		}
		if err := s.source.Start(m); err != nil {
			return err
		}
		if err := m.AwaitHealthy(startLimit); err != nil {
			return err
		}
	}
	return nil
}

// command runs one of the server's commands against a place; it must end with that code.
func (s *suite) command(p place, code int, args ...string) (result, error) {
	var found result
	cmd := s.prepare(p, args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		return found, err
	}
	if cmd.ProcessState.ExitCode() != code {
		return found, fmt.Errorf("%s ended with %d, not %d: %s", strings.Join(args, " "), cmd.ProcessState.ExitCode(), code, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, line := range lines {
		if strings.HasPrefix(line, "{") {
			return found, json.Unmarshal([]byte(line), &found)
		}
	}
	return found, fmt.Errorf("%s told no result: %s", strings.Join(args, " "), out)
}

func (s *suite) prepare(p place, args ...string) *exec.Cmd {
	args = append(args, "--destination="+p.location, "--json")
	return exec.Command(s.server, append(args, p.options...)...)
}

func (s *suite) backup(p place, id, kind string, more ...string) (result, error) {
	args := append([]string{"backup", "--endpoints=" + strings.Join(s.urls(), ","), "--id=" + id, "--type=" + kind}, more...)
	return s.command(p, 0, args...)
}

func (s *suite) member(name string) *local.Member {
	for _, m := range s.source.Members {
		if m.Name == name {
			return m
		}
	}
	return s.source.Members[0]
}

func (s *suite) urls() []string {
	var urls []string
	for _, m := range s.source.Members {
		urls = append(urls, m.Client)
	}
	return urls
}

// backups: the second full one ships what is new, the delta the log; a follower is read.
func (s *suite) backups(p place) error {
	first, err := s.backup(p, "first", "full")
	if err != nil {
		return err
	}
	leader, err := s.source.Leader(startLimit)
	if err != nil {
		return err
	}
	if first.Member == leader.Name {
		fmt.Printf("     the leader %s was read: it may have become that meanwhile\n", first.Member)
	}
	// Of the same member: others may have cut their segments elsewhere.
	second, err := s.command(p, 0, "backup", "--endpoints="+s.member(first.Member).Client, "--id=second", "--type=full")
	if err != nil {
		return err
	}
	delta, err := s.backup(p, "delta", "delta")
	if err != nil {
		return err
	}
	fmt.Printf("     %s: first backup %d bytes, %d sent; second %d bytes, %d sent; delta %d sent\n", p.name, first.SizeBytes, first.NewBytes, second.SizeBytes, second.NewBytes, delta.NewBytes)
	if second.NewBytes*2 > first.NewBytes {
		return fmt.Errorf("the second backup sent %d bytes, the first %d", second.NewBytes, first.NewBytes)
	}
	if delta.Previous != "second" || delta.FromRevision != second.ToRevision || delta.ToRevision <= delta.FromRevision {
		return fmt.Errorf("the delta goes on from %s, revisions %d to %d", delta.Previous, delta.FromRevision, delta.ToRevision)
	}
	return nil
}

// killed: what the killed run had sent is not sent again.
func (s *suite) killed(p place) error {
	other := p
	other.location += "-killed"
	other.objects += "-killed"
	cmd := s.prepare(other, "backup", "--endpoints="+strings.Join(s.urls(), ","), "--id=killed", "--throttle=4000000")
	if err := cmd.Start(); err != nil {
		return err
	}
	deadline := time.Now().Add(startLimit)
	for size(filepath.Join(other.objects, "segments")) == 0 {
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			return fmt.Errorf("nothing is sent")
		}
		time.Sleep(50 * time.Millisecond)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if len(files(filepath.Join(other.objects, "backups"))) != 0 {
		return fmt.Errorf("the run was over before it was killed")
	}
	before := map[string]fs.FileInfo{}
	for _, f := range files(filepath.Join(other.objects, "segments")) {
		before[f.Name()] = f
	}
	again, err := s.backup(other, "killed", "full")
	if err != nil {
		return err
	}
	for _, f := range files(filepath.Join(other.objects, "segments")) {
		if was := before[f.Name()]; was != nil && !os.SameFile(was, f) {
			return fmt.Errorf("segment %s was sent twice", f.Name())
		}
	}
	fmt.Printf("     %s: %d of %d bytes were left to be sent by the second run\n", p.name, again.NewBytes, again.SizeBytes)
	if again.NewBytes >= again.SizeBytes {
		return fmt.Errorf("all was sent again")
	}
	found, err := s.command(other, 0, "verify", "--id=killed", "--scratch="+s.dir)
	if err == nil && !found.HashMatched {
		err = fmt.Errorf("verify: %+v", found)
	}
	return err
}

// corrupted: one flipped bit in an object.
func (s *suite) corrupted(p place) error {
	folder := filepath.Join(p.objects, "segments")
	victims := files(folder)
	if len(victims) == 0 {
		return fmt.Errorf("no object in %s", folder)
	}
	path := filepath.Join(folder, victims[0].Name())
	good, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	bad := append([]byte(nil), good...)
	bad[len(bad)/2] ^= 4
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		return err
	}
	found, err := s.command(p, 4, "verify", "--id=first", "--scratch="+s.dir)
	if err != nil {
		return err
	}
	if found.Reason != "ContentCorrupt" || !strings.Contains(found.Message, victims[0].Name()) {
		return fmt.Errorf("verify: %+v", found)
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		return err
	}
	whole, err := s.command(p, 0, "verify", "--id=first", "--checksums-only")
	if err == nil && !whole.OK {
		err = fmt.Errorf("verify: %+v", whole)
	}
	return err
}

func files(dir string) []fs.FileInfo {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var found []fs.FileInfo
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() && !strings.HasPrefix(entry.Name(), ".") {
			found = append(found, info)
		}
	}
	return found
}

func size(dir string) int64 {
	var bytes int64
	for _, f := range files(dir) {
		bytes += f.Size()
	}
	return bytes
}
