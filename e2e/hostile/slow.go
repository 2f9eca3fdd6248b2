package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	manyStreams = 20_000
	manyResets  = 50_000
	idleMax     = 10_000
	// Descriptors that are left for everything else, on either side.
	spareFiles    = 400
	slowReaders   = 40
	largeValue    = 100_000
	largeKeys     = 200
	largeWrites   = 1_500
	slowKeys      = 50
	slowRanges    = 400
	slowLimit     = 60 * time.Second
	firstBytes    = 30 * time.Second
	releasedLimit = 20 * time.Second
)

func connect(t *target) (*grpc.ClientConn, error) {
	return grpc.NewClient(t.address(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithInitialWindowSize(65535),
		grpc.WithInitialConnWindowSize(65535), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<30)))
}

// streams opens as many watch streams on one connection as it can, and watches nothing on them.
func streams(ctx context.Context, t *target) error {
	conn, err := connect(t)
	if err != nil {
		return err
	}
	defer conn.Close()
	before, _ := memory(t)
	for i := range manyStreams {
		stream, err := pb.NewWatchClient(conn).Watch(ctx)
		if err == nil && i%100 == 0 {
			err = stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: &pb.WatchCreateRequest{Key: []byte("none")}}})
			if err == nil {
				_, err = stream.Recv()
			}
		}
		if err != nil {
			return fmt.Errorf("stream %d: %w", i, err)
		}
	}
	now, _ := memory(t)
	t.note("%d streams: %d KiB each", manyStreams, (now-before)>>10/manyStreams)
	return nil
}

// resets begins calls and takes them back at once.
func resets(ctx context.Context, t *target) error {
	c, err := dial(t.address())
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, http2.ClientPreface)
	f := http2.NewFramer(c, c)
	_ = f.WriteSettings()
	go io.Copy(io.Discard, c)
	put := message(encoded(&pb.PutRequest{Key: []byte("reset"), Value: []byte("x")}))
	block := call("/etcdserverpb.KV/Put")
	for i := range manyResets {
		id := uint32(2*i + 1)
		if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true}); err != nil {
			t.note("sent away after %d resets", i)
			return nil
		}
		_ = f.WriteData(id, true, put)
		_ = f.WriteRSTStream(id, http2.ErrCodeCancel)
	}
	return nil
}

// slowWatch watches and does not read, while much is written.
func slowWatch(ctx context.Context, t *target) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for i := range slowReaders {
		conn, err := connect(t)
		if err != nil {
			return err
		}
		defer conn.Close()
		stream, err := pb.NewWatchClient(conn).Watch(ctx)
		if err != nil {
			return err
		}
		create := &pb.WatchCreateRequest{Key: []byte("large"), RangeEnd: []byte("largf"), PrevKv: i%2 == 0}
		if err := stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: create}}); err != nil {
			return err
		}
		if _, err := stream.Recv(); err != nil {
			return err
		}
	}
	value := strings.Repeat("x", largeValue)
	for i := range largeWrites {
		if _, err := t.client.Put(ctx, fmt.Sprintf("large%03d", i%largeKeys), value); err != nil {
			return err
		}
	}
	t.note("%d slow watchers of %d MB", slowReaders, largeWrites*largeValue/1_000_000)
	return nil
}

// slowRange asks for much on many connections and does not read the answers. What is held of them is bounded; a large read that finds no room is told so while small
// ones go on; those who are too slow are cut, so large reads are answered again.
func slowRange(ctx context.Context, t *target) error {
	value := strings.Repeat("x", largeValue)
	for i := range slowKeys {
		if _, err := t.client.Put(ctx, fmt.Sprintf("large%03d", i), value); err != nil {
			return err
		}
	}
	var block = call("/etcdserverpb.KV/Range")
	read := message(encoded(&pb.RangeRequest{Key: []byte("large"), RangeEnd: []byte("largf"), Limit: slowKeys}))
	for range slowRanges {
		c, err := dial(t.address())
		if err != nil {
			return err
		}
		defer c.Close()
		_, _ = io.WriteString(c, http2.ClientPreface)
		f := http2.NewFramer(c, c)
		_ = f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block, EndHeaders: true})
		_ = f.WriteData(1, true, read)
	}
	begin := time.Now()
	large := func() error {
		_, err := t.client.Get(ctx, "large", clientv3.WithRange("largf"), clientv3.WithLimit(slowKeys))
		return err
	}
	for err := large(); !errors.Is(err, rpctypes.ErrTooManyRequests); err = large() {
		if err != nil || time.Since(begin) > slowLimit {
			return fmt.Errorf("%d answers of %d MB are held, and a large read is not refused: %w", slowRanges, slowKeys*largeValue/1_000_000, err)
		}
		time.Sleep(time.Second)
	}
	now, _ := memory(t)
	if _, err := t.client.Get(ctx, "bystander"); err != nil {
		return fmt.Errorf("a small read: %w", err)
	}
	for err := large(); err != nil; err = large() {
		if !errors.Is(err, rpctypes.ErrTooManyRequests) || time.Since(begin) > slowLimit {
			return fmt.Errorf("those who are too slow are not cut: %w", err)
		}
		time.Sleep(time.Second)
	}
	t.note("%d answers of %d MB that nobody reads: %d MiB, large reads again after %s", slowRanges, slowKeys*largeValue/1_000_000, now>>20,
		time.Since(begin).Round(time.Second))
	return nil
}

