"""The JSON gateway of two servers side by side: the same requests, statuses and bodies compared with ids, times and terms made equal.

    gateway.py ETCD_HOST:PORT OTHER_HOST:PORT     fresh servers of one member each

The last line is "N passed, N failed"; exit status 1 when anything differs.
"""

import base64
import http.client
import json
import os
import socket
import sys
import threading
import time


def b(text):
    return base64.b64encode(text.encode()).decode()


NOT_COMPARED = {"cluster_id", "member_id", "raft_term"}


def normal(value):
    """What must be equal: ids and terms are only compared for being there."""
    if isinstance(value, dict):
        return {k: "id" if k in NOT_COMPARED else normal(v) for k, v in value.items()}
    if isinstance(value, str):
        # What is wrong with a JSON text is said with one kind of space or the other, by the build of etcd.
        return value.replace("\u00a0", " ")
    return [normal(v) for v in value] if isinstance(value, list) else value


def call(server, method, path, body, headers=None):
    connection = http.client.HTTPConnection(server, timeout=15)
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    text = response.read().decode()
    result = tuple([response.status] + [response.getheader(name) for name in ("Content-Type", "Access-Control-Allow-Origin", "Location")] + [text])
    connection.close()
    return result


# (method, path, body); a body that is a dict or list is sent as JSON, a str as it is.
LEASE = 4242
REQUESTS = [
    ("POST", "/v3/kv/put", {"key": b("a"), "value": b("1")}),
    ("POST", "/v3/kv/put", {"key": b("a"), "value": b("2"), "prev_kv": True}),
    ("POST", "/v3/kv/put", {"key": b("a"), "value": b("3"), "prevKv": True}),
    ("POST", "/v3/kv/put", {"key": b("b"), "ignore_value": True}),
    ("POST", "/v3/kv/put", {}),
    ("POST", "/v3/kv/put", ""),
    ("POST", "/v3/kv/put", {"key": "+/8=", "value": "-_8"}),
    ("POST", "/v3/kv/put", {"key": b("c"), "lease": "99"}),
    ("POST", "/v3/kv/range", {"key": "-_8="}),
    ("POST", "/v3/kv/range", {"key": b("a")}),
    ("POST", "/v3/kv/range", {"key": b("a"), "range_end": b("z"), "limit": "1", "sort_order": "DESCEND", "sort_target": "KEY"}),
    ("POST", "/v3/kv/range", {"key": b("a"), "rangeEnd": b("z"), "limit": 1, "sortOrder": 2, "sortTarget": 0}),
    ("POST", "/v3/kv/range", {"key": b("a"), "count_only": True}),
    ("POST", "/v3/kv/range", {"key": b("a"), "keysOnly": True, "none": {"of": ["this"]}}),
    ("POST", "/v3/kv/range", {"key": b("nothing")}),
    ("POST", "/v3/kv/range", {"key": b("a"), "revision": 2, "serializable": True}),
    ("POST", "/v3/kv/range", {"key": b("a"), "revision": "1000"}),
    ("POST", "/v3/kv/range", {"key": b("a"), "revision": -1}),
    ("POST", "/v3/kv/range", {"key": b("a"), "sort_order": "NO_SUCH"}),
    ("POST", "/v3/kv/range", '{"key":"%s"} {"key":"%s"}' % (b("a"), b("b"))),
    ("POST", "/v3/kv/range", '{"key":"%s"}nonsense' % b("a")),
    ("POST", "/v3/kv/range", "{"),
    ("POST", "/v3/kv/range", "[]"),
    ("POST", "/v3/kv/range", "null"),
    ("POST", "/v3/kv/range", '"a"'),
    ("POST", "/v3/kv/range", "nonsense"),
    ("POST", "/v3/kv/range", {"key": 5}),
    ("POST", "/v3/kv/range", {"key": "?"}),
    ("POST", "/v3/kv/range", {"key": b("a"), "limit": "x"}),
    ("POST", "/v3/kv/range", {"key": b("a"), "limit": 1.5}),
    ("POST", "/v3/kv/range", {"key": b("a"), "keys_only": "yes"}),
    ("POST", "/v3beta/kv/range", {"key": b("a")}),
    ("POST", "/v3/kv/txn", {
        "compare": [{"key": b("a"), "target": "VALUE", "value": b("3")}, {"key": b("zz"), "target": "CREATE", "result": "EQUAL", "create_revision": "0"}],
        "success": [{"request_range": {"key": b("a")}}, {"requestPut": {"key": b("t"), "value": b("1")}}, {"request_delete_range": {"key": b("t2")}}],
    }),
    ("POST", "/v3/kv/txn", {"compare": [{"key": b("a"), "target": 0, "result": 1, "version": 7}], "failure": [{"request_txn": {"success": [{"request_range": {"key": b("a")}}]}}]}),
    ("POST", "/v3/kv/txn", {}),
    ("POST", "/v3/kv/txn", {"success": [{"request_put": {"key": b("d")}}, {"request_put": {"key": b("d")}}]}),
    ("POST", "/v3/kv/deleterange", {"key": b("t"), "prev_kv": True}),
    ("POST", "/v3/kv/deleterange", {"key": b("none")}),
    ("POST", "/v3/kv/compaction", {"revision": "3"}),
    ("POST", "/v3/kv/compaction", {"revision": "3"}),
    ("POST", "/v3/kv/compaction", {"revision": "3000"}),
    ("POST", "/v3/kv/range", {"key": b("a"), "revision": "2"}),
    ("POST", "/v3/lease/grant", {"TTL": 600, "ID": LEASE}),
    ("POST", "/v3/lease/grant", {"TTL": "600", "ID": str(LEASE)}),
    ("POST", "/v3/lease/grant", {"TTL": "9000000001"}),
    ("POST", "/v3/lease/keepalive", {"ID": LEASE}),
    ("POST", "/v3/lease/keepalive", '{"ID":%d}\n{"ID":"%d"}' % (LEASE, LEASE)),
    ("POST", "/v3/lease/keepalive", {"ID": 77}),
    ("POST", "/v3/lease/keepalive", ""),
    ("POST", "/v3/kv/put", {"key": b("leased"), "lease": LEASE}),
    ("POST", "/v3/lease/leases", {}),
    ("POST", "/v3/kv/lease/leases", {}),
    ("POST", "/v3/lease/timetolive", {"ID": 78}),
    ("POST", "/v3/lease/revoke", {"ID": 78}),
    ("POST", "/v3/kv/lease/revoke", {"ID": 78}),
    ("POST", "/v3/lock/lock", {"name": b("l"), "lease": LEASE}),
    ("POST", "/v3/lock/lock", {"name": b("l"), "lease": LEASE}),
    ("POST", "/v3/lock/lock", {"name": b("l"), "lease": 79}),
    ("POST", "/v3/lock/unlock", {"key": b("l/1092")}),
    ("POST", "/v3/lock/unlock", {"key": b("l/none")}),
    ("POST", "/v3/lock/unlock", {}),
    ("POST", "/v3/election/leader", {"name": b("e")}),
    ("POST", "/v3/election/campaign", {"name": b("e"), "lease": LEASE, "value": b("a")}),
    ("POST", "/v3/election/campaign", {"name": b("e"), "lease": LEASE, "value": b("b")}),
    ("POST", "/v3/election/campaign", {"name": b("e"), "lease": 79}),
    ("POST", "/v3/election/leader", {"name": b("e")}),
    ("POST", "/v3/election/proclaim", {"leader": {"name": b("e"), "key": b("e/1092"), "rev": 1, "lease": LEASE}, "value": b("c")}),
    ("POST", "/v3/election/proclaim", {"value": b("c")}),
    ("POST", "/v3/election/resign", {}),
    ("POST", "/v3/election/resign", {"leader": {"name": b("e"), "key": b("e/1092"), "rev": 1, "lease": LEASE}}),
    ("POST", "/v3/lease/revoke", {"ID": LEASE}),
    ("POST", "/v3/auth/status", {}),
    ("POST", "/v3/auth/enable", {}),
    ("POST", "/v3/auth/disable", {}),
    ("POST", "/v3/auth/authenticate", {"name": "root", "password": "x"}),
    ("POST", "/v3/auth/user/add", {}),
    ("POST", "/v3/auth/user/add", {"name": "root", "password": "pw"}),
    ("POST", "/v3/auth/user/add", {"name": "root", "password": "pw"}),
    ("POST", "/v3/auth/user/add", {"name": "ann", "password": "a", "options": {"no_password": False}}),
    ("POST", "/v3/auth/user/add", {"name": "bob", "options": {"no_password": True}}),
    ("POST", "/v3/auth/user/list", {}),
    ("POST", "/v3/auth/user/get", {"name": "ann"}),
    ("POST", "/v3/auth/user/get", {"name": "none"}),
    ("POST", "/v3/auth/user/delete", {"name": "bob"}),
    ("POST", "/v3/auth/user/changepw", {"name": "ann", "password": "b"}),
    ("POST", "/v3/auth/role/add", {"name": "r"}),
    ("POST", "/v3/auth/role/add", {"name": "r"}),
    ("POST", "/v3/auth/role/grant", {"name": "r", "perm": {"key": b("a"), "range_end": b("c"), "permType": "READWRITE"}}),
    ("POST", "/v3/auth/role/grant", {"name": "r", "perm": {"key": b("x"), "perm_type": 1}}),
    ("POST", "/v3/auth/role/grant", {"name": "r"}),
    ("POST", "/v3/auth/role/get", {"role": "r"}),
    ("POST", "/v3/auth/role/get", {"role": "none"}),
    ("POST", "/v3/auth/role/revoke", {"role": "r", "key": b("x")}),
    ("POST", "/v3/auth/role/revoke", {"role": "r", "key": b("x")}),
    ("POST", "/v3/auth/role/list", {}),
    ("POST", "/v3/auth/user/grant", {"user": "ann", "role": "r"}),
    ("POST", "/v3/auth/user/grant", {"user": "ann", "role": "none"}),
    ("POST", "/v3/auth/enable", {}),
    ("POST", "/v3/auth/user/grant", {"user": "root", "role": "root"}),
    ("POST", "/v3/auth/user/revoke", {"name": "ann", "role": "none"}),
    ("POST", "/v3/auth/status", {}),
    ("POST", "/v3/maintenance/alarm", {}),
    ("POST", "/v3/maintenance/alarm", {"action": "GET", "alarm": "NOSPACE"}),
    ("POST", "/v3/maintenance/defragment", {}),
    ("POST", "/v3/maintenance/transfer-leadership", {"targetID": "1"}),
    ("POST", "/v3/cluster/member/remove", {"ID": "1"}),
    ("POST", "/v3/cluster/member/promote", {"ID": "1"}),
    ("POST", "/v3/cluster/member/add", {"peerURLs": ["nonsense"]}),
    ("POST", "/v3/none", {}),
    ("POST", "/v3/kv/range/", {"key": b("a")}),
    ("POST", "/v3/", {}),
    ("POST", "/v3", {}),
    ("POST", "/v3alpha/kv/range", {}),
    ("POST", "/v2/keys", {}),
    ("POST", "/etcdserverpb.KV/Range", {}),
    ("GET", "/v3/kv/range", None),
    ("PUT", "/v3/kv/range", {"key": b("a")}),
    ("DELETE", "/v3/watch", None),
    ("GET", "/v3/none", None),
    ("OPTIONS", "/v3/kv/range", None),
    ("HEAD", "/v3/kv/range", None),
]


