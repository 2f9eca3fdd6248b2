package main

import (
	"encoding/base64"
	"math"
	"slices"

	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

const root = "root"

var (
	users     = []string{"alice", "bob", "carol"}
	roles     = []string{"readers", "writers", "some"}
	passwords = []string{"one", "two"}
	// A hash of "one", and what is none.
	hashes = []string{base64.StdEncoding.EncodeToString([]byte("$2a$04$kUvjVYjyp40T5i/zu31nI.a2bNv0HF0Lt3rXkUQpOB0PbdqUUkUue")), "not base64!", ""}
)

const (
	// Leases outlive the run.
	longTTL    = 1_000_000
	maxTTL     = 9_000_000_000
	grantedMax = 6
	// etcd sorts so few permissions stably.
	permissionMax = 11
	fixedLease    = 3
)

// lease is the id of a lease that may exist.
func (g *generator) lease() int64 {
	switch {
	case g.one(40):
		return []int64{0, -1, math.MaxInt64, math.MinInt64}[g.Intn(4)]
	case g.one(3) && len(g.granted) > 0:
		return g.granted[g.Intn(len(g.granted))]
	default:
		return int64(1 + g.Intn(fixedLease))
	}
}

func (g *generator) leaseStep() *step {
	switch n := g.Intn(12); {
	case n < 2:
		return g.grant()
	case n == 2:
		if len(g.granted) > grantedMax {
			first := g.granted[0]
			g.granted = g.granted[1:]
			return &step{method: "Lease/LeaseRevoke", request: &pb.LeaseRevokeRequest{ID: first}}
		}
		return &step{method: "Lease/LeaseRevoke", request: &pb.LeaseRevokeRequest{ID: g.lease()}}
	case n < 7:
		return &step{method: "Lease/LeaseTimeToLive", request: &pb.LeaseTimeToLiveRequest{ID: g.lease(), Keys: g.one(2)}, reads: true, local: true}
	case n < 9:
		return &step{method: "Lease/LeaseLeases", request: &pb.LeaseLeasesRequest{}, reads: true, local: true}
	default:
		return &step{method: "Lease/LeaseKeepAlive", request: &pb.LeaseKeepAliveRequest{ID: g.lease()}, local: true}
	}
}

func (g *generator) grant() *step {
	r := &pb.LeaseGrantRequest{TTL: longTTL + int64(g.Intn(50))}
	s := &step{method: "Lease/LeaseGrant", request: r}
	if g.one(3) {
		s.named = g.name()
	} else {
		r.ID = g.lease()
		if r.ID == 0 {
			s.named = g.name()
		}
	}
	switch {
	case g.one(20):
		r.TTL = []int64{maxTTL, maxTTL + 1, math.MaxInt64}[g.Intn(3)]
	case g.one(20) && len(g.raised) == 0:
		// Granted for the shortest time there is, and taken back before it is over. An alarm may refuse that, and the lease would then end on one side first.
		r.TTL = []int64{0, -1, 1, math.MinInt64}[g.Intn(4)]
		revoked := r.ID
		if s.named != 0 {
			revoked = int64(s.named)
		}
		g.then(&step{method: "Lease/LeaseRevoke", request: &pb.LeaseRevokeRequest{ID: revoked}, as: caller{name: root}, lapses: true})
	}
	return s
}

func (g *generator) user() string {
	switch {
	case g.one(60):
		return ""
	case g.one(5):
		return root
	default:
		return users[g.Intn(len(users))]
	}
}

func (g *generator) role() string {
	switch {
	case g.one(60):
		return ""
	case g.one(6):
		return root
	default:
		return roles[g.Intn(len(roles))]
	}
}

func (g *generator) password() string {
	if g.one(30) {
		return ""
	}
	return passwords[g.Intn(len(passwords))]
}

func (g *generator) authStep() *step {
	if g.auth && !g.loggedIn[root] {
		return g.logIn(root)
	}
	switch n := g.Intn(40); {
	case n < 3 && g.auth:
		return g.logIn(g.user())
	case n < 3:
		if g.one(8) {
			g.then(g.rootSteps()...)
		}
		return &step{method: "Auth/AuthEnable", request: &pb.AuthEnableRequest{}}
	case n == 3 && g.one(2):
		return &step{method: "Auth/AuthDisable", request: &pb.AuthDisableRequest{}}
	case n < 6:
		return g.logIn(g.user())
	case n < 10:
		return &step{method: "Auth/UserGet", request: &pb.AuthUserGetRequest{Name: g.user()}, reads: true}
	case n < 12:
		return &step{method: "Auth/UserList", request: &pb.AuthUserListRequest{}, reads: true}
	case n < 16:
		return &step{method: "Auth/RoleGet", request: &pb.AuthRoleGetRequest{Role: g.role()}, reads: true}
	case n < 18:
		return &step{method: "Auth/RoleList", request: &pb.AuthRoleListRequest{}, reads: true}
	case n < 20:
		return &step{method: "Auth/AuthStatus", request: &pb.AuthStatusRequest{}, reads: true}
	case n < 29:
		return g.userStep()
	default:
		return g.roleStep()
	}
}

func (g *generator) logIn(name string) *step {
	return &step{method: "Auth/Authenticate", request: &pb.AuthenticateRequest{Name: name, Password: g.password()}}
}

// rootSteps make it possible to switch on permissions.
func (g *generator) rootSteps() []*step {
	return []*step{
		{method: "Auth/UserAdd", request: &pb.AuthUserAddRequest{Name: root, Password: g.password(), Options: &authpb.UserAddOptions{}}},
		{method: "Auth/UserGrantRole", request: &pb.AuthUserGrantRoleRequest{User: root, Role: root}},
		{method: "Auth/AuthEnable", request: &pb.AuthEnableRequest{}},
	}
}

func (g *generator) userStep() *step {
	name := g.user()
	switch g.Intn(8) {
	case 0, 1:
		r := &pb.AuthUserAddRequest{Name: name, Password: g.password()}
		switch {
		case name != root && g.one(6):
			r.Options = &authpb.UserAddOptions{NoPassword: true}
		case g.one(2):
			r.Options = &authpb.UserAddOptions{}
		}
		if name != root && g.one(4) {
			r.Password, r.HashedPassword = "", hashes[g.Intn(len(hashes))]
		}
		return &step{method: "Auth/UserAdd", request: r}
	case 2:
		if name == root && !g.one(4) {
			name = users[0]
		}
		return &step{method: "Auth/UserDelete", request: &pb.AuthUserDeleteRequest{Name: name}}
	case 3:
		r := &pb.AuthUserChangePasswordRequest{Name: name, Password: g.password()}
		if name == root && r.Password == "" {
			// Nobody logs in with an empty hash.
			r.Password = passwords[0]
		}
		if name != root && g.one(4) {
			r.Password, r.HashedPassword = "", hashes[g.Intn(len(hashes))]
		}
		return &step{method: "Auth/UserChangePassword", request: r}
	case 4:
		return &step{method: "Auth/UserRevokeRole", request: &pb.AuthUserRevokeRoleRequest{Name: name, Role: g.role()}}
	default:
		return &step{method: "Auth/UserGrantRole", request: &pb.AuthUserGrantRoleRequest{User: name, Role: g.role()}}
	}
}

func (g *generator) roleStep() *step {
	name := g.role()
	switch g.Intn(10) {
	case 0, 1:
		return &step{method: "Auth/RoleAdd", request: &pb.AuthRoleAddRequest{Name: name}}
	case 2:
		return &step{method: "Auth/RoleDelete", request: &pb.AuthRoleDeleteRequest{Role: name}}
	case 3, 4, 5:
		return &step{method: "Auth/RoleRevokePermission", request: &pb.AuthRoleRevokePermissionRequest{Role: name, Key: g.key(), RangeEnd: g.end()}}
	default:
		r := &pb.AuthRoleGrantPermissionRequest{Name: name}
		if !g.one(60) {
			r.Perm = &authpb.Permission{PermType: authpb.Permission_Type(g.Intn(3)), Key: g.key(), RangeEnd: g.end()}
			g.regrant(name, r.Perm)
		}
		held := g.ranges[name]
		if len(held) >= permissionMax {
			old := held[g.Intn(len(held))]
			return &step{method: "Auth/RoleRevokePermission", request: &pb.AuthRoleRevokePermissionRequest{Role: name, Key: []byte(old.key), RangeEnd: []byte(old.end)}}
		}
		return &step{method: "Auth/RoleGrantPermission", request: r}
	}
}

// span is the range of a permission.
type span struct{ key, end string }

func spanOf(p *authpb.Permission) span { return span{string(p.Key), string(p.RangeEnd)} }

// regrant makes a permission that is granted again the first one of its key: another one etcd would not find, and leave the old beside the new (the table in
// store/README.md).
func (g *generator) regrant(role string, p *authpb.Permission) {
	held := g.ranges[role]
	if slices.Contains(held, spanOf(p)) {
		first := slices.IndexFunc(held, func(s span) bool { return s.key == string(p.Key) })
		p.RangeEnd = []byte(held[first].end)
	}
}

// member is the id of a member that was added, of none, or of one that was removed.
func (g *generator) member() uint64 {
	if len(g.learners) > 0 && !g.one(3) {
		return g.learners[len(g.learners)-1-g.Intn(min(2, len(g.learners)))]
	}
	return uint64(g.Intn(3))
}

var (
	peerURLs = []string{"http://127.0.0.1:1", "http://127.0.0.1:2", "https://127.0.0.1:1", "http://localhost:3"}
	badURLs  = []string{"", "127.0.0.1:1", "http://127.0.0.1", "ftp://127.0.0.1:1", "http://127.0.0.1:1/path", "http://%zz:1", "://", "http://:1"}
)

// memberStep adds learners alone: a voter that never comes would stop the cluster.
func (g *generator) memberStep() *step {
	switch g.Intn(8) {
	case 0, 1:
		r := &pb.MemberAddRequest{IsLearner: true, PeerURLs: []string{peerURLs[g.Intn(len(peerURLs))]}}
		switch {
		case g.one(3):
			r = &pb.MemberAddRequest{IsLearner: true, PeerURLs: []string{badURLs[g.Intn(len(badURLs))]}}
		case g.one(8):
			r.PeerURLs = nil
		case g.one(8):
			r.PeerURLs = append(r.PeerURLs, peerURLs[g.Intn(len(peerURLs))])
		}
		return &step{method: "Cluster/MemberAdd", request: r, named: g.name()}
	case 2:
		return &step{method: "Cluster/MemberRemove", request: &pb.MemberRemoveRequest{ID: g.member()}}
	case 3:
		r := &pb.MemberUpdateRequest{ID: g.member(), PeerURLs: []string{peerURLs[g.Intn(len(peerURLs))]}}
		return &step{method: "Cluster/MemberUpdate", request: r}
	case 4:
		return &step{method: "Cluster/MemberPromote", request: &pb.MemberPromoteRequest{ID: g.member()}}
	default:
		linearizable := g.one(2)
		return &step{method: "Cluster/MemberList", request: &pb.MemberListRequest{Linearizable: linearizable}, reads: true, local: true}
	}
}

func (g *generator) maintenanceStep() *step {
	switch n := g.Intn(20); {
	case n < 8:
		r := &pb.HashKVRequest{Revision: max(g.near(), -1)}
		return &step{method: "Maintenance/HashKV", request: r, reads: true, local: true}
	case n < 11:
		return &step{method: "Maintenance/Status", request: &pb.StatusRequest{}, reads: true, local: true}
	case n == 11 && g.one(20):
		return &step{method: "Maintenance/Defragment", request: &pb.DefragmentRequest{}}
	case n < 14:
		return g.downgrade()
	case n == 14 && g.one(4):
		return g.alarm()
	default:
		r := &pb.AlarmRequest{MemberID: uint64(g.Intn(3)), Alarm: pb.AlarmType(g.Intn(4))}
		return &step{method: "Maintenance/Alarm", request: r, reads: true}
	}
}

func (g *generator) downgrade() *step {
	r := &pb.DowngradeRequest{Version: []string{"3.4", "3.4.0", "3.6", "3.7.1", "4", "x", "", "3.6.0.1", "-1.2", "3.6.x"}[g.Intn(10)]}
	r.Action = []pb.DowngradeRequest_DowngradeAction{0, 0, 1, 2, 7}[g.Intn(5)]
	if r.Action == pb.DowngradeRequest_VALIDATE && g.one(4) {
		r.Version = []string{"3.5", "3.5.0", "3.5.99"}[g.Intn(3)]
	}
	return &step{method: "Maintenance/Downgrade", request: r, reads: r.Action == pb.DowngradeRequest_VALIDATE}
}

// alarm raises one; disarm takes it back soon.
func (g *generator) alarm() *step {
	r := &pb.AlarmRequest{Action: pb.AlarmRequest_ACTIVATE, MemberID: uint64(g.Intn(3)), Alarm: pb.AlarmType(g.Intn(3))}
	return &step{method: "Maintenance/Alarm", request: r}
}

func (g *generator) disarm() *step {
	r := g.raised[0]
	return &step{method: "Maintenance/Alarm", as: caller{name: root},
		request: &pb.AlarmRequest{Action: pb.AlarmRequest_DEACTIVATE, MemberID: r.MemberID, Alarm: r.Alarm}}
}
