package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// helmTest asks the operator what a user's `helm test` asks it.
func helmTest(w *world) error {
	return w.tool("helm", "test", "kvorum", "-n", operatorNamespace, "--timeout", "2m")
}

// authentication is switched off, and on again with the same password.
func authentication(w *world) error {
	d := w.the()
	before, err := d.uids()
	if err != nil {
		return err
	}
	stranger := func() error {
		a, err := d.access()
		if err != nil {
			return err
		}
		a.user, a.password = "", ""
		c, err := a.client(a.endpoints()...)
		if err != nil {
			return err
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, err = c.Get(ctx, "kept")
		return err
	}
	if err := stranger(); err == nil {
		return fmt.Errorf("a client without a name was let in")
	}
	if err := d.patch(`{"auth": {"enabled": false}}`); err != nil {
		return err
	}
	if err := await("users are not asked for", time.Minute, stranger); err != nil {
		return err
	}
	if err := d.patch(`{"auth": {"enabled": true}}`); err != nil {
		return err
	}
	err = await("users are asked for", time.Minute, func() error {
		if err := stranger(); err == nil {
			return fmt.Errorf("a client without a name is let in")
		} else if !strings.Contains(err.Error(), "user name is empty") {
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := d.read("kept"); err != nil {
		return fmt.Errorf("as root again: %w", err)
	}
	if err := d.ready(time.Minute); err != nil {
		return err
	}
	return d.unchanged(before)
}

// hibernate stops all members and wakes them: the same cluster, the same members, every write.
func hibernate(w *world) error {
	d := w.the()
	before, err := d.get()
	if err != nil {
		return err
	}
	a, err := d.access()
	if err != nil {
		return err
	}
	l := write("hibernate", a)
	_, err = l.served(20 * time.Second)
	l.stop()
	l.done.Wait()
	if err != nil {
		return err
	}
	claims, err := w.list("-n", d.namespace, "pvc", "-l", d.selector())
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := d.patch(`{"hibernated": true}`); err != nil {
		return err
	}
	err = await("nothing runs", 3*time.Minute, func() error {
		o, err := d.get()
		if err != nil {
			return err
		}
		pods, err := d.pods()
		if err != nil {
			return err
		}
		if _, reason := o.condition("Ready"); len(pods) > 0 || o.text("status", "phase") != "Hibernated" || reason != "Hibernated" {
			return fmt.Errorf("%d pods, phase %s, Ready %s", len(pods), o.text("status", "phase"), reason)
		}
		return nil
	})
	if err != nil {
		return err
	}
	note("asleep in %v", time.Since(begin).Round(time.Second))
	kept, err := w.list("-n", d.namespace, "pvc", "-l", d.selector())
	if err != nil {
		return err
	}
	if len(kept) != len(claims) {
		return fmt.Errorf("%d claims of %d were kept", len(kept), len(claims))
	}
	begin = time.Now()
	if err := d.patch(`{"hibernated": false}`); err != nil {
		return err
	}
	if err := d.ready(4 * time.Minute); err != nil {
		return err
	}
	note("awake in %v", time.Since(begin).Round(time.Second))
	after, err := d.get()
	if err != nil {
		return err
	}
	if was, is := identity(before), identity(after); was != is {
		return fmt.Errorf("woke as %s, went to sleep as %s", is, was)
	}
	text, err := l.finish()
	if err != nil {
		return err
	}
	note("after it: %s", strings.SplitN(text, ";", 2)[0])
	return d.voters(len(claims))
}

// identity is the cluster's, and its members'.
func identity(o object) string {
	text := o.text("status", "clusterID")
	for _, m := range o.objects("status", "members") {
		text += " " + m.text("name") + "=" + m.text("memberID")
	}
	return text
}

// certificates rotates leaves, then authorities, while clients write. Clients follow the ConfigMap, as pods that mount it do; a connection that was there
// before goes on with what it trusted then.
func certificates(w *world) error {
	d := w.the()
	uids, err := d.uids()
	if err != nil {
		return err
	}
	text, trust, err := d.trust()
	if err != nil {
		return err
	}
	old, err := d.access()
	if err != nil {
		return err
	}
	client, err := old.client(old.endpoints()...)
	if err != nil {
		return err
	}
	defer client.Close()
	return d.underWrites("certificates", 0, func(l *ledger) error {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() {
			for ; ctx.Err() == nil; pause(ctx, time.Second) {
				if _, now, err := d.trust(); err == nil {
					l.access.tls.Store(now)
				}
			}
		}()
		first, err := d.shown(trust)
		if err != nil {
			return err
		}
		begin := time.Now()
		if err := d.operate("leaves", "rotateCertificates: {kind: Leaf}", 5*time.Minute); err != nil {
			return err
		}
		note("new leaves in %v", time.Since(begin).Round(time.Second))
		second, err := d.shown(trust)
		if err != nil {
			return fmt.Errorf("with the authority that was trusted before: %w", err)
		}
		begin = time.Now()
		if err := d.operate("authority", "rotateCertificates: {kind: CertificateAuthority}", 8*time.Minute); err != nil {
			return err
		}
		note("new authorities in %v", time.Since(begin).Round(time.Second))
		now, renewed, err := d.trust()
		if err != nil {
			return err
		}
		if now == text || strings.Count(now, "BEGIN CERTIFICATE") != 1 {
			return fmt.Errorf("clients are to trust %d authorities, the same as before: %v", strings.Count(now, "BEGIN CERTIFICATE"), now == text)
		}
		l.access.tls.Store(renewed)
		third, err := d.shown(renewed)
		if err != nil {
			return err
		}
		for member := range first {
			if first[member] == second[member] || second[member] == third[member] {
				return fmt.Errorf("%s shows an old certificate: %s, %s, %s", member, first[member], second[member], third[member])
			}
		}
		if _, err := d.shown(trust); err == nil || !strings.Contains(err.Error(), "unknown authority") {
			return fmt.Errorf("the dropped authority still vouches for the members: %v", err)
		}
		if err := put(client, "kept", "value"); err != nil {
			return fmt.Errorf("on a connection from before: %w", err)
		}
		if err := d.ready(time.Minute); err != nil {
			return err
		}
		return d.unchanged(uids)
	})
}

func put(c *clientv3.Client, key, value string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, err := c.Put(ctx, key, value)
	return err
}

// shown are the fingerprints of the certificates that members show to a client with this trust.
func (d deployed) shown(trust *tls.Config) (map[string]string, error) {
	pods, err := d.pods()
	if err != nil {
		return nil, err
	}
	shown := map[string]string{}
	for name, p := range pods {
		config := trust.Clone()
		config.ServerName = fmt.Sprintf("%s.%s-peer.%s.svc.cluster.local", name, d.name, d.namespace)
		conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 20 * time.Second}, "tcp", p.text("status", "podIP")+":2379", config)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		sum := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].Raw)
		shown[name] = hex.EncodeToString(sum[:8])
		conn.Close()
	}
	return shown, nil
}