def comparable(text):
    try:
        return [normal(json.loads(line)) for line in text.splitlines()]
    except ValueError:
        return text


def one(servers, method, path, body):
    content = json.dumps(body) if isinstance(body, (dict, list)) else body
    answers = [call(server, method, path, content) for server in servers]
    equal = answers[0][:-1] == answers[1][:-1] and comparable(answers[0][-1]) == comparable(answers[1][-1])
    if not equal:
        print("%s %s %s\n  etcd:  %s\n  other: %s" % (method, path, content, answers[0], answers[1]))
    return equal


def stream(server, path, body, meanwhile, lines):
    connection = http.client.HTTPConnection(server, timeout=15)
    threading.Timer(0.5, meanwhile).start()
    connection.request("POST", path, body)
    response = connection.getresponse()
    seen = [response.status, response.getheader("Content-Type"), response.getheader("Transfer-Encoding")]
    for _ in range(lines):
        seen.append(normal(json.loads(response.readline())))
    connection.close()
    return seen


def watch(server):
    def change():
        for key, value in (("w1", "1"), ("w2", "2"), ("w1", "3")):
            call(server, "POST", "/v3/kv/put", json.dumps({"key": b(key), "value": b(value)}))
            time.sleep(0.1)
        call(server, "POST", "/v3/kv/deleterange", json.dumps({"key": b("w1")}))

    first = {"create_request": {"key": b("w1"), "prev_kv": True}}
    second = {"createRequest": {"key": b("w2"), "watchId": "5", "filters": ["NODELETE"]}}
    return stream(server, "/v3/watch", json.dumps(first) + "\n" + json.dumps(second), change, 6)