// idle opens as many connections as there are descriptors for, up to ten thousand, each with its preface sent.
func idle(_ context.Context, t *target) error {
	limit, err := descriptors(t)
	if err != nil {
		return err
	}
	n := min(idleMax, limit-spareFiles)
	before, _ := memory(t)
	first := files(t)
	open := make([]net.Conn, n)
	var failed error
	var lock sync.Mutex
	var all sync.WaitGroup
	gate := make(chan struct{}, 64)
	for i := range open {
		all.Add(1)
		gate <- struct{}{}
		go func() {
			defer func() { <-gate; all.Done() }()
			c, err := greet(t.address())
			lock.Lock()
			defer lock.Unlock()
			open[i] = c
			failed = errors.Join(failed, err)
		}()
	}
	all.Wait()
	if failed == nil {
		time.Sleep(2 * time.Second)
		now, _ := memory(t)
		t.note("%d idle connections: %.1f KiB each", n, float64(now-before)/1024/float64(n))
		if held := files(t) - first; held < n*9/10 {
			failed = fmt.Errorf("only %d of %d connections are held", held, n)
		}
	}
	for _, c := range open {
		if c != nil {
			c.Close()
		}
	}
	return errors.Join(failed, released(t, first))
}

func greet(address string) (net.Conn, error) {
	c, err := net.DialTimeout("tcp", address, 10*ioLimit)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(10 * ioLimit))
	_, _ = io.WriteString(c, http2.ClientPreface)
	f := http2.NewFramer(c, c)
	_ = f.WriteSettings()
	_, err = f.ReadFrame()
	return c, err
}

func awaitFiles(t *target, enough func(int) bool) bool {
	limit := time.Now().Add(releasedLimit)
	for !enough(files(t)) {
		if time.Now().After(limit) {
			return false
		}
		time.Sleep(50 * time.Millisecond)
	}
	return true
}

// released waits until the member holds about as many descriptors as before.
func released(t *target, before int) error {
	if !awaitFiles(t, func(n int) bool { return n <= before+20 }) {
		return fmt.Errorf("%d descriptors are held, %d before", files(t), before)
	}
	return nil
}

// halfOpen begins what it never ends: connections that say nothing, half a preface, half a request, half a handshake. Those that said nothing useful are closed.
func halfOpen(_ context.Context, t *target) error {
	before, begin := files(t), time.Now()
	var open []net.Conn
	for i := range 500 {
		c, err := net.DialTimeout("tcp", t.address(), ioLimit)
		if err != nil {
			return err
		}
		defer c.Close()
		_, _ = io.WriteString(c, []string{"", "P", "PR", "PRI", "PRI * HTTP/2.0\r\n\r\nSM", "\x16\x03\x01\x02\x00\x01"}[i%6])
		open = append(open, c)
	}
	limit := time.Now().Add(firstBytes + releasedLimit)
	if !awaitFiles(t, func(n int) bool { return n-before > len(open)*3/4 }) {
		return fmt.Errorf("only %d connections were taken", files(t)-before)
	}
	for files(t)-before > 20 {
		if time.Now().After(limit) {
			return fmt.Errorf("%d connections that said nothing are held", files(t)-before)
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.note("%d connections are closed after %s", len(open), time.Since(begin).Round(time.Second))
	for _, c := range open {
		c.Close()
	}
	return released(t, before)
}
