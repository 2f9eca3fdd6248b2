package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// rule is one message of a validation rule, met by objects that it refuses and by objects that it lets pass.
type rule struct {
	message string
	refused []change
	passed  []change
}

// change is an object that is created, or, with before, an object as it was and as it is to become. Each is the inside of a specification, in YAML's flow style.
type change struct {
	kind   string
	before string
	after  string
	name   string // "o" when empty
}

const (
	small  = "version: 0.1.0, storage: {size: 1Gi}"
	daily  = "clusterRef: c, schedule: '0 3 * * *'"
	inS3   = "destination: {s3: {bucket: b}}"
	member = "clusterName: c, memberName: c-0, ordinal: 0, clusterToken: t, joinMode: Seed, volumeClaimName: v, peerURL: 'https://c-0:2380'"
)

func cluster(after string) change { return change{kind: "KvorumCluster", after: after} }
func edit(before, after string) change {
	return change{kind: "KvorumCluster", before: before, after: after}
}
func operation(after string) change {
	return change{kind: "KvorumOperation", after: "clusterRef: c, " + after}
}
func backup(after string) change {
	return change{kind: "KvorumBackup", after: join("clusterRef: c", after)}
}
func schedule(after string) change {
	return change{kind: "KvorumBackupSchedule", after: join(daily, after)}
}
func named(name string, c change) change   { c.name = name; return c }
func both(base string, a, b string) change { return edit(join(base, a), join(base, b)) }

func join(a, b string) string {
	if b == "" {
		return a
	}
	return a + ", " + b
}

