package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/metadata"
)

// nobody has no rights on this machine.
const nobody = 65534

func metadataOf(ctx context.Context, name, value string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, name, value)
}

func readAll(in io.Reader) string {
	b, _ := io.ReadAll(in)
	return string(b)
}

// callers: the agent listens on loopback alone, tells users of the machine apart, and takes a token that can be changed.
func callers(w *world) error {
	if out, err := exec.Command(w.server, "agent", "--endpoints="+w.cluster.Members[0].Client, "--listen-client-urls=http://0.0.0.0:1").CombinedOutput(); err == nil {
		return fmt.Errorf("an agent that anybody reaches: %s", out)
	}
	token := filepath.Join(w.dir, "token")
	if err := os.WriteFile(token, []byte("first token\n"), 0o600); err != nil {
		return err
	}
	a, err := w.start(nil, "--local-token-file="+token, "--allowed-uids="+fmt.Sprint(os.Getuid()))
	if err != nil {
		return err
	}
	get := func(change ...func(*clientv3.Config)) error {
		c, err := a.client(change...)
		if err != nil {
			return err
		}
		defer c.Close()
		for _, options := range [][]clientv3.OpOption{nil, {clientv3.WithSerializable()}} {
			if _, err := call(func(ctx context.Context) (*clientv3.GetResponse, error) { return c.Get(ctx, mirrored+"x", options...) }); err != nil {
				return err
			}
		}
		return nil
	}
	with := func(word string) func(*clientv3.Config) {
		return func(c *clientv3.Config) { c.Username, c.Password = "anybody", word }
	}
	if err := get(); err == nil {
		return fmt.Errorf("a caller without a token is served")
	}
	if err := get(with("another token")); err == nil {
		return fmt.Errorf("a wrong token is served")
	}
	if err := get(with("first token")); err != nil {
		return fmt.Errorf("the token: %w", err)
	}
	held, err := a.client(with("first token"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	stream := held.Watch(ctx, mirrored, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	if r := <-stream; r.Err() != nil {
		return r.Err()
	}
	if err := os.WriteFile(token, []byte("second token\n"), 0o600); err != nil {
		return err
	}
	if err := await("the new token", eventually, func() error { return get(with("second token")) }); err != nil {
		return err
	}
	if err := get(with("first token")); err == nil {
		return fmt.Errorf("the old token is served after the change")
	}
	if _, err := call(func(ctx context.Context) (*clientv3.PutResponse, error) {
		return w.root.Put(ctx, mirrored+"secret", "x")
	}); err != nil {
		return err
	}
	select {
	case r, open := <-stream:
		if open && len(r.Events) > 0 {
			return fmt.Errorf("a watch of the old token goes on")
		}
	case <-time.After(time.Second):
	}
	return another(a)
}

// another user of the machine, with the right token, is refused on every way in.
func another(a *agent) error {
	for _, args := range [][]string{
		{"-s", "-m", "5", "-H", "Authorization: second token", "-X", "POST", "-d", `{"key":"YXBwL3g="}`, a.url + "/v3/kv/range"},
		{"-s", "-m", "5", "-H", "Authorization: second token", "-X", "POST", "-d", `{"key":"YXBwL3g=","serializable":true}`, a.url + "/v3/kv/range"},
		{"-s", "-m", "5", "--http2-prior-knowledge", "-H", "content-type: application/grpc", "-H", "te: trailers", "-H", "token: second token", "-D", "-", "-X", "POST",
			"--data-binary", "\x00\x00\x00\x00\x00", a.url + "/etcdserverpb.KV/Range"},
	} {
		cmd := exec.Command("curl", args...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		out, _ := cmd.CombinedOutput()
		if strings.Contains(string(out), `"header"`) || strings.Contains(string(out), "grpc-status: 0") {
			return fmt.Errorf("another user of the machine is served: %s", out)
		}
	}
	return nil
}
