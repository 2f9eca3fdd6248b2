#!/bin/bash
# Every etcdctl command that the server supports, against the running three-member cluster of ENDPOINTS (host:port,...), with etcdctl from PEERS_BIN.
# The last line is "N passed, N failed".
set -uo pipefail
: "${ENDPOINTS:?}" "${PEERS_BIN:?}"
passed=0 failed=0
ctl() { "$PEERS_BIN/etcdctl" --endpoints "${E:-$ENDPOINTS}" --command-timeout 20s "$@" 2>&1; }
one=${ENDPOINTS%%,*}

is() { # name pattern text: the whole text must match the extended regular expression
	if [[ $3 =~ ^($2)$ ]]; then
		passed=$((passed + 1)) && echo "ok   $1"
	else
		failed=$((failed + 1)) && printf 'FAIL %s: wanted %s, got:\n%s\n' "$1" "$2" "$3"
	fi
}

is put OK "$(ctl put a/1 one)"
is "put --prev-kv" $'OK\na/1\none' "$(ctl put --prev-kv a/1 uno)"
is "put --ignore-value" OK "$(ctl put --ignore-value a/1)"
is get $'a/1\nuno' "$(ctl get a/1)"
ctl put a/2 two >/dev/null
ctl put a/3 three >/dev/null
is "get --prefix" $'a/1\nuno\na/2\ntwo\na/3\nthree' "$(ctl get --prefix a/)"
is "get --prefix --limit" $'a/1\nuno' "$(ctl get --prefix a/ --limit 1)"
is "get range" $'a/1\nuno\na/2\ntwo' "$(ctl get a/1 a/3)"
is "get --keys-only" $'a/1\n\na/2' "$(ctl get --keys-only a/1 a/3)"
is "get --print-value-only" two "$(ctl get --print-value-only a/2)"
is "get --count-only" $'.*"Count" : 3.*' "$(ctl get --prefix --count-only -w fields a/)"
is "get --order --sort-by" $'a/3\nthree\na/2\ntwo\na/1\nuno' "$(ctl get --prefix a/ --order=DESCEND --sort-by=KEY)"
is "get --from-key" $'a/3\nthree' "$(ctl get --from-key a/3 --limit 1)"
is "get --consistency=s" $'a/1\nuno' "$(ctl get --consistency=s a/1)"
rev=$(ctl get a/1 -w json | sed -E 's/.*"header":\{[^}]*"revision":([0-9]+).*/\1/')
ctl put a/1 eins >/dev/null
is "get --rev" $'a/1\nuno' "$(ctl get --rev "$rev" a/1)"
is "del" 1 "$(ctl del a/3)"
is "del --prev-kv" $'1\na/2\ntwo' "$(ctl del --prev-kv a/2)"
is "txn" $'SUCCESS\n\nOK\n\na/1\nzwei' "$(ctl txn <<<$'value("a/1") = "eins"\n\nput a/1 zwei\nget a/1\n\nput a/1 nie\n')"
is "txn, failure branch" $'FAILURE\n\na/1\nzwei' "$(ctl txn <<<$'mod("a/1") = "1"\n\nput a/1 nie\n\nget a/1\n')"
is "watch from a revision" $'PUT\na/1\neins\nPUT\na/1\nzwei' "$(timeout 3 "$PEERS_BIN/etcdctl" --endpoints "$ENDPOINTS" watch --rev $((rev + 1)) a/1)"
is "compaction" "compacted revision $rev" "$(ctl compaction "$rev")"
is "compaction twice" '.*mvcc: required revision has been compacted.*' "$(ctl compaction "$rev")"
is "get of a compacted revision" '.*mvcc: required revision has been compacted.*' "$(ctl get --rev $((rev - 1)) a/1)"
lease=$(ctl lease grant 100 | sed -E 's/lease ([0-9a-f]+) granted with TTL\(100s\)/\1/')
is "lease grant" '[0-9a-f]{16}' "$lease"
is "put --lease" OK "$(ctl put --lease "$lease" leased x)"
is "lease timetolive --keys" "lease $lease granted with TTL\(100s\), remaining\(9[0-9]s\), attached keys\(\[leased\]\)" "$(ctl lease timetolive --keys "$lease")"
is "lease list" $'found 1 leases\n'"$lease" "$(ctl lease list)"
is "lease keep-alive" "lease $lease keepalived with TTL\(100\)" "$(ctl lease keep-alive --once "$lease")"
is "lease revoke" "lease $lease revoked" "$(ctl lease revoke "$lease")"
is "a revoked lease takes its keys" "" "$(ctl get leased)"
is "member list" '([0-9a-f]+, started, m[0-2], http://127.0.0.1:[0-9]+, http://127.0.0.1:[0-9]+, false\s*){3}' "$(ctl member list)"
is "endpoint health" '(127.0.0.1:[0-9]+ is healthy: successfully committed proposal: took = [0-9.a-zµ]+\s*){3}' "$(ctl endpoint health)"
is "endpoint status" '(127.0.0.1:[0-9]+, [0-9a-f]+, 3\.6\.16, .*\s*){3}' "$(ctl endpoint status)"
is "endpoint hashkv --cluster" '(http://127.0.0.1:[0-9]+, [0-9]+, [0-9]+\s*){3}' "$(ctl --endpoints "$one" endpoint hashkv --cluster)"
is "one hash on all members" 1 "$(ctl endpoint hashkv | cut -d, -f2 | sort -u | wc -l)"
leader=$(ctl endpoint status -w json | python3 -c 'import json,sys
for e in json.load(sys.stdin):
    s=e["Status"]
    if s["leader"]==s["header"]["member_id"]: print(e["Endpoint"])')
target=$(ctl endpoint status -w json | python3 -c 'import json,sys
for e in json.load(sys.stdin):
    s=e["Status"]
    if s["leader"]!=s["header"]["member_id"]: print(format(s["header"]["member_id"],"x")); break')
is "move-leader" "Leadership transferred from [0-9a-f]+ to $target" "$(E=$leader ctl move-leader "$target")"
is "member add --learner" $'Member +[0-9a-f]+ added as learner to cluster +[0-9a-f]+\n.*' "$(sleep 0; for i in $(seq 60); do o=$(ctl member add extra --learner --peer-urls=http://127.0.0.1:9); [[ $o == *unhealthy* ]] || break; sleep 0.2; done; echo "$o")"
extra=$(ctl member list | sed -nE 's/^([0-9a-f]+), unstarted, .*/\1/p')
is "member promote, not caught up" '.*can only promote a learner member which is in sync with leader.*' "$(ctl member promote "$extra")"
is "member remove" "Member +$extra removed from cluster +[0-9a-f]+" "$(ctl member remove "$extra")"
is "defrag" '(Finished defragmenting etcd member\[127.0.0.1:[0-9]+\].*\s*){3}' "$(ctl defrag)"
is "check perf" '.*PASS: Slowest request.*' "$(ctl check perf --load=s 2>&1 | tr '\r\n' '  ')"
is "version" '.*etcdctl version: 3\.6\.16.*' "$(ctl version)"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
