"""Every operation that users of python-etcd3 know, against a running cluster.

    check.py ENDPOINT [ENDPOINT ...]     host:port of the members; the first is the one that is connected to

The last line is "N passed, N failed"; exit status 1 when anything failed.
"""

import queue
import sys
import threading
import time
import traceback

import etcd3

CASES = []


def case(f):
    CASES.append(f)
    return f


def connect(endpoint):
    host, port = endpoint.rsplit(":", 1)
    return etcd3.client(host=host, port=int(port), timeout=10)


def wait_for(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@case
def put_get_delete(c, p):
    assert c.get(p + "a") == (None, None)
    c.put(p + "a", "1")
    value, meta = c.get(p + "a")
    assert value == b"1" and meta.version == 1 and meta.key == (p + "a").encode()
    assert c.put_if_not_exists(p + "a", "2") is False
    assert c.put_if_not_exists(p + "b", "2") is True
    assert c.replace(p + "a", "1", "3") is True
    assert c.replace(p + "a", "1", "4") is False
    assert c.delete(p + "a") is True
    assert c.delete(p + "a") is False


@case
def ranges(c, p):
    for i in range(20):
        c.put("%s%02d" % (p, i), str(i))
    assert [v for v, _ in c.get_prefix(p)] == [str(i).encode() for i in range(20)]
    assert [v for v, _ in c.get_prefix(p, sort_order="descend", sort_target="key")][0] == b"19"
    assert len(list(c.get_range(p + "05", p + "10"))) == 5
    assert c.delete_prefix(p).deleted == 20


@case
def transactions(c, p):
    c.put(p + "a", "1")
    ok, responses = c.transaction(
        compare=[c.transactions.value(p + "a") == "1", c.transactions.version(p + "a") > 0],
        success=[c.transactions.put(p + "a", "2"), c.transactions.get(p + "a")],
        failure=[c.transactions.delete(p + "a")],
    )
    assert ok and responses[1][0][0] == b"2"
    ok, _ = c.transaction(
        compare=[c.transactions.create(p + "a") == 0],
        success=[c.transactions.put(p + "a", "9")],
        failure=[c.transactions.delete(p + "a")],
    )
    assert not ok and c.get(p + "a")[0] is None


@case
def watches(c, p):
    got = queue.Queue()
    watch_id = c.add_watch_prefix_callback(p, got.put)
    c.put(p + "a", "1")
    c.delete(p + "a")
    kinds = []
    while len(kinds) < 2:
        kinds += [type(e).__name__ for e in got.get(timeout=10).events]
    assert kinds == ["PutEvent", "DeleteEvent"], kinds
    c.cancel_watch(watch_id)
    threading.Timer(0.2, lambda: c.put(p + "b", "x")).start()
    event = c.watch_once(p + "b", timeout=10)
    assert event.value == b"x"


@case
def watch_from_an_old_revision(c, p):
    first = c.put(p + "a", "1").header.revision
    c.put(p + "a", "2")
    events, cancel = c.watch(p + "a", start_revision=first)
    values = [next(events).value, next(events).value]
    cancel()
    assert values == [b"1", b"2"], values


@case
def a_compacted_watch_raises(c, p):
    first = c.put(p + "a", "1").header.revision
    now = c.put(p + "a", "2").header.revision
    c.compact(now)
    events, cancel = c.watch(p + "a", start_revision=first)
    try:
        next(events)
        raise AssertionError("an event below the floor")
    except etcd3.exceptions.RevisionCompactedError as e:
        assert e.compacted_revision == now
    cancel()


@case
def leases(c, p):
    lease = c.lease(30)
    c.put(p + "a", "1", lease=lease)
    assert 25 <= lease.remaining_ttl <= 30 and lease.granted_ttl == 30
    assert lease.keys == [(p + "a").encode()]
    assert [r.TTL for r in lease.refresh()] == [30]
    lease.revoke()
    assert c.get(p + "a")[0] is None


@case
def leases_expire(c, p):
    c.put(p + "a", "1", lease=c.lease(2))
    assert c.get(p + "a")[0] == b"1"
    assert wait_for(lambda: c.get(p + "a")[0] is None, 10)


@case
def locks(c, p):
    with c.lock(p + "lock", ttl=20) as lock:
        assert lock.is_acquired()
        assert c.lock(p + "lock", ttl=20).acquire(timeout=1) is False
    other = c.lock(p + "lock", ttl=20)
    assert other.acquire(timeout=5) is True
    other.release()


@case
def members_status_hash(c, p):
    members = list(c.members)
    assert len(members) == len(sys.argv) - 1 and all(m.name for m in members)
    status = c.status()
    assert status.version == "3.6.16" and status.leader.id in [m.id for m in members]
    assert c.hash() is not None
    assert list(c.list_alarms()) == []


def main():
    passed = failed = 0
    client = connect(sys.argv[1])
    for f in CASES:
        try:
            f(client, "python/%s/%d/" % (f.__name__, time.time_ns()))
            passed += 1
            print("ok  ", f.__name__)
        except Exception:
            failed += 1
            print("FAIL", f.__name__)
            traceback.print_exc(file=sys.stdout)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
