package main

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// message is what every request and answer is.
type message interface {
	Marshal() ([]byte, error)
	Unmarshal([]byte) error
	String() string
}

// answers makes an empty answer of each method that has one answer.
var answers = map[string]func() message{
	"KV/Range":                  func() message { return &pb.RangeResponse{} },
	"KV/Put":                    func() message { return &pb.PutResponse{} },
	"KV/DeleteRange":            func() message { return &pb.DeleteRangeResponse{} },
	"KV/Txn":                    func() message { return &pb.TxnResponse{} },
	"KV/Compact":                func() message { return &pb.CompactionResponse{} },
	"Lease/LeaseGrant":          func() message { return &pb.LeaseGrantResponse{} },
	"Lease/LeaseRevoke":         func() message { return &pb.LeaseRevokeResponse{} },
	"Lease/LeaseTimeToLive":     func() message { return &pb.LeaseTimeToLiveResponse{} },
	"Lease/LeaseLeases":         func() message { return &pb.LeaseLeasesResponse{} },
	"Lease/LeaseKeepAlive":      func() message { return &pb.LeaseKeepAliveResponse{} },
	"Cluster/MemberAdd":         func() message { return &pb.MemberAddResponse{} },
	"Cluster/MemberRemove":      func() message { return &pb.MemberRemoveResponse{} },
	"Cluster/MemberUpdate":      func() message { return &pb.MemberUpdateResponse{} },
	"Cluster/MemberPromote":     func() message { return &pb.MemberPromoteResponse{} },
	"Cluster/MemberList":        func() message { return &pb.MemberListResponse{} },
	"Maintenance/Alarm":         func() message { return &pb.AlarmResponse{} },
	"Maintenance/Status":        func() message { return &pb.StatusResponse{} },
	"Maintenance/Defragment":    func() message { return &pb.DefragmentResponse{} },
	"Maintenance/HashKV":        func() message { return &pb.HashKVResponse{} },
	"Maintenance/MoveLeader":    func() message { return &pb.MoveLeaderResponse{} },
	"Maintenance/Downgrade":     func() message { return &pb.DowngradeResponse{} },
	"Auth/AuthEnable":           func() message { return &pb.AuthEnableResponse{} },
	"Auth/AuthDisable":          func() message { return &pb.AuthDisableResponse{} },
	"Auth/AuthStatus":           func() message { return &pb.AuthStatusResponse{} },
	"Auth/Authenticate":         func() message { return &pb.AuthenticateResponse{} },
	"Auth/UserAdd":              func() message { return &pb.AuthUserAddResponse{} },
	"Auth/UserGet":              func() message { return &pb.AuthUserGetResponse{} },
	"Auth/UserList":             func() message { return &pb.AuthUserListResponse{} },
	"Auth/UserDelete":           func() message { return &pb.AuthUserDeleteResponse{} },
	"Auth/UserChangePassword":   func() message { return &pb.AuthUserChangePasswordResponse{} },
	"Auth/UserGrantRole":        func() message { return &pb.AuthUserGrantRoleResponse{} },
	"Auth/UserRevokeRole":       func() message { return &pb.AuthUserRevokeRoleResponse{} },
	"Auth/RoleAdd":              func() message { return &pb.AuthRoleAddResponse{} },
	"Auth/RoleGet":              func() message { return &pb.AuthRoleGetResponse{} },
	"Auth/RoleList":             func() message { return &pb.AuthRoleListResponse{} },
	"Auth/RoleDelete":           func() message { return &pb.AuthRoleDeleteResponse{} },
	"Auth/RoleGrantPermission":  func() message { return &pb.AuthRoleGrantPermissionResponse{} },
	"Auth/RoleRevokePermission": func() message { return &pb.AuthRoleRevokePermissionResponse{} },
}

// answer is what came of a request, in a form that is the same on every server that behaves the same.
type answer struct {
	code     codes.Code
	text     string // of an error
	response message
	encoded  []byte
	// seconds that a lease has left; they pass while requests are under way.
	ttl      int64
	revision int64
}

// Seconds by which remaining times may differ: one side may have been asked later.
const ttlTolerance = 60

func (a answer) equals(b answer) bool {
	near := a.ttl-b.ttl <= ttlTolerance && b.ttl-a.ttl <= ttlTolerance
	return a.code == b.code && a.text == b.text && near && bytes.Equal(a.encoded, b.encoded)
}

func (a answer) String() string {
	if a.code != codes.OK {
		return a.code.String() + " " + a.text
	}
	return fmt.Sprintf("%s (TTL %d)", short(a.response.String()), a.ttl)
}

func short(text string) string {
	if len(text) > 3000 {
		return text[:1500] + " ... " + text[len(text)-1500:]
	}
	return text
}

// names are the numbers that a server gave to things itself: on either side they stand for the same number in requests and answers.
type names struct {
	leases  map[int64]int64 // by the common number
	leased  map[int64]int64 // by the server's
	members map[uint64]uint64
	known   map[uint64]uint64
}

