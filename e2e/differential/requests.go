package main

import (
	"math/rand"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

var (
	keys = []string{"a", "b", "ba", "c", "d", "e"}
	ends = []string{"", "", "", "\x00", "a", "c", "d", "z"}
)

const leases = 3

// generator makes requests over a handful of keys, revisions and leases, so that they meet; some of them are refused, and on purpose.
type generator struct{ *rand.Rand }

func (g generator) key() []byte {
	if g.Intn(200) == 0 {
		return nil
	}
	return []byte(keys[g.Intn(len(keys))])
}
func (g generator) end() []byte { return []byte(ends[g.Intn(len(ends))]) }
func (g generator) value() []byte {
	return []byte(strings.Repeat("v", g.Intn(2)) + string(rune('0'+g.Intn(4))))
}
func (g generator) lease() int64   { return int64(1 + g.Intn(leases)) }
func (g generator) one(n int) bool { return g.Intn(n) == 0 }

// near is a revision about the present one.
func (g generator) near(rev int64) int64 { return rev - int64(g.Intn(8)) + 1 }

func (g generator) bound(rev int64) int64 {
	if g.one(2) {
		return 0
	}
	return max(0, rev-int64(g.Intn(12)))
}

func (g generator) next(rev int64) any {
	switch n := g.Intn(20); {
	case n < 4:
		return g.put()
	case n == 4:
		return g.remove()
	case n == 5:
		return &pb.LeaseGrantRequest{ID: g.lease(), TTL: int64(5000 + g.Intn(50))}
	case n == 6 && g.one(4):
		return &pb.LeaseRevokeRequest{ID: g.lease()}
	case n == 7 && g.one(4):
		return &pb.CompactionRequest{Revision: max(1, rev-int64(g.Intn(6))+1), Physical: g.one(3)}
	case n < 13:
		return g.read(rev)
	default:
		return g.txn(rev, 2)
	}
}

func (g generator) put() *pb.PutRequest {
	p := &pb.PutRequest{Key: g.key(), PrevKv: g.one(2)}
	if g.one(6) {
		p.IgnoreValue = true
	}
	if !p.IgnoreValue || g.one(20) {
		p.Value = g.value()
	}
	if g.one(6) {
		p.IgnoreLease = true
	}
	if g.one(5) && (!p.IgnoreLease || g.one(4)) {
		p.Lease = g.lease()
	}
	return p
}

func (g generator) remove() *pb.DeleteRangeRequest {
	return &pb.DeleteRangeRequest{Key: g.key(), RangeEnd: g.end(), PrevKv: g.one(2)}
}

func (g generator) read(rev int64) *pb.RangeRequest {
	r := &pb.RangeRequest{Key: g.key(), RangeEnd: g.end(), KeysOnly: g.one(6), CountOnly: g.one(8)}
	if g.one(4) {
		r.Revision = g.near(rev)
	}
	if g.one(2) {
		r.Limit = int64(g.Intn(4))
		r.SortOrder = pb.RangeRequest_SortOrder(g.Intn(3))
		// Ties of the other targets are in no specified order.
		r.SortTarget = []pb.RangeRequest_SortTarget{pb.RangeRequest_KEY, pb.RangeRequest_KEY, pb.RangeRequest_MOD}[g.Intn(3)]
	}
	if g.one(4) {
		r.MinModRevision, r.MaxModRevision = g.bound(rev), g.bound(rev)
		r.MinCreateRevision, r.MaxCreateRevision = g.bound(rev), g.bound(rev)
	}
	if g.one(60) {
		r.SortOrder = pb.RangeRequest_SortOrder(g.Intn(6))
	}
	return r
}

func (g generator) compare(rev int64) *pb.Compare {
	c := &pb.Compare{Key: g.key(), RangeEnd: g.end(), Target: pb.Compare_CompareTarget(g.Intn(5)), Result: pb.Compare_CompareResult(g.Intn(4))}
	switch g.Intn(6) {
	case 0:
		c.TargetUnion = &pb.Compare_Version{Version: int64(g.Intn(4))}
	case 1:
		c.TargetUnion = &pb.Compare_CreateRevision{CreateRevision: g.near(rev)}
	case 2:
		c.TargetUnion = &pb.Compare_ModRevision{ModRevision: g.near(rev)}
	case 3:
		c.TargetUnion = &pb.Compare_Value{Value: g.value()}
	case 4:
		c.TargetUnion = &pb.Compare_Lease{Lease: int64(g.Intn(leases))}
	}
	if g.one(60) {
		c.Target, c.Result = pb.Compare_CompareTarget(g.Intn(7)), pb.Compare_CompareResult(g.Intn(6))
	}
	return c
}

func (g generator) txn(rev int64, depth int) *pb.TxnRequest {
	t := &pb.TxnRequest{}
	for range g.Intn(3) {
		t.Compare = append(t.Compare, g.compare(rev))
	}
	for range g.Intn(4) {
		t.Success = append(t.Success, g.op(rev, depth))
	}
	for range g.Intn(3) {
		t.Failure = append(t.Failure, g.op(rev, depth))
	}
	return t
}

func (g generator) op(rev int64, depth int) *pb.RequestOp {
	n := 6
	if depth > 0 {
		n = 8
	}
	switch n = g.Intn(n); {
	case n < 2:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: g.read(rev)}}
	case n < 5:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: g.put()}}
	case n == 5 && g.one(30):
		return &pb.RequestOp{}
	case n == 5:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: g.remove()}}
	default:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: g.txn(rev, depth-1)}}
	}
}

// endsEtcd tells a transaction that makes an etcd member panic: a deletion without an end is not recognised as covering a key whose value or lease a later
// put of the same transaction keeps.
func endsEtcd(t *pb.TxnRequest) bool {
	text := t.String()
	return strings.Contains(text, "ignore_") && strings.Contains(text, `range_end:"\000"`)
}
