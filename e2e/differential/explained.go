package main

import (
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
)

const (
	leaseNotFound = "etcdserver: requested lease not found"
	badURLsText   = "etcdserver: given member URLs are invalid"
	emptyUserText = "etcdserver: user name is empty"
	noUserText    = "etcdserver: user name not found"
	compactedText = "etcdserver: mvcc: required revision has been compacted"
	idExists      = "etcdserver: member ID already exist"
	urlExists     = "etcdserver: Peer URLs already exists"
)

// explained tells the differences that are meant (the table in store/README.md), each as narrow as it is.
func explained(s *step, theirs, ours answer, compactions map[int64]bool) bool {
	if (theirs.code == codes.OK) != (ours.code == codes.OK) {
		return lapsed(s, theirs, ours) || nestedRead(s, theirs) || ours.text == compactedText && keptHash(theirs, compactions)
	}
	switch r := s.request.(type) {
	case *pb.HashKVRequest:
		return keptHash(theirs, compactions)
	case *pb.MemberAddRequest:
		// Here permission comes before the look at the URLs.
		return theirs.text == badURLsText && refusesCaller(ours) || sameSecond(theirs, ours)
	case *pb.TxnRequest:
		// The alarm comes before the refusal that a read would get.
		return nestedRead(s, theirs)
	case *pb.AuthUserGetRequest:
		return r.Name == "" && theirs.text == noUserText && ours.text == emptyUserText
	}
	return false
}

// lapsed tells that the two seconds of a lease were over on one side.
func lapsed(s *step, theirs, ours answer) bool {
	return s.lapses && (theirs.text == leaseNotFound || ours.text == leaseNotFound)
}

// nestedRead tells a transaction that only reads, but not at its top: etcd puts it through the log, which a corruption alarm closes.
func nestedRead(s *step, theirs answer) bool {
	text := s.request.String()
	return s.method == "KV/Txn" && theirs.text == "etcdserver: corrupt cluster" && strings.Contains(text, "request_txn") &&
		!strings.Contains(text, "request_put") && !strings.Contains(text, "request_delete_range")
}

// keptHash tells what etcd worked out when it compacted at that revision, over what was there before, and keeps.
func keptHash(theirs answer, compactions map[int64]bool) bool {
	kept, ok := theirs.response.(*pb.HashKVResponse)
	return ok && compactions[kept.HashRevision] && kept.CompactRevision < kept.HashRevision
}

// sameSecond tells that a member with these URLs was added in the same second on one side, in another on the other: its id is made of URLs and second, and is looked at first.
func sameSecond(theirs, ours answer) bool {
	return theirs.text == urlExists && ours.text == idExists || theirs.text == idExists && ours.text == urlExists
}

func refusesCaller(a answer) bool {
	return a.text == emptyUserText || a.text == "etcdserver: permission denied" || a.text == "etcdserver: invalid auth token"
}
