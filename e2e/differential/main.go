// Command differential sends the same random requests to a server and to etcd, one after the other, and compares every answer: the response without its
// member, cluster and term, or the error's code and text; in the end also the content hash of every member and all events that a watch from the beginning saw.
//
//	differential -server PROGRAM -etcd PROGRAM [-requests N] [-seed S] [-members M] [-dir DIR]
//
// The server's requests go to its members in turn; reads are linearizable, so which member answers must not show. The last line is "N requests, N differences".
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"kvorum.io/e2e/local"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/status"
)

const (
	startLimit   = 60 * time.Second
	requestLimit = 20 * time.Second
	// More than this are not printed; they follow from the first ones.
	printedMax = 10
)

// side is one of the two servers.
type side struct {
	name    string
	cluster *local.Cluster
	clients []*clientv3.Client
	turn    int
	events  []string
	watched chan struct{}
	upTo    int64
}

func start(name, program, dir string, members int) (*side, error) {
	c, err := local.New(program, filepath.Join(dir, name), members)
	if err != nil {
		return nil, err
	}
	s := &side{name: name, cluster: c}
	if err := c.StartAll(startLimit); err != nil {
		return s, err
	}
	for _, m := range c.Members {
		client, err := c.Client(m)
		if err != nil {
			return s, err
		}
		s.clients = append(s.clients, client)
	}
	return s, nil
}

func (s *side) stop() {
	for _, c := range s.clients {
		c.Close()
	}
	s.cluster.StopAll()
}

// watch notes every event until it has seen the revision that finish names.
func (s *side) watch(ctx context.Context) {
	s.watched = make(chan struct{})
	events := s.clients[0].Watch(ctx, "\x00", clientv3.WithFromKey(), clientv3.WithRev(2))
	go func() {
		defer close(s.watched)
		for response := range events {
			for _, e := range response.Events {
				s.events = append(s.events, e.Type.String()+" "+(*mvccpb.KeyValue)(e.Kv).String())
				if string(e.Kv.Key) == "the end" {
					return
				}
			}
		}
	}()
}

func header(h *pb.ResponseHeader) {
	if h != nil {
		h.ClusterId, h.MemberId, h.RaftTerm = 0, 0, 0
	}
}

// call gives the answer or the refusal as text, and the revision if there is one.
func (s *side) call(request any) (string, int64) {
	ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
	defer cancel()
	s.turn = (s.turn + 1) % len(s.clients)
	conn := s.clients[s.turn].ActiveConnection()
	kv, lease := pb.NewKVClient(conn), pb.NewLeaseClient(conn)
	var response interface {
		GetHeader() *pb.ResponseHeader
		String() string
	}
	var err error
	switch r := request.(type) {
	case *pb.RangeRequest:
		response, err = kv.Range(ctx, r)
	case *pb.PutRequest:
		response, err = kv.Put(ctx, r)
	case *pb.DeleteRangeRequest:
		response, err = kv.DeleteRange(ctx, r)
	case *pb.TxnRequest:
		response, err = kv.Txn(ctx, r)
	case *pb.CompactionRequest:
		response, err = kv.Compact(ctx, r)
	case *pb.LeaseGrantRequest:
		response, err = lease.LeaseGrant(ctx, r)
	case *pb.LeaseRevokeRequest:
		response, err = lease.LeaseRevoke(ctx, r)
	}
	if err != nil {
		return status.Code(err).String() + " " + status.Convert(err).Message(), 0
	}
	header(response.GetHeader())
	return response.String(), response.GetHeader().GetRevision()
}

// hashes are the content hashes of all members at the newest revision.
func (s *side) hashes() ([]string, error) {
	var found []string
	for _, c := range s.clients {
		ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
		defer cancel()
		// A linearizable read first: then the member has applied all.
		if _, err := c.Get(ctx, "a"); err != nil {
			return nil, err
		}
		h, err := pb.NewMaintenanceClient(c.ActiveConnection()).HashKV(ctx, &pb.HashKVRequest{})
		if err != nil {
			return nil, err
		}
		found = append(found, fmt.Sprintf("%d at %d, compacted %d", h.Hash, h.HashRevision, h.CompactRevision))
	}
	return found, nil
}

func compare(ours, theirs *side, g generator, requests int) (different int) {
	rev := int64(1)
	for i := 0; i < requests && different < printedMax; i++ {
		request := g.next(rev)
		if t, ok := request.(*pb.TxnRequest); ok && endsEtcd(t) {
			continue
		}
		want, at := theirs.call(request)
		rev = max(rev, at)
		if got, _ := ours.call(request); got != want {
			different++
			fmt.Printf("request %d: %T %v\n  %s: %s\n  %s: %s\n", i, request, request, theirs.name, want, ours.name, got)
		}
	}
	return different
}

// settle compares what is left behind: contents and events.
func settle(ours, theirs *side) (different int, err error) {
	last := &pb.PutRequest{Key: []byte("the end")}
	theirs.call(last)
	ours.call(last)
	want, err := theirs.hashes()
	if err != nil {
		return 0, err
	}
	got, err := ours.hashes()
	if err != nil {
		return 0, err
	}
	for i, h := range got {
		if h != want[0] {
			different++
			fmt.Printf("HashKV of member %d: %s, %s has %s\n", i, h, theirs.name, want[0])
		}
	}
	for _, s := range []*side{ours, theirs} {
		select {
		case <-s.watched:
		case <-time.After(requestLimit):
			return different, fmt.Errorf("%s's watch has not seen the last write, after %d events", s.name, len(s.events))
		}
	}
	if !reflect.DeepEqual(ours.events, theirs.events) {
		different++
		fmt.Printf("events differ: %d against %d\n", len(ours.events), len(theirs.events))
	}
	return different, nil
}

func run(server, etcd, dir string, members, requests int, seed int64) (int, error) {
	theirs, err := start("etcd", etcd, dir, 1)
	if theirs != nil {
		defer theirs.stop()
	}
	if err != nil {
		return 0, err
	}
	ours, err := start("server", server, dir, members)
	if ours != nil {
		defer ours.stop()
	}
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ours.watch(ctx)
	theirs.watch(ctx)
	different := compare(ours, theirs, generator{rand.New(rand.NewSource(seed))}, requests)
	left, err := settle(ours, theirs)
	fmt.Printf("%d events\n", len(theirs.events))
	return different + left, err
}

func main() {
	server := flag.String("server", "", "server program that takes etcd's flags")
	etcd := flag.String("etcd", "", "etcd")
	requests := flag.Int("requests", 5000, "how many")
	seed := flag.Int64("seed", time.Now().UnixNano(), "of the requests")
	members := flag.Int("members", 3, "of the server")
	dir := flag.String("dir", "", "where members keep data and logs (default: a temporary directory, removed when nothing differs)")
	flag.Parse()
	place := *dir
	if place == "" {
		made, err := os.MkdirTemp("", "differential")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		place = made
	}
	fmt.Printf("seed %d\n", *seed)
	different, err := run(*server, *etcd, place, *members, *requests, *seed)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%d requests, %d differences\n", *requests, different)
	if err != nil || different > 0 {
		fmt.Printf("data and logs are in %s\n", place)
		os.Exit(1)
	}
	if *dir == "" {
		os.RemoveAll(place)
	}
}