// rules are all there are: a rule of a definition that is missing here fails the scenario.
var rules = []rule{
	{"replicas is 1, 3, 5 or 7",
		[]change{cluster(small + ", replicas: 2"), cluster(small + ", replicas: 0"), cluster(small + ", replicas: 9"), both(small, "replicas: 3", "replicas: 4")},
		[]change{cluster(small), cluster(small + ", replicas: 1"), cluster(small + ", replicas: 7"), both(small, "replicas: 3", "replicas: 5")}},
	{"the name has at most 40 characters",
		[]change{named(strings.Repeat("n", 41), cluster(small))},
		[]change{named(strings.Repeat("n", 40), cluster(small))}},
	{"bootstrap is read once",
		[]change{both(small, "", "bootstrap: {recovery: {backupRef: b}}"), both(small, "bootstrap: {recovery: {backupRef: b}}", ""),
			both(small, "bootstrap: {recovery: {backupRef: b}}", "bootstrap: {recovery: {backupRef: other}}")},
		[]change{both(small, "bootstrap: {recovery: {backupRef: b}}", "bootstrap: {recovery: {backupRef: b}}, replicas: 5"), cluster(small + ", bootstrap: {recovery: {location: 's3://b/p'}}")}},
	{"a recovery is from a backupRef or from a location",
		[]change{cluster(small + ", bootstrap: {recovery: {backupRef: b, location: 's3://b'}}"), cluster(small + ", bootstrap: {recovery: {}}")},
		[]change{cluster(small + ", bootstrap: {recovery: {backupRef: b}}")}},
	{"a target is a revision or a time",
		[]change{cluster(small + ", bootstrap: {recovery: {backupRef: b, target: {revision: 5, time: '2026-01-02T03:04:05Z'}}}")},
		[]change{cluster(small + ", bootstrap: {recovery: {backupRef: b, target: {revision: 5}}}"), cluster(small + ", bootstrap: {recovery: {backupRef: b, target: {time: '2026-01-02T03:04:05.5+01:00'}}}")}},
	{"auth needs TLS for clients",
		[]change{cluster(small + ", auth: {enabled: true}, tls: {client: {mode: Disabled}, peer: {mode: Managed}}")},
		[]change{cluster(small + ", auth: {enabled: true}"), cluster(small + ", auth: {enabled: false}, tls: {client: {mode: Disabled}, peer: {mode: Managed}}")}},
	{"TLS between peers cannot be switched",
		[]change{both(small, "tls: {peer: {mode: Disabled}}", ""), both(small, "", "tls: {peer: {mode: Disabled}}")},
		[]change{both(small, "", "tls: {client: {mode: Disabled}}"), both(small, "", "tls: {peer: {mode: Secret, secretRef: s}}"), cluster(small + ", tls: {peer: {mode: Disabled}}")}},
	{"delta backups and a final backup need",
		[]change{cluster(small + ", deletion: {finalBackup: true}"), cluster(small + ", backup: {delta: {enabled: true}}")},
		[]change{cluster(small + ", deletion: {finalBackup: true}, backup: {" + inS3 + "}"), cluster(small + ", backup: {delta: {enabled: true}, " + inS3 + "}"),
			cluster(small + ", deletion: {finalBackup: false}")}},
	{"a namespace is listed once",
		[]change{cluster(small + ", injection: {namespaces: [{name: a}, {name: a, prefixes: [b]}]}")},
		[]change{cluster(small + ", injection: {namespaces: [{name: a, prefixes: ['a/', /]}, {name: b}]}"), cluster(small + ", injection: {enabled: false}")}},
	{"a destination is exactly one",
		[]change{cluster(small + ", backup: {destination: {}}"), cluster(small + ", backup: {destination: {s3: {bucket: b}, gcs: {bucket: b}}}")},
		[]change{cluster(small + ", backup: {destination: {pvc: {claimName: c}}}"), cluster(small + ", backup: {destination: {gcs: {bucket: b}}}")}},
	{"volumes only grow",
		[]change{edit("version: 0.1.0, storage: {size: 2Gi}", "version: 0.1.0, storage: {size: 1Gi}")},
		[]change{edit("version: 0.1.0, storage: {size: 1Gi}", "version: 0.1.0, storage: {size: 2Gi}"), edit("version: 0.1.0, storage: {size: 1Gi}", "version: 0.1.0, storage: {size: 1024Mi}")}},
	{"a volume has at least 64Mi",
		[]change{cluster("version: 0.1.0, storage: {size: 63Mi}")},
		[]change{cluster("version: 0.1.0, storage: {size: 64Mi}")}},
	{"storageClassName cannot be changed",
		[]change{edit(small, "version: 0.1.0, storage: {size: 1Gi, storageClassName: a}"), edit("version: 0.1.0, storage: {size: 1Gi, storageClassName: a}", small),
			edit("version: 0.1.0, storage: {size: 1Gi, storageClassName: a}", "version: 0.1.0, storage: {size: 1Gi, storageClassName: b}")},
		[]change{edit("version: 0.1.0, storage: {size: 1Gi, storageClassName: a}", "version: 0.1.0, storage: {size: 2Gi, storageClassName: a}")}},
	{"secretRef goes with mode Secret",
		[]change{cluster(small + ", tls: {client: {mode: Secret}}"), cluster(small + ", tls: {client: {mode: Managed, secretRef: s}}"), cluster(small + ", tls: {peer: {mode: Secret}}")},
		[]change{cluster(small + ", tls: {client: {mode: Secret, secretRef: s}, peer: {mode: Secret, secretRef: s}}")}},
	{"issuerRef goes with mode CertManager",
		[]change{cluster(small + ", tls: {client: {mode: CertManager}}"), cluster(small + ", tls: {peer: {mode: Managed, issuerRef: {name: i}}}")},
		[]change{cluster(small + ", tls: {client: {mode: CertManager, issuerRef: {name: i}}}")}},
	{"source goes with a location",
		[]change{cluster(small + ", bootstrap: {recovery: {backupRef: b, source: {pvc: {claimName: c}}}}")},
		[]change{cluster(small + ", bootstrap: {recovery: {location: 's3://b/p', source: {s3: {bucket: b}}}}"), cluster(small + ", bootstrap: {recovery: {location: 'pvc://c/p'}}")}},
	{"the name has at most 63 characters",
		[]change{named(strings.Repeat("n", 64), backup(""))},
		[]change{named(strings.Repeat("n", 63), backup(""))}},
	{"a backup cannot be changed",
		[]change{{kind: "KvorumBackup", before: "clusterRef: c", after: "clusterRef: d"}, {kind: "KvorumBackup", before: "clusterRef: c", after: "clusterRef: c, verify: true"}},
		[]change{{kind: "KvorumBackup", before: "clusterRef: c, type: Delta", after: "clusterRef: c, type: Delta"}}},
	{"encryptionKeySecretRef goes with a destination",
		[]change{backup("encryptionKeySecretRef: k"), schedule("retention: {keepLast: 1}, template: {encryptionKeySecretRef: k}")},
		[]change{backup("encryptionKeySecretRef: k, " + inS3), schedule("retention: {keepLast: 1}, template: {encryptionKeySecretRef: k, " + inS3 + "}")}},
	{"the name has at most 52 characters",
		[]change{named(strings.Repeat("n", 53), schedule("retention: {keepLast: 1}"))},
		[]change{named(strings.Repeat("n", 52), schedule("retention: {keepLast: 1}"))}},
	{"clusterRef cannot be changed",
		[]change{{kind: "KvorumBackupSchedule", before: daily + ", retention: {keepLast: 1}", after: strings.Replace(daily, "clusterRef: c", "clusterRef: d", 1) + ", retention: {keepLast: 1}"}},
		[]change{{kind: "KvorumBackupSchedule", before: daily + ", retention: {keepLast: 1}", after: daily + ", retention: {keepLast: 2}, suspend: true"}}},
	{"retention needs keepLast or keepFor",
		[]change{schedule("retention: {}")},
		[]change{schedule("retention: {keepLast: 1}"), schedule("retention: {keepFor: 720h}"), schedule("retention: {keepLast: 1, keepFor: 24h}")}},
	{"a member's identity cannot be changed",
		[]change{{kind: "KvorumMember", before: member, after: strings.Replace(member, "ordinal: 0", "ordinal: 1", 1)},
			{kind: "KvorumMember", before: member + ", initialPeers: [a]", after: member + ", initialPeers: [b]"}},
		[]change{{kind: "KvorumMember", before: member, after: member + ", initialPeers: [a]"}}},
	{"set acknowledgeDataLoss: writes that the survivor",
		[]change{operation("recoverQuorum: {acknowledgeDataLoss: false}")},
		[]change{operation("recoverQuorum: {acknowledgeDataLoss: true}")}},
	{"set acknowledgeDataLoss: writes after the backup",
		[]change{operation("restoreInPlace: {backupRef: b, acknowledgeDataLoss: false}")},
		[]change{operation("restoreInPlace: {backupRef: b, acknowledgeDataLoss: true}")}},
	{"an operation cannot be changed",
		[]change{{kind: "KvorumOperation", before: "clusterRef: c, transferLeader: {}", after: "clusterRef: c, transferLeader: {to: m}"}},
		[]change{{kind: "KvorumOperation", before: "clusterRef: c, transferLeader: {}", after: "clusterRef: c, transferLeader: {}"}}},
	{"an operation is exactly one of the nine",
		[]change{operation("deadlineSeconds: 60"), operation("transferLeader: {}, compact: {}")},
		[]change{operation("transferLeader: {}"), operation("restart: {}"), operation("replaceMember: {member: m}"), operation("defragment: {}"), operation("compact: {}"),
			operation("rotateCertificates: {kind: Leaf}"), operation("verifyBackup: {backupRef: b}")}},
}

