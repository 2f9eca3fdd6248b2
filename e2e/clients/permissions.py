"""Who may do what: the table of the server's own test, through the gateway of any server that has one.

    permissions.py TABLE HOST:PORT [etcd]     a fresh server of one member; etcd: it is etcd itself

The last line is "N passed, N failed"; exit status 1 when anything differs.
"""

import base64
import http.client
import json
import re
import sys

SERVICES = {
    "KV": "kv", "Watch": "", "Lease": "lease", "Cluster": "cluster", "Maintenance": "maintenance", "Auth": "auth", "v3lockpb.Lock": "lock",
    "v3electionpb.Election": "election"}
PATHS = {
    "Compact": "compaction", "Watch": "watch", "LeaseGrant": "grant", "LeaseRevoke": "revoke", "LeaseKeepAlive": "keepalive",
    "LeaseTimeToLive": "timetolive", "LeaseLeases": "leases", "MoveLeader": "transfer-leadership", "AuthEnable": "enable", "AuthDisable": "disable",
    "AuthStatus": "status", "UserChangePassword": "user/changepw", "UserGrantRole": "user/grant", "UserRevokeRole": "user/revoke",
    "RoleGrantPermission": "role/grant", "RoleRevokePermission": "role/revoke"}
CALLERS = ["nobody", "made-up", "ended", "bare", "reader", "writer", "keeper", "root"]
REFUSALS = {
    "E": (3, "etcdserver: user name is empty"), "T": (16, "etcdserver: invalid auth token"), "D": (7, "etcdserver: permission denied"),
    "N": (9, "etcdserver: user name not found")}
STATUS_OF_PRINTED = re.compile(r"rpc error: code = (\w+) desc = (.*)")
CODES = {"InvalidArgument": 3, "PermissionDenied": 7, "Unauthenticated": 16}


def path(method):
    service, name = method.rsplit("/", 1)
    words = PATHS.get(name) or re.sub(r"(?<=[a-z])([A-Z])", r"/\1", name).lower().replace("delete/range", "deleterange").replace("hash/kv", "hashkv")
    if words.startswith("hash"):
        words = words.replace("/", "")
    if name == "Hash":
        words = "hash"
    return "/v3/" + "/".join(part for part in (SERVICES[service], words) if part)


def b(text):
    return base64.b64encode(text.encode()).decode()


def call(server, where, body, token=None):
    """The first JSON object of the answer."""
    connection = http.client.HTTPConnection(server, timeout=5)
    connection.request("POST", where, body, {"Authorization": token} if token else {})
    response = connection.getresponse()
    line = response.readline().decode()
    connection.close()
    try:
        answer = json.loads(line)
    except ValueError:
        answer = {"code": -1, "message": line}
    return response.status, answer


def must(server, where, token=None, **body):
    status, answer = call(server, where, json.dumps(body), token)
    if status != 200:
        raise SystemExit(f"{where} {body}: {status} {answer}")
    return answer


def world(server):
    """Users, keys and leases of the table; gives the tokens."""
    for key in "abz":
        must(server, "/v3/kv/put", key=b(key), value=b("0"))
    for lease, key in ((77, "z"), (78, "b")):
        must(server, "/v3/lease/grant", ID=lease, TTL=1000)
        must(server, "/v3/kv/put", key=b(key), value=b("0"), lease=lease)
    for name in ("ended", "bare", "reader", "writer", "keeper", "root"):
        must(server, "/v3/auth/user/add", name=name, password=name)
    for role, kind in (("reader", "READ"), ("writer", "WRITE"), ("keeper", "READWRITE")):
        must(server, "/v3/auth/role/add", name=role)
        must(server, "/v3/auth/role/grant", name=role, perm={"permType": kind, "key": b("a"), "range_end": b("c")})
        must(server, "/v3/auth/user/grant", user=role, role=role)
    must(server, "/v3/auth/role/add", name="root")
    must(server, "/v3/auth/user/grant", user="root", role="root")
    must(server, "/v3/auth/enable")
    tokens = {name: must(server, "/v3/auth/authenticate", name=name, password=name)["token"] for name in CALLERS[2:]}
    must(server, "/v3/auth/user/changepw", tokens["root"], name="ended", password="other")
    return tokens | {"nobody": None, "made-up": "madeupmadeupmade.3"}


def outcome(status, answer):
    """(code, message), (0, "") for an answer."""
    refusal = answer.get("error", answer)
    if "code" in refusal:
        return refusal["code"], refusal["message"]
    printed = STATUS_OF_PRINTED.fullmatch(answer.get("result", {}).get("cancel_reason", ""))
    return (CODES[printed[1]], printed[2]) if printed else (0, "")


def wanted(letter, through):
    if letter == "+":
        code, _, text = through.partition(" ")
        return int(code or 0), text
    code, text = REFUSALS[letter.upper()]
    return (2 if letter.islower() else code), text


def main():
    table, server, etcd = sys.argv[1], sys.argv[2], sys.argv[3:] == ["etcd"]
    tokens = world(server)
    passed = failed = 0
    for line in open(table):
        if not line.strip() or line.startswith("#") or line.startswith("!"):
            continue
        method, request, letters, *through = [part.strip() for part in line.split("|")]
        for caller, letter in zip(CALLERS, letters, strict=True):
            if letter == "-":
                continue
            body = re.sub(r'"@([^"]*)"', lambda m: '"' + b(m[1]) + '"', request.replace("$C", caller))
            try:
                found = outcome(*call(server, path(method), body, tokens[caller]))
            except TimeoutError:
                found = "no answer"
            if etcd and method.endswith("/Observe") and found == (-1, ""):
                # etcd ends the stream without a word.
                found = wanted(letter, "")
            if found == wanted(letter, through[0] if through else ""):
                passed += 1
            else:
                failed += 1
                print(f"{method} {request} as {caller}: {found}, not {letter}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
