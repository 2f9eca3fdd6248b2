package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"kvorum.io/e2e/local"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

const (
	startLimit   = 180 * time.Second
	requestLimit = 30 * time.Second
	// Members count as connected for a change of membership only after five seconds.
	connected = 6 * time.Second
	// Both servers close a connection to a client that sends more than they take; and some answers hold many large values.
	answerMax = 1 << 30
)

// Short bcrypt and long tokens, so that neither costs or ends anything.
var flags = []string{"--bcrypt-cost", "4", "--auth-token-ttl", "1000000", "--log-level", "error"}

// side is one of the two servers.
type side struct {
	name     string
	cluster  *local.Cluster
	conns    []*grpc.ClientConn
	turn     int
	ids      *names
	founders map[uint64]bool
	tokens   map[string]string
	// current tells whether a member has applied everything that was answered before.
	current []bool
	// unsure tells that a member may not know yet who may do what: it looks at tokens before the log does.
	unsure []bool
}

func start(name, program, dir string, members int) (*side, error) {
	c, err := local.New(program, filepath.Join(dir, name), members, flags...)
	if err != nil {
		return nil, err
	}
	s := &side{name: name, cluster: c, ids: newNames(), founders: map[uint64]bool{}, tokens: map[string]string{}, current: make([]bool, members), unsure: make([]bool, members)}
	if err := c.StartAll(startLimit); err != nil {
		return s, err
	}
	for _, m := range c.Members {
		conn, err := grpc.NewClient(m.Client[len("http://"):], grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(answerMax), grpc.MaxCallSendMsgSize(answerMax)))
		if err != nil {
			return s, err
		}
		s.conns = append(s.conns, conn)
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
	defer cancel()
	list, err := pb.NewClusterClient(s.conns[0]).MemberList(ctx, &pb.MemberListRequest{Linearizable: true})
	for _, m := range list.GetMembers() {
		s.founders[m.ID] = true
	}
	if members > 1 {
		time.Sleep(connected)
	}
	return s, err
}

func (s *side) stop() {
	for _, c := range s.conns {
		c.Close()
	}
	s.cluster.StopAll()
}

// as gives the context of a call in somebody's name; nobody's has no token.
func (s *side) as(ctx context.Context, who caller) context.Context {
	token := who.token
	if who.name != "" {
		token = s.tokens[who.name]
	}
	switch {
	case token == "":
		return ctx
	case who.bearer:
		return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	default:
		return metadata.AppendToOutgoingContext(ctx, "token", token)
	}
}

// next takes the members in turn.
func (s *side) next() int {
	s.turn = (s.turn + 1) % len(s.conns)
	return s.turn
}

// settle makes a member apply everything that was answered before; the answer does not matter.
func (s *side) settle(member int) {
	if s.current[member] {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
	defer cancel()
	_, _ = pb.NewKVClient(s.conns[member]).Range(s.as(ctx, caller{name: root}), &pb.RangeRequest{Key: []byte("a"), CountOnly: true})
	s.current[member], s.unsure[member] = true, false
}

// prepare chooses the member that is asked, and makes it able to answer.
func (s *side) prepare(st *step) int {
	member := s.next()
	if st.local || s.unsure[member] {
		s.settle(member)
	}
	if !st.reads {
		for i := range s.current {
			s.current[i] = len(s.current) == 1
			s.unsure[i] = s.unsure[i] || len(s.current) > 1 && strings.HasPrefix(st.method, "Auth/")
		}
	}
	return member
}

// call asks a member that was prepared. Requests that only read may run beside each other.
func (s *side) call(member int, st *step) answer {
	ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
	defer cancel()
	ctx = s.as(ctx, st.as)
	response := answers[st.method]()
	var err error
	if st.method == "Lease/LeaseKeepAlive" {
		response, err = s.renew(ctx, member, s.ids.own(st.request))
	} else {
		err = s.conns[member].Invoke(ctx, "/etcdserverpb."+st.method, s.ids.own(st.request), response)
	}
	if err == nil && st.method == "Auth/Authenticate" {
		s.tokens[st.request.(*pb.AuthenticateRequest).Name] = response.(*pb.AuthenticateResponse).Token
	}
	return s.ids.normal(st, response, err, s.founders)
}

func (s *side) renew(ctx context.Context, member int, request message) (message, error) {
	stream, err := pb.NewLeaseClient(s.conns[member]).LeaseKeepAlive(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(request.(*pb.LeaseKeepAliveRequest)); err != nil {
		return nil, err
	}
	response, err := stream.Recv()
	if err == nil {
		err = stream.CloseSend()
	}
	return response, err
}

// hashes are the content hashes of all members at the newest revision.
func (s *side) hashes() ([]string, error) {
	var found []string
	for i := range s.conns {
		s.settle(i)
		a := s.call(i, &step{method: "Maintenance/HashKV", request: &pb.HashKVRequest{}, as: caller{name: root}})
		if a.code != codes.OK {
			return nil, fmt.Errorf("HashKV of %s: %s", s.name, a)
		}
		h := a.response.(*pb.HashKVResponse)
		found = append(found, fmt.Sprintf("%d at %d, compacted %d", h.Hash, h.HashRevision, h.CompactRevision))
	}
	return found, nil
}
