package main

import (
	"bytes"
	"math/rand"
	"reflect"
	"slices"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
)

// caller is who makes a call: a user with the token of the last log-in, a made-up token, or nobody.
type caller struct {
	name   string
	token  string
	bearer bool
}

func (c caller) String() string {
	switch {
	case c.name != "":
		return c.name
	case c.token != "":
		return "token " + c.token
	default:
		return "nobody"
	}
}

// step is one request to both servers.
type step struct {
	method  string
	request message
	as      caller
	// reads changes nothing, so it may be under way beside others that change nothing.
	reads bool
	// local is answered from what the member has applied.
	local bool
	// named is the common number of what the server will choose a number for.
	named uint64
	// afterWatches may cut off what a watch has not delivered.
	afterWatches bool
	// watch is done to streams instead of a call.
	watch *watchStep
	// lapses tells that the lease may be gone by the time of the request.
	lapses bool
}

// generator makes requests over a handful of keys, revisions, leases, users and roles, so that they meet; some are refused, and on purpose. It depends on
// nothing but its seed and etcd's answers.
type generator struct {
	*rand.Rand
	rev       int64
	compacted int64
	// compactions are the revisions of all of them.
	compactions map[int64]bool
	auth        bool
	loggedIn    map[string]bool
	granted     []int64
	names       uint64
	learners    []uint64
	raised      []*pb.AlarmMember
	ranges      map[string][]span // of each role's permissions, as granted
	mixed       map[int64]bool    // revisions of transactions that may have deleted a key and put it again
	queue       []*step
	streams     [watchStreams]streamModel
}

func newGenerator(seed int64) *generator {
	return &generator{Rand: rand.New(rand.NewSource(seed)), rev: 1, loggedIn: map[string]bool{}, names: firstName, ranges: map[string][]span{}, mixed: map[int64]bool{}, compactions: map[int64]bool{}}
}

func (g *generator) one(n int) bool { return g.Intn(n) == 0 }

// name is a common number that was not used before.
func (g *generator) name() uint64 {
	g.names++
	return g.names
}

func (g *generator) next() *step {
	if len(g.queue) > 0 {
		first := g.queue[0]
		g.queue = g.queue[1:]
		return first
	}
	if len(g.raised) > 0 && g.one(10) && (!g.auth || g.loggedIn[root]) {
		return g.disarm()
	}
	s := g.choose()
	if s.watch == nil {
		s.as = g.caller()
		if s.as.name != root && s.as.name != "" && inverted(reflect.ValueOf(s.request)) {
			// Whether etcd lets a limited user have an empty range depends on the shape of a tree (the table in store/README.md).
			s.as.name = root
		}
	}
	return s
}

// inverted tells a request with a range whose end is not above its key.
func inverted(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && inverted(v.Elem())
	case reflect.Slice:
		for i := 0; i < v.Len() && v.Type().Elem().Kind() != reflect.Uint8; i++ {
			if inverted(v.Index(i)) {
				return true
			}
		}
	case reflect.Struct:
		if key, end := v.FieldByName("Key"), v.FieldByName("RangeEnd"); key.IsValid() && end.IsValid() {
			if e := end.Bytes(); len(e) > 0 && !bytes.Equal(e, []byte{0}) && bytes.Compare(key.Bytes(), e) >= 0 {
				return true
			}
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && inverted(v.Field(i)) {
				return true
			}
		}
	}
	return false
}

func (g *generator) choose() *step {
	switch n := g.Intn(1000); {
	case n < 640:
		return g.keyStep()
	case n < 760:
		return g.leaseStep()
	case n < 810:
		return g.watchStep()
	case n < 940:
		return g.authStep()
	case n < 965:
		return g.memberStep()
	default:
		return g.maintenanceStep()
	}
}

// caller is mostly one who may do much, or nothing would be left to compare.
func (g *generator) caller() caller {
	c := caller{bearer: g.one(4)}
	switch n := g.Intn(20); {
	case n < 10:
		c.name = root
	case n < 18:
		c.name = users[g.Intn(len(users))]
	case n == 18:
		c.token = []string{"x", "garbage.12", "abcdefghijklmnop.7", "a.b.c", "."}[g.Intn(5)]
		if g.one(2) {
			c.token = ""
		}
	}
	return c
}

// then puts a request before all others.
func (g *generator) then(s ...*step) { g.queue = append(s, g.queue...) }

// learn takes what etcd answered.
func (g *generator) learn(s *step, a answer) {
	g.rev = max(g.rev, a.revision)
	ok := a.code == codes.OK
	switch r := s.request.(type) {
	case *pb.TxnRequest:
		if text := r.String(); ok && strings.Contains(text, "request_put") && strings.Contains(text, "request_delete_range") {
			g.mixed[a.revision] = true
		}
	case *pb.CompactionRequest:
		if ok {
			g.compacted = r.Revision
			g.compactions[r.Revision] = true
		}
	case *pb.AuthEnableRequest:
		if ok {
			g.auth = true
			g.loggedIn = map[string]bool{}
		}
	case *pb.AuthDisableRequest:
		if ok {
			g.auth = false
		}
	case *pb.AuthenticateRequest:
		g.loggedIn[r.Name] = g.loggedIn[r.Name] || ok
	case *pb.AuthUserChangePasswordRequest:
		g.loggedIn[r.Name] = g.loggedIn[r.Name] && !ok
	case *pb.AuthUserDeleteRequest:
		g.loggedIn[r.Name] = g.loggedIn[r.Name] && !ok
	case *pb.AuthRoleAddRequest:
		if ok {
			g.ranges[r.Name] = nil
		}
	case *pb.AuthRoleGrantPermissionRequest:
		if ok && !slices.Contains(g.ranges[r.Name], spanOf(r.Perm)) {
			g.ranges[r.Name] = append(g.ranges[r.Name], spanOf(r.Perm))
		}
	case *pb.AuthRoleRevokePermissionRequest:
		if ok {
			g.ranges[r.Role] = slices.DeleteFunc(g.ranges[r.Role], func(held span) bool { return held == span{string(r.Key), string(r.RangeEnd)} })
		}
	case *pb.AlarmRequest:
		if ok && r.Action == pb.AlarmRequest_ACTIVATE {
			g.raised = append(g.raised, a.response.(*pb.AlarmResponse).Alarms...)
		}
		if ok && r.Action == pb.AlarmRequest_DEACTIVATE && len(g.raised) > 0 {
			g.raised = g.raised[1:]
		}
	case *pb.LeaseGrantRequest:
		if ok && s.named != 0 {
			g.granted = append(g.granted, int64(s.named))
		}
	case *pb.MemberAddRequest:
		if ok {
			g.learners = append(g.learners, s.named)
		}
	}
}
