"""What operators look at, of two servers side by side: health, readiness and version endpoints answer alike, and /metrics has etcd's families.

    observe.py METRICS_LIST ETCD_HOST:PORT OTHER_HOST:PORT     fresh servers of one member each

METRICS_LIST is the list that the unit tests hold a member against: name, type, labels and perhaps why a family cannot be there. It is compared with
what the etcd at hand really shows, so that it does not age. The last line is "N passed, N failed"; exit status 1 when anything differs.
"""

import base64
import http.client
import json
import re
import sys

PATHS = [
    "/health", "/health?serializable=true", "/health?exclude=NOSPACE", "/livez", "/livez?verbose", "/livez/serializable_read", "/livez/nope", "/livez/",
    "/readyz", "/readyz?verbose&exclude=linearizable_read&exclude=serializable_read&exclude=data_corruption", "/readyz?exclude=nope",
    "/readyz/data_corruption", "/readyz/serializable_read?verbose", "/readyz/linearizable_read", "/readyz/non_learner?verbose", "/version", "/version/",
    "/config/local/log", "/v2/keys", "/debug/pprof", "/metrics/x", "/v3", "/",
]
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]
NOT_COMPARED = {"date", "content-length", "transfer-encoding", "connection"}


def ask(server, method, path, body=None):
    connection = http.client.HTTPConnection(server, timeout=15)
    connection.request(method, path, body)
    response = connection.getresponse()
    text = response.read().decode()
    headers = {name.lower(): value for name, value in response.getheaders()}
    connection.close()
    return response.status, {name: value for name, value in headers.items() if name not in NOT_COMPARED}, text


def load(server):
    def post(path, body):
        status, _, text = ask(server, "POST", path, json.dumps(body))
        assert status == 200, (server, path, text)
        return json.loads(text)

    key = base64.b64encode(b"k").decode()
    put = {"key": key, "value": key}
    post("/v3/kv/put", put)
    revision = post("/v3/kv/put", put)["header"]["revision"]
    post("/v3/kv/range", {"key": key})
    post("/v3/kv/txn", {"success": [{"request_put": put}, {"request_range": {"key": key}}]})
    post("/v3/kv/compaction", {"revision": revision, "physical": True})
    post("/v3/lease/revoke", {"ID": post("/v3/lease/grant", {"TTL": 60})["ID"]})
    post("/v3/auth/role/add", {"name": "r"})
    post("/v3/maintenance/hash", {"revision": 0})
    post("/v3/kv/deleterange", {"key": key})


def families(server):
    """Name to (type, label names)."""
    status, headers, text = ask(server, "GET", "/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4"), headers
    found = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            found[name] = (kind, set())
        elif not line.startswith("#"):
            name = re.match(r"[a-zA-Z0-9_]+", line).group(0)
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            name = base if found.get(base, ("",))[0] in ("histogram", "summary") else name
            found[name][1].update(set(re.findall(r'([A-Za-z_]+)="', line)) - {"le", "quantile"})
    return found


def main():
    listed = {}
    with open(sys.argv[1]) as lines:
        for line in lines:
            if not line.startswith("#"):
                name, kind, labels, *reason = line.split(None, 3)
                listed[name] = (kind, set() if labels == "-" else set(labels.split(",")), "".join(reason).strip())
    etcd, other = sys.argv[2], sys.argv[3]
    passed, failed = 0, 0

    def check(what, good, difference=""):
        nonlocal passed, failed
        passed, failed = (passed + 1, failed) if good else (passed, failed + 1)
        if not good:
            print("DIFFERS", what, difference)

    load(etcd)
    load(other)
    for method in METHODS:
        for path in PATHS:
            theirs, ours = ask(etcd, method, path), ask(other, method, path)
            check(method + " " + path, theirs == ours, f"\n  etcd  {theirs}\n  other {ours}")
    theirs, ours = families(etcd), families(other)
    for name, shape in theirs.items():
        if name.startswith("go_"):
            continue
        check("listed: " + name, name in listed and listed[name][0] == shape[0] and listed[name][1] >= shape[1], f"{shape} {listed.get(name)}")
        if not listed.get(name, ("", "", ""))[2]:
            check("shown: " + name, name in ours and ours[name][0] == shape[0] and ours[name][1] >= shape[1], f"{shape} {ours.get(name)}")
    for name in ours:
        check("known: " + name, name.startswith("kvorum_") or name in listed, str(ours[name]))
    print(passed, "passed,", failed, "failed")
    sys.exit(1 if failed else 0)


main()
