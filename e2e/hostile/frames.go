package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	connections = 300
	ioLimit     = 3 * time.Second
)

func dial(address string) (net.Conn, error) {
	c, err := net.DialTimeout("tcp", address, ioLimit)
	if err == nil {
		_ = c.SetDeadline(time.Now().Add(ioLimit))
	}
	return c, err
}

func headerBlock(fields ...string) []byte {
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for i := 0; i+1 < len(fields); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return block.Bytes()
}

// call is the header block of a call.
func call(path string, more ...string) []byte {
	return headerBlock(append([]string{":method", "POST", ":scheme", "http", ":path", path, ":authority", "x", "content-type", "application/grpc", "te", "trailers"}, more...)...)
}

func message(payload []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(payload))), payload...)
}

func (t *target) bytes(n int) []byte {
	b := make([]byte, n)
	t.Read(b)
	return b
}

// frame writes one more or less broken frame.
func (t *target) frame(f *http2.Framer, raw io.Writer) {
	stream := uint32(t.Intn(6))
	switch t.Intn(14) {
	case 0:
		f.AllowIllegalWrites = true
		_ = f.WriteRawFrame(http2.FrameType(t.Intn(256)), http2.Flags(t.Intn(256)), stream, t.bytes(t.Intn(200)))
	case 1:
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream | 1, BlockFragment: t.bytes(t.Intn(300)), EndHeaders: t.Intn(2) == 0})
	case 2:
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream | 1, BlockFragment: call("/etcdserverpb.KV/Range"), EndHeaders: t.Intn(4) > 0, EndStream: t.Intn(4) == 0})
	case 3:
		_ = f.WriteData(stream|1, t.Intn(2) == 0, t.bytes(t.Intn(400)))
	case 4:
		_ = f.WriteData(stream|1, t.Intn(2) == 0, message(t.bytes(t.Intn(60))))
	case 5:
		_ = f.WriteWindowUpdate(stream, uint32(t.Int31()))
	case 6:
		_ = f.WriteSettings(http2.Setting{ID: http2.SettingID(t.Intn(9)), Val: t.Uint32()})
	case 7:
		_ = f.WriteContinuation(stream|1, t.Intn(2) == 0, t.bytes(t.Intn(100)))
	case 8:
		_ = f.WriteRSTStream(stream|1, http2.ErrCode(t.Uint32()))
	case 9:
		_ = f.WritePriority(stream|1, http2.PriorityParam{StreamDep: stream | 1, Weight: uint8(t.Intn(256))})
	case 10:
		_ = f.WriteGoAway(t.Uint32()>>1, http2.ErrCode(t.Uint32()), t.bytes(t.Intn(50)))
	case 11:
		_ = f.WritePing(t.Intn(2) == 0, [8]byte{})
	case 12:
		_ = f.WritePushPromise(http2.PushPromiseParam{StreamID: stream | 1, PromiseID: 2, BlockFragment: t.bytes(20), EndHeaders: true})
	default:
		// A frame that says it is longer than any may be.
		_, _ = raw.Write([]byte{0xff, 0xff, 0xff, byte(t.Intn(10)), byte(t.Intn(256)), 0, 0, 0, byte(stream)})
	}
}

func (t *target) fuzz(address string) error {
	for range connections {
		c, err := dial(address)
		if err != nil {
			return err
		}
		if t.Intn(20) == 0 {
			_, _ = c.Write(t.bytes(t.Intn(2000)))
		} else {
			_, _ = io.WriteString(c, http2.ClientPreface)
			f := http2.NewFramer(c, c)
			_ = f.WriteSettings()
			for range t.Intn(12) {
				t.frame(f, c)
			}
		}
		// What it answers does not matter; some of it is awaited, so that the garbage was looked at.
		_ = c.SetReadDeadline(time.Now().Add(time.Duration(t.Intn(5)) * time.Millisecond))
		_, _ = c.Read(make([]byte, 4096))
		c.Close()
	}
	return nil
}

func frames(_ context.Context, t *target) error { return t.fuzz(t.address()) }

// peerPort gets garbage, strangers and members of other clusters.
func peerPort(_ context.Context, t *target) error {
	if err := t.fuzz(t.peer()); err != nil {
		return err
	}
	strangers := []string{"kvorum-cluster-id", "5", "kvorum-from", "6", "kvorum-to", "7"}
	for _, path := range []string{"Messages", "Snapshot", "LeaseRenew", "LeaseTimeToLive", "LeaseLeases", "MemberPromote", "HashKV"} {
		for _, more := range [][]string{nil, strangers, {"kvorum-cluster-id", "none", "kvorum-from", "", "kvorum-to", "-1"}} {
			code, text, err := raw(t.peer(), call("/kvorum.internal.Peer/"+path, more...), message(t.bytes(100)))
			if err != nil {
				return err
			}
			wanted := "3"
			if len(more) > 0 && more[1] == "5" {
				wanted = "9"
			}
			if code != wanted {
				return fmt.Errorf("%s of a stranger: %s %s", path, code, text)
			}
		}
	}
	if code, text, err := raw(t.peer(), call("/etcdserverpb.KV/Range"), message([]byte{10, 1, 'a'})); err != nil || code != "12" {
		return fmt.Errorf("a client's call on the peer port: %s %s %v", code, text, err)
	}
	// A message that claims to be of a gigabyte, from one who may send none.
	if code, text, err := raw(t.peer(), call("/kvorum.internal.Peer/Messages"), []byte{0, 0x3f, 0xff, 0xff, 0xff}); err != nil || code != "3" {
		return fmt.Errorf("a large message of a stranger: %s %s %v", code, text, err)
	}
	return nil
}

