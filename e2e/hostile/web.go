package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

func encoded(m interface{ Marshal() ([]byte, error) }) []byte {
	b, err := m.Marshal()
	if err != nil {
		panic(err)
	}
	return b
}

// descriptors is how many files the member may open, as far as this program may too.
func descriptors(t *target) (int, error) {
	least := 1 << 30
	for _, of := range []string{fmt.Sprint(t.member.Pid()), "self"} {
		text, err := os.ReadFile("/proc/" + of + "/limits")
		if err != nil {
			return 0, err
		}
		for line := range strings.Lines(string(text)) {
			var soft int
			if n, _ := fmt.Sscanf(line, "Max open files %d", &soft); n == 1 {
				least = min(least, soft)
			}
		}
	}
	return least, nil
}

// messages sends truncated and changed messages to methods of every service, each on a stream of its own: all of them are answered.
func messages(_ context.Context, t *target) error {
	samples := map[string][]byte{
		"/etcdserverpb.KV/Range":                encoded(&pb.RangeRequest{Key: []byte("a"), RangeEnd: []byte("b"), Limit: 3, MinModRevision: 4}),
		"/etcdserverpb.KV/Put":                  encoded(&pb.PutRequest{Key: []byte("a"), Value: []byte("b"), Lease: 0, PrevKv: true}),
		"/etcdserverpb.KV/DeleteRange":          encoded(&pb.DeleteRangeRequest{Key: []byte("nothing"), PrevKv: true}),
		"/etcdserverpb.KV/Txn":                  encoded(nested(20)),
		"/etcdserverpb.KV/Compact":              encoded(&pb.CompactionRequest{Revision: 1, Physical: true}),
		"/etcdserverpb.Watch/Watch":             encoded(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: &pb.WatchCreateRequest{Key: []byte("a")}}}),
		"/etcdserverpb.Lease/LeaseGrant":        encoded(&pb.LeaseGrantRequest{TTL: 10, ID: 99}),
		"/etcdserverpb.Lease/LeaseKeepAlive":    encoded(&pb.LeaseKeepAliveRequest{ID: 99}),
		"/etcdserverpb.Cluster/MemberPromote":   encoded(&pb.MemberPromoteRequest{ID: 99}),
		"/etcdserverpb.Maintenance/HashKV":      encoded(&pb.HashKVRequest{Revision: 3}),
		"/etcdserverpb.Maintenance/Downgrade":   encoded(&pb.DowngradeRequest{Version: "3.4"}),
		"/etcdserverpb.Auth/RoleAdd":            encoded(&pb.AuthRoleAddRequest{Name: "some name"}),
		"/etcdserverpb.Auth/Authenticate":       encoded(&pb.AuthenticateRequest{Name: "a", Password: "b"}),
		"/v3lockpb.Lock/Unlock":                 encoded(&pb.PutRequest{Key: []byte("a")}),
		"/v3electionpb.Election/Leader":         encoded(&pb.PutRequest{Key: []byte("a")}),
		"/grpc.health.v1.Health/Check":          encoded(&pb.AuthRoleAddRequest{Name: "some service"}),
		"/kvorum.v1.Admin/Describe":             {},
		"/kvorum.v1.Leases/PutWithLease":        encoded(&pb.PutRequest{Key: []byte("a"), Value: []byte("b")}),
		"/etcdserverpb.Maintenance/MoveLeader":  encoded(&pb.MoveLeaderRequest{TargetID: 99}),
		"/etcdserverpb.Auth/UserChangePassword": encoded(&pb.AuthUserChangePasswordRequest{Name: "nobody", Password: "b"}),
	}
	codes := map[string]int{}
	for path, sample := range samples {
		var payloads [][]byte
		for n := range min(12, len(sample)) {
			payloads = append(payloads, sample[:len(sample)-1-n])
		}
		for range 12 {
			changed := bytes.Clone(sample)
			for range 1 + t.Intn(3) {
				if len(changed) > 0 {
					changed[t.Intn(len(changed))] = byte(t.Intn(256))
				}
			}
			payloads = append(payloads, changed, t.bytes(t.Intn(100)))
		}
		found, err := many(t.address(), path, payloads, path != "/etcdserverpb.Watch/Watch")
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, code := range found {
			codes[code]++
		}
	}
	t.note("codes %v", codes)
	return nil
}

