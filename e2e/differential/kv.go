package main

import (
	"bytes"
	"math"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// Not more than twelve: etcd sorts so few stably, so that ties have an order to compare.
var (
	keys = []string{"a", "b", "ba", "c", "d", "e", "e\x00", "f\xff", "\xff", "\xff\xff"}
	ends = []string{"", "", "", "\x00", "a", "c", "d", "z", "e\x00", "\xff\xff"}
)

const (
	// A little more than the largest request, and than the largest message.
	tooLarge     = 1_573_000
	farTooLarge  = 2_200_000
	operationMax = 128
)

func (g *generator) key() []byte {
	if g.one(200) {
		return nil
	}
	return []byte(keys[g.Intn(len(keys))])
}
func (g *generator) end() []byte { return []byte(ends[g.Intn(len(ends))]) }
func (g *generator) value() []byte {
	return []byte(strings.Repeat("v", g.Intn(2)) + string(rune('0'+g.Intn(4))))
}

// near is a revision about the present one.
func (g *generator) near() int64 {
	if g.one(200) {
		return []int64{-1, 1 << 62, g.compacted, g.compacted - 1, g.compacted + 1}[g.Intn(5)]
	}
	return g.rev - int64(g.Intn(8)) + 1
}

func (g *generator) bound() int64 {
	switch {
	case g.one(2):
		return 0
	case g.one(100):
		return -1
	default:
		return max(0, g.rev-int64(g.Intn(12)))
	}
}

func (g *generator) keyStep() *step {
	switch n := g.Intn(20); {
	case n < 4:
		return &step{method: "KV/Put", request: g.put()}
	case n == 4:
		return &step{method: "KV/DeleteRange", request: g.remove()}
	case n == 5 && g.one(10):
		return g.compact()
	case n == 6 && g.one(300):
		return &step{method: "KV/Put", request: g.large()}
	case n == 7 && g.one(100):
		return &step{method: "KV/Txn", request: g.long()}
	case n < 13:
		r := g.read()
		return &step{method: "KV/Range", request: r, reads: true, local: r.Serializable}
	default:
		for {
			if t := g.txn(2); !endsEtcd(t) {
				// One that only reads, and only what the member has applied, takes no read index.
				return &step{method: "KV/Txn", request: t, local: strings.Contains(t.String(), "serializable:true")}
			}
		}
	}
}

func (g *generator) compact() *step {
	rev := g.rev - int64(g.Intn(6)) + 1
	if g.one(20) {
		rev = []int64{-1, 1 << 62, g.compacted, g.compacted - 1}[g.Intn(4)]
	}
	for g.mixed[rev] {
		// etcd loses what a transaction deleted and put again when it is compacted at that very revision, and then ends when it is read.
		rev--
	}
	if rev <= 0 && g.compacted < 1 {
		// A store that was never compacted takes it once.
		rev = 1
	}
	return &step{method: "KV/Compact", request: &pb.CompactionRequest{Revision: rev, Physical: g.one(3)}, afterWatches: true}
}

func (g *generator) large() *pb.PutRequest {
	size := []int{tooLarge, farTooLarge, 100_000}[g.Intn(3)]
	return &pb.PutRequest{Key: g.key(), Value: bytes.Repeat([]byte("x"), size)}
}

// long is a transaction of about as many operations as are taken, beside each other or one in the other.
func (g *generator) long() *pb.TxnRequest {
	t := g.txn(1)
	if g.one(2) {
		for range operationMax - g.Intn(80) {
			t = &pb.TxnRequest{Failure: t.Failure, Success: []*pb.RequestOp{{Request: &pb.RequestOp_RequestTxn{RequestTxn: t}}}}
			t.Failure = nil
		}
		return t
	}
	for range operationMax - g.Intn(6) {
		op := &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: &pb.RangeRequest{Key: []byte("a")}}}
		t.Success = append(t.Success, op)
	}
	return t
}

func (g *generator) put() *pb.PutRequest {
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
		p.Lease = g.attachable()
	}
	return p
}

// attachable is a lease whose number is the same on both sides: it goes into the content hash.
func (g *generator) attachable() int64 {
	for {
		if id := g.lease(); id < firstName || id == math.MaxInt64 {
			return id
		}
	}
}

func (g *generator) remove() *pb.DeleteRangeRequest {
	return &pb.DeleteRangeRequest{Key: g.key(), RangeEnd: g.end(), PrevKv: g.one(2)}
}

func (g *generator) read() *pb.RangeRequest {
	r := &pb.RangeRequest{Key: g.key(), RangeEnd: g.end(), KeysOnly: g.one(6), CountOnly: g.one(8)}
	if g.one(4) {
		r.Revision = g.near()
	}
	if g.one(2) {
		r.Limit = int64(g.Intn(4))
		r.SortOrder = pb.RangeRequest_SortOrder(g.Intn(3))
		r.SortTarget = pb.RangeRequest_SortTarget(g.Intn(5))
	}
	if g.one(4) {
		r.MinModRevision, r.MaxModRevision = g.bound(), g.bound()
		r.MinCreateRevision, r.MaxCreateRevision = g.bound(), g.bound()
	}
	if g.one(60) {
		r.SortOrder, r.SortTarget, r.Limit = pb.RangeRequest_SortOrder(g.Intn(6)), pb.RangeRequest_SortTarget(g.Intn(7)), int64(g.Intn(4)-2)
	}
	r.Serializable = g.one(5)
	return r
}

func (g *generator) compare() *pb.Compare {
	c := &pb.Compare{Key: g.key(), RangeEnd: g.end(), Target: pb.Compare_CompareTarget(g.Intn(5)), Result: pb.Compare_CompareResult(g.Intn(4))}
	switch g.Intn(6) {
	case 0:
		c.TargetUnion = &pb.Compare_Version{Version: int64(g.Intn(4))}
	case 1:
		c.TargetUnion = &pb.Compare_CreateRevision{CreateRevision: g.near()}
	case 2:
		c.TargetUnion = &pb.Compare_ModRevision{ModRevision: g.near()}
	case 3:
		c.TargetUnion = &pb.Compare_Value{Value: g.value()}
	case 4:
		c.TargetUnion = &pb.Compare_Lease{Lease: g.lease()}
	}
	if g.one(60) {
		c.Target, c.Result = pb.Compare_CompareTarget(g.Intn(7)), pb.Compare_CompareResult(g.Intn(6))
	}
	return c
}

func (g *generator) txn(depth int) *pb.TxnRequest {
	t := &pb.TxnRequest{}
	for range g.Intn(3) {
		t.Compare = append(t.Compare, g.compare())
	}
	for range g.Intn(4) {
		t.Success = append(t.Success, g.op(depth))
	}
	for range g.Intn(3) {
		t.Failure = append(t.Failure, g.op(depth))
	}
	return t
}

func (g *generator) op(depth int) *pb.RequestOp {
	n := 6
	if depth > 0 {
		n = 8
	}
	switch n = g.Intn(n); {
	case n < 2:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: g.read()}}
	case n < 5:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: g.put()}}
	case n == 5 && g.one(30):
		return &pb.RequestOp{}
	case n == 5:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: g.remove()}}
	default:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: g.txn(depth - 1)}}
	}
}

// endsEtcd tells a transaction that makes an etcd member panic: a deletion without an end is not recognised as covering a key whose value or lease a later
// put of the same transaction keeps.
func endsEtcd(t *pb.TxnRequest) bool {
	text := t.String()
	return strings.Contains(text, "ignore_") && strings.Contains(text, `range_end:"\000"`)
}