// raw makes one call and gives code and text, "reset" for a stream that was reset, "closed" for a connection that was closed.
func raw(address string, block, data []byte) (code, text string, err error) {
	c, err := dial(address)
	if err != nil {
		return "", "", err
	}
	defer c.Close()
	_, _ = io.WriteString(c, http2.ClientPreface)
	f := http2.NewFramer(c, c)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = f.WriteSettings()
	for first := true; first || len(block) > 0; first = false {
		part := block[:min(len(block), 16000)]
		block = block[len(part):]
		if first {
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: part, EndHeaders: len(block) == 0})
		} else {
			_ = f.WriteContinuation(1, len(block) == 0, part)
		}
	}
	for window := 65535; len(data) > 0 && window > 0; {
		part := data[:min(len(data), 16000, window)]
		data, window = data[len(part):], window-len(part)
		_ = f.WriteData(1, false, part)
	}
	_ = f.WriteData(1, true, nil)
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
				return "", "", fmt.Errorf("no answer: %w", err)
			}
			return "closed", err.Error(), nil
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			for _, h := range frame.Fields {
				if h.Name == "grpc-status" {
					code = h.Value
				}
				if h.Name == "grpc-message" {
					text = h.Value
				}
				if h.Name == ":status" && h.Value != "200" {
					code = "HTTP " + h.Value
				}
			}
			if frame.StreamEnded() {
				return code, text, nil
			}
		case *http2.DataFrame:
			if frame.StreamEnded() {
				return code, text, nil
			}
		case *http2.RSTStreamFrame:
			return "reset", frame.ErrCode.String(), nil
		case *http2.GoAwayFrame:
			return "closed", frame.ErrCode.String(), nil
		}
	}
}

// sizes sends what is too large, or says so.
func sizes(ctx context.Context, t *target) error {
	const limit = 1_572_864 + 524_288
	header := func(n uint32) []byte { return binary.BigEndian.AppendUint32([]byte{0}, n) }
	cases := []struct {
		what        string
		block, data []byte
		code, text  string
	}{
		{"the largest size there is", call("/etcdserverpb.KV/Put"), header(1<<32 - 1), "8", ""},
		{"a frame that is cut off", call("/etcdserverpb.KV/Put"), []byte{0, 0, 0}, "13", ""},
		{"a message that is cut off", call("/etcdserverpb.KV/Put"), append(header(100), 10, 1), "13", ""},
		{"a made-up compression", call("/etcdserverpb.KV/Put", "grpc-encoding", "made-up"), message([]byte{10, 1, 'a'}), "12", ""},
		{"no method", call("/etcdserverpb.KV/None"), message(nil), "12", "unknown method None for service etcdserverpb.KV"},
		{"no service", call("/none.None/None"), message(nil), "12", "unknown service none.None"},
		{"no path", call("none"), message(nil), "12", ""},
	}
	for _, c := range cases {
		code, text, err := raw(t.address(), c.block, c.data)
		if err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
		if code != c.code || c.text != "" && text != c.text {
			return fmt.Errorf("%s: %s %q, wanted %s %q", c.what, code, text, c.code, c.text)
		}
	}
	conn, err := connect(t)
	if err != nil {
		return err
	}
	defer conn.Close()
	// Four bytes tell that the value is one, and its length.
	_, err = pb.NewKVClient(conn).Put(ctx, &pb.PutRequest{Value: make([]byte, limit-3)})
	if want := fmt.Sprintf("grpc: received message larger than max (%d vs. %d)", limit+1, limit); status.Code(err) != codes.ResourceExhausted || status.Convert(err).Message() != want {
		return fmt.Errorf("too large: %v, wanted %s", err, want)
	}
	for _, n := range []int{100_000, 1 << 20, 16 << 20} {
		code, text, err := raw(t.address(), call("/etcdserverpb.KV/Range", "x-large", string(bytes.Repeat([]byte("x"), n))), message([]byte{10, 1, 'a'}))
		if err != nil {
			return fmt.Errorf("%d bytes of headers: %w", n, err)
		}
		t.note("%d bytes of headers: %s %s", n, code, text)
	}
	return nil
}