func nested(depth int) *pb.TxnRequest {
	txn := &pb.TxnRequest{}
	for range depth {
		txn = &pb.TxnRequest{Success: []*pb.RequestOp{{Request: &pb.RequestOp_RequestTxn{RequestTxn: txn}}}}
	}
	return txn
}

// many makes one call for each message over one connection; each must be answered, unless it may be a stream that stays open.
func many(address, path string, payloads [][]byte, all bool) ([]string, error) {
	c, err := dial(address)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * ioLimit))
	if !all {
		_ = c.SetDeadline(time.Now().Add(ioLimit))
	}
	_, _ = io.WriteString(c, http2.ClientPreface)
	f := http2.NewFramer(c, c)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = f.WriteSettings()
	for i, payload := range payloads {
		id := uint32(2*i + 1)
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: call(path), EndHeaders: true})
		_ = f.WriteData(id, true, message(payload))
	}
	ended := map[uint32]string{}
	for len(ended) < len(payloads) {
		frame, err := f.ReadFrame()
		if err != nil && !all {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%d of %d were answered: %w", len(ended), len(payloads), err)
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			for _, h := range frame.Fields {
				if h.Name == "grpc-status" {
					ended[frame.StreamID] = h.Value
				}
				if h.Name == "grpc-message" && strings.Contains(h.Value, "Application error") {
					return nil, fmt.Errorf("message %x: %s", payloads[frame.StreamID/2], h.Value)
				}
			}
		case *http2.RSTStreamFrame:
			ended[frame.StreamID] = "reset"
		case *http2.GoAwayFrame:
			return nil, fmt.Errorf("sent away: %s", frame.ErrCode)
		}
	}
	var found []string
	for _, code := range ended {
		found = append(found, code)
	}
	return found, nil
}