def old_watch(server):
    return stream(server, "/v3/watch", json.dumps({"create_request": {"key": b("w1"), "start_revision": "1"}}), lambda: None, 2)


def refused_watch(server):
    body = '{"create_request":{"key":"%s"}}{"cancel_request":{}}{"create_request":{"watch_id":"5"}}' % b("w3")
    return stream(server, "/v3/watch", body, lambda: None, 3)


class WebSocket:
    """As little of RFC 6455 as it takes: short text messages."""

    def __init__(self, server, path):
        host, port = server.split(":")
        self.connection = socket.create_connection((host, int(port)), timeout=15)
        lines = ["GET %s HTTP/1.1" % path, "Host: " + server, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                 "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode(), "Sec-WebSocket-Protocol: Bearer, unused", "", ""]
        self.connection.sendall("\r\n".join(lines).encode())
        self.file = self.connection.makefile("rb")
        self.status = self.file.readline().decode().strip()
        self.headers = {}
        while line := self.file.readline().decode().strip():
            name, value = line.split(": ", 1)
            self.headers[name.lower()] = value

    def send(self, text):
        mask = os.urandom(4)
        data = bytes(c ^ mask[i % 4] for i, c in enumerate(text.encode()))
        length = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + len(data).to_bytes(2, "big")
        self.connection.sendall(b"\x81" + length + mask + data)

    def receive(self):
        kind, length = self.file.read(2)
        if length == 126:
            length = int.from_bytes(self.file.read(2), "big")
        return kind, self.file.read(length).decode()


def socket_watch(server):
    opened = WebSocket(server, "/v3/watch")
    seen = [opened.status, opened.headers["sec-websocket-protocol"]]
    opened.send(json.dumps({"create_request": {"key": b("s1")}}))
    seen.append(normal(json.loads(opened.receive()[1])))
    call(server, "POST", "/v3/kv/put", json.dumps({"key": b("s1"), "value": b("1")}))
    seen.append(normal(json.loads(opened.receive()[1])))
    opened.send(json.dumps({"create_request": {"key": b("s2"), "watch_id": "9"}}) + "\n" + json.dumps({"create_request": {"key": b("s3"), "watch_id": "9"}}))
    for _ in range(2):
        seen.append(normal(json.loads(opened.receive()[1])))
    return seen


def socket_errors(server):
    seen = []
    for path in ("/v3/none", "/v3/lease/none"):
        opened = WebSocket(server, path)
        opened.send("{}")
        kind, text = opened.receive()
        seen.append([opened.status, kind, json.loads(text)])
    return seen


def observe(server):
    def campaign():
        call(server, "POST", "/v3/lease/grant", json.dumps({"TTL": 600, "ID": 80}))
        answer = json.loads(call(server, "POST", "/v3/election/campaign", json.dumps({"name": b("o"), "lease": 80, "value": b("a")}))[-1])
        call(server, "POST", "/v3/election/proclaim", json.dumps({"leader": answer["leader"], "value": b("b")}))

    return stream(server, "/v3/election/observe", json.dumps({"name": b("o")}), campaign, 2)


# (user or None, path, body), once permissions are on.
GUARDED = [
    (None, "/v3/kv/put", {"key": b("a"), "value": b("1")}),
    (None, "/v3/auth/status", {}),
    (None, "/v3/lock/lock", {"name": b("l")}),
    (None, "/v3/auth/authenticate", {"name": "ann", "password": "wrong"}),
    (None, "/v3/auth/authenticate", {"name": "none", "password": "wrong"}),
    ("ann", "/v3/kv/put", {"key": b("a"), "value": b("1")}),
    ("ann", "/v3/kv/put", {"key": b("d"), "value": b("1")}),
    ("ann", "/v3/kv/range", {"key": b("a"), "range_end": b("c")}),
    ("ann", "/v3/kv/range", {"key": b("a"), "range_end": b("d")}),
    ("ann", "/v3/kv/compaction", {"revision": "2"}),
    ("ann", "/v3/kv/txn", {"success": [{"request_put": {"key": b("d")}}]}),
    ("ann", "/v3/lock/lock", {"name": b("l")}),
    ("ann", "/v3/election/campaign", {"name": b("e")}),
    ("ann", "/v3/auth/user/list", {}),
    ("ann", "/v3/auth/user/get", {"name": "ann"}),
    ("ann", "/v3/auth/role/get", {"role": "r"}),
    ("ann", "/v3/maintenance/hash", {}),
    ("ann", "/v3/maintenance/defragment", {}),
    ("nobody", "/v3/kv/range", {"key": b("a")}),
    ("root", "/v3/auth/user/list", {}),
    ("root", "/v3/auth/status", {}),
    ("root", "/v3/auth/user/delete", {"name": "root"}),
    ("root", "/v3/auth/role/delete", {"role": "r"}),
    ("ann", "/v3/kv/put", {"key": b("a"), "value": b("1")}),
    ("root", "/v3/auth/user/delete", {"name": "ann"}),
    ("root", "/v3/auth/disable", {}),
    (None, "/v3/auth/status", {}),
]


def guarded(servers):
    """The answers of each server to what is asked with and without a token."""
    answers = []
    for server in servers:
        call(server, "POST", "/v3/auth/enable", "{}")
        tokens = {None: {}, "nobody": {"Authorization": "abcdefghijklmnop.1"}}
        for user, password in (("ann", "b"), ("root", "pw")):
            answer = json.loads(call(server, "POST", "/v3/auth/authenticate", json.dumps({"name": user, "password": password}))[-1])
            tokens[user] = {"Authorization": answer["token"]}
        refused = stream(server, "/v3/watch", json.dumps({"create_request": {"key": b("a")}}), lambda: None, 1)
        answers.append([(refused[0], json.dumps(refused))] + [call(server, "POST", path, json.dumps(body), tokens[user]) for user, path, body in GUARDED])
    passed = 0
    for request, etcd, other in zip([(None, "/v3/watch")] + GUARDED, *answers):
        if etcd[0] == other[0] and comparable(etcd[-1]) == comparable(other[-1]):
            passed += 1
        else:
            print("%s\n  etcd:  %s\n  other: %s" % (request, etcd, other))
    return passed


def main(servers):
    passed = failed = 0
    for request in REQUESTS:
        if one(servers, *request):
            passed += 1
        else:
            failed += 1
    for scenario in (watch, old_watch, refused_watch, observe, socket_watch, socket_errors):
        try:
            answers = [scenario(server) for server in servers]
        except (OSError, ValueError) as reason:
            answers = [reason, None]
        if answers[0] == answers[1]:
            passed += 1
        else:
            failed += 1
            print("%s\n  etcd:  %s\n  other: %s" % (scenario.__name__, answers[0], answers[1]))
    fine = guarded(servers)
    passed += fine
    failed += len(GUARDED) + 1 - fine
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