// namespaces gives the operator one namespace to look after: a cluster elsewhere is none of its business, and it could do nothing there.
func namespaces(w *world) error {
	d := w.the()
	before, err := d.uids()
	if err != nil {
		return err
	}
	if err := w.helm("image.tag="+newVersion, "watchNamespaces={"+d.namespace+"}"); err != nil {
		return err
	}
	elsewhere := strings.ReplaceAll(strings.ReplaceAll(demoYaml, "namespace: demo", "namespace: elsewhere"), "metadata: {name: demo, labels", "metadata: {name: elsewhere, labels")
	if err := w.apply(elsewhere); err != nil {
		return err
	}
	defer w.ctl("delete", "namespace", "elsewhere", "--wait=false")
	// A pass over the cluster that is its business: then it would have seen the other one.
	if err := d.patch(`{"quotaBytes": 1342177280}`); err != nil {
		return err
	}
	if err := d.ready(3 * time.Minute); err != nil {
		return err
	}
	if err := d.unchanged(before); err != nil {
		return err
	}
	other, err := w.get("-n", "elsewhere", "kvc", d.name)
	if err != nil {
		return err
	}
	pods, err := w.list("-n", "elsewhere", "pods,pvc,kvm,services", "-l", d.selector())
	if err != nil {
		return err
	}
	if other.at("status") != nil || other.at("metadata", "finalizers") != nil || len(pods) > 0 {
		return fmt.Errorf("the cluster elsewhere was touched: status %v, %d objects", other.at("status"), len(pods))
	}
	account := "system:serviceaccount:" + operatorNamespace + ":kvorum-operator"
	for _, right := range []struct {
		want bool
		args []string
	}{
		{true, []string{"create", "pods", "-n", d.namespace}}, {false, []string{"create", "pods", "-n", "elsewhere"}},
		{true, []string{"list", "secrets", "-n", d.namespace}}, {false, []string{"list", "secrets", "-n", "elsewhere"}},
		{false, []string{"list", "secrets", "-n", operatorNamespace}}, {false, []string{"list", "pods", "--all-namespaces"}},
		{false, []string{"patch", "kvorumclusters.kvorum.io", "-n", "elsewhere"}}, {true, []string{"list", "nodes"}},
	} {
		// It exits with 1 for no, and says so.
		out, _ := w.ctl(append([]string{"auth", "can-i", "--as", account}, right.args...)...)
		if answer := strings.TrimSpace(out); (answer == "yes") != right.want || answer != "yes" && answer != "no" {
			return fmt.Errorf("may the operator %v: %q", right.args, answer)
		}
	}
	return nil
}