// http1 sends requests that are none, or too much.
func http1(_ context.Context, t *target) error {
	cases := []struct{ what, text, wanted string }{
		{"no request", "this is no request\r\n\r\n", "400"},
		{"no version", "GET /health\r\n\r\n", "400"},
		{"a long path", "GET /" + strings.Repeat("a", 100_000) + " HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"many headers", "GET /health HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("a: b\r\n", 100_000) + "\r\n", ""},
		{"a negative length", "POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}", "400"},
		{"a length that is none", "POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n{}", "400"},
		{"two lengths", "POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\n{}", "400"},
		{"length and chunks", "POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
		{"a broken chunk", "POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", "400"},
		{"a huge length", "POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", ""},
		{"a broken escape", "GET /health?a=%zz HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"a zero byte", "GET /hea\x00lth HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"a strange method", "BREW /health HTTP/1.1\r\nHost: x\r\n\r\n", "405"},
		{"an older version", "GET /health HTTP/1.0\r\n\r\n", "200"},
		{"another path upwards", "GET /v3/../health HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	}
	for _, c := range cases {
		status, err := first(t.address(), []byte(c.text))
		if err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
		if c.wanted != "" && status != c.wanted || strings.HasPrefix(status, "5") || c.wanted == "" && status == "200" && !strings.Contains(c.what, "escape") {
			return fmt.Errorf("%s: %s, wanted %s", c.what, status, c.wanted)
		}
	}
	// Many requests ahead of their answers, large ones among them, while the first is not answered.
	var open []io.Closer
	for range 30 {
		c, err := dial(t.address())
		if err != nil {
			return err
		}
		defer c.Close()
		open = append(open, c)
		wait := `{"create_request":{"key":"YQ=="}}`
		fmt.Fprintf(c, "POST /v3/watch HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(wait), wait)
		large := strings.Repeat(" ", 1_500_000)
		_ = c.SetDeadline(time.Now().Add(ioLimit))
		for range 60 {
			if _, err := fmt.Fprintf(c, "POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(large), large); err != nil {
				break
			}
		}
	}
	now, _ := memory(t)
	t.note("30 connections with up to 90 MB of requests ahead: %d MiB", now>>20)
	for range connections {
		if _, err := first(t.address(), append([]byte("GET "), t.bytes(t.Intn(3000))...)); err != nil && !strings.Contains(err.Error(), "timeout") {
			return err
		}
	}
	return nil
}

// first is the status of the first answer, empty when the connection was closed without one.
func first(address string, request []byte) (string, error) {
	c, err := dial(address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(ioLimit / 3))
	if len(request) > 1000 || bytes.Contains(request, []byte("HTTP/1")) {
		_ = c.SetDeadline(time.Now().Add(ioLimit))
	}
	_, _ = c.Write(request)
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil && strings.Contains(err.Error(), "timeout") {
		return "", err
	}
	if parts := strings.Fields(line); len(parts) > 1 {
		return parts[1], nil
	}
	return "", nil
}

// gateway sends JSON that is deep, large or none; what etcd answers stands beside it.
func gateway(ctx context.Context, t *target) error {
	depth := 500_000
	cases := []struct {
		what, path, body string
		status           int
	}{
		{"nothing", "/v3/kv/range", "", 400},
		{"no JSON", "/v3/kv/range", "}{", 400},
		{"half an object", "/v3/kv/range", `{"key":"YQ==`, 400},
		{"no base64", "/v3/kv/range", `{"key":"***"}`, 400},
		{"a number that is none", "/v3/kv/range", `{"key":"YQ==","limit":"1e400"}`, 400},
		{"a number that is too large", "/v3/kv/range", `{"key":"YQ==","limit":99999999999999999999}`, 400},
		{"deep arrays", "/v3/kv/range", strings.Repeat("[", depth), 400},
		{"deep arrays of a field that is unknown", "/v3/kv/range", `{"unknown":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `,"key":"YQ=="}`, 400},
		{"deep objects", "/v3/kv/range", strings.Repeat(`{"a":`, depth/5), 400},
		{"deep transactions", "/v3/kv/txn", strings.Repeat(`{"success":[{"request_txn":`, 20_000) + "{}" + strings.Repeat("}]}", 20_000), 400},
		{"deep in a stream", "/v3/lease/keepalive", strings.Repeat("[", depth), 200},
		{"a body that is too large", "/v3/kv/put", `{"key":"YQ==","value":"` + strings.Repeat("A", 8<<20) + `"}`, 413},
		{"a message that is too large", "/v3/kv/put", `{"key":"YQ==","value":"` + strings.Repeat("A", 3<<20) + `"}`, 429},
		{"much white space", "/v3/kv/range", strings.Repeat(" ", 1_900_000) + `{"key":"YQ=="}`, 200},
		{"bytes that are no text", "/v3/kv/range", "{\"key\":\"\xff\xfe\"}", 400},
	}
	for _, c := range cases {
		one, cancel := context.WithTimeout(ctx, 20*time.Second)
		request, err := http.NewRequestWithContext(one, http.MethodPost, t.member.Client+c.path, strings.NewReader(c.body))
		if err != nil {
			cancel()
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			cancel()
			return fmt.Errorf("%s: %w", c.what, err)
		}
		answer, err := bufio.NewReader(response.Body).ReadString('\n')
		response.Body.Close()
		cancel()
		if response.StatusCode != c.status {
			return fmt.Errorf("%s: %d %.200s (%v), wanted %d", c.what, response.StatusCode, answer, err, c.status)
		}
	}
	return nil
}
