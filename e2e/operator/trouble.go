package main

import (
	"fmt"
	"strings"
	"time"
)

// drain cordons the leader's node: leadership moves before anything is evicted. Then the node is drained, which the disruption budget allows for one voter.
func drain(w *world) error {
	d := w.the()
	leader, node, err := d.leader()
	if err != nil {
		return err
	}
	uids, err := d.uids()
	if err != nil {
		return err
	}
	err = d.underWrites("drain", 1, func(*ledger) error {
		begin := time.Now()
		if _, err := w.ctl("cordon", node); err != nil {
			return err
		}
		defer w.ctl("uncordon", node)
		err := await("another node has the leader", 2*time.Minute, func() error {
			now, where, err := d.leader()
			if err == nil && (now == leader || where == node) {
				err = fmt.Errorf("%s on %s leads", now, where)
			}
			return err
		})
		if err != nil {
			return err
		}
		note("cordoned → another member leads: %v", time.Since(begin).Round(time.Second))
		if err := d.unchanged(uids); err != nil {
			return fmt.Errorf("before the drain: %w", err)
		}
		begin = time.Now()
		// Its volume is on this node: the member waits for it.
		selector := d.selector()
		if err := w.tool("kubectl", "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=2m", "--pod-selector="+selector); err != nil {
			return err
		}
		note("drained in %v", time.Since(begin).Round(time.Second))
		return nil
	})
	if err != nil {
		return err
	}
	return d.ready(4 * time.Minute)
}

// plug ends the leader's node at once, as pulling its plug does; it comes back with the disk it had.
func plug(w *world) error {
	d := w.the()
	_, node, err := d.leader()
	if err != nil {
		return err
	}
	number := strings.TrimPrefix(node, "node")
	up := true
	defer func() {
		if !up {
			_ = w.script("node.sh", number)
		}
	}()
	err = d.underWrites("plug", 2, func(l *ledger) error {
		l.begin()
		if err := w.script("node.sh", "stop", number); err != nil {
			return err
		}
		up = false
		if _, err := l.served(30 * time.Second); err != nil {
			return err
		}
		note("plug pulled → writes served again: %v", l.longest())
		if err := w.nodeLost(node); err != nil {
			return err
		}
		err := w.script("node.sh", number)
		up = err == nil
		return err
	})
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := w.nodeReady(node); err != nil {
		return err
	}
	if err := d.ready(8 * time.Minute); err != nil {
		return err
	}
	note("node switched on → Ready: %v", time.Since(begin).Round(time.Second))
	return d.voters(3)
}

// nodeLost waits until Kubernetes has noticed.
func (w *world) nodeLost(node string) error {
	return await(node+" is missed", 2*time.Minute, func() error {
		n, err := w.get("node", node)
		if err != nil {
			return err
		}
		if status, _ := n.condition("Ready"); status != "Unknown" {
			return fmt.Errorf("Ready is %q", status)
		}
		return nil
	})
}

func (w *world) nodeReady(node string) error {
	return await(node+" is Ready", 2*time.Minute, func() error {
		n, err := w.get("node", node)
		if err != nil {
			return err
		}
		if status, reason := n.condition("Ready"); status != "True" {
			return fmt.Errorf("Ready is %q (%s)", status, reason)
		}
		return nil
	})
}

