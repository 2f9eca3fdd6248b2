package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"kvorum.io/e2e/local"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	writers = 4
	rounds  = 4
	window  = 2 * time.Second
)

// load writes all the time and remembers how long each put took, under the name of what goes on.
type load struct {
	cancel context.CancelFunc
	wait   sync.WaitGroup

	lock  sync.Mutex
	phase string
	took  map[string][]time.Duration
}

func startLoad(c *local.Cluster) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{cancel: cancel, took: map[string][]time.Duration{}}
	for w := range writers {
		l.wait.Add(1)
		go func() {
			defer l.wait.Done()
			client, err := clientv3.New(clientv3.Config{Endpoints: c.Endpoints(), DialTimeout: requestLimit})
			if err != nil {
				return
			}
			defer client.Close()
			for n := 0; ctx.Err() == nil; n++ {
				call, end := context.WithTimeout(ctx, requestLimit)
				begin := time.Now()
				_, err := client.Put(call, fmt.Sprintf("load/%d/%03d", w, n%200), fmt.Sprintf("%0256d", n))
				end()
				if err == nil {
					l.note(time.Since(begin))
				}
				time.Sleep(2 * time.Millisecond)
			}
		}()
	}
	return l
}

func (l *load) note(took time.Duration) {
	l.lock.Lock()
	defer l.lock.Unlock()
	if l.phase != "" {
		l.took[l.phase] = append(l.took[l.phase], took)
	}
}

func (l *load) during(phase string) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.phase = phase
}

func (l *load) stop() {
	l.cancel()
	l.wait.Wait()
}

// latency measures puts in turns, without a backup and with one that is under way all the time.
func (s *suite) latency(p place) error {
	for round := range rounds {
		s.load.during("without")
		time.Sleep(window)
		s.load.during("")
		p.location = fmt.Sprintf("%s-round-%d", p.location, round)
		done := make(chan error, 1)
		// Begins with its process; the members work for it from about a second later on.
		go func() {
			_, err := s.backup(p, "load", "full", "--throttle=6000000")
			done <- err
		}()
		s.load.during("with")
		err := <-done
		s.load.during("")
		if err != nil {
			return err
		}
	}
	s.load.lock.Lock()
	defer s.load.lock.Unlock()
	for _, phase := range []string{"without", "with"} {
		took := s.load.took[phase]
		if len(took) == 0 {
			return fmt.Errorf("no puts %s a backup", phase)
		}
		slices.Sort(took)
		fmt.Printf("puts %s a backup: %d, p50 %.2f ms, p99 %.2f ms\n", phase, len(took), millis(took[len(took)/2]), millis(took[len(took)*99/100]))
	}
	return nil
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
