package main

import (
	"fmt"
	"reflect"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

type watchAction int

const (
	openStream watchAction = iota
	sendRequest
	closeStream
	compareStreams
)

// watchStep is what is done to the same stream of both sides.
type watchStep struct {
	stream  int
	action  watchAction
	request *pb.WatchRequest
}

func (w *watchStep) String() string {
	return fmt.Sprintf("stream %d: %s %v", w.stream, []string{"open", "send", "close", "compare"}[w.action], w.request)
}

// streamModel is what the generator knows of a stream.
type streamModel struct {
	open   bool
	asked  int
	future int64 // largest start revision
	// limited is opened by a user with some permissions.
	limited bool
}

func (g *generator) watchStep() *step {
	i := g.Intn(watchStreams)
	stream, w := &g.streams[i], &watchStep{stream: i}
	s := &step{method: "Watch/Watch", watch: w}
	switch n := g.Intn(30); {
	case !stream.open:
		*stream = streamModel{open: true}
		w.action = openStream
		s.as = g.caller()
		stream.limited = s.as.name != "" && s.as.name != root
	case n == 0 || stream.asked > 40:
		stream.open = false
		w.action = closeStream
	case n == 1:
		w.action = compareStreams
	case n < 6:
		w.action = sendRequest
		w.request = &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CancelRequest{CancelRequest: &pb.WatchCancelRequest{WatchId: g.watchID()}}}
	case n == 6:
		w.action = sendRequest
		w.request = &pb.WatchRequest{RequestUnion: &pb.WatchRequest_ProgressRequest{ProgressRequest: &pb.WatchProgressRequest{}}}
	case n == 7:
		w.action = sendRequest
		w.request = &pb.WatchRequest{}
	default:
		w.action = sendRequest
		r := g.watch()
		if stream.limited && inverted(reflect.ValueOf(r)) {
			r.RangeEnd = nil
		}
		stream.asked++
		stream.future = max(stream.future, r.StartRevision)
		w.request = &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: r}}
	}
	return s
}

// watchID is never -1, under which refusals come.
func (g *generator) watchID() int64 { return []int64{-5, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}[g.Intn(12)] }

func (g *generator) watch() *pb.WatchCreateRequest {
	r := &pb.WatchCreateRequest{Key: g.key(), RangeEnd: g.end(), PrevKv: g.one(2), Fragment: g.one(3), ProgressNotify: g.one(4)}
	switch {
	case g.one(6):
		r.StartRevision = g.rev - int64(g.Intn(30))
	case g.one(12):
		r.StartRevision = []int64{-1, g.rev + 1, g.rev + 3, g.compacted, g.compacted - 1, 1}[g.Intn(6)]
	}
	if g.one(3) {
		r.WatchId = g.watchID()
	}
	for range g.Intn(5) / 2 {
		r.Filters = append(r.Filters, pb.WatchCreateRequest_FilterType(g.Intn(2)))
	}
	return r
}