// claim deletes a follower's claim and pod: the member is replaced by a new one with a new name.
func claim(w *world) error {
	d := w.the()
	leader, _, err := d.leader()
	if err != nil {
		return err
	}
	pods, err := d.pods()
	if err != nil {
		return err
	}
	victim := ""
	for name := range pods {
		if name != leader {
			victim = name
		}
	}
	return d.underWrites("claim", 1, func(*ledger) error {
		begin := time.Now()
		if err := d.lose(victim); err != nil {
			return err
		}
		err := await(victim+" is replaced", 5*time.Minute, func() error {
			members, err := w.list("-n", d.namespace, "kvm")
			if err != nil {
				return err
			}
			for _, m := range members {
				if m.text("spec", "memberName") == victim {
					return fmt.Errorf("%s is still a member, %s", victim, m.text("status", "phase"))
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := d.ready(5 * time.Minute); err != nil {
			return err
		}
		note("claim deleted → replaced and Ready: %v", time.Since(begin).Round(time.Second))
		return d.voters(3)
	})
}

// lose deletes a member's claim for good, and the pod that would keep it.
func (d deployed) lose(name string) error {
	m, err := d.kube.get("-n", d.namespace, "kvm", name)
	if err != nil {
		return err
	}
	if _, err := d.ctl("-n", d.namespace, "delete", "pvc", m.text("spec", "volumeClaimName"), "--wait=false"); err != nil {
		return err
	}
	_, err = d.ctl("-n", d.namespace, "delete", "pod", name, "--grace-period=0", "--force")
	return err
}

// quorum loses two of three volumes, which no operator may mend by itself, and recovers from the survivor when told to.
func quorum(w *world) error {
	d := w.the()
	leader, _, err := d.leader()
	if err != nil {
		return err
	}
	pods, err := d.pods()
	if err != nil {
		return err
	}
	a, err := d.access()
	if err != nil {
		return err
	}
	l := write("quorum", a)
	err = await("two hundred writes are acknowledged", time.Minute, func() error {
		if n := l.count(); n < 200 {
			return fmt.Errorf("%d are: %v", n, l.lastErr)
		}
		return nil
	})
	l.stop()
	if err != nil {
		return err
	}
	l.done.Wait()
	for name := range pods {
		if name != leader { // the leader has every acknowledged write
			if err := d.lose(name); err != nil {
				return err
			}
		}
	}
	begin := time.Now()
	err = await("the loss is reported", 4*time.Minute, func() error {
		o, err := d.get()
		if err != nil {
			return err
		}
		if status, reason := o.condition("QuorumAvailable"); status != "False" || reason != "PermanentLoss" {
			return fmt.Errorf("QuorumAvailable is %q (%s)", status, reason)
		}
		return nil
	})
	if err != nil {
		return err
	}
	note("volumes lost → PermanentLoss reported: %v", time.Since(begin).Round(time.Second))
	begin = time.Now()
	if err := d.operate("recover", "recoverQuorum: {acknowledgeDataLoss: true}", 8*time.Minute); err != nil {
		return err
	}
	if err := d.ready(5 * time.Minute); err != nil {
		return err
	}
	note("recoverQuorum → three members Ready: %v", time.Since(begin).Round(time.Second))
	if err := d.voters(3); err != nil {
		return err
	}
	text, err := l.finish()
	if err != nil {
		return fmt.Errorf("from the survivor that led: %w", err)
	}
	note("after the recovery: %s", strings.SplitN(text, ";", 2)[0])
	return nil
}

// operate writes a KvorumOperation and waits for its success.
func (d deployed) operate(name, what string, limit time.Duration) error {
	yaml := fmt.Sprintf("{apiVersion: kvorum.io/v1alpha1, kind: KvorumOperation, metadata: {name: %s, namespace: %s}, spec: {clusterRef: %s, %s}}", name, d.namespace, d.name, what)
	if err := d.apply(yaml); err != nil {
		return err
	}
	return await("operation "+name+" has succeeded", limit, func() error {
		o, err := d.kube.get("-n", d.namespace, "kvo", name)
		if err != nil {
			return err
		}
		if phase := o.text("status", "phase"); phase != "Succeeded" {
			return fmt.Errorf("phase %s, %s", phase, o.text("status", "message"))
		}
		return nil
	})
}

// operatorKilled ends the operator in the middle of a roll.
func operatorKilled(w *world) error {
	d := w.the()
	before, err := d.uids()
	if err != nil {
		return err
	}
	return d.underWrites("killed", 2, func(*ledger) error {
		if err := d.patch(`{"config": {"max-request-bytes": "3145728"}}`); err != nil {
			return err
		}
		err := await("the roll has begun", 2*time.Minute, func() error {
			now, err := d.uids()
			if err != nil {
				return err
			}
			if fmt.Sprint(now) == fmt.Sprint(before) {
				return fmt.Errorf("no pod is another one yet")
			}
			return nil
		})
		if err != nil {
			return err
		}
		if _, err := w.ctl("-n", operatorNamespace, "delete", "pods", "--all", "--grace-period=0", "--force"); err != nil {
			return err
		}
		return d.rolled(before, 6*time.Minute)
	})
}

// operatorUpgraded installs the operator anew with another pod template; no member notices.
func operatorUpgraded(w *world) error {
	d := w.the()
	before, err := d.uids()
	if err != nil {
		return err
	}
	return d.underWrites("upgraded", 0, func(*ledger) error {
		if err := w.helm("image.tag=" + newVersion); err != nil {
			return err
		}
		// A pass of the new operator: it takes over an option without a restart.
		if err := d.patch(`{"quotaBytes": 1610612736}`); err != nil {
			return err
		}
		if err := d.ready(3 * time.Minute); err != nil {
			return err
		}
		return d.unchanged(before)
	})
}

// gone deletes the cluster and then the operator.
func gone(w *world) error {
	d := w.the()
	if err := w.tool("kubectl", "-n", d.namespace, "delete", "kvc", d.name, "--timeout=3m"); err != nil {
		return err
	}
	err := await("nothing is left", 2*time.Minute, func() error {
		left, err := w.list("-n", d.namespace, "pods,pvc,kvm,secrets,services", "-l", d.selector())
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("%d objects, such as %s %s", len(left), left[0].text("kind"), left[0].name())
		}
		return err
	})
	if err != nil {
		return err
	}
	return w.tool("helm", "uninstall", "kvorum", "-n", operatorNamespace, "--wait")
}