func newNames() *names {
	return &names{map[int64]int64{}, map[int64]int64{}, map[uint64]uint64{}, map[uint64]uint64{}}
}

func (n *names) lease(common, own int64) { n.leases[common], n.leased[own] = own, common }
func (n *names) member(common, own uint64) {
	n.members[common], n.known[own] = own, common
}

// Common numbers are from here on.
const firstName = 1_000_000

// own gives the request with the server's own numbers; requests without any are returned as they are.
func (n *names) own(request message) message {
	found := false
	walk(reflect.ValueOf(request), func(id int64) int64 { found = found || id >= firstName; return id },
		func(id uint64) uint64 { found = found || id >= firstName; return id })
	if !found {
		return request
	}
	copied := reflect.New(reflect.TypeOf(request).Elem()).Interface().(message)
	b, err := request.Marshal()
	if err == nil {
		err = copied.Unmarshal(b)
	}
	if err != nil {
		panic(err)
	}
	walk(reflect.ValueOf(copied), func(id int64) int64 { return either(n.leases, id) }, func(id uint64) uint64 { return either(n.members, id) })
	return copied
}

func (n *names) common(response message) {
	walk(reflect.ValueOf(response), func(id int64) int64 { return either(n.leased, id) }, func(id uint64) uint64 { return either(n.known, id) })
}

func either[T comparable](to map[T]T, id T) T {
	if other, ok := to[id]; ok {
		return other
	}
	return id
}

// walk replaces the ids of leases and members.
func walk(v reflect.Value, lease func(int64) int64, member func(uint64) uint64) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walk(v.Elem(), lease, member)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			walk(v.Index(i), lease, member)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field, name := v.Field(i), v.Type().Field(i).Name
			switch {
			case strings.HasPrefix(name, "XXX_"):
			case field.Kind() == reflect.Int64 && (name == "ID" || name == "Lease"):
				if was := field.Int(); lease(was) != was {
					field.SetInt(lease(was))
				}
			case field.Kind() == reflect.Uint64 && (name == "ID" || name == "MemberID" || name == "TargetID"):
				if was := field.Uint(); member(was) != was {
					field.SetUint(member(was))
				}
			default:
				walk(field, lease, member)
			}
		}
	}
}

func clear(h *pb.ResponseHeader) {
	if h != nil {
		h.ClusterId, h.MemberId, h.RaftTerm = 0, 0, 0
	}
}

// normal makes an answer of what came. founders are the ids of the members that the server began with: how many there are is not compared.
func (n *names) normal(s *step, response message, err error, founders map[uint64]bool) answer {
	if err != nil {
		return answer{code: status.Code(err), text: status.Convert(err).Message()}
	}
	a := answer{response: response}
	n.learn(s, response)
	n.common(response)
	if h, ok := response.(interface{ GetHeader() *pb.ResponseHeader }); ok {
		clear(h.GetHeader())
		a.revision = h.GetHeader().GetRevision()
	}
	switch r := response.(type) {
	case *pb.LeaseLeasesResponse:
		// By remaining time, which nobody can tell apart here.
		slices.SortFunc(r.Leases, func(a, b *pb.LeaseStatus) int { return int(min(max(a.ID-b.ID, -1), 1)) })
	case *pb.LeaseTimeToLiveResponse:
		slices.SortFunc(r.Keys, bytes.Compare)
		if r.TTL > 0 {
			a.ttl, r.TTL = r.TTL, 0
		}
	case *pb.MemberAddResponse:
		r.Members = others(r.Members, founders)
	case *pb.MemberRemoveResponse:
		r.Members = others(r.Members, founders)
	case *pb.MemberUpdateResponse:
		r.Members = others(r.Members, founders)
	case *pb.MemberPromoteResponse:
		r.Members = others(r.Members, founders)
	case *pb.MemberListResponse:
		r.Members = others(r.Members, founders)
	case *pb.StatusResponse:
		r.DbSize, r.DbSizeInUse, r.Leader, r.RaftIndex, r.RaftTerm, r.RaftAppliedIndex = 0, 0, 0, 0, 0, 0
		slices.Sort(r.Errors)
	case *pb.AuthenticateResponse:
		r.Token = "token"
	}
	a.encoded, err = response.Marshal()
	if err != nil {
		panic(err)
	}
	return a
}

// learn notes the number that the server gave.
func (n *names) learn(s *step, response message) {
	switch r := response.(type) {
	case *pb.LeaseGrantResponse:
		if s.named != 0 {
			n.lease(int64(s.named), r.ID)
		}
	case *pb.MemberAddResponse:
		n.member(s.named, r.Member.ID)
	}
}

func others(members []*pb.Member, founders map[uint64]bool) []*pb.Member {
	rest := slices.DeleteFunc(members, func(m *pb.Member) bool { return founders[m.ID] })
	slices.SortFunc(rest, func(a, b *pb.Member) int { return int(a.ID) - int(b.ID) })
	return rest
}
