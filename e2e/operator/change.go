package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	operatorNamespace = "kvorum-system"
	operatorImage     = "localhost/kvorum-operator"
)

// helm installs or upgrades the chart.
func (w *world) helm(settings ...string) error {
	args := []string{"upgrade", "--install", "kvorum", filepath.Join(w.root, "charts", "kvorum"), "-n", operatorNamespace, "--create-namespace", "--wait", "--timeout", "3m",
		"--set", "image.repository=" + operatorImage, "--set", "image.tag=" + oldVersion}
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	return w.tool("helm", args...)
}

// install is what a user does first: chart, then a cluster with TLS and users, then a client that knows nothing but the Service's name.
func install(w *world) error {
	begin := time.Now()
	if err := w.helm(); err != nil {
		return err
	}
	note("helm install → operator available: %v", time.Since(begin).Round(100*time.Millisecond))
	d := w.the()
	begin = time.Now()
	if err := w.apply(demoYaml); err != nil {
		return err
	}
	if err := d.ready(5 * time.Minute); err != nil {
		return err
	}
	note("kubectl apply → three members Ready, TLS and users on: %v", time.Since(begin).Round(100*time.Millisecond))
	if err := d.voters(3); err != nil {
		return err
	}
	service := fmt.Sprintf("https://%s-client.%s.svc:2379", d.name, d.namespace)
	if _, err := d.client("put", "--endpoints", service, "put", "kept", "value"); err != nil {
		return err
	}
	if out, err := d.client("get", "--discovery-srv", fmt.Sprintf("%s-client.%s.svc.cluster.local", d.name, d.namespace), "get", "kept"); err != nil || !strings.Contains(out, "value") {
		return fmt.Errorf("found by SRV records, the cluster answered %q, %v", out, err)
	}
	if out, err := d.client("stranger", "--endpoints", service, "--user", "root:wrong", "get", "kept"); err == nil {
		return fmt.Errorf("a wrong password was let in: %q", out)
	}
	if value, err := d.read("kept"); err != nil || value != "value" {
		return fmt.Errorf("read %q, %v", value, err)
	}
	return nil
}

// scale goes from three members to five and back.
func scale(w *world) error {
	d := w.the()
	return d.underWrites("scale", 1, func(*ledger) error {
		for _, n := range []int{5, 3} {
			begin := time.Now()
			if _, err := w.ctl("-n", d.namespace, "scale", "kvc", d.name, "--replicas="+strconv.Itoa(n)); err != nil {
				return err
			}
			if err := d.ready(6 * time.Minute); err != nil {
				return err
			}
			if err := d.voters(n); err != nil {
				return err
			}
			note("to %d members: %v", n, time.Since(begin).Round(time.Second))
		}
		return await("removed members' claims are gone", time.Minute, func() error {
			claims, err := w.list("-n", d.namespace, "pvc", "-l", d.selector())
			if err == nil && len(claims) != 3 {
				err = fmt.Errorf("%d claims", len(claims))
			}
			return err
		})
	})
}

// rolled waits for Ready and fails unless every pod is another one than before.
func (d deployed) rolled(before map[string]string, limit time.Duration) error {
	if err := d.ready(limit); err != nil {
		return err
	}
	after, err := d.uids()
	if err != nil {
		return err
	}
	for name, uid := range before {
		if after[name] == uid {
			return fmt.Errorf("%s was not restarted", name)
		}
	}
	return d.voters(len(before))
}

// configuration changes an option that the store takes over while it serves, then one that needs restarts.
func configuration(w *world) error {
	d := w.the()
	before, err := d.uids()
	if err != nil {
		return err
	}
	if err := d.patch(`{"quotaBytes": 1073741824}`); err != nil {
		return err
	}
	if err := d.ready(3 * time.Minute); err != nil {
		return err
	}
	if err := d.unchanged(before); err != nil {
		return err
	}
	return d.underWrites("configuration", 1, func(*ledger) error {
		begin := time.Now()
		if err := d.patch(`{"config": {"max-request-bytes": "2097152"}}`); err != nil {
			return err
		}
		if err := d.rolled(before, 6*time.Minute); err != nil {
			return err
		}
		note("rolled in %v", time.Since(begin).Round(time.Second))
		return nil
	})
}

// unchanged fails when a pod was made anew or a container restarted.
func (d deployed) unchanged(before map[string]string) error {
	after, err := d.uids()
	if err != nil {
		return err
	}
	if fmt.Sprint(after) != fmt.Sprint(before) {
		return fmt.Errorf("members were restarted: %v, before %v", after, before)
	}
	return nil
}

// version rolls to the build with the higher version and feature level.
func version(w *world) error {
	d := w.the()
	before, err := d.uids()
	if err != nil {
		return err
	}
	return d.underWrites("version", 1, func(*ledger) error {
		begin := time.Now()
		if err := d.patch(`{"version": "` + newVersion + `"}`); err != nil {
			return err
		}
		if err := d.rolled(before, 6*time.Minute); err != nil {
			return err
		}
		note("rolled in %v", time.Since(begin).Round(time.Second))
		o, err := d.get()
		if err != nil {
			return err
		}
		for _, m := range o.objects("status", "members") {
			if m.text("version") != newVersion {
				return fmt.Errorf("%s reports version %q", m.text("name"), m.text("version"))
			}
		}
		return nil
	})
}

// growth asks for larger volumes; the scenario plays the part of the driver that makes them larger.
func growth(w *world) error {
	d := w.the()
	if err := d.patch(`{"storage": {"size": "1536Mi"}}`); err != nil {
		return err
	}
	err := await("the claims ask for more", 2*time.Minute, func() error {
		claims, err := w.list("-n", d.namespace, "pvc", "-l", d.selector())
		if err != nil {
			return err
		}
		waiting := 0
		for _, c := range claims {
			if c.text("spec", "resources", "requests", "storage") != "1536Mi" {
				waiting++
				continue
			}
			patch := `{"status": {"capacity": {"storage": "1536Mi"}, "conditions": []}}`
			if _, err := w.ctl("-n", d.namespace, "patch", "pvc", c.name(), "--subresource=status", "--type=merge", "-p", patch); err != nil {
				return err
			}
		}
		if waiting > 0 {
			return fmt.Errorf("%d claims are as they were", waiting)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return d.ready(2 * time.Minute)
}
