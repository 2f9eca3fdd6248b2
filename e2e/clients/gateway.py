"""The JSON gateway of two servers side by side: the same requests, statuses and bodies compared with ids, times and terms made equal.

    gateway.py ETCD_HOST:PORT OTHER_HOST:PORT     fresh servers of one member each

The last line is "N passed, N failed"; exit status 1 when anything differs.
"""

import base64
import http.client
import json
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
    return [normal(v) for v in value] if isinstance(value, list) else value


def call(server, method, path, body, headers=None):
    connection = http.client.HTTPConnection(server, timeout=15)
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    text = response.read().decode()
    result = tuple([response.status] + [response.getheader(name) for name in ("Content-Type", "Access-Control-Allow-Origin", "Location")] + [text])
    connection.close()
    return result


# (method, path, body); a body that is a dict or list is sent as JSON, a str as it is. "~" before the path: only the status is compared,
# because the text of the error is a JSON parser's own.
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
    ("POST", "~/v3/kv/range", "{"),
    ("POST", "~/v3/kv/range", "[]"),
    ("POST", "~/v3/kv/range", "null"),
    ("POST", "~/v3/kv/range", '"a"'),
    ("POST", "~/v3/kv/range", "nonsense"),
    ("POST", "~/v3/kv/range", {"key": 5}),
    ("POST", "~/v3/kv/range", {"key": "?"}),
    ("POST", "~/v3/kv/range", {"key": b("a"), "limit": "x"}),
    ("POST", "~/v3/kv/range", {"key": b("a"), "limit": 1.5}),
    ("POST", "~/v3/kv/range", {"key": b("a"), "keys_only": "yes"}),
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
    only_status = path.startswith("~")
    content = json.dumps(body) if isinstance(body, (dict, list)) else body
    answers = [call(server, method, path.lstrip("~"), content) for server in servers]
    if only_status:
        equal = answers[0][0] == answers[1][0]
    else:
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


def observe(server):
    def campaign():
        call(server, "POST", "/v3/lease/grant", json.dumps({"TTL": 600, "ID": 80}))
        answer = json.loads(call(server, "POST", "/v3/election/campaign", json.dumps({"name": b("o"), "lease": 80, "value": b("a")}))[-1])
        call(server, "POST", "/v3/election/proclaim", json.dumps({"leader": answer["leader"], "value": b("b")}))

    return stream(server, "/v3/election/observe", json.dumps({"name": b("o")}), campaign, 2)


def main(servers):
    passed = failed = 0
    for request in REQUESTS:
        if one(servers, *request):
            passed += 1
        else:
            failed += 1
    for scenario in (watch, old_watch, refused_watch, observe):
        try:
            answers = [scenario(server) for server in servers]
        except (OSError, ValueError) as reason:
            answers = [reason, None]
        if answers[0] == answers[1]:
            passed += 1
        else:
            failed += 1
            print("%s\n  etcd:  %s\n  other: %s" % (scenario.__name__, answers[0], answers[1]))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