// definitions installs the kinds and tries every rule of theirs both ways on the API server.
func definitions(w *world) error {
	folder := filepath.Join(w.root, "crds")
	if _, err := w.ctl("apply", "--server-side", "--force-conflicts", "-f", folder); err != nil {
		return err
	}
	if _, err := w.ctl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"); err != nil {
		return err
	}
	if err := w.apply("{apiVersion: v1, kind: Namespace, metadata: {name: rules}}"); err != nil {
		return err
	}
	defer w.ctl("delete", "namespace", "rules", "--wait=false")
	if err := await("the kinds are served", 20*time.Second, func() error { _, err := w.list("kvorum", "-n", "rules"); return err }); err != nil {
		return err
	}
	if err := w.covered(); err != nil {
		return err
	}
	tried := 0
	for _, r := range rules {
		for _, c := range r.refused {
			if err := w.try(c); err == nil || !strings.Contains(err.Error(), r.message) {
				return fmt.Errorf("rule %q did not refuse %+v: %v", r.message, c, err)
			}
		}
		for _, c := range r.passed {
			if err := w.try(c); err != nil {
				return fmt.Errorf("rule %q: %+v: %w", r.message, c, err)
			}
		}
		tried += len(r.refused) + len(r.passed)
	}
	note("%d rules, %d objects", len(rules), tried)
	// The chart brings them itself, and would find fields that are not its own.
	if clusters, err := w.list("kvc", "-A"); err != nil || len(clusters) > 0 {
		return err
	}
	return w.tool("kubectl", "delete", "-f", folder, "--timeout=1m")
}

// covered fails when a definition has a rule that the table has not, or the other way round.
func (w *world) covered() error {
	crds, err := w.list("crds")
	if err != nil {
		return err
	}
	var messages []string
	for _, c := range crds {
		if c.text("spec", "group") == "kvorum.io" {
			messages = collect(c.at("spec"), messages)
		}
	}
	for _, m := range messages {
		if !slices.ContainsFunc(rules, func(r rule) bool { return strings.Contains(m, r.message) }) {
			return fmt.Errorf("the rule %q is not tried", m)
		}
	}
	for _, r := range rules {
		if !slices.ContainsFunc(messages, func(m string) bool { return strings.Contains(m, r.message) }) {
			return fmt.Errorf("no definition has the rule %q", r.message)
		}
	}
	return nil
}

func collect(v any, messages []string) []string {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if name == "x-kubernetes-validations" {
				for _, r := range inner.([]any) {
					messages = append(messages, object(r.(map[string]any)).text("message"))
				}
			}
			messages = collect(inner, messages)
		}
	case []any:
		for _, inner := range v {
			messages = collect(inner, messages)
		}
	}
	return messages
}

// try asks the API server without storing what is asked; an object that must be there before is stored and removed again.
func (w *world) try(c change) error {
	name := c.name
	if name == "" {
		name = "o"
	}
	document := func(spec string) string {
		return fmt.Sprintf("{apiVersion: kvorum.io/v1alpha1, kind: %s, metadata: {name: %s, namespace: rules}, spec: {%s}}", c.kind, name, spec)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if c.before == "" {
		_, err := w.command(ctx, document(c.after), "kubectl", "create", "--dry-run=server", "-f", "-")
		return err
	}
	if _, err := w.command(ctx, document(c.before), "kubectl", "create", "-f", "-"); err != nil {
		return fmt.Errorf("before: %w", err)
	}
	_, err := w.command(ctx, document(c.after), "kubectl", "replace", "--dry-run=server", "-f", "-")
	if _, e := w.ctl("-n", "rules", "delete", c.kind, name); e != nil {
		return e
	}
	return err
}
